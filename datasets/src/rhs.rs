//! Kinds of right-hand side.

use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// What stands on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RhsKind {
    /// Independent normals, one for each unknown; mean-free when the operator is singular.
    Noise,
    /// h² times (exp(−30 |x − c|²) + 0.3 sin 2πx cos πy)(1 + z) with c = (0.35, 0.55, 0.45), z = 0 in 2-D; mean-free when
    /// the operator is singular.
    Smooth,
    /// What a stated solution leads to.
    Manufactured,
    /// −h² times the divergence of a seeded curl noise, with the solids' own velocity on their faces.
    Flow,
}

impl RhsKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Noise, Self::Smooth, Self::Manufactured, Self::Flow];

    /// Its name, as [`FromStr`] takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Smooth => "smooth",
            Self::Manufactured => "manufactured",
            Self::Flow => "flow",
        }
    }
}

impl fmt::Display for RhsKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RhsKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| Error::unknown("kind of right-hand side", name, &Self::ALL.map(Self::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_refused() {
        for kind in RhsKind::ALL {
            assert_eq!(kind.name().parse::<RhsKind>().unwrap(), kind);
        }
        let e = "nois".parse::<RhsKind>().unwrap_err();
        assert_eq!(
            e.to_string(),
            "unknown kind of right-hand side `nois`: did you mean `noise`? Known are noise, smooth, manufactured, flow"
        );
    }
}
