//! How points are spread, chosen, saved and resumed.

use resolvent::learn::{Checkpoint, Random, State};
use resolvent_pinn::{Error, ResidualAdaptive, Sampler, Sampling, greatest};

fn drawn(sampling: Sampling, seed: u64, n: usize, d: usize) -> Vec<f64> {
    let mut points = Vec::new();
    Sampler::new(sampling, seed, "test").unit(n, d, &mut points).unwrap();
    points
}

/// The stratum of each point along an axis, of `m` equal ones.
fn strata(points: &[f64], d: usize, axis: usize, m: usize) -> Vec<usize> {
    points.chunks_exact(d).map(|x| (x[axis] * m as f64) as usize).collect()
}

#[test]
fn every_point_is_inside_the_open_cube_and_moments_are_right() {
    for sampling in Sampling::ALL {
        let (n, d) = (20_000, 3);
        let points = drawn(sampling, 3, n, d);
        assert_eq!(points.len(), n * d);
        assert!(points.iter().all(|x| 0.0 < *x && *x < 1.0), "{sampling:?}");
        for axis in 0..d {
            let mean = |f: &dyn Fn(f64) -> f64| {
                points.iter().skip(axis).step_by(d).map(|x| f(*x)).sum::<f64>() / n as f64
            };
            // Five standard errors of the uniform ones, √(1/12n) and √(4/45n).
            assert!((mean(&|x| x) - 0.5).abs() < 0.0102, "{sampling:?}");
            assert!((mean(&|x| x * x) - 1.0 / 3.0).abs() < 0.0106, "{sampling:?}");
        }
        let product = points.chunks_exact(d).map(|x| x[0] * x[1] * x[2]).sum::<f64>() / n as f64;
        assert!((product - 0.125).abs() < 0.0053, "{sampling:?}");
    }
}

#[test]
fn uniform_points_pass_chi_square() {
    let mut counts = [0f64; 64];
    for x in drawn(Sampling::Uniform, 11, 64_000, 2).chunks_exact(2) {
        counts[(x[0] * 8.0) as usize * 8 + (x[1] * 8.0) as usize] += 1.0;
    }
    let chi: f64 = counts.iter().map(|c| (c - 1000.0).powi(2) / 1000.0).sum();
    // 63 degrees of freedom: 63 ± 5 √126.
    assert!((7.0..119.0).contains(&chi), "{chi}");
}

#[test]
fn latin_hypercube_has_one_point_in_each_stratum() {
    for n in [1, 2, 7, 100, 1023] {
        let points = drawn(Sampling::LatinHypercube, 5, n, 4);
        for axis in 0..4 {
            let mut strata = strata(&points, 4, axis, n);
            strata.sort_unstable();
            assert!(strata.into_iter().eq(0..n), "{n}");
        }
    }
    assert_ne!(drawn(Sampling::LatinHypercube, 5, 9, 2), drawn(Sampling::LatinHypercube, 6, 9, 2));
}

#[test]
fn sobol_points_are_a_net() {
    let mut sampler = Sampler::new(Sampling::Sobol, 9, "net");
    let mut points = Vec::new();
    for draw in 0..3 {
        // Each aligned stretch of 2^8 points has one in each elementary interval of the first two axes.
        sampler.unit(256, 5, &mut points).unwrap();
        for a in 0..=8 {
            let (p, q) = (1 << a, 1 << (8 - a));
            let mut cells: Vec<usize> = strata(&points, 5, 0, p)
                .iter()
                .zip(strata(&points, 5, 1, q))
                .map(|(i, j)| i * q + j)
                .collect();
            cells.sort_unstable();
            assert!(cells.into_iter().eq(0..256), "draw {draw}, 2^{a}");
        }
        for axis in 2..5 {
            let mut cells = strata(&points, 5, axis, 256);
            cells.sort_unstable();
            assert!(cells.into_iter().eq(0..256));
        }
    }
}

