//! Values of `ndarray` and `sprs` as they are: a matrix assembled by one, vectors of the other.

use ndarray::{Array1, Array2};
use resolvent::{Csr, Matrix, Plan, Result, Status, Stop};
use sprs::TriMat;
use std::ops::ControlFlow;

pub(crate) fn main() -> Result<()> {
    // −u″ = f on n points, u = 0 at both ends.
    let n = 200;
    let mut triplets = TriMat::new((n, n));
    for i in 0..n {
        triplets.add_triplet(i, i, 2.0);
        if i > 0 {
            triplets.add_triplet(i, i - 1, -1.0);
            triplets.add_triplet(i - 1, i, -1.0);
        }
    }
    let a = Matrix::from_sparse(Csr::from_sprs(&triplets.to_csr())?);

    // The plan is left to what the matrix is.
    let mut solver = Plan::default().set_up(&a, Stop::rtol(1e-12))?;
    println!("{}", solver.reason());
    let h = 1.0 / (n + 1) as f64;
    let points = Array1::from_shape_fn(n, |i| h * (i + 1) as f64);
    let exact = points.mapv(|s| s * (1.0 - s));
    let b = Array1::from_elem(n, 2.0 * h * h);
    let mut x = Array1::<f64>::zeros(n);
    // Contiguous arrays are slices.
    let (slice, out) = (b.as_slice().expect("contiguous"), x.as_slice_mut().expect("contiguous"));
    let report = solver.solve(&a, slice, out, &mut |_| ControlFlow::Continue(()))?;
    assert_eq!(report.status, Status::Converged);
    assert!((&x - &exact).iter().all(|e| e.abs() < 1e-10));

    // Rows of a 2-D array are right-hand sides.
    let sources = Array2::from_shape_fn((3, n), |(k, i)| (k + 1) as f64 * b[i]);
    let mut solutions = Array2::<f64>::zeros((3, n));
    for (b, mut x) in sources.rows().into_iter().zip(solutions.rows_mut()) {
        let (b, x) = (b.to_slice().expect("contiguous"), x.as_slice_mut().expect("contiguous"));
        let report = solver.solve(&a, b, x, &mut |_| ControlFlow::Continue(()))?;
        assert_eq!(report.status, Status::Converged);
    }
    assert!((&solutions.row(2) - &(3.0 * &exact)).iter().all(|e| e.abs() < 1e-9));
    println!("u(1/2) = {:.6}", x[n / 2]);
    Ok(())
}
