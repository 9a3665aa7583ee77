//! Pieces of surface with a map from the unit cube that keeps measure.

use super::shape::{Geometry, Shape, ball};
use std::f64::consts::TAU;

/// A piece of surface in some coordinates.
#[derive(Clone, Debug, PartialEq)]
pub enum Surface {
    /// A face of a box: `bounds` along the other axes. The normal points up or down along `axis`.
    Face { axis: usize, at: f64, up: bool, bounds: Vec<[f64; 2]> },
    /// A whole sphere; `flipped` where the normal points to the center.
    Sphere { center: Vec<f64>, radius: f64, flipped: bool },
    /// Where a plane is the graph of a function over the box `bounds` without `main`.
    Plane { normal: Vec<f64>, offset: f64, main: usize, bounds: Vec<[f64; 2]> },
    /// An edge in the plane.
    Edge { ends: [[f64; 2]; 2], normal: [f64; 2] },
}

/// How a direction of the unit cube of a surface is best integrated over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Straight,
    /// Around a circle.
    Periodic,
    /// Only by many points.
    Rough,
}

impl Surface {
    /// The surfaces of a simple shape, as far as they can lie within `box_`.
    pub fn of(shape: &Shape, flipped: bool, within: &[[f64; 2]]) -> Vec<Self> {
        match &shape.geometry {
            Geometry::Cuboid(bounds) => {
                let cut = bounds.iter().zip(within).map(|(b, w)| [b[0].max(w[0]), b[1].min(w[1])]);
                let cut: Vec<[f64; 2]> = cut.collect();
                let faces = (0..bounds.len()).flat_map(|axis| [(axis, false), (axis, true)]);
                let face = |(axis, upper): (usize, bool)| {
                    let at = bounds[axis][usize::from(upper)];
                    let near = within[axis][0] <= at && at <= within[axis][1];
                    let empty = (0..cut.len()).any(|a| a != axis && cut[a][0] >= cut[a][1]);
                    (near && !empty).then(|| Self::Face {
                        axis,
                        at,
                        up: upper != flipped,
                        bounds: cut.clone(),
                    })
                };
                faces.filter_map(face).collect()
            }
            Geometry::Ball { center, radius } => {
                vec![Self::Sphere { center: center.clone(), radius: *radius, flipped }]
            }
            Geometry::HalfSpace { normal, offset } => {
                let sign = if flipped { -1.0 } else { 1.0 };
                let steep = |a: &usize, b: &usize| normal[*a].abs().total_cmp(&normal[*b].abs());
                let main = (0..normal.len()).max_by(steep).unwrap_or_default();
                let normal = normal.iter().map(|n| sign * n).collect();
                vec![Self::Plane { normal, offset: sign * offset, main, bounds: within.to_vec() }]
            }
            Geometry::Polygon(polygon) => {
                let edge = |ends: [[f64; 2]; 2]| {
                    let [a, b] = ends;
                    let (x, y) = (b[0] - a[0], b[1] - a[1]);
                    // The inside is to the left.
                    let scale = if flipped { -1.0 } else { 1.0 } / x.hypot(y);
                    Self::Edge { ends, normal: [y * scale, -x * scale] }
                };
                polygon.edges().map(edge).collect()
            }
            _ => vec![],
        }
    }

    /// Coordinates of the unit cube that it is mapped from, and how to integrate along each.
    pub fn directions(&self) -> Vec<Direction> {
        match self {
            Self::Face { bounds, .. } => vec![Direction::Straight; bounds.len() - 1],
            Self::Plane { bounds, .. } => vec![Direction::Rough; bounds.len() - 1],
            Self::Edge { .. } => vec![Direction::Straight],
            Self::Sphere { center, .. } => match center.len() {
                1 => vec![Direction::Rough],
                2 => vec![Direction::Periodic],
                3 => vec![Direction::Straight, Direction::Periodic],
                k => vec![Direction::Rough; k.next_multiple_of(2)],
            },
        }
    }

    /// How many [`directions`](Self::directions) it has.
    pub fn parameters(&self) -> usize {
        match self {
            Self::Face { bounds, .. } | Self::Plane { bounds, .. } => bounds.len() - 1,
            Self::Edge { .. } => 1,
            Self::Sphere { center, .. } => match center.len() {
                k @ 1..=3 => k.max(2) - 1,
                k => k.next_multiple_of(2),
            },
        }
    }

    /// Its area; for points, their number.
    pub fn measure(&self) -> f64 {
        let others = |bounds: &[[f64; 2]], axis: usize| -> f64 {
            bounds.iter().enumerate().filter(|(a, _)| *a != axis).map(|(_, [l, u])| u - l).product()
        };
        match self {
            Self::Face { axis, bounds, .. } => others(bounds, *axis),
            Self::Plane { normal, main, bounds, .. } => others(bounds, *main) / normal[*main].abs(),
            Self::Edge { ends: [a, b], .. } => (b[0] - a[0]).hypot(b[1] - a[1]),
            Self::Sphere { center, radius, .. } => center.len() as f64 * ball(center.len(), *radius) / radius,
        }
    }

