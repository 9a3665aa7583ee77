//! What can go wrong while data are made, read or written.

use std::path::{Path, PathBuf};

/// What a caller can do about an error; the command line turns it into an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request cannot be met: ask for something else.
    Usage,
    /// The data are malformed: mend them.
    Input,
    /// A file or memory could not be had.
    Resource,
}

/// What can go wrong while data are made, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is in no registry.
    #[error("unknown {what} `{name}`: did you mean `{nearest}`? Known are {known}")]
    Unknown {
        /// What was looked up.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest known one.
        nearest: &'static str,
        /// All known ones.
        known: String,
    },
    /// A grid side that makes no problem.
    #[error("n = {n}: {why}")]
    Size {
        /// Cells along each side, as asked for.
        n: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A number of dimensions the family does not have.
    #[error("{family} does not exist in {dim}-D; it does in {dims}")]
    Dimension {
        /// The family.
        family: &'static str,
        /// The dimension asked for.
        dim: usize,
        /// Those it has.
        dims: &'static str,
    },
    /// A frame of a family whose scene does not move.
    #[error(
        "{family} does not move, so it has no frame {frame}; only a family that moves has frames other than 0"
    )]
    Frame {
        /// The family.
        family: &'static str,
        /// The frame asked for.
        frame: u32,
    },
    /// A right-hand side the family does not have.
    #[error("{family} has no {kind} right-hand side; it has {known}")]
    RightHandSide {
        /// The family.
        family: &'static str,
        /// The kind asked for.
        kind: &'static str,
        /// Those it has.
        known: String,
    },
    /// A scene without a single unknown.
    #[error("{family} has no fluid cell at n = {n} with seed {seed}; use a larger n or another seed")]
    Empty {
        /// The family.
        family: &'static str,
        /// Cells along each side.
        n: usize,
        /// The seed.
        seed: u64,
    },
    /// A setting of a reference solution or a set that it cannot be made with.
    #[error("{of}: {setting} = {value} is refused; {needs}")]
    Setting {
        /// The reference solution or the set.
        of: &'static str,
        /// The setting.
        setting: String,
        /// The value asked for.
        value: String,
        /// What is needed instead.
        needs: String,
    },
    /// A reference solution whose numbers overflowed.
    #[error(
        "{reference}: the numbers, or those of the run with twice the step, overflow before t = {time}; use more `steps`, or a smaller `end`"
    )]
    Unstable {
        /// The reference solution.
        reference: &'static str,
        /// The first time at which they are not finite.
        time: f64,
    },
    /// A system of a reference solution that was not solved well enough.
    #[error("the system was solved to a relative residual of {residual:e} only ({status}); use a smaller n")]
    Unsolved {
        /// ‖b − Ax‖/‖b‖.
        residual: f64,
        /// How the solve ended.
        status: String,
    },
    /// An unfinished file that this run cannot go on with.
    #[error("{}: {why} left this unfinished; remove it, or write to another file", path.display())]
    Unfinished {
        /// The unfinished file.
        path: PathBuf,
        /// Who left it.
        why: &'static str,
    },
    /// A file whose name does not say what it is.
    #[error("{}: the extension does not say the format; use one of {known}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Extensions that work.
        known: &'static str,
    },
    /// Data handed to a writer that do not fit each other.
    #[error("{what} has {got} entries, but {expected} are needed to write it")]
    Length {
        /// Which array.
        what: String,
        /// How many are needed.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A description of a dataset that contradicts itself.
    #[error("{what}; {mend}")]
    Description {
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        mend: &'static str,
    },
    /// A field that a dataset does not have.
    #[error("there is no field `{name}`; there are {known}")]
    NoField {
        /// The name asked for.
        name: String,
        /// Those it has.
        known: String,
    },
    /// A region that is not inside a field.
    #[error(
        "field `{field}` has the shape {shape:?}, and {region:?} is not inside it; give one range for each axis"
    )]
    Region {
        /// The field.
        field: String,
        /// The ranges asked for.
        region: Vec<std::ops::Range<usize>>,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A dataset whose fields were not written as a whole.
    #[error("{written} numbers were written to field `{field}`, which has {size}; write each once")]
    Incomplete {
        /// The field.
        field: String,
        /// How many numbers were written.
        written: u64,
        /// How many it has.
        size: u64,
    },
    /// Data in a file that are not what they should be.
    #[error("{}, {place}: {what}; {mend}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in it: a line, a dataset, an attribute.
        place: String,
        /// What is wrong there.
        what: String,
        /// What to do about it.
        mend: String,
    },
    /// A file that cannot be opened or read.
    #[error("{}: cannot be read: {source}; check that it exists and may be read", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that cannot be written.
    #[error("{}: cannot be written: {source}; check that its folder exists, may be written to and has room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Memory that could not be had.
    #[error("cannot allocate {bytes} bytes for {what}; use a smaller problem or a machine with more memory")]
    Memory {
        /// What it was for.
        what: &'static str,
        /// How many bytes were asked for.
        bytes: usize,
    },
    /// Memory or disk that what was asked for does not fit into.
    #[error("{maker} needs {needed} of {what}, but {available} are free; {mend}")]
    Room {
        /// `memory` or `disk`.
        what: &'static str,
        /// Which set.
        maker: &'static str,
        /// How much is needed.
        needed: String,
        /// How much there is.
        available: String,
        /// What to do about it.
        mend: &'static str,
    },
    /// An edge of a graph that leads to no node.
    #[error("edge {edge} leads to node {node} of a graph with {nodes} nodes; nodes count from 0")]
    Edge {
        /// The first edge at fault.
        edge: usize,
        /// Where it leads.
        node: u32,
        /// How many nodes there are.
        nodes: usize,
    },
    /// Points that have no tetrahedralisation.
    #[error("point {point}: {why}")]
    Points {
        /// What is wrong.
        why: &'static str,
        /// The point at fault, or how many there are.
        point: usize,
    },
    /// An iteration that did not get where it had to.
    #[error("{what} ended at {residual:e} and not below {target:e}; {mend}")]
    NotConverged {
        /// What was iterated.
        what: &'static str,
        /// Where it ended.
        residual: f64,
        /// Where it should have.
        target: f64,
        /// What to do about it.
        mend: &'static str,
    },
    /// Data from elsewhere that could not be had.
    #[error("{what} cannot be fetched: {why}; {mend}")]
    Fetch {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        why: String,
        /// What to do about it.
        mend: &'static str,
    },
    /// The solver crate refused the operator.
    #[error(transparent)]
    Solver(#[from] resolvent::Error),
}

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown { .. }
            | Self::Size { .. }
            | Self::Dimension { .. }
            | Self::Frame { .. }
            | Self::RightHandSide { .. }
            | Self::Empty { .. }
            | Self::Format { .. }
            | Self::Setting { .. }
            | Self::Unstable { .. }
            | Self::Unsolved { .. }
            | Self::Unfinished { .. }
            | Self::NoField { .. }
            | Self::Region { .. }
            | Self::NotConverged { .. } => ErrorKind::Usage,
            Self::Malformed { .. }
            | Self::Length { .. }
            | Self::Description { .. }
            | Self::Incomplete { .. }
            | Self::Edge { .. }
            | Self::Points { .. } => ErrorKind::Input,
            Self::Open { .. }
            | Self::Write { .. }
            | Self::Memory { .. }
            | Self::Room { .. }
            | Self::Fetch { .. } => ErrorKind::Resource,
            Self::Solver(resolvent::Error::Memory { .. }) => ErrorKind::Resource,
            Self::Solver(resolvent::Error::Grid { .. } | resolvent::Error::Parameter { .. }) => {
                ErrorKind::Usage
            }
            Self::Solver(_) => ErrorKind::Input,
        }
    }

    pub(crate) fn malformed(
        path: &Path,
        place: impl Into<String>,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::Malformed { path: path.into(), place: place.into(), what: what.into(), mend: mend.into() }
    }

    pub(crate) fn open(path: &Path, source: std::io::Error) -> Self {
        Self::Open { path: path.into(), source }
    }

    /// A name that is none of those known, and the nearest of them.
    ///
    /// ```
    /// let e = resolvent_datasets::Error::unknown("fruit", "aple", &["pear", "apple"]);
    /// assert_eq!(e.to_string(), "unknown fruit `aple`: did you mean `apple`? Known are pear, apple");
    /// ```
    pub fn unknown(what: &'static str, name: &str, known: &[&'static str]) -> Self {
        Self::Unknown { what, name: name.into(), nearest: nearest(name, known), known: known.join(", ") }
    }

    pub(crate) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write { path: path.into(), source }
    }
}

