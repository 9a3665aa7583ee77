//! Parts of a domain.

use super::piece::{Piece, Place, Scratch};
use super::region::{LEAST_SHARE, Region};
use super::surface::between;
use super::vanishing::Vanishing;
use crate::sampling::reserve;
use crate::{Error, Result, Sampler, Sampling};
use std::sync::Arc;

/// Points by which the share of a surface that counts is estimated.
const ESTIMATE: usize = 1 << 13;

/// Most points drawn at a time where some are rejected.
const BATCH: usize = 1 << 16;

/// A part of a domain that points are drawn from: its interior or pieces of its boundary.
///
/// ```
/// use resolvent_pinn::{Domain, Sampler, Sampling, Shape};
/// let disk = Shape::ball(&[0.0, 0.0], 1.0)?;
/// let domain = Domain::new(&[("x", -1.0, 1.0), ("y", -1.0, 1.0)])?.with_shape(&[], disk)?;
/// let circle = domain.part("boundary")?;
/// assert!((circle.measure() - std::f64::consts::TAU).abs() < 1e-12);
///
/// let (mut points, mut normals) = (Vec::new(), Vec::new());
/// circle.sample(100, &mut Sampler::new(Sampling::Sobol, 1, "circle"), &mut points, Some(&mut normals))?;
/// assert!(points.iter().zip(&normals).all(|(x, n)| (x - n).abs() < 1e-15));
/// # Ok::<(), resolvent_pinn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Part {
    pub(super) text: String,
    dimension: usize,
    pub(crate) region: Arc<Region>,
    /// Coordinates that are not spatial, with their intervals.
    pub(super) others: Vec<(usize, [f64; 2])>,
    pub(crate) pieces: Vec<Piece>,
    /// Added to the points of a periodic part.
    pub(super) offset: Option<Vec<f64>>,
    /// Shares of the measure that is drawn, added up.
    cumulative: Vec<f64>,
    measure: f64,
    acceptance: f64,
}

impl Part {
    /// Measures its pieces and leaves out those that do not count.
    pub(super) fn new(
        text: &str,
        dimension: usize,
        region: Arc<Region>,
        others: Vec<(usize, [f64; 2])>,
        pieces: Vec<Piece>,
    ) -> Result<Self> {
        let (text, cumulative) = (text.to_string(), vec![]);
        let mut part = Self {
            text,
            dimension,
            region,
            others,
            pieces,
            offset: None,
            cumulative,
            measure: 0.0,
            acceptance: 1.0,
        };
        let drawn: f64 = part.pieces.iter().map(|p| p.measure).sum();
        for i in 0..part.pieces.len() {
            // Many small pieces need no more points together than a few large ones.
            let n = (4.0 * ESTIMATE as f64 * part.pieces[i].measure / drawn) as usize;
            part.pieces[i].share = part.share(&part.pieces[i], n.clamp(16, ESTIMATE))?;
        }
        part.pieces.retain(|piece| piece.share >= LEAST_SHARE);
        let drawn: f64 = part.pieces.iter().map(|p| p.measure).sum();
        part.acceptance = part.pieces.iter().map(|p| p.measure * p.share).sum::<f64>() / drawn;
        part.measure = part.pieces.iter().map(|p| part.counted(p)).sum();
        if part.pieces.is_empty() || part.acceptance < LEAST_SHARE {
            let what = if part.pieces.is_empty() {
                "none of it lies where the domain is".into()
            } else {
                format!("only {:.1e} of what would be drawn lies where the domain is", part.acceptance)
            };
            let needs =
                "name a part of the domain's boundary, or shrink the intervals around the shape".into();
            return Err(Error::Part { text: part.text, what, needs });
        }
        let mut sum = 0.0;
        for piece in &part.pieces {
            sum += piece.measure / drawn;
            part.cumulative.push(sum);
        }
        Ok(part)
    }

