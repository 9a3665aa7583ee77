//! Shapes and the parts of domains: measures, normals, where points lie, functions that vanish, what is refused.

#[path = "domain/vanishing.rs"]
mod vanishing;

use proptest::prelude::*;
use resolvent_pinn::{Domain, Error, Part, PointCloud, Sampler, Sampling, Shape};
use std::f64::consts::{PI, TAU};

const SQUARE: [(&str, f64, f64); 2] = [("x", -1.0, 1.0), ("y", -1.0, 1.0)];

fn disk(x: f64, y: f64, r: f64) -> Shape {
    Shape::ball(&[x, y], r).unwrap()
}

fn with(shape: Shape) -> Domain {
    Domain::new(&SQUARE).unwrap().with_shape(&[], shape).unwrap()
}

fn holed() -> Shape {
    let square = Shape::cuboid(&[-1.0, -1.0], &[1.0, 1.0]).unwrap();
    Shape::difference(square, vec![disk(0.2, 0.1, 0.3).named("hole").unwrap()]).unwrap()
}

/// An L.
fn corner() -> Shape {
    let vertices = [[-1.0, -1.0], [1.0, -1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [-1.0, 1.0]];
    Shape::polygon(&vertices).unwrap()
}

fn sample(part: &Part, sampling: Sampling, n: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut points, mut normals) = (Vec::new(), Vec::new());
    let wanted = (!part.is_interior()).then_some(&mut normals);
    part.sample(n, &mut Sampler::new(sampling, 3, "test"), &mut points, wanted).unwrap();
    assert_eq!(points.len(), n * part.dimension());
    (points, normals)
}

#[test]
fn volumes_and_measures_are_those_of_formulas() {
    let shapes = [
        (disk(0.0, 0.0, 1.0), PI, TAU),
        (holed(), 4.0 - 0.09 * PI, 8.0 + 0.6 * PI),
        (corner(), 3.0, 8.0),
        (Shape::union(vec![disk(-0.5, 0.0, 0.5), disk(0.5, 0.0, 0.25)]).unwrap(), PI * 0.3125, 1.5 * PI),
    ];
    for (shape, volume, surface) in shapes {
        let domain = with(shape.clone());
        assert!((domain.volume() - volume).abs() < 1e-12, "{shape:?}: {}", domain.volume());
        let boundary = domain.part("boundary").unwrap().measure();
        assert!((boundary - surface).abs() < 1e-12, "{shape:?}: {boundary}");
        let timed = Domain::new(&[SQUARE[0], ("t", 0.0, 3.0), SQUARE[1]]).unwrap();
        let timed = timed.with_shape(&["x", "y"], shape).unwrap();
        assert!((timed.volume() - 3.0 * volume).abs() < 1e-11);
        assert!((timed.part("boundary").unwrap().measure() - 3.0 * surface).abs() < 1e-11);
        assert!((timed.part("initial").unwrap().measure() - volume).abs() < 1e-12);
    }
    for (d, volume) in [(1, 2.0), (2, PI), (3, 4.0 * PI / 3.0), (4, PI * PI / 2.0), (5, 8.0 * PI * PI / 15.0)]
    {
        let names = ["a", "b", "c", "d", "e"];
        let box_: Vec<_> = names[..d].iter().map(|n| (*n, -1.0, 1.0)).collect();
        let ball = Shape::ball(&vec![0.0; d], 1.0).unwrap();
        let domain = Domain::new(&box_).unwrap().with_shape(&[], ball).unwrap();
        assert!((domain.volume() - volume).abs() < 1e-12, "{d}");
        assert!((domain.part("boundary").unwrap().measure() - d as f64 * volume).abs() < 1e-12, "{d}");
    }
}

