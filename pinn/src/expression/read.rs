//! Text read into a graph, by the names of a scope.

use super::Fault;
use super::differentiate::{differentiate, total};
use super::graph::{Binary, Graph, Id, Node, Unary};
use super::parse::{Meaning, parse};
use super::scope::{FUNCTIONS, Scope, listed};
use crate::{Derivative, MAX_ORDER};

/// Definitions within definitions.
const NESTED: usize = 30;

/// Reads text into a graph.
pub(super) struct Reader<'a> {
    scope: &'a Scope,
    graph: &'a mut Graph,
    /// Whether only coordinates may occur.
    closed: bool,
    /// The arguments of the definition being read.
    arguments: Vec<(String, Value)>,
    depth: usize,
    /// Whether an ansatz is being read, where unknowns are outputs of the network.
    bare: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Value {
    Number(Id),
    Truth(Id),
}

impl<'a> Reader<'a> {
    pub fn new(scope: &'a Scope, graph: &'a mut Graph, closed: bool) -> Self {
        Self { scope, graph, closed, arguments: Vec::new(), depth: 0, bare: false }
    }

    pub fn number_of(&mut self, text: &str) -> Result<Id, Fault> {
        let value = parse(text, self)?;
        number(0, value)
    }

    /// Reads the text of a definition; a mistake in it is told at the place of its use.
    fn within(
        &mut self,
        at: usize,
        name: &str,
        text: &str,
        arguments: Vec<(String, Value)>,
    ) -> Result<Value, Fault> {
        if self.depth >= NESTED {
            let what = format!("definitions nest deeper than {NESTED} at `{name}`");
            return Err(Fault::new(at, what, "a definition must not use itself"));
        }
        let outer = std::mem::replace(&mut self.arguments, arguments);
        self.depth += 1;
        let value = parse(text, self);
        self.depth -= 1;
        self.arguments = outer;
        value.map_err(|f| {
            let what = format!("in `{name}` = `{text}`, character {}: {}", f.at, f.what);
            Fault::new(at, what, f.mend)
        })
    }

    /// `u_xy` of an unknown u, if `name` is one.
    fn derivative(&mut self, at: usize, name: &str) -> Result<Option<Value>, Fault> {
        let (exact, name) = name.strip_prefix("exact_").map_or((false, name), |rest| (true, rest));
        let scope = self.scope;
        let candidates = scope.unknowns.iter().enumerate().filter_map(|(i, u)| {
            let rest = name.strip_prefix(u.as_str())?;
            if rest.is_empty() { Some((i, "")) } else { rest.strip_prefix('_').map(|rest| (i, rest)) }
        });
        // The unknown with the longest name leaves the shortest rest.
        let Some((unknown, rest)) = candidates.min_by_key(|c| c.1.len()) else { return Ok(None) };
        let mut axes = Vec::new();
        let mut left = rest;
        while !left.is_empty() {
            let names = scope.coordinates.iter().enumerate();
            let Some((axis, next)) =
                names.filter_map(|(i, c)| Some((i, left.strip_prefix(c.as_str())?))).next()
            else {
                let what = format!("`{left}` in `{name}` is no coordinate");
                return Err(Fault::new(at, what, format!("coordinates are {}", listed(&scope.coordinates))));
            };
            axes.push(axis);
            left = next.strip_prefix('_').filter(|l| !l.is_empty()).unwrap_or(next);
        }
        if axes.len() > MAX_ORDER {
            let mend = format!("write it with another unknown: orders up to {MAX_ORDER} are propagated");
            return Err(Fault::new(at, format!("`{name}` is a derivative of order {}", axes.len()), mend));
        }
        if exact {
            return self.exact(at, &scope.unknowns[unknown], &axes).map(Some);
        }
        if self.closed {
            let mend = "only coordinates, parameters and definitions of them may occur here";
            return Err(Fault::new(at, format!("`{name}` is unknown"), mend));
        }
        if let (Some(text), false) = (scope.ansatz.get(&scope.unknowns[unknown]), self.bare) {
            return self.ansatz(at, &scope.unknowns[unknown], text, &axes).map(Some);
        }
        let derivative = Derivative::along(scope.coordinates.len(), &axes)
            .map_err(|e| Fault::new(at, e.to_string(), "check the derivative"))?;
        self.graph.insert(Node::Stream(unknown as u32, derivative)).map(|id| Some(Value::Number(id)))
    }

