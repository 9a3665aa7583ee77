//! Sobol's sequence, scrambled.

use super::mixed;
use sobol_burley::parts::{owen_scramble_rev, sobol_rev};

/// Points after which a new scrambling begins, as a power of two: what the table of directions has.
const LENGTH: u32 = 16;

/// A coordinate of the point `index`, in (0, 1). Its 32 upper bits are those of the scrambled sequence; the 21 below, which
/// nested scrambling leaves independent and uniform, are a hash.
pub fn number(index: u64, axis: u32, key: u64) -> f64 {
    let within = index as u32 & ((1 << LENGTH) - 1);
    let key = mixed(mixed(key ^ (index >> LENGTH)) ^ u64::from(axis));
    let upper = owen_scramble_rev(sobol_rev(within.reverse_bits(), axis), (key >> 32) as u32).reverse_bits();
    let lower = mixed(key ^ u64::from(within)) >> 43;
    ((u64::from(upper) << 21 | lower) as f64 + 0.5).min((1u64 << 53) as f64 - 1.0)
        * (1.0 / (1u64 << 53) as f64)
}
