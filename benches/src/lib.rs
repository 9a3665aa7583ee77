//! Scaling benchmarks, bandwidth measurements, and the tables and pictures made of them.
//!
//! A [`Suite`] runs every method on every size of a problem family and gives one [`Measurement`] for each,
//! a failure included; [`folder`] keeps them as they come, so that an interrupted run goes on where it was, and turns them
//! into a table ([`table`]), pictures ([`plot`]) and one self-contained page ([`report`]). A folder of a training
//! run becomes such a page by [`training`].

pub mod bandwidth;
#[cfg(feature = "cuda")]
pub mod device;
pub mod folder;
pub mod machine;
pub mod measurement;
pub mod memory;
pub mod method;
pub mod plot;
pub mod report;
pub mod spread;
pub mod suite;
pub mod table;
pub mod training;

pub use measurement::Measurement;
pub use method::Method;
pub use spread::Spread;
pub use suite::Suite;
