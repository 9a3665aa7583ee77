//! Systems whose rows and columns differ by orders of magnitude: what scaling makes of them, where a method alone fails.

use resolvent::plan::{Method, Preconditioner};
use resolvent::{Cg, Csr, Equilibration, Host, Matrix, Operator, Plan, Properties, Report, Status, Stop};
use resolvent_tests::matrices::{convection, grid_laplacian, indefinite, scaled};
use resolvent_tests::noise;
use std::ops::ControlFlow;

/// Six decades, in no order.
fn size(i: usize) -> f64 {
    10f64.powi((i * 5 % 7) as i32 - 3)
}

/// What a plan makes of Ax = b where x_i size(i) = 1, and the largest error in that product.
fn solve(plan: Plan, a: Csr<f64>, stop: Stop) -> (Plan, Report, f64) {
    let expected: Vec<f64> = (0..a.cols()).map(|i| 1.0 / size(i)).collect();
    let (mut b, mut x) = (vec![0.0; a.rows()], vec![0.0; a.cols()]);
    a.apply(&Host::<f64>::new(), &expected, &mut b).unwrap();
    let a = Matrix::from_sparse(a);
    let mut solver = plan.set_up(&a, stop).unwrap();
    let report = solver.solve(&a, &b, &mut x, &mut |_| ControlFlow::Continue(())).unwrap();
    (solver.plan(), report, x.iter().enumerate().map(|(i, x)| (x * size(i) - 1.0).abs()).fold(0.0, f64::max))
}

#[test]
fn conjugate_gradients_on_the_scaled_system_take_the_steps_of_the_even_one() {
    let (space, stop) = (Host::<f64>::new(), Stop { max_steps: 400, ..Stop::rtol(1e-10) });
    let even = grid_laplacian(30, 30, |_, _| 1.0, 1.0);
    let n = even.rows();
    let uneven = scaled(&even, size);
    let expected = noise::<f64>(n, 5);
    let mut cg = Cg::unpreconditioned(&space, n, stop).unwrap();
    let (mut b, mut x) = (vec![0.0; n], vec![0.0; n]);
    even.apply(&space, &expected, &mut b).unwrap();
    let reference = cg.solve(&space, &even, None, &b, &mut x).unwrap();
    assert_eq!(reference.status, Status::Converged);

    b.iter_mut().enumerate().for_each(|(i, b)| *b *= size(i));
    x.fill(0.0);
    assert_eq!(cg.solve(&space, &uneven, None, &b, &mut x).unwrap().status, Status::MaxSteps);
    let scalings = [Equilibration::of_norms(&space, &uneven), Equilibration::of_diagonal(&space, &uneven)];
    for scaling in scalings.map(Result::unwrap) {
        let (mut scaled, mut y) = (vec![0.0; n], vec![0.0; n]);
        scaling.scale(&space, &b, &mut scaled).unwrap();
        let operator = scaling.on(&uneven).unwrap();
        let report = cg.solve(&space, &operator, None, &scaled, &mut y).unwrap();
        assert_eq!(report.status, Status::Converged);
        assert!(report.steps <= 2 * reference.steps, "{} {}", report.steps, reference.steps);
        scaling.leave(&space, &y, &mut x).unwrap();
        assert!(x.iter().zip(&expected).enumerate().all(|(i, (x, u))| (x * size(i) - u).abs() < 1e-6));
    }
}

#[test]
fn auto_scales_the_columns_of_least_squares() {
    let values = noise::<f64>(2400, 4);
    let entry = |e: usize| {
        let column = (7 * e + e / 60) % 60;
        ((e / 6) as u32, column as u32, size(column) * values[e])
    };
    let a = Csr::from_triplets(400, 60, &(0..2400).map(entry).collect::<Vec<_>>()).unwrap();
    let stop = Stop { max_steps: 1000, ..Stop::rtol(1e-10) };
    let alone = Plan { method: Method::Lsqr, preconditioner: Preconditioner::None, ..Plan::default() };
    let (_, alone, _) = solve(alone, a.clone(), stop);
    let (plan, report, off) = solve(Plan::default(), a, stop);
    assert_eq!((plan.method, plan.preconditioner), (Method::Lsqr, Preconditioner::Equilibration));
    assert_eq!(report.status, Status::Converged, "{report:?}");
    assert!(3 * report.steps <= alone.steps && off < 1e-6, "{report:?}, off {off:e}, {alone:?}");
}

#[test]
fn methods_that_fail_alone_converge_when_scaled() {
    let stop = Stop { max_steps: 2000, ..Stop::rtol(1e-8) };
    let cases = [
        (Method::Minres, scaled(&indefinite(20), size)),
        (Method::BiCgStab, scaled(&convection(20, 20, 2.0), size)),
        (Method::Gmres, scaled(&convection(20, 20, 2.0), size)),
        (Method::Cg, scaled(&grid_laplacian(20, 20, |_, _| 1.0, 1.0), size).assume(Properties::SPD)),
    ];
    for (method, a) in cases {
        let plan = |preconditioner| Plan { method, preconditioner, ..Plan::default() };
        let (_, alone, _) = solve(plan(Preconditioner::None), a.clone(), stop);
        let (_, report, _) = solve(plan(Preconditioner::Equilibration), a, stop);
        assert_eq!(report.status, Status::Converged, "{method}: {report:?}");
        let fails = alone.status != Status::Converged || alone.steps >= 3 * report.steps;
        assert!(fails, "{method}: {report:?}, {alone:?}");
    }
}