#[test]
fn halton_points_are_stratified_in_their_bases() {
    for (axis, base) in [2usize, 3, 5, 7].into_iter().enumerate() {
        let n = base.pow(3);
        let points = drawn(Sampling::Halton, 4, 2 * n, 4);
        for half in points.chunks_exact(4 * n) {
            let mut cells: Vec<usize> =
                half.chunks_exact(4).map(|x| (x[axis] * n as f64 + 1e-9) as usize).collect();
            cells.sort_unstable();
            assert!(cells.into_iter().eq(0..n), "base {base}");
        }
    }
}

/// Warnock's formula for the square of the L2 star discrepancy.
fn discrepancy(points: &[f64], d: usize) -> f64 {
    let n = (points.len() / d) as f64;
    let single = |x: &[f64]| x.iter().map(|x| 1.0 - x * x).product::<f64>();
    let pair = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| 1.0 - x.max(*y)).product::<f64>();
    let sum: f64 = points.chunks_exact(d).map(single).sum();
    let pairs: f64 =
        points.chunks_exact(d).flat_map(|x| points.chunks_exact(d).map(move |y| pair(x, y))).sum();
    3f64.powi(-(d as i32)) - 2f64.powi(1 - d as i32) / n * sum + pairs / (n * n)
}

#[test]
fn sequences_have_low_discrepancy_also_in_ten_dimensions() {
    for (d, n, factor) in [(2, 512, 25.0), (3, 512, 8.0), (10, 512, 1.05)] {
        let random: f64 =
            (0..4).map(|s| discrepancy(&drawn(Sampling::Uniform, s, n, d), d)).sum::<f64>() / 4.0;
        for sampling in [Sampling::Sobol, Sampling::Halton] {
            let low: f64 = (0..4).map(|s| discrepancy(&drawn(sampling, s, n, d), d)).sum::<f64>() / 4.0;
            assert!(low * factor < random, "{sampling:?}, {d}: {low:e} against {random:e}");
        }
    }
}

#[test]
fn grids_are_regular_and_of_any_number() {
    let points = drawn(Sampling::Grid, 1, 12, 2);
    let at = |i: usize, j: usize| [(i as f64 + 0.5) / 4.0, (j as f64 + 0.5) / 3.0];
    let expected: Vec<f64> = (0..4).flat_map(|i| (0..3).flat_map(move |j| at(i, j))).collect();
    assert_eq!(points, expected);
    for n in [1, 5, 17, 1000] {
        let mut rows: Vec<Vec<u64>> = drawn(Sampling::Grid, 1, n, 3)
            .chunks_exact(3)
            .map(|x| x.iter().map(|x| x.to_bits()).collect())
            .collect();
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), n);
    }
    assert_eq!(drawn(Sampling::Grid, 1, 100, 2), drawn(Sampling::Grid, 2, 100, 2));
}

#[test]
fn a_saved_sampler_goes_on_bit_for_bit() {
    for sampling in Sampling::ALL {
        let (mut all, mut after) = (Vec::new(), Vec::new());
        let mut sampler = Sampler::new(sampling, 21, "interior");
        sampler.unit(70_000, 2, &mut all).unwrap();
        let mut checkpoint = Checkpoint::new("pinn", "x", 1);
        State::store(&sampler, "sampler", &mut checkpoint);
        sampler.unit(100, 2, &mut all).unwrap();
        let mut resumed = Sampler::new(sampling, 0, "interior");
        State::restore(&mut resumed, "sampler", &mut checkpoint).unwrap();
        resumed.unit(100, 2, &mut after).unwrap();
        assert_eq!(all, after, "{sampling:?}");
        assert_eq!(sampler.state(), resumed.state());
    }
}

#[test]
fn states_of_others_are_refused() {
    let state = Sampler::new(Sampling::Sobol, 1, "a").state();
    let broken = resolvent_pinn::SamplerState { position: [0, u64::MAX], ..state };
    for (sampling, name, state) in
        [(Sampling::Halton, "a", state), (Sampling::Sobol, "b", state), (Sampling::Sobol, "a", broken)]
    {
        let mut other = Sampler::new(sampling, 2, name);
        let before = other.state();
        assert!(matches!(other.restore(state), Err(Error::Sampling { .. })));
        assert_eq!(other.state(), before);
    }
    let mut checkpoint = Checkpoint::new("pinn", "x", 1);
    State::store(&Sampler::new(Sampling::Sobol, 1, "a"), "s", &mut checkpoint);
    let refused = State::restore(&mut Sampler::new(Sampling::Sobol, 1, "b"), "s", &mut checkpoint);
    assert!(matches!(refused, Err(resolvent::Error::Checkpoint { .. })));
}

