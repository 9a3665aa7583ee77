//! The weights of every layer in the order in which products read them, and the sums their gradients are made of.

use crate::Result;
use crate::network::Network;
use crate::product::affine::Pack;
use crate::product::outer::{length, unblock};
use crate::simd::Real;
use resolvent::Buffer;
use std::ops::Range;

/// W and Wᵀ of each layer, packed, with its biases; made anew from the parameters for every evaluation.
pub(crate) struct Weights<T> {
    values: Buffer<T>,
    effective: Buffer<T>,
    places: Vec<[Range<usize>; 3]>,
}

impl<T: Real> Weights<T> {
    pub fn new(network: &Network) -> Result<Self> {
        let mut end = 0;
        let mut take = |n: usize| {
            let range = end..end + n;
            end = range.end;
            range
        };
        let layers = network.layers().iter();
        let places: Vec<_> =
            layers.map(|l| [l.inputs * l.outputs, l.inputs * l.outputs, l.outputs].map(&mut take)).collect();
        let largest = network.layers().iter().map(|l| l.weight.len()).max().unwrap_or(0);
        Ok(Self { values: Buffer::zeros(end)?, effective: Buffer::zeros(largest)?, places })
    }

    pub fn set(&mut self, network: &Network, parameters: &[T]) {
        for (layer, [forward, backward, bias]) in network.layers().iter().zip(&self.places) {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            let (mut w, gain) = (&parameters[layer.weight.clone()], T::of(layer.gain));
            if layer.scale.is_some() || layer.gain != 1.0 {
                let effective = &mut self.effective[..w.len()];
                for (to, from) in effective.chunks_exact_mut(outputs).zip(w.chunks_exact(outputs)) {
                    for o in 0..outputs {
                        to[o] = gain * from[o];
                    }
                    if let Some(scale) = &layer.scale {
                        for (to, s) in to.iter_mut().zip(&parameters[scale.clone()]) {
                            *to *= s.exp();
                        }
                    }
                }
                w = effective;
            }
            let packed = &mut self.values[forward.clone()];
            T::pack(Pack { a: w, row: 1, column: outputs, rows: outputs, depth: inputs, packed });
            let packed = &mut self.values[backward.clone()];
            T::pack(Pack { a: w, row: outputs, column: 1, rows: inputs, depth: outputs, packed });
            for (to, b) in self.values[bias.clone()].iter_mut().zip(&parameters[layer.bias.clone()]) {
                *to = gain * *b;
            }
        }
    }

    /// Wᵀ of layer `l`, which takes inputs to outputs.
    pub fn forward(&self, l: usize) -> &[T] {
        &self.values[self.places[l][0].clone()]
    }

    /// W of layer `l`, which takes adjoints of outputs to those of inputs.
    pub fn backward(&self, l: usize) -> &[T] {
        &self.values[self.places[l][1].clone()]
    }

    pub fn bias(&self, l: usize) -> &[T] {
        &self.values[self.places[l][2].clone()]
    }
}

/// Where the sums of each layer lie: those of its weights, by blocks, and those of its biases. Those of the equations' own
/// parameters follow.
pub(crate) struct Sums {
    places: Vec<[Range<usize>; 2]>,
    len: usize,
}

impl Sums {
    pub fn new<T: Real>(network: &Network) -> Self {
        let mut len = 0;
        let mut take = |n: usize| {
            let range = len..len + n;
            len = range.end;
            range
        };
        let layers = network.layers().iter();
        let places = layers.map(|l| [length::<T>(l.inputs, l.outputs), l.outputs].map(&mut take)).collect();
        Self { places, len }
    }

    /// Numbers for a network and `unknowns` parameters of equations.
    pub fn len(&self, unknowns: usize) -> usize {
        self.len + unknowns
    }

    pub fn weight(&self, l: usize) -> Range<usize> {
        self.places[l][0].clone()
    }

    pub fn bias(&self, l: usize) -> Range<usize> {
        self.places[l][1].clone()
    }

    pub fn unknowns(&self) -> usize {
        self.len
    }

    /// The gradient by the parameters from that by the effective weights and biases.
    pub fn gradient<T: Real>(&self, network: &Network, parameters: &[T], sums: &[T], gradient: &mut [T]) {
        for (layer, [weight, bias]) in network.layers().iter().zip(&self.places) {
            let gain = T::of(layer.gain);
            let outputs = layer.outputs;
            unblock(&sums[weight.clone()], layer.inputs, outputs, gain, &mut gradient[layer.weight.clone()]);
            for (to, v) in gradient[layer.bias.clone()].iter_mut().zip(&sums[bias.clone()]) {
                *to = gain * *v;
            }
            if let Some(scale) = &layer.scale {
                gradient[scale.clone()].fill(T::of(0.0));
                for i in 0..layer.inputs {
                    for o in 0..outputs {
                        let at = layer.weight.start + i * outputs + o;
                        let v = gradient[at] * parameters[scale.start + o].exp();
                        gradient[at] = v;
                        gradient[scale.start + o] += v * parameters[at];
                    }
                }
            }
        }
        let own = network.parameters();
        gradient[own..].copy_from_slice(&sums[self.len..]);
    }
}
