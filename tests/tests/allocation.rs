//! After set-up and one solve, solving again allocates nothing.
//!
//! One test, since the counter sees the whole process.

use resolvent::direction::{Architecture, Dcdm, Model};
use resolvent::fixed_point::Iteration;
use resolvent::graph::{Equilibrium, EquilibriumOptions, Graphs, Monotone};
use resolvent::{
    Bicgstab, BlockCg, Boundary, Cg, DeflatedCg, Fgmres, FixedPoint, FixedPointOptions, FlexibleCg, Gmres,
    Grid, Host, Hybrid, LinearOperator, Lsqr, Map, Minres, Multigrid, MultigridOptions, Operator, Poisson,
    Price, Sequence, SequenceOptions, Shape, Space, Status, Stop,
};
use resolvent_datasets::{Family, Parameters, Problem, RhsKind};
use resolvent_tests::counting::{Counting, allocations};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of a second solve, and its steps.
fn second_solve(
    a: &dyn LinearOperator<Host<f64>>,
    m: Option<&dyn LinearOperator<Host<f64>>>,
    b: &[f64],
) -> [usize; 2] {
    let space = Host::<f64>::new();
    let mut cg = Cg::new(&space, b.len(), Stop { max_steps: 30, ..Stop::default() }).unwrap();
    let mut x = vec![0.0; b.len()];
    let mut solve = |x: &mut [f64]| {
        let report = cg.solve(&space, a, m, b, x).unwrap();
        assert!(matches!(report.status, Status::Converged | Status::MaxSteps));
        assert!(report.steps > 3);
    };
    solve(&mut x);
    x.fill(0.0);
    allocations(|| solve(&mut x))
}

/// A step of descent, x + 0.08 (b − Ax).
struct Descent<'a>(&'a dyn LinearOperator<Host<f64>>, &'a [f64]);

impl Map for Descent<'_> {
    fn shape(&self) -> Shape {
        self.0.shape()
    }
}

impl Operator<Host<f64>> for Descent<'_> {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> resolvent::Result<()> {
        self.0.apply(space, x, y)?;
        space.axpby(0.08, self.1, -0.08, y)?;
        space.axpby(1.0, x, 1.0, y)
    }
}

