//! Periodic equations in one dimension: u_t = Lu + N(u), stepped in Fourier space.

use super::etdrk4::{Etdrk4, Factor, Nonlinear};
use super::layout::{Axis, times};
use super::line::{Line, distance};
use super::march::March;
use super::solution::{GoOn, Solution, Trajectory};
use super::{Layout, Setting, Settings};
use crate::random::Stream;
use crate::{Error, Result};
use rustfft::num_complex::Complex64;

/// L as a function of the wave number.
pub(super) type Linear<F> = Box<dyn Fn(f64) -> F + Send + Sync>;
/// The coefficients 0 to K of the initial values of a trajectory, given K.
pub(super) type Initial = Box<dyn Fn(usize, usize) -> Vec<Complex64> + Send + Sync>;

/// An equation on a periodic interval.
pub(super) struct Periodic<F, N> {
    pub reference: &'static str,
    pub layout: Layout,
    /// Points of the solver for each point stored.
    pub refine: usize,
    /// Steps from one snapshot to the next.
    pub steps: usize,
    pub length: f64,
    /// Of the polynomial N.
    pub degree: usize,
    pub linear: Linear<F>,
    pub nonlinear: fn(&Settings, Line) -> N,
    pub initial: Initial,
    pub settings: Settings,
    /// The first trajectory's first snapshot, where it is no trigonometric polynomial.
    pub exact_start: Option<fn(f64) -> f64>,
}

/// The settings of how such an equation is solved: points, snapshots, points of the solver, steps.
pub(super) const fn numerics(n: u64, snapshots: u64, refine: u64, steps: u64) -> [Setting; 4] {
    [
        Setting::even("n", n, 16, 1 << 16, "points stored"),
        Setting::whole("times", snapshots, 2, 100_000, "snapshots stored, the first at t = 0"),
        Setting::whole("refine", refine, 1, 64, "points of the solver for each point stored"),
        Setting::even("steps", steps, 2, 1_000_000, "time steps from one snapshot to the next"),
    ]
}

impl<F: Factor + 'static, N: Nonlinear + 'static> Periodic<F, N> {
    /// On the interval from `low` to `high`, to the time `end`.
    pub fn layout(settings: &Settings, low: f64, high: f64, end: f64) -> Layout {
        Layout {
            fields: vec!["u"],
            axes: vec![Axis::periodic("x", low, high, settings.whole("n"))],
            times: times(settings.whole("times"), end),
            samples: settings.get_samples(),
        }
    }

    fn points(&self) -> usize {
        self.refine * self.layout.points()
    }

    fn solver(&self, sample: usize, n: usize, steps: usize) -> Etdrk4<F, N> {
        let line = Line::new(n, self.degree);
        let h = self.layout.times[1] / steps as f64;
        let linear: Vec<F> = line.wave_numbers(self.length).map(&self.linear).collect();
        let v = (self.initial)(sample, line.modes() - 1);
        Etdrk4::new(h, &linear, (self.nonlinear)(&self.settings, line), v)
    }
}

impl<F: Factor + 'static, N: Nonlinear + 'static> Solution for Periodic<F, N> {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn start(&self, sample: usize, measured: bool, _: GoOn) -> Result<Option<Box<dyn Trajectory>>> {
        let n = self.points();
        let fine = self.solver(sample, n, self.steps);
        let coarse = measured.then(|| self.solver(sample, coarser(n), self.steps / 2));
        let (mut line, mut values, refine) = (Line::new(n, self.degree), vec![0.0; n], self.refine);
        let start = self.exact_start.filter(|_| sample == 0);
        let x = self.layout.axes[0].points.clone();
        Ok(Some(Box::new(March {
            reference: self.reference,
            times: self.layout.times.clone(),
            steps: self.steps,
            fine,
            coarse,
            render: Box::new(move |index, v, out| match start {
                Some(start) if index == 0 => out.iter_mut().zip(&x).for_each(|(o, x)| *o = start(*x)),
                _ => {
                    line.values(v, &mut values);
                    out.iter_mut().zip(values.iter().step_by(refine)).for_each(|(o, v)| *o = *v);
                }
            }),
            distance: Box::new(|a, b| {
                let (difference, size) = distance(a, b);
                (difference / size).sqrt()
            }),
            worst: 0.0,
            index: 0,
        })))
    }

    fn memory(&self) -> u64 {
        let n = self.points();
        let modes = Line::kept(n, self.degree) + 1;
        (2 * modes * Etdrk4::<F, N>::bytes_per_mode() + 100 * n) as u64
    }

    fn work(&self) -> u64 {
        self.steps as u64
    }
}

/// The points of the coarser run: an even number, about three quarters.
pub(super) fn coarser(n: usize) -> usize {
    n * 3 / 4 / 2 * 2
}

/// Coefficients 0 to `top`, zero but for those given.
pub(super) fn coefficients(top: usize, given: &[(usize, Complex64)]) -> Vec<Complex64> {
    let mut v = vec![Complex64::ZERO; top + 1];
    for (k, c) in given.iter().filter(|(k, _)| *k <= top) {
        v[*k] = *c;
    }
    v
}

/// Random waves of numbers 1 to `waves` without a mean and with the mean square ½, that of a sine.
pub(super) fn random_waves(name: &str, seed: u64, sample: usize, waves: usize) -> Vec<(usize, Complex64)> {
    let stream = Stream::new(seed, &format!("{name}: trajectory {sample}"));
    let normal = |k: usize| Complex64::new(stream.normal(2 * k as u64), stream.normal(2 * k as u64 + 1));
    let v: Vec<Complex64> = (1..=waves).map(normal).collect();
    let scale = (0.25 / v.iter().map(Complex64::norm_sqr).sum::<f64>()).sqrt();
    v.into_iter().enumerate().map(|(at, v)| (at + 1, v * scale)).collect()
}

/// −½ (u²)_x, of Burgers, Korteweg and de Vries, Kuramoto and Sivashinsky.
pub(super) struct Convection {
    wave_numbers: Vec<f64>,
    values: Vec<f64>,
    line: Line,
}

impl Convection {
    /// On an interval of this length.
    pub fn new(line: Line, length: f64) -> Self {
        Self { wave_numbers: line.wave_numbers(length).collect(), values: vec![0.0; line.n()], line }
    }
}

impl Nonlinear for Convection {
    fn apply(&mut self, v: &[Complex64], out: &mut [Complex64]) {
        self.line.values(v, &mut self.values);
        self.values.iter_mut().for_each(|u| *u *= *u);
        self.line.coefficients(&mut self.values, out);
        for (o, k) in out.iter_mut().zip(&self.wave_numbers) {
            *o = Complex64::new(0.5 * k * o.im, -0.5 * k * o.re);
        }
    }
}

/// Refuses a solver with fewer modes than initial values need.
pub(super) fn check_modes(settings: &Settings, n: usize, degree: usize, waves: usize) -> Result<(), Error> {
    if Line::kept(coarser(n), degree) < waves {
        return Err(
            settings.refuse("n", format!("more points, or a larger `refine`: {waves} waves must fit"))
        );
    }
    Ok(())
}
