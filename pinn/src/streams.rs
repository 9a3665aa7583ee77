//! Which derivatives a network carries along, and the rules by which they pass through it.

use crate::derivative::{Derivative, Differential};
use crate::{Error, Result};

/// A part of a stream of φ(z): `coefficient · φ^(order)(z) · Π z[factors]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub order: usize,
    pub coefficient: f64,
    pub factors: Vec<usize>,
}

/// A part of a stream of a product a b: `coefficient · a[left] · b[right]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub coefficient: f64,
    pub left: usize,
    pub right: usize,
}

/// The value and the derivatives that an equation uses, with the lower ones that these need in order to pass through a
/// nonlinear layer: the smallest set closed under the chain rule. Every layer's matrix product is done once for each
/// stream, so their number is the price of an evaluation.
///
/// Stream 0 is the value; single derivatives follow by order, then combinations.
///
/// ```
/// use resolvent_pinn::{Derivative, Differential, Streams};
/// let laplacian = Differential::laplacian(2)?;
/// let streams = Streams::new(2, &[laplacian.clone()])?;
/// assert_eq!(streams.count(), 4); // u, u_0, u_1, Δu
/// assert_eq!(streams.position(&laplacian), Some(3));
/// let third = Streams::new(2, &[Derivative::along(2, &[1, 1, 1])?.into()])?;
/// assert_eq!(third.count(), 4); // u, u_1, u_11, u_111
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Streams {
    dim: usize,
    carried: Vec<Differential>,
    order: usize,
    parts: Vec<Vec<Part>>,
    pairs: Vec<Vec<Pair>>,
}

impl Streams {
    /// For a function of `dim` coordinates.
    ///
    /// # Errors
    /// [`Error::Derivative`] for one in another number of coordinates.
    pub fn new(dim: usize, wanted: &[Differential]) -> Result<Self> {
        let mut single = vec![Derivative::value(dim)];
        let mut combined: Vec<Differential> = vec![];
        for w in wanted {
            if w.dim() != dim {
                let what = format!("{w} in {} coordinates", w.dim());
                return Err(Error::Derivative { what, needs: "use as many as the network has inputs" });
            }
            if w.single().is_none() && !combined.contains(w) {
                combined.push(w.clone());
            }
            for (_, d) in w.terms() {
                let alone = w.single().is_some();
                let lower = d.below().into_iter().filter(|b| alone || b != d);
                single.extend(lower);
            }
        }
        single.sort_by(|a, b| (a.order(), b).cmp(&(b.order(), a)));
        single.dedup();
        let order = wanted.iter().flat_map(|w| w.terms()).map(|(_, d)| d.order()).max().unwrap_or(0);
        let place = |d: &Derivative| single.iter().position(|s| s == d).unwrap_or(usize::MAX);
        let mut carried: Vec<Differential> = single.iter().cloned().map(Differential::from).collect();
        carried.extend(combined);
        let rules = carried.iter().enumerate();
        let (parts, pairs) = rules.map(|(s, c)| (chain_rule(c, &place), product_rule(s, c, &place))).unzip();
        Ok(Self { dim, carried, order, parts, pairs })
    }

    /// The value alone.
    pub fn value(dim: usize) -> Self {
        let carried = vec![Derivative::value(dim).into()];
        let pairs = vec![vec![Pair { coefficient: 1.0, left: 0, right: 0 }]];
        Self { dim, carried, order: 0, parts: vec![vec![]], pairs }
    }

    /// Coordinates.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many streams there are, k in the cost 6kN(L−1)W² of a gradient.
    pub fn count(&self) -> usize {
        self.carried.len()
    }

    /// What each stream carries.
    pub fn carried(&self) -> &[Differential] {
        &self.carried
    }

    /// Which stream carries `what`.
    pub fn position(&self, what: &Differential) -> Option<usize> {
        self.carried.iter().position(|c| c == what)
    }

    /// The highest order of a derivative.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The parts of each stream of φ(z) beyond φ′(z) times that of z.
    pub(crate) fn parts(&self) -> &[Vec<Part>] {
        &self.parts
    }

    /// The parts of each stream of a product.
    pub(crate) fn pairs(&self) -> &[Vec<Pair>] {
        &self.pairs
    }
}

/// Faà di Bruno's formula: a sum over the partitions of the differentiations into blocks, φ^(blocks) times the derivative of
/// z by each block. The partition into one block is left out.
///
/// # Reference
/// M. Hardy, Combinatorics of partial derivatives, Electronic Journal of Combinatorics 13 (2006), R1, arXiv:math/0601149.
fn chain_rule(stream: &Differential, place: &dyn Fn(&Derivative) -> usize) -> Vec<Part> {
    let mut parts: Vec<Part> = vec![];
    for (c, d) in stream.terms() {
        for blocks in partitions(&d.axes()) {
            if blocks.len() < 2 {
                continue;
            }
            let derivative = |block: &Vec<usize>| {
                let mut orders = vec![0u8; d.dim()];
                block.iter().for_each(|axis| orders[*axis] += 1);
                Derivative::from_orders(orders)
            };
            let mut factors: Vec<usize> = blocks.iter().map(|b| place(&derivative(b))).collect();
            factors.sort_unstable();
            let order = factors.len();
            match parts.iter_mut().find(|p| p.factors == factors) {
                Some(part) => part.coefficient += c,
                None => parts.push(Part { order, coefficient: *c, factors }),
            }
        }
    }
    parts.retain(|p| p.coefficient != 0.0);
    parts
}