    /// The measure of what counts of a piece.
    fn counted(&self, piece: &Piece) -> f64 {
        match piece.place {
            Place::Interior => {
                self.region.volume * self.free(piece).map(|(_, [l, u])| u - l).product::<f64>()
            }
            _ => piece.measure * piece.share,
        }
    }

    /// The share of a piece that counts, from `n` points of it or, where few of them count, from more.
    fn share(&self, piece: &Piece, n: usize) -> Result<f64> {
        if piece.is_certain(&self.region) {
            return Ok(1.0);
        }
        if piece.place == Place::Interior {
            return Ok(self.region.share);
        }
        let m = piece.directions(&self.region).len().max(1);
        let (mut points, mut scratch) = (Vec::new(), Scratch::new(self.region.axes.len()));
        let mut sampler = Sampler::new(Sampling::Sobol, 0, "measure");
        let mut share = 0.0;
        for n in [n, 8 * n] {
            sampler.unit(n, m, &mut points)?;
            let held = points.chunks_exact(m).filter(|u| piece.draw(&self.region, u, &mut scratch)).count();
            share = held as f64 / n as f64;
            if share > 0.05 {
                break;
            }
        }
        Ok(share)
    }

    /// The text it was made from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many coordinates its points have.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Whether it is the interior, where there are no normals.
    pub fn is_interior(&self) -> bool {
        self.pieces.iter().any(|p| p.place == Place::Interior && p.fixed.is_none())
    }

    /// For a periodic part: what is added to its points to come to the other face, `[dimension]`.
    pub fn offset(&self) -> Option<&[f64]> {
        self.offset.as_deref()
    }

    /// Its volume, or area, length or number of points, times the intervals of the other coordinates. Exact where a formula
    /// has it: whole boxes, faces, spheres and polygons; what is cut is estimated from 8,192 points of Sobol's sequence, 65,536
    /// for a volume: good to about 10⁻³ and 5·10⁻⁴ of what is drawn. A surface of which less than 10⁻⁴ counts is left out.
    pub fn measure(&self) -> f64 {
        self.measure
    }

    /// Replaces `points` by `n` points, `[n, dimension]`, uniform in its measure, and `normals` by the outward unit normals there,
    /// `[n, dimension]`. At a plane across the domain the normal points along the coordinate. Independent points are uniform
    /// within each piece of a part, and every piece has its share of them to within a point.
    ///
    /// # Errors
    /// [`Error::Sampling`] for no points, normals of the interior or of a cloud without any, or a sample that is never full;
    /// [`Error::Solver`] for more points than the memory holds.
    pub fn sample(
        &self,
        n: usize,
        sampler: &mut Sampler,
        points: &mut Vec<f64>,
        mut normals: Option<&mut Vec<f64>>,
    ) -> Result<()> {
        points.clear();
        if n == 0 {
            return self.refuse(format!("no points of `{}`", self.text), "ask for at least one");
        }
        if let Some(normals) = normals.as_mut() {
            let given = self.pieces.iter().any(|p| p.place == Place::Given);
            let none = given && self.region.cloud().is_some_and(|c| c.normals.is_empty());
            if self.is_interior() || none {
                let what = format!("`{}` has no normals", self.text);
                return self.refuse(what, "use a part of the boundary, or a cloud with normals");
            }
            normals.clear();
            reserve(normals, n, self.dimension)?;
        }
        reserve(points, n, self.dimension)?;
        if self.region.cloud().is_some() {
            return self.of_cloud(n, sampler, points, normals);
        }
        let m = self.directions();
        let (mut unit, mut scratch) = (Vec::new(), Scratch::new(self.region.axes.len()));
        if sampler.sampling() == Sampling::Grid && self.acceptance < 1.0 {
            return self.of_grid(n, sampler, points, normals);
        }
        // Independent points are shared out among the pieces in proportion; sequences are even by themselves.
        let shared =
            sampler.sampling() == Sampling::Uniform && self.acceptance == 1.0 && self.pieces.len() > 1;
        let (mut count, mut drawn) = (0, 0usize);
        while count < n {
            let missing = ((n - count) as f64 / self.acceptance * 1.1) as usize + 16;
            let batch = if self.acceptance < 1.0 { missing.min(BATCH) } else { n };
            sampler.unit(batch, m, &mut unit)?;
            let mut used = 0;
            for u in unit.chunks_exact_mut(m) {
                if count == n {
                    break;
                }
                if shared {
                    let [from, to] = self.slice((used as f64 + 0.5) / batch as f64);
                    u[0] = from + (to - from) * u[0];
                }
                used += 1;
                count += usize::from(self.place(u, &mut scratch, points, normals.as_deref_mut()));
            }
            sampler.take_back(batch - used);
            drawn += used;
            if drawn as f64 > 1e6 + 10.0 * n as f64 / LEAST_SHARE {
                let what = format!("of {drawn} points drawn for `{}` only {count} lie in it", self.text);
                return self.refuse(what, "shrink the intervals around the shape");
            }
        }
        Ok(())
    }

