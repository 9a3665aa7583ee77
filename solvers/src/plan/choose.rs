//! What `auto` stands for.

use super::{Matrix, Method, Plan, Preconditioner};
use crate::error::too_many;
use crate::ordering::{Matching, width};
use crate::{Csr, Map, Stencil};

/// Unknowns up to which a symmetric factorisation is faster than any iteration, whatever the pattern: its work is then at
/// most some tens of milliseconds.
const SMALL: usize = 5_000;
/// Unknowns up to which the width of a pattern is looked at.
const NARROW: usize = 100_000;
/// A factorisation of a pattern of width w takes up to n w^1.5 operations, an iteration under a multigrid cycle a number of
/// them for each entry. Below this ratio the factorisation was faster: it is 1500 for 48 000 unknowns of a mesh in the plane,
/// where the two come close, and 4000 for 18 000 in space, where the factorisation takes three times as long.
const OPERATIONS: f64 = 1_600.0;
/// Unknowns up to which a factorisation is preferred where no good preconditioner is known.
const HARD: usize = 60_000;
/// How much larger than the smallest the largest entry of a column may be before columns are scaled to one size.
const UNEVEN: f64 = 100.0;

/// A plan without `auto`, and why it is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The plan.
    pub plan: Plan,
    /// A sentence for people.
    pub reason: String,
}

impl Plan {
    /// What this plan stands for on a matrix: every `Auto` replaced by what fits its shape, symmetry, sign, structure and
    /// size.
    ///
    /// ```
    /// use resolvent::{Csr, Matrix, Plan};
    /// let a = Csr::from_triplets(2, 2, &[(0, 0, 2.0), (0, 1, 1.0), (1, 1, 3.0)])?;
    /// let choice = Plan::default().resolve(&Matrix::from_sparse(a));
    /// assert_eq!(choice.plan.method.name(), "direct");
    /// assert_eq!(choice.reason, "2 unknowns, not symmetric: few enough for an LU factorisation");
    /// # Ok::<(), resolvent::Error>(())
    /// ```
    pub fn resolve(self, a: &Matrix) -> Choice {
        let (fitting, why) = fitting(a);
        let method = if self.method == Method::Auto {
            // A preconditioner that was asked for rules out a factorisation.
            match (self.preconditioner, fitting.method) {
                (Preconditioner::Auto | Preconditioner::None, method) => method,
                (_, Method::Direct | Method::FlexibleCg) if a.properties().admits_cg() => {
                    match self.preconditioner {
                        Preconditioner::Amg => Method::FlexibleCg,
                        _ => Method::Cg,
                    }
                }
                (_, Method::Direct) if a.properties().symmetric => Method::Minres,
                (_, Method::Direct) => Method::Gmres,
                (_, method) => method,
            }
        } else {
            self.method
        };
        let preconditioner = match self.preconditioner {
            Preconditioner::Auto => preconditioner(a, method, fitting),
            named => named,
        };
        let asked = |auto: bool| if auto { "" } else { " (asked for)" };
        let reason = if self.method == Method::Auto && self.preconditioner == Preconditioner::Auto {
            why
        } else {
            format!(
                "{method}{}, {preconditioner}{}: {}",
                asked(self.method == Method::Auto),
                asked(self.preconditioner == Preconditioner::Auto),
                kind(a)
            )
        };
        Choice { plan: Self { method, preconditioner, ..self }, reason }
    }
}

#[cfg(feature = "cuda")]
impl Plan {
    /// This plan with `auto` as far as a device has something else than the processor.
    pub(super) fn fitting_device(self, a: &Matrix) -> Self {
        let (grid, positive) = (matches!(a, Matrix::Structured(_)), a.properties().admits_cg());
        let method = match self.method {
            Method::Auto if positive => Method::Cg,
            Method::Auto if a.properties().symmetric => Method::Minres,
            Method::Auto => Method::Gmres,
            named => named,
        };
        let preconditioner = match self.preconditioner {
            Preconditioner::Auto if grid => Preconditioner::Auto,
            Preconditioner::Auto if positive => Preconditioner::Amg,
            Preconditioner::Auto => Preconditioner::None,
            named => named,
        };
        Self { method, preconditioner, ..self }
    }
}

