//! What is asked of the worker and what it answers, as they go over the socket.

use serde::{Deserialize, Serialize};

/// One thing the library is asked for. Paths have no `/` in front; the root group is the empty path.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Opens the file. The first request, and sent once.
    Open { path: std::path::PathBuf },
    /// What a path leads to, if it leads anywhere.
    Find { path: String },
    /// The links of a group.
    Members { group: String },
    /// The names of the attributes of an object.
    AttributeNames { object: String },
    /// One attribute.
    Attribute { object: String, name: String },
    /// What a dataset is.
    Dataset { path: String },
    /// Where the chunks of a dataset lie.
    Chunks { path: String },
    /// Numbers of a box of a dataset, put into the given half of the window.
    Numbers { path: String, start: Vec<u64>, count: Vec<u64>, number: Kind, half: usize },
    /// Strings of a box of a dataset.
    Texts { path: String, start: Vec<u64>, count: Vec<u64> },
}

impl Request {
    /// What messages call the place it asks about.
    pub fn place(&self) -> String {
        let object = |path: &str| match path {
            "" => "the root group".to_owned(),
            path => format!("`{path}`"),
        };
        match self {
            Self::Open { .. } => "the superblock".into(),
            Self::Find { path } | Self::Members { group: path } => object(path),
            Self::AttributeNames { object: path } => format!("the attributes of {}", object(path)),
            Self::Attribute { object: path, name } if path.is_empty() => format!("attribute `{name}`"),
            Self::Attribute { object: path, name } => format!("attribute `{name}` of `{path}`"),
            Self::Dataset { path }
            | Self::Chunks { path }
            | Self::Numbers { path, .. }
            | Self::Texts { path, .. } => format!("dataset `{path}`"),
        }
    }

    /// Whether it moves data, whose amount the caller bounds.
    pub fn moves_data(&self) -> bool {
        matches!(self, Self::Numbers { .. } | Self::Texts { .. })
    }
}

/// An answer, or what is wrong.
pub(super) type Reply = Result<Answer, Refusal>;

/// What the library found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Opened,
    Found(Option<MemberKind>),
    Members(Vec<Member>),
    Names(Vec<String>),
    Attribute(Option<RawAttribute>),
    Dataset(Layout),
    /// The byte of the file where each chunk starts, in row-major order of the grid they make.
    Chunks(Vec<u64>),
    /// So many bytes are in the window.
    Numbers(usize),
    Texts(Vec<String>),
}

/// What is wrong with a part of a file, and the mend.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    /// Where, when it is not the place that was asked about.
    pub place: Option<String>,
    pub what: String,
    pub mend: String,
}

/// A link of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name in the group.
    pub name: String,
    /// What it leads to.
    pub kind: MemberKind,
    /// Where the object lies in the file; the same for two links to one object. 0 for a link elsewhere.
    pub address: u64,
}

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MemberKind {
    /// A group.
    Group,
    /// A dataset.
    Dataset,
    /// A link to a path of this file or of another one; never followed.
    Link,
    /// A named type, or an object whose header is damaged.
    Other,
}

/// The type of the numbers or strings in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Type {
    /// Signed integers of so many bytes.
    Integer(usize),
    /// Unsigned integers of so many bytes.
    Unsigned(usize),
    /// Floats of so many bytes.
    Float(usize),
    /// Truth values in a byte, as h5py stores them; read as 0 and 1.
    Boolean,
    /// Strings; the text says of which kind.
    Text(String),
    /// Anything else: compounds, references, …; the text says which.
    Other(String),
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Integer(bytes) => write!(f, "int{}", 8 * bytes),
            Self::Unsigned(bytes) => write!(f, "uint{}", 8 * bytes),
            Self::Float(bytes) => write!(f, "float{}", 8 * bytes),
            Self::Boolean => f.write_str("bool"),
            Self::Text(kind) | Self::Other(kind) => f.write_str(kind),
        }
    }
}

impl Type {
    /// Whether it reads as integers or floats.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Unsigned(_) | Self::Float(_))
    }
}

/// How a dataset lies in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Layout {
    pub shape: Vec<u64>,
    pub kind: Type,
    /// Bytes of one entry in the file.
    pub size: u64,
    /// The type as this machine has it, when it is the one in the file to the bit.
    pub native: Option<Kind>,
    /// Of chunked data.
    pub chunk: Option<Vec<u64>>,
    /// The names of the filters, in their order.
    pub filters: Vec<String>,
    /// The first filter that is not one of gzip, shuffle, LZF and Fletcher32.
    pub unknown: Option<String>,
    pub is_virtual: bool,
    pub is_external: bool,
    /// Bytes stored for it.
    pub stored: u64,
    /// Where contiguous data start.
    pub offset: Option<u64>,
}

/// An attribute whose floats are bits, since text has no NaN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RawAttribute {
    pub shape: Vec<usize>,
    pub kind: Type,
    pub value: RawValue,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum RawValue {
    Integers(Vec<i64>),
    Floats(Vec<u64>),
    Booleans(Vec<bool>),
    Texts(Vec<String>),
    Other,
}

/// The numbers of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u64`
    U64,
    /// `i32`
    I32,
    /// `i64`
    I64,
}

impl Kind {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::F32 | Self::I32 => 4,
            Self::F64 | Self::U64 | Self::I64 => 8,
        }
    }
}
