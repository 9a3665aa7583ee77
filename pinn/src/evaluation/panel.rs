//! A plane through a solution, for pictures.

use crate::expression::Scope;
use crate::{Domain, Result, nullable};
use serde::{Deserialize, Serialize};

/// Points along each side.
const SIDE: usize = 101;

/// Values on a grid over two coordinates of a domain, or over its only one; other coordinates are in the middle, time at its
/// end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// The name of each axis, across and up.
    pub axes: Vec<String>,
    /// The coordinates along each.
    pub coordinates: Vec<Vec<f64>>,
    /// The other coordinates, in words.
    pub at: String,
    /// Names of the quantities.
    pub names: Vec<String>,
    /// What the network gives, row by row from below; NaN outside the domain.
    #[serde(deserialize_with = "nullable::read")]
    pub predicted: Vec<Vec<f64>>,
    /// What the solution is, where it is known.
    #[serde(deserialize_with = "nullable::read")]
    pub exact: Vec<Option<Vec<f64>>>,
    /// `[dim, points]`.
    #[serde(skip)]
    pub(super) points: Vec<f64>,
}

impl Panel {
    /// The grid of a domain, without values.
    pub(super) fn of(domain: &Domain) -> Self {
        let dim = domain.dimension();
        let along = |axis: usize, n: usize| -> Vec<f64> {
            let [low, high] = domain.bounds()[axis];
            (0..n).map(|i| low + (high - low) * i as f64 / (n - 1) as f64).collect()
        };
        let (axes, coordinates) = match (dim, domain.time()) {
            (1, _) => (vec![0], vec![along(0, 4 * SIDE - 3)]),
            // Of a line over time, time goes across.
            (2, Some(t)) => (vec![t, 1 - t], vec![along(t, SIDE), along(1 - t, SIDE)]),
            (_, t) => {
                let space: Vec<usize> = (0..dim).filter(|a| Some(*a) != t).take(2).collect();
                let coordinates = space.iter().map(|a| along(*a, SIDE)).collect();
                (space, coordinates)
            }
        };
        Self::on(domain, axes, coordinates)
    }

    /// The grid of given coordinates along given axes, without values.
    pub(super) fn on(domain: &Domain, axes: Vec<usize>, coordinates: Vec<Vec<f64>>) -> Self {
        let dim = domain.dimension();
        let fixed = |axis: usize| {
            let [low, high] = domain.bounds()[axis];
            if domain.time() == Some(axis) { high } else { 0.5 * (low + high) }
        };
        let n: usize = coordinates.iter().map(Vec::len).product();
        let across = coordinates[0].len();
        let mut points = vec![0.0; dim * n];
        for p in 0..n {
            for axis in 0..dim {
                points[axis * n + p] = match axes.iter().position(|a| *a == axis) {
                    Some(0) => coordinates[0][p % across],
                    Some(i) => coordinates[i][p / across],
                    None => fixed(axis),
                };
            }
        }
        let names = domain.names();
        let at: Vec<String> =
            (0..dim).filter(|a| !axes.contains(a)).map(|a| format!("{} = {}", names[a], fixed(a))).collect();
        Self {
            axes: axes.iter().map(|a| names[*a].clone()).collect(),
            coordinates,
            at: at.join(", "),
            names: vec![],
            predicted: vec![],
            exact: vec![],
            points,
        }
    }

    /// Points of the grid.
    pub(super) fn count(&self) -> usize {
        self.coordinates.iter().map(Vec::len).product()
    }

    fn point(&self, p: usize) -> Vec<f64> {
        self.points.chunks_exact(self.count().max(1)).map(|row| row[p]).collect()
    }

    /// The points of the grid that lie in the domain, `[dim, points]`.
    pub(super) fn inside(&self, domain: &Domain) -> Vec<f64> {
        let kept: Vec<usize> = (0..self.count()).filter(|p| domain.contains(&self.point(*p))).collect();
        self.points
            .chunks_exact(self.count().max(1))
            .flat_map(|row| kept.iter().map(move |p| row[*p]))
            .collect()
    }

    /// Sets what lies outside the domain to NaN.
    pub(super) fn hide(&self, domain: &Domain, values: &mut [f64]) {
        for (p, v) in values.iter_mut().enumerate() {
            if !domain.contains(&self.point(p)) {
                *v = f64::NAN;
            }
        }
    }

    /// A function of the coordinates on the grid.
    pub(super) fn evaluate(&self, scope: &Scope, text: &str) -> Result<Vec<f64>> {
        let mut values = vec![0.0; self.count()];
        scope.function(text)?.evaluate(&self.points, &mut values)?;
        Ok(values)
    }
}
