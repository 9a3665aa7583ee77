//! Decaying turbulence in two dimensions.

use super::etdrk4::{Etdrk4, Nonlinear};
use super::gray_scott::thin;
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
use std::f64::consts::TAU;

pub(super) const REFERENCE: Reference = Reference {
    name: "turbulence",
    equation: "w_t + (u w)_x + (v w)_y = nu Δw, w = v_x − u_y, u_x + v_y = 0 on [0, 2π]², periodic, 0 ≤ t ≤ end; \
random w(0) with the energy spectrum E(k) ∝ k⁴ exp(−2 (k/peak)²) in every shell and mean |u|² = 1",
    method: "Fourier–Galerkin (2/3 rule), ETDRK4 (Kassam and Trefethen 2005, 10.1137/S1064827502410633), \
products of Basdevant (1983, 10.1016/0021-9991(83)90064-5)",
    accuracy: STEPPED,
    settings: &[
        Setting::even("n", 128, 16, 8192, "points stored in each direction"),
        Setting::whole("times", 51, 2, 100_000, "snapshots stored, the first at t = 0"),
        Setting::whole("refine", 3, 1, 16, "points of the solver for each point stored, in each direction"),
        Setting::even("steps", 20, 2, 1_000_000, "time steps from one snapshot to the next"),
        Setting::physical("nu", 5e-3, 1e-7, 10.0, "viscosity"),
        Setting::physical("peak", 5.0, 1.0, 1000.0, "wave number where the spectrum is largest"),
        Setting::physical("end", 5.0, 1e-6, 1e5, "final time"),
    ],
    random: true,
    build,
};

struct Turbulence {
    settings: Settings,
    layout: Layout,
}

fn build(settings: &Settings) -> Result<Box<dyn Solution>> {
    let n = settings.whole("n");
    let top = (coarser(n * settings.whole("refine")) - 1) / 3;
    if (top as f64) < 1.5 * settings.real("peak") {
        return Err(settings.refuse(
            "n",
            format!("more points, or a larger `refine`: wave numbers up to {top} do not hold the spectrum"),
        ));
    }
    let layout = Layout {
        fields: vec!["w", "u", "v"],
        axes: vec![Axis::periodic("x", 0.0, TAU, n), Axis::periodic("y", 0.0, TAU, n)],
        times: times(settings.whole("times"), settings.real("end")),
        samples: settings.get_samples(),
    };
    Ok(Box::new(Turbulence { settings: settings.clone(), layout }))
}

/// −(u w)_x − (v w)_y from two products: −(∂_xx − ∂_yy)(uv) − ∂_xy(v² − u²), four transforms.
pub(super) struct Convection {
    plane: Plane,
    waves: Vec<[f64; 2]>,
    velocity: [Vec<f64>; 2],
    spectrum: [Vec<Complex64>; 2],
}

impl Convection {
    pub fn new(plane: Plane) -> Self {
        let (n, modes) = (plane.n(), Plane::modes(plane.top()));
        let zeros = || vec![Complex64::ZERO; modes];
        let velocity = [vec![0.0; n * n], vec![0.0; n * n]];
        Self { waves: plane.wave_numbers(TAU), plane, velocity, spectrum: [zeros(), zeros()] }
    }

    /// u and v, `[n][n]`, of the vorticity: û = i l ŵ/(k² + l²), v̂ = −i k ŵ/(k² + l²).
    fn velocity(&mut self, w: &[Complex64]) {
        let [su, sv] = &mut self.spectrum;
        let parts = su.iter_mut().zip(sv.iter_mut()).zip(w).zip(&self.waves);
        for (((u, v), w), [k, l]) in parts {
            let square = k * k + l * l;
            let w = if square > 0.0 { w / square } else { Complex64::ZERO };
            *u = Complex64::new(-l * w.im, l * w.re);
            *v = Complex64::new(k * w.im, -k * w.re);
        }
        let [u, v] = &mut self.velocity;
        self.plane.values(su, u);
        self.plane.values(sv, v);
    }
}

impl Nonlinear for Convection {
    fn apply(&mut self, w: &[Complex64], out: &mut [Complex64]) {
        self.velocity(w);
        let [u, v] = &mut self.velocity;
        u.par_iter_mut().zip(v.par_iter_mut()).with_min_len(4096).for_each(|(u, v)| {
            (*u, *v) = (*u * *v, *v * *v - *u * *u);
        });
        let [product, squares] = &mut self.spectrum;
        self.plane.coefficients(u, product);
        self.plane.coefficients(v, squares);
        let parts = out.iter_mut().zip(product).zip(squares).zip(&self.waves);
        for (((o, p), s), [k, l]) in parts {
            *o = *p * (k * k - l * l) + *s * (k * l);
        }
    }
}

