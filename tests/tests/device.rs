//! The device space and its operators against the host, bit for bit, on the emulator: sums have the host's order there.

use resolvent::precond::Jacobi;
use resolvent::{
    Cg, Device, DeviceStencil, Host, LinearOperator, Map, Operator, Report, Scalar, Segments, Space, Stencil,
    Stop,
};
use resolvent_tests::cases::cases;
use resolvent_tests::noise;

/// Around the width of a warp, of a block of threads, of a chunk and of a block of the host.
const SIZES: [usize; 16] = [0, 1, 2, 15, 16, 17, 31, 32, 33, 255, 257, 1023, 1025, 4095, 4097, 10_007];

fn device<T: Scalar>() -> Device<T> {
    resolvent_emulator::install();
    Device::open(0).unwrap()
}

/// A vector on the device.
fn up<T: Scalar>(space: &Device<T>, values: &[T]) -> <Device<T> as Space>::Buf {
    let mut v = space.zeros(values.len()).unwrap();
    space.upload(values, &mut v).unwrap();
    v
}

fn down<T: Scalar>(space: &Device<T>, v: &<Device<T> as Space>::Slice) -> Vec<T> {
    let mut values = vec![T::of(f64::NAN); v.len()];
    space.download(v, &mut values).unwrap();
    values
}

/// Bits, but that NaN is NaN and both zeros are one.
fn bits<T: Scalar>(v: &[T]) -> Vec<u64> {
    let of = |v: f64| if v.is_nan() { u64::MAX } else { (v + 0.0).to_bits() };
    v.iter().map(|v| of(v.f64())).collect()
}

fn verbs<T: Scalar>(n: usize) {
    let (space, host) = (device::<T>(), Host::<T>::new());
    let [x, y, d]: [Vec<T>; 3] = [1, 2, 3].map(|seed| noise(n, seed));
    let [dx, dy, dd] = [&x, &y, &d].map(|v| up(&space, v));
    let what = format!("{n} entries in {}", T::NAME);
    // What changes a vector, on both sides.
    let check = |name: &str, f: &dyn Fn(&mut [T]), g: &dyn Fn(&mut <Device<T> as Space>::Slice)| {
        let (mut expected, mut found) = (y.clone(), up(&space, &y));
        f(&mut expected);
        g(&mut found);
        assert_eq!(bits(&expected), bits(&down(&space, &found)), "{name}, {what}");
    };
    let of = T::of;
    check("copy", &|y| host.copy(&x, y).unwrap(), &|y| space.copy(&dx, y).unwrap());
    check("fill", &|y| host.fill(of(0.3), y).unwrap(), &|y| space.fill(of(0.3), y).unwrap());
    for b in [0.0, 1.0, -0.7] {
        check("axpby", &|y| host.axpby(of(1.3), &x, of(b), y).unwrap(), &|y| {
            space.axpby(of(1.3), &dx, of(b), y).unwrap()
        });
        check("multiply", &|y| host.multiply(of(1.3), &d, &x, of(b), y).unwrap(), &|y| {
            space.multiply(of(1.3), &dd, &dx, of(b), y).unwrap()
        });
    }
    check("scale", &|y| host.scale(of(-0.3), y).unwrap(), &|y| space.scale(of(-0.3), y).unwrap());
    check("shift", &|y| host.shift(of(-0.3), y).unwrap(), &|y| space.shift(of(-0.3), y).unwrap());
    check("multiply_dot", &|y| assert!(host.multiply_dot(&d, &x, y).is_ok()), &|y| {
        assert!(space.multiply_dot(&dd, &dx, y).is_ok())
    });
    // What is summed.
    let same = |name: &str, expected: f64, found: f64| {
        assert_eq!((expected + 0.0).to_bits(), (found + 0.0).to_bits(), "{name}: {expected} {found}, {what}");
    };
    same("dot", host.dot(&x, &y).unwrap(), space.dot(&dx, &dy).unwrap());
    same("sum", host.sum(&x).unwrap(), space.sum(&dx).unwrap());
    let mut z = up(&space, &y);
    same(
        "multiply_dot",
        host.multiply_dot(&d, &x, &mut y.clone()).unwrap(),
        space.multiply_dot(&dd, &dx, &mut z).unwrap(),
    );
    for a in [0.0, 0.4] {
        let (mut u, mut r, mut du, mut dr) = (x.clone(), y.clone(), up(&space, &x), up(&space, &y));
        same(
            "step",
            host.step(of(a), &d, &x, &mut u, &mut r).unwrap(),
            space.step(of(a), &dd, &dx, &mut du, &mut dr).unwrap(),
        );
        assert_eq!((bits(&u), bits(&r)), (bits(&down(&space, &du)), bits(&down(&space, &dr))), "{what}");
    }
    for scale in [1.0, 1e-30, 1e30, 1e-300, 1e300] {
        let v: Vec<T> = x.iter().map(|v| of(v.f64() * scale)).collect();
        same("norm", host.norm(&v).unwrap(), space.norm(&up(&space, &v)).unwrap());
    }
}

