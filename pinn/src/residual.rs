//! What an equation asks of a network at a point, and how it answers.

use crate::simd::Real;
use crate::streams::Streams;
use std::ops::Range;

/// A residual r(x, u, ∂u, …; θ) at points: a differential equation, a boundary condition, a measurement. It reads the streams
/// of a block of points and writes r with its derivatives by each of them, from which losses, gradients and products with
/// the Jacobian are made. Blocks are stored by quantity, so that plain loops over points vectorise.
///
/// ```
/// use resolvent_pinn::{Differential, Linearised, Residual, Sample, Streams};
///
/// /// Δu + u − f, with f given at every point.
/// struct Helmholtz(Streams);
///
/// impl Residual<f64> for Helmholtz {
///     fn streams(&self) -> &Streams {
///         &self.0
///     }
///     fn linearise(&self, at: &Sample<'_, f64>, out: &mut Linearised<'_, f64>) {
///         let (u, laplacian, f) = (at.stream(0, 0), at.stream(0, 3), at.data(0));
///         for (p, r) in out.residual(0).iter_mut().enumerate() {
///             *r = laplacian[p] + u[p] - f[p];
///         }
///         out.partial(0, 0, 0).fill(1.0);
///         out.partial(0, 0, 3).fill(1.0);
///     }
/// }
///
/// let equation = Helmholtz(Streams::new(2, &[Differential::laplacian(2)?])?);
/// assert_eq!(equation.equations(), 1);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
pub trait Residual<T>: Sync {
    /// The streams it reads; `at.stream(output, s)` is number `s` of them.
    fn streams(&self) -> &Streams;
    /// Outputs of the network that it reads: the first so many.
    fn outputs(&self) -> usize {
        1
    }
    /// Residuals at each point.
    fn equations(&self) -> usize {
        1
    }
    /// Columns of data it reads at each point.
    fn columns(&self) -> usize {
        0
    }
    /// Writes every residual, and the derivatives that are not zero.
    fn linearise(&self, at: &Sample<'_, T>, out: &mut Linearised<'_, T>);
}

/// A block of points and what the network gives there. Points past the last are filled up with copies of it.
#[derive(Clone, Copy)]
pub struct Sample<'a, T> {
    pub(crate) t: usize,
    pub(crate) points: &'a [T],
    pub(crate) data: &'a [T],
    pub(crate) outputs: &'a [T],
    pub(crate) stride: usize,
    pub(crate) unknowns: &'a [T],
}

impl<'a, T: Real> Sample<'a, T> {
    /// Points in the block.
    pub fn count(&self) -> usize {
        self.t
    }
    /// A coordinate of every point.
    pub fn coordinate(&self, axis: usize) -> &'a [T] {
        &self.points[axis * self.t..(axis + 1) * self.t]
    }
    /// A column of data at every point.
    pub fn data(&self, column: usize) -> &'a [T] {
        &self.data[column * self.t..(column + 1) * self.t]
    }
    /// A stream of one output of the network at every point.
    pub fn stream(&self, output: usize, stream: usize) -> &'a [T] {
        let first = output * self.stride + stream * self.t;
        &self.outputs[first..first + self.t]
    }
    /// The trained parameters of the equations: what follows the network's own in the vector of parameters.
    pub fn unknowns(&self) -> &'a [T] {
        self.unknowns
    }
}

/// Residuals of a block of points and their derivatives, which are zero until written.
pub struct Linearised<'a, T> {
    pub(crate) t: usize,
    pub(crate) outputs: usize,
    pub(crate) streams: usize,
    pub(crate) unknowns: usize,
    pub(crate) residuals: &'a mut [T],
    pub(crate) partials: &'a mut [T],
}

impl<T: Real> Linearised<'_, T> {
    /// One residual at every point.
    pub fn residual(&mut self, equation: usize) -> &mut [T] {
        &mut self.residuals[equation * self.t..(equation + 1) * self.t]
    }
    /// The derivative of a residual by a stream of an output.
    pub fn partial(&mut self, equation: usize, output: usize, stream: usize) -> &mut [T] {
        let range = self.place(equation, output * self.streams + stream);
        &mut self.partials[range]
    }
    /// The derivative of a residual by a trained parameter of the equations.
    pub fn by_unknown(&mut self, equation: usize, unknown: usize) -> &mut [T] {
        let range = self.place(equation, self.outputs * self.streams + unknown);
        &mut self.partials[range]
    }
    fn place(&self, equation: usize, column: usize) -> Range<usize> {
        let columns = self.outputs * self.streams + self.unknowns;
        let first = (equation * columns + column) * self.t;
        first..first + self.t
    }
}

/// A residual at points: one term of a loss L = 1/N Σ w r², N points, all equations summed.
#[derive(Clone, Copy)]
pub struct Term<'a, T> {
    /// What is evaluated.
    pub residual: &'a dyn Residual<T>,
    /// Coordinates, `[dim, points]`.
    pub points: &'a [T],
    /// Columns of data, `[columns, points]`.
    pub data: &'a [T],
    /// The weight w of each point, if they differ.
    pub weights: Option<&'a [T]>,
}
