//! The Well: fields of tensor order 0, 1 and 2 in `t0_fields`, `t1_fields`, `t2_fields`; axes along which a field does not vary
//! are absent. Scalars become parameters, or fields when they vary in time.
//!
//! # Reference
//! R. Ohana, M. McCabe, L. Meyer et al., "The Well: a large-scale collection of diverse physics simulations for machine
//! learning", NeurIPS 2024, arXiv:2412.00568.

use super::{Layout, Opened, Reader, coordinate, expect};
use crate::dataset::{Axis, Parameter, ParameterValue, Role};
use crate::foreign::{Attribute, MemberKind, Source, Value};
use crate::{Error, Result};

pub(super) const LAYOUT: Layout =
    Layout { name: "the_well", summary: "The Well", reader: Reader::Hdf5 { recognises, open } };

fn recognises(source: &Source) -> Result<bool> {
    let members = source.members("")?;
    Ok(["dimensions", "t0_fields"].iter().all(|g| members.iter().any(|m| m.name == *g)))
}

fn open(source: &Source) -> Result<Opened> {
    let mut opened = Opened::of(source.path());
    if let Some(name) = source.text("", "dataset_name")? {
        opened.description.name = name;
    }
    let n = source.integers("", "n_trajectories")?.and_then(|n| usize::try_from(*n.first()?).ok());
    let trajectories = n.ok_or_else(|| {
        let mend = "store the number of trajectories as an integer";
        Error::malformed(source.path(), "attribute `n_trajectories`", "there is no such number", mend)
    })?;
    opened.description.axes.push(Axis::trajectory(trajectories));
    let spatial = texts(source, "dimensions", "spatial_dims")?;
    for (name, axis) in std::iter::once(("time", "t")).chain(spatial.iter().map(|s| (s.as_str(), s.as_str())))
    {
        let path = format!("dimensions/{name}");
        let varies = flag(source, &path, "sample_varying")? || flag(source, &path, "time_varying")?;
        let axis = if varies {
            // Positions of their own for each trajectory or time: only how many there are is known.
            let Some(dataset) = source.dataset(&path)? else { continue };
            opened.remarks.push(format!("`{path}` varies between trajectories or times and is left out"));
            let role = if name == "time" { Role::Time } else { Role::Space };
            Axis {
                name: axis.into(),
                role,
                len: dataset.shape().last().copied().unwrap_or(1),
                coordinates: Vec::new(),
            }
        } else {
            let found = coordinate(source, &path, axis)?.ok_or_else(|| {
                Error::malformed(
                    source.path(),
                    format!("`{path}`"),
                    "there is no such dataset",
                    "store the positions along each axis",
                )
            })?;
            if name == "time" { Axis::time(&found.values) } else { Axis::space(axis, &found.values) }
        };
        opened.description.axes.push(axis);
    }
    for order in 0..3 {
        fields(source, &mut opened, &spatial, order)?;
    }
    scalars(source, &mut opened)?;
    for name in texts(source, "", "simulation_parameters")? {
        if !opened.description.parameters.iter().any(|p| p.name == name)
            && let Some(attribute) = source.attribute("", &name)?
        {
            opened.push_attribute(&name, attribute);
        }
    }
    if let Some(grid) = source.text("", "grid_type")? {
        opened.description.provenance.notes.push(("grid_type".into(), grid));
    }
    boundary_conditions(source, &mut opened)?;
    Ok(opened)
}

