//! `directions`: right-hand sides to train learned search directions on.
//!
//! m Lanczos vectors of A with full reorthogonalisation, from A times normal noise; Ritz pairs of its tridiagonal matrix, those
//! with a value below 1e-8 dropped. A sample is a combination of the Ritz vectors, scaled to norm 1, with normal coefficients, 9
//! times as large on the lowest m/2 + θ. Ritz vectors are never formed: with V the basis and U the eigenvectors of the tridiagonal,
//! samples are V (U C), two matrix products, streamed to the file in blocks.
//!
//! # Reference
//! A. Kaneda, O. Akar, J. Chen, V. Kala, D. Hyde, J. Teran, *A deep conjugate direction method for iteratively solving linear
//! systems*, ICML 2023, arXiv:2205.10763: m = 10,000, θ = 500, 20,000 samples at 64³ and 128³.

use super::check;
use super::slab::{Contents, Number, Rows, Slab};
use crate::error::allocate;
use crate::foreign::Source;
use crate::maker::{Cost, Made, Maker, Outcome, Recipe, Setting, Step, Watch};
use crate::partial::{Partial, beside};
use crate::random::Stream;
use crate::system_file::{Array, meta};
use crate::{Error, Family, Parameters, Problem, Result};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;
use resolvent::krylov::process::Process;
use resolvent::{Buffer, Host, LinearOperator, Map, Operator, Positivity, Space};
use std::path::Path;

/// Ritz values below this count as zero.
const ZERO: f64 = 1e-8;
/// How much larger the coefficients of the low end are.
const EMPHASIS: f64 = 9.0;
/// Unknowns of a matrix product.
const CHUNK: usize = 512;

pub(crate) const MAKER: Maker = Maker {
    name: "directions",
    summary: "training samples for learned directions: combinations of Ritz vectors, the low end emphasised",
    samples: Some((2000, "samples")),
    settings: &[
        Setting { name: "family", default: "box", what: "a problem family" },
        Setting { name: "n", default: "32", what: "cells along each side" },
        Setting { name: "dim", default: "3", what: "2 or 3 dimensions" },
        Setting { name: "m", default: "1000", what: "Lanczos vectors" },
        Setting { name: "theta", default: "50", what: "emphasised Ritz vectors beyond half of them" },
    ],
    cost,
    make,
};

struct Asked {
    family: &'static Family,
    parameters: Parameters,
    n: usize,
    dim: usize,
    cells: usize,
    m: usize,
    theta: usize,
}

fn asked(recipe: &Recipe) -> Result<Asked> {
    let family = Family::named(recipe.text("family"))?;
    let n = recipe.number("n", "a whole number of cells is needed", |_| true)?;
    let dim = recipe.number("dim", "2 or 3 is needed", |d| (2..=3).contains(d))?;
    let parameters = Parameters::new(n).dim(dim).seed(recipe.seed());
    family.check(parameters)?;
    let cells = n.pow(dim as u32);
    let m = recipe.number("m", "from 1 to as many vectors as cells", |m| (1..=cells).contains(m))?;
    let theta = recipe.number("theta", "a whole number is needed", |_| true)?;
    Ok(Asked { family, parameters, n, dim, cells, m, theta })
}

/// Samples made at a time: as many as 64 MiB hold, from 16 to 256.
fn block(cells: usize) -> usize {
    ((8 << 20) / cells).clamp(16, 256)
}

fn cost(recipe: &Recipe) -> Result<Cost> {
    let Asked { cells, m, .. } = asked(recipe)?;
    let (n, m, samples) = (cells as u64, m as u64, recipe.samples() as u64);
    let basis = (m + 1).saturating_mul(n).saturating_mul(8);
    let small = m.saturating_mul(m).saturating_mul(8 * 5);
    let blocks = block(cells) as u64 * (20 * n + 16 * m);
    Ok(Cost {
        memory: basis.saturating_add(small).saturating_add(blocks + 60 * n + (16 << 20)),
        file: samples.saturating_mul(4 * n),
        beside: basis,
        mend: "use a smaller n or m, or fewer samples",
    })
}

