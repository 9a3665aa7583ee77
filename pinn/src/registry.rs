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
    "allen-cahn": "u_t = ν u_xx − a (u³ − u), fronts that sharpen",
    "biharmonic": "Δ²u = q, a clamped plate",
    "burgers": "u_t + u u_x = ν u_xx, a shock at ν = 0.01/π",
    "burgers-inverse": "the viscosity of Burgers' equation from a front",
    "cavity": "Navier–Stokes under a moving lid, velocity and pressure, Re 100",
    "cavity-streamfunction": "Navier–Stokes under a moving lid, streamfunction and pressure, Re 100",
    "conductivity": "a of div(a grad u) + f = 0 from u",
    "darcy": "div(a grad u) + f = 0 in a medium that varies",
    "gray-scott": "two species that diffuse and react",
    "heat": "u_t = α u_xx with a decaying mode",
    "heat-inverse": "the diffusivity of the heat equation from its solution",
    "helmholtz": "Δu + k²u = q on a square, two scales in one solution",
    "kdv": "u_t + u u_x + c u_xxx = 0, a wave that breaks into solitons",
    "klein-gordon": "u_tt − u_xx + u³ = f, oscillating in time",
    "kuramoto-sivashinsky": "u_t + u u_x + u_xx + u_xxxx = 0, before chaos",
    "poisson-10d": "Δu = 0 in ten dimensions",
    "poisson-1d": "u_xx = f on an interval",
    "poisson-2d": "Δu = f on a square",
    "poisson-5d": "Δu = f in five dimensions",
    "taylor-green": "Navier–Stokes, a vortex that decays, velocity and pressure",
    "taylor-green-streamfunction": "Navier–Stokes, a vortex that decays, by its streamfunction alone",
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
