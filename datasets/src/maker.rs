//! The registry of sets that are made by a command: graphs, and sequences and samples of operators. A set is one file and
//! one row in [`MAKERS`].
//!
//! Every set is a function of its settings and its seed, the same on every machine and for any number of threads. Making one
//! states first what memory and disk it takes; it may be interrupted, leaves what is done beside the file under
//! `FILE.partial`, and the same request goes on from there to the same bytes.

mod recipe;
mod room;

use crate::{Error, Result, graph, operators};
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use recipe::Recipe;
pub use room::{Cost, disk_available, memory_available};

/// Every set, in the order of their listing.
pub static MAKERS: [Maker; 6] = [
    graph::value_iteration::MAKER,
    graph::pore_network::MAKER,
    graph::tu::MUTAG,
    graph::tu::MAKER,
    operators::projection::MAKER,
    operators::directions::MAKER,
];

/// A kind of set that can be made.
pub struct Maker {
    /// Its name.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// How many samples it has unless asked otherwise, and what one is called; `None` when the settings determine it.
    pub samples: Option<(usize, &'static str)>,
    /// What can be set.
    pub settings: &'static [Setting],
    /// What making it takes; checks the settings.
    pub(crate) cost: fn(&Recipe) -> Result<Cost>,
    /// Makes the file.
    pub(crate) make: fn(&Recipe, &Path, &mut Watch) -> Result<Outcome>,
}

/// A setting of a maker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value unless set.
    pub default: &'static str,
    /// What it is, with its unit.
    pub what: &'static str,
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is being done.
    pub phase: &'static str,
    /// How much of it is done.
    pub done: usize,
    /// Of how much.
    pub total: usize,
}

/// Sees every step, and may stop the work.
pub type Watch<'a> = dyn FnMut(Step) -> ControlFlow<()> + 'a;

/// How the making of a set ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The file is there.
    Made(Made),
    /// Stopped; what was done is kept in this file, and the same request goes on from it.
    Interrupted {
        /// What was done.
        partial: PathBuf,
    },
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Made {
    /// How many samples.
    pub samples: usize,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// How many samples were there from an earlier, interrupted request.
    pub resumed: usize,
    /// What else is worth saying, in one sentence.
    pub remark: Option<String>,
}

impl Maker {
    /// The maker of a name.
    ///
    /// ```
    /// use resolvent_datasets::Maker;
    /// assert_eq!(Maker::named("pore-network")?.samples.unwrap().1, "networks");
    /// assert!(Maker::named("pore-netwrk").err().unwrap().to_string().contains("did you mean `pore-network`?"));
    /// # Ok::<(), resolvent_datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unknown`], which lists the known ones and the nearest.
    pub fn named(name: &str) -> Result<&'static Self> {
        MAKERS
            .iter()
            .find(|m| m.name == name)
            .ok_or_else(|| Error::unknown("set", name, &MAKERS.each_ref().map(|m| m.name)))
    }
}
