//! A network with its weights, as a file.

use super::dcdm::{self, Dcdm, Layers};
use super::image::{IMAGES, check_image, image};
use super::masked::{self, Masked, MaskedLayers};
use super::proposal::{Evaluate, Proposal};
use crate::learn::{Checkpoint, Parameters, State, Tape, Var};
use crate::{Error, Grid, Result, Scalar, Stencil};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What checkpoints of models say they are.
const KIND: &str = "direction";
/// The most layers of a kind, and the most channels, that a file may ask for.
const MOST: u64 = 256;

/// The networks there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Architecture {
    /// Rectified convolutions with one coarse branch.
    Dcdm(Dcdm),
    /// Linear in the residual, with kernels made of what is around each cell.
    Masked(Masked),
}

/// The layers of either.
#[derive(Clone, Debug)]
enum Network {
    Dcdm(Dcdm, Layers),
    Masked(MaskedLayers),
}

impl Architecture {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dcdm(_) => "dcdm",
            Self::Masked(_) => "linear",
        }
    }

    /// Dimensions of its grids.
    pub fn dim(self) -> usize {
        match self {
            Self::Dcdm(network) => network.dim,
            Self::Masked(network) => network.dim,
        }
    }

    /// Multiplications of one evaluation, for each cell.
    pub fn cost(self) -> f64 {
        match self {
            Self::Dcdm(network) => network.cost(),
            Self::Masked(network) => network.cost(),
        }
    }

    fn to_json(self) -> Value {
        let mut about = match self {
            Self::Dcdm(Dcdm { dim, before, coarse, after, channels }) => json!({
                "dim": dim, "before": before, "coarse": coarse, "after": after, "channels": channels,
            }),
            Self::Masked(Masked { dim, levels }) => json!({ "dim": dim, "levels": levels }),
        };
        about["architecture"] = json!(self.name());
        about
    }

    fn from_json(about: &Value) -> std::result::Result<Self, String> {
        let number = |key: &str, least: u64, most: u64| {
            let value = about[key].as_u64().filter(|v| (least..=most).contains(v));
            value
                .map(|v| v as usize)
                .ok_or_else(|| format!("its `{key}` is {}, but {least} to {most} are possible", about[key]))
        };
        match about["architecture"].as_str().unwrap_or("") {
            "dcdm" => Ok(Self::Dcdm(Dcdm {
                dim: number("dim", 2, 3)?,
                before: number("before", 0, MOST)?,
                coarse: number("coarse", 0, MOST)?,
                after: number("after", 0, MOST)?,
                channels: number("channels", 1, MOST)?,
            })),
            "linear" => {
                Ok(Self::Masked(Masked { dim: number("dim", 2, 3)?, levels: number("levels", 0, 16)? }))
            }
            name => Err(format!("its architecture is `{name}`, but dcdm and linear are known")),
        }
    }
}

/// What a network looks at of an operator besides residuals.
#[derive(Clone, Debug)]
pub struct View {
    grid: Grid,
    image: Vec<f32>,
}

/// A network with its weights.
///
/// A file is one of `safetensors` with a tensor for each parameter, kernels as `[z, y, x, inputs, outputs]`; its metadata say
/// which network it is, for how many dimensions, and what it was trained on. It serves grids of every size.
#[derive(Clone, Debug)]
pub struct Model {
    architecture: Architecture,
    network: Network,
    parameters: Parameters<f32>,
    trained_on: String,
    steps: u64,
    path: PathBuf,
}

impl Model {
    /// With the weights that training starts from.
    ///
    /// # Errors
    /// [`Error::Memory`], [`Error::Layout`].
    pub fn new(architecture: Architecture, seed: u64) -> Result<Self> {
        let (parameters, network) = match architecture {
            Architecture::Dcdm(network) => {
                let (parameters, layers) = network.parameters(seed)?;
                (parameters, Network::Dcdm(network, layers))
            }
            Architecture::Masked(network) => {
                let (parameters, layers) = network.parameters(seed)?;
                (parameters, Network::Masked(layers))
            }
        };
        let (trained_on, path) = (String::new(), PathBuf::new());
        Ok(Self { architecture, network, parameters, trained_on, steps: 0, path })
    }

