//! What a dataset holds, without its numbers.

use crate::{Error, Result};
use serde::Serialize;
use std::ops::Range;

/// What a dataset holds: axes with their coordinates, fields over them, parameters, and where all of it comes from.
///
/// ```
/// use resolvent_datasets::dataset::{Axis, Description, Field, Precision};
/// let t = Axis::time(&[0.0, 0.5, 1.0]);
/// let x = Axis::space("x", &[0.0, 0.25, 0.5, 0.75]);
/// let description = Description {
///     axes: vec![Axis::trajectory(10), t, x],
///     fields: vec![Field::new("u", Precision::F32, &["trajectory", "t", "x"])],
///     ..Description::new("burgers")
/// };
/// assert_eq!(description.shape(&description.fields[0])?, [10, 3, 4]);
/// # Ok::<(), resolvent_datasets::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// What it is called.
    pub name: String,
    /// The axes that fields vary along.
    pub axes: Vec<Axis>,
    /// The fields.
    pub fields: Vec<Field>,
    /// Numbers that an equation is given: viscosities, speeds.
    pub parameters: Vec<Parameter>,
    /// Where, and what holds there: `("x", "periodic")`.
    pub boundary_conditions: Vec<(String, String)>,
    /// Where it comes from.
    pub provenance: Provenance,
}

/// What an axis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Independent solutions; no coordinates.
    Trajectory,
    /// Time; one coordinate.
    Time,
    /// One direction of a grid; one coordinate.
    Space,
    /// The points of a cloud; a coordinate for each direction of space.
    Points,
    /// The components of a vector or tensor; no coordinates.
    Component,
}

/// An axis of an array.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// `trajectory`, `t`, `x`, `y`, `z`, `point`, `component`, or another.
    pub name: String,
    /// What it counts.
    pub role: Role,
    /// How many entries it has.
    pub len: usize,
    /// Where they are.
    pub coordinates: Vec<Coordinate>,
}

/// Positions along an axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coordinate {
    /// `t`, `x`, `y`, `z`, or another.
    pub name: String,
    /// `[len]` of the axis.
    #[serde(skip)]
    pub values: Vec<f64>,
}

/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
}

/// An array of numbers over some of the axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Field {
    /// What it is called.
    pub name: String,
    /// How its numbers are stored.
    pub precision: Precision,
    /// Names of the axes it varies along, the last fastest. Components come last.
    pub axes: Vec<String>,
    /// How it lies in the file.
    pub storage: Storage,
}

/// How a field lies in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Storage {
    /// Shape of the pieces that are packed and moved as a whole; absent: contiguous, or chosen when compressed.
    pub chunk: Option<Vec<usize>>,
    /// Deflate with this level, 1 to 9.
    pub gzip: Option<u8>,
    /// Bytes are sorted by their significance before they are compressed, which makes floats smaller.
    pub shuffle: bool,
}

/// A number that the equation is given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// What it is called.
    pub name: String,
    /// One number, or one for each trajectory.
    pub value: ParameterValue,
}

/// The value of a [`Parameter`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParameterValue {
    /// The same for all.
    Global(f64),
    /// `[trajectories]`.
    PerTrajectory(Vec<f64>),
}

/// Where a dataset comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Provenance {
    /// The command that made it.
    pub command: Option<String>,
    /// The seed of its random numbers.
    pub seed: Option<u64>,
    /// Stated relative L2 error of its fields.
    pub accuracy: Option<f64>,
    /// The program and its version.
    pub created_by: Option<String>,
    /// The checksum of everything in it; a [`Writer`](super::Writer) computes it.
    pub checksum: Option<u64>,
    /// Anything else worth knowing: names and texts.
    pub notes: Vec<(String, String)>,
}

impl Axis {
    /// Independent solutions.
    pub fn trajectory(len: usize) -> Self {
        Self { name: "trajectory".into(), role: Role::Trajectory, len, coordinates: Vec::new() }
    }

    /// Time.
    pub fn time(values: &[f64]) -> Self {
        Self { role: Role::Time, ..Self::space("t", values) }
    }

    /// One direction of a grid.
    pub fn space(name: &str, values: &[f64]) -> Self {
        let coordinates = vec![Coordinate { name: name.into(), values: values.into() }];
        Self { name: name.into(), role: Role::Space, len: values.len(), coordinates }
    }

    /// A cloud of points; each coordinate is `[points]`.
    pub fn points(len: usize, coordinates: &[(&str, &[f64])]) -> Self {
        let coordinates =
            coordinates.iter().map(|(n, v)| Coordinate { name: (*n).into(), values: v.to_vec() }).collect();
        Self { name: "point".into(), role: Role::Points, len, coordinates }
    }

    /// Components of a vector or tensor.
    pub fn component(len: usize) -> Self {
        Self { name: "component".into(), role: Role::Component, len, coordinates: Vec::new() }
    }
}

impl Precision {
    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

impl Field {
    /// A field that lies contiguously.
    pub fn new(name: &str, precision: Precision, axes: &[&str]) -> Self {
        let axes = axes.iter().map(|a| (*a).into()).collect();
        Self { name: name.into(), precision, axes, storage: Storage::default() }
    }

    /// Packed with deflate and shuffle, in chunks of about a megabyte.
    #[must_use]
    pub fn gzip(mut self, level: u8) -> Self {
        self.storage = Storage { gzip: Some(level), shuffle: true, ..self.storage };
        self
    }

    /// In chunks of this shape.
    #[must_use]
    pub fn chunk(mut self, shape: &[usize]) -> Self {
        self.storage.chunk = Some(shape.into());
        self
    }
}

impl Parameter {
    /// The same number for all.
    pub fn global(name: &str, value: f64) -> Self {
        Self { name: name.into(), value: ParameterValue::Global(value) }
    }

