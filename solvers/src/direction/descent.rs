//! What a network of directions is trained by: the residual left after the best step along its proposal.

use crate::learn::op::{Inputs, Op, Sinks, Workspace};
use crate::learn::{Tape, Var};
use crate::{Host, LinearOperator, Result, Scalar, Shape, Space};
use std::sync::Arc;

/// What is measured of what a step leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Its residual, ‖b − αAd‖², as published.
    Residual,
    /// 1 − dᵀb α: its error in the norm of A, ‖A⁻¹b − αd‖²_A, for right-hand sides that are scaled so that bᵀA⁻¹b = 1. It is what a
    /// step along d makes least.
    Energy,
}

/// The mean over samples of what the best step along a proposal leaves, α = dᵀb / dᵀAd: proposals d and right-hand sides b, both
/// `[samples × n, 1]`, of a symmetric A → `[1, 1]`. A proposal without positive curvature leaves all and has no gradient.
///
/// With u = Ad, c = dᵀu and r = b − αu the gradient of the residual left is −2 (rᵀu (b − 2αu) / c + αAr), with two products with A a
/// sample, and that of the energy left is −2 αr, with one.
///
/// # Reference
/// A. Kaneda, O. Akar, J. Chen, V. Kala, D. Hyde, J. Teran, *A deep conjugate direction method for iteratively solving linear
/// systems*, ICML 2023, arXiv 2205.10763, equation 8.
#[derive(Clone)]
pub struct Descent<T: Scalar> {
    a: Arc<dyn LinearOperator<Host<T>>>,
    n: usize,
    left: Left,
}

impl<T: Scalar> Descent<T> {
    /// For a symmetric operator.
    pub fn new(a: Arc<dyn LinearOperator<Host<T>>>, left: Left) -> Self {
        let n = a.shape().rows;
        Self { a, n, left }
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
            sum += match self.left {
                Left::Residual => space.dot(b, b)? - 2.0 * alpha * cross + alpha * alpha * square,
                Left::Energy => 1.0 - alpha * along,
            };
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
            if self.left == Left::Energy {
                space.axpby(T::of(scale * alpha), r, keep, to)?;
                continue;
            }
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
    use crate::{Boundary, Error, Grid, Operator, Poisson};

    fn poisson() -> Poisson {
        Poisson::new(Grid::new_2d(5, 4).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap()
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        differences(Left::Residual);
        differences(Left::Energy);
    }

    fn differences(left: Left) {
        let descent = Descent::<f64>::new(Arc::new(poisson()), left);
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
        let all = match left {
            Left::Residual => b.iter().map(|b| b * b).sum::<f64>() / 3.0,
            Left::Energy => 1.0,
        };
        assert!((loss - all).abs() < 1e-12);
        assert!(gradient.iter().all(|g| *g == 0.0));
        let d = tape.input(&[1.0; 60], 60, 1).unwrap();
        let odd = tape.input(&[1.0; 30], 30, 1).unwrap();
        assert!(matches!(descent.record(&mut tape, d, odd), Err(Error::Operands { .. })));
        assert!(matches!(descent.record(&mut tape, odd, odd), Err(Error::Operands { .. })));
    }
    #[test]
    fn the_energy_left_is_the_error_in_the_norm_of_the_operator() {
        let (a, space) = (poisson(), Host::<f64>::new());
        let (mut x, d) = (noise(20, 3), noise(20, 4));
        let [mut b, mut u, mut ae] = [(); 3].map(|()| vec![0.0; 20]);
        // x of energy 1, b = Ax.
        let energy = a.apply_dot(&space, &x, &mut b).unwrap();
        x.iter_mut().for_each(|v| *v /= energy.sqrt());
        a.apply(&space, &x, &mut b).unwrap();
        let c = a.apply_dot(&space, &d, &mut u).unwrap();
        let alpha = space.dot(&d, &b).unwrap() / c;
        let e: Vec<f64> = x.iter().zip(&d).map(|(x, d)| x - alpha * d).collect();
        let expected = a.apply_dot(&space, &e, &mut ae).unwrap();
        let mut tape = Tape::new();
        let [d, b] = [&d, &b].map(|v| tape.input(v, 20, 1).unwrap());
        let loss = Descent::new(Arc::new(a), Left::Energy).record(&mut tape, d, b).unwrap();
        assert!((tape.number(loss).unwrap() - expected).abs() < 1e-12);
    }
}
