//! Numbers that a reference solution is asked with, and their ranges.

use super::Reference;
use crate::{Error, Result};
use std::f64::consts::PI;
use std::fmt::Write;

/// A number with a name: a coefficient of the equation, or how it is solved.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name, as `--set` takes it.
    pub name: &'static str,
    /// A few words.
    pub about: &'static str,
    /// What it is when nothing is said.
    pub default: f64,
    /// What it may be.
    pub range: Range,
    /// Whether it is a coefficient of the equation, which a file names among its parameters.
    pub physical: bool,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// A number between two.
    Real(f64, f64),
    /// A whole number between two.
    Whole(u64, u64),
    /// An even number between two.
    Even(u64, u64),
    /// One of these words; the number is its place.
    Choice(&'static [&'static str]),
}

impl Setting {
    /// A coefficient of the equation.
    pub(super) const fn physical(
        name: &'static str,
        default: f64,
        low: f64,
        high: f64,
        about: &'static str,
    ) -> Self {
        Self { name, about, default, range: Range::Real(low, high), physical: true }
    }

    /// A whole number of how it is solved.
    pub(super) const fn whole(
        name: &'static str,
        default: u64,
        low: u64,
        high: u64,
        about: &'static str,
    ) -> Self {
        Self { name, about, default: default as f64, range: Range::Whole(low, high), physical: false }
    }

    /// An even number of how it is solved.
    pub(super) const fn even(
        name: &'static str,
        default: u64,
        low: u64,
        high: u64,
        about: &'static str,
    ) -> Self {
        Self { range: Range::Even(low, high), ..Self::whole(name, default, low, high, about) }
    }

    /// One of several words, the first unless another is asked for.
    pub(super) const fn choice(
        name: &'static str,
        words: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, about, default: 0.0, range: Range::Choice(words), physical: false }
    }

    fn refuse(&self, reference: &'static str, value: &str) -> Error {
        let needs = match self.range {
            Range::Real(low, high) => format!("a number from {low} to {high}, such as {}", self.default),
            Range::Whole(low, high) => {
                format!("a whole number from {low} to {high}, such as {}", self.default)
            }
            Range::Even(low, high) => {
                format!("an even number from {low} to {high}, such as {}", self.default)
            }
            Range::Choice(words) => format!("one of {}", words.join(", ")),
        };
        Error::Setting {
            of: reference,
            setting: self.name.into(),
            value: value.into(),
            needs: format!("give {needs}"),
        }
    }

    fn parse(&self, reference: &'static str, text: &str) -> Result<f64> {
        let value = match self.range {
            Range::Choice(words) => words.iter().position(|w| *w == text).map(|at| at as f64),
            _ => number(text),
        };
        let inside = |v: f64| match self.range {
            Range::Real(low, high) => (low..=high).contains(&v),
            Range::Whole(low, high) => v.fract() == 0.0 && (low as f64..=high as f64).contains(&v),
            Range::Even(low, high) => v % 2.0 == 0.0 && (low as f64..=high as f64).contains(&v),
            Range::Choice(_) => true,
        };
        value.filter(|v| inside(*v)).ok_or_else(|| self.refuse(reference, text))
    }
}

/// A number, or two with `/` or `*` between them; `pi` is one: `0.01/pi`.
fn number(text: &str) -> Option<f64> {
    let one = |t: &str| match t.trim() {
        "pi" => Some(PI),
        t => t.parse::<f64>().ok().filter(|v| v.is_finite()),
    };
    match (text.split_once('/'), text.split_once('*')) {
        (Some((a, b)), None) => Some(one(a)? / one(b)?),
        (None, Some((a, b))) => Some(one(a)? * one(b)?),
        _ => one(text),
    }
}

/// The values of the settings of one reference solution, all within their ranges; the seed, and how many trajectories.
///
/// ```
/// use resolvent_datasets::reference::Settings;
/// let settings = Settings::of("burgers")?.set("nu", "0.01/pi")?.set("n", "64")?.seed(3);
/// assert!(settings.command().starts_with("resolvent data make burgers --seed 3 --samples 1"));
/// assert!(settings.command().contains(" --set nu=0.00318"));
/// let e = Settings::of("burgers")?.set("nu", "-1").unwrap_err();
/// assert!(e.to_string().starts_with("burgers: nu = -1 is refused; give a number from 0.0001 to 100"));
/// # Ok::<(), resolvent_datasets::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    reference: &'static Reference,
    values: Vec<f64>,
    seed: u64,
    samples: usize,
}

/// More trajectories than anybody stores.
const MOST: usize = 1_000_000;

