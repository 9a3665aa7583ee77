//! A set as it was asked for: every setting, checked by name.

use super::{Cost, Maker, Outcome, Watch, room};
use crate::{Error, Result, output};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

/// A maker with its settings, seed and number of samples.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("graphs.h5");
/// use resolvent_datasets::{Maker, Recipe, graph::GraphSet};
/// use std::ops::ControlFlow;
/// let recipe = Recipe::new(Maker::named("value-iteration")?, 7, Some(10), &[("states", "20..29")])?;
/// recipe.make(&path, &mut |_| ControlFlow::Continue(()))?;
/// let set = GraphSet::<f32>::read(&path)?;
/// assert_eq!(set.len(), 10);
/// assert!((20..=29).contains(&set.get(3).nodes));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Recipe {
    maker: &'static Maker,
    seed: u64,
    samples: usize,
    values: Vec<String>,
}

impl Recipe {
    /// Every setting that is not named has its default.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a setting the maker does not have; [`Error::Setting`] for one that is set twice, and for a
    /// number of samples where the settings determine it.
    pub fn new(
        maker: &'static Maker,
        seed: u64,
        samples: Option<usize>,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let mut values: Vec<Option<String>> = vec![None; maker.settings.len()];
        for (name, value) in settings {
            let place = maker.settings.iter().position(|s| s.name == *name).ok_or_else(|| {
                let known: Vec<&'static str> = maker.settings.iter().map(|s| s.name).collect();
                Error::unknown("setting", name, &known)
            })?;
            if values[place].replace((*value).into()).is_some() {
                return Err(setting(maker, name, value, "it is set twice; set it once"));
            }
        }
        let values =
            values.into_iter().zip(maker.settings).map(|(v, s)| v.unwrap_or_else(|| s.default.into()));
        let samples = match (maker.samples, samples) {
            (None, Some(n)) => {
                let needs = "the settings determine how many there are; leave it out";
                return Err(setting(maker, "samples", &n.to_string(), needs));
            }
            (Some(_), Some(0)) => {
                return Err(setting(maker, "samples", "0", "at least one is needed"));
            }
            (Some((default, _)), samples) => samples.unwrap_or(default),
            (None, None) => 0,
        };
        Ok(Self { maker, seed, samples, values: values.collect() })
    }

    /// Which kind of set.
    pub fn maker(&self) -> &'static Maker {
        self.maker
    }
    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }
    /// How many samples; 0 when the settings determine it.
    pub fn samples(&self) -> usize {
        self.samples
    }
    /// Names and values of all settings.
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.maker.settings.iter().map(|s| s.name).zip(self.values.iter().map(String::as_str))
    }

    /// The command that makes the same set, without its file.
    pub fn command(&self) -> String {
        let mut text = format!("resolvent data make {} --seed {}", self.maker.name, self.seed);
        if self.maker.samples.is_some() {
            text += &format!(" --samples {}", self.samples);
        }
        self.settings().for_each(|(name, value)| text += &format!(" --set {name}={value}"));
        text
    }

    /// What making the set takes.
    ///
    /// # Errors
    /// [`Error::Setting`], and those of the maker's own checks.
    pub fn cost(&self) -> Result<Cost> {
        (self.maker.cost)(self)
    }

    /// Makes the set: beside the file, and renamed when it is complete. What an interrupted request left is gone on with.
    ///
    /// # Errors
    /// As [`cost`](Self::cost); [`Error::Room`] when memory or disk are short; [`Error::Unfinished`] when another request's
    /// unfinished work is in the way; [`Error::Write`]; [`Error::Memory`].
    pub fn make(&self, path: &Path, watch: &mut Watch) -> Result<Outcome> {
        let cost = self.cost()?;
        output::probe(path)?;
        room::check(self, &cost, path)?;
        (self.maker.make)(self, path, watch)
    }

    /// A setting as text.
    pub(crate) fn text(&self, name: &'static str) -> &str {
        self.settings().find(|(n, _)| *n == name).map_or("", |(_, v)| v)
    }

    /// A number that `good` accepts.
    pub(crate) fn number<T: FromStr>(
        &self,
        name: &'static str,
        needs: &'static str,
        good: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let text = self.text(name);
        text.parse().ok().filter(good).ok_or_else(|| self.refuse(name, needs))
    }

    /// A range `low..high`, both ends included, or one number for both.
    pub(crate) fn range(
        &self,
        name: &'static str,
        needs: &'static str,
        bounds: RangeInclusive<usize>,
    ) -> Result<RangeInclusive<usize>> {
        let text = self.text(name);
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        match (low.parse::<usize>(), high.trim_start_matches('=').parse::<usize>()) {
            (Ok(low), Ok(high)) if low <= high && bounds.contains(&low) && bounds.contains(&high) => {
                Ok(low..=high)
            }
            _ => Err(self.refuse(name, needs)),
        }
    }

    /// The error of a setting.
    pub(crate) fn refuse(&self, name: &'static str, needs: &'static str) -> Error {
        setting(self.maker, name, self.text(name), needs)
    }
}

fn setting(maker: &Maker, name: &str, value: &str, needs: &'static str) -> Error {
    Error::Setting { of: maker.name, setting: name.into(), value: value.into(), needs: needs.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, MAKERS};

    #[test]
    fn defaults_are_accepted_and_the_command_makes_the_same_recipe() {
        for maker in &MAKERS {
            let recipe = Recipe::new(maker, 3, None, &[]).unwrap();
            if maker.name != "tu" {
                recipe.cost().unwrap_or_else(|e| panic!("{}: {e}", maker.name));
            }
            let command = recipe.command();
            let words: Vec<&str> = command.split(' ').collect();
            let settings: Vec<(&str, &str)> =
                words.iter().filter_map(|w| w.split_once('=')).filter(|(n, _)| !n.is_empty()).collect();
            assert_eq!(Recipe::new(maker, 3, None, &settings).unwrap().command(), command);
        }
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_the_mend() {
        let maker = Maker::named("value-iteration").unwrap();
        let e = Recipe::new(maker, 0, None, &[("state", "3")]).err().unwrap();
        assert!(e.to_string().contains("did you mean `states`?"), "{e}");
        for settings in
            [&[("states", "20"), ("states", "30")][..], &[("states", "30..20")], &[("actions", "x")]]
        {
            let e = Recipe::new(maker, 0, None, settings).and_then(|r| r.cost()).err().unwrap();
            assert!(matches!(e, Error::Setting { .. }) && e.kind() == ErrorKind::Usage, "{e}");
        }
        assert!(matches!(Recipe::new(maker, 0, Some(0), &[]), Err(Error::Setting { .. })));
        let frames = Maker::named("projection").unwrap();
        let e = Recipe::new(frames, 0, Some(5), &[]).err().unwrap();
        assert_eq!(
            e.to_string(),
            "projection: samples = 5 is refused; the settings determine how many there are; leave it out"
        );
    }

    #[test]
    fn more_than_there_is_room_for_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.h5");
        let settings = [("n", "1000"), ("m", "100000")];
        let recipe = Recipe::new(Maker::named("directions").unwrap(), 0, None, &settings).unwrap();
        let e = recipe.make(&path, &mut |_| std::ops::ControlFlow::Continue(())).unwrap_err();
        assert!(matches!(e, Error::Room { .. }) && e.kind() == ErrorKind::Resource, "{e}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
