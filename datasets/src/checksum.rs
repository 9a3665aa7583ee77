//! Checksums of numbers, to tell whether two machines made the same data.

use resolvent::Csr;

/// FNV-1a with 64 bits, over the little-endian bytes of numbers.
///
/// # Reference
/// G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, "The FNV non-cryptographic hash algorithm", IETF draft-eastlake-fnv.
///
/// ```
/// use resolvent_datasets::Checksum;
/// assert_eq!(Checksum::of_bytes(b"foobar"), 0x85944171f73967e8);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Checksum(u64);

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

impl Checksum {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Of what had this checksum, and what follows.
    pub(crate) const fn going_on(value: u64) -> Self {
        Self(value)
    }

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// The checksum so far.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The checksum of bytes.
    pub fn of_bytes(bytes: &[u8]) -> u64 {
        let mut sum = Self::new();
        sum.bytes(bytes);
        sum.0
    }

    /// The checksum of the bits of a vector.
    pub fn of_vector(values: &[f64]) -> u64 {
        let mut sum = Self::new();
        values.iter().for_each(|v| sum.bytes(&v.to_bits().to_le_bytes()));
        sum.0
    }

    /// The checksum of a matrix: rows and columns, offsets (64 bits each), column numbers (32 bits), bits of the values.
    pub fn of_matrix(matrix: &Csr<f64>) -> u64 {
        let mut sum = Self::new();
        for n in [matrix.rows(), matrix.cols()].into_iter().chain(matrix.offsets().iter()) {
            sum.bytes(&(n as u64).to_le_bytes());
        }
        matrix.columns().iter().for_each(|c| sum.bytes(&c.to_le_bytes()));
        matrix.values().iter().for_each(|v| sum.bytes(&v.to_bits().to_le_bytes()));
        sum.0
    }
}
