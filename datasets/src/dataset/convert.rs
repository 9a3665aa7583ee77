//! From any layout to our schema, or to VTK image data.

use super::tiles::tiles;
use super::{Axis, Coordinate, Dataset, Description, Precision, Role, Selection, Writer};
use crate::{Error, Result, vtk};
use resolvent::Grid;
use std::ops::Range;
use std::path::Path;

/// What a file does not say of its data.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    /// New names of the axes, in the order of the first field's; `trajectory`, `t`, `component` and `point` are what they say.
    pub axes: Vec<String>,
    /// Coordinates at equal distances: an axis, its first and its last value.
    pub ranges: Vec<(String, f64, f64)>,
    /// Pack with deflate of this level, 1 to 9.
    pub gzip: Option<u8>,
}

impl Dataset {
    /// Names axes and gives them coordinates.
    ///
    /// # Errors
    /// [`Error::Description`] when names and ranges do not fit the axes.
    pub fn name(mut self, conversion: &Conversion) -> Result<Self> {
        let d = self.description_mut();
        let refuse =
            |what: String| Error::Description { what, mend: "`resolvent data inspect` shows the axes" };
        if !conversion.axes.is_empty() {
            let old = d.fields.first().map(|f| f.axes.clone()).unwrap_or_default();
            if old.len() != conversion.axes.len() {
                return Err(refuse(format!(
                    "{} names are given for {} axes",
                    conversion.axes.len(),
                    old.len()
                )));
            }
            for (old, new) in old.iter().zip(&conversion.axes) {
                d.axes.iter_mut().filter(|a| a.name == *old).for_each(|a| rename(a, new));
                d.fields
                    .iter_mut()
                    .flat_map(|f| &mut f.axes)
                    .filter(|a| *a == old)
                    .for_each(|a| a.clone_from(new));
            }
        }
        for (name, from, to) in &conversion.ranges {
            let axis = d.axes.iter_mut().find(|a| a.name == *name);
            let axis = axis.ok_or_else(|| refuse(format!("there is no axis `{name}`")))?;
            let last = axis.len.saturating_sub(1).max(1) as f64;
            let values = (0..axis.len).map(|i| from + (to - from) * (i as f64 / last)).collect();
            axis.coordinates = vec![Coordinate { name: name.clone(), values }];
        }
        d.check()?;
        Ok(self)
    }

    /// Writes it in our schema; `watch` hears how many numbers of how many are done, and stops the work with `false`: then
    /// nothing is left, and the answer is `None` instead of the checksum.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`Writer::create`].
    pub fn convert(
        &self,
        path: &Path,
        conversion: &Conversion,
        mut watch: impl FnMut(u64, u64) -> bool,
    ) -> Result<Option<u64>> {
        let description = self.converted(conversion);
        let d = self.description();
        let mut total = 0;
        for f in &d.fields {
            total += d.shape(f)?.iter().product::<usize>() as u64;
        }
        let mut writer = Writer::create(path, &description)?;
        let mut done = 0;
        for f in &d.fields {
            let whole: Vec<Range<usize>> = d.shape(f)?.into_iter().map(|n| 0..n).collect();
            for piece in tiles(&whole, f.storage.chunk.as_deref()) {
                match f.precision {
                    Precision::F32 => writer.write(&f.name, &piece, &self.read::<f32>(&f.name, &piece)?)?,
                    Precision::F64 => writer.write(&f.name, &piece, &self.read::<f64>(&f.name, &piece)?)?,
                }
                done += piece.iter().map(Range::len).product::<usize>() as u64;
                if !watch(done, total) {
                    return Ok(None);
                }
            }
        }
        writer.finish().map(Some)
    }

    fn converted(&self, conversion: &Conversion) -> Description {
        let mut d = self.description().clone();
        let p = &mut d.provenance;
        p.checksum = None;
        if self.layout() != "resolvent" {
            p.created_by = Description::new("").provenance.created_by;
            p.notes.push(("converted_from".into(), self.layout().into()));
        }
        for f in &mut d.fields {
            f.storage.gzip = conversion.gzip.or(f.storage.gzip);
            f.storage.shuffle |= f.storage.gzip.is_some();
        }
        d
    }