    fn exact(&mut self, at: usize, unknown: &str, axes: &[usize]) -> Result<Value, Fault> {
        let Some(text) = self.scope.exact.get(unknown) else {
            let mend = format!("give one: exact = {{ {unknown} = \"…\" }}");
            return Err(Fault::new(at, format!("`{unknown}` has no exact solution"), mend));
        };
        let value = self.within(at, &format!("exact_{unknown}"), text, Vec::new())?;
        let mut id = number(at, value)?;
        for &axis in axes {
            id = differentiate(self.graph, &[id], &Node::Coordinate(axis as u32))?[0];
        }
        Ok(Value::Number(id))
    }

    fn ansatz(&mut self, at: usize, unknown: &str, text: &str, axes: &[usize]) -> Result<Value, Fault> {
        self.bare = true;
        let value = self.within(at, unknown, text, Vec::new());
        self.bare = false;
        let mut id = number(at, value?)?;
        for &axis in axes {
            id = total(self.graph, id, axis).map_err(|f| Fault { at, ..f })?;
        }
        Ok(Value::Number(id))
    }

    fn one(&mut self) -> Result<Id, Fault> {
        self.graph.constant(1.0)
    }
}

fn number(at: usize, value: Value) -> Result<Id, Fault> {
    match value {
        Value::Number(id) => Ok(id),
        Value::Truth(_) => {
            let mend = "choose numbers by it: `where(x < 0.5, 1, 0)`";
            Err(Fault::new(at, "a condition stands where a number is needed", mend))
        }
    }
}

fn truth(at: usize, value: Value) -> Result<Id, Fault> {
    match value {
        Value::Truth(id) => Ok(id),
        Value::Number(_) => {
            Err(Fault::new(at, "a number stands where a condition is needed", "compare it: `x > 0`"))
        }
    }
}