/// All partitions of `items` into unordered blocks.
fn partitions(items: &[usize]) -> Vec<Vec<Vec<usize>>> {
    let mut all = vec![vec![]];
    for &item in items {
        let mut next = vec![];
        for partition in all {
            for i in 0..partition.len() {
                let mut joined: Vec<Vec<usize>> = partition.clone();
                joined[i].push(item);
                next.push(joined);
            }
            let mut alone = partition;
            alone.push(vec![item]);
            next.push(alone);
        }
        all = next;
    }
    all
}

/// Leibniz's formula: Σ C(α, β) ∂^β a ∂^(α−β) b.
fn product_rule(s: usize, stream: &Differential, place: &dyn Fn(&Derivative) -> usize) -> Vec<Pair> {
    if stream.terms()[0].1.order() == 0 {
        return vec![Pair { coefficient: 1.0, left: 0, right: 0 }];
    }
    let mut pairs =
        vec![Pair { coefficient: 1.0, left: s, right: 0 }, Pair { coefficient: 1.0, left: 0, right: s }];
    for (c, d) in stream.terms() {
        for left in d.below() {
            if left.order() == 0 || left == *d {
                continue;
            }
            let (a, b) = (d.orders(), left.orders());
            let right = a.iter().zip(b).map(|(a, b)| a - b).collect();
            let ways: f64 = a.iter().zip(b).map(|(&a, &b)| binomial(a, b)).product();
            let (left, right) = (place(&left), place(&Derivative::from_orders(right)));
            match pairs.iter_mut().find(|p| (p.left, p.right) == (left, right)) {
                Some(pair) => pair.coefficient += c * ways,
                None => pairs.push(Pair { coefficient: c * ways, left, right }),
            }
        }
    }
    pairs.retain(|p| p.coefficient != 0.0);
    pairs
}

fn binomial(n: u8, k: u8) -> f64 {
    (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(dim: usize, axes: &[usize]) -> Differential {
        Derivative::along(dim, axes).unwrap().into()
    }

    #[test]
    fn sets_are_closed_and_no_larger() {
        let count = |dim, wanted: &[Differential]| Streams::new(dim, wanted).unwrap().count();
        assert_eq!(count(2, &[]), 1);
        for dim in 1..12 {
            assert_eq!(count(dim, &[Differential::laplacian(dim).unwrap()]), 2 + dim.max(1));
        }
        let separate: Vec<_> = (0..3).map(|i| along(3, &[i, i])).collect();
        assert_eq!(count(3, &separate), 7);
        // Allen–Cahn (t, x): u_t, u_xx. Korteweg–de Vries: u_t, u_xxx.
        assert_eq!(count(2, &[along(2, &[0]), along(2, &[1, 1])]), 4);
        assert_eq!(count(2, &[along(2, &[0]), along(2, &[1, 1, 1])]), 5);
        // Navier–Stokes by a streamfunction: ψ up to second order, and the third by two combinations.
        let third = |axes: [[usize; 3]; 2]| {
            let term = |a: &[usize; 3]| (1.0, Derivative::along(2, a).unwrap());
            Differential::new(&axes.iter().map(term).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(count(2, &[third([[0, 0, 1], [1, 1, 1]]), third([[0, 0, 0], [0, 1, 1]])]), 8);
        // The biharmonic operator: everything of third order that it touches, and itself.
        let four = |c, axes| (c, Derivative::along(2, axes).unwrap());
        let biharmonic =
            Differential::new(&[four(1.0, &[0; 4]), four(2.0, &[0, 0, 1, 1]), four(1.0, &[1; 4])]).unwrap();
        assert_eq!(count(2, &[biharmonic]), 11);
    }

    #[test]
    fn the_chain_rule_of_known_cases() {
        let fourth = Streams::new(1, &[along(1, &[0; 4])]).unwrap();
        let part =
            |order, coefficient, factors: &[usize]| Part { order, coefficient, factors: factors.to_vec() };
        let mut got = fourth.parts()[4].clone();
        got.sort_by(|a, b| a.factors.cmp(&b.factors));
        assert_eq!(
            got,
            [
                part(4, 1.0, &[1, 1, 1, 1]),
                part(3, 6.0, &[1, 1, 2]),
                part(2, 4.0, &[1, 3]),
                part(2, 3.0, &[2, 2])
            ]
        );
        let laplacian = Streams::new(2, &[Differential::diagonal(&[1.0, -3.0]).unwrap()]).unwrap();
        let squares: Vec<_> =
            laplacian.parts()[3].iter().map(|p| (p.coefficient, p.factors.clone())).collect();
        assert!(squares.len() == 2 && squares.iter().all(|(_, f)| f[0] == f[1]));
        assert_eq!(squares.iter().map(|s| s.0).sum::<f64>(), -2.0);
    }

    #[test]
    fn what_is_not_propagated_is_refused() {
        let refused = |r: Result<Streams>| matches!(r, Err(Error::Derivative { .. }));
        assert!(refused(Streams::new(2, &[along(3, &[0])])));
        assert!(matches!(Derivative::along(1, &[0; 5]), Err(Error::Derivative { .. })));
        assert!(matches!(Derivative::along(1, &[1]), Err(Error::Derivative { .. })));
        assert!(matches!(Differential::new(&[]), Err(Error::Derivative { .. })));
        assert!(matches!(Differential::diagonal(&[0.0, f64::NAN]), Err(Error::Derivative { .. })));
        let value = (1.0, Derivative::value(1));
        assert!(matches!(
            Differential::new(&[value.clone(), (1.0, Derivative::along(1, &[0]).unwrap())]),
            Err(Error::Derivative { .. })
        ));
        assert!(Differential::new(&[value]).is_ok());
    }
}
