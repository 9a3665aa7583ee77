//! Every method on every size of a family, or on one system.

use crate::measurement::{Measurement, reached, thinned};
use crate::{Method, Spread, memory};
use resolvent::direction::Model;
use resolvent::plan::{self, Plan};
use resolvent::{
    Boundary, Grid, Map, Matrix, Multigrid, MultigridOptions, Poisson, Progress, Report, Status, Stencil,
    Stop,
};
use resolvent_datasets::{Family, Parameters, Placed, Problem, Result, RhsKind};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

/// Entries of a residual history that are kept.
const HISTORY: usize = 400;

/// What the methods work on.
#[derive(Clone, Debug)]
pub enum Work {
    /// A family at several sizes.
    Family {
        /// The family.
        family: &'static Family,
        /// 2 or 3; `None` for the family's default.
        dim: Option<usize>,
        /// Cells along each side.
        sizes: Vec<usize>,
        /// The kind of right-hand side.
        rhs_kind: RhsKind,
    },
    /// One system; noise where it brings no right-hand side.
    System {
        /// Its name.
        name: String,
        /// The system.
        system: Box<Placed>,
    },
}

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What the methods work on.
    pub work: Work,
    /// Of the scene and the right-hand sides.
    pub seed: u64,
    /// The methods.
    pub methods: Vec<Method>,
    /// How often each is repeated; medians are reported.
    pub repeat: usize,
    /// Repeating ends early, after at least one run, when this many seconds are spent on a case.
    pub budget: f64,
    /// Right-hand sides solved with one set-up.
    pub right_hand_sides: usize,
    /// When a solve ends.
    pub stop: Stop,
    /// The networks of the methods that have one, by their names.
    pub models: Vec<(String, Model)>,
    /// Where they work.
    pub place: Place,
}

/// Where methods work.
#[derive(Clone, Debug)]
pub enum Place {
    /// On the threads of the processor.
    Processor,
    /// On a GPU.
    #[cfg(feature = "cuda")]
    Gpu(resolvent::Device<f64>),
}

impl Place {
    /// As in tables.
    pub fn name(&self) -> String {
        match self {
            Self::Processor => "cpu".into(),
            #[cfg(feature = "cuda")]
            Self::Gpu(space) => format!("cuda: {}", space.gpu().name()),
        }
    }
}

/// A method at a size, about to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its number, from 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
    /// Cells along each side.
    pub n: usize,
    /// The method.
    pub method: Method,
}

/// Someone who looks on, and may stop.
pub trait Observer {
    /// A case begins.
    fn begin(&mut self, case: &Case);
    /// A step is about to be taken in a run of the case.
    fn step(&mut self, run: usize, progress: &Progress) -> ControlFlow<()>;
    /// A case ended.
    ///
    /// # Errors
    /// Ends the suite.
    fn end(&mut self, measurement: &Measurement) -> Result<()>;
}

/// A matrix and its right-hand sides.
struct Made {
    matrix: Matrix,
    /// The matrix of a grid as it is stored, and the cell of each row, for methods that take no other.
    stored: Option<(Matrix, Vec<u32>)>,
    right: Right,
}

impl Made {
    /// The matrix as a plan takes it, and the cell of each row where it is not that of the vectors. What it costs to store one on a
    /// grid is not measured.
    fn matrix(&mut self, plan: Plan) -> Result<(&Matrix, Option<&[u32]>)> {
        let Matrix::Structured(a) = &self.matrix else { return Ok((&self.matrix, None)) };
        if !plan.needs_storage() {
            return Ok((&self.matrix, None));
        }
        let stored = match &mut self.stored {
            Some(stored) => stored,
            empty => {
                let (csr, cells) = a.to_csr()?;
                empty.insert((Matrix::from_sparse(csr), cells))
            }
        };
        Ok((&stored.0, Some(&stored.1)))
    }
}

#[derive(Clone)]
enum Right {
    Problem(Arc<Problem>, RhsKind),
    System(Arc<Placed>, u64),
}

impl Right {
    /// The right-hand side of a number, or of it what lies in `cells`.
    fn number(&self, number: u64, cells: Option<&[u32]>) -> Result<Vec<f64>> {
        let b = match self {
            Self::Problem(problem, kind) => problem.rhs_number(*kind, number)?,
            Self::System(system, seed) => match &system.rhs {
                Some(b) if number == 0 => b.clone(),
                _ => system.noise(seed.wrapping_add(number))?,
            },
        };
        Ok(match cells {
            Some(cells) => cells.iter().map(|c| b[*c as usize]).collect(),
            None => b,
        })
    }
}

