//! Sparse matrices of known kinds, for the methods that take any.

use crate::noise;
use resolvent::{Csr, Map, Properties};

/// Triplets that are added.
pub type Triplets = Vec<(u32, u32, f64)>;

fn assemble(n: usize, entries: &Triplets) -> Csr<f64> {
    Csr::from_triplets(n, n, entries).expect("the entries are inside")
}

/// The graph Laplacian of an nx × ny grid with the conductance of each edge given by the indices of its ends, and `shift` on
/// the diagonal of the cells on the left side, so that it is definite when `shift` is above 0.
pub fn grid_laplacian(
    nx: usize,
    ny: usize,
    conductance: impl Fn(usize, usize) -> f64,
    shift: f64,
) -> Csr<f64> {
    let mut entries = Triplets::new();
    for i in 0..nx * ny {
        let (x, y) = (i % nx, i / nx);
        for j in [(x + 1 < nx).then_some(i + 1), (y + 1 < ny).then_some(i + nx)].into_iter().flatten() {
            let g = conductance(i, j);
            let (i, j) = (i as u32, j as u32);
            entries.extend([(i, i, g), (j, j, g), (i, j, -g), (j, i, -g)]);
        }
        if x == 0 && shift > 0.0 {
            entries.push((i as u32, i as u32, shift));
        }
    }
    let claim = if shift > 0.0 { Properties::SPD } else { Properties::SEMIDEFINITE };
    assemble(nx * ny, &entries).assume(claim)
}

/// The stiffness of an nx × ny sheet of bilinear elements in plane stress (Poisson's ratio 0.3), clamped on the left side by
/// `shift` on its diagonal; the two displacements of a node are numbered together. With the places of the nodes.
pub fn elasticity(nx: usize, ny: usize, shift: f64) -> (Csr<f64>, Vec<[f64; 2]>) {
    let element = stiffness(0.3);
    let mut entries = Triplets::new();
    let node = |x: usize, y: usize| x + nx * y;
    for y in 0..ny - 1 {
        for x in 0..nx - 1 {
            let nodes = [node(x, y), node(x + 1, y), node(x + 1, y + 1), node(x, y + 1)];
            for (a, row) in element.iter().enumerate() {
                for (b, v) in row.iter().enumerate() {
                    let of = |d: usize| (2 * nodes[d / 2] + d % 2) as u32;
                    entries.push((of(a), of(b), *v));
                }
            }
        }
    }
    for y in 0..ny {
        let first = 2 * node(0, y) as u32;
        entries.extend([(first, first, shift), (first + 1, first + 1, shift)]);
    }
    let places = (0..nx * ny).map(|i| [(i % nx) as f64, (i / nx) as f64]).collect();
    (assemble(2 * nx * ny, &entries).assume(Properties::SPD), places)
}

/// The stiffness of a unit square in plane stress, by 2 × 2 Gauss points.
fn stiffness(nu: f64) -> [[f64; 8]; 8] {
    let c = 1.0 / (1.0 - nu * nu);
    let d = [[c, c * nu, 0.0], [c * nu, c, 0.0], [0.0, 0.0, c * (1.0 - nu) / 2.0]];
    let mut k = [[0.0; 8]; 8];
    let point = 0.5 / f64::sqrt(3.0);
    for s in [0.5 - point, 0.5 + point] {
        for t in [0.5 - point, 0.5 + point] {
            let dx = [-(1.0 - t), 1.0 - t, t, -t];
            let dy = [-(1.0 - s), -s, s, 1.0 - s];
            let mut b = [[0.0; 8]; 3];
            for n in 0..4 {
                b[0][2 * n] = dx[n];
                b[1][2 * n + 1] = dy[n];
                (b[2][2 * n], b[2][2 * n + 1]) = (dy[n], dx[n]);
            }
            for i in 0..8 {
                for j in 0..8 {
                    for p in 0..3 {
                        for q in 0..3 {
                            k[i][j] += 0.25 * b[p][i] * d[p][q] * b[q][j];
                        }
                    }
                }
            }
        }
    }
    k
}

/// The translations and the rotation of places in the plane.
pub fn rigid_body_modes(places: &[[f64; 2]]) -> Vec<Vec<f64>> {
    let of = |f: &dyn Fn(&[f64; 2]) -> [f64; 2]| places.iter().flat_map(f).collect();
    vec![of(&|_| [1.0, 0.0]), of(&|_| [0.0, 1.0]), of(&|p| [-p[1], p[0]])]
}

/// Upwind convection along (1, 0.5) and diffusion on an nx × ny grid, Dirichlet: an M-matrix that is not symmetric.
pub fn convection(nx: usize, ny: usize, speed: f64) -> Csr<f64> {
    let mut entries = Triplets::new();
    for i in 0..nx * ny {
        let (x, y) = (i % nx, i / nx);
        let mut push = |there: bool, j: usize, v: f64| {
            if there {
                entries.push((i as u32, j as u32, v));
            }
        };
        push(true, i, 4.0 + 1.5 * speed);
        push(x > 0, i.wrapping_sub(1), -1.0 - speed);
        push(x + 1 < nx, i + 1, -1.0);
        push(y > 0, i.wrapping_sub(nx), -1.0 - 0.5 * speed);
        push(y + 1 < ny, i + nx, -1.0);
    }
    assemble(nx * ny, &entries)
}

/// A definite grid Laplacian of n × n cells less 1.1 on the diagonal: symmetric, with eigenvalues of both signs.
pub fn indefinite(n: usize) -> Csr<f64> {
    let a = grid_laplacian(n, n, |_, _| 1.0, 1.0);
    let mut entries = triplets(&a);
    entries.extend((0..a.rows() as u32).map(|i| (i, i, -1.1)));
    assemble(a.rows(), &entries).assume(Properties::SYMMETRIC)
}

/// DAD for the diagonal matrix D of `f`, with the claims of A.
pub fn scaled(a: &Csr<f64>, f: impl Fn(usize) -> f64) -> Csr<f64> {
    let entry = |(i, j, v): (u32, u32, f64)| (i, j, f(i as usize) * v * f(j as usize));
    assemble(a.rows(), &triplets(a).into_iter().map(entry).collect()).assume(a.properties())
}

fn triplets(a: &Csr<f64>) -> Triplets {
    let row = |i: usize| a.row(i).0.iter().zip(a.row(i).1).map(move |(c, v)| (i as u32, *c, *v));
    (0..a.rows()).flat_map(row).collect()
}

/// A connected graph Laplacian with random conductances over several decades, random numbering and a small shift.
pub fn random_graph(n: usize, seed: u64) -> Csr<f64> {
    let noise = noise::<f64>(4 * n, seed);
    let mut entries = Triplets::new();
    for i in 1..n {
        for k in 0..3 {
            let j = (noise[4 * i + k].abs() * 1e6) as usize % i;
            let g = 10f64.powf(noise[4 * i + 3]);
            let (a, b) = ((i * 7919 % n) as u32, (j * 7919 % n) as u32);
            if a != b {
                entries.extend([(a, a, g), (b, b, g), (a, b, -g), (b, a, -g)]);
            }
        }
    }
    (0..n as u32).for_each(|i| entries.push((i, i, 1e-3)));
    assemble(n, &entries).assume(Properties::SPD)
}
