//! Cycles with any tuning: symmetric, positive and harmless, whatever the numbers are.

use proptest::prelude::*;
use resolvent::{
    Boundary, Cell, Cg, CycleTraining, CycleTrainingOptions, Error, FlagLaplacian, Grid, Host, Map,
    Multigrid, MultigridOptions, Operator, Status, Stencil, Stop, Tuning,
};
use resolvent_datasets::{Family, Parameters, RhsKind};
use resolvent_tests::{noise, plain};
use std::path::{Path, PathBuf};

/// A file of this test's own.
fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("resolvent-tuning-{}-{name}", std::process::id()))
}

fn options(tuning: Tuning) -> MultigridOptions {
    let mut options = MultigridOptions::tuned(tuning);
    // Small grids get several levels.
    options.direct_cells = 12;
    options
}

/// Some of all cells are solid or air; the top is open.
fn scene(n: [usize; 3], dim: usize, seed: u64) -> Stencil {
    let grid = if dim == 2 { Grid::new_2d(n[0], n[1]) } else { Grid::new_3d(n[0], n[1], n[2]) }.unwrap();
    let cell = |v: &f64| match v {
        v if *v > 1.1 => Cell::Solid,
        v if *v < -1.8 => Cell::Air,
        _ => Cell::Fluid,
    };
    let cells: Vec<Cell> = noise::<f64>(grid.cells(), seed).iter().map(cell).collect();
    let mut sides = [[Boundary::Neumann; 2]; 3];
    sides[dim - 1][1] = Boundary::DIRICHLET;
    Stencil::from(FlagLaplacian::new(grid, &cells, sides).unwrap())
}

/// ⟨Mx, y⟩ = ⟨x, My⟩ and ⟨Mx, x⟩ > 0 on vectors of noise.
fn probe(name: &str, a: &Stencil, options: MultigridOptions) {
    let (space, n) = (Host::<f64>::new(), a.grid().cells());
    let m = Multigrid::<f64>::new(a, options).unwrap();
    assert!(m.properties().admits_cg() || !a.properties().admits_cg());
    let mut images = Vec::new();
    for seed in 1..=4 {
        let mut x: Vec<f64> = noise(n, seed);
        resolvent::LinearOperator::project(a, &space, &mut x).unwrap();
        let mut y = vec![f64::NAN; n];
        m.apply(&space, &x, &mut y).unwrap();
        assert!(
            plain::dot(&x, &y) > 0.0 || plain::norm(&x) == 0.0,
            "{name}: xᵀMx = {:e}",
            plain::dot(&x, &y)
        );
        images.push((x, y));
    }
    for (x, mx) in &images {
        for (y, my) in &images {
            let size = plain::norm(mx) * plain::norm(y) + plain::norm(x) * plain::norm(my);
            let difference = plain::dot(mx, y) - plain::dot(x, my);
            assert!(
                difference.abs() <= 1e-12 * size,
                "{name}: ⟨Mx, y⟩ − ⟨x, My⟩ = {difference:e} of {size:e}"
            );
        }
    }
}

/// The ends of every parameter's range, and past them.
fn extremes() -> Vec<(String, Tuning)> {
    let mut all = vec![("classical".to_string(), Tuning::CLASSICAL)];
    for v in [-1e300, -3.0, 3.0, 1e300] {
        all.push((format!("{v:e}"), Tuning::new(&[v; Tuning::LEN]).unwrap()));
    }
    for seed in 0..4 {
        let random: Vec<f64> = noise::<f64>(Tuning::LEN, 100 + seed).iter().map(|v| 2.0 * v).collect();
        all.push((format!("random {seed}"), Tuning::new(&random).unwrap()));
    }
    all
}

#[test]
fn every_tuning_gives_a_symmetric_positive_cycle_on_ragged_grids() {
    for (name, tuning) in extremes() {
        for n in [[17, 12, 9], [16, 16, 16], [7, 5, 31], [20, 1, 6]] {
            probe(&format!("{name} on {n:?}"), &scene(n, 3, 7), options(tuning));
        }
        for n in [[33, 18, 1], [16, 40, 1]] {
            probe(&format!("{name} on {n:?}"), &scene(n, 2, 8), options(tuning));
        }
    }
}

#[test]
fn every_tuning_gives_a_symmetric_positive_cycle_on_the_families() {
    for family in ["smoke", "gyroid", "spheres", "dam"] {
        let problem = Family::named(family).unwrap().problem(Parameters::new(30).seed(3)).unwrap();
        for (name, tuning) in extremes() {
            probe(&format!("{name} on {family}"), problem.stencil(), options(tuning));
        }
    }
}