fn fields(source: &Source, opened: &mut Opened, spatial: &[String], order: usize) -> Result<()> {
    let group = format!("t{order}_fields");
    if source.find(&group)? != Some(MemberKind::Group) {
        return Ok(());
    }
    for name in texts(source, &group, "field_names")? {
        let path = format!("{group}/{name}");
        let dataset = source.dataset(&path)?.ok_or_else(|| {
            let mend = "take its name out of `field_names`, or store it";
            Error::malformed(source.path(), format!("dataset `{path}`"), "there is no such dataset", mend)
        })?;
        let varies = match source.attribute(&path, "dim_varying")? {
            Some(Attribute { value: Value::Booleans(v), .. }) if v.len() == spatial.len() => v,
            Some(Attribute { value: Value::Integers(v), .. }) if v.len() == spatial.len() => {
                v.iter().map(|v| *v != 0).collect()
            }
            None => vec![true; spatial.len()],
            Some(_) => {
                return Err(dataset.error(
                    "its attribute `dim_varying` does not fit the axes",
                    "store a truth value for each axis",
                ));
            }
        };
        let mut axes = common_axes(source, &path)?;
        axes.extend(spatial.iter().zip(varies).filter(|(_, v)| *v).map(|(s, _)| s.clone()));
        let d = &opened.description;
        let mut lens: Vec<usize> = axes.iter().filter_map(|a| d.axis(a)).map(|a| a.len).collect();
        let components: Vec<usize> = dataset.shape().iter().skip(lens.len()).copied().collect();
        if components.len() == order {
            for n in components {
                lens.push(n);
                axes.push(component(opened, n));
            }
        }
        expect(
            &dataset,
            &lens,
            "the axes along which its attributes say that it varies, and its components",
        )?;
        opened.push_stored(&name, dataset, axes, Vec::new());
    }
    Ok(())
}

/// An axis of so many components.
fn component(opened: &mut Opened, n: usize) -> String {
    let axes = &mut opened.description.axes;
    if let Some(a) = axes.iter().find(|a| a.role == Role::Component && a.len == n) {
        return a.name.clone();
    }
    let first = !axes.iter().any(|a| a.role == Role::Component);
    let name = if first { "component".to_owned() } else { format!("component{n}") };
    axes.push(Axis { name: name.clone(), ..Axis::component(n) });
    name
}

/// The trajectory and time, where it varies along them.
fn common_axes(source: &Source, path: &str) -> Result<Vec<String>> {
    let mut axes = Vec::new();
    for (attribute, axis) in [("sample_varying", "trajectory"), ("time_varying", "t")] {
        if flag(source, path, attribute)? {
            axes.push(axis.to_owned());
        }
    }
    Ok(axes)
}

fn scalars(source: &Source, opened: &mut Opened) -> Result<()> {
    if source.find("scalars")? != Some(MemberKind::Group) {
        return Ok(());
    }
    for name in texts(source, "scalars", "field_names")? {
        let path = format!("scalars/{name}");
        let Some(dataset) = source.dataset(&path)? else { continue };
        let axes = common_axes(source, &path)?;
        let d = &opened.description;
        let lens: Vec<usize> = axes.iter().filter_map(|a| d.axis(a)).map(|a| a.len).collect();
        expect(&dataset, &lens, "the axes along which its attributes say that it varies")?;
        if axes.iter().any(|a| a == "t") {
            opened.push_stored(&name, dataset, axes, Vec::new());
        } else {
            let values: Vec<f64> = dataset.read_all()?;
            let value = if axes.is_empty() {
                ParameterValue::Global(values[0])
            } else {
                ParameterValue::PerTrajectory(values)
            };
            opened.description.parameters.push(Parameter { name, value });
        }
    }
    Ok(())
}

fn boundary_conditions(source: &Source, opened: &mut Opened) -> Result<()> {
    if source.find("boundary_conditions")? != Some(MemberKind::Group) {
        return Ok(());
    }
    for member in source.members("boundary_conditions")? {
        let path = format!("boundary_conditions/{}", member.name);
        let kind = source.text(&path, "bc_type")?.unwrap_or_else(|| "unknown".into()).to_lowercase();
        let dims = texts(source, &path, "associated_dims").unwrap_or_default().join(", ");
        let text = if dims.is_empty() { kind } else { format!("{kind} along {dims}") };
        opened.description.boundary_conditions.push((member.name, text));
    }
    Ok(())
}

/// A list of texts, or one; none when the attribute is absent or an empty list.
fn texts(source: &Source, object: &str, name: &str) -> Result<Vec<String>> {
    match source.attribute(object, name)?.map(|a| a.value) {
        Some(Value::Texts(texts)) => Ok(texts),
        _ => Ok(Vec::new()),
    }
}

/// Whether an attribute is there and true.
fn flag(source: &Source, object: &str, name: &str) -> Result<bool> {
    Ok(match source.attribute(object, name)?.map(|a| a.value) {
        Some(Value::Booleans(v)) => v.first().copied().unwrap_or(false),
        Some(Value::Integers(v)) => v.first().is_some_and(|v| *v != 0),
        _ => false,
    })
}
