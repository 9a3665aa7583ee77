//! `data`: systems, sets and fields in files.

use crate::arguments::{DataConvert, DataMake, DataWhat};
use crate::console::Console;
use crate::failure::{Code, Failure};
use crate::{interrupt, load};
use resolvent_benches::plot::Heat;
use resolvent_datasets::dataset::{Conversion, Dataset};
use resolvent_datasets::{
    Error, FAMILIES, Family, Format, MAKERS, Maker, Outcome, Recipe, Severity, check, contents, inspect,
    make, output,
};
use serde_json::{Value, json};
use std::ops::ControlFlow;
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
            console.print(&lines.collect::<String>());
            for maker in &MAKERS {
                console.print(&format!("{:<16} {}\n", maker.name, maker.summary));
                for s in maker.settings {
                    console.print(&format!("    --set {}={}  {}\n", s.name, s.default, s.what));
                }
            }
            let families: Vec<Value> = FAMILIES
                .iter()
                .map(|f| {
                    let kinds: Vec<_> = f.rhs.iter().map(|k| k.name()).collect();
                    json!({ "name": f.name, "summary": f.summary, "dims": f.dims, "moves": f.moves, "rhs_kinds": kinds })
                })
                .collect();
            let sets = MAKERS.iter().map(|m| {
                let samples = m.samples.map(|(n, _)| n);
                json!({ "name": m.name, "summary": m.summary, "samples": samples, "settings": m.settings })
            });
            console.object(&json!({ "schema": 1, "families": families, "sets": sets.collect::<Vec<_>>() }));
            Ok(Code::Done)
        }
    }
}

fn write(a: &DataMake, console: &Console) -> Result<Code, Failure> {
    if let Ok(maker) = Maker::named(&a.name) {
        return make_set(maker, a, console);
    }
    let family = Family::named(&a.name).map_err(|e| known(e, &a.name))?;
    if a.samples.is_some() || !a.settings.is_empty() {
        return Err(Failure::usage(format!(
            "{} is one system: it has no `--samples` and no `--set`",
            a.name
        )));
    }
    let parameters = load::parameters(family, a.n, &a.member)?;
    output::probe(&a.out)?;
    let system = make(&a.name, parameters, a.member.rhs_kind, &a.out)?;
    let (rows, entries) = (system.matrix.rows(), system.matrix.nonzeros());
    console.print(&format!("{}: {rows} unknowns, {entries} entries\n", a.out.display()));
    console.object(&json!({ "schema": 1, "file": a.out, "unknowns": rows, "nonzeros": entries, "meta": system.meta.into_iter().collect::<std::collections::BTreeMap<_, _>>() }));
    Ok(Code::Done)
}

/// Neither a family nor a set: the nearer of both is named, and all are.
fn known(family: Error, name: &str) -> Failure {
    match Maker::named(name) {
        Err(set) => Failure::usage(format!("{family}; as a set: {set}")),
        Ok(_) => family.into(),
    }
}

fn make_set(maker: &'static Maker, a: &DataMake, console: &Console) -> Result<Code, Failure> {
    let m = &a.member;
    if m.dim.is_some() || m.frame != 0 || m.rhs_kind.is_some() || a.n != 32 {
        return Err(Failure::usage(format!(
            "{} is a set: it has `--seed`, `--samples` and `--set KEY=VALUE` alone, as `data list` shows",
            maker.name
        )));
    }
    if !matches!(Format::of(&a.out)?, Format::Hdf5) {
        return Err(Error::Format { path: a.out.clone(), known: ".h5, .hdf5" }.into());
    }
    let settings: Vec<(&str, &str)> = a.settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
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
