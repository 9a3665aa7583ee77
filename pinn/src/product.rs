//! The three matrix products of a layer, on a tile of points.
//!
//! A tile is stored by features: row f holds the streams of feature f one after the other, each a value for every point. So
//! the columns, streams times points, fill registers whatever the width of the network, and weights are never padded:
//!
//! | product | shape | by |
//! |:--|:--|:--|
//! | z = W h + b | outputs × inputs times inputs × columns | [`affine`] with W packed by panels of rows |
//! | h̄ = Wᵀ z̄ | inputs × outputs times outputs × columns | [`affine`] with Wᵀ packed |
//! | W̄ += h z̄ᵀ | inner products of rows | [`outer`], summed by blocks |

pub(crate) mod affine;
pub(crate) mod outer;

/// Rows of numbers, `stride` apart.
#[derive(Clone, Copy)]
pub struct Rows<T> {
    pub start: *mut T,
    pub stride: usize,
    pub count: usize,
}

impl<T> Rows<T> {
    /// The start of row `i`.
    ///
    /// # Safety
    /// `i` is at most `count`, and the rows are allocated.
    #[inline(always)]
    pub unsafe fn row(self, i: usize) -> *mut T {
        debug_assert!(i <= self.count);
        // SAFETY: the caller's promise.
        unsafe { self.start.add(i * self.stride) }
    }
}
