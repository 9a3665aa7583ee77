//! A singular system: pure Neumann boundaries leave u fixed up to a constant.

use resolvent::compose::Constants;
use resolvent::{
    Amg, AmgOptions, Boundary, Cg, Grid, Host, Map, Poisson, Properties, Result, Status, Stencil, Stop,
};

pub(crate) fn main() -> Result<()> {
    let stencil = Stencil::from(Poisson::new(Grid::new_2d(90, 70)?, [[Boundary::Neumann; 2]; 3])?);
    // A stored matrix does not know its null space; the wrapper says that it is the constants.
    let matrix = stencil.to_csr()?.0.assume(Properties::SEMIDEFINITE);
    let m = Amg::<f32>::new(&matrix, AmgOptions::default())?;
    let a = Constants::new(matrix);
    let (space, n) = (Host::<f64>::new(), a.shape().rows);
    let mut cg = Cg::new(&space, n, Stop::rtol(1e-9))?;

    // A source and no sink: no x solves it, and the status says by how much.
    let mut b = vec![0.0; n];
    b[0] = 1.0;
    let mut x = vec![0.0; n];
    let report = cg.solve(&space, &a, Some(&m), &b, &mut x)?;
    assert!(matches!(report.status, Status::Inconsistent { .. }));
    println!("{}", report.status);

    // With a sink it is solved, by the x of mean zero.
    b[n - 1] = -1.0;
    let report = cg.solve(&space, &a, Some(&m), &b, &mut x)?;
    assert_eq!(report.status, Status::Converged);
    assert!(x.iter().sum::<f64>().abs() < 1e-8 * n as f64 && x[0] > x[n - 1]);
    println!("{} steps, from {:.3} to {:.3}", report.steps, x[0], x[n - 1]);
    Ok(())
}
