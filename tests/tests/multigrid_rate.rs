//! Steps of conjugate gradients with multigrid: few, and hardly more on a finer grid.

use resolvent::{Cg, Host, Multigrid, MultigridOptions, Status, Stop};
use resolvent_datasets::{FAMILIES, Family, Parameters, RhsKind};

/// Steps to a relative residual of 1e-8 from x = 0, noise on the right.
fn steps(family: &'static Family, dim: usize, n: usize, seed: u64) -> usize {
    let problem = family.problem(Parameters::new(n).dim(dim).seed(seed)).unwrap();
    let b = problem.rhs(RhsKind::Noise).unwrap();
    let (space, mut x) = (Host::<f64>::new(), vec![0.0; b.len()]);
    let m = Multigrid::<f32>::new(problem.stencil(), MultigridOptions::default()).unwrap();
    let mut cg = Cg::new(&space, b.len(), Stop::rtol(1e-8)).unwrap();
    let report = cg.solve(&space, problem.stencil(), Some(&m), &b, &mut x).unwrap();
    assert_eq!(report.status, Status::Converged, "{} in {dim}-D, n = {n}", family.name);
    report.steps
}

/// A family, its dimension, the most steps it may take, and by how many they may grow from the small to the large grid.
///
/// Every family in every dimension it has must be here. `channels` in 3-D has rough coefficients but no
/// operator-dependent interpolation as in 2-D, and its steps grow until the grid resolves them.
const BOUNDS: [(&str, usize, usize, usize); 15] = [
    ("box", 2, 11, 3),
    ("box", 3, 11, 3),
    ("neumann", 2, 11, 3),
    ("neumann", 3, 11, 3),
    ("smoke", 2, 11, 3),
    ("smoke", 3, 14, 3),
    ("gyroid", 3, 17, 3),
    ("dam", 2, 13, 3),
    ("dam", 3, 17, 3),
    ("spheres", 2, 25, 3),
    ("spheres", 3, 13, 3),
    ("channels", 2, 16, 3),
    ("channels", 3, 38, 9),
    ("aniso", 2, 11, 3),
    ("aniso", 3, 12, 3),
];

fn check(dim: usize, small: usize, large: usize) {
    let mut slow = Vec::new();
    for family in FAMILIES.iter().filter(|f| f.dims.contains(&dim)) {
        for seed in [0, 1] {
            let counts = [steps(family, dim, small, seed), steps(family, dim, large, seed)];
            let (_, _, most, growth) = BOUNDS
                .into_iter()
                .find(|(name, d, _, _)| *name == family.name && *d == dim)
                .unwrap_or_else(|| panic!("{} in {dim}-D has no bound", family.name));
            if counts[0].max(counts[1]) > most || counts[1] > counts[0] + growth {
                slow.push((family.name, seed, counts));
            }
        }
    }
    assert!(slow.is_empty(), "{dim}-D, {small} and {large} cells a side: {slow:?}");
}

#[test]
fn few_steps_in_2d() {
    check(2, 128, 256);
}

#[test]
fn few_steps_in_3d() {
    check(3, 24, 48);
}
