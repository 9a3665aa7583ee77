//! Reading.

use super::array::Array;
use super::{SCHEMA, VERSION};
use crate::foreign::{MemberKind, Source};
use crate::{Error, LinearSystem, Result};
use resolvent::{Csr, Grid};
use std::path::Path;

/// Reads a system. The matrix claims to be symmetric when every entry equals its mirror image.
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`] naming the dataset; [`Error::Memory`].
pub fn read(path: &Path) -> Result<LinearSystem> {
    let source = Source::open(path)?;
    check_schema(&source)?;
    let matrix = matrix(&source)?;
    let vector = |name: &str, len: usize, why: &str| match Array::open(&source, name)? {
        None => Ok(None),
        Some(array) => {
            array.expect(len, why)?;
            array.reals().map(Some)
        }
    };
    let rhs = vector("b", matrix.rows(), "one number for each row of the matrix")?;
    let solution = vector("x", matrix.cols(), "one number for each column of the matrix")?;
    let grid = grid(&source, matrix.rows())?;
    let meta = meta(&source)?;
    Ok(LinearSystem { matrix, rhs, solution, grid, meta })
}

/// Reads the dataset `x` of a system or a solution.
///
/// # Errors
/// [`Error::Open`]; [`Error::Malformed`] naming the dataset; [`Error::Memory`].
pub fn read_solution(path: &Path) -> Result<Vec<f64>> {
    let source = Source::open(path)?;
    let array = Array::open(&source, "x")?.ok_or_else(|| {
        let mend = "give a file that `solve --output` wrote, or store the vector as `x`";
        Error::malformed(path, "dataset `x`", "there is no such dataset", mend)
    })?;
    array.reals()
}

fn check_schema(source: &Source) -> Result<()> {
    let path = source.path();
    if let Some(schema) = source.text("", "resolvent_schema")?
        && schema != SCHEMA
    {
        let what = format!("the file holds a `{schema}`");
        return Err(Error::malformed(
            path,
            "attribute `resolvent_schema`",
            what,
            format!("a `{SCHEMA}` is needed"),
        ));
    }
    if let Some(version) = source.integers("", "version")?
        && version != [VERSION]
    {
        let what = format!("the version is {version:?}");
        let mend = format!("this program reads version {VERSION}; use a newer one, or write the file again");
        return Err(Error::malformed(path, "attribute `version`", what, mend));
    }
    for name in ["format", "h5sparse_format"] {
        if let Ok(Some(format)) = source.text("", name)
            && format != "csr"
        {
            let what = format!("the matrix is stored as `{format}`");
            return Err(Error::malformed(
                path,
                format!("attribute `{name}`"),
                what,
                "store it with `.tocsr()`",
            ));
        }
    }
    Ok(())
}

fn matrix(source: &Source) -> Result<Csr<f64>> {
    let needed = |name: &str| {
        Array::open(source, name)?.ok_or_else(|| {
            let what = "there is no such dataset";
            let mend =
                "store the matrix as `indptr`, `indices` and `data`, as scipy.sparse.csr_matrix has them";
            Error::malformed(source.path(), format!("dataset `{name}`"), what, mend)
        })
    };
    let (pointers, indices, data) = (needed("indptr")?, needed("indices")?, needed("data")?);
    if pointers.len < 2 {
        return Err(pointers.error(format!("it has {} numbers", pointers.len), "a matrix needs a row"));
    }
    let rows = pointers.len - 1;
    let cols = match shape(source)? {
        None => rows,
        Some([r, c]) if r == rows => c,
        Some([r, c]) => {
            let what = format!("the shape says {r} × {c}, `indptr` has {rows} rows");
            return Err(Error::malformed(
                source.path(),
                "`shape`",
                what,
                "give `indptr` one number more than there are rows",
            ));
        }
    };
    if rows > u32::MAX as usize || cols > u32::MAX as usize {
        return Err(pointers.error(
            format!("the matrix is {rows} × {cols}, more than a 32-bit index counts"),
            "use a smaller matrix",
        ));
    }
    indices.expect(data.len, "one number for each of `data`")?;
    let mend = format!("row bounds run from 0 to {}, the length of `data`", data.len);
    let offsets =
        pointers.integers("row bounds", &mend, |v| usize::try_from(v).ok().filter(|v| *v <= data.len))?;
    if offsets[0] != 0 || offsets[rows] != data.len {
        let what = format!("it runs from {} to {}", offsets[0], offsets[rows]);
        return Err(pointers.error(what, mend));
    }
    if let Some(row) = offsets.windows(2).position(|w| w[1] < w[0]) {
        return Err(pointers.error(format!("it falls after row {row}"), "row bounds must not fall"));
    }
    let mend = format!("columns run from 0 to {}", cols - 1);
    let columns =
        indices.integers("columns", &mend, |v| u32::try_from(v).ok().filter(|c| (*c as usize) < cols))?;
    let (offsets, columns, values) = sorted(offsets, columns, data.reals()?);
    let matrix = Csr::new(rows, cols, offsets, columns, values)
        .map_err(|e| data.error(format!("it makes no matrix: {e}"), "store each entry once, and finite"))?;
    Ok(matrix.checked_symmetric(0.0))
}

/// Rows and columns, from a dataset or an attribute.
fn shape(source: &Source) -> Result<Option<[usize; 2]>> {
    let found = match Array::open(source, "shape")? {
        Some(array) if array.len <= 16 => {
            Some(array.integers("the shape", "store rows and columns", Some)?)
        }
        Some(array) => {
            return Err(array.error(format!("it has {} numbers", array.len), "store rows and columns"));
        }
        None => source.integers("", "shape")?,
    };
    let Some(found) = found else { return Ok(None) };
    let sides: Vec<usize> =
        found.iter().filter_map(|v| usize::try_from(*v).ok()).filter(|v| *v > 0).collect();
    match (sides[..].try_into(), found.len()) {
        (Ok(sides), 2) => Ok(Some(sides)),
        _ => {
            let what = format!("the shape is {found:?}");
            Err(Error::malformed(source.path(), "`shape`", what, "store rows and columns, both at least 1"))
        }
    }
}

/// Rows with ascending columns; entries at the same place are added, in their order.
fn sorted(offsets: Vec<usize>, columns: Vec<u32>, values: Vec<f64>) -> (Vec<usize>, Vec<u32>, Vec<f64>) {
    let ascends = |w: &[usize]| columns[w[0]..w[1]].windows(2).all(|c| c[0] < c[1]);
    if offsets.windows(2).all(ascends) {
        return (offsets, columns, values);
    }
    let (mut starts, mut kept, mut sums) = (vec![0], Vec::<u32>::new(), Vec::<f64>::new());
    let mut row: Vec<(u32, f64)> = Vec::new();
    for w in offsets.windows(2) {
        row.clear();
        row.extend(columns[w[0]..w[1]].iter().copied().zip(values[w[0]..w[1]].iter().copied()));
        row.sort_by_key(|e| e.0);
        let start = kept.len();
        for (column, value) in &row {
            match sums.last_mut() {
                Some(sum) if kept.len() > start && kept.last() == Some(column) => *sum += value,
                _ => {
                    kept.push(*column);
                    sums.push(*value);
                }
            }
        }
        starts.push(kept.len());
    }
    (starts, kept, sums)
}

fn grid(source: &Source, rows: usize) -> Result<Option<(Grid, Vec<u32>)>> {
    if !has_group(source, "grid")? {
        return Ok(None);
    }
    let needed = |name: &str| {
        Array::open(source, &format!("grid/{name}"))?.ok_or_else(|| {
            let place = format!("dataset `grid/{name}`");
            Error::malformed(
                source.path(),
                place,
                "there is no such dataset",
                "store `n` and `cells`, or no `grid`",
            )
        })
    };
    let (n, cells) = (needed("n")?, needed("cells")?);
    if !(2..=3).contains(&n.len) {
        return Err(n.error(format!("it has {} numbers", n.len), "store the cells along x, y and, in 3-D, z"));
    }
    let sides = n.integers("the sides of the grid", "sides are at least 1", |v| usize::try_from(v).ok())?;
    let grid = if sides.len() == 2 {
        Grid::new_2d(sides[0], sides[1])
    } else {
        Grid::new_3d(sides[0], sides[1], sides[2])
    };
    let grid = grid.map_err(|e| n.error(e.to_string(), "store the cells along x, y and, in 3-D, z"))?;
    cells.expect(rows, "the cell of each row of the matrix")?;
    let mend = format!("cells run from 0 to {}", grid.cells() - 1);
    let cells =
        cells.integers("cells", &mend, |v| u32::try_from(v).ok().filter(|c| (*c as usize) < grid.cells()))?;
    Ok(Some((grid, cells)))
}

/// The string attributes of the group `meta`, if there is one.
pub(crate) fn meta(source: &Source) -> Result<Vec<(String, String)>> {
    if !has_group(source, "meta")? {
        return Ok(Vec::new());
    }
    let mut meta = Vec::new();
    for name in source.attribute_names("meta")? {
        if let Some(text) = source.text("meta", &name)? {
            meta.push((name, text));
        }
    }
    Ok(meta)
}

/// Whether there is a group of this name; anything else of that name is refused.
fn has_group(source: &Source, name: &str) -> Result<bool> {
    match source.find(name)? {
        None => Ok(false),
        Some(MemberKind::Group) => Ok(true),
        Some(_) => {
            let what = "this is no group, or a damaged one";
            Err(Error::malformed(source.path(), format!("`{name}`"), what, "make it a group"))
        }
    }
}
