//! Steps of physics-informed learning beside the matrix product of this machine: `jets [RUNS]`, 15 unless told otherwise.
//! Work is counted as 6kN(L−1)W² for k streams, N points and L hidden layers of width W. `jets once` prints no table of the
//! product and runs everything once: a check that it runs.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rand::{RngExt, SeedableRng};
use resolvent_benches::Spread;
use resolvent_benches::machine::Machine;
use resolvent_pinn::{
    Architecture, Derivative, Differential, Feature, Linearised, Network, Propagator, Real, Residual, Sample,
    Streams, Term,
};
use std::error::Error;
use std::f64::consts::PI;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Δu + cu − f.
struct Poisson {
    streams: Streams,
    c: f64,
}

impl<T: Real> Residual<T> for Poisson {
    fn streams(&self) -> &Streams {
        &self.streams
    }
    fn columns(&self) -> usize {
        1
    }
    fn linearise(&self, at: &Sample<'_, T>, out: &mut Linearised<'_, T>) {
        let (u, laplacian, f, c) = (at.stream(0, 0), at.stream(0, 3), at.data(0), T::of(self.c));
        for (p, r) in out.residual(0).iter_mut().enumerate() {
            *r = laplacian[p] + c * u[p] - f[p];
        }
        out.partial(0, 0, 0).fill(c);
        out.partial(0, 0, 3).fill(T::of(1.0));
    }
}

/// u − f.
struct Fit(Streams);

impl<T: Real> Residual<T> for Fit {
    fn streams(&self) -> &Streams {
        &self.0
    }
    fn columns(&self) -> usize {
        1
    }
    fn linearise(&self, at: &Sample<'_, T>, out: &mut Linearised<'_, T>) {
        let (u, f) = (at.stream(0, 0), at.data(0));
        out.residual(0).iter_mut().enumerate().for_each(|(p, r)| *r = u[p] - f[p]);
        out.partial(0, 0, 0).fill(T::of(1.0));
    }
}

/// u_t + u u_x − ν u_xx in (t, x).
struct Burgers(Streams);

impl<T: Real> Residual<T> for Burgers {
    fn streams(&self) -> &Streams {
        &self.0
    }
    fn linearise(&self, at: &Sample<'_, T>, out: &mut Linearised<'_, T>) {
        let nu = T::of(0.01 / PI);
        let [u, ut, ux, uxx] = [0, 1, 2, 3].map(|s| at.stream(0, s));
        for (p, r) in out.residual(0).iter_mut().enumerate() {
            *r = ut[p] + u[p] * ux[p] - nu * uxx[p];
        }
        out.partial(0, 0, 0).copy_from_slice(ux);
        out.partial(0, 0, 1).fill(T::of(1.0));
        out.partial(0, 0, 2).copy_from_slice(u);
        out.partial(0, 0, 3).fill(-nu);
    }
}

/// Adam with the rate 1e-3 · 0.9^(step/1000).
struct Adam<T> {
    m: Vec<T>,
    v: Vec<T>,
    steps: i32,
}

impl<T: Real> Adam<T> {
    fn new(n: usize) -> Self {
        Self { m: vec![T::of(0.0); n], v: vec![T::of(0.0); n], steps: 0 }
    }

    fn step(&mut self, parameters: &mut [T], gradient: &[T]) {
        self.steps += 1;
        let t = self.steps;
        let rate = 1e-3 * 0.9f64.powf(f64::from(t - 1) / 1000.0);
        let rate = T::of(rate * (1.0 - 0.999f64.powi(t)).sqrt() / (1.0 - 0.9f64.powi(t)));
        let [b1, c1, b2, c2, tiny] = [0.9, 0.1, 0.999, 0.001, 1e-8].map(T::of);
        for (((p, g), m), v) in parameters.iter_mut().zip(gradient).zip(&mut self.m).zip(&mut self.v) {
            *m = b1 * *m + c1 * *g;
            *v = b2 * *v + c2 * *g * *g;
            *p -= rate * *m / (v.sqrt() + tiny);
        }
    }
}

/// One published step of the Helmholtz benchmark: 128 fresh points inside and 128 on every side, M1 or M4.
struct Helmholtz<T: Real> {
    propagator: Propagator<T>,
    parameters: Vec<T>,
    adam: Adam<T>,
    random: rand_chacha::ChaCha8Rng,
    annealed: bool,
    lambda: f64,
    inside: Poisson,
    edge: Fit,
    points: [Vec<T>; 2],
    data: [Vec<T>; 2],
    losses: [f64; 2],
    gradients: Vec<T>,
}

