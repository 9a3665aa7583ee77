//! Diagonal scaling: LAR in place of A, with rows and columns of about equal size.

use super::{Room, enter};
use crate::operator::check_apply;
use crate::{Csr, Diagonal, Error, LinearOperator, Map, Operator, Properties, Result, Scalar, Shape, Space};

/// Rounds of the equilibration by norms; each takes the root of what is left.
const ROUNDS: usize = 12;

/// Positive diagonal matrices L and R, for solving (LAR) y = Lb with x = Ry by any method; R = L where A is symmetric, so
/// that LAR is too. All entries are powers of two: scaling there and back changes no digit of any number.
///
/// The residual of the scaled system is L(b − Ax): with [`of_columns`](Self::of_columns), where L is the identity, it is that
/// of the system itself, and least squares stay what they are. Preconditioning with [`RL`](Self::preconditioner) has the same
/// spectrum and always speaks of b − Ax.
///
/// Storage: 3 vectors as long as x, 2 as long as b. Traffic of a product beside A, in f64: 24 bytes a row and 24 a column.
///
/// ```
/// use resolvent::{Cg, Csr, Equilibration, Host, Properties, Status, Stop};
/// let a = Csr::from_triplets(2, 2, &[(0, 0, 2e12), (0, 1, -1e4), (1, 0, -1e4), (1, 1, 2e-4)])?.assume(Properties::SPD);
/// let (space, b) = (Host::<f64>::new(), [1e6, 1e-2]);
/// let scaling = Equilibration::of_norms(&space, &a)?;
/// let (mut scaled, mut y, mut x) = ([0.0; 2], [0.0; 2], [0.0; 2]);
/// scaling.scale(&space, &b, &mut scaled)?;
/// let report = Cg::unpreconditioned(&space, 2, Stop::rtol(1e-12))?.solve(&space, &scaling.on(&a)?, None, &scaled, &mut y)?;
/// scaling.leave(&space, &y, &mut x)?;
/// assert_eq!(report.status, Status::Converged);
/// assert!((1e6 * x[0] - 1.0).abs() < 1e-9 && (1e-2 * x[1] - 1.0).abs() < 1e-9);
/// # Ok::<(), resolvent::Error>(())
/// ```
///
/// # Reference
/// D. Ruiz, *A scaling algorithm to equilibrate both rows and columns norms in matrices*, RAL-TR-2001-034 (2001); A. van der
/// Sluis, *Condition numbers and equilibration of matrices*, Numer. Math. 14 (1969), 14–23, 10.1007/BF02165096: no diagonal
/// scaling is better than equal diagonals, or equal norms of columns, by more than a factor of the entries in a row.
pub struct Equilibration<S: Space> {
    left: S::Buf,
    right: S::Buf,
    /// R⁻¹.
    back: S::Buf,
    shape: Shape,
    symmetric: bool,
    between: Room<S>,
    above: Room<S>,
}

impl<S: Space> Equilibration<S> {
    /// L with the diagonal `left: [rows]` and R with `right: [cols]`, both rounded to powers of two.
    ///
    /// # Errors
    /// [`Error::Value`] for an entry that is not finite and positive; [`Error::Memory`].
    pub fn new(space: &S, left: &[f64], right: &[f64]) -> Result<Self> {
        let power = |v: &[f64]| -> Result<Vec<f64>> {
            let bad = v.iter().position(|v| !(v.is_finite() && *v > 0.0));
            if let Some(index) = bad {
                let needs = "a scale must be finite and positive";
                return Err(Error::Value { what: "a scaling", index, value: v[index], needs });
            }
            // Where its square, or that of its inverse, would leave the range of the scalar.
            let most = 0.45 * <S::Scalar as num_traits::Float>::max_value().f64().log2();
            Ok(v.iter().map(|v| v.log2().round().clamp(-most, most).trunc().exp2()).collect())
        };
        let buffer = |v: &mut dyn Iterator<Item = f64>| -> Result<S::Buf> {
            let v: Vec<S::Scalar> = v.map(S::Scalar::of).collect();
            let mut buffer = space.zeros(v.len())?;
            space.upload(&v, &mut buffer)?;
            Ok(buffer)
        };
        let (left, right) = (power(left)?, power(right)?);
        let shape = Shape { rows: left.len(), cols: right.len() };
        Ok(Self {
            symmetric: left == right,
            back: buffer(&mut right.iter().map(|v| 1.0 / v))?,
            left: buffer(&mut left.into_iter())?,
            right: buffer(&mut right.into_iter())?,
            between: space.zeros(shape.cols)?.into(),
            above: space.zeros(shape.rows)?.into(),
            shape,
        })
    }

