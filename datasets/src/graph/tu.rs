//! `mutag` and `tu`: graphs to be classified, from folders in the TU format.
//!
//! A folder holds text files whose names start with that of the set. `_A.txt` has an edge a line, `source, target`;
//! `_graph_indicator.txt` the graph of each node; both count from 1. `_graph_labels.txt` has the class of each graph. There may be
//! `_node_labels.txt` and `_edge_labels.txt` (whole numbers), `_node_attributes.txt` and `_edge_attributes.txt` (numbers), and
//! `_graph_attributes.txt`, which are targets. Each column of labels becomes a column of features for each value it takes (1
//! where it is taken); attributes follow as they are. Where nodes have neither, their one feature is 1.
//!
//! # Reference
//! C. Morris and others, *TUDataset: a collection of benchmark datasets for learning with graphs*, 2020, arXiv:2007.08663.

mod assemble;
mod fetch;
mod files;
mod table;

pub use assemble::read;
pub use files::Limits;

use super::folds;
use crate::maker::{Cost, Made, Maker, Outcome, Recipe, Setting, Step, Watch};
use crate::{Error, Result};
use resolvent::Scalar;
use std::path::{Path, PathBuf};

const FROM: &str = "a folder in TU format, or a .zip or .whl that holds one";
const NAME: Setting =
    Setting { name: "set", default: "", what: "which set, where there are several: its files' first part" };
const FOLDS: Setting =
    Setting { name: "folds", default: "10", what: "stratified folds, shuffled by the seed" };

pub(crate) const MAKER: Maker = Maker {
    name: "tu",
    summary: "graphs to be classified, from a folder in TU format",
    samples: None,
    settings: &[Setting { name: "from", default: "", what: FROM }, NAME, FOLDS],
    cost,
    make,
};

pub(crate) const MUTAG: Maker = Maker {
    name: "mutag",
    summary: "188 molecules, mutagenic or not: fetched with pip in the wheel of grakel 0.1.11, or from a folder",
    samples: None,
    settings: &[
        Setting { name: "from", default: "", what: FROM },
        Setting { name: "set", default: "MUTAG", what: NAME.what },
        FOLDS,
    ],
    cost,
    make,
};

fn count_of_folds(recipe: &Recipe) -> Result<u32> {
    recipe.number("folds", "a whole number from 2 to 1000 is needed", |f| (2..=1000).contains(f))
}

fn cost(recipe: &Recipe) -> Result<Cost> {
    count_of_folds(recipe)?;
    let from = recipe.text("from");
    if from.is_empty() && recipe.maker().name == "tu" {
        return Err(recipe.refuse("from", "name the folder with `--set from=FOLDER`"));
    }
    let size = if from.is_empty() { 1 << 22 } else { files::size(Path::new(from))? };
    // A number takes two characters or more in the text.
    let mend = "use a smaller set, or a machine with more";
    Ok(Cost { memory: size.saturating_mul(40), file: size.saturating_mul(8), beside: 0, mend })
}

fn make(recipe: &Recipe, path: &Path, watch: &mut Watch) -> Result<Outcome> {
    let fold_count = count_of_folds(recipe)?;
    let fetched;
    let from: PathBuf = match recipe.text("from") {
        "" => {
            let _ = watch(Step { phase: "fetching", done: 0, total: 1 });
            fetched = fetch::wheel(path)?;
            fetched.path.clone()
        }
        from => from.into(),
    };
    let _ = watch(Step { phase: "reading", done: 0, total: 1 });
    let name = Some(recipe.text("set")).filter(|n| !n.is_empty());
    let mut set = read::<f64>(&from, name, Limits::default())?;
    if let Some(labels) = &set.labels {
        set.folds = Some(folds::stratified(labels, fold_count, recipe.seed()));
    }
    // The place of the folder is not part of what the set is, and its name is there already.
    for (name, value) in [("maker", recipe.maker().name), ("folds", recipe.text("folds"))] {
        set.meta.push((name.into(), value.into()));
    }
    set.meta.push(("seed".into(), recipe.seed().to_string()));
    let bytes = set.write(path)?;
    Ok(Outcome::Made(Made { samples: set.len(), bytes, resumed: 0, remark: None }))
}

/// A label as a feature.
fn one<T: Scalar>() -> T {
    T::of(1.0)
}

/// An error on a line.
fn on_line(path: &Path, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Error {
    Error::malformed(path, format!("line {line}"), what, mend)
}