#[test]
fn samples_that_cannot_be() {
    let mut points = Vec::new();
    for (sampling, n, d) in [
        (Sampling::Uniform, 0, 2),
        (Sampling::Uniform, 2, 0),
        (Sampling::Sobol, 1, 257),
        (Sampling::Halton, 1, 257),
    ] {
        let error = Sampler::new(sampling, 1, "s").unit(n, d, &mut points).unwrap_err();
        assert!(matches!(error, Error::Sampling { .. }), "{error}");
    }
    for n in [usize::MAX, usize::MAX / 64] {
        let error = Sampler::new(Sampling::Uniform, 1, "s").unit(n, 3, &mut points).unwrap_err();
        assert!(matches!(error, Error::Solver(resolvent::Error::Memory { .. })), "{error}");
    }
    assert!("latin".parse::<Sampling>().unwrap_err().to_string().contains("known are `uniform`"));
}

#[test]
fn adaptive_points_follow_the_residual() {
    let residuals: Vec<f64> = (0..1000).map(|i| if i < 500 { 3.0 } else { -1.0 }).collect();
    let adaptive = ResidualAdaptive::default();
    let mut random = Random::new(1, "resample");
    let rounds = 400;
    let counts: Vec<usize> = (0..rounds)
        .map(|_| {
            let kept = adaptive.select(&residuals, 10, &mut random).unwrap();
            assert!(kept.windows(2).all(|w| w[0] < w[1]) && kept.len() == 10);
            kept.iter().filter(|i| **i < 500).count()
        })
        .collect();
    // Weights 3/2 + 1 and 1/2 + 1: five in eight of the first half, ± five standard errors of 4000 draws.
    let share = counts.iter().sum::<usize>() as f64 / (10 * rounds) as f64;
    assert!((share - 0.625).abs() < 0.039, "{share}");
    let all = adaptive.select(&residuals, 1000, &mut random).unwrap();
    assert!(all.into_iter().eq(0..1000));
    // Powers that overflow, and a residual that is zero everywhere.
    let large: Vec<f64> = residuals.iter().map(|r| r * 1e300).collect();
    let steep = ResidualAdaptive { exponent: 40.0, offset: 0.0 };
    assert!(steep.select(&large, 100, &mut random).unwrap().iter().all(|i| *i < 500));
    assert_eq!(steep.select(&[0.0; 9], 4, &mut random).unwrap().len(), 4);
    let same = || adaptive.select(&residuals, 7, &mut Random::new(4, "r")).unwrap();
    assert_eq!(same(), same());
}

#[test]
fn greedy_points_are_the_largest_residuals() {
    assert_eq!(greatest(&[1.0, -5.0, 2.0, 5.0, 0.0], 2).unwrap(), [1, 3]);
    assert_eq!(greatest(&[1.0; 5], 2).unwrap(), [0, 1]);
}

#[test]
fn residuals_that_cannot_be_followed() {
    let mut random = Random::new(1, "r");
    let adaptive = ResidualAdaptive::default();
    for (residuals, n, named) in
        [(&[1.0, f64::NAN][..], 1, "candidate 1"), (&[1.0], 2, "2 points of 1"), (&[1.0], 0, "0 points")]
    {
        for error in
            [adaptive.select(residuals, n, &mut random).unwrap_err(), greatest(residuals, n).unwrap_err()]
        {
            assert!(matches!(error, Error::Sampling { .. }) && error.to_string().contains(named), "{error}");
        }
    }
    let odd = ResidualAdaptive { exponent: f64::NAN, ..adaptive };
    assert!(odd.select(&[1.0], 1, &mut random).unwrap_err().to_string().contains("exponent"));
}