impl Meaning for Reader<'_> {
    type Value = Value;

    fn number(&mut self, value: f64) -> Result<Value, Fault> {
        self.graph.constant(value).map(Value::Number)
    }

    fn name(&mut self, at: usize, name: &str) -> Result<Value, Fault> {
        if let Some((_, value)) = self.arguments.iter().find(|a| a.0 == name) {
            return Ok(*value);
        }
        let scope = self.scope;
        if name == "pi" {
            return self.graph.constant(std::f64::consts::PI).map(Value::Number);
        }
        if let Some(i) = scope.coordinates.iter().position(|c| c == name) {
            return self.graph.insert(Node::Coordinate(i as u32)).map(Value::Number);
        }
        if let Some(v) = scope.constants.get(name) {
            return self.graph.constant(*v).map(Value::Number);
        }
        let open = |what: &str| {
            let mend = "only coordinates, fixed parameters and definitions of them may occur here";
            Fault::new(at, format!("`{name}` is {what}"), mend)
        };
        if let Some(i) = scope.trained.iter().position(|t| t.0 == name) {
            if self.closed {
                return Err(open("learnt"));
            }
            return self.graph.insert(Node::Unknown(i as u32)).map(Value::Number);
        }
        if let Some(i) = scope.columns.iter().position(|c| c == name) {
            if self.closed {
                return Err(open("data"));
            }
            return self.graph.insert(Node::Column(i as u32)).map(Value::Number);
        }
        if let Some(d) = scope.definitions.get(name) {
            if !d.arguments.is_empty() {
                let mend = format!("write `{name}({})`", d.arguments.join(", "));
                return Err(Fault::new(at, format!("`{name}` needs its arguments"), mend));
            }
            return self.within(at, name, &d.text, Vec::new());
        }
        if let Some(of) = scope.vanishing.get(name) {
            let (inner, text) = of.text();
            let id = Reader::new(inner, self.graph, true).number_of(&text);
            return id.map(Value::Number).map_err(|f| Fault { at, ..f });
        }
        match self.derivative(at, name)? {
            Some(value) => Ok(value),
            None if FUNCTIONS.iter().any(|f| f.0 == name) => {
                Err(Fault::new(at, format!("`{name}` needs its argument"), format!("write `{name}(x)`")))
            }
            None => Err(scope.no_such(at, "name", name)),
        }
    }

    fn call(&mut self, at: usize, name: &str, arguments: Vec<(usize, Value)>) -> Result<Value, Fault> {
        let takes = |count: usize| {
            if arguments.len() == count {
                return Ok(());
            }
            let what = format!("`{name}` takes {count} arguments, not {}", arguments.len());
            Err(Fault::new(at, what, "mend the arguments"))
        };
        if let Some(d) = self.scope.definitions.get(name) {
            takes(d.arguments.len())?;
            let values = arguments.iter().map(|a| a.1);
            let named = d.arguments.iter().cloned().zip(values).collect();
            return self.within(at, name, &d.text, named);
        }
        if let Some((_, f)) = FUNCTIONS.iter().find(|f| f.0 == name) {
            takes(1)?;
            let a = number(arguments[0].0, arguments[0].1)?;
            return self.graph.unary(*f, a).map(Value::Number);
        }
        match name {
            "where" => {
                takes(3)?;
                let c = truth(arguments[0].0, arguments[0].1)?;
                let a = number(arguments[1].0, arguments[1].1)?;
                let b = number(arguments[2].0, arguments[2].1)?;
                self.graph.select(c, a, b).map(Value::Number)
            }
            "atan2" => {
                takes(2)?;
                let a = number(arguments[0].0, arguments[0].1)?;
                let b = number(arguments[1].0, arguments[1].1)?;
                self.graph.binary(Binary::Atan2, a, b).map(Value::Number)
            }
            "min" | "max" => {
                let Some(((at, first), rest)) = arguments.split_first() else {
                    return Err(Fault::new(at, format!("`{name}` of nothing"), "give it two arguments"));
                };
                let mut best = number(*at, *first)?;
                for (at, value) in rest {
                    let other = number(*at, *value)?;
                    let [a, b] = if name == "min" { [best, other] } else { [other, best] };
                    let less = self.graph.binary(Binary::LessEqual, a, b)?;
                    best = self.graph.select(less, best, other)?;
                }
                Ok(Value::Number(best))
            }
            _ => Err(self.scope.no_such(at, "function", name)),
        }
    }

    fn prefix(&mut self, at: usize, symbol: &str, of: Value) -> Result<Value, Fault> {
        if symbol == "-" {
            let a = number(at, of)?;
            return self.graph.unary(Unary::Negate, a).map(Value::Number);
        }
        let (a, one) = (truth(at, of)?, self.one()?);
        self.graph.binary(Binary::Subtract, one, a).map(Value::Truth)
    }

    fn infix(&mut self, at: usize, symbol: &str, left: Value, right: Value) -> Result<Value, Fault> {
        if matches!(symbol, "and" | "or") {
            let (a, b) = (truth(at, left)?, truth(at, right)?);
            if symbol == "and" {
                return self.graph.binary(Binary::Multiply, a, b).map(Value::Truth);
            }
            let one = self.one()?;
            return self.graph.select(a, one, b).map(Value::Truth);
        }
        let (a, b) = (number(at, left)?, number(at, right)?);
        let (f, [a, b]) = match symbol {
            "+" => (Binary::Add, [a, b]),
            "-" => (Binary::Subtract, [a, b]),
            "*" => (Binary::Multiply, [a, b]),
            "/" => (Binary::Divide, [a, b]),
            "^" => (Binary::Power, [a, b]),
            "<" => (Binary::Less, [a, b]),
            "<=" => (Binary::LessEqual, [a, b]),
            ">" => (Binary::Less, [b, a]),
            ">=" => (Binary::LessEqual, [b, a]),
            _ => (Binary::Equal, [a, b]),
        };
        let id = self.graph.binary(f, a, b)?;
        let compares = matches!(f, Binary::Less | Binary::LessEqual | Binary::Equal);
        Ok(if compares { Value::Truth(id) } else { Value::Number(id) })
    }
}
