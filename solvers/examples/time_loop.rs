//! A time loop: one set-up, warm starts, nothing allocated from step to step.
//!
//! u_t = Δu by implicit Euler: (1 + Δt A) u_new = u_old.

use resolvent::{
    Amg, AmgOptions, Boundary, Cg, Csr, Grid, Host, Poisson, Properties, Result, Status, Stencil, Stop,
};

pub(crate) fn main() -> Result<()> {
    let (n, dt) = (64, 4.0);
    let stencil = Stencil::from(Poisson::new(Grid::new_2d(n, n)?, [[Boundary::DIRICHLET; 2]; 3])?);
    let laplacian = stencil.to_csr()?.0;
    let mut entries = Vec::new();
    for i in 0..laplacian.rows() {
        let (columns, values) = laplacian.row(i);
        columns.iter().zip(values).for_each(|(c, v)| entries.push((i as u32, *c, dt * v)));
        entries.push((i as u32, i as u32, 1.0));
    }
    let a = Csr::from_triplets(n * n, n * n, &entries)?.assume(Properties::SPD);

    // The lowest mode of the discrete Laplacian, which decays by a known factor in every step.
    let angle = |i: usize| std::f64::consts::PI * (i as f64 + 0.5) / n as f64;
    let mode: Vec<f64> = (0..n * n).map(|i| angle(i % n).sin() * angle(i / n).sin()).collect();
    let eigenvalue = 8.0 * (std::f64::consts::PI / (2 * n) as f64).sin().powi(2);

    let (space, mut u, mut b) = (Host::<f64>::new(), mode.clone(), vec![0.0; n * n]);
    let m = Amg::<f32>::new(&a, AmgOptions::default())?;
    let mut cg = Cg::new(&space, n * n, Stop::rtol(1e-10))?;
    let mut steps = 0;
    for _ in 0..20 {
        b.copy_from_slice(&u);
        // u holds the solution of the step before: a good start.
        let report = cg.solve(&space, &a, Some(&m), &b, &mut u)?;
        assert_eq!(report.status, Status::Converged, "{}", report.status);
        steps += report.steps;
    }
    let factor = (1.0 + dt * eigenvalue).powi(-20);
    assert!(u.iter().zip(&mode).all(|(u, m)| (u - factor * m).abs() < 1e-8));
    println!("20 steps in time took {steps} of conjugate gradients; the mode is at {factor:.4}");
    Ok(())
}
