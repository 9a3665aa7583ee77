//! Files of the layouts that people have, written by Python, are read bit for bit; what is written here is read there.
//!
//! Python is the one of `tests/python.rs`; without it these tests print so and pass.

#[path = "python/interpreter.rs"]
mod interpreter;

use interpreter::{python, succeed};
use resolvent_datasets::dataset::{
    Axis, Batch, Conversion, Dataset, Description, Field, Parameter, ParameterValue, Points, Precision, Role,
    Selection, Snapshots, Writer,
};
use resolvent_datasets::{Contents, Error, Severity, check, contents};
use std::fs;
use std::path::Path;
use std::process::Command;

fn run(script: &str, prepare: impl FnOnce(&Path)) -> Option<tempfile::TempDir> {
    let python = python()?;
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let script = format!("import h5py, numpy as np, scipy.io\nrng = np.random.default_rng(7)\n{script}");
    succeed(Command::new(python).args(["-c", &script]).current_dir(folder.path()));
    Some(folder)
}

/// Whether a field is what Python stored under `name` as raw little-endian numbers of its precision.
fn assert_same(dataset: &Dataset, field: &str, folder: &Path, name: &str) {
    let d = dataset.description();
    let f = d.field(field).unwrap();
    let whole: Vec<_> = d.shape(f).unwrap().into_iter().map(|n| 0..n).collect();
    let bytes: Vec<u8> = match f.precision {
        Precision::F32 => {
            dataset.read::<f32>(field, &whole).unwrap().iter().flat_map(|v| v.to_le_bytes()).collect()
        }
        Precision::F64 => {
            dataset.read::<f64>(field, &whole).unwrap().iter().flat_map(|v| v.to_le_bytes()).collect()
        }
    };
    assert!(bytes == fs::read(folder.join(name)).unwrap(), "{field} differs");
}

fn parameter<'a>(dataset: &'a Dataset, name: &str) -> &'a ParameterValue {
    &dataset.description().parameters.iter().find(|p| p.name == name).unwrap().value
}

#[test]
fn pdebench() {
    let script = "
N, T, X = 5, 7, 32
u = rng.standard_normal((N, T, X)).astype('f4')
for name, how in [('plain', {}), ('gzip', dict(chunks=(2, 3, 8), compression='gzip', shuffle=True)), ('lzf', dict(chunks=(1, 7, 32), compression='lzf'))]:
    with h5py.File(name + '.h5', 'w') as f:
        f.create_dataset('tensor', data=u, **how)
        f['x-coordinate'] = np.linspace(0, 1, X, dtype='f4')
        f['t-coordinate'] = np.linspace(0, 2, T + 1, dtype='f4')
        f.attrs['Nu'] = 0.01
u.tofile('u')
a, s = rng.standard_normal((N, 8, 6)).astype('f4'), rng.standard_normal((N, 1, 8, 6)).astype('f4')
with h5py.File('darcy.h5', 'w') as f:
    f['nu'], f['tensor'] = a, s
    f['x-coordinate'], f['y-coordinate'] = np.arange(8.), np.arange(6.)
    f.attrs['beta'] = np.float32(1.0)
a.tofile('a'); s.tofile('s')
v = rng.standard_normal((2, 3, 4, 5)).astype('f8')
with h5py.File('cfd.h5', 'w') as f:
    for name in ['Vx', 'Vy', 'density', 'pressure']: f[name] = v
    f['x-coordinate'], f['y-coordinate'], f['t-coordinate'] = np.arange(4.), np.arange(5.), np.arange(4.)
v.tofile('v')
g = rng.standard_normal((3, 4, 6, 5, 2)).astype('f4')
with h5py.File('groups.h5', 'w') as f:
    for i in range(3):
        q = f.create_group(f'{i:04d}')
        q['data'] = g[i]
        q['grid/x'], q['grid/y'], q['grid/t'] = np.arange(6, dtype='f4'), np.arange(5, dtype='f4'), np.arange(4, dtype='f4')
        q.attrs['config'] = f'sim:\\n  Du: 1e-3\\n  seed: {i}\\nname: x\\n'
g.tofile('g')
";
    let Some(folder) = run(script, |_| ()) else { return };
    let open = |name: &str| Dataset::open(&folder.path().join(name)).unwrap();
    for name in ["plain.h5", "gzip.h5", "lzf.h5"] {
        let dataset = open(name);
        assert_eq!(dataset.layout(), "pdebench");
        assert_same(&dataset, "tensor", folder.path(), "u");
        assert_eq!(dataset.description().axis("t").unwrap().coordinates[0].values.len(), 7);
        assert_eq!(*parameter(&dataset, "Nu"), ParameterValue::Global(0.01));
        assert!(check(dataset.path()).unwrap().iter().all(|f| f.severity == Severity::Note));
    }
    let darcy = open("darcy.h5");
    assert_eq!(darcy.description().field("tensor").unwrap().axes, ["trajectory", "x", "y"]);
    assert_same(&darcy, "tensor", folder.path(), "s");
    assert_same(&darcy, "nu", folder.path(), "a");
    let cfd = open("cfd.h5");
    assert_eq!(cfd.description().field("Vx").unwrap().axes, ["trajectory", "t", "x", "y"]);
    assert_same(&cfd, "pressure", folder.path(), "v");
    let groups = open("groups.h5");
    assert_eq!(groups.description().fields[0].axes, ["trajectory", "t", "x", "y", "component"]);
    assert_same(&groups, "data", folder.path(), "g");
    assert_eq!(*parameter(&groups, "sim.Du"), ParameterValue::Global(1e-3));
    assert_eq!(*parameter(&groups, "sim.seed"), ParameterValue::PerTrajectory(vec![0.0, 1.0, 2.0]));
}