impl<T: Real> Helmholtz<T> {
    fn new(model: &str) -> Outcome<Self> {
        let deviation = 2.0 / 12f64.sqrt();
        let network = Network::new(Architecture {
            features: Feature::standardised(&[0.0; 2], &[deviation; 2]),
            gated: model == "M4",
            ..Architecture::dense(2, &[50; 4], 1)
        })?;
        let parameters = network.initial(0);
        let n = parameters.len();
        Ok(Self {
            propagator: Propagator::new(network)?,
            parameters,
            adam: Adam::new(n),
            random: rand_chacha::ChaCha8Rng::seed_from_u64(0),
            annealed: model == "M4",
            lambda: 1.0,
            inside: Poisson { streams: Streams::new(2, &[Differential::laplacian(2)?])?, c: 1.0 },
            edge: Fit(Streams::value(2)),
            points: [vec![T::of(0.0); 256], vec![T::of(0.0); 1024]],
            data: [vec![T::of(0.0); 128], vec![T::of(0.0); 512]],
            losses: [0.0; 2],
            gradients: vec![T::of(0.0); 2 * n],
        })
    }

    fn step(&mut self) -> Outcome<()> {
        let random = &mut self.random;
        let mut uniform = || T::of(2.0 * f64::from(random.random::<f32>()) - 1.0);
        self.points[0].iter_mut().for_each(|x| *x = uniform());
        for side in 0..4 {
            let fixed = T::of(if side < 2 { -1.0 } else { 1.0 });
            for i in side * 128..(side + 1) * 128 {
                let pair = if side % 2 == 0 { [uniform(), fixed] } else { [fixed, uniform()] };
                [self.points[1][i], self.points[1][512 + i]] = pair;
            }
        }
        let pi = T::of(PI);
        let exact = |x: T, y: T| (pi * x).sin() * (T::of(4.0) * pi * y).sin();
        let factor = T::of(1.0 - 17.0 * PI * PI);
        for (i, f) in self.data[0].iter_mut().enumerate() {
            *f = factor * exact(self.points[0][i], self.points[0][128 + i]);
        }
        for (i, f) in self.data[1].iter_mut().enumerate() {
            *f = exact(self.points[1][i], self.points[1][512 + i]);
        }
        let terms = [
            Term { residual: &self.inside, points: &self.points[0], data: &self.data[0], weights: None },
            Term { residual: &self.edge, points: &self.points[1], data: &self.data[1], weights: None },
        ];
        self.propagator.gradients(&self.parameters, &terms, &mut self.losses, &mut self.gradients)?;
        let n = self.parameters.len();
        let (total, edge) = self.gradients.split_at_mut(n);
        // The four sides are four means.
        if self.annealed && self.adam.steps % 10 == 0 {
            let largest = total.iter().fold(0.0, |m: f64, g| m.max(g.f64().abs()));
            let mean = edge.iter().map(|g| 4.0 * g.f64().abs()).sum::<f64>() / n as f64;
            self.lambda = 0.9 * self.lambda + 0.1 * largest / (self.lambda * mean);
        }
        let weight = T::of(4.0 * self.lambda);
        total.iter_mut().zip(edge).for_each(|(t, e)| *t += weight * *e);
        self.adam.step(&mut self.parameters, total);
        Ok(())
    }
}

/// Runs of `f` in seconds, after two that warm up.
fn times(runs: usize, mut f: impl FnMut() -> Outcome<()>) -> Outcome<Spread> {
    let mut seconds = vec![];
    for run in 0..runs + 2 {
        let clock = Instant::now();
        f()?;
        if run >= 2 || runs == 1 {
            seconds.push(clock.elapsed().as_secs_f64());
        }
    }
    Ok(Spread::of(&seconds).unwrap_or_default())
}

/// The best rate of a square product among a few sizes, in operations a second.
fn peak<T: Real>(threads: usize, runs: usize) -> Outcome<f64> {
    let par = if threads == 1 { Par::Seq } else { Par::rayon(threads) };
    let mut best = 0.0f64;
    for n in [512, 1024, 1536] {
        let a = Mat::from_fn(n, n, |i, j| T::of(((i + 3 * j) % 7) as f64 - 3.0));
        let mut c = Mat::<T>::zeros(n, n);
        let t = times(runs.min(5), || {
            matmul(c.as_mut(), Accum::Replace, a.as_ref(), a.as_ref(), T::of(1.0), par);
            Ok(())
        })?;
        best = best.max(2.0 * (n as f64).powi(3) / t.median);
    }
    Ok(best)
}

/// A row of the table.
fn row(name: &str, threads: usize, scalar: &str, work: f64, t: Spread, peak: f64) {
    println!(
        "| {name} | {threads} | {scalar} | {:.3} | {:.3}–{:.3} | {:.1} | {:.0}% |",
        1e3 * t.median,
        1e3 * t.min,
        1e3 * t.max,
        work / t.median / 1e9,
        100.0 * work / t.median / peak
    );
}

