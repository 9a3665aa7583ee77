//! What an equation reads at a point.

use std::cell::Cell;

/// A point, and the unknowns, their derivatives, trained parameters and data there.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a, N> {
    coordinates: &'a [N],
    unknowns: &'a [N],
    derivatives: usize,
    parameters: &'a [N],
    data: &'a [N],
    /// Where a first reading notes what does not exist.
    missing: Option<&'a Cell<Option<Missing>>>,
}

/// Something that was read and does not exist: what, which, and how many there are.
pub(super) type Missing = (&'static str, usize, usize);

impl<'a, N: Copy> Point<'a, N> {
    /// A point to try an equation at: `coordinates: [dimension]`, `unknowns: [unknowns, 1 + derivatives]`, each unknown's value
    /// before its derivatives, `parameters` and `data: [columns]`.
    ///
    /// ```
    /// use resolvent_pinn::Point;
    /// // In (x, y): one unknown, with two derivatives.
    /// let at = Point::new(&[0.5, 1.0], &[3.0, 0.1, 0.2], 2, &[], &[]);
    /// assert_eq!((at.value(0), at.derivative(0, 1)), (3.0, 0.2));
    /// ```
    pub fn new(
        coordinates: &'a [N],
        unknowns: &'a [N],
        derivatives: usize,
        parameters: &'a [N],
        data: &'a [N],
    ) -> Self {
        Self { coordinates, unknowns, derivatives, parameters, data, missing: None }
    }

    pub(super) fn noting(self, missing: &'a Cell<Option<Missing>>) -> Self {
        Self { missing: Some(missing), ..self }
    }

    /// A coordinate.
    #[inline(always)]
    pub fn coordinate(&self, axis: usize) -> N {
        self.read("coordinate", self.coordinates, axis, axis, self.coordinates.len())
    }

    /// The value of an unknown.
    #[inline(always)]
    pub fn value(&self, unknown: usize) -> N {
        let stride = 1 + self.derivatives;
        self.read("unknown", self.unknowns, unknown * stride, unknown, self.unknowns.len() / stride)
    }

    /// A derivative of an unknown, by its place in [`Equation::derivatives`](crate::Equation::derivatives).
    #[inline(always)]
    pub fn derivative(&self, unknown: usize, derivative: usize) -> N {
        let (stride, n) = (1 + self.derivatives, self.derivatives);
        // A derivative too far would be the next unknown.
        let at = if derivative < n { unknown * stride + 1 + derivative } else { usize::MAX };
        self.read("derivative of an unknown", self.unknowns, at, derivative, n)
    }

    /// A trained parameter, by its place in [`Equation::parameters`](crate::Equation::parameters).
    #[inline(always)]
    pub fn parameter(&self, parameter: usize) -> N {
        self.read("parameter", self.parameters, parameter, parameter, self.parameters.len())
    }

    /// A column of data.
    #[inline(always)]
    pub fn data(&self, column: usize) -> N {
        self.read("column of data", self.data, column, column, self.data.len())
    }

    #[inline(always)]
    fn read(&self, what: &'static str, from: &[N], at: usize, number: usize, count: usize) -> N {
        match self.missing {
            Some(missing) if at >= from.len() => {
                missing.set(missing.get().or(Some((what, number, count))));
                // Dimensions are at least 1.
                self.coordinates[0]
            }
            _ => from[at],
        }
    }
}
