//! Random numbers for training, whose state is four integers.

use super::checkpoint::{Checkpoint, State};
use crate::{Error, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers, the same on every machine, that can be saved at any position and resumed there: ChaCha8
/// keyed by a seed, with the hash of a name as its stream, so that two uses of one seed are independent.
///
/// Uniforms are the upper 53 bits of a 64-bit word, plus ½, times 2⁻⁵³. A normal takes two of them, by Box and Muller's formula
/// with the logarithm and cosine of the `libm` crate.
///
/// ```
/// use resolvent::learn::Random;
/// let mut order = Random::new(7, "order");
/// let mut indices: Vec<u32> = (0..10).collect();
/// order.shuffle(&mut indices);
/// let (state, next) = (order.position(), order.uniform());
/// let mut again = Random::at(7, "order", state);
/// assert_eq!(again.uniform(), next);
/// ```
///
/// # Reference
/// D. J. Bernstein, *ChaCha, a variant of Salsa20*, 2008; G. E. P. Box, M. E. Muller, *A note on the generation of random
/// normal deviates*, Ann. Math. Statist. 29 (1958), 10.1214/aoms/1177706645.
#[derive(Clone, Debug)]
pub struct Random {
    seed: u64,
    generator: ChaCha8Rng,
}

impl Random {
    /// The stream of a seed and a name, at its beginning.
    pub fn new(seed: u64, name: &str) -> Self {
        Self::of_stream(seed, hash(name), 0)
    }

    /// The stream of a seed and a name after `position` words, as [`position`](Self::position) told it.
    pub fn at(seed: u64, name: &str, position: u128) -> Self {
        Self::of_stream(seed, hash(name), position)
    }

    fn of_stream(seed: u64, stream: u64, position: u128) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        generator.set_word_pos(position);
        Self { seed, generator }
    }

    /// 32-bit words drawn so far.
    pub fn position(&self) -> u128 {
        self.generator.get_word_pos()
    }

    /// The generator itself, for the distributions of `rand_distr`.
    pub fn generator(&mut self) -> &mut ChaCha8Rng {
        &mut self.generator
    }

    /// Uniform in (0, 1): never an end.
    pub fn uniform(&mut self) -> f64 {
        ((self.generator.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// Normal with mean 0 and variance 1.
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
    }

    /// An integer from 0 to `n` − 1, each as likely; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // Lemire's multiplication; the few words that would favour some results are drawn again.
        let least = if n == 0 { 0 } else { n.wrapping_neg() % n };
        loop {
            let product = u128::from(self.generator.next_u64()) * u128::from(n);
            if product as u64 >= least {
                return (product >> 64) as u64;
            }
        }
    }

    /// Brings the entries into a random order, each order as likely (Fisher and Yates).
    pub fn shuffle<V>(&mut self, values: &mut [V]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

impl State for Random {
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        let position = self.position();
        let words = [self.seed, self.generator.get_stream(), position as u64, (position >> 64) as u64];
        checkpoint.put_integers(name, &words);
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let words: [u64; 4] = checkpoint.take_integers(name, 4)?.try_into().unwrap_or_default();
        let [seed, stream, low, high] = words;
        if stream != self.generator.get_stream() || high >> 4 != 0 {
            let why = format!("`{name}` is the state of another random stream");
            return Err(Error::Checkpoint { path: checkpoint.path().into(), why });
        }
        *self = Self::of_stream(seed, stream, u128::from(low) | u128::from(high) << 64);
        Ok(())
    }
}

/// FNV-1a.
pub(super) fn hash(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let (mut random, n) = (Random::new(1, "moments"), 100_000);
        let normals: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let moment = |k: i32| normals.iter().map(|v| v.powi(k)).sum::<f64>() / f64::from(n);
        // Five standard errors: √(1/n), √(2/n), √(15/n), √(96/n).
        assert!(moment(1).abs() < 0.0159 && (moment(2) - 1.0).abs() < 0.0224);
        assert!(moment(3).abs() < 0.0613 && (moment(4) - 3.0).abs() < 0.155);
        let mut bins = [0u32; 7];
        (0..70_000).for_each(|_| bins[random.below(7) as usize] += 1);
        assert!(bins.iter().all(|b| b.abs_diff(10_000) < 463), "{bins:?}");
        assert_eq!((random.below(1), random.below(0)), (0, 0));
    }

    #[test]
    fn orders_are_equally_likely() {
        let (mut random, mut counts) = (Random::new(2, "orders"), std::collections::BTreeMap::new());
        for _ in 0..12_000 {
            let mut order = [0, 1, 2];
            random.shuffle(&mut order);
            *counts.entry(order).or_insert(0u32) += 1;
        }
        // Five standard deviations of 2000.
        assert!(counts.len() == 6 && counts.values().all(|c| c.abs_diff(2000) < 205), "{counts:?}");
    }

    #[test]
    fn names_make_streams_and_positions_resume() {
        let (mut a, mut b) = (Random::new(3, "noise"), Random::new(3, "order"));
        assert_ne!(a.uniform(), b.uniform());
        let _ = a.generator().next_u32();
        let mut again = Random::at(3, "noise", a.position());
        assert!((0..100).all(|_| a.normal() == again.normal()));
    }
}
