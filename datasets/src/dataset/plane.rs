//! A plane of a field, for a picture.

use super::{Axis, Dataset, Role};
use crate::{Error, Result};

/// The values of a field over two of its axes, at the middle of the others in space, the last time, the first trajectory.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// What is seen.
    pub title: String,
    /// The axis along each row, and the one along each column.
    pub axes: [String; 2],
    /// How many values a row has.
    pub width: usize,
    /// Row by row, the last entry of the column's axis first.
    pub values: Vec<f64>,
}

impl Dataset {
    /// The plane of the first field that has one: over its first two directions of space, or over time and its only one.
    ///
    /// # Errors
    /// [`Error::Description`] when no field lies on a grid; as [`read`](Self::read).
    pub fn plane(&self) -> Result<Plane> {
        let d = self.description();
        for f in &d.fields {
            let axes = d.field_axes(f)?;
            let of = |role| axes.iter().position(|a| a.role == role);
            let space: Vec<usize> = (0..axes.len()).filter(|i| axes[*i].role == Role::Space).collect();
            let (across, up) = match (&space[..], of(Role::Time)) {
                ([x, y, ..], _) => (*x, *y),
                ([x], Some(t)) => (t, *x),
                _ => continue,
            };
            let at = |i: usize, a: &Axis| match a.role {
                _ if i == across || i == up => 0..a.len,
                Role::Time => a.len.saturating_sub(1)..a.len,
                Role::Space => a.len / 2..(a.len / 2 + 1).min(a.len),
                _ => 0..a.len.min(1),
            };
            let region: Vec<_> = axes.iter().enumerate().map(|(i, a)| at(i, a)).collect();
            let read = self.read::<f64>(&f.name, &region)?;
            let (width, height) = (axes[across].len, axes[up].len);
            // Only these two axes have more than one entry.
            let (right, rise) = if across > up { (1, width) } else { (height, 1) };
            let values = (0..read.len())
                .map(|i| read[(i % width) * right + (height - 1 - i / width) * rise])
                .collect();
            let axes = [axes[across].name.clone(), axes[up].name.clone()];
            return Ok(Plane { title: format!("{}: {}", d.name, f.name), axes, width, values });
        }
        Err(Error::Description {
            what: "no field lies on a grid".into(),
            mend: "ask for a picture of a field on a grid",
        })
    }
}
