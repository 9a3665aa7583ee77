//! Why something could not run at all. Not converging is no error: it is a [`Status`](crate::Status).

/// What can go wrong before or while an operator or a solver runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A vector whose length does not fit the operator or the workspace.
    #[error("{what} has length {got}, but {expected} is needed; allocate it with the operator's shape")]
    Length {
        /// Which vector.
        what: &'static str,
        /// The length the operator asks for.
        expected: usize,
        /// The length received.
        got: usize,
    },
    /// Operators whose shapes do not compose.
    #[error("{what}: shapes {left} and {right} do not compose")]
    Shape {
        /// Which composition.
        what: &'static str,
        /// Shape of the left operand, `rows × cols`.
        left: crate::Shape,
        /// Shape of the right operand.
        right: crate::Shape,
    },
    /// A method asked of an operator that does not claim what the method needs.
    #[error("{method} needs an operator that is {needs}; if you know that this one is, say so with `Assume`")]
    Property {
        /// The method that asked.
        method: &'static str,
        /// What it asked for.
        needs: &'static str,
    },
    /// A method chosen by name that does not fit the matrix.
    #[error("{what} needs {needs}; {mend}")]
    Unsuited {
        /// What was chosen.
        what: &'static str,
        /// What it needs.
        needs: &'static str,
        /// What to do about it.
        mend: &'static str,
    },
    /// A name that stands for nothing here.
    #[error("unknown {what} `{name}`; known are {known}")]
    Unknown {
        /// What was looked up.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// All known ones.
        known: String,
    },
    /// The operator has no transpose product.
    #[error("{0} cannot apply its transpose; use a method that does not need it, or a matrix that stores it")]
    NoTranspose(&'static str),
    /// A grid that cannot exist: no cells, or more than an index can count.
    #[error("grid {n:?}: {why}")]
    Grid {
        /// Cells along x, y, z as asked for.
        n: [usize; 3],
        /// What is wrong with them.
        why: &'static str,
    },
    /// A compressed row structure that is not one.
    #[error("CSR matrix, row {row}: {why}")]
    Structure {
        /// The first row at fault.
        row: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// A coefficient that is not a finite number, or has the wrong sign.
    #[error("{what}: entry {index} is {value}; {needs}")]
    Value {
        /// Which array.
        what: &'static str,
        /// Its first index at fault.
        index: usize,
        /// The value there.
        value: f64,
        /// What is needed instead.
        needs: &'static str,
    },
    /// A parameter outside its range.
    #[error("{name} = {value}: {needs}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// The value received.
        value: f64,
        /// What is needed instead.
        needs: &'static str,
    },
    /// A factorisation met a pivot that is not positive.
    #[error(
        "{what} broke down in row {row}, counted from 0: pivot {pivot:e}; the matrix is not positive definite there"
    )]
    Pivot {
        /// Which factorisation.
        what: &'static str,
        /// The row of the pivot.
        row: usize,
        /// Its value.
        pivot: f64,
    },
    /// A factorisation of a matrix that has no inverse, as far as its pivoting can tell.
    #[error(
        "{what} found the matrix singular near row {row}, counted from 0; look for a row that is empty or repeats others, or take the least-squares solution of `Lsqr` or `Minres`"
    )]
    Singular {
        /// Which factorisation.
        what: &'static str,
        /// A row whose solution is not determined.
        row: usize,
    },
    /// A matrix that has no inverse whatever the values of its entries.
    #[error(
        "the matrix is structurally singular: its rank is at most {rank} of {size}, since {}; mend those rows, or take the least-squares solution of `Lsqr`",
        too_many(rows)
    )]
    StructuralRank {
        /// The most pivots that its pattern allows.
        rank: usize,
        /// Its number of rows or columns, whichever is larger.
        size: usize,
        /// The rows that together have entries in fewer columns than they are.
        rows: Vec<usize>,
    },
    /// Operands of a recorded operation that do not fit.
    #[error("{operation} of shapes [{shapes}]: {needs}")]
    Operands {
        /// Which operation.
        operation: &'static str,
        /// The shapes it was given.
        shapes: String,
        /// What is needed instead.
        needs: &'static str,
    },
    /// A parameter that cannot be.
    #[error("parameter `{name}`: {why}")]
    Layout {
        /// Its name.
        name: String,
        /// What is wrong, and what to do about it.
        why: &'static str,
    },
    /// A checkpoint that cannot be used.
    #[error("checkpoint {}: {why}", path.display())]
    Checkpoint {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong, and what to do about it.
        why: String,
    },
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// An iteration inside an operation that left the numbers.
    #[error("{what} does not come to rest (its last change is {growth:e}); it needs {needs}")]
    Diverged {
        /// Of what.
        what: &'static str,
        /// The last change.
        growth: f64,
        /// What would keep it bounded.
        needs: &'static str,
    },
    /// A GPU that cannot be used, or work on it that failed.
    #[error(transparent)]
    Device(#[from] resolvent_ptx::Error),
    /// Memory that could not be had.
    #[error("cannot allocate {bytes} bytes; use a smaller problem or a machine with more memory")]
    Memory {
        /// How many bytes were asked for.
        bytes: usize,
    },
}

/// Names the first few rows, counted from 0.
pub(crate) fn too_many(rows: &[usize]) -> String {
    const SHOWN: usize = 8;
    match rows {
        [] => "it has more columns than rows".into(),
        [row] => format!("row {row}, counted from 0, is empty"),
        _ => {
            let names: Vec<String> = rows.iter().take(SHOWN).map(usize::to_string).collect();
            let more =
                if rows.len() > SHOWN { format!(" and {} more", rows.len() - SHOWN) } else { String::new() };
            format!(
                "rows {}{more}, counted from 0, have entries in fewer columns than they are",
                names.join(", ")
            )
        }
    }
}

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// `Ok` when `got == expected`.
///
/// # Errors
/// [`Error::Length`] otherwise.
#[inline]
pub fn check_len(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Length { what, expected, got }) }
}
