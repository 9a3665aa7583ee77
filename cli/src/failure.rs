//! What a command can fail with, and the exit code that says so.

use resolvent::Status;
use resolvent_benches::folder;
use resolvent_datasets::ErrorKind;
use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Done.
    Done = 0,
    /// The request cannot be met as it was written.
    Usage = 2,
    /// The target was not reached within the budget.
    NotConverged = 3,
    /// The method broke down, or a number is not finite.
    Breakdown = 4,
    /// What was read is not what it should be.
    Input = 5,
    /// A file or memory could not be had.
    Resource = 6,
    /// Stopped by a signal; what was done is kept.
    Interrupted = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

impl Code {
    /// What the end of a solve means to a caller.
    pub fn of(status: Status) -> Self {
        match status {
            Status::Converged => Self::Done,
            Status::Interrupted => Self::Interrupted,
            Status::NotPositiveDefinite { .. }
            | Status::IndefinitePreconditioner { .. }
            | Status::NonFinite
            | Status::Expanding { .. }
            | Status::Inconsistent { .. } => Self::Breakdown,
            _ => Self::NotConverged,
        }
    }

    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Usage => "usage",
            Self::NotConverged => "not_converged",
            Self::Breakdown => "breakdown",
            Self::Input => "bad_input",
            Self::Resource => "resource",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A command that could not be carried out.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// One sentence.
    pub message: String,
}

impl Failure {
    /// The request cannot be met as it was written.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: Code::Usage, message: message.into() }
    }
    /// A file or memory could not be had.
    pub fn resource(message: impl Into<String>) -> Self {
        Self { code: Code::Resource, message: message.into() }
    }
}

impl From<resolvent_datasets::Error> for Failure {
    fn from(e: resolvent_datasets::Error) -> Self {
        let code = match e.kind() {
            ErrorKind::Usage => Code::Usage,
            ErrorKind::Input => Code::Input,
            ErrorKind::Resource => Code::Resource,
        };
        Self { code, message: e.to_string() }
    }
}

impl From<resolvent::Error> for Failure {
    fn from(e: resolvent::Error) -> Self {
        use resolvent::Error as E;
        let code = match e {
            E::Unknown { .. } | E::Parameter { .. } => Code::Usage,
            E::Pivot { .. } => Code::Breakdown,
            E::Memory { .. } | E::Device(_) => Code::Resource,
            _ => Code::Input,
        };
        Self { code, message: e.to_string() }
    }
}

impl From<resolvent_pinn::Error> for Failure {
    fn from(e: resolvent_pinn::Error) -> Self {
        use resolvent_pinn::Error as E;
        let code = match e {
            E::Data(e) => return e.into(),
            E::Solver(e) => return e.into(),
            E::Unknown { .. } => Code::Usage,
            E::NotFinite { .. } => Code::Breakdown,
            E::File { .. } => Code::Resource,
            _ => Code::Input,
        };
        Self { code, message: e.to_string() }
    }
}

impl From<folder::Error> for Failure {
    fn from(e: folder::Error) -> Self {
        let code = if matches!(e, folder::Error::Malformed { .. } | folder::Error::Configuration { .. }) {
            Code::Input
        } else {
            Code::Resource
        };
        Self { code, message: e.to_string() }
    }
}
