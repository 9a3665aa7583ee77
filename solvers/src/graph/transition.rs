//! How numbers on edges become the weights of a system that comes to rest.

use super::Graphs;
use crate::host::simd::{Kernel, dispatch};
use crate::learn::op::{Inputs, Op, Sink, Sinks, Workspace};
use crate::learn::product::each_rows;
use crate::learn::{Activation, Tape, Var};
use crate::{Error, Result, Scalar, Shape};
use std::str::FromStr;

/// How numbers on edges become the weights of a system with one x, whatever they are: all but the last make them not negative and of a
/// sum of at most 1 at every source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transition {
    /// min(max(z, 0), 1) over the number of edges at the source, as published. Outside 0 to 1 it has no gradient.
    #[default]
    Clip,
    /// 1 / (1 + e^−z) over the number of edges at the source, which has one everywhere.
    Sigmoid,
    /// e^z over the sum at the source.
    Softmax,
    /// e^z over 1 + the sum at the source, as in a chain whose walks may end at every node: proportions and their sum are free.
    Absorbing,
    /// As they are: three numbers of each head make a [`Monotone`](super::Monotone) system, which has one x for any weights, of either sign
    /// and with any sum.
    Monotone,
}

impl Transition {
    /// Numbers on an edge for each head.
    pub fn numbers(self) -> usize {
        if self == Self::Monotone { 3 } else { 1 }
    }
}

impl FromStr for Transition {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "clip" => Self::Clip,
            "sigmoid" => Self::Sigmoid,
            "softmax" => Self::Softmax,
            "absorbing" => Self::Absorbing,
            "monotone" => Self::Monotone,
            _ => {
                let known = "clip, sigmoid, softmax, absorbing, monotone".into();
                return Err(Error::Unknown { what: "transition", name: name.into(), known });
            }
        })
    }
}

/// Clip and sigmoid: z `[edges, heads]` to weights of the same shape.
struct Weigh {
    graphs: Graphs,
    smooth: bool,
}

impl Weigh {
    /// 1 / degree at the source of an edge.
    fn share<T: Scalar>(&self, edge: usize) -> T {
        T::of(1.0 / self.graphs.out_degree(self.graphs.ends()[edge][0] as usize) as f64)
    }
}

impl<T: Scalar> Op<T> for Weigh {
    fn name(&self) -> &'static str {
        "transition"
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, &'static str> {
        match inputs {
            [z] if z.rows == self.graphs.edges() => Ok(*z),
            _ => Err("it takes one operand with a row for each edge"),
        }
    }

    fn forward(&self, inputs: &Inputs<T>, w: &mut [T], _: &mut Workspace<T>) -> Result<()> {
        let (z, heads) = (inputs.get(0), inputs.shape(0).cols);
        each_rows(w, heads, |first, w| {
            w.copy_from_slice(&z[first * heads..][..w.len()]);
            if self.smooth {
                Activation::Sigmoid.apply(w);
            }
            dispatch(Shared { of: self, first, heads, clips: !self.smooth, w });
        });
        Ok(())
    }

    fn backward(
        &self,
        inputs: &Inputs<T>,
        w: &[T],
        g: &mut [T],
        _: &mut Workspace<T>,
        sinks: &mut Sinks<T>,
    ) -> Result<()> {
        let (z, heads) = (inputs.get(0), inputs.shape(0).cols);
        let Some(Sink { gradient, fresh }) = sinks.get(0) else { return Ok(()) };
        // Of a sigmoid the slope is found from its value, of a clip from z.
        let (g, at) = (&*g, if self.smooth { w } else { z });
        each_rows(gradient, heads, |first, gradient| {
            let rows = first * heads..first * heads + gradient.len();
            let sink = Sink { gradient, fresh };
            dispatch(Pulled { of: self, first, heads, at: &at[rows.clone()], g: &g[rows], sink });
        });
        Ok(())
    }
}

/// Weights of some edges, of z between 0 and 1 or clipped to it.
struct Shared<'a, T> {
    of: &'a Weigh,
    first: usize,
    heads: usize,
    clips: bool,
    w: &'a mut [T],
}

impl<T: Scalar> Kernel for Shared<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { of, first, heads, clips, w } = self;
        let (none, one) = (T::of(0.0), T::of(1.0));
        for (e, w) in w.chunks_mut(heads).enumerate() {
            let share = of.share::<T>(first + e);
            for w in w {
                // Written so that what is not a number stays so.
                let low = if clips && *w < none { none } else { *w };
                let z = if clips && low > one { one } else { low };
                *w = z * share;
            }
        }
    }
}

