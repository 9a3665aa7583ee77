//! The operators of the suites: every kind × ragged grids × every kind of boundary, each beside its plain reference.

use crate::plain::{Coefficients, Laplacian};
use resolvent::{
    Boundaries, Boundary, Cell, FaceLaplacian, FlagLaplacian, Grid, Host, LinearOperator, Poisson, Scalar,
    Stencil,
};
use resolvent_datasets::random::Stream;

/// One operator and its reference.
pub struct Case {
    /// Which operator, on which grid, between which boundaries.
    pub name: String,
    /// What it must equal.
    pub plain: Laplacian,
    /// In f64.
    pub stencil: Stencil,
    /// In f32, coefficients rounded.
    pub single: Box<dyn LinearOperator<Host<f32>>>,
}

impl Case {
    /// Whether every entry of a vector in a cell that takes no part is ignored, NaN included.
    pub fn ignores_inactive(&self) -> bool {
        matches!(self.plain.coefficients, Coefficients::Cells(_))
    }
    /// Whether the sides wrap around anywhere.
    pub fn is_periodic(&self) -> bool {
        self.plain.sides[..self.plain.grid.dim()].iter().any(|s| s[0] == Boundary::Periodic)
    }
}

/// Ragged grids: single cells, lines, slabs, and sizes past the width of a vector register and of a block.
pub fn grids() -> Vec<Grid> {
    let flat = [[1, 1], [2, 3], [7, 5], [33, 17], [1, 9], [9, 1], [1, 40], [40, 1], [2, 2]];
    let deep = [
        [1, 1, 1],
        [3, 4, 5],
        [17, 9, 8],
        [8, 33, 6],
        [5, 3, 40],
        [1, 1, 12],
        [1, 12, 1],
        [12, 1, 1],
        [1, 6, 7],
        [2, 2, 2],
    ];
    let flat = flat.into_iter().map(|[nx, ny]| Grid::new_2d(nx, ny));
    let deep = deep.into_iter().map(|[nx, ny, nz]| Grid::new_3d(nx, ny, nz));
    flat.chain(deep).map(|g| g.expect("sides above 0")).collect()
}

/// Boundaries with a name.
pub fn boundaries() -> Vec<(&'static str, Boundaries)> {
    use Boundary::{Neumann, Periodic};
    const HALF: Boundary = Boundary::DIRICHLET;
    const NODE: Boundary = Boundary::DIRICHLET_NODE;
    const QUARTER: Boundary = Boundary::Dirichlet { distance: 0.25 };
    vec![
        ("half cell", [[HALF; 2]; 3]),
        ("node", [[NODE; 2]; 3]),
        ("whole conductances", [[QUARTER, Neumann], [NODE, HALF], [Neumann, QUARTER]]),
        ("walls", [[Neumann; 2]; 3]),
        ("open top", [[Neumann; 2], [Neumann, NODE], [Neumann, NODE]]),
        ("periodic", [[Periodic; 2]; 3]),
        ("periodic x", [[Periodic; 2], [HALF, Neumann], [Neumann, HALF]]),
        ("periodic y", [[Neumann; 2], [Periodic; 2], [NODE; 2]]),
        ("periodic z, or y in 2-D", [[HALF, NODE], [Periodic; 2], [Periodic; 2]]),
    ]
}

/// Distances whose conductance is no whole number, which flags do not take.
pub const OTHER_DISTANCES: Boundaries = [
    [Boundary::Dirichlet { distance: 0.3 }, Boundary::Dirichlet { distance: 7.5 }],
    [Boundary::Neumann, Boundary::Dirichlet { distance: 1.0 / 3.0 }],
    [Boundary::Dirichlet { distance: 0.9 }, Boundary::Neumann],
];

/// Every case.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for grid in grids() {
        for (name, sides) in boundaries() {
            let at = format!("{:?} in {}-D, {name}", &grid.n()[..grid.dim()], grid.dim());
            cases.extend([isotropic(&at, grid, sides), anisotropic(&at, grid, sides)]);
            cases.extend(
                FILLINGS.map(|(name, filling)| flags(&format!("{name}, {at}"), grid, sides, filling)),
            );
            cases.extend([
                cells(&at, grid, sides, false),
                cells(&at, grid, sides, true),
                faces(&at, grid, sides, false),
                faces(&at, grid, sides, true),
            ]);
        }
        let at = format!("{:?} in {}-D, other distances", &grid.n()[..grid.dim()], grid.dim());
        cases.extend([
            isotropic(&at, grid, OTHER_DISTANCES),
            anisotropic(&at, grid, OTHER_DISTANCES),
            cells(&at, grid, OTHER_DISTANCES, false),
        ]);
    }
    cases
}

fn isotropic(at: &str, grid: Grid, sides: Boundaries) -> Case {
    let a = Poisson::new(grid, sides).expect("a valid case");
    let plain = Laplacian { grid, sides, coefficients: Coefficients::Constant([1.0; 3]) };
    Case { name: format!("Poisson, {at}"), plain, stencil: a.clone().into(), single: Box::new(a) }
}