/// Solves something small with every method, so that what libraries keep for good, such as the packing buffers of a matrix
/// product, is not counted as a method's memory.
///
/// # Errors
/// Never in practice: the problem is fixed.
pub fn warm_up() -> Result<()> {
    // Whichever thread it is that works on a coarsest level later, and keeps the buffers.
    let cube = Stencil::from(Poisson::new(Grid::new_3d(12, 12, 12)?, [[Boundary::DIRICHLET; 2]; 3])?);
    rayon::broadcast(|_| Multigrid::<f32>::new(&cube, MultigridOptions::default()).map(drop))
        .into_iter()
        .collect::<resolvent::Result<()>>()?;
    let problem = Family::named("channels")?.problem(Parameters::new(8).dim(3))?;
    let (grid, b) = (Matrix::from(problem.stencil().clone()), problem.rhs(RhsKind::Noise)?);
    let stored = Matrix::from_sparse(problem.stencil().to_csr()?.0);
    // A network has no buffers that libraries keep.
    let plain = |m: &Method| m.plan.method != plan::Method::Directions;
    for method in crate::method::METHODS.into_iter().filter(plain) {
        let a = if method.plan.needs_storage() { &stored } else { &grid };
        let mut solver = method.plan.set_up(a, Stop::default())?;
        let _ = solver.solve(a, &b, &mut vec![0.0; b.len()], &mut |_| ControlFlow::Break(()))?;
    }
    Ok(())
}

/// How a suite ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every case has a measurement.
    Complete,
    /// The observer stopped it.
    Interrupted,
}

impl Suite {
    /// Measures every case but those in `done`, which are kept; `done` holds all in the order of the cases when it ends.
    ///
    /// # Errors
    /// When a problem cannot be made, or the observer's own. A method that fails is a measurement, not an error.
    pub fn run(&self, done: &mut Vec<Measurement>, observer: &mut dyn Observer) -> Result<Outcome> {
        warm_up()?;
        let kept = std::mem::take(done);
        let sizes = match &self.work {
            Work::Family { sizes, .. } => sizes.clone(),
            Work::System { system, .. } => vec![system.matrix.shape().rows],
        };
        let of = sizes.len() * self.methods.len();
        let mut index = 0;
        for n in sizes {
            let mut made: Option<Made> = None;
            for &method in &self.methods {
                let case = Case { index, of, n, method };
                index += 1;
                let blank = self.blank(n, method);
                if let Some(old) = kept.iter().find(|m| m.same_case(&blank)) {
                    done.push(old.clone());
                    continue;
                }
                observer.begin(&case);
                let made = match &mut made {
                    Some(made) => made,
                    empty => empty.insert(self.make(n)?),
                };
                let Some(measurement) = self.measure(made, method, blank, observer)? else {
                    return Ok(Outcome::Interrupted);
                };
                observer.end(&measurement)?;
                done.push(measurement);
            }
        }
        Ok(Outcome::Complete)
    }

    fn make(&self, n: usize) -> Result<Made> {
        Ok(match &self.work {
            Work::Family { family, dim, rhs_kind, .. } => {
                let dim = dim.unwrap_or(family.dims[0]);
                let problem = family.problem(Parameters::new(n).dim(dim).seed(self.seed))?;
                let matrix = Matrix::from(problem.stencil().clone());
                Made { matrix, stored: None, right: Right::Problem(Arc::new(problem), *rhs_kind) }
            }
            Work::System { system, .. } => {
                let right = Right::System(Arc::new((**system).clone()), self.seed);
                Made { matrix: system.matrix.clone(), stored: None, right }
            }
        })
    }

    fn blank(&self, n: usize, method: Method) -> Measurement {
        let (problem, dim, rhs_kind) = match &self.work {
            Work::Family { family, dim, rhs_kind, .. } => {
                (family.name.into(), dim.unwrap_or(family.dims[0]), rhs_kind.name())
            }
            Work::System { name, system } => {
                let dim = system.grid.as_ref().map_or(0, |(grid, _)| grid.dim());
                (name.clone(), dim, if system.rhs.is_some() { "its own" } else { "noise" })
            }
        };
        Measurement {
            problem,
            dim,
            n,
            seed: self.seed,
            rhs_kind: rhs_kind.into(),
            unknowns: 0,
            nonzeros: 0,
            method: method.name.into(),
            threads: rayon::current_num_threads(),
            device: self.place.name(),
            rtol: self.stop.rtol,
            status: "error".into(),
            advice: None,
            steps: 0,
            true_residual: None,
            setup: Spread::default(),
            solve: Spread::default(),
            right_hand_sides: self.right_hand_sides.max(1),
            total: Spread::default(),
            repeats: 0,
            bytes_per_unknown: None,
            reached: Vec::new(),
            history: Vec::new(),
        }
    }

