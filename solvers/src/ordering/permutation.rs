//! Another numbering.

use crate::error::check_len;
use crate::{Csr, Error, Result, Scalar};

/// A numbering of n things: which old one comes at each new place.
///
/// ```
/// use resolvent::ordering::Permutation;
/// let p = Permutation::new(vec![2, 0, 1])?;
/// let (mut y, mut x) = ([0.0; 3], [0.0; 3]);
/// p.apply(&[10.0, 11.0, 12.0], &mut y)?;
/// assert_eq!(y, [12.0, 10.0, 11.0]);
/// p.inverse().apply(&y, &mut x)?;
/// assert_eq!(x, [10.0, 11.0, 12.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permutation {
    order: Vec<u32>,
    place: Vec<u32>,
}

impl Permutation {
    /// From the old number of each new one.
    ///
    /// # Errors
    /// [`Error::Value`] for the first number that comes twice or is not below their count.
    pub fn new(order: Vec<u32>) -> Result<Self> {
        const NONE: u32 = u32::MAX;
        let mut place = vec![NONE; order.len()];
        for (index, &old) in order.iter().enumerate() {
            match place.get_mut(old as usize) {
                Some(p) if *p == NONE => *p = index as u32,
                _ => {
                    let needs = "a permutation has every number below its length once";
                    return Err(Error::Value { what: "a permutation", index, value: f64::from(old), needs });
                }
            }
        }
        Ok(Self { order, place })
    }

    /// The numbering as it is.
    pub fn identity(n: u32) -> Self {
        let order: Vec<u32> = (0..n).collect();
        Self { place: order.clone(), order }
    }

    /// How many are numbered.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The old number at each new place.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The new place of each old number.
    pub fn place(&self) -> &[u32] {
        &self.place
    }

    /// The way back.
    pub fn inverse(&self) -> Self {
        Self { order: self.place.clone(), place: self.order.clone() }
    }

    /// y ← x in the new numbering: both `[n]`.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn apply<T: Copy>(&self, x: &[T], y: &mut [T]) -> Result<()> {
        check_len("x", self.len(), x.len())?;
        check_len("y", self.len(), y.len())?;
        y.iter_mut().zip(&self.order).for_each(|(y, old)| *y = x[*old as usize]);
        Ok(())
    }
}

impl<T: Scalar> Csr<T> {
    /// The matrix with its rows and columns in other orders. It claims what this one claims when both are the same, and
    /// nothing otherwise.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn permuted(&self, rows: &Permutation, cols: &Permutation) -> Result<Self> {
        check_len("the permutation of rows", self.rows(), rows.len())?;
        check_len("the permutation of columns", self.cols(), cols.len())?;
        let (mut offsets, mut columns) =
            (Vec::with_capacity(self.rows() + 1), Vec::with_capacity(self.nonzeros()));
        let (mut values, mut row) = (Vec::with_capacity(self.nonzeros()), Vec::new());
        offsets.push(0);
        for old in rows.order() {
            let (c, v) = self.row(*old as usize);
            row.clear();
            row.extend(c.iter().zip(v).map(|(c, v)| (cols.place()[*c as usize], *v)));
            row.sort_unstable_by_key(|e| e.0);
            columns.extend(row.iter().map(|e| e.0));
            values.extend(row.iter().map(|e| e.1));
            offsets.push(columns.len());
        }
        let a = Self::new(self.rows(), self.cols(), offsets, columns, values)?;
        Ok(if rows == cols { a.assume(crate::Map::properties(self)) } else { a })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Map, Properties};

    #[test]
    fn what_is_no_permutation_is_refused() {
        for (order, at) in [(vec![0, 0], 1), (vec![1, 2], 1), (vec![u32::MAX], 0)] {
            assert!(matches!(Permutation::new(order), Err(Error::Value { index, .. }) if index == at));
        }
        let p = Permutation::identity(3);
        assert!(matches!(p.apply(&[0; 2], &mut [0; 3]), Err(Error::Length { .. })));
        assert!(Permutation::identity(0).is_empty());
    }

    #[test]
    fn entries_move_with_their_rows_and_columns() {
        let entries = [(0, 0, 1.0), (0, 2, 2.0), (1, 1, 3.0), (2, 0, 2.0), (2, 1, 5.0)];
        let a = Csr::from_triplets(3, 3, &entries).unwrap().assume(Properties::SYMMETRIC);
        let (p, q) = (Permutation::new(vec![2, 0, 1]).unwrap(), Permutation::new(vec![1, 2, 0]).unwrap());
        let b = a.permuted(&p, &q).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                assert_eq!(b.get(i, j), a.get(p.order()[i] as usize, q.order()[j] as usize));
            }
        }
        assert_eq!(
            (b.properties(), a.permuted(&p, &p).unwrap().properties()),
            (Properties::NONE, Properties::SYMMETRIC)
        );
        assert_eq!(b.permuted(&p.inverse(), &q.inverse()).unwrap(), a);
        assert!(matches!(a.permuted(&Permutation::identity(2), &q), Err(Error::Length { .. })));
    }
}
