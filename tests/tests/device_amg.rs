//! The algebraic cycle on the device space against the host's, on the emulator.

use resolvent::amg::{Coarsening, Cycle, Smoother};
use resolvent::{
    Amg, AmgOptions, Cg, Csr, Device, DeviceAmg, DeviceCsr, Error, Host, LinearOperator, Operator,
    Properties, Scalar, Space, Status, Stop,
};
use resolvent_datasets::{Family, Parameters};
use resolvent_tests::noise;

fn matrix(family: &str, n: usize) -> Csr<f64> {
    let problem = Family::named(family).unwrap().problem(Parameters::new(n)).unwrap();
    problem.stencil().to_csr().unwrap().0.assume(Properties::SPD)
}

fn device<T: Scalar>() -> Device<T> {
    resolvent_emulator::install();
    Device::open(0).unwrap()
}

/// z on both sides for one r.
fn compare<T: Scalar>(a: &Csr<f64>, options: AmgOptions, tolerance: f64)
where
    Amg<T>: Operator<Host<T>>,
    DeviceAmg<T>: LinearOperator<Device<T>>,
{
    let (space, r) = (device::<T>(), noise::<T>(a.rows(), 11));
    let mut expected = vec![T::of(0.0); r.len()];
    Amg::<T>::new(a, options).unwrap().apply(&Host::new(), &r, &mut expected).unwrap();
    let (mut dr, mut dz) = (space.zeros(r.len()).unwrap(), space.zeros(r.len()).unwrap());
    space.upload(&r, &mut dr).unwrap();
    DeviceAmg::<T>::new(&space, a, options).unwrap().apply(&space, &dr, &mut dz).unwrap();
    let mut found = vec![T::of(f64::NAN); r.len()];
    space.download(&dz, &mut found).unwrap();
    let size = expected.iter().map(|v| v.f64().abs()).fold(0.0, f64::max);
    for (e, f) in expected.iter().zip(&found) {
        assert!((e.f64() - f.f64()).abs() <= tolerance * size, "{options:?}: {e} {f}, of {size}");
    }
}

#[test]
fn a_cycle_is_that_of_the_host_to_rounding() {
    let plain = AmgOptions::for_device();
    let mut variants = vec![plain; 4];
    variants[1].smoother = Smoother::Chebyshev { degree: 1 };
    variants[2].coarsening = Coarsening::Plain;
    (variants[3].sweeps, variants[3].smoother) = (2, Smoother::Chebyshev { degree: 3 });
    for a in [matrix("box", 9), matrix("channels", 12), matrix("smoke", 24)] {
        for options in &variants {
            compare::<f64>(&a, *options, 1e-11);
            compare::<f32>(&a, *options, 1e-4);
        }
    }
}

#[test]
fn solves_take_the_steps_of_the_host() {
    let (space, host) = (device::<f64>(), Host::<f64>::new());
    for a in [matrix("box", 12), matrix("channels", 16)] {
        let (n, b, options) = (a.rows(), noise::<f64>(a.rows(), 3), AmgOptions::for_device());
        let m = Amg::<f32>::new(&a, options).unwrap();
        let mut x = vec![0.0; n];
        let mut cg = Cg::new(&host, n, Stop::rtol(1e-8)).unwrap();
        let expected = cg.solve(&host, &a, Some(&m), &b, &mut x).unwrap();
        let m = DeviceAmg::<f32>::new(&space.cast(), &a, options).unwrap();
        let device_a = DeviceCsr::new(&space, &a).unwrap();
        let (mut db, mut dx) = (space.zeros(n).unwrap(), space.zeros(n).unwrap());
        space.upload(&b, &mut db).unwrap();
        let mut cg = Cg::new(&space, n, Stop::rtol(1e-8)).unwrap();
        let found = cg.solve(&space, &device_a, Some(&m), &db, &mut dx).unwrap();
        assert_eq!((expected.status, found.status), (Status::Converged, Status::Converged));
        assert!(expected.steps.abs_diff(found.steps) <= 1, "{expected:?} {found:?}");
    }
}

#[test]
fn what_it_cannot_do_is_said() {
    let (space, a) = (device::<f64>(), matrix("box", 9));
    let mut krylov = AmgOptions::for_device();
    krylov.cycle = Cycle::K;
    for options in [AmgOptions::default(), krylov] {
        let refused = DeviceAmg::<f64>::new(&space, &a, options).unwrap_err();
        assert!(
            matches!(refused, Error::Unsuited { .. }) && refused.to_string().contains("for_device"),
            "{refused}"
        );
    }
}
