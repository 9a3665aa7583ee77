//! The page of a run.

use super::graphs;
use super::illustration::Section;
use super::record::Record;
use crate::report::{self, escaped};
use serde_json::Value;
use std::fmt::Write;

/// Steps that the table of errors shows.
const COLUMNS: usize = 6;

/// The whole page; `drawn` are the pictures of all sections in order.
pub(super) fn page(record: &Record, sections: &[Section], drawn: &[String]) -> String {
    let name = if record.about.name.is_empty() { "a network" } else { &record.about.name };
    let mut body = format!("<h1>Training of <code>{}</code></h1>\n", escaped(name));
    let _ = writeln!(body, "<p class=lead>{}</p>", escaped(&status(record)));
    for remark in &record.remarks {
        let _ = writeln!(body, "<p class=remark>{}</p>", escaped(remark));
    }
    body += &graphs::tables(record);
    body += &results(record);
    let mut drawn = drawn.iter();
    for section in sections {
        let _ = writeln!(body, "<h2>{}</h2>", section.heading);
        if !section.text.is_empty() {
            let _ = writeln!(body, "<p>{}</p>", escaped(&section.text));
        }
        for (illustration, svg) in section.illustrations.iter().zip(drawn.by_ref()) {
            let caption = escaped(&illustration.caption);
            let _ = writeln!(body, "<figure>{svg}<figcaption>{caption}</figcaption></figure>");
        }
    }
    let _ = writeln!(body, "<h2>Configuration</h2>\n<pre>{}</pre>", escaped(record.text.trim_end()));
    if let Some(environment) = &record.environment {
        let mut rows = vec![];
        flatten("", environment, &mut rows);
        body.push_str("<h2>Environment</h2>\n<dl>");
        for (key, value) in rows {
            let _ = writeln!(body, "<dt>{}<dd>{}", escaped(&key), escaped(&value));
        }
        body.push_str("</dl>\n");
    }
    report::page(&format!("Training of {name}"), &body)
}

/// How far it has come, and what it is.
fn status(record: &Record) -> String {
    let all = record.about.all;
    let last = record.metrics.last();
    let came = match (record.done, record.steps) {
        (true, n) if n == all => format!("Finished: {n} steps"),
        (true, n) => format!("Finished after {n} of at most {all} steps"),
        (false, 0) => format!("Not finished: no step of {all} has been written down"),
        (false, n) => format!("Not finished: interrupted, or still going, at step {n} of {all}"),
    };
    let seconds = last.map_or(String::new(), |m| format!(" in {:.1} s", m.seconds));
    let lost = match last.map(|m| m.loss.is_finite()) {
        Some(false) => " The last loss is not a finite number.",
        _ => "",
    };
    format!("{came}{seconds}; {}.{lost}", record.about.words)
}

/// Errors and learnt parameters at a few steps, the first and the last among them.
fn results(record: &Record) -> String {
    let measured: Vec<_> = record.metrics.iter().filter(|m| !m.errors.is_empty()).collect();
    let looks = match measured.is_empty() {
        true => record.metrics.iter().filter(|m| !m.parameters.is_empty()).collect(),
        false => measured,
    };
    let Some(last) = looks.last() else { return String::new() };
    let count = looks.len().min(COLUMNS);
    let chosen: Vec<_> = (0..count).map(|i| looks[i * (looks.len() - 1) / (count - 1).max(1)]).collect();
    let chosen = if count == 1 { vec![*last] } else { chosen };
    let mut out =
        String::from("<h2>Errors and learnt parameters</h2>\n<div class=scroll><table class=names><tr><th>");
    chosen.iter().for_each(|m| {
        let _ = write!(out, "<th>step {}", m.step);
    });
    out.push_str("</tr>\n");
    let mut row = |name: String, values: Vec<Option<f64>>, digits: usize| {
        let _ = write!(out, "<tr><td>{}", escaped(&name));
        for value in values {
            let _ = match value {
                Some(v) if digits > 4 => write!(out, "<td>{v:.digits$}"),
                Some(v) => write!(out, "<td>{v:.digits$e}"),
                None => write!(out, "<td>–"),
            };
        }
        out.push_str("</tr>\n");
    };
    for name in record.measured() {
        let of = |f: &dyn Fn(&resolvent_pinn::evaluation::FieldError) -> Option<f64>| {
            chosen.iter().map(|m| m.errors.iter().find(|e| e.name == name).and_then(f)).collect::<Vec<_>>()
        };
        row(format!("relative L2 error of {name}"), of(&|e| Some(e.relative_l2)), 3);
        row(format!("largest error of {name}"), of(&|e| Some(e.max)), 3);
        let spectral = of(&|e| e.spectral);
        if spectral.iter().any(Option::is_some) {
            row(format!("relative spectral error of {name}"), spectral, 3);
        }
    }
    for name in last.parameters.keys() {
        row(name.clone(), chosen.iter().map(|m| m.parameters.get(name).copied()).collect(), 6);
    }
    out + "</table></div>\n"
}

/// Values with the names of all that they are in.
fn flatten(name: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    let inner = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| flatten(&inner(k), v, rows)),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(i, v)| flatten(&inner(&(i + 1).to_string()), v, rows));
        }
        Value::String(text) => rows.push((name.into(), text.clone())),
        other => rows.push((name.into(), other.to_string())),
    }
}
