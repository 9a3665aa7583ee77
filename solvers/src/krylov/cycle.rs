//! What GMRES and its flexible form share: Arnoldi's process between restarts, and the least squares in its basis.
//!
//! Papers, storage and traffic: [`gmres`](super::gmres) and [`fgmres`](super::fgmres). The condition number of the triangle is
//! estimated with every column, for O(k) operations on the host (C. H. Bischof, *Incremental condition estimation*, SIAM J.
//! Matrix Anal. Appl. 11 (1990), 312–322, 10.1137/0611021).

use super::session::{Needs, Session, Watch, history};
use crate::{LinearOperator, Operator, Report, Result, Scalar, Space, Status, Stop};

pub(super) struct Cycle<S: Space> {
    stop: Stop,
    flexible: bool,
    /// The orthonormal basis; the first also holds the residual.
    v: Vec<S::Buf>,
    /// The preconditioned directions, or one place for whichever is needed.
    z: Vec<S::Buf>,
    /// The triangle R of the rotated Hessenberg matrix, column j at j (j + 1) / 2.
    triangle: Vec<f64>,
    /// The rotations (c, s).
    rotations: Vec<[f64; 2]>,
    /// The rotated right-hand side ‖r‖e₁; then the coefficients.
    g: Vec<f64>,
    /// The column in the making, and what the second Gram–Schmidt adds to it.
    column: Vec<f64>,
    second: Vec<f64>,
    /// The largest ‖Az‖ of a solve.
    size: f64,
    /// An estimate, from above, of the smallest singular value of the triangle, and its left vector.
    sigma: f64,
    left: Vec<f64>,
    /// Whether the triangle of this cycle is all but singular, and whether a cycle goes on beyond that.
    ill: bool,
    bold: bool,
    /// x at the last restart: a singular system can make the next worse.
    kept: S::Buf,
    pub history: Vec<f64>,
}

/// What a column told.
enum Column {
    /// It enlarges the space.
    More,
    /// It is the last: the space is invariant.
    Last,
    /// It lies in the span of those before, or so nearly that nobody can tell, and is left out.
    Dependent,
    NonFinite,
}

impl<S: Space> Cycle<S> {
    pub fn new(space: &S, n: usize, stop: Stop, restart: usize, flexible: bool) -> Result<Self> {
        stop.check()?;
        let m = restart.clamp(1, n.max(1));
        let vectors = |count: usize| (0..count).map(|_| space.zeros(n)).collect::<Result<Vec<_>>>();
        Ok(Self {
            stop,
            flexible,
            v: vectors(m + 1)?,
            z: vectors(if flexible { m } else { 1 })?,
            triangle: vec![0.0; m * (m + 1) / 2],
            rotations: vec![[1.0, 0.0]; m],
            g: vec![0.0; m + 1],
            column: vec![0.0; m],
            second: vec![0.0; m],
            size: 0.0,
            sigma: 0.0,
            left: vec![0.0; m],
            ill: false,
            bold: false,
            kept: space.zeros(n)?,
            history: history(&stop),
        })
    }

