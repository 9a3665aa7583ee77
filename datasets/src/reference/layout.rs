//! What a reference solution hands out: names, axes, times.

/// The shape of a solution: fields over points in space, at times, for trajectories.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Names of the fields.
    pub fields: Vec<&'static str>,
    /// The axes of space, the last fastest.
    pub axes: Vec<Axis>,
    /// When; empty when nothing depends on time.
    pub times: Vec<f64>,
    /// How many trajectories.
    pub samples: usize,
}

/// A direction of space.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// `x`, `y` or `z`.
    pub name: &'static str,
    /// Where the points are, increasing.
    pub points: Vec<f64>,
    /// What holds at its ends, such as `periodic`.
    pub ends: &'static str,
}

impl Axis {
    /// `n` points from `low` on, the next of which would be `high`, the same point as `low`.
    pub(super) fn periodic(name: &'static str, low: f64, high: f64, n: usize) -> Self {
        let points = (0..n).map(|i| low + (high - low) * i as f64 / n as f64).collect();
        Self { name, points, ends: "periodic" }
    }

    /// `n` points from `low` to `high`, both of them included.
    pub(super) fn closed(name: &'static str, low: f64, high: f64, n: usize, ends: &'static str) -> Self {
        let last = (n - 1) as f64;
        let point = |i: usize| if i + 1 == n { high } else { low + (high - low) * i as f64 / last };
        Self { name, points: (0..n).map(point).collect(), ends }
    }

    /// The centres of `n` cells of the unit interval.
    pub(super) fn centres(name: &'static str, n: usize, ends: &'static str) -> Self {
        Self { name, points: (0..n).map(|i| (i as f64 + 0.5) / n as f64).collect(), ends }
    }
}

/// `count` times from 0 to `end`.
pub(super) fn times(count: usize, end: f64) -> Vec<f64> {
    Axis::closed("t", 0.0, end, count, "").points
}

impl Layout {
    /// Points in space.
    pub fn points(&self) -> usize {
        self.axes.iter().map(|a| a.points.len()).product()
    }

    /// Snapshots of a trajectory, one when nothing depends on time.
    pub fn snapshots(&self) -> usize {
        self.times.len().max(1)
    }

    /// Numbers of a snapshot: fields × points.
    pub fn width(&self) -> usize {
        self.fields.len() * self.points()
    }

    /// Bytes of all its numbers.
    pub fn bytes(&self) -> u64 {
        8 * self.width() as u64 * self.snapshots() as u64 * self.samples as u64
    }
}