/// Axes that do not vary, and tensors.
#[test]
fn the_well() {
    let script = "
k, n = rng.random((2, 8)).astype('f4'), rng.random((2, 4, 8, 6, 2)).astype('f4')
s, r = rng.random(4), rng.random((4, 8, 6, 2, 2)).astype('f4')
with h5py.File('well.h5', 'w') as f:
    f.attrs['a'], f.attrs['dataset_name'], f.attrs['grid_type'] = 0.25, 'dummy', 'cartesian'
    f.attrs['n_spatial_dims'], f.attrs['n_trajectories'], f.attrs['simulation_parameters'] = 2, 2, ['a']
    b = f.create_group('boundary_conditions/x_periodic')
    b.attrs['associated_dims'], b.attrs['associated_fields'], b.attrs['bc_type'] = 'x', [], 'PERIODIC'
    b['mask'] = np.zeros(8, bool)
    d = f.create_group('dimensions'); d.attrs['spatial_dims'] = ['x', 'y']
    for name, v in [('time', np.arange(4.)), ('x', np.arange(8.)), ('y', np.arange(6.))]:
        d[name] = v; d[name].attrs['sample_varying'] = False
    c = f.create_group('scalars'); c.attrs['field_names'] = ['a', 's']
    for name, v, time in [('a', np.array(0.25), False), ('s', s, True)]:
        c[name] = v; c[name].attrs['time_varying'] = time; c[name].attrs['sample_varying'] = False
    for i, name, v, dims, sample, time in [(0, 'k', k, [True, False], True, False), (1, 'n', n, [True, True], True, True), (2, 'r', r, [True, True], False, True)]:
        g = f.create_group(f't{i}_fields'); g.attrs['field_names'] = [name]
        g[name] = v
        g[name].attrs['dim_varying'], g[name].attrs['sample_varying'], g[name].attrs['time_varying'] = dims, sample, time
for name, v in [('k', k), ('n', n), ('s', s), ('r', r)]: v.tofile(name)
";
    let Some(folder) = run(script, |_| ()) else { return };
    let dataset = Dataset::open(&folder.path().join("well.h5")).unwrap();
    assert_eq!((dataset.layout(), dataset.description().name.as_str()), ("the_well", "dummy"));
    let axes = |name: &str| dataset.description().field(name).unwrap().axes.join(",");
    assert_eq!(axes("k"), "trajectory,x");
    assert_eq!(axes("n"), "trajectory,t,x,y,component");
    assert_eq!(axes("r"), "t,x,y,component,component");
    assert_eq!(axes("s"), "t");
    for name in ["k", "n", "r", "s"] {
        assert_same(&dataset, name, folder.path(), name);
    }
    assert_eq!(*parameter(&dataset, "a"), ParameterValue::Global(0.25));
    let boundary = [("x_periodic".to_owned(), "periodic along x".to_owned())];
    assert_eq!(dataset.description().boundary_conditions, boundary);
}

