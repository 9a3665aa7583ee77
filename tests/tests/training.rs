//! The worked examples of training: configurations in `pinn/examples` on files that h5py wrote, and checkpoints and fields that
//! Python reads.
//!
//! Where there is no `python3` what needs it prints so and passes; see `datasets/tests/python.rs`.

#[path = "../../datasets/tests/python/interpreter.rs"]
mod interpreter;

use interpreter::{python, succeed};
use resolvent_datasets::reference::{Settings, write};
use resolvent_pinn::run::{Against, End, Outcome, Start, evaluate, train};
use resolvent_pinn::{Config, registry};
use serde_json::json;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Trains an example beside its data.
fn example(folder: &Path, name: &str, sets: &[&str]) -> (Outcome, PathBuf) {
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pinn/examples").join(name);
    fs::copy(text, folder.join(name)).unwrap();
    let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
    let config = Config::load(&folder.join(name), &sets).unwrap();
    let run = folder.join("run");
    let outcome = train(&config, &run, Start::New, &json!({}), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(outcome.end, End::Done);
    (outcome, run)
}

fn script(folder: &Path, text: &str) -> Option<()> {
    let text = format!("import h5py, numpy as np\n{text}");
    succeed(Command::new(python()?).args(["-W", "error", "-c", &text]).current_dir(folder));
    Some(())
}

#[test]
fn a_speed_from_data_shaped_like_pdebench() {
    let folder = tempfile::tempdir().unwrap();
    let write = "
t, x = np.linspace(0, 1, 41), (np.arange(64) + 0.5)/64
phase = np.array([0.0, 0.3, 0.7])[:, None, None]
u = np.sin(2*np.pi*(x[None, None, :] - 0.4*t[None, :, None] + phase))
with h5py.File('1D_Advection_Sols_beta0.4.hdf5', 'w') as f:
    f.create_dataset('tensor', data=u.astype('f4'), chunks=(1, 41, 64))
    f['x-coordinate'], f['t-coordinate'] = x.astype('f4'), np.append(t, 1.025).astype('f4')
    f.attrs['beta'] = 0.4
";
    if script(folder.path(), write).is_none() {
        return;
    }
    let (outcome, run) = example(folder.path(), "pdebench.toml", &[]);
    assert!((outcome.parameters["beta"] - 0.4).abs() < 5e-3, "{outcome:?}");
    // Another trajectory is another function, the fitted one is not.
    let own = folder.path().join("1D_Advection_Sols_beta0.4.hdf5");
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    let compare = |trajectory: usize| {
        let reference =
            format!("[equation.reference]\ntrajectory = {trajectory}\nfields = {{ tensor = \"u\" }}\n");
        fs::write(run.join("config.toml"), config.clone() + &reference).unwrap();
        evaluate(&run, Against { data: Some(&own), ..Against::default() }).unwrap()[0].relative_l2
    };
    assert!(compare(0) < 2e-2, "{}", compare(0));
    assert!(compare(1) > 0.5);
}

#[test]
fn a_diffusivity_from_data_shaped_like_the_well() {
    let folder = tempfile::tempdir().unwrap();
    let write = "
t, x, y = np.linspace(0, 1, 11), np.arange(24)/24, np.arange(16)/16
k = 2*np.pi
c = np.exp(-0.02*2*k**2*t)[:, None, None]*np.sin(k*x)[None, :, None]*np.cos(k*y)[None, None, :]
with h5py.File('diffusion.hdf5', 'w') as f:
    f.attrs['dataset_name'], f.attrs['grid_type'] = 'diffusion', 'cartesian'
    f.attrs['n_spatial_dims'], f.attrs['n_trajectories'], f.attrs['simulation_parameters'] = 2, 1, []
    for axis in 'xy':
        b = f.create_group(f'boundary_conditions/{axis}_periodic')
        b.attrs['associated_dims'], b.attrs['associated_fields'], b.attrs['bc_type'] = axis, [], 'PERIODIC'
        b['mask'] = np.zeros(24 if axis == 'x' else 16, bool)
    d = f.create_group('dimensions'); d.attrs['spatial_dims'] = ['x', 'y']
    for name, v in [('time', t), ('x', x), ('y', y)]:
        d[name] = v; d[name].attrs['sample_varying'] = False
    f.create_group('scalars').attrs['field_names'] = []
    for i, names in [(0, ['concentration']), (1, []), (2, [])]:
        f.create_group(f't{i}_fields').attrs['field_names'] = names
    g = f['t0_fields']; g['concentration'] = c[None].astype('f4'); g = g['concentration']
    g.attrs['dim_varying'], g.attrs['sample_varying'], g.attrs['time_varying'] = [True, True], True, True
";
    if script(folder.path(), write).is_none() {
        return;
    }
    let (outcome, _) = example(folder.path(), "the_well.toml", &[]);
    assert!((outcome.parameters["kappa"] - 0.02).abs() < 1e-3, "{outcome:?}");
}

#[test]
fn a_viscosity_from_noisy_points_of_a_solution() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::of("burgers").unwrap().set("nu", "0.05").unwrap();
    write(&settings, &folder.path().join("burgers.h5"), &|_| ControlFlow::Continue(())).unwrap();
    let (outcome, _) = example(folder.path(), "inverse.toml", &["train.steps=1500"]);
    assert!((outcome.parameters["nu"] - 0.05).abs() < 5e-3, "{outcome:?}");
}

