//! An operator in f32 used on f64 vectors.

use super::enter;
use crate::host::buffer::Buffer;
use crate::operator::check_apply;
use crate::{Host, LinearOperator, Map, Operator, Properties, Result, Shape, Space};
use rayon::prelude::*;
use std::sync::Mutex;

/// An operator on f32 vectors, used on f64 ones: x is rounded, the result is exact in f64. A preconditioner in half the
/// memory. Bytes beyond the operator: 24 an unknown.
pub struct Cast<A> {
    a: A,
    room: Mutex<(Buffer<f32>, Buffer<f32>)>,
}

/// Entries converted at a time.
const BLOCK: usize = 1 << 14;

impl<A: Map> Cast<A> {
    /// `a`, for f64 vectors.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn new(a: A) -> Result<Self> {
        let (space, shape) = (Host::<f32>::new(), a.shape());
        let room = (space.zeros(shape.cols)?, space.zeros(shape.rows)?).into();
        Ok(Self { a, room })
    }
}

fn round(x: &[f64], y: &mut [f32]) {
    y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = *x as f32);
    });
}

fn widen(x: &[f32], y: &mut [f64]) {
    y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(|(y, x)| {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = f64::from(*x));
    });
}

impl<A: Map> Map for Cast<A> {
    fn shape(&self) -> Shape {
        self.a.shape()
    }
    fn properties(&self) -> Properties {
        self.a.properties()
    }
}

impl<A: Operator<Host<f32>>> Operator<Host<f64>> for Cast<A> {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        let mut room = enter(&self.room);
        let (low, high) = &mut *room;
        round(x, low);
        self.a.apply(&Host::new(), low, high)?;
        widen(high, y);
        Ok(())
    }
}

impl<A: LinearOperator<Host<f32>>> LinearOperator<Host<f64>> for Cast<A> {
    fn apply_transpose(&self, _: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        crate::error::check_len("x", self.shape().rows, x.len())?;
        crate::error::check_len("y", self.shape().cols, y.len())?;
        let mut room = enter(&self.room);
        let (low, high) = &mut *room;
        round(x, high);
        self.a.apply_transpose(&Host::new(), high, low)?;
        widen(low, y);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Csr, Error};

    #[test]
    fn a_single_precision_matrix_works_on_doubles() {
        let a = Csr::<f32>::from_triplets(2, 3, &[(0, 0, 1.5), (0, 2, 2.0), (1, 1, -3.0)]).unwrap();
        let (space, cast) = (Host::<f64>::new(), Cast::new(a).unwrap());
        let (mut y, mut t) = ([f64::NAN; 2], [f64::NAN; 3]);
        cast.apply(&space, &[1.0, 2.0, 3.0], &mut y).unwrap();
        cast.apply_transpose(&space, &[1.0, 2.0], &mut t).unwrap();
        assert_eq!((y, t), ([7.5, -6.0], [1.5, -6.0, 2.0]));
        assert!(matches!(cast.apply(&space, &[1.0], &mut y), Err(Error::Length { .. })));
    }
}