/// The gradient by the z of some edges.
struct Pulled<'a, T> {
    of: &'a Weigh,
    first: usize,
    heads: usize,
    /// The weights of sigmoids, and z that is clipped.
    at: &'a [T],
    g: &'a [T],
    sink: Sink<'a, T>,
}

impl<T: Scalar> Kernel for Pulled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { of, first, heads, at, g, sink: Sink { gradient, fresh } } = self;
        let (none, one) = (T::of(0.0), T::of(1.0));
        for (e, s) in gradient.chunks_mut(heads).enumerate() {
            let (at, g) = (&at[e * heads..][..heads], &g[e * heads..][..heads]);
            let s = &mut s[..heads];
            let share = of.share::<T>(first + e);
            let inverse = one / share;
            for k in 0..heads {
                let slope = if of.smooth {
                    at[k] * (one - at[k] * inverse)
                } else if at[k] > none && at[k] < one {
                    share
                } else {
                    none
                };
                s[k] = if fresh { g[k] * slope } else { s[k] + g[k] * slope };
            }
        }
    }
}

impl<T: Scalar> Tape<T> {
    /// Weights from `z: [edges, heads]`, not negative and of a sum of at most 1 at every source; those of a monotone system are z.
    ///
    /// # Errors
    /// [`Error::Operands`]; [`Error::Memory`].
    pub fn transition(&mut self, graphs: &Graphs, z: Var, transition: Transition) -> Result<Var> {
        match transition {
            Transition::Softmax => self.segment_softmax(z, graphs.sources()),
            Transition::Absorbing => self.open_segment_softmax(z, graphs.sources()),
            Transition::Monotone => Ok(z),
            _ => {
                let smooth = transition == Transition::Sigmoid;
                self.record(Weigh { graphs: graphs.clone(), smooth }, &[z])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Transition; 4] =
        [Transition::Clip, Transition::Sigmoid, Transition::Softmax, Transition::Absorbing];

    fn weights(graphs: &Graphs, z: &[f64], transition: Transition) -> (Vec<f64>, Vec<f64>) {
        let mut tape = Tape::<f64>::new();
        tape.start();
        let heads = z.len() / graphs.edges().max(1);
        let v = tape.variable(z, graphs.edges(), heads).unwrap();
        let w = tape.transition(graphs, v, transition).unwrap();
        let value = tape.value(w).unwrap().to_vec();
        let ones: Vec<f64> = (0..z.len()).map(|i| 1.0 + i as f64).collect();
        tape.backward_from(w, &ones).unwrap();
        (value, tape.gradient(v).unwrap().to_vec())
    }

    proptest! {
        #[test]
        fn rows_are_substochastic_whatever_the_weights(
            ends in prop::collection::vec((0u32..6, 0u32..6), 1..30),
            seed in 0u64..1000,
            scale in prop::sample::select(vec![0.0, 0.1, 1.0, 30.0, 1e6]),
        ) {
            let edges: Vec<[u32; 2]> = ends.iter().map(|(i, j)| [*i, *j]).collect();
            let graphs = Graphs::new(&[6], &edges).unwrap();
            let mut random = crate::learn::Random::new(seed, "z");
            let z: Vec<f64> = (0..2 * edges.len()).map(|_| scale * random.normal()).collect();
            for transition in ALL {
                let (w, _) = weights(&graphs, &z, transition);
                prop_assert!(w.iter().all(|w| *w >= 0.0));
                for node in 0..6 {
                    for head in 0..2 {
                        let of = graphs.sources().members(node).iter().map(|e| w[2 * *e as usize + head]);
                        prop_assert!(of.sum::<f64>() <= 1.0 + 1e-12);
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_are_those_of_differences() {
        let graphs = Graphs::new(&[3], &[[0, 1], [0, 2], [1, 1], [0, 1]]).unwrap();
        let z = vec![0.3, -0.4, 0.9, 1.7, 0.2, 0.6, 0.5, 0.1];
        for transition in ALL {
            let (_, gradient) = weights(&graphs, &z, transition);
            for k in 0..z.len() {
                let value = |h: f64| {
                    let mut moved = z.clone();
                    moved[k] += h;
                    let (w, _) = weights(&graphs, &moved, transition);
                    w.iter().enumerate().map(|(i, w)| (1.0 + i as f64) * w).sum::<f64>()
                };
                let difference = (value(1e-6) - value(-1e-6)) / 2e-6;
                assert!((difference - gradient[k]).abs() < 1e-8, "{transition:?} {k}");
            }
        }
    }

    #[test]
    fn names_are_read_and_others_refused() {
        assert_eq!("sigmoid".parse::<Transition>().unwrap(), Transition::Sigmoid);
        assert!(matches!("tanh".parse::<Transition>(), Err(Error::Unknown { .. })));
    }
}