#[test]
fn estimates_are_as_good_as_they_say() {
    // Two disks that overlap, a quarter of a disk, and a square cut along its diagonal.
    let (r, a) = (0.6f64, 0.5f64);
    let lens = 2.0 * r * r * (a / r).acos() - 2.0 * a * (r * r - a * a).sqrt();
    let arc = 2.0 * (TAU - 2.0 * (a / r).acos()) * r;
    let wide = Domain::new(&[("x", -2.0, 2.0), ("y", -1.0, 1.0)]).unwrap();
    let disks =
        wide.with_shape(&[], Shape::union(vec![disk(-0.5, 0.0, r), disk(0.5, 0.0, r)]).unwrap()).unwrap();
    assert!((disks.volume() - (2.0 * PI * r * r - lens)).abs() < 5e-4 * 2.64);
    assert!((disks.part("boundary").unwrap().measure() - arc).abs() < 1e-3 * arc);
    let quarter = Shape::ball(&[-1.0, -1.0], 1.0).unwrap();
    let quarter = with(quarter);
    assert!((quarter.volume() - PI / 4.0).abs() < 3e-4);
    assert!((quarter.part("boundary").unwrap().measure() - (2.0 + PI / 2.0)).abs() < 1e-2);
    assert!((quarter.part("x = -1").unwrap().measure() - 1.0).abs() < 1e-3);
    let cut = with(Shape::half_space(&[1.0, 1.0], 0.0).unwrap());
    assert!((cut.volume() - 2.0).abs() < 1.2e-3);
    assert!((cut.part("boundary").unwrap().measure() - (4.0 + 8f64.sqrt())).abs() < 1e-2);
}

/// Everything points of a boundary must be: on it, with unit normals that point out along the gradient of the distance.
fn check(domain: &Domain, shape: &Shape, on: &str) {
    let part = domain.part(on).unwrap();
    for sampling in Sampling::ALL {
        let (points, normals) = sample(&part, sampling, 300);
        for (x, n) in points.chunks_exact(2).zip(normals.chunks_exact(2)) {
            let on_box = x.iter().any(|x| (x.abs() - 1.0).abs() < 1e-15);
            assert!(shape.distance(x).abs() < 1e-12 || on_box, "{x:?}");
            assert!((n[0].hypot(n[1]) - 1.0).abs() < 1e-14);
            let moved = |s: f64| [x[0] + s * n[0], x[1] + s * n[1]];
            assert!(domain.contains(&moved(-1e-6)) && !domain.contains(&moved(1e-6)), "{on}: {x:?} {n:?}");
            let e = 1e-6;
            let slope = |i: usize| {
                let at = |s: f64| {
                    let mut y = [x[0], x[1]];
                    y[i] += s;
                    shape.distance(&y)
                };
                (at(e) - at(-e)) / (2.0 * e)
            };
            let gradient = [slope(0), slope(1)];
            // Corners have no normal.
            if !on_box && (gradient[0].hypot(gradient[1]) - 1.0).abs() < 1e-6 {
                assert!((0..2).all(|i| (gradient[i] + n[i]).abs() < 1e-6), "{gradient:?} {n:?}");
            }
        }
    }
}

#[test]
fn boundary_points_lie_on_it_with_outward_normals() {
    let lens = Shape::intersection(vec![disk(-0.3, 0.0, 0.6), disk(0.3, 0.0, 0.6)]).unwrap();
    let moon =
        Shape::difference(disk(0.0, 0.0, 0.8), vec![disk(0.5, 0.0, 0.5).named("bite").unwrap()]).unwrap();
    for shape in [
        disk(0.0, 0.0, 0.9),
        holed(),
        corner(),
        lens,
        moon.clone(),
        Shape::half_space(&[1.0, 2.0], 0.3).unwrap(),
    ] {
        check(&with(shape.clone()), &shape, "boundary");
    }
    check(&with(holed()), &holed(), "hole");
    check(&with(moon.clone()), &moon, "bite");
    check(&with(holed()), &holed(), "x = -1 and hole, y = 1");
}

