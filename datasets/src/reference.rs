//! Reference solutions: seeded, with an accuracy that was measured while they were made.
//!
//! A [`Reference`] is an equation with its settings; [`Settings`] fix them; [`generate`] computes snapshot by snapshot and
//! hands them to a [`Sink`], so that memory does not grow with the number of snapshots; [`write()`] makes a file of them, and
//! goes on where an earlier run was stopped.
//!
//! ```
//! use resolvent_datasets::reference::{Settings, solve};
//! let burgers = solve(&Settings::of("burgers")?.set("n", "32")?.set("times", "3")?)?;
//! assert_eq!((burgers.layout.fields[0], burgers.snapshot(0, 2).len()), ("u", 32));
//! assert!(burgers.accuracy < 1e-10);
//! # Ok::<(), resolvent_datasets::Error>(())
//! ```
//!
//! # Which trajectories
//!
//! The first trajectory starts from the textbook's initial values, where there are such; those after it from random ones,
//! which are functions of the seed and of the trajectory's number, and of position, so that a finer grid shows the same
//! trajectory.
//!
//! # What the stated accuracy is
//!
//! Where time is stepped, the first trajectory is computed a second time with twice the step and three quarters of the modes
//! in each direction; the accuracy is the largest relative L2 difference of the two at any snapshot, which bounds the error
//! of the better one as long as errors fall at all. Other solutions say in [`Reference::accuracy`] what theirs is.
//!
//! # Adding one
//!
//! One file in `src/reference/` with a constant `REFERENCE`, and one row in [`REFERENCES`].

mod advection;
mod allen_cahn;
mod burgers;
mod cavity;
mod darcy;
mod etdrk4;
mod file;
mod formula;
mod generate;
mod gray_scott;
mod heat;
mod helmholtz;
mod kdv;
mod klein_gordon;
mod kuramoto_sivashinsky;
mod layout;
mod line;
mod march;
mod memory;
mod periodic;
mod plane;
mod poisson;
mod setting;
mod sines;
mod solution;
mod spool;
mod steady;
mod turbulence;
mod wave;

pub use file::{Written, write};
pub use generate::{Outcome, Sink, Size, generate, size};
pub use layout::{Axis, Layout};
pub use memory::{Solved, solve};
pub use setting::{Range, Setting, Settings};
pub use solution::Watch;

use crate::{Error, Result};

/// Every reference solution, in the order of their listing.
pub static REFERENCES: [Reference; 14] = [
    burgers::REFERENCE,
    allen_cahn::REFERENCE,
    kdv::REFERENCE,
    kuramoto_sivashinsky::REFERENCE,
    gray_scott::REFERENCE,
    turbulence::REFERENCE,
    cavity::REFERENCE,
    wave::REFERENCE,
    advection::REFERENCE,
    heat::REFERENCE,
    helmholtz::REFERENCE,
    klein_gordon::REFERENCE,
    poisson::REFERENCE,
    darcy::REFERENCE,
];

/// An equation whose solution can be had.
#[derive(Debug)]
pub struct Reference {
    /// Its name.
    pub name: &'static str,
    /// The equation with its signs, domain, boundary and initial values.
    pub equation: &'static str,
    /// How it is solved.
    pub method: &'static str,
    /// What the stated accuracy is.
    pub accuracy: &'static str,
    /// What it can be asked with; `n` is the number of points stored along each direction.
    pub settings: &'static [Setting],
    /// Whether trajectories after the first are random.
    pub random: bool,
    build: fn(&Settings) -> Result<Box<dyn solution::Solution>>,
}

impl Reference {
    /// The reference solution of a name.
    ///
    /// # Errors
    /// [`Error::Unknown`], which lists the known ones and the nearest.
    pub fn named(name: &str) -> Result<&'static Self> {
        REFERENCES
            .iter()
            .find(|r| r.name == name)
            .ok_or_else(|| Error::unknown("reference solution", name, &REFERENCES.each_ref().map(|r| r.name)))
    }
}

/// What the accuracy of solutions stepped in time is.
const STEPPED: &str = "the largest relative L2 difference, at any snapshot of the first trajectory, from a run with twice \
the time step and three quarters of the modes";
