//! A convergent graph solver: what is looked for is where a learned system comes to rest.
//!
//! 1. Messages: with e on edges and h on nodes, e′ = M(e, hᵢ, hⱼ) on the edge from i to j; its share is a = softmax of A(e, hᵢ, hⱼ)
//!    over the edges into j; h′ = N(Σ a e′, hⱼ).
//! 2. The last of them gives constants b on the nodes and numbers on the edges, one for each head, which a [`Transition`] makes weights.
//! 3. Every head comes to rest: x = φ(γ A x + b), or x = φ(W x + b) of a [`Monotone`] system.
//! 4. A network of two hidden layers, 64 and 32 wide, reads the answer off x: of each node, or off the sum over a graph.
//!
//! Departures: the widths inside M, A and N, which are not published, are one hidden layer of the hidden width.
//!
//! # Reference
//! J. Park, J. Choo, J. Park, Convergent graph solvers, ICLR (2022), arXiv:2106.01680.

use super::{EquilibriumOptions, Graphs, Monotone, Transition};
use crate::learn::{Activation, Initializer, Linear, Parameters, Tape, Var};
use crate::{Error, Result, Scalar};

/// What a convergent graph solver is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphArchitecture {
    /// Features of a node.
    pub node_features: usize,
    /// Features of an edge.
    pub edge_features: usize,
    /// Answers of a node, or of a graph.
    pub outputs: usize,
    /// Systems that come to rest side by side.
    pub heads: usize,
    /// Messages before the last.
    pub messages: usize,
    /// Width of what nodes and edges hold between messages, and inside them.
    pub hidden: usize,
    /// Between the layers of all networks.
    pub activation: Activation,
    /// How the weights of a system are made.
    pub transition: Transition,
    /// Whether systems run against the edges: x at a node is made of x at the sources of its edges, and weights are shared at targets.
    pub reversed: bool,
    /// Whether answers are of a graph: read off the sum over its nodes.
    pub of_graphs: bool,
    /// Whether anything comes to rest; otherwise the answer is read off b, the same network without a fixed point.
    pub rests: bool,
    /// γ, φ, and when a system is at rest.
    pub equilibrium: EquilibriumOptions,
}

/// A network of `hidden` layers behind one another, the activation between them.
#[derive(Clone, Debug)]
struct Perceptron(Vec<Linear>);

impl Perceptron {
    fn new<T: Scalar>(parameters: &mut Parameters<T>, name: &str, widths: &[usize]) -> Result<Self> {
        let layers = widths
            .windows(2)
            .enumerate()
            .map(|(l, w)| parameters.linear(&format!("{name}_{l}"), w[0], w[1], Initializer::GlorotUniform));
        Ok(Self(layers.collect::<Result<_>>()?))
    }

    fn record<T: Scalar>(
        &self,
        tape: &mut Tape<T>,
        parameters: &Parameters<T>,
        x: Var,
        activation: Activation,
    ) -> Result<Var> {
        let last = self.0.len() - 1;
        self.0.iter().enumerate().try_fold(x, |x, (l, layer)| {
            tape.layer(parameters, *layer, x, if l == last { Activation::Identity } else { activation })
        })
    }
}

/// A network of one hidden layer on edges, of what they hold and of what their ends do: [e, hᵢ, hⱼ], side by side.
#[derive(Clone, Debug)]
struct EdgePerceptron {
    /// Columns of e, and of h.
    widths: [usize; 2],
    hidden: Linear,
    last: Linear,
}

impl EdgePerceptron {
    fn new<T: Scalar>(
        parameters: &mut Parameters<T>,
        name: &str,
        [edge, node]: [usize; 2],
        [hidden, outputs]: [usize; 2],
    ) -> Result<Self> {
        let mut layer = |l: usize, inputs, outputs| {
            parameters.linear(&format!("{name}_{l}"), inputs, outputs, Initializer::GlorotUniform)
        };
        let first = layer(0, edge + 2 * node, hidden)?;
        Ok(Self { widths: [edge, node], hidden: first, last: layer(1, hidden, outputs)? })
    }

