//! After a first evaluation, evaluating again allocates nothing. One test, since the counter sees the whole process.

use resolvent_pinn::{
    Algebra, Architecture, Differential, Differentiated, Equation, Linearised, Network, Point, Propagator,
    Residual, Result, Sample, Streams, Term,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

static COUNTING: AtomicBool = AtomicBool::new(false);
static SEEN: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(SeqCst) {
            SEEN.fetch_add(1, SeqCst);
        }
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Laplace(Streams);

impl Residual<f32> for Laplace {
    fn streams(&self) -> &Streams {
        &self.0
    }
    fn linearise(&self, at: &Sample<'_, f32>, out: &mut Linearised<'_, f32>) {
        out.residual(0).copy_from_slice(at.stream(0, 3));
        out.partial(0, 0, 3).fill(1.0);
    }
}

/// Δu + eᵘ.
struct Bratu;

impl Equation for Bratu {
    fn dimension(&self) -> usize {
        2
    }
    fn derivatives(&self) -> Result<Vec<Differential>> {
        Ok(vec![Differential::laplacian(2)?])
    }
    fn residual<N: Algebra>(&self, at: &Point<'_, N>, r: &mut [N]) {
        r[0] = at.derivative(0, 0) + at.value(0).exp();
    }
}

#[test]
fn a_second_gradient_allocates_nothing() {
    let network = Network::new(Architecture { gated: true, ..Architecture::dense(2, &[20, 20], 1) }).unwrap();
    let parameters: Vec<f32> = network.initial(0);
    let laplace = Laplace(Streams::new(2, &[Differential::laplacian(2).unwrap()]).unwrap());
    let points = [0.3; 2000];
    let bratu = Differentiated::new(Bratu).unwrap();
    let term = |residual| Term { residual, points: &points, data: &[], weights: None };
    let terms = [term(&laplace), term(&bratu as &dyn Residual<f32>)];
    let (mut losses, mut gradients) = ([0.0; 2], vec![0.0; 2 * parameters.len()]);
    let mut propagator = Propagator::new(network).unwrap();
    // One thread: the queues of several may grow by themselves.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut seen = vec![];
    pool.install(|| {
        for _ in 0..2 {
            SEEN.store(0, SeqCst);
            COUNTING.store(true, SeqCst);
            propagator.gradients(&parameters, &terms, &mut losses, &mut gradients).unwrap();
            COUNTING.store(false, SeqCst);
            seen.push(SEEN.load(SeqCst));
        }
    });
    // The first needs its tiles and sums, so the counter counts.
    assert!(seen[0] > 0 && seen[1] == 0, "{seen:?}");
}
