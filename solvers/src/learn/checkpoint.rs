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
            return self
                .refuse(format!("tensor `{name}` is missing; use the checkpoint of a model of this kind"));
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
        Self::from_bytes(path, &bytes)
    }

    /// Reads what a file would hold, as [`load`](Self::load) does; `path` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] that says what is wrong.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self> {
        Self::read(path, bytes).map_err(|why| Error::Checkpoint { path: path.into(), why })
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
            return Err(format!(
                "its schema is {schema}, but {SCHEMA} is known; use the version that wrote it"
            ));
        }
        let text = |key: &str| about[key].as_str().map(String::from);
        let (Some(kind), Some(name), Some(config), Some(step)) =
            (text("kind"), text("name"), text("config"), about["step"].as_u64())
        else {
            return Err(
                "its metadata lack `kind`, `name`, `config` or `step`; train again to write it anew".into()
            );
        };
        let mut tensors = BTreeMap::new();
        for (name, view) in file.iter() {
            if !matches!(view.dtype(), Dtype::F32 | Dtype::F64 | Dtype::U64) {
                return Err(format!(
                    "tensor `{name}` is {:?}; only F32, F64 and U64 are known",
                    view.dtype()
                ));
            }
            let (dtype, shape, bytes) = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
            let tensor = Tensor { dtype, shape, bytes };
            if let Some(index) = tensor.not_finite() {
                return Err(format!(
                    "entry {index} of tensor `{name}` is not finite; use an earlier checkpoint"
                ));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::{Adam, AdamOptions, Initializer, Lbfgs, LbfgsOptions, Parameters, Random};

    /// A model with its optimisers and random numbers, trained on noisy gradients.
    struct Training {
        parameters: Parameters<f32>,
        adam: Adam<f32>,
        lbfgs: Lbfgs<f32>,
        random: Random,
        step: u64,
    }

    impl Training {
        fn new(seed: u64) -> Self {
            let mut parameters = Parameters::new(seed);
            parameters.linear("layer", 3, 2, Initializer::HeNormal).unwrap();
            let n = parameters.len();
            let adam = Adam::new(n, AdamOptions::default()).unwrap();
            let options = LbfgsOptions { memory: 3, ..LbfgsOptions::default() };
            let lbfgs = Lbfgs::new(n, options).unwrap();
            Self { parameters, adam, lbfgs, random: Random::new(seed, "noise"), step: 0 }
        }

        fn train(&mut self, steps: usize) {
            for _ in 0..steps {
                let values = self.parameters.values_mut();
                let noise = || 0.1 * self.random.normal() as f32;
                let gradient: Vec<f32> =
                    std::iter::repeat_with(noise).zip(&*values).map(|(n, v)| v + n).collect();
                self.adam.step(1e-2, &gradient, values).unwrap();
                let mut quartic = |x: &[f32], g: &mut [f32]| {
                    g.iter_mut().zip(x).for_each(|(g, x)| *g = x + x * x * x);
                    Ok(x.iter().map(|x| f64::from(0.5 * x * x + 0.25 * x * x * x * x)).sum())
                };
                if !self.step.is_multiple_of(3) {
                    self.lbfgs.step(values, &mut quartic).unwrap();
                }
                self.step += 1;
            }
        }

        fn checkpoint(&self) -> Checkpoint {
            let mut checkpoint = Checkpoint::new("test", "quartic", self.step).with_config("a = 1\n");
            self.parameters.store("", &mut checkpoint);
            self.adam.store("adam", &mut checkpoint);
            self.lbfgs.store("lbfgs", &mut checkpoint);
            self.random.store("noise", &mut checkpoint);
            checkpoint
        }

        fn resume(path: &Path) -> Self {
            let (mut training, mut checkpoint) = (Self::new(1), Checkpoint::load(path).unwrap());
            training.parameters.restore("", &mut checkpoint).unwrap();
            training.adam.restore("adam", &mut checkpoint).unwrap();
            training.lbfgs.restore("lbfgs", &mut checkpoint).unwrap();
            training.random.restore("noise", &mut checkpoint).unwrap();
            checkpoint.finish().unwrap();
            training.step = checkpoint.step();
            training
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("resolvent-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn training_resumes_bit_for_bit_from_any_step() {
        let folder = folder("resume");
        let path = folder.join("latest");
        let mut whole = Training::new(1);
        whole.train(12);
        for k in 0..12 {
            let mut first = Training::new(1);
            first.train(k);
            first.checkpoint().save(&path).unwrap();
            let mut second = Training::resume(&path);
            second.train(12 - k);
            assert_eq!(second.checkpoint(), whole.checkpoint(), "resumed at {k}");
        }
        // Equal states make equal files, and nothing else is left in the folder.
        whole.checkpoint().save(&folder.join("again")).unwrap();
        let mut other = Training::resume(&folder.join("again"));
        other.train(0);
        other.checkpoint().save(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), fs::read(folder.join("again")).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn damaged_files_are_refused_in_one_sentence() {
        let folder = folder("damage");
        let path = folder.join("checkpoint");
        Training::new(1).checkpoint().save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let error = Checkpoint::load(&path).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::Checkpoint { .. }) && text.contains("checkpoint: "), "{text}");
            assert!(!text.contains('\n'), "{text}");
            text
        };
        for end in 0..bytes.len() {
            refused(&bytes[..end]);
        }
        let mut long = bytes.clone();
        long.push(0);
        refused(&long);
        let mut huge = bytes.clone();
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        refused(&huge);
        let mut nan = bytes.clone();
        let end = nan.len();
        // The last tensors are the smallest numbers; the integers come first.
        nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(refused(&nan).contains("not finite"));
        let text = |from: &str, to: &str| {
            let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
            let mut bytes = bytes.clone();
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            bytes
        };
        assert!(refused(&text("\"schema\\\":1", "\"schema\\\":7")).contains("schema is 7"));
        assert!(refused(&text("\"schema\\\":1", "\"schemo\\\":1".trim_end())).contains("schema is 0"));
        assert!(refused(&text("\"resolvent\"", "\"resolvant\"")).contains("no checkpoint"));
        assert!(refused(&text("\\\"kind\\\"", "\\\"kine\\\"")).contains("lack"));
        for other in [b"".to_vec(), b"not a file of tensors at all".to_vec(), vec![0; 64]] {
            refused(&other);
        }
        fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(Checkpoint::load(&path), Err(Error::File { .. })));
        assert!(matches!(Training::new(1).checkpoint().save(&path), Err(Error::File { .. })));
    }

    #[test]
    fn another_model_is_refused_and_nothing_is_lost() {
        let mut checkpoint = Training::new(1).checkpoint();
        let mut wide = Parameters::<f32>::new(1);
        wide.linear("layer", 3, 4, Initializer::HeNormal).unwrap();
        let before = wide.values().to_vec();
        let text = wide.restore("", &mut checkpoint.clone()).unwrap_err().to_string();
        assert!(text.contains("`layer.weight` is F32 [3, 2], but F32 [3, 4] is needed"), "{text}");
        let mut double = Parameters::<f64>::new(1);
        double.linear("layer", 3, 2, Initializer::HeNormal).unwrap();
        assert!(double.restore("", &mut checkpoint.clone()).is_err());
        assert_eq!(wide.values(), before);
        let mut other = Parameters::<f32>::new(1);
        other.linear("other", 3, 2, Initializer::HeNormal).unwrap();
        assert!(other.restore("", &mut checkpoint.clone()).unwrap_err().to_string().contains("missing"));
        assert!(Random::new(1, "order").restore("noise", &mut checkpoint.clone()).is_err());
        Training::new(2).parameters.restore("", &mut checkpoint).unwrap();
        let text = checkpoint.finish().unwrap_err().to_string();
        assert!(text.contains("`adam/m` is unknown"), "{text}");
        // What is not finite does not replace a good file.
        let mut bad = Training::new(1);
        bad.parameters.values_mut()[1] = f32::NAN;
        let folder = folder("bad");
        let path = folder.join("latest");
        fs::write(&path, "good").unwrap();
        assert!(matches!(bad.checkpoint().save(&path), Err(Error::Checkpoint { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"good");
        fs::remove_dir_all(folder).unwrap();
    }
}
