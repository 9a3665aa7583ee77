//! A training step of a dense network against the machine's matrix product: `training [RUNS]`.
//!
//! The step is value, gradient and Adam of three tanh layers of one width on 1024 points, counted as 6 · 1024 · (weights)
//! operations. The product is that of two square matrices of 1024 rows in the same precision and on as many threads. Both are
//! measured in turns; the share is the median over the turns.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use resolvent::learn::{Activation, Adam, AdamOptions, Initializer, Parameters, Tape};
use resolvent::{Error, Scalar};
use resolvent_benches::Spread;
use resolvent_benches::machine::Machine;
use std::time::Instant;

const POINTS: usize = 1024;
const INPUTS: usize = 2;

fn seconds(mut f: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    let clock = Instant::now();
    f()?;
    Ok(clock.elapsed().as_secs_f64())
}

fn measure<T: Scalar>(width: usize, runs: usize) -> Result<(), Error> {
    let mut parameters = Parameters::<T>::new(1);
    let widths = [INPUTS, width, width, width, 1];
    let layers = (1..widths.len())
        .map(|i| parameters.linear(&format!("{i}"), widths[i - 1], widths[i], Initializer::GlorotNormal))
        .collect::<Result<Vec<_>, _>>()?;
    let data: Vec<T> = (0..POINTS * INPUTS).map(|i| T::of((i as f64 * 0.7).sin())).collect();
    let target: Vec<T> = data.chunks(INPUTS).map(|x| x[0] * x[1]).collect();
    let mut tape = Tape::new();
    let mut adam = Adam::new(parameters.len(), AdamOptions::default())?;
    let mut step = || {
        tape.start_with(&parameters)?;
        let mut x = tape.input(&data, POINTS, INPUTS)?;
        let y = tape.input(&target, POINTS, 1)?;
        for (i, layer) in layers.iter().enumerate() {
            let f = if i + 1 < layers.len() { Activation::Tanh } else { Activation::Identity };
            x = tape.layer(&parameters, *layer, x, f)?;
        }
        let loss = tape.mean_square_error(x, y)?;
        tape.backward(loss)?;
        adam.step(1e-3, tape.parameter_gradient(), parameters.values_mut())
    };
    let weights: usize = widths.windows(2).map(|w| w[0] * w[1]).sum();
    let work = (6 * POINTS * weights) as f64;
    let n = 1024;
    let a = Mat::<T>::from_fn(n, n, |i, j| T::of((i + 2 * j) as f64).sin());
    let mut c = Mat::<T>::zeros(n, n);
    let par = if rayon::current_num_threads() == 1 { Par::Seq } else { Par::rayon(0) };
    let mut product = || {
        matmul(c.as_mut(), Accum::Replace, a.as_ref(), a.as_ref(), T::of(1.0), par);
        Ok(())
    };
    let (mut peaks, mut steps, mut shares) = (vec![], vec![], vec![]);
    for turn in 0..=runs {
        let peak = 2.0 * (n * n * n) as f64 / seconds(&mut product)?;
        let batch = 10;
        let time = seconds(|| (0..batch).try_for_each(|_| step()))? / f64::from(batch);
        // The first turn warms up.
        if turn > 0 {
            peaks.push(peak / 1e9);
            steps.push(1e3 * time);
            shares.push(100.0 * work / time / peak);
        }
    }
    let median = |v: &[f64]| Spread::of(v).unwrap_or_default().median;
    println!(
        "| {} | {width} | {} | {:.2} | {:.1} | {:.1} | {:.0}% |",
        T::NAME,
        rayon::current_num_threads(),
        median(&steps),
        work / median(&steps) / 1e6,
        median(&peaks),
        median(&shares)
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runs: usize = std::env::args().nth(1).map_or(Ok(15), |a| a.parse())?;
    let machine = Machine::current();
    println!("{}, {}", machine.processor, machine.date);
    println!("| precision | width | threads | ms/step | GFLOP/s | product, GFLOP/s | share |");
    println!("|:--|--:|--:|--:|--:|--:|--:|");
    for threads in [1, machine.threads] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        for width in [64, 256] {
            pool.install(|| measure::<f32>(width, runs))?;
            pool.install(|| measure::<f64>(width, runs))?;
        }
    }
    Ok(())
}
