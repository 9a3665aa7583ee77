//! A preconditioner of your own: any operator r ↦ z ≈ A⁻¹r.
//!
//! Blocks of the diagonal, inverted one by one.

use resolvent::operator::check_apply;
use resolvent::{
    Boundary, Cg, Csr, Grid, Host, LinearOperator, Map, Operator, Poisson, Properties, Result, Shape, Status,
    Stencil, Stop,
};

/// The tridiagonal part of every line of a grid, solved directly.
struct Lines {
    n: usize,
    line: usize,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
}

impl Lines {
    fn new(a: &Csr<f64>, line: usize) -> Self {
        let beside = |i: usize| if (i + 1).is_multiple_of(line) { 0.0 } else { a.get(i, i + 1) };
        Self { n: a.rows(), line, diagonal: a.diagonal(), beside: (0..a.rows()).map(beside).collect() }
    }
}

impl Map for Lines {
    fn shape(&self) -> Shape {
        Shape::square(self.n)
    }
    fn properties(&self) -> Properties {
        Properties::SPD
    }
}

impl Operator<Host<f64>> for Lines {
    fn apply(&self, space: &Host<f64>, r: &[f64], z: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), r, z)?;
        let mut pivots = vec![0.0; self.line];
        for (l, (z, r)) in z.chunks_mut(self.line).zip(r.chunks(self.line)).enumerate() {
            let (d, e) = (&self.diagonal[l * self.line..], &self.beside[l * self.line..]);
            (pivots[0], z[0]) = (d[0], r[0]);
            for i in 1..z.len() {
                let factor = e[i - 1] / pivots[i - 1];
                pivots[i] = d[i] - factor * e[i - 1];
                z[i] = r[i] - factor * z[i - 1];
            }
            let last = z.len() - 1;
            z[last] /= pivots[last];
            for i in (0..last).rev() {
                z[i] = (z[i] - e[i] * z[i + 1]) / pivots[i];
            }
        }
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for Lines {}

pub(crate) fn main() -> Result<()> {
    // Couplings along x a hundred times those along y.
    let (grid, sides) = (Grid::new_2d(80, 60)?, [[Boundary::DIRICHLET; 2]; 3]);
    let stencil = Stencil::from(Poisson::anisotropic(grid, sides, [100.0, 1.0, 0.0])?);
    let a = stencil.to_csr()?.0.assume(Properties::SPD);
    let (space, b) = (Host::<f64>::new(), vec![1.0; a.rows()]);
    let lines = Lines::new(&a, 80);
    let mut cg = Cg::new(&space, a.rows(), Stop::default())?;
    let mut steps = |m: Option<&dyn LinearOperator<Host<f64>>>| -> Result<usize> {
        let report = cg.solve(&space, &a, m, &b, &mut vec![0.0; b.len()])?;
        assert_eq!(report.status, Status::Converged);
        Ok(report.steps)
    };
    let (alone, with) = (steps(None)?, steps(Some(&lines))?);
    assert!(4 * with < alone);
    println!("{alone} steps alone, {with} with lines solved");
    Ok(())
}