#[test]
fn verbs_have_the_bits_of_the_host() {
    for n in SIZES {
        verbs::<f64>(n);
        verbs::<f32>(n);
    }
}

#[test]
fn so_have_vectors_of_many_blocks_whose_length_is_no_multiple_of_a_chunk() {
    let n = 1_100_003;
    let (space, host) = (device::<f32>(), Host::<f32>::new());
    let (x, y) = (noise::<f32>(n, 1), noise::<f32>(n, 2));
    let (dx, dy) = (up(&space, &x), up(&space, &y));
    assert_eq!(host.dot(&x, &y).unwrap().to_bits(), space.dot(&dx, &dy).unwrap().to_bits());
    assert_eq!(host.sum(&x).unwrap().to_bits(), space.sum(&dx).unwrap().to_bits());
}

#[test]
fn several_vectors_and_segments_have_the_bits_of_the_host() {
    let (space, host) = (device::<f64>(), Host::<f64>::new());
    for n in [0, 1, 33, 4097, 10_007] {
        let x = noise::<f64>(n, 9);
        let dx = up(&space, &x);
        let vectors: Vec<Vec<f64>> = (0..37).map(|i| noise(n, 20 + i)).collect();
        let basis: Vec<_> = vectors.iter().map(|v| up(&space, v)).collect();
        let (mut dots, a) = (vec![f64::NAN; 37], noise::<f64>(37, 5));
        space.dots(&basis, &dx, &mut dots).unwrap();
        for (v, dot) in vectors.iter().zip(&dots) {
            assert_eq!((host.dot(v, &x).unwrap() + 0.0).to_bits(), (dot + 0.0).to_bits());
        }
        let (mut y, mut dy) = (x.clone(), up(&space, &x));
        for (v, a) in vectors.iter().zip(&a) {
            host.axpby(0.5 * a, v, 1.0, &mut y).unwrap();
        }
        space.combine(0.5, &a, &basis, &mut dy).unwrap();
        assert_eq!(bits(&y), bits(&down(&space, &dy)));
    }
    let segments = Segments::new(&[0, 1, 33, 4100, 0, 15, 9000]).unwrap();
    let (n, count) = (segments.len(), segments.count());
    let (x, y) = (noise::<f64>(n, 1), noise::<f64>(n, 2));
    let (dx, mut dy) = (up(&space, &x), up(&space, &y));
    let (mut expected, mut found) = (vec![0.0; count], vec![f64::NAN; count]);
    host.segment_dot(&segments, &x, &y, &mut expected).unwrap();
    space.segment_dot(&segments, &dx, &dy, &mut found).unwrap();
    assert_eq!(bits(&expected), bits(&found));
    let (mut y, a) = (y, [1.0, 0.0, -0.3, 0.7, 2.0, 0.0, 1.5]);
    host.segment_axpy(&segments, &a, &x, &mut y).unwrap();
    space.segment_axpy(&segments, &a, &dx, &mut dy).unwrap();
    assert_eq!(bits(&y), bits(&down(&space, &dy)));
    let which = [true, false, true, true, false, false, true];
    host.segment_copy(&segments, &which, &x, &mut y).unwrap();
    space.segment_copy(&segments, &which, &dx, &mut dy).unwrap();
    assert_eq!(bits(&y), bits(&down(&space, &dy)));
}