    #[allow(clippy::too_many_arguments)]
    pub fn run(
        &mut self,
        needs: Needs,
        space: &S,
        a: &dyn LinearOperator<S>,
        m: Option<&dyn Operator<S>>,
        b: &S::Slice,
        x: &mut S::Slice,
        watch: Watch,
    ) -> Result<Report> {
        self.history.clear();
        self.size = 0.0;
        let (stop, restart) = (self.stop, self.v.len() - 1);
        let shape = m.map(|m| m.shape());
        let (mut session, mut residual) =
            match Session::begin(needs, space, a, shape, b, x, &mut self.v[0], &stop)? {
                Ok(begun) => begun,
                Err(report) => return Ok(report),
            };
        let (mut step, mut fallbacks) = (0, 0);
        (self.ill, self.bold) = (false, false);
        // ‖r‖ a cycle ago, and the part of it that must be gone for another.
        let (mut before, mut least) = (f64::INFINITY, 1.0);
        let status = 'solve: loop {
            // v₀ holds the true residual.
            if residual <= session.target {
                session.last_true = residual;
                self.history.push(residual);
                break Status::Converged;
            }
            if !(residual < least * before && residual > session.claim) {
                // Of two x as good as each other the one before is the smaller.
                if residual > (1.0 - 1e-6) * before {
                    space.copy(&self.kept, x)?;
                    residual = session.recompute(x, &mut self.v[0])?;
                }
                if !residual.is_finite() {
                    self.history.push(residual);
                    break Status::NonFinite;
                }
                let Self { v, z, .. } = self;
                let status = session.why_stagnated(&mut v[0], &mut z[0])?;
                if status != Status::Stagnated || self.bold || !self.ill {
                    self.history.push(residual);
                    break status;
                }
                // Not singular, but ill-conditioned.
                self.bold = true;
                residual = session.recompute(x, &mut self.v[0])?;
            }
            (before, least) = (residual, 1.0 - 1e-6);
            self.ill = false;
            space.copy(x, &mut self.kept)?;
            space.scale(S::Scalar::of(1.0 / residual), &mut self.v[0])?;
            self.g.fill(0.0);
            self.g[0] = residual;
            let (mut k, mut done, mut ending) = (0, false, None);
            while k < restart && !done {
                self.history.push(residual);
                ending = session.interrupted(step, residual, watch);
                if ending.is_some() {
                    break;
                }
                let mut column = self.direction(space, m, k, &mut fallbacks)?;
                if let Column::More = column {
                    column = self.extend(space, a, m.is_some(), k)?;
                }
                if self.flexible && m.is_some() && matches!(column, Column::Dependent) {
                    // The direction of the basis itself adds what the proposal did not.
                    fallbacks += 1;
                    space.copy(&self.v[k], &mut self.z[k])?;
                    column = self.extend(space, a, true, k)?;
                }
                step += 1;
                match column {
                    Column::More | Column::Last => {
                        k += 1;
                        residual = self.g[k].abs();
                        if matches!(column, Column::Last) || residual <= session.claim {
                            (done, least) = (true, 0.5);
                        }
                    }
                    Column::Dependent => done = true,
                    Column::NonFinite => {
                        ending = Some(Status::NonFinite);
                        break;
                    }
                }
            }
            if self.ill {
                // Small gains bought with a triangle that is all but singular would go on for ever.
                least = 0.5;
            }
            self.correct(space, m, k, x)?;
            if let Some(status) = ending {
                break 'solve status;
            }
            residual = session.recompute(x, &mut self.v[0])?;
        };
        let report = session.finish(status, step, residual, x, &mut self.v[0])?;
        Ok(Report { fallbacks, ..report })
    }

    /// z ← M vₖ, where there is an M; vₖ instead of what is of no use.
    fn direction(
        &mut self,
        space: &S,
        m: Option<&dyn Operator<S>>,
        k: usize,
        fallbacks: &mut usize,
    ) -> Result<Column> {
        let Some(m) = m else { return Ok(Column::More) };
        let z = if self.flexible { &mut self.z[k] } else { &mut self.z[0] };
        m.apply(space, &self.v[k], z)?;
        if self.flexible {
            let norm = space.norm(z)?;
            if !(norm.is_finite() && norm > 0.0) {
                *fallbacks += 1;
                space.copy(&self.v[k], z)?;
            }
        }
        Ok(Column::More)
    }

    /// Adds Az to the basis, column k to the triangle, and rotates.
    fn extend(
        &mut self,
        space: &S,
        a: &dyn LinearOperator<S>,
        preconditioned: bool,
        k: usize,
    ) -> Result<Column> {
        let (basis, rest) = self.v.split_at_mut(k + 1);
        let w = &mut rest[0];
        let z = match (preconditioned, self.flexible) {
            (false, _) => &basis[k],
            (true, true) => &self.z[k],
            (true, false) => &self.z[0],
        };
        a.apply(space, z, w)?;
        let (column, second) = (&mut self.column[..=k], &mut self.second[..=k]);
        space.dots(basis, w, column)?;
        space.combine(-1.0, column, basis, w)?;
        space.dots(basis, w, second)?;
        space.combine(-1.0, second, basis, w)?;
        column.iter_mut().zip(second).for_each(|(h, s)| *h += *s);
        let below = space.norm(w)?;
        let whole = column.iter().fold(below, |n, h| n.hypot(*h));
        if !whole.is_finite() {
            return Ok(Column::NonFinite);
        }
        for (i, [c, s]) in self.rotations[..k].iter().enumerate() {
            let (upper, lower) = (column[i], column[i + 1]);
            column[i] = c * upper + s * lower;
            column[i + 1] = c * lower - s * upper;
        }
        self.size = self.size.max(whole);
        let epsilon = S::Scalar::EPSILON;
        let (nothing, corner) = (10.0 * epsilon * self.size, column[k]);
        let pivot = corner.hypot(below);
        let (sigma, old, new) = self.smallest(k, pivot);
        // Of a singular operator x would be made of rounding beyond this; one that is not is given another chance.
        self.ill |= sigma <= epsilon.sqrt() * self.size;
        if pivot <= nothing || (self.ill && !self.bold) {
            return Ok(Column::Dependent);
        }
        self.sigma = sigma;
        self.left[..k].iter_mut().for_each(|x| *x *= old);
        self.left[k] = new;
        let column = &mut self.column[..=k];
        let [c, s] = [corner / pivot, below / pivot];
        column[k] = pivot;
        self.triangle[k * (k + 1) / 2..][..=k].copy_from_slice(column);
        self.rotations[k] = [c, s];
        self.g[k + 1] = -s * self.g[k];
        self.g[k] *= c;
        if below <= nothing {
            return Ok(Column::Last);
        }
        space.scale(S::Scalar::of(1.0 / below), &mut self.v[k + 1])?;
        Ok(Column::More)
    }

    /// The estimate of the smallest singular value with column k and its pivot, and what the left vector becomes: itself
    /// times the first and then the second.
    fn smallest(&self, k: usize, pivot: f64) -> (f64, f64, f64) {
        if k == 0 {
            return (pivot, 0.0, 1.0);
        }
        let a: f64 = self.left[..k].iter().zip(&self.column).map(|(x, v)| x * v).sum();
        // The smaller eigenvalue of [[σ² + a², aγ], [aγ, γ²]], and its vector.
        let (p, q, r) = (self.sigma * self.sigma + a * a, a * pivot, pivot * pivot);
        let largest = 0.5 * (p + r + (p - r).hypot(2.0 * q));
        let smallest = (self.sigma * pivot).powi(2) / largest;
        let (x, y) = if p < r { (smallest - r, q) } else { (q, smallest - p) };
        let norm = x.hypot(y);
        if norm > 0.0 { (smallest.sqrt(), x / norm, y / norm) } else { (smallest.sqrt(), 1.0, 0.0) }
    }

    /// x ← x + Z R⁻¹ g with the first k directions.
    fn correct(&mut self, space: &S, m: Option<&dyn Operator<S>>, k: usize, x: &mut S::Slice) -> Result<()> {
        if k == 0 {
            return Ok(());
        }
        let at = |i: usize, j: usize| j * (j + 1) / 2 + i;
        for i in (0..k).rev() {
            let rest: f64 = (i + 1..k).map(|j| self.triangle[at(i, j)] * self.g[j]).sum();
            self.g[i] = (self.g[i] - rest) / self.triangle[at(i, i)];
        }
        let y = &self.g[..k];
        match m {
            None => space.combine(1.0, y, &self.v[..k], x),
            Some(_) if self.flexible => space.combine(1.0, y, &self.z[..k], x),
            Some(m) => {
                // The vector after the last of the basis is free.
                let (basis, rest) = self.v.split_at_mut(k);
                space.fill(S::Scalar::of(0.0), &mut rest[0])?;
                space.combine(1.0, y, basis, &mut rest[0])?;
                m.apply(space, &rest[0], &mut self.z[0])?;
                space.axpby(S::Scalar::of(1.0), &self.z[0], S::Scalar::of(1.0), x)
            }
        }
    }
}
