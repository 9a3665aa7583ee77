//! The method of manufactured solutions: every operator and kind of boundary with a known solution is of order two.

use resolvent::{
    Boundaries, Boundary, Cg, FaceLaplacian, Grid, Host, Multigrid, MultigridOptions, Poisson, Status,
    Stencil, Stop,
};
use resolvent_datasets::manufactured::{Factor, Manufactured};
use resolvent_datasets::{FAMILIES, Parameters, RhsKind};

/// Solves, and returns the errors in the mean square and the largest, after the mean is removed for singular systems.
fn errors(a: &Stencil, b: &[f64], exact: &[f64]) -> [f64; 2] {
    let space = Host::<f64>::new();
    let m = Multigrid::<f64>::new(a, MultigridOptions::default()).unwrap();
    let mut x = vec![0.0; b.len()];
    let mut b = b.to_vec();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    if a.is_singular() {
        // The discrete right-hand side fits up to its own error only.
        let m = mean(&b);
        b.iter_mut().for_each(|v| *v -= m);
    }
    let report =
        Cg::new(&space, b.len(), Stop::rtol(1e-12)).unwrap().solve(&space, a, Some(&m), &b, &mut x).unwrap();
    assert_eq!(report.status, Status::Converged);
    let shift = if a.is_singular() { mean(exact) - mean(&x) } else { 0.0 };
    let errors = || x.iter().zip(exact).map(|(x, e)| (x + shift - e).abs());
    [(errors().map(|e| e * e).sum::<f64>() / b.len() as f64).sqrt(), errors().fold(0.0, f64::max)]
}

#[track_caller]
fn check(name: &str, coarse: [f64; 2], fine: [f64; 2]) {
    for (norm, (c, f)) in ["mean square", "largest"].iter().zip(coarse.into_iter().zip(fine)) {
        let order = (c / f).log2();
        assert!(order >= 1.9, "{name}: order {order:.3} in the {norm} ({c:e}, {f:e})");
    }
}

#[test]
fn every_family_with_a_stated_solution_is_of_order_two() {
    let mut found = 0;
    for family in FAMILIES.iter().filter(|f| f.rhs.contains(&RhsKind::Manufactured)) {
        for &dim in family.dims {
            let at = |n: usize| {
                let problem = family.problem(Parameters::new(n).dim(dim)).unwrap();
                let b = problem.rhs(RhsKind::Manufactured).unwrap();
                errors(problem.stencil(), &b, &problem.exact().unwrap().unwrap())
            };
            let n = if dim == 2 { 32 } else { 24 };
            check(&format!("{} in {dim}-D", family.name), at(n), at(2 * n));
            found += 1;
        }
    }
    assert!(found >= 6, "{found}");
}

/// The same, with a factor of u and of κ that suits a kind of boundary.
fn kinds() -> [(&'static str, [Boundary; 2], Factor, Factor); 6] {
    let node = Boundary::DIRICHLET_NODE;
    [
        ("face values", [Boundary::DIRICHLET; 2], Factor::WAVE, Factor::SWELL),
        ("node values", [node; 2], Factor::WAVE, Factor::ONE),
        ("fluxes", [Boundary::Neumann; 2], Factor::WAVE, Factor::SWELL),
        ("periodic", [Boundary::Periodic; 2], Factor::PERIODIC, Factor::PERIODIC_SWELL),
        ("value and flux", [Boundary::DIRICHLET, Boundary::Neumann], Factor::WAVE, Factor::SWELL),
        ("flux and node", [Boundary::Neumann, node], Factor::WAVE, Factor::ONE),
    ]
}

fn grid(dim: usize, n: usize) -> Grid {
    if dim == 2 { Grid::new_2d(n, n).unwrap() } else { Grid::new_3d(n, n, n).unwrap() }
}

#[test]
fn constant_coefficients_are_of_order_two_at_every_boundary() {
    for dim in [2, 3] {
        for (name, pair, u, _) in kinds() {
            // One dimension has this kind, the others face values; then all have it.
            for all in [false, true] {
                let mut sides: Boundaries = [[Boundary::DIRICHLET; 2]; 3];
                let mut factors = [Factor::WAVE; 3];
                for d in 0..if all { dim } else { 1 } {
                    (sides[d], factors[d]) = (pair, u);
                }
                if dim == 2 {
                    factors[2] = Factor::ONE;
                }
                let u = Manufactured { conductance: [1.0, 2.0, 0.5], ..Manufactured::new(factors) };
                let at = |n: usize| {
                    let (grid, h) = (grid(dim, n), 1.0 / n as f64);
                    let a = Poisson::anisotropic(grid, sides, u.conductance).unwrap().into();
                    errors(&a, &u.right_hand_side(grid, h, &sides).unwrap(), &u.at_centres(grid, h).unwrap())
                };
                let n = if dim == 2 { 32 } else { 16 };
                check(&format!("{name} in {dim}-D, everywhere: {all}"), at(n), at(2 * n));
            }
        }
    }
}

#[test]
fn varying_coefficients_are_of_order_two_at_every_boundary() {
    for dim in [2, 3] {
        for (name, pair, u, kappa) in kinds() {
            let mut sides: Boundaries = [[Boundary::DIRICHLET; 2]; 3];
            (sides[0], sides[dim - 1]) = (pair, pair);
            let mut m = Manufactured::new([
                Factor::WAVE,
                Factor::WAVE,
                if dim == 3 { Factor::WAVE } else { Factor::ONE },
            ]);
            (m.u[0], m.u[dim - 1]) = (u, u);
            (m.kappa[0], m.kappa[dim - 1]) = (kappa, kappa);
            let at = |n: usize| {
                let (grid, h) = (grid(dim, n), 1.0 / n as f64);
                let kappa = m.coefficients(grid, h).unwrap();
                let a = FaceLaplacian::from_cells(grid, &kappa, sides).unwrap().into();
                errors(&a, &m.right_hand_side(grid, h, &sides).unwrap(), &m.at_centres(grid, h).unwrap())
            };
            let n = if dim == 2 { 32 } else { 16 };
            check(&format!("{name} in {dim}-D"), at(n), at(2 * n));
        }
    }
}
