//! The same files, solved here and by scipy: solutions, steps, eigenvalues, and what patterns tell.
//!
//! Where there is no `python3` these tests print so and pass; see `datasets/tests/python.rs`.

#[path = "../../datasets/tests/python/interpreter.rs"]
mod interpreter;

use interpreter::{python, succeed};
use resolvent::ordering::{Matching, bandwidth, reverse_cuthill_mckee};
use resolvent::{
    Bicgstab, Cg, Csr, Gmres, Host, Lsqr, Map, Matrix, Minres, Plan, Properties, Report, Status, Stop,
    lanczos,
};
use resolvent_datasets::matrix_market::{read_matrix, read_vector};
use resolvent_tests::plain;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

/// Writes systems and solves them: `NAME.mtx`, `NAME_b.mtx`, and `NAME_x.mtx` of a factorisation or of least squares.
const SCRIPT: &str = "
import numpy as np, scipy.io, scipy.sparse as sp, scipy.sparse.linalg as la
from scipy.sparse.csgraph import reverse_cuthill_mckee, structural_rank
from scipy.spatial import Delaunay
rng = np.random.default_rng(3)
def write(name, a, b, x):
    scipy.io.mmwrite(name + '.mtx', sp.coo_matrix(a))
    scipy.io.mmwrite(name + '_b.mtx', b.reshape(-1, 1))
    scipy.io.mmwrite(name + '_x.mtx', x.reshape(-1, 1))
def number(name, v):
    open(name, 'w').write(repr(float(v)))
# Linear elements on a Delaunay mesh of random points, its hull held.
p = rng.random((900, 2)); t = Delaunay(p); n = len(p)
x, y = p[t.simplices, 0], p[t.simplices, 1]
gx = np.stack([y[:, 1] - y[:, 2], y[:, 2] - y[:, 0], y[:, 0] - y[:, 1]], 1)
gy = np.stack([x[:, 2] - x[:, 1], x[:, 0] - x[:, 2], x[:, 1] - x[:, 0]], 1)
area = np.abs(gx[:, 0] * gy[:, 1] - gx[:, 1] * gy[:, 0]) / 2
k = (gx[:, :, None] * gx[:, None, :] + gy[:, :, None] * gy[:, None, :]) / (4 * area[:, None, None])
i, j = np.repeat(t.simplices, 3, 1).ravel(), np.tile(t.simplices, 3).ravel()
a = sp.csr_matrix((k.ravel(), (i, j)), (n, n))
free = np.setdiff1d(np.arange(n), np.unique(t.convex_hull))
a = a[free][:, free]; a = sp.csr_matrix((a + a.T) / 2)
b = rng.standard_normal(a.shape[0])
write('mesh', a, b, la.spsolve(a.tocsc(), b))
steps = [0]
la.cg(a, b, rtol=1e-8, maxiter=5000, callback=lambda x: steps.__setitem__(0, steps[0] + 1))
number('mesh.cg', steps[0])
e = la.eigsh(a, k=3, which='LA', return_eigenvectors=False, tol=1e-10)
number('mesh.largest', max(e))
order = reverse_cuthill_mckee(a, symmetric_mode=True)
r = a[order][:, order].tocoo()
number('mesh.bandwidth', np.abs(r.row - r.col).max())
# Of either sign; not symmetric; tall; without a full structural rank.
m = sp.csr_matrix(a - 5 * sp.eye(a.shape[0])); write('indefinite', m, b, la.spsolve(m.tocsc(), b))
c = sp.csr_matrix(a + 0.3 * (sp.triu(a, 1) - sp.tril(a, -1)) + 0.5 * sp.eye(a.shape[0])); write('general', c, b, la.spsolve(c.tocsc(), b))
l = sp.vstack([sp.random(300, 120, 0.05, random_state=rng), sp.eye(120)]).tocsr()
f = rng.standard_normal(420)
write('tall', l, f, np.linalg.lstsq(l.toarray(), f, rcond=None)[0])
for s in range(8):
    q = sp.random(60, 60, 0.03, random_state=rng).tocsr()
    write('rank%d' % s, q, np.ones(60), np.ones(60)); number('rank%d.rank' % s, structural_rank(q))
";

struct Case {
    a: Csr<f64>,
    b: Vec<f64>,
    x: Vec<f64>,
}