    /// The point of `u` in the unit cube, and the normal there.
    pub fn point(&self, u: &[f64], x: &mut [f64], normal: &mut [f64]) {
        match self {
            Self::Face { axis, at, up, bounds } => {
                over(bounds, *axis, u, x);
                x[*axis] = *at;
                normal.fill(0.0);
                normal[*axis] = if *up { 1.0 } else { -1.0 };
            }
            Self::Plane { normal: n, offset, main, bounds } => {
                over(bounds, *main, u, x);
                x[*main] = 0.0;
                let rest: f64 = n.iter().zip(&*x).map(|(n, x)| n * x).sum();
                x[*main] = (offset - rest) / n[*main];
                normal.copy_from_slice(n);
            }
            Self::Edge { ends: [a, b], normal: n } => {
                (0..2).for_each(|i| x[i] = a[i] + u[0] * (b[i] - a[i]));
                normal.copy_from_slice(n);
            }
            Self::Sphere { center, radius, flipped } => {
                on_sphere(u, normal);
                for i in 0..x.len() {
                    x[i] = center[i] + radius * normal[i];
                    normal[i] *= if *flipped { -1.0 } else { 1.0 };
                }
            }
        }
    }

    /// Whether it lies in the same plane or sphere as another.
    pub fn coincides(&self, other: &Self, tolerance: f64) -> bool {
        if let (Self::Sphere { center, radius, .. }, Self::Sphere { center: c, radius: r, .. }) =
            (self, other)
        {
            return (radius - r).abs() <= tolerance
                && center.iter().zip(c).all(|(a, b)| (a - b).abs() <= tolerance);
        }
        let (Some((n, o)), Some((m, p))) = (self.plane(), other.plane()) else { return false };
        let same = |sign: f64| {
            n.iter().zip(&m).all(|(a, b)| (a - sign * b).abs() <= 1e-9) && (o - sign * p).abs() <= tolerance
        };
        same(1.0) || same(-1.0)
    }

    /// Its plane, normal · x = offset.
    fn plane(&self) -> Option<(Vec<f64>, f64)> {
        match self {
            Self::Face { axis, at, bounds, .. } => {
                let mut n = vec![0.0; bounds.len()];
                n[*axis] = 1.0;
                Some((n, *at))
            }
            Self::Plane { normal, offset, .. } => Some((normal.clone(), *offset)),
            Self::Edge { ends: [a, _], normal } => {
                Some((normal.to_vec(), normal[0] * a[0] + normal[1] * a[1]))
            }
            Self::Sphere { .. } => None,
        }
    }

    /// Whether a point of its plane or sphere lies on it.
    pub fn covers(&self, x: &[f64], tolerance: f64) -> bool {
        match self {
            Self::Face { axis, bounds, .. } => {
                let within = |(a, (b, x)): (usize, (&[f64; 2], &f64))| {
                    a == *axis || (b[0] - tolerance <= *x && *x <= b[1] + tolerance)
                };
                bounds.iter().zip(x).enumerate().all(within)
            }
            Self::Edge { ends: [a, b], .. } => {
                (0..2).all(|i| a[i].min(b[i]) - tolerance <= x[i] && x[i] <= a[i].max(b[i]) + tolerance)
            }
            Self::Plane { .. } | Self::Sphere { .. } => true,
        }
    }
}

/// Into a box along all axes but one.
fn over(bounds: &[[f64; 2]], axis: usize, u: &[f64], x: &mut [f64]) {
    let others = (0..bounds.len()).filter(|a| *a != axis);
    others.zip(u).for_each(|(a, u)| x[a] = between(bounds[a], *u));
}

/// u = 0 at the lower end and 1 at the upper one.
pub fn between([lower, upper]: [f64; 2], u: f64) -> f64 {
    (lower + u * (upper - lower)).clamp(lower, upper)
}

/// A direction, uniform on the unit sphere. From four dimensions on it is that of a normal vector.
fn on_sphere(u: &[f64], x: &mut [f64]) {
    match x.len() {
        1 => x[0] = if u[0] < 0.5 { -1.0 } else { 1.0 },
        2 => [x[1], x[0]] = [libm::sin(TAU * u[0]), libm::cos(TAU * u[0])],
        3 => {
            // Archimedes: the height is uniform.
            let z = 2.0 * u[0] - 1.0;
            let r = (1.0 - z * z).max(0.0).sqrt();
            [x[0], x[1], x[2]] = [r * libm::cos(TAU * u[1]), r * libm::sin(TAU * u[1]), z];
        }
        d => {
            for i in 0..d {
                let (a, b) = (u[i & !1], u[i | 1]);
                let turn = if i % 2 == 0 { libm::cos(TAU * b) } else { libm::sin(TAU * b) };
                x[i] = (-2.0 * libm::log(a.clamp(1e-300, 1.0 - 1e-16))).sqrt() * turn;
            }
            let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
            x.iter_mut().for_each(|x| *x /= length);
        }
    }
}
