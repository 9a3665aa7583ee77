//! `data`: systems, sets and fields in files.

use crate::arguments::{DataConvert, DataMake, DataWhat};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::{interrupt, load, reference, set};
use resolvent_benches::plot::Heat;
use resolvent_datasets::dataset::{Conversion, Dataset};
use resolvent_datasets::reference::{REFERENCES, Reference};
use resolvent_datasets::{
    Error, FAMILIES, Family, Format, MAKERS, Maker, Severity, check, contents, inspect, make, output,
};
use serde_json::{Value, json};
use std::path::Path;

/// Makes, shows or checks.
pub fn run(what: &DataWhat, console: &Console) -> Result<Code, Failure> {
    match what {
        DataWhat::Make(a) => write(a, console),
        DataWhat::Inspect(a) => {
            let summary = contents(&a.file)?;
            if let Some(plot) = &a.plot {
                draw(&a.file, plot)?;
            }
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
                text.push_str(&format!("{}\n", inspect::Kind::of(&a.file)?.sound()));
            }
            console.print(&text);
            console.object(&json!({ "schema": 1, "ok": problems == 0, "findings": findings }));
            Ok(if problems == 0 { Code::Done } else { Code::Input })
        }
        DataWhat::Convert(a) => convert(a, console),
        DataWhat::List => {
            let lines = FAMILIES.iter().map(|f| format!("{:<9} {}\n", f.name, f.summary));
            let ((references, of_references), (sets, of_sets)) = (reference::list(), set::list());
            console.print(&format!(
                "problem families\n{}\nreference solutions\n{references}\nsets\n{sets}",
                lines.collect::<String>()
            ));
            let families: Vec<Value> = FAMILIES
                .iter()
                .map(|f| {
                    let kinds: Vec<_> = f.rhs.iter().map(|k| k.name()).collect();
                    json!({ "name": f.name, "summary": f.summary, "dims": f.dims, "moves": f.moves, "rhs_kinds": kinds })
                })
                .collect();
            console.object(
                &json!({ "schema": 1, "families": families, "references": of_references, "sets": of_sets }),
            );
            Ok(Code::Done)
        }
    }
}

fn write(a: &DataMake, console: &Console) -> Result<Code, Failure> {
    if Reference::named(&a.name).is_ok() {
        return reference::run(a, console);
    }
    if let Ok(maker) = Maker::named(&a.name) {
        return set::run(maker, a, console);
    }
    let family = Family::named(&a.name).map_err(|_| {
        let all = FAMILIES.iter().map(|f| f.name);
        let all = all.chain(REFERENCES.iter().map(|r| r.name)).chain(MAKERS.iter().map(|m| m.name));
        Error::unknown("problem family, reference solution or set", &a.name, &all.collect::<Vec<_>>())
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

fn convert(a: &DataConvert, console: &Console) -> Result<Code, Failure> {
    let conversion = Conversion { axes: a.axes.clone(), ranges: a.ranges.clone(), gzip: a.gzip };
    let dataset = Dataset::open(&a.input)?.name(&conversion)?;
    output::probe(&a.out)?;
    if Format::of(&a.out)? == Format::Vtk {
        dataset.export_vtk(&a.out, a.trajectory, a.time)?;
        console.print(&format!("{}: written\n", a.out.display()));
        console.object(&json!({ "schema": 1, "file": a.out }));
        return Ok(Code::Done);
    }
    if Format::of(&a.out)? != Format::Hdf5 {
        return Err(Failure::usage(format!("{}: data go to .h5 or .vti", a.out.display())));
    }
    interrupt::listen();
    let bar = console.progress("{bar:40} {percent}% {eta}", Some(1));
    let sum = dataset.convert(&a.out, &conversion, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        !interrupt::asked()
    })?;
    bar.finish_and_clear();
    let Some(sum) = sum else { return Ok(Code::Interrupted) };
    console.print(&format!("{}: checksum {sum:016x}\n", a.out.display()));
    console.object(&json!({ "schema": 1, "file": a.out, "checksum": format!("{sum:016x}") }));
    Ok(Code::Done)
}

fn draw(file: &Path, plot: &Path) -> Result<(), Failure> {
    let plane = Dataset::open(file)?.plane()?;
    let axes = [plane.axes[0].as_str(), plane.axes[1].as_str()];
    let heat = Heat { title: &plane.title, axes, width: plane.width, values: &plane.values };
    match plot.extension().and_then(|e| e.to_str()) {
        Some("svg") => Ok(output::text(plot, &heat.svg())?),
        Some("png") => Ok(output::bytes(plot, &heat.png().map_err(Failure::resource)?)?),
        _ => Err(Failure::usage(format!("{}: a picture is .svg or .png", plot.display()))),
    }
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
