//! What a network sees of an operator.

use crate::{Error, Grid, Result, Stencil};

/// Numbers a cell.
pub(super) const IMAGES: usize = 3;

/// For every cell `[cells, 3]`: whether it carries an unknown, the share of its faces towards cells that do, and the conductance
/// towards prescribed values over the number of its faces. Inside it is 1, 1, 0; a wall takes from the second alone, air and
/// an open side add to the third.
///
/// # Errors
/// [`Error::Unsuited`] for an operator with a coefficient for every face.
pub(super) fn image(a: &Stencil) -> Result<Vec<f32>> {
    check_image(a)?;
    let (grid, diagonal) = (a.grid(), a.diagonal());
    let faces = 2.0 * grid.dim() as f64;
    let mut image = Vec::with_capacity(IMAGES * diagonal.len());
    for (cell, &d) in diagonal.iter().enumerate() {
        let inside = neighbours(grid, cell).filter(|n| diagonal[*n] > 0.0).count() as f64;
        let numbers = if d > 0.0 { [1.0, inside / faces, (d - inside) / faces] } else { [0.0; IMAGES] };
        image.extend(numbers.map(|v| v as f32));
    }
    Ok(image)
}

/// Refuses an operator that has no image.
pub(super) fn check_image(a: &Stencil) -> Result<()> {
    if matches!(a, Stencil::Faces(_)) {
        return Err(Error::Unsuited {
            what: "a network that looks at solids and air",
            needs: "an operator with one coefficient, and this one has one for every face",
            mend: "use a network of the architecture dcdm, or multigrid",
        });
    }
    Ok(())
}

/// The cells that share a face with one.
fn neighbours(grid: Grid, cell: usize) -> impl Iterator<Item = usize> {
    let (at, n) = (grid.cell(cell), grid.n());
    (0..grid.dim()).flat_map(move |d| {
        let next = move |to: Option<usize>| {
            let mut there = at;
            there[d] = to.filter(|to| *to < n[d])?;
            Some(grid.index(there))
        };
        [next(at[d].checked_sub(1)), next(Some(at[d] + 1))].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Cell, FlagLaplacian};

    #[test]
    fn walls_air_and_sides_are_told_apart() {
        let grid = Grid::new_2d(3, 3).unwrap();
        let mut cells = [Cell::Fluid; 9];
        (cells[1], cells[3]) = (Cell::Solid, Cell::Air);
        let mut sides = [[Boundary::Neumann; 2]; 3];
        sides[1][1] = Boundary::DIRICHLET;
        let image = image(&FlagLaplacian::new(grid, &cells, sides).unwrap().into()).unwrap();
        let at = |i: usize| &image[IMAGES * i..][..IMAGES];
        // In the corner between the two only air is felt; in the middle both; above it the open side, 2 for half a cell.
        assert_eq!(at(0), [1.0, 0.0, 0.25]);
        assert_eq!(at(4), [1.0, 0.5, 0.25]);
        assert_eq!(at(7), [1.0, 0.75, 0.5]);
        assert_eq!((at(1), at(3)), (&[0.0; 3][..], &[0.0; 3][..]));
    }
}
