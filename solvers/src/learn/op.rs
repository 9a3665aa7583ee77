//! Operations a tape records: one file and one implementation of [`Op`] each.

pub mod activate;
pub mod arithmetic;
pub mod attention;
pub mod columns;
pub mod convolution;
pub mod dense;
pub mod gather;
pub mod incident;
pub mod local;
pub mod loss;
pub mod reduce;
pub mod segment_max;
pub mod segment_softmax;

#[cfg(test)]
mod test;

use super::product::ENTRIES;
use super::tape::Node;
use crate::{Result, Scalar, Shape};
use rayon::prelude::*;
use std::any::Any;

/// A differentiable function of some row-major matrices, whose value is one.
///
/// The value and the reverse derivative are all a tape asks for; what happens between is the operation's own, so a layer, a
/// product with a sparse matrix and the implicit solution of a system are written alike. Operations are recorded again at
/// every step: one should be cheap to make, and keep what is large in its [`Workspace`], which lasts from step to step.
///
/// ```
/// use resolvent::learn::{Inputs, Op, Sinks, Tape, Workspace};
/// use resolvent::{Result, Scalar, Shape};
///
/// /// x².
/// struct Square;
/// impl<T: Scalar> Op<T> for Square {
///     fn name(&self) -> &'static str {
///         "square"
///     }
///     fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
///         if let [x] = inputs { Ok(*x) } else { Err("it takes one operand") }
///     }
///     fn forward(&self, inputs: &Inputs<T>, y: &mut [T], _: &mut Workspace<T>) -> Result<()> {
///         y.iter_mut().zip(inputs.get(0)).for_each(|(y, &x)| *y = x * x);
///         Ok(())
///     }
///     fn backward(
///         &self, inputs: &Inputs<T>, _: &[T], g: &mut [T], _: &mut Workspace<T>, sinks: &mut Sinks<T>,
///     ) -> Result<()> {
///         if let Some(sink) = sinks.get(0) {
///             let terms = g.iter().zip(inputs.get(0)).map(|(&g, &x)| T::of(2.0) * g * x);
///             sink.add(terms);
///         }
///         Ok(())
///     }
/// }
///
/// let mut tape = Tape::<f64>::new();
/// tape.start();
/// let x = tape.variable(&[3.0], 1, 1)?;
/// let y = tape.record(Square, &[x])?;
/// tape.backward(y)?;
/// assert_eq!((tape.value(y)?, tape.gradient(x)?), (&[9.0][..], &[6.0][..]));
/// # Ok::<(), resolvent::Error>(())
/// ```
pub trait Op<T: Scalar>: Any + Send + Sync {
    /// What errors call it.
    fn name(&self) -> &'static str;

    /// The shape of the value for operands of these shapes.
    ///
    /// # Errors
    /// What the operands would have to be; the tape adds the name and the shapes.
    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str>;

    /// Writes the value to all of `output`, whose content is arbitrary before.
    ///
    /// # Errors
    /// Where the value could not be found.
    fn forward(&self, inputs: &Inputs<T>, output: &mut [T], work: &mut Workspace<T>) -> Result<()>;

    /// Adds to the gradients of the operands what `gradient`, that of the value, makes of them. `gradient` may be
    /// overwritten.
    ///
    /// # Errors
    /// Where the derivative could not be found.
    fn backward(
        &self,
        inputs: &Inputs<T>,
        output: &[T],
        gradient: &mut [T],
        work: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()>;
}

/// Memory of a recorded operation, which lasts as long as the tape; lengths and contents are the operation's own.
#[derive(Debug, Default)]
pub struct Workspace<T> {
    /// For what `backward` needs of `forward`, or the next step of this one.
    pub kept: Vec<T>,
    /// For anything else.
    pub scratch: Vec<T>,
}

/// The operands of an operation.
pub struct Inputs<'a, T: Scalar> {
    pub(super) values: &'a [T],
    pub(super) nodes: &'a [Node<T>],
    pub(super) edges: &'a [u32],
}

impl<'a, T: Scalar> Inputs<'a, T> {
    fn node(&self, i: usize) -> &'a Node<T> {
        &self.nodes[self.edges[i] as usize]
    }
    /// Their number.
    pub fn len(&self) -> usize {
        self.edges.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }
    /// Operand `i`, by rows.
    pub fn get(&self, i: usize) -> &'a [T] {
        &self.values[self.node(i).place()]
    }
    /// The shape of operand `i`.
    pub fn shape(&self, i: usize) -> Shape {
        self.node(i).shape
    }
    /// Whether a gradient with respect to operand `i` is asked for.
    pub fn needs_gradient(&self, i: usize) -> bool {
        self.node(i).needs
    }
    /// Whether a gradient with respect to any operand is asked for.
    pub fn any_needs_gradient(&self) -> bool {
        (0..self.len()).any(|i| self.needs_gradient(i))
    }
}

/// The gradients of the operands of an operation, one at a time.
pub struct Sinks<'a, T: Scalar> {
    pub(super) gradients: &'a mut [T],
    pub(super) nodes: &'a [Node<T>],
    pub(super) fresh: &'a mut [bool],
    pub(super) edges: &'a [u32],
}

impl<T: Scalar> Sinks<'_, T> {
    /// The gradient with respect to operand `i`; `None` when nobody asks for it. Whoever takes it must fill or add.
    pub fn get(&mut self, i: usize) -> Option<Sink<'_, T>> {
        let number = self.edges[i] as usize;
        let node = &self.nodes[number];
        if !node.needs {
            return None;
        }
        let fresh = std::mem::replace(&mut self.fresh[number], false);
        Some(Sink { gradient: &mut self.gradients[node.place()], fresh })
    }
}

/// The gradient with respect to one operand.
pub struct Sink<'a, T> {
    /// The gradient so far, by rows.
    pub gradient: &'a mut [T],
    /// Nothing was added yet, and what `gradient` holds is arbitrary: write, do not add.
    pub fresh: bool,
}

impl<'a, T: Scalar> Sink<'a, T> {
    /// Adds the terms, one for each entry.
    #[inline]
    pub fn add(self, terms: impl Iterator<Item = T>) {
        if self.fresh {
            self.gradient.iter_mut().zip(terms).for_each(|(s, t)| *s = t);
        } else {
            self.gradient.iter_mut().zip(terms).for_each(|(s, t)| *s += t);
        }
    }

    /// Adds `a` x, which has as many entries, by all threads.
    pub fn add_scaled(self, a: T, x: &[T]) {
        let fresh = self.fresh;
        self.gradient.par_chunks_mut(ENTRIES).zip(x.par_chunks(ENTRIES)).for_each(|(s, x)| {
            if fresh {
                s.iter_mut().zip(x).for_each(|(s, &x)| *s = a * x);
            } else {
                s.iter_mut().zip(x).for_each(|(s, &x)| *s += a * x);
            }
        });
    }

    /// The gradient so far, zeros when it is fresh, for an operation that adds to some entries only.
    pub fn zeroed(self) -> &'a mut [T] {
        if self.fresh {
            self.gradient.fill(T::of(0.0));
        }
        self.gradient
    }
}
