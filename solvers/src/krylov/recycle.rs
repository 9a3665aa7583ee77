//! What deflated conjugate gradients learn from their first steps: the harmonic Ritz vectors of W and those directions.
//!
//! With Z = [W, P], F = ZᵀAZ and G = (AZ)ᵀM(AZ) the pairs of Gy = θFy with the smallest θ give the next W = ZY. As the
//! directions are A-orthogonal to each other and to W, and the residuals M-orthogonal, F is diagonal but for WᵀAW, and G is
//! tridiagonal in P and known in W × P from (AW)ᵀz: only (AW)ᵀM(AW) takes products.

use super::small;
use crate::{LinearOperator, Result, Scalar, Space};

pub(super) struct Recycle<S: Space> {
    p: Vec<S::Buf>,
    q: Vec<S::Buf>,
    k: usize,
    /// r·z and (AW)ᵀz before each step and after the last, pᵀAp and α of each step.
    rho: Vec<f64>,
    image: Vec<f64>,
    curvature: Vec<f64>,
    alpha: Vec<f64>,
    open: bool,
    /// F, then its factor; G, then the eigenvalues; the eigenvectors; the columns of Y.
    f: Vec<f64>,
    g: Vec<f64>,
    u: Vec<f64>,
    order: Vec<usize>,
    /// How many vectors of W and how many directions went into the last projection.
    sizes: [usize; 2],
}

impl<S: Space> Recycle<S> {
    /// Looks at as many steps as there is room for in `p`, and keeps at most `k` vectors.
    pub fn new(p: Vec<S::Buf>, q: Vec<S::Buf>, k: usize) -> Self {
        let l = p.len();
        let all = (k + l) * (k + l);
        let room = Vec::with_capacity;
        let (f, g, u) = (vec![0.0; all], vec![0.0; all], vec![0.0; all]);
        Self {
            p,
            q,
            k,
            rho: room(l + 1),
            image: room((l + 1) * k),
            curvature: room(l),
            alpha: room(l),
            open: false,
            f,
            g,
            u,
            order: Vec::with_capacity(k + l),
            sizes: [0; 2],
        }
    }

    /// Forgets the steps of the solve before.
    pub fn clear(&mut self) {
        for list in [&mut self.rho, &mut self.image, &mut self.curvature, &mut self.alpha] {
            list.clear();
        }
        self.open = !self.p.is_empty();
    }

    /// Looks at no more steps: the recurrence starts again.
    pub fn close(&mut self) {
        self.open = false;
    }

    /// r·z and (AW)ᵀz before a step.
    pub fn note_residual(&mut self, rho: f64, image: &[f64]) {
        if self.open {
            self.rho.push(rho);
            self.image.extend_from_slice(image);
            self.open = self.rho.len() <= self.p.len();
        }
    }

    /// p, q = Ap, pᵀq and α of a step.
    pub fn note_direction(
        &mut self,
        space: &S,
        p: &S::Slice,
        q: &S::Slice,
        curvature: f64,
        alpha: f64,
    ) -> Result<()> {
        let i = self.curvature.len();
        if self.open && i < self.p.len() {
            space.copy(p, &mut self.p[i])?;
            space.copy(q, &mut self.q[i])?;
            self.curvature.push(curvature);
            self.alpha.push(alpha);
        }
        Ok(())
    }

    /// The small eigenproblem; how many vectors the next W has, or nothing when too few steps were taken to learn from.
    pub fn project(
        &mut self,
        space: &S,
        m: Option<&dyn LinearOperator<S>>,
        aw: &[S::Buf],
        gram: &[f64],
        scratch: &mut S::Buf,
    ) -> Result<Option<usize>> {
        let (rank, l) = (aw.len(), self.p.len());
        if l == 0 || self.rho.len() <= l || self.curvature.len() < l {
            return Ok(None);
        }
        let n = rank + l;
        let Self { f, g, u, rho, image, curvature, alpha, .. } = self;
        f[..n * n].fill(0.0);
        g[..n * n].fill(0.0);
        for j in 0..rank {
            f[j * n..j * n + rank].copy_from_slice(&gram[j * rank..(j + 1) * rank]);
            match m {
                Some(m) => {
                    m.apply(space, &aw[j], scratch)?;
                    space.dots(aw, scratch, &mut g[j * n..j * n + rank])?;
                }
                None => space.dots(aw, &aw[j], &mut g[j * n..j * n + rank])?,
            }
        }
        for j in 0..l {
            let c = rank + j;
            f[c * n + c] = curvature[j];
            g[c * n + c] = (rho[j] + rho[j + 1]) / (alpha[j] * alpha[j]);
            if j + 1 < l {
                let off = -rho[j + 1] / (alpha[j] * alpha[j + 1]);
                g[c * n + c + 1] = off;
                g[(c + 1) * n + c] = off;
            }
            for i in 0..rank {
                let off = (image[j * rank + i] - image[(j + 1) * rank + i]) / alpha[j];
                g[c * n + i] = off;
                g[i * n + c] = off;
            }
        }
        if small::cholesky(f, n).is_err() || g[..n * n].iter().any(|v| !v.is_finite()) {
            return Ok(None);
        }
        // C = L⁻¹GL⁻ᵀ: columns, then rows.
        for _ in 0..2 {
            for column in g[..n * n].chunks_mut(n) {
                small::forward(f, n, column);
            }
            for i in 0..n {
                for j in 0..i {
                    g.swap(j * n + i, i * n + j);
                }
            }
        }
        small::eigen(g, u, n);
        self.order.clear();
        self.order.extend(0..n);
        self.order.sort_unstable_by(|a, b| self.g[a * n + a].total_cmp(&self.g[b * n + b]));
        for column in self.u[..n * n].chunks_mut(n) {
            small::backward(&self.f, n, column);
        }
        self.sizes = [rank, l];
        Ok(Some(self.k.min(n)))
    }

    /// to ← the i-th column of ZY, or of AZY, with W or AW in `from`.
    pub fn combine(
        &self,
        space: &S,
        i: usize,
        from: &[S::Buf],
        directions: bool,
        to: &mut S::Slice,
    ) -> Result<()> {
        let [rank, l] = self.sizes;
        let n = rank + l;
        let y = &self.u[self.order[i] * n..][..n];
        let other = if directions { &self.p } else { &self.q };
        space.fill(S::Scalar::of(0.0), to)?;
        space.combine(1.0, &y[..rank], from, to)?;
        space.combine(1.0, &y[rank..], &other[..l], to)
    }
}
