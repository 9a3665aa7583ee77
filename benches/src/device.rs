//! What a GPU makes of its bandwidth: every kernel that memory bounds, beside a copy measured in the same run.

use resolvent::{
    Boundary, Cell, Cg, Device, DeviceCsr, DeviceMultigrid, DeviceStencil, FaceLaplacian, FlagLaplacian,
    Grid, LinearOperator, MultigridOptions, Operator, Poisson, Result, Scalar, Space, Stencil, Stop,
};
use resolvent_ptx::{Gpu, Memory};
use std::fmt::Write;
use std::sync::Arc;

/// Bytes a second that an H200 moves when it copies, by which times are predicted where there is no GPU.
pub const H200: f64 = 4.1e12;

/// How often each kernel is timed, warm; medians are reported.
const REPEATS: usize = 20;

/// A kernel, or a few that belong together, on a box of n³ cells.
#[derive(Clone, Copy)]
pub struct Task {
    /// What it is.
    pub name: &'static str,
    /// Bytes an unknown that it cannot do without.
    pub bytes: f64,
    make: fn(&Device<f64>, usize) -> Result<Run>,
}

type Run = Box<dyn FnMut() -> Result<()>>;

/// A task and what it took.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is.
    pub name: &'static str,
    /// Bytes it cannot do without.
    pub bytes: f64,
    /// Seconds by the device's clock, the median of some runs; `None` where there is no device.
    pub seconds: Option<f64>,
}

const SIDES: [[Boundary; 2]; 3] = [[Boundary::DIRICHLET; 2]; 3];

fn cube(n: usize) -> Result<Grid> {
    Grid::new_3d(n, n, n)
}

fn constant(n: usize) -> Result<Stencil> {
    Ok(Poisson::new(cube(n)?, SIDES)?.into())
}

/// A ball of air in water.
fn flags(n: usize) -> Result<Stencil> {
    let grid = cube(n)?;
    let inside = |index| {
        let square = |i: usize| (i as f64 + 0.5 - 0.5 * n as f64).powi(2);
        grid.cell(index).map(square).iter().sum::<f64>() < (0.25 * n as f64).powi(2)
    };
    let cells: Vec<Cell> =
        (0..grid.cells()).map(|i| if inside(i) { Cell::Air } else { Cell::Fluid }).collect();
    Ok(FlagLaplacian::new(grid, &cells, SIDES)?.into())
}

fn faces(n: usize) -> Result<Stencil> {
    let grid = cube(n)?;
    let kappa: Vec<f64> = (0..grid.cells()).map(|i| 1.0 + (i % 5) as f64).collect();
    Ok(FaceLaplacian::from_cells(grid, &kappa, SIDES)?.into())
}

fn vectors<T: Scalar, const N: usize>(space: &Device<T>, n: usize) -> Result<[<Device<T> as Space>::Buf; N]> {
    let made = (0..N).map(|_| {
        let mut v = space.zeros(n * n * n)?;
        space.fill(T::of(0.5), &mut v)?;
        Ok(v)
    });
    let made: Vec<_> = made.collect::<Result<_>>()?;
    Ok(made.try_into().unwrap_or_else(|_| unreachable!("as many as asked for")))
}

fn update<T: Scalar>(space: &Device<f64>, n: usize, a: fn(usize) -> Result<Stencil>) -> Result<Run> {
    let space = space.cast::<T>();
    let a = DeviceStencil::<T>::new(&space, &a(n)?)?;
    let [z, mut p, mut q] = vectors(&space, n)?;
    let (beta, mut out) = (space.value(0.5)?, space.value(0.0)?);
    Ok(Box::new(move || a.update_apply_dot_to(&space, &z, &beta, &mut p, &mut q, &mut out)))
}

fn product<T: Scalar>(space: &Device<f64>, n: usize, a: fn(usize) -> Result<Stencil>) -> Result<Run> {
    let space = space.cast::<T>();
    let a = DeviceStencil::<T>::new(&space, &a(n)?)?;
    let [x, mut y] = vectors(&space, n)?;
    Ok(Box::new(move || a.apply(&space, &x, &mut y)))
}

fn cycle(space: &Device<f64>, n: usize, a: fn(usize) -> Result<Stencil>) -> Result<Run> {
    let space = space.cast::<f32>();
    let m = DeviceMultigrid::<f32>::new(&space, &a(n)?, MultigridOptions::default())?;
    let [r, mut z] = vectors(&space, n)?;
    let mut out = space.value(0.0)?;
    Ok(Box::new(move || m.apply_dot_to(&space, &r, &mut z, &mut out)))
}

/// Steps of conjugate gradients that are timed together.
const STEPS: usize = 20;

