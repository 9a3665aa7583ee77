use super::*;
use crate::krylov::test::noise;
use crate::precond::Jacobi;
use crate::{
    Boundary, Cg, Error, Grid, Host, Map, Multigrid, MultigridOptions, Poisson, Shape, Stencil, Stop,
};

const N: usize = 40 * 30;

fn problem() -> (Stencil, Vec<f64>) {
    let grid = Grid::new_2d(40, 30).unwrap();
    let a = Poisson::anisotropic(grid, [[Boundary::DIRICHLET; 2]; 3], [1.0, 3.0, 1.0]).unwrap();
    (a.into(), noise(N, 1))
}

fn cycle(a: &Stencil) -> Multigrid<f64> {
    Multigrid::new(a, MultigridOptions::default()).unwrap()
}

/// What a function makes of a residual.
struct Proposes<F>(F);

impl<F: Send + Sync> Map for Proposes<F> {
    fn shape(&self) -> Shape {
        Shape::square(N)
    }
}

impl<F: Fn(&[f64], &mut [f64]) + Send + Sync> Operator<Host<f64>> for Proposes<F> {
    fn apply(&self, _: &Host<f64>, r: &[f64], d: &mut [f64]) -> Result<()> {
        (self.0)(r, d);
        Ok(())
    }
}

type Linear<'a> = &'a dyn LinearOperator<Host<f64>>;

/// A solve under a preconditioner: the report, the solution and the history.
fn hybrid(m: Linear, price: f64, proposal: Option<&dyn Operator<Host<f64>>>) -> (Report, Vec<f64>, Vec<f64>) {
    let ((a, b), space, mut x) = (problem(), Host::<f64>::new(), vec![0.0; N]);
    let mut solver = Hybrid::new(&space, N, Stop::default(), Price::Given(price)).unwrap();
    let report = solver.solve(&space, &a, Some(m), proposal, &b, &mut x).unwrap();
    assert_eq!((report.status, solver.history().len()), (Status::Converged, report.steps + 1));
    (report, x, solver.history)
}

fn conjugate_gradients(m: Linear) -> (Report, Vec<f64>, Vec<f64>) {
    let ((a, b), space, mut x) = (problem(), Host::<f64>::new(), vec![0.0; N]);
    let mut cg = Cg::new(&space, N, Stop::default()).unwrap();
    let report = cg.solve(&space, &a, Some(m), &b, &mut x).unwrap();
    (report, x, cg.history().to_vec())
}

#[test]
fn without_a_proposal_it_is_conjugate_gradients_to_the_last_bit() {
    let m = cycle(&problem().0);
    let (plain, x, history) = conjugate_gradients(&m);
    let itself = Proposes(|r: &[f64], d: &mut [f64]| d.copy_from_slice(r));
    // None, and one that is too dear to be tried.
    for (price, proposal) in [(0.0, None), (1e6, Some(&itself as &dyn Operator<_>))] {
        let (report, y, h) = hybrid(&m, price, proposal);
        assert_eq!((report.asked, report.dropped, report.fallbacks), (0, None, 0));
        assert!(report.steps == plain.steps && x == y && history == h);
    }
}

#[test]
fn what_proposes_nothing_is_given_up_and_changes_nothing() {
    let m = cycle(&problem().0);
    let (_, x, history) = conjugate_gradients(&m);
    for nothing in [0.0, f64::NAN, f64::INFINITY, 1e-300] {
        let proposal = Proposes(move |_: &[f64], d: &mut [f64]| d.fill(nothing));
        let (report, y, h) = hybrid(&m, 0.1, Some(&proposal));
        assert_eq!((report.asked, report.dropped), (2, Some(2)));
        assert!(report.fallbacks == 2 && x == y && history == h, "{nothing}");
    }
}

#[test]
fn a_good_proposal_is_taken_and_kept() {
    let (a, _) = problem();
    let m = Jacobi::new(&Host::<f64>::new(), &a.diagonal()).unwrap();
    let plain = conjugate_gradients(&m).0.steps;
    let best = conjugate_gradients(&cycle(&a)).0.steps;
    let good = cycle(&a);
    let (report, ..) = hybrid(&m, 0.2, Some(&good));
    assert_eq!((report.fallbacks, report.dropped), (0, None));
    assert!(report.asked == report.steps && report.steps <= best && 4 * report.steps < plain);
    // One that is dearer than the steps that it saves is tried once.
    let (report, ..) = hybrid(&m, 2.5, Some(&cycle(&a)));
    assert!(report.asked >= 1 && report.dropped.is_none() && report.steps < plain);
}

