//! Integrals as weighted sums.

use crate::domain::{Direction, Scratch};
use crate::sampling::reserve;
use crate::{Error, Part, Result, Sampler, Sampling};
use std::f64::consts::PI;

/// Most points along one direction.
const MAX_ORDER: usize = 10_000;

/// Most points of a rule.
const MAX_POINTS: usize = 1 << 28;

/// Points and weights: ∫ f ≈ Σ wᵢ f(xᵢ).
///
/// ```
/// use resolvent_pinn::{Domain, Quadrature, Shape};
/// let disk = Shape::ball(&[0.0, 0.0], 2.0)?;
/// let domain = Domain::new(&[("x", -2.0, 2.0), ("y", -2.0, 2.0)])?.with_shape(&[], disk)?;
/// // The square of x around the circle: π r³.
/// let circle = Quadrature::of(&domain.part("boundary")?, 8)?;
/// assert!((circle.integrate(|x| x[0] * x[0]) - 8.0 * std::f64::consts::PI).abs() < 1e-12);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Quadrature {
    /// How many coordinates.
    pub dimension: usize,
    /// Coordinates: `[n, dimension]`.
    pub points: Vec<f64>,
    /// w: `[n]`.
    pub weights: Vec<f64>,
}

impl Quadrature {
    /// Gauss and Legendre's points on an interval, exact for polynomials of degree 2·order − 1.
    ///
    /// # Errors
    /// [`Error::Sampling`] for an order that is 0 or above 10,000, or an interval that is not finite or not in order.
    pub fn gauss_legendre(lower: f64, upper: f64, order: usize) -> Result<Self> {
        Self::cuboid(&[[lower, upper]], &[order])
    }

    /// Products of Gauss and Legendre's points on a box, `order[axis]` of them along each axis.
    ///
    /// # Errors
    /// As [`gauss_legendre`](Self::gauss_legendre), and for more than 2²⁸ points; [`Error::Length`] for other than one order
    /// for each axis.
    pub fn cuboid(bounds: &[[f64; 2]], order: &[usize]) -> Result<Self> {
        crate::error::check_len("orders of a quadrature", bounds.len(), order.len())?;
        if let Some([l, u]) = bounds.iter().find(|[l, u]| !(l < u && (u - l).is_finite())) {
            return refuse(
                format!("an integral reaches from {l} to {u}"),
                "its ends must be finite and in order",
            );
        }
        let rules = order.iter().map(|n| rule(Direction::Straight, *n)).collect::<Result<Vec<_>>>()?;
        let (units, mut weights) = product(&rules)?;
        let volume: f64 = bounds.iter().map(|[l, u]| u - l).product();
        weights.iter_mut().for_each(|w| *w *= volume);
        let place =
            |(i, u): (usize, f64)| bounds[i % bounds.len()][0] * (1.0 - u) + bounds[i % bounds.len()][1] * u;
        let points = units.into_iter().enumerate().map(place).collect();
        Ok(Self { dimension: bounds.len(), points, weights })
    }

    /// A part of a domain with `order` points along each direction: Gauss and Legendre's where it is made of whole boxes,
    /// faces and edges, equal steps around whole circles; elsewhere as many points of Sobol's sequence, so that an error
    /// falls little faster than 1/order in each direction.
    ///
    /// # Errors
    /// As [`cuboid`](Self::cuboid), and for a part of a cloud.
    pub fn of(part: &Part, order: usize) -> Result<Self> {
        if part.region.cloud().is_some() {
            return refuse(
                format!("`{}` is a cloud of points", part.text()),
                "a cloud has no volume to integrate over",
            );
        }
        let mut all = Self { dimension: part.dimension(), points: vec![], weights: vec![] };
        let mut scratch = Scratch::new(part.region.axes.len());
        for piece in &part.pieces {
            let mut directions = piece.directions(&part.region);
            directions.extend(part.free(piece).map(|_| Direction::Straight));
            let whole = piece.share == 1.0 && !directions.contains(&Direction::Rough);
            let rough = !whole && !directions.is_empty();
            let (units, weights) = if rough {
                let n = (1..directions.len()).try_fold(order, |n, _| n.checked_mul(order));
                let n = n.filter(|n| (1..=MAX_POINTS).contains(n)).map_or_else(|| too_many(order), Ok)?;
                let mut units = vec![];
                Sampler::new(Sampling::Sobol, 0, "quadrature").unit(n, directions.len(), &mut units)?;
                (units, vec![1.0 / n as f64; n])
            } else {
                let rules = directions.iter().map(|d| rule(*d, order)).collect::<Result<Vec<_>>>()?;
                product(&rules)?
            };
            for (i, w) in weights.iter().enumerate() {
                let u = &units[i * directions.len()..(i + 1) * directions.len()];
                if part.draw(piece, u, &mut scratch, &mut all.points, None) {
                    all.weights.push(w * piece.measure);
                }
            }
        }
        Ok(all)
    }

