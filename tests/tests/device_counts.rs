//! What goes between host and device in a step. Alone in its program, since a device counts for all who use it.

use resolvent::{
    Boundary, Cg, Device, DeviceMultigrid, DeviceStencil, Grid, LinearOperator, MultigridOptions, Poisson,
    Space, Stencil, Stop,
};
use resolvent_ptx::Counts;
use resolvent_tests::noise;

/// What `steps` steps cost.
fn cost(
    space: &Device<f64>,
    a: &DeviceStencil<f64>,
    m: Option<&dyn LinearOperator<Device<f64>>>,
    steps: usize,
) -> Counts {
    let b = noise::<f64>(17 * 9 * 8, 3);
    let (mut db, mut x) = (space.zeros(b.len()).unwrap(), space.zeros(b.len()).unwrap());
    space.upload(&b, &mut db).unwrap();
    let stop = Stop { max_steps: steps, ..Stop::rtol(1e-14) };
    let mut cg = Cg::new(space, b.len(), stop).unwrap();
    let before = space.counts();
    let report = cg.solve(space, a, m, &db, &mut x).unwrap();
    assert_eq!(report.steps, steps);
    space.counts() - before
}

#[test]
fn a_step_waits_once_and_copies_only_numbers() {
    resolvent_emulator::install();
    let space = Device::<f64>::open(0).unwrap();
    let grid = Grid::new_3d(17, 9, 8).unwrap();
    let stencil = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
    let a = DeviceStencil::new(&space, &stencil).unwrap();
    let (few, more) = (cost(&space, &a, None, 3), cost(&space, &a, None, 13));
    assert_eq!(more.synchronizations - few.synchronizations, 10);
    assert_eq!(more.up, few.up);
    assert!(more.down - few.down <= 10 * 32 * 8, "{few:?} {more:?}");
    // ρ; β; the product and its sum; α; the step and its sum.
    assert_eq!(more.launches - few.launches, 10 * 7, "{few:?} {more:?}");
    let m = DeviceMultigrid::<f32>::new(&space.cast(), &stencil, MultigridOptions::default()).unwrap();
    let (few, more) = (cost(&space, &a, Some(&m), 1), cost(&space, &a, Some(&m), 4));
    assert_eq!(more.synchronizations - few.synchronizations, 3);
    assert_eq!(more.up, few.up);
}
