//! Which row goes where: the edges of a graph, the members of ragged segments.

use crate::{Error, Result};
use std::sync::Arc;

/// A map from items to rows, and its inverse: the targets of edges, the graphs of nodes. Items of a row need not be next to
/// each other, and rows may have none. Both directions are kept, so that gathers and sums over segments are done row by
/// row, in the order of the items, by any number of threads. Cloning shares.
///
/// ```
/// use resolvent::learn::{Index, Tape};
/// // Items 0 and 2 belong to row 1, item 1 to row 0, none to row 2.
/// let index = Index::new(vec![1, 0, 1], 3)?;
/// assert_eq!((index.members(1), index.members(2)), (&[0, 2][..], &[][..]));
/// let mut tape = Tape::<f64>::new();
/// tape.start();
/// let x = tape.input(&[1.0, 2.0, 3.0], 3, 1)?;
/// let sums = tape.segment_sum(x, &index)?;
/// assert_eq!(tape.value(sums)?, [2.0, 4.0, 0.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Index(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    targets: Vec<u32>,
    offsets: Vec<u32>,
    members: Vec<u32>,
}

impl Index {
    /// The row of each item, below `rows`.
    ///
    /// # Errors
    /// [`Error::Value`] for a target that is no row; [`Error::Parameter`] for more than 2³² − 1 items or rows.
    pub fn new(targets: Vec<u32>, rows: usize) -> Result<Self> {
        let most = u32::MAX as usize;
        if targets.len() >= most || rows >= most {
            let value = targets.len().max(rows) as f64;
            return Err(Error::Parameter {
                name: "items of an index",
                value,
                needs: "use fewer than 2³² − 1",
            });
        }
        if let Some(index) = targets.iter().position(|t| *t as usize >= rows) {
            let (what, value) = ("the targets of an index", f64::from(targets[index]));
            return Err(Error::Value {
                what,
                index,
                value,
                needs: "every target must be below the number of rows",
            });
        }
        let mut offsets = vec![0u32; rows + 1];
        targets.iter().for_each(|t| offsets[*t as usize + 1] += 1);
        (0..rows).for_each(|r| offsets[r + 1] += offsets[r]);
        let mut next = offsets.clone();
        let mut members = vec![0; targets.len()];
        for (item, t) in targets.iter().enumerate() {
            let place = &mut next[*t as usize];
            members[*place as usize] = item as u32;
            *place += 1;
        }
        Ok(Self(Arc::new(Inner { targets, offsets, members })))
    }

    /// The row of each item.
    pub fn targets(&self) -> &[u32] {
        &self.0.targets
    }

    /// The number of items.
    pub fn items(&self) -> usize {
        self.0.targets.len()
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.0.offsets.len() - 1
    }

    /// Where the items of each row start in [`order`](Self::order), and their number: `[rows + 1]`.
    pub fn offsets(&self) -> &[u32] {
        &self.0.offsets
    }

    /// All items, by rows.
    pub fn order(&self) -> &[u32] {
        &self.0.members
    }

    /// The items of a row, ascending.
    pub fn members(&self, row: usize) -> &[u32] {
        &self.0.members[self.0.offsets[row] as usize..self.0.offsets[row + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_checked() {
        assert!(matches!(Index::new(vec![0, 3], 3), Err(Error::Value { index: 1, .. })));
        assert!(matches!(Index::new(vec![], usize::MAX), Err(Error::Parameter { .. })));
        let empty = Index::new(vec![], 0).unwrap();
        assert_eq!((empty.items(), empty.rows()), (0, 0));
    }
}
