//! HDF5 files from anywhere, read without trust.
//!
//! A file may be built to crash the library that reads it. A [`Source`] is read through a process of its own, a fork of
//! this one that owns the file, whose memory, computing time and files are limited; when it dies, the caller gets an
//! error that names the file, the place and the mend. Links out of a group's own members, virtual datasets, data in other
//! files, plugins and unknown filters are refused; what a dataset claims is checked against the length of the file
//! before anything is read. `docs/hostile-files.md` has the decision, the limits and how it is tested.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("field.h5");
//! # let file = hdf5::File::create(&path)?;
//! # file.new_dataset::<f32>().shape([2, 2]).create("u")?.write_raw(&[1.0f32, 2.0, 3.0, 4.0])?;
//! # drop(file);
//! use resolvent_datasets::foreign::Source;
//! let source = Source::open(&path)?;
//! let u = source.dataset("u")?.ok_or("there is no u")?;
//! assert_eq!(u.shape(), [2, 2]);
//! let mut column = [0.0f64; 2];
//! u.read(&[0..2, 1..2], &mut column)?;
//! assert_eq!(column, [2.0, 4.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunks;
mod dataset;
mod library;
mod limits;
mod message;
mod region;
mod source;
mod text;
mod warm;
mod worker;

pub use dataset::{Dataset, Number};
pub(crate) use library::reason;
pub use message::{Kind, Member, MemberKind, Type};
pub use source::Source;

/// An attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its sides; empty for a single value.
    pub shape: Vec<usize>,
    /// Its values, in row-major order.
    pub value: Value,
}

/// The values of an attribute.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Integers of any width; what does not fit is clipped.
    Integers(Vec<i64>),
    /// Floats of any width.
    Floats(Vec<f64>),
    /// Truth values.
    Booleans(Vec<bool>),
    /// Strings.
    Texts(Vec<String>),
    /// Something else, or nothing: the name of its type.
    Other(String),
}
