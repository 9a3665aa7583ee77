//! Steps along averaged gradients, divided by their averaged size.

use super::checkpoint::{Checkpoint, State};
use super::product::ENTRIES;
use crate::error::check_len;
use crate::host::simd::{Kernel, dispatch};
use crate::{Buffer, Error, Host, Result, Scalar, Space};
use rayon::prelude::*;

/// The constants of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// What the average of gradients keeps of its old value.
    pub beta1: f64,
    /// What the average of their squares keeps.
    pub beta2: f64,
    /// Added to the root of the latter.
    pub epsilon: f64,
    /// The share of a parameter, times the learning rate, taken off it in each step; above 0 this is AdamW.
    pub weight_decay: f64,
}

impl Default for AdamOptions {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

/// Adam, with bias correction and decoupled weight decay.
///
/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², x ← x − rate (m / (1−β₁ᵗ) / (√(v / (1−β₂ᵗ)) + ε) + decay x), in one pass of 28 bytes a
/// parameter in f32: x, m and v read and written, g read.
///
/// ```
/// use resolvent::learn::{Adam, AdamOptions};
/// let mut x = [1.0f64];
/// let mut adam = Adam::new(1, AdamOptions::default())?;
/// for _ in 0..500 {
///     let gradient = [2.0 * x[0]];
///     adam.step(0.01, &gradient, &mut x)?;
/// }
/// assert!(x[0].abs() < 1e-2);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// D. P. Kingma, J. Ba, *Adam: a method for stochastic optimization*, ICLR 2015, arXiv 1412.6980; I. Loshchilov, F. Hutter,
/// *Decoupled weight decay regularization*, ICLR 2019, arXiv 1711.05101.
#[derive(Debug)]
pub struct Adam<T> {
    options: AdamOptions,
    m: Buffer<T>,
    v: Buffer<T>,
    steps: u64,
}

impl<T: Scalar> Adam<T> {
    /// For `n` parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a β outside [0, 1), an ε that is not positive or a decay that is negative;
    /// [`Error::Memory`].
    pub fn new(n: usize, options: AdamOptions) -> Result<Self> {
        let AdamOptions { beta1, beta2, epsilon, weight_decay } = options;
        for (name, value, sound, needs) in [
            ("beta1", beta1, (0.0..1.0).contains(&beta1), "it must be at least 0 and below 1"),
            ("beta2", beta2, (0.0..1.0).contains(&beta2), "it must be at least 0 and below 1"),
            ("epsilon", epsilon, epsilon.is_finite() && epsilon > 0.0, "it must be finite and positive"),
            (
                "weight_decay",
                weight_decay,
                weight_decay.is_finite() && weight_decay >= 0.0,
                "it must be finite and not negative",
            ),
        ] {
            if !sound {
                return Err(Error::Parameter { name, value, needs });
            }
        }
        Ok(Self { options, m: Buffer::zeros(n)?, v: Buffer::zeros(n)?, steps: 0 })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One step of this learning rate: `gradient` and `x` are as long as there are parameters.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn step(&mut self, rate: f64, gradient: &[T], x: &mut [T]) -> Result<()> {
        check_len("the gradient", self.m.len(), gradient.len())?;
        check_len("the parameters", self.m.len(), x.len())?;
        self.steps += 1;
        let AdamOptions { beta1, beta2, epsilon, weight_decay } = self.options;
        let t = self.steps as f64;
        let rule = Rule {
            beta1: T::of(beta1),
            rest1: T::of(1.0 - beta1),
            beta2: T::of(beta2),
            rest2: T::of(1.0 - beta2),
            rate: T::of(rate / (1.0 - libm::pow(beta1, t))),
            correction: T::of(1.0 / (1.0 - libm::pow(beta2, t)).sqrt()),
            epsilon: T::of(epsilon),
            kept: T::of(1.0 - rate * weight_decay),
        };
        if x.len() <= 2 * ENTRIES {
            dispatch(Update { rule, g: gradient, m: &mut self.m, v: &mut self.v, x });
            return Ok(());
        }
        let moments = self.m.par_chunks_mut(ENTRIES).zip(self.v.par_chunks_mut(ENTRIES));
        x.par_chunks_mut(ENTRIES)
            .zip(gradient.par_chunks(ENTRIES).zip(moments))
            .for_each(|(x, (g, (m, v)))| dispatch(Update { rule, g, m, v, x }));
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Rule<T> {
    beta1: T,
    rest1: T,
    beta2: T,
    rest2: T,
    rate: T,
    correction: T,
    epsilon: T,
    kept: T,
}

struct Update<'a, T> {
    rule: Rule<T>,
    g: &'a [T],
    m: &'a mut [T],
    v: &'a mut [T],
    x: &'a mut [T],
}

impl<T: Scalar> Kernel for Update<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let r = self.rule;
        let moments = self.m.iter_mut().zip(self.v);
        for ((x, &g), (m, v)) in self.x.iter_mut().zip(self.g).zip(moments) {
            *m = r.beta1 * *m + r.rest1 * g;
            *v = r.beta2 * *v + r.rest2 * g * g;
            let size = num_traits::Float::sqrt(*v) * r.correction + r.epsilon;
            *x = r.kept * *x - r.rate * *m / size;
        }
    }
}

impl<T: Scalar> State for Adam<T> {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        checkpoint.put(&format!("{name}/m"), &[self.m.len()], &self.m);
        checkpoint.put(&format!("{name}/v"), &[self.v.len()], &self.v);
        checkpoint.put_integers(&format!("{name}/steps"), &[self.steps]);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let m = checkpoint.take::<T>(&format!("{name}/m"), &[self.m.len()])?;
        let v = checkpoint.take::<T>(&format!("{name}/v"), &[self.v.len()])?;
        let steps = checkpoint.take_integers(&format!("{name}/steps"), 1)?;
        self.m.copy_from_slice(&m);
        self.v.copy_from_slice(&v);
        self.steps = steps[0];
        Ok(())
    }
}