impl Settings {
    /// The defaults of the reference solution of a name: seed 0, one trajectory.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn of(name: &str) -> Result<Self> {
        let reference = Reference::named(name)?;
        Ok(Self {
            reference,
            values: reference.settings.iter().map(|s| s.default).collect(),
            seed: 0,
            samples: 1,
        })
    }

    /// Which solution they are of.
    pub fn reference(&self) -> &'static Reference {
        self.reference
    }

    /// With another value of a setting.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name it does not have; [`Error::Setting`] for a value outside its range.
    pub fn set(mut self, name: &str, value: &str) -> Result<Self> {
        let at = self.place(name)?;
        self.values[at] = self.reference.settings[at].parse(self.reference.name, value)?;
        Ok(self)
    }

    /// With another seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// With several trajectories.
    ///
    /// # Errors
    /// [`Error::Setting`] for none, more than a million, or more than one of a solution that has a single one.
    pub fn samples(self, samples: usize) -> Result<Self> {
        let most = if self.reference.random { MOST } else { 1 };
        if samples == 0 || samples > most {
            let needs = if self.reference.random {
                format!("a whole number from 1 to {MOST}")
            } else {
                "1: it has a single solution".into()
            };
            let (of, setting, value) = (self.reference.name, "samples".into(), samples.to_string());
            return Err(Error::Setting { of, setting, value, needs: format!("give {needs}") });
        }
        Ok(Self { samples, ..self })
    }

    fn place(&self, name: &str) -> Result<usize> {
        self.reference.settings.iter().position(|s| s.name == name).ok_or_else(|| {
            let known: Vec<&'static str> = self.reference.settings.iter().map(|s| s.name).collect();
            Error::unknown("setting", name, &known)
        })
    }

    /// The seed.
    pub fn get_seed(&self) -> u64 {
        self.seed
    }

    /// How many trajectories.
    pub fn get_samples(&self) -> usize {
        self.samples
    }

    /// The names and values of the coefficients of the equation.
    pub fn physical(&self) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        let all = self.reference.settings.iter().zip(&self.values);
        all.filter(|(s, _)| s.physical).map(|(s, v)| (s.name, *v))
    }

    /// The command that makes it, with every setting.
    pub fn command(&self) -> String {
        let mut text = format!(
            "resolvent data make {} --seed {} --samples {}",
            self.reference.name, self.seed, self.samples
        );
        for (setting, value) in self.reference.settings.iter().zip(&self.values) {
            // Writing to a string does not fail.
            let _ = match setting.range {
                Range::Choice(words) => write!(text, " --set {}={}", setting.name, words[*value as usize]),
                _ => write!(text, " --set {}={value}", setting.name),
            };
        }
        text
    }

    /// The value of a setting that the solution is known to have.
    pub(super) fn real(&self, name: &str) -> f64 {
        let at = self.reference.settings.iter().position(|s| s.name == name);
        debug_assert!(at.is_some(), "{} has no setting {name}", self.reference.name);
        at.map_or(f64::NAN, |at| self.values[at])
    }

    /// As [`real`](Self::real), of a whole number.
    pub(super) fn whole(&self, name: &str) -> usize {
        self.real(name) as usize
    }

    /// A refusal of a value that its range admits and the others do not.
    pub(super) fn refuse(&self, setting: &'static str, needs: impl Into<String>) -> Error {
        let value = self.real(setting).to_string();
        let needs = format!("give {}", needs.into());
        Error::Setting { of: self.reference.name, setting: setting.into(), value, needs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_parts_of_pi() {
        assert_eq!(number("0.01/pi"), Some(0.01 / PI));
        assert_eq!(number("32*pi"), Some(32.0 * PI));
        assert_eq!(number("1e-4"), Some(1e-4));
        for bad in ["", "pi pi", "1/0x", "1/2/3", "nan", "inf", "1*2/3"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn ranges_refuse_what_is_outside() {
        let refused = |range: Range, text: &str| {
            let setting = Setting { range, ..Setting::whole("s", 2, 0, 9, "") };
            setting.parse("r", text).is_err()
        };
        assert!(refused(Range::Real(0.0, 1.0), "1.5") && !refused(Range::Real(0.0, 1.0), "1"));
        assert!(refused(Range::Real(0.0, 1.0), "1/0"), "not finite");
        assert!(refused(Range::Whole(2, 9), "2.5") && refused(Range::Whole(2, 9), "10"));
        assert!(refused(Range::Even(2, 9), "3") && !refused(Range::Even(2, 9), "8"));
        assert!(refused(Range::Choice(&["a"]), "b") && !refused(Range::Choice(&["a"]), "a"));
    }
}
