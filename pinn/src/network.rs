//! The architecture of a network and the layout of its parameters.

use crate::activation::Activation;
use crate::feature::Feature;
use crate::simd::Real;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use std::ops::Range;

/// What a network is made of. Start from [`Architecture::dense`] and change what differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// Coordinates of a point.
    pub dim: usize,
    /// What the first layer sees of a point; [`Feature::standardised`] inputs train best.
    pub features: Vec<Feature>,
    /// The width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Numbers the network gives at a point.
    pub outputs: usize,
    /// The function between layers.
    pub activation: Activation,
    /// Whether every hidden layer mixes two encodings of the input, U and V: H ← (1 − Z) U + Z V with Z = φ(W H + b). All
    /// hidden layers then have the same width.
    ///
    /// # Reference
    /// S. Wang, Y. Teng, P. Perdikaris, Understanding and mitigating gradient flow pathologies in physics-informed neural
    /// networks, SIAM Journal on Scientific Computing 43 (2021), doi:10.1137/20M1318043.
    pub gated: bool,
    /// Whether weights are W = V diag(exp s), with a trained scale s for each output of a layer.
    ///
    /// # Reference
    /// S. Wang, H. Wang, J. H. Seidman, P. Perdikaris, Random weight factorization improves the training of continuous neural
    /// representations (2022), arXiv:2210.01274.
    pub factorised: bool,
    /// φ(ω (W h + b)) in hidden layers: 1, or the frequency of a sine network.
    ///
    /// # Reference
    /// V. Sitzmann et al., Implicit neural representations with periodic activation functions, NeurIPS (2020),
    /// arXiv:2006.09661.
    pub frequency: f64,
}

impl Architecture {
    /// tanh layers on the bare coordinates.
    pub fn dense(dim: usize, hidden: &[usize], outputs: usize) -> Self {
        Self {
            dim,
            features: Feature::standardised(&vec![0.0; dim], &vec![1.0; dim]),
            hidden: hidden.to_vec(),
            outputs,
            activation: Activation::Tanh,
            gated: false,
            factorised: false,
            frequency: 1.0,
        }
    }
}

/// What a block of parameters is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// A matrix `[inputs, outputs]`.
    Weight,
    /// An offset `[outputs]`.
    Bias,
    /// Logarithms of scales `[outputs]`.
    Scale,
}

/// A named block in the flat vector of parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// `layer.weight`, `layer.bias` or `layer.scale`.
    pub name: String,
    /// Entries along each axis, the last one contiguous.
    pub shape: Vec<usize>,
    /// Its entries.
    pub range: Range<usize>,
    /// What it is.
    pub role: Role,
}

/// A layer: where its parameters are and how they become W and b.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub inputs: usize,
    pub outputs: usize,
    pub weight: Range<usize>,
    pub bias: Range<usize>,
    pub scale: Option<Range<usize>>,
    /// The factor ω of W and b.
    pub gain: f64,
}

/// A network: an [`Architecture`] whose numbers were checked, and the layout of its parameters in one flat vector.
///
/// ```
/// use resolvent_pinn::{Architecture, Network};
/// let network = Network::new(Architecture::dense(2, &[50, 50], 1))?;
/// assert_eq!(network.parameters(), 2 * 50 + 50 + 50 * 50 + 50 + 50 + 1);
/// assert_eq!(network.blocks()[0].name, "hidden_0.weight");
/// let parameters: Vec<f32> = network.initial(7);
/// assert_eq!(parameters.len(), network.parameters());
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    architecture: Architecture,
    blocks: Vec<Block>,
    layers: Vec<Layer>,
    parameters: usize,
}

impl Network {
    /// Checks an architecture and lays out its parameters.
    ///
    /// # Errors
    /// [`Error::Network`] for no coordinates, features, outputs or hidden layers, a width of 0 or above 65,536, a feature whose
    /// weights do not fit or are not finite, gates between layers of different widths, a frequency that is not positive.
    pub fn new(architecture: Architecture) -> Result<Self> {
        check(&architecture)?;
        let a = &architecture;
        let mut network = Self { architecture: a.clone(), blocks: vec![], layers: vec![], parameters: 0 };
        let inputs = a.features.len();
        if a.gated {
            network.layer("gate_u", inputs, a.hidden[0], a.frequency);
            network.layer("gate_v", inputs, a.hidden[0], a.frequency);
        }
        let mut from = inputs;
        for (l, &width) in a.hidden.iter().enumerate() {
            network.layer(&format!("hidden_{l}"), from, width, a.frequency);
            from = width;
        }
        network.layer("output", from, a.outputs, 1.0);
        Ok(network)
    }

