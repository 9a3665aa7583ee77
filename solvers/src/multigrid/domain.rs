//! Random geometries to train on: solids of several shapes, porous ones, water under air.

use crate::learn::Random;
use crate::{Boundary, Cell, FlagLaplacian, Grid, Result, Stencil};
use std::f64::consts::TAU;

/// A solid body, or half of space.
enum Body {
    Ball { centre: [f64; 3], radius: f64 },
    Brick { centre: [f64; 3], half: [f64; 3], axes: [[f64; 3]; 3] },
}

impl Body {
    fn draw(random: &mut Random, dim: usize) -> Self {
        let centre = std::array::from_fn(|d| if d < dim { random.uniform() } else { 0.0 });
        if random.uniform() < 0.5 {
            return Self::Ball { centre, radius: 0.05 + 0.2 * random.uniform() };
        }
        let half = std::array::from_fn(|_| 0.03 + 0.2 * random.uniform());
        // Gram and Schmidt's axes of random directions.
        let mut axes = [[0.0; 3]; 3];
        for a in 0..dim {
            let mut v: [f64; 3] = std::array::from_fn(|d| if d < dim { random.normal() } else { 0.0 });
            for b in axes.iter().take(a) {
                let along = dot(v, *b);
                v = std::array::from_fn(|d| v[d] - along * b[d]);
            }
            let length = dot(v, v).sqrt().max(1e-9);
            axes[a] = v.map(|v| v / length);
        }
        Self::Brick { centre, half, axes }
    }

    fn contains(&self, x: [f64; 3]) -> bool {
        match self {
            Self::Ball { centre, radius } => {
                let d: [f64; 3] = std::array::from_fn(|a| x[a] - centre[a]);
                dot(d, d) < radius * radius
            }
            Self::Brick { centre, half, axes } => {
                let d: [f64; 3] = std::array::from_fn(|a| x[a] - centre[a]);
                axes.iter().zip(half).all(|(axis, half)| dot(d, *axis).abs() < *half)
            }
        }
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A sum of waves of random direction, of variance 1.
struct Waves(Vec<([f64; 3], f64)>);

impl Waves {
    /// With up to `most` periods a side, in the first `dim` dimensions.
    fn draw(random: &mut Random, dim: usize, most: f64) -> Self {
        let mut wave = || {
            let k =
                std::array::from_fn(
                    |d| if d < dim { TAU * most * (2.0 * random.uniform() - 1.0) } else { 0.0 },
                );
            (k, TAU * random.uniform())
        };
        Self((0..12).map(|_| wave()).collect())
    }

    fn at(&self, x: [f64; 3]) -> f64 {
        let sum: f64 = self.0.iter().map(|(k, phase)| libm::cos(dot(*k, x) + phase)).sum();
        sum * (2.0 / self.0.len() as f64).sqrt()
    }
}

/// Geometry `number` of a seed, in `dim` dimensions: 20 to 32 cells a side, by turns bodies in a vessel open at the top, a
/// porous solid, water under air, and water under air around bodies. Pockets that no prescribed value reaches are solid.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub(super) fn domain(seed: u64, number: u64, dim: usize) -> Result<Stencil> {
    let mut random = Random::new(seed, &format!("cycle: domain {number}"));
    let side = |random: &mut Random| 20 + 2 * random.below(7) as usize;
    let n = [side(&mut random), side(&mut random), side(&mut random)];
    let grid = if dim == 2 { Grid::new_2d(2 * n[0], 2 * n[1])? } else { Grid::new_3d(n[0], n[1], n[2])? };
    let kind = number % 4;
    let bodies: Vec<Body> = match kind {
        0 | 3 => (0..2 + random.below(8)).map(|_| Body::draw(&mut random, dim)).collect(),
        _ => Vec::new(),
    };
    let pores = (kind == 1).then(|| {
        let most = 1.5 + 1.5 * random.uniform();
        (Waves::draw(&mut random, dim, most), 1.2 * random.uniform() - 0.4)
    });
    let surface = (kind >= 2).then(|| {
        let (most, height) = (1.0 + 3.0 * random.uniform(), 0.35 + 0.4 * random.uniform());
        (Waves::draw(&mut random, dim - 1, most), height, 0.02 + 0.12 * random.uniform())
    });
    let up = dim - 1;
    let filling = |index: usize| {
        let at = grid.cell(index);
        let x: [f64; 3] =
            std::array::from_fn(|d| if d < dim { (at[d] as f64 + 0.5) / grid.n()[d] as f64 } else { 0.0 });
        if let Some((waves, height, size)) = &surface
            && x[up] > height + size * waves.at(x)
        {
            return Cell::Air;
        }
        let solid = bodies.iter().any(|b| b.contains(x))
            || pores.as_ref().is_some_and(|(waves, level)| waves.at(x) > *level);
        if solid { Cell::Solid } else { Cell::Fluid }
    };
    let mut cells: Vec<Cell> = (0..grid.cells()).map(filling).collect();
    let mut sides = [[Boundary::Neumann; 2]; 3];
    if surface.is_none() {
        sides[up][1] = Boundary::DIRICHLET;
    }
    close_pockets(grid, up, surface.is_none(), &mut cells);
    Ok(Stencil::from(FlagLaplacian::new(grid, &cells, sides)?))
}

/// Makes solid what neither air nor, where it is `open`, the top reaches.
fn close_pockets(grid: Grid, up: usize, open: bool, cells: &mut [Cell]) {
    let n = grid.n();
    let neighbours = |index: usize| {
        let at = grid.cell(index);
        (0..2 * grid.dim()).filter_map(move |side| {
            let (d, end) = (side / 2, side % 2);
            let inside = if end == 0 { at[d] > 0 } else { at[d] + 1 < n[d] };
            inside.then(|| {
                let mut there = at;
                there[d] = at[d] + 2 * end - 1;
                grid.index(there)
            })
        })
    };
    let mut reached = vec![false; cells.len()];
    let grounded = |index: usize| {
        (open && grid.cell(index)[up] + 1 == n[up]) || neighbours(index).any(|c| cells[c] == Cell::Air)
    };
    let mut stack: Vec<usize> =
        (0..cells.len()).filter(|&c| cells[c] == Cell::Fluid && grounded(c)).collect();
    stack.iter().for_each(|&c| reached[c] = true);
    while let Some(index) = stack.pop() {
        for c in neighbours(index) {
            if cells[c] == Cell::Fluid && !reached[c] {
                reached[c] = true;
                stack.push(c);
            }
        }
    }
    for (cell, reached) in cells.iter_mut().zip(reached) {
        if *cell == Cell::Fluid && !reached {
            *cell = Cell::Solid;
        }
    }
}