    /// The hidden layer. Its products with h are made on nodes; the layer that e still waits for and its own make one product.
    fn record<T: Scalar>(
        &self,
        tape: &mut Tape<T>,
        parameters: &Parameters<T>,
        graphs: &Graphs,
        (e, h): (Held, Var),
        activation: Activation,
    ) -> Result<Held> {
        let [edge, node] = self.widths;
        let weight = self.hidden.weight;
        let mut of_edge = tape.parameter_rows(parameters, weight, 0..edge)?;
        let of_source = tape.parameter_rows(parameters, weight, edge..edge + node)?;
        let of_target = tape.parameter_rows(parameters, weight, edge + node..edge + 2 * node)?;
        let mut bias = tape.parameter(parameters, self.hidden.bias)?;
        if let Some(layer) = e.last {
            let (w, b) = (tape.parameter(parameters, layer.weight)?, tape.parameter(parameters, layer.bias)?);
            bias = tape.dense(b, of_edge, bias, Activation::Identity)?;
            of_edge = tape.product(w, of_edge)?;
        }
        let (u, v) = (tape.dense(h, of_source, bias, Activation::Identity)?, tape.product(h, of_target)?);
        let ends = [graphs.sources(), graphs.targets()];
        let rows = tape.incident([e.rows, of_edge, u, v], ends, activation)?;
        Ok(Held { rows, last: Some(self.last) })
    }
}

/// What edges hold: rows, or a linear layer of them that is not yet made, since what follows is linear too.
#[derive(Clone, Copy)]
struct Held {
    rows: Var,
    last: Option<Linear>,
}

impl Held {
    fn value<T: Scalar>(self, tape: &mut Tape<T>, parameters: &Parameters<T>) -> Result<Var> {
        match self.last {
            Some(layer) => tape.layer(parameters, layer, self.rows, Activation::Identity),
            None => Ok(self.rows),
        }
    }
}

/// One exchange of messages; the last gives what the systems are made of.
#[derive(Clone, Debug)]
struct Message {
    edge: EdgePerceptron,
    share: EdgePerceptron,
    node: Perceptron,
}

/// A convergent graph solver; its weights are in [`Parameters`] of its own.
///
/// ```
/// use resolvent::graph::{GraphArchitecture, GraphNetwork, Graphs};
/// use resolvent::learn::Tape;
/// let architecture = GraphArchitecture::new(1, 1, 1);
/// let (network, parameters) = GraphNetwork::new::<f32>(architecture, 7)?;
/// // Two states and the rewards between them.
/// let graphs = Graphs::new(&[2], &[[0, 1], [1, 0]])?;
/// let mut tape = Tape::new();
/// tape.evaluate_with(&parameters)?;
/// let (node, edge) = (tape.input(&[1.0; 2], 2, 1)?, tape.input(&[0.3, -0.5], 2, 1)?);
/// let recorded = network.record(&mut tape, &parameters, &graphs, node, edge)?;
/// assert_eq!(tape.value(recorded.answer)?.len(), 2);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GraphNetwork {
    architecture: GraphArchitecture,
    messages: Vec<Message>,
    decoder: Perceptron,
}

/// What a network made on a tape.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// `[nodes, outputs]`, or `[graphs, outputs]`.
    pub answer: Var,
    /// The weights of the systems, `[edges, heads]`; of monotone ones their numbers, `[edges, 3 heads]`.
    pub weights: Var,
    /// Their constants b, `[nodes, heads]`.
    pub constants: Var,
    /// Where they come to rest, `[nodes, heads]`; the constants themselves when nothing does.
    pub rest: Var,
}

impl GraphArchitecture {
    /// The published configuration for values of decision processes: 64 heads, 3 messages, 64 wide, γ = 0.5, clipped weights.
    pub fn new(node_features: usize, edge_features: usize, outputs: usize) -> Self {
        Self {
            node_features,
            edge_features,
            outputs,
            heads: 64,
            messages: 3,
            hidden: 64,
            activation: Activation::LeakyRelu(0.01),
            transition: Transition::Clip,
            reversed: false,
            of_graphs: false,
            rests: true,
            equilibrium: EquilibriumOptions::default(),
        }
    }

    /// `Ok` when it can be built.
    ///
    /// # Errors
    /// [`Error::Parameter`]; [`Error::Unsuited`] for a φ that a monotone system cannot have.
    pub fn check(&self) -> Result<()> {
        self.equilibrium.check()?;
        if self.transition == Transition::Monotone {
            Monotone::<f64>::new(self.equilibrium)?;
        }
        for (name, value) in [
            ("node features", self.node_features),
            ("edge features", self.edge_features),
            ("outputs", self.outputs),
            ("heads", self.heads),
            ("hidden", self.hidden),
        ] {
            if value == 0 || value > 1 << 16 {
                return Err(Error::Parameter { name, value: value as f64, needs: "use 1 to 65,536" });
            }
        }
        Ok(())
    }
}