/// Every task. A kernel that memory bounds is one row here.
pub const TASKS: &[Task] = &[
    Task {
        name: "y ← a x + b y, f64",
        bytes: 24.0,
        make: |space, n| {
            let (space, [x, mut y]) = (space.clone(), vectors(space, n)?);
            Ok(Box::new(move || space.axpby(0.5, &x, 0.5, &mut y)))
        },
    },
    Task {
        name: "x·y, f64",
        bytes: 16.0,
        make: |space, n| {
            let (space, [x, y]) = (space.clone(), vectors(space, n)?);
            let mut out = space.value(0.0)?;
            Ok(Box::new(move || space.dot_to(&x, &y, &mut out)))
        },
    },
    Task {
        name: "x, r ← step, r·r, f64",
        bytes: 48.0,
        make: |space, n| {
            let (space, [p, q, mut x, mut r]) = (space.clone(), vectors(space, n)?);
            let (a, mut out) = (space.value(1e-3)?, space.value(0.0)?);
            Ok(Box::new(move || space.step_to(&a, &p, &q, &mut x, &mut r, &mut out)))
        },
    },
    Task { name: "y ← A x, constant, f64", bytes: 16.0, make: |s, n| product::<f64>(s, n, constant) },
    Task { name: "y ← A x, constant, f32", bytes: 8.0, make: |s, n| product::<f32>(s, n, constant) },
    Task { name: "y ← A x, flags, f64", bytes: 17.0, make: |s, n| product::<f64>(s, n, flags) },
    Task { name: "y ← A x, faces, f64", bytes: 40.0, make: |s, n| product::<f64>(s, n, faces) },
    Task {
        name: "p, q ← update, A p, p·q, constant, f64",
        bytes: 32.0,
        make: |s, n| update::<f64>(s, n, constant),
    },
    Task {
        name: "p, q ← update, A p, p·q, constant, f32",
        bytes: 16.0,
        make: |s, n| update::<f32>(s, n, constant),
    },
    Task {
        name: "p, q ← update, A p, p·q, flags, f64",
        bytes: 33.0,
        make: |s, n| update::<f64>(s, n, flags),
    },
    Task {
        name: "p, q ← update, A p, p·q, faces, f64",
        bytes: 56.0,
        make: |s, n| update::<f64>(s, n, faces),
    },
    Task {
        name: "y ← A x, stored by rows, 7 points, f64",
        bytes: 12.0 * 7.0 + 4.0 + 16.0,
        make: |space, n| {
            let (space, [x, mut y]) = (space.clone(), vectors(space, n)?);
            let a = DeviceCsr::new(&space, &constant(n)?.to_csr()?.0)?;
            Ok(Box::new(move || a.apply(&space, &x, &mut y)))
        },
    },
    Task { name: "V(1,1)-cycle, constant, f32", bytes: 33.0, make: |s, n| cycle(s, n, constant) },
    Task { name: "cycle among flags, f32", bytes: 33.0, make: |s, n| cycle(s, n, flags) },
    Task {
        name: "20 steps of conjugate gradients, constant, f64",
        bytes: 80.0 * STEPS as f64,
        make: |space, n| {
            let (space, [b, mut x]) = (space.clone(), vectors(space, n)?);
            let a = DeviceStencil::new(&space, &constant(n)?)?;
            let stop = Stop { rtol: 0.0, max_steps: STEPS, ..Stop::default() };
            let mut cg = Cg::unpreconditioned(&space, n * n * n, stop)?;
            Ok(Box::new(move || {
                space.fill(0.0, &mut x)?;
                cg.solve(&space, &a, None, &b, &mut x).map(drop)
            }))
        },
    },
];

/// Bytes a second of a copy within the device, both ways counted.
///
/// # Errors
/// [`resolvent::Error::Device`].
pub fn copy_bandwidth(gpu: &Arc<Gpu>) -> Result<f64> {
    let entries = (gpu.free_memory()? / 32).min(64 << 20);
    let from = Memory::<f64>::zeros(gpu, entries)?;
    let mut to = Memory::<f64>::zeros(gpu, entries)?;
    let seconds = median(gpu, &mut || Ok(to.copy_from(&from)?))?;
    Ok(16.0 * entries as f64 / seconds)
}

fn median(gpu: &Gpu, run: &mut dyn FnMut() -> Result<()>) -> Result<f64> {
    for _ in 0..3 {
        run()?;
    }
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let mut ran = Ok(());
        let time = gpu.elapsed(|| {
            ran = run();
            Ok(())
        })?;
        ran?;
        times.push(time.as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[REPEATS / 2])
}

/// Every task on n³ cells, timed where there is a device.
///
/// # Errors
/// Those of the device.
pub fn measure(space: Option<&Device<f64>>, n: usize, watch: &mut dyn FnMut(&str)) -> Result<Vec<Row>> {
    let cells = (n * n * n) as f64;
    let mut rows = Vec::with_capacity(TASKS.len());
    for task in TASKS {
        watch(task.name);
        let seconds = match space {
            Some(space) => Some(median(space.gpu(), &mut *(task.make)(space, n)?)?),
            None => None,
        };
        rows.push(Row { name: task.name, bytes: task.bytes * cells, seconds });
    }
    Ok(rows)
}

/// A table in Markdown: what each task moves, the time that bandwidth alone allows, and what it took.
pub fn page(rows: &[Row], n: usize, bandwidth: Option<f64>) -> String {
    let rate = bandwidth.unwrap_or(H200);
    let mut out = match bandwidth {
        Some(b) => format!("{n}³ cells; a copy moves {:.0} GB/s, both ways counted.\n\n", b / 1e9),
        None => format!("{n}³ cells; no GPU here: times at the {:.0} GB/s of an H200.\n\n", H200 / 1e9),
    };
    out += "| | bytes a cell | at least, ms | took, ms | of the copy's bandwidth |\n|:--|--:|--:|--:|--:|\n";
    for row in rows {
        let (each, least) = (row.bytes / (n * n * n) as f64, row.bytes / rate * 1e3);
        let (took, share) = row.seconds.map_or(("".into(), "".into()), |s| {
            (format!("{:.3}", s * 1e3), format!("{:.0}%", 100.0 * row.bytes / s / rate))
        });
        let _ = writeln!(out, "| {} | {each:.0} | {least:.3} | {took} | {share} |", row.name);
    }
    out
}