/// Scales a gradient down to the norm `most` when it is longer, and returns the norm it had. One that is not finite is left
/// as it is.
///
/// # Errors
/// [`Error::Parameter`] when `most` is not positive.
pub fn clip_by_norm<T: Scalar>(gradient: &mut [T], most: f64) -> Result<f64> {
    if most.is_nan() || most <= 0.0 {
        let needs = "it must be positive";
        return Err(Error::Parameter { name: "the largest gradient norm", value: most, needs });
    }
    let space = Host::<T>::new();
    let norm = space.norm(gradient)?;
    if norm.is_finite() && norm > most {
        space.scale(T::of(most / norm), gradient)?;
    }
    Ok(norm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::test::noise;

    #[test]
    fn steps_are_the_published_formulas_for_any_number_of_threads() {
        for n in [0, 1, 37, 100_003] {
            let options = AdamOptions { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weight_decay: 0.1 };
            let start = noise(n, 1);
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let (mut adam, mut x) = (Adam::new(n, options).unwrap(), start.clone());
                    (0..3).for_each(|t| adam.step(0.01, &noise(n, 10 + t), &mut x).unwrap());
                    assert_eq!(adam.steps(), 3);
                    x
                })
            };
            let x = run(1);
            assert!(x == run(2) && x == run(4));
            let (mut m, mut v, mut y) = (vec![0.0; n], vec![0.0; n], start.clone());
            for t in 1..=3 {
                let g = noise(n, 9 + t as u64);
                for i in 0..n {
                    m[i] = 0.8 * m[i] + 0.2 * g[i];
                    v[i] = 0.95 * v[i] + 0.05 * g[i] * g[i];
                    let m_hat = m[i] / (1.0 - 0.8f64.powi(t));
                    let v_hat = v[i] / (1.0 - 0.95f64.powi(t));
                    y[i] -= 0.01 * (m_hat / (v_hat.sqrt() + 1e-6) + 0.1 * y[i]);
                }
            }
            assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-13));
        }
    }

    #[test]
    fn the_valley_of_rosenbrock_is_followed() {
        let (mut x, mut adam) = ([-1.2f64, 1.0], Adam::new(2, AdamOptions::default()).unwrap());
        for _ in 0..20_000 {
            let [a, b] = x;
            let g = [-2.0 * (1.0 - a) - 400.0 * a * (b - a * a), 200.0 * (b - a * a)];
            adam.step(5e-3, &g, &mut x).unwrap();
        }
        assert!((x[0] - 1.0).abs() < 1e-3 && (x[1] - 1.0).abs() < 2e-3, "{x:?}");
    }

    #[test]
    fn gradients_are_clipped_by_their_norm() {
        let mut g = [3.0f32, 4.0];
        assert_eq!(clip_by_norm(&mut g, 10.0).unwrap(), 5.0);
        assert_eq!(g, [3.0, 4.0]);
        assert_eq!(clip_by_norm(&mut g, 2.5).unwrap(), 5.0);
        assert_eq!(g, [1.5, 2.0]);
        assert!(clip_by_norm(&mut [f64::NAN], 1.0).unwrap().is_nan());
        assert!(matches!(clip_by_norm(&mut g, 0.0), Err(Error::Parameter { .. })));
    }

    #[test]
    fn impossible_options_and_lengths_are_refused() {
        let sound = AdamOptions::default();
        for options in [
            AdamOptions { beta1: 1.0, ..sound },
            AdamOptions { beta2: -0.1, ..sound },
            AdamOptions { epsilon: 0.0, ..sound },
            AdamOptions { weight_decay: f64::NAN, ..sound },
        ] {
            assert!(matches!(Adam::<f64>::new(1, options), Err(Error::Parameter { .. })));
        }
        let mut adam = Adam::new(2, sound).unwrap();
        assert!(matches!(adam.step(0.1, &[1.0], &mut [0.0; 2]), Err(Error::Length { .. })));
        assert!(matches!(adam.step(0.1, &[1.0; 2], &mut [0.0]), Err(Error::Length { .. })));
        assert_eq!(adam.steps(), 0);
    }
}
