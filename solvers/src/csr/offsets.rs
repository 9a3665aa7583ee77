//! Where the rows of a sparse matrix start.

use crate::host::buffer::settle;
use std::fmt;
use std::ops::Range;

/// Where each row of a [`Csr`](crate::Csr) starts among its entries, and last the number of entries: 32 bits each while the
/// entries are fewer than 2³², 64 bits beyond.
#[derive(Clone, PartialEq, Eq)]
pub struct Offsets(Width);

/// Offsets in their width.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Width {
    Short(Vec<u32>),
    Long(Vec<u64>),
}

/// A number that counts entries.
pub(crate) trait Offset: Copy {
    fn at(self) -> usize;
}

impl Offset for u32 {
    #[inline(always)]
    fn at(self) -> usize {
        self as usize
    }
}

impl Offset for u64 {
    #[inline(always)]
    fn at(self) -> usize {
        self as usize
    }
}

impl Offsets {
    /// Of offsets that do not fall.
    pub(crate) fn new(offsets: &[usize]) -> Self {
        match offsets.last() {
            Some(last) if u32::try_from(*last).is_err() => Self::long(offsets),
            _ => Self(Width::Short(settle(offsets.iter().map(|o| *o as u32).collect()))),
        }
    }

    pub(crate) fn long(offsets: &[usize]) -> Self {
        Self(Width::Long(settle(offsets.iter().map(|o| *o as u64).collect())))
    }

    /// One more than there are rows.
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        match &self.0 {
            Width::Short(o) => o.len(),
            Width::Long(o) => o.len(),
        }
    }

    /// The bits of each.
    pub fn bits(&self) -> u32 {
        match &self.0 {
            Width::Short(_) => u32::BITS,
            Width::Long(_) => u64::BITS,
        }
    }

    /// Where a row starts; for the number of rows, the number of entries.
    ///
    /// # Panics
    /// When there are fewer rows.
    #[inline]
    pub fn at(&self, row: usize) -> usize {
        match &self.0 {
            Width::Short(o) => o[row].at(),
            Width::Long(o) => o[row].at(),
        }
    }

    /// The entries of a row.
    ///
    /// # Panics
    /// When there is no such row.
    #[inline]
    pub fn row(&self, row: usize) -> Range<usize> {
        match &self.0 {
            Width::Short(o) => o[row].at()..o[row + 1].at(),
            Width::Long(o) => o[row].at()..o[row + 1].at(),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        (0..self.len()).map(|row| self.at(row))
    }

    /// All of them, as numbers of the width of an address.
    pub fn to_vec(&self) -> Vec<usize> {
        self.iter().collect()
    }

    /// All of them, when they have 32 bits.
    pub fn short(&self) -> Option<&[u32]> {
        match &self.0 {
            Width::Short(o) => Some(o),
            Width::Long(_) => None,
        }
    }

    #[inline]
    pub(super) fn width(&self) -> &Width {
        &self.0
    }
}

impl fmt::Debug for Offsets {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq<[usize]> for Offsets {
    fn eq(&self, other: &[usize]) -> bool {
        self.iter().eq(other.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_follows_the_number_of_entries() {
        let most = u32::MAX as usize;
        let (short, long) = ([0, 3, most], [0, 3, most + 1]);
        assert_eq!(Offsets::new(&short).bits(), 32);
        assert_eq!(Offsets::new(&long).bits(), 64);
        for offsets in [short, long] {
            let made = Offsets::new(&offsets);
            assert_eq!(made, offsets[..]);
            assert_eq!((made.len(), made.at(2), made.row(1)), (3, offsets[2], 3..offsets[2]));
            assert_eq!(made.short().is_some(), made.bits() == 32);
        }
    }
}
