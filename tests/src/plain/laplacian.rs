//! The structured Laplacians as loops over cells and their faces.

use resolvent::{Boundaries, Boundary, Cell, Grid, Scalar};

/// What conducts.
#[derive(Clone, Debug)]
pub enum Coefficients {
    /// One conductance for each dimension.
    Constant([f64; 3]),
    /// What each cell is filled with.
    Cells(Vec<Cell>),
    /// κ of each cell; a face has the harmonic mean.
    Kappa(Vec<f64>),
    /// The conductance of every face along x, y, z, outermost ones included, and a sink for each cell.
    Faces([Vec<f64>; 3], Option<Vec<f64>>),
}

/// −∇·(κ∇) on a grid, scaled by h², from its definition: row i is Σ g (uᵢ − u_neighbour) over the faces of cell i, where
/// a face without a neighbour leads to a prescribed 0.
#[derive(Clone, Debug)]
pub struct Laplacian {
    /// The cells.
    pub grid: Grid,
    /// What happens on the sides. With [`Coefficients::Faces`] only whether they are periodic counts.
    pub sides: Boundaries,
    /// What conducts.
    pub coefficients: Coefficients,
}

/// One face of a cell: its conductance and the cell beyond it, if any.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// Its conductance.
    pub g: f64,
    /// The cell beyond.
    pub beyond: Option<usize>,
}

impl Laplacian {
    /// The faces of a cell through which something flows.
    pub fn faces(&self, [i, j, k]: [usize; 3]) -> Vec<Face> {
        let mut faces = Vec::new();
        for d in 0..self.grid.dim() {
            for end in 0..2 {
                let n = self.grid.n()[d];
                let mut there = [i, j, k];
                let beyond = if end == 0 && there[d] > 0 {
                    there[d] -= 1;
                    Some(self.number(there))
                } else if end == 1 && there[d] + 1 < n {
                    there[d] += 1;
                    Some(self.number(there))
                } else if self.sides[d][end] == Boundary::Periodic {
                    if n == 1 {
                        continue; // its own neighbour
                    }
                    there[d] = if end == 0 { n - 1 } else { 0 };
                    Some(self.number(there))
                } else {
                    None
                };
                faces.extend(self.face([i, j, k], d, end, beyond).filter(|f| f.g != 0.0));
            }
        }
        faces
    }

    fn number(&self, [i, j, k]: [usize; 3]) -> usize {
        i + self.grid.n()[0] * j + self.grid.n()[0] * self.grid.n()[1] * k
    }

    fn face(&self, at: [usize; 3], d: usize, end: usize, beyond: Option<usize>) -> Option<Face> {
        let here = self.number(at);
        let side = match self.sides[d][end] {
            Boundary::Dirichlet { distance } => 1.0 / distance,
            _ => 0.0,
        };
        match &self.coefficients {
            Coefficients::Constant(c) if beyond.is_some() => Some(Face { g: c[d], beyond }),
            Coefficients::Constant(c) => Some(Face { g: c[d] * side, beyond }),
            Coefficients::Cells(cells) if cells[here] != Cell::Fluid => None,
            Coefficients::Cells(cells) => match beyond.map(|b| cells[b]) {
                Some(Cell::Fluid) => Some(Face { g: 1.0, beyond }),
                Some(Cell::Air) => Some(Face { g: 1.0, beyond: None }),
                Some(Cell::Solid) => None,
                None => Some(Face { g: side, beyond: None }),
            },
            Coefficients::Kappa(kappa) => match beyond.map(|b| kappa[b]) {
                Some(other) if other == 0.0 || kappa[here] == 0.0 => None,
                Some(other) => Some(Face { g: 2.0 * kappa[here] * other / (kappa[here] + other), beyond }),
                None => Some(Face { g: kappa[here] * side, beyond }),
            },
            Coefficients::Faces(g, _) => {
                // One more layer of faces than of cells along d.
                let mut layers = self.grid.n();
                layers[d] += 1;
                let mut at = at;
                at[d] += end;
                Some(Face { g: g[d][at[0] + layers[0] * (at[1] + layers[1] * at[2])], beyond })
            }
        }
    }

    /// What drains from a cell besides.
    pub fn sink(&self, cell: usize) -> f64 {
        match &self.coefficients {
            Coefficients::Faces(_, Some(sink)) => sink[cell],
            _ => 0.0,
        }
    }

    /// Ax, and Σ |A| |x| of each row: the scale of its rounding.
    pub fn apply<T: Scalar>(&self, x: &[T]) -> (Vec<f64>, Vec<f64>) {
        let [nx, ny, nz] = self.grid.n();
        let (mut y, mut scale) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    let c = self.number([i, j, k]);
                    let faces = self.faces([i, j, k]);
                    if faces.is_empty() && self.sink(c) == 0.0 {
                        continue; // x is not read
                    }
                    let here = x[c].f64();
                    y[c] += self.sink(c) * here;
                    scale[c] += self.sink(c) * here.abs();
                    for Face { g, beyond } in faces {
                        let there = beyond.map_or(0.0, |b| x[b].f64());
                        y[c] += g * (here - there);
                        scale[c] += g * (here.abs() + there.abs());
                    }
                }
            }
        }
        (y, scale)
    }

    /// Which cells carry an unknown: those through whose faces something flows.
    pub fn active(&self) -> Vec<bool> {
        (0..self.grid.cells())
            .map(|c| !self.faces(self.grid.cell(c)).is_empty() || self.sink(c) > 0.0)
            .collect()
    }

    /// For each cell the first cell of its connected part, and whether each part (by first cell) has a prescribed value.
    pub fn parts(&self) -> (Vec<usize>, Vec<bool>) {
        let n = self.grid.cells();
        let (mut part, mut grounded) = (vec![usize::MAX; n], vec![false; n]);
        for (root, grounded) in grounded.iter_mut().enumerate() {
            let mut stack = vec![root];
            while let Some(c) = stack.pop() {
                if part[c] != usize::MAX {
                    continue;
                }
                part[c] = root;
                *grounded |= self.sink(c) > 0.0;
                for Face { beyond, .. } in self.faces(self.grid.cell(c)) {
                    match beyond {
                        Some(b) => stack.push(b),
                        None => *grounded = true,
                    }
                }
            }
        }
        (part, grounded)
    }

    /// The dimension of the null space: cells that take no part, and parts without a prescribed value.
    pub fn nullity(&self) -> usize {
        let (part, grounded) = self.parts();
        (0..part.len()).filter(|&c| part[c] == c && !grounded[c]).count()
    }

    /// The rows, `[n][n]`.
    pub fn dense(&self) -> Vec<Vec<f64>> {
        let n = self.grid.cells();
        let mut a = vec![vec![0.0; n]; n];
        for (c, row) in a.iter_mut().enumerate() {
            row[c] += self.sink(c);
            for Face { g, beyond } in self.faces(self.grid.cell(c)) {
                row[c] += g;
                if let Some(b) = beyond {
                    row[b] -= g;
                }
            }
        }
        a
    }
}
