//! The V-cycle on the device space against the host's, on the emulator.

use resolvent::{
    Boundary, Cg, Device, DeviceMultigrid, DeviceStencil, Error, FaceLaplacian, Grid, Host, LinearOperator,
    Multigrid, MultigridOptions, Operator, Poisson, Report, Scalar, Space, Status, Stencil, Stop,
};
use resolvent_datasets::{Family, Parameters, RhsKind};
use resolvent_tests::cases::cases;
use resolvent_tests::noise;

fn device<T: Scalar>() -> Device<T> {
    resolvent_emulator::install();
    Device::open(0).unwrap()
}

/// z on both sides for one r: they agree to rounding, and only residuals are added up in another order.
fn compare<T: Scalar>(name: &str, a: &Stencil, options: MultigridOptions, tolerance: f64)
where
    Multigrid<T>: Operator<Host<T>>,
    DeviceMultigrid<T>: LinearOperator<Device<T>>,
{
    let (space, host) = (device::<T>(), Host::<T>::new());
    let n = a.grid().cells();
    let device_m = match DeviceMultigrid::<T>::new(&space, a, options) {
        Ok(m) => m,
        // Levels of nine points are on the processor only.
        Err(Error::Unsuited { .. }) if a.grid().dim() == 2 => return,
        // What has no hierarchy on the host has none here.
        Err(_) => return assert!(Multigrid::<T>::new(a, options).is_err(), "{name}"),
    };
    let m = Multigrid::<T>::new(a, options).unwrap();
    let mut r: Vec<f64> = noise(n, 11);
    LinearOperator::<Host<f64>>::project(a, &Host::new(), &mut r).unwrap();
    let r: Vec<T> = r.into_iter().map(T::of).collect();
    let mut expected = vec![T::of(0.0); n];
    m.apply(&host, &r, &mut expected).unwrap();
    let (mut dr, mut dz) = (space.zeros(n).unwrap(), space.zeros(n).unwrap());
    space.upload(&r, &mut dr).unwrap();
    let product = device_m.apply_dot(&space, &dr, &mut dz).unwrap();
    let mut found = vec![T::of(f64::NAN); n];
    space.download(&dz, &mut found).unwrap();
    let size = expected.iter().map(|v| v.f64().abs()).fold(0.0, f64::max);
    for (e, f) in expected.iter().zip(&found) {
        assert!((e.f64() - f.f64()).abs() <= tolerance * size, "{name}: {e} {f}, of {size}");
    }
    let exact: f64 = r.iter().zip(&found).map(|(r, z)| r.f64() * z.f64()).sum();
    assert!((product - exact).abs() <= 1e-5 * exact.abs(), "{name}: {product} {exact}");
}

#[test]
fn a_cycle_is_that_of_the_host_to_rounding() {
    let mut small = MultigridOptions::default();
    small.direct_cells = 8;
    for case in cases() {
        compare::<f64>(&case.name, &case.stencil, small, 1e-12);
        compare::<f32>(&case.name, &case.stencil, small, 1e-4);
    }
}

/// Steps to 1e-8 with a cycle in f32 inside an iteration in f64, and the report.
fn solve<S: Space<Scalar = f64>>(
    space: &S,
    a: &dyn LinearOperator<S>,
    m: &dyn LinearOperator<S>,
    b: &[f64],
) -> (Report, Vec<f64>) {
    let n = b.len();
    let (mut db, mut x) = (space.zeros(n).unwrap(), space.zeros(n).unwrap());
    space.upload(b, &mut db).unwrap();
    let report = Cg::new(space, n, Stop::rtol(1e-8)).unwrap().solve(space, a, Some(m), &db, &mut x).unwrap();
    let mut values = vec![0.0; n];
    space.download(&x, &mut values).unwrap();
    (report, values)
}

#[test]
fn solves_take_the_steps_of_the_host() {
    let (space, host) = (device::<f64>(), Host::<f64>::new());
    for (family, dim, n) in [
        ("box", 2, 40),
        ("box", 3, 16),
        ("neumann", 3, 16),
        ("smoke", 3, 20),
        ("gyroid", 3, 20),
        ("dam", 3, 17),
        ("aniso", 3, 16),
        ("channels", 3, 12),
    ] {
        let problem = Family::named(family).unwrap().problem(Parameters::new(n).dim(dim)).unwrap();
        let (a, b) = (problem.stencil(), problem.rhs(RhsKind::Noise).unwrap());
        let device_a = DeviceStencil::new(&space, a).unwrap();
        let mut options = vec![MultigridOptions::default()];
        if let Stencil::Flags(_) = a {
            options.extend(MultigridOptions::learned(dim));
        }
        for options in options {
            let m = Multigrid::<f32>::new(a, options).unwrap();
            let device_m = DeviceMultigrid::<f32>::new(&space.cast(), a, options).unwrap();
            let (expected, x) = solve(&host, a, &m, &b);
            let (found, y) = solve(&space, &device_a, &device_m, &b);
            assert_eq!((expected.status, found.status), (Status::Converged, Status::Converged), "{family}");
            assert!(expected.steps.abs_diff(found.steps) <= 1, "{family} {dim}-D: {expected:?} {found:?}");
            let size = x.iter().map(|v| v * v).sum::<f64>().sqrt();
            let difference = x.iter().zip(&y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt();
            assert!(difference <= 1e-6 * size, "{family}: {difference} of {size}");
        }
    }
}

#[test]
fn a_right_hand_side_outside_the_range_of_the_cycle_is_scaled() {
    let space = device::<f64>();
    let problem = Family::named("smoke").unwrap().problem(Parameters::new(12).dim(3)).unwrap();
    let (a, b) = (problem.stencil(), problem.rhs(RhsKind::Noise).unwrap());
    let device_a = DeviceStencil::new(&space, a).unwrap();
    let m = DeviceMultigrid::<f32>::new(&space.cast(), a, MultigridOptions::default()).unwrap();
    for scale in [1.0, 1e-60, 1.0, 1e60, 1e-140] {
        let b: Vec<f64> = b.iter().map(|v| scale * v).collect();
        let (report, _) = solve(&space, &device_a, &m, &b);
        assert_eq!(report.status, Status::Converged, "{scale}: {report:?}");
    }
}

#[test]
fn what_it_cannot_do_is_said() {
    let space = device::<f32>();
    let grid = Grid::new_2d(40, 40).unwrap();
    let kappa: Vec<f64> = (0..grid.cells()).map(|i| 1.0 + (i % 7) as f64).collect();
    let rough =
        Stencil::from(FaceLaplacian::from_cells(grid, &kappa, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
    let refused = DeviceMultigrid::<f32>::new(&space, &rough, MultigridOptions::default()).unwrap_err();
    assert!(
        matches!(refused, Error::Unsuited { .. }) && refused.to_string().contains("processor"),
        "{refused}"
    );
    let smooth = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
    let m = DeviceMultigrid::<f32>::new(&space, &smooth, MultigridOptions::default()).unwrap();
    let (few, mut z) = (space.zeros(3).unwrap(), space.zeros(1600).unwrap());
    assert!(matches!(m.apply(&space, &few, &mut z), Err(Error::Length { .. })));
}
