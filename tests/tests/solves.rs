//! Whole solves: what must not change their outcome, and what is on the edge of what can be solved.

use resolvent::{
    Boundary, Cell, Cg, Csr, FaceLaplacian, FlagLaplacian, Grid, Host, LinearOperator, Map, Multigrid,
    MultigridOptions, Poisson, Positivity, Properties, Report, Status, Stencil, Stop,
};
use resolvent_datasets::{FAMILIES, Family, Parameters, RhsKind};
use resolvent_tests::cases::cases;
use resolvent_tests::plain::{self, Dense};
use resolvent_tests::{noise, spectrum};

fn solve(
    a: &dyn LinearOperator<Host<f64>>,
    m: Option<&dyn LinearOperator<Host<f64>>>,
    b: &[f64],
    x: &mut [f64],
    rtol: f64,
) -> Report {
    let space = Host::<f64>::new();
    Cg::new(&space, b.len(), Stop::rtol(rtol)).unwrap().solve(&space, a, m, b, x).unwrap()
}

fn multigrid(a: &Stencil) -> Multigrid<f32> {
    Multigrid::new(a, MultigridOptions::default()).unwrap()
}

/// ‖b − Ax‖₂ by the plain reference of a case's dense matrix.
fn residual(a: &plain::Laplacian, x: &[f64], b: &[f64]) -> f64 {
    let r: Vec<f64> = b.iter().zip(a.apply(x).0).map(|(b, y)| b - y).collect();
    plain::norm(&r)
}

/// A right-hand side in the range: A times noise, by plain loops.
fn consistent(a: &plain::Laplacian) -> Vec<f64> {
    a.apply(&noise::<f64>(a.grid.cells(), 21)).0
}

#[test]
fn every_case_is_solved_with_multigrid_and_the_plain_residual_agrees() {
    let mut solved = 0;
    for case in cases() {
        let (a, cells) = (&case.stencil, case.plain.grid.cells());
        if case.is_periodic() && cells > 300 {
            continue;
        }
        let (b, mut x) = (consistent(&case.plain), vec![0.0; cells]);
        let report = solve(a, Some(&multigrid(a)), &b, &mut x, 1e-8);
        assert_eq!(report.status, Status::Converged, "{}: {report:?}", case.name);
        let residual = residual(&case.plain, &x, &b);
        assert!(
            residual <= report.target * (1.0 + 1e-6) + 1e-14 * plain::norm(&b),
            "{}: {residual:e}",
            case.name
        );
        assert!(report.steps <= 120, "{}: {} steps", case.name, report.steps);
        solved += 1;
    }
    assert!(solved > 800, "{solved}");
}

#[test]
fn conjugate_gradients_run_on_any_space() {
    let (host, other) = (Host::<f64>::new(), plain::Space::<f64>::new());
    for family in FAMILIES.iter().filter(|f| f.name != "neumann") {
        let problem = family.problem(Parameters::new(8)).unwrap();
        let (matrix, _) = problem.stencil().to_csr().unwrap();
        let dense = Dense::from_csr(&matrix);
        let b = noise::<f64>(matrix.rows(), 1);
        let (mut x, mut y) = (vec![0.0; b.len()], vec![0.0; b.len()]);
        let on_host = Cg::new(&host, b.len(), Stop::rtol(1e-10)).unwrap();
        let on_plain = Cg::new(&other, b.len(), Stop::rtol(1e-10)).unwrap();
        let (mut on_host, mut on_plain) = (on_host, on_plain);
        let first = on_host.solve(&host, &matrix, None, &b, &mut x).unwrap();
        let second = on_plain.solve(&other, &dense, None, &b, &mut y).unwrap();
        assert_eq!((first.status, second.status), (Status::Converged, Status::Converged), "{}", family.name);
        assert!(
            first.steps.abs_diff(second.steps) <= 2 + first.steps / 20,
            "{}: {} {}",
            family.name,
            first.steps,
            second.steps
        );
        let difference: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        assert!(plain::norm(&difference) <= 1e-6 * plain::norm(&x), "{}", family.name);
        // The first residuals, before rounding parts the two.
        for (h, p) in on_host.history().iter().zip(on_plain.history()).take(5) {
            assert!((h - p).abs() <= 1e-10 * h, "{}: {h:e} {p:e}", family.name);
        }
    }
}

