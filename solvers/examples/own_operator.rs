//! An operator of your own: a product is all a solver asks for.
//!
//! A ring of masses and springs, the matrix of which is never stored.

use resolvent::operator::check_apply;
use resolvent::{Cg, Host, LinearOperator, Map, Operator, Properties, Result, Shape, Status, Stop};

/// y_i = (2 + k) x_i − x_{i−1} − x_{i+1} on a ring: springs between neighbours, and one of stiffness k to the ground.
struct Ring {
    masses: usize,
    ground: f64,
}

impl Map for Ring {
    fn shape(&self) -> Shape {
        Shape::square(self.masses)
    }
    // Conjugate gradients ask for this claim; `Minres` and `Gmres` take less.
    fn properties(&self) -> Properties {
        Properties::SPD
    }
}

impl Operator<Host<f64>> for Ring {
    fn apply(&self, space: &Host<f64>, x: &[f64], y: &mut [f64]) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        let n = self.masses;
        for i in 0..n {
            y[i] = (2.0 + self.ground) * x[i] - x[(i + n - 1) % n] - x[(i + 1) % n];
        }
        Ok(())
    }
}

// The transpose, and products fused with reductions, have defaults.
impl LinearOperator<Host<f64>> for Ring {}

pub(crate) fn main() -> Result<()> {
    let (space, n) = (Host::<f64>::new(), 1000);
    let mut cg = Cg::unpreconditioned(&space, n, Stop::rtol(1e-10))?;
    for ground in [1.0, 0.01] {
        let ring = Ring { masses: n, ground };
        let mut x = vec![0.0; n];
        let report = cg.solve(&space, &ring, None, &vec![1.0; n], &mut x)?;
        // A force of 1 on every mass moves all of them alike, against the ground alone.
        assert!(report.status == Status::Converged && x.iter().all(|x| (x * ground - 1.0).abs() < 1e-8));
        println!("k = {ground}: {} steps, every mass moves by {:.3}", report.steps, x[0]);
    }
    Ok(())
}
