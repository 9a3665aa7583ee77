//! Gray and Scott, in two dimensions.

use super::etdrk4::{Etdrk4, Nonlinear};
use super::layout::{Axis, times};
use super::march::March;
use super::periodic::coarser;
use super::plane::{Plane, distance};
use super::solution::{GoOn, Solution, Trajectory};
use super::{Layout, Reference, STEPPED, Setting, Settings};
use crate::Result;
use crate::random::Stream;
use rayon::prelude::*;
use rustfft::num_complex::Complex64;
use std::f64::consts::PI;

/// Bumps of the initial values.
const BUMPS: u64 = 12;
/// The period, of [−1, 1].
const LENGTH: f64 = 2.0;

pub(super) const REFERENCE: Reference = Reference {
    name: "gray-scott",
    equation: "u_t = du Δu + feed (1 − u) − u v², v_t = dv Δv − (feed + kill) v + u v² on [−1, 1]², periodic, 0 ≤ t ≤ end; \
u(0) = 1 − 2 v(0), v(0) = twelve random bumps of height ¼ and width 0.08",
    method: "Fourier–Galerkin, ETDRK4 (Kassam and Trefethen 2005, 10.1137/S1064827502410633)",
    accuracy: STEPPED,
    settings: &[
        Setting::even("n", 128, 16, 4096, "points stored in each direction"),
        Setting::whole("times", 51, 2, 100_000, "snapshots stored, the first at t = 0"),
        Setting::whole("refine", 4, 1, 16, "points of the solver for each point stored, in each direction"),
        Setting::even("steps", 20, 2, 1_000_000, "time steps from one snapshot to the next"),
        Setting::physical("du", 2e-5, 1e-7, 1.0, "diffusion of u"),
        Setting::physical("dv", 1e-5, 1e-7, 1.0, "diffusion of v"),
        Setting::physical("feed", 0.029, 0.0, 1.0, "feed rate"),
        Setting::physical("kill", 0.057, 0.0, 1.0, "kill rate"),
        Setting::physical("end", 1000.0, 1e-6, 1e6, "final time"),
    ],
    random: true,
    build,
};

struct GrayScott {
    settings: Settings,
    layout: Layout,
}

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let n = settings.whole("n");
    if coarser(n * settings.whole("refine")) < 24 {
        return Err(settings.refuse("n", "at least 32 for this `refine`, so that the bumps are seen"));
    }
    let layout = Layout {
        fields: vec!["u", "v"],
        axes: vec![Axis::periodic("x", -1.0, 1.0, n), Axis::periodic("y", -1.0, 1.0, n)],
        times: times(settings.whole("times"), settings.real("end")),
        samples: settings.get_samples(),
    };
    Ok(Box::new(GrayScott { settings: settings.clone(), layout }))
}

/// −uv² + feed and uv².
struct Reaction {
    feed: f64,
    plane: Plane,
    u: Vec<f64>,
    v: Vec<f64>,
}

impl Nonlinear for Reaction {
    fn apply(&mut self, w: &[Complex64], out: &mut [Complex64]) {
        let modes = w.len() / 2;
        let (first, second) = out.split_at_mut(modes);
        self.plane.values(&w[..modes], &mut self.u);
        self.plane.values(&w[modes..], &mut self.v);
        self.u.par_iter_mut().zip(&self.v).with_min_len(4096).for_each(|(u, v)| *u *= v * v);
        self.plane.coefficients(&mut self.u, second);
        first.iter_mut().zip(second.iter()).for_each(|(a, b)| *a = -b);
        first[0] += self.feed;
    }
}

/// A bump that is periodic and smooth, of height 1: a product of exp(κ(cos πx − 1)), κ = 1/(π width)².
fn bump(x: f64, y: f64) -> f64 {
    let kappa = 1.0 / (PI * 0.08 * PI * 0.08);
    libm::exp(kappa * (libm::cos(PI * x) + libm::cos(PI * y) - 2.0))
}