/// The preconditioner for a method that was chosen.
fn preconditioner(a: &Matrix, method: Method, fitting: Plan) -> Preconditioner {
    match (method, a) {
        (Method::Direct | Method::Directions, _) => Preconditioner::None,
        (Method::Lsqr, _) => scaling(a).0,
        (_, Matrix::Structured(a)) => cycle(a).0,
        _ if a.properties().admits_cg() => Preconditioner::Amg,
        _ if fitting.method == Method::Direct => scaling(a).0,
        _ => fitting.preconditioner,
    }
}

/// The cycle for a grid, and why.
fn cycle(a: &Stencil) -> (Preconditioner, &'static str) {
    match a {
        // In 2-D the levels below the finest are another multigrid's, and learning gains little.
        Stencil::Flags(a) if a.grid().dim() == 3 => {
            (Preconditioner::Learned, "the learned multigrid cycle is the fastest among solids and air")
        }
        _ => (Preconditioner::Multigrid, "geometric multigrid needs few steps at any size"),
    }
}

/// A few words on what the matrix is.
fn kind(a: &Matrix) -> String {
    let shape = a.shape();
    if !shape.is_square() {
        return format!("{shape}");
    }
    let n = a.unknowns();
    match a {
        Matrix::Structured(_) => format!("{n} unknowns on a grid"),
        Matrix::Singular(_) => format!("{n} unknowns, symmetric with constants as null space"),
        Matrix::Sparse(_) if a.properties().admits_cg() => {
            format!("{n} unknowns, symmetric with a positive diagonal")
        }
        Matrix::Sparse(_) if a.properties().symmetric => format!("{n} unknowns, symmetric of either sign"),
        Matrix::Sparse(_) => format!("{n} unknowns, not symmetric"),
    }
}

/// What fits a matrix, and why.
fn fitting(a: &Matrix) -> (Plan, String) {
    let plan = |method, preconditioner| Plan { method, preconditioner, ..Plan::default() };
    let n = a.unknowns();
    if let Some((method, why)) = short(a) {
        let (preconditioner, scaled) = scaling(a);
        return (plan(method, preconditioner), format!("{}: {why}{scaled}", kind(a)));
    }
    let mut scaled = "";
    let mut alone = |method, why| {
        let preconditioner;
        (preconditioner, scaled) = scaling(a);
        (plan(method, preconditioner), why)
    };
    let (plan, why) = match a {
        Matrix::Structured(a) => {
            let (cycle, why) = cycle(a);
            (plan(Method::Cg, cycle), why)
        }
        _ if !a.shape().is_square() => alone(Method::Lsqr, "least squares"),
        Matrix::Singular(_) => {
            (plan(Method::FlexibleCg, Preconditioner::Amg), "algebraic multigrid in the range of the matrix")
        }
        Matrix::Sparse(csr) if a.properties().admits_cg() => match n {
            0..=SMALL => {
                (plan(Method::Direct, Preconditioner::None), "few enough for a Cholesky factorisation")
            }
            0..=NARROW if is_narrow(csr) => {
                (plan(Method::Direct, Preconditioner::None), "narrow enough for a Cholesky factorisation")
            }
            _ => (
                plan(Method::FlexibleCg, Preconditioner::Amg),
                "algebraic multigrid needs few steps at any size",
            ),
        },
        Matrix::Sparse(csr) if a.properties().symmetric => match n {
            0..=HARD if !csr.diagonal().contains(&0.0) => {
                (plan(Method::Direct, Preconditioner::None), "few enough for an LDLᵀ factorisation")
            }
            0..=HARD => (plan(Method::Direct, Preconditioner::None), "few enough for an LU factorisation"),
            _ => alone(Method::Minres, "too many for a factorisation"),
        },
        Matrix::Sparse(csr) => match n {
            0..=HARD => (plan(Method::Direct, Preconditioner::None), "few enough for an LU factorisation"),
            _ if csr.diagonal().iter().all(|d| *d > 0.0) => (
                plan(Method::FlexibleGmres, Preconditioner::Amg),
                "algebraic multigrid takes the positive diagonal",
            ),
            _ if !csr.diagonal().contains(&0.0) => {
                (plan(Method::BiCgStab, Preconditioner::IncompleteLu), "too many for a factorisation")
            }
            _ => alone(Method::BiCgStab, "too many for a factorisation"),
        },
    };
    (plan, format!("{}: {why}{scaled}", kind(a)))
}

/// Whether a factorisation is likely to take less time than an iteration, by the levels of the matrix's graph.
fn is_narrow(a: &Csr<f64>) -> bool {
    let operations = a.rows() as f64 * (width(a) as f64).powf(1.5);
    operations <= OPERATIONS * a.nonzeros() as f64
}

