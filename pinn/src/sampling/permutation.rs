//! A random order of things that is not stored.

use super::mixed;

/// Where a permutation of 0..n that is made from a key brings `i` < n: a Feistel network of six rounds over the least even number of
/// bits that holds n − 1, repeated until it comes to less than n.
///
/// # Reference
/// M. Luby, C. Rackoff, How to construct pseudorandom permutations from pseudorandom functions, SIAM Journal on Computing 17
/// (1988), doi:10.1137/0217022; J. Black, P. Rogaway, Ciphers with arbitrary finite domains, CT-RSA (2002),
/// doi:10.1007/3-540-45760-7_9.
pub fn permuted(i: u64, n: u64, key: u64) -> u64 {
    debug_assert!(i < n);
    let half = (u64::BITS - (n - 1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1 << half) - 1;
    let mut at = i;
    loop {
        let (mut left, mut right) = (at >> half, at & mask);
        for round in 0..6 {
            let f = mixed(mixed(key ^ round) ^ right) & mask;
            (left, right) = (right, left ^ f);
        }
        at = left << half | right;
        if at < n {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::permuted;

    #[test]
    fn every_order_is_one_and_places_are_equally_likely() {
        for n in [1, 2, 3, 10, 64, 65, 1000] {
            let mut all: Vec<u64> = (0..n).map(|i| permuted(i, n, 7 * n)).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..n), "{n}");
        }
        let mut counts = [[0u32; 5]; 5];
        for key in 0..5000 {
            (0..5).for_each(|i| counts[i as usize][permuted(i, 5, key) as usize] += 1);
        }
        // Five standard deviations of 1000, √800 each.
        assert!(counts.iter().flatten().all(|c| c.abs_diff(1000) < 142), "{counts:?}");
    }
}