/// The file that the package makes for its own tests.
#[test]
fn the_well_own_dummy_file() {
    let script = "
from the_well.utils.dummy_data import write_dummy_data
np.random.seed(7)
write_dummy_data('dummy.h5')
with h5py.File('dummy.h5') as f:
    for path in ['t0_fields/constant_field', 't1_fields/field', 'scalars/time_varying_scalar', 'dimensions/x', 'dimensions/time']:
        f[path][:].tofile(path.split('/')[1])
";
    let Some(folder) = run(script, |_| ()) else { return };
    let path = folder.path().join("dummy.h5");
    let dataset = Dataset::open(&path).unwrap();
    let d = dataset.description();
    assert_eq!((dataset.layout(), d.name.as_str()), ("the_well", "dummy_dataset"));
    let fields = [
        ("constant_field", "trajectory,x,y", vec![2, 32, 32]),
        ("field", "trajectory,t,x,y,component", vec![2, 10, 32, 32, 2]),
        ("time_varying_scalar", "t", vec![10]),
    ];
    assert_eq!(d.fields.len(), fields.len());
    for (name, axes, shape) in fields {
        let f = d.field(name).unwrap();
        assert_eq!((f.axes.join(","), d.shape(f).unwrap()), (axes.into(), shape), "{name}");
        assert_same(&dataset, name, folder.path(), name);
    }
    for (axis, name) in [("t", "time"), ("x", "x")] {
        let values = d.axis(axis).unwrap().coordinates[0].values.iter();
        let bytes: Vec<u8> = values.flat_map(|v| (*v as f32).to_le_bytes()).collect();
        assert_eq!(bytes, fs::read(folder.path().join(name)).unwrap(), "{axis}");
    }
    for (name, value) in [("a", 0.25), ("b", 0.75)] {
        assert_eq!(*parameter(&dataset, name), ParameterValue::Global(value));
    }
    let boundary = ["x", "y"].map(|a| (format!("{a}_periodic"), format!("periodic along {a}")));
    assert_eq!(d.boundary_conditions, boundary);
    assert!(check(&path).unwrap().iter().all(|f| f.severity == Severity::Note));
    let mut points = Points::<f32>::new(&dataset, &["field"], &Selection::all(), 7).unwrap();
    let mut batch = Batch::default();
    points.draw(points.per_epoch(), &mut batch).unwrap();
    let mut all: Vec<u8> = Vec::new();
    let mut order: Vec<usize> = (0..points.per_epoch()).collect();
    let place = |i: &usize| {
        let at = &batch.coordinates[3 * i..3 * i + 3];
        (batch.trajectories[*i], at[0].to_bits(), at[1].to_bits(), at[2].to_bits())
    };
    order.sort_by_key(place);
    order
        .iter()
        .for_each(|i| all.extend(batch.values[2 * i..2 * i + 2].iter().flat_map(|v| v.to_le_bytes())));
    assert!(all == fs::read(folder.path().join("field")).unwrap(), "an epoch of points is the field");
}

