//! Files that go to and come from Python: scipy and h5py write systems that are read here, and read what is written here.
//!
//! The packages are installed once into `target/python`. Where there is no `python3` at all the test says so and passes:
//! nothing could be compared.

use resolvent_datasets::{Family, LinearSystem, Parameters, RhsKind};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An interpreter with numpy, scipy and h5py, unless the machine has no Python.
fn python() -> Option<PathBuf> {
    let found = Command::new("python3").arg("--version").output();
    if !found.is_ok_and(|o| o.status.success()) {
        eprintln!("there is no python3: nothing is compared with scipy and h5py");
        return None;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python");
    let (interpreter, done) = (folder.join("bin/python"), folder.join("installed"));
    if !done.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        run(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet", "numpy", "scipy", "h5py"]));
        fs::write(&done, "").unwrap();
    }
    Some(interpreter)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
}

const WRITE: &str = r#"
import numpy as np, scipy.sparse as sp, scipy.io, h5py
n = 7
a = sp.diags([-1.0, 2.5, -1.0], [-1, 0, 1], shape=(n, n)).tocsr()
a = a + sp.kron(sp.eye(1), sp.csr_matrix(([-0.1, -0.1], ([0, 6], [6, 0])), shape=(n, n)))
a, b = sp.csr_matrix(a), np.linspace(-1.0, 1.0, n)
scipy.io.mmwrite("general.mtx", a, symmetry="general")
scipy.io.mmwrite("symmetric.mtx", a, symmetry="symmetric")
scipy.io.mmwrite("dense.mtx", a.toarray())
scipy.io.mmwrite("b.mtx", b.reshape(n, 1))
with h5py.File("plain.h5", "w") as f:
    f["indptr"], f["indices"], f["data"], f["b"] = a.indptr, a.indices, a.data, b
with h5py.File("packed.h5", "w", libver="latest") as f:
    f.attrs["shape"] = a.shape
    f.attrs["format"] = "csr"
    for name, v in [("indptr", a.indptr.astype("i8")), ("indices", a.indices.astype("u2")), ("data", a.data), ("b", b)]:
        f.create_dataset(name, data=v, compression="gzip", shuffle=True, chunks=True)
with h5py.File("lzf.h5", "w") as f:
    for name, v in [("indptr", a.indptr), ("indices", a.indices), ("data", a.data), ("b", b)]:
        f.create_dataset(name, data=v, compression="lzf")
"#;

const READ: &str = r#"
import numpy as np, scipy.sparse as sp, scipy.io, h5py
with h5py.File("ours.h5") as f:
    assert f.attrs["resolvent_schema"] == "system" and f.attrs["version"] == 1
    shape = tuple(f["shape"][:])
    a = sp.csr_matrix((f["data"][:], f["indices"][:], f["indptr"][:]), shape=shape)
    b, n, cells = f["b"][:], f["grid/n"][:], f["grid/cells"][:]
    assert f["meta"].attrs["family"] == "spheres"
assert len(n) == 3 and len(cells) == shape[0] and cells.max() < n.prod()
m, c = sp.csr_matrix(scipy.io.mmread("ours.mtx")), scipy.io.mmread("ours_b.mtx")[:, 0]
assert (a != m).nnz == 0 and (b == c).all()
import scipy.sparse.linalg as la
x = la.spsolve(a.tocsc(), b)
assert np.linalg.norm(a @ x - b) < 1e-10 * np.linalg.norm(b)
scipy.io.mmwrite("x.mtx", x.reshape(-1, 1))
"#;

#[test]
fn scipy_and_h5py_read_and_write_the_same_numbers() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    run(Command::new(&python).current_dir(folder.path()).args(["-c", WRITE]));
    let first = LinearSystem::read(&path("plain.h5")).unwrap();
    assert_eq!((first.matrix.rows(), first.matrix.get(3, 4), first.matrix.get(0, 6)), (7, -1.0, -0.1));
    let b = first.rhs.clone().unwrap();
    assert_eq!((b[0], b[6]), (-1.0, 1.0));
    for name in ["packed.h5", "lzf.h5"] {
        let system = LinearSystem::read(&path(name)).unwrap();
        assert_eq!((&system.matrix, system.rhs.as_ref()), (&first.matrix, Some(&b)), "{name}");
    }
    for name in ["general.mtx", "symmetric.mtx", "dense.mtx"] {
        let system = LinearSystem::read_with_rhs(&path(name), Some(&path("b.mtx"))).unwrap();
        assert_eq!(system.matrix, first.matrix, "{name}");
        let close = system.rhs.unwrap().iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-14);
        assert!(close, "{name}");
    }
    let problem = Family::named("spheres").unwrap().problem(Parameters::new(6)).unwrap();
    let ours = problem.system(RhsKind::Noise).unwrap();
    ours.write(&path("ours.h5")).unwrap();
    ours.write(&path("ours.mtx")).unwrap();
    run(Command::new(&python).current_dir(folder.path()).args(["-c", READ]));
    assert_eq!(resolvent_datasets::read_solution(&path("x.mtx")).unwrap().len(), ours.matrix.rows());
}
