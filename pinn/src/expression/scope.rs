//! The names an expression may use.

use super::formula::Refusal;
use super::graph::{Graph, Unary};
use super::read::Reader;
use super::{Fault, Formula, Function, Mistake};
use crate::{Error, Result, Vanishing};
use std::collections::BTreeMap;

pub(super) const FUNCTIONS: [(&str, Unary); 14] = [
    ("sin", Unary::Sin),
    ("cos", Unary::Cos),
    ("tan", Unary::Tan),
    ("asin", Unary::Asin),
    ("acos", Unary::Acos),
    ("atan", Unary::Atan),
    ("sinh", Unary::Sinh),
    ("cosh", Unary::Cosh),
    ("tanh", Unary::Tanh),
    ("exp", Unary::Exp),
    ("log", Unary::Log),
    ("sqrt", Unary::Sqrt),
    ("abs", Unary::Abs),
    ("sign", Unary::Sign),
];
/// Words with a meaning of their own beside [`FUNCTIONS`].
const WORDS: [&str; 8] = ["pi", "where", "min", "max", "atan2", "and", "or", "not"];

#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub arguments: Vec<String>,
    pub text: String,
}

/// Names and what they stand for: see the [module](super) for the language.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub(super) coordinates: Vec<String>,
    pub(super) unknowns: Vec<String>,
    pub(super) constants: BTreeMap<String, f64>,
    pub(super) trained: Vec<(String, f64)>,
    pub(super) columns: Vec<String>,
    pub(super) definitions: BTreeMap<String, Definition>,
    pub(super) exact: BTreeMap<String, String>,
    pub(super) ansatz: BTreeMap<String, String>,
    pub(super) vanishing: BTreeMap<String, Vanishing>,
}

impl Scope {
    /// Coordinates and unknown functions of them, in the order of the network's inputs and outputs.
    ///
    /// # Errors
    /// [`Error::Expression`] for a name that is none, is taken, or makes a derivative ambiguous.
    pub fn new(coordinates: &[&str], unknowns: &[&str]) -> Result<Self> {
        let mut scope = Self::default();
        for c in coordinates {
            scope.free(c)?;
            if let Some(other) = scope.coordinates.iter().find(|o| c.starts_with(*o) || o.starts_with(*c)) {
                let what = format!("the coordinates `{other}` and `{c}` begin alike");
                return Err(refuse(c, what, "a derivative such as `u_xx` must be readable in one way"));
            }
            scope.coordinates.push((*c).into());
        }
        for u in unknowns {
            scope.free(u)?;
            scope.unknowns.push((*u).into());
        }
        Ok(scope)
    }

    /// A number with a name.
    ///
    /// # Errors
    /// [`Error::Expression`] for a name that is none or taken, or a number that is not finite.
    pub fn parameter(&mut self, name: &str, value: f64) -> Result<()> {
        self.free(name)?;
        finite(name, value)?;
        self.constants.insert(name.into(), value);
        Ok(())
    }

    /// A number to be learnt, from a first value.
    ///
    /// # Errors
    /// As [`parameter`](Self::parameter).
    pub fn trainable(&mut self, name: &str, first: f64) -> Result<()> {
        self.free(name)?;
        finite(name, first)?;
        self.trained.push((name.into(), first));
        Ok(())
    }

    /// A column of data given at every point, such as a measurement.
    ///
    /// # Errors
    /// [`Error::Expression`] for a name that is none or taken.
    pub fn column(&mut self, name: &str) -> Result<()> {
        self.free(name)?;
        self.columns.push(name.into());
        Ok(())
    }

    /// A function, `q(x, y)`, or with `q` alone an abbreviation, and the text it stands for. It is read where it is used: what it
    /// names may be defined later.
    ///
    /// # Errors
    /// [`Error::Expression`] when the head is no name with arguments, or the name is taken.
    pub fn define(&mut self, head: &str, text: &str) -> Result<()> {
        let (name, arguments) = match head.split_once('(') {
            None => (head.trim(), Vec::new()),
            Some((name, rest)) => {
                let Some(inner) = rest.trim_end().strip_suffix(')') else {
                    return Err(refuse(head, "the arguments have no end", "write it like `q(x, y)`"));
                };
                (name.trim(), inner.split(',').map(|a| a.trim().to_string()).collect())
            }
        };
        self.free(name)?;
        if let Some(bad) = arguments.iter().find(|a| !is_name(a)) {
            return Err(refuse(head, format!("`{bad}` is no name"), "write it like `q(x, y)`"));
        }
        self.definitions.insert(name.into(), Definition { arguments, text: text.into() });
        Ok(())
    }

    /// The exact solution of an unknown, as a function of the coordinates: `exact_u`, `exact_u_x`.
    ///
    /// # Errors
    /// [`Error::Expression`] when there is no such unknown, or the text is wrong.
    pub fn exact(&mut self, unknown: &str, text: &str) -> Result<()> {
        if !self.unknowns.iter().any(|u| u == unknown) {
            let mend = format!("unknowns are {}", listed(&self.unknowns));
            return Err(refuse(unknown, format!("there is no unknown `{unknown}`"), &mend));
        }
        self.exact.insert(unknown.into(), text.into());
        self.function(text).map(drop)
    }

