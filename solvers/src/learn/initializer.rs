//! Where training starts: random weights that keep the size of what passes through them.
//!
//! Every parameter has a generator of its own, ChaCha8 keyed by the seed with the hash of the parameter's name as its
//! stream, so its values depend on the seed, its name and its shape, and not on what was made before it. Normal numbers are
//! made in f64 by Box and Muller's formula with the `libm` crate's logarithm and cosine, and rounded last: the same seed gives
//! the same bits on every machine, and the f32 weights are the f64 ones rounded.
//!
//! # Reference
//! X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010; K. He, X.
//! Zhang, S. Ren, J. Sun, *Delving deep into rectifiers*, ICCV 2015, 10.1109/ICCV.2015.123; Y. LeCun, L. Bottou, G. Orr, K.-R.
//! Müller, *Efficient BackProp*, 1998, 10.1007/3-540-49430-8_2.

use super::random::Random;
use crate::{Error, Result, Scalar};

/// How the entries of a parameter are drawn. The fans of a shape `[.., in, out]` are `in` and `out`, each times the
/// product of what stands before them: the window of a convolution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// All 0.
    Zeros,
    /// All the same.
    Constant(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform between two bounds.
    Uniform(f64, f64),
    /// Normal with variance 2 / (fan in + fan out): for tanh and the like.
    GlorotNormal,
    /// Uniform with variance 2 / (fan in + fan out).
    GlorotUniform,
    /// Normal with variance 2 / fan in: for rectifiers.
    HeNormal,
    /// Uniform with variance 2 / fan in.
    HeUniform,
    /// Normal with variance 1 / fan in.
    LecunNormal,
    /// Uniform with variance 1 / fan in.
    LecunUniform,
}

impl Initializer {
    /// Fills `values`, a parameter of this shape, from a seed and the parameter's name.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a constant, a deviation or a bound that is not finite.
    pub fn fill<T: Scalar>(self, seed: u64, name: &str, shape: &[usize], values: &mut [T]) -> Result<()> {
        let (inputs, outputs) = fans(shape);
        let variance = match self {
            Self::GlorotNormal | Self::GlorotUniform => 2.0 / (inputs + outputs),
            Self::HeNormal | Self::HeUniform => 2.0 / inputs,
            _ => 1.0 / inputs,
        };
        let mut random = Random::new(seed, name);
        match self {
            Self::Zeros => values.fill(T::of(0.0)),
            Self::Constant(value) => values.fill(T::of(finite("the initial value", value)?)),
            Self::Normal(deviation) => {
                finite("the initial deviation", deviation)?;
                values.iter_mut().for_each(|v| *v = T::of(deviation * random.normal()));
            }
            Self::Uniform(low, high) => {
                finite("the initial bound", low)?;
                finite("the initial bound", high)?;
                values.iter_mut().for_each(|v| *v = T::of(low + (high - low) * random.uniform()));
            }
            Self::GlorotNormal | Self::HeNormal | Self::LecunNormal => {
                let deviation = variance.sqrt();
                values.iter_mut().for_each(|v| *v = T::of(deviation * random.normal()));
            }
            Self::GlorotUniform | Self::HeUniform | Self::LecunUniform => {
                let bound = (3.0 * variance).sqrt();
                values.iter_mut().for_each(|v| *v = T::of(bound * (2.0 * random.uniform() - 1.0)));
            }
        }
        Ok(())
    }
}

fn finite(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(Error::Parameter { name, value, needs: "a finite number is needed" })
}

/// Fan in and fan out, at least 1 each.
fn fans(shape: &[usize]) -> (f64, f64) {
    let (outputs, rest) = shape.split_last().map_or((1, shape), |(o, rest)| (*o, rest));
    let (inputs, window) = rest.split_last().map_or((1, rest), |(i, window)| (*i, window));
    let window: usize = window.iter().product();
    ((window * inputs).max(1) as f64, (window * outputs).max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(initializer: Initializer, shape: &[usize]) -> Vec<f64> {
        let mut values = vec![f64::NAN; shape.iter().product()];
        initializer.fill(7, "layer.weight", shape, &mut values).unwrap();
        values
    }

    #[test]
    fn variances_are_the_published_ones() {
        for (initializer, shape, variance) in [
            (Initializer::GlorotNormal, vec![300, 100], 2.0 / 400.0),
            (Initializer::GlorotUniform, vec![300, 100], 2.0 / 400.0),
            (Initializer::HeNormal, vec![300, 100], 2.0 / 300.0),
            (Initializer::HeUniform, vec![3, 3, 3, 30, 40], 2.0 / 810.0),
            (Initializer::LecunNormal, vec![300, 100], 1.0 / 300.0),
            (Initializer::LecunUniform, vec![300, 100], 1.0 / 300.0),
            (Initializer::Normal(3.0), vec![30_000], 9.0),
            (Initializer::Uniform(-1.0, 1.0), vec![30_000], 1.0 / 3.0),
        ] {
            let values = drawn(initializer, &shape);
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let square = values.iter().map(|v| v * v).sum::<f64>() / n;
            // Five standard errors of a normal sample.
            assert!(mean.abs() < 5.0 * (variance / n).sqrt(), "{initializer:?}: {mean}");
            assert!((square / variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "{initializer:?}: {square}");
        }
        assert_eq!(drawn(Initializer::Zeros, &[2, 2]), [0.0; 4]);
        assert_eq!(drawn(Initializer::Constant(2.5), &[3]), [2.5; 3]);
    }

    #[test]
    fn bits_are_pinned_and_single_precision_is_rounded_double() {
        let values = drawn(Initializer::GlorotNormal, &[2, 2]);
        let bits: Vec<u64> = values.iter().map(|v| v.to_bits()).collect();
        assert_eq!(bits, PINNED, "the same seed must give the same bits on every machine");
        let mut single = [0f32; 4];
        Initializer::GlorotNormal.fill(7, "layer.weight", &[2, 2], &mut single).unwrap();
        assert!(single.iter().zip(&values).all(|(s, v)| *s == *v as f32));
        let mut other = [0f64; 4];
        Initializer::GlorotNormal.fill(7, "layer.other", &[2, 2], &mut other).unwrap();
        assert!(other.iter().zip(&values).all(|(o, v)| o != v));
    }

    const PINNED: [u64; 4] =
        [4590681010041029489, 4603482693285335615, 13830376627447555724, 13815051063672323533];

    #[test]
    fn what_is_not_finite_is_refused() {
        for initializer in [
            Initializer::Constant(f64::NAN),
            Initializer::Normal(f64::INFINITY),
            Initializer::Uniform(0.0, f64::NAN),
        ] {
            let refused = initializer.fill(0, "w", &[2], &mut [0f32; 2]);
            assert!(matches!(refused, Err(Error::Parameter { .. })));
        }
    }
}
