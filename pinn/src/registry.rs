//! Equations known by name.

use crate::{Error, Result};

/// An equation known by name.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// Its configuration.
    pub toml: &'static str,
}

/// The entry of a name.
pub fn find(name: &str) -> Result<&'static Entry> {
    Err(Error::Unknown { what: "equation", name: name.into(), mend: String::new() })
}

/// All entries.
pub fn all() -> &'static [Entry] {
    &[]
}
