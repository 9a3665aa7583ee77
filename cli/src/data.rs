//! `data`: systems in files.

use crate::arguments::{DataMake, DataWhat};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::{load, reference};
use resolvent_datasets::reference::{REFERENCES, Reference};
use resolvent_datasets::{FAMILIES, Family, Severity, check, inspect, make, output};
use serde_json::{Value, json};

/// Makes, shows or checks.
pub fn run(what: &DataWhat, console: &Console) -> Result<Code, Failure> {
    match what {
        DataWhat::Make(a) => write(a, console),
        DataWhat::Inspect(a) => {
            let summary = inspect(&a.file)?;
            console.print(&summary.to_string());
            if console.json() {
                console.object(&with_schema(serde_json::to_value(&summary).unwrap_or(Value::Null)));
            }
            Ok(Code::Done)
        }
        DataWhat::Check(a) => {
            let findings = check(&a.file)?;
            let mut text: String = findings
                .iter()
                .map(|f| {
                    let word = if f.severity == Severity::Problem { "problem" } else { "note" };
                    format!("{word}: {}\n", f.text)
                })
                .collect();
            let problems = findings.iter().filter(|f| f.severity == Severity::Problem).count();
            if problems == 0 {
                text.push_str("the system can be solved\n");
            }
            console.print(&text);
            console.object(&json!({ "schema": 1, "ok": problems == 0, "findings": findings }));
            Ok(if problems == 0 { Code::Done } else { Code::Input })
        }
        DataWhat::List => {
            let lines = FAMILIES.iter().map(|f| format!("{:<9} {}\n", f.name, f.summary));
            let (text, references) = reference::list();
            console.print(&format!(
                "problem families\n{}\nreference solutions\n{text}",
                lines.collect::<String>()
            ));
            let families: Vec<Value> = FAMILIES
                .iter()
                .map(|f| {
                    let kinds: Vec<_> = f.rhs.iter().map(|k| k.name()).collect();
                    json!({ "name": f.name, "summary": f.summary, "dims": f.dims, "moves": f.moves, "rhs_kinds": kinds })
                })
                .collect();
            console.object(&json!({ "schema": 1, "families": families, "references": references }));
            Ok(Code::Done)
        }
    }
}

fn write(a: &DataMake, console: &Console) -> Result<Code, Failure> {
    if Reference::named(&a.name).is_ok() {
        return reference::run(a, console);
    }
    let family = Family::named(&a.name).map_err(|e| {
        let mut failure = Failure::from(e);
        failure.message +=
            &format!("; reference solutions are {}", REFERENCES.each_ref().map(|r| r.name).join(", "));
        failure
    })?;
    if let (None, Some(_)) | (Some(_), _) = (a.samples, a.set.first()) {
        return Err(Failure::usage(format!(
            "{} is a problem family, which has no --set and no --samples",
            a.name
        )));
    }
    let parameters = load::parameters(family, a.n.unwrap_or(32), &a.member)?;
    output::probe(&a.out)?;
    let system = make(&a.name, parameters, a.member.rhs_kind, &a.out)?;
    let (rows, entries) = (system.matrix.rows(), system.matrix.nonzeros());
    console.print(&format!("{}: {rows} unknowns, {entries} entries\n", a.out.display()));
    console.object(&json!({ "schema": 1, "file": a.out, "unknowns": rows, "nonzeros": entries, "meta": system.meta.into_iter().collect::<std::collections::BTreeMap<_, _>>() }));
    Ok(Code::Done)
}

/// Puts `schema` first.
fn with_schema(object: Value) -> Value {
    let mut out = serde_json::Map::new();
    out.insert("schema".into(), 1.into());
    if let Value::Object(fields) = object {
        out.extend(fields);
    }
    Value::Object(out)
}
