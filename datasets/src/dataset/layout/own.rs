//! Our own schema; see `docs/data-schema.md`.

use super::{Layout, Opened, Reader, precision, storage};
use crate::dataset::numbers::Stored;
use crate::dataset::{Axis, Coordinate, Field, Parameter, ParameterValue, Role, SCHEMA, VERSION};
use crate::foreign::{MemberKind, Source, Value};
use crate::{Error, Result};

pub(super) const LAYOUT: Layout = Layout {
    name: "resolvent",
    summary: "our own schema, docs/data-schema.md",
    reader: Reader::Hdf5 { recognises, open },
};

fn recognises(source: &Source) -> Result<bool> {
    Ok(source.attribute_names("")?.iter().any(|n| n == "schema")
        && source.text("", "schema")?.as_deref() == Some(SCHEMA))
}

fn open(source: &Source) -> Result<Opened> {
    if let Some(version) = source.integers("", "schema_version")?
        && version != [VERSION]
    {
        let mend = format!("this program reads version {VERSION}; use a newer one, or write the file again");
        let what = format!("the version is {version:?}");
        return Err(Error::malformed(source.path(), "attribute `schema_version`", what, mend));
    }
    let mut opened = Opened::of(source.path());
    if let Some(name) = source.text("", "name")? {
        opened.description.name = name;
    }
    let coordinates = coordinates(source)?;
    fields(source, &mut opened, coordinates)?;
    parameters(source, &mut opened)?;
    if has(source, "boundary_conditions")? {
        for name in source.attribute_names("boundary_conditions")? {
            let text = source.text("boundary_conditions", &name)?.unwrap_or_default();
            opened.description.boundary_conditions.push((name, text));
        }
    }
    provenance(source, &mut opened)?;
    Ok(opened)
}

fn has(source: &Source, group: &str) -> Result<bool> {
    Ok(source.find(group)? == Some(MemberKind::Group))
}

/// The names of the datasets of a group.
fn datasets(source: &Source, group: &str) -> Result<Vec<String>> {
    if !has(source, group)? {
        return Ok(Vec::new());
    }
    let members = source.members(group)?.into_iter();
    Ok(members.filter(|m| m.kind == MemberKind::Dataset).map(|m| m.name).collect())
}

/// Each with the axis it is a position along.
fn coordinates(source: &Source) -> Result<Vec<(String, Coordinate)>> {
    let mut found = Vec::new();
    for name in datasets(source, "coordinates")? {
        let path = format!("coordinates/{name}");
        let axis = source.text(&path, "axis")?.unwrap_or_else(|| name.clone());
        if let Some(coordinate) = super::coordinate(source, &path, &name)? {
            found.push((axis, coordinate));
        }
    }
    Ok(found)
}

fn fields(source: &Source, opened: &mut Opened, coordinates: Vec<(String, Coordinate)>) -> Result<()> {
    let mut axes: Vec<Axis> = Vec::new();
    let mut found = Vec::new();
    for name in datasets(source, "fields")? {
        let path = format!("fields/{name}");
        let Some(dataset) = source.dataset(&path)? else { continue };
        let text = source.text(&path, "axes")?.ok_or_else(|| {
            dataset.error("it has no attribute `axes`", "name its axes, such as `trajectory,t,x`")
        })?;
        let names: Vec<String> =
            text.split(',').map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).collect();
        if names.len() != dataset.shape().len() {
            let what = format!(
                "it has {} dimensions, its attribute `axes` names {}",
                dataset.shape().len(),
                names.len()
            );
            return Err(dataset.error(what, "name each of its dimensions"));
        }
        for (axis, len) in names.iter().zip(dataset.shape()) {
            match axes.iter().find(|a| a.name == *axis) {
                Some(a) if a.len != *len => {
                    let what = format!("it has {len} entries along `{axis}`, which has {}", a.len);
                    return Err(dataset.error(what, "give axes of different lengths different names"));
                }
                Some(_) => {}
                None => {
                    let of: Vec<Coordinate> =
                        coordinates.iter().filter(|(a, _)| a == axis).map(|(_, c)| c.clone()).collect();
                    if let Some(c) = of.iter().find(|c| c.values.len() != *len) {
                        let what = format!(
                            "it has {len} entries along `{axis}`, coordinate `{}` has {}",
                            c.name,
                            c.values.len()
                        );
                        return Err(dataset.error(what, "give each entry of the axis a coordinate"));
                    }
                    axes.push(Axis { name: axis.clone(), role: role(axis, &of), len: *len, coordinates: of });
                }
            }
        }
        found.push((name, dataset, names));
    }
    axes.sort_by(|a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
    opened.description.axes = axes;
    for (name, dataset, axes) in found {
        let field = Field { name, precision: precision(&dataset), axes, storage: storage(&dataset) };
        opened.push(field, Stored { dataset, dropped: Vec::new() });
    }
    Ok(())
}

fn role(axis: &str, coordinates: &[Coordinate]) -> Role {
    match axis {
        "trajectory" => Role::Trajectory,
        "t" => Role::Time,
        "point" => Role::Points,
        _ if axis.starts_with("component") => Role::Component,
        _ if coordinates.len() > 1 || coordinates.first().is_some_and(|c| c.name != axis) => Role::Points,
        _ => Role::Space,
    }
}

fn parameters(source: &Source, opened: &mut Opened) -> Result<()> {
    for name in datasets(source, "parameters")? {
        let Some(dataset) = source.dataset(&format!("parameters/{name}"))? else { continue };
        let values: Vec<f64> = dataset.read_all()?;
        let value = match (dataset.shape(), &values[..]) {
            ([], [v]) => ParameterValue::Global(*v),
            ([n], _) if *n == opened.description.trajectories() => ParameterValue::PerTrajectory(values),
            (shape, _) => {
                let what = format!("its shape is {shape:?}");
                return Err(dataset.error(what, "store one number, or one for each trajectory"));
            }
        };
        opened.description.parameters.push(Parameter { name, value });
    }
    Ok(())
}

fn provenance(source: &Source, opened: &mut Opened) -> Result<()> {
    if !has(source, "provenance")? {
        return Ok(());
    }
    let p = &mut opened.description.provenance;
    for name in source.attribute_names("provenance")? {
        let Some(attribute) = source.attribute("provenance", &name)? else { continue };
        match (name.as_str(), attribute.value) {
            ("command", Value::Texts(t)) => p.command = t.into_iter().next(),
            ("created_by", Value::Texts(t)) => p.created_by = t.into_iter().next(),
            ("checksum", Value::Texts(t)) => {
                p.checksum = t.first().and_then(|t| u64::from_str_radix(t, 16).ok());
            }
            ("seed", Value::Integers(v)) => p.seed = v.first().map(|v| *v as u64),
            ("accuracy", Value::Floats(v)) => p.accuracy = v.first().copied(),
            (_, Value::Texts(t)) => p.notes.push((name, t.join(", "))),
            _ => {}
        }
    }
    Ok(())
}
