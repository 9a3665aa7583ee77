//! Equations as Rust: one method for values and for their derivatives.

mod algebra;
mod dependence;
mod differentiated;
mod dual;
mod point;

pub use algebra::Algebra;
pub use differentiated::Differentiated;
pub use point::Point;

use crate::{Differential, Result};

/// A differential equation, or a condition, r(x, u, ∂u, …; θ) = 0, written once for any kind of number. Evaluated on dual
/// numbers it gives its derivatives by every stream and every trained parameter, exactly: [`Differentiated`] makes a
/// [`Residual`](crate::Residual) of it, which trains like text does.
///
/// ```
/// use resolvent_pinn::{Algebra, Architecture, Cloud, Derivative, Differential, Differentiated, Equation};
/// use resolvent_pinn::{Given, Network, Objective, Point, Result, Trainer, TrainerOptions};
///
/// /// u″ + k u = 0 with k to be found.
/// struct Oscillator;
///
/// impl Equation for Oscillator {
///     fn dimension(&self) -> usize {
///         1
///     }
///     fn derivatives(&self) -> Result<Vec<Differential>> {
///         Ok(vec![Derivative::along(1, &[0, 0])?.into()])
///     }
///     fn parameters(&self) -> Vec<(String, f64)> {
///         vec![("k".into(), 1.0)]
///     }
///     fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
///         r[0] = at.derivative(0, 0) + at.parameter(0) * at.value(0);
///     }
/// }
///
/// /// u − cos 2x = 0: what was measured.
/// struct Measurement;
///
/// impl Equation for Measurement {
///     fn dimension(&self) -> usize {
///         1
///     }
///     fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
///         r[0] = at.value(0) - (at.coordinate(0) * 2.0).cos();
///     }
/// }
///
/// let line = |n: u32| {
///     let points = (0..n).map(|i| 2.0 * f64::from(i) / f64::from(n - 1) - 1.0).collect();
///     Given(Cloud { points, data: vec![] })
/// };
/// let mut trainer = Trainer::new(
///     Network::new(Architecture::dense(1, &[12, 12], 1))?,
///     vec![
///         Objective::new("equation", Differentiated::new(Oscillator)?, line(50)),
///         Objective::new("data", Differentiated::new(Measurement)?, line(30)),
///     ],
///     &Oscillator.parameters(),
///     TrainerOptions { resample: 0, ..TrainerOptions::default() },
/// )?;
/// for _ in 0..300 {
///     trainer.quasi_newton()?;
/// }
/// let (_, k) = trainer.trained().next().unwrap();
/// assert!((k - 4.0).abs() < 0.05);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
///
/// # Reference
/// A. Griewank, A. Walther, Evaluating derivatives, SIAM (2008), chapter 3, doi:10.1137/1.9780898717761.
pub trait Equation: Send + Sync {
    /// Coordinates.
    fn dimension(&self) -> usize;

    /// Unknown functions, in the order of the network's outputs.
    fn unknowns(&self) -> usize {
        1
    }

    /// Residuals at each point, whose mean squares are added.
    fn equations(&self) -> usize {
        1
    }

    /// The derivatives of the unknowns that it reads, beside their values. A combination that is read as a whole, such as a
    /// Laplacian, is cheaper than its terms.
    ///
    /// # Errors
    /// [`Error::Derivative`](crate::Error::Derivative), from making them.
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![])
    }

    /// Columns of data it reads at each point.
    fn columns(&self) -> usize {
        0
    }

    /// Names and first values of the parameters that are trained with the network: the trainer's first ones. Those that a
    /// trainer is not given keep their first values.
    fn parameters(&self) -> Vec<(String, f64)> {
        vec![]
    }

    /// Writes every residual into `r: [equations]`. It must do the same operations at every point; a choice between two
    /// numbers is [`Algebra::if_below`]. With `#[inline(always)]` it is compiled for the widest vectors.
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]);
}
