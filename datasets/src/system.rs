//! A linear system and the files it is read from and written to.

use crate::family::{Family, Parameters};
use crate::rhs::RhsKind;
use crate::{Error, Result, dcdm, exchange, matrix_market, system_file, vtk};
use resolvent::{Csr, Grid};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A x = b as it lies in a file.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("system.h5");
/// use resolvent::Csr;
/// use resolvent_datasets::LinearSystem;
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 2.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 2.0)])?;
/// LinearSystem { rhs: Some(vec![1.0, 1.0]), ..a.into() }.write(&path)?;
/// let system = LinearSystem::read(&path)?;
/// assert_eq!((system.matrix.get(0, 1), system.rhs), (-1.0, Some(vec![1.0, 1.0])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinearSystem {
    /// A: `[rows × cols]`.
    pub matrix: Csr<f64>,
    /// b: `[rows]`.
    pub rhs: Option<Vec<f64>>,
    /// A known x: `[cols]`.
    pub solution: Option<Vec<f64>>,
    /// The grid the unknowns lie on, and the cell of each: `[rows]`.
    pub grid: Option<(Grid, Vec<u32>)>,
    /// Where it comes from: names and values.
    pub meta: Vec<(String, String)>,
}

/// The formats of files, told by their extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `.h5`, `.hdf5`: see [`system_file`].
    Hdf5,
    /// `.mtx`: see [`matrix_market`].
    MatrixMarket,
    /// `.psys`, `.bin`: see [`exchange`]; a `.bin` that is none is taken for one of [`dcdm`].
    Exchange,
    /// `.vti`: see [`vtk`]. For fields alone.
    Vtk,
}

impl Format {
    /// What the extension of a path says.
    ///
    /// # Errors
    /// [`Error::Format`] when it says nothing.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
        match extension.as_str() {
            "h5" | "hdf5" => Ok(Self::Hdf5),
            "mtx" => Ok(Self::MatrixMarket),
            "psys" | "bin" => Ok(Self::Exchange),
            "vti" => Ok(Self::Vtk),
            _ => Err(Error::Format {
                path: path.into(),
                known: ".h5, .hdf5, .mtx, .psys, .bin, .vti (fields only)",
            }),
        }
    }
}

impl From<Csr<f64>> for LinearSystem {
    fn from(matrix: Csr<f64>) -> Self {
        Self { matrix, rhs: None, solution: None, grid: None, meta: Vec::new() }
    }
}

impl LinearSystem {
    /// Reads a system: HDF5, Matrix Market (the matrix alone), or an exchange file (its noise as b).
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Malformed`], [`Error::Memory`]; [`Error::Format`] for an extension that is not known.
    pub fn read(path: &Path) -> Result<Self> {
        match Format::of(path)? {
            Format::Hdf5 => system_file::read(path),
            Format::MatrixMarket => Ok(matrix_market::read_matrix(path)?.into()),
            Format::Exchange if path.extension().is_some_and(|e| e == "bin") && !exchange::is_one(path) => {
                dcdm::read(path)
            }
            Format::Exchange => {
                let exchange::Exchange { matrix, noise, grid, .. } = exchange::read(path)?;
                Ok(Self { rhs: Some(noise), grid, ..matrix.into() })
            }
            Format::Vtk => {
                Err(Error::Format { path: path.into(), known: "a system's: .h5, .hdf5, .mtx, .psys, .bin" })
            }
        }
    }

    /// Reads a matrix and, when given, its right-hand side from a Matrix Market file, or from a `.bin` of [`dcdm`]; one for
    /// each cell of the grid is as good as one for each row.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Malformed`] when the two do not fit.
    pub fn read_with_rhs(matrix: &Path, rhs: Option<&Path>) -> Result<Self> {
        let mut system = Self::read(matrix)?;
        if let Some(path) = rhs {
            let mut b = match Format::of(path) {
                Ok(Format::Exchange) => dcdm::read_vector(path)?,
                _ => matrix_market::read_vector(path)?,
            };
            let rows = system.matrix.rows();
            if let Some((grid, cells)) = &system.grid
                && b.len() == grid.cells()
            {
                b = cells.iter().map(|c| b[*c as usize]).collect();
            }
            if b.len() != rows {
                return Err(Error::malformed(
                    path,
                    "size line",
                    format!("the right-hand side has {} entries, the matrix {rows} rows", b.len()),
                    "use the right-hand side of this matrix",
                ));
            }
            system.rhs = Some(b);
        }
        Ok(system)
    }

    /// Writes the system: all of it as HDF5; as Matrix Market the matrix, with b beside it as `NAME_b.mtx`.
    ///
    /// # Errors
    /// [`Error::Write`]; [`Error::Format`] for an extension that cannot hold a system.
    pub fn write(&self, path: &Path) -> Result<()> {
        match Format::of(path)? {
            Format::Hdf5 => system_file::write(path, self),
            Format::MatrixMarket => {
                matrix_market::write_matrix(path, &self.matrix)?;
                match &self.rhs {
                    Some(b) => matrix_market::write_vector(&rhs_path(path), b),
                    None => Ok(()),
                }
            }
            Format::Exchange | Format::Vtk => {
                Err(Error::Format { path: path.into(), known: ".h5, .hdf5, .mtx" })
            }
        }
    }
}

