//! What scipy and h5py write is read here, and what is written here is read there, to the bit.
//!
//! The first run makes a virtual environment in `target/python` and installs numpy, scipy, h5py and safetensors into it. On a machine
//! without `python3` these tests print so and pass; where there is one, any failure is a failure.

#[path = "python/interpreter.rs"]
mod interpreter;

use interpreter::{python, succeed};
use resolvent::learn::{self, Adam, AdamOptions, Checkpoint, Initializer, State};
use resolvent::{Csr, Map, Properties};
use resolvent_datasets::{
    Family, LinearSystem, Maker, Outcome, Parameters, Recipe, RhsKind, check, graph::GraphSet, matrix_market,
    system_file, write_solution,
};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a script in a fresh folder that `prepare` filled; `None` without `python3`.
fn run(script: &str, prepare: impl FnOnce(&Path)) -> Option<tempfile::TempDir> {
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let start = "import h5py, numpy as np, scipy.io, scipy.sparse as sp\n\
                 def dump(name, a):\n    \
                     a = sp.csr_matrix(a); a.sum_duplicates()\n    \
                     a.indptr.astype('<i8').tofile(name + '.indptr')\n    \
                     a.indices.astype('<i4').tofile(name + '.indices')\n    \
                     a.data.astype('<f8').tofile(name + '.data')\n\
                 rng = np.random.default_rng(7)\n";
    let script = format!("{start}{script}");
    succeed(Command::new(python).args(["-W", "error", "-c", &script]).current_dir(folder.path()));
    Some(folder)
}

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn reals(v: &[f64]) -> Vec<u8> {
    v.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Whether a matrix is the one that Python dumped under this name, to the bit.
fn assert_dumped(folder: &Path, name: &str, a: &Csr<f64>) {
    let offsets: Vec<u8> = a.offsets().iter().flat_map(|v| (v as i64).to_le_bytes()).collect();
    let columns: Vec<u8> = a.columns().iter().flat_map(|v| (*v as i32).to_le_bytes()).collect();
    assert_eq!(bytes(folder, &format!("{name}.indptr")), offsets, "{name}");
    assert_eq!(bytes(folder, &format!("{name}.indices")), columns, "{name}");
    assert_eq!(bytes(folder, &format!("{name}.data")), reals(a.values()), "{name}");
}

#[test]
fn checkpoints_in_safetensors() {
    let script = "
import json
import safetensors, safetensors.numpy
with safetensors.safe_open('run.safetensors', 'numpy') as f:
    about = json.loads(f.metadata()['resolvent'])
assert about['kind'] == 'test' and about['step'] == 2**53 + 1 and about['config'] == 'a = \\\"é\\\"', about
tensors = safetensors.numpy.load_file('run.safetensors')
assert sorted(tensors) == ['adam/m', 'adam/steps', 'adam/v', 'layer.bias', 'layer.weight'], sorted(tensors)
w = tensors['layer.weight']
assert w.shape == (3, 2) and w.dtype == np.float32, w
w.tofile('w')
tensors['layer.weight'] = 2 * w
meta = {'resolvent': json.dumps({**about, 'step': 7})}
safetensors.numpy.save_file(tensors, 'back.safetensors', metadata=meta)
";
    let mut parameters = learn::Parameters::<f32>::new(1);
    parameters.linear("layer", 3, 2, Initializer::GlorotNormal).unwrap();
    let adam = Adam::<f32>::new(parameters.len(), AdamOptions::default()).unwrap();
    let folder = run(script, |folder| {
        let mut checkpoint = Checkpoint::new("test", "small", (1 << 53) + 1).with_config("a = \"é\"");
        parameters.store("", &mut checkpoint);
        adam.store("adam", &mut checkpoint);
        checkpoint.save(&folder.join("run.safetensors")).unwrap();
    });
    let Some(folder) = folder else { return };
    let weight = parameters.get(parameters.find("layer.weight").unwrap());
    let expected: Vec<u8> = weight.iter().flat_map(|w| w.to_le_bytes()).collect();
    assert_eq!(bytes(folder.path(), "w"), expected);
    let mut back = Checkpoint::load(&folder.path().join("back.safetensors")).unwrap();
    assert_eq!((back.kind(), back.step()), ("test", 7));
    let doubled: Vec<f32> = weight.iter().map(|w| 2.0 * w).collect();
    assert_eq!(back.take::<f32>("layer.weight", &[3, 2]).unwrap(), doubled);
}

#[test]
fn matrix_market_from_scipy() {
    let script = "
a = sp.random(30, 20, 0.2, random_state=rng, data_rvs=lambda n: rng.standard_normal(n) * 10.0 ** rng.integers(-300, 300, n))
s = sp.random(25, 25, 0.2, random_state=rng)
s = sp.csr_matrix(s + s.T)
k = sp.csr_matrix(sp.tril(s, -1) - sp.tril(s, -1).T)
i = sp.csr_matrix(rng.integers(-5, 5, (6, 9)))
d = rng.standard_normal((7, 3))
for name, m in [('general', a), ('symmetric', s), ('skew', k), ('integer', i)]:
    scipy.io.mmwrite(name + '.mtx', m, comment='made by scipy')
    dump(name, m)
scipy.io.mmwrite('pattern.mtx', a, field='pattern')
p = sp.csr_matrix(a); p.data[:] = 1
dump('pattern', p)
scipy.io.mmwrite('dense.mtx', d)
dump('dense', d)
d.T.astype('<f8').copy().tofile('columns')
scipy.io.mmwrite('complex.mtx', sp.csr_matrix(np.array([[1j]])))
";
    let Some(folder) = run(script, |_| ()) else { return };
    let path = |name: &str| folder.path().join(format!("{name}.mtx"));
    for name in ["general", "symmetric", "skew", "integer", "pattern", "dense"] {
        let a = matrix_market::read_matrix(&path(name)).unwrap();
        assert_dumped(folder.path(), name, &a);
        assert_eq!(a.properties() == Properties::SYMMETRIC, name == "symmetric", "{name}");
    }
    let text = fs::read_to_string(path("symmetric")).unwrap();
    assert!(text.contains("symmetric"), "the reader met a symmetric file: {}", &text[..60]);
    let columns = matrix_market::read_columns(&path("dense")).unwrap().concat();
    assert_eq!(bytes(folder.path(), "columns"), reals(&columns));
    let e = matrix_market::read_matrix(&path("complex")).unwrap_err().to_string();
    assert!(e.contains("the matrix is complex"), "{e}");
}

#[test]
fn matrix_market_to_scipy() {
    let rough = Family::named("channels").unwrap().problem(Parameters::new(9)).unwrap();
    let symmetric = rough.system(RhsKind::Noise).unwrap();
    let general =
        Csr::from_triplets(3, 5, &[(0, 4, 1e-310), (1, 0, -0.1), (2, 2, f64::MAX), (2, 3, 1.0 / 3.0)])
            .unwrap();
    let script = "
for name in ['symmetric', 'general']:
    dump(name, scipy.io.mmread(name + '.mtx'))
scipy.io.mmread('symmetric_b.mtx').astype('<f8').tofile('b')
assert scipy.io.mmread('general.mtx').shape == (3, 5)
assert scipy.io.mminfo('symmetric.mtx')[5] == 'symmetric'
";
    let prepare = |folder: &Path| {
        symmetric.write(&folder.join("symmetric.mtx")).unwrap();
        matrix_market::write_matrix(&folder.join("general.mtx"), &general).unwrap();
    };
    let Some(folder) = run(script, prepare) else { return };
    assert_dumped(folder.path(), "symmetric", &symmetric.matrix);
    assert_dumped(folder.path(), "general", &general);
    assert_eq!(bytes(folder.path(), "b"), reals(symmetric.rhs.as_ref().unwrap()));
}

#[test]
fn systems_from_h5py() {
    let script = "
a = sp.random(40, 40, 0.1, random_state=rng) + sp.eye(40)
b = rng.standard_normal(40)
b.astype('<f8').tofile('b')
# As the documentation says.
a = sp.csr_matrix(a)
with h5py.File('system.h5', 'w') as f:
    f['indptr'], f['indices'], f['data'], f['b'] = a.indptr, a.indices, a.data, b
dump('system', a)
# As others may.
r = sp.csr_matrix(sp.random(30, 50, 0.1, random_state=rng))
for libver in ['earliest', 'latest']:
    with h5py.File(libver + '.h5', 'w', libver=libver) as f:
        f.attrs['shape'] = r.shape
        f.attrs['resolvent_schema'] = 'system'
        f.attrs['version'] = 1
        f.attrs['h5sparse_format'] = np.bytes_('csr')
        f.create_dataset('indptr', data=r.indptr.astype('>i8'), compression='gzip')
        f.create_dataset('indices', data=r.indices.astype('u4'), chunks=(7,), compression='lzf', shuffle=True)
        f.create_dataset('data', data=r.data, chunks=True, fletcher32=True, maxshape=(None,))
        f.create_dataset('x', data=np.arange(50, dtype='f4'))
        m = f.create_group('meta')
        m.attrs['author'] = 'h5py, äöü'
        m.attrs['bytes'] = np.bytes_('fixed')
dump('other', r)
with h5py.File('bomb.h5', 'w') as f:
    f['indptr'], f['indices'], f['data'] = a.indptr, a.indices, a.data
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    p.set_chunk((1 << 23,)); p.set_deflate(9); p.set_deflate(9)
    space = h5py.h5s.create_simple((40,), (h5py.h5s.UNLIMITED,))
    h5py.h5d.create(f.id, b'b', h5py.h5t.IEEE_F64LE, space, p)
    f['b'][:] = b
c = sp.csc_matrix(a)
with h5py.File('csc.h5', 'w') as f:
    f['indptr'], f['indices'], f['data'] = c.indptr, c.indices, c.data
    f.attrs['format'] = 'csc'
";
    let Some(folder) = run(script, |_| ()) else { return };
    let path = |name: &str| folder.path().join(format!("{name}.h5"));
    let system = system_file::read(&path("system")).unwrap();
    assert_dumped(folder.path(), "system", &system.matrix);
    assert_eq!(bytes(folder.path(), "b"), reals(&system.rhs.unwrap()));
    for name in ["earliest", "latest"] {
        let system = system_file::read(&path(name)).unwrap();
        assert_eq!((system.matrix.rows(), system.matrix.cols()), (30, 50));
        assert_dumped(folder.path(), "other", &system.matrix);
        assert_eq!(system.solution.unwrap(), (0..50).map(f64::from).collect::<Vec<_>>());
        let meta = [("author".into(), "h5py, äöü".into()), ("bytes".into(), "fixed".into())];
        assert_eq!(system.meta, meta);
    }
    // 64 MB in a few hundred bytes, packed twice.
    let e = system_file::read(&path("bomb")).unwrap_err().to_string();
    assert!(e.contains("dataset `b`: its chunks have 8388608 numbers, but the file stores "), "{e}");
    assert!(e.ends_with("write it with smaller chunks, or write the file again if it is damaged"), "{e}");
    let e = system_file::read(&path("csc")).unwrap_err().to_string();
    assert!(e.contains("the matrix is stored as `csc`"), "{e}");
}

#[test]
fn systems_to_h5py() {
    let problem = Family::named("smoke").unwrap().problem(Parameters::new(6).frame(5)).unwrap();
    let system = problem.system(RhsKind::Flow).unwrap();
    let x: Vec<f64> = (0..system.matrix.rows()).map(|i| 1.0 / (i + 1) as f64).collect();
    let system = LinearSystem { solution: Some(x.clone()), ..system };
    let script = "
with h5py.File('system.h5') as f:
    a = sp.csr_matrix((f['data'][:], f['indices'][:], f['indptr'][:]), shape=f['shape'][:])
    dump('system', a)
    assert f.attrs['resolvent_schema'] == 'system' and f.attrs['version'] == 1
    assert dict(f['meta'].attrs)['family'] == 'smoke' and f['meta'].attrs['frame'] == '5'
    assert list(f['grid/n']) == [6, 6, 6]
    f['b'][:].astype('<f8').tofile('b')
    f['x'][:].astype('<f8').tofile('x')
    f['grid/cells'][:].astype('<i8').tofile('cells')
with h5py.File('x.h5') as f:
    assert f.attrs['resolvent_schema'] == 'solution'
    f['x'][:].astype('<f8').tofile('solution')
";
    let grid = system.grid.clone().unwrap();
    let prepare = |folder: &Path| {
        system.write(&folder.join("system.h5")).unwrap();
        write_solution(&folder.join("x.h5"), &x, Some((grid.0, &grid.1))).unwrap();
    };
    let Some(folder) = run(script, prepare) else { return };
    assert_dumped(folder.path(), "system", &system.matrix);
    assert_eq!(bytes(folder.path(), "b"), reals(system.rhs.as_ref().unwrap()));
    assert_eq!(bytes(folder.path(), "x"), reals(&x));
    assert_eq!(bytes(folder.path(), "solution"), reals(&x));
    let cells: Vec<u8> = grid.1.iter().flat_map(|c| i64::from(*c).to_le_bytes()).collect();
    assert_eq!(bytes(folder.path(), "cells"), cells);
}

fn make(name: &str, samples: Option<usize>, settings: &[(&str, &str)], path: &Path) {
    let recipe = Recipe::new(Maker::named(name).unwrap(), 5, samples, settings).unwrap();
    let outcome = recipe.make(path, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert!(matches!(outcome, Outcome::Made(_)));
}

#[test]
fn sets_to_h5py_and_back() {
    let script = "
def fnv(a):
    h = 0xcbf29ce484222325
    for byte in a.tobytes():
        h = ((h ^ byte) * 0x100000001b3) % 2**64
    return h
with h5py.File('values.h5') as f:
    assert f.attrs['schema'] == 'resolvent-graphs' and f.attrs['schema_version'] == 1
    n, e = f['node_offsets'][3:5], f['edge_offsets'][3:5]
    v, edges, r = f['node_targets'][n[0]:n[1], 0], f['edges'][e[0]:e[1]], f['edge_features'][e[0]:e[1], 0]
    assert f['edge_features'].attrs['columns'] == 'reward'
    best = np.full(len(v), -np.inf)
    np.maximum.at(best, edges[:, 1], r + 0.9 * v[edges[:, 0]])
    assert np.abs(best - v).max() < 1e-3, np.abs(best - v).max()
    for name in ['node_offsets', 'edges', 'edge_features', 'node_targets']:
        assert f[name].attrs['checksum'] == 'fnv1a64:%016x' % fnv(f[name][:]), name
with h5py.File('smoke.h5') as f:
    assert f.attrs['schema'] == 'resolvent-operators' and f.attrs['kind'] == 'projection'
    flags = f['cells'][0].reshape(f.attrs['shape'])
    b = f['rhs'][0].reshape(flags.shape)
    assert flags.shape == (8, 8, 8) and flags.max() <= 2 and (flags == 0).any()
    assert np.abs(b).max() > 0 and not b[flags != 0].any()
    assert list(f['written'][:]) == [3, fnv(f['cells'][:]), fnv(f['rhs'][:])]
with h5py.File('directions.h5') as f:
    x = f['samples'][:].astype('f8')
    assert x.shape == (20, 7 ** 3) and np.allclose(np.linalg.norm(x, axis=1), 1, atol=1e-6)
    assert (np.diff(f['ritz_values'][:]) >= 0).all() and list(f.attrs['shape']) == [7, 7, 7]
    assert list(f['written'][:]) == [20, fnv(f['samples'][:])]
with h5py.File('own.h5', 'w') as f:
    f.attrs['schema'], f.attrs['schema_version'] = 'resolvent-graphs', 1
    f['node_offsets'], f['edge_offsets'] = [0, 3, 5], [0, 2, 3]
    f['edges'] = np.array([[0, 1], [1, 2], [1, 0]])
    f.create_dataset('node_features', data=np.arange(10.).reshape(5, 2), chunks=(2, 1), compression='gzip')
    f['node_features'].attrs['scale'] = np.array([2., 3.])
    f['graph_labels'] = [0, 1]
with h5py.File('linked.h5', 'w') as f:
    f.attrs['schema'], f.attrs['schema_version'] = 'resolvent-graphs', 1
    f['node_offsets'] = h5py.ExternalLink('own.h5', 'node_offsets')
";
    let prepare = |folder: &Path| {
        make("value-iteration", Some(6), &[], &folder.join("values.h5"));
        make("projection", None, &[("n", "8"), ("frames", "4..6")], &folder.join("smoke.h5"));
        make(
            "directions",
            Some(20),
            &[("n", "7"), ("m", "30"), ("theta", "2")],
            &folder.join("directions.h5"),
        );
    };
    let Some(folder) = run(script, prepare) else { return };
    let own = folder.path().join("own.h5");
    let set = GraphSet::<f64>::read(&own).unwrap();
    assert_eq!((set.len(), &set.edges[..]), (2, &[[0, 1], [1, 2], [1, 0]][..]));
    assert_eq!(
        set.node.features.iter().copied().collect::<Vec<_>>(),
        (0..10).map(f64::from).collect::<Vec<_>>()
    );
    assert_eq!(set.schema.node[0].iter().map(|c| c.scale).collect::<Vec<_>>(), [2.0, 3.0]);
    assert_eq!((set.labels.clone(), check(&own).unwrap().len()), (Some(vec![0, 1]), 0));
    let e = GraphSet::<f64>::read(&folder.path().join("linked.h5")).unwrap_err().to_string();
    assert!(e.contains("`node_offsets`: this is a link to another place"), "{e}");
}

#[test]
fn mutag_comes_with_its_wheel() {
    if python().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutag.h5");
    make("mutag", None, &[], &path);
    let set = GraphSet::<f64>::read(&path).unwrap();
    assert_eq!((set.len(), *set.node_offsets.last().unwrap(), set.edges.len()), (188, 3371, 7442));
    assert_eq!((set.node.features.ncols(), set.edge.features.ncols()), (7, 4));
    let count = |numbers: &[u32], v: u32| numbers.iter().filter(|n| **n == v).count();
    let (labels, folds) = (set.labels.unwrap(), set.folds.unwrap());
    let mut classes = [count(&labels, 0), count(&labels, 1)];
    classes.sort_unstable();
    assert_eq!(classes, [63, 125]);
    assert!((0..10).all(|f| (18..=20).contains(&count(&folds, f))));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the wheel is removed");
}
