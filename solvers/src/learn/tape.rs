//! A record of operations that is run backwards for the gradient.

use super::op::{Inputs, Op, Sinks, Workspace};
use super::parameters::{ParameterId, Parameters};
use crate::error::check_len;
use crate::{Buffer, Error, Result, Scalar, Shape};
use std::any::Any;
use std::ops::Range;

/// A value on a tape, good until the tape starts again.
#[derive(Clone, Copy, Debug)]
pub struct Var {
    node: u32,
    step: u32,
}

/// A value, and the operation that makes it; `None` for what is given.
pub(super) struct Node<T: Scalar> {
    op: Option<Box<dyn Op<T>>>,
    pub(super) shape: Shape,
    first: usize,
    edges: Range<usize>,
    pub(super) needs: bool,
    work: Workspace<T>,
}

impl<T: Scalar> Node<T> {
    pub(super) fn place(&self) -> Range<usize> {
        self.first..self.first + self.shape.rows * self.shape.cols
    }
}

/// Reverse-mode differentiation of coarse operations on row-major matrices.
///
/// Operations run when they are recorded. [`backward`](Self::backward) then finds the gradient of a single number with respect
/// to all parameters and variables. Values and gradients lie in two vectors that keep their size from step to step, and an
/// operation that replaces one of its own kind takes over its memory: a step that records what the last one did allocates
/// nothing.
///
/// ```
/// use resolvent::learn::{Activation, Initializer, Parameters, Tape};
/// let mut parameters = Parameters::<f64>::new(7);
/// let layer = parameters.linear("layer", 2, 1, Initializer::GlorotNormal)?;
/// let mut tape = Tape::new();
/// tape.start_with(&parameters)?;
/// let x = tape.input(&[0.0, 1.0, 1.0, 0.0], 2, 2)?;
/// let y = tape.layer(&parameters, layer, x, Activation::Tanh)?;
/// let loss = tape.mean_square(y)?;
/// tape.backward(loss)?;
/// let step = tape.parameter_gradient().to_vec();
/// parameters.axpy(-0.1, &step)?;
/// # Ok::<(), resolvent::Error>(())
/// ```
pub struct Tape<T: Scalar> {
    values: Arena<T>,
    gradients: Arena<T>,
    nodes: Vec<Node<T>>,
    fresh: Vec<bool>,
    edges: Vec<u32>,
    shapes: Vec<Shape>,
    /// Nodes of this step; those behind it wait with their memory to be replaced.
    used: usize,
    /// Entries of the arena in use; the parameters are the first.
    end: usize,
    parameters: usize,
    differentiates: bool,
    /// Whether gradients of parameters are added to those there are.
    adds: bool,
    step: u32,
}

impl<T: Scalar> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Scalar> Tape<T> {
    /// An empty tape.
    pub fn new() -> Self {
        Self {
            values: Arena::default(),
            gradients: Arena::default(),
            nodes: vec![],
            fresh: vec![],
            edges: vec![],
            shapes: vec![],
            used: 0,
            end: 0,
            parameters: 0,
            differentiates: true,
            adds: false,
            step: 0,
        }
    }

    /// Begins a step without parameters; values of the last step are gone.
    pub fn start(&mut self) {
        (self.used, self.end, self.parameters, self.differentiates, self.adds) = (0, 0, 0, true, false);
        self.step = self.step.wrapping_add(1);
        self.edges.clear();
    }

