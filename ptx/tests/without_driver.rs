//! A machine without a driver, which this program sees whatever the machine has.

use resolvent_ptx::{Error, Gpu, driver};

#[test]
fn a_device_cannot_be_opened_and_it_is_said_why() {
    // SAFETY: the only thread of this program so far that looks at the environment.
    unsafe { std::env::set_var("RESOLVENT_CUDA_DRIVER", "no-such-library.so") };
    assert!(!driver::present());
    for refused in [Gpu::open(0).unwrap_err(), Gpu::count_devices().unwrap_err()] {
        assert!(matches!(refused, Error::NoDevice { .. }));
        let text = refused.to_string();
        assert!(text.contains("no CUDA driver") && text.contains("work on the processor"), "{text}");
    }
}