fn make(recipe: &Recipe, path: &Path, watch: &mut Watch) -> Result<Outcome> {
    let Asked { family, parameters, n, dim, cells, m, theta } = asked(recipe)?;
    let (total, command) = (recipe.samples(), recipe.command());
    let problem = family.problem(parameters)?;
    let mut kept = Partial::open(beside(path, ".basis"), &command)?;
    let Some(process) = basis(&problem, m, recipe.seed(), &mut kept, watch)? else {
        kept.flush()?;
        return Ok(Outcome::Interrupted { partial: kept.path().into() });
    };
    let (values, u, bounds) = process.ritz()?;
    let zero = values.iter().filter(|v| **v < ZERO).count();
    let (values, bounds) = (&values[zero..], &bounds[zero..]);
    let used = values.len();
    if used == 0 {
        let needs = "no Ritz value is positive; use another family";
        return Err(recipe.refuse("family", needs));
    }
    let mut meta: Vec<(String, String)> = vec![
        ("set".to_owned(), recipe.maker().name.to_owned()),
        ("seed".to_owned(), recipe.seed().to_string()),
    ];
    meta.extend(recipe.settings().map(|(k, v)| (k.to_owned(), v.to_owned())));
    let datasets = [Rows { name: "samples", number: Number::F32, columns: cells }];
    let contents =
        Contents { kind: "directions", command: &command, meta: &meta, rows: total, datasets: &datasets };
    let mut slab = Slab::open(path, &contents, |root| {
        root.new_attr::<i64>().shape(dim).create("shape")?.write_raw(&vec![n as i64; dim])?;
        for (name, values) in [("ritz_values", values), ("ritz_bounds", bounds)] {
            let place = root.new_dataset::<f64>().obj_track_times(false).shape(values.len());
            place.create(name)?.write(values)?;
        }
        Ok(())
    })?;
    let resumed = slab.done;
    let low = (process.steps() / 2 + theta).min(used);
    let normals = Stream::new(recipe.seed(), "directions: coefficients");
    let size = block(cells);
    while slab.done < total {
        if watch(Step { phase: "combining", done: slab.done, total }).is_break() {
            return Ok(Outcome::Interrupted { partial: slab.partial().into() });
        }
        let count = size.min(total - slab.done);
        let mut c = Mat::<f64>::zeros(used, count);
        for s in 0..count {
            let first = (slab.done + s) as u64 * used as u64;
            for k in 0..used {
                let weight = if k < low { EMPHASIS } else { 1.0 };
                c[(k, s)] = weight * normals.normal(first + k as u64);
            }
        }
        let steps = process.steps();
        let mut w = Mat::<f64>::zeros(steps, count);
        let kept = u.as_ref().get(.., zero..);
        matmul(w.as_mut(), Accum::Replace, kept, c.as_ref(), 1.0, Par::Seq);
        let rows = combine(&process.basis()[..steps], w.as_ref(), cells)?;
        slab.push(count, &[&rows])?;
    }
    let bytes = slab.finish()?;
    kept.remove()?;
    let steps = process.steps();
    let short = (steps < m).then(|| {
        format!(
            "the Krylov space of one start has {steps} dimensions; no more than that are there to be found"
        )
    });
    let dropped = (zero > 0).then(|| format!("{zero} zero Ritz values are dropped"));
    let remark = short.or(dropped);
    Ok(Outcome::Made(Made { samples: total, bytes, resumed, remark }))
}

/// The Lanczos process after m steps; every vector is kept beside the file. `None` when it was stopped.
fn basis(
    problem: &Problem,
    m: usize,
    seed: u64,
    kept: &mut Partial,
    watch: &mut Watch,
) -> Result<Option<Process<Host<f64>>>> {
    let (space, a) = (Host::<f64>::new(), problem.stencil());
    let n = problem.grid().cells();
    let project = a.properties().positivity < Positivity::Definite;
    let beside = kept.path().to_owned();
    let damaged = || Error::malformed(&beside, "a record", "it is damaged", "remove the file");
    let mut process = if kept.records == 0 {
        let normals = Stream::new(seed, "directions: start");
        let mut noise = allocate("a starting vector", n, 0.0)?;
        noise.par_iter_mut().enumerate().for_each(|(i, v)| *v = normals.normal(i as u64));
        let mut first = space.zeros(n)?;
        Operator::<Host<f64>>::apply(a, &space, &noise, &mut first)?;
        if project {
            a.project(&space, &mut first)?;
        }
        let norm = space.norm(&first)?;
        space.scale(1.0 / norm, &mut first)?;
        kept.push(&record(0.0, 0.0, &first))?;
        Process::new(first)
    } else {
        let (mut basis, mut diagonal, mut off) = (Vec::with_capacity(kept.records), vec![], vec![]);
        let mut records = kept.records()?;
        while let Some(bytes) = records.next()? {
            let numbers: Vec<f64> =
                bytes.chunks_exact(8).map(|w| f64::from_le_bytes(w.try_into().unwrap_or([0; 8]))).collect();
            let whole = numbers.len() == n + 2 || (numbers.len() == 2 && numbers[1] == 0.0);
            if !whole {
                return Err(damaged());
            }
            if !basis.is_empty() {
                diagonal.push(numbers[0]);
                off.push(numbers[1]);
            }
            if numbers.len() > 2 {
                let mut v = space.zeros(n)?;
                v.copy_from_slice(&numbers[2..]);
                basis.push(v);
            }
        }
        if off.last() == Some(&0.0) {
            // The space was exhausted: one vector fewer than `resume` asks for, and none of it will be used.
            basis.push(space.zeros(n)?);
        }
        Process::resume(basis, diagonal, off)?
    };
    while process.steps() < m && process.off().last() != Some(&0.0) {
        let step = Step { phase: "Lanczos vectors", done: process.steps(), total: m };
        if watch(step).is_break() {
            return Ok(None);
        }
        let beta = process.step(&space, a, project)?;
        let alpha = process.diagonal()[process.steps() - 1];
        let next: &[f64] = if beta > 0.0 { &process.basis()[process.steps()] } else { &[] };
        kept.push(&record(alpha, beta, next))?;
    }
    kept.flush()?;
    Ok(Some(process))
}