#[test]
fn the_preconditioner_itself_brings_nothing() {
    let m = cycle(&problem().0);
    let plain = conjugate_gradients(&m).0.steps;
    let (report, ..) = hybrid(&m, 0.1, Some(&m));
    assert!(report.steps.abs_diff(plain) <= 1 && report.fallbacks == 0, "{} {plain}", report.steps);
    assert_eq!((report.asked, report.dropped), (2, Some(2)));
}

#[test]
fn steps_take_the_least_energy_of_what_they_span() {
    // One step from 0: no combination of both directions leaves less.
    let ((a, b), space) = (problem(), Host::<f64>::new());
    let m = Jacobi::new(&space, &a.diagonal()).unwrap();
    let proposal = Proposes(|r: &[f64], d: &mut [f64]| d.iter_mut().zip(r).for_each(|(d, r)| *d = r.abs()));
    let stop = Stop { max_steps: 1, ..Stop::default() };
    let mut x = vec![0.0; N];
    let mut solver = Hybrid::new(&space, N, stop, Price::Given(0.0)).unwrap();
    let report = solver.solve(&space, &a, Some(&m), Some(&proposal), &b, &mut x).unwrap();
    assert_eq!((report.status, report.asked), (Status::MaxSteps, 1));
    let energy = |x: &[f64]| {
        let mut ax = vec![0.0; N];
        a.apply(&space, x, &mut ax).unwrap();
        x.iter().zip(&ax).zip(&b).map(|((x, ax), b)| 0.5 * x * ax - x * b).sum::<f64>()
    };
    let least = energy(&x);
    let mut z = vec![0.0; N];
    m.apply(&space, &b, &mut z).unwrap();
    for (s, t) in [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)] {
        let y: Vec<f64> = (0..N).map(|i| x[i] + s * z[i] + t * b[i].abs()).collect();
        assert!(energy(&y) > least);
    }
}

#[test]
fn a_semidefinite_operator_is_solved_in_its_range() {
    let grid = Grid::new_2d(40, 30).unwrap();
    let a: Stencil = Poisson::new(grid, [[Boundary::Neumann; 2]; 3]).unwrap().into();
    let (space, mut b) = (Host::<f64>::new(), noise(N, 3));
    let mean = b.iter().sum::<f64>() / N as f64;
    b.iter_mut().for_each(|b| *b -= mean);
    let proposal = Proposes(|r: &[f64], d: &mut [f64]| d.iter_mut().zip(r).for_each(|(d, r)| *d = r + 1.0));
    let mut solver = Hybrid::new(&space, N, Stop::default(), Price::Given(0.0)).unwrap();
    let mut x = vec![7.0; N];
    let m = cycle(&a);
    let report = solver.solve(&space, &a, Some(&m), Some(&proposal), &b, &mut x).unwrap();
    assert!(report.status == Status::Converged && report.asked > 0);
    assert!(x.iter().sum::<f64>().abs() < 1e-8);
}

#[test]
fn what_cannot_run_is_refused() {
    let ((a, b), space) = (problem(), Host::<f64>::new());
    for price in [-1.0, f64::NAN] {
        let refused = Hybrid::new(&space, N, Stop::default(), Price::Measured(price)).err();
        assert!(matches!(refused, Some(Error::Parameter { name: "price", .. })));
    }
    let mut solver = Hybrid::new(&space, N, Stop::default(), Price::Given(1.0)).unwrap();
    assert!(solver.set_price(Price::Given(f64::NAN)).is_err());
    let few = crate::Diagonal::new(&space, &[1.0; 3]).unwrap();
    let refused = solver.solve(&space, &a, None, Some(&few), &b, &mut vec![0.0; N]);
    assert!(matches!(refused, Err(Error::Length { .. })));
    let negative = crate::Diagonal::new(&space, &[-1.0; N]).unwrap();
    let negative = crate::Assume::new(&negative, crate::Properties::SPD);
    let report = solver.solve(&space, &a, Some(&negative), None, &b, &mut vec![0.0; N]).unwrap();
    assert!(matches!(report.status, Status::IndefinitePreconditioner { .. }));
}
