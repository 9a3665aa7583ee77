//! What a network of directions is trained by: the residual left after the best step along its proposal.

use crate::learn::op::{Inputs, Op, Sinks, Workspace};
use crate::learn::{Tape, Var};
use crate::{Host, LinearOperator, Result, Scalar, Shape, Space};
use std::sync::Arc;

/// The mean over samples of ‖b − αAd‖², α = dᵀb / dᵀAd: proposals d and right-hand sides b, both `[samples × n, 1]`, of a
/// symmetric A → `[1, 1]`. A proposal without positive curvature leaves ‖b‖² and has no gradient.
///
/// With u = Ad, c = dᵀu and r = b − αu the gradient is −2 (rᵀu (b − 2αu) / c + αAr): two products with A a sample.
///
/// # Reference
/// A. Kaneda, O. Akar, J. Chen, V. Kala, D. Hyde, J. Teran, *A deep conjugate direction method for iteratively solving linear
/// systems*, ICML 2023, arXiv 2205.10763, equation 8.
#[derive(Clone)]
pub struct Descent<T: Scalar> {
    a: Arc<dyn LinearOperator<Host<T>>>,
    n: usize,
}

impl<T: Scalar> Descent<T> {
    /// For a symmetric operator.
    pub fn new(a: Arc<dyn LinearOperator<Host<T>>>) -> Self {
        let n = a.shape().rows;
        Self { a, n }
    }

    /// Records the loss of proposals `d` for right-hand sides `b`.
    ///
    /// # Errors
    /// [`Error::Operands`](crate::Error::Operands); [`Error::Memory`](crate::Error::Memory).
    pub fn record(&self, tape: &mut Tape<T>, d: Var, b: Var) -> Result<Var> {
        tape.record(self.clone(), &[d, b])
    }
}

impl<T: Scalar> Op<T> for Descent<T> {
    fn name(&self) -> &'static str {
        "descent"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [d, b] if d == b && d.cols == 1 && d.rows.is_multiple_of(self.n.max(1)) => Ok(Shape::square(1)),
            _ => Err("it takes proposals and right-hand sides, each one column of whole samples"),
        }
    }

    /// Keeps α, c, rᵀu of each sample, then u of all.
    fn forward(&self, inputs: &Inputs<T>, z: &mut [T], work: &mut Workspace<T>) -> Result<()> {
        let (space, n) = (Host::new(), self.n);
        let (d, b) = (inputs.get(0), inputs.get(1));
        let samples = d.len() / n.max(1);
        work.kept.resize(3 * samples + d.len(), T::of(0.0));
        let (numbers, u) = work.kept.split_at_mut(3 * samples);
        let mut sum = 0.0;
        let each = d.chunks(n).zip(b.chunks(n)).zip(u.chunks_mut(n)).zip(numbers.chunks_mut(3));
        for (((d, b), u), numbers) in each {
            let c = self.a.apply_dot(&space, d, u)?;
            let (along, square, cross) = (space.dot(d, b)?, space.dot(u, u)?, space.dot(b, u)?);
            // A proposal that is no number makes no number of the loss.
            let flat = c <= 0.0;
            let alpha = if flat { 0.0 } else { along / c };
            sum += space.dot(b, b)? - 2.0 * alpha * cross + alpha * alpha * square;
            let left = cross - alpha * square;
            numbers.copy_from_slice(&[T::of(alpha), T::of(if flat { 0.0 } else { c }), T::of(left)]);
        }
        z[0] = T::of(sum / samples.max(1) as f64);
        Ok(())
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        _: &[T],
        g: &mut [T],
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let Some(sink) = sinks.get(0) else { return Ok(()) };
        let (space, n, b) = (Host::new(), self.n, inputs.get(1));
        let samples = b.len() / n.max(1);
        let Workspace { kept, scratch } = work;
        let (numbers, u) = kept.split_at_mut(3 * samples);
        scratch.resize(2 * n, T::of(0.0));
        let (r, ar) = scratch.split_at_mut(n);
        let (one, scale) = (T::of(1.0), -2.0 * g[0].f64() / samples.max(1) as f64);
        let keep = T::of(if sink.fresh { 0.0 } else { 1.0 });
        let each = b.chunks(n).zip(u.chunks(n)).zip(sink.gradient.chunks_mut(n)).zip(numbers.chunks(3));
        for (((b, u), to), numbers) in each {
            let [alpha, c, left] = [numbers[0], numbers[1], numbers[2]].map(|v| v.f64());
            if c == 0.0 {
                if sink.fresh {
                    space.fill(T::of(0.0), to)?;
                }
                continue;
            }
            space.copy(b, r)?;
            space.axpby(T::of(-alpha), u, one, r)?;
            self.a.apply(&space, r, ar)?;
            space.axpby(T::of(scale * alpha), ar, keep, to)?;
            // b − 2αu is r − αu.
            space.axpby(T::of(-alpha), u, one, r)?;
            space.axpby(T::of(scale * left / c), r, one, to)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::noise;
    use crate::{Boundary, Error, Grid, Poisson};

    #[test]
    fn the_gradient_is_that_of_differences() {
        let a = Poisson::new(Grid::new_2d(5, 4).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap();
        let descent = Descent::<f64>::new(Arc::new(a));
        let (mut d, b) = (noise(60, 1), noise(60, 2));
        let mut tape = Tape::new();
        let mut run = |d: &[f64]| {
            tape.start();
            let (d, b) = (tape.variable(d, 60, 1).unwrap(), tape.input(&b, 60, 1).unwrap());
            let loss = descent.record(&mut tape, d, b).unwrap();
            tape.backward(loss).unwrap();
            (tape.number(loss).unwrap(), tape.gradient(d).unwrap().to_vec())
        };
        let gradient = run(&d).1;
        let h = 1e-6;
        for i in 0..60 {
            let x = d[i];
            d[i] = x + h;
            let above = run(&d).0;
            d[i] = x - h;
            let below = run(&d).0;
            d[i] = x;
            let difference = (above - below) / (2.0 * h);
            assert!((gradient[i] - difference).abs() < 1e-7 * (1.0 + difference.abs()), "{i}");
        }
        // Zeros are no direction.
        let (loss, gradient) = run(&[0.0; 60]);
        assert!((loss - b.iter().map(|b| b * b).sum::<f64>() / 3.0).abs() < 1e-12);
        assert!(gradient.iter().all(|g| *g == 0.0));
        let d = tape.input(&[1.0; 60], 60, 1).unwrap();
        let odd = tape.input(&[1.0; 30], 30, 1).unwrap();
        assert!(matches!(descent.record(&mut tape, d, odd), Err(Error::Operands { .. })));
        assert!(matches!(descent.record(&mut tape, odd, odd), Err(Error::Operands { .. })));
    }
}
