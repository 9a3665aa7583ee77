//! Every family is what its documentation says: its solids, its matrix and its right-hand sides by plain loops.

use resolvent::{Boundary, Cell, Grid};
use resolvent_datasets::random::Stream;
use resolvent_datasets::{Family, Parameters, Problem, RhsKind};
use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};

#[path = "families/members.rs"]
mod members;

use members::{members, problem};

/// A Gaussian random field at a point, mode by mode, as its documentation defines it.
fn field(seed: u64, name: &str, dim: usize, modes: usize, width: f64, points: &[[f64; 3]]) -> Vec<f64> {
    let stream = Stream::new(seed, name);
    let count = modes.pow(dim as u32);
    let (mut variance, mut values) = (0.0, vec![0.0; points.len()]);
    for at in 1..count {
        let k: [usize; 3] =
            std::array::from_fn(|d| if d < dim { at / modes.pow(d as u32) % modes } else { 0 });
        let square = k.iter().map(|k| (k * k) as f64).sum::<f64>();
        let a = stream.normal(at as u64) * (-square / (2.0 * width * width)).exp();
        variance += a * a * k.iter().map(|k| if *k == 0 { 1.0 } else { 0.5 }).product::<f64>();
        if a.abs() < 1e-14 {
            continue;
        }
        for (v, x) in values.iter_mut().zip(points) {
            *v += a * (0..3).map(|d| (PI * k[d] as f64 * x[d]).cos()).product::<f64>();
        }
    }
    values.iter().map(|v| v / variance.sqrt()).collect()
}

fn centres(grid: Grid) -> Vec<[f64; 3]> {
    let h = 1.0 / grid.n()[0] as f64;
    let at = |c: usize, d: usize| if d < grid.dim() { (grid.cell(c)[d] as f64 + 0.5) * h } else { 0.0 };
    (0..grid.cells()).map(|c| std::array::from_fn(|d| at(c, d))).collect()
}

/// The neighbours of a cell: for each side the dimension, the end and the cell there, if it is one of the grid.
fn around(grid: Grid, cell: usize) -> Vec<(usize, usize, Option<usize>)> {
    let (at, n) = (grid.cell(cell), grid.n());
    let mut all = Vec::new();
    for d in 0..grid.dim() {
        for end in 0..2 {
            let inside = if end == 0 { at[d] > 0 } else { at[d] + 1 < n[d] };
            let mut there = at;
            if inside {
                there[d] = if end == 0 { at[d] - 1 } else { at[d] + 1 };
            }
            all.push((d, end, inside.then(|| grid.index(there))));
        }
    }
    all
}

/// The matrix by plain loops, from a coefficient and a filling for each cell.
fn reference(
    p: &Problem,
    kappa: &[f64],
    conductance: [f64; 3],
    cells: &[Cell],
) -> BTreeMap<(usize, usize), f64> {
    let grid = p.grid();
    let mut entries = BTreeMap::new();
    for cell in (0..grid.cells()).filter(|c| cells[*c] == Cell::Fluid) {
        let mut diagonal = 0.0;
        for (d, end, there) in around(grid, cell) {
            match (there, p.sides()[d][end]) {
                (Some(other), _) if cells[other] == Cell::Fluid => {
                    let g = conductance[d] * 2.0 / (1.0 / kappa[cell] + 1.0 / kappa[other]);
                    entries.insert((cell, other), -g);
                    diagonal += g;
                }
                (Some(other), _) if cells[other] == Cell::Air => diagonal += 1.0,
                (None, Boundary::Dirichlet { distance }) => {
                    diagonal += conductance[d] * kappa[cell] / distance;
                }
                _ => {}
            }
        }
        entries.insert((cell, cell), diagonal);
    }
    entries
}