#[test]
fn normals_of_closed_surfaces_cancel() {
    for shape in [disk(0.1, 0.0, 0.7), holed(), corner()] {
        let (_, normals) = sample(&with(shape).part("boundary").unwrap(), Sampling::Sobol, 4096);
        for axis in 0..2 {
            let mean = normals.iter().skip(axis).step_by(2).sum::<f64>() / 4096.0;
            assert!(mean.abs() < 2e-3, "{mean}");
        }
    }
    for d in [3, 4, 5, 6] {
        let names = ["a", "b", "c", "d", "e", "f"];
        let cube: Vec<_> = names[..d].iter().map(|n| (*n, -1.0, 1.0)).collect();
        let ball = Shape::ball(&vec![0.0; d], 0.5).unwrap();
        let domain = Domain::new(&cube).unwrap().with_shape(&[], ball.clone()).unwrap();
        let (points, normals) = sample(&domain.part("boundary").unwrap(), Sampling::Sobol, 4096);
        assert!(points.chunks_exact(d).all(|x| ball.distance(x).abs() < 1e-12));
        for (i, j) in (0..d).flat_map(|i| (i..d).map(move |j| (i, j))) {
            // The second moments of a uniform direction: 1/d on the diagonal.
            let mean = normals.chunks_exact(d).map(|n| n[i] * n[j]).sum::<f64>() / 4096.0;
            let exact = if i == j { 1.0 / d as f64 } else { 0.0 };
            assert!((mean - exact).abs() < 6e-3, "{d}: {i} {j} {mean}");
        }
    }
}

#[test]
fn coincident_surfaces_are_counted_once() {
    // The hole's square is that of the domain; two boxes share a face, or a part of one.
    let domain = with(holed());
    let (points, _) = sample(&domain.part("boundary").unwrap(), Sampling::Uniform, 40_000);
    let left = points.chunks_exact(2).filter(|x| x[0] == -1.0).count() as f64;
    let share = 2.0 / (8.0 + 0.6 * PI);
    assert!((left / 40_000.0 - share).abs() < 5.0 * (share / 40_000.0f64).sqrt());
    let half = |x: f64, y: f64| Shape::cuboid(&[x - 0.5, -0.5], &[x, y]).unwrap();
    let joined = with(Shape::union(vec![half(0.0, 0.5), half(0.5, 0.25)]).unwrap());
    let boundary = joined.part("boundary").unwrap();
    assert!((boundary.measure() - 4.0 + 0.25 - 0.25).abs() < 1e-2, "{}", boundary.measure());
    let (points, _) = sample(&boundary, Sampling::Uniform, 2000);
    assert!(points.chunks_exact(2).all(|x| x[0] != 0.0 || x[1] >= 0.25));
    let twice = joined.part("boundary, boundary").unwrap();
    assert!((twice.measure() - boundary.measure()).abs() < 1e-9);
}

#[test]
fn points_are_uniform_on_a_cut_interior() {
    let part = with(corner()).part("interior").unwrap();
    for sampling in Sampling::ALL {
        let (points, _) = sample(&part, sampling, 3000);
        assert!(points.chunks_exact(2).all(|x| corner().contains(x)), "{sampling:?}");
        let count = |right: bool, up: bool| {
            points.chunks_exact(2).filter(|x| (x[0] > 0.0) == right && (x[1] > 0.0) == up).count()
        };
        for (right, up, expected) in
            [(false, false, 1000), (true, false, 1000), (false, true, 1000), (true, true, 0)]
        {
            assert!(count(right, up).abs_diff(expected) < 130, "{sampling:?} {}", count(right, up));
        }
    }
}

#[test]
fn parts_of_a_box_with_time() {
    let domain = Domain::new(&[("x", -1.0, 1.0), ("y", 0.0, 3.0), ("t", 0.0, 2.0)]).unwrap();
    assert_eq!((domain.dimension(), domain.time(), domain.volume()), (3, Some(2), 12.0));
    for (on, measure) in [
        ("boundary", 20.0),
        ("x = -1", 6.0),
        ("x=0.25", 6.0),
        ("t = 0", 6.0),
        ("initial", 6.0),
        ("t = 2", 6.0),
        ("y = 6/2, x = cos(pi)", 10.0),
        ("periodic y", 4.0),
        ("interior", 12.0),
    ] {
        let part = domain.part(on).unwrap();
        assert!((part.measure() - measure).abs() < 1e-12, "{on}: {}", part.measure());
    }
    let (points, normals) = sample(&domain.part("t = 0").unwrap(), Sampling::Sobol, 50);
    assert!(points.chunks_exact(3).all(|x| x[2] == 0.0 && domain.contains(x)));
    assert!(normals.chunks_exact(3).all(|n| n == [0.0, 0.0, -1.0]));
    let (points, normals) = sample(&domain.part("x = 0.25").unwrap(), Sampling::Sobol, 50);
    assert!(points.chunks_exact(3).all(|x| x[0] == 0.25));
    assert!(normals.chunks_exact(3).all(|n| n == [1.0, 0.0, 0.0]));
    let pair = domain.part("periodic y").unwrap();
    assert_eq!(pair.offset(), Some(&[0.0, 3.0, 0.0][..]));
    let (points, _) = sample(&pair, Sampling::LatinHypercube, 50);
    assert!(points.chunks_exact(3).all(|x| x[1] == 0.0));
    assert!((domain.part("x = -1").unwrap().offset()).is_none());

    let periodic = domain.clone().with_periodic(&["y"]).unwrap();
    assert_eq!(periodic.part("boundary").unwrap().measure(), 12.0);
    assert_eq!(domain.with_time(None).unwrap().part("boundary").unwrap().measure(), 32.0);
    let line = Domain::new(&[("x", 0.0, 1.0)]).unwrap();
    let (points, normals) = sample(&line.part("boundary").unwrap(), Sampling::Sobol, 64);
    assert_eq!(points.iter().sum::<f64>(), 32.0);
    assert!(points.iter().zip(&normals).all(|(x, n)| *n == 2.0 * x - 1.0));
}

