//! What the hot loops reach of what the machine's memory allows: `bounds [N] [RUNS]`, N = 192 cells along each side unless
//! told otherwise. The triad, the loops and the triad again are measured in turns, because bandwidth drifts; each share is
//! the median over the turns.

use resolvent::{
    Boundary, Buffer, Grid, Host, LinearOperator, Multigrid, MultigridOptions, Operator, Poisson, Space,
    Stencil,
};
use resolvent_benches::bandwidth::Triad;
use resolvent_benches::machine::Machine;
use resolvent_benches::suite::warm_up;
use resolvent_benches::{Spread, memory};
use std::error::Error;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// A loop: its name, the bytes an unknown it must move, and the least share of the bandwidth it is to reach.
struct Loop<'a> {
    name: &'static str,
    bytes: f64,
    floor: f64,
    run: Box<dyn FnMut() -> resolvent::Result<()> + 'a>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let n: usize = arguments.next().map_or(Ok(192), |a| a.parse())?;
    let runs: usize = arguments.next().map_or(Ok(15), |a| a.parse())?;
    let machine = Machine::current();
    let grid = Grid::new_3d(n, n, n)?;
    let cells = grid.cells();
    let a = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3])?);
    let (double, single) = (Host::<f64>::new(), Host::<f32>::new());
    warm_up()?;
    memory::start();
    let before = memory::counted().unwrap_or(0);
    let m = Multigrid::<f32>::new(&a, MultigridOptions::default())?;
    let hierarchy = memory::most().unwrap_or(0).saturating_sub(before) as f64 / cells as f64;
    let vector = || -> resolvent::Result<Buffer<f64>> {
        let mut v = double.zeros(cells)?;
        double.fill(1.0, &mut v)?;
        Ok(v)
    };
    let (mut p, mut q, mut x, mut r, mut z) = (vector()?, vector()?, vector()?, vector()?, vector()?);
    let (mut f, mut e) = (single.zeros(cells)?, single.zeros(cells)?);
    single.fill(1.0, &mut f)?;
    single.fill(1.0, &mut e)?;
    let (b, mut y) = (vector()?, vector()?);
    let sparse = a.to_csr()?.0;
    let mut product = vector()?;
    let mut loops = [
        Loop {
            name: "CG step: p ← r + βp, q ← Ap, p·q; x, r, r·r (f64)",
            bytes: 80.0,
            floor: 0.7,
            run: Box::new(|| {
                let curvature = a.double().update_apply_dot(&double, &r, 0.5, &mut p, &mut q)?;
                double.step(1e-30 * curvature.signum(), &p, &q, &mut x, &mut r).map(|_| ())
            }),
        },
        Loop {
            name: "V(1,1)-cycle on f32 vectors",
            bytes: 33.0,
            floor: 0.5,
            run: Box::new(|| m.apply(&single, &f, &mut e)),
        },
        Loop {
            name: "V(1,1)-cycle in f32 on f64 vectors, with r·z",
            bytes: 41.0,
            floor: 0.0,
            run: Box::new(|| m.apply_dot(&double, &b, &mut z).map(|_| ())),
        },
        Loop {
            name: "y ← Ax (f64)",
            bytes: 16.0,
            floor: 0.0,
            run: Box::new(|| a.double().apply(&double, &b, &mut y)),
        },
        Loop {
            name: "y ← Ax, A stored by rows (f64, 32-bit columns)",
            bytes: 12.0 * sparse.nonzeros() as f64 / cells as f64 + 20.0,
            floor: 0.8,
            run: Box::new(|| sparse.apply(&double, &b, &mut product)),
        },
    ];
    let mut triad = Triad::default();
    let mut shares = vec![Vec::new(); loops.len()];
    let mut times = vec![Vec::new(); loops.len()];
    let mut triads = Vec::new();
    for turn in 0..=runs {
        for (number, l) in loops.iter_mut().enumerate() {
            let before = triad.measure(2);
            let clock = Instant::now();
            (l.run)()?;
            let seconds = clock.elapsed().as_secs_f64();
            let bandwidth = 0.5 * (before + triad.measure(2));
            // The first turn warms up.
            if turn > 0 {
                shares[number].push(l.bytes * cells as f64 / seconds / bandwidth);
                times[number].push(seconds);
                triads.push(bandwidth / 1e9);
            }
        }
    }
    let spread = |v: &[f64]| Spread::of(v).unwrap_or_default();
    println!(
        "box {n}³, {} unknowns, {} threads, {}, {}",
        cells, machine.threads, machine.processor, machine.date
    );
    let t = spread(&triads);
    println!("triad {:.1} GB/s ({:.1} to {:.1})\n", t.median, t.min, t.max);
    println!("| loop | bytes/unknown | ms | achieved / bound | floor |\n|:--|--:|--:|--:|--:|");
    for ((l, shares), times) in loops.iter().zip(&shares).zip(&times) {
        let (s, t) = (spread(shares), spread(times));
        let floor = if l.floor > 0.0 { format!("{:.0}%", 100.0 * l.floor) } else { "–".into() };
        println!(
            "| {} | {:.0} | {:.1} | {:.0}% ({:.0} to {:.0}) | {floor} |",
            l.name,
            l.bytes,
            1e3 * t.median,
            100.0 * s.median,
            100.0 * s.min,
            100.0 * s.max
        );
    }
    println!(
        "\nhierarchy {hierarchy:.1} bytes/unknown; with the vectors of CG (r, p, q, z) {:.1}",
        hierarchy + 32.0
    );
    Ok(())
}
