//! Functions that vanish on a part of the boundary.

use super::rvachev::{define, smooth};
use super::shape::Shape;
use super::{Part, Piece, Place};
use crate::expression::{Function, Scope};
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
/// use resolvent_pinn::expression::Scope;
/// let domain = Domain::new(&[("x", -1.0, 1.0), ("t", 0.0, 2.0)])?;
/// let phi = domain.part("boundary, t = 0")?.vanishing()?;
/// // (1 − x²) t/2 and its derivative along x, at one point.
/// let (mut value, mut slope) = ([0.0], [0.0]);
/// phi.derivative(&[])?.evaluate(&[0.5, 1.0], &mut value)?;
/// phi.derivative(&[0])?.evaluate(&[0.5, 1.0], &mut slope)?;
/// assert_eq!((value, slope), ([0.375], [-0.5]));
///
/// // Under a name it is part of the language: what the network gives is multiplied with it.
/// let mut scope = Scope::new(&["x", "t"], &["u"])?;
/// scope.vanishing("phi", &phi)?;
/// scope.ansatz("u", "sin(pi*x) + phi*u")?;
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
///
/// # Reference
/// N. Sukumar, A. Srivastava, Exact imposition of boundary conditions with distance functions in physics-informed deep neural
/// networks, Computer Methods in Applied Mechanics and Engineering 389 (2022), doi:10.1016/j.cma.2021.114333; V. L. Rvachev, T. I.
/// Sheiko, R-functions in boundary value problems in mechanics, Applied Mechanics Reviews 48 (1995), doi:10.1115/1.3005099.
#[derive(Clone, Debug)]
pub struct Vanishing {
    /// With the function as the exact solution of [`NAME`], of coordinates that are numbered.
    scope: Scope,
}

/// The name of the function in its own scope.
const NAME: &str = "phi";

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
        let names: Vec<String> = (0..part.dimension()).map(|axis| format!("x{axis:06}")).collect();
        let line = |(axis, [a, b, c]): &(usize, [f64; 3])| {
            let x = &names[*axis];
            format!("(({a:e}) + {x}*(({b:e}) + ({c:e})*{x}))")
        };
        let around = |(shape, outside): &(Shape, bool)| {
            let local: Vec<&str> = part.region.axes.iter().map(|a| names[*a].as_str()).collect();
            format!("({}({}))", if *outside { "-" } else { "" }, smooth(shape, &local))
        };
        let text: Vec<String> = lines.iter().map(line).chain(shapes.iter().map(around)).collect();
        let mut scope = Scope::new(&names.iter().map(String::as_str).collect::<Vec<_>>(), &[NAME])?;
        define(&mut scope)?;
        scope.exact(NAME, &text.join("*"))?;
        let vanishing = Self { scope };
        let (good, needs) = (vanishing.try_on(part)?, "impose the condition as a term of the loss");
        match vanishing.try_inside(part)? {
            _ if !good => refuse("its surfaces lie in two shapes or faces at once", needs),
            false if !across => refuse("its surface goes on inside the domain", needs),
            _ => Ok(vanishing),
        }
    }

    /// Itself, differentiated along each of `axes`, the numbers of coordinates, in turn. At corners, where derivatives jump, they
    /// are finite.
    ///
    /// # Errors
    /// [`Error::Expression`] for an axis that is none, or a polygon of more edges than an expression holds, hundreds of them.
    pub fn derivative(&self, axes: &[usize]) -> Result<Function> {
        self.scope.function(&format!("exact_{NAME}{}", suffix(axes)))
    }

    /// The scope in which it is known, and its text there.
    pub(crate) fn text(&self) -> (&Scope, String) {
        (&self.scope, format!("exact_{NAME}"))
    }

    /// Whether it vanishes on the part, of first order at nearly all points.
    fn try_on(&self, part: &Part) -> Result<bool> {
        let (mut points, d) = (vec![], self.scope.coordinates().len());
        part.sample(TRIED, &mut Sampler::new(Sampling::Sobol, 0, "vanishing"), &mut points, None)?;
        let region = part.region.bounds.iter().map(|[l, u]| u - l);
        let length = region.chain(part.others.iter().map(|(_, [l, u])| u - l)).fold(0.0, f64::max);
        let values = self.at(&points, &[])?;
        let mut squares = vec![0.0; values.len()];
        for axis in 0..d {
            let slopes = self.at(&points, &[axis])?;
            squares.iter_mut().zip(slopes).for_each(|(s, g)| *s += g * g);
        }
        let good = values
            .iter()
            .zip(&squares)
            .filter(|(v, square)| v.abs() <= 1e-9 * length.max(1.0) && square.sqrt() * length > 1e-7);
        Ok(good.count() * 20 >= TRIED * 19)
    }

    /// Whether it is positive inside.
    fn try_inside(&self, part: &Part) -> Result<bool> {
        let (region, others) = (part.region.clone(), part.others.clone());
        let inside = Piece::new(Place::Interior, None, &region, &others);
        let inside = Part::new("interior", part.dimension(), region, others, vec![inside])?;
        let mut points = vec![];
        inside.sample(4 * TRIED, &mut Sampler::new(Sampling::Sobol, 0, "vanishing"), &mut points, None)?;
        Ok(self.at(&points, &[])?.iter().all(|v| *v > 0.0))
    }

    /// A derivative at `points: [n, dimension]`.
    fn at(&self, points: &[f64], axes: &[usize]) -> Result<Vec<f64>> {
        let d = self.scope.coordinates().len();
        let mut values = vec![0.0; points.len() / d];
        let columns: Vec<f64> = (0..d).flat_map(|a| points.chunks_exact(d).map(move |x| x[a])).collect();
        self.derivative(axes)?.evaluate(&columns, &mut values)?;
        Ok(values)
    }
}

/// How a derivative is written.
fn suffix(axes: &[usize]) -> String {
    let names: String = axes.iter().map(|axis| format!("x{axis:06}")).collect();
    if names.is_empty() { names } else { format!("_{names}") }
}
