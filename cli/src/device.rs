//! Work on a GPU, in builds that have it.

use crate::failure::Failure;
use resolvent::direction::Model;
use resolvent::plan::{Plan, Solver};
use resolvent::{Matrix, Stop, Tuning};
use serde_json::{Value, json};

/// Where work is done on a device.
#[cfg(feature = "cuda")]
pub type Space = resolvent::Device<f64>;

/// Nowhere: this build has no GPU support.
#[cfg(not(feature = "cuda"))]
#[derive(Clone, Debug)]
pub enum Space {}

/// The first GPU.
#[cfg(feature = "cuda")]
pub fn open() -> Result<Space, Failure> {
    Ok(Space::open(0)?)
}

/// The first GPU.
#[cfg(not(feature = "cuda"))]
pub fn open() -> Result<Space, Failure> {
    Err(Failure::usage("this build has no GPU support; build with the feature `cuda`, or use --device cpu"))
}

/// Makes a solver there.
#[cfg(feature = "cuda")]
pub fn set_up(
    space: &Space,
    plan: Plan,
    matrix: &Matrix,
    stop: Stop,
    model: Option<&Model>,
    tuning: Option<Tuning>,
) -> resolvent::Result<Solver> {
    plan.set_up_on(space, matrix, stop, model, tuning)
}

/// Makes a solver there.
#[cfg(not(feature = "cuda"))]
pub fn set_up(
    space: &Space,
    _: Plan,
    _: &Matrix,
    _: Stop,
    _: Option<&Model>,
    _: Option<Tuning>,
) -> resolvent::Result<Solver> {
    match *space {}
}

/// What went between host and device, for reports.
pub fn transfers(space: Option<&Space>) -> Value {
    let Some(space) = space else { return Value::Null };
    #[cfg(feature = "cuda")]
    {
        let counts = space.counts();
        json!({
            "bytes_up": counts.up,
            "bytes_down": counts.down,
            "launches": counts.launches,
            "synchronizations": counts.synchronizations,
        })
    }
    #[cfg(not(feature = "cuda"))]
    match *space {}
}

/// The device's name, for reports.
pub fn name(space: Option<&Space>) -> String {
    match space {
        None => "cpu".into(),
        #[cfg(feature = "cuda")]
        Some(space) => format!("cuda: {}", space.gpu().name()),
        #[cfg(not(feature = "cuda"))]
        Some(space) => match *space {},
    }
}

/// What `doctor` sees: a line for people, and an object.
#[cfg(feature = "cuda")]
pub fn look() -> (String, Value) {
    let looked = || -> resolvent::Result<(String, Value)> {
        let space = Space::open(0)?;
        let gpu = space.gpu();
        let bandwidth = resolvent_benches::device::copy_bandwidth(gpu)?;
        let (major, minor) = gpu.capability();
        let (cuda, point) = gpu.driver_version()?;
        let gib = |bytes: usize| bytes as f64 / f64::from(1 << 30);
        let line = format!(
            "{}, sm_{major}{minor}, driver of CUDA {cuda}.{point}, {:.1} GiB, {:.1} GiB free, {:.0} GB/s copied",
            gpu.name(),
            gib(gpu.memory()),
            gib(gpu.free_memory()?),
            bandwidth / 1e9,
        );
        let object = json!({
            "name": gpu.name(),
            "capability": [major, minor],
            "driver": [cuda, point],
            "memory_bytes": gpu.memory(),
            "free_bytes": gpu.free_memory()?,
            "bandwidth_bytes_per_second": bandwidth,
        });
        Ok((line, object))
    };
    looked().unwrap_or_else(|e| (e.to_string(), Value::Null))
}

/// What `doctor` sees: a line for people, and an object.
#[cfg(not(feature = "cuda"))]
pub fn look() -> (String, Value) {
    ("this build has no GPU support; everything runs on the processor".into(), Value::Null)
}
