//! Another sweep over the cells beside solids and air.
//!
//! Errors that the coarse levels cannot see stay where geometry is irregular, in a band one cell wide. Relaxing it once more, red
//! then black before the coarse correction and in the reverse order after it, costs what the band has cells, O(n²) of n³.
//! (Extra relaxation beside boundaries: A. Brandt, *Multigrid techniques: 1984 guide*, section 5.3, 10.1137/1.9781611970753.)

use super::coarsen::Conductances;
use super::pattern::Pattern;
use crate::Scalar;
use crate::stencil::rows::{Near, Row, Rows, Shared};
use rayon::prelude::*;

/// The cells of a level's band, row by row and colour by colour.
pub(crate) struct Band {
    /// Where the cells of each row begin: its red ones, then its black ones.
    starts: Vec<u32>,
    /// x of each cell.
    cells: Vec<u32>,
}

/// Cells of a row that are worked on at once.
const CHUNK: usize = 64;

impl Band {
    /// The cells that are no inside of a uniform grid, unless there are none.
    pub fn find<G: Conductances>(g: &G, pattern: &Pattern) -> Option<Self> {
        let [nx, ny, nz] = g.extent().n;
        let rows: Vec<[Vec<u32>; 2]> = (0..ny * nz)
            .into_par_iter()
            .map(|row| {
                let (j, k) = (row % ny, row / ny);
                let mut lists = [const { Vec::new() }; 2];
                let plain = pattern.row(j, k);
                for i in 0..nx {
                    let at = [i, j, k];
                    if plain.is_some_and(|plain| plain[i]) || !g.is_active(at) {
                        continue;
                    }
                    if pattern.is_irregular(g, at) {
                        lists[(i + j + k) % 2].push(i as u32);
                    }
                }
                lists
            })
            .collect();
        let mut starts = vec![0u32];
        let mut cells = Vec::new();
        for list in rows.iter().flatten() {
            cells.extend_from_slice(list);
            starts.push(cells.len() as u32);
        }
        (!cells.is_empty()).then_some(Self { starts, cells })
    }

    /// e ← (f + off(e))/d on the cells of a colour in plane `k`.
    ///
    /// # Safety
    /// The caller has the plane of `e` to itself, and its neighbours are not written to.
    #[inline(always)]
    pub unsafe fn relax<T: Scalar, R: Rows<T>>(
        &self,
        rows: &R,
        f: &[T],
        e: Shared<T>,
        k: usize,
        colour: usize,
    ) {
        let extent = rows.extent();
        for j in 0..extent.n[1] {
            let row = 2 * (j + extent.n[1] * k) + colour;
            let cells = &self.cells[self.starts[row] as usize..self.starts[row + 1] as usize];
            if cells.is_empty() {
                continue;
            }
            let (start, coefficients) = (extent.start(j, k), rows.row(j, k));
            for chunk in cells.chunks(CHUNK) {
                let mut values = [T::of(0.0); CHUNK];
                // SAFETY: the caller's. Cells of one colour do not read each other, so all are read before any is written.
                unsafe {
                    let near = Near::new(extent, rows.zeros(), e, j, k);
                    for (value, cell) in values.iter_mut().zip(chunk) {
                        let i = *cell as usize;
                        *value = (f[start + i] + near.at(coefficients, i)) * coefficients.inv(i);
                    }
                    for (value, cell) in values.iter().zip(chunk) {
                        e.get_mut(start + *cell as usize, 1)[0] = *value;
                    }
                }
            }
        }
    }
}