    /// That makes the diagonal of a square matrix ±1 on both sides alike; where it is zero, rows and columns stay as they are.
    ///
    /// # Errors
    /// [`Error::Length`] for a matrix that is not square; [`Error::Memory`].
    pub fn of_diagonal<T: Scalar>(space: &S, a: &Csr<T>) -> Result<Self> {
        crate::error::check_len("the matrix's columns", a.rows(), a.cols())?;
        let scale: Vec<f64> = a.diagonal().iter().map(|d| inverse(d.f64().abs().sqrt())).collect();
        Self::new(space, &scale, &scale)
    }

    /// That makes the largest entry of every row and of every column about 1, on both sides alike where the matrix claims to be
    /// symmetric.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn of_norms<T: Scalar>(space: &S, a: &Csr<T>) -> Result<Self> {
        let (mut left, mut right) = (vec![1.0; a.rows()], vec![1.0; a.cols()]);
        for _ in 0..ROUNDS {
            let (rows, columns) = largest(a, &left, &right);
            let update = |scale: &mut [f64], norms: &[f64]| {
                scale.iter_mut().zip(norms).for_each(|(s, n)| *s *= inverse(n.sqrt()));
            };
            update(&mut left, &rows);
            if a.properties().symmetric {
                right.copy_from_slice(&left);
            } else {
                update(&mut right, &columns);
            }
            let even = |norms: &[f64]| norms.iter().all(|n| *n == 0.0 || (0.5..2.0).contains(n));
            if even(&rows) && even(&columns) {
                break;
            }
        }
        Self::new(space, &left, &right)
    }

    /// That makes the Euclidean norm of every column about 1 and leaves rows as they are: for least squares.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn of_columns<T: Scalar>(space: &S, a: &Csr<T>) -> Result<Self> {
        let mut squares = vec![0.0; a.cols()];
        for row in 0..a.rows() {
            let (c, v) = a.row(row);
            c.iter().zip(v).for_each(|(c, v)| squares[*c as usize] += v.f64() * v.f64());
        }
        let right: Vec<f64> = squares.iter().map(|s| inverse(s.sqrt())).collect();
        Self::new(space, &vec![1.0; a.rows()], &right)
    }

    /// LAR.
    ///
    /// # Errors
    /// [`Error::Shape`] for an `a` of another shape.
    pub fn on<A: Map>(&self, a: A) -> Result<Equilibrated<'_, S, A>> {
        if a.shape() != self.shape {
            return Err(Error::Shape { what: "LAR", left: self.shape, right: a.shape() });
        }
        Ok(Equilibrated { a, scaling: self })
    }

    /// y ← Lb, with `b, y: [rows]`.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn scale(&self, space: &S, b: &S::Slice, y: &mut S::Slice) -> Result<()> {
        crate::error::check_len("b", self.shape.rows, space.len(b))?;
        times(space, &self.left, b, y)
    }

    /// y ← R⁻¹x, with `x, y: [cols]`: the starting point of the scaled system.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn enter(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        crate::error::check_len("x", self.shape.cols, space.len(x))?;
        times(space, &self.back, x, y)
    }

    /// x ← Ry, with `y, x: [cols]`: the solution of the system itself.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn leave(&self, space: &S, y: &S::Slice, x: &mut S::Slice) -> Result<()> {
        crate::error::check_len("y", self.shape.cols, space.len(y))?;
        times(space, &self.right, y, x)
    }

    /// RL, as a preconditioner of a square A: A(RL) and (RL)A have the spectrum of LAR.
    ///
    /// # Errors
    /// [`Error::Shape`] unless A is square; [`Error::Memory`].
    pub fn preconditioner(&self, space: &S) -> Result<Diagonal<S>> {
        if !self.shape.is_square() {
            let Shape { rows, cols } = self.shape;
            return Err(Error::Shape { what: "RL", left: Shape::square(cols), right: Shape::square(rows) });
        }
        let mut both = space.zeros(self.shape.rows)?;
        times(space, &self.left, &self.right, &mut both)?;
        let mut entries = vec![S::Scalar::of(0.0); self.shape.rows];
        space.download(&both, &mut entries)?;
        Diagonal::new(space, &entries)
    }
}

