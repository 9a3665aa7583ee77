//! Operators made of operators. A part may be owned or borrowed: `&A` is an operator wherever `A` is.
//!
//! Each states which of its parts' properties survive, and claims no more. What only the caller can know is said with
//! [`Assume`]. Those that need a vector in between allocate it in `new` and lock it while they are applied.

pub mod assume;
pub mod cast;
pub mod gram;
pub mod identity;
pub mod product;
pub mod shift;
pub mod sum;
pub mod transpose;

pub use assume::Assume;
pub use cast::Cast;
pub use gram::Gram;
pub use identity::{Identity, IdentityMinus};
pub use product::Product;
pub use shift::{Scaled, Shifted};
pub use sum::Sum;
pub use transpose::Transpose;

use crate::{Error, Result};

/// A coefficient that must be a number.
fn finite(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(Error::Parameter { name, value, needs: "a finite number is needed" }) }
}
