//! What surrounds a cell: the inside of a uniform grid, or solids and air.

use super::coarsen::Conductances;
use crate::stencil::rows::Extent;
use rayon::prelude::*;

/// The places of a level of some geometry, where an open face has a conductance of its own along each dimension.
pub(crate) struct Pattern {
    extent: Extent,
    /// The conductance of an open face.
    pub open: [f64; 3],
    /// Whether a cell and its neighbours look like the inside of a uniform grid; empty when it is not known of any.
    plain: Vec<bool>,
}

impl Pattern {
    pub fn new(g: &impl Conductances, open: [f64; 3]) -> Self {
        let extent = g.extent();
        let [nx, ny, nz] = extent.n;
        let mut plain = vec![false; extent.cells()];
        // The outermost cells have no neighbour beyond, and the last two along an odd side are not halved alike.
        let border = |axis: usize, i: usize| {
            let n = extent.n[axis];
            n > 1 && (i == 0 || i + 1 + n % 2 >= n)
        };
        plain.par_chunks_mut(nx * ny).enumerate().filter(|(k, _)| !border(2, *k)).for_each(|(k, plain)| {
            for (j, plain) in plain.chunks_mut(nx).enumerate().filter(|(j, _)| !border(1, *j)) {
                g.plain(open, [j, k], plain);
                plain.iter_mut().enumerate().for_each(|(i, p)| *p &= !border(0, i));
            }
        });
        debug_assert_eq!(plain.len(), nx * ny * nz);
        Self { extent, open, plain }
    }

    /// Without looking at the cells.
    pub fn unknown(extent: Extent, open: [f64; 3]) -> Self {
        Self { extent, open, plain: Vec::new() }
    }

    /// Which cells of a row are plain, where that is known.
    #[inline(always)]
    pub fn row(&self, j: usize, k: usize) -> Option<&[bool]> {
        let start = self.extent.start(j, k);
        self.plain.get(start..start + self.extent.n[0])
    }

    #[inline(always)]
    pub fn is_plain(&self, [i, j, k]: [usize; 3]) -> bool {
        self.plain.get(i + self.extent.start(j, k)).is_some_and(|plain| *plain)
    }

    /// Whether more than half of the active cells are irregular.
    pub fn is_crowded(&self, g: &impl Conductances) -> bool {
        let [nx, ny, nz] = self.extent.n;
        let counts = (0..ny * nz).into_par_iter().map(|row| {
            let row = |i| [i, row % ny, row / ny];
            let active = (0..nx).map(row).filter(|at| g.is_active(*at));
            active.fold([0, 0], |[all, some], at| [all + 1, some + usize::from(self.is_irregular(g, at))])
        });
        let [active, irregular] = counts.reduce(|| [0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        2 * irregular > active
    }

    /// Whether an active cell has a closed or partly closed inner face, or air beside it. The sides of the box are no
    /// irregularity.
    pub fn is_irregular(&self, g: &impl Conductances, at: [usize; 3]) -> bool {
        if self.is_plain(at) {
            return false;
        }
        // Conductances of coarse faces are sums.
        let closed = |a: usize, v: f64| v < (1.0 - 1e-3) * self.open[a];
        g.sink(at) > 0.0
            || (0..3).filter(|a| self.open[*a] > 0.0).any(|a| {
                let beside = [false, true].into_iter().zip(g.pair(a, at));
                beside.into_iter().any(|(up, v)| self.extent.next(a, at[a], up).is_some() && closed(a, v))
            })
    }
}
