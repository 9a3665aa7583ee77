//! Which part of a dataset is sampled, and the pieces it is read in.

use super::{Axis, Dataset, Description, Role};
use crate::{Error, Result};
use std::ops::Range;

/// Ranges along some axes; all of the others.
///
/// ```
/// use resolvent_datasets::dataset::Selection;
/// let first_half = Selection::all().along("t", 0..50);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Selection {
    ranges: Vec<(String, Range<usize>)>,
}

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only these entries of an axis.
    #[must_use]
    pub fn along(mut self, axis: &str, range: Range<usize>) -> Self {
        self.ranges.push((axis.into(), range));
        self
    }

    /// One range for each axis of a field.
    pub(super) fn region(&self, description: &Description, field: &str) -> Result<Vec<Range<usize>>> {
        let f = description.field(field)?;
        let axes = description.field_axes(f)?;
        if let Some((name, _)) = self.ranges.iter().find(|(n, _)| description.axis(n).is_none()) {
            return Err(Error::Description {
                what: format!("there is no axis `{name}`"),
                mend: "name one of those that `resolvent data inspect` shows",
            });
        }
        let range = |a: &&Axis| {
            let found = self.ranges.iter().rev().find(|(n, _)| *n == a.name);
            found.map_or(0..a.len, |(_, r)| r.clone())
        };
        let region: Vec<_> = axes.iter().map(range).collect();
        description.check_region(f, &region)?;
        Ok(region)
    }
}

/// How many numbers a piece has that no chunk bounds.
const PIECE: usize = 1 << 18;
/// Chunks of more numbers are not kept whole.
const LARGEST: usize = 1 << 24;

/// Boxes that together are `region`, of about a chunk each, cut at the borders of chunks; of 2¹⁸ numbers where there are none.
pub(super) fn tiles(region: &[Range<usize>], chunk: Option<&[usize]>) -> Vec<Vec<Range<usize>>> {
    let chunk =
        chunk.filter(|c| c.iter().try_fold(1usize, |p, n| p.checked_mul(*n)).is_some_and(|n| n <= LARGEST));
    let mut sides: Vec<usize> = chunk.map_or_else(|| vec![1; region.len()], <[usize]>::to_vec);
    let mut room = PIECE / sides.iter().product::<usize>().max(1);
    for (side, range) in sides.iter_mut().zip(region).rev() {
        let grown = room.min(range.len().div_ceil(*side)).max(1);
        *side *= grown;
        room /= grown;
    }
    let mut tiles = vec![Vec::new()];
    for (range, side) in region.iter().zip(sides) {
        let mut longer = Vec::with_capacity(tiles.len());
        for tile in &tiles {
            let mut start = range.start;
            while start < range.end {
                let end = range.end.min((start / side + 1) * side);
                let mut t: Vec<Range<usize>> = tile.clone();
                t.push(start..end);
                longer.push(t);
                start = end;
            }
        }
        tiles = longer;
    }
    tiles
}

/// The axes of a field that are not components; other fields must have the same to be sampled together with it.
pub(super) fn shared_axes<'a>(dataset: &'a Dataset, fields: &[&str]) -> Result<Vec<&'a Axis>> {
    let d = dataset.description();
    let index = |name: &str| -> Result<Vec<&'a Axis>> {
        Ok(d.field_axes(d.field(name)?)?.into_iter().filter(|a| a.role != Role::Component).collect())
    };
    let first = fields.first().copied().unwrap_or("");
    let axes = index(first)?;
    for name in &fields[1..] {
        if index(name)? != axes {
            return Err(Error::Description {
                what: format!("fields `{first}` and `{name}` vary along different axes"),
                mend: "sample them one at a time",
            });
        }
    }
    Ok(axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_the_region_and_end_at_chunks() {
        let region = [2..7, 0..1000, 5..2000];
        let found = tiles(&region, Some(&[4, 100, 500]));
        let size: usize = found.iter().map(|t| t.iter().map(Range::len).product::<usize>()).sum();
        assert_eq!(size, 5 * 1000 * 1995);
        for t in &found {
            for ((r, whole), chunk) in t.iter().zip(&region).zip([4, 100, 500]) {
                assert!(r.start == whole.start || r.start % chunk == 0, "{t:?}");
                assert!(r.end == whole.end || r.end % chunk == 0, "{t:?}");
            }
        }
        assert_eq!(tiles(&[0..10, 0..20], None), [vec![0..10, 0..20]]);
    }
}
