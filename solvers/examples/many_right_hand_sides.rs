//! Many right-hand sides: a factorisation, or one hierarchy, made once.

use resolvent::direct::SparseCholesky;
use resolvent::{
    Amg, AmgOptions, Boundary, Cg, Grid, Host, Operator, Poisson, Properties, Result, Status, Stencil, Stop,
};

pub(crate) fn main() -> Result<()> {
    let stencil = Stencil::from(Poisson::new(Grid::new_2d(70, 60)?, [[Boundary::DIRICHLET; 2]; 3])?);
    let a = stencil.to_csr()?.0.assume(Properties::SPD);
    let (space, n, count) = (Host::<f64>::new(), a.rows(), 8);
    let sources: Vec<Vec<f64>> =
        (0..count).map(|k| (0..n).map(|i| f64::from(u8::from(i % count == k))).collect()).collect();

    let m = Amg::<f32>::new(&a, AmgOptions::default())?;
    let mut cg = Cg::new(&space, n, Stop::rtol(1e-10))?;
    let mut iterated = vec![vec![0.0; n]; count];
    let b: Vec<&[f64]> = sources.iter().map(|b| &b[..]).collect();
    let mut x: Vec<&mut [f64]> = iterated.iter_mut().map(|x| &mut x[..]).collect();
    let reports = cg.solve_many(&space, &a, Some(&m), &b, &mut x)?;
    assert!(reports.iter().all(|r| r.status == Status::Converged));

    let factor = SparseCholesky::new(&a)?;
    let mut direct = vec![0.0; n];
    for (b, x) in sources.iter().zip(&iterated) {
        factor.apply(&space, b, &mut direct)?;
        let scale = direct.iter().fold(0.0, |s: f64, v| s.max(v.abs()));
        assert!(x.iter().zip(&direct).all(|(x, y)| (x - y).abs() < 1e-7 * scale));
    }
    let steps: usize = reports.iter().map(|r| r.steps).sum();
    println!("{count} right-hand sides: {steps} steps, or a factor of {} entries", factor.analysis().fill());
    Ok(())
}
