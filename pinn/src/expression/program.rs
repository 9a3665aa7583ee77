//! A graph as a list of instructions, run over blocks of points.

use super::graph::{Binary, Graph, Id, Node, Unary};
use crate::elementary;
use crate::simd::{Kernel, Real, Vector};
use std::cell::RefCell;

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Constant(f64),
    Coordinate(u32),
    Column(u32),
    Unknown(u32),
    /// Stream `.1` of output `.0`.
    Stream(u32, u32),
    Register(u32),
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Unary(Unary, Place, u32),
    Binary(Binary, [Place; 2], u32),
    Select([Place; 3], u32),
}

/// Instructions, and where the results are after them. What is not read again gives its register to others.
#[derive(Clone, Debug)]
pub(super) struct Program {
    steps: Vec<Step>,
    results: Vec<Place>,
    registers: usize,
}

/// What a program reads, at the points of a block.
pub(super) trait Inputs<T> {
    /// Points of the block.
    fn count(&self) -> usize;
    fn coordinate(&self, axis: usize) -> &[T];
    fn column(&self, column: usize) -> &[T];
    fn unknown(&self, parameter: usize) -> T;
    fn stream(&self, output: usize, stream: usize) -> &[T];
}

/// A value at the points of a block, or one for all of them.
#[derive(Clone, Copy)]
pub(super) enum Values<'a, T> {
    Each(&'a [T]),
    Same(T),
}

impl Program {
    /// The program of `results`; `stream` says which stream carries a derivative.
    pub fn new(
        graph: &Graph,
        results: &[Id],
        mut stream: impl FnMut(u32, &crate::Derivative) -> u32,
    ) -> Self {
        let reached = graph.reach(results);
        let mut last = vec![0usize; graph.len()];
        let live: Vec<usize> = (0..graph.len()).filter(|i| reached[*i]).collect();
        for &i in &live {
            graph.node(Id(i as u32)).operands(|o| last[o.0 as usize] = i);
        }
        results.iter().for_each(|r| last[r.0 as usize] = usize::MAX);
        let mut places = vec![Place::Constant(0.0); graph.len()];
        let (mut steps, mut free, mut registers) = (Vec::new(), Vec::new(), 0u32);
        for &i in &live {
            let node = graph.node(Id(i as u32));
            let at = |id: &Id| places[id.0 as usize];
            let step: fn(Place, Place, Place) -> [Place; 3] = |a, b, c| [a, b, c];
            let instruction = match node {
                Node::Constant(bits) => Err(Place::Constant(f64::from_bits(*bits))),
                Node::Coordinate(c) => Err(Place::Coordinate(*c)),
                Node::Column(c) => Err(Place::Column(*c)),
                Node::Unknown(p) => Err(Place::Unknown(*p)),
                Node::Stream(u, d) => Err(Place::Stream(*u, stream(*u, d))),
                Node::Unary(f, a) => Ok(Step::Unary(*f, at(a), 0)),
                Node::Binary(f, a, b) => Ok(Step::Binary(*f, [at(a), at(b)], 0)),
                Node::Select(c, a, b) => Ok(Step::Select(step(at(c), at(a), at(b)), 0)),
            };
            let mut instruction = match instruction {
                Ok(instruction) => instruction,
                Err(place) => {
                    places[i] = place;
                    continue;
                }
            };
            // A register is given back before the result takes one: every loop reads a point before it writes it.
            let mut freed = Vec::new();
            node.operands(|o| {
                let o = o.0 as usize;
                if let (Place::Register(r), true) = (places[o], last[o] == i)
                    && !freed.contains(&r)
                {
                    freed.push(r);
                }
            });
            free.append(&mut freed);
            let out = free.pop().unwrap_or_else(|| {
                registers += 1;
                registers - 1
            });
            match &mut instruction {
                Step::Unary(.., o) | Step::Binary(.., o) | Step::Select(_, o) => *o = out,
            }
            steps.push(instruction);
            places[i] = Place::Register(out);
        }
        let results = results.iter().map(|r| places[r.0 as usize]).collect();
        Self { steps, results, registers: registers as usize }
    }