/// The inverse of a norm; 1 where there is nothing to scale.
fn inverse(norm: f64) -> f64 {
    if norm > 0.0 { 1.0 / norm } else { 1.0 }
}

/// The largest |lᵢ aᵢⱼ rⱼ| of every row and every column.
fn largest<T: Scalar>(a: &Csr<T>, left: &[f64], right: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut rows, mut columns) = (vec![0.0f64; a.rows()], vec![0.0f64; a.cols()]);
    for (row, most) in rows.iter_mut().enumerate() {
        let (c, v) = a.row(row);
        for (c, v) in c.iter().zip(v) {
            let c = *c as usize;
            let size = (left[row] * v.f64() * right[c]).abs();
            *most = most.max(size);
            columns[c] = columns[c].max(size);
        }
    }
    (rows, columns)
}

fn times<S: Space>(space: &S, d: &S::Slice, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
    space.multiply(S::Scalar::of(1.0), d, x, S::Scalar::of(0.0), y)
}

/// LAR: the operator of an [`Equilibration`]. It is symmetric and definite where A is and L = R; a known null space of A is
/// not one of LAR, whose sign is therefore unknown.
pub struct Equilibrated<'a, S: Space, A> {
    a: A,
    scaling: &'a Equilibration<S>,
}

impl<S: Space, A: Map> Map for Equilibrated<'_, S, A> {
    fn shape(&self) -> Shape {
        self.scaling.shape
    }
    fn properties(&self) -> Properties {
        match self.a.properties() {
            all @ Properties::SPD if self.scaling.symmetric => all,
            Properties { symmetric: true, .. } if self.scaling.symmetric => Properties::SYMMETRIC,
            _ => Properties::NONE,
        }
    }
}

impl<S: Space, A: Operator<S>> Operator<S> for Equilibrated<'_, S, A> {
    fn apply(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        check_apply(space, self.shape(), x, y)?;
        let (mut between, mut above) = (enter(&self.scaling.between), enter(&self.scaling.above));
        times(space, &self.scaling.right, x, &mut between)?;
        self.a.apply(space, &between, &mut above)?;
        times(space, &self.scaling.left, &above, y)
    }
}