fn assert_is(p: &Problem, expected: &BTreeMap<(usize, usize), f64>, rtol: f64) {
    let system = p.system(RhsKind::Noise).unwrap();
    let (grid, cells) = system.grid.unwrap();
    assert_eq!(grid, p.grid());
    let name = p.family().name;
    assert_eq!(system.matrix.nonzeros(), expected.len(), "{name}");
    for row in 0..system.matrix.rows() {
        let (columns, values) = system.matrix.row(row);
        for (column, value) in columns.iter().zip(values) {
            let at = (cells[row] as usize, cells[*column as usize] as usize);
            let wanted = expected[&at];
            assert!((value - wanted).abs() <= rtol * wanted.abs(), "{name} at {at:?}: {value} {wanted}");
        }
    }
    assert!(system.matrix.is_symmetric(0.0), "{name}");
}

/// Fluid without a path to a value made solid, by sweeps until nothing changes.
fn without_pockets(p: &Problem, cells: &[Cell]) -> Vec<Cell> {
    let grid = p.grid();
    let mut open: Vec<bool> = vec![false; cells.len()];
    loop {
        let mut changed = false;
        for cell in (0..cells.len()).filter(|c| cells[*c] == Cell::Fluid) {
            let reached = around(grid, cell).into_iter().any(|(d, end, there)| match there {
                Some(other) => cells[other] == Cell::Air || (cells[other] == Cell::Fluid && open[other]),
                None => p.sides()[d][end] != Boundary::Neumann,
            });
            changed |= reached && !open[cell];
            open[cell] |= reached;
        }
        if !changed {
            break;
        }
    }
    let close = |(c, open): (&Cell, bool)| if *c == Cell::Fluid && !open { Cell::Solid } else { *c };
    cells.iter().zip(open).map(close).collect()
}

/// Checks the scene, its pockets and its matrix against what a formula says of each centre.
fn assert_scene(p: &Problem, formula: impl Fn(usize, [f64; 3]) -> Cell) {
    let filled: Vec<Cell> = centres(p.grid()).into_iter().enumerate().map(|(c, x)| formula(c, x)).collect();
    let expected = without_pockets(p, &filled);
    let name = p.family().name;
    assert_eq!(p.cells().unwrap(), expected, "{name}");
    assert!(expected.iter().any(|c| *c != Cell::Fluid), "{name} has an obstacle");
    assert!(!p.stencil().is_singular());
    assert_eq!(p.stencil().active(), expected.iter().filter(|c| **c == Cell::Fluid).count());
    assert_is(p, &reference(p, &vec![1.0; filled.len()], [1.0; 3], &expected), 0.0);
}

const WALL: Boundary = Boundary::Neumann;

fn assert_open_top(p: &Problem) {
    for d in 0..p.dim() {
        let top = if d + 1 == p.dim() { Boundary::DIRICHLET_NODE } else { WALL };
        assert_eq!(p.sides()[d], [WALL, top], "{}", p.family().name);
    }
}

#[test]
fn boxes_are_the_textbook_matrices() {
    for dim in [2, 3] {
        for (name, side) in [("box", Boundary::DIRICHLET), ("neumann", WALL), ("aniso", Boundary::DIRICHLET)]
        {
            let p = problem(name, 7, dim);
            let mut conductance = [1.0; 3];
            if name == "aniso" {
                conductance[dim - 1] = 1e-3;
            }
            let cells = vec![Cell::Fluid; p.grid().cells()];
            assert!(p.cells().is_none());
            assert_eq!(p.sides()[..dim], vec![[side; 2]; dim]);
            assert_eq!(p.stencil().is_singular(), name == "neumann");
            let expected = reference(&p, &vec![1.0; cells.len()], conductance, &cells);
            assert_is(&p, &expected, if name == "aniso" { 1e-14 } else { 0.0 });
        }
    }
}

