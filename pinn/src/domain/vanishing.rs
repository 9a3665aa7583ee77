//! Functions that vanish on a part of the boundary.

use super::polygon::Polygon;
use super::shape::{Geometry, Shape};
use super::taylor::Taylor;
use super::{Part, Piece, Place};
use crate::{Error, Result, Sampler, Sampling};

/// Points on the part, and inside, at which a function is tried.
const TRIED: usize = 512;

/// What vanishes on one surface.
#[derive(Clone, Debug, PartialEq)]
pub enum Factor {
    /// Where a coordinate of these bounds is `at`.
    Plane { axis: usize, at: f64, bounds: [f64; 2] },
    /// On the surface of a shape, whose outside is the domain's inside or not.
    Shape { shape: Shape, outside: bool },
}

/// A function φ of the coordinates that is zero on a part of the boundary, of first order there, and positive in the rest of
/// the domain; with it u = g + φN meets a Dirichlet condition u = g exactly, whatever the network N.
///
/// It is a product of one factor for each coordinate with faces among the part, 4(x − l)(u − x)/(u − l)² for both faces of an
/// interval and (x − l)/(u − l) or (u − x)/(u − l) for one, all smooth, and one for each shape: of balls (r² − |x − c|²)/2r, of
/// boxes and of unions, intersections and differences Rvachev's functions, of polygons the edges' distances joined by his
/// equivalence. Those are smooth but at corners, where first derivatives jump and second ones have no bound. On a plane across
/// the domain φ changes its sign.
///
/// ```
/// use resolvent_pinn::Domain;
/// let domain = Domain::new(&[("x", -1.0, 1.0), ("t", 0.0, 2.0)])?;
/// let phi = domain.part("boundary, t = 0")?.vanishing()?;
/// let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 4]);
/// let value = phi.evaluate(&[0.5, 1.0], &mut gradient, &mut hessian);
/// // (1 − x²) t/2
/// assert_eq!((value, gradient), (0.375, [-0.5, 0.375]));
/// assert_eq!(hessian, [-1.0, -0.5, -0.5, 0.0]);
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
///
/// # Reference
/// N. Sukumar, A. Srivastava, Exact imposition of boundary conditions with distance functions in physics-informed deep neural
/// networks, Computer Methods in Applied Mechanics and Engineering 389 (2022), doi:10.1016/j.cma.2021.114333; V. L. Rvachev, T. I.
/// Sheiko, R-functions in boundary value problems in mechanics, Applied Mechanics Reviews 48 (1995), doi:10.1115/1.3005099.
#[derive(Clone, Debug)]
pub struct Vanishing {
    dimension: usize,
    /// a + b x + c x² along an axis.
    lines: Vec<(usize, [f64; 3])>,
    axes: Vec<usize>,
    shapes: Vec<(Shape, bool)>,
}

impl Vanishing {
    pub(super) fn new(part: &Part) -> Result<Self> {
        let (mut lines, mut shapes, mut across) = (vec![], vec![], false);
        let refuse = |what: &str, needs: &str| {
            Err(Error::Part { text: part.text.clone(), what: what.into(), needs: needs.into() })
        };
        let mut factors: Vec<&Factor> = vec![];
        for factor in part.pieces.iter().filter_map(|p| p.factor.as_deref()) {
            // Pieces of one shape share theirs.
            if !factors.iter().any(|f| std::ptr::eq(*f, factor) || *f == factor) {
                factors.push(factor);
            }
        }
        let planes = |axis: usize| {
            factors.iter().filter_map(move |f| match f {
                Factor::Plane { axis: a, at, bounds } if *a == axis => Some((*at, *bounds)),
                _ => None,
            })
        };
        for axis in 0..part.dimension() {
            let ends = |end: usize| planes(axis).any(|(at, b)| at == b[end]);
            let Some((_, [l, u])) = planes(axis).next() else { continue };
            let length = u - l;
            match (ends(0), ends(1)) {
                (true, true) => {
                    let scale = 4.0 / (length * length);
                    lines.push((axis, [-scale * l * u, scale * (l + u), -scale]));
                }
                (true, false) => lines.push((axis, [-l / length, 1.0 / length, 0.0])),
                (false, true) => lines.push((axis, [u / length, -1.0 / length, 0.0])),
                (false, false) => {}
            }
            for (at, _) in planes(axis).filter(|(at, b)| !b.contains(at)) {
                lines.push((axis, [-at / length, 1.0 / length, 0.0]));
                across = true;
            }
        }
        for factor in &factors {
            if let Factor::Shape { shape, outside } = factor {
                shapes.push((shape.clone(), *outside));
            }
        }
        if lines.is_empty() && shapes.is_empty() || part.offset.is_some() {
            return refuse(
                "no function of the coordinates vanishes there alone",
                "use a part of the boundary that is known by formulas",
            );
        }
        let axes = part.region.axes.clone();
        let vanishing = Self { dimension: part.dimension(), lines, axes, shapes };
        let (size, needs) = (vanishing.try_on(part)?, "impose the condition as a term of the loss");
        match vanishing.try_inside(part)? {
            _ if !size => refuse("its surfaces lie in two shapes or faces at once", needs),
            false if !across => refuse("its surface goes on inside the domain", needs),
            _ => Ok(vanishing),
        }
    }

