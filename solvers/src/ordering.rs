//! Orderings: in which order the unknowns of a sparse matrix are numbered, and what its pattern alone tells.
//!
//! | | for |
//! |---|---|
//! | [`reverse_cuthill_mckee`] | a small bandwidth: incomplete factorisations of meshes numbered at random |
//! | [`nested_dissection`] | little fill: factorisations of large meshes, in three dimensions above all |
//! | [`Matching`] | entries for the whole diagonal, or the rows that make a matrix singular whatever its values |
//!
//! ```
//! use resolvent::{Csr, ordering::{bandwidth, reverse_cuthill_mckee}};
//! // A path, numbered without care: 0 – 3 – 1 – 4 – 2.
//! let edges = [(0, 3), (3, 1), (1, 4), (4, 2)];
//! let entries: Vec<_> = edges.iter().flat_map(|&(i, j)| [(i, j, 1.0), (j, i, 1.0)]).collect();
//! let a = Csr::from_triplets(5, 5, &entries)?;
//! let order = reverse_cuthill_mckee(&a)?;
//! assert_eq!((bandwidth(&a), bandwidth(&a.permuted(&order, &order)?)), (3, 1));
//! # Ok::<(), resolvent::Error>(())
//! ```

mod cuthill_mckee;
mod dissection;
mod graph;
mod matching;
mod permutation;
mod separator;

pub use cuthill_mckee::reverse_cuthill_mckee;
pub use dissection::nested_dissection;
pub use graph::width;
pub use matching::Matching;
pub use permutation::Permutation;

use crate::{Csr, Scalar};
use rayon::prelude::*;

/// The largest distance of an entry from the diagonal, |row − column|.
pub fn bandwidth<T: Scalar>(a: &Csr<T>) -> usize {
    let of = |row: usize| a.row(row).0.iter().map(|c| row.abs_diff(*c as usize)).max().unwrap_or(0);
    (0..a.rows()).into_par_iter().map(of).max().unwrap_or(0)
}
