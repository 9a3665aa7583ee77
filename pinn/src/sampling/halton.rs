//! Halton's sequence, its digits permuted at random.

use super::mixed;

/// The digits of one coordinate: base b, and for the j-th digit a ↦ (m a + s) mod b.
struct Radix {
    base: u64,
    permutations: Vec<[u64; 2]>,
    /// b^−(j+1).
    places: Vec<f64>,
    /// What the digits from the j-th on amount to where all are zero before the permutation.
    tails: Vec<f64>,
}

/// The sequence of some dimension.
pub struct Halton(Vec<Radix>);

impl Halton {
    /// The sequence whose permutations are made from a key.
    pub fn new(dimension: usize, key: u64) -> Self {
        Self(primes(dimension).into_iter().map(|base| Radix::new(base, key)).collect())
    }

    /// Appends the point `index`, in (0, 1) along each axis.
    pub fn point(&self, index: u64, points: &mut Vec<f64>) {
        points.extend(self.0.iter().map(|radix| radix.inverse(index)));
    }
}

impl Radix {
    fn new(base: u64, key: u64) -> Self {
        let b = base as f64;
        // Digits of any 64-bit index, and as many as a number in double precision has.
        let digits = (64.0 / b.log2()).ceil() as usize;
        let permutation = |j: usize| {
            let hash = mixed(mixed(key ^ base) ^ j as u64);
            // Prime b: every m from 1 to b − 1 permutes.
            [1 + (hash >> 32) % (base - 1), (hash & 0xFFFF_FFFF) % base]
        };
        let permutations: Vec<_> = (0..digits).map(permutation).collect();
        let places: Vec<f64> = (0..digits).map(|j| b.powi(-(j as i32) - 1)).collect();
        let mut tails = vec![0.0; digits + 1];
        for j in (0..digits).rev() {
            tails[j] = tails[j + 1] + permutations[j][1] as f64 * places[j];
        }
        Self { base, permutations, places, tails }
    }

    fn inverse(&self, mut index: u64) -> f64 {
        let (mut sum, mut j) = (0.0, 0);
        while index > 0 {
            let [m, s] = self.permutations[j];
            sum += ((m * (index % self.base) + s) % self.base) as f64 * self.places[j];
            index /= self.base;
            j += 1;
        }
        (sum + self.tails[j]).clamp(f64::EPSILON / 4.0, 1.0 - f64::EPSILON / 2.0)
    }
}

/// The first `n` primes.
fn primes(n: usize) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::with_capacity(n);
    for candidate in 2.. {
        if found.len() == n {
            break;
        }
        if found.iter().take_while(|p| *p * *p <= candidate).all(|p| candidate % p != 0) {
            found.push(candidate);
        }
    }
    found
}
