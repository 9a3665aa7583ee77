//! What writing costs beside the mathematics of reference solutions, which one thread computes: `reference [REPEAT]`, 5 unless told
//! otherwise. Each line has the median seconds of computing the snapshots and dropping them, of making the file, and the
//! share of the first in the second.

use resolvent_datasets::reference::{Settings, Sink, generate, write};
use std::error::Error;
use std::ops::ControlFlow;
use std::time::Instant;

struct Drop;

impl Sink for Drop {
    fn snapshot(&mut self, _: usize, _: usize, values: &[f64]) -> resolvent_datasets::Result<()> {
        std::hint::black_box(values);
        Ok(())
    }
}

/// A name, its settings, trajectories.
type Case = (&'static str, &'static [(&'static str, &'static str)], usize);

/// The default settings, for fewer snapshots where those take long.
const CASES: [Case; 12] = [
    ("burgers", &[], 2),
    ("allen-cahn", &[], 2),
    ("kdv", &[], 4),
    ("kuramoto-sivashinsky", &[], 4),
    ("gray-scott", &[("times", "4"), ("end", "60")], 1),
    ("turbulence", &[("times", "6"), ("end", "0.5")], 1),
    ("cavity", &[], 1),
    ("wave", &[("n", "4096")], 16),
    ("advection", &[("n", "4096")], 16),
    ("heat", &[("n", "4096")], 16),
    ("klein-gordon", &[("n", "4096"), ("times", "513")], 1),
    ("darcy", &[], 4),
];

fn main() -> Result<(), Box<dyn Error>> {
    let repeat: usize = std::env::args().nth(1).map_or(Ok(5), |t| t.parse())?;
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global()?;
    let path = std::env::temp_dir().join(format!("resolvent-reference-{}.h5", std::process::id()));
    println!("| solution | megabytes | mathematics | with writing | share |\n|:--|--:|--:|--:|--:|");
    for (name, set, samples) in CASES {
        let mut settings = Settings::of(name)?.samples(samples)?;
        for (name, value) in set {
            settings = settings.set(name, value)?;
        }
        let watch = |_| ControlFlow::Continue(());
        let (mut alone, mut whole) = (Vec::new(), Vec::new());
        for _ in 0..repeat.max(1) {
            let start = Instant::now();
            generate(&settings, &mut Drop, &watch)?;
            alone.push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            write(&settings, &path, &watch)?;
            whole.push(start.elapsed().as_secs_f64());
        }
        let bytes = std::fs::metadata(&path)?.len();
        std::fs::remove_file(&path)?;
        let [alone, whole] = [&mut alone, &mut whole].map(|times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        });
        println!(
            "| {name} | {:.1} | {alone:.3} s | {whole:.3} s | {:.0}% |",
            bytes as f64 / 1e6,
            100.0 * alone / whole
        );
    }
    Ok(())
}
