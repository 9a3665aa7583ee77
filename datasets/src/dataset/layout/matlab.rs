//! Which variables of a MATLAB file are coordinates, and which fields vary along them.
//!
//! MATLAB's first axis is the fastest; here shapes are reversed, so that the last is: `usol` (256, 100) over x and t becomes
//! (t, x).

use super::Opened;
use crate::dataset::numbers::Numbers;
use crate::dataset::{Axis, Coordinate, Field, Parameter, Precision, Role, Storage};
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// A numeric array of a file.
pub(super) struct Variable {
    pub name: String,
    /// The last axis fastest.
    pub shape: Vec<usize>,
    pub precision: Precision,
    pub storage: Storage,
    pub numbers: Arc<dyn Numbers>,
}

impl Variable {
    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    fn is_vector(&self) -> bool {
        self.len() > 1 && self.shape.iter().filter(|n| **n != 1).count() == 1
    }

    fn all(&self) -> Result<Vec<f64>> {
        let mut values = crate::error::allocate("a coordinate", self.len(), 0.0)?;
        let region: Vec<_> = self.shape.iter().map(|n| 0..*n).collect();
        self.numbers.read(&region, crate::dataset::ValuesMut::F64(&mut values))?;
        Ok(values)
    }
}

/// `t`, `tt`, `T`, `t_star` and the like are `t`; the same for x, y, z.
fn direction(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let stem = name.strip_suffix("_star").unwrap_or(&name);
    ["t", "x", "y", "z"]
        .into_iter()
        .find(|d| stem == *d || stem == format!("{d}{d}"))
        .or((stem == "time").then_some("t"))
}

pub(super) fn assemble(path: &Path, variables: Vec<Variable>) -> Result<Opened> {
    let mut opened = Opened::of(path);
    let axes = &mut opened.description.axes;
    let (coordinates, rest): (Vec<_>, Vec<_>) =
        variables.into_iter().partition(|v| v.is_vector() && direction(&v.name).is_some());
    for v in &coordinates {
        let values = v.all()?;
        match direction(&v.name) {
            Some("t") => axes.push(Axis::time(&values)),
            Some(d) => axes.push(Axis::space(d, &values)),
            None => {}
        }
    }
    // An array of positions: one row for each direction of space.
    let (clouds, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|v| {
        direction(&v.name) == Some("x") && v.shape.len() == 2 && (2..=3).contains(&v.shape[0])
    });
    if let [cloud] = &clouds[..] {
        let (values, n) = (cloud.all()?, cloud.shape[1]);
        let rows = ["x", "y", "z"].iter().zip(values.chunks(n.max(1)));
        let coordinates =
            rows.map(|(name, v)| Coordinate { name: (*name).into(), values: v.into() }).collect();
        axes.push(Axis { coordinates, ..Axis::points(n, &[]) });
    }
    axes.sort_by(|a, b| (a.role, &a.name).cmp(&(b.role, &b.name)));
    for v in rest {
        if v.len() == 1 {
            opened.description.parameters.push(Parameter::global(&v.name, v.all()?[0]));
            continue;
        }
        let mut shape = v.shape.clone();
        let mut names = Vec::new();
        for n in &shape {
            names.push(match_axis(&mut opened.description.axes, &names, *n));
        }
        if shape.is_empty() {
            shape.push(1);
        }
        opened.description.fields.push(Field {
            name: v.name,
            precision: v.precision,
            axes: names,
            storage: v.storage,
        });
        opened.numbers.push(v.numbers);
    }
    if opened.numbers.is_empty() {
        let mend = "store an array over `x` and `t`, as `usol`";
        return Err(Error::malformed(path, "the variables", "there is no array among them", mend));
    }
    Ok(opened)
}

/// The axis of this length that is not used yet: time first, then space from z to x, as MATLAB's x is the fastest.
fn match_axis(axes: &mut Vec<Axis>, used: &[String], n: usize) -> String {
    let free = |a: &&Axis| a.len == n && !used.contains(&a.name);
    let time = axes.iter().filter(free).find(|a| a.role == Role::Time);
    if let Some(a) = time.or_else(|| axes.iter().rev().find(free)) {
        return a.name.clone();
    }
    let role = if n <= 3 { Role::Component } else { Role::Space };
    let stem = if role == Role::Component { "component" } else { "axis" };
    let name =
        (1..).map(|i| format!("{stem}{i}")).find(|n| !axes.iter().any(|a| a.name == *n)).unwrap_or_default();
    axes.push(Axis { name: name.clone(), role, len: n, coordinates: Vec::new() });
    name
}