#[test]
fn conjugate_gradients_run_in_single_precision_on_any_space() {
    let rows: Vec<Vec<f32>> = (0..30)
        .map(|r| {
            (0..30)
                .map(|c: i32| {
                    if c == r {
                        3.0
                    } else if c.abs_diff(r) == 1 {
                        -1.0
                    } else {
                        0.0
                    }
                })
                .collect()
        })
        .collect();
    let (space, dense, b) =
        (plain::Space::<f32>::new(), Dense::new(rows, Properties::SPD), noise::<f32>(30, 1));
    let mut x = vec![0.0f32; 30];
    let report = Cg::unpreconditioned(&space, 30, Stop::rtol(1e-5))
        .unwrap()
        .solve(&space, &dense, None, &b, &mut x)
        .unwrap();
    assert_eq!(report.status, Status::Converged);
    let r: Vec<f64> = dense.times(&x).iter().zip(&b).map(|(y, b)| f64::from(*b) - y).collect();
    assert!(plain::norm(&r) <= 1.01e-5 * plain::norm(&b));
}

#[test]
fn the_solution_as_a_start_takes_no_step() {
    for family in &FAMILIES {
        let problem = family.problem(Parameters::new(16)).unwrap();
        let (a, b) = (problem.stencil(), problem.rhs(RhsKind::Noise).unwrap());
        let (m, mut x) = (multigrid(a), vec![0.0; b.len()]);
        assert_eq!(solve(a, Some(&m), &b, &mut x, 1e-10).status, Status::Converged, "{}", family.name);
        let start = x.clone();
        let report = solve(a, Some(&m), &b, &mut x, 1e-8);
        assert_eq!((report.status, report.steps), (Status::Converged, 0), "{}", family.name);
        let moved: Vec<f64> = x.iter().zip(&start).map(|(x, s)| x - s).collect();
        assert!(plain::norm(&moved) <= 1e-13 * plain::norm(&start), "{}", family.name);
        let none = solve(a, Some(&m), &vec![0.0; b.len()], &mut x, 1e-8);
        assert_eq!(
            (none.status, none.steps, plain::norm(&x)),
            (Status::Converged, 0, 0.0),
            "{}",
            family.name
        );
    }
}

#[test]
fn the_scale_of_b_changes_no_step() {
    for name in ["box", "spheres", "neumann", "channels"] {
        let problem = Family::named(name).unwrap().problem(Parameters::new(24).dim(3)).unwrap();
        let (a, b) = (problem.stencil(), problem.rhs(RhsKind::Noise).unwrap());
        let m = multigrid(a);
        let steps = |scale: f64| {
            let b: Vec<f64> = b.iter().map(|v| v * scale).collect();
            let report = solve(a, Some(&m), &b, &mut vec![0.0; b.len()], 1e-8);
            assert_eq!(report.status, Status::Converged, "{name}, b times {scale:e}");
            report.steps
        };
        let one = steps(1.0);
        for scale in [1e-12, 1e12, 1e-30, 1e30, 1e-60, 1e60] {
            assert!(steps(scale).abs_diff(one) <= 1, "{name}, b times {scale:e}: {} {one}", steps(scale));
        }
    }
}

#[test]
fn the_scale_of_the_operator_changes_no_step() {
    let grid = Grid::new_3d(24, 23, 20).unwrap();
    let sides = [[Boundary::DIRICHLET; 2]; 3];
    let kappa: Vec<f64> = noise::<f64>(grid.cells(), 1).iter().map(|v| v.exp()).collect();
    let b = noise::<f64>(grid.cells(), 2);
    let steps = |scale: f64| -> [usize; 3] {
        let scaled: Vec<f64> = kappa.iter().map(|k| k * scale).collect();
        let faces: Stencil = FaceLaplacian::from_cells(grid, &scaled, sides).unwrap().into();
        let constant: Stencil = Poisson::anisotropic(grid, sides, [scale; 3]).unwrap().into();
        let (matrix, _) = faces.to_csr().unwrap();
        let run = |a: &dyn LinearOperator<Host<f64>>, m: Option<&dyn LinearOperator<Host<f64>>>| {
            let report = solve(a, m, &b, &mut vec![0.0; b.len()], 1e-8);
            assert_eq!(report.status, Status::Converged, "scale {scale:e}");
            report.steps
        };
        let (m, n) = (multigrid(&faces), multigrid(&constant));
        [run(&faces, Some(&m)), run(&constant, Some(&n)), run(&matrix, None)]
    };
    let one = steps(1.0);
    // A power of two changes no rounding.
    assert_eq!(steps(2f64.powi(40)), one);
    assert_eq!(steps(2f64.powi(-40)), one);
    for scale in [1e-12, 1e12] {
        let other = steps(scale);
        // Without a preconditioner many steps let the rounding of the coefficients show.
        assert!(
            (0..3).all(|i| other[i].abs_diff(one[i]) <= 1 + one[i] / 50),
            "scale {scale:e}: {other:?}, not {one:?}"
        );
    }
}

