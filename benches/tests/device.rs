//! The page on a GPU's kernels: every task runs, on the emulator, and is in the table with and without a device.
#![cfg(feature = "cuda")]

use resolvent::Device;
use resolvent_benches::device::{TASKS, copy_bandwidth, measure, page};

#[test]
fn every_task_runs_and_is_in_the_table() {
    resolvent_emulator::install();
    let space = Device::<f64>::open(0).unwrap();
    assert!(copy_bandwidth(space.gpu()).unwrap() > 0.0);
    let mut seen = 0;
    let rows = measure(Some(&space), 6, &mut |_| seen += 1).unwrap();
    assert_eq!((rows.len(), seen), (TASKS.len(), TASKS.len()));
    let text = page(&rows, 6, Some(1e9));
    // The emulated clock says 1 ms.
    assert!(rows.iter().all(|row| row.seconds == Some(1e-3)), "{rows:?}");
    assert!(text.contains("| x·y, f64 | 16 | 0.003 | 1.000 | 0% |"), "{text}");
    let text = page(&measure(None, 256, &mut |_| {}).unwrap(), 256, None);
    assert!(text.contains("no GPU here") && text.contains("| x·y, f64 | 16 | 0.065 |  |  |"), "{text}");
}
