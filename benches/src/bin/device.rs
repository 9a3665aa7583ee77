//! One page on the kernels of a GPU: each beside a copy measured in the same run; without a GPU, what bandwidth allows.
//!
//!     cargo run --release -p resolvent-benches --bin device -- 256

use resolvent::Device;
use resolvent_benches::device::{copy_bandwidth, measure, page};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let n = std::env::args().nth(1).map_or(Ok(256), |n| n.parse())?;
    let space = match Device::<f64>::open(0) {
        Ok(space) => Some(space),
        Err(e) => {
            eprintln!("{e}");
            None
        }
    };
    let bandwidth = space.as_ref().map(|space| copy_bandwidth(space.gpu())).transpose()?;
    let rows = measure(space.as_ref(), n, &mut |name| eprintln!("{name}"))?;
    if let Some(space) = &space {
        println!("{}.", space.gpu().name());
    }
    print!("{}", page(&rows, n, bandwidth));
    Ok(())
}
