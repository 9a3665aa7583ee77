//! Parts of a grid that no prescribed value reaches: on each of them constants are in the null space.
//!
//! Cells with an open face between them belong to one part. Rows are cut into runs of such cells, and runs of neighbouring
//! rows that share an open face are united: R. E. Tarjan, *Efficiency of a good but not linear set union algorithm*, J. ACM 22
//! (1975), 215–225, 10.1145/321879.321884. Runs instead of cells make this one pass over the coefficients and little more.

use super::rows::Extent;
use crate::Scalar;
use rayon::prelude::*;
use std::ops::Range;

/// Cells of a row, each joined to the one before.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Along x.
    pub cells: Range<usize>,
    /// Whether a value is prescribed beside one of them.
    pub grounded: bool,
}

/// Which faces of a box are open.
pub(crate) trait Joints: Sync {
    fn extent(&self) -> Extent;
    /// The runs of row (j, k), in order; cells that take no part belong to none.
    fn runs(&self, j: usize, k: usize) -> Vec<Run>;
    /// Whether the first and the last cell of row (j, k), which is a ring, are joined. Both take part.
    fn closes(&self, j: usize, k: usize) -> bool;
    /// Whether a face between some of `cells` of row (j, k) and the next row along `axis` is open. All of them, and the cells
    /// beyond, take part.
    fn opens(&self, axis: usize, at: [usize; 2], cells: Range<usize>) -> bool;
}

/// What constants are in the null space of an operator on a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Floating {
    /// None.
    Nowhere,
    /// Those on all cells that take part, which are one part.
    Everywhere,
    /// Those on each of these parts: the cells of one after the other, and where each part ends.
    Parts { cells: Vec<usize>, ends: Vec<usize> },
}

impl Floating {
    pub fn find(a: &impl Joints) -> Self {
        let e = a.extent();
        let [nx, ny, nz] = e.n;
        let rows: Vec<Vec<Run>> =
            (0..ny * nz).into_par_iter().with_min_len(16).map(|r| a.runs(r % ny, r / ny)).collect();
        let mut firsts = Vec::with_capacity(rows.len() + 1);
        firsts.push(0);
        rows.iter().for_each(|runs| firsts.push(firsts[firsts.len() - 1] + runs.len()));
        let mut forest = Forest((0..firsts[rows.len()]).collect());
        for (r, runs) in rows.iter().enumerate() {
            let at = [r % ny, r / ny];
            let ring = e.periodic[0] && runs.len() > 1;
            if ring
                && runs[0].cells.start == 0
                && runs[runs.len() - 1].cells.end == nx
                && a.closes(at[0], at[1])
            {
                forest.unite(firsts[r], firsts[r + 1] - 1);
            }
            for axis in 1..3 {
                let Some(next) = e.next(axis, at[axis - 1], true) else { continue };
                let other = if axis == 1 { next + ny * at[1] } else { at[0] + ny * next };
                overlaps(runs, &rows[other], |i, j, cells| {
                    let (i, j) = (forest.root(firsts[r] + i), forest.root(firsts[other] + j));
                    if i != j && a.opens(axis, at, cells) {
                        forest.unite(i, j);
                    }
                });
            }
        }
        Self::gather(e, &rows, &mut forest)
    }

    /// The parts in the order of their first runs, but for those that are grounded.
    fn gather(e: Extent, rows: &[Vec<Run>], forest: &mut Forest) -> Self {
        let mut grounded = vec![false; forest.0.len()];
        rows.iter().flatten().enumerate().for_each(|(i, run)| grounded[forest.root(i)] |= run.grounded);
        // Cells of a floating part, then where its next cell goes.
        let (mut parts, mut room) = (0, vec![0; forest.0.len()]);
        for (i, run) in rows.iter().flatten().enumerate() {
            let root = forest.root(i);
            parts += usize::from(root == i);
            room[root] += if grounded[root] { 0 } else { run.cells.len() };
        }
        let (mut total, mut ends) = (0, Vec::new());
        for next in &mut room {
            let count = std::mem::replace(next, total);
            if count > 0 {
                total += count;
                ends.push(total);
            }
        }
        match (ends.len(), parts) {
            (0, _) => return Self::Nowhere,
            (1, 1) => return Self::Everywhere,
            _ => {}
        }
        let (mut cells, mut i) = (vec![0; total], 0);
        for (r, runs) in rows.iter().enumerate() {
            let start = e.n[0] * r;
            for run in runs {
                let root = forest.root(i);
                i += 1;
                if !grounded[root] {
                    let to = &mut cells[room[root]..][..run.cells.len()];
                    to.iter_mut().zip(run.cells.clone()).for_each(|(to, cell)| *to = start + cell);
                    room[root] += to.len();
                }
            }
        }
        Self::Parts { cells, ends }
    }

    /// Takes the mean of each of the parts from its cells; nothing where there is no more than one part.
    pub fn center<T: Scalar>(&self, v: &mut [T]) {
        let Self::Parts { cells, ends } = self else { return };
        let mut first = 0;
        for &end in ends {
            let part = &cells[first..end];
            let mean = T::of(part.iter().map(|c| v[*c].f64()).sum::<f64>() / part.len() as f64);
            part.iter().for_each(|c| v[*c] -= mean);
            first = end;
        }
    }
}