/// Allocations of the second solve of every other method, by its name.
fn other_methods(a: &dyn LinearOperator<Host<f64>>, b: &[f64]) -> Vec<(&'static str, [usize; 2])> {
    let (s, n, stop) = (Host::<f64>::new(), b.len(), Stop { max_steps: 40, ..Stop::default() });
    let (mut x, mut y) = (vec![0.0; n], vec![0.0; n]);
    let mut found = Vec::new();
    macro_rules! second {
        ($name:literal, $solver:expr, |$m:ident| $solve:expr) => {{
            let mut $m = $solver.unwrap();
            for round in 0..2 {
                x.fill(0.0);
                y.fill(0.0);
                let counts = allocations(|| {
                    let _ = std::hint::black_box($solve.unwrap());
                });
                if round == 1 {
                    found.push(($name, counts));
                }
            }
        }};
    }
    second!("FlexibleCg", FlexibleCg::with_memory(&s, n, stop, 3), |m| m.solve(&s, a, None, b, &mut x));
    // Both problems are on this grid.
    let model = Model::new(Architecture::Dcdm(Dcdm::small(3)), 1).unwrap();
    let cube = Poisson::new(Grid::new_3d(24, 24, 24).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap();
    let network = model.on(&cube.into()).unwrap();
    second!("directions", FlexibleCg::with_memory(&s, n, stop, 2), |m| {
        m.solve(&s, a, Some(&network), b, &mut x)
    });
    for price in [Price::Given(0.0), Price::Measured(0.0)] {
        second!("Hybrid", Hybrid::new(&s, n, stop, price), |m| {
            m.solve(&s, a, None, Some(&network), b, &mut x)
        });
    }
    second!("DeflatedCg", DeflatedCg::new(&s, n, stop), |m| m.solve(&s, a, None, b, &mut x));
    second!("BlockCg", BlockCg::new(&s, n, 2, stop), |m| {
        m.solve(&s, a, None, &[b, b], &mut [&mut x, &mut y])
    });
    second!("Minres", Minres::new(&s, n, stop), |m| m.solve(&s, a, None, b, &mut x));
    second!("Gmres", Gmres::with_restart(&s, n, stop, 12), |m| m.solve(&s, a, None, b, &mut x));
    second!("Fgmres", Fgmres::with_restart(&s, n, stop, 12), |m| m.solve(&s, a, None, b, &mut x));
    second!("Bicgstab", Bicgstab::new(&s, n, stop), |m| m.solve(&s, a, None, b, &mut x));
    second!("Lsqr", Lsqr::new(&s, a.shape(), stop), |m| m.solve(&s, a, b, &mut x));
    // Everything that a sequence may learn, where steps are dear.
    let options = SequenceOptions {
        stop: Stop { rtol: 1e-2, ..Stop::default() },
        step: 1e4,
        ..SequenceOptions::default()
    };
    second!("Sequence", Sequence::new(&s, n, options), |m| m.solve(&s, a, None, b, &mut x));
    let graphs = Graphs::new(
        &[40, 40],
        &std::array::from_fn::<_, 70, _>(|e| [e as u32 / 35 * 40 + e as u32 % 35, e as u32 / 35 * 40 + 39]),
    )
    .unwrap();
    let (numbers, constants, mut rest) = ([0.5; 70 * 9], [1.0; 240], [0.0; 240]);
    second!("Equilibrium", Equilibrium::new(EquilibriumOptions::default()), |m| {
        m.solve(&graphs, &numbers[..210], &constants, &mut rest)
    });
    second!("Monotone", Monotone::new(EquilibriumOptions::default()), |m| {
        m.solve(&graphs, &numbers, &constants, &mut rest)
    });
    let map = Descent(a, b);
    let fixed = |iteration| FixedPoint::new(&s, n, FixedPointOptions { iteration, stop });
    second!("Picard", fixed(Iteration::PICARD), |m| m.solve(&s, &map, &mut x));
    second!("Anderson", fixed(Iteration::default()), |m| m.solve(&s, &map, &mut x));
    second!("Broyden", fixed(Iteration::Broyden { window: 8 }), |m| m.solve(&s, &map, &mut x));
    second!("Picard by GMRES", fixed(Iteration::Gmres { restart: 12 }), |m| m.solve(&s, &map, &mut x));
    second!("Picard by BiCGSTAB", fixed(Iteration::Bicgstab), |m| m.solve(&s, &map, &mut x));
    found
}

#[test]
fn a_solve_allocates_nothing() {
    // The counter counts.
    let seen = allocations(|| {
        std::hint::black_box((Box::new(1u8), vec![0u8; 5000], Vec::<u64>::with_capacity(1000)));
    });
    assert_eq!(seen, [1, 2]);

    let problems = [
        ("box", 3, 24),
        ("box", 2, 64),
        ("aniso", 3, 24),
        ("neumann", 3, 24),
        ("spheres", 3, 33),
        ("spheres", 2, 65),
        ("dam", 3, 24),
        ("channels", 2, 96),
        ("channels", 3, 24),
        ("gyroid", 3, 40),
    ];
    let problem = |(name, dim, n): (&str, usize, usize)| -> Problem {
        Family::named(name).unwrap().problem(Parameters::new(n).dim(dim)).unwrap()
    };
    for case in problems {
        let problem = problem(case);
        let b = problem.rhs(RhsKind::Noise).unwrap();
        let (matrix, cells) = problem.stencil().to_csr().unwrap();
        let packed: Vec<f64> = cells.iter().map(|c| b[*c as usize]).collect();
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let [multigrid, double, plain, csr] = pool.install(|| {
                let a = problem.stencil();
                let single = Multigrid::<f32>::new(a, MultigridOptions::default()).unwrap();
                let double = Multigrid::<f64>::new(a, MultigridOptions::default()).unwrap();
                // A singular matrix does not know its null space, so it may not be solved with.
                let csr = if a.is_singular() { [0, 0] } else { second_solve(&matrix, None, &packed) };
                [
                    second_solve(a, Some(&single), &b),
                    second_solve(a, Some(&double), &b),
                    second_solve(a, None, &b),
                    csr,
                ]
            });
            if case == ("box", 3, 24) || case == ("neumann", 3, 24) {
                for (name, counts) in pool.install(|| other_methods(problem.stencil(), &b)) {
                    assert_eq!(counts, [0, 0], "{case:?} with {name} on {threads} threads");
                }
            }
            eprintln!("{case:?}, {threads} threads: {multigrid:?} {double:?} {plain:?} {csr:?}");
            for (what, counts) in [
                ("multigrid", multigrid),
                ("multigrid in f64", double),
                ("no preconditioner", plain),
                ("Csr", csr),
            ] {
                assert_eq!(
                    counts,
                    [0, 0],
                    "{case:?} with {what} on {threads} threads: allocations below and from 1 KiB"
                );
            }
        }
    }
}