#[test]
fn matlab_numpy_and_text() {
    let script = "
x, t, u = np.linspace(-1, 1, 16)[:, None], np.linspace(0, 1, 9)[:, None], rng.standard_normal((16, 9))
scipy.io.savemat('plain.mat', dict(x=x, t=t, usol=u))
scipy.io.savemat('packed.mat', dict(x=x, t=t, usol=u, nu=0.1, note='text'), do_compression=True)
with h5py.File('seven.mat', 'w', userblock_size=512) as f:
    for name, v in [('x', x), ('t', t), ('usol', u)]:
        f[name] = v.T; f[name].attrs['MATLAB_class'] = np.bytes_('double')
np.ascontiguousarray(u.T).tofile('u')
scipy.io.savemat('cloud.mat', dict(X_star=rng.random((20, 2)), t=t, p_star=rng.random((20, 9)), U_star=rng.random((20, 2, 9))))
np.save('u.npy', u.T.astype('f4').copy()); u.T.astype('f4').tofile('u4')
np.savetxt('p.csv', np.stack([np.arange(5.), np.arange(5.) ** 2, rng.random(5)], 1), delimiter=',', header='x,y,u', comments='')
";
    let Some(folder) = run(script, |_| ()) else { return };
    let open = |name: &str| Dataset::open(&folder.path().join(name)).unwrap();
    for name in ["plain.mat", "packed.mat", "seven.mat"] {
        let dataset = open(name);
        assert_eq!(dataset.description().field("usol").unwrap().axes, ["t", "x"], "{name}");
        assert_same(&dataset, "usol", folder.path(), "u");
        assert!(check(dataset.path()).unwrap().is_empty(), "{name}");
    }
    assert_eq!(*parameter(&open("packed.mat"), "nu"), ParameterValue::Global(0.1));
    let cloud = open("cloud.mat");
    assert_eq!(cloud.description().field("p_star").unwrap().axes, ["t", "point"]);
    assert_eq!(cloud.description().field("U_star").unwrap().axes[0], "t");
    let points = cloud.description().axis_of(Role::Points).unwrap();
    assert_eq!((points.len, points.coordinates.len()), (20, 2));
    let array = open("u.npy");
    assert!(check(array.path()).unwrap()[0].text.starts_with("axis `axis0` has no coordinates"));
    let given = Conversion {
        axes: vec!["t".into(), "x".into()],
        ranges: vec![("t".into(), 0.0, 1.0), ("x".into(), -1.0, 1.0)],
        gzip: Some(4),
    };
    let out = folder.path().join("u.h5");
    array.name(&given).unwrap().convert(&out, &given, |_, _| true).unwrap().unwrap();
    assert_same(&open("u.h5"), "u", folder.path(), "u4");
    assert!(check(&out).unwrap().is_empty());
    assert_eq!(open("p.csv").description().fields[0].axes, ["point"]);
}

/// The code on the page works, and its checksum is ours.
#[test]
fn the_page_of_our_schema() {
    let page = include_str!("../../docs/data-schema.md");
    let block = |name: &str| {
        let start = page.split_once(&format!("```python {name}\n")).unwrap().1;
        start.split_once("```").unwrap().0.to_owned()
    };
    let description = Description {
        axes: vec![
            Axis::trajectory(2),
            Axis::time(&[0.0, 1.0, 2.0]),
            Axis::space("x", &[0.0, 0.5, 1.0, 1.5]),
        ],
        fields: vec![
            Field::new("v", Precision::F32, &["trajectory", "t", "x"]).gzip(4),
            Field::new("w", Precision::F64, &["t", "x"]).chunk(&[2, 3]),
        ],
        parameters: vec![Parameter::global("nu", 0.1), Parameter::per_trajectory("a", vec![1.0, 2.0])],
        boundary_conditions: vec![("x".into(), "periodic".into())],
        ..Description::new("ours")
    };
    let v: Vec<f32> = (0..24).map(|i| i as f32 / 7.0).collect();
    let w: Vec<f64> = (0..12).map(|i| f64::from(i) / 3.0).collect();
    let script = format!(
        "{}{}{}
with h5py.File('ours.h5') as f:
    v, w = f['fields/v'][:], f['fields/w'][:]
    v.tofile('v'); w.tofile('w')
    assert f['fields/v'].attrs['axes'] == 'trajectory,t,x' and f['fields/v'].compression == 'gzip'
    for path in ['fields/v', 'fields/w', 'coordinates/x', 'parameters/a']:
        assert f[path].attrs['checksum'] == checksum(f[path][:]), path
    assert list(f['parameters/a']) == [1, 2] and f['parameters/nu'][()] == 0.1
    assert f.attrs['name'] == 'ours' and 'progress' not in f.attrs
",
        block("write"),
        block("read"),
        block("checksum")
    );
    let write = |folder: &Path| {
        let mut writer = Writer::create(&folder.join("ours.h5"), &description).unwrap();
        for t in (0..3).rev() {
            let at = |tr: usize| &v[12 * tr + 4 * t..12 * tr + 4 * t + 4];
            writer.write("v", &[0..2, t..t + 1, 0..4], &[at(0), at(1)].concat()).unwrap();
        }
        writer.write("w", &[0..3, 0..4], &w).unwrap();
        writer.finish().unwrap();
    };
    let Some(folder) = run(&script, write) else { return };
    let path = folder.path().join("ours.h5");
    let ours = Dataset::open(&path).unwrap();
    assert_same(&ours, "v", folder.path(), "v");
    assert_same(&ours, "w", folder.path(), "w");
    assert!(check(&path).unwrap().is_empty());
    assert_eq!(ours.description().parameters.len(), 2);
    let theirs = folder.path().join("wave.h5");
    let Contents::Dataset(survey) = contents(&theirs).unwrap() else { panic!("a dataset") };
    assert_eq!(survey.fields[0].shape, [11, 64]);
    assert!(survey.to_string().contains("field     u(t, x): 11 × 64, float64"), "{survey}");
    assert!(check(&theirs).unwrap().is_empty());
}