    /// Coordinates of the unit cube that it is drawn from.
    fn directions(&self) -> usize {
        let of = |p: &Piece| p.directions(&self.region).len() + self.free(p).count();
        self.pieces.iter().map(of).max().unwrap_or(0).max(1)
    }

    /// The coordinates that vary in a piece beside the spatial ones.
    pub(crate) fn free(&self, piece: &Piece) -> impl Iterator<Item = &(usize, [f64; 2])> {
        self.others.iter().filter(move |(axis, _)| piece.fixed.is_none_or(|f| f.axis != *axis))
    }

    /// The piece that a number between 0 and 1 tells.
    fn piece(&self, at: f64) -> usize {
        self.cumulative[..self.pieces.len() - 1].partition_point(|c| *c <= at)
    }

    /// The numbers that tell the same piece.
    fn slice(&self, at: f64) -> [f64; 2] {
        let i = self.piece(at);
        [if i == 0 { 0.0 } else { self.cumulative[i - 1] }, self.cumulative[i]]
    }

    /// Appends the point of `u`; whether it counts.
    fn place(
        &self,
        u: &mut [f64],
        scratch: &mut Scratch,
        points: &mut Vec<f64>,
        normals: Option<&mut Vec<f64>>,
    ) -> bool {
        // The first coordinate tells the piece, and within it is uniform again.
        let i = self.piece(u[0]);
        if self.pieces.len() > 1 {
            let [from, to] = self.slice(u[0]);
            u[0] = ((u[0] - from) / (to - from)).clamp(f64::EPSILON / 4.0, 1.0 - f64::EPSILON / 2.0);
        }
        self.draw(&self.pieces[i], u, scratch, points, normals)
    }

    /// Appends the point of `u` in one piece; whether it counts.
    pub(crate) fn draw(
        &self,
        piece: &Piece,
        u: &[f64],
        scratch: &mut Scratch,
        points: &mut Vec<f64>,
        normals: Option<&mut Vec<f64>>,
    ) -> bool {
        let spatial = match &piece.place {
            Place::Interior => self.region.axes.len(),
            Place::Surface(surface, _) => surface.parameters(),
            Place::Given => 0,
        };
        if !piece.draw(&self.region, &u[..spatial], scratch) {
            return false;
        }
        self.push(piece, &u[spatial..], scratch, points, normals);
        true
    }

    /// Appends the point of `scratch`, its other coordinates from `u`.
    fn push(
        &self,
        piece: &Piece,
        u: &[f64],
        scratch: &Scratch,
        points: &mut Vec<f64>,
        normals: Option<&mut Vec<f64>>,
    ) {
        let first = points.len();
        points.resize(first + self.dimension, 0.0);
        let x = &mut points[first..];
        self.region.axes.iter().zip(&scratch.x).for_each(|(axis, v)| x[*axis] = *v);
        self.free(piece).zip(u).for_each(|((axis, bounds), u)| x[*axis] = between(*bounds, *u));
        if let Some(fixed) = piece.fixed {
            x[fixed.axis] = fixed.at;
        }
        let Some(normals) = normals else { return };
        let first = normals.len();
        normals.resize(first + self.dimension, 0.0);
        let n = &mut normals[first..];
        match piece.fixed {
            Some(fixed) => n[fixed.axis] = if fixed.up { 1.0 } else { -1.0 },
            None => self.region.axes.iter().zip(&scratch.normal).for_each(|(axis, v)| n[*axis] = *v),
        }
    }