    /// Writes the fields on a 2-D or 3-D grid, at one time of one trajectory, as VTK image data. Values are those of cells
    /// around the points of the grid; the spacing is that of the first direction.
    ///
    /// # Errors
    /// [`Error::Description`] when no field lies on such a grid; as [`read`](Self::read); [`Error::Write`].
    pub fn export_vtk(&self, path: &Path, trajectory: usize, time: usize) -> Result<()> {
        let d = self.description();
        let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
        let mut shape: Option<Vec<&Axis>> = None;
        for f in &d.fields {
            let axes = d.field_axes(f)?;
            let space: Vec<&Axis> = axes.iter().copied().filter(|a| a.role == Role::Space).collect();
            let fits = matches!(space.len(), 2 | 3) && shape.as_ref().is_none_or(|s| *s == space);
            if !fits || axes.iter().any(|a| a.role == Role::Points) {
                continue;
            }
            let one = |at: usize| at..at.saturating_add(1);
            let mut selection = Selection::all();
            for a in &axes {
                match a.role {
                    Role::Trajectory => selection = selection.along(&a.name, one(trajectory)),
                    Role::Time => selection = selection.along(&a.name, one(time)),
                    _ => {}
                }
            }
            let region = selection.region(d, &f.name)?;
            let values = self.read::<f64>(&f.name, &region)?;
            let lens: Vec<usize> = region.iter().map(Range::len).collect();
            for (suffix, column) in columns_of(&axes, &lens, &space, &values) {
                columns.push((format!("{}{suffix}", f.name), column));
            }
            shape = Some(space);
        }
        let Some(space) = shape else {
            return Err(Error::Description {
                what: "no field lies on a 2-D or 3-D grid".into(),
                mend: "convert it to .h5 instead",
            });
        };
        let n: Vec<usize> = space.iter().map(|a| a.len).collect();
        let grid = if n.len() == 2 { Grid::new_2d(n[0], n[1])? } else { Grid::new_3d(n[0], n[1], n[2])? };
        let spacing =
            space[0].coordinates.first().filter(|c| c.values.len() > 1).map(|c| c.values[1] - c.values[0]);
        let fields: Vec<(&str, &[f64])> = columns.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        vtk::write(path, grid, spacing.unwrap_or(1.0), &fields)
    }
}

/// One column for each component, the first direction of space fastest.
fn columns_of(axes: &[&Axis], lens: &[usize], space: &[&Axis], values: &[f64]) -> Vec<(String, Vec<f64>)> {
    let components: usize =
        axes.iter().zip(lens).filter(|(a, _)| a.role == Role::Component).map(|(_, n)| n).product();
    let cells: usize = space.iter().map(|a| a.len).product();
    let mut columns = vec![vec![0.0; cells]; components];
    for (at, v) in values.iter().enumerate() {
        let (mut rest, mut cell, mut component, mut stride) = (at, 0, 0, 1);
        for (axis, n) in axes.iter().zip(lens).rev() {
            let index = rest % n;
            rest /= n;
            match axis.role {
                Role::Component => {
                    component += index * stride;
                    stride *= n;
                }
                Role::Space => {
                    let before = space.iter().take_while(|a| a.name != axis.name);
                    cell += index * before.map(|a| a.len).product::<usize>();
                }
                _ => {}
            }
        }
        columns[component][cell] = *v;
    }
    let suffix = |c: usize| if components == 1 { String::new() } else { format!("_{c}") };
    columns.into_iter().enumerate().map(|(c, v)| (suffix(c), v)).collect()
}

fn rename(axis: &mut Axis, name: &str) {
    axis.role = match name {
        "trajectory" => Role::Trajectory,
        "t" => Role::Time,
        "point" => Role::Points,
        _ if name.starts_with("component") => Role::Component,
        _ => Role::Space,
    };
    if let [c] = &mut axis.coordinates[..]
        && axis.role != Role::Points
    {
        c.name = name.into();
    }
    axis.name = name.into();
}