impl GraphNetwork {
    /// The network and its initial weights: uniform as of Glorot, from the seed; biases 0.
    ///
    /// # Errors
    /// As [`GraphArchitecture::check`].
    pub fn new<T: Scalar>(architecture: GraphArchitecture, seed: u64) -> Result<(Self, Parameters<T>)> {
        architecture.check()?;
        let a = &architecture;
        let mut parameters = Parameters::new(seed);
        let (mut node, mut edge) = (a.node_features, a.edge_features);
        let mut messages = Vec::new();
        for l in 0..=a.messages {
            let last = l == a.messages;
            let next = if last { a.heads } else { a.hidden };
            let sent = if last { a.heads * a.transition.numbers() } else { a.hidden };
            let name = |part: &str| format!("message_{l}.{part}");
            let p = &mut parameters;
            messages.push(Message {
                edge: EdgePerceptron::new(p, &name("edge"), [edge, node], [a.hidden, sent])?,
                share: EdgePerceptron::new(p, &name("share"), [edge, node], [a.hidden, 1])?,
                node: Perceptron::new(p, &name("node"), &[sent + node, a.hidden, next])?,
            });
            (node, edge) = (next, sent);
        }
        let decoder = Perceptron::new(&mut parameters, "decoder", &[a.heads, 64, 32, a.outputs])?;
        Ok((Self { architecture, messages, decoder }, parameters))
    }

    /// What it was built from.
    pub fn architecture(&self) -> &GraphArchitecture {
        &self.architecture
    }

    /// Answers for a batch with features `node: [nodes, node features]` and `edge: [edges, edge features]`.
    ///
    /// # Errors
    /// [`Error::Operands`] for other shapes; [`Error::Memory`].
    pub fn record<T: Scalar>(
        &self,
        tape: &mut Tape<T>,
        parameters: &Parameters<T>,
        graphs: &Graphs,
        node: Var,
        edge: Var,
    ) -> Result<Recorded> {
        self.record_from(tape, parameters, graphs, [node, edge], None)
    }