#[test]
fn a_shape_across_a_periodic_face_has_no_boundary_there() {
    let strip = Shape::cuboid(&[-1.0, -0.5], &[1.0, 0.5]).unwrap();
    let domain = with(strip).with_periodic(&["x"]).unwrap();
    let boundary = domain.part("boundary").unwrap();
    assert!((boundary.measure() - 4.0).abs() < 1e-9, "{}", boundary.measure());
    let pair = domain.part("periodic x").unwrap();
    assert!((pair.measure() - 1.0).abs() < 2e-3, "{}", pair.measure());
}

#[test]
fn clouds_give_their_points_and_normals() {
    let interior: Vec<f64> = (0..20).flat_map(|i| [f64::from(i) / 20.0, 0.5]).collect();
    let cloud = PointCloud::new(2, interior).unwrap();
    let cloud = cloud.with_boundary(vec![-1.0, 0.0, 1.0, 0.0], vec![-2.0, 0.0, 3.0, 0.0]).unwrap();
    let base = Domain::new(&[SQUARE[0], SQUARE[1], ("t", 0.0, 2.0)]).unwrap();
    let domain = base.clone().with_cloud(&[], cloud.clone()).unwrap();
    let interior = domain.part("interior").unwrap();
    assert_eq!((interior.measure(), domain.part("initial").unwrap().measure()), (40.0, 20.0));
    let (mut sampler, mut points, mut seen) = (Sampler::new(Sampling::Uniform, 1, "c"), Vec::new(), [0; 20]);
    for _ in 0..4 {
        interior.sample(10, &mut sampler, &mut points, None).unwrap();
        points.chunks_exact(3).for_each(|x| seen[(x[0] * 20.0).round() as usize] += 1);
    }
    assert_eq!(seen, [2; 20]);
    let (points, normals) = sample(&domain.part("boundary").unwrap(), Sampling::Uniform, 10);
    assert!(points.chunks_exact(3).zip(normals.chunks_exact(3)).all(|(x, n)| n == [x[0], 0.0, 0.0]));
    let again = base.clone().with_cloud(&[], cloud.with_replacement()).unwrap();
    let (points, _) = sample(&again.part("interior").unwrap(), Sampling::Uniform, 4000);
    let first = points.chunks_exact(3).filter(|x| x[0] == 0.0).count();
    assert!(first.abs_diff(200) < 70, "{first}");

    for on in ["x = -1", "periodic x"] {
        assert!(matches!(domain.part(on), Err(Error::Part { .. })));
    }
    let bare = base.clone().with_cloud(&[], PointCloud::new(2, vec![0.0, 0.0]).unwrap()).unwrap();
    assert!(bare.part("boundary").unwrap_err().to_string().contains("no boundary points"));
    assert!(base.with_cloud(&[], PointCloud::new(2, vec![0.0, 7.0]).unwrap()).is_err());
}

