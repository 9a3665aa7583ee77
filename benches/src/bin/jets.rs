//! Steps of physics-informed learning beside the matrix product of this machine: `jets [RUNS]`, 15 unless told otherwise.
//! Work is counted as 6kN(L−1)W² for k streams, N points and L hidden layers of width W. `jets once` prints no table of the
//! product and runs everything once: a check that it runs.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rand::{RngExt, SeedableRng};
use resolvent_benches::Spread;
use resolvent_benches::machine::Machine;
use resolvent_pinn::expression::Scope;
use resolvent_pinn::{
    Algebra, Architecture, Cloud, Config, Derivative, Differential, Differentiated, Equation, Feature, Given,
    Linearised, Network, Objective, Point, Problem, Propagator, Real, Residual, Sample, Sampled, Sampler,
    Sampling, Streams, Term, Trainer, TrainerOptions, registry,
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

/// u_t + u u_x − ν u_xx in (t, x).
struct Burgers;

impl Equation for Burgers {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> resolvent_pinn::Result<Vec<Differential>> {
        [&[0][..], &[1], &[1, 1]].iter().map(|axes| Ok(Derivative::along(2, axes)?.into())).collect()
    }
    #[inline(always)]
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let [ut, ux, uxx] = [0, 1, 2].map(|d| at.derivative(0, d));
        r[0] = ut + at.value(0) * ux - uxx * (0.01 / PI);
    }
}

/// u_t + 6 u u_x + u_xxx in (t, x).
struct KortewegDeVries;

impl Equation for KortewegDeVries {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> resolvent_pinn::Result<Vec<Differential>> {
        [&[0][..], &[1], &[1, 1, 1]].iter().map(|axes| Ok(Derivative::along(2, axes)?.into())).collect()
    }
    #[inline(always)]
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let [ut, ux, uxxx] = [0, 1, 2].map(|d| at.derivative(0, d));
        r[0] = ut + at.value(0) * ux * 6.0 + uxxx;
    }
}

/// Δu + u − q with the solution sin πx sin 4πy.
struct Helmholtz;

impl Equation for Helmholtz {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> resolvent_pinn::Result<Vec<Differential>> {
        Ok(vec![Differential::laplacian(2)?])
    }
    #[inline(always)]
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        let exact = (at.coordinate(0) * PI).sin() * (at.coordinate(1) * (4.0 * PI)).sin();
        r[0] = at.derivative(0, 0) + at.value(0) - exact * (1.0 - 17.0 * PI * PI);
    }
}

/// The Helmholtz benchmark as `resolvent train helmholtz` runs it, with 4 layers of 50: M1 or M4.
fn helmholtz(model: &str) -> Outcome<Problem> {
    let [network, balance] =
        if model == "M4" { ["gated", "gradient-statistics"] } else { ["dense", "fixed"] };
    let sets = [
        format!("network.kind=\"{network}\""),
        format!("balance.kind=\"{balance}\""),
        "network.layers=[50, 50, 50, 50]".into(),
    ];
    Ok(Problem::new(&Config::parse(registry::find("helmholtz")?.toml, &sets)?)?)
}

/// A training of one equation and of what is known at t = 0, on points that stay.
fn trainer<T: Real>(
    layers: &[usize],
    equation: impl Residual<T> + Send + 'static,
    inside: Vec<T>,
    start: Vec<T>,
) -> Outcome<Trainer<T>> {
    let features = Feature::standardised(&[0.5, 0.0], &[0.5, 1.0]);
    let given = |points| Given(Cloud { points, data: vec![] });
    let condition = Scope::new(&["t", "x"], &["u"])?.formula(&["u + sin(pi*x)"])?;
    Ok(Trainer::new(
        Network::new(Architecture { features, ..Architecture::dense(2, layers, 1) })?,
        vec![
            Objective::new("equation", equation, given(inside)),
            Objective::new("start", condition, given(start)),
        ],
        &[],
        TrainerOptions { resample: 0, ..TrainerOptions::default() },
    )?)
}