impl GrayScott {
    fn solver(&self, sample: usize, n: usize, steps: usize) -> (Etdrk4<f64, Reaction>, usize) {
        let of = |name| self.settings.real(name);
        let mut plane = Plane::new(n, 3);
        let top = plane.top();
        let squares: Vec<f64> = plane.wave_numbers(LENGTH).into_iter().map(|[k, l]| k * k + l * l).collect();
        let (feed, kill) = (of("feed"), of("kill"));
        let u = squares.iter().map(|s| -of("du") * s - feed);
        let v = squares.iter().map(|s| -of("dv") * s - (feed + kill));
        let linear: Vec<f64> = u.chain(v).collect();
        let name = format!("{}: trajectory {sample}", REFERENCE.name);
        let stream = Stream::new(self.settings.get_seed(), &name);
        let mut values = vec![0.0; n * n];
        values.par_iter_mut().enumerate().for_each(|(at, v)| {
            let coordinate = |j: usize| -1.0 + LENGTH * j as f64 / n as f64;
            let (x, y) = (coordinate(at / n), coordinate(at % n));
            let centre = |i: u64| stream.between(i, -1.0, 1.0);
            *v = 0.25 * (0..BUMPS).map(|b| bump(x - centre(2 * b), y - centre(2 * b + 1))).sum::<f64>();
        });
        let modes = Plane::modes(top);
        let mut w = vec![Complex64::ZERO; 2 * modes];
        plane.coefficients(&mut values, &mut w[modes..]);
        let (first, second) = w.split_at_mut(modes);
        first.iter_mut().zip(second.iter()).for_each(|(a, b)| *a = b * -2.0);
        first[0] += 1.0;
        let h = self.layout.times[1] / steps as f64;
        let reaction = Reaction { feed, plane, u: vec![0.0; n * n], v: values };
        (Etdrk4::new(h, &linear, reaction, w), top)
    }

    fn points(&self) -> usize {
        self.settings.whole("n") * self.settings.whole("refine")
    }
}

impl Solution for GrayScott {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn start(&self, sample: usize, measured: bool, _: GoOn) -> Result<Option<Box<dyn Trajectory>>> {
        let (n, steps, refine) = (self.points(), self.settings.whole("steps"), self.settings.whole("refine"));
        let (fine, top) = self.solver(sample, n, steps);
        let (coarse, coarse_top) = match measured.then(|| self.solver(sample, coarser(n), steps / 2)) {
            Some((solver, top)) => (Some(solver), top),
            None => (None, 0),
        };
        let (mut plane, mut values) = (Plane::new(n, 3), vec![0.0; n * n]);
        Ok(Some(Box::new(March {
            reference: REFERENCE.name,
            times: self.layout.times.clone(),
            steps,
            fine,
            coarse,
            render: Box::new(move |_, w, out| {
                let points = out.len() / 2;
                for (w, out) in w.chunks(w.len() / 2).zip(out.chunks_mut(points)) {
                    plane.values(w, &mut values);
                    thin(&values, n, refine, out);
                }
            }),
            distance: Box::new(move |a, b| {
                let (a, b) = (a.split_at(a.len() / 2), b.split_at(b.len() / 2));
                let (u, u_size) = distance(a.0, top, b.0, coarse_top);
                let (v, v_size) = distance(a.1, top, b.1, coarse_top);
                (u / u_size).max(v / v_size).sqrt()
            }),
            worst: 0.0,
            index: 0,
        })))
    }

    fn memory(&self) -> u64 {
        let n = self.points();
        let modes = 2 * Plane::modes((n - 1) / 4);
        (2 * modes * Etdrk4::<f64, Reaction>::bytes_per_mode() + 60 * n * n) as u64
    }

    fn work(&self) -> u64 {
        self.settings.whole("steps") as u64
    }
}

/// Every `refine`-th value in each direction of `values: [n][n]`.
pub(super) fn thin(values: &[f64], n: usize, refine: usize, out: &mut [f64]) {
    let rows = values.chunks_exact(n).step_by(refine);
    for (o, row) in out.chunks_exact_mut(n / refine).zip(rows) {
        o.iter_mut().zip(row.iter().step_by(refine)).for_each(|(o, v)| *o = *v);
    }
}
