//! A value with its first and second derivatives.

/// v with gradient g: [d] and second derivatives h: [d, d].
#[derive(Clone, Debug, PartialEq)]
pub struct Taylor {
    pub v: f64,
    pub g: Vec<f64>,
    pub h: Vec<f64>,
}

impl Taylor {
    pub fn constant(v: f64, d: usize) -> Self {
        Self { v, g: vec![0.0; d], h: vec![0.0; d * d] }
    }

    /// f(v), of derivatives f′ and f″ there.
    pub fn map(mut self, [f, f1, f2]: [f64; 3]) -> Self {
        let d = self.g.len();
        for i in 0..d {
            for j in 0..d {
                self.h[i * d + j] = f1 * self.h[i * d + j] + f2 * self.g[i] * self.g[j];
            }
        }
        self.g.iter_mut().for_each(|g| *g *= f1);
        Self { v: f, ..self }
    }

    pub fn negated(self) -> Self {
        let v = self.v;
        self.map([-v, -1.0, 0.0])
    }

    /// a·self + b·other.
    pub fn plus(mut self, a: f64, other: &Self, b: f64) -> Self {
        self.g.iter_mut().zip(&other.g).for_each(|(x, y)| *x = a * *x + b * y);
        self.h.iter_mut().zip(&other.h).for_each(|(x, y)| *x = a * *x + b * y);
        Self { v: a * self.v + b * other.v, ..self }
    }

    pub fn times(mut self, other: &Self) -> Self {
        let d = self.g.len();
        for i in 0..d {
            for j in 0..d {
                let cross = self.g[i] * other.g[j] + other.g[i] * self.g[j];
                self.h[i * d + j] = self.h[i * d + j] * other.v + cross + self.v * other.h[i * d + j];
            }
        }
        self.g.iter_mut().zip(&other.g).for_each(|(x, y)| *x = *x * other.v + self.v * y);
        Self { v: self.v * other.v, ..self }
    }

    /// Derivatives of the root of zero are taken as zero.
    pub fn sqrt(self) -> Self {
        let r = self.v.max(0.0).sqrt();
        let f = if r > 0.0 { [r, 0.5 / r, -0.25 / (r * r * r)] } else { [0.0; 3] };
        self.map(f)
    }

    /// 1/v; zero where v is.
    pub fn recip(self) -> Self {
        let r = if self.v == 0.0 { 0.0 } else { 1.0 / self.v };
        self.map([r, -r * r, 2.0 * r * r * r])
    }

    pub fn square(self) -> Self {
        let v = self.v;
        self.map([v * v, 2.0 * v, 2.0])
    }

    /// Rvachev's conjunction a + b − √(a² + b²): positive where both are; with `sign` 1 his disjunction.
    pub fn joined(self, other: &Self, sign: f64) -> Self {
        let root = self.clone().square().plus(1.0, &other.clone().square(), 1.0).sqrt();
        self.plus(1.0, other, 1.0).plus(1.0, &root, sign)
    }
}