    /// The same for `features` of nodes and edges, whose systems start from `start: [nodes, heads]`, such as where the same graphs came to rest
    /// before; without one from b.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub fn record_from<T: Scalar>(
        &self,
        tape: &mut Tape<T>,
        parameters: &Parameters<T>,
        graphs: &Graphs,
        [node, edge]: [Var; 2],
        start: Option<Var>,
    ) -> Result<Recorded> {
        let a = &self.architecture;
        let (mut h, mut e) = (node, Held { rows: edge, last: None });
        let some = tape.occupied(graphs.targets())?;
        for message in &self.messages {
            let both = (e, h);
            e = message.edge.record(tape, parameters, graphs, both, a.activation)?;
            let share = message.share.record(tape, parameters, graphs, both, a.activation)?;
            let share = share.value(tape, parameters)?;
            let pooled = tape.attention(e.rows, share, graphs.targets())?;
            // Shares add to 1 where there is an edge, so the layer that e waits for is made of the mean.
            let weight = tape.parameter(parameters, message.edge.last.weight)?;
            let bias = tape.parameter(parameters, message.edge.last.bias)?;
            let (product, offset) = (tape.product(pooled, weight)?, tape.product(some, bias)?);
            let arrived = tape.add(product, offset)?;
            let joined = tape.concatenate(&[arrived, h])?;
            h = message.node.record(tape, parameters, joined, a.activation)?;
        }
        let e = e.value(tape, parameters)?;
        let reversed = a.reversed.then(|| graphs.reversed());
        let along = reversed.as_ref().unwrap_or(graphs);
        let weights = tape.transition(along, e, a.transition)?;
        let start = start.unwrap_or(h);
        let rest = match a.transition {
            _ if !a.rests => h,
            Transition::Monotone => {
                tape.monotone_equilibrium_from(along, weights, h, start, a.equilibrium)?
            }
            _ => tape.equilibrium_from(along, weights, h, start, a.equilibrium)?,
        };
        let read = if a.of_graphs { tape.segment_sum(rest, graphs.members())? } else { rest };
        let answer = self.decoder.record(tape, parameters, read, a.activation)?;
        Ok(Recorded { answer, weights, constants: h, rest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Random;

    /// The gradient of the mean square of the answers, all of it, against differences.
    #[test]
    fn gradients_are_those_of_differences() {
        for (of_graphs, rests, transition) in [
            (false, true, Transition::Sigmoid),
            (true, true, Transition::Softmax),
            (true, true, Transition::Absorbing),
            (true, true, Transition::Monotone),
            (false, true, Transition::Monotone),
            (false, false, Transition::Clip),
        ] {
            let equilibrium = EquilibriumOptions {
                gamma: 0.8,
                activation: Activation::Tanh,
                stop: crate::Stop::rtol(1e-14),
            };
            let architecture = GraphArchitecture {
                heads: 3,
                messages: 1,
                hidden: 4,
                activation: Activation::Tanh,
                transition,
                reversed: of_graphs,
                of_graphs,
                rests,
                equilibrium,
                ..GraphArchitecture::new(2, 1, 2)
            };
            let (network, mut parameters) = GraphNetwork::new::<f64>(architecture, 3).unwrap();
            let graphs = Graphs::new(&[4, 1, 3], &[[0, 1], [1, 2], [2, 0], [0, 1], [3, 3], [5, 6]]).unwrap();
            let mut random = Random::new(5, "features");
            let node: Vec<f64> = (0..16).map(|_| random.normal()).collect();
            let edge: Vec<f64> = (0..6).map(|_| random.normal()).collect();
            let mut tape = Tape::new();
            let mut loss = |parameters: &Parameters<f64>| {
                tape.start_with(parameters).unwrap();
                let (n, e) = (tape.input(&node, 8, 2).unwrap(), tape.input(&edge, 6, 1).unwrap());
                let recorded = network.record(&mut tape, parameters, &graphs, n, e).unwrap();
                assert_eq!(tape.shape(recorded.answer).unwrap().rows, if of_graphs { 3 } else { 8 });
                let loss = tape.mean_square(recorded.answer).unwrap();
                tape.backward(loss).unwrap();
                (tape.number(loss).unwrap(), tape.parameter_gradient().to_vec())
            };
            let gradient = loss(&parameters).1;
            for k in 0..gradient.len() {
                let value = parameters.values()[k];
                let mut at = |h: f64| {
                    parameters.values_mut()[k] = value + h;
                    loss(&parameters).0
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                parameters.values_mut()[k] = value;
                assert!((difference - gradient[k]).abs() < 1e-7 * (1.0 + difference.abs()), "{k}");
            }
        }
    }

    /// From anywhere a network comes to the same answers and gradients.
    #[test]
    fn a_start_changes_nothing_but_the_sweeps() {
        for transition in [Transition::Softmax, Transition::Monotone] {
            let equilibrium =
                EquilibriumOptions { gamma: 0.9, stop: crate::Stop::rtol(1e-13), ..Default::default() };
            let architecture = GraphArchitecture {
                heads: 2,
                messages: 0,
                hidden: 4,
                transition,
                equilibrium,
                ..GraphArchitecture::new(1, 1, 1)
            };
            let (network, parameters) = GraphNetwork::new::<f64>(architecture, 3).unwrap();
            let graphs = Graphs::new(&[3, 1], &[[0, 1], [1, 2], [2, 0]]).unwrap();
            let mut tape = Tape::new();
            let mut run = |start: Option<&[f64]>| {
                tape.start_with(&parameters).unwrap();
                let features = [
                    tape.input(&[1.0, -0.5, 2.0, 0.3], 4, 1).unwrap(),
                    tape.input(&[0.1, 0.2, -0.4], 3, 1).unwrap(),
                ];
                let start = start.map(|s| tape.input(s, 4, 2).unwrap());
                let recorded = network.record_from(&mut tape, &parameters, &graphs, features, start).unwrap();
                let loss = tape.mean_square(recorded.answer).unwrap();
                tape.backward(loss).unwrap();
                (tape.value(recorded.rest).unwrap().to_vec(), tape.parameter_gradient().to_vec())
            };
            let (rest, gradient) = run(None);
            for start in [vec![7.0; 8], rest.clone()] {
                let (again, other) = run(Some(&start));
                let near = |a: &[f64], b: &[f64]| {
                    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-10 * (1.0 + b.abs()))
                };
                assert!(near(&again, &rest) && near(&other, &gradient), "{transition:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_built_is_refused() {
        let new = |a: GraphArchitecture| GraphNetwork::new::<f32>(a, 1).map(drop);
        let a = GraphArchitecture::new(1, 1, 1);
        assert!(matches!(
            new(GraphArchitecture { heads: 0, ..a.clone() }),
            Err(Error::Parameter { name: "heads", .. })
        ));
        let equilibrium = EquilibriumOptions { gamma: 1.0, ..a.equilibrium };
        assert!(matches!(
            new(GraphArchitecture { equilibrium, ..a }),
            Err(Error::Parameter { name: "gamma", .. })
        ));
    }
}
