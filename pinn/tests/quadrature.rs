//! Integrals against their formulas.

use resolvent_pinn::{Domain, Error, Quadrature, Shape};
use std::f64::consts::PI;

#[test]
fn gauss_legendre_is_exact_to_degree_2n_minus_1_and_no_further() {
    for n in [1usize, 2, 3, 5, 8, 20] {
        let rule = Quadrature::gauss_legendre(-1.0, 1.0, n).unwrap();
        let error = |degree: i32| {
            let exact = if degree % 2 == 0 { 2.0 / f64::from(degree + 1) } else { 0.0 };
            (rule.integrate(|x| x[0].powi(degree)) - exact).abs()
        };
        (0..2 * n as i32).for_each(|degree| assert!(error(degree) < 1e-14, "{n}: {degree}"));
        // The error of x^2n is 2^(2n+1) n!^4 / ((2n + 1) (2n)!^2).
        let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
        let next = 2f64.powi(2 * n as i32 + 1) * factorial(n).powi(4)
            / ((2 * n + 1) as f64 * factorial(2 * n).powi(2));
        assert!((error(2 * n as i32) - next).abs() < 1e-3 * next + 1e-14, "{n}");
    }
    for n in [100, 1001] {
        let rule = Quadrature::gauss_legendre(0.0, 2.0, n).unwrap();
        assert!((rule.integrate(|x| x[0].exp()) - (2f64.exp() - 1.0)).abs() < 1e-12);
        assert!(rule.points.windows(2).all(|w| w[0] < w[1]));
    }
}

#[test]
fn boxes_faces_and_edges_are_exact() {
    let domain = Domain::new(&[("x", -1.0, 2.0), ("y", 0.0, 1.0), ("t", 0.0, 3.0)]).unwrap();
    let of = |on: &str| Quadrature::of(&domain.part(on).unwrap(), 4).unwrap();
    let interior = of("interior");
    assert_eq!(interior.count(), 64);
    // x³ y² t over the box: (16 − 1)/4 · 1/3 · 9/2.
    assert!(
        (interior.integrate(|x| x[0].powi(3) * x[1] * x[1] * x[2]) - 15.0 / 4.0 / 3.0 * 4.5).abs() < 1e-12
    );
    assert!((of("boundary").integrate(|_| 1.0) - 8.0 * 3.0).abs() < 1e-12);
    assert!((of("x = 2").integrate(|x| x[0] * x[1] * x[2]) - 2.0 * 0.5 * 4.5).abs() < 1e-12);
    assert!((of("t = 0").integrate(|x| 1.0 + x[2] + x[0]) - 4.5).abs() < 1e-12);

    let polygon = Shape::polygon(&[[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]).unwrap();
    let triangle =
        Domain::new(&[("x", 0.0, 1.0), ("y", 0.0, 1.0)]).unwrap().with_shape(&[], polygon).unwrap();
    let edges = Quadrature::of(&triangle.part("boundary").unwrap(), 3).unwrap();
    // x² along the three: 1/24 + 1/8 + √2/24.
    assert!((edges.integrate(|x| x[0] * x[0]) - (1.0 / 24.0 + 0.125 + 2f64.sqrt() / 24.0)).abs() < 1e-14);
    let line = Domain::new(&[("x", 0.0, 4.0)]).unwrap();
    let ends = Quadrature::of(&line.part("boundary").unwrap(), 5).unwrap();
    assert_eq!(ends.integrate(|x| x[0]), 4.0);
}

#[test]
fn spheres_are_exact_and_other_shapes_converge() {
    let ball = Shape::ball(&[0.1, 0.0, 0.0], 0.5).unwrap();
    let cube = |shape| {
        Domain::new(&[("x", -1.0, 1.0), ("y", -1.0, 1.0), ("z", -1.0, 1.0)])
            .unwrap()
            .with_shape(&[], shape)
            .unwrap()
    };
    let domain = cube(ball.clone());
    let sphere = Quadrature::of(&domain.part("boundary").unwrap(), 6).unwrap();
    assert!((sphere.integrate(|x| x[2] * x[2]) - 4.0 * PI / 3.0 * 0.0625).abs() < 1e-13);
    assert!((sphere.integrate(|x| x[0]) - 0.1 * PI).abs() < 1e-13);
    let inside = Quadrature::of(&domain.part("interior").unwrap(), 40).unwrap();
    assert!((inside.integrate(|_| 1.0) - PI / 6.0).abs() < 2e-3);
    // Half of it: the cut is seen.
    let half = Shape::intersection(vec![ball, Shape::half_space(&[1.0, 0.0, 0.0], 0.1).unwrap()]).unwrap();
    let half = Quadrature::of(&cube(half).part("boundary").unwrap(), 64).unwrap();
    assert!((half.integrate(|_| 1.0) - 0.75 * PI).abs() < 1e-2);
}

#[test]
fn rules_that_cannot_be() {
    for (bounds, order) in [([0.0, 1.0], 0), ([0.0, 1.0], 10_001), ([1.0, 0.0], 2), ([0.0, f64::NAN], 2)] {
        let error = Quadrature::cuboid(&[bounds], &[order]).unwrap_err();
        assert!(matches!(error, Error::Sampling { .. }), "{error}");
    }
    assert!(matches!(Quadrature::cuboid(&[[0.0, 1.0]], &[2, 2]), Err(Error::Length { .. })));
    assert!(matches!(Quadrature::cuboid(&[[0.0, 1.0]; 8], &[1000; 8]), Err(Error::Sampling { .. })));
}
