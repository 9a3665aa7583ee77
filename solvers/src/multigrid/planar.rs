//! Variational multigrid for 2-D operators with rough coefficients.
//!
//! J. E. Dendy, *Black box multigrid*, J. Comput. Phys. 48 (1982), 366–386, 10.1016/0021-9991(82)90057-2: every other point
//! in both dimensions is coarse, interpolation follows the operator's own couplings, coarse operators are Galerkin
//! products PᵀAP with 9 points. Steps do not grow with jumps or size. Smoothing is Gauss–Seidel in two colours on the
//! finest level and four on the others, so the cycle is symmetric when the second sweep runs backwards.

pub(crate) mod cycle;
pub(crate) mod galerkin;
pub(crate) mod interpolation;
pub(crate) mod operator;