fn anisotropic(at: &str, grid: Grid, sides: Boundaries) -> Case {
    let c = [1.0, 0.03, 7.0];
    let a = Poisson::anisotropic(grid, sides, c).expect("a valid case");
    let plain = Laplacian { grid, sides, coefficients: Coefficients::Constant(c) };
    Case { name: format!("anisotropic Poisson, {at}"), plain, stencil: a.clone().into(), single: Box::new(a) }
}

/// What fills a cell, by its place and a uniform number.
type Filling = fn([usize; 3], f64) -> Cell;

const FILLINGS: [(&str, Filling); 4] = [
    ("all fluid", |_, _| Cell::Fluid),
    ("random", |_, u| {
        if u < 0.3 {
            Cell::Solid
        } else if u < 0.4 {
            Cell::Air
        } else {
            Cell::Fluid
        }
    }),
    ("walled-in cells", |at, _| if at.iter().sum::<usize>() % 2 == 0 { Cell::Fluid } else { Cell::Solid }),
    ("all solid", |_, _| Cell::Solid),
];

fn flags(at: &str, grid: Grid, sides: Boundaries, filling: Filling) -> Case {
    let random = Stream::new(1, at);
    let cells: Vec<Cell> =
        (0..grid.cells()).map(|c| filling(grid.cell(c), random.uniform(c as u64))).collect();
    let a = FlagLaplacian::new(grid, &cells, sides).expect("a valid case");
    let plain = Laplacian { grid, sides, coefficients: Coefficients::Cells(cells) };
    Case { name: format!("flags: {at}"), plain, stencil: a.clone().into(), single: Box::new(a) }
}

/// κ between 10⁻³ and 10³; `closed`: a quarter of the cells are closed.
fn cells(at: &str, grid: Grid, sides: Boundaries, closed: bool) -> Case {
    let random = Stream::new(2 + u64::from(closed), at);
    let kappa = |c: u64| {
        let value = 10f64.powf(random.between(2 * c, -3.0, 3.0));
        if closed && random.uniform(2 * c + 1) < 0.25 { 0.0 } else { value }
    };
    let kappa: Vec<f64> = (0..grid.cells() as u64).map(kappa).collect();
    let double = FaceLaplacian::<f64>::from_cells(grid, &kappa, sides).expect("a valid case");
    let single = FaceLaplacian::<f32>::from_cells(grid, &kappa, sides).expect("a valid case");
    let plain = Laplacian { grid, sides, coefficients: Coefficients::Kappa(kappa) };
    let name = format!("{}κ in cells, {at}", if closed { "closed cells, " } else { "" });
    Case { name, plain, stencil: double.into(), single: Box::new(single) }
}

/// Conductances drawn face by face, a tenth of them 0; those of the outermost faces only where a side prescribes a value.
fn faces(at: &str, grid: Grid, sides: Boundaries, sinks: bool) -> Case {
    let random = Stream::new(4 + u64::from(sinks), at);
    let mut next = 0;
    let mut draw = || {
        next += 2;
        if random.uniform(next) < 0.1 { 0.0 } else { random.between(next + 1, 0.1, 2.0) }
    };
    let mut g: [Vec<f64>; 3] = Default::default();
    let mut periodic = [false; 3];
    for d in 0..grid.dim() {
        periodic[d] = sides[d][0] == Boundary::Periodic;
        let n = grid.n()[d];
        let mut layers = grid.n();
        layers[d] += 1;
        let stride: usize = grid.n()[..d].iter().product();
        for f in 0..layers.iter().product() {
            let layer = f / stride % layers[d];
            let side = if layer == 0 { Some(0) } else { (layer == n).then_some(1) };
            let value = match side {
                Some(end) if sides[d][end] == Boundary::Neumann => 0.0,
                Some(1) if periodic[d] => g[d][f - n * stride],
                _ => draw(),
            };
            g[d].push(value);
        }
    }
    let sink: Option<Vec<f64>> =
        sinks.then(|| (0..grid.cells()).map(|c| if c % 3 == 0 { 0.0 } else { draw() }).collect());
    let plain_sides = periodic.map(|p| if p { [Boundary::Periodic; 2] } else { [Boundary::Neumann; 2] });
    let double = FaceLaplacian::with_sink(grid, g.clone(), periodic, sink.clone()).expect("a valid case");
    let single =
        FaceLaplacian::with_sink(grid, g.each_ref().map(|v| cast(v)), periodic, sink.as_deref().map(cast))
            .expect("a valid case");
    let plain = Laplacian { grid, sides: plain_sides, coefficients: Coefficients::Faces(g, sink) };
    let name = format!("faces{}, {at}", if sinks { " with sinks" } else { "" });
    Case { name, plain, stencil: double.into(), single: Box::new(single) }
}

fn cast<T: Scalar>(v: &[f64]) -> Vec<T> {
    v.iter().map(|v| T::of(*v)).collect()
}
