//! Vectors that are those of several systems behind one another.

use crate::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// How a vector is divided into the unknowns of independent systems, such as the graphs of a batch. Cloning shares.
///
/// ```
/// use resolvent::Segments;
/// let graphs = Segments::new(&[3, 0, 2])?;
/// assert_eq!((graphs.count(), graphs.len(), graphs.range(2)), (3, 5, 3..5));
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments(Arc<[usize]>);

impl Segments {
    /// One of `n` entries.
    pub fn whole(n: usize) -> Self {
        Self([0, n].into())
    }

    /// Of these lengths; a length may be 0.
    ///
    /// # Errors
    /// [`Error::Memory`] for more entries than an address counts.
    pub fn new(lengths: &[usize]) -> Result<Self> {
        let mut bounds = vec![0usize];
        for length in lengths {
            let end = bounds[bounds.len() - 1].checked_add(*length);
            bounds.push(end.ok_or(Error::Memory { bytes: usize::MAX })?);
        }
        Ok(Self(bounds.into()))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len() - 1
    }

    /// The entries of all.
    pub fn len(&self) -> usize {
        self.0[self.count()]
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries of one.
    ///
    /// # Panics
    /// When there is no such segment.
    pub fn range(&self, segment: usize) -> Range<usize> {
        self.0[segment]..self.0[segment + 1]
    }
}
