//! Random batches of points from a chunked file, beside h5py reading the same bytes: `batches [GB] [FILE] [PYTHON]`.
//!
//! It writes a file of that size (4 GB, chunks of 1 MiB of f32 over trajectory, t and x, not packed), draws every point of it
//! in batches of 8192, and lets h5py read all of it in contiguous runs of 8192 and in whole chunks. The median of five rounds
//! of each; the rounds take turns.

use resolvent_datasets::dataset::{
    Axis, Batch, Dataset, Description, Field, Points, Precision, Selection, Writer,
};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const X: usize = 1024;
const T: usize = 256;
const BATCH: usize = 8192;

const SCRIPT: &str = "
import sys, time, h5py
path, run = sys.argv[1], int(sys.argv[2])
with h5py.File(path) as f:
    u = f['fields/u']
    rows, per = run // u.shape[2], u.shape[1] * u.shape[2] // run
    start = time.perf_counter()
    for i in range(u.shape[0] * per):
        n, t = i // per, i % per
        u[n, t * rows:(t + 1) * rows, :]
    print(time.perf_counter() - start)
";

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let gigabytes: f64 = words.next().map_or(Ok(4.0), |w| w.parse())?;
    let path = words.next().map_or_else(|| std::env::temp_dir().join("batches.h5"), PathBuf::from);
    let python = words.next().unwrap_or_else(|| "target/python/bin/python".into());
    let trajectories = (gigabytes * 1e9 / (4 * X * T) as f64).ceil() as usize;
    if !path.exists() {
        write(&path, trajectories)?;
    }
    let dataset = Dataset::open(&path)?;
    let all = trajectories * X * T;
    let (mut ours, mut runs, mut chunks) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..5 {
        let start = Instant::now();
        let mut points = Points::<f32>::new(&dataset, &["u"], &Selection::all(), round)?;
        let (mut batch, mut sum) = (Batch::default(), 0.0);
        for _ in 0..all / BATCH {
            points.draw(BATCH, &mut batch)?;
            sum += batch.values[0];
        }
        ours.push(start.elapsed().as_secs_f64());
        assert!(sum.is_finite());
        drop(points);
        runs.push(h5py(&python, &path, BATCH)?);
        chunks.push(h5py(&python, &path, X * T)?);
    }
    let rate = |seconds: &mut Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        4e-6 * all as f64 / seconds[seconds.len() / 2]
    };
    let (ours, runs, chunks) = (rate(&mut ours), rate(&mut runs), rate(&mut chunks));
    println!("random batches of {BATCH} points       {ours:.0} MB/s of values");
    println!("h5py, contiguous runs of {BATCH}       {runs:.0} MB/s, ratio {:.2}", ours / runs);
    println!("h5py, whole chunks of {}     {chunks:.0} MB/s, ratio {:.2}", X * T, ours / chunks);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|l| l.starts_with("VmHWM"))
    {
        println!("{line}");
    }
    Ok(())
}

fn write(path: &Path, trajectories: usize) -> Result<(), Box<dyn Error>> {
    let line = |n: usize| (0..n).map(|i| i as f64 / n as f64).collect::<Vec<_>>();
    let description = Description {
        axes: vec![Axis::trajectory(trajectories), Axis::time(&line(T)), Axis::space("x", &line(X))],
        fields: vec![Field::new("u", Precision::F32, &["trajectory", "t", "x"]).chunk(&[1, T, X])],
        ..Description::new("batches")
    };
    let mut writer = Writer::create(path, &description)?;
    for n in 0..trajectories {
        let u: Vec<f32> =
            (0..T * X).map(|i| (i as u32).wrapping_mul(2_654_435_761 + n as u32) as f32).collect();
        writer.write("u", &[n..n + 1, 0..T, 0..X], &u)?;
    }
    writer.finish()?;
    Ok(())
}

fn h5py(python: &str, path: &Path, run: usize) -> Result<f64, Box<dyn Error>> {
    let output = Command::new(python).arg("-c").arg(SCRIPT).arg(path).arg(run.to_string()).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
