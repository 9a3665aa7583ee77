//! Points where the residual is large.

use crate::{Error, Result};
use resolvent::learn::Random;

/// Residual-based adaptive distribution (RAD): of many candidates some are kept at random, without replacement, the i-th with
/// weight |rᵢ|ᵏ / mean |r|ᵏ + c. A function of the residuals and the random stream alone.
///
/// ```
/// use resolvent::learn::Random;
/// use resolvent_pinn::ResidualAdaptive;
/// let residuals: Vec<f64> = (0..1000).map(|i| if i < 100 { 50.0 } else { 0.1 }).collect();
/// let kept = ResidualAdaptive { exponent: 2.0, offset: 0.0 }.select(&residuals, 50, &mut Random::new(1, "resample"))?;
/// assert!(kept.iter().filter(|i| **i < 100).count() >= 49);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
///
/// # Reference
/// C. Wu, M. Zhu, Q. Tan, Y. Kartha, L. Lu, A comprehensive study of non-adaptive and residual-based adaptive sampling for
/// physics-informed neural networks, Computer Methods in Applied Mechanics and Engineering 403 (2023),
/// doi:10.1016/j.cma.2022.115671. Drawn at once by P. S. Efraimidis, P. G. Spirakis, Weighted random sampling with a
/// reservoir, Information Processing Letters 97 (2006), doi:10.1016/j.ipl.2005.11.003.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResidualAdaptive {
    /// k: from 0, uniform, to the greedy limit.
    pub exponent: f64,
    /// c: the larger, the more uniform.
    pub offset: f64,
}

impl Default for ResidualAdaptive {
    /// k = 1, c = 1.
    fn default() -> Self {
        Self { exponent: 1.0, offset: 1.0 }
    }
}

impl ResidualAdaptive {
    /// The indices of `n` candidates, in rising order.
    ///
    /// # Errors
    /// [`Error::Sampling`] for fewer candidates than `n`, a residual that is not finite, or k or c that is negative or not
    /// finite.
    pub fn select(&self, residuals: &[f64], n: usize, random: &mut Random) -> Result<Vec<usize>> {
        for (what, value) in [("exponent", self.exponent), ("offset", self.offset)] {
            if !(value >= 0.0 && value.is_finite()) {
                let needs = "it must be finite and not negative".into();
                return Err(Error::Sampling { what: format!("{what} of the residual is {value}"), needs });
            }
        }
        check(residuals, n)?;
        // Relative to the largest, so that no power overflows.
        let largest = residuals.iter().fold(0.0, |m: f64, r| m.max(r.abs()));
        let power = |r: &f64| if largest > 0.0 { libm::pow(r.abs() / largest, self.exponent) } else { 1.0 };
        let powers: Vec<f64> = residuals.iter().map(power).collect();
        let mean = powers.iter().sum::<f64>() / powers.len() as f64;
        let mut keys = Vec::with_capacity(powers.len());
        for p in powers {
            // An exponential of rate w comes first with a probability proportional to w.
            let (u, w) = (random.uniform(), p / mean + self.offset);
            keys.push([-libm::log(u) / w, u]);
        }
        Ok(first(n, keys.len(), |i, j| {
            keys[i][0].total_cmp(&keys[j][0]).then(keys[i][1].total_cmp(&keys[j][1]))
        }))
    }
}

/// The indices of the `n` candidates of the greatest |r|, in rising order, the earlier ones of equals: what greedy refinement
/// (RAR-G) adds to the points.
///
/// # Errors
/// [`Error::Sampling`] for fewer candidates than `n`, or a residual that is not finite.
///
/// # Reference
/// L. Lu, X. Meng, Z. Mao, G. E. Karniadakis, DeepXDE: a deep learning library for solving differential equations, SIAM Review
/// 63 (2021), doi:10.1137/19M1274067.
pub fn greatest(residuals: &[f64], n: usize) -> Result<Vec<usize>> {
    check(residuals, n)?;
    Ok(first(n, residuals.len(), |i, j| residuals[j].abs().total_cmp(&residuals[i].abs())))
}

fn check(residuals: &[f64], n: usize) -> Result<()> {
    if let Some(i) = residuals.iter().position(|r| !r.is_finite()) {
        let what = format!("the residual of candidate {i} is {}", residuals[i]);
        return Err(Error::Sampling { what, needs: "resample before the training diverges".into() });
    }
    if n > residuals.len() || n == 0 {
        let what = format!("{n} points of {} candidates", residuals.len());
        return Err(Error::Sampling { what, needs: "keep at least one, at most all".into() });
    }
    Ok(())
}

/// The first `n` of 0..m by an order, equals by index; in rising order.
fn first(n: usize, m: usize, by: impl Fn(usize, usize) -> std::cmp::Ordering) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..m).collect();
    if n < m {
        indices.select_nth_unstable_by(n, |&i, &j| by(i, j).then(i.cmp(&j)));
        indices.truncate(n);
    }
    indices.sort_unstable();
    indices
}