    /// Whether it vanishes on the part, of first order at nearly all points.
    fn try_on(&self, part: &Part) -> Result<bool> {
        let (mut points, d) = (vec![], self.dimension);
        part.sample(TRIED, &mut Sampler::new(Sampling::Sobol, 0, "vanishing"), &mut points, None)?;
        let (mut gradient, mut hessian) = (vec![0.0; d], vec![0.0; d * d]);
        let region = part.region.bounds.iter().map(|[l, u]| u - l);
        let length = region.chain(part.others.iter().map(|(_, [l, u])| u - l)).fold(0.0, f64::max);
        let good = points.chunks_exact(d).filter(|x| {
            let v = self.evaluate(x, &mut gradient, &mut hessian);
            let slope = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            v.abs() <= 1e-9 * length.max(1.0) && slope * length > 1e-7
        });
        Ok(good.count() * 20 >= TRIED * 19)
    }

    /// Whether it is positive inside.
    fn try_inside(&self, part: &Part) -> Result<bool> {
        let (region, others) = (part.region.clone(), part.others.clone());
        let inside = Piece::new(Place::Interior, None, &region, &others);
        let inside = Part::new("interior", self.dimension, region, others, vec![inside])?;
        let (mut points, d) = (vec![], self.dimension);
        inside.sample(4 * TRIED, &mut Sampler::new(Sampling::Sobol, 0, "vanishing"), &mut points, None)?;
        let (mut gradient, mut hessian) = (vec![0.0; d], vec![0.0; d * d]);
        Ok(points.chunks_exact(d).all(|x| self.evaluate(x, &mut gradient, &mut hessian) > 0.0))
    }

    /// Its value at x: `[dimension]`; its gradient, `[dimension]`, and second derivatives, `[dimension, dimension]`, are written.
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn evaluate(&self, x: &[f64], gradient: &mut [f64], hessian: &mut [f64]) -> f64 {
        let d = self.dimension;
        assert_eq!(
            (x.len(), gradient.len(), hessian.len()),
            (d, d, d * d),
            "lengths of x, gradient and hessian"
        );
        let mut v = 1.0;
        gradient.fill(0.0);
        hessian.fill(0.0);
        for &(k, [a, b, c]) in &self.lines {
            let (f, f1, f2) = (a + x[k] * (b + c * x[k]), b + 2.0 * c * x[k], 2.0 * c);
            hessian.iter_mut().for_each(|h| *h *= f);
            for i in 0..d {
                hessian[i * d + k] += gradient[i] * f1;
                hessian[k * d + i] += gradient[i] * f1;
            }
            hessian[k * d + k] += v * f2;
            gradient.iter_mut().for_each(|g| *g *= f);
            gradient[k] += v * f1;
            v *= f;
        }
        for (shape, outside) in &self.shapes {
            let local: Vec<f64> = self.axes.iter().map(|a| x[*a]).collect();
            let sign = if *outside { -1.0 } else { 1.0 };
            let f = smooth(shape, &local);
            let m = local.len();
            let (mut g, mut h) = (vec![0.0; d], vec![0.0; d * d]);
            for i in 0..m {
                g[self.axes[i]] = sign * f.g[i];
                (0..m).for_each(|j| h[self.axes[i] * d + self.axes[j]] = sign * f.h[i * m + j]);
            }
            let own = Taylor { v, g: gradient.to_vec(), h: hessian.to_vec() };
            let product = own.times(&Taylor { v: sign * f.v, g, h });
            gradient.copy_from_slice(&product.g);
            hessian.copy_from_slice(&product.h);
            v = product.v;
        }
        v
    }
}

