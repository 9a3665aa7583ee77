//! The Stokes flow at a corner between a resting wall and one that slides.
//!
//! In local coordinates X along the lid and Y into the cavity, ψ = bY + (cX + dY)θ with θ = atan2(Y, X): biharmonic, of degree
//! 1 in the distance, with ψ = 0 and ∂ψ/∂Y = −1 on Y = 0, and ψ = ∂ψ/∂X = 0 on X = 0. Its vorticity is proportional to 1/r.
//!
//! # Reference
//! G. I. Taylor, "On scraping viscous fluid from a plane surface", in *Miszellaneen der Angewandten Mechanik* (1962),
//! 313–315.

use std::f64::consts::PI;

/// A function with the derivatives that are needed of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Derivatives {
    pub value: f64,
    pub x: f64,
    pub y: f64,
    pub xx: f64,
    pub xy: f64,
    pub yy: f64,
    pub xxy: f64,
    pub xyy: f64,
}

/// The flows of both lid corners of [−1, 1]², whose lid y = 1 moves along x with speed 1.
pub(super) fn both(x: f64, y: f64) -> Derivatives {
    let (a, b) = (left(x, y), left(-x, y));
    Derivatives {
        value: a.value + b.value,
        x: a.x - b.x,
        y: a.y + b.y,
        xx: a.xx + b.xx,
        xy: a.xy - b.xy,
        yy: a.yy + b.yy,
        xxy: a.xxy + b.xxy,
        xyy: a.xyy - b.xyy,
    }
}

/// That of the corner (−1, 1), at any other point.
pub(super) fn left(x: f64, y: f64) -> Derivatives {
    let (x, y) = (1.0 + x, 1.0 - y);
    let c = 1.0 / (PI * PI / 4.0 - 1.0);
    let (d, b) = (c * PI / 2.0, -c * PI * PI / 4.0);
    let theta = libm::atan2(y, x);
    let square = x * x + y * y;
    let (four, six) = (square * square, square * square * square);
    let (tx, ty) = (-y / square, x / square);
    let (txx, txy) = (2.0 * x * y / four, (y * y - x * x) / four);
    let tyy = -txx;
    let txyy = 2.0 * y / four - 4.0 * y * (y * y - x * x) / six;
    let txxy = -2.0 * x / four - 4.0 * x * (y * y - x * x) / six;
    let g = c * x + d * y;
    // Derivatives along Y have the other sign along y.
    Derivatives {
        value: b * y + g * theta,
        x: c * theta + g * tx,
        y: -(b + d * theta + g * ty),
        xx: 2.0 * c * tx + g * txx,
        xy: -(c * ty + d * tx + g * txy),
        yy: 2.0 * d * ty + g * tyy,
        xxy: -(2.0 * c * txy + d * txx + g * txxy),
        xyy: c * tyy + 2.0 * d * txy + g * txyy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_agree_with_differences() {
        let e = 1e-5;
        for (x, y) in [(-0.7, 0.6), (0.9, 0.8), (0.3, -1.0), (1.0, 0.2)] {
            let slope = |f: fn(Derivatives) -> f64, dx: f64, dy: f64| {
                (f(both(x + dx * e, y + dy * e)) - f(both(x - dx * e, y - dy * e))) / (2.0 * e)
            };
            let p = both(x, y);
            for (got, wanted) in [
                (p.x, slope(|d| d.value, 1.0, 0.0)),
                (p.y, slope(|d| d.value, 0.0, 1.0)),
                (p.xx, slope(|d| d.x, 1.0, 0.0)),
                (p.xy, slope(|d| d.x, 0.0, 1.0)),
                (p.yy, slope(|d| d.y, 0.0, 1.0)),
                (p.xxy, slope(|d| d.xx, 0.0, 1.0)),
                (p.xyy, slope(|d| d.yy, 1.0, 0.0)),
            ] {
                assert!((got - wanted).abs() < 1e-7 * (1.0 + wanted.abs()), "({x}, {y}): {got} {wanted}");
            }
            let harmonic = |x: f64, y: f64| both(x, y).xx + both(x, y).yy;
            let h = 1e-3;
            let around = harmonic(x + h, y) + harmonic(x - h, y) + harmonic(x, y + h) + harmonic(x, y - h);
            if x < 0.95 {
                assert!((around - 4.0 * harmonic(x, y)).abs() < 1e-6, "biharmonic at ({x}, {y})");
            }
        }
    }

    #[test]
    fn walls_are_met_exactly() {
        for s in [-0.9, 0.0, 0.5] {
            let (lid, wall) = (left(s, 1.0), left(-1.0, s));
            assert!(lid.value.abs() < 1e-15 && (lid.y - 1.0).abs() < 1e-15, "{lid:?}");
            assert!(wall.value.abs() < 1e-15 && wall.x.abs() < 1e-15, "{wall:?}");
        }
    }
}
