//! A made file in h5py.

use resolvent_datasets::reference::{Settings, Written, solve, write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

#[test]
fn h5py_reads_what_was_made() {
    // The virtual environment that `tests/python.rs` makes.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("python");
    if !folder.join("complete").exists() {
        println!(
            "target/python is not there yet; run `cargo test -p resolvent-datasets --test python` first"
        );
        return;
    }
    let s = Settings::of("turbulence").unwrap().set("n", "32").unwrap().set("peak", "2").unwrap();
    let s = s.set("times", "3").unwrap().set("end", "0.5").unwrap().samples(2).unwrap().seed(4);
    let out = tempfile::tempdir().unwrap();
    let written = write(&s, &out.path().join("t.h5"), &|_| ControlFlow::Continue(())).unwrap();
    let Written::Done { accuracy, checksum } = written else { panic!("nothing stopped it") };
    let solved = solve(&s).unwrap();
    let u: Vec<u8> = solved.field(1, 2, 1).iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(out.path().join("u"), u).unwrap();
    let script = format!(
        "import h5py, numpy as np
with h5py.File('t.h5') as f:
    assert f.attrs['schema'] == 'resolvent-data' and f.attrs['schema_version'] == 1
    assert f['fields/u'].shape == (2, 3, 32, 32)
    assert f['fields/u'].attrs['axes'] == 'trajectory,t,x,y'
    assert f['fields/u'][1, 2].tobytes() == open('u', 'rb').read()
    assert np.allclose(f['coordinates/t'][:], [0, 0.25, 0.5]) and f['parameters/nu'][()] == 5e-3
    p = f['provenance'].attrs
    assert p['seed'] == 4 and p['accuracy'] == {accuracy:e} and p['checksum'] == '{checksum:016x}'
    assert p['command'].startswith('resolvent data make turbulence --seed 4 --samples 2 --set n=32')
    w, u = f['fields/w'][0, 0], f['fields/u'][0, 0]
    k = np.fft.fftfreq(32, 1 / 32); hat = np.fft.fft2(w); q = k[:, None]**2 + k**2; q[0, 0] = 1
    assert np.allclose(np.fft.ifft2(1j * k[None, :] * hat / q).real, u)
"
    );
    let output = Command::new(folder.join("bin/python"))
        .args(["-c", &script])
        .current_dir(out.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
