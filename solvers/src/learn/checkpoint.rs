//! Training that was saved, in a file that Python reads.
//!
//! The file is one of `safetensors`: a header with the name, type, shape and place of each tensor, then the numbers. What is
//! no tensor (kind, name, step, configuration) is one JSON text under the key `resolvent` of the file's metadata, so that
//! equal states make equal files. In Python `safetensors.numpy.load_file(path)` gives the tensors by name.

use crate::{Error, Result, Scalar};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the metadata says of the layout of this file.
const SCHEMA: u64 = 1;

/// Something that is saved in a checkpoint under a name and takes up again what was saved.
pub trait State {
    /// Puts its tensors into the checkpoint, their names beginning with `name`.
    fn store(&self, name: &str, checkpoint: &mut Checkpoint);

    /// Takes its tensors out of the checkpoint; on an error it is as before.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a tensor that is missing or does not fit.
    fn restore(&mut self, name: &str, checkpoint: &mut Checkpoint) -> Result<()>;
}

/// Named tensors and a few words about them.
///
/// ```
/// use resolvent::learn::{Checkpoint, Initializer, Parameters, State};
/// let mut parameters = Parameters::<f32>::new(7);
/// parameters.linear("layer", 3, 2, Initializer::GlorotNormal)?;
/// let path = std::env::temp_dir().join(format!("resolvent-{}.safetensors", std::process::id()));
/// let mut checkpoint = Checkpoint::new("example", "small", 40);
/// parameters.store("", &mut checkpoint);
/// checkpoint.save(&path)?;
///
/// let mut again = Parameters::<f32>::new(8);
/// again.linear("layer", 3, 2, Initializer::GlorotNormal)?;
/// let mut checkpoint = Checkpoint::load(&path)?;
/// assert_eq!((checkpoint.kind(), checkpoint.step()), ("example", 40));
/// again.restore("", &mut checkpoint)?;
/// checkpoint.finish()?;
/// assert_eq!(again.values(), parameters.values());
/// # let _ = std::fs::remove_file(&path);
/// # Ok::<(), resolvent::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    path: PathBuf,
    kind: String,
    name: String,
    step: u64,
    config: String,
    tensors: BTreeMap<String, Tensor>,
}

