//! Equations known by name: what `resolvent train NAME` trains and `equation.name` in a configuration takes up.
//!
//! One row for each: a text with the equation, its domain, its conditions, and a way of training that has been tried.

use crate::{Error, Result};

/// An equation known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// The configuration that trains it.
    pub toml: &'static str,
}

macro_rules! entries {
    ($($name:literal: $summary:literal),+ $(,)?) => {
        &[$(Entry { name: $name, summary: $summary, toml: include_str!(concat!("registry/", $name, ".toml")) }),+]
    };
}

static ENTRIES: &[Entry] = entries! {
    "advection": "u_t + c u_x = 0, a wave that keeps its shape",
    "heat": "u_t = α u_xx with a decaying mode",
    "helmholtz": "Δu + k²u = q on a square, two scales in one solution",
    "klein-gordon": "u_tt − u_xx + u³ = f, oscillating in time",
    "poisson-1d": "u_xx = f on an interval",
    "poisson-2d": "Δu = f on a square",
    "wave": "u_tt = c² u_xx, standing waves",
};

/// Every entry, by name.
pub fn all() -> &'static [Entry] {
    ENTRIES
}

/// The entry of a name.
///
/// ```
/// use resolvent_pinn::registry;
/// assert!(registry::find("helmholtz")?.toml.contains("u_xx"));
/// assert!(registry::find("helmholz").unwrap_err().to_string().contains("did you mean `helmholtz`?"));
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unknown`], with the nearest name.
pub fn find(name: &str) -> Result<&'static Entry> {
    ENTRIES.iter().find(|e| e.name == name).ok_or_else(|| Error::Unknown {
        what: "equation",
        name: name.into(),
        mend: crate::error::choices(name, ENTRIES.iter().map(|e| e.name)),
    })
}
