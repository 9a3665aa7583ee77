//! Functions that vanish on the surface of a shape, as text.

use super::polygon::Polygon;
use super::shape::{Geometry, Shape};
use crate::Result;
use crate::expression::Scope;

/// What the text of [`smooth`] calls. A root of zero has no derivative; it is taken as zero, as is 0/0.
const FUNCTIONS: [(&str, &str); 6] = [
    ("root(s)", "where(s > 0, sqrt(s), 0)"),
    // Rvachev's conjunction and disjunction: positive where both are, and where one is.
    ("both(a, b)", "a + b - root(a^2 + b^2)"),
    ("either(a, b)", "a + b + root(a^2 + b^2)"),
    // His equivalence: the distance to what two distances lead to.
    ("nearest(a, b)", "where(a + b > 0, a*b/(a + b), 0)"),
    // A distance with its sign; the surface itself is inside.
    ("signed(d, s)", "where(d > 0, s*d, d)"),
    // The line f = 0 within the disk t > 0: √(f² + ((√(t² + f⁴) − t)/2)²). In the disk it is |f| √(1 + q²) with
    // q = f³ / 2(√(t² + f⁴) + t), which takes no root of what may be zero.
    (
        "edge(f, t)",
        "where(t > 0, where(f < 0, -f, f)*sqrt(1 + (f^3/(2*(root(t^2 + f^4) + t)))^2), \
         root(f^2 + ((root(t^2 + f^4) - t)/2)^2))",
    ),
];

/// Makes the functions known that the texts call.
pub(super) fn define(scope: &mut Scope) -> Result<()> {
    FUNCTIONS.iter().try_for_each(|(head, text)| scope.define(head, text))
}

/// A function that is positive inside a shape, zero on its surface, negative outside, and of slope one at the surface. `names`
/// are those of the shape's coordinates.
pub(super) fn smooth(shape: &Shape, names: &[&str]) -> String {
    let joined = |shapes: &[Shape], by: &str| fold(shapes.iter().map(|s| smooth(s, names)).collect(), by);
    match &shape.geometry {
        Geometry::Cuboid(bounds) => {
            let side =
                |(x, [l, u]): (&&str, &[f64; 2])| format!("({x} - ({l:e}))*(({u:e}) - {x})/({:e})", u - l);
            fold(names.iter().zip(bounds).map(side).collect(), "both")
        }
        Geometry::Ball { center, radius } => {
            let square = |(x, c): (&&str, &f64)| format!("({x} - ({c:e}))^2");
            let squares: Vec<String> = names.iter().zip(center).map(square).collect();
            format!("({:e} - ({}))/({:e})", radius * radius, squares.join(" + "), 2.0 * radius)
        }
        Geometry::HalfSpace { normal, offset } => {
            let part = |(x, n): (&&str, &f64)| format!("({n:e})*{x}");
            let parts: Vec<String> = names.iter().zip(normal).map(part).collect();
            format!("(({offset:e}) - ({}))", parts.join(" + "))
        }
        Geometry::Polygon(polygon) => around(polygon, names[0], names[1]),
        Geometry::Union(shapes) => joined(shapes, "either"),
        Geometry::Intersection(shapes) => joined(shapes, "both"),
        Geometry::Difference(of, without) => {
            format!("both({}, -({}))", smooth(of, names), joined(without, "either"))
        }
    }
}

/// All of them joined in pairs, so that brackets are few deep.
fn fold(mut all: Vec<String>, by: &str) -> String {
    while all.len() > 1 {
        let pair = |p: &[String]| match p {
            [a, b] => format!("{by}({a}, {b})"),
            _ => p.concat(),
        };
        all = all.chunks(2).map(pair).collect();
    }
    all.pop().unwrap_or_else(|| "0".into())
}

/// The distances to the edges joined, with the sign of the inside: minus one for every edge that a ray to the right crosses,
/// multiplied.
fn around(polygon: &Polygon, x: &str, y: &str) -> String {
    let edges: Vec<String> =
        polygon.edges().map(|e| format!("edge({}, {})", line(e, x, y), disk(e, x, y))).collect();
    // By the same line as the distance, so that rounding moves a point across both at once.
    let crosses = |[a, b]: [[f64; 2]; 2]| {
        let (low, high, side) = if a[1] < b[1] { (a[1], b[1], ">=") } else { (b[1], a[1], "<") };
        let line = line([a, b], x, y);
        format!("where(({low:e}) <= {y} and {y} < ({high:e}) and {line} {side} 0, -1, 1)")
    };
    let signs: Vec<String> = polygon.edges().filter(|[a, b]| a[1] != b[1]).map(crosses).collect();
    format!("signed({}, -({}))", fold(edges, "nearest"), signs.join("*"))
}

/// The distance to the line through two points, positive to its left.
fn line([a, b]: [[f64; 2]; 2], x: &str, y: &str) -> String {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx.hypot(dy);
    format!("(({:e})*({y} - ({:e})) - ({:e})*({x} - ({:e})))", dx / length, a[1], dy / length, a[0])
}

/// Positive in the disk that an edge is a diameter of.
fn disk([a, b]: [[f64; 2]; 2], x: &str, y: &str) -> String {
    let length = (b[0] - a[0]).hypot(b[1] - a[1]);
    let middle = [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])];
    let [square, mx, my] = [0.25 * length * length, middle[0], middle[1]];
    format!("(({square:e}) - ({x} - ({mx:e}))^2 - ({y} - ({my:e}))^2)/({length:e})")
}
