//! Operators made of operators. A part may be owned or borrowed: `&A` is an operator wherever `A` is.
//!
//! Each states which of its parts' properties survive, and claims no more. What only the caller can know is said with
//! [`Assume`]. Those that need a vector in between allocate it in `new` and lock it while they are applied.

pub mod assume;
pub mod cast;
pub mod constants;
pub mod equilibration;
pub mod gram;
pub mod identity;
pub mod null_space;
pub mod product;
pub mod shift;
pub mod sum;
pub mod transpose;

pub use assume::Assume;
pub use cast::Cast;
pub use constants::Constants;
pub use equilibration::{Equilibrated, Equilibration};
pub use gram::Gram;
pub use identity::{Identity, IdentityMinus};
pub use null_space::NullSpace;
pub use product::Product;
pub use shift::{Scaled, Shifted};
pub use sum::Sum;
pub use transpose::Transpose;

use crate::{Error, Result};

/// A coefficient that must be a number.
fn finite(name: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::Parameter { name, value, needs: "a finite number is needed" })
    }
}

/// Room for the vectors between parts, made once and locked while in use.
pub(crate) type Room<S> = std::sync::Mutex<<S as crate::Space>::Buf>;

/// The vector in a room; one who panicked while holding it left numbers that nobody reads.
pub(crate) fn enter<T>(room: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    room.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
