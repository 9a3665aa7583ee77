//! Random numbers that are the same on every machine.
//!
//! * Integers: SplitMix64 used by position. Number `i` of a stream with key `k` is `mix(k + (i + 1) γ)` with
//!   γ = 0x9E3779B97F4A7C15, so any entry can be had without those before it, by any thread.
//! * Streams: the key is `mix(seed ⊕ h)`, where h is the FNV-1a hash of the stream's name, so that two uses of one seed
//!   are independent.
//! * Uniforms: the upper 53 bits, plus ½, times 2⁻⁵³: in (0, 1), never an end.
//! * Normals: Box–Muller. Normal `i` is √(−2 ln u₂ᵢ) cos(2π u₂ᵢ₊₁). The logarithm and the cosine are those of the `libm`
//!   crate, which are written with additions and multiplications alone, so that their last bit does not depend on the
//!   platform's mathematics library.
//!
//! # Reference
//! G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
//! doi:10.1145/2660193.2660195.
//! G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates", Ann. Math. Statist. 29 (1958),
//! doi:10.1214/aoms/1177706645.

use crate::checksum::Checksum;

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// A sequence of random numbers that can be read at any position.
///
/// ```
/// use resolvent_datasets::random::Stream;
/// let stream = Stream::new(7, "example");
/// assert_eq!(stream.integer(3), Stream::new(7, "example").integer(3));
/// assert_ne!(stream.integer(3), Stream::new(8, "example").integer(3));
/// assert!((0.0..1.0).contains(&stream.uniform(0)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// The stream of a seed and a name.
    pub fn new(seed: u64, name: &str) -> Self {
        Self { key: mix(seed ^ Checksum::of_bytes(name.as_bytes())) }
    }

    /// Number `i`: 64 random bits.
    #[inline]
    pub fn integer(self, i: u64) -> u64 {
        mix(self.key.wrapping_add(i.wrapping_add(1).wrapping_mul(GAMMA)))
    }

    /// Number `i`, uniform in (0, 1).
    #[inline]
    pub fn uniform(self, i: u64) -> f64 {
        ((self.integer(i) >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// Number `i`, uniform between `low` and `high`.
    #[inline]
    pub fn between(self, i: u64, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform(i)
    }

    /// Number `i`, normal with mean 0 and variance 1. It uses integers 2i and 2i + 1.
    #[inline]
    pub fn normal(self, i: u64) -> f64 {
        let (u, v) = (self.uniform(2 * i), self.uniform(2 * i + 1));
        (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
    }
}

/// The finaliser of SplitMix64.
#[inline]
fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_by_position_is_split_mix_64() {
        // The published sequence for a state of 1234567.
        let stream = Stream { key: 1_234_567 };
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(std::array::from_fn(|i| stream.integer(i as u64)), expected);
    }

    #[test]
    fn normals_have_the_moments_of_a_normal() {
        let stream = Stream::new(1, "moments");
        let n = 200_000;
        let moment = |k: i32| (0..n).map(|i| stream.normal(i).powi(k)).sum::<f64>() / n as f64;
        // Five standard errors: √(1/n), √(2/n), √(15/n), √(96/n).
        assert!(moment(1).abs() < 0.0112);
        assert!((moment(2) - 1.0).abs() < 0.0159);
        assert!(moment(3).abs() < 0.0434);
        assert!((moment(4) - 3.0).abs() < 0.11);
    }

    #[test]
    fn uniforms_fill_the_open_interval_evenly() {
        let stream = Stream::new(2, "bins");
        let mut bins = [0u32; 16];
        for i in 0..160_000 {
            let u = stream.uniform(i);
            assert!(u > 0.0 && u < 1.0);
            bins[(u * 16.0) as usize] += 1;
        }
        // Five standard deviations of a bin's count.
        assert!(bins.iter().all(|b| b.abs_diff(10_000) < 485), "{bins:?}");
    }
}