/// Steps of the same training with its equation as text and as a method, in turn.
fn compare<T: Real>(name: &str, threads: usize, runs: usize, mut of: [Trainer<T>; 2]) -> Outcome<()> {
    let [text, method] = of.each_mut();
    let [text, method] = alternating(runs, || Ok(text.step().map(drop)?), || Ok(method.step().map(drop)?))?;
    let ratio = method.median / text.median;
    let [text, method] = [text, method].map(|t| 1e3 * t.median);
    println!(
        "{name}, {threads} threads, {}: text {text:.3} ms, method {method:.3} ms, ratio {ratio:.3}",
        T::NAME
    );
    Ok(())
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

/// As [`times`], of two things that take turns.
fn alternating(
    runs: usize,
    mut f: impl FnMut() -> Outcome<()>,
    mut g: impl FnMut() -> Outcome<()>,
) -> Outcome<[Spread; 2]> {
    let mut seconds = [vec![], vec![]];
    for run in 0..runs + 2 {
        let clock = Instant::now();
        f()?;
        let first = clock.elapsed().as_secs_f64();
        g()?;
        if run >= 2 || runs == 1 {
            seconds[0].push(first);
            seconds[1].push(clock.elapsed().as_secs_f64() - first);
        }
    }
    Ok(seconds.map(|s| Spread::of(&s).unwrap_or_default()))
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
        for model in ["M1", "M4"] {
            let problem = helmholtz(model)?;
            let mut trainer = problem.trainer::<T>()?;
            trainer.step()?;
            // The same points in every turn: what a step costs beyond its gradients is the trainer's.
            let parameters = trainer.parameters().to_vec();
            let mut fixed = problem.trainer::<T>()?;
            fixed.step()?;
            let terms = fixed.terms();
            let mut propagator = Propagator::new(problem.network().clone())?;
            let (mut losses, mut gradients) = ([0.0; 2], vec![T::of(0.0); 2 * parameters.len()]);
            let [step, bare] = pool.install(|| {
                alternating(
                    20 * runs,
                    || Ok(trainer.step().map(drop)?),
                    || Ok(propagator.gradients(&parameters, &terms, &mut losses, &mut gradients)?),
                )
            })?;
            let work = 6.0 * (4.0 * 128.0 + 512.0) * 3.0 * 2500.0;
            row(&format!("Helmholtz {model}, 4×50, 128 + 512 points, step"), 1, T::NAME, work, step, before);
            row(&format!("Helmholtz {model}, its gradients alone"), 1, T::NAME, work, bare, before);
        }
        let problem = helmholtz("M1")?;
        let part = |on: &str, n, name: &str| -> Outcome<Sampled> {
            Ok(Sampled::new(problem.domain().part(on)?, 2, n, Sampler::new(Sampling::Uniform, 1, name)))
        };
        let edge = problem.scope().formula(&["u - exact_u"])?;
        let objectives = vec![
            Objective::new("equation", Differentiated::new(Helmholtz)?, part("interior", 128, "equation")?),
            Objective::new("boundary", edge, part("boundary", 512, "condition 0")?).factor(4.0),
        ];
        let method = Trainer::new(problem.network().clone(), objectives, &[], TrainerOptions::default())?;
        let pair = [problem.trainer::<T>()?, method];
        pool.install(|| compare("Helmholtz M1, 4×50, 128 + 512 points", 1, 20 * runs, pair))?;
        let scope = Scope::new(&["t", "x"], &["u"])?;
        let points = |n| uniform::<T>(n, [0.0, -1.0], [1.0, 1.0]);
        let start = uniform::<T>(100, [0.0, -1.0], [0.0, 1.0]);
        let text = scope.formula(&["u_t + 6*u*u_x + u_xxx"])?;
        let method = Differentiated::new(KortewegDeVries)?;
        let pair = [
            trainer(&[50; 4], text, points(1000), start.clone())?,
            trainer(&[50; 4], method, points(1000), start)?,
        ];
        pool.install(|| compare("KdV, 4×50, 1000 + 100 points", 1, 5 * runs, pair))?;
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

    let scope = Scope::new(&["t", "x"], &["u"])?;
    let inside = uniform::<T>(10_000, [0.0, -1.0], [1.0, 1.0]);
    let start = uniform::<T>(100, [0.0, -1.0], [0.0, 1.0]);
    let text = scope.formula(&["u_t + u*u_x - 0.01/pi*u_xx"])?;
    let mut burgers = trainer(&[20; 8], text.clone(), inside.clone(), start.clone())?;
    let t = pool.install(|| times(runs, || Ok(burgers.step().map(drop)?)))?;
    let work = 6.0 * (4.0 * 10_000.0 + 100.0) * 7.0 * 400.0;
    row("Burgers, 8×20, 10,000 + 100 points, Adam step", threads, T::NAME, work, t, before);
    let method = Differentiated::new(Burgers)?;
    let pair =
        [trainer(&[20; 8], text, inside.clone(), start.clone())?, trainer(&[20; 8], method, inside, start)?];
    pool.install(|| compare("Burgers, 8×20, 10,000 + 100 points", threads, runs, pair))
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
