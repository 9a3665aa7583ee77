//! Operations as a graph in which what is equal is one node.

use super::Fault;
use crate::Derivative;
use std::collections::HashMap;

/// Operations a graph may hold.
const LARGEST: usize = 100_000;

/// A node's number. Operands have smaller ones than what uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(pub u32);

/// A function of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Negate,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Exp,
    Log,
    Sqrt,
    Abs,
    /// −1, 0 or 1.
    Sign,
    /// To a whole power.
    Power(i32),
}

/// A function of two arguments. Comparisons give 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Atan2,
    Less,
    LessEqual,
    Equal,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// The bits of a number.
    Constant(u64),
    Coordinate(u32),
    /// A column of data.
    Column(u32),
    /// A trained parameter.
    Unknown(u32),
    /// A derivative of an unknown function.
    Stream(u32, Derivative),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    /// The second where the first is not 0, else the third.
    Select(Id, Id, Id),
}

impl Node {
    /// Each operand through `f`.
    pub fn operands(&self, mut f: impl FnMut(Id)) {
        match self {
            Self::Unary(_, a) => f(*a),
            Self::Binary(_, a, b) => [*a, *b].into_iter().for_each(f),
            Self::Select(c, a, b) => [*c, *a, *b].into_iter().for_each(f),
            _ => {}
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    index: HashMap<Node, Id>,
}

impl Graph {
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The node's number, a new one if it is not there yet.
    ///
    /// # Errors
    /// When the graph is full.
    pub fn insert(&mut self, node: Node) -> Result<Id, Fault> {
        if let Some(id) = self.index.get(&node) {
            return Ok(*id);
        }
        if self.nodes.len() >= LARGEST {
            let what = format!("the expression grows to more than {LARGEST} operations");
            return Err(Fault::new(0, what, "use fewer nested definitions"));
        }
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.index.insert(node, id);
        Ok(id)
    }

    pub fn constant(&mut self, v: f64) -> Result<Id, Fault> {
        // One zero: the sign of it decides nothing here.
        self.insert(Node::Constant(if v == 0.0 { 0.0f64 } else { v }.to_bits()))
    }

    pub fn value(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Constant(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    fn is(&self, id: Id, v: f64) -> bool {
        self.value(id) == Some(v)
    }

    /// f(a), computed at once when a is a number.
    pub fn unary(&mut self, f: Unary, a: Id) -> Result<Id, Fault> {
        if let Some(v) = self.value(a) {
            return self.constant(apply_unary(f, v));
        }
        match (f, self.node(a)) {
            (Unary::Negate, Node::Unary(Unary::Negate, inner)) => return Ok(*inner),
            (Unary::Power(1), _) => return Ok(a),
            (Unary::Power(0), _) => return self.constant(1.0),
            _ => {}
        }
        self.insert(Node::Unary(f, a))
    }

    /// f(a, b), simplified where a number says how.
    pub fn binary(&mut self, f: Binary, a: Id, b: Id) -> Result<Id, Fault> {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.constant(apply_binary(f, x, y));
        }
        match f {
            Binary::Add if self.is(a, 0.0) => return Ok(b),
            Binary::Add | Binary::Subtract if self.is(b, 0.0) => return Ok(a),
            Binary::Subtract if self.is(a, 0.0) => return self.unary(Unary::Negate, b),
            Binary::Subtract if a == b => return self.constant(0.0),
            Binary::Multiply if self.is(a, 0.0) || self.is(b, 0.0) => return self.constant(0.0),
            Binary::Multiply if self.is(a, 1.0) => return Ok(b),
            Binary::Multiply | Binary::Divide if self.is(b, 1.0) => return Ok(a),
            Binary::Multiply if self.is(a, -1.0) => return self.unary(Unary::Negate, b),
            Binary::Multiply | Binary::Divide if self.is(b, -1.0) => return self.unary(Unary::Negate, a),
            Binary::Divide if self.is(a, 0.0) => return self.constant(0.0),
            Binary::Power => {
                let whole = self.value(b).filter(|p| p.fract() == 0.0 && p.abs() <= 64.0);
                if let Some(p) = whole {
                    return self.unary(Unary::Power(p as i32), a);
                }
                if self.is(b, 0.5) {
                    return self.unary(Unary::Sqrt, a);
                }
            }
            _ => {}
        }
        // Commuted operands are one node.
        let swap = matches!(f, Binary::Add | Binary::Multiply | Binary::Equal) && b < a;
        let (a, b) = if swap { (b, a) } else { (a, b) };
        self.insert(Node::Binary(f, a, b))
    }

    pub fn select(&mut self, condition: Id, a: Id, b: Id) -> Result<Id, Fault> {
        match self.value(condition) {
            Some(v) => Ok(if v != 0.0 { a } else { b }),
            None if a == b => Ok(a),
            None => self.insert(Node::Select(condition, a, b)),
        }
    }

    /// `roots` with leaves replaced by numbers: those for which `f` gives one.
    pub fn replace(&mut self, roots: &[Id], f: impl Fn(&Node) -> Option<f64>) -> Result<Vec<Id>, Fault> {
        let reached = self.reach(roots);
        let mut new: Vec<Id> = (0..reached.len() as u32).map(Id).collect();
        for i in (0..reached.len()).filter(|i| reached[*i]) {
            let at = |id: &Id| new[id.0 as usize];
            let node = self.nodes[i].clone();
            new[i] = match &node {
                Node::Unary(g, a) => self.unary(*g, at(a))?,
                Node::Binary(g, a, b) => self.binary(*g, at(a), at(b))?,
                Node::Select(c, a, b) => self.select(at(c), at(a), at(b))?,
                leaf => match f(leaf) {
                    Some(v) => self.constant(v)?,
                    None => new[i],
                },
            };
        }
        Ok(roots.iter().map(|r| new[r.0 as usize]).collect())
    }

    /// Marks what `roots` depend on, themselves among it.
    pub fn reach(&self, roots: &[Id]) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        roots.iter().for_each(|r| reached[r.0 as usize] = true);
        for i in (0..self.len()).rev() {
            if reached[i] {
                self.nodes[i].operands(|o| reached[o.0 as usize] = true);
            }
        }
        reached
    }
}

pub(super) fn apply_unary(f: Unary, v: f64) -> f64 {
    match f {
        Unary::Negate => -v,
        Unary::Sin => v.sin(),
        Unary::Cos => v.cos(),
        Unary::Tan => v.tan(),
        Unary::Asin => v.asin(),
        Unary::Acos => v.acos(),
        Unary::Atan => v.atan(),
        Unary::Sinh => v.sinh(),
        Unary::Cosh => v.cosh(),
        Unary::Tanh => v.tanh(),
        Unary::Exp => v.exp(),
        Unary::Log => v.ln(),
        Unary::Sqrt => v.sqrt(),
        Unary::Abs => v.abs(),
        Unary::Sign if v == 0.0 => 0.0,
        Unary::Sign => v.signum(),
        Unary::Power(p) => v.powi(p),
    }
}

pub(super) fn apply_binary(f: Binary, x: f64, y: f64) -> f64 {
    let truth = |t: bool| f64::from(u8::from(t));
    match f {
        Binary::Add => x + y,
        Binary::Subtract => x - y,
        Binary::Multiply => x * y,
        Binary::Divide => x / y,
        Binary::Power => x.powf(y),
        Binary::Atan2 => x.atan2(y),
        Binary::Less => truth(x < y),
        Binary::LessEqual => truth(x <= y),
        Binary::Equal => truth(x == y),
    }
}