    /// Begins a step with the present values of the parameters, which are copied.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn start_with(&mut self, parameters: &Parameters<T>) -> Result<()> {
        self.start();
        let n = parameters.len();
        self.values.reach(n)?;
        self.values.slice_mut()[..n].copy_from_slice(parameters.values());
        (self.parameters, self.end) = (n, aligned::<T>(n));
        Ok(())
    }

    /// Begins another part of a step that [`start_with`](Self::start_with) began, after the gradient of the last part: the parameters are as
    /// they were, and the gradient by them that [`backward`](Self::backward) finds is added to what there is.
    ///
    /// # Errors
    /// [`Error::Operands`] where there is no gradient to add to.
    ///
    /// ```
    /// use resolvent::learn::{Initializer, Parameters, Tape};
    /// let mut parameters = Parameters::<f64>::new(7);
    /// let layer = parameters.linear("layer", 1, 1, Initializer::GlorotNormal)?;
    /// let mut tape = Tape::new();
    /// tape.start_with(&parameters)?;
    /// for part in 0..3 {
    ///     if part > 0 {
    ///         tape.go_on()?;
    ///     }
    ///     let bias = tape.parameter(&parameters, layer.bias)?;
    ///     tape.backward(bias)?;
    /// }
    /// assert_eq!(tape.parameter_gradient(), [0.0, 3.0]);
    /// # Ok::<(), resolvent::Error>(())
    /// ```
    pub fn go_on(&mut self) -> Result<()> {
        if !self.differentiates || self.gradients.slice().len() < self.parameters {
            return Err(operands("another part", &[], "find the gradient of the part before first"));
        }
        let parameters = self.parameters;
        self.start();
        (self.parameters, self.end, self.adds) = (parameters, aligned::<T>(parameters), true);
        Ok(())
    }

    /// As [`start_with`](Self::start_with), for values alone: what only a gradient needs is not kept.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn evaluate_with(&mut self, parameters: &Parameters<T>) -> Result<()> {
        self.start_with(parameters)?;
        self.differentiates = false;
        Ok(())
    }

    /// A matrix, by rows, whose gradient nobody needs.
    ///
    /// # Errors
    /// [`Error::Length`]; [`Error::Memory`].
    pub fn input(&mut self, data: &[T], rows: usize, cols: usize) -> Result<Var> {
        self.given(data, Shape { rows, cols }, false)
    }

    /// A matrix, by rows, whose gradient is found.
    ///
    /// # Errors
    /// As [`input`](Self::input).
    pub fn variable(&mut self, data: &[T], rows: usize, cols: usize) -> Result<Var> {
        self.given(data, Shape { rows, cols }, true)
    }

    fn given(&mut self, data: &[T], shape: Shape, needs: bool) -> Result<Var> {
        check_len("a matrix put on the tape", size("input", shape)?, data.len())?;
        let first = self.claim(data.len())?;
        self.values.slice_mut()[first..first + data.len()].copy_from_slice(data);
        Ok(self.push(None::<Nothing>, shape, first, needs && self.differentiates, 0))
    }

    /// A parameter as a matrix: a vector is a row, a number is 1 × 1, and more than two axes become the rows.
    ///
    /// # Errors
    /// [`Error::Length`] when the step was not started with these parameters.
    pub fn parameter(&mut self, parameters: &Parameters<T>, id: ParameterId) -> Result<Var> {
        check_len("the tape's parameters", parameters.len(), self.parameters)?;
        let parameter = parameters.describe(id);
        let (cols, rows) = parameter.shape().split_last().map_or((1, &[][..]), |(c, rows)| (*c, rows));
        let shape = Shape { rows: rows.iter().product(), cols };
        Ok(self.push(None::<Nothing>, shape, parameter.range().start, self.differentiates, 0))
    }

    /// Some rows of a parameter that is a matrix, as [`parameter`](Self::parameter) has it.
    ///
    /// # Errors
    /// As [`parameter`](Self::parameter); [`Error::Operands`] for rows that it does not have.
    pub fn parameter_rows(
        &mut self,
        parameters: &Parameters<T>,
        id: ParameterId,
        rows: Range<usize>,
    ) -> Result<Var> {
        let whole = self.parameter(parameters, id)?;
        let node = &mut self.nodes[whole.node as usize];
        if rows.start > rows.end || rows.end > node.shape.rows {
            return Err(operands("parameter rows", &[node.shape], "it does not have these rows"));
        }
        node.first += rows.start * node.shape.cols;
        node.shape.rows = rows.len();
        Ok(whole)
    }

    /// Runs an operation and records it.
    ///
    /// # Errors
    /// [`Error::Operands`] for shapes that do not fit or a value of an earlier step; [`Error::Memory`]; the operation's own.
    pub fn record<O: Op<T>>(&mut self, op: O, inputs: &[Var]) -> Result<Var> {
        self.shapes.clear();
        let mut needs = false;
        for var in inputs {
            let node = &self.nodes[self.node(op.name(), *var)?];
            self.shapes.push(node.shape);
            needs |= node.needs;
        }
        let shape = op.shape(&self.shapes).map_err(|needs| operands(op.name(), &self.shapes, needs))?;
        let length = size(op.name(), shape)?;
        let first = self.claim(length)?;
        self.edges.extend(inputs.iter().map(|v| v.node));
        let var = self.push(Some(op), shape, first, needs, inputs.len());
        let (before, rest) = self.nodes.split_at_mut(var.node as usize);
        let Some(Node { op: Some(op), edges, work, .. }) = rest.first_mut() else { return Ok(var) };
        let (values, output) = self.values.slice_mut().split_at_mut(first);
        let inputs = Inputs { values, nodes: before, edges: &self.edges[edges.clone()] };
        op.forward(&inputs, &mut output[..length], work)?;
        Ok(var)
    }

    /// Adds a node, in the place of the one that stood there in the last step.
    fn push<O: Op<T>>(
        &mut self,
        op: Option<O>,
        shape: Shape,
        first: usize,
        needs: bool,
        inputs: usize,
    ) -> Var {
        let node = self.used;
        let edges = self.edges.len() - inputs..self.edges.len();
        if node == self.nodes.len() {
            let work = Workspace { kept: vec![], scratch: vec![] };
            self.nodes.push(Node { op: None, shape, first, edges: 0..0, needs, work });
            self.fresh.push(true);
        }
        let place = &mut self.nodes[node];
        (place.shape, place.first, place.edges, place.needs) = (shape, first, edges, needs);
        match (op, &mut place.op) {
            (Some(new), Some(old)) => {
                let any: &mut dyn Any = &mut **old;
                match any.downcast_mut::<O>() {
                    Some(old) => *old = new,
                    None => *old = Box::new(new),
                }
            }
            (Some(new), none) => *none = Some(Box::new(new)),
            (None, old) => *old = None,
        }
        self.used += 1;
        Var { node: node as u32, step: self.step }
    }

    /// Room for `n` more values; their first index.
    fn claim(&mut self, n: usize) -> Result<usize> {
        let first = self.end;
        let end = first.checked_add(n).ok_or(Error::Memory { bytes: usize::MAX })?;
        self.values.reach(end)?;
        self.end = aligned::<T>(end);
        Ok(first)
    }

    fn node(&self, operation: &'static str, var: Var) -> Result<usize> {
        if var.step == self.step && (var.node as usize) < self.used {
            return Ok(var.node as usize);
        }
        Err(operands(operation, &[], "a value of this step is needed; record it again after the tape starts"))
    }

    /// The shape of a value.
    ///
    /// # Errors
    /// [`Error::Operands`] for a value of an earlier step.
    pub fn shape(&self, var: Var) -> Result<Shape> {
        Ok(self.nodes[self.node("shape", var)?].shape)
    }

    /// A value, by rows.
    ///
    /// # Errors
    /// As [`shape`](Self::shape).
    pub fn value(&self, var: Var) -> Result<&[T]> {
        Ok(&self.values.slice()[self.nodes[self.node("value", var)?].place()])
    }

    /// A value that is a single number.
    ///
    /// # Errors
    /// [`Error::Operands`] when it is none.
    pub fn number(&self, var: Var) -> Result<f64> {
        match self.value(var)? {
            [v] => Ok(v.f64()),
            _ => Err(operands("number", &[self.shape(var)?], "one entry is needed")),
        }
    }

    /// Finds the gradient of a single number with respect to every parameter and variable.
    ///
    /// # Errors
    /// [`Error::Operands`] when `loss` has not one entry, or the step is one of values alone; the operations' own.
    pub fn backward(&mut self, loss: Var) -> Result<()> {
        let shape = self.shape(loss)?;
        if shape != Shape::square(1) {
            return Err(operands(
                "backward",
                &[shape],
                "a single number is needed; use `backward_from` to give weights",
            ));
        }
        self.backward_from(loss, &[T::of(1.0)])
    }

    /// Finds the gradient of Σ `weights` · `value`: the product of the transposed Jacobian with `weights`, which have the
    /// shape of `value`.
    ///
    /// # Errors
    /// [`Error::Length`]; otherwise as [`backward`](Self::backward).
    pub fn backward_from(&mut self, value: Var, weights: &[T]) -> Result<()> {
        let last = self.node("backward", value)?;
        let place = self.nodes[last].place();
        check_len("the weights of `backward_from`", place.len(), weights.len())?;
        if !self.differentiates {
            return Err(operands(
                "backward",
                &[],
                "the step was started by `evaluate_with`, which keeps values alone; use `start_with`",
            ));
        }
        self.gradients.reach(self.end)?;
        let gradients = self.gradients.slice_mut();
        if !self.adds {
            gradients[..self.parameters].fill(T::of(0.0));
        }
        for (node, fresh) in self.nodes[..self.used].iter().zip(&mut self.fresh) {
            // A parameter's gradient is zeros that are added to, since several nodes may share it.
            *fresh = node.op.is_some() || node.first >= self.parameters;
        }
        if self.fresh[last] {
            gradients[place].copy_from_slice(weights);
            self.fresh[last] = false;
        } else {
            gradients[place].iter_mut().zip(weights).for_each(|(g, &w)| *g += w);
        }
        for number in (0..=last).rev() {
            let (before, rest) = self.nodes.split_at_mut(number);
            let node = &mut rest[0];
            let place = node.place();
            let Some(op) = &mut node.op else { continue };
            if self.fresh[number] || !node.needs {
                continue;
            }
            let (values, output) = self.values.slice().split_at(node.first);
            let (gradients, gradient) = self.gradients.slice_mut().split_at_mut(node.first);
            let edges = &self.edges[node.edges.clone()];
            let inputs = Inputs { values, nodes: before, edges };
            let mut sinks = Sinks { gradients, nodes: before, fresh: &mut self.fresh, edges };
            let n = place.len();
            op.backward(&inputs, &output[..n], &mut gradient[..n], &mut node.work, &mut sinks)?;
        }
        // What nothing depended on has the gradient 0.
        for (node, fresh) in self.nodes[..self.used].iter().zip(&mut self.fresh) {
            if node.op.is_none() && node.needs && *fresh {
                self.gradients.slice_mut()[node.place()].fill(T::of(0.0));
                *fresh = false;
            }
        }
        Ok(())
    }

    /// The gradient with respect to all parameters, in their layout, after [`backward`](Self::backward).
    pub fn parameter_gradient(&self) -> &[T] {
        &self.gradients.slice()[..self.parameters.min(self.gradients.slice().len())]
    }

    /// The gradient with respect to a [`variable`](Self::variable) or a parameter, by rows.
    ///
    /// # Errors
    /// [`Error::Operands`] for any other value, or before [`backward`](Self::backward).
    pub fn gradient(&self, var: Var) -> Result<&[T]> {
        let number = self.node("gradient", var)?;
        let node = &self.nodes[number];
        if node.op.is_some() || !node.needs || self.fresh[number] {
            return Err(operands(
                "gradient",
                &[node.shape],
                "only variables and parameters have one, after `backward`",
            ));
        }
        Ok(&self.gradients.slice()[node.place()])
    }
}