/// A function that is positive inside a shape, zero on its surface, negative outside, and of slope one at the surface.
fn smooth(shape: &Shape, x: &[f64]) -> Taylor {
    let d = x.len();
    let joined = |shapes: &[Shape], sign: f64| {
        let all = shapes.iter().map(|s| smooth(s, x));
        all.reduce(|a, b| a.joined(&b, sign)).unwrap_or_else(|| Taylor::constant(0.0, d))
    };
    match &shape.geometry {
        Geometry::Cuboid(bounds) => {
            let side = |(i, [l, u]): (usize, &[f64; 2])| {
                let mut side = Taylor::constant((x[i] - l) * (u - x[i]) / (u - l), d);
                side.g[i] = (l + u - 2.0 * x[i]) / (u - l);
                side.h[i * d + i] = -2.0 / (u - l);
                side
            };
            let sides = bounds.iter().enumerate().map(side);
            sides.reduce(|a, b| a.joined(&b, -1.0)).unwrap_or_else(|| Taylor::constant(0.0, d))
        }
        Geometry::Ball { center, radius } => {
            let r: Vec<f64> = x.iter().zip(center).map(|(x, c)| x - c).collect();
            let square: f64 = r.iter().map(|r| r * r).sum();
            let mut ball = Taylor::constant((radius * radius - square) / (2.0 * radius), d);
            for i in 0..d {
                ball.g[i] = -r[i] / radius;
                ball.h[i * d + i] = -1.0 / radius;
            }
            ball
        }
        Geometry::HalfSpace { normal, .. } => {
            let mut half = Taylor::constant(shape.distance(x), d);
            half.g.iter_mut().zip(normal).for_each(|(g, n)| *g = -n);
            half
        }
        Geometry::Polygon(polygon) => around(polygon, [x[0], x[1]]),
        Geometry::Union(shapes) => joined(shapes, 1.0),
        Geometry::Intersection(shapes) => joined(shapes, -1.0),
        Geometry::Difference(of, without) => {
            let without = joined(without, 1.0).negated();
            smooth(of, x).joined(&without, -1.0)
        }
    }
}

/// The distances to the edges, a b / (a + b) of any two, with the sign of the inside.
fn around(polygon: &Polygon, x: [f64; 2]) -> Taylor {
    let equivalent = |a: Taylor, b: Taylor| {
        let sum = a.clone().plus(1.0, &b, 1.0).recip();
        a.times(&b).times(&sum)
    };
    let edges = polygon.edges().map(|edge| to_edge(edge, x));
    let distance = edges.reduce(equivalent).unwrap_or_else(|| Taylor::constant(0.0, 2));
    if polygon.distance(x) >= 0.0 { distance } else { distance.negated() }
}

/// A smooth distance to an edge, that to its line joined with a disk around its middle.
fn to_edge([a, b]: [[f64; 2]; 2], x: [f64; 2]) -> Taylor {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx.hypot(dy);
    let mut line = Taylor::constant((dx * (x[1] - a[1]) - dy * (x[0] - a[0])) / length, 2);
    line.g = vec![-dy / length, dx / length];
    let r = [x[0] - 0.5 * (a[0] + b[0]), x[1] - 0.5 * (a[1] + b[1])];
    let mut disk = Taylor::constant((0.25 * length * length - r[0] * r[0] - r[1] * r[1]) / length, 2);
    disk.g = vec![-2.0 * r[0] / length, -2.0 * r[1] / length];
    disk.h = vec![-2.0 / length, 0.0, 0.0, -2.0 / length];
    let fourth = line.clone().square().square();
    let root = disk.clone().square().plus(1.0, &fourth, 1.0).sqrt();
    if disk.v > 0.0 {
        // |f| √(1 + q²) with q = f³ / 2(√(t² + f⁴) + t): no root of what may be zero.
        let sign = if line.v < 0.0 { -1.0 } else { 1.0 };
        let cube = line.clone().square().times(&line);
        let q = cube.times(&root.plus(2.0, &disk, 2.0).recip());
        let one = Taylor::constant(1.0, 2);
        line.times(&q.square().plus(1.0, &one, 1.0).sqrt()).plus(sign, &one, 0.0)
    } else {
        let trimmed = root.plus(0.5, &disk, -0.5).square();
        line.square().plus(1.0, &trimmed, 1.0).sqrt()
    }
}
