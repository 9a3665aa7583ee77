//! An equation with its derivatives, as a residual of a network.

use super::dependence::Dependence;
use super::dual::Dual;
use super::{Equation, Point};
use crate::simd::{Kernel, Real, Vector};
use crate::{Derivative, Error, Linearised, Residual, Result, Sample, Streams};
use std::cell::Cell;

/// Derivatives made in one evaluation.
const TANGENTS: usize = 4;
/// Most numbers that an equation reads at a point, and residuals that it has.
const MOST: [usize; 2] = [128, 16];

/// An [`Equation`] evaluated on dual numbers, a register of points at a time and four derivatives in each evaluation. Which of
/// its inputs every residual depends on is found once; only those derivatives are made. Nothing is allocated.
#[derive(Clone, Debug)]
pub struct Differentiated<E> {
    equation: E,
    dim: usize,
    unknowns: usize,
    equations: usize,
    columns: usize,
    /// First values.
    parameters: Vec<f64>,
    streams: Streams,
    /// The stream of the value and of each derivative.
    places: Vec<usize>,
    /// Inputs that residuals depend on, in order: the unknowns' `[unknowns, places]`, then the parameters.
    inputs: Vec<usize>,
    /// Those of each residual, as bits of the same numbers.
    depends: Vec<u128>,
}

impl<E: Equation> Differentiated<E> {
    /// Reads what an equation says of itself, and evaluates it once to see that it does as it says.
    ///
    /// # Errors
    /// [`Error::Equation`] when it reads what it does not have, leaves a residual unwritten or independent of everything that
    /// is trained, lists a derivative twice, or is too large; [`Error::Derivative`] from its derivatives.
    pub fn new(equation: E) -> Result<Self> {
        let refuse = |what: String, mend| Err(Error::Equation { what, mend });
        let (dim, unknowns, equations) = (equation.dimension(), equation.unknowns(), equation.equations());
        for (what, n) in [("coordinates", dim), ("unknowns", unknowns), ("residuals", equations)] {
            if n == 0 {
                return refuse(format!("it has no {what}"), "an equation has at least one of each");
            }
        }
        let derivatives = equation.derivatives()?;
        for (i, d) in derivatives.iter().enumerate() {
            if *d == Derivative::value(dim).into() {
                return refuse("the value is among its derivatives".into(), "read it by `at.value(unknown)`");
            }
            if derivatives[..i].contains(d) {
                return refuse(format!("derivative {i}, {d}, is there before"), "list each derivative once");
            }
        }
        let streams = Streams::new(dim, &derivatives)?;
        let place = |d| streams.position(d).unwrap_or(0);
        let places: Vec<usize> = std::iter::once(0).chain(derivatives.iter().map(place)).collect();
        let parameters: Vec<f64> = equation.parameters().into_iter().map(|p| p.1).collect();
        let columns = equation.columns();
        let trained = unknowns.saturating_mul(places.len()).saturating_add(parameters.len());
        let read = trained.saturating_add(dim).saturating_add(columns);
        if read > MOST[0] || equations > MOST[1] {
            let what = format!("it reads {read} numbers at a point and has {equations} residuals");
            return refuse(what, "split it in two: at most 128 numbers are read, by at most 16 residuals");
        }
        let mut own = Self {
            equation,
            dim,
            unknowns,
            equations,
            columns,
            parameters,
            streams,
            places,
            inputs: vec![],
            depends: vec![],
        };
        own.depends = own.dependences(trained)?;
        let any = own.depends.iter().fold(0, |all, d| all | d);
        own.inputs = (0..trained).filter(|i| any >> i & 1 == 1).collect();
        Ok(own)
    }

    /// The inputs of each residual.
    fn dependences(&self, trained: usize) -> Result<Vec<u128>> {
        let inputs: Vec<Dependence> = (0..trained).map(|i| Dependence(Some(1 << i))).collect();
        let (unknowns, parameters) = inputs.split_at(self.unknowns * self.places.len());
        let free = [Dependence(Some(0)); MOST[0]];
        let missing = Cell::new(None);
        let (coordinates, data) = (&free[..self.dim], &free[..self.columns]);
        let at = Point::new(coordinates, unknowns, self.places.len() - 1, parameters, data);
        let mut r = [Dependence(None); MOST[1]];
        self.equation.residual(&at.noting(&missing), &mut r[..self.equations]);
        if let Some((what, number, count)) = missing.get() {
            let what = format!("it reads {what} {number}, but has {count}");
            return Err(Error::Equation { what, mend: "they count from 0; give it as many as it reads" });
        }
        let depends = r[..self.equations].iter().enumerate().map(|(e, r)| {
            let what = match r.0 {
                Some(set) if set != 0 => return Ok(set),
                Some(_) => format!("residual {e} depends on no unknown and no parameter"),
                None => format!("residual {e} is not written"),
            };
            Err(Error::Equation { what, mend: "write every residual, of what is trained" })
        });
        depends.collect()
    }

