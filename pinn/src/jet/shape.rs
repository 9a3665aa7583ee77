//! Sets of streams that are worked on in registers: the value, first derivatives, and combinations of second ones.

use crate::simd::{Real, Vector};
use crate::streams::Streams;

/// The number of first derivatives and of second-order streams, when there is nothing else.
pub(crate) fn second_order(streams: &Streams) -> (usize, usize) {
    if streams.order() > 2 {
        return (usize::MAX, 0);
    }
    let linear = streams.parts().iter().filter(|p| p.is_empty()).count() - 1;
    let firsts = if streams.order() == 0 { 0 } else { linear };
    (firsts, streams.count() - 1 - firsts)
}

/// The coefficients of the quadratic forms that the second-order streams add, by stream and pair a ≤ b of first derivatives.
#[inline(always)]
pub(crate) fn forms<T: Real, V: Vector<T>, const F: usize, const S: usize>(
    streams: &Streams,
) -> [[[V; F]; F]; S] {
    let mut forms = [[[V::splat(T::of(0.0)); F]; F]; S];
    for s in 0..S {
        for part in &streams.parts()[1 + F + s] {
            forms[s][part.factors[0] - 1][part.factors[1] - 1] = V::splat(T::of(part.coefficient));
        }
    }
    forms
}

/// The loop for a number of first derivatives and one of second-order streams, compiled for each that is usual.
macro_rules! loops {
    ($self:ident, $shape:expr, $a:expr, $b:expr) => {
        loops!($self, $shape, $a, $b; 0 0, 1 0, 1 1, 2 0, 2 1, 2 2, 2 3, 3 0, 3 1)
    };
    ($self:ident, $shape:expr, $a:expr, $b:expr; $($firsts:literal $seconds:literal),*) => {
        match $shape {
            $(($firsts, $seconds) => $self.second::<V, $firsts, $seconds>($a, $b),)*
            _ => $self.any::<V>($a, $b),
        }
    };
}

pub(crate) use loops;
