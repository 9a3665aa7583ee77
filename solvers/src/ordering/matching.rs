//! Which entries can be pivots, by the pattern alone.

use super::Permutation;
use crate::{Csr, Error, Result, Scalar};

/// No row or column.
const NONE: u32 = u32::MAX;

/// As many entries of a matrix as possible, no two of them in one row or column. Stored zeros are no entries.
///
/// Their number is the structural rank, which the rank of no values in this pattern exceeds. With a full one, rows can be
/// put so that no diagonal entry is zero, as incomplete factorisations need.
///
/// ```
/// use resolvent::{Csr, ordering::Matching};
/// let a = Csr::from_triplets(2, 2, &[(0, 1, 3.0), (1, 0, 2.0)])?;
/// let rows = Matching::new(&a).to_diagonal()?;
/// let columns = resolvent::ordering::Permutation::identity(2);
/// assert_eq!(a.permuted(&rows, &columns)?.diagonal(), [2.0, 3.0]);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// J. E. Hopcroft, R. M. Karp, *An n^5/2 algorithm for maximum matchings in bipartite graphs*, SIAM J. Comput. 2 (1973),
/// 225–231, 10.1137/0202019. A. Pothen, C.-J. Fan, *Computing the block triangular form of a sparse matrix*, ACM Trans.
/// Math. Softw. 16 (1990), 303–324, 10.1145/98267.98287, for the rows that are too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    /// The column of each row.
    column: Vec<u32>,
    /// The row of each column.
    row: Vec<u32>,
    deficient: Vec<usize>,
}

impl Matching {
    /// Of a matrix of any shape.
    pub fn new<T: Scalar>(a: &Csr<T>) -> Self {
        let mut matching =
            Self { column: vec![NONE; a.rows()], row: vec![NONE; a.cols()], deficient: Vec::new() };
        matching.take_free(a);
        let mut distance = vec![NONE; a.rows()];
        while matching.distances(a, &mut distance) {
            matching.augment(a, &mut distance);
        }
        // The last search found no way out of the rows it reached.
        matching.deficient = (0..a.rows()).filter(|r| distance[*r] != NONE).collect();
        matching
    }

    /// The structural rank.
    pub fn rank(&self) -> usize {
        self.column.iter().filter(|c| **c != NONE).count()
    }

    /// The rows that together have entries in fewer columns than they are: empty when every row has its column.
    pub fn deficient_rows(&self) -> &[usize] {
        &self.deficient
    }

    /// The order of rows that brings the chosen entries to the diagonal, where a row has its own column first of all.
    ///
    /// # Errors
    /// [`Error::StructuralRank`] when there are not enough of them.
    pub fn to_diagonal(&self) -> Result<Permutation> {
        self.check()?;
        Permutation::new(self.row.clone())
    }

    /// # Errors
    /// [`Error::StructuralRank`] when a square matrix has less than full rank.
    pub(crate) fn check(&self) -> Result<()> {
        let (rank, size) = (self.rank(), self.column.len().max(self.row.len()));
        if rank == size {
            return Ok(());
        }
        Err(Error::StructuralRank { rank, size, rows: self.deficient.clone() })
    }

    fn join(&mut self, row: usize, column: u32) {
        self.column[row] = column;
        self.row[column as usize] = row as u32;
    }

    /// The diagonal where it is there, and then whatever is free.
    fn take_free<T: Scalar>(&mut self, a: &Csr<T>) {
        let zero = T::of(0.0);
        for r in 0..a.rows().min(a.cols()) {
            if a.get(r, r) != zero {
                self.join(r, r as u32);
            }
        }
        for r in 0..a.rows() {
            if self.column[r] == NONE {
                let (c, v) = a.row(r);
                let free = c.iter().zip(v).find(|(c, v)| self.row[**c as usize] == NONE && **v != zero);
                if let Some((c, _)) = free {
                    self.join(r, *c);
                }
            }
        }
    }

