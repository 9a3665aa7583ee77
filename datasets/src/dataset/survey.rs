//! What a dataset holds, in one screen.

use super::tiles::tiles;
use super::{Dataset, Description, Field, ParameterValue, Precision, Provenance, Role, checksum};
use crate::{Finding, Result, Severity};
use serde::Serialize;
use std::fmt;
use std::ops::Range;

/// Of a larger field, pieces of so many numbers in all are looked at.
const LOOK: usize = 32 << 20;

/// What a file of data holds. Displayed, it is one screen; serialised, an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Survey {
    /// The name of its layout.
    pub layout: &'static str,
    /// What it is called.
    pub name: String,
    /// In bytes.
    pub file_size: u64,
    /// The axes.
    pub axes: Vec<AxisSurvey>,
    /// The fields.
    pub fields: Vec<FieldSurvey>,
    /// Names and values; of several, the smallest and the largest.
    pub parameters: Vec<(String, [f64; 2])>,
    /// Where, and what holds there.
    pub boundary_conditions: Vec<(String, String)>,
    /// Where it comes from.
    pub provenance: Provenance,
    /// What a reader should know of how the file was understood.
    pub remarks: Vec<String>,
}

/// An axis in a [`Survey`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisSurvey {
    /// What it is called.
    pub name: String,
    /// What it counts.
    pub role: Role,
    /// How many entries it has.
    pub len: usize,
    /// Each coordinate, its smallest and its largest value.
    pub coordinates: Vec<(String, [f64; 2])>,
}

/// A field in a [`Survey`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldSurvey {
    /// What it is called.
    pub name: String,
    /// Its axes.
    pub axes: Vec<String>,
    /// Its sides.
    pub shape: Vec<usize>,
    /// How its numbers are stored.
    pub precision: Precision,
    /// Shape of its chunks.
    pub chunk: Option<Vec<usize>>,
    /// The smallest and the largest finite value among those looked at.
    pub range: Option<[f64; 2]>,
    /// How many values were looked at.
    pub looked_at: u64,
    /// How many of those are not finite.
    pub not_finite: u64,
}

/// Smallest and largest of finite values, and how many are not.
#[derive(Clone, Copy)]
struct Extent {
    low: f64,
    high: f64,
    looked_at: u64,
    not_finite: u64,
    /// Terms of the checksum.
    sum: u64,
}

impl Extent {
    const NONE: Self =
        Self { low: f64::INFINITY, high: f64::NEG_INFINITY, looked_at: 0, not_finite: 0, sum: 0 };

    fn of(values: &[f64]) -> [f64; 2] {
        let mut extent = Self::NONE;
        extent.take(values.iter().copied());
        [extent.low, extent.high]
    }

    fn take(&mut self, values: impl Iterator<Item = f64>) {
        for v in values {
            self.looked_at += 1;
            if v.is_finite() {
                self.low = self.low.min(v);
                self.high = self.high.max(v);
            } else {
                self.not_finite += 1;
            }
        }
    }
}

impl Dataset {
    /// Looks at the file: ranges come from all values of a field, or from 2²⁵ of a larger one.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn survey(&self) -> Result<Survey> {
        let d = self.description();
        let file_size = std::fs::metadata(self.path()).map_err(|e| crate::Error::open(self.path(), e))?.len();
        let mut fields = Vec::new();
        for f in &d.fields {
            let extent = self.scan(f, LOOK)?;
            fields.push(FieldSurvey {
                name: f.name.clone(),
                axes: f.axes.clone(),
                shape: d.shape(f)?,
                precision: f.precision,
                chunk: f.storage.chunk.clone(),
                range: (extent.low <= extent.high).then_some([extent.low, extent.high]),
                looked_at: extent.looked_at,
                not_finite: extent.not_finite,
            });
        }
        let axes = d.axes.iter().map(|a| AxisSurvey {
            name: a.name.clone(),
            role: a.role,
            len: a.len,
            coordinates: a.coordinates.iter().map(|c| (c.name.clone(), Extent::of(&c.values))).collect(),
        });
        let parameters = d.parameters.iter().map(|p| {
            let range = match &p.value {
                ParameterValue::Global(v) => [*v, *v],
                ParameterValue::PerTrajectory(v) => Extent::of(v),
            };
            (p.name.clone(), range)
        });
        Ok(Survey {
            layout: self.layout(),
            name: d.name.clone(),
            file_size,
            axes: axes.collect(),
            fields,
            parameters: parameters.collect(),
            boundary_conditions: d.boundary_conditions.clone(),
            provenance: d.provenance.clone(),
            remarks: self.remarks().to_vec(),
        })
    }

    /// Reads a field piece by piece, evenly spaced pieces of about `most` numbers in all.
    fn scan(&self, field: &Field, most: usize) -> Result<Extent> {
        let shape = self.description().shape(field)?;
        let whole: Vec<Range<usize>> = shape.iter().map(|n| 0..*n).collect();
        let pieces = tiles(&whole, field.storage.chunk.as_deref());
        let size = shape.iter().product::<usize>();
        let every = size.div_ceil(most.max(1)).max(1);
        let mut extent = Extent::NONE;
        for piece in pieces.iter().step_by(every) {
            match field.precision {
                Precision::F32 => {
                    let values = self.read::<f32>(&field.name, piece)?;
                    extent.take(values.iter().map(|v| f64::from(*v)));
                    extent.sum = extent.sum.wrapping_add(checksum::of_region(&shape, piece, &values));
                }
                Precision::F64 => {
                    let values = self.read::<f64>(&field.name, piece)?;
                    extent.take(values.iter().copied());
                    extent.sum = extent.sum.wrapping_add(checksum::of_region(&shape, piece, &values));
                }
            }
        }
        Ok(extent)
    }

    /// What stands in the way of training on it: nothing found is an empty list. Every number is read.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn check(&self) -> Result<Vec<Finding>> {
        let d = self.description();
        let mut found = coordinates(d);
        let mut say = |severity, text| found.push(Finding { severity, text });
        if d.fields.is_empty() {
            say(Severity::Problem, "there is no field".into());
        }
        let mut sums = Vec::new();
        for f in &d.fields {
            let extent = self.scan(f, usize::MAX)?;
            if extent.not_finite > 0 {
                let text = format!(
                    "{} of {} values of field `{}` are not finite: replace them, or cut them off",
                    extent.not_finite, extent.looked_at, f.name
                );
                say(Severity::Problem, text);
            } else if extent.looked_at == 0 {
                say(Severity::Problem, format!("field `{}` is empty", f.name));
            } else if extent.low == extent.high {
                say(Severity::Note, format!("field `{}` is {:e} everywhere", f.name, extent.low));
            }
            sums.push((format!("fields/{}", f.name), extent.sum));
        }
        for p in &d.parameters {
            let finite = match &p.value {
                ParameterValue::Global(v) => v.is_finite(),
                ParameterValue::PerTrajectory(v) => v.iter().all(|v| v.is_finite()),
            };
            if !finite {
                say(Severity::Problem, format!("parameter `{}` is not finite", p.name));
            }
        }
        self.remarks().iter().for_each(|r| say(Severity::Note, r.clone()));
        if let Some(expected) = d.provenance.checksum {
            let sum = checksum::of_description(d, sums);
            if sum != expected {
                let (sum, expected) = (checksum::text(sum), checksum::text(expected));
                say(
                    Severity::Problem,
                    format!(
                        "the checksum is {sum}, the file states {expected}: it was changed after it was made"
                    ),
                );
            }
        }
        Ok(found)
    }
}

