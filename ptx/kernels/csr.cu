// The product of a matrix stored by rows with a vector. A row is added up by `width` threads that lie beside one another, so that
// they read its entries side by side; its sum has another order than on the host, and differs by rounding.
#ifndef REAL
#define FAMILY "csr.cu"
#include "both.cuh"
#else

// y <- a A x + b z; z is not read when b is 0, and may be y.
KERNEL(csr_product)(const u32* __restrict__ offsets, const u32* __restrict__ columns, const REAL* __restrict__ values, u32 rows, u32 width,
                    REAL a, const REAL* __restrict__ x, REAL b, const REAL* z, REAL* y)
{
    u64 thread = thread_number();
    u64 row = thread / width;
    u32 lane = (u32)(thread % width);
    REAL sum = 0;
    if (row < rows) {
        u32 end = offsets[row + 1];
#pragma unroll 4
        for (u32 e = offsets[row] + lane; e < end; e += width) sum += values[e] * x[columns[e]];
    }
    for (u32 half = width / 2; half > 0; half /= 2) sum += __shfl_down_sync(0xffffffffu, sum, half);
    if (lane == 0 && row < rows) y[row] = b != 0 ? a * sum + b * z[row] : a * sum;
}

// d <- keep d + take r / diagonal, x <- x + d; from zero where `fresh`. A step of a Chebyshev polynomial.
KERNEL(csr_relax)(REAL keep, REAL take, const REAL* __restrict__ inverse, const REAL* __restrict__ r, u32 fresh, REAL* __restrict__ d,
                  REAL* __restrict__ x, u64 n)
{
    u64 i = thread_number();
    if (i >= n) return;
    REAL v = take * inverse[i] * r[i];
    if (keep != 0) v = keep * d[i] + v;
    d[i] = v;
    x[i] = fresh ? v : x[i] + v;
}

#endif
