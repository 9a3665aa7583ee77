// Verbs on vectors: the same operations in the same order as on the host, so that results have the same bits.
#ifndef REAL
#define FAMILY "vector.cu"
#include "both.cuh"
#else

KERNEL(vector_fill)(REAL a, REAL* __restrict__ y, u64 n)
{
    u64 i = thread_number();
    if (i < n) y[i] = a;
}

KERNEL(vector_axpby)(REAL a, const REAL* __restrict__ x, REAL b, REAL* __restrict__ y, u64 n)
{
    u64 i = thread_number();
    if (i >= n) return;
    REAL v = a * x[i];
    if (b != 0) v = v + b * y[i];
    y[i] = v;
}

// p <- z + beta p; p is not read when beta is 0.
KERNEL(vector_xpby)(const REAL* __restrict__ z, const double* __restrict__ beta, REAL* __restrict__ p, u64 n)
{
    u64 i = thread_number();
    if (i >= n) return;
    REAL b = (REAL)*beta, v = z[i];
    if (b != 0) v = v + b * p[i];
    p[i] = v;
}

KERNEL(vector_multiply)(REAL a, const REAL* __restrict__ d, const REAL* __restrict__ x, REAL b, REAL* __restrict__ y, u64 n)
{
    u64 i = thread_number();
    if (i >= n) return;
    REAL v = a * d[i] * x[i];
    if (b != 0) v = v + b * y[i];
    y[i] = v;
}

KERNEL(vector_scale)(REAL a, REAL* __restrict__ y, u64 n)
{
    u64 i = thread_number();
    if (i < n) y[i] *= a;
}

KERNEL(vector_shift)(REAL a, REAL* __restrict__ y, u64 n)
{
    u64 i = thread_number();
    if (i < n) y[i] += a;
}

// The sums of `term(i)` over the chunk of each half of a warp, in sums[chunk].
#define SUM_CHUNKS(term)                                                                                                         \
    u32 half = (u32)(thread_number() / LANES), lane = threadIdx.x % LANES;                                                       \
    Chunk chunk = chunk_of(half, n, size);                                                                                       \
    u32 whole = chunk.length / LANES * LANES;                                                                                    \
    REAL sum = 0;                                                                                                                \
    _Pragma("unroll 8") for (u32 o = lane; o < whole; o += LANES)                                                                \
    {                                                                                                                            \
        u64 i = chunk.first + o;                                                                                                 \
        sum += term;                                                                                                             \
    }                                                                                                                            \
    double tail = 0;                                                                                                             \
    if (lane == 0)                                                                                                               \
        for (u64 i = chunk.first + whole; i < chunk.first + chunk.length; i++) tail += (double)(term);                           \
    double folded = fold_lanes((double)sum);                                                                                     \
    if (lane == 0 && half < chunks) sums[half] = folded + tail;

KERNEL(vector_dot)(const REAL* __restrict__ x, const REAL* __restrict__ y, u64 n, u64 size, u32 chunks, double* __restrict__ sums)
{
    SUM_CHUNKS(x[i] * y[i])
}

// y <- d x, and the sums of x y.
__device__ inline REAL multiplied(const REAL* d, const REAL* x, REAL* y, u64 i)
{
    REAL v = d[i] * x[i];
    y[i] = v;
    return x[i] * v;
}

KERNEL(vector_multiply_dot)(const REAL* __restrict__ d, const REAL* __restrict__ x, REAL* __restrict__ y, u64 n, u64 size, u32 chunks,
                            double* __restrict__ sums)
{
    SUM_CHUNKS(multiplied(d, x, y, i))
}

// x <- x + a p, r <- r - a q, and the sums of r r. With a = 0 nothing is written. 6 numbers an unknown.
__device__ inline REAL stepped(REAL a, const REAL* p, const REAL* q, REAL* x, REAL* r, u64 i)
{
    REAL v = r[i];
    if (a != 0) {
        x[i] = x[i] + a * p[i];
        v = v - a * q[i];
        r[i] = v;
    }
    return v * v;
}

KERNEL(vector_step)(const double* __restrict__ alpha, const REAL* __restrict__ p, const REAL* __restrict__ q, REAL* __restrict__ x,
                    REAL* __restrict__ r, u64 n, u64 size, u32 chunks, double* __restrict__ sums)
{
    REAL a = (REAL)*alpha;
    SUM_CHUNKS(stepped(a, p, q, x, r, i))
}