    fn layer(&mut self, name: &str, inputs: usize, outputs: usize, gain: f64) {
        let mut add = |part: &str, shape: Vec<usize>, role| {
            let range = self.parameters..self.parameters + shape.iter().product::<usize>();
            self.parameters = range.end;
            self.blocks.push(Block { name: format!("{name}.{part}"), shape, range: range.clone(), role });
            range
        };
        let weight = add("weight", vec![inputs, outputs], Role::Weight);
        let bias = add("bias", vec![outputs], Role::Bias);
        let scale = self.architecture.factorised.then(|| add("scale", vec![outputs], Role::Scale));
        self.layers.push(Layer { inputs, outputs, weight, bias, scale, gain });
    }

    /// What it was built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The length of its vector of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The blocks of that vector, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The layers in the order of their parameters: two gates if any, the hidden ones, the output.
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Initial parameters: biases 0 and weights normal with variance 2 / (inputs + outputs). Where weights are factorised,
    /// s is normal with mean 1 and deviation 0.1 and V = W diag(exp −s). Sine networks, those with a frequency other than 1,
    /// start uniform within ±1/inputs in the first layer and ±√(6/inputs)/ω in the others.
    ///
    /// # Reference
    /// X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS (2010).
    pub fn initial<T: Real>(&self, seed: u64) -> Vec<T> {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut values = vec![T::of(0.0); self.parameters];
        let frequency = self.architecture.frequency;
        let first = self.layers[0].inputs;
        for (number, layer) in self.layers.iter().enumerate() {
            let fan = layer.inputs as f64;
            let deviation = (2.0 / (layer.inputs + layer.outputs) as f64).sqrt();
            let early = layer.inputs == first && number < self.layers.len().min(3);
            let bound = if early { 1.0 / fan } else { (6.0 / fan).sqrt() / frequency };
            for w in &mut values[layer.weight.clone()] {
                *w = T::of(if frequency == 1.0 {
                    deviation * random.sample::<f64, _>(rand_distr::StandardNormal)
                } else {
                    bound * (2.0 * random.random::<f64>() - 1.0)
                });
            }
            if let Some(scale) = &layer.scale {
                for (o, at) in scale.clone().enumerate() {
                    let s = 1.0 + 0.1 * random.sample::<f64, _>(rand_distr::StandardNormal);
                    values[at] = T::of(s);
                    for i in 0..layer.inputs {
                        let w = &mut values[layer.weight.start + i * layer.outputs + o];
                        *w *= T::of((-s).exp());
                    }
                }
            }
        }
        values
    }
}

fn check(a: &Architecture) -> Result<()> {
    let refuse = |what, value, needs| Err(Error::Network { what, value, needs });
    for (what, value) in [
        ("the number of coordinates", a.dim),
        ("the number of features", a.features.len()),
        ("the number of hidden layers", a.hidden.len()),
        ("the number of outputs", a.outputs),
    ] {
        if value == 0 {
            return refuse(what, 0.0, "there must be at least one");
        }
    }
    let widths = a.hidden.iter().chain([&a.outputs]);
    if let Some(&w) = widths.clone().find(|w| **w == 0 || **w > 1 << 16) {
        return refuse("the width of a layer", w as f64, "use 1 to 65,536");
    }
    if let Some(&w) = a.hidden.iter().find(|w| a.gated && **w != a.hidden[0]) {
        return refuse(
            "the width of a layer",
            w as f64,
            "the hidden layers of a gated network have one width",
        );
    }
    for feature in &a.features {
        if feature.weights.len() != a.dim {
            let n = feature.weights.len() as f64;
            return refuse("the number of a feature's weights", n, "give one for each coordinate");
        }
        let numbers = feature.weights.iter().chain([&feature.shift]);
        if let Some(&v) = numbers.clone().find(|v| !v.is_finite()) {
            return refuse(
                "a weight of a feature",
                v,
                "it must be finite; look for a deviation or period of 0",
            );
        }
    }
    if !(a.frequency > 0.0 && a.frequency.is_finite()) {
        return refuse("the frequency", a.frequency, "use a positive number");
    }
    Ok(())
}