    /// With other weights; `trained_on` says in a few words how they were found, in how many steps.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn with_weights(mut self, weights: &[f32], trained_on: &str, steps: u64) -> Result<Self> {
        self.parameters.copy(weights)?;
        Ok(Self { trained_on: trained_on.into(), steps, ..self })
    }

    /// Which network it is.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }
    /// Its weights.
    pub fn parameters(&self) -> &Parameters<f32> {
        &self.parameters
    }
    /// How the weights were found, in a few words; empty for those that training starts from.
    pub fn trained_on(&self) -> &str {
        &self.trained_on
    }
    /// Steps it was trained.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The network for an operator: on its grid, looking at what it looks at of it.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a grid of another dimension; [`Error::Unsuited`] for an operator with a coefficient for every
    /// face and a network that looks at solids and air; [`Error::Memory`].
    pub fn on(&self, a: &Stencil) -> Result<Proposal> {
        let (grid, p) = (a.grid(), &self.parameters);
        self.check(grid)?;
        let evaluation: Box<dyn Evaluate> = match &self.network {
            Network::Dcdm(network, layers) => Box::new(dcdm::Evaluation::new(*network, layers, p, grid)?),
            Network::Masked(layers) => Box::new(masked::Evaluation::new(layers, p, grid, image(a)?)?),
        };
        Ok(Proposal::new(grid.cells(), evaluation))
    }

    /// As [`on`](Self::on), on a device.
    ///
    /// # Errors
    /// As [`on`](Self::on); [`Error::Device`].
    #[cfg(feature = "cuda")]
    pub fn on_device(&self, space: &crate::Device<f64>, a: &Stencil) -> Result<super::DeviceProposal> {
        use super::device::Evaluate;
        let (grid, p) = (a.grid(), &self.parameters);
        self.check(grid)?;
        let evaluation: Box<dyn Evaluate> = match &self.network {
            Network::Dcdm(network, layers) => {
                Box::new(dcdm::DeviceEvaluation::new(space, *network, layers, p, grid)?)
            }
            Network::Masked(layers) => {
                let host = masked::Evaluation::new(layers, p, grid, image(a)?)?;
                Box::new(masked::DeviceEvaluation::new(space, &host)?)
            }
        };
        Ok(super::DeviceProposal::new(grid.cells(), evaluation))
    }

    /// Whether it can look at an operator.
    ///
    /// # Errors
    /// As [`on`](Self::on), but for memory.
    pub(crate) fn check_on(&self, a: &Stencil) -> Result<()> {
        self.check(a.grid())?;
        match self.network {
            Network::Masked(_) => check_image(a),
            Network::Dcdm(..) => Ok(()),
        }
    }

    fn check(&self, grid: Grid) -> Result<()> {
        let (dim, is) = (self.architecture.dim(), grid.dim());
        if dim == is {
            return Ok(());
        }
        let why = format!(
            "the model is for {dim}-D grids, and this grid is {is}-D; use a model that was trained in {is}-D"
        );
        Err(Error::Checkpoint { path: self.path.clone(), why })
    }

    /// What the network looks at of an operator besides residuals, for [`record`](Self::record).
    ///
    /// # Errors
    /// As [`on`](Self::on).
    pub fn view(&self, a: &Stencil) -> Result<View> {
        self.check(a.grid())?;
        let image = if let Network::Masked(_) = self.network { image(a)? } else { vec![] };
        Ok(View { grid: a.grid(), image })
    }

    /// Records the proposals for residuals x `[samples × cells, 1]` of an operator, with `parameters` in the place of the model's
    /// own: → `[samples × cells, 1]`.
    ///
    /// # Errors
    /// [`Error::Operands`]; [`Error::Length`] when the step was not started with these parameters.
    pub fn record<T: Scalar>(
        &self,
        tape: &mut Tape<T>,
        parameters: &Parameters<T>,
        view: &View,
        x: Var,
    ) -> Result<Var> {
        match &self.network {
            Network::Dcdm(_, layers) => layers.record(tape, parameters, view.grid, x),
            Network::Masked(layers) => {
                let image: Vec<T> = view.image.iter().map(|v| T::of(f64::from(*v))).collect();
                let image = tape.input(&image, view.grid.cells(), IMAGES)?;
                layers.record(tape, parameters, view.grid, image, x)
            }
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// As [`Checkpoint::save`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut about = self.architecture.to_json();
        about["trained_on"] = json!(self.trained_on);
        let checkpoint = Checkpoint::new(KIND, self.architecture.name(), self.steps);
        let mut checkpoint = checkpoint.with_config(&about.to_string());
        self.parameters.store("", &mut checkpoint);
        checkpoint.save(path)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Checkpoint`] for a file that is damaged, or no model.
    pub fn load(path: &Path) -> Result<Self> {
        Self::take(Checkpoint::load(path)?)
    }

    pub(super) fn take(mut checkpoint: Checkpoint) -> Result<Self> {
        let path = checkpoint.path().to_path_buf();
        let refuse = |why: String| Error::Checkpoint { path: path.clone(), why };
        if checkpoint.kind() != KIND {
            return Err(refuse(format!(
                "it holds a `{}`, and a model of directions is needed; train one with `resolvent train direction.toml`",
                checkpoint.kind()
            )));
        }
        let about: Value = serde_json::from_str(checkpoint.config()).unwrap_or_default();
        let mend = "use a model that this version wrote";
        let architecture =
            Architecture::from_json(&about).map_err(|what| refuse(format!("{what}; {mend}")))?;
        let mut model = Self::new(architecture, 0)?;
        model.parameters.restore("", &mut checkpoint)?;
        checkpoint.finish()?;
        let trained_on = about["trained_on"].as_str().unwrap_or_default().into();
        Ok(Self { trained_on, steps: checkpoint.step(), path, ..model })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Poisson};

    #[test]
    fn a_file_gives_the_model_back_and_damage_is_refused_by_name() {
        let folder = std::env::temp_dir().join(format!("resolvent-model-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("model.safetensors");
        let network = Dcdm { channels: 3, ..Dcdm::small(2) };
        let model = Model::new(Architecture::Dcdm(network), 7).unwrap();
        let weights: Vec<f32> = model.parameters().values().iter().map(|w| 2.0 * w).collect();
        let model = model.with_weights(&weights, "a test", 12).unwrap();
        model.save(&path).unwrap();
        let again = Model::load(&path).unwrap();
        assert_eq!(again.parameters().values(), weights);
        assert_eq!(
            (again.architecture(), again.trained_on(), again.steps()),
            (model.architecture, "a test", 12)
        );
        let cube = Poisson::new(Grid::new_3d(4, 4, 4).unwrap(), [[Boundary::DIRICHLET; 2]; 3]).unwrap();
        let refused = again.on(&cube.into()).err().unwrap().to_string();
        assert!(refused.contains("model.safetensors: the model is for 2-D grids"), "{refused}");

        let bytes = std::fs::read(&path).unwrap();
        let text = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Model::load(&path).unwrap_err().to_string()
        };
        for end in [0, 7, 40, bytes.len() / 2, bytes.len() - 1] {
            let why = text(&bytes[..end]);
            assert!(why.contains("model.safetensors"), "{end}: {why}");
        }
        for (from, to, expected) in [
            ("\\\\\\\"dim\\\\\\\":2", "\\\\\\\"dim\\\\\\\":3", "tensor"),
            ("\\\\\\\"dim\\\\\\\":2", "\\\\\\\"dim\\\\\\\":9", "its `dim` is 9"),
            ("\\\\\\\"before\\\\\\\":1", "\\\\\\\"before\\\\\\\":2", "tensor `before_1a.weight` is missing"),
            // The name of the checkpoint is the same word, without these signs.
            ("\\\\\\\"dcdm", "\\\\\\\"dcdn", "its architecture is `dcdn`"),
            ("direction", "pirection", "it holds a `pirection`"),
        ] {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes());
            let mut bytes = bytes.clone();
            let at = at.unwrap_or_else(|| panic!("{from} is in the file"));
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            let why = text(&bytes);
            assert!(why.contains("model.safetensors") && why.contains(expected), "{to}: {why}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
