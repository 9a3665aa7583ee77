//! What crosses crates: a plain reference to compare with, and the suites that every operator must pass.
//!
//! * [`plain`] is the naive side: Laplacians as loops over cells and faces, dense matrices, and a second
//!   [`Space`](resolvent::Space) of simple loops. Nothing in it calls the code it is compared with.
//! * [`cases`] lists operators on ragged grids with every kind of boundary; an operator is one row there.
//! * [`check`] holds the properties an operator must have; each panics with the case and what differs.
//! * [`counting`] counts allocations.
//! * [`entries`] holds those any operator must have, by its matrix, in any space.
//! * [`matrices`] makes sparse matrices of known kinds.
//! * [`spectrum`] measures an operator as a dense matrix.

pub mod cases;
pub mod check;
pub mod counting;
pub mod entries;
pub mod matrices;
pub mod plain;
pub mod spectrum;

use resolvent::Scalar;
use resolvent_datasets::random::Stream;

/// `n` normal numbers, the same on every machine.
pub fn noise<T: Scalar>(n: usize, seed: u64) -> Vec<T> {
    let stream = Stream::new(seed, "tests");
    (0..n as u64).map(|i| T::of(stream.normal(i))).collect()
}
