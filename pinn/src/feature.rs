//! What a network sees of a point: fixed functions of the coordinates, with all their derivatives in closed form.

use crate::elementary::sin_cos;
use crate::product::Rows;
use crate::simd::{Kernel, Real, Vector};
use crate::streams::Streams;
use rand::{RngExt, SeedableRng};
use std::f64::consts::{FRAC_PI_2, TAU};

/// One input of a network: a linear form a = w·x + c of the coordinates, or its cosine. Not trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// w, one for each coordinate.
    pub weights: Vec<f64>,
    /// c.
    pub shift: f64,
    /// Whether the cosine is taken.
    pub cosine: bool,
}

impl Feature {
    /// Every coordinate as (x − mean) / deviation.
    pub fn standardised(mean: &[f64], deviation: &[f64]) -> Vec<Self> {
        let dim = mean.len();
        let feature = |(axis, (m, d)): (usize, (&f64, &f64))| {
            let mut weights = vec![0.0; dim];
            weights[axis] = 1.0 / d;
            Self { weights, shift: -m / d, cosine: false }
        };
        mean.iter().zip(deviation).enumerate().map(feature).collect()
    }

    /// cos and sin of 2πjx/period for j = 1..=`harmonics` along one axis: a network of these alone is exactly periodic
    /// there, with all its derivatives.
    ///
    /// # Reference
    /// S. Dong, N. Ni, A method for representing periodic functions and enforcing exactly periodic boundary conditions with
    /// deep neural networks, Journal of Computational Physics 435 (2021), doi:10.1016/j.jcp.2021.110242.
    pub fn periodic(dim: usize, axis: usize, period: f64, harmonics: usize) -> Vec<Self> {
        let pair = |j: usize| {
            let mut weights = vec![0.0; dim];
            if let Some(w) = weights.get_mut(axis) {
                *w = TAU * j as f64 / period;
            }
            Self::pair(weights)
        };
        (1..=harmonics).flat_map(pair).collect()
    }

    /// cos and sin of b·x for `count` random b, whose entries are normal with deviation `sigma`.
    ///
    /// # Reference
    /// M. Tancik et al., Fourier features let networks learn high frequency functions in low dimensional domains, NeurIPS
    /// (2020), arXiv:2006.10739.
    pub fn fourier(dim: usize, count: usize, sigma: f64, seed: u64) -> Vec<Self> {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let normal = rand_distr::StandardNormal;
        let form = |_| (0..dim).map(|_| sigma * random.sample::<f64, _>(normal)).collect();
        let forms: Vec<Vec<f64>> = (0..count).map(form).collect();
        forms.into_iter().flat_map(Self::pair).collect()
    }

    fn pair(weights: Vec<f64>) -> [Self; 2] {
        let sine = Self { weights: weights.clone(), shift: -FRAC_PI_2, cosine: true };
        [Self { weights, shift: 0.0, cosine: true }, sine]
    }

    /// What stream `s` is made of: a + b cos α + c sin α with α the linear form, for s > 0.
    fn stream(&self, streams: &Streams, s: usize) -> [f64; 3] {
        let mut by_order = [0.0; 5];
        for (c, d) in streams.carried()[s].terms() {
            let powers = d.orders().iter().zip(&self.weights).map(|(&o, w)| w.powi(i32::from(o)));
            by_order[d.order()] += c * powers.product::<f64>();
        }
        if self.cosine {
            [0.0, by_order[4] - by_order[2], by_order[3] - by_order[1]]
        } else {
            [by_order[1], 0.0, 0.0]
        }
    }
}

/// The streams of every feature at the points of a tile.
pub struct Fill<'a, T> {
    pub features: &'a [Feature],
    pub streams: &'a Streams,
    /// One row of points for each coordinate.
    pub points: Rows<T>,
    pub t: usize,
    pub x: Rows<T>,
}

impl<T: Real> Kernel<T> for Fill<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let t = self.t;
        for (r, feature) in self.features.iter().enumerate() {
            // SAFETY: rows hold the streams of a tile, and those of `points` its points.
            unsafe {
                let x = self.x.row(r);
                for i in (0..t).step_by(V::LANES) {
                    let mut a = V::splat(T::of(feature.shift));
                    for (axis, &w) in feature.weights.iter().enumerate() {
                        if w != 0.0 {
                            a = V::splat(T::of(w)).mul_add(V::load(self.points.row(axis).add(i)), a);
                        }
                    }
                    a.store(x.add(i));
                }
                for s in (0..self.streams.count()).rev() {
                    // The value, from which the others are made, comes last.
                    let [a, b, c] = if s == 0 { [0.0, 1.0, 0.0] } else { feature.stream(self.streams, s) };
                    if s == 0 && !feature.cosine {
                        continue;
                    }
                    for i in (0..t).step_by(V::LANES) {
                        let mut v = V::splat(T::of(a));
                        if feature.cosine {
                            let (sin, cos) = sin_cos(V::load(x.add(i)));
                            v = V::splat(T::of(b)).mul_add(cos, V::splat(T::of(c)) * sin);
                        }
                        v.store(x.add(s * t + i));
                    }
                }
            }
        }
    }
}