#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Checkpoint {
    /// Without tensors: `kind` says what is trained, `name` which one, `step` how far.
    pub fn new(kind: &str, name: &str, step: u64) -> Self {
        Self { kind: kind.into(), name: name.into(), step, ..Self::default() }
    }

    /// With the text of the configuration it was trained by.
    pub fn with_config(self, config: &str) -> Self {
        Self { config: config.into(), ..self }
    }

    /// What was trained.
    pub fn kind(&self) -> &str {
        &self.kind
    }
    /// Which one.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Steps it was trained.
    pub fn step(&self) -> u64 {
        self.step
    }
    /// The text of its configuration.
    pub fn config(&self) -> &str {
        &self.config
    }
    /// The file it was loaded from; empty for a new one.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// The names of its tensors, in order.
    pub fn tensors(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Adds a tensor, or replaces the one of this name.
    ///
    /// # Panics
    /// When `values` has not as many entries as the shape.
    pub fn put<T: Scalar>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        assert_eq!(shape.iter().product::<usize>(), values.len(), "a tensor's entries fill its shape");
        let bytes = match dtype::<T>() {
            Dtype::F32 => values.iter().flat_map(|v| (v.f64() as f32).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| v.f64().to_le_bytes()).collect(),
        };
        let dtype = dtype::<T>();
        self.tensors.insert(name.into(), Tensor { dtype, shape: shape.into(), bytes });
    }

    /// Adds a vector of integers.
    pub fn put_integers(&mut self, name: &str, values: &[u64]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.tensors.insert(name.into(), Tensor { dtype: Dtype::U64, shape: vec![values.len()], bytes });
    }

    /// Takes out a tensor of this type and shape.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] when there is none, or it has another type or shape.
    pub fn take<T: Scalar>(&mut self, name: &str, shape: &[usize]) -> Result<Vec<T>> {
        let bytes = self.take_bytes(name, dtype::<T>(), shape)?;
        Ok(match dtype::<T>() {
            Dtype::F32 => numbers(&bytes, |b| T::of(f64::from(f32::from_le_bytes(b)))),
            _ => numbers(&bytes, |b| T::of(f64::from_le_bytes(b))),
        })
    }

    /// Takes out a vector of `n` integers.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_integers(&mut self, name: &str, n: usize) -> Result<Vec<u64>> {
        Ok(numbers(&self.take_bytes(name, Dtype::U64, &[n])?, u64::from_le_bytes))
    }

    fn take_bytes(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<Vec<u8>> {
        let Some(tensor) = self.tensors.get(name) else {
            return self.refuse(format!("tensor `{name}` is missing; use the checkpoint of a model of this kind"));
        };
        if (tensor.dtype, &tensor.shape[..]) != (dtype, shape) {
            return self.refuse(format!(
                "tensor `{name}` is {:?} {:?}, but {dtype:?} {shape:?} is needed; use the configuration it was trained with",
                tensor.dtype, tensor.shape
            ));
        }
        Ok(self.tensors.remove(name).map(|t| t.bytes).unwrap_or_default())
    }

    /// `Ok` when every tensor was taken.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] that names one nobody took.
    pub fn finish(&self) -> Result<()> {
        match self.tensors.keys().next() {
            None => Ok(()),
            Some(name) => self.refuse(format!(
                "tensor `{name}` is unknown to this model; use the configuration it was trained with"
            )),
        }
    }

    fn refuse<V>(&self, why: String) -> Result<V> {
        Err(Error::Checkpoint { path: self.path.clone(), why })
    }

    /// Writes a file: beside `path` first, then renamed, so that a file that was there stays whole until this one is.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for a number that is not finite; [`Error::File`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let refuse = |why: String| Err(Error::Checkpoint { path: path.into(), why });
        for (name, tensor) in &self.tensors {
            if let Some(index) = tensor.not_finite() {
                return refuse(format!(
                    "entry {index} of tensor `{name}` is not finite and was not saved; go back to an earlier checkpoint"
                ));
            }
        }
        let about = json!({
            "schema": SCHEMA, "version": env!("CARGO_PKG_VERSION"), "kind": self.kind, "name": self.name,
            "step": self.step, "config": self.config,
        });
        let views = self.tensors.iter().map(|(name, t)| {
            TensorView::new(t.dtype, t.shape.clone(), &t.bytes).map(|view| (name.as_str(), view))
        });
        let metadata = HashMap::from([(KEY.to_string(), about.to_string())]);
        let bytes = views
            .collect::<Result<Vec<_>, _>>()
            .and_then(|views| safetensors::serialize(views, Some(metadata)));
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => return refuse(format!("it cannot be written: {error}")),
        };
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        let written = File::create(&beside)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, path));
        written.map_err(|source| {
            let _ = fs::remove_file(&beside);
            Error::File { path: path.into(), source }
        })
    }

    /// Reads a file and checks all of it: sizes against the file's length, every number for being finite.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Checkpoint`] that says what is wrong.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|source| Error::File { path: path.into(), source })?;
        Self::read(path, &bytes).map_err(|why| Error::Checkpoint { path: path.into(), why })
    }

    fn read(path: &Path, bytes: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damage)?;
        let file = SafeTensors::deserialize(bytes).map_err(damage)?;
        let about = header.metadata().as_ref().and_then(|m| m.get(KEY));
        let about: Value = about
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or("it is no checkpoint of resolvent; its metadata lack the key `resolvent`")?;
        let schema = about["schema"].as_u64().unwrap_or(0);
        if schema != SCHEMA {
            return Err(format!("its schema is {schema}, but {SCHEMA} is known; use the version that wrote it"));
        }
        let text = |key: &str| about[key].as_str().map(String::from);
        let (Some(kind), Some(name), Some(config), Some(step)) =
            (text("kind"), text("name"), text("config"), about["step"].as_u64())
        else {
            return Err("its metadata lack `kind`, `name`, `config` or `step`; train again to write it anew".into());
        };
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            if !matches!(view.dtype(), Dtype::F32 | Dtype::F64 | Dtype::U64) {
                return Err(format!("tensor `{name}` is {:?}; only F32, F64 and U64 are known", view.dtype()));
            }
            let (dtype, shape, bytes) = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
            let tensor = Tensor { dtype, shape, bytes };
            if let Some(index) = tensor.not_finite() {
                return Err(format!("entry {index} of tensor `{name}` is not finite; use an earlier checkpoint"));
            }
            tensors.insert(name.into(), tensor);
        }
        Ok(Self { path: path.into(), kind, name, step, config, tensors })
    }
}

/// The key of the metadata.
const KEY: &str = "resolvent";

impl Tensor {
    fn not_finite(&self) -> Option<usize> {
        match self.dtype {
            Dtype::F32 => numbers(&self.bytes, f32::from_le_bytes).iter().position(|v| !v.is_finite()),
            Dtype::F64 => numbers(&self.bytes, f64::from_le_bytes).iter().position(|v| !v.is_finite()),
            _ => None,
        }
    }
}

fn dtype<T: Scalar>() -> Dtype {
    if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
}

fn numbers<V, const N: usize>(bytes: &[u8], of: impl Fn([u8; N]) -> V) -> Vec<V> {
    bytes.as_chunks::<N>().0.iter().map(|b| of(*b)).collect()
}

fn damage(error: SafeTensorError) -> String {
    match error {
        SafeTensorError::HeaderTooSmall
        | SafeTensorError::InvalidHeaderLength
        | SafeTensorError::MetadataIncompleteBuffer => {
            "it is cut short or no safetensors file; use an earlier checkpoint".into()
        }
        error => format!("it is damaged or no safetensors file ({error}); use an earlier checkpoint"),
    }
}