#[test]
fn the_spectral_norm_of_an_error_is_numpys() {
    let folder = tempfile::tempdir().unwrap();
    let sets = [
        "equation.reference.settings={re=100.0, n=21, degree=24}",
        "log.spectral=true",
        "network.layers=[8, 8]",
        "train.steps=20",
    ];
    let text = registry::find("cavity-streamfunction").unwrap().toml;
    let config = Config::parse(text, &sets.map(String::from)).unwrap();
    let run = folder.path().join("run");
    let outcome = train(&config, &run, Start::New, &json!({}), &mut |_| ControlFlow::Continue(())).unwrap();
    let names: Vec<&str> = outcome.errors.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["psi_y", "-psi_x", "speed"]);
    let own: Vec<f64> = outcome.errors.iter().map(|e| e.spectral.unwrap()).collect();
    // A matrix's norm is at most the root of the sum of its squares, which is the other error here.
    assert!(outcome.errors.iter().all(|e| e.spectral.unwrap() > 0.0 && e.relative_l2 > 0.0));
    let read = format!(
        "
import json
p = json.load(open('run/panel.json'))
got, exact = (np.array(p[k], float).reshape(3, 21, 21) for k in ('predicted', 'exact'))
for g, e, own in zip(got, exact, {own:?}):
    norm = np.linalg.norm(g - e, 2)/np.linalg.norm(e, 2)
    assert abs(norm - own) < 1e-10*own, (norm, own)
# What was made of two fields is made of what was learnt of them.
assert np.allclose(got[2], np.hypot(got[0], got[1]), rtol=1e-12)
assert np.allclose(exact[2], np.hypot(exact[0], exact[1]), rtol=1e-12)
"
    );
    script(folder.path(), &read);
    // Asked for later, it is the same.
    let again = evaluate(&run, Against { spectral: true, ..Against::default() }).unwrap();
    assert!((again[2].spectral.unwrap() - own[2]).abs() < 1e-12 * own[2]);
}

#[test]
fn heat_flows_around_a_hole_and_python_reads_what_was_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, run) = example(folder.path(), "forward.toml", &["train.steps=600"]);
    assert_eq!(outcome.steps, 600);
    let file = folder.path().join("u.h5");
    evaluate(&run, Against { export: Some((&file, 21)), ..Against::default() }).unwrap();
    let read = "
import json, safetensors, safetensors.numpy
with h5py.File('u.h5') as f:
    found = {}
    f.visititems(lambda name, o: found.update({name: o}) if isinstance(o, h5py.Dataset) else None)
    u = next(np.array(o) for name, o in found.items() if name.split('/')[-1] == 'u')
assert u.shape == (21, 21, 21), u.shape
# t, x, y: nothing in the hole, hot on the left.
assert np.isnan(u[:, 10, 10]).all() and np.isfinite(u[:, 0, :]).all()
assert (u[-1, 1, :].mean() > 0.6) and (u[-1, -2, :].mean() < 0.4), u[-1, :, 0]
path = 'run/checkpoints/' + open('run/checkpoints/latest').read().strip()
with safetensors.safe_open(path, 'numpy') as f:
    about = json.loads(f.metadata()['resolvent'])
assert (about['kind'], about['name'], about['step']) == ('pinn', 'forward', 600), about
w = safetensors.numpy.load_file(path)
# The same network in numpy, at the corner x = y = t = 0 of the first layer's standardised inputs.
h = (np.array([[0.0, 0.3, 0.9]]) - 0.5)*np.sqrt(12.0)
for layer in ['hidden_0', 'hidden_1', 'hidden_2']:
    h = np.tanh(h @ w[layer + '.weight'] + w[layer + '.bias'])
value = (h @ w['output.weight'] + w['output.bias'])[0, 0]
assert abs(value - u[0, 6, 18]) < 1e-5, (value, u[0, 6, 18])
";
    let _ = script(folder.path(), read);
}