#[test]
fn domains_that_cannot_be() {
    let nan = f64::NAN;
    for (coordinates, named) in [
        (&[][..], "no coordinates"),
        (&[("x", 1.0, 0.0)], "from 1 to 0"),
        (&[("x", 0.0, 0.0)], "from 0 to 0"),
        (&[("x", nan, 0.0)], "NaN"),
        (&[("x", 0.0, f64::INFINITY)], "inf"),
        (&[("x", -1e308, 1e308)], "finite"),
        (&[("x", 0.0, 1.0), ("x", 0.0, 1.0)], "named `x`"),
        (&[(" ", 0.0, 1.0)], "named ` `"),
    ] {
        let error = Domain::new(coordinates).unwrap_err();
        assert!(matches!(error, Error::Domain { .. }) && error.to_string().contains(named), "{error}");
    }
    let square = || Domain::new(&[("x", -1.0, 1.0), ("pressure", -1.0, 1.0), ("t", 0.0, 1.0)]).unwrap();
    for (result, named) in [
        (square().with_periodic(&["presure"]), "did you mean `pressure`?"),
        (square().with_time(Some("z")), "no coordinate `z`"),
        (square().with_shape(&["x", "x"], disk(0.0, 0.0, 1.0)), "each once"),
        (square().with_shape(&["x"], disk(0.0, 0.0, 1.0)), "name as many"),
        (square().with_shape(&["x", "t"], disk(0.0, 0.0, 1.0)), "`t` is time"),
        (square().with_shape(&[], disk(0.0, 0.0, 1.0)).unwrap().with_time(Some("x")), "`x` is time"),
        (square().with_shape(&[], disk(9.0, 9.0, 1.0)), "must overlap"),
        (
            square()
                .with_shape(&[], Shape::difference(disk(0.0, 0.0, 0.5), vec![disk(0.0, 0.0, 0.5)]).unwrap()),
            "fills 0",
        ),
        (
            square().with_shape(
                &[],
                Shape::union(vec![
                    disk(0.0, 0.0, 0.5).named("a").unwrap(),
                    disk(0.5, 0.0, 0.5).named("a").unwrap(),
                ])
                .unwrap(),
            ),
            "two shapes are named `a`",
        ),
    ] {
        let error = result.map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Domain { .. }) && error.to_string().contains(named), "{error}");
    }
}

