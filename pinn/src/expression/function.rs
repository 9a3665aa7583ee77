//! A function of the coordinates.

use super::graph::{Graph, Id};
use super::program::{Inputs, Program, Values};
use crate::error::check_len;
use crate::simd::Real;
use crate::{Error, Result};

/// Points worked on at a time.
const BLOCK: usize = 256;

/// A function of the coordinates alone, such as a source, an exact solution or a boundary value.
///
/// ```
/// use resolvent_pinn::expression::Scope;
/// let f = Scope::new(&["x", "y"], &[])?.function("x^2 + sin(pi*y)")?;
/// // Two points: coordinates come one after the other, [dim, points].
/// let mut values = [0.0; 2];
/// f.evaluate(&[1.0, 2.0, 0.0, 0.5], &mut values)?;
/// assert_eq!(values, [1.0, 5.0]);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Function {
    dim: usize,
    program: Program,
}

struct Points<'a, T> {
    points: &'a [T],
    stride: usize,
    first: usize,
    count: usize,
}

impl<T: Real> Inputs<T> for Points<'_, T> {
    fn count(&self) -> usize {
        self.count
    }
    fn coordinate(&self, axis: usize) -> &[T] {
        &self.points[axis * self.stride + self.first..][..self.count]
    }
    fn column(&self, _: usize) -> &[T] {
        &[]
    }
    fn unknown(&self, _: usize) -> T {
        T::of(f64::NAN)
    }
    fn stream(&self, _: usize, _: usize) -> &[T] {
        &[]
    }
}

impl Function {
    pub(super) fn new(dim: usize, graph: &Graph, root: Id) -> Self {
        Self { dim, program: Program::new(graph, &[root], |_, _| 0) }
    }

    /// `values[p]` at every point of `points: [dim, values.len()]`.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn evaluate<T: Real>(&self, points: &[T], values: &mut [T]) -> Result<(), Error> {
        let n = values.len();
        check_len("the coordinates", self.dim * n, points.len())?;
        for (block, out) in values.chunks_mut(BLOCK).enumerate() {
            let inputs = Points { points, stride: n, first: block * BLOCK, count: out.len() };
            self.program.run(&inputs, |_, result| match result {
                Values::Each(v) => out.copy_from_slice(v),
                Values::Same(v) => out.fill(v),
            });
        }
        Ok(())
    }
}
