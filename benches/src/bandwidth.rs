//! The memory bandwidth a loop can hope for, measured in the same run.
//!
//! The triad a ← b + s c over three arrays that no cache holds, 24 bytes an entry counted (the line of `a` that a processor
//! reads before it writes is not), on the threads of the current rayon pool.
//!
//! # Reference
//! J. D. McCalpin, "Memory bandwidth and machine balance in current high performance computers", IEEE TCCA Newsletter
//! (1995).

use std::time::Instant;

/// Entries of each array: 3 × 96 MiB.
const ENTRIES: usize = 12 << 20;

/// Arrays to measure the bandwidth with, at any moment of a run: bandwidth drifts on shared machines.
pub struct Triad {
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}

impl Default for Triad {
    fn default() -> Self {
        Self { a: vec![0.0; ENTRIES], b: vec![1.0; ENTRIES], c: vec![2.0; ENTRIES] }
    }
}

impl Triad {
    /// Bytes a second, the best of `runs`.
    pub fn measure(&mut self, runs: usize) -> f64 {
        use rayon::prelude::*;
        let Self { a, b, c } = self;
        let bytes = (24 * ENTRIES) as f64;
        let best = (0..runs.max(1)).map(|_| {
            let started = Instant::now();
            a.par_chunks_mut(1 << 16).zip(b.par_chunks(1 << 16).zip(c.par_chunks(1 << 16))).for_each(
                |(a, (b, c))| {
                    a.iter_mut().zip(b.iter().zip(c)).for_each(|(a, (b, c))| *a = b + 3.0 * c);
                },
            );
            bytes / started.elapsed().as_secs_f64()
        });
        let best = best.fold(0.0, f64::max);
        std::hint::black_box(a);
        best
    }
}