    /// One number for each trajectory.
    pub fn per_trajectory(name: &str, values: Vec<f64>) -> Self {
        Self { name: name.into(), value: ParameterValue::PerTrajectory(values) }
    }
}

impl Description {
    /// Of a dataset that holds nothing yet, made by this program.
    pub fn new(name: &str) -> Self {
        let created_by = Some(concat!("resolvent ", env!("CARGO_PKG_VERSION")).into());
        Self {
            name: name.into(),
            axes: Vec::new(),
            fields: Vec::new(),
            parameters: Vec::new(),
            boundary_conditions: Vec::new(),
            provenance: Provenance { created_by, ..Provenance::default() },
        }
    }

    /// An axis by its name.
    pub fn axis(&self, name: &str) -> Option<&Axis> {
        self.axes.iter().find(|a| a.name == name)
    }

    /// The axis of a role, if there is one.
    pub fn axis_of(&self, role: Role) -> Option<&Axis> {
        self.axes.iter().find(|a| a.role == role)
    }

    /// A field by its name.
    ///
    /// # Errors
    /// [`Error::NoField`].
    pub fn field(&self, name: &str) -> Result<&Field> {
        self.fields.iter().find(|f| f.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.fields.iter().map(|f| f.name.as_str()).collect();
            Error::NoField { name: name.into(), known: names.join(", ") }
        })
    }

    /// The shape of a field.
    ///
    /// # Errors
    /// [`Error::Description`] when it names an axis that is not there.
    pub fn shape(&self, field: &Field) -> Result<Vec<usize>> {
        Ok(self.field_axes(field)?.into_iter().map(|a| a.len).collect())
    }

    /// The axes of a field, in its order.
    ///
    /// # Errors
    /// [`Error::Description`] when it names an axis that is not there.
    pub fn field_axes(&self, field: &Field) -> Result<Vec<&Axis>> {
        let missing = |name: &str| Error::Description {
            what: format!("field `{}` varies along `{name}`, which is no axis", field.name),
            mend: "add the axis, or take its name out of the field's axes",
        };
        field.axes.iter().map(|name| self.axis(name).ok_or_else(|| missing(name))).collect()
    }

    /// Refuses a region that has another number of ranges than the field has axes, or reaches beyond them; returns how
    /// many numbers it has.
    ///
    /// # Errors
    /// [`Error::Region`].
    pub fn check_region(&self, field: &Field, region: &[Range<usize>]) -> Result<usize> {
        let shape = self.shape(field)?;
        let inside = region.len() == shape.len()
            && region.iter().zip(&shape).all(|(r, n)| r.start <= r.end && r.end <= *n);
        if !inside {
            return Err(Error::Region { field: field.name.clone(), region: region.to_vec(), shape });
        }
        Ok(region.iter().map(ExactSizeIterator::len).product())
    }

    /// How many trajectories there are.
    pub fn trajectories(&self) -> usize {
        self.axis_of(Role::Trajectory).map_or(1, |a| a.len)
    }

    /// Refuses a description that contradicts itself.
    ///
    /// # Errors
    /// [`Error::Description`].
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String, mend| Err(Error::Description { what, mend });
        let mut names: Vec<&str> = Vec::new();
        let named = ["axis", "coordinate", "field", "parameter"];
        let coordinates = || self.axes.iter().flat_map(|a| &a.coordinates);
        for (kind, found) in named.into_iter().zip([
            self.axes.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(),
            coordinates().map(|c| c.name.as_str()).collect(),
            self.fields.iter().map(|f| f.name.as_str()).collect(),
            self.parameters.iter().map(|p| p.name.as_str()).collect(),
        ]) {
            names.clear();
            for name in found {
                if name.is_empty() || name == "." || name.contains(['/', '\0']) {
                    return refuse(format!("`{name}` is no name for a {kind}"), "use letters and digits");
                }
                if names.contains(&name) {
                    return refuse(format!("there are two of the {kind} `{name}`"), "rename one");
                }
                names.push(name);
            }
        }
        for axis in &self.axes {
            if let Some(c) = axis.coordinates.iter().find(|c| c.values.len() != axis.len) {
                let (got, len) = (c.values.len(), axis.len);
                let what =
                    format!("coordinate `{}` has {got} entries, its axis `{}` {len}", c.name, axis.name);
                return refuse(what, "give each entry of the axis a coordinate");
            }
            let fits = match axis.role {
                Role::Trajectory | Role::Component => axis.coordinates.is_empty(),
                Role::Time | Role::Space => axis.coordinates.len() <= 1,
                Role::Points => true,
            };
            if !fits {
                let what = format!("axis `{}` has {} coordinates", axis.name, axis.coordinates.len());
                return refuse(what, "a grid's axis has one, points have several, others none");
            }
        }
        for field in &self.fields {
            let shape = self.shape(field)?;
            if let Some(chunk) = &field.storage.chunk
                && (chunk.len() != shape.len() || chunk.contains(&0))
            {
                let what = format!("field `{}` of shape {shape:?} has chunks of {chunk:?}", field.name);
                return refuse(what, "give a chunk as many sides as the field has axes, none of them 0");
            }
        }
        for p in &self.parameters {
            if let ParameterValue::PerTrajectory(v) = &p.value
                && v.len() != self.trajectories()
            {
                let what = format!(
                    "parameter `{}` has {} values for {} trajectories",
                    p.name,
                    v.len(),
                    self.trajectories()
                );
                return refuse(what, "give one number, or one for each trajectory");
            }
        }
        Ok(())
    }
}