#[test]
fn only_neumann_is_singular_and_row_sums_say_so() {
    for (family, dim, frame) in members() {
        let p = family.problem(Parameters::new(12).dim(dim).frame(frame)).unwrap();
        let a = p.system(RhsKind::Noise).unwrap().matrix;
        let sums: Vec<f64> = (0..a.rows()).map(|r| a.row(r).1.iter().sum()).collect();
        let size: Vec<f64> = a.diagonal();
        assert!(size.iter().all(|d| *d > 0.0), "{}", family.name);
        assert!(sums.iter().zip(&size).all(|(s, d)| *s >= -1e-14 * d), "{}", family.name);
        let singular = sums.iter().zip(&size).all(|(s, d)| s.abs() <= 1e-14 * d);
        assert_eq!(singular, family.name == "neumann", "{} in {dim}-D", family.name);
        assert_eq!(p.stencil().is_singular(), singular);
    }
}

#[test]
fn the_smoke_flows_around_a_sphere_and_a_turning_box() {
    for (n, dim, seed, frame) in [(24, 2, 0, 0), (24, 2, 3, 5), (16, 3, 0, 0), (16, 3, 1, 5), (16, 3, 1, 71)]
    {
        let family = Family::named("smoke").unwrap();
        let p = family.problem(Parameters::new(n).dim(dim).seed(seed).frame(frame)).unwrap();
        assert_open_top(&p);
        let places = Stream::new(seed, "smoke: centres");
        let centre = |first: u64, middle: f64| -> [f64; 3] {
            std::array::from_fn(|d| {
                let m = if d == 1 { 0.5 } else { middle };
                m - 0.05 + 0.1 * places.uniform(first + d as u64)
            })
        };
        let (sphere, paddle, up) = (centre(0, 0.3), centre(3, 0.65), dim - 1);
        let (sin, cos) = (TAU * f64::from(frame) / 64.0).sin_cos();
        assert_scene(&p, |_, x| {
            let distance = (0..dim).map(|d| (x[d] - sphere[d]).powi(2)).sum::<f64>().sqrt();
            let (a, b) = (x[0] - paddle[0], x[up] - paddle[up]);
            let inside = (a * cos + b * sin).abs() < 0.18
                && (b * cos - a * sin).abs() < 0.05
                && (dim == 2 || (x[1] - paddle[1]).abs() < 0.18);
            if distance < 0.15 || inside { Cell::Solid } else { Cell::Fluid }
        });
    }
}

#[test]
fn a_full_turn_of_the_smoke_is_64_frames() {
    let family = Family::named("smoke").unwrap();
    let cells = |frame| {
        let p = family.problem(Parameters::new(16).frame(frame)).unwrap();
        (p.frame(), p.cells().unwrap().to_vec(), p.rhs(RhsKind::Flow).unwrap())
    };
    let (first, later) = (cells(0), cells(5));
    assert_eq!((first.0, later.0), (0, 5));
    assert_ne!(first.1, later.1);
    assert_ne!(first.2, later.2);
    // No face of the box passes through a centre at this seed, so rounding of the angle changes nothing.
    assert_eq!(first.1, cells(64).1);
}

#[test]
fn the_gyroid_is_solid_above_its_level() {
    for (n, seed) in [(12, 0), (20, 0), (20, 9)] {
        let p = Family::named("gyroid").unwrap().problem(Parameters::new(n).seed(seed)).unwrap();
        assert_open_top(&p);
        let phases = Stream::new(seed, "gyroid: phases");
        assert_scene(&p, |_, x| {
            let [a, b, c]: [f64; 3] =
                std::array::from_fn(|d| TAU * 3.0 * x[d] + TAU * phases.uniform(d as u64));
            let level = a.sin() * b.cos() + b.sin() * c.cos() + c.sin() * a.cos();
            assert!((level + 0.7).abs() > 1e-12, "a cell that rounding decides");
            if level > -0.7 { Cell::Solid } else { Cell::Fluid }
        });
    }
    let fluid = problem("gyroid", 48, 3).stencil().active() as f64 / 48f64.powi(3);
    assert!((fluid - 0.27).abs() < 0.03, "about a quarter is fluid: {fluid}");
}