fn coordinates(d: &Description) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |text| found.push(Finding { severity: Severity::Problem, text });
    for axis in &d.axes {
        if axis.coordinates.is_empty() && !matches!(axis.role, Role::Trajectory | Role::Component) {
            let name = &axis.name;
            say(format!(
                "axis `{name}` has no coordinates: `resolvent data convert IN OUT.h5 --range {name}=0:1` gives it some"
            ));
        }
        for c in &axis.coordinates {
            if let Some(at) = c.values.iter().position(|v| !v.is_finite()) {
                say(format!("entry {at} of coordinate `{}` is {}", c.name, c.values[at]));
            } else if axis.role != Role::Points
                && let Some(at) = c.values.windows(2).position(|w| w[0] >= w[1])
            {
                let (a, b) = (c.values[at], c.values[at + 1]);
                say(format!(
                    "coordinate `{}` does not grow from entry {at} to the next: {a} and {b}; sort it, and the fields with it",
                    c.name
                ));
            }
        }
    }
    found
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |[a, b]: [f64; 2]| if a == b { format!("{a}") } else { format!("{a} … {b}") };
        let sides = |n: &[usize]| n.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        writeln!(f, "layout    {}, {} bytes", self.layout, self.file_size)?;
        writeln!(f, "name      {}", self.name)?;
        for a in &self.axes {
            let of: Vec<String> =
                a.coordinates.iter().map(|(name, r)| format!("{name} = {}", range(*r))).collect();
            writeln!(
                f,
                "axis      {}: {} entries{}{}",
                a.name,
                a.len,
                if of.is_empty() { "" } else { ", " },
                of.join(", ")
            )?;
        }
        for v in &self.fields {
            let bits = 8 * v.precision.size();
            write!(f, "field     {}({}): {}, float{bits}", v.name, v.axes.join(", "), sides(&v.shape))?;
            if let Some(chunk) = &v.chunk {
                write!(f, ", chunks {}", sides(chunk))?;
            }
            if let Some(r) = v.range {
                write!(f, ", {}", range(r))?;
            }
            if v.not_finite > 0 {
                write!(f, ", {} not finite", v.not_finite)?;
            }
            let all = v.shape.iter().product::<usize>() as u64;
            writeln!(
                f,
                "{}",
                if v.looked_at < all { format!(" (of {} values)", v.looked_at) } else { String::new() }
            )?;
        }
        self.parameters.iter().try_for_each(|(name, r)| writeln!(f, "parameter {name} = {}", range(*r)))?;
        self.boundary_conditions
            .iter()
            .try_for_each(|(name, text)| writeln!(f, "boundary  {name}: {text}"))?;
        let p = &self.provenance;
        for (name, text) in [("command", &p.command), ("made by", &p.created_by)] {
            text.iter().try_for_each(|text| writeln!(f, "{name:<9} {text}"))?;
        }
        p.seed.iter().try_for_each(|seed| writeln!(f, "seed      {seed}"))?;
        p.accuracy.iter().try_for_each(|a| writeln!(f, "accuracy  {a:e}, relative L2"))?;
        p.checksum.iter().try_for_each(|sum| writeln!(f, "checksum  {}", checksum::text(*sum)))?;
        let short = |text: &str| text.lines().next().unwrap_or("").chars().take(90).collect::<String>();
        p.notes.iter().try_for_each(|(name, text)| writeln!(f, "note      {name}: {}", short(text)))?;
        self.remarks.iter().try_for_each(|r| writeln!(f, "remark    {r}"))
    }
}
