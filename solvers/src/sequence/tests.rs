use super::*;
use crate::krylov::test::noise;
use crate::precond::{Chebyshev, ChebyshevOptions};
use crate::{
    Boundary, Cell, Diagonal, FlagLaplacian, Grid, Host, Multigrid, MultigridOptions, Operator, Status,
    Stencil,
};

const N: usize = 40;

/// A solid disc that moves through a box, with air above; and a source that moves with it.
fn frame(number: usize) -> (Stencil, Vec<f64>) {
    let grid = Grid::new_2d(N, N).unwrap();
    let centre = (8.0 + number as f64, 18.0);
    let distance = |k: usize| ((k % N) as f64 - centre.0).powi(2) + ((k / N) as f64 - centre.1).powi(2);
    let cell = |k: usize| match k {
        k if k / N > 34 => Cell::Air,
        k if distance(k) < 25.0 => Cell::Solid,
        _ => Cell::Fluid,
    };
    let cells: Vec<Cell> = (0..N * N).map(cell).collect();
    let a = FlagLaplacian::new(grid, &cells, [[Boundary::Neumann; 2]; 3]).unwrap();
    let b =
        (0..N * N).map(|k| if cells[k] == Cell::Fluid { (-0.01 * distance(k)).exp() } else { 0.0 }).collect();
    (a.into(), b)
}

/// Steps of a sequence and of plain conjugate gradients over the frames, whose answers must be the same.
fn compare(
    options: SequenceOptions,
    frames: usize,
    side: impl Fn(usize, Vec<f64>) -> Vec<f64>,
    [multigrid, moves]: [bool; 2],
) -> (Vec<usize>, Vec<usize>, Vec<f64>) {
    let space = Host::<f64>::new();
    let mut sequence = Sequence::new(&space, N * N, options).unwrap();
    let mut plain = Cg::new(&space, N * N, options.stop).unwrap();
    let (mut steps, mut others, mut x) = (vec![], vec![], vec![0.0; N * N]);
    for number in 0..frames {
        let (a, b) = frame(if moves { number } else { 0 });
        let b = side(number, b);
        let m = multigrid.then(|| Multigrid::<f64>::new(&a, MultigridOptions::default()).unwrap());
        let m = m.as_ref().map(|m| m as &dyn LinearOperator<Host<f64>>);
        let mut y = vec![0.0; N * N];
        x.fill(7.0);
        let solved = sequence.solve(&space, &a, m, &b, &mut x).unwrap();
        let report = plain.solve(&space, &a, m, &b, &mut y).unwrap();
        assert_eq!((solved.report.status, report.status), (Status::Converged, Status::Converged));
        let mut left = vec![0.0; N * N];
        a.apply(&space, &x, &mut left).unwrap();
        let left: f64 = left.iter().zip(&b).map(|(l, b)| (l - b).powi(2)).sum();
        assert!(left.sqrt() <= report.target * (1.0 + 1e-9), "{number}: {:e}", left.sqrt());
        // The same solution, and nothing where there is no unknown.
        let size = y.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-3 * size), "{number}");
        assert!(x.iter().zip(&y).all(|(x, y)| *y != 0.0 || *x == 0.0), "{number}");
        steps.push(solved.report.steps);
        others.push(report.steps);
    }
    (steps, others, x)
}

#[test]
fn a_source_that_moves_gets_cheaper_and_a_solid_that_moves_no_dearer() {
    // Beside the solid where it stands first.
    let source = |number: usize, b: Vec<f64>| -> Vec<f64> {
        let at = 24.0 + 0.2 * number as f64;
        let distance = |k: usize| ((k % N) as f64 - at).powi(2) + ((k / N) as f64 - 18.0).powi(2);
        b.iter().enumerate().map(|(k, b)| if *b == 0.0 { 0.0 } else { (-0.02 * distance(k)).exp() }).collect()
    };
    for multigrid in [false, true] {
        let step = if multigrid { 40.0 } else { 10.0 };
        let options = SequenceOptions { step, ..SequenceOptions::default() };
        for moves in [false, true] {
            let (steps, plain, _) = match moves {
                true => compare(options, 10, |_, b| b, [multigrid, true]),
                false => compare(options, 10, source, [multigrid, false]),
            };
            assert_eq!(steps[0], plain[0]);
            assert!(steps.iter().zip(&plain).all(|(s, p)| *s <= p + 1), "{steps:?} {plain:?}");
            let sum = |v: &[usize]| v[4..].iter().sum::<usize>();
            assert!(moves || 4 * sum(&steps) < 3 * sum(&plain), "{steps:?} {plain:?}");
        }
    }
}

