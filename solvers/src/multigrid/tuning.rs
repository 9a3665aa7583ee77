//! The numbers a cycle may be tuned by.
//!
//! How far each half-sweep relaxes is the same everywhere on a level. How strongly a coarse cell holds on to the air beside it
//! theory does not know, and it is looked up by how strong the sink is. Coarse operators are otherwise what theory says is best:
//! factors on coarse faces that are partly closed were learned too, and did harm on geometries that were not trained on.
//!
//! Every vector of parameters stands for a cycle that is symmetric and positive definite: relaxations lie in (0, 2), sinks
//! are positive, and what is done after the coarse correction is the transpose of what is done before.

use super::level::HALVES;
use crate::learn::{Checkpoint, State};
use crate::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// Levels that have sinks of their own: the finest, the next, and all others.
const CLASSES: usize = 3;
/// Levels that have relaxations of their own: those, and others that are solved for by a polynomial.
const SWEEPS: usize = CLASSES + 1;
/// Kinds of coarse sinks: strong, medium and weak.
const SINKS: usize = 3;

/// What a multigrid cycle does beside solids and air, and how far it relaxes: `LEN` parameters, 0 for what
/// [`CLASSICAL`](Self::CLASSICAL) takes; of sinks the logarithm of a factor, of a relaxation ω that of ω/(2 − ω). Any
/// finite values give a symmetric positive definite cycle; they are limited to the range in which they make sense.
///
/// ```
/// use resolvent::Tuning;
/// let tuning = Tuning::new(&[0.1; Tuning::LEN])?;
/// assert_eq!(tuning.parameters()[3], 0.1);
/// assert!(Tuning::new(&[f64::NAN; Tuning::LEN]).is_err());
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    parameters: [f64; Tuning::LEN],
}

/// A group of parameters: its name, its shape, and where it begins.
struct Group {
    name: &'static str,
    shape: [usize; 2],
    first: usize,
}

impl Group {
    fn range(&self) -> Range<usize> {
        self.first..self.first + self.shape[0] * self.shape[1]
    }
}

const SWEEP: usize = 0;
const SINK: usize = 1;

const GROUPS: [Group; 2] = {
    let shapes = [("sweep", [SWEEPS, HALVES]), ("sink", [CLASSES, SINKS])];
    let mut groups = [const { Group { name: "", shape: [0; 2], first: 0 } }; 2];
    let (mut g, mut first) = (0, 0);
    while g < groups.len() {
        groups[g] = Group { name: shapes[g].0, shape: shapes[g].1, first };
        first += shapes[g].1[0] * shapes[g].1[1];
        g += 1;
    }
    groups
};

/// A number in (0, 2): 1 for 0.
fn relaxation(parameter: f64) -> f64 {
    2.0 / (1.0 + (-parameter.clamp(-3.0, 3.0)).exp())
}

impl Tuning {
    /// How many parameters there are.
    pub const LEN: usize = GROUPS[SINK].first + GROUPS[SINK].shape[0] * GROUPS[SINK].shape[1];

    /// What is right without knowing anything of the grids to come.
    pub const CLASSICAL: Self = Self { parameters: [0.0; Self::LEN] };

    /// From parameters, `[LEN]`.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Value`] for one that is not finite.
    pub fn new(parameters: &[f64]) -> Result<Self> {
        let found: [f64; Self::LEN] = parameters.try_into().map_err(|_| Error::Length {
            what: "the parameters of a cycle",
            expected: Self::LEN,
            got: parameters.len(),
        })?;
        match found.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(Error::Value {
                what: "the parameters of a cycle",
                index,
                value: found[index],
                needs: "they are finite numbers; train the cycle again",
            }),
            None => Ok(Self { parameters: found }),
        }
    }

    /// The parameters, `[LEN]`.
    pub fn parameters(&self) -> &[f64; Self::LEN] {
        &self.parameters
    }

    fn get(&self, group: usize, row: usize, column: usize) -> f64 {
        let Group { shape, first, .. } = GROUPS[group];
        self.parameters[first + row * shape[1] + column]
    }

    /// How far each half-sweep on level `depth`, solved for by a polynomial or not, relaxes its colour: in (0.09, 1.91), and 1
    /// without tuning.
    pub(crate) fn sweep(&self, depth: usize, polynomial: bool) -> [f64; HALVES] {
        let class = if polynomial { SWEEPS - 1 } else { depth.min(CLASSES - 1) };
        std::array::from_fn(|half| relaxation(self.get(SWEEP, class, half)))
    }

    /// What a sink of level `depth + 1` is multiplied by; `share` is that of an open face's conductance.
    pub(crate) fn sink(&self, depth: usize, share: f64) -> f64 {
        let kind = usize::from(share < 2.0) + usize::from(share < 1.0);
        self.get(SINK, depth.min(CLASSES - 1), kind).clamp(-1.0, 1.0).exp()
    }
}

impl Tuning {
    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Checkpoint`] for a damaged file, or that of something else or of another dimension.
    pub fn load(path: &Path, dim: usize) -> Result<Self> {
        Self::take(Checkpoint::load(path)?, dim)
    }

    pub(super) fn take(mut checkpoint: Checkpoint, dim: usize) -> Result<Self> {
        check_kind(&checkpoint, KIND, dim)?;
        let mut tuning = Self::CLASSICAL;
        tuning.restore("", &mut checkpoint)?;
        checkpoint.finish()?;
        Ok(tuning)
    }

    /// Writes a file for cycles in `dim` dimensions, trained for `step` steps.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, path: &Path, dim: usize, step: u64) -> Result<()> {
        let mut checkpoint = Checkpoint::new(KIND, &dimension(dim), step);
        self.store("", &mut checkpoint);
        checkpoint.save(path)
    }
}

/// What a file of these parameters calls itself.
const KIND: &str = "cycle";

pub(super) fn dimension(dim: usize) -> String {
    format!("{dim}-D")
}

/// Refuses a checkpoint of something else.
pub(super) fn check_kind(checkpoint: &Checkpoint, kind: &str, dim: usize) -> Result<()> {
    let refuse = |why| Err(Error::Checkpoint { path: checkpoint.path().into(), why });
    if checkpoint.kind() != kind {
        let other = checkpoint.kind();
        return refuse(format!(
            "it holds a `{other}`, but a `{kind}` is needed; give one that `resolvent train cycle.toml` wrote"
        ));
    }
    if checkpoint.name() != dimension(dim) {
        let other = checkpoint.name();
        return refuse(format!(
            "it is for {other}, but the grid is in {dim}-D; give the file of that dimension"
        ));
    }
    Ok(())
}

impl State for Tuning {
    /// One tensor for each group of parameters.
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        for g in &GROUPS {
            let values = &self.parameters[g.range()];
            checkpoint.put(&format!("{name}{}", g.name), &g.shape, values);
        }
    }

    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let mut parameters = Vec::with_capacity(Self::LEN);
        for g in &GROUPS {
            parameters.extend(checkpoint.take::<f64>(&format!("{name}{}", g.name), &g.shape)?);
        }
        *self = Self::new(&parameters)?;
        Ok(())
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self::CLASSICAL
    }
}