/// Random vorticity with the stated spectrum: the phases and relative amplitudes are normal numbers, a function of
/// (k, l) alone; each shell, all numbers that round to k, is scaled to its energy, and all to mean |u|² = 1.
fn initial(settings: &Settings, sample: usize, top: usize) -> Vec<Complex64> {
    let peak = settings.real("peak");
    let stream = Stream::new(settings.get_seed(), &format!("{}: trajectory {sample}", REFERENCE.name));
    let wanted = |shell: usize| {
        let k = shell as f64;
        libm::pow(k, 4.0) * libm::exp(-2.0 * (k / peak) * (k / peak))
    };
    // Beyond these shells there is less than rounding; they do not depend on the resolution.
    let shells = (6.0 * peak).ceil() as usize;
    let total: f64 = (1..=shells).map(wanted).sum();
    let far = shells as i64 + 1;
    let draw = |k: i64, l: i64| {
        // One of ±(k, l) is drawn, the other its conjugate.
        let flip = l < 0 || (l == 0 && k < 0);
        let (a, b) = if flip { (-k, -l) } else { (k, l) };
        let at = ((a + far) * (2 * far + 1) + b + far) as u64;
        let w = Complex64::new(stream.normal(2 * at), stream.normal(2 * at + 1));
        if flip { w.conj() } else { w }
    };
    let shell = |k: i64, l: i64| libm::round(libm::sqrt((k * k + l * l) as f64)) as usize;
    let mut energy = vec![0.0; shells + 1];
    for k in -far..=far {
        for l in -far..=far {
            let s = shell(k, l);
            if s > 0 && s <= shells {
                energy[s] += 0.5 * draw(k, l).norm_sqr() / (k * k + l * l) as f64;
            }
        }
    }
    // ½ mean |u|² is ½.
    let scale: Vec<f64> = (0..=shells)
        .map(|s| if s == 0 { 0.0 } else { libm::sqrt(0.5 * wanted(s) / total / energy[s]) })
        .collect();
    Plane::pairs(top)
        .map(|(k, l)| {
            let s = shell(k, l);
            if s == 0 || s > shells { Complex64::ZERO } else { draw(k, l) * scale[s] }
        })
        .collect()
}

impl Turbulence {
    fn points(&self) -> usize {
        self.settings.whole("n") * self.settings.whole("refine")
    }

    fn solver(&self, sample: usize, n: usize, steps: usize) -> (Etdrk4<f64, Convection>, usize) {
        let plane = Plane::new(n, 2);
        let top = plane.top();
        let nu = self.settings.real("nu");
        let linear: Vec<f64> =
            plane.wave_numbers(TAU).into_iter().map(|[k, l]| -nu * (k * k + l * l)).collect();
        let h = self.layout.times[1] / steps as f64;
        (Etdrk4::new(h, &linear, Convection::new(plane), initial(&self.settings, sample, top)), top)
    }
}

impl Solution for Turbulence {
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
        let (mut flow, mut values) = (Convection::new(Plane::new(n, 2)), vec![0.0; n * n]);
        Ok(Some(Box::new(March {
            reference: REFERENCE.name,
            times: self.layout.times.clone(),
            steps,
            fine,
            coarse,
            render: Box::new(move |_, w, out| {
                let points = out.len() / 3;
                flow.plane.values(w, &mut values);
                thin(&values, n, refine, &mut out[..points]);
                flow.velocity(w);
                for (velocity, out) in flow.velocity.iter().zip(out[points..].chunks_exact_mut(points)) {
                    thin(velocity, n, refine, out);
                }
            }),
            distance: Box::new(move |a, b| {
                let (difference, size) = distance(a, top, b, coarse_top);
                (difference / size).sqrt()
            }),
            worst: 0.0,
            index: 0,
        })))
    }

    fn memory(&self) -> u64 {
        let n = self.points();
        let modes = Plane::modes((n - 1) / 3);
        (2 * modes * (Etdrk4::<f64, Convection>::bytes_per_mode() + 48) + 90 * n * n) as u64
    }

    fn work(&self) -> u64 {
        self.settings.whole("steps") as u64
    }
}