fn grid(path: &Path, wrong: Option<f64>) {
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let t = [0.0, 100.0, 200.0];
    let description = Description {
        axes: vec![Axis::trajectory(4), Axis::time(&t), Axis::space("x", &x), Axis::component(2)],
        fields: vec![
            Field::new("u", Precision::F64, &["trajectory", "t", "x"]).chunk(&[1, 2, 16]),
            Field::new("v", Precision::F32, &["trajectory", "t", "component", "x"]),
        ],
        ..Description::new("grid")
    };
    let mut writer = Writer::create(path, &description).unwrap();
    let mut u: Vec<f64> = (0..480).map(|i| f64::from(i / 120 * 1000 + i / 40 % 3 * 100 + i % 40)).collect();
    if let Some(v) = wrong {
        u[17] = v;
    }
    let v: Vec<f32> =
        (0..960).map(|i| (i / 240 * 1000 + i / 80 % 3 * 100 + i % 40 + i / 40 % 2 * 5000) as f32).collect();
    writer.write("u", &[0..4, 0..3, 0..40], &u).unwrap();
    writer.write("v", &[0..4, 0..3, 0..2, 0..40], &v).unwrap();
    writer.finish().unwrap();
}

#[test]
fn every_point_is_drawn_once_an_epoch_with_its_own_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grid.h5");
    grid(&path, None);
    let dataset = Dataset::open(&path).unwrap();
    let part = Selection::all().along("trajectory", 1..4).along("t", 1..3);
    let draw = |seed: u64, batch: usize| {
        let mut points = Points::<f64>::new(&dataset, &["u", "v"], &part, seed).unwrap();
        assert_eq!((points.per_epoch(), points.width()), (240, 3));
        let (mut one, mut all) = (Batch::default(), Vec::new());
        for _ in 0..480 / batch {
            points.draw(batch, &mut one).unwrap();
            for (i, at) in one.coordinates.chunks(2).enumerate() {
                let expected = 1000.0 * f64::from(one.trajectories[i]) + at[0] + at[1];
                assert_eq!(one.values[3 * i..3 * i + 3], [expected, expected, expected + 5000.0]);
                all.push(expected as u32);
            }
        }
        all
    };
    let all = draw(1, 60);
    for epoch in all.chunks(240) {
        let mut sorted = epoch.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 240);
    }
    assert_ne!(all[..240], all[240..], "epochs differ");
    assert_eq!(draw(1, 48), all, "the order does not depend on the batches");
    assert_ne!(draw(2, 60), all, "it depends on the seed");
    for drawn in [0, 1, 59, 239, 240, 401] {
        let mut points = Points::<f64>::new(&dataset, &["u", "v"], &part, 1).unwrap();
        points.seek(drawn as u64).unwrap();
        let mut rest = Batch::default();
        points.draw(480 - drawn, &mut rest).unwrap();
        let rest: Vec<u32> = rest.values.chunks(3).map(|v| v[0] as u32).collect();
        assert_eq!(rest, all[drawn..], "resumed after {drawn}");
    }
    let mut snapshots = Snapshots::new(&dataset, &["u"], &part, 3).unwrap();
    let mut seen: Vec<_> =
        (0..6).map(|_| snapshots.draw::<f32>().unwrap()).map(|s| s.fields[0][5] as u32).collect();
    seen.sort_unstable();
    assert_eq!(seen, [1105, 1205, 2105, 2205, 3105, 3205]);
}

