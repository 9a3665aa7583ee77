//! Kernels in the order in which the loops read them: `[blocks of outputs][taps][inputs][block]`, zeros beyond the outputs.

use super::Geometry;
use crate::Scalar;

/// Packs a kernel `[taps, inputs, outputs]`.
pub(crate) fn pack<T: Scalar>(g: Geometry, w: &[T], packed: &mut [T]) {
    arrange(g, packed, |tap, i, o| w[(tap * g.inputs + i) * g.outputs + o]);
}

/// Packs what takes a gradient back through the kernel of a convolution whose [`reversed`](Geometry::reversed) geometry is
/// `g`: taps mirrored, channels exchanged.
pub(crate) fn pack_reversed<T: Scalar>(g: Geometry, w: &[T], packed: &mut [T]) {
    arrange(g, packed, |tap, i, o| w[((g.taps() - 1 - tap) * g.outputs + o) * g.inputs + i]);
}

/// Adds a packed gradient to one of the kernel's own shape.
pub(crate) fn add_unpacked<T: Scalar>(g: Geometry, packed: &[T], w: &mut [T]) {
    let size = g.taps() * g.inputs;
    for (row, w) in w.chunks_exact_mut(g.outputs).enumerate() {
        for (block, w) in w.chunks_mut(T::BLOCK).enumerate() {
            let packed = &packed[(block * size + row) * T::BLOCK..];
            w.iter_mut().zip(packed).for_each(|(w, &p)| *w += p);
        }
    }
}

fn arrange<T: Scalar>(g: Geometry, packed: &mut [T], of: impl Fn(usize, usize, usize) -> T) {
    let mut places = packed.iter_mut();
    for block in 0..g.padded::<T>() / T::BLOCK {
        for tap in 0..g.taps() {
            for i in 0..g.inputs {
                for (o, place) in (block * T::BLOCK..(block + 1) * T::BLOCK).zip(&mut places) {
                    *place = if o < g.outputs { of(tap, i, o) } else { T::of(0.0) };
                }
            }
        }
    }
}
