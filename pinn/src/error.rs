//! Why a network could not be built or evaluated.

use crate::expression::Mistake;

/// What can go wrong before or while a network is evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A derivative that is not propagated.
    #[error("{what}: {needs}")]
    Derivative {
        /// What was asked for.
        what: String,
        /// What is needed instead.
        needs: &'static str,
    },
    /// A network that cannot exist.
    #[error("network: {what} is {value}; {needs}")]
    Network {
        /// Which of its numbers.
        what: &'static str,
        /// The number.
        value: f64,
        /// What is needed instead.
        needs: &'static str,
    },
    /// An array whose length does not fit.
    #[error("{what} has length {got}, but {expected} is needed")]
    Length {
        /// Which array.
        what: &'static str,
        /// The length that is needed.
        expected: usize,
        /// The length received.
        got: usize,
    },
    /// Text that is no equation.
    #[error("expression: {0}")]
    Expression(#[from] Mistake),
    /// An equation that contradicts itself.
    #[error("equation: {what}; {mend}")]
    Equation {
        /// What is wrong.
        what: String,
        /// How to mend it.
        mend: &'static str,
    },
    /// A training that cannot be.
    #[error("{what}; {mend}")]
    Training {
        /// What is wrong.
        what: String,
        /// How to mend it.
        mend: String,
    },
    /// Text that is no configuration.
    #[error("{}{what}", path.as_ref().map_or(String::new(), |p| format!("{}: ", p.display())))]
    Config {
        /// The file.
        path: Option<std::path::PathBuf>,
        /// What is wrong, and how to mend it.
        what: String,
    },
    /// A name that is not known.
    #[error("there is no {what} `{name}`; {mend}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name.
        name: String,
        /// The nearest known name, or all.
        mend: String,
    },
    /// A number that is not finite, the first of a training.
    #[error("step {step}: the {what} of `{term}` is not finite{}; lower the learning rate, or look for a division by zero in it", layer.as_ref().map_or(String::new(), |l| format!(" at `{l}`")))]
    NotFinite {
        /// The step, from 0.
        step: u64,
        /// Loss, gradient or parameter.
        what: &'static str,
        /// The term of the loss.
        term: String,
        /// The block of parameters, where the loss is finite but its gradient is not.
        layer: Option<String>,
    },
    /// A file that could not be read or written.
    #[error("{}: {source}; check that its folder exists, may be used and has room", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Data that could not be read.
    #[error(transparent)]
    Data(#[from] resolvent_datasets::Error),
    /// Memory that could not be had, or a failure of the solvers' library.
    #[error(transparent)]
    Solver(#[from] resolvent::Error),
    /// A domain, or a shape, or a part of one that cannot be.
    #[error("domain: {what}; {needs}")]
    Domain {
        /// What is wrong.
        what: String,
        /// What is needed instead.
        needs: String,
    },
    /// Text that names no part of a domain.
    #[error("`{text}` is no part of the domain: {what}; {needs}")]
    Part {
        /// The text.
        text: String,
        /// What is wrong.
        what: String,
        /// What is needed instead.
        needs: String,
    },
    /// Points that cannot be drawn.
    #[error("sampling: {what}; {needs}")]
    Sampling {
        /// What is wrong.
        what: String,
        /// What is needed instead.
        needs: String,
    },
}

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// `Ok` when `got == expected`.
pub(crate) fn check_len(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Length { what, expected, got }) }
}

/// The choice meant by `text` if one is near, else all of them.
pub(crate) fn choices<'a>(text: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let nearest = known.clone().map(|k| (strsim::damerau_levenshtein(k, text), k.len(), k)).min();
    match nearest {
        Some((d, _, k)) if d <= 1 + text.len() / 3 => format!("did you mean `{k}`?"),
        None => "none has a name".into(),
        _ => format!("known are {}", known.map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")),
    }
}