#[test]
fn what_cannot_be_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grid.h5");
    grid(&path, Some(f64::NAN));
    let texts: Vec<String> = check(&path).unwrap().into_iter().map(|f| f.text).collect();
    assert_eq!(texts, ["1 of 480 values of field `u` are not finite: replace them, or cut them off"]);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(Dataset::open(&path).is_err() || !check(&path).unwrap().is_empty());
    let other = folder.path().join("other.h5");
    hdf5::File::create(&other).unwrap().new_dataset::<f64>().shape(3).create("q").unwrap();
    let e = Dataset::open(&other).err().unwrap().to_string();
    assert!(e.contains("it is none of the layouts known here; it has `q`"), "{e}");
    fs::write(folder.path().join("p.csv"), "x,u\n1,2\n3\n").unwrap();
    let e = Dataset::open(&folder.path().join("p.csv")).err().unwrap().to_string();
    assert!(e.contains("line 3: it has 1 numbers, the first line 2 names; give each column a number"), "{e}");
}

#[test]
fn an_interrupted_file_is_resumed_and_an_incomplete_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("u.h5");
    let description = Description {
        axes: vec![Axis::time(&[0.0, 1.0]), Axis::space("x", &[0.0, 1.0])],
        fields: vec![Field::new("u", Precision::F64, &["t", "x"])],
        ..Description::new("u")
    };
    let rows = [[1.0, 2.0], [3.0, 4.0]];
    let mut writer = Writer::resume(&path, &description).unwrap();
    writer.write("u", &[0..1, 0..2], &rows[0]).unwrap();
    writer.commit(1).unwrap();
    writer.write("u", &[1..2, 0..2], &[9.0, 9.0]).unwrap();
    drop(writer);
    assert!(!path.exists() && folder.path().join("u.h5.part").exists());
    let mut writer = Writer::resume(&path, &description).unwrap();
    assert_eq!(writer.done(), 1);
    writer.write("u", &[1..2, 0..2], &rows[1]).unwrap();
    let resumed = writer.finish().unwrap();
    assert!(check(&path).unwrap().is_empty());
    let mut writer = Writer::create(&path, &description).unwrap();
    writer.write("u", &[0..2, 0..2], &rows.concat()).unwrap();
    assert_eq!(writer.finish().unwrap(), resumed);
    let mut writer = Writer::create(&path, &description).unwrap();
    assert!(matches!(writer.write("w", &[0..1, 0..1], &[1.0]), Err(Error::NoField { .. })));
    assert!(matches!(writer.write("u", &[0..3, 0..1], &[1.0]), Err(Error::Region { .. })));
    assert!(matches!(writer.write("u", &[0..1, 0..1], &[1.0, 2.0]), Err(Error::Length { .. })));
    assert!(matches!(writer.finish(), Err(Error::Incomplete { written: 0, size: 4, .. })));
    assert!(!folder.path().join("u.h5.part").exists());
    let twice = Description { axes: vec![Axis::time(&[0.0]), Axis::time(&[0.0])], ..Description::new("u") };
    assert!(matches!(Writer::create(&path, &twice), Err(Error::Description { .. })));
}