    /// `None` when the observer stopped it.
    fn measure(
        &self,
        made: &mut Made,
        method: Method,
        mut m: Measurement,
        observer: &mut dyn Observer,
    ) -> Result<Option<Measurement>> {
        let right = made.right.clone();
        let (a, cells) = made.matrix(method.plan)?;
        m.unknowns = a.unknowns();
        m.nonzeros = a.nonzeros();
        let mut b = right.number(0, cells)?;
        let mut x = vec![0.0; b.len()];
        let (mut setups, mut solves, mut totals) = (Vec::new(), Vec::new(), Vec::new());
        let mut stamps: Vec<(f64, f64)> = Vec::with_capacity(self.stop.max_steps + 2);
        let started = Instant::now();
        memory::start();
        let before = memory::counted();
        for run in 0..self.repeat.max(1) {
            if run > 0 && started.elapsed().as_secs_f64() > self.budget {
                break;
            }
            let model = self.models.iter().find(|m| m.0 == method.name).map(|m| &m.1);
            let clock = Instant::now();
            let made = match &self.place {
                Place::Processor => method.plan.set_up_with(a, self.stop, model),
                #[cfg(feature = "cuda")]
                Place::Gpu(space) => method.plan.set_up_on(space, a, self.stop, model, None),
            };
            let mut solver = match made {
                Ok(solver) => solver,
                Err(e) => {
                    m.advice = Some(e.to_string());
                    return Ok(Some(m));
                }
            };
            let setup = clock.elapsed().as_secs_f64();
            let mut seconds = 0.0;
            let mut worst: Option<(Report, f64)> = None;
            for number in 0..m.right_hand_sides {
                if number > 0 || run > 0 && m.right_hand_sides > 1 {
                    b = right.number(number as u64, cells)?;
                }
                x.fill(0.0);
                let first = number == 0;
                if first {
                    stamps.clear();
                }
                let clock = Instant::now();
                let report = solver.solve(a, &b, &mut x, &mut |p| {
                    if first {
                        stamps.push((clock.elapsed().as_secs_f64(), p.residual));
                    }
                    observer.step(run, p)
                });
                let report = match report {
                    Ok(report) => report,
                    Err(e) => {
                        m.advice = Some(e.to_string());
                        return Ok(Some(m));
                    }
                };
                let elapsed = clock.elapsed().as_secs_f64();
                if report.status == Status::Interrupted {
                    return Ok(None);
                }
                let scale = b.iter().map(|v| v * v).sum::<f64>().sqrt();
                let relative = if scale > 0.0 { report.true_residual / scale } else { 0.0 };
                if first {
                    stamps.push((elapsed, report.residual));
                    m.history = stamps.iter().map(|(t, r)| (*t, r / scale)).collect();
                    solves.push(elapsed);
                    m.steps = report.steps;
                }
                seconds += elapsed;
                let unhappy = |r: &Report| r.status != Status::Converged;
                if worst.as_ref().is_none_or(|(r, w)| (unhappy(&report), relative) > (unhappy(r), *w)) {
                    worst = Some((report, relative));
                }
            }
            if let Some((report, relative)) = worst {
                m.status = report.status.name().into();
                m.advice = (report.status != Status::Converged).then(|| report.status.to_string());
                m.true_residual = relative.is_finite().then_some(relative);
            }
            setups.push(setup);
            totals.push(setup + seconds);
            if run == 0
                && let (Some(before), Some(peak)) = (before, memory::most())
            {
                m.bytes_per_unknown = Some(peak.saturating_sub(before) as f64 / m.unknowns as f64);
            }
        }
        m.repeats = setups.len();
        m.setup = Spread::of(&setups).unwrap_or_default();
        m.solve = Spread::of(&solves).unwrap_or_default();
        m.total = Spread::of(&totals).unwrap_or_default();
        m.reached = reached(&m.history);
        m.history.retain(|(_, r)| r.is_finite());
        m.history = thinned(&m.history, HISTORY);
        Ok(Some(m))
    }
}
