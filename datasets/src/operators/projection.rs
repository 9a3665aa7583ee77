//! `projection`: the pressure projections of a scene that moves, frame after frame.
//!
//! The operators have no matrix: the flags of the cells say what they are. A frame is the flags (0 fluid, 1 solid, 2 air) and the
//! right-hand side in every cell; [`Projections`] hands out operator and right-hand side.

use super::check;
use super::slab::{Contents, Number, Rows, Slab};
use crate::foreign::Source;
use crate::maker::{Cost, Made, Maker, Outcome, Recipe, Setting, Step, Watch};
use crate::system_file::{Array, meta};
use crate::{Error, Family, Parameters, Result, RhsKind};
use resolvent::{Boundaries, Boundary, Cell, FlagLaplacian, Grid};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub(crate) const MAKER: Maker = Maker {
    name: "projection",
    summary: "the pressure projections of a moving scene (smoke, dam): flags and right-hand side of each frame",
    samples: None,
    settings: &[
        Setting { name: "family", default: "smoke", what: "a family that moves: smoke or dam" },
        Setting { name: "n", default: "64", what: "cells along each side" },
        Setting { name: "dim", default: "3", what: "2 or 3 dimensions" },
        Setting { name: "frames", default: "0..31", what: "first and last frame" },
    ],
    cost,
    make,
};

struct Asked {
    family: &'static Family,
    frames: RangeInclusive<usize>,
    parameters: Parameters,
    n: usize,
    dim: usize,
    cells: usize,
}

fn asked(recipe: &Recipe) -> Result<Asked> {
    let family = Family::named(recipe.text("family"))?;
    if !family.moves {
        return Err(recipe.refuse("family", "a family that moves is needed: smoke or dam"));
    }
    let n = recipe.number("n", "a whole number of cells is needed", |_| true)?;
    let dim = recipe.number("dim", "2 or 3 is needed", |d| (2..=3).contains(d))?;
    let frames =
        recipe.range("frames", "a range within 0..1000000 is needed, such as 0..31", 0..=1_000_000)?;
    let parameters = Parameters::new(n).dim(dim).seed(recipe.seed());
    family.check(parameters)?;
    Ok(Asked { family, frames, parameters, n, dim, cells: n.pow(dim as u32) })
}

fn cost(recipe: &Recipe) -> Result<Cost> {
    let asked = asked(recipe)?;
    let (cells, frames) = (asked.cells as u64, asked.frames.count() as u64);
    let mend = "use a smaller n or fewer frames";
    Ok(Cost { memory: 60 * cells + (8 << 20), file: frames.saturating_mul(9 * cells), beside: 0, mend })
}

fn make(recipe: &Recipe, path: &Path, watch: &mut Watch) -> Result<Outcome> {
    let Asked { family, frames, parameters, n, dim, cells } = asked(recipe)?;
    let (first, total) = (*frames.start(), frames.count());
    let command = recipe.command();
    let mut meta = vec![
        ("set".to_owned(), recipe.maker().name.to_owned()),
        ("seed".to_owned(), recipe.seed().to_string()),
        ("rhs".to_owned(), family.rhs[0].name().to_owned()),
        // Walls all round, but what is beyond the top of smoke is air.
        ("top".to_owned(), if family.name == "smoke" { "air" } else { "wall" }.to_owned()),
    ];
    meta.extend(recipe.settings().map(|(k, v)| (k.to_owned(), v.to_owned())));
    let datasets = [
        Rows { name: "cells", number: Number::U8, columns: cells },
        Rows { name: "rhs", number: Number::F64, columns: cells },
    ];
    let contents =
        Contents { kind: "projection", command: &command, meta: &meta, rows: total, datasets: &datasets };
    let mut slab = Slab::open(path, &contents, |root| {
        root.new_attr::<i64>().shape(dim).create("shape")?.write_raw(&vec![n as i64; dim])
    })?;
    let resumed = slab.done;
    while slab.done < total {
        if watch(Step { phase: "making frames", done: slab.done, total }).is_break() {
            return Ok(Outcome::Interrupted { partial: slab.partial().into() });
        }
        let problem = family.problem(parameters.frame((first + slab.done) as u32))?;
        let flag = |c: &Cell| match c {
            Cell::Fluid => 0,
            Cell::Solid => 1,
            Cell::Air => 2,
        };
        let flags: Vec<u8> = match problem.cells() {
            Some(all) => all.iter().map(flag).collect(),
            None => vec![0; cells],
        };
        let b: Vec<u8> = problem.rhs(RhsKind::Flow)?.iter().flat_map(|v| v.to_le_bytes()).collect();
        slab.push(1, &[&flags, &b])?;
    }
    let bytes = slab.finish()?;
    Ok(Outcome::Made(Made { samples: total, bytes, resumed, remark: None }))
}