#[test]
fn any_number_of_half_sweeps_is_symmetric_with_and_without_the_band() {
    let (_, tuning) = extremes().pop().unwrap();
    for (first, others) in [(2, 2), (2, 3), (3, 2), (3, 4), (4, 4)] {
        for band in [false, true] {
            let mut options = options(tuning);
            (options.half_sweeps, options.band) = ([first, others], band);
            for (n, dim) in [([16, 16, 16], 3), ([17, 12, 9], 3), ([33, 18, 1], 2)] {
                probe(&format!("{first}, {others}, {band} on {n:?}"), &scene(n, dim, 7), options);
            }
        }
    }
    let mut wrong = options(tuning);
    for half_sweeps in [[1, 2], [2, 5]] {
        wrong.half_sweeps = half_sweeps;
        let refused = Multigrid::<f64>::new(&scene([8, 8, 8], 3, 1), wrong);
        assert!(matches!(refused, Err(Error::Parameter { name: "half_sweeps", .. })));
    }
}

/// Numbers of every kind: plausible ones, any at all, and those of the classical cycle.
fn hostile() -> impl Strategy<Value = Vec<f64>> {
    let number = prop_oneof![4 => -3.0..3.0f64, 1 => prop::num::f64::ANY, 1 => Just(0.0)];
    prop::collection::vec(number, Tuning::LEN)
}

/// Whatever numbers are not refused solve every system, and no slower than some bound: a cycle can be bad, not wrong.
fn costs_time_at_most(parameters: &[f64], n: [usize; 3], dim: usize, seed: u64) -> Result<(), TestCaseError> {
    let tuning = match Tuning::new(parameters) {
        Ok(tuning) => {
            prop_assert!(parameters.iter().all(|v| v.is_finite()));
            tuning
        }
        Err(Error::Value { index, .. }) => {
            prop_assert!(!parameters[index].is_finite());
            // The finite ones are still tried.
            let finite: Vec<f64> = parameters.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect();
            Tuning::new(&finite).unwrap()
        }
        Err(other) => return Err(TestCaseError::fail(other.to_string())),
    };
    let a = scene(n, dim, seed);
    let (space, cells) = (Host::<f64>::new(), a.grid().cells());
    let mut b: Vec<f64> = noise(cells, seed);
    resolvent::LinearOperator::project(&a, &space, &mut b).unwrap();
    let m = Multigrid::<f64>::new(&a, options(tuning)).unwrap();
    let mut x = vec![0.0; cells];
    let stop = Stop { max_steps: cells + 20, ..Stop::rtol(1e-8) };
    let report = Cg::new(&space, cells, stop).unwrap().solve(&space, &a, Some(&m), &b, &mut x).unwrap();
    prop_assert_eq!(report.status, Status::Converged);
    let mut ax = vec![0.0; cells];
    a.apply(&space, &x, &mut ax).unwrap();
    let residual: Vec<f64> = b.iter().zip(&ax).map(|(b, ax)| b - ax).collect();
    prop_assert!(plain::norm(&residual) <= 1.01e-8 * plain::norm(&b));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn hostile_parameters_cost_time_and_never_the_answer(
        parameters in hostile(),
        n in prop::array::uniform3(2usize..8),
        dim in 2usize..4,
        seed in 0u64..1000,
    ) {
        costs_time_at_most(&parameters, n, dim, seed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "many cases"]
    fn hostile_parameters_cost_time_and_never_the_answer_in_many_cases(
        parameters in hostile(),
        n in prop::array::uniform3(2usize..8),
        dim in 2usize..4,
        seed in 0u64..1000,
    ) {
        costs_time_at_most(&parameters, n, dim, seed)?;
    }
}

/// Steps to a true residual of 1e-6 on a scene that nothing was trained on.
fn steps(family: &str, dim: usize, n: usize, options: MultigridOptions) -> usize {
    let problem = Family::named(family).unwrap().problem(Parameters::new(n).dim(dim).seed(101)).unwrap();
    let (space, b) = (Host::<f64>::new(), problem.rhs(RhsKind::Noise).unwrap());
    let m = Multigrid::<f32>::new(problem.stencil(), options).unwrap();
    let mut x = vec![0.0; b.len()];
    let mut cg = Cg::new(&space, b.len(), Stop::rtol(1e-6)).unwrap();
    let report = cg.solve(&space, problem.stencil(), Some(&m), &b, &mut x).unwrap();
    assert_eq!(report.status, Status::Converged);
    report.steps
}

const FAMILIES: [&str; 4] = ["smoke", "gyroid", "spheres", "dam"];

#[test]
fn steps_do_not_grow_among_solids_and_air() {
    for family in FAMILIES {
        let [small, large] = [24, 64].map(|n| steps(family, 3, n, MultigridOptions::default()));
        assert!(large <= 9 && large <= small + 2, "{family}: {small} and {large} steps");
    }
}

#[test]
fn the_learned_cycle_takes_fewer_steps_than_the_classical_one() {
    for (dim, sizes) in [(3, [24, 64]), (2, [64, 256])] {
        let learned = MultigridOptions::learned(dim).unwrap();
        let mut sums = [0u32, 0];
        for family in FAMILIES.into_iter().filter(|f| dim == 3 || *f != "gyroid") {
            let [small, large] = sizes.map(|n| steps(family, dim, n, learned));
            assert!(dim == 2 || large <= small + 2, "{family} in {dim}-D: {small} and {large} steps");
            sums[0] += large as u32;
            sums[1] += steps(family, dim, sizes[1], MultigridOptions::default()) as u32;
        }
        // In 2-D there is little to learn.
        let share = if dim == 3 { 0.8 } else { 1.0 };
        assert!(
            f64::from(sums[0]) <= share * f64::from(sums[1]),
            "{dim}-D: {} steps of {}",
            sums[0],
            sums[1]
        );
    }
}

#[test]
#[ignore = "large grids"]
fn the_learned_cycle_is_symmetric_positive_and_as_quick_on_large_grids() {
    let learned = MultigridOptions::learned(3).unwrap();
    for family in FAMILIES {
        for n in [64, 128, 192] {
            let problem = Family::named(family).unwrap().problem(Parameters::new(n).seed(101)).unwrap();
            probe(&format!("{family} {n}"), problem.stencil(), learned);
        }
        let [small, large] = [64, 192].map(|n| steps(family, 3, n, learned));
        assert!(large <= small + 2, "{family}: {small} and {large} steps");
    }
}

#[test]
fn files_of_something_else_are_refused_by_name() {
    let path = file("weights.safetensors");
    let tuning = Tuning::new(&noise::<f64>(Tuning::LEN, 1)).unwrap();
    tuning.save(&path, 3, 7).unwrap();
    assert_eq!(Tuning::load(&path, 3).unwrap(), tuning);
    let refused = |result: Result<Tuning, Error>| match result {
        Err(Error::Checkpoint { path: named, why }) => {
            assert_eq!(named, path);
            why
        }
        other => panic!("{other:?}"),
    };
    let why = refused(Tuning::load(&path, 2));
    assert!(why.contains("3-D") && why.contains("2-D"), "{why}");
    let bytes = std::fs::read(&path).unwrap();
    for cut in [0, 7, 40, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        refused(Tuning::load(&path, 3));
    }
    let mut damaged = bytes.clone();
    let end = damaged.len();
    damaged[end - 8..].copy_from_slice(&f64::NAN.to_le_bytes());
    std::fs::write(&path, &damaged).unwrap();
    assert!(refused(Tuning::load(&path, 3)).contains("not finite"));
    // The state of a training is no set of weights.
    CycleTraining::new(CycleTrainingOptions::new(3)).unwrap().save(&path).unwrap();
    assert!(refused(Tuning::load(&path, 3)).contains("cycle-training"));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(Tuning::load(Path::new("nowhere.safetensors"), 3), Err(Error::File { .. })));
    assert!(matches!(Tuning::new(&[0.0]), Err(Error::Length { .. })));
}

