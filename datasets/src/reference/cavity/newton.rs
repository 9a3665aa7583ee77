//! Newton's method for the flow, from the Stokes flow over growing Reynolds numbers.
//!
//! Each step solves with the derivative by GMRES. Preconditioned with the factors of the biharmonic operator it is the identity
//! plus a compact operator, so the number of iterations does not grow with the degree.

use super::flow::{Flow, Nodes};
use crate::reference::solution::GoOn;
use crate::{Error, Result};
use faer::MatRef;
use resolvent::{Gmres, Host, LinearOperator, Map, Operator, Shape, Stop};
use std::ops::ControlFlow;

/// Steps of GMRES before it restarts.
pub(super) const RESTART: usize = 250;
/// Newton steps at one Reynolds number.
const STEPS: usize = 25;
/// The relative size of a step that ends the last iteration.
const ENOUGH: f64 = 1e-11;

struct Jacobian<'a> {
    flow: &'a Flow,
    state: &'a Nodes,
}

impl Map for Jacobian<'_> {
    fn shape(&self) -> Shape {
        Shape::square(self.flow.count() * self.flow.count())
    }
}

impl Operator<Host<f64>> for Jacobian<'_> {
    fn apply(&self, _: &Host<f64>, x: &[f64], y: &mut [f64]) -> resolvent::Result<()> {
        let n = self.flow.count();
        let product = self.flow.jacobian(self.state, MatRef::from_column_major_slice(x, n, n));
        flatten(product.as_ref(), y);
        Ok(())
    }
}

impl LinearOperator<Host<f64>> for Jacobian<'_> {}

fn flatten(a: MatRef<'_, f64>, out: &mut [f64]) {
    let n = a.nrows();
    for (j, column) in out.chunks_exact_mut(n).enumerate() {
        column.iter_mut().enumerate().for_each(|(i, v)| *v = a[(i, j)]);
    }
}

/// Solves for the coefficients of `flow`; `false` when it was stopped.
pub(super) fn solve(flow: &mut Flow, re: f64, go_on: GoOn) -> Result<bool> {
    let (space, n) = (Host::<f64>::new(), flow.count());
    let factor = flow.factor()?;
    let mut gmres =
        Gmres::with_restart(&space, n * n, Stop { max_steps: 2000, ..Stop::rtol(1e-9) }, RESTART)?;
    let (mut b, mut d) = (vec![0.0; n * n], vec![0.0; n * n]);
    // 0, then a hundred, then at most 2.5 times as much as before.
    let mut stage = 0.0;
    loop {
        flow.nu = if stage > 0.0 { 2.0 / stage } else { f64::INFINITY };
        let last = stage >= re;
        let (mut before, mut step) = (f64::INFINITY, 0);
        loop {
            let state = flow.state();
            flatten(flow.residual(&state).as_ref(), &mut b);
            b.iter_mut().for_each(|b| *b = -*b);
            d.fill(0.0);
            let mut stopped = false;
            let mut watch = |_: &resolvent::Progress| {
                stopped = !go_on();
                if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let a = Jacobian { flow, state: &state };
            // An inaccurate step is a slower one: what counts is where the steps end.
            let _ = gmres.solve_watched(&space, &a, Some(&factor), &b, &mut d, &mut watch)?;
            if stopped {
                return Ok(false);
            }
            let size = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
            for (at, d) in d.iter().enumerate() {
                flow.c[(at % n, at / n)] += d;
            }
            let change = size(&d) / flow.c.norm_l2();
            step += 1;
            // The last digits do not come for rounding.
            if change < if last { ENOUGH } else { 1e-3 } || (change < 1e-8 && change > 0.3 * before) {
                break;
            }
            if step == STEPS || !change.is_finite() {
                let status = format!("Newton's method, Re {stage}");
                return Err(Error::Unsolved { residual: change, status });
            }
            before = change;
        }
        if last {
            return Ok(true);
        }
        stage = if stage == 0.0 { re.min(100.0) } else { re.min(2.5 * stage) };
    }
}