/// Where [`LinearSystem::write`] puts the right-hand side of a Matrix Market file: `NAME_b.mtx`.
pub fn rhs_path(matrix: &Path) -> PathBuf {
    let mut name = matrix.file_stem().map_or_else(OsString::new, OsString::from);
    name.push("_b.mtx");
    matrix.with_file_name(name)
}

/// Makes one member of a family and writes its system; without a kind of right-hand side, with the family's first.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("smoke.h5");
/// use resolvent_datasets::{LinearSystem, Parameters, make};
/// let made = make("smoke", Parameters::new(16).seed(1).frame(5), None, &path)?;
/// assert_eq!(LinearSystem::read(&path)?.rhs, made.rhs);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Family::named`], [`Family::problem`], [`Problem::system`](crate::Problem::system) and [`LinearSystem::write`].
pub fn make(name: &str, parameters: Parameters, rhs: Option<RhsKind>, path: &Path) -> Result<LinearSystem> {
    let format = Format::of(path)?;
    if !matches!(format, Format::Hdf5 | Format::MatrixMarket) {
        return Err(Error::Format { path: path.into(), known: ".h5, .hdf5, .mtx" });
    }
    let family = Family::named(name)?;
    let system = family.problem(parameters)?.system(rhs.unwrap_or(family.rhs[0]))?;
    system.write(path)?;
    Ok(system)
}

/// Reads a solution x: the dataset `x` of an HDF5 file, or a Matrix Market vector.
///
/// # Errors
/// [`Error::Open`], [`Error::Malformed`], [`Error::Memory`]; [`Error::Format`] for another extension.
pub fn read_solution(path: &Path) -> Result<Vec<f64>> {
    match Format::of(path)? {
        Format::Hdf5 => system_file::read_solution(path),
        Format::MatrixMarket => matrix_market::read_vector(path),
        _ => Err(Error::Format { path: path.into(), known: ".h5, .hdf5, .mtx" }),
    }
}

/// Writes a solution x: HDF5 (dataset `x`), a Matrix Market array, or, when the unknowns lie on a grid, VTK image data on
/// the unit box with 0 in cells that carry no unknown.
///
/// # Errors
/// [`Error::Length`] when the cells do not fit x; [`Error::Format`] for `.vti` without a grid and for other extensions;
/// [`Error::Write`].
pub fn write_solution(path: &Path, x: &[f64], grid: Option<(Grid, &[u32])>) -> Result<()> {
    if let Some((_, cells)) = grid
        && cells.len() != x.len()
    {
        return Err(Error::Length { what: "x".into(), expected: cells.len(), got: x.len() });
    }
    match (Format::of(path)?, grid) {
        (Format::Hdf5, _) => system_file::write_solution(path, x, grid),
        (Format::MatrixMarket, _) => matrix_market::write_vector(path, x),
        (Format::Vtk, Some((grid, cells))) => {
            let mut field = crate::error::allocate("a field", grid.cells(), 0.0)?;
            for (value, cell) in x.iter().zip(cells) {
                let cells = grid.cells();
                let place = field.get_mut(*cell as usize);
                *place.ok_or(Error::Length {
                    what: "the grid".into(),
                    expected: *cell as usize + 1,
                    got: cells,
                })? = *value;
            }
            let h = 1.0 / grid.n().into_iter().max().unwrap_or(1) as f64;
            vtk::write(path, grid, h, &[("x", &field)])
        }
        (Format::Vtk, None) => {
            Err(Error::Format { path: path.into(), known: ".h5, .hdf5, .mtx: these unknowns lie on no grid" })
        }
        (Format::Exchange, _) => Err(Error::Format { path: path.into(), known: ".h5, .hdf5, .mtx, .vti" }),
    }
}
