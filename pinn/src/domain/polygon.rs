//! Simple polygons.

use super::shape::refuse;
use crate::Result;
use robust::{Coord, orient2d};

/// Most vertices of a polygon.
const MAX_VERTICES: usize = 10_000;

/// A polygon whose edges meet at its vertices only, counter-clockwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    vertices: Vec<[f64; 2]>,
}

impl Polygon {
    /// Checks that it is simple, with exact predicates.
    pub fn new(vertices: &[[f64; 2]]) -> Result<Self> {
        let mut vertices = vertices.to_vec();
        if vertices.len() > 1 && vertices.first() == vertices.last() {
            vertices.pop();
        }
        let n = vertices.len();
        if !(3..=MAX_VERTICES).contains(&n) {
            let needs = format!("it needs at least 3 and at most {MAX_VERTICES}");
            return refuse(format!("a polygon has {n} vertices"), &needs);
        }
        if let Some(i) = vertices.iter().flatten().position(|v| !v.is_finite()) {
            return refuse(
                format!("vertex {} of a polygon is {:?}", i / 2, vertices[i / 2]),
                "it must be finite",
            );
        }
        let mut polygon = Self { vertices };
        let mend = "order the vertices along the boundary, without crossings or repeated ones";
        for i in 0..n {
            let [a, b] = polygon.edge(i);
            let [_, c] = polygon.edge((i + 1) % n);
            // An edge of no length, or one that runs back over the one before.
            let back =
                turn(a, b, c) == 0.0 && (c[0] - b[0]) * (b[0] - a[0]) + (c[1] - b[1]) * (b[1] - a[1]) <= 0.0;
            if a == b || back {
                let what = format!("edge {i} of a polygon meets edge {}", (i + 1) % n);
                return refuse(format!("{what} along its length"), mend);
            }
            let later = (i + 2)..if i == 0 { n - 1 } else { n };
            if let Some(j) = later.into_iter().find(|&j| meet([a, b], polygon.edge(j))) {
                return refuse(format!("edge {i} meets edge {j} of a polygon"), mend);
            }
        }
        let area = polygon.signed_area();
        if !(area.abs() > 0.0 && area.is_finite()) {
            return refuse(format!("a polygon has area {area}"), "scale its coordinates");
        }
        if area < 0.0 {
            polygon.vertices.reverse();
        }
        Ok(polygon)
    }

    /// The ends of edge `i`.
    pub fn edge(&self, i: usize) -> [[f64; 2]; 2] {
        [self.vertices[i], self.vertices[(i + 1) % self.vertices.len()]]
    }

    /// All edges; the inside is to their left.
    pub fn edges(&self) -> impl Iterator<Item = [[f64; 2]; 2]> {
        (0..self.vertices.len()).map(|i| self.edge(i))
    }

    fn signed_area(&self) -> f64 {
        let [x, y] = self.vertices[0];
        let cross = |[a, b]: [[f64; 2]; 2]| (a[0] - x) * (b[1] - y) - (b[0] - x) * (a[1] - y);
        0.5 * self.edges().map(cross).sum::<f64>()
    }

    pub fn area(&self) -> f64 {
        self.signed_area()
    }

    pub fn bounds(&self) -> [[f64; 2]; 2] {
        [0, 1].map(|axis| {
            let along = || self.vertices.iter().map(|v| v[axis]);
            [along().fold(f64::INFINITY, f64::min), along().fold(f64::NEG_INFINITY, f64::max)]
        })
    }

    /// Signed distance to the nearest edge, positive inside.
    pub fn distance(&self, p: [f64; 2]) -> f64 {
        let (mut least, mut inside) = (f64::INFINITY, false);
        for [a, b] in self.edges() {
            let (d, q) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
            let along = ((q[0] * d[0] + q[1] * d[1]) / (d[0] * d[0] + d[1] * d[1])).clamp(0.0, 1.0);
            least = least.min((q[0] - along * d[0]).powi(2) + (q[1] - along * d[1]).powi(2));
            // A ray to the right crosses edges that rise past it on the right, or fall past it there.
            if (a[1] > p[1]) != (b[1] > p[1]) && (turn(a, b, p) > 0.0) == (b[1] > a[1]) {
                inside = !inside;
            }
        }
        if inside { least.sqrt() } else { -least.sqrt() }
    }
}

/// Positive where a, b, c turn left; exact.
fn turn(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    let [a, b, c] = [a, b, c].map(|[x, y]| Coord { x, y });
    orient2d(a, b, c)
}

/// Whether two segments have a point in common.
fn meet([a, b]: [[f64; 2]; 2], [c, d]: [[f64; 2]; 2]) -> bool {
    let overlap = |axis: usize| {
        a[axis].min(b[axis]) <= c[axis].max(d[axis]) && c[axis].min(d[axis]) <= a[axis].max(b[axis])
    };
    let apart = |s: f64, t: f64| (s > 0.0 && t > 0.0) || (s < 0.0 && t < 0.0);
    overlap(0) && overlap(1) && !apart(turn(a, b, c), turn(a, b, d)) && !apart(turn(c, d, a), turn(c, d, b))
}