/// The known name with the fewest edits from `name` (Levenshtein).
fn nearest(name: &str, known: &[&'static str]) -> &'static str {
    let edits = |other: &str| {
        let mut row: Vec<usize> = (0..=other.chars().count()).collect();
        for (i, a) in name.chars().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, b) in other.chars().enumerate() {
                let change = diagonal + usize::from(!a.eq_ignore_ascii_case(&b));
                diagonal = row[j + 1];
                row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[row.len() - 1]
    };
    known.iter().min_by_key(|k| edits(k)).copied().unwrap_or("")
}

/// `n` copies of `value`, or [`Error::Memory`] instead of an abort.
pub(crate) fn allocate<T: Clone>(what: &'static str, n: usize, value: T) -> Result<Vec<T>> {
    let mut v = Vec::new();
    v.try_reserve_exact(n).map_err(|_| Error::Memory { what, bytes: n.saturating_mul(size_of::<T>()) })?;
    v.resize(n, value);
    Ok(v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_has_the_fewest_edits() {
        let known = ["box", "neumann", "smoke", "gyroid"];
        assert_eq!(nearest("bx", &known), "box");
        assert_eq!(nearest("Neuman", &known), "neumann");
        assert_eq!(nearest("gyroids", &known), "gyroid");
    }

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        let e = allocate("a field", usize::MAX / 16, 0.0f64).unwrap_err();
        assert!(matches!(e, Error::Memory { what: "a field", .. }), "{e}");
        assert_eq!(e.kind(), ErrorKind::Resource);
    }

    #[test]
    fn refusals_of_the_solver_keep_their_kind() {
        let kind = |e: resolvent::Error| Error::from(e).kind();
        assert_eq!(kind(resolvent::Error::Memory { bytes: 1 }), ErrorKind::Resource);
        assert_eq!(kind(resolvent::Error::Grid { n: [0; 3], why: "" }), ErrorKind::Usage);
        assert_eq!(kind(resolvent::Error::Structure { row: 0, why: "" }), ErrorKind::Input);
    }
}
