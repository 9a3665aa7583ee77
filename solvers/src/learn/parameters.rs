//! What is learned: one flat vector with named, shaped parts.

use super::checkpoint::{Checkpoint, State};
use super::initializer::Initializer;
use crate::error::check_len;
use crate::{Error, Result, Scalar};
use std::collections::HashMap;
use std::ops::Range;

/// What a parameter is to its layer. Statistics of gradients are often taken over weights alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A matrix, or the kernel of a convolution.
    Weight,
    /// An offset.
    Bias,
    /// Anything else: a scale, an unknown coefficient of an equation.
    Other,
}

/// A parameter of a [`Parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParameterId(pub(super) usize);

/// The weight `[inputs, outputs]` and bias `[outputs]` of a dense layer.
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    /// The weight.
    pub weight: ParameterId,
    /// The bias.
    pub bias: ParameterId,
}

/// Name, shape and place of a parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    name: String,
    shape: Vec<usize>,
    range: Range<usize>,
    role: Role,
    layer: usize,
}

impl Parameter {
    /// `layer.name`; what stands before the last dot is the layer.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Entries along each axis, the last one contiguous.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
    /// Its entries in the flat vector, and in every gradient.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }
    /// Weight, bias or other.
    pub fn role(&self) -> Role {
        self.role
    }
    /// The number of its layer, in the order in which layers were first named.
    pub fn layer(&self) -> usize {
        self.layer
    }
}

/// The parameters of a model: one contiguous vector, in which each has a name, a shape and a place. Gradients and the
/// moments of optimisers are vectors of the same layout.
///
/// ```
/// use resolvent::learn::{Initializer, Parameters, Role};
/// let mut parameters = Parameters::<f32>::new(7);
/// let first = parameters.linear("first", 2, 50, Initializer::GlorotNormal)?;
/// parameters.linear("last", 50, 1, Initializer::GlorotNormal)?;
/// assert_eq!(parameters.len(), 2 * 50 + 50 + 50 + 1);
/// assert_eq!(parameters.get(first.bias), [0.0; 50]);
/// let weights = parameters.iter().filter(|p| p.role() == Role::Weight);
/// assert_eq!(weights.map(|p| p.name()).collect::<Vec<_>>(), ["first.weight", "last.weight"]);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parameters<T> {
    seed: u64,
    values: Vec<T>,
    entries: Vec<Parameter>,
    by_name: HashMap<String, usize>,
    layers: Vec<String>,
}

impl<T: Scalar> Parameters<T> {
    /// None yet; `seed` is that of their initial values.
    pub fn new(seed: u64) -> Self {
        Self { seed, values: vec![], entries: vec![], by_name: HashMap::new(), layers: vec![] }
    }

    /// Adds a parameter.
    ///
    /// # Errors
    /// [`Error::Layout`] for a name that is empty or taken, or more entries than an index can count; those of
    /// [`Initializer::fill`].
    pub fn add(
        &mut self,
        name: &str,
        shape: &[usize],
        role: Role,
        initializer: Initializer,
    ) -> Result<ParameterId> {
        let refuse = |why| Err(Error::Layout { name: name.into(), why });
        if name.is_empty() || name.contains(char::is_control) {
            return refuse("a parameter's name must be printable text; give it one like `layer.weight`");
        }
        if self.by_name.contains_key(name) {
            return refuse("the name is taken; give every parameter its own");
        }
        let size = shape.iter().try_fold(1usize, |n, s| n.checked_mul(*s));
        let end = size.and_then(|n| self.values.len().checked_add(n));
        let Some(end) = end.filter(|n| *n <= isize::MAX as usize / size_of::<T>()) else {
            return refuse("it has more entries than an index can count; use a smaller layer");
        };
        let first = self.values.len();
        self.values.try_reserve(end - first).map_err(|_| Error::Memory { bytes: end * size_of::<T>() })?;
        self.values.resize(end, T::of(0.0));
        if let Err(error) = initializer.fill(self.seed, name, shape, &mut self.values[first..]) {
            self.values.truncate(first);
            return Err(error);
        }
        let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
        let layer = self.layers.iter().position(|l| l == layer).unwrap_or_else(|| {
            self.layers.push(layer.into());
            self.layers.len() - 1
        });
        let id = self.entries.len();
        self.by_name.insert(name.into(), id);
        self.entries.push(Parameter {
            name: name.into(),
            shape: shape.into(),
            range: first..end,
            role,
            layer,
        });
        Ok(ParameterId(id))
    }

