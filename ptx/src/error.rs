//! What can go wrong with a device.

/// What can go wrong with a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No device can be used.
    #[error("no GPU can be used: {why}; work on the processor instead")]
    NoDevice {
        /// Why not.
        why: String,
    },
    /// Memory that the device does not have.
    #[error(
        "the GPU cannot allocate {bytes} bytes, {free} are free; use a smaller problem or a device with more memory"
    )]
    Memory {
        /// How many bytes were asked for.
        bytes: usize,
        /// How many the device had.
        free: usize,
    },
    /// Host and device memory of different lengths.
    #[error("a copy of {got} numbers into memory for {expected}")]
    Length {
        /// How many the destination has.
        expected: usize,
        /// How many the source has.
        got: usize,
    },
    /// The driver refused a call, or work that was given to it before failed.
    #[error("{call} failed with CUDA error {code}: {text}{}", mend(*code))]
    Driver {
        /// What was asked of it.
        call: &'static str,
        /// Its own number for the error.
        code: i32,
        /// What it calls the error.
        text: String,
    },
}

/// What to do about the codes that a person can do something about.
fn mend(code: i32) -> &'static str {
    match code {
        // No binary for the GPU; invalid or unsupported PTX; no compiler for it.
        209 | 218 | 221 | 222 => {
            "; the kernels need a driver of CUDA 11.8 or newer and a device of sm_70 or newer"
        }
        // The context is lost.
        700 | 714..=719 => {
            "; the device is lost to this program: start it again, and report what it was doing"
        }
        _ => "",
    }
}

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_to_do() {
        let e = Error::NoDevice { why: "there is no driver".into() };
        assert_eq!(e.to_string(), "no GPU can be used: there is no driver; work on the processor instead");
        let e = Error::Driver { call: "loading kernels", code: 222, text: "unsupported".into() };
        assert!(e.to_string().contains("CUDA error 222: unsupported; the kernels need a driver"), "{e}");
        let e = Error::Driver { call: "a launch", code: 1, text: "invalid value".into() };
        assert_eq!(e.to_string(), "a launch failed with CUDA error 1: invalid value");
    }
}