    /// How far each row is from one without a column, along entries and back along chosen ones; whether a free column was
    /// met.
    fn distances<T: Scalar>(&self, a: &Csr<T>, distance: &mut [u32]) -> bool {
        let mut queue: Vec<u32> = Vec::new();
        for (r, d) in distance.iter_mut().enumerate() {
            *d = NONE;
            if self.column[r] == NONE {
                *d = 0;
                queue.push(r as u32);
            }
        }
        let (mut at, mut found) = (0, false);
        while at < queue.len() {
            let r = queue[at] as usize;
            at += 1;
            let (c, v) = a.row(r);
            for (c, _) in c.iter().zip(v).filter(|(_, v)| **v != T::of(0.0)) {
                match self.row[*c as usize] {
                    NONE => found = true,
                    next if distance[next as usize] == NONE => {
                        distance[next as usize] = distance[r] + 1;
                        queue.push(next);
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// Shortest ways from rows without a column to columns without a row, no two of which meet.
    fn augment<T: Scalar>(&mut self, a: &Csr<T>, distance: &mut [u32]) {
        // Where the search stands in each row of its way.
        let mut way: Vec<(usize, usize)> = Vec::new();
        for start in 0..a.rows() {
            if self.column[start] != NONE {
                continue;
            }
            way.push((start, 0));
            while let Some((r, at)) = way.last_mut() {
                let (c, v) = a.row(*r);
                let Some(column) = c.get(*at).copied() else {
                    distance[*r] = NONE;
                    way.pop();
                    continue;
                };
                let zero = v[*at] == T::of(0.0);
                *at += 1;
                let next = self.row[column as usize];
                if zero {
                    continue;
                }
                if next == NONE {
                    for (r, at) in way.drain(..) {
                        distance[r] = NONE;
                        self.join(r, a.row(r).0[at - 1]);
                    }
                } else if distance[next as usize] != NONE && distance[next as usize] == distance[*r] + 1 {
                    way.push((next as usize, 0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The largest matching by trying all.
    fn rank(a: &Csr<f64>, row: usize, taken: u32) -> usize {
        if row == a.rows() {
            return 0;
        }
        let free = a.row(row).0.iter().filter(|c| taken >> **c & 1 == 0);
        let with = free.map(|c| 1 + rank(a, row + 1, taken | 1 << c)).max().unwrap_or(0);
        with.max(rank(a, row + 1, taken))
    }

    proptest! {
        #[test]
        fn no_larger_matching_exists(
            rows in 1usize..8,
            cols in 1usize..8,
            places in proptest::collection::vec((0u32..8, 0u32..8), 0..24)
        ) {
            let entries: Vec<_> = places
                .into_iter()
                .filter(|(r, c)| (*r as usize) < rows && (*c as usize) < cols)
                .map(|(r, c)| (r, c, 1.0))
                .collect();
            let a = Csr::from_triplets(rows, cols, &entries).unwrap();
            let matching = Matching::new(&a);
            prop_assert_eq!(matching.rank(), rank(&a, 0, 0));
            let pairs = matching.column.iter().enumerate().filter(|(_, c)| **c != NONE);
            for (r, c) in pairs {
                prop_assert!(a.get(r, *c as usize) != 0.0 && matching.row[*c as usize] as usize == r);
            }
            // Hall's condition fails by as much as the rank is short.
            let too_many = matching.deficient_rows();
            let mut columns: Vec<u32> = too_many.iter().flat_map(|r| a.row(*r).0.to_vec()).collect();
            columns.sort_unstable();
            columns.dedup();
            prop_assert_eq!(rows - matching.rank(), too_many.len() - columns.len());
        }
    }

    #[test]
    fn rows_that_are_too_many_are_named() {
        // Rows 1 and 3 share one column; a stored zero does not count.
        let entries = [(0, 0, 1.0), (1, 2, 1.0), (2, 1, 1.0), (2, 3, 1.0), (3, 2, 4.0), (3, 0, 0.0)];
        let a = Csr::from_triplets(4, 4, &entries).unwrap();
        let matching = Matching::new(&a);
        assert_eq!((matching.rank(), matching.deficient_rows()), (3, &[1usize, 3][..]));
        let Err(Error::StructuralRank { rank: 3, size: 4, rows }) = matching.to_diagonal() else { panic!() };
        assert_eq!(rows, [1, 3]);
        // A wide matrix may be short of rows alone.
        let wide = Csr::from_triplets(1, 2, &[(0, 1, 1.0)]).unwrap();
        let matching = Matching::new(&wide);
        assert!(matching.rank() == 1 && matching.deficient_rows().is_empty() && matching.check().is_err());
    }

    #[test]
    fn a_long_chain_is_matched() {
        // Row i in columns i and i + 1, the last in column 0 alone: every row must give way.
        let n = 50_000u32;
        let mut entries: Vec<_> = (0..n - 1).flat_map(|i| [(i, i, 1.0), (i, i + 1, 1.0)]).collect();
        entries.push((n - 1, 0, 1.0));
        let a = Csr::from_triplets(n as usize, n as usize, &entries).unwrap();
        let rows = Matching::new(&a).to_diagonal().unwrap();
        let b = a.permuted(&rows, &Permutation::identity(n)).unwrap();
        assert!(b.diagonal().iter().all(|d| *d == 1.0));
    }
}