fn short(dim: usize, steps: u64) -> CycleTrainingOptions {
    let mut options = CycleTrainingOptions::new(dim);
    (options.steps, options.batch) = (steps, 2);
    options
}

#[test]
fn training_resumes_to_the_same_bits_with_any_number_of_threads() {
    let path = file("state.safetensors");
    let mut whole = CycleTraining::new(short(2, 4)).unwrap();
    let losses: Vec<f64> = (0..4).map(|_| whole.step().unwrap()).collect();
    assert!(whole.is_done());
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut first = CycleTraining::new(short(2, 4)).unwrap();
            assert_eq!([first.step().unwrap(), first.step().unwrap()], losses[..2]);
            first.save(&path).unwrap();
            let mut rest = CycleTraining::resume(short(2, 4), &path).unwrap();
            assert_eq!(rest.steps(), 2);
            assert_eq!([rest.step().unwrap(), rest.step().unwrap()], losses[2..]);
            assert_eq!(rest.tuning(), whole.tuning());
        });
    }
    assert!(matches!(CycleTraining::resume(short(3, 4), &path), Err(Error::Checkpoint { .. })));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn impossible_trainings_are_refused() {
    for change in [
        |o: &mut CycleTrainingOptions| o.dim = 4,
        |o: &mut CycleTrainingOptions| o.batch = 0,
        |o: &mut CycleTrainingOptions| o.rate = f64::NAN,
    ] {
        let mut options = CycleTrainingOptions::new(3);
        change(&mut options);
        assert!(matches!(CycleTraining::new(options), Err(Error::Parameter { .. })));
    }
}
