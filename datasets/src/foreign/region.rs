//! Boxes of indices: cut into tiles along the chunks, and copied run by run.

use std::ops::Range;

/// A box cut into tiles of a bounded size, each made of whole cells (chunks) where that can be.
pub(super) struct Tiles {
    region: Vec<Range<u64>>,
    /// Where the first tile of each axis starts, at or before the region.
    origin: Vec<u64>,
    extent: Vec<u64>,
    /// Tiles of each axis, and the one that is next.
    tiles: Vec<u64>,
    next: Option<Vec<u64>>,
}

impl Tiles {
    /// Tiles of at most `most` entries of a region that is not empty; `cell` has the sides of a chunk.
    pub fn new(region: &[Range<u64>], cell: &[u64], most: u64) -> Self {
        let count: Vec<u64> = region.iter().map(|r| r.end - r.start).collect();
        let origin: Vec<u64> = region.iter().zip(cell).map(|(r, c)| r.start / c * c).collect();
        let span: Vec<u64> =
            (0..cell.len()).map(|d| (region[d].end - origin[d]).div_ceil(cell[d]) * cell[d]).collect();
        let mut extent = cell.to_vec();
        // What a tile has of each axis at most; the product fits, since the region does.
        let entries =
            |extent: &[u64]| -> u64 { (0..extent.len()).map(|d| extent[d].min(count[d])).product() };
        if entries(&extent) > most {
            for axis in 0..extent.len() {
                while entries(&extent) > most && extent[axis].min(count[axis]) > 1 {
                    extent[axis] = extent[axis].min(count[axis]).div_ceil(2);
                }
            }
        } else {
            for axis in (0..extent.len()).rev() {
                let others = entries(&extent) / extent[axis].min(count[axis]);
                let cells = (most / (others * cell[axis])).clamp(1, span[axis] / cell[axis]);
                extent[axis] = cells * cell[axis];
                if extent[axis] < span[axis] {
                    break;
                }
            }
        }
        let tiles = (0..extent.len()).map(|d| (region[d].end - origin[d]).div_ceil(extent[d])).collect();
        let mut all =
            Self { region: region.to_vec(), next: Some(vec![0; extent.len()]), origin, extent, tiles };
        // A shrunk tile may end before the region starts.
        if all.next.as_deref().is_some_and(|n| all.tile(n).is_none()) {
            all.advance();
        }
        all
    }

    /// The part of a tile inside the region.
    fn tile(&self, index: &[u64]) -> Option<Vec<Range<u64>>> {
        let side = |d: usize| {
            let start = self.origin[d] + index[d] * self.extent[d];
            let end = (start + self.extent[d]).min(self.region[d].end);
            let start = start.max(self.region[d].start);
            (start < end).then_some(start..end)
        };
        (0..index.len()).map(side).collect()
    }

    fn advance(&mut self) {
        while let Some(mut index) = self.next.take() {
            let Some(axis) = (0..index.len()).rev().find(|d| index[*d] + 1 < self.tiles[*d]) else { return };
            index[axis] += 1;
            index[axis + 1..].fill(0);
            let found = self.tile(&index).is_some();
            self.next = Some(index);
            if found {
                return;
            }
        }
    }
}

impl Iterator for Tiles {
    type Item = Vec<Range<u64>>;

    fn next(&mut self) -> Option<Self::Item> {
        let tile = self.tile(self.next.as_deref()?);
        self.advance();
        tile
    }
}

/// Where the runs of a part lie inside a whole, both in row-major order: calls `copy(at in the whole, at in the part,
/// length)`, in entries, for each run without a gap.
pub(super) fn runs<E>(
    whole: &[Range<u64>],
    part: &[Range<u64>],
    mut copy: impl FnMut(usize, usize, usize) -> Result<(), E>,
) -> Result<(), E> {
    let side = |r: &Range<u64>| (r.end - r.start) as usize;
    let rank = whole.len();
    // Axes that are whole join the axis before them in one run.
    let first = (0..rank).rev().find(|d| whole[*d] != part[*d]).unwrap_or(0);
    let run: usize = part[first..].iter().map(side).product();
    let outer = &part[..first];
    let strides: Vec<usize> = (0..rank).map(|d| whole[d + 1..].iter().map(side).product::<usize>()).collect();
    let offset = |d: usize, at: u64| (at - whole[d].start) as usize * strides[d];
    let base = if rank == 0 { 0 } else { offset(first, part[first].start) };
    let mut index: Vec<u64> = outer.iter().map(|r| r.start).collect();
    let mut from = 0;
    loop {
        let at = base + index.iter().enumerate().map(|(d, at)| offset(d, *at)).sum::<usize>();
        copy(at, from, run)?;
        from += run;
        let Some(axis) = (0..first).rev().find(|d| index[*d] + 1 < outer[*d].end) else { return Ok(()) };
        index[axis] += 1;
        (axis + 1..first).for_each(|d| index[d] = outer[d].start);
    }
}

/// Entries in a run of [`runs`].
pub(super) fn run_length(whole: &[Range<u64>], part: &[Range<u64>]) -> u64 {
    let first = (0..whole.len()).rev().find(|d| whole[*d] != part[*d]).unwrap_or(0);
    part[first..].iter().map(|r| r.end - r.start).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Entries of a region in row-major order.
    fn entries(region: &[Range<u64>]) -> Vec<Vec<u64>> {
        region.iter().fold(vec![Vec::new()], |all, side| {
            let longer = |head: &Vec<u64>| {
                side.clone().map(move |i| [head.clone(), vec![i]].concat()).collect::<Vec<_>>()
            };
            all.iter().flat_map(longer).collect()
        })
    }

    proptest! {
        #[test]
        fn tiles_cover_a_region_once_and_runs_copy_it(
            sides in prop::collection::vec((0u64..9, 1u64..9, 1u64..6), 0..4),
            most in 1u64..60,
        ) {
            let region: Vec<Range<u64>> = sides.iter().map(|(s, n, _)| *s..s + n).collect();
            let cell: Vec<u64> = sides.iter().map(|(.., c)| *c).collect();
            let number = |i: &Vec<u64>| i.iter().fold(0, |n, i| 100 * n + i);
            let mut copied = vec![u64::MAX; entries(&region).len()];
            let mut tiles = 0;
            for tile in Tiles::new(&region, &cell, most) {
                tiles += 1;
                let part: Vec<u64> = entries(&tile).iter().map(number).collect();
                prop_assert!(part.len() as u64 <= most && !part.is_empty());
                let run = run_length(&region, &tile) as usize;
                runs(&region, &tile, |to, from, length| -> Result<(), ()> {
                    assert_eq!(run, length);
                    assert!(copied[to..to + length].iter().all(|v| *v == u64::MAX), "twice");
                    copied[to..to + length].copy_from_slice(&part[from..from + length]);
                    Ok(())
                }).unwrap();
            }
            prop_assert_eq!(&copied, &entries(&region).iter().map(number).collect::<Vec<_>>());
            let chunk: u64 = cell.iter().zip(&region).map(|(c, r)| (r.end - r.start).min(*c)).product();
            if chunk <= most {
                let cells = (0..cell.len()).map(|d| region[d].end.div_ceil(cell[d]) - region[d].start / cell[d]);
                prop_assert!(tiles <= cells.product::<u64>(), "a chunk was cut");
            }
        }
    }
}
