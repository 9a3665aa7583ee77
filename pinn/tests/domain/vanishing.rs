//! Functions that vanish on parts of domains.

use super::{SQUARE, corner, disk, holed, sample, with};
use resolvent_pinn::expression::{Function, Scope};
use resolvent_pinn::{Domain, Error, Sampling, Shape};

/// Zero on the part, positive inside, and its derivatives those of finite differences.
fn check_vanishing(domain: &Domain, on: &str) {
    let part = domain.part(on).unwrap();
    let phi = part.vanishing().unwrap_or_else(|e| panic!("{on}: {e}"));
    let d = domain.dimension();
    let all = |axes: &[usize]| phi.derivative(axes).unwrap();
    let at = |f: &Function, x: &[f64]| {
        let mut value = [0.0];
        f.evaluate(x, &mut value).unwrap();
        value[0]
    };
    let value = all(&[]);
    let slopes: Vec<Function> = (0..d).map(|i| all(&[i])).collect();
    let (points, normals) = sample(&part, Sampling::Sobol, 100);
    for (x, n) in points.chunks_exact(d).zip(normals.chunks_exact(d)) {
        assert!(at(&value, x).abs() < 1e-12, "{on}: {x:?}");
        let inward: f64 = slopes.iter().zip(n).map(|(g, n)| -at(g, x) * n).sum();
        assert!(inward >= 0.0, "{on}: {x:?} {inward}");
    }
    let (points, _) = sample(&domain.part("interior").unwrap(), Sampling::Halton, 100);
    let moved = |x: &[f64], i: usize, s: f64| {
        let mut y = x.to_vec();
        y[i] += s;
        y
    };
    for i in 0..d {
        let second: Vec<Function> = (0..d).map(|j| all(&[i, j])).collect();
        for x in points.chunks_exact(d) {
            assert!(at(&value, x) > 0.0, "{on}: {x:?}");
            let h: Vec<f64> = second.iter().map(|h| at(h, x)).collect();
            let scale = 1.0 + h.iter().fold(0.0, |m: f64, h| m.max(h.abs()));
            let (up, down) = (moved(x, i, 1e-5), moved(x, i, -1e-5));
            let difference = |f: &Function| (at(f, &up) - at(f, &down)) / 2e-5;
            // Errors of the step's square times derivatives that grow towards corners.
            assert!((difference(&value) - at(&slopes[i], x)).abs() < 1e-6 * scale.powi(2), "{on}: {x:?} {i}");
            for (j, h) in h.iter().enumerate() {
                assert!((difference(&slopes[j]) - h).abs() < 1e-5 * scale.powi(3), "{on}: {x:?} {i} {j}");
            }
        }
    }
}

#[test]
fn functions_vanish_on_parts_and_nowhere_else() {
    let domain = Domain::new(&[("x", -1.0, 1.0), ("y", 0.0, 3.0), ("t", 0.0, 2.0)]).unwrap();
    for on in ["boundary", "t = 0", "boundary, t = 0", "x = -1, y = 3", "initial, x = 1"] {
        check_vanishing(&domain, on);
    }
    for shape in [disk(0.0, 0.0, 0.9), holed(), corner()] {
        check_vanishing(&with(shape), "boundary");
    }
    check_vanishing(&with(holed()), "hole");
    check_vanishing(&with(holed()), "hole, x = -1");
    let lens = Shape::intersection(vec![disk(-0.3, 0.0, 0.6), disk(0.3, 0.0, 0.6)]).unwrap();
    let timed = Domain::new(&[("t", 0.0, 1.0), SQUARE[1], SQUARE[0]]).unwrap();
    check_vanishing(&timed.with_shape(&["x", "y"], lens).unwrap(), "boundary, initial");
}

#[test]
fn derivatives_are_finite_where_edges_meet() {
    let notched = Shape::difference(corner(), vec![disk(-1.0, -1.0, 0.5)]).unwrap();
    let phi = with(notched).part("boundary").unwrap().vanishing().unwrap();
    for axes in [&[][..], &[0], &[1], &[0, 0], &[0, 1]] {
        // Vertices, the meeting of an edge and the arc, and the middle of an edge.
        let (x, y) = ([0.0, 1.0, -0.5, 0.0], [0.0, -1.0, -1.0, -1.0]);
        let mut values = [f64::NAN; 4];
        phi.derivative(axes).unwrap().evaluate(&[x, y].concat(), &mut values).unwrap();
        assert!(values.iter().all(|v| v.is_finite()), "{axes:?}: {values:?}");
    }
    assert!(matches!(phi.derivative(&[2]), Err(Error::Expression(_))));
    // In the scope of an equation it is a name like others.
    let mut scope = Scope::new(&["x", "y", "z"], &["u"]).unwrap();
    assert!(matches!(scope.vanishing("phi", &phi), Err(Error::Expression(_))));
    let mut scope = Scope::new(&["a", "b"], &["u"]).unwrap();
    scope.vanishing("phi", &phi).unwrap();
    assert!(matches!(scope.vanishing("phi", &phi), Err(Error::Expression(_))));
    let (mut own, mut theirs) = ([0.0], [0.0]);
    scope.function("2*phi").unwrap().evaluate(&[-0.3, -0.2], &mut own).unwrap();
    phi.derivative(&[]).unwrap().evaluate(&[-0.3, -0.2], &mut theirs).unwrap();
    assert_eq!(own[0], 2.0 * theirs[0]);
}

#[test]
fn functions_that_cannot_vanish_are_refused() {
    let domain = Domain::new(&SQUARE).unwrap();
    for on in ["interior", "periodic x"] {
        assert!(matches!(domain.part(on).unwrap().vanishing(), Err(Error::Part { .. })));
    }
    // The left disk's surface goes on inside the right one.
    let pair = Shape::union(vec![disk(-0.3, 0.0, 0.5).named("left").unwrap(), disk(0.3, 0.0, 0.5)]).unwrap();
    let error = with(pair).part("left").unwrap().vanishing().unwrap_err();
    assert!(error.to_string().contains("goes on inside"), "{error}");
    let error = with(holed()).part("x = -1, boundary").unwrap().vanishing().unwrap_err();
    assert!(error.to_string().contains("two shapes"), "{error}");
}