/// Products, fused products and projections of one operator in one precision.
fn products<T: Scalar>(name: &str, host_a: &dyn LinearOperator<Host<T>>, stencil: &Stencil, hostile: bool) {
    let (space, host) = (device::<T>(), Host::<T>::new());
    let a = DeviceStencil::new(&space, stencil).unwrap();
    let n = a.shape().rows;
    assert_eq!((a.shape(), a.properties()), (host_a.shape(), host_a.properties()));
    // In cells that take no part a vector of a solver holds 0.
    let clean = |seed| {
        let mut v: Vec<T> = noise(n, seed);
        host_a.project(&host, &mut v).unwrap();
        v
    };
    let (mut x, z, p) = (clean(1), clean(2), clean(3));
    let (mut y, mut dy) = (vec![T::of(f64::NAN); n], space.zeros(n).unwrap());
    let dot = host_a.apply_dot(&host, &x, &mut y).unwrap();
    let found = a.apply_dot(&space, &up(&space, &x), &mut dy).unwrap();
    assert_eq!(bits(&y), bits(&down(&space, &dy)), "{name}");
    assert_eq!((dot + 0.0).to_bits(), (found + 0.0).to_bits(), "{name}: {dot} {found}");
    if hostile {
        if let Stencil::Flags(flags) = stencil {
            for (x, _) in x.iter_mut().zip(flags.diagonal_bytes()).filter(|(_, d)| **d == 0) {
                *x = T::of(f64::NAN);
            }
        }
        host_a.apply(&host, &x, &mut y).unwrap();
        a.apply(&space, &up(&space, &x), &mut dy).unwrap();
        assert_eq!(bits(&y), bits(&down(&space, &dy)), "{name}, NaN in cells that take no part");
    }
    for beta in [0.0, 0.8] {
        let (mut q, mut dq) = (vec![T::of(f64::NAN); n], space.zeros(n).unwrap());
        let (mut p, mut dp) = (p.clone(), up(&space, &p));
        let dot = host_a.update_apply_dot(&host, &z, T::of(beta), &mut p, &mut q).unwrap();
        let found = a.update_apply_dot(&space, &up(&space, &z), T::of(beta), &mut dp, &mut dq).unwrap();
        assert_eq!(bits(&p), bits(&down(&space, &dp)), "{name}, {beta}");
        assert_eq!(bits(&q), bits(&down(&space, &dq)), "{name}, {beta}");
        assert_eq!((dot + 0.0).to_bits(), (found + 0.0).to_bits(), "{name}: {dot} {found}");
    }
    let mut v: Vec<T> = noise(n, 7);
    let mut dv = up(&space, &v);
    host_a.project(&host, &mut v).unwrap();
    a.project(&space, &mut dv).unwrap();
    assert_eq!(bits(&v), bits(&down(&space, &dv)), "{name}, projected");
}

#[test]
fn products_of_every_operator_have_the_bits_of_the_host() {
    for case in cases() {
        let hostile = case.ignores_inactive();
        products::<f64>(&case.name, &case.stencil, &case.stencil, hostile);
        products::<f32>(&case.name, &*case.single, &case.stencil, hostile);
    }
}

fn solve<S: Space>(
    space: &S,
    a: &dyn LinearOperator<S>,
    m: Option<&dyn LinearOperator<S>>,
    b: &[S::Scalar],
) -> (Report, Vec<S::Scalar>, Vec<f64>) {
    let n = b.len();
    let (mut db, mut x) = (space.zeros(n).unwrap(), space.zeros(n).unwrap());
    space.upload(b, &mut db).unwrap();
    let mut cg = Cg::new(space, n, Stop { max_steps: 25, ..Stop::rtol(1e-8) }).unwrap();
    let report = cg.solve(space, a, m, &db, &mut x).unwrap();
    let mut values = vec![S::Scalar::of(0.0); n];
    space.download(&x, &mut values).unwrap();
    (report, values, cg.history().to_vec())
}

#[test]
fn conjugate_gradients_take_the_same_steps_to_the_same_bits() {
    let (space, host) = (device::<f64>(), Host::<f64>::new());
    for case in
        cases().into_iter().filter(|c| c.plain.grid.n() == [17, 9, 8] || c.plain.grid.n() == [33, 17, 1])
    {
        let n = case.plain.grid.cells();
        let a = DeviceStencil::new(&space, &case.stencil).unwrap();
        let mut b: Vec<f64> = noise(n, 3);
        LinearOperator::<Host<f64>>::project(&case.stencil, &host, &mut b).unwrap();
        let expected = solve(&host, &case.stencil, None, &b);
        let found = solve(&space, &a, None, &b);
        assert_eq!((expected.0.status, expected.0.steps), (found.0.status, found.0.steps), "{}", case.name);
        assert_eq!(bits(&expected.2), bits(&found.2), "{}", case.name);
        assert_eq!(bits(&expected.1), bits(&found.1), "{}", case.name);
        let diagonal = noise::<f64>(n, 4).into_iter().map(|v| 1.0 + v * v).collect::<Vec<_>>();
        let (m, dm) = (Jacobi::new(&host, &diagonal).unwrap(), Jacobi::new(&space, &diagonal).unwrap());
        let (expected, found) = (solve(&host, &case.stencil, Some(&m), &b), solve(&space, &a, Some(&dm), &b));
        assert_eq!(bits(&expected.2), bits(&found.2), "{}", case.name);
    }
}

#[test]
fn what_is_wrong_is_an_error() {
    use resolvent::Error;
    let space = device::<f64>();
    let (few, mut more) = (space.zeros(3).unwrap(), space.zeros(4).unwrap());
    assert!(matches!(space.dot(&few, &more), Err(Error::Length { expected: 3, got: 4, .. })));
    assert!(matches!(space.axpby(1.0, &few, 1.0, &mut more), Err(Error::Length { .. })));
    assert!(matches!(space.upload(&[1.0; 3], &mut more), Err(Error::Length { .. })));
    let refused = Device::<f64>::open(7).unwrap_err();
    assert!(matches!(refused, Error::Device(_)) && refused.to_string().contains("device 7"), "{refused}");
    let refused = space.zeros(1 << 40).unwrap_err();
    assert!(refused.to_string().contains("bytes, "), "{refused}");
}