    /// The equation.
    pub fn equation(&self) -> &E {
        &self.equation
    }
}

impl<T: Real, E: Equation> Residual<T> for Differentiated<E> {
    fn streams(&self) -> &Streams {
        &self.streams
    }
    fn outputs(&self) -> usize {
        self.unknowns
    }
    fn equations(&self) -> usize {
        self.equations
    }
    fn columns(&self) -> usize {
        self.columns
    }
    fn linearise(&self, at: &Sample<'_, T>, out: &mut Linearised<'_, T>) {
        for (pass, inputs) in self.inputs.chunks(TANGENTS).enumerate() {
            T::dispatch(Pass { of: self, inputs, first: pass == 0, at, out });
        }
    }
}

/// The derivatives by a few inputs at every point of a block, and in the first pass the residuals.
struct Pass<'a, 'b, 'c, T, E> {
    of: &'a Differentiated<E>,
    inputs: &'a [usize],
    first: bool,
    at: &'a Sample<'b, T>,
    out: &'a mut Linearised<'c, T>,
}

impl<T: Real, E: Equation> Kernel<T> for Pass<'_, '_, '_, T, E> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { of, inputs, first, at, out } = self;
        let (n, streams, trained) = (at.count(), of.places.len(), of.unknowns * of.places.len());
        let mut numbers = [Dual::<T, V, TANGENTS>::constant(V::splat(T::of(0.0))); MOST[0]];
        let mut r = [numbers[0]; MOST[1]];
        let (coordinates, rest) = numbers.split_at_mut(of.dim);
        let (unknowns, rest) = rest.split_at_mut(trained);
        let (parameters, rest) = rest.split_at_mut(of.parameters.len());
        let data = &mut rest[..of.columns];
        let tangent = |input: usize| inputs.iter().position(|i| *i == input).unwrap_or(TANGENTS);
        for (q, to) in parameters.iter_mut().enumerate() {
            let value = at.unknowns().get(q).copied().unwrap_or(T::of(of.parameters[q]));
            *to = Dual::input(V::splat(value), tangent(trained + q));
        }
        // What is constant along the block is written once; the values follow at every register.
        for (i, to) in unknowns.iter_mut().enumerate() {
            *to = Dual::input(to.value, tangent(i));
        }
        // A block is whole registers.
        for p in (0..n).step_by(V::LANES) {
            // SAFETY: rows of `n` numbers, a multiple of the lanes.
            let load = |row: &[T]| unsafe { V::load(row[p..p + V::LANES].as_ptr()) };
            coordinates.iter_mut().enumerate().for_each(|(axis, x)| x.value = load(at.coordinate(axis)));
            data.iter_mut().enumerate().for_each(|(c, v)| v.value = load(at.data(c)));
            for (i, to) in unknowns.iter_mut().enumerate() {
                to.value = load(at.stream(i / streams, of.places[i % streams]));
            }
            let point = Point::new(&*coordinates, &*unknowns, streams - 1, &*parameters, &*data);
            of.equation.residual(&point, &mut r[..of.equations]);
            for (e, r) in r[..of.equations].iter().enumerate() {
                // SAFETY: as above.
                let store = |v: V, row: &mut [T]| unsafe { v.store(row[p..p + V::LANES].as_mut_ptr()) };
                if first {
                    store(r.value, out.residual(e));
                }
                for (k, &input) in inputs.iter().enumerate().filter(|(_, i)| of.depends[e] >> **i & 1 == 1) {
                    if input < trained {
                        store(r.tangents[k], out.partial(e, input / streams, of.places[input % streams]));
                    } else if input - trained < out.unknowns {
                        store(r.tangents[k], out.by_unknown(e, input - trained));
                    }
                }
            }
        }
    }
}
