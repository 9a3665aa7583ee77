//! `doctor`: what this build and this machine can do.

use crate::console::Console;
use crate::device;
use crate::failure::{Code, Failure};
use resolvent_benches::bandwidth::Triad;
use resolvent_benches::machine::Machine;
use resolvent_benches::memory;
use serde_json::json;

/// Looks around and says what it sees.
pub fn run(console: &Console) -> Result<Code, Failure> {
    let machine = Machine::current();
    let bar = console.progress("{spinner} measuring the memory bandwidth", None);
    let triad = Triad::default().measure(10);
    bar.finish_and_clear();
    let available = memory::available().unwrap_or(0);
    let hdf5 = resolvent_datasets::system_file::library_version();
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let vector = vector_unit();
    let (gpu, found) = device::look();
    let features: &[&str] = if cfg!(feature = "cuda") { &["cuda"] } else { &[] };
    console.print(&format!(
        "version     resolvent {}\n\
         processor   {}, {} threads, {vector}\n\
         memory      {:.1} GiB, {:.1} GiB free\n\
         bandwidth   {:.1} GB/s, triad on {} threads\n\
         HDF5        {hdf5}, bundled\n\
         GPU         {gpu}\n\
         system      {}\n",
        machine.version,
        machine.processor,
        machine.cores,
        gib(machine.memory),
        gib(available),
        triad / 1e9,
        machine.threads,
        machine.system,
    ));
    console.object(&json!({
        "schema": 1,
        "version": machine.version,
        "processor": machine.processor,
        "cores": machine.cores,
        "threads": machine.threads,
        "vector_unit": vector,
        "memory_bytes": machine.memory,
        "available_bytes": available,
        "bandwidth_bytes_per_second": triad,
        "hdf5": hdf5,
        "features": features,
        "gpu": found,
        "system": machine.system,
    }));
    Ok(Code::Done)
}

fn vector_unit() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            return "AVX2";
        }
        return "SSE2 (kernels are slower without AVX2)";
    }
    #[allow(unreachable_code)]
    "the compiler's default vectors"
}