#[test]
fn the_order_of_unknowns_changes_no_solution() {
    let problem = Family::named("spheres").unwrap().problem(Parameters::new(14)).unwrap();
    let (a, _) = problem.stencil().to_csr().unwrap();
    let n = a.rows();
    // A stride without a common divisor visits every unknown once.
    let stride = (n / 3..).find(|s| gcd(*s, n) == 1).unwrap();
    let place: Vec<u32> = (0..n).map(|i| (i * stride % n) as u32).collect();
    let entries: Vec<_> = (0..n)
        .flat_map(|r| {
            let (c, v) = a.row(r);
            c.iter().zip(v).map(move |(c, v)| (r, *c, *v)).collect::<Vec<_>>()
        })
        .map(|(r, c, v)| (place[r], place[c as usize], v))
        .collect();
    let other = Csr::from_triplets(n, n, &entries).unwrap().checked_symmetric(0.0);
    assert!(other.properties().symmetric);
    let other = other.assume(Properties::SPD);
    let b = noise::<f64>(n, 4);
    let mut moved = vec![0.0; n];
    (0..n).for_each(|i| moved[place[i] as usize] = b[i]);
    let (mut x, mut y) = (vec![0.0; n], vec![0.0; n]);
    let first = solve(&a, None, &b, &mut x, 1e-10);
    let second = solve(&other, None, &moved, &mut y, 1e-10);
    assert_eq!((first.status, second.status), (Status::Converged, Status::Converged));
    assert!(first.steps.abs_diff(second.steps) <= 2);
    let difference: Vec<f64> = (0..n).map(|i| x[i] - y[place[i] as usize]).collect();
    assert!(plain::norm(&difference) <= 1e-7 * plain::norm(&x));
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn a_periodic_box_is_solved_up_to_a_constant() {
    for grid in [Grid::new_2d(16, 24).unwrap(), Grid::new_3d(8, 16, 12).unwrap(), Grid::new_2d(7, 9).unwrap()]
    {
        let sides = [[Boundary::Periodic; 2]; 3];
        let a: Stencil = Poisson::new(grid, sides).unwrap().into();
        assert_eq!(a.properties().positivity, Positivity::Semidefinite);
        let plain = plain::Laplacian { grid, sides, coefficients: plain::Coefficients::Constant([1.0; 3]) };
        let exact = {
            let mut u = noise::<f64>(grid.cells(), 7);
            let mean = u.iter().sum::<f64>() / u.len() as f64;
            u.iter_mut().for_each(|v| *v -= mean);
            u
        };
        let b = plain.apply(&exact).0;
        let mut x = vec![3.0; grid.cells()];
        let report = solve(&a, Some(&multigrid(&a)), &b, &mut x, 1e-12);
        assert_eq!(report.status, Status::Converged);
        let error: Vec<f64> = x.iter().zip(&exact).map(|(x, u)| x - u).collect();
        assert!(plain::norm(&error) <= 1e-9 * plain::norm(&exact), "{grid:?}: {:e}", plain::norm(&error));
        let shifted: Vec<f64> = b.iter().map(|v| v + 0.5).collect();
        let report = solve(&a, None, &shifted, &mut x, 1e-8);
        let Status::Inconsistent { outside } = report.status else { panic!("{report:?}") };
        assert!((outside - 0.5 * (grid.cells() as f64).sqrt()).abs() < 1e-9);
    }
}

#[test]
fn lines_of_cells_are_solved_in_any_direction() {
    for n in [1, 2, 3, 50, 301, 1000] {
        let grids = [
            Grid::new_2d(n, 1),
            Grid::new_2d(1, n),
            Grid::new_3d(n, 1, 1),
            Grid::new_3d(1, n, 1),
            Grid::new_3d(1, 1, n),
        ];
        let b = noise::<f64>(n, 8);
        for grid in grids.map(Result::unwrap) {
            let along = (0..grid.dim()).find(|d| grid.n()[*d] == n).unwrap();
            let mut sides = [[Boundary::Neumann; 2]; 3];
            sides[along] = [Boundary::DIRICHLET, Boundary::Neumann];
            // Tridiagonal: twice the sums of b give u, first the fluxes, then the values.
            let mut flux: Vec<f64> = vec![0.0; n + 1];
            (0..n).rev().for_each(|i| flux[i] = flux[i + 1] + b[i]);
            let mut exact = vec![flux[0] / 2.0; n];
            (1..n).for_each(|i| exact[i] = exact[i - 1] + flux[i]);
            let a: Stencil = Poisson::new(grid, sides).unwrap().into();
            let cells: Stencil = FlagLaplacian::new(grid, &vec![Cell::Fluid; n], sides).unwrap().into();
            let faces: Stencil = FaceLaplacian::from_cells(grid, &vec![1.0; n], sides).unwrap().into();
            for a in [a, cells, faces] {
                let mut x = vec![0.0; n];
                let report = solve(&a, Some(&multigrid(&a)), &b, &mut x, 1e-10);
                assert_eq!(report.status, Status::Converged, "{grid:?}: {report:?}");
                let error: Vec<f64> = x.iter().zip(&exact).map(|(x, u)| x - u).collect();
                let relative = plain::norm(&error) / plain::norm(&exact);
                assert!(relative <= 1e-5, "{grid:?}: off by {relative:e} in {} steps", report.steps);
            }
        }
    }
}

#[test]
fn a_single_cell_is_solved_or_known_to_be_singular() {
    let walls = [[Boundary::Neumann; 2]; 3];
    for grid in [Grid::new_2d(1, 1).unwrap(), Grid::new_3d(1, 1, 1).unwrap()] {
        let a: Stencil = Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap().into();
        let mut x = [0.0];
        let report = solve(&a, Some(&multigrid(&a)), &[6.0], &mut x, 1e-8);
        assert_eq!(report.status, Status::Converged);
        assert_eq!(x[0], 6.0 / (4.0 * grid.dim() as f64));
        let a: Stencil = Poisson::new(grid, walls).unwrap().into();
        let report = solve(&a, Some(&multigrid(&a)), &[6.0], &mut x, 1e-8);
        assert_eq!(report.status, Status::Inconsistent { outside: 6.0 });
        let a: Stencil = FlagLaplacian::new(grid, &[Cell::Solid], walls).unwrap().into();
        let report = solve(&a, Some(&multigrid(&a)), &[6.0], &mut x, 1e-8);
        assert_eq!(report.status, Status::Inconsistent { outside: 6.0 });
        let report = solve(&a, Some(&multigrid(&a)), &[0.0], &mut x, 1e-8);
        assert_eq!((report.status, x[0]), (Status::Converged, 0.0));
    }
}

/// Fewer steps than the bound of Chebyshev for the spectrum of MA would be too many.
#[test]
fn multigrid_clusters_the_spectrum() {
    let problem = Family::named("spheres").unwrap().problem(Parameters::new(20).dim(2)).unwrap();
    let a = problem.stencil();
    let m = Multigrid::<f64>::new(a, MultigridOptions::default()).unwrap();
    let (ma, ml) = (spectrum::matrix::<f64>(a), spectrum::matrix::<f64>(&m));
    // Eigenvalues of LᵀAL with M = LLᵀ on the cells that take part are those of MA.
    let cells: Vec<usize> = (0..a.grid().cells()).filter(|c| a.is_active(*c)).collect();
    let pick =
        |m: &faer::Mat<f64>| faer::Mat::from_fn(cells.len(), cells.len(), |r, c| m[(cells[r], cells[c])]);
    let l = pick(&ml).llt(faer::Side::Lower).unwrap().L().to_owned();
    let eigenvalues = spectrum::eigenvalues(&(l.transpose() * pick(&ma) * &l));
    let (low, high) = (eigenvalues[0], eigenvalues[eigenvalues.len() - 1]);
    assert!(low > 0.2 && high < 1.5, "{low} to {high}");
}