    /// Adds `layer.weight`, `[inputs, outputs]`, drawn by `initializer`, and `layer.bias`, `[outputs]`, of zeros.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn linear(
        &mut self,
        layer: &str,
        inputs: usize,
        outputs: usize,
        initializer: Initializer,
    ) -> Result<Linear> {
        let weight = self.add(&format!("{layer}.weight"), &[inputs, outputs], Role::Weight, initializer)?;
        let bias = self.add(&format!("{layer}.bias"), &[outputs], Role::Bias, Initializer::Zeros)?;
        Ok(Linear { weight, bias })
    }

    /// Adds the kernel `layer.weight` of a convolution in `dim` dimensions, `[3, 3, inputs, outputs]` or `[3, 3, 3, inputs,
    /// outputs]`, drawn by `initializer`, and `layer.bias`, `[outputs]`, of zeros.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn convolution(
        &mut self,
        layer: &str,
        dim: usize,
        inputs: usize,
        outputs: usize,
        initializer: Initializer,
    ) -> Result<Linear> {
        let mut shape = vec![3; dim];
        shape.extend([inputs, outputs]);
        let weight = self.add(&format!("{layer}.weight"), &shape, Role::Weight, initializer)?;
        let bias = self.add(&format!("{layer}.bias"), &[outputs], Role::Bias, Initializer::Zeros)?;
        Ok(Linear { weight, bias })
    }

    /// Entries of all parameters together.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The flat vector, `[len]`.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The flat vector, to be changed by an optimiser.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// A vector of zeros of this layout.
    pub fn zeros(&self) -> Vec<T> {
        vec![T::of(0.0); self.values.len()]
    }

    /// All parameters in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.entries.iter()
    }

    /// The names of the layers in the order in which they were first named; see [`Parameter::layer`].
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// Name, shape and place of a parameter.
    pub fn describe(&self, id: ParameterId) -> &Parameter {
        &self.entries[id.0]
    }

    /// The parameter of a name.
    pub fn find(&self, name: &str) -> Option<ParameterId> {
        self.by_name.get(name).map(|i| ParameterId(*i))
    }

    /// The entries of a parameter.
    pub fn get(&self, id: ParameterId) -> &[T] {
        &self.values[self.entries[id.0].range()]
    }

    /// The entries of a parameter, to be changed.
    pub fn get_mut(&mut self, id: ParameterId) -> &mut [T] {
        let range = self.entries[id.0].range();
        &mut self.values[range]
    }

    /// Takes the values of `x`, `[len]`.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn copy(&mut self, x: &[T]) -> Result<()> {
        check_len("the parameters' new values", self.values.len(), x.len())?;
        self.values.copy_from_slice(x);
        Ok(())
    }

    /// Adds `a` x, `[len]`.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn axpy(&mut self, a: T, x: &[T]) -> Result<()> {
        use crate::Space;
        crate::Host::new().axpby(a, x, T::of(1.0), &mut self.values)
    }

    /// The parameter that entry `index` of the flat vector belongs to.
    pub fn at(&self, index: usize) -> Option<&Parameter> {
        let i = self.entries.partition_point(|p| p.range.end <= index);
        self.entries.get(i)
    }

    /// The parameter of the first entry of `v`, of this layout, that is not a finite number.
    pub fn not_finite(&self, v: &[T]) -> Option<&Parameter> {
        v.iter().position(|v| !v.is_finite()).and_then(|i| self.at(i))
    }
}

