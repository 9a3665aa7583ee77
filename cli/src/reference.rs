//! `data make` of a reference solution.

use crate::arguments::DataMake;
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::interrupt;
use resolvent_benches::memory;
use resolvent_datasets::reference::{REFERENCES, Range, Reference, Settings, Written, size, write};
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// Makes a file of a reference solution.
pub fn run(a: &DataMake, console: &Console) -> Result<Code, Failure> {
    let settings = settings(a)?;
    let (size, layout) = size(&settings)?;
    let bytes = |b: u64| {
        if b < 10_000_000 { format!("{:.0} kB", b as f64 / 1e3) } else { format!("{:.0} MB", b as f64 / 1e6) }
    };
    let points: Vec<String> = layout.axes.iter().map(|a| a.points.len().to_string()).collect();
    console.remark(&format!(
        "{}: {} × {} × {} points of {}; {} to write, about {} of memory",
        a.name,
        layout.samples,
        layout.snapshots(),
        points.join(" × "),
        layout.fields.join(", "),
        bytes(size.bytes),
        bytes(size.memory)
    ));
    if memory::available().is_some_and(|free| size.memory > free) {
        let message = format!(
            "{} needs about {} of memory, more than is free; use a smaller n",
            a.name,
            bytes(size.memory)
        );
        return Err(Failure::resource(message));
    }
    interrupt::listen();
    let bar = console.progress("{msg} {bar:32} {percent}% {eta}", Some(10_000));
    bar.set_message(a.name.clone());
    let written = write(&settings, &a.out, &|progress| {
        bar.set_position((1e4 * progress) as u64);
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    bar.finish_and_clear();
    match written {
        Written::Done { accuracy, checksum } => {
            console
                .print(&format!("{}: accuracy {accuracy:.1e}, checksum {checksum:016x}\n", a.out.display()));
            console.object(&json!({
                "schema": 1, "file": a.out, "accuracy": accuracy, "checksum": format!("{checksum:016x}"),
                "bytes": size.bytes, "command": settings.command(),
            }));
            Ok(Code::Done)
        }
        Written::Interrupted { progress } => {
            console.remark(&format!("interrupted at {:.0}%; the same command goes on", 100.0 * progress));
            console.object(&json!({ "schema": 1, "status": "interrupted", "progress": progress }));
            Ok(Code::Interrupted)
        }
    }
}

fn settings(a: &DataMake) -> Result<Settings, Failure> {
    for (flag, given) in [
        ("--dim", a.member.dim.is_some()),
        ("--frame", a.member.frame != 0),
        ("--rhs-kind", a.member.rhs_kind.is_some()),
    ] {
        if given {
            return Err(Failure::usage(format!(
                "{} is a reference solution, which has no {flag}; see its settings in `resolvent data list`",
                a.name
            )));
        }
    }
    let mut settings = Settings::of(&a.name)?.seed(a.member.seed).samples(a.samples.unwrap_or(1))?;
    if let Some(n) = a.n {
        settings = settings.set("n", &n.to_string())?;
    }
    for pair in &a.set {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Failure::usage(format!("--set {pair}: give NAME=VALUE, such as --set nu=0.01")));
        };
        settings = settings.set(name.trim(), value.trim())?;
    }
    Ok(settings)
}

/// The listing: text, and for JSON.
pub fn list() -> (String, Vec<Value>) {
    let mut text = String::new();
    for r in &REFERENCES {
        let settings: Vec<String> =
            r.settings.iter().map(|s| format!("{}={}", s.name, default(s.default, s.range))).collect();
        text.push_str(&format!(
            "{:<20} {}\n{:<20} settings: {}\n",
            r.name,
            r.equation,
            "",
            settings.join(" ")
        ));
    }
    (text, REFERENCES.iter().map(object).collect())
}

fn default(value: f64, range: Range) -> String {
    match range {
        Range::Choice(words) => words.get(value as usize).copied().unwrap_or_default().into(),
        _ => value.to_string(),
    }
}

fn object(r: &Reference) -> Value {
    let settings: Vec<Value> = r
        .settings
        .iter()
        .map(|s| {
            let (low, high, words) = match s.range {
                Range::Real(low, high) => (json!(low), json!(high), Value::Null),
                Range::Whole(low, high) | Range::Even(low, high) => (json!(low), json!(high), Value::Null),
                Range::Choice(words) => (Value::Null, Value::Null, json!(words)),
            };
            json!({ "name": s.name, "about": s.about, "default": default(s.default, s.range), "low": low, "high": high, "words": words })
        })
        .collect();
    json!({
        "name": r.name, "equation": r.equation, "method": r.method, "accuracy": r.accuracy, "random": r.random,
        "settings": settings,
    })
}