#[test]
fn the_dam_has_water_below_its_height_field() {
    for (n, dim, seed) in [(16, 2, 0), (12, 3, 0), (12, 3, 4)] {
        let p = Family::named("dam").unwrap().problem(Parameters::new(n).dim(dim).seed(seed)).unwrap();
        assert_eq!(p.sides()[..dim], vec![[WALL; 2]; dim]);
        let points = centres(p.grid());
        let heights = field(seed, "dam: height", dim - 1, 8, 3.0, &{
            let flat = |x: &[f64; 3]| std::array::from_fn(|d| if d + 1 < dim { x[d] } else { 0.0 });
            points.iter().map(flat).collect::<Vec<_>>()
        });
        assert_scene(&p, |cell, x| {
            let height = (0.5 + 0.12 * heights[cell]).clamp(0.2, 0.85);
            if x[dim - 1] > height { Cell::Air } else { Cell::Fluid }
        });
        assert!(heights.iter().any(|h| (h - heights[0]).abs() > 0.5), "the surface is rough");
    }
}

#[test]
fn the_spheres_are_twelve() {
    for (n, dim, seed) in [(32, 2, 0), (16, 3, 0), (16, 3, 6)] {
        let p = Family::named("spheres").unwrap().problem(Parameters::new(n).dim(dim).seed(seed)).unwrap();
        assert_open_top(&p);
        let numbers = Stream::new(seed, "spheres");
        assert_scene(&p, |_, x| {
            let inside = (0..12).any(|s| {
                let radius = 0.04 + 0.12 * numbers.uniform(4 * s + 3);
                let centre = |d: usize| 0.08 + 0.84 * numbers.uniform(4 * s + d as u64);
                (0..dim).map(|d| (x[d] - centre(d)).powi(2)).sum::<f64>().sqrt() < radius
            });
            if inside { Cell::Solid } else { Cell::Fluid }
        });
    }
}

#[test]
fn pockets_are_closed_somewhere() {
    // Among these there are scenes whose formula leaves a pocket; `assert_scene` checks which cells it is.
    let with_pockets = (0..40).find(|seed| {
        let p = Family::named("spheres").unwrap().problem(Parameters::new(24).dim(2).seed(*seed)).unwrap();
        let numbers = Stream::new(*seed, "spheres");
        let solid = |x: &[f64; 3]| {
            (0..12).any(|s| {
                let centre = |d: u64| numbers.between(4 * s + d, 0.08, 0.92);
                (x[0] - centre(0)).hypot(x[1] - centre(1)) < numbers.between(4 * s + 3, 0.04, 0.16)
            })
        };
        let formula = centres(p.grid()).iter().filter(|x| solid(x)).count();
        p.cells().unwrap().iter().filter(|c| **c == Cell::Solid).count() > formula
    });
    assert!(with_pockets.is_some());
}

#[test]
fn the_channels_have_rough_coefficients() {
    for (n, dim, seed) in [(12, 2, 0), (12, 2, 5), (4, 3, 0)] {
        let p = Family::named("channels").unwrap().problem(Parameters::new(n).dim(dim).seed(seed)).unwrap();
        assert_eq!(p.sides()[..dim], vec![[Boundary::DIRICHLET; 2]; dim]);
        let points = centres(p.grid());
        let (modes, width) = if dim == 2 { (64, 12.0) } else { (32, 8.0) };
        let of = |name| field(seed, name, dim, modes, width, &points);
        let (g, q) = (of("channels: logarithm"), of("channels: jumps"));
        let jump = |q: f64| {
            if q > 0.75 {
                1e3
            } else if q < -0.75 {
                1e-3
            } else {
                1.0
            }
        };
        let kappa: Vec<f64> = g.iter().zip(&q).map(|(g, q)| g.exp() * jump(*q)).collect();
        let cells = vec![Cell::Fluid; kappa.len()];
        assert_is(&p, &reference(&p, &kappa, [1.0; 3], &cells), 1e-10);
    }
}