fn record(alpha: f64, beta: f64, v: &[f64]) -> Vec<u8> {
    [alpha, beta].iter().chain(v).flat_map(|v| v.to_le_bytes()).collect()
}

/// The rows V w / ‖V w‖ in f32, little-endian: a row for each column of w. Pieces of fixed size, so that the bits do not depend
/// on the number of threads. Work: 2 · unknowns · steps · columns; V is read once.
fn combine(basis: &[Buffer<f64>], w: MatRef<f64>, n: usize) -> Result<Vec<u8>> {
    let (steps, count) = (basis.len(), w.ncols());
    let mut x = allocate("a block of samples", n * count, 0.0)?;
    // Piece by piece, each with all its columns one after the other.
    let squares: Vec<Vec<f64>> = x
        .par_chunks_mut(CHUNK * count)
        .enumerate()
        .map(|(piece, x)| {
            let (first, len) = (piece * CHUNK, x.len() / count);
            let mut v = Mat::<f64>::zeros(len, steps);
            for (k, b) in basis.iter().enumerate() {
                v.col_as_slice_mut(k).copy_from_slice(&b[first..first + len]);
            }
            let out = MatMut::from_column_major_slice_mut(x, len, count);
            matmul(out, Accum::Replace, v.as_ref(), w, 1.0, Par::Seq);
            x.chunks(len).map(|column| column.iter().map(|v| v * v).sum()).collect()
        })
        .collect();
    let scale = |s: usize| 1.0 / squares.iter().map(|p| p[s]).sum::<f64>().sqrt();
    let mut rows = allocate("a block of samples", 4 * n * count, 0u8)?;
    rows.par_chunks_mut(4 * n).enumerate().for_each(|(s, row)| {
        let scale = scale(s);
        for (piece, x) in x.chunks(CHUNK * count).enumerate() {
            let len = x.len() / count;
            let out = &mut row[4 * piece * CHUNK..][..4 * len];
            for (v, out) in x[s * len..][..len].iter().zip(out.chunks_exact_mut(4)) {
                out.copy_from_slice(&((v * scale) as f32).to_le_bytes());
            }
        }
    });
    Ok(rows)
}

/// A file of samples, open for reading in any order.
pub struct Directions {
    source: Source,
    family: &'static Family,
    parameters: Parameters,
    shape: Vec<usize>,
    samples: usize,
    /// The Ritz values the samples are made of, ascending.
    pub ritz_values: Vec<f64>,
    /// ‖Av − θv‖ of each.
    pub ritz_bounds: Vec<f64>,
}