impl<T: Scalar> State for Parameters<T> {
    /// One tensor `name/parameter` for each; with an empty `name` under the parameters' own names.
    fn store(&self, name: &str, checkpoint: &mut Checkpoint) {
        for (id, parameter) in self.entries.iter().enumerate() {
            checkpoint.put(&tensor(name, &parameter.name), &parameter.shape, self.get(ParameterId(id)));
        }
    }

    /// All of them or, on an error, none.
    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> Result<()> {
        let mut values = Vec::with_capacity(self.values.len());
        for parameter in &self.entries {
            values.extend(checkpoint.take::<T>(&tensor(name, &parameter.name), &parameter.shape)?);
        }
        self.values = values;
        Ok(())
    }
}

fn tensor(group: &str, name: &str) -> String {
    if group.is_empty() { name.into() } else { format!("{group}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Parameters<f64> {
        let mut parameters = Parameters::new(1);
        parameters.linear("a", 3, 4, Initializer::HeNormal).unwrap();
        parameters.add("k", &[], Role::Other, Initializer::Constant(0.5)).unwrap();
        parameters.linear("b.c", 4, 0, Initializer::HeNormal).unwrap();
        parameters
    }

    #[test]
    fn views_tile_the_flat_vector() {
        let mut parameters = example();
        let mut next = 0;
        for p in parameters.iter() {
            assert_eq!(p.range().start, next);
            assert_eq!(p.range().len(), p.shape().iter().product::<usize>());
            next = p.range().end;
        }
        assert_eq!(next, parameters.len());
        assert_eq!(parameters.layers(), ["a", "k", "b.c"]);
        let layers: Vec<usize> = parameters.iter().map(Parameter::layer).collect();
        assert_eq!(layers, [0, 0, 1, 2, 2]);
        let k = parameters.find("k").unwrap();
        assert_eq!((parameters.get(k), parameters.describe(k).role()), (&[0.5][..], Role::Other));
        parameters.get_mut(k)[0] = 2.0;
        assert_eq!(parameters.values()[16], 2.0);
        assert_eq!(parameters.at(11).unwrap().name(), "a.weight");
        assert_eq!(parameters.at(12).unwrap().name(), "a.bias");
        assert!(parameters.at(17).is_none() && parameters.find("nothing").is_none());
        let mut gradient = parameters.zeros();
        assert!(parameters.not_finite(&gradient).is_none());
        gradient[16] = f64::NAN;
        assert_eq!(parameters.not_finite(&gradient).unwrap().name(), "k");
    }

    #[test]
    fn verbs_work_on_the_whole() {
        let mut parameters = example();
        let x = parameters.values().to_vec();
        parameters.axpy(-1.0, &x).unwrap();
        assert!(parameters.values().iter().all(|v| *v == 0.0));
        parameters.copy(&x).unwrap();
        assert_eq!(parameters.values(), x);
        assert!(matches!(parameters.copy(&x[1..]), Err(Error::Length { .. })));
        assert!(matches!(parameters.axpy(1.0, &x[1..]), Err(Error::Length { .. })));
    }

    #[test]
    fn names_are_unique_and_sizes_possible() {
        let mut parameters = example();
        let before = parameters.len();
        let mut add = |name: &str, shape: &[usize], initializer| {
            parameters.add(name, shape, Role::Other, initializer).unwrap_err()
        };
        assert!(matches!(add("k", &[1], Initializer::Zeros), Error::Layout { .. }));
        assert!(matches!(add("", &[1], Initializer::Zeros), Error::Layout { .. }));
        assert!(matches!(add("x", &[usize::MAX, 2], Initializer::Zeros), Error::Layout { .. }));
        assert!(matches!(add("x", &[1 << 58], Initializer::Zeros), Error::Memory { .. }));
        assert!(matches!(add("x", &[2], Initializer::Normal(f64::NAN)), Error::Parameter { .. }));
        assert_eq!(parameters.len(), before);
    }
}