    /// Runs it and hands over each result in turn.
    pub fn run<T: Real, I: Inputs<T>>(&self, inputs: &I, mut result: impl FnMut(usize, Values<'_, T>)) {
        let n = inputs.count();
        // The thread's memory is kept between blocks, as whole words that any real fits into.
        thread_local!(static MEMORY: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) });
        MEMORY.with_borrow_mut(|memory| {
            let words = self.registers * n;
            if memory.len() < words {
                memory.resize(words, 0);
            }
            // SAFETY: `T` is `f32` or `f64`: no larger than a word, no stricter aligned, and any bits are a value.
            let memory = unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast::<T>(), words) };
            for step in &self.steps {
                T::dispatch(Run { step, inputs, memory, n });
            }
            for (i, place) in self.results.iter().enumerate() {
                result(i, read(*place, inputs, memory, n));
            }
        });
    }
}

fn read<'a, T: Real, I: Inputs<T>>(place: Place, inputs: &'a I, memory: &'a [T], n: usize) -> Values<'a, T> {
    match place {
        Place::Constant(v) => Values::Same(T::of(v)),
        Place::Unknown(p) => Values::Same(inputs.unknown(p as usize)),
        Place::Coordinate(c) => Values::Each(inputs.coordinate(c as usize)),
        Place::Column(c) => Values::Each(inputs.column(c as usize)),
        Place::Stream(u, s) => Values::Each(inputs.stream(u as usize, s as usize)),
        Place::Register(r) => Values::Each(&memory[r as usize * n..][..n]),
    }
}

struct Run<'a, T, I> {
    step: &'a Step,
    inputs: &'a I,
    memory: &'a mut [T],
    n: usize,
}

/// An operand as a pointer and how far apart its values are: 1, or 0 for the same everywhere.
struct Operand<T> {
    at: *const T,
    stride: usize,
}

impl<T: Real> Operand<T> {
    /// The `V::LANES` values from point `p` on.
    ///
    /// # Safety
    /// They are readable, or the stride is 0.
    #[inline(always)]
    unsafe fn load<V: Vector<T>>(&self, p: usize) -> V {
        // SAFETY: the caller's promise; what is the same everywhere is one readable number.
        unsafe { if self.stride == 0 { V::splat(*self.at) } else { V::load(self.at.add(p)) } }
    }
}

impl<T: Real, I: Inputs<T>> Kernel<T> for Run<'_, T, I> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector<T>>(self) {
        let Self { step, inputs, memory, n } = self;
        let mut same = [T::of(0.0); 3];
        let mut operand = |i: usize, place: Place| match read(place, inputs, &*memory, n) {
            Values::Each(v) => Operand { at: v.as_ptr(), stride: 1 },
            Values::Same(v) => {
                same[i] = v;
                Operand { at: &raw const same[i], stride: 0 }
            }
        };
        match *step {
            Step::Unary(f, a, out) => {
                let a = operand(0, a);
                let out = memory[out as usize * n..][..n].as_mut_ptr();
                // SAFETY: as the loops below say.
                unsafe { unary::<T, V>(f, &a, out, n) }
            }
            Step::Binary(f, [a, b], out) => {
                let (a, b) = (operand(0, a), operand(1, b));
                let out = memory[out as usize * n..][..n].as_mut_ptr();
                // SAFETY: as the loops below say.
                unsafe { binary::<T, V>(f, &a, &b, out, n) }
            }
            Step::Select([c, a, b], out) => {
                let (c, a, b) = (operand(0, c), operand(1, a), operand(2, b));
                let out = memory[out as usize * n..][..n].as_mut_ptr();
                for p in 0..n {
                    // SAFETY: as the loops below say.
                    unsafe {
                        let from = if *c.at.add(p * c.stride) != T::of(0.0) { &a } else { &b };
                        *out.add(p) = *from.at.add(p * from.stride);
                    }
                }
            }
        }
    }
}

