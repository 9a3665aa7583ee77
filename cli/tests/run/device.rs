//! A machine without a driver, which the program sees whatever the machine has.

use super::Bench;

const WITHOUT: [(&str, &str); 1] = [("RESOLVENT_CUDA_DRIVER", "no-such-library.so")];

#[test]
fn where_there_is_no_gpu_the_command_says_so_and_leaves_nothing() {
    let bench = Bench::new();
    for line in [
        "solve --problem box --n 8 --device cuda --output x.h5",
        "bench poisson --problem box --sizes 8 --device cuda --out b",
    ] {
        let run = bench.run_with(line, &WITHOUT).expect(6).says(&["no GPU", "no CUDA driver", "processor"]);
        assert!(run.out.is_empty(), "{}", run.out);
        assert!(bench.names().is_empty(), "{:?}", bench.names());
    }
    let doctor = bench.run_with("doctor --json", &WITHOUT).expect(0).json();
    assert_eq!((&doctor["gpu"], &doctor["features"][0]), (&serde_json::Value::Null, &"cuda".into()));
    assert!(bench.run_with("doctor", &WITHOUT).expect(0).out.contains("no CUDA driver"));
}