impl Directions {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::Malformed`].
    pub fn open(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        check::expect(&source, "directions")?;
        let absent =
            |name: &str| Error::malformed(path, format!("dataset `{name}`"), "it is absent", "add it");
        let reals = |name: &str| Array::open(&source, name)?.ok_or_else(|| absent(name))?.reals();
        let (ritz_values, ritz_bounds) = (reals("ritz_values")?, reals("ritz_bounds")?);
        let shape: Vec<usize> = source
            .integers("", "shape")?
            .unwrap_or_default()
            .into_iter()
            .filter_map(|v| usize::try_from(v).ok())
            .collect();
        let array = Array::rows_of(&source, "samples", 0)?.ok_or_else(|| absent("samples"))?;
        let cells = shape.iter().try_fold(1usize, |n, v| n.checked_mul(*v));
        if cells != Some(array.columns()) {
            let what = format!("its rows have {} numbers, which `shape` does not say", array.columns());
            return Err(array.error(what, "make it with `resolvent data make directions`"));
        }
        let samples = array.rows();
        drop(array);
        let meta = meta(&source)?;
        let setting =
            |name: &str| meta.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
        let bad = |name: &str| {
            let what = format!("it is `{}`", setting(name));
            let mend = "make the file with `resolvent data make directions`";
            Error::malformed(path, format!("attribute `meta/{name}`"), what, mend)
        };
        let number = |name: &str| setting(name).parse::<usize>().map_err(|_| bad(name));
        let family = Family::named(setting("family")).map_err(|_| bad("family"))?;
        let (n, dim) = (number("n")?, number("dim")?);
        let parameters = Parameters::new(n).dim(dim).seed(number("seed")? as u64);
        if shape != vec![n; dim] || family.check(parameters).is_err() {
            return Err(bad("n"));
        }
        Ok(Self { source, family, parameters, shape, samples, ritz_values, ritz_bounds })
    }

    /// The family whose operator the samples belong to.
    pub fn family(&self) -> &'static str {
        self.family.name
    }

    /// The problem whose operator the samples belong to.
    ///
    /// # Errors
    /// As [`Family::problem`].
    pub fn problem(&self) -> Result<Problem> {
        self.family.problem(self.parameters)
    }

    /// Cells along each dimension, the slowest first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
    /// How many samples.
    pub fn len(&self) -> usize {
        self.samples
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Some samples, one after the other: `[samples × cells]`, each of norm 1.
    ///
    /// # Errors
    /// [`Error::Length`] when there are not so many; [`Error::Malformed`].
    pub fn read(&self, samples: std::ops::Range<usize>) -> Result<Vec<f32>> {
        if samples.end > self.samples {
            let (expected, got) = (samples.end, self.samples);
            return Err(Error::Length { what: "samples".into(), expected, got });
        }
        let array = Array::rows_of(&self.source, "samples", 0)?;
        array.map_or(Ok(Vec::new()), |a| a.read_rows(samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    /// ‖Σ cₖ vₖ‖ and more need the vector itself.
    fn combined(basis: &[Buffer<f64>], c: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..basis[0].len()).map(|i| basis.iter().enumerate().map(|(k, v)| c(k) * v[i]).sum()).collect()
    }

    #[test]
    fn ritz_vectors_are_orthonormal_and_their_residuals_are_those_stated() {
        let folder = tempfile::tempdir().unwrap();
        let space = Host::<f64>::new();
        for (family, n, m) in [("box", 9, 150), ("neumann", 7, 60)] {
            let problem = Family::named(family).unwrap().problem(Parameters::new(n).seed(3)).unwrap();
            let mut kept = Partial::open(folder.path().join(family), family).unwrap();
            let process =
                basis(&problem, m, 3, &mut kept, &mut |_| ControlFlow::Continue(())).unwrap().unwrap();
            let (values, u, bounds) = process.ritz().unwrap();
            let steps = process.steps();
            let v = &process.basis()[..steps];
            for (i, a) in v.iter().enumerate() {
                for (j, b) in v[..=i].iter().enumerate() {
                    let expected = f64::from(u8::from(i == j));
                    assert!((space.dot(a, b).unwrap() - expected).abs() < 1e-12, "{family}: {i} {j}");
                }
            }
            for (k, (theta, bound)) in values.iter().zip(&bounds).enumerate() {
                let x = combined(v, |i| u[(i, k)]);
                assert!((space.norm(&x).unwrap() - 1.0).abs() < 1e-12);
                let mut y = space.zeros(x.len()).unwrap();
                Operator::<Host<f64>>::apply(problem.stencil(), &space, &x, &mut y).unwrap();
                let residual = y.iter().zip(&x).map(|(y, x)| (y - theta * x).powi(2)).sum::<f64>().sqrt();
                // ‖A‖ is at most 12.
                assert!((residual - bound).abs() < 1e-11, "{family}, pair {k}: {residual:e} {bound:e}");
            }
            let ends = [bounds[0], bounds[steps - 1]];
            assert!(ends.iter().all(|b| *b < 1e-8), "{family}: the ends have converged: {ends:?}");
            // The lowest of the exact spectrum, which the null space is not part of.
            let s = |k: f64| 4.0 * (std::f64::consts::PI * k / (2 * n) as f64).sin().powi(2);
            let lowest = if family == "box" { 3.0 * s(1.0) } else { s(1.0) };
            assert!((values[0] - lowest).abs() < 1e-10, "{family}: {} {lowest}", values[0]);
        }
    }
}