    /// How many points.
    pub fn count(&self) -> usize {
        self.weights.len()
    }

    /// Σ wᵢ f(xᵢ).
    pub fn integrate(&self, f: impl FnMut(&[f64]) -> f64) -> f64 {
        self.points.chunks_exact(self.dimension).map(f).zip(&self.weights).map(|(f, w)| f * w).sum()
    }
}

/// Points in (0, 1) and weights that add up to one.
fn rule(direction: Direction, order: usize) -> Result<Vec<[f64; 2]>> {
    if !(1..=MAX_ORDER).contains(&order) {
        return refuse(
            format!("a quadrature has {order} points"),
            "it needs at least 1 and at most 10,000 along a direction",
        );
    }
    let n = order as f64;
    Ok(match direction {
        Direction::Periodic => (0..order).map(|i| [(i as f64 + 0.5) / n, 1.0 / n]).collect(),
        _ => legendre(order),
    })
}

/// The roots of Legendre's polynomial of degree n by Newton's method, from Tricomi's estimate, on (0, 1).
///
/// # Reference
/// P. J. Davis, P. Rabinowitz, Methods of numerical integration, 2nd edition, Academic Press (1984), section 2.7.
fn legendre(n: usize) -> Vec<[f64; 2]> {
    let m = n as f64;
    let mut rule = vec![[0.5, 1.0]; n];
    for i in 0..n.div_ceil(2) {
        let mut x =
            (1.0 - (m - 1.0) / (8.0 * m * m * m)) * libm::cos(PI * (4.0 * i as f64 + 3.0) / (4.0 * m + 2.0));
        if 2 * i + 1 == n {
            x = 0.0;
        }
        let mut slope = 1.0;
        for _ in 0..10 {
            // (k + 1) P_{k+1} = (2k + 1) x P_k − k P_{k−1}.
            let (mut last, mut p) = (1.0, x);
            for k in 1..n {
                let k = k as f64;
                (last, p) = (p, ((2.0 * k + 1.0) * x * p - k * last) / (k + 1.0));
            }
            slope = m * (x * p - last) / (x * x - 1.0);
            let step = p / slope;
            x -= step;
            if step.abs() <= 1e-16 * (1.0 + x.abs()) {
                break;
            }
        }
        let w = 1.0 / ((1.0 - x * x) * slope * slope);
        rule[i] = [0.5 - 0.5 * x, w];
        rule[n - 1 - i] = [0.5 + 0.5 * x, w];
    }
    rule
}

/// All combinations of rules, the last varying first; one point without coordinates for no rules.
fn product(rules: &[Vec<[f64; 2]>]) -> Result<(Vec<f64>, Vec<f64>)> {
    let n = rules.iter().try_fold(1usize, |n, rule| n.checked_mul(rule.len()));
    let Some(n) = n.filter(|n| *n <= MAX_POINTS) else { return too_many(rules[0].len()) };
    let (mut units, mut weights) = (vec![], vec![]);
    reserve(&mut units, n, rules.len())?;
    reserve(&mut weights, n, 1)?;
    for mut i in 0..n {
        let (first, mut w) = (units.len(), 1.0);
        for rule in rules.iter().rev() {
            let [u, weight] = rule[i % rule.len()];
            units.push(u);
            w *= weight;
            i /= rule.len();
        }
        units[first..].reverse();
        weights.push(w);
    }
    Ok((units, weights))
}

fn too_many<T>(order: usize) -> Result<T> {
    refuse(
        format!("{order} points along each direction"),
        "more than none and at most 2^28 together are possible",
    )
}

fn refuse<T>(what: String, needs: &str) -> Result<T> {
    Err(Error::Sampling { what, needs: needs.into() })
}
