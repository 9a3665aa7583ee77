//! The place of GPU kernels and their launchers. It has no kernel yet, only what a launch can fail with.

/// What can go wrong with a device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No device can be used.
    #[error("no GPU can be used: {why}; work on the processor instead")]
    NoDevice {
        /// Why not.
        why: String,
    },
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
    }
}