/// A file of projections, open for reading frame by frame.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("smoke.h5");
/// use resolvent::{Cg, Host, Map, Status, Stop};
/// use resolvent_datasets::{Maker, Recipe, operators::projection::Projections};
/// let settings = [("n", "12"), ("frames", "3..5")];
/// let recipe = Recipe::new(Maker::named("projection")?, 1, None, &settings)?;
/// recipe.make(&path, &mut |_| std::ops::ControlFlow::Continue(()))?;
/// let frames = Projections::open(&path)?;
/// let (a, b) = frames.frame(2)?;
/// let mut x = vec![0.0; b.len()];
/// let space = Host::<f64>::new();
/// let report = Cg::new(&space, b.len(), Stop::default())?.solve(&space, &a, None, &b, &mut x)?;
/// assert_eq!((frames.len(), report.status), (3, Status::Converged));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Projections {
    source: Source,
    path: PathBuf,
    grid: Grid,
    sides: Boundaries,
    frames: usize,
}

impl Projections {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::Malformed`].
    pub fn open(path: &Path) -> Result<Self> {
        let source = Source::open(path)?;
        check::expect(&source, "projection")?;
        let bad = |place: &str, what: &str| {
            Error::malformed(path, place, what, "make it with `resolvent data make projection`")
        };
        let shape = source.integers("", "shape")?.unwrap_or_default();
        let side = |v: &i64| usize::try_from(*v).ok().filter(|v| (2..65_536).contains(v));
        let n: Vec<usize> = shape.iter().filter_map(side).collect();
        // The slowest comes first.
        let grid = match n[..] {
            [ny, nx] if shape.len() == 2 => Grid::new_2d(nx, ny)?,
            [nz, ny, nx] if shape.len() == 3 => Grid::new_3d(nx, ny, nz)?,
            _ => return Err(bad("attribute `shape`", "it is no shape of a grid")),
        };
        let mut frames = Vec::new();
        for name in ["cells", "rhs"] {
            let array = Array::rows_of(&source, name, grid.cells())?;
            frames.push(array.ok_or_else(|| bad(&format!("dataset `{name}`"), "it is absent"))?.rows());
        }
        if frames[0] != frames[1] {
            return Err(bad("dataset `rhs`", "it has not as many frames as `cells`"));
        }
        let meta = meta(&source)?;
        let top = meta.iter().find(|(name, _)| name == "top").map(|(_, value)| value.as_str());
        let mut sides = [[Boundary::Neumann; 2]; 3];
        if top == Some("air") {
            sides[grid.dim() - 1][1] = Boundary::DIRICHLET_NODE;
        }
        Ok(Self { path: path.into(), grid, sides, frames: frames[0], source })
    }

    /// How many frames.
    pub fn len(&self) -> usize {
        self.frames
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }
    /// The grid of every frame.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The operator, scaled by h², and the right-hand side `[grid.cells()]` of a frame.
    ///
    /// # Errors
    /// [`Error::Length`] when there is no such frame; [`Error::Malformed`].
    pub fn frame(&self, i: usize) -> Result<(FlagLaplacian, Vec<f64>)> {
        if i >= self.frames {
            return Err(Error::Length { what: "frames".into(), expected: i + 1, got: self.frames });
        }
        let array = |name: &str| {
            let absent =
                || Error::malformed(&self.path, format!("dataset `{name}`"), "it is absent", "add it");
            Array::rows_of(&self.source, name, self.grid.cells())?.ok_or_else(absent)
        };
        let flags = array("cells")?;
        let cell = |v: u8| match v {
            0 => Ok(Cell::Fluid),
            1 => Ok(Cell::Solid),
            2 => Ok(Cell::Air),
            v => Err(flags.error(format!("a cell of frame {i} is {v}"), "0 is fluid, 1 solid, 2 air")),
        };
        let cells = flags.read_rows::<u8>(i..i + 1)?.into_iter().map(cell).collect::<Result<Vec<_>>>()?;
        let rhs = array("rhs")?;
        let b = rhs.read_rows::<f64>(i..i + 1)?;
        if b.iter().any(|v| !v.is_finite()) {
            return Err(rhs.error(format!("frame {i} is not finite"), "every value must be a finite number"));
        }
        Ok((FlagLaplacian::new(self.grid, &cells, self.sides)?, b))
    }
}
