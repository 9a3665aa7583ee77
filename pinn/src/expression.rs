//! Equations as text: `u_t + u*u_x - nu*u_xx`.
//!
//! A [`Scope`] knows the names: coordinates, unknowns, parameters, definitions and exact solutions. It reads text once into
//! a graph of operations in which what is equal is one, differentiates it symbolically, and makes of it either a
//! [`Formula`], a [`Residual`](crate::Residual) of a network, or a [`Function`] of the coordinates alone. Both run over blocks
//! of points.
//!
//! # The language
//!
//! | what | how |
//! |:--|:--|
//! | numbers, π | `2`, `0.5`, `1e-3`, `pi` |
//! | operations, by rising precedence | `+ -`, `* /`, `-x`, `x^y` (to the right) |
//! | functions | `sin cos tan asin acos atan sinh cosh tanh exp log sqrt abs sign`, `atan2(y, x)`, `min(…)`, `max(…)` |
//! | pieces | `where(x < 0.5 and not t > 1, a, b)`, conditions of `< <= > >= and or not` |
//! | derivatives of an unknown | `u_x`, `u_xx`, `u_xy`, up to order 4; `exact_u_x` of an exact solution |
//! | definitions | `q(x, y)` as defined, in any number of arguments |
//!
//! Text is at most 10,000 characters, nests at most 100 deep and grows to at most 100,000 operations.
//!
//! ```
//! use resolvent_pinn::expression::Scope;
//! let mut scope = Scope::new(&["x", "y"], &["u"])?;
//! scope.parameter("k", 1.0)?;
//! scope.define("q(x, y)", "(k^2 - 17*pi^2) * sin(pi*x) * sin(4*pi*y)")?;
//! scope.exact("u", "sin(pi*x) * sin(4*pi*y)")?;
//! let helmholtz = scope.formula(&["u_xx + u_yy + k^2*u - q(x, y)"])?;
//! // The second derivatives occur as one sum, so they are one stream: u, u_x, u_y, u_xx + u_yy.
//! assert_eq!(resolvent_pinn::Residual::<f64>::streams(&helmholtz).count(), 4);
//! let wrong = scope.formula(&["u_xx + sinn(x)"]).unwrap_err();
//! assert!(wrong.to_string().contains("did you mean `sin`?"));
//! # Ok::<(), resolvent_pinn::Error>(())
//! ```

mod differentiate;
mod formula;
mod function;
mod graph;
mod parse;
mod program;
mod read;
mod scope;
#[cfg(test)]
mod tests;
mod token;

pub use formula::Formula;
pub use function::Function;
pub use scope::Scope;

/// Where text is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {mend}\n  {text}\n  {blank:>width$}^", blank = "", width = at)]
pub struct Mistake {
    /// The text.
    pub text: String,
    /// The character the mistake is at, from 0.
    pub at: usize,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

/// A mistake before it is known in which text.
#[derive(Debug)]
struct Fault {
    at: usize,
    what: String,
    mend: String,
}

impl Fault {
    fn new(at: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { at, what: what.into(), mend: mend.into() }
    }

    fn within(self, text: &str) -> Mistake {
        Mistake { text: text.into(), at: self.at, what: self.what, mend: self.mend }
    }
}
