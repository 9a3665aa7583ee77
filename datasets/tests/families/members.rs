//! Members of the families.

use resolvent_datasets::{FAMILIES, Family, Parameters, Problem};

/// A member, seed 0.
pub fn problem(name: &str, n: usize, dim: usize) -> Problem {
    Family::named(name).unwrap().problem(Parameters::new(n).dim(dim)).unwrap()
}

/// Every family in every dimension, at frame 0 and, where it moves, 5.
pub fn members() -> Vec<(&'static Family, usize, u32)> {
    let mut all = Vec::new();
    for family in &FAMILIES {
        for dim in family.dims {
            all.push((family, *dim, 0));
            if family.moves {
                all.push((family, *dim, 5));
            }
        }
    }
    all
}
