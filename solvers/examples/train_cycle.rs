//! Trains the numbers of a multigrid cycle: `train_cycle DIM WEIGHTS.safetensors [SEED] [STATE.safetensors]`. With a
//! state it saves there every ten steps, and goes on from it when it exists.

use resolvent::{CycleTraining, CycleTrainingOptions};
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(dim), Some(weights)) = (arguments.next(), arguments.next()) else {
        return Err("usage: train_cycle DIM WEIGHTS.safetensors [SEED] [STATE.safetensors]".into());
    };
    let mut options = CycleTrainingOptions::new(dim.parse()?);
    if let Some(seed) = arguments.next() {
        options.seed = seed.parse()?;
    }
    let state = arguments.next().map(PathBuf::from);
    let mut training = match &state {
        Some(path) if path.exists() => CycleTraining::resume(options, path)?,
        _ => CycleTraining::new(options)?,
    };
    let start = Instant::now();
    while !training.is_done() {
        let loss = training.step()?;
        let steps = training.steps();
        if steps % 10 == 0 {
            println!("{steps:4} {loss:8.4} {:6.1} s", start.elapsed().as_secs_f64());
            if let Some(path) = &state {
                training.save(path)?;
            }
        }
    }
    training.tuning().save(PathBuf::from(weights).as_path(), options.dim, training.steps())?;
    println!("{:?}", training.tuning());
    Ok(())
}
