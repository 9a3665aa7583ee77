//! What the corner flows leave wrong at the walls, continued smoothly into the cavity.
//!
//! The flow of a corner is right at the walls that meet in it and wrong, but smooth, at the other two. Minus these errors, the
//! values and slopes at all walls, are blended with cubic Hermite polynomials, of each direction and less their product.
//!
//! # Reference
//! S. A. Coons, "Surfaces for computer-aided design of space forms", MIT Project MAC TR-41 (1967).

use super::corner::{both, left};

/// ψ, ψ_x, ψ_y and Δψ at a point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stream {
    pub value: f64,
    pub x: f64,
    pub y: f64,
    pub laplacian: f64,
}

/// A value with its first two derivatives along a wall.
type Jet = [f64; 3];

/// The Hermite cubics of value and slope at −1, then at 1, with their derivatives.
fn hermite(s: f64) -> [Jet; 4] {
    let left = |s: f64| {
        [
            [0.25 * (1.0 - s) * (1.0 - s) * (2.0 + s), 0.75 * (s * s - 1.0), 1.5 * s],
            [
                0.25 * (1.0 - s) * (1.0 - s) * (1.0 + s),
                0.25 * (3.0 * s * s - 2.0 * s - 1.0),
                0.25 * (6.0 * s - 2.0),
            ],
        ]
    };
    let ([v, d], [w, e]) = (left(s), left(-s));
    [v, d, [w[0], -w[1], w[2]], [-e[0], e[1], -e[2]]]
}

/// Value and slope to be had at x = −1, then at x = 1, along y.
fn sides(y: f64) -> [Jet; 4] {
    // At a side the flow of its own corner is right; the other is its mirror image.
    let far = left(1.0, y);
    let value = [-far.value, -far.y, -far.yy];
    let slope = [-far.x, -far.xy, -far.xyy];
    [value, slope.map(|s| -s), value, slope]
}

/// Value and slope to be had at y = −1, then at y = 1, along x.
fn floor_and_lid(x: f64) -> [Jet; 4] {
    let floor = both(x, -1.0);
    [
        [-floor.value, -floor.x, -floor.xx],
        [-floor.y, -floor.xy, -floor.xxy],
        [0.0; 3],
        // Both corners move the lid at speed 1.
        [-1.0, 0.0, 0.0],
    ]
}

/// The smooth part at a point of [−1, 1]².
pub(super) fn lift(x: f64, y: f64) -> Stream {
    let (hx, hy) = (hermite(x), hermite(y));
    let (a, b) = (sides(y), floor_and_lid(x));
    let mut sum = [0.0f64; 5];
    let mut add = |p: Jet, q: Jet, sign: f64| {
        let terms = [p[0] * q[0], p[1] * q[0], p[0] * q[1], p[2] * q[0], p[0] * q[2]];
        sum.iter_mut().zip(terms).for_each(|(s, t)| *s += sign * t);
    };
    let (low, high) = (sides(-1.0), sides(1.0));
    for i in 0..4 {
        add(hx[i], a[i], 1.0);
        add(b[i], hy[i], 1.0);
        let corners = [low[i][0], low[i][1], high[i][0], high[i][1]];
        for (h, c) in hy.iter().zip(corners) {
            add(hx[i], h.map(|h| h * c), -1.0);
        }
    }
    Stream { value: sum[0], x: sum[1], y: sum[2], laplacian: sum[3] + sum[4] }
}

/// The singular part and the smooth one.
pub(super) fn carrier(x: f64, y: f64) -> Stream {
    let (s, l) = (both(x, y), lift(x, y));
    Stream { value: s.value + l.value, x: s.x + l.x, y: s.y + l.y, laplacian: s.xx + s.yy + l.laplacian }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_are_met() {
        for s in [-0.95, -0.3, 0.4, 0.99] {
            let lid = carrier(s, 1.0);
            assert!(lid.value.abs() < 1e-14 && lid.x.abs() < 1e-14 && (lid.y - 1.0).abs() < 1e-14, "{lid:?}");
            for wall in [carrier(-1.0, s), carrier(1.0, s), carrier(s, -1.0)] {
                assert!(
                    wall.value.abs() < 1e-14 && wall.x.abs() < 1e-14 && wall.y.abs() < 1e-14,
                    "{s}: {wall:?}"
                );
            }
        }
    }

    #[test]
    fn derivatives_of_the_smooth_part_agree_with_differences() {
        let h = 1e-4;
        for (x, y) in [(0.2, -0.5), (-0.9, 0.95), (0.7, 0.1)] {
            let [w, e, s, n] = [lift(x - h, y), lift(x + h, y), lift(x, y - h), lift(x, y + h)];
            let p = lift(x, y);
            assert!((p.x - (e.value - w.value) / (2.0 * h)).abs() < 1e-7);
            assert!((p.y - (n.value - s.value) / (2.0 * h)).abs() < 1e-7);
            let laplacian = (w.value + e.value + s.value + n.value - 4.0 * p.value) / (h * h);
            assert!((p.laplacian - laplacian).abs() < 1e-5, "{} {laplacian}", p.laplacian);
        }
    }
}
