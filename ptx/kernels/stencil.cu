// Products of structured operators with vectors, alone or fused into a step of conjugate gradients. Half a warp marches along each
// row, so that sums have the order of the host; the rows of a block lie beside one another and share what they read.
// REGISTERS 96: what several cells read is on its way at a time, which hides more latency than more threads would.
#ifndef REAL
#define FAMILY "stencil.cu"
#include "rows.cuh"

// The value of a cell as it is.
template <class T, class Kind> struct Plain {
    const Coefficients<T>& a;
    const T* x;
    __device__ T operator()(u64 cell) const { return x[cell]; }
};
// 0 in a cell that takes no part.
template <class T, class Kind> struct Masked {
    const Coefficients<T>& a;
    const T* x;
    __device__ T operator()(u64 cell) const { return Kind::mask(a, cell, x[cell]); }
};
// z + beta p; p is not read when beta is 0.
template <class T, class Kind> struct Updated {
    const Coefficients<T>& a;
    const T *z, *p;
    T beta;
    __device__ T operator()(u64 cell) const
    {
        T v = z[cell];
        if (beta != 0) v = v + beta * p[cell];
        return Kind::mask(a, cell, v);
    }
};

// y <- A x with x as fetched, which goes to `store` when that is not null; row sums of x y when `sums` is not null.
template <class T, class Kind, class Fetch>
__device__ void product(const Coefficients<T>& a, u32 beside, Fetch fetch, T* store, T* y, double* sums)
{
    const Box& b = a.box;
    u32 half = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    u32 tiles = (b.n[1] + beside - 1) / beside, above = blockDim.x / LANES / beside;
    u32 j = blockIdx.x % tiles * beside + half % beside, k = blockIdx.x / tiles * above + half / beside;
    bool inside = j < b.n[1] && k < b.n[2];
    Row row = row_at(b, inside ? j : 0, inside ? k : 0);
    Kind kind(a, row);
    double total = 0;
    for (u32 first = 0; first < b.n[0]; first += CHUNK) {
        u32 length = b.n[0] - first < CHUNK ? b.n[0] - first : CHUNK, whole = length / LANES * LANES;
        T sum = 0, last = 0;
        if (inside)
            for (u32 o = lane; o < length; o += LANES) {
                u32 i = first + o;
                T x[6], centre = fetch(row.start + i);
                surroundings(b, row, i, fetch, x);
                T v = kind.centre(i, centre) - kind.off(i, x);
                y[row.start + i] = v;
                if (store) store[row.start + i] = centre;
                if (o < whole)
                    sum += centre * v;
                else
                    last = centre * v;
            }
        if (sums) {
            double tail = 0;
            for (u32 o = whole; o < length; o++) tail += (double)__shfl_sync(0xffffffffu, last, o - whole, LANES);
            total += fold_lanes((double)sum) + tail;
        }
    }
    // Rows of one y lie together, so that what adds them up reads side by side.
    if (sums && lane == 0 && inside) sums[k + (u64)b.n[2] * j] = total;
}

#include "both.cuh"
#else

#define PRODUCT(name, Kind, Fetch)                                                                                               \
    KERNEL(stencil_##name)                                                                                                       \
    (Coefficients<REAL> a, u32 beside, const REAL* __restrict__ x, REAL* __restrict__ y, double* __restrict__ sums)              \
    {                                                                                                                            \
        product<REAL, Kind<REAL>>(a, beside, Fetch<REAL, Kind<REAL>>{a, x}, (REAL*)nullptr, y, sums);                            \
    }
#define UPDATE(name, Kind)                                                                                                       \
    KERNEL(stencil_##name##_update)                                                                                              \
    (Coefficients<REAL> a, u32 beside, const REAL* __restrict__ z, const double* __restrict__ beta, const REAL* __restrict__ p,  \
     REAL* __restrict__ updated, REAL* __restrict__ q, double* __restrict__ sums)                                                \
    {                                                                                                                            \
        product<REAL, Kind<REAL>>(a, beside, Updated<REAL, Kind<REAL>>{a, z, p, (REAL)*beta}, updated, q, sums);                 \
    }

PRODUCT(constant, ConstantRow, Plain)
PRODUCT(flags, FlagRow, Plain)
PRODUCT(guarded, GuardedRow, Masked)
PRODUCT(faces, FaceRow, Plain)
UPDATE(constant, ConstantRow)
UPDATE(flags, FlagRow)
UPDATE(faces, FaceRow)

// The sum of row sums: each thread adds those of one z over y, and the first adds these in order. One block of up to 1024.
KERNEL(stencil_finish)(const double* __restrict__ sums, u32 ny, u32 nz, double* __restrict__ total)
{
    __shared__ double shared[1024];
    double all = 0;
    for (u32 first = 0; first < nz; first += blockDim.x) {
        u32 k = first + threadIdx.x;
        double sum = 0;
        if (k < nz) {
#pragma unroll 8
            for (u32 j = 0; j < ny; j++) sum += sums[k + (u64)nz * j];
        }
        shared[threadIdx.x] = sum;
        __syncthreads();
        if (threadIdx.x == 0)
            for (u32 t = 0; t < blockDim.x && first + t < nz; t++) all += shared[t];
        __syncthreads();
    }
    if (threadIdx.x == 0) *total = all;
}

// v <- v, or 0 in cells that take no part.
#define CLEAN(name, Kind)                                                                                                        \
    KERNEL(stencil_##name##_clean)(Coefficients<REAL> a, REAL less, REAL* __restrict__ v)                                        \
    {                                                                                                                            \
        const Box& b = a.box;                                                                                                    \
        u64 cell = thread_number(), rows = (u64)b.n[1] * b.n[2];                                                                 \
        if (cell >= rows * b.n[0]) return;                                                                                       \
        u64 r = cell / b.n[0];                                                                                                   \
        Kind<REAL> kind(a, row_at(b, (u32)(r % b.n[1]), (u32)(r / b.n[1])));                                                     \
        v[cell] = kind.diagonal((u32)(cell % b.n[0])) > 0 ? v[cell] - less : REAL(0);                                            \
    }
CLEAN(constant, ConstantRow)
CLEAN(flags, FlagRow)
CLEAN(faces, FaceRow)
#undef PRODUCT
#undef UPDATE
#undef CLEAN

#endif