#[test]
fn shapes_that_cannot_be() {
    let nan = f64::NAN;
    let deep = || (0..70).try_fold(disk(0.0, 0.0, 1.0), |s, _| Shape::union(vec![s]));
    for (result, named) in [
        (Shape::cuboid(&[0.0], &[1.0, 2.0]), "1 and 2 coordinates"),
        (Shape::cuboid(&[0.0, nan], &[1.0, 2.0]), "axis 1"),
        (Shape::cuboid(&[], &[]), "no coordinates"),
        (Shape::ball(&[0.0], 0.0), "radius 0"),
        (Shape::ball(&[nan], 1.0), "NaN"),
        (Shape::ball(&[], 1.0), "no coordinates"),
        (Shape::half_space(&[0.0, 0.0], 1.0), "not zero"),
        (Shape::half_space(&[1.0], nan), "NaN"),
        (Shape::polygon(&[[0.0, 0.0], [1.0, 0.0]]), "2 vertices"),
        (Shape::polygon(&[[0.0, 0.0], [1.0, nan], [1.0, 1.0]]), "vertex 1"),
        (Shape::polygon(&[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), "meets edge"),
        (Shape::polygon(&[[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), "edge 1"),
        (Shape::polygon(&[[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0]]), "edge 0 meets edge 2"),
        (Shape::polygon(&[[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [1.0, 0.0], [0.0, 2.0]]), "meets edge"),
        (Shape::polygon(&vec![[0.0, 0.0]; 20_000]), "at most 10000"),
        (Shape::union(vec![]), "made of none"),
        (Shape::intersection(vec![disk(0.0, 0.0, 1.0), Shape::ball(&[0.0], 1.0).unwrap()]), "2 coordinates"),
        (Shape::difference(disk(0.0, 0.0, 1.0), vec![Shape::ball(&[0.0], 1.0).unwrap()]), "2 coordinates"),
        (deep(), "64 deep"),
        (disk(0.0, 0.0, 1.0).named("boundary"), "cannot be the name"),
        (disk(0.0, 0.0, 1.0).named("x = 1"), "cannot be the name"),
        (disk(0.0, 0.0, 1.0).named(""), "cannot be the name"),
    ] {
        let error = result.map(|_| ()).unwrap_err();
        assert!(
            matches!(error, Error::Domain { .. }) && error.to_string().contains(named),
            "{named}: {error}"
        );
    }
    for (result, named) in [
        (PointCloud::new(0, vec![1.0]), "0 coordinates"),
        (PointCloud::new(2, vec![]), "0 numbers"),
        (PointCloud::new(1, vec![0.0, nan]), "point 1"),
        (PointCloud::new(2, vec![0.0; 3]), "length 3"),
        (PointCloud::new(1, vec![0.0]).unwrap().with_boundary(vec![1.0], vec![0.0]), "normal 0"),
        (PointCloud::new(1, vec![0.0]).unwrap().with_boundary(vec![1.0], vec![1.0, 1.0]), "length 2"),
    ] {
        let error = result.map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(named), "{named}: {error}");
    }
}

#[test]
fn parts_that_cannot_be() {
    let domain = with(holed()).with_periodic(&["y"]).unwrap();
    for (on, named) in [
        ("", "there is no ``"),
        ("bondary", "did you mean `boundary`?"),
        ("hol", "did you mean `hole`?"),
        ("zzzzzzzzzz", "known are `interior`"),
        ("z = 0", "no coordinate `z`"),
        ("x = 2", "outside [-1, 1]"),
        ("x = inf", "`inf` is inf"),
        ("x = log(-1)", "NaN"),
        ("initial", "no time"),
        ("periodic q", "no coordinate `q`"),
        ("interior, x = -1", "condition of its own"),
        ("periodic x and x = 1", "condition of its own"),
    ] {
        let error = domain.part(on).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Part { .. }) && error.to_string().contains(named), "{on}: {error}");
    }
    assert!(matches!(domain.part("x = sinn(1)"), Err(Error::Expression(_))));
    let torus = Domain::new(&SQUARE).unwrap().with_periodic(&["x", "y"]).unwrap();
    assert!(torus.part("boundary").unwrap_err().to_string().contains("no boundary"));
    let inner = with(disk(0.0, 0.0, 0.5));
    assert!(inner.part("x = 1").unwrap_err().to_string().contains("none of it lies"));
}

#[test]
fn samples_that_cannot_be() {
    let (mut points, mut normals) = (Vec::new(), Vec::new());
    for domain in [Domain::new(&SQUARE).unwrap(), with(corner())] {
        let part = domain.part("interior").unwrap();
        let mut sampler = Sampler::new(Sampling::Uniform, 1, "s");
        assert!(matches!(part.sample(0, &mut sampler, &mut points, None), Err(Error::Sampling { .. })));
        let refused = part.sample(1, &mut sampler, &mut points, Some(&mut normals));
        assert!(refused.unwrap_err().to_string().contains("no normals"));
        for n in [usize::MAX, usize::MAX / 32] {
            let refused = part.sample(n, &mut sampler, &mut points, None);
            assert!(matches!(refused, Err(Error::Solver(resolvent::Error::Memory { .. }))));
        }
    }
}

#[test]
fn sequences_go_on_where_a_cut_sample_ended() {
    let part = with(corner()).part("interior").unwrap();
    for sampling in [Sampling::Sobol, Sampling::Halton] {
        let mut sampler = Sampler::new(sampling, 1, "s");
        let (mut whole, mut pieces, mut points) = (Vec::new(), Vec::new(), Vec::new());
        part.sample(100, &mut sampler.clone(), &mut whole, None).unwrap();
        for _ in 0..4 {
            part.sample(25, &mut sampler, &mut points, None).unwrap();
            pieces.extend_from_slice(&points);
        }
        assert_eq!(whole, pieces);
    }
}

fn simple() -> impl Strategy<Value = Shape> {
    let at = || -1.0..1.0f64;
    prop_oneof![
        (at(), at(), 0.05..1.0f64).prop_map(|(x, y, r)| disk(x, y, r)),
        (at(), at(), 0.1..1.0f64, 0.1..1.0f64).prop_map(|(x, y, w, h)| Shape::cuboid(
            &[x, y],
            &[x + w, y + h]
        )
        .unwrap()),
        (0.0..TAU, -0.8..0.8f64).prop_map(|(a, o)| Shape::half_space(&[a.cos(), a.sin()], o).unwrap()),
        (at(), at(), 0.2..1.0f64, 3..9usize).prop_map(|(x, y, r, n)| {
            // A star.
            let vertex = |i: usize| {
                let (a, r) = (PI * i as f64 / n as f64, if i.is_multiple_of(2) { r } else { 0.4 * r });
                [x + r * a.cos(), y + r * a.sin()]
            };
            Shape::polygon(&(0..2 * n).map(vertex).collect::<Vec<_>>()).unwrap()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn joined_shapes_are_sets(a in simple(), b in simple(), x in -1.5..1.5f64, y in -1.5..1.5f64) {
        let p = [x, y];
        // Nothing is known of points on a surface itself.
        prop_assume!(a.distance(&p).abs() > 1e-12 && b.distance(&p).abs() > 1e-12);
        let (in_a, in_b) = (a.contains(&p), b.contains(&p));
        let pair = vec![a.clone(), b.clone()];
        prop_assert_eq!(Shape::union(pair.clone()).unwrap().contains(&p), in_a || in_b);
        prop_assert_eq!(Shape::intersection(pair).unwrap().contains(&p), in_a && in_b);
        prop_assert_eq!(Shape::difference(a.clone(), vec![b.clone()]).unwrap().contains(&p), in_a && !in_b);
        let bounds = a.bounds();
        prop_assert!(!in_a || (0..2).all(|i| bounds[i][0] <= p[i] && p[i] <= bounds[i][1]));
        // No distance changes faster than the point.
        let q = [x + 0.01, y - 0.02];
        prop_assert!((a.distance(&p) - a.distance(&q)).abs() <= 0.01f64.hypot(0.02) + 1e-12);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn boundaries_of_joined_shapes_separate(a in simple(), b in simple(), how in 0..3) {
        let pair = vec![a.clone(), b.clone()];
        let shape = match how {
            0 => Shape::union(pair),
            1 => Shape::intersection(pair),
            _ => Shape::difference(a, vec![b]),
        }.unwrap();
        // Empty ones are refused.
        let Ok(domain) = Domain::new(&SQUARE).unwrap().with_shape(&[], shape) else { return Ok(()) };
        let Ok(boundary) = domain.part("boundary") else { return Ok(()) };
        let (points, normals) = sample(&boundary, Sampling::Uniform, 50);
        for (x, n) in points.chunks_exact(2).zip(normals.chunks_exact(2)) {
            let moved = |s: f64| [x[0] + s * n[0], x[1] + s * n[1]];
            prop_assert!(domain.contains(&moved(-3e-7)) && !domain.contains(&moved(3e-7)), "{x:?} {n:?}");
        }
        let (points, _) = sample(&domain.part("interior").unwrap(), Sampling::Uniform, 50);
        prop_assert!(points.chunks_exact(2).all(|x| domain.contains(x)));
    }
}

#[test]
fn every_face_has_its_share_of_independent_points() {
    let domain = Domain::new(&[("x", 0.0, 1.0), ("y", 0.0, 3.0)]).unwrap();
    let part = domain.part("boundary").unwrap();
    let (mut sampler, mut points) = (Sampler::new(Sampling::Uniform, 4, "faces"), vec![]);
    for n in [512, 8, 13] {
        part.sample(n, &mut sampler, &mut points, None).unwrap();
        let on = |axis: usize, at: f64| points.chunks(2).filter(|x| x[axis] == at).count() as f64;
        for (count, share) in
            [(on(0, 0.0), 0.375), (on(0, 1.0), 0.375), (on(1, 0.0), 0.125), (on(1, 3.0), 0.125)]
        {
            assert!((count - share * n as f64).abs() <= 1.0, "{n}: {count}");
        }
    }
    // Within a face they are independent: points of one stratum each would leave no gap twice as long as the mean.
    part.sample(400, &mut sampler, &mut points, None).unwrap();
    let mut along: Vec<f64> = points.chunks(2).filter(|x| x[0] == 0.0).map(|x| x[1]).collect();
    along.sort_by(f64::total_cmp);
    let widest = along.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max);
    assert!(widest > 2.0 * 3.0 / along.len() as f64 && widest < 0.3, "{widest}");
}