impl<S: Space, A: LinearOperator<S>> LinearOperator<S> for Equilibrated<'_, S, A> {
    fn apply_transpose(&self, space: &S, x: &S::Slice, y: &mut S::Slice) -> Result<()> {
        crate::error::check_len("x", self.shape().rows, space.len(x))?;
        crate::error::check_len("y", self.shape().cols, space.len(y))?;
        let (mut between, mut above) = (enter(&self.scaling.between), enter(&self.scaling.above));
        times(space, &self.scaling.left, x, &mut above)?;
        self.a.apply_transpose(space, &above, &mut between)?;
        times(space, &self.scaling.right, &between, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Host;

    /// The entries of LAR, by its products with unit vectors.
    fn entries(a: &dyn LinearOperator<Host<f64>>) -> Vec<Vec<f64>> {
        let (space, shape) = (Host::new(), a.shape());
        (0..shape.cols)
            .map(|j| {
                let (mut e, mut y) = (vec![0.0; shape.cols], vec![0.0; shape.rows]);
                e[j] = 1.0;
                a.apply(&space, &e, &mut y).unwrap();
                let mut t = vec![0.0; shape.cols];
                a.apply_transpose(&space, &y, &mut t).unwrap();
                let square: f64 = y.iter().map(|y| y * y).sum();
                assert!((t[j] - square).abs() <= 1e-12 * square, "the transpose is another matrix");
                y
            })
            .collect()
    }

    #[test]
    fn rows_and_columns_become_of_one_size() {
        let space = Host::<f64>::new();
        let a = [(0, 0, 1e9), (0, 1, 3.0), (1, 1, -7e-8), (1, 2, 1e-12), (2, 0, 5.0), (2, 2, 1e3)];
        let a = Csr::from_triplets(4, 3, &a).unwrap();
        let both = Equilibration::of_norms(&space, &a).unwrap();
        let columns = entries(&both.on(&a).unwrap());
        for row in 0..3 {
            let most = columns.iter().map(|c| c[row].abs()).fold(0.0, f64::max);
            assert!((0.2..5.0).contains(&most), "row {row}: {most}");
        }
        assert!(columns.iter().all(|c| (0.2..5.0).contains(&c.iter().fold(0.0, |m: f64, v| m.max(v.abs())))));
        let one = Equilibration::of_columns(&space, &a).unwrap();
        for column in entries(&one.on(&a).unwrap()) {
            assert!((0.7..1.5).contains(&column.iter().map(|v| v * v).sum::<f64>().sqrt()));
        }
        // There and back, to the bit.
        let (x, mut y, mut z) = ([0.1, -1e-3, 7e5], [0.0; 3], [0.0; 3]);
        both.enter(&space, &x, &mut y).unwrap();
        both.leave(&space, &y, &mut z).unwrap();
        assert_eq!(x, z);
        assert!(matches!(both.preconditioner(&space), Err(Error::Shape { what: "RL", .. })));
        assert!(matches!(both.on(&Diagonal::new(&space, &[1.0]).unwrap()), Err(Error::Shape { .. })));
        assert!(matches!(both.scale(&space, &x, &mut z), Err(Error::Length { .. })));
        assert!(matches!(
            Equilibration::new(&space, &[1.0, 0.0], &[1.0]),
            Err(Error::Value { index: 1, .. })
        ));
    }

    #[test]
    fn a_symmetric_matrix_stays_symmetric_and_claims_what_it_may() {
        let space = Host::<f64>::new();
        let entries = [(0, 0, 4e6), (0, 1, 3.0), (1, 0, 3.0), (1, 1, 1e-4)];
        let a = Csr::from_triplets(2, 2, &entries).unwrap();
        let claims = |a: Csr<f64>| {
            let scaling = Equilibration::of_norms(&space, &a).unwrap();
            scaling.on(&a).unwrap().properties()
        };
        assert_eq!(claims(a.clone().assume(Properties::SPD)), Properties::SPD);
        assert_eq!(claims(a.clone().assume(Properties::SEMIDEFINITE)), Properties::SYMMETRIC);
        assert_eq!(claims(a.clone()), Properties::NONE);
        let a = a.assume(Properties::SPD);
        let scaling = Equilibration::of_diagonal(&space, &a).unwrap();
        let columns = self::entries(&scaling.on(&a).unwrap());
        assert_eq!(columns[0][1], columns[1][0]);
        assert!((0..2).all(|i| (0.5..=2.0).contains(&columns[i][i])), "{columns:?}");
        assert_eq!(scaling.preconditioner(&space).unwrap().properties(), Properties::SPD);
    }
}
