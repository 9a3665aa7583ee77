//! Checksums of arrays that are written in pieces, in any order.
//!
//! The sum over all entries, modulo 2⁶⁴, of mix(bits + (i + 1) · 0x9E3779B97F4A7C15), where i counts the entries of the
//! array in C order, bits are those of the number with zeros before them, and mix is the finaliser of SplitMix64. A
//! piece adds its own terms wherever it lies.
//!
//! # Reference
//! G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
//! doi:10.1145/2660193.2660195.

use super::{Description, ParameterValue, Real};
use crate::Checksum;
use std::ops::Range;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The terms of consecutive entries, the first of which is number `first`.
pub(super) fn of_run<T: Real>(first: u64, values: &[T]) -> u64 {
    let mut place = first.wrapping_add(1).wrapping_mul(GOLDEN);
    let mut sum = 0u64;
    for v in values {
        sum = sum.wrapping_add(mix(v.pattern().wrapping_add(place)));
        place = place.wrapping_add(GOLDEN);
    }
    sum
}

/// The terms of a region of an array.
pub(super) fn of_region<T: Real>(shape: &[usize], region: &[Range<usize>], values: &[T]) -> u64 {
    let Some((last, outer)) = region.split_last() else { return of_run(0, values) };
    if values.is_empty() {
        return 0;
    }
    // Index of the row within the region's outer axes, the last fastest.
    let mut at: Vec<usize> = outer.iter().map(|r| r.start).collect();
    let width = shape[shape.len() - 1] as u64;
    let mut sum = 0u64;
    for row in values.chunks_exact(last.len()) {
        let index = at.iter().zip(shape).fold(0u64, |i, (a, n)| i * *n as u64 + *a as u64);
        sum = sum.wrapping_add(of_run(index * width + last.start as u64, row));
        for d in (0..at.len()).rev() {
            at[d] += 1;
            if at[d] < outer[d].end {
                break;
            }
            at[d] = outer[d].start;
        }
    }
    sum
}

/// Of a file whose fields have these checksums.
pub(super) fn of_description(description: &Description, fields: Vec<(String, u64)>) -> u64 {
    of_file(arrays(description).into_iter().chain(fields).collect())
}

/// The name and the checksum of each coordinate and parameter.
pub(super) fn arrays(description: &Description) -> Vec<(String, u64)> {
    let coordinates = description.axes.iter().flat_map(|a| &a.coordinates);
    let coordinates = coordinates.map(|c| (format!("coordinates/{}", c.name), of_run(0, &c.values)));
    let parameters = description.parameters.iter().map(|p| {
        let sum = match &p.value {
            ParameterValue::Global(v) => of_run(0, &[*v]),
            ParameterValue::PerTrajectory(v) => of_run(0, v),
        };
        (format!("parameters/{}", p.name), sum)
    });
    coordinates.chain(parameters).collect()
}

/// Of a whole file: FNV-1a over the name of each array and the little-endian bytes of its checksum, sorted by name.
pub(super) fn of_file(mut arrays: Vec<(String, u64)>) -> u64 {
    arrays.sort();
    let mut sum = Checksum::new();
    for (name, value) in &arrays {
        sum.bytes(name.as_bytes());
        sum.bytes(&value.to_le_bytes());
    }
    sum.value()
}

/// As it stands in a file.
pub(super) fn text(sum: u64) -> String {
    format!("{sum:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_in_any_order_sum_to_the_whole() {
        let values: Vec<f32> = (0..60).map(|i| i as f32 * 0.37).collect();
        let whole = of_run(0, &values);
        assert_eq!(of_region(&[3, 4, 5], &[0..3, 0..4, 0..5], &values), whole);
        let mut sum = 0u64;
        for (t, y, x) in [(1..3, 0..4, 2..5), (0..1, 0..4, 0..5), (1..3, 1..4, 0..2), (1..3, 0..1, 0..2)] {
            let mut piece = Vec::new();
            for a in t.clone() {
                for b in y.clone() {
                    piece.extend(x.clone().map(|c| values[(a * 4 + b) * 5 + c]));
                }
            }
            sum = sum.wrapping_add(of_region(&[3, 4, 5], &[t, y, x], &piece));
        }
        assert_eq!(sum, whole);
    }

    #[test]
    fn a_changed_or_moved_number_changes_the_sum() {
        let sum = of_run(0, &[1.0f64, 2.0]);
        assert_ne!(of_run(0, &[2.0f64, 1.0]), sum);
        assert_ne!(of_run(0, &[1.0f64, 2.0000000000000004]), sum);
        assert_ne!(of_run(0, &[1.0f32, 2.0]), sum);
        // The first two numbers of SplitMix64 from the seeds 0 and 0: mix(γ) + mix(2γ).
        assert_eq!(of_run(0, &[0.0f64]), 0xe220_a839_7b1d_cdaf);
    }
}