    /// The smallest grid with at least `n` points that count, thinned evenly.
    fn of_grid(
        &self,
        n: usize,
        sampler: &mut Sampler,
        points: &mut Vec<f64>,
        normals: Option<&mut Vec<f64>>,
    ) -> Result<()> {
        let m = self.directions();
        let (mut unit, mut scratch) = (Vec::new(), Scratch::new(self.region.axes.len()));
        let (mut all, mut all_normals) = (Vec::new(), Vec::new());
        let mut ask = (n as f64 / self.acceptance).ceil() as usize;
        loop {
            // Out of memory is the end for a part that is never hit.
            sampler.unit(ask, m, &mut unit)?;
            all.clear();
            all_normals.clear();
            for u in unit.chunks_exact_mut(m) {
                self.place(u, &mut scratch, &mut all, Some(&mut all_normals));
            }
            if all.len() >= n * self.dimension {
                break;
            }
            ask += ask / 16 + 1;
        }
        let d = self.dimension;
        let count = (all.len() / d) as u128;
        let kept = |i: usize| ((2 * i as u128 + 1) * count / (2 * n as u128)) as usize * d;
        (0..n).map(kept).for_each(|at| points.extend_from_slice(&all[at..at + d]));
        if let Some(normals) = normals {
            (0..n).map(kept).for_each(|at| normals.extend_from_slice(&all_normals[at..at + d]));
        }
        Ok(())
    }

    /// Points of a cloud, or of its boundary.
    fn of_cloud(
        &self,
        n: usize,
        sampler: &mut Sampler,
        points: &mut Vec<f64>,
        mut normals: Option<&mut Vec<f64>>,
    ) -> Result<()> {
        let Some(cloud) = self.region.cloud() else { return Ok(()) };
        let (m, d) = (self.directions(), cloud.dimension);
        let start = sampler.clone();
        let (mut unit, mut scratch) = (Vec::new(), Scratch::new(d));
        sampler.unit(n, m, &mut unit)?;
        let last = self.pieces.len() - 1;
        for (i, u) in unit.chunks_exact(m).enumerate() {
            let at = self.cumulative[..last].partition_point(|c| *c <= u[0]);
            let piece = &self.pieces[at];
            let from = if at == 0 { 0.0 } else { self.cumulative[at - 1] };
            let rest = ((u[0] - from) / (self.cumulative[at] - from)).clamp(0.0, 1.0 - f64::EPSILON / 2.0);
            let all = if piece.place == Place::Given { &cloud.boundary } else { &cloud.points };
            let many = all.len() / d;
            let drawn = cloud.replacement || last > 0;
            let which = if drawn { (rest * many as f64) as usize } else { start.turn(i, many) };
            scratch.x.copy_from_slice(&all[which * d..][..d]);
            if piece.place == Place::Given && !cloud.normals.is_empty() {
                scratch.normal.copy_from_slice(&cloud.normals[which * d..][..d]);
            }
            self.push(piece, &u[1.min(m)..], &scratch, points, normals.as_deref_mut());
        }
        Ok(())
    }

    /// A function that is zero on this part and positive in the rest of the domain, with which a network can be multiplied so
    /// that a Dirichlet condition holds exactly.
    ///
    /// # Errors
    /// [`Error::Part`] where there is none: for the interior, a periodic part, a cloud, or a surface that goes on inside the
    /// domain or lies in two shapes at once.
    pub fn vanishing(&self) -> Result<Vanishing> {
        Vanishing::new(self)
    }

    fn refuse<T>(&self, what: String, needs: &str) -> Result<T> {
        Err(Error::Sampling { what, needs: needs.into() })
    }
}