// The sums of x, or of (x / scale)^2 where scale is not 0, over blocks of `size`: one half of a warp for each.
KERNEL(vector_sum)(const REAL* __restrict__ x, double scale, u64 n, u64 size, u32 blocks, double* __restrict__ sums)
{
    u32 half = (u32)(thread_number() / LANES), lane = threadIdx.x % LANES;
    u64 first = half * size;
    u64 end = first + size < n ? first + size : n;
    double sum = 0;
#pragma unroll 8
    for (u64 i = first + lane; i < end; i += LANES) {
        double v = (double)x[i];
        sum += scale == 0.0 ? v : (v / scale) * (v / scale);
    }
    sum = fold_lanes(sum);
    if (lane == 0 && half < blocks) sums[half] = sum;
}

// The largest |x| of each block of 256 threads; NaN is passed over.
KERNEL(vector_largest)(const REAL* __restrict__ x, u64 n, double* __restrict__ largest)
{
    __shared__ double shared[256];
    u64 i = thread_number();
    double v = i < n ? (double)x[i] : 0.0;
    shared[threadIdx.x] = v < 0 ? -v : v > 0 ? v : 0.0;
    for (u32 width = 128; width > 0; width /= 2) {
        __syncthreads();
        if (threadIdx.x < width && shared[threadIdx.x + width] > shared[threadIdx.x])
            shared[threadIdx.x] = shared[threadIdx.x + width];
    }
    if (threadIdx.x == 0) largest[blockIdx.x] = shared[0];
}

// The end of a sum: each of up to 256 threads adds the `each` sums of its block in order, the first adds those in order.
KERNEL(vector_finish)(const double* __restrict__ sums, u32 count, u32 each, double* __restrict__ total)
{
    __shared__ double shared[256];
    u32 first = threadIdx.x * each, end = first + each < count ? first + each : count;
    double sum = 0;
#pragma unroll 8
    for (u32 i = first; i < end; i++) sum += sums[i];
    shared[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        u32 blocks = (count + each - 1) / each;
        double all = 0;
        for (u32 b = 0; b < blocks; b++) all += shared[b];
        *total = all;
    }
}

// a / b, or 0 unless both are positive and the quotient is a finite number of the vectors' precision.
KERNEL(vector_ratio)(const double* __restrict__ a, const double* __restrict__ b, double* __restrict__ quotient)
{
    double v = *a / *b;
    *quotient = *a > 0 && *b > 0 && is_finite((REAL)v) ? v : 0.0;
}

// x y within the segment of each half of a warp, in the order of the host: blocks of its own length, chunks, lanes.
KERNEL(vector_segment_dot)(const u64* __restrict__ bounds, u32 segments, const REAL* __restrict__ x, const REAL* __restrict__ y,
                           double* __restrict__ dots)
{
    u32 half = (u32)(thread_number() / LANES), lane = threadIdx.x % LANES;
    u64 begin = half < segments ? bounds[half] : 0, n = half < segments ? bounds[half + 1] - begin : 0;
    // As many steps for both halves of the warp, since they fold together.
    u64 size = block_size(n), other = __shfl_xor_sync(0xffffffffu, n, LANES);
    u32 mine = chunk_count(n, size), theirs = chunk_count(other, block_size(other));
    u32 steps = mine > theirs ? mine : theirs, each = (u32)((size + CHUNK - 1) / CHUNK);
    double total = 0, block = 0;
    for (u32 c = 0; c < steps; c++) {
        Chunk chunk = chunk_of(c, n, size);
        u32 whole = chunk.length / LANES * LANES;
        REAL sum = 0;
        for (u32 o = lane; o < whole; o += LANES) {
            u64 i = begin + chunk.first + o;
            sum += x[i] * y[i];
        }
        double tail = 0;
        if (lane == 0)
            for (u32 o = whole; o < chunk.length; o++) {
                u64 i = begin + chunk.first + o;
                tail += (double)(x[i] * y[i]);
            }
        block += fold_lanes((double)sum) + tail;
        if ((c + 1) % each == 0 || c + 1 == mine) {
            total += block;
            block = 0;
        }
    }
    if (lane == 0 && half < segments) dots[half] = total;
}

// y <- y + a x within each segment whose a is not 0: one block of threads for each.
KERNEL(vector_segment_axpy)(const u64* __restrict__ bounds, const double* __restrict__ a, const REAL* __restrict__ x, REAL* __restrict__ y)
{
    REAL factor = (REAL)a[blockIdx.x];
    if (a[blockIdx.x] == 0) return;
    for (u64 i = bounds[blockIdx.x] + threadIdx.x; i < bounds[blockIdx.x + 1]; i += blockDim.x) y[i] = factor * x[i] + y[i];
}

// y <- x within each segment whose mark is not 0.
KERNEL(vector_segment_copy)(const u64* __restrict__ bounds, const u32* __restrict__ marks, const REAL* __restrict__ x, REAL* __restrict__ y)
{
    if (marks[blockIdx.x] == 0) return;
    for (u64 i = bounds[blockIdx.x] + threadIdx.x; i < bounds[blockIdx.x + 1]; i += blockDim.x) y[i] = x[i];
}

#endif