/// Calls `f` with the runs of two rows that have cells beside each other, and these cells.
fn overlaps(lower: &[Run], upper: &[Run], mut f: impl FnMut(usize, usize, Range<usize>)) {
    let (mut i, mut j) = (0, 0);
    while i < lower.len() && j < upper.len() {
        let (a, b) = (&lower[i].cells, &upper[j].cells);
        let cells = a.start.max(b.start)..a.end.min(b.end);
        if !cells.is_empty() {
            f(i, j, cells);
        }
        if a.end < b.end { i += 1 } else { j += 1 }
    }
}

/// For each run an earlier one of its part, or itself.
struct Forest(Vec<usize>);

impl Forest {
    fn root(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn unite(&mut self, i: usize, j: usize) {
        let (i, j) = (self.root(i), self.root(j));
        self.0[i.max(j)] = i.min(j);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Cell, FaceLaplacian, FlagLaplacian, Grid, Host, LinearOperator, Positivity};
    use crate::{Map, Operator};

    /// `#` solid, `~` air, else fluid; rows from the bottom up.
    fn flags(rows: &[&str], sides: [[Boundary; 2]; 3]) -> FlagLaplacian {
        let cell = |c| match c {
            b'#' => Cell::Solid,
            b'~' => Cell::Air,
            _ => Cell::Fluid,
        };
        let cells: Vec<Cell> = rows.iter().flat_map(|r| r.bytes().map(cell)).collect();
        FlagLaplacian::new(Grid::new_2d(rows[0].len(), rows.len()).unwrap(), &cells, sides).unwrap()
    }

    const WALLS: [[Boundary; 2]; 3] = [[Boundary::Neumann; 2]; 3];

    #[test]
    fn parts_are_told_apart() {
        let a = flags(&["..#~.", "..#..", "###..", "...#.", "#####"], WALLS);
        // The upper left corner and a row of three; the right side touches air.
        let expected = Floating::Parts { cells: vec![0, 1, 5, 6, 15, 16, 17], ends: vec![4, 7] };
        assert_eq!(*a.floating(), expected);
        assert!(a.is_singular() && a.properties().positivity == Positivity::Semidefinite);
        let (space, mut v) = (Host::<f64>::new(), (0..25).map(f64::from).collect::<Vec<_>>());
        let before = v.clone();
        a.project(&space, &mut v).unwrap();
        assert_eq!((v[0], v[6], v[15], v[17]), (-3.0, 3.0, -1.0, 1.0));
        assert_eq!((v[2], v[4], v[9]), (0.0, before[4], before[9]));
        let mut y = vec![0.0; 25];
        let ones: Vec<f64> = (0..25).map(|c| if [0, 1, 5, 6].contains(&c) { 1.0 } else { 0.0 }).collect();
        a.apply(&space, &ones, &mut y).unwrap();
        assert!(y.iter().all(|y| *y == 0.0));
    }

    #[test]
    fn one_part_is_everything_or_nothing() {
        let bay = ["...", ".#.", "..."];
        assert_eq!(*flags(&bay, WALLS).floating(), Floating::Everywhere);
        let open = [[Boundary::Neumann; 2], [Boundary::Neumann, Boundary::DIRICHLET], [Boundary::Neumann; 2]];
        assert_eq!(*flags(&bay, open).floating(), Floating::Nowhere);
        assert_eq!(*flags(&["##", "##"], WALLS).floating(), Floating::Nowhere);
        // A single fluid cell among solids takes no part.
        assert_eq!(*flags(&["#.#", "###"], WALLS).floating(), Floating::Nowhere);
        // Two columns are one on a ring.
        let columns = [".#.", ".#."];
        assert!(matches!(flags(&columns, WALLS).floating(), Floating::Parts { .. }));
        let ring = [[Boundary::Periodic; 2], [Boundary::Neumann; 2], [Boundary::Neumann; 2]];
        assert_eq!(*flags(&columns, ring).floating(), Floating::Everywhere);
    }

    #[test]
    fn closed_faces_part_what_open_ones_join() {
        let grid = Grid::new_2d(3, 2).unwrap();
        let faces = |x: [f64; 8], y: [f64; 9], sink: Option<Vec<f64>>| {
            FaceLaplacian::with_sink(grid, [x.to_vec(), y.to_vec(), Vec::new()], [false; 3], sink).unwrap()
        };
        let x = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0];
        let y = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let a = faces(x, y, None);
        // Cell 2 has no open face.
        assert_eq!(*a.floating(), Floating::Parts { cells: vec![0, 1, 3, 4, 5], ends: vec![3, 5] });
        let a = faces(x, y, Some(vec![0.0, 0.0, 1.0, 0.0, 3.0, 0.0]));
        assert_eq!(*a.floating(), Floating::Parts { cells: vec![0, 1, 3], ends: vec![3] });
        let mut top = y;
        top[6] = 0.5;
        assert_eq!(*faces(x, top, Some(vec![0.0, 0.0, 1.0, 0.0, 3.0, 0.0])).floating(), Floating::Nowhere);
    }
}