/// A loop over points: one vector at a time as `$vector` says, the rest one by one as `$scalar` does. Not a function of closures,
/// whose instructions would be called one by one where they are not inlined.
macro_rules! vectors {
    ($out:ident, $n:ident, [$($x:ident: $a:ident),+], $vector:expr, $scalar:expr) => {{
        let whole = $n - $n % V::LANES;
        for p in (0..whole).step_by(V::LANES) {
            // SAFETY: the promise of the function around; `p + LANES ≤ n`.
            unsafe {
                $(let $x = $a.load::<V>(p);)+
                $vector.store($out.add(p));
            }
        }
        for p in whole..$n {
            // SAFETY: as above.
            unsafe { *$out.add(p) = $scalar($(*$a.at.add(p * $a.stride)),+) };
        }
    }};
}

/// out ← f(a), one vector at a time and the rest one by one.
///
/// # Safety
/// `n` numbers are readable at `a`, unless its stride is 0, and writable at `out`, which may be `a`.
#[inline(always)]
unsafe fn unary<T: Real, V: Vector<T>>(f: Unary, a: &Operand<T>, out: *mut T, n: usize) {
    // SAFETY: the caller's promise.
    let each = |g: &dyn Fn(T) -> T| unsafe {
        for p in 0..n {
            *out.add(p) = g(*a.at.add(p * a.stride));
        }
    };
    match f {
        Unary::Negate => vectors!(out, n, [x: a], (-x), |x: T| -x),
        Unary::Sin => vectors!(out, n, [x: a], elementary::sin_cos::<T, V>(x).0, T::sin),
        Unary::Cos => vectors!(out, n, [x: a], elementary::sin_cos::<T, V>(x).1, T::cos),
        Unary::Tanh => vectors!(out, n, [x: a], elementary::tanh::<T, V>(x), T::tanh),
        Unary::Exp => vectors!(out, n, [x: a], elementary::exp::<T, V>(x), T::exp),
        Unary::Abs => vectors!(out, n, [x: a], x.abs(), T::abs),
        Unary::Power(2) => vectors!(out, n, [x: a], (x * x), |x: T| x * x),
        Unary::Power(3) => vectors!(out, n, [x: a], (x * x * x), |x: T| x * x * x),
        Unary::Power(p) => each(&|x| x.powi(p)),
        Unary::Tan => each(&T::tan),
        Unary::Asin => each(&T::asin),
        Unary::Acos => each(&T::acos),
        Unary::Atan => each(&T::atan),
        Unary::Sinh => each(&T::sinh),
        Unary::Cosh => each(&T::cosh),
        Unary::Log => each(&T::ln),
        Unary::Sqrt => each(&T::sqrt),
        Unary::Sign => each(&|x| if x == T::of(0.0) { x } else { x.signum() }),
    }
}

/// out ← f(a, b), as [`unary`].
///
/// # Safety
/// As for [`unary`], for both operands.
#[inline(always)]
unsafe fn binary<T: Real, V: Vector<T>>(f: Binary, a: &Operand<T>, b: &Operand<T>, out: *mut T, n: usize) {
    // SAFETY: the caller's promise.
    let each = |g: &dyn Fn(T, T) -> T| unsafe {
        for p in 0..n {
            *out.add(p) = g(*a.at.add(p * a.stride), *b.at.add(p * b.stride));
        }
    };
    let truth = |t: bool| T::of(f64::from(u8::from(t)));
    match f {
        Binary::Add => vectors!(out, n, [x: a, y: b], (x + y), |x: T, y: T| x + y),
        Binary::Subtract => vectors!(out, n, [x: a, y: b], (x - y), |x: T, y: T| x - y),
        Binary::Multiply => vectors!(out, n, [x: a, y: b], (x * y), |x: T, y: T| x * y),
        Binary::Divide => vectors!(out, n, [x: a, y: b], (x / y), |x: T, y: T| x / y),
        Binary::Power => each(&T::powf),
        Binary::Atan2 => each(&T::atan2),
        Binary::Less => each(&|x, y| truth(x < y)),
        Binary::LessEqual => each(&|x, y| truth(x <= y)),
        Binary::Equal => each(&|x, y| truth(x == y)),
    }
}
