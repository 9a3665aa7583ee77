//! The derivative of a graph by one of its leaves.

use super::Fault;
use super::graph::{Binary, Graph, Id, Node, Unary};
use crate::{Derivative, MAX_ORDER};

/// The derivative of each of `roots` by the leaf `by`, in new nodes of the same graph. A derivative of an unknown function does
/// not depend on coordinates here; pieces are differentiated apart, and `abs`, `sign` and comparisons have no derivative
/// where they jump.
pub(super) fn differentiate(graph: &mut Graph, roots: &[Id], by: &Node) -> Result<Vec<Id>, Fault> {
    let reached = graph.reach(roots);
    let zero = graph.constant(0.0)?;
    let mut slopes = vec![zero; reached.len()];
    for (i, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
        let id = Id(i as u32);
        let node = graph.node(id).clone();
        let slope = |of: Id| slopes[of.0 as usize];
        slopes[i] = match node {
            _ if node == *by => graph.constant(1.0)?,
            Node::Unary(f, a) if slope(a) != zero => {
                let outer = unary(graph, f, a, id)?;
                graph.binary(Binary::Multiply, outer, slope(a))?
            }
            Node::Binary(f, a, b) => binary(graph, f, [a, b], id, [slope(a), slope(b)], zero)?,
            Node::Select(c, a, b) => graph.select(c, slope(a), slope(b))?,
            _ => zero,
        };
    }
    Ok(roots.iter().map(|r| slopes[r.0 as usize]).collect())
}

/// The derivative of `root` along a coordinate, with that of the unknown functions in it.
pub(super) fn total(graph: &mut Graph, root: Id, axis: usize) -> Result<Id, Fault> {
    let reached = graph.reach(&[root]);
    let streams: Vec<Node> = (0..reached.len())
        .filter(|i| reached[*i])
        .map(|i| graph.node(Id(i as u32)))
        .filter(|n| matches!(n, Node::Stream(..)))
        .cloned()
        .collect();
    let mut sum = differentiate(graph, &[root], &Node::Coordinate(axis as u32))?[0];
    for stream in streams {
        let slope = differentiate(graph, &[root], &stream)?[0];
        let Node::Stream(unknown, derivative) = stream else { continue };
        let mut orders = derivative.orders().to_vec();
        orders[axis] += 1;
        let higher = Derivative::from_orders(orders);
        if higher.order() > MAX_ORDER {
            let what = format!("the ansatz leads to a derivative of order {}", higher.order());
            let mend = format!("orders up to {MAX_ORDER} are propagated; use a lower one");
            return Err(Fault::new(0, what, mend));
        }
        let grown = graph.insert(Node::Stream(unknown, higher))?;
        let part = graph.binary(Binary::Multiply, slope, grown)?;
        sum = graph.binary(Binary::Add, sum, part)?;
    }
    Ok(sum)
}

/// f′(a), where `value` is f(a).
fn unary(g: &mut Graph, f: Unary, a: Id, value: Id) -> Result<Id, Fault> {
    let one = g.constant(1.0)?;
    Ok(match f {
        Unary::Negate => g.constant(-1.0)?,
        Unary::Sin => g.unary(Unary::Cos, a)?,
        Unary::Cos => {
            let sine = g.unary(Unary::Sin, a)?;
            g.unary(Unary::Negate, sine)?
        }
        Unary::Tan => {
            let square = g.unary(Unary::Power(2), value)?;
            g.binary(Binary::Add, one, square)?
        }
        Unary::Asin | Unary::Acos => {
            let square = g.unary(Unary::Power(2), a)?;
            let rest = g.binary(Binary::Subtract, one, square)?;
            let root = g.unary(Unary::Sqrt, rest)?;
            let sign = g.constant(if f == Unary::Asin { 1.0 } else { -1.0 })?;
            g.binary(Binary::Divide, sign, root)?
        }
        Unary::Atan => {
            let square = g.unary(Unary::Power(2), a)?;
            let sum = g.binary(Binary::Add, one, square)?;
            g.binary(Binary::Divide, one, sum)?
        }
        Unary::Sinh => g.unary(Unary::Cosh, a)?,
        Unary::Cosh => g.unary(Unary::Sinh, a)?,
        Unary::Tanh => {
            let square = g.unary(Unary::Power(2), value)?;
            g.binary(Binary::Subtract, one, square)?
        }
        Unary::Exp => value,
        Unary::Log => g.binary(Binary::Divide, one, a)?,
        Unary::Sqrt => {
            let half = g.constant(0.5)?;
            g.binary(Binary::Divide, half, value)?
        }
        Unary::Abs => g.unary(Unary::Sign, a)?,
        Unary::Sign => g.constant(0.0)?,
        Unary::Power(p) => {
            let lower = g.unary(Unary::Power(p - 1), a)?;
            let factor = g.constant(f64::from(p))?;
            g.binary(Binary::Multiply, factor, lower)?
        }
    })
}

/// The derivative of `value` = f(a, b) when those of a and b are `slopes`.
fn binary(
    g: &mut Graph,
    f: Binary,
    [a, b]: [Id; 2],
    value: Id,
    [da, db]: [Id; 2],
    zero: Id,
) -> Result<Id, Fault> {
    if da == zero && db == zero {
        return Ok(zero);
    }
    match f {
        Binary::Add | Binary::Subtract => g.binary(f, da, db),
        Binary::Multiply => {
            let (left, right) = (g.binary(f, da, b)?, g.binary(f, a, db)?);
            g.binary(Binary::Add, left, right)
        }
        Binary::Divide => {
            let taken = g.binary(Binary::Multiply, value, db)?;
            let rest = g.binary(Binary::Subtract, da, taken)?;
            g.binary(Binary::Divide, rest, b)
        }
        // aᵇ (b′ ln a + b a′ / a); where b is constant the logarithm, which may not exist, is left out.
        Binary::Power => {
            let one = g.constant(1.0)?;
            let lower = g.binary(Binary::Subtract, b, one)?;
            let power = g.binary(Binary::Power, a, lower)?;
            let by_base = g.binary(Binary::Multiply, b, power)?;
            let by_base = g.binary(Binary::Multiply, by_base, da)?;
            if db == zero {
                return Ok(by_base);
            }
            let log = g.unary(Unary::Log, a)?;
            let grown = g.binary(Binary::Multiply, value, log)?;
            let by_exponent = g.binary(Binary::Multiply, grown, db)?;
            g.binary(Binary::Add, by_base, by_exponent)
        }
        Binary::Atan2 => {
            let (left, right) = (g.binary(Binary::Multiply, da, b)?, g.binary(Binary::Multiply, a, db)?);
            let (a2, b2) = (g.unary(Unary::Power(2), a)?, g.unary(Unary::Power(2), b)?);
            let square = g.binary(Binary::Add, a2, b2)?;
            let rest = g.binary(Binary::Subtract, left, right)?;
            g.binary(Binary::Divide, rest, square)
        }
        Binary::Less | Binary::LessEqual | Binary::Equal => Ok(zero),
    }
}
