//! Numbers on their way between a file and memory.

use super::Precision;

/// `f32` or `f64`.
pub trait Real: resolvent::Scalar + sealed::Stored {
    /// How it is stored.
    const PRECISION: Precision;

    /// The buffer, with its type told at run time.
    fn values(buffer: &mut [Self]) -> ValuesMut<'_>;

    /// The nearest number of this type.
    fn nearest(v: f64) -> Self;

    /// Its bits, with zeros before those of an `f32`.
    fn pattern(self) -> u64;
}

pub(crate) mod sealed {
    /// What HDF5 can store.
    pub trait Stored: hdf5::H5Type + Copy + Default {}
    impl Stored for f32 {}
    impl Stored for f64 {}
}

/// A place for numbers of either type.
#[derive(Debug)]
pub enum ValuesMut<'a> {
    /// 32-bit floats.
    F32(&'a mut [f32]),
    /// 64-bit floats.
    F64(&'a mut [f64]),
}

impl ValuesMut<'_> {
    /// How many numbers it has room for.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
        }
    }

    /// A part of it.
    pub(crate) fn part(&mut self, range: std::ops::Range<usize>) -> ValuesMut<'_> {
        match self {
            Self::F32(v) => ValuesMut::F32(&mut v[range]),
            Self::F64(v) => ValuesMut::F64(&mut v[range]),
        }
    }

    /// Whether it has room for none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Real for f32 {
    const PRECISION: Precision = Precision::F32;

    fn values(buffer: &mut [Self]) -> ValuesMut<'_> {
        ValuesMut::F32(buffer)
    }

    fn nearest(v: f64) -> Self {
        v as Self
    }

    fn pattern(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Real for f64 {
    const PRECISION: Precision = Precision::F64;

    fn values(buffer: &mut [Self]) -> ValuesMut<'_> {
        ValuesMut::F64(buffer)
    }

    fn nearest(v: f64) -> Self {
        v
    }

    fn pattern(self) -> u64 {
        self.to_bits()
    }
}
