//! A step length that decreases the loss enough and its slope too.
//!
//! J. Nocedal, S. J. Wright, *Numerical optimization*, 2nd ed., 2006, algorithms 3.5 and 3.6, with cubic interpolation, kept a
//! tenth of the bracket from its ends. Where losses differ by no more than rounding the decrease is judged by slopes: W. W.
//! Hager, H. Zhang, *A new conjugate gradient method with guaranteed descent and an efficient line search*, SIAM J. Optim. 16
//! (2005), 170–192, 10.1137/030601880.

use crate::Result;

/// The least decrease, as a share of what the slope promises.
pub(super) const DECREASE: f64 = 1e-4;
/// The largest slope left, as a share of the first.
pub(super) const CURVATURE: f64 = 0.9;

/// A step length with the loss and its slope along the direction there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub a: f64,
    pub loss: f64,
    pub slope: f64,
}

/// Finds a step from `start` (a = 0, slope below 0) that satisfies the strong Wolfe conditions, or the approximate ones where
/// rounding hides the decrease; `None` when `most` evaluations do not. The last evaluation is of the step returned.
pub(super) fn strong_wolfe(
    start: Point,
    first: f64,
    rounding: f64,
    most: usize,
    mut evaluate: impl FnMut(f64) -> Result<Point>,
) -> Result<Option<Point>> {
    let noise = rounding * start.loss.abs();
    let enough = |p: &Point| p.loss <= start.loss + DECREASE * p.a * start.slope;
    let level = |p: &Point| {
        p.loss <= start.loss + noise && p.slope <= (2.0 * DECREASE - 1.0) * start.slope && p.a > 0.0
    };
    let good = |p: &Point| p.slope.abs() <= -CURVATURE * start.slope && (enough(p) || level(p));
    // `low` decreases enough and has the lower loss; the slope at it points at `high`.
    let (mut low, mut high): (Point, Option<Point>) = (start, None);
    let mut a = first;
    for _ in 0..most {
        let p = evaluate(a)?;
        if !(p.loss.is_finite() && p.slope.is_finite()) {
            // Too far: come back.
            high = Some(Point { a, loss: f64::INFINITY, slope: f64::NAN });
            a = low.a + 0.1 * (a - low.a);
            continue;
        }
        if good(&p) {
            return Ok(Some(p));
        }
        let decreases = enough(&p) || level(&p);
        let lower = p.loss < low.loss || low.a == 0.0 || (p.loss <= low.loss + noise && level(&p));
        if !(decreases && lower) {
            high = Some(p);
        } else {
            let towards = high.map_or(1.0, |h| h.a - low.a).signum();
            if p.slope * towards >= 0.0 {
                high = Some(low);
            }
            low = p;
        }
        a = match high {
            None => (4.0 * low.a).max(first),
            Some(high) => between(low, high),
        };
        if a == low.a || high.is_some_and(|h| a == h.a) {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The minimiser of the cubic through two points, a tenth of their distance from either at least.
fn between(low: Point, high: Point) -> f64 {
    let width = high.a - low.a;
    let mean = 3.0 * (low.loss - high.loss) / width + low.slope + high.slope;
    let root = (mean * mean - low.slope * high.slope).sqrt() * width.signum();
    let share = 1.0 - (high.slope + root - mean) / (high.slope - low.slope + 2.0 * root);
    let share = if share.is_finite() { share.clamp(0.1, 0.9) } else { 0.5 };
    low.a + share * width
}