/// For a square matrix that no values in its pattern would make regular: the method, and the rows at fault.
fn short(a: &Matrix) -> Option<(Method, String)> {
    let Matrix::Sparse(csr) = a else { return None };
    if !a.shape().is_square() || !csr.diagonal().contains(&0.0) {
        return None;
    }
    let matching = Matching::new(csr);
    let rows = (matching.rank() < csr.rows()).then(|| too_many(matching.deficient_rows()))?;
    let method = if a.properties().symmetric { Method::Minres } else { Method::Lsqr };
    Some((method, format!("minimal residuals, since its pattern makes it singular: {rows}")))
}

/// What stands beside a method that nothing else preconditions, and what to say of it.
fn scaling(a: &Matrix) -> (Preconditioner, &'static str) {
    match a {
        // Of the solutions of a wide system the shortest is asked for, which scaled columns would change.
        Matrix::Sparse(csr) if csr.rows() >= csr.cols() && is_uneven(csr) => {
            (Preconditioner::Equilibration, "; scaled, since its columns are of very different size")
        }
        _ => (Preconditioner::None, ""),
    }
}

/// Whether the largest entries of the columns are of very different size.
fn is_uneven(a: &Csr<f64>) -> bool {
    let mut largest = vec![0.0f64; a.cols()];
    for row in 0..a.rows() {
        let (c, v) = a.row(row);
        c.iter().zip(v).for_each(|(c, v)| largest[*c as usize] = largest[*c as usize].max(v.abs()));
    }
    let present = || largest.iter().copied().filter(|v| *v > 0.0);
    present().fold(0.0, f64::max) > UNEVEN * present().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, Cell, FlagLaplacian, Grid, Poisson};

    fn tridiagonal(n: usize, [low, diagonal, high]: [f64; 3]) -> Matrix {
        let mut entries = Vec::new();
        for i in 0..n as u32 {
            entries.push((i, i, diagonal));
            if i > 0 {
                entries.push((i, i - 1, low));
                entries.push((i - 1, i, high));
            }
        }
        Matrix::from_sparse(Csr::from_triplets(n, n, &entries).unwrap())
    }

    fn of(a: &Matrix) -> (&'static str, &'static str) {
        let plan = Plan::default().resolve(a).plan;
        (plan.method.name(), plan.preconditioner.name())
    }

    #[test]
    fn auto_is_what_fits() {
        let grid = Grid::new_2d(9, 8).unwrap();
        let poisson = Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap();
        assert_eq!(of(&Matrix::from(Stencil::from(poisson))), ("cg", "multigrid"));
        let grid = Grid::new_3d(6, 4, 3).unwrap();
        let cells: Vec<Cell> = (0..72).map(|c| if c == 30 { Cell::Solid } else { Cell::Fluid }).collect();
        let flags = FlagLaplacian::new(grid, &cells, [[Boundary::DIRICHLET; 2]; 3]).unwrap();
        assert_eq!(of(&Matrix::from(Stencil::from(flags))), ("cg", "learned"));
        let spd = [-1.0, 2.5, -1.0];
        assert_eq!(of(&tridiagonal(SMALL, spd)), ("direct", "none"));
        assert_eq!(of(&tridiagonal(SMALL + 1, spd)), ("direct", "none"));
        assert_eq!(of(&tridiagonal(NARROW + 1, spd)), ("fcg", "amg"));
        let on_grid = |n: [usize; 3]| {
            let grid = Grid::new_3d(n[0], n[1], n[2]).unwrap();
            let poisson = Stencil::from(Poisson::new(grid, [[Boundary::DIRICHLET; 2]; 3]).unwrap());
            of(&Matrix::from_sparse(poisson.to_csr().unwrap().0))
        };
        assert_eq!(on_grid([90, 80, 1]), ("direct", "none"));
        assert_eq!(on_grid([30, 30, 30]), ("fcg", "amg"));
        assert_eq!(of(&tridiagonal(SMALL, [1.0, -2.0, 1.0])), ("direct", "none"));
        assert_eq!(of(&tridiagonal(HARD + 1, [1.0, -2.0, 1.0])), ("minres", "none"));
        assert_eq!(of(&tridiagonal(HARD, [1.0, 2.0, -1.0])), ("direct", "none"));
        assert_eq!(of(&tridiagonal(HARD + 1, [1.0, 2.0, -1.0])), ("fgmres", "amg"));
        assert_eq!(of(&tridiagonal(HARD + 1, [1.0, -2.0, -1.0])), ("bicgstab", "ilu"));
        assert_eq!(of(&tridiagonal(HARD + 2, [1.0, 0.0, -1.0])), ("bicgstab", "none"));
        // Of an odd number of rows, those in odd places have too few columns.
        assert_eq!(of(&tridiagonal(HARD + 1, [1.0, 0.0, -1.0])), ("lsqr", "none"));
        let wide = Csr::from_triplets(2, 3, &[(0, 0, 1.0), (1, 2, 1.0)]).unwrap();
        assert_eq!(of(&Matrix::from_sparse(wide)), ("lsqr", "none"));
        // Two rows in one column.
        let short = [(0, 0, 1.0), (1, 0, 1.0)];
        assert_eq!(of(&Matrix::from_sparse(Csr::from_triplets(2, 2, &short).unwrap())), ("lsqr", "none"));
        let gap = Matrix::from_sparse(Csr::from_triplets(2, 2, &[(0, 0, 1.0)]).unwrap());
        assert_eq!(of(&gap), ("minres", "none"));
        let reason = Plan::default().resolve(&gap).reason;
        assert!(
            reason.ends_with("since its pattern makes it singular: row 1, counted from 0, is empty"),
            "{reason}"
        );
        let path = [(0, 0, 1.0), (0, 1, -1.0), (1, 0, -1.0), (1, 1, 1.0)];
        assert_eq!(of(&Matrix::from_sparse(Csr::from_triplets(2, 2, &path).unwrap())), ("fcg", "amg"));
    }

    #[test]
    fn columns_of_very_different_size_are_scaled() {
        let chosen = |a: &Matrix| {
            let Choice { plan, reason } = Plan::default().resolve(a);
            (plan.method.name(), plan.preconditioner.name(), reason.contains("scaled, since its columns"))
        };
        let of = |rows, cols, entries: &[(u32, u32, f64)]| {
            Matrix::from_sparse(Csr::from_triplets(rows, cols, entries).unwrap())
        };
        let tall = [(0, 0, 1e4), (1, 0, 2e4), (2, 1, 1.0)];
        assert_eq!(chosen(&of(3, 2, &tall)), ("lsqr", "scaling", true));
        assert_eq!(chosen(&of(3, 2, &[(0, 0, 3.0), (2, 1, 1.0)])), ("lsqr", "none", false));
        // The shortest solution of a wide system stays the shortest.
        assert_eq!(chosen(&of(2, 3, &[(0, 0, 1e4), (1, 1, 1.0)])), ("lsqr", "none", false));
        assert_eq!(chosen(&of(2, 2, &[(0, 0, 1.0), (0, 1, 1e4)])), ("lsqr", "scaling", true));
        // Zeros on the diagonal leave no factor, and no cycle.
        let scaled = |symmetric: bool| {
            let n = HARD as u32 + 2;
            let pair = |i: u32| {
                let size = 10f64.powi(i as i32 / 2 % 5);
                [(i, i + 1, size), (i + 1, i, if symmetric { size } else { -size })]
            };
            of(n as usize, n as usize, &(0..n).step_by(2).flat_map(pair).collect::<Vec<_>>())
        };
        assert_eq!(chosen(&scaled(true)), ("minres", "scaling", true));
        assert_eq!(chosen(&scaled(false)), ("bicgstab", "scaling", true));
    }

    #[test]
    fn what_is_asked_for_is_kept() {
        let a = tridiagonal(20, [-1.0, 2.5, -1.0]);
        let resolve = |method: &str, preconditioner: &str| {
            let plan = Plan {
                method: method.parse().unwrap(),
                preconditioner: preconditioner.parse().unwrap(),
                ..Plan::default()
            };
            let choice = plan.resolve(&a);
            (choice.plan.method.name(), choice.plan.preconditioner.name(), choice.reason)
        };
        let (method, preconditioner, reason) = resolve("auto", "mic");
        assert_eq!((method, preconditioner), ("cg", "mic"));
        assert_eq!(reason, "cg, mic (asked for): 20 unknowns, symmetric with a positive diagonal");
        assert_eq!(resolve("gmres", "auto").1, "amg");
        assert_eq!(resolve("auto", "amg").0, "fcg");
        assert_eq!(resolve("cg", "none").0, "cg");
    }
}
