// The product of a matrix stored by rows with a vector. A row is added up by `width` threads that lie beside one another, so that
// they read its entries side by side; its sum has another order than on the host, and differs by rounding.
#ifndef REAL
#define FAMILY "csr.cu"
#include "both.cuh"
#else

KERNEL(csr_product)(const u32* __restrict__ offsets, const u32* __restrict__ columns, const REAL* __restrict__ values,
                    const REAL* __restrict__ x, u32 rows, u32 width, REAL* __restrict__ y)
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
    if (lane == 0 && row < rows) y[row] = sum;
}

#endif
