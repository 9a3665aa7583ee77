//! A whole solve has the same bits for any number of threads.

use resolvent::direction::{Architecture, Dcdm, Model};
use resolvent::{
    Boundary, Cg, Csr, FlexibleCg, Grid, Host, Hybrid, LinearOperator, Multigrid, MultigridOptions, Poisson,
    Price, Report, Scalar, Status, Stencil, Stop,
};
use resolvent_datasets::{Family, Parameters, RhsKind};
use resolvent_tests::noise;

/// The solution, the history and the counts, as bits. Wall time is left out.
type Bits = (Vec<u64>, Vec<u64>, usize, u64);

fn bits<T: Scalar>(report: &Report, x: &[T], history: &[f64]) -> Bits {
    let of = |v: f64| v.to_bits();
    (
        x.iter().map(|v| of(v.f64())).collect(),
        history.iter().copied().map(of).collect(),
        report.steps,
        of(report.true_residual),
    )
}

/// Runs `f` in pools of 1, 2, 4 and 8 threads and compares.
fn same_on_any_pool(name: &str, f: impl Fn() -> Bits + Send + Sync) {
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&f);
    let one = on(1);
    assert!(one.0.iter().any(|b| *b != 0), "{name}: the solution is 0");
    for threads in [2, 4, 8] {
        let many = on(threads);
        assert_eq!(one.2, many.2, "{name}: steps on {threads} threads");
        assert!(one == many, "{name}: other bits on {threads} threads");
    }
}

#[test]
fn conjugate_gradients_with_multigrid() {
    let problems = [
        ("box", 3, 32),
        ("box", 3, 72),
        ("box", 2, 160),
        ("aniso", 3, 24),
        ("neumann", 3, 24),
        ("spheres", 3, 33),
        ("gyroid", 3, 32),
        ("smoke", 3, 24),
        ("dam", 2, 96),
        ("spheres", 2, 130),
        ("channels", 2, 129),
        ("channels", 2, 160),
        ("channels", 3, 24),
    ];
    for (name, dim, n) in problems {
        let problem = Family::named(name).unwrap().problem(Parameters::new(n).dim(dim)).unwrap();
        let b = problem.rhs(RhsKind::Noise).unwrap();
        same_on_any_pool(&format!("{name} in {dim}-D, n = {n}"), || {
            let space = Host::<f64>::new();
            let m = Multigrid::<f32>::new(problem.stencil(), MultigridOptions::default()).unwrap();
            let mut cg = Cg::new(&space, b.len(), Stop::default()).unwrap();
            let mut x = vec![0.0; b.len()];
            let report = cg.solve(&space, problem.stencil(), Some(&m), &b, &mut x).unwrap();
            assert_eq!(report.status, Status::Converged);
            bits(&report, &x, cg.history())
        });
    }
}

/// Tiles of planes that meet across the ends, for every way in which the slowest dimension can be closed.
#[test]
fn a_cycle_between_any_sides() {
    use Boundary::{Neumann, Periodic};
    for (name, ends) in [
        ("periodic", [Periodic; 2]),
        ("Neumann", [Neumann; 2]),
        ("mixed", [Boundary::DIRICHLET_NODE, Neumann]),
    ] {
        let grid = Grid::new_3d(20, 24, 96).unwrap();
        let sides = [[Boundary::DIRICHLET; 2], [Periodic; 2], ends];
        let a = Stencil::from(Poisson::new(grid, sides).unwrap());
        let r = noise::<f64>(grid.cells(), 7);
        same_on_any_pool(name, || {
            let m = Multigrid::<f32>::new(&a, MultigridOptions::default()).unwrap();
            let mut z = vec![f64::NAN; r.len()];
            let product = m.apply_dot(&Host::new(), &r, &mut z).unwrap();
            (z.iter().map(|v| v.to_bits()).collect(), Vec::new(), 1, product.to_bits())
        });
    }
}

#[test]
fn conjugate_gradients_on_a_matrix() {
    let problem = Family::named("gyroid").unwrap().problem(Parameters::new(40)).unwrap();
    let (matrix, _) = problem.stencil().to_csr().unwrap();
    let single: Vec<f32> = matrix.values().iter().map(|v| *v as f32).collect();
    let single =
        Csr::new(matrix.rows(), matrix.cols(), matrix.offsets().to_vec(), matrix.columns().to_vec(), single)
            .unwrap()
            .assume(resolvent::Properties::SPD);
    let b = noise::<f64>(matrix.rows(), 3);
    same_on_any_pool("Csr in f64", || {
        let (space, mut x) = (Host::<f64>::new(), vec![0.0; b.len()]);
        let mut cg = Cg::unpreconditioned(&space, b.len(), Stop::rtol(1e-6)).unwrap();
        let report = cg.solve(&space, &matrix, None, &b, &mut x).unwrap();
        bits(&report, &x, cg.history())
    });
    let b = noise::<f32>(matrix.rows(), 3);
    same_on_any_pool("Csr in f32", || {
        let (space, mut x) = (Host::<f32>::new(), vec![0.0; b.len()]);
        let mut cg = Cg::unpreconditioned(&space, b.len(), Stop::rtol(1e-4)).unwrap();
        let report = cg.solve(&space, &single, None, &b, &mut x).unwrap();
        bits(&report, &x, cg.history())
    });
}

#[test]
fn directions_of_a_network() {
    for (dim, n) in [(2, 70), (3, 22)] {
        let problem = Family::named("smoke").unwrap().problem(Parameters::new(n).dim(dim)).unwrap();
        let b = problem.rhs(RhsKind::Noise).unwrap();
        let model = Model::new(Architecture::Dcdm(Dcdm::small(dim)), 1).unwrap();
        same_on_any_pool(&format!("directions in {dim}-D"), || {
            let space = Host::<f64>::new();
            let network = model.on(problem.stencil()).unwrap();
            let mut cg =
                FlexibleCg::with_memory(&space, b.len(), Stop { max_steps: 12, ..Stop::default() }, 2)
                    .unwrap();
            let mut x = vec![0.0; b.len()];
            let report = cg.solve(&space, problem.stencil(), Some(&network), &b, &mut x).unwrap();
            bits(&report, &x, cg.history())
        });
    }
}

#[test]
fn a_hybrid_whose_price_is_given() {
    let problem = Family::named("smoke").unwrap().problem(Parameters::new(40)).unwrap();
    let b = problem.rhs(RhsKind::Noise).unwrap();
    let model = Model::new(Architecture::Dcdm(Dcdm::small(3)), 1).unwrap();
    for price in [0.0, 0.1] {
        same_on_any_pool(&format!("hybrid at a price of {price}"), || {
            let space = Host::<f64>::new();
            let (a, network) = (problem.stencil(), model.on(problem.stencil()).unwrap());
            let m = Multigrid::<f32>::new(a, MultigridOptions::default()).unwrap();
            let mut hybrid = Hybrid::new(&space, b.len(), Stop::default(), Price::Given(price)).unwrap();
            let mut x = vec![0.0; b.len()];
            let report = hybrid.solve(&space, a, Some(&m), Some(&network), &b, &mut x).unwrap();
            assert!(report.asked > 0);
            bits(&report, &x, hybrid.history())
        });
    }
}