fn run<T: Real>(threads: usize, runs: usize) -> Outcome<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let before = pool.install(|| peak::<T>(threads, runs))?;
    println!("product of {}, {threads} threads: {:.1} GF/s", T::NAME, before / 1e9);
    if threads == 1 {
        for (model, extra) in [("M1", 0.0), ("M4", 0.0)] {
            let mut problem = Helmholtz::<T>::new(model)?;
            let t = pool.install(|| times(20 * runs, || problem.step()))?;
            let work = 6.0 * (4.0 * 128.0 + 512.0) * 3.0 * 2500.0 + extra;
            row(&format!("Helmholtz {model}, 4×50, 128 + 512 points, step"), 1, T::NAME, work, t, before);
        }
    }
    let network = Network::new(Architecture::dense(2, &[128; 4], 1))?;
    let parameters: Vec<T> = network.initial(0);
    let points = uniform::<T>(8192, [-1.0, -1.0], [1.0, 1.0]);
    let data: Vec<T> = (0..8192).map(|i| (points[i] * T::of(PI)).sin()).collect();
    let poisson = Poisson { streams: Streams::new(2, &[Differential::laplacian(2)?])?, c: 0.0 };
    let term = Term { residual: &poisson, points: &points, data: &data, weights: None };
    let (mut loss, mut gradient) = ([0.0], vec![T::of(0.0); parameters.len()]);
    let mut propagator = Propagator::new(network)?;
    let t = pool.install(|| {
        times(runs, || Ok(propagator.gradients(&parameters, &[term], &mut loss, &mut gradient)?))
    })?;
    let work = 6.0 * 4.0 * 8192.0 * 3.0 * 128.0 * 128.0;
    row("Laplacian, 4×128, 8192 points, loss and gradient", threads, T::NAME, work, t, before);

    let features = Feature::standardised(&[0.5, 0.0], &[0.5, 1.0]);
    let network = Network::new(Architecture { features, ..Architecture::dense(2, &[20; 8], 1) })?;
    let mut parameters: Vec<T> = network.initial(0);
    let n = parameters.len();
    let derivatives = [Derivative::along(2, &[0])?.into(), Derivative::along(2, &[1, 1])?.into()];
    let burgers = Burgers(Streams::new(2, &derivatives)?);
    let fit = Fit(Streams::value(2));
    let (inside, edge) =
        (uniform::<T>(10_000, [0.0, -1.0], [1.0, 1.0]), uniform::<T>(100, [0.0, -1.0], [0.0, 1.0]));
    let data: Vec<T> = (0..100).map(|i| -(edge[100 + i] * T::of(PI)).sin()).collect();
    let terms = [
        Term { residual: &burgers, points: &inside, data: &[], weights: None },
        Term { residual: &fit, points: &edge, data: &data, weights: None },
    ];
    let (mut losses, mut gradients) = ([0.0; 2], vec![T::of(0.0); 2 * n]);
    let (mut propagator, mut adam) = (Propagator::new(network)?, Adam::new(n));
    let t = pool.install(|| {
        times(runs, || {
            propagator.gradients(&parameters, &terms, &mut losses, &mut gradients)?;
            let (total, edge) = gradients.split_at_mut(n);
            total.iter_mut().zip(edge).for_each(|(t, e)| *t += *e);
            adam.step(&mut parameters, total);
            Ok(())
        })
    })?;
    let work = 6.0 * (4.0 * 10_000.0 + 100.0) * 7.0 * 400.0;
    row("Burgers, 8×20, 10,000 + 100 points, Adam step", threads, T::NAME, work, t, before);
    Ok(())
}

/// Points of a box, `[2, n]`.
fn uniform<T: Real>(n: usize, low: [f64; 2], high: [f64; 2]) -> Vec<T> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let mut axis = |a: usize| -> Vec<T> {
        (0..n).map(|_| T::of(low[a] + (high[a] - low[a]) * random.random::<f64>())).collect()
    };
    [axis(0), axis(1)].concat()
}

fn main() -> Outcome<()> {
    let runs = match std::env::args().nth(1) {
        None => 15,
        Some(word) if word == "once" => 1,
        Some(number) => number.parse()?,
    };
    let machine = Machine::current();
    println!("{}, {}", machine.processor, machine.date);
    println!(
        "\n| step | threads | scalar | ms | from–to | GF/s | of the product |\n|:--|--:|:--|--:|--:|--:|--:|"
    );
    for threads in [1, 2] {
        run::<f32>(threads, runs)?;
        run::<f64>(threads, runs)?;
    }
    Ok(())
}
