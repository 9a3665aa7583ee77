//! Right-hand sides of energy 1.

use crate::Result;
use resolvent::{Cg, Host, LinearOperator, Multigrid, MultigridOptions, Space, Stencil, Stop};

/// The energy is that of a solution to this accuracy, squared.
const RTOL: f64 = 1e-4;

/// Scales right-hand sides to bᵀA⁻¹b = 1.
pub(super) struct UnitEnergy {
    space: Host<f64>,
    multigrid: Multigrid<f32>,
    cg: Cg<Host<f64>>,
    x: Vec<f64>,
}

impl UnitEnergy {
    /// For an operator.
    ///
    /// # Errors
    /// [`resolvent::Error::Memory`]; those of [`Multigrid::new`].
    pub fn new(a: &Stencil) -> Result<Self> {
        let (space, cells) = (Host::<f64>::new(), a.grid().cells());
        let multigrid = Multigrid::new(a, MultigridOptions::default())?;
        let cg = Cg::new(&space, cells, Stop::rtol(RTOL))?;
        Ok(Self { space, multigrid, cg, x: vec![0.0; cells] })
    }

    /// Scales each of `values: [samples × cells]`; zeros stay what they are.
    ///
    /// # Errors
    /// Those of the solver.
    pub fn scale(&mut self, a: &Stencil, values: &mut [f32]) -> Result<()> {
        for values in values.chunks_exact_mut(self.x.len()) {
            let b: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            self.x.fill(0.0);
            let m: &dyn LinearOperator<_> = &self.multigrid;
            let _ = self.cg.solve(&self.space, a as &dyn LinearOperator<_>, Some(m), &b, &mut self.x)?;
            let energy = self.space.dot(&b, &self.x)?;
            if energy > 0.0 {
                values.iter_mut().zip(&b).for_each(|(v, b)| *v = (b / energy.sqrt()) as f32);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::{Boundary, Grid, Operator, Poisson};

    #[test]
    fn the_energy_is_one() {
        let grid = Grid::new_2d(12, 10).unwrap();
        let a: Stencil = Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap().into();
        let (space, x) = (Host::<f64>::new(), (0..120).map(|i| f64::from(i % 7) - 2.0).collect::<Vec<_>>());
        let mut b = vec![0.0; 120];
        a.apply(&space, &x, &mut b).unwrap();
        let energy = space.dot(&x, &b).unwrap();
        let mut values: Vec<f32> = b.iter().map(|v| *v as f32).chain([0.0; 120]).collect();
        UnitEnergy::new(&a).unwrap().scale(&a, &mut values).unwrap();
        for (v, b) in values.iter().zip(&b) {
            assert!((f64::from(*v) - b / energy.sqrt()).abs() < 1e-5);
        }
        assert_eq!(values[120..], [0.0; 120]);
    }
}