/// An error that names the operation and the shapes it was given.
pub(super) fn operands(operation: &'static str, shapes: &[Shape], needs: &'static str) -> Error {
    let shapes = shapes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Error::Operands { operation, shapes, needs }
}

fn size(operation: &'static str, shape: Shape) -> Result<usize> {
    let size = shape.rows.checked_mul(shape.cols);
    size.ok_or_else(|| operands(operation, &[shape], "fewer entries are needed than an index can count"))
}

/// Values start on cache lines.
fn aligned<T>(n: usize) -> usize {
    n.next_multiple_of((64 / size_of::<T>()).max(1))
}

/// Stands for no operation where a type is needed.
type Nothing = super::op::arithmetic::Scale;

/// A vector that grows and never shrinks.
struct Arena<T>(Option<Buffer<T>>);

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Scalar> Arena<T> {
    fn slice(&self) -> &[T] {
        self.0.as_deref().unwrap_or(&[])
    }
    fn slice_mut(&mut self) -> &mut [T] {
        self.0.as_deref_mut().unwrap_or(&mut [])
    }
    /// At least `n` entries; those there keep their values.
    fn reach(&mut self, n: usize) -> Result<()> {
        let old = self.slice();
        if n > old.len() {
            let mut new = Buffer::zeros(n.max(2 * old.len()).next_multiple_of(64))?;
            new[..old.len()].copy_from_slice(old);
            self.0 = Some(new);
        }
        Ok(())
    }
}