fn case(folder: &Path, name: &str) -> Case {
    let path = |suffix: &str| folder.join(format!("{name}{suffix}.mtx"));
    let vector = |suffix: &str| read_vector(&path(suffix)).unwrap();
    Case { a: read_matrix(&path("")).unwrap(), b: vector("_b"), x: vector("_x") }
}

fn number(folder: &Path, name: &str) -> f64 {
    std::fs::read_to_string(folder.join(name)).unwrap().parse().unwrap()
}

/// ‖x − y‖ / ‖y‖.
fn distance(x: &[f64], y: &[f64]) -> f64 {
    let off: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
    plain::norm(&off) / plain::norm(y)
}

fn check(what: &str, report: &Report, x: &[f64], expected: &[f64], most: f64) {
    assert!(report.status.is_solved(), "{what}: {report:?}");
    let off = distance(x, expected);
    assert!(off <= most, "{what}: {off:e} from scipy's solution, {report:?}");
}

#[test]
fn the_same_files_have_the_same_solutions() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    succeed(Command::new(python).args(["-c", SCRIPT]).current_dir(folder.path()));
    let (space, folder) = (Host::<f64>::new(), folder.path());
    let stop = Stop { max_steps: 20_000, ..Stop::rtol(1e-11) };

    let Case { a, b, x: expected } = case(folder, "mesh");
    let (a, n) = (a.assume(Properties::SPD), b.len());
    let mut x = vec![0.0; n];
    let report = Cg::unpreconditioned(&space, n, Stop::rtol(1e-8))
        .unwrap()
        .solve(&space, &a, None, &b, &mut x)
        .unwrap();
    check("cg", &report, &x, &expected, 1e-5);
    // The recurrence is the same; rounding may move the end by a step or two.
    assert!((report.steps as f64 - number(folder, "mesh.cg")).abs() <= 3.0, "{report:?}");
    let largest = lanczos(&space, &a, None, 120, 1).unwrap().largest();
    let known = number(folder, "mesh.largest");
    assert!((largest - known).abs() <= 1e-6 * known, "{largest} {known}");
    let order = reverse_cuthill_mckee(&a).unwrap();
    let ours = bandwidth(&a.permuted(&order, &order).unwrap()) as f64;
    assert!(ours <= 1.2 * number(folder, "mesh.bandwidth"), "{ours}");

    let Case { a, b, x: expected } = case(folder, "indefinite");
    let mut x = vec![0.0; n];
    let report = Minres::new(&space, n, stop).unwrap().solve(&space, &a, None, &b, &mut x).unwrap();
    check("minres", &report, &x, &expected, 1e-6);

    let Case { a, b, x: expected } = case(folder, "general");
    let mut x = vec![0.0; n];
    let report =
        Gmres::with_restart(&space, n, stop, 60).unwrap().solve(&space, &a, None, &b, &mut x).unwrap();
    check("gmres", &report, &x, &expected, 1e-6);
    x.fill(0.0);
    let report = Bicgstab::new(&space, n, stop).unwrap().solve(&space, &a, None, &b, &mut x).unwrap();
    check("bicgstab", &report, &x, &expected, 1e-6);

    let Case { a, b, x: expected } = case(folder, "tall");
    let mut x = vec![0.0; expected.len()];
    let report = Lsqr::new(&space, a.shape(), stop).unwrap().solve(&space, &a, &b, &mut x).unwrap();
    assert!(matches!(report.status, Status::LeastSquares { .. }));
    check("lsqr", &report, &x, &expected, 1e-7);

    // Whatever `auto` chooses.
    for name in ["mesh", "indefinite", "general", "tall"] {
        let Case { a, b, x: expected } = case(folder, name);
        let matrix = Matrix::from_sparse(a);
        let mut solver = Plan::default().set_up(&matrix, stop).unwrap();
        let mut x = vec![0.0; expected.len()];
        let report = solver.solve(&matrix, &b, &mut x, &mut |_| ControlFlow::Continue(())).unwrap();
        check(&format!("auto on {name}"), &report, &x, &expected, 1e-6);
    }
    for s in 0..8 {
        let Case { a, .. } = case(folder, &format!("rank{s}"));
        assert_eq!(Matching::new(&a).rank() as f64, number(folder, &format!("rank{s}.rank")));
    }
}