    /// What stands for an unknown everywhere: a text in which its own name is the output of the network. So conditions hold
    /// exactly: with `g + x*(1 - x)*u` for `u`, u is g at 0 and 1 whatever the network gives.
    ///
    /// ```
    /// use resolvent_pinn::expression::Scope;
    /// let mut scope = Scope::new(&["x"], &["u"])?;
    /// scope.ansatz("u", "1 + x*u")?;
    /// // (1 + x u)″ = 2 u′ + x u″
    /// let formula = scope.formula(&["u_xx"])?;
    /// assert_eq!(resolvent_pinn::Residual::<f64>::streams(&formula).count(), 3);
    /// # Ok::<(), resolvent_pinn::Error>(())
    /// ```
    ///
    /// # Reference
    /// I. E. Lagaris, A. Likas, D. I. Fotiadis, Artificial neural networks for solving ordinary and partial differential
    /// equations, IEEE Transactions on Neural Networks 9 (1998), doi:10.1109/72.712178.
    ///
    /// # Errors
    /// [`Error::Expression`] when there is no such unknown, it has one already, or the text is wrong.
    pub fn ansatz(&mut self, unknown: &str, text: &str) -> Result<()> {
        if !self.unknowns.iter().any(|u| u == unknown) {
            let mend = format!("unknowns are {}", listed(&self.unknowns));
            return Err(refuse(unknown, format!("there is no unknown `{unknown}`"), &mend));
        }
        if self.ansatz.contains_key(unknown) {
            let what = format!("`{unknown}` has an ansatz already");
            return Err(refuse(unknown, what, "write one that meets all conditions"));
        }
        self.formula(&[text])?;
        self.ansatz.insert(unknown.into(), text.into());
        Ok(())
    }

    /// A name for a function that vanishes on a part of a domain with the same coordinates in the same order.
    ///
    /// # Errors
    /// [`Error::Expression`] for a name that is none or taken, or a function of another number of coordinates.
    pub fn vanishing(&mut self, name: &str, of: &Vanishing) -> Result<()> {
        self.free(name)?;
        let (own, theirs) = (self.coordinates.len(), of.text().0.coordinates.len());
        if own != theirs {
            let what = format!("`{name}` is a function of {theirs} coordinates, not {own}");
            return Err(refuse(name, what, "take it from the domain of these coordinates"));
        }
        self.vanishing.insert(name.into(), of.clone());
        Ok(())
    }

    /// Names of the coordinates.
    pub fn coordinates(&self) -> &[String] {
        &self.coordinates
    }

    /// Names of the unknown functions.
    pub fn unknowns(&self) -> &[String] {
        &self.unknowns
    }

    /// Names of the columns of data.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Parameters to be learnt, with their first values.
    pub fn trained(&self) -> &[(String, f64)] {
        &self.trained
    }

    /// Residuals, each a text that must be zero, as one [`Residual`](crate::Residual).
    ///
    /// # Errors
    /// [`Error::Expression`], which points at the character.
    pub fn formula(&self, texts: &[&str]) -> Result<Formula> {
        let mut graph = Graph::default();
        let mut roots = Vec::new();
        for text in texts {
            let mut reader = Reader::new(self, &mut graph, false);
            roots.push(reader.number_of(text).map_err(|f| Error::from(f.within(text)))?);
        }
        Formula::new(self, graph, &roots).map_err(|e| match e {
            Refusal::Fault(f) => f.within(&texts.join("; ")).into(),
            Refusal::Error(e) => e,
        })
    }

    /// A function of the coordinates alone.
    ///
    /// # Errors
    /// [`Error::Expression`], which points at the character; also for an unknown or a trained parameter in it.
    pub fn function(&self, text: &str) -> Result<Function> {
        let mut graph = Graph::default();
        let root = Reader::new(self, &mut graph, true).number_of(text);
        root.map(|root| Function::new(self.coordinates.len(), &graph, root))
            .map_err(|f| f.within(text).into())
    }

    /// Whether a name may be given.
    fn free(&self, name: &str) -> Result<()> {
        if !is_name(name) {
            let mend = "use letters, digits and `_`, a letter first";
            return Err(refuse(name, format!("`{name}` is no name"), mend));
        }
        let taken = self.names().any(|n| n == name) || name.starts_with("exact_");
        if taken || FUNCTIONS.iter().any(|f| f.0 == name) || WORDS.contains(&name) {
            return Err(refuse(name, format!("the name `{name}` is taken"), "choose another"));
        }
        Ok(())
    }

    /// Every name given.
    fn names(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.coordinates, &self.unknowns, &self.columns];
        let lists = lists.into_iter().flatten().map(String::as_str);
        let keys = self.constants.keys().chain(self.definitions.keys()).chain(self.vanishing.keys());
        let keys = keys.map(String::as_str);
        lists.chain(keys).chain(self.trained.iter().map(|t| t.0.as_str()))
    }

    /// A mistake about a name nobody gave, with the nearest one that somebody did.
    pub(super) fn no_such(&self, at: usize, what: &str, name: &str) -> Fault {
        let known = self.names().chain(FUNCTIONS.iter().map(|f| f.0)).chain(WORDS);
        let nearest = known.map(|k| (strsim::damerau_levenshtein(k, name), k.len(), k)).min();
        let mend = match nearest {
            Some((d, _, k)) if d <= 1 + name.len() / 3 => format!("did you mean `{k}`?"),
            _ => format!("known are {}", self.names().collect::<Vec<_>>().join(", ")),
        };
        Fault::new(at, format!("there is no {what} `{name}`"), mend)
    }
}

fn refuse(text: &str, what: impl Into<String>, mend: &str) -> Error {
    Mistake { text: text.into(), at: 0, what: what.into(), mend: mend.into() }.into()
}

fn finite(name: &str, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(refuse(name, format!("`{name}` is {value}"), "a parameter must be finite"))
}

fn is_name(name: &str) -> bool {
    name.starts_with(char::is_alphabetic) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

pub(super) fn listed(names: &[String]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}
