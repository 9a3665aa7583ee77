//! What the cells of a scene are filled with.

use crate::Result;
use crate::error::allocate;
use rayon::prelude::*;
use resolvent::{Boundaries, Boundary, Cell, Grid};

/// The centre of a cell of side `h`; absent dimensions are 0.
pub(crate) fn centre(grid: Grid, h: f64, index: usize) -> [f64; 3] {
    let at = grid.cell(index);
    std::array::from_fn(|d| if d < grid.dim() { (at[d] as f64 + 0.5) * h } else { 0.0 })
}

/// Fills every cell by its centre.
pub(crate) fn fill(grid: Grid, h: f64, filling: impl Fn([f64; 3]) -> Cell + Sync) -> Result<Vec<Cell>> {
    let mut cells = allocate("the cells of a scene", grid.cells(), Cell::Fluid)?;
    cells.par_iter_mut().enumerate().for_each(|(index, cell)| *cell = filling(centre(grid, h, index)));
    Ok(cells)
}

/// Makes solid every fluid cell from which no path through fluid leads to a prescribed value (air or a Dirichlet side):
/// the pressure in such a pocket would be determined up to a constant only. Returns how many cells stay fluid.
///
/// Cells are visited once, by a stack of 4 bytes an entry.
pub(crate) fn close_pockets(grid: Grid, sides: &Boundaries, cells: &mut [Cell]) -> Result<usize> {
    let n = grid.n();
    let mut reached = allocate("the reached cells", cells.len(), false)?;
    let mut stack: Vec<u32> = Vec::new();
    let neighbours = |index: usize| {
        let at = grid.cell(index);
        (0..2 * grid.dim()).map(move |side| {
            let (d, end) = (side / 2, side % 2);
            let mut there = at;
            let edge = if end == 0 { at[d] == 0 } else { at[d] + 1 == n[d] };
            match (edge, sides[d][end]) {
                (true, Boundary::Periodic) => there[d] = n[d] - 1 - at[d],
                (true, Boundary::Neumann) => return Beyond::Wall,
                (true, _) => return Beyond::Value,
                (false, _) => there[d] = at[d] + 2 * end - 1,
            }
            Beyond::Cell(grid.index(there))
        })
    };
    for index in 0..cells.len() {
        let open = |beyond| match beyond {
            Beyond::Value => true,
            Beyond::Wall => false,
            Beyond::Cell(c) => cells[c] == Cell::Air,
        };
        if cells[index] == Cell::Fluid && neighbours(index).any(open) {
            reached[index] = true;
            stack.push(index as u32);
        }
    }
    let mut count = 0;
    while let Some(index) = stack.pop() {
        count += 1;
        for beyond in neighbours(index as usize) {
            if let Beyond::Cell(c) = beyond
                && cells[c] == Cell::Fluid
                && !reached[c]
            {
                reached[c] = true;
                stack.push(c as u32);
            }
        }
    }
    for (cell, reached) in cells.iter_mut().zip(reached) {
        if *cell == Cell::Fluid && !reached {
            *cell = Cell::Solid;
        }
    }
    Ok(count)
}

enum Beyond {
    Value,
    Wall,
    Cell(usize),
}

#[cfg(test)]
mod tests {
    use super::*;
    use Cell::{Air, Fluid, Solid};

    fn draw(rows: [&str; 4]) -> Vec<Cell> {
        let cell = |c| match c {
            '#' => Solid,
            'a' => Air,
            _ => Fluid,
        };
        rows.iter().flat_map(|r| r.chars().map(cell)).collect()
    }

    #[test]
    fn pockets_without_a_way_to_a_value_become_solid() {
        let grid = Grid::new_2d(5, 4).unwrap();
        let walls = [[Boundary::Neumann; 2]; 3];
        // The last row is the top.
        let before = draw([".#..#", ".#.##", "..#.a", "###.."]);
        let mut cells = before.clone();
        assert_eq!(close_pockets(grid, &walls, &mut cells).unwrap(), 3);
        assert_eq!(cells, draw(["#####", "#####", "###.a", "###.."]));

        let mut open = before.clone();
        let bottom =
            [[Boundary::Neumann; 2], [Boundary::DIRICHLET, Boundary::Neumann], [Boundary::Neumann; 2]];
        assert_eq!(close_pockets(grid, &bottom, &mut open).unwrap(), 10);
        assert_eq!(open, before);
    }

    #[test]
    fn a_periodic_side_leads_around() {
        let grid = Grid::new_2d(5, 4).unwrap();
        let sides = [[Boundary::Periodic; 2], [Boundary::Neumann; 2], [Boundary::Neumann; 2]];
        let mut cells = draw([".#.#.", "##.##", "##.##", "####a"]);
        assert_eq!(close_pockets(grid, &sides, &mut cells).unwrap(), 0);
        let mut cells = draw([".#.#.", "##.#.", "##.#a", "#####"]);
        assert_eq!(close_pockets(grid, &sides, &mut cells).unwrap(), 3);
        assert_eq!(cells, draw([".###.", "####.", "####a", "#####"]));
    }
}
