//! Networks on the device space against the host's, on the emulator: the same layers, to rounding.

use resolvent::direction::{Architecture, Dcdm, Masked, Model};
use resolvent::{
    Boundary, Cell, Device, DeviceStencil, FlagLaplacian, FlexibleCg, Grid, Host, Operator, Space, Status,
    Stencil, Stop,
};
use resolvent_tests::noise;

fn scene(grid: Grid) -> Stencil {
    let solid = |c: usize| c % 7 == 3 || c % 11 == 5;
    let cells: Vec<Cell> =
        (0..grid.cells()).map(|c| if solid(c) { Cell::Solid } else { Cell::Fluid }).collect();
    FlagLaplacian::new(grid, &cells, [[Boundary::DIRICHLET; 2]; 3]).unwrap().into()
}

/// Every kind of network on ragged grids, with offsets that are not 0.
fn models(dim: usize) -> Vec<Model> {
    let architectures = [
        Architecture::Dcdm(Dcdm::small(dim)),
        Architecture::Dcdm(Dcdm { channels: 5, ..Dcdm::large(dim) }),
        Architecture::Dcdm(Dcdm { channels: 21, before: 0, coarse: 1, after: 1, dim }),
        Architecture::Masked(Masked { dim, levels: 0 }),
        Architecture::Masked(Masked { dim, levels: 3 }),
    ];
    architectures
        .into_iter()
        .enumerate()
        .map(|(i, architecture)| {
            let model = Model::new(architecture, i as u64).unwrap();
            let shift = noise::<f32>(model.parameters().len(), 4);
            let weights: Vec<f32> =
                model.parameters().values().iter().zip(&shift).map(|(w, s)| w + 0.05 * s).collect();
            model.with_weights(&weights, "noise", 0).unwrap()
        })
        .collect()
}

#[test]
fn a_proposal_is_that_of_the_host_to_rounding() {
    resolvent_emulator::install();
    let space = Device::<f64>::open(0).unwrap();
    let flat = [[13, 6], [1, 9], [33, 2]].map(|[x, y]| Grid::new_2d(x, y).unwrap());
    let deep = [[9, 5, 7], [4, 4, 4], [1, 2, 3], [17, 3, 2]].map(|[x, y, z]| Grid::new_3d(x, y, z).unwrap());
    for grid in flat.into_iter().chain(deep) {
        let (a, r) = (scene(grid), noise::<f64>(grid.cells(), 5));
        for model in models(grid.dim()) {
            let mut expected = vec![0.0; r.len()];
            model.on(&a).unwrap().apply(&Host::<f64>::new(), &r, &mut expected).unwrap();
            let (mut dr, mut dd) = (space.zeros(r.len()).unwrap(), space.zeros(r.len()).unwrap());
            space.upload(&r, &mut dr).unwrap();
            model.on_device(&space, &a).unwrap().apply(&space, &dr, &mut dd).unwrap();
            let mut found = vec![f64::NAN; r.len()];
            space.download(&dd, &mut found).unwrap();
            let size = expected.iter().map(|v| v.abs()).fold(0.0, f64::max);
            for (e, f) in expected.iter().zip(&found) {
                assert!((e - f).abs() <= 1e-5 * size, "{:?} on {grid:?}: {e} {f}", model.architecture());
            }
        }
    }
}

#[test]
fn the_direction_loop_runs_on_a_device() {
    resolvent_emulator::install();
    let space = Device::<f64>::open(0).unwrap();
    let grid = Grid::new_3d(10, 9, 8).unwrap();
    let (a, b) = (scene(grid), {
        let mut b = noise::<f64>(grid.cells(), 6);
        resolvent::LinearOperator::<Host<f64>>::project(&scene(grid), &Host::new(), &mut b).unwrap();
        b
    });
    let device_a = DeviceStencil::new(&space, &a).unwrap();
    for model in models(3) {
        let proposal = model.on_device(&space, &a).unwrap();
        let (mut db, mut x) = (space.zeros(b.len()).unwrap(), space.zeros(b.len()).unwrap());
        space.upload(&b, &mut db).unwrap();
        let stop = Stop::rtol(1e-6);
        let mut solver = FlexibleCg::with_memory(&space, b.len(), stop, 2).unwrap().with_patience(20);
        let report = solver.solve(&space, &device_a, Some(&proposal), &db, &mut x).unwrap();
        // Noise for weights costs steps, and the answer is right.
        assert_eq!(report.status, Status::Converged, "{:?}: {report:?}", model.architecture());
    }
}