#[test]
fn right_hand_sides_are_what_they_say() {
    for (family, dim, frame) in members() {
        let p = family.problem(Parameters::new(10).dim(dim).seed(2).frame(frame)).unwrap();
        let points = centres(p.grid());
        let fluid = |c: usize| p.cells().is_none_or(|cells| cells[c] == Cell::Fluid);
        let stream = Stream::new(2, "right-hand side");
        let smooth = |[x, y, z]: [f64; 3]| {
            let (depth, lift) = if dim == 3 { (z - 0.45, 1.0 + z) } else { (0.0, 1.0) };
            let square = (x - 0.35).powi(2) + (y - 0.55).powi(2) + depth * depth;
            0.01 * ((-30.0 * square).exp() + 0.3 * (TAU * x).sin() * (PI * y).cos()) * lift
        };
        for kind in family.rhs {
            let b = p.rhs(*kind).unwrap();
            assert_eq!(b.len(), p.grid().cells());
            assert!(b.iter().any(|v| *v != 0.0) && b.iter().all(|v| v.is_finite()));
            assert!((0..b.len()).all(|c| fluid(c) || b[c] == 0.0), "{} {kind}", family.name);
            let sum: f64 = b.iter().sum();
            if family.name == "neumann" {
                let size: f64 = b.iter().map(|v| v.abs()).sum();
                assert!(sum.abs() < 1e-13 * size, "{kind} has the sum {sum}");
            }
            let wanted = |c: usize| match kind {
                RhsKind::Noise => stream.normal(c as u64),
                _ => smooth(points[c]),
            };
            if matches!(kind, RhsKind::Noise | RhsKind::Smooth) {
                let active: Vec<usize> = (0..b.len()).filter(|c| fluid(*c)).collect();
                let all = active.iter().map(|c| wanted(*c)).sum::<f64>();
                let mean = if family.name == "neumann" { all / active.len() as f64 } else { 0.0 };
                assert!(active.iter().all(|c| (b[*c] - (wanted(*c) - mean)).abs() < 1e-14), "{kind}");
            }
            let system = p.system(*kind).unwrap();
            let cells = system.grid.unwrap().1;
            let gathered: Vec<f64> = cells.iter().map(|c| b[*c as usize]).collect();
            assert_eq!(system.rhs.unwrap(), gathered);
            assert_eq!(system.solution.is_some(), *kind == RhsKind::Manufactured);
            let meta = |name: &str| system.meta.iter().find(|m| m.0 == name).map(|m| m.1.as_str());
            assert_eq!((meta("family"), meta("rhs")), (Some(family.name), Some(kind.name())));
            assert_eq!((meta("n"), meta("seed")), (Some("10"), Some("2")));
            assert_eq!(meta("frame").is_some(), family.moves);
        }
        assert_eq!(p.exact().unwrap().is_some(), family.rhs.contains(&RhsKind::Manufactured));
    }
}

#[test]
fn the_flow_has_no_divergence_away_from_walls() {
    // There b is the truncation error, O(h⁴); beside a wall it is what the wall holds back, O(h).
    let p = problem("dam", 64, 2);
    let b = p.rhs(RhsKind::Flow).unwrap();
    let (grid, cells) = (p.grid(), p.cells().unwrap());
    let (mut inner, mut outer) = (0.0f64, 0.0f64);
    for cell in 0..grid.cells() {
        let free = around(grid, cell).iter().all(|(_, _, there)| there.is_some());
        if cells[cell] == Cell::Fluid {
            let worst = if free { &mut inner } else { &mut outer };
            *worst = worst.max(b[cell].abs());
        }
    }
    assert!(inner < 0.05 * outer, "{inner} inside, {outer} at the walls");
}