#[test]
fn a_plan_runs_on_a_device() {
    use resolvent::plan::{Method, Preconditioner};
    use resolvent::{Csr, Matrix, Plan, Properties, Status};
    use std::ops::ControlFlow;
    let space = device::<f64>();
    let grid =
        cases().into_iter().find(|c| c.name.contains("[17, 9, 8]") && c.name.contains("half")).unwrap();
    let n = grid.plain.grid.cells();
    let stored = grid.stencil.to_csr().unwrap().0;
    let skew: Vec<(u32, u32, f64)> =
        (0..200u32).flat_map(|i| [(i, i, 3.0), (i, (i + 1) % 200, -1.0), (i, (i * 7) % 200, 0.5)]).collect();
    let skew = Csr::from_triplets(200, 200, &skew).unwrap().assume(Properties::NONE);
    let (grid, stored, skew) =
        (Matrix::from(grid.stencil), Matrix::from_sparse(stored), Matrix::from_sparse(skew));
    let plans = [
        (&grid, Method::Auto, Preconditioner::Auto),
        (&grid, Method::Cg, Preconditioner::Chebyshev),
        (&grid, Method::FlexibleCg, Preconditioner::Multigrid),
        (&stored, Method::Auto, Preconditioner::Auto),
        (&stored, Method::Cg, Preconditioner::Jacobi),
        (&stored, Method::Cg, Preconditioner::Spai0),
        (&stored, Method::Minres, Preconditioner::None),
        (&skew, Method::Auto, Preconditioner::Auto),
        (&skew, Method::BiCgStab, Preconditioner::None),
        (&skew, Method::FlexibleGmres, Preconditioner::Jacobi),
    ];
    for (a, method, preconditioner) in plans {
        let plan = Plan { method, preconditioner, ..Plan::default() };
        let b = noise::<f64>(a.shape().rows, 3);
        let mut x = vec![0.0; b.len()];
        let mut solver = plan.set_up_on(&space, a, Stop::rtol(1e-9), None, None).unwrap();
        let report = solver.solve(a, &b, &mut x, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(report.status, Status::Converged, "{}: {report:?}", solver.plan());
        let mut ax = vec![0.0; b.len()];
        a.apply(&Host::new(), &x, &mut ax).unwrap();
        let left = b.iter().zip(&ax).map(|(b, a)| (b - a) * (b - a)).sum::<f64>().sqrt();
        assert!(left <= 1.001 * report.target, "{}: {left} of {}", solver.plan(), report.target);
    }
    assert_eq!(n, 17 * 9 * 8);
    for (method, preconditioner) in
        [(Method::Direct, Preconditioner::None), (Method::Cg, Preconditioner::IncompleteCholesky)]
    {
        let plan = Plan { method, preconditioner, ..Plan::default() };
        let Err(refused) = plan.set_up_on(&space, &stored, Stop::default(), None, None) else {
            panic!("{plan}")
        };
        assert!(refused.to_string().contains("work on the processor"), "{refused}");
    }
}

#[test]
fn products_of_sparse_matrices_are_those_of_the_host_to_rounding() {
    use resolvent::{Csr, DeviceCsr};
    let (space, host) = (device::<f64>(), Host::<f64>::new());
    // Rows of 0 to 200 entries, and none at all.
    for (rows, cols) in [(0, 0), (1, 1), (3, 5), (31, 33), (257, 100), (1000, 2000)] {
        let mut entries = Vec::new();
        for r in 0..rows as u32 {
            let many = if r % 5 == 4 { 0 } else { (r * 37 % 201).min(cols as u32) };
            entries.extend((0..many).map(|e| (r, (r * 31 + e) % cols as u32, f64::from(e) - 7.5)));
        }
        let a = Csr::from_triplets(rows, cols, &entries).unwrap();
        let x = noise::<f64>(cols, 5);
        let (mut y, mut dy) = (vec![0.0; rows], space.zeros(rows).unwrap());
        a.apply(&host, &x, &mut y).unwrap();
        DeviceCsr::new(&space, &a).unwrap().apply(&space, &up(&space, &x), &mut dy).unwrap();
        for (r, (expected, found)) in y.iter().zip(down(&space, &dy)).enumerate() {
            let size: f64 = a.row(r).0.iter().zip(a.row(r).1).map(|(c, v)| (v * x[*c as usize]).abs()).sum();
            assert!((expected - found).abs() <= 200.0 * f64::EPSILON * size, "row {r}: {expected} {found}");
        }
    }
}
