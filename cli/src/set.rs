//! `data make` of a set of graphs or operators.

use crate::arguments::DataMake;
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::interrupt;
use resolvent_datasets::{Error, Format, MAKERS, Maker, Outcome, Recipe};
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// Makes a file of a set.
pub fn run(maker: &'static Maker, a: &DataMake, console: &Console) -> Result<Code, Failure> {
    let m = &a.member;
    if m.dim.is_some() || m.frame != 0 || m.rhs_kind.is_some() || a.n.is_some() {
        return Err(Failure::usage(format!(
            "{} is a set: it has `--seed`, `--samples` and `--set KEY=VALUE` alone, as `data list` shows",
            maker.name
        )));
    }
    if !matches!(Format::of(&a.out)?, Format::Hdf5) {
        return Err(Error::Format { path: a.out.clone(), known: ".h5, .hdf5" }.into());
    }
    let pairs = a.set.iter().map(|pair| {
        let parts = pair.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        parts.ok_or_else(|| Failure::usage(format!("--set {pair}: give NAME=VALUE, such as --set n=32")))
    });
    let settings = pairs.collect::<Result<Vec<(&str, &str)>, _>>()?;
    let recipe = Recipe::new(maker, m.seed, a.samples, &settings)?;
    console.remark(&format!("{} takes {}", maker.name, recipe.cost()?));
    interrupt::listen();
    let bar = console.progress("{msg:<16} {bar:40} {pos}/{len} {eta}", Some(0));
    let start = std::time::Instant::now();
    let outcome = recipe.make(&a.out, &mut |step| {
        bar.set_length(step.total as u64);
        bar.set_message(step.phase);
        bar.set_position(step.done as u64);
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    match outcome? {
        Outcome::Made(made) => {
            let unit = maker.samples.map_or("samples", |s| s.1);
            let seconds = start.elapsed().as_secs_f64();
            let (file, n, bytes) = (a.out.display(), made.samples, made.bytes);
            console.print(&format!("{file}: {n} {unit}, {bytes} bytes, {seconds:.2} s\n"));
            if let Some(remark) = &made.remark {
                console.remark(remark);
            }
            console.object(&json!({
                "schema": 1, "file": a.out, "set": maker.name, "command": recipe.command(), "seconds": seconds,
                "samples": n, "bytes": bytes, "resumed": made.resumed, "remark": made.remark,
            }));
            Ok(Code::Done)
        }
        Outcome::Interrupted { partial } => Err(Failure {
            code: Code::Interrupted,
            message: format!("what is done is in {}; the same command goes on from there", partial.display()),
        }),
    }
}

/// The listing: text, and for JSON.
pub fn list() -> (String, Vec<Value>) {
    let mut text = String::new();
    for maker in &MAKERS {
        text.push_str(&format!("{:<20} {}\n", maker.name, maker.summary));
        for s in maker.settings {
            text.push_str(&format!("{:<20} --set {}={}  {}\n", "", s.name, s.default, s.what));
        }
    }
    let objects = MAKERS.iter().map(|m| {
        let samples = m.samples.map(|(n, _)| n);
        json!({ "name": m.name, "summary": m.summary, "samples": samples, "settings": m.settings })
    });
    (text, objects.collect())
}