#[test]
fn sides_that_have_nothing_in_common_cost_no_more_than_a_step() {
    let random = |number: usize, b: Vec<f64>| {
        let noise = noise(b.len(), number as u64);
        b.iter().zip(noise).map(|(b, n)| if *b == 0.0 { 0.0 } else { n }).collect()
    };
    for multigrid in [false, true] {
        let (steps, plain, _) = compare(SequenceOptions::default(), 8, random, [multigrid, true]);
        assert!(steps.iter().zip(&plain).all(|(s, p)| *s <= p + 1), "{steps:?} {plain:?}");
    }
}

#[test]
fn slow_directions_are_deflated_where_steps_are_dear_and_left_alone_where_they_are_cheap() {
    let (n, space) = (400, Host::<f64>::new());
    let entries: Vec<f64> =
        (0..n).map(|i| if i < 4 { 1e-4 * f64::from(i + 1) } else { 1.0 + f64::from(i) / 100.0 }).collect();
    let run = |step: f64| {
        let options =
            SequenceOptions { step, guesses: 0, stop: Stop::rtol(1e-10), ..SequenceOptions::default() };
        let mut sequence = Sequence::new(&space, n as usize, options).unwrap();
        let mut solves = vec![];
        for k in 0..8 {
            let scaled: Vec<f64> = entries.iter().map(|e| e * (1.0 + 0.1 * f64::from(k))).collect();
            let a = Diagonal::new(&space, &scaled).unwrap();
            let b = noise(n as usize, k as u64);
            solves.push(sequence.solve(&space, &a, None, &b, &mut vec![0.0; n as usize]).unwrap());
        }
        solves
    };
    let dear = run(500.0);
    assert!(dear.iter().all(|s| s.report.status == Status::Converged));
    assert!(dear[7].deflated > 0 && 3 * dear[7].report.steps < 2 * dear[0].report.steps, "{dear:?}");
    assert!(run(1.0).iter().all(|s| s.deflated == 0));
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| compare(SequenceOptions::default(), 6, |_, b| b, [true, true]))
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

#[test]
fn bounds_are_learned_along_the_way() {
    let space = Host::<f64>::new();
    let options = SequenceOptions { deflated: 0, guesses: 0, step: 80.0, ..SequenceOptions::default() };
    let mut sequence = Sequence::new(&space, N * N, options).unwrap();
    let (mut of, mut steps) = (ChebyshevOptions { ratio: 1e5, ..ChebyshevOptions::default() }, vec![]);
    assert_eq!(sequence.spectrum(), None);
    for number in 0..8 {
        let (a, b) = frame(number);
        let mut diagonal = a.diagonal();
        diagonal.iter_mut().filter(|d| **d == 0.0).for_each(|d| *d = 1.0);
        let m = Chebyshev::new(&space, &a, &diagonal, of).unwrap();
        let solved = sequence.solve(&space, &a, Some(&m), &b, &mut vec![0.0; N * N]).unwrap();
        assert_eq!(solved.report.status, Status::Converged);
        steps.push(solved.report.steps);
        of = m.learned(sequence.spectrum().unwrap());
    }
    assert!(of.largest.is_some() && of.ratio < 1e5 && steps[7] < steps[0], "{of:?} {steps:?}");
}

#[test]
fn what_cannot_be_is_refused_and_a_failure_teaches_nothing() {
    let space = Host::<f64>::new();
    for step in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = Sequence::new(&space, 4, SequenceOptions { step, ..SequenceOptions::default() });
        assert!(matches!(refused.map(drop), Err(Error::Parameter { name: "step", .. })));
    }
    let a = Diagonal::new(&space, &[1.0, 2.0, 3.0, 4.0]).unwrap();
    let mut sequence = Sequence::new(&space, 4, SequenceOptions::default()).unwrap();
    let mut x = [1.0; 4];
    assert!(matches!(sequence.solve(&space, &a, None, &[1.0; 3], &mut x), Err(Error::Length { .. })));
    assert!(matches!(sequence.solve(&space, &a, None, &[1.0; 4], &mut x[1..]), Err(Error::Length { .. })));
    let nothing = sequence.solve(&space, &a, None, &[0.0; 4], &mut x).unwrap();
    assert_eq!((nothing.report.status, x), (Status::Converged, [0.0; 4]));
    let wrong = sequence.solve(&space, &a, None, &[f64::NAN; 4], &mut x).unwrap();
    assert_eq!(wrong.report.status, Status::NonFinite);
    let right = sequence.solve(&space, &a, None, &[1.0; 4], &mut x).unwrap();
    assert!(right.report.status == Status::Converged && right.guess == 1.0);
    // The same again: nothing is left to do.
    let again = sequence.solve(&space, &a, None, &[2.0; 4], &mut x).unwrap();
    assert!(again.report.status == Status::Converged && again.report.steps == 0 && again.guess < 1e-8);
    sequence.forget();
    assert_eq!(sequence.solve(&space, &a, None, &[2.0; 4], &mut x).unwrap().guess, 1.0);
}
