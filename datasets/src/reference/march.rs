//! A trajectory stepped in time in Fourier space, beside a coarser one that tells its error.

use super::etdrk4::{Etdrk4, Factor, Nonlinear};
use super::solution::{Tick, Trajectory};
use crate::{Error, Result};
use rustfft::num_complex::Complex64;
use std::ops::ControlFlow;

/// The fields of coefficients at a snapshot.
pub(super) type Render = Box<dyn FnMut(usize, &[Complex64], &mut [f64]) + Send>;
/// The relative L2 difference of fine and coarse coefficients.
pub(super) type Distance = Box<dyn Fn(&[Complex64], &[Complex64]) -> f64 + Send>;

/// A trajectory stepped with ETDRK4.
pub(super) struct March<F, N> {
    pub reference: &'static str,
    /// The times of the snapshots.
    pub times: Vec<f64>,
    /// Steps from one snapshot to the next, an even number.
    pub steps: usize,
    pub fine: Etdrk4<F, N>,
    /// With twice the step and fewer modes.
    pub coarse: Option<Etdrk4<F, N>>,
    pub render: Render,
    pub distance: Distance,
    /// The largest distance so far.
    pub worst: f64,
    pub index: usize,
}

impl<F: Factor, N: Nonlinear> March<F, N> {
    fn coefficients(&mut self) -> impl Iterator<Item = &mut Complex64> {
        self.fine.v.iter_mut().chain(self.coarse.iter_mut().flat_map(|c| c.v.iter_mut()))
    }
}

impl<F: Factor, N: Nonlinear> Trajectory for March<F, N> {
    fn advance(&mut self, index: usize, tick: Tick) -> Result<ControlFlow<()>> {
        for step in 0..self.steps {
            if tick().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.fine.step();
            if step % 2 == 1
                && let Some(coarse) = &mut self.coarse
            {
                coarse.step();
            }
        }
        self.index = index;
        let finite = |v: &[Complex64]| v.iter().all(|v| v.is_finite());
        if !finite(&self.fine.v) {
            return Err(Error::Unstable { reference: self.reference, time: self.times[index] });
        }
        if let Some(coarse) = &self.coarse {
            // A coarser run that overflows tells nothing of the finer one.
            if !finite(&coarse.v) {
                return Err(Error::Unstable { reference: self.reference, time: self.times[index] });
            }
            self.worst = self.worst.max((self.distance)(&self.fine.v, &coarse.v));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn fields(&mut self, out: &mut [f64]) -> Result<()> {
        (self.render)(self.index, &self.fine.v, out);
        Ok(())
    }

    fn accuracy(&self) -> Option<f64> {
        self.coarse.as_ref().map(|_| self.worst)
    }

    fn save(&self, state: &mut Vec<f64>) {
        state.push(self.worst);
        let coarse = self.coarse.iter().flat_map(|c| &c.v);
        state.extend(self.fine.v.iter().chain(coarse).flat_map(|v| [v.re, v.im]));
    }

    fn restore(&mut self, index: usize, state: &[f64]) -> bool {
        let needed = 1 + 2 * self.coefficients().count();
        if state.len() != needed {
            return false;
        }
        self.index = index;
        self.worst = state[0];
        for (v, s) in self.coefficients().zip(state[1..].chunks_exact(2)) {
            *v = Complex64::new(s[0], s[1]);
        }
        true
    }
}
