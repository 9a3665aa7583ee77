// The pieces of a V-cycle on structured grids: red-black relaxation, the residual and its restriction, interpolation.
// Cell (i, j, k) is red where i + j + k is even, else black.
// REGISTERS 96: of relaxation on faces, which has six conductances beside six neighbours.
#ifndef REAL
#define FAMILY "multigrid.cu"
#include "rows.cuh"

// The interpolation to a level: [beta_x, beta_y, beta_z, alpha] of each cell as bytes, 252 for 1, or as functions of one
// coordinate. A cell takes alpha (own + sum of beta (other - own)) from its own coarse cell and the nearest other along each
// dimension that is halved.
template <class T> struct Weights {
    const u8* packed;
    const T* beta[3];
    const T* alpha[3];
    Box coarse;
    u32 halve; // bit d where dimension d is halved
};

template <class T> struct Four {
    T beta[3], alpha;
};

template <class T> __device__ inline Four<T> weights_at(const Weights<T>& w, u64 cell, const u32 at[3])
{
    if (w.packed) {
        const u8* p = w.packed + 4 * cell;
        const T one = T(1.0 / 252.0);
        return Four<T>{{T(p[0]) * one, T(p[1]) * one, T(p[2]) * one}, T(p[3]) * one};
    }
    return Four<T>{{w.beta[0][at[0]], w.beta[1][at[1]], w.beta[2][at[2]]}, w.alpha[1][at[1]] * w.alpha[2][at[2]] * w.alpha[0][at[0]]};
}

// The cell of this thread in a box.
struct Cell {
    u32 at[3];
    bool inside;
};

__device__ inline Cell cell_of(const Box& b)
{
    Cell c{{blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y * blockDim.y + threadIdx.y, blockIdx.z * blockDim.z + threadIdx.z}, true};
    c.inside = c.at[0] < b.n[0] && c.at[1] < b.n[1] && c.at[2] < b.n[2];
    return c;
}

__device__ inline u64 index_in(const Box& b, const u32 at[3]) { return at[0] + (u64)b.n[0] * (at[1] + (u64)b.n[1] * at[2]); }

// The coarse neighbour along dimension d that fine coordinate i takes from besides its parent; false when there is none.
template <class T> __device__ inline bool other_of(const Weights<T>& w, u32 d, u32 i, u32& other)
{
    if (!(w.halve >> d & 1)) return false;
    u32 n = w.coarse.n[d], parent = i / 2;
    bool up = i % 2, ring = w.coarse.periodic >> d & 1;
    if (up ? parent + 1 < n : parent > 0)
        other = up ? parent + 1 : parent - 1;
    else if (ring)
        other = up ? 0 : n - 1;
    else
        return false;
    return true;
}

// 1 / diagonal of any cell.
template <class T> struct InverseOfConstant {
    __device__ static T at(const Coefficients<T>& a, u32 i, u32 j, u32 k, u64)
    {
        u32 kind = (j == 0) + 2 * (j + 1 == a.box.n[1]) + 4 * (k == 0) + 8 * (k + 1 == a.box.n[2]);
        return a.inverses[kind * a.box.n[0] + i];
    }
};
template <class T> struct InverseOfFlags {
    __device__ static T at(const Coefficients<T>& a, u32, u32, u32, u64 cell) { return a.flags[cell] > 0 ? T(1) / T(a.flags[cell]) : T(0); }
};
template <class T> struct InverseOfFaces {
    __device__ static T at(const Coefficients<T>& a, u32, u32, u32, u64 cell) { return a.inverses[cell]; }
};

// e on red cells after relaxing them from 0, as their neighbours see it.
template <class T, class Inverse> struct FirstRed {
    const Coefficients<T>& a;
    const T* f;
    T omega;
    __device__ T operator()(u64 cell) const
    {
        const Box& b = a.box;
        u64 r = cell / b.n[0];
        return omega * f[cell] * Inverse::at(a, (u32)(cell % b.n[0]), (u32)(r % b.n[1]), (u32)(r / b.n[1]), cell);
    }
};

// e <- what a red and then a black half-sweep make of 0.
template <class T, class Kind, class Inverse>
__device__ void begin(const Coefficients<T>& a, T red, T black, const T* f, T* e)
{
    Cell c = cell_of(a.box);
    if (!c.inside) return;
    u64 cell = index_in(a.box, c.at);
    FirstRed<T, Inverse> first{a, f, red};
    if ((c.at[0] + c.at[1] + c.at[2]) % 2 == 0) {
        e[cell] = first(cell);
        return;
    }
    Row row = row_at(a.box, c.at[1], c.at[2]);
    Kind kind(a, row);
    T x[6];
    surroundings(a.box, row, c.at[0], first, x);
    e[cell] = black * ((f[cell] + kind.off(c.at[0], x)) * Inverse::at(a, c.at[0], c.at[1], c.at[2], cell));
}

template <class T> struct Value {
    const T* x;
    __device__ T operator()(u64 cell) const { return x[cell]; }
};

// e <- e + omega ((f + off(e)) / d - e) on the cells of a colour: a thread for every two cells of a row.
template <class T, class Kind, class Inverse>
__device__ void relax(const Coefficients<T>& a, u32 colour, T omega, const T* f, T* e)
{
    Cell c = cell_of(a.box);
    u32 i = 2 * c.at[0] + (c.at[1] + c.at[2] + colour) % 2;
    if (i >= a.box.n[0] || c.at[1] >= a.box.n[1] || c.at[2] >= a.box.n[2]) return;
    Row row = row_at(a.box, c.at[1], c.at[2]);
    Kind kind(a, row);
    T x[6];
    surroundings(a.box, row, i, Value<T>{e}, x);
    u64 cell = row.start + i;
    T v = e[cell];
    e[cell] = v + omega * ((f[cell] + kind.off(i, x)) * Inverse::at(a, i, c.at[1], c.at[2], cell) - v);
}

// coarse <- P^T (f - A e). A block has a tile of coarse cells, one for each thread, and keeps the residual of all fine cells that
// give to them: one more to each side along dimensions that are halved.
template <class T, class Kind>
__device__ void restrict_residual(const Coefficients<T>& a, const Weights<T>& w, const T* f, const T* e, T* coarse)
{
    DYNAMIC_SHARED(T, residual);
    const u32 tile[3] = {blockDim.x, blockDim.y, blockDim.z};
    const u32 block[3] = {blockIdx.x, blockIdx.y, blockIdx.z};
    u32 size[3];
    int low[3];
    for (u32 d = 0; d < 3; d++) {
        bool halved = w.halve >> d & 1;
        size[d] = halved ? 2 * tile[d] + 2 : tile[d];
        low[d] = halved ? (int)(2 * block[d] * tile[d]) - 1 : (int)(block[d] * tile[d]);
    }
    u32 threads = tile[0] * tile[1] * tile[2];
    u32 me = threadIdx.x + tile[0] * (threadIdx.y + tile[1] * threadIdx.z);
    for (u32 s = me; s < size[0] * size[1] * size[2]; s += threads) {
        const u32 within[3] = {s % size[0], s / size[0] % size[1], s / size[0] / size[1]};
        u32 at[3];
        bool there = true;
        for (u32 d = 0; d < 3; d++) {
            int i = low[d] + (int)within[d], n = (int)a.box.n[d];
            if (i < 0 || i >= n) {
                there = there && (a.box.periodic >> d & 1);
                i = i < 0 ? i + n : i - n;
                there = there && i >= 0 && i < n;
            }
            at[d] = (u32)i;
        }
        T r = 0;
        if (there) {
            Row row = row_at(a.box, at[1], at[2]);
            Kind kind(a, row);
            T x[6];
            surroundings(a.box, row, at[0], Value<T>{e}, x);
            u64 cell = row.start + at[0];
            r = kind.off(at[0], x) + (f[cell] - kind.diagonal(at[0]) * e[cell]);
        }
        residual[s] = r;
    }
    __syncthreads();
    Cell c = cell_of(w.coarse);
    if (!c.inside) return;
    const u32 mine[3] = {threadIdx.x, threadIdx.y, threadIdx.z};
    // The fine cells of this coarse one, and beside them those that take from it along one dimension.
    u32 first[3], count[3];
    for (u32 d = 0; d < 3; d++) {
        bool halved = w.halve >> d & 1;
        u32 start = halved ? 2 * c.at[d] : c.at[d];
        count[d] = halved && start + 1 < a.box.n[d] ? 2 : 1;
        first[d] = halved ? 2 * mine[d] + 1 : mine[d];
    }
    T sum = 0;
    for (u32 along = 0; along < 4; along++) {
        // along = 3: its own cells; else those one further down and one further up along that dimension.
        if (along < 3 && !(w.halve >> along & 1)) continue;
        u32 extent[3] = {count[0], count[1], count[2]};
        if (along < 3) extent[along] = 2;
        for (u32 z = 0; z < extent[2]; z++)
            for (u32 y = 0; y < extent[1]; y++)
                for (u32 x = 0; x < extent[0]; x++) {
                    const u32 step[3] = {x, y, z};
                    u32 at[3], within[3];
                    bool there = true;
                    for (u32 d = 0; d < 3; d++) {
                        bool halved = w.halve >> d & 1;
                        int offset = d == along ? (step[d] ? 2 : -1) : (int)step[d];
                        int i = (int)(halved ? 2 * c.at[d] : c.at[d]) + offset, n = (int)a.box.n[d];
                        if (d == along && (i < 0 || i >= n)) {
                            there = there && (a.box.periodic >> d & 1);
                            i = i < 0 ? i + n : i - n;
                            there = there && i >= 0 && i < n;
                        }
                        at[d] = (u32)i;
                        within[d] = (u32)((int)first[d] + offset);
                    }
                    if (!there) continue;
                    u32 other;
                    if (along < 3 && !(other_of(w, along, at[along], other) && other == c.at[along])) continue;
                    Four<T> v = weights_at(w, index_in(a.box, at), at);
                    T r = v.alpha * residual[within[0] + size[0] * (within[1] + size[1] * within[2])];
                    sum += along < 3 ? v.beta[along] * r : r - v.beta[0] * r - v.beta[1] * r - v.beta[2] * r;
                }
    }
    coarse[index_in(w.coarse, c.at)] = sum;
}

#include "both.cuh"
#else

#define LEVEL(name, Kind, Inverse)                                                                                               \
    KERNEL(multigrid_##name##_begin)                                                                                             \
    (Coefficients<REAL> a, REAL red, REAL black, const REAL* __restrict__ f, REAL* __restrict__ e)                               \
    {                                                                                                                            \
        begin<REAL, Kind<REAL>, Inverse<REAL>>(a, red, black, f, e);                                                             \
    }                                                                                                                            \
    KERNEL(multigrid_##name##_relax)                                                                                             \
    (Coefficients<REAL> a, u32 colour, REAL omega, const REAL* __restrict__ f, REAL* e)                                          \
    {                                                                                                                            \
        relax<REAL, Kind<REAL>, Inverse<REAL>>(a, colour, omega, f, e);                                                          \
    }                                                                                                                            \
    KERNEL(multigrid_##name##_restrict)                                                                                          \
    (Coefficients<REAL> a, Weights<REAL> w, const REAL* __restrict__ f, const REAL* __restrict__ e, REAL* __restrict__ coarse)   \
    {                                                                                                                            \
        restrict_residual<REAL, Kind<REAL>>(a, w, f, e, coarse);                                                                 \
    }
LEVEL(constant, ConstantRow, InverseOfConstant)
LEVEL(flags, FlagRow, InverseOfFlags)
LEVEL(faces, FaceRow, InverseOfFaces)
#undef LEVEL

// e <- e + P coarse.
KERNEL(multigrid_prolong)(Box fine, Weights<REAL> w, const REAL* __restrict__ coarse, REAL* __restrict__ e)
{
    Cell c = cell_of(fine);
    if (!c.inside) return;
    u64 cell = index_in(fine, c.at);
    u32 parent[3];
    for (u32 d = 0; d < 3; d++) parent[d] = w.halve >> d & 1 ? c.at[d] / 2 : c.at[d];
    Four<REAL> v = weights_at(w, cell, c.at);
    REAL own = coarse[index_in(w.coarse, parent)], sum = own;
    for (u32 d = 0; d < 3; d++) {
        u32 other, there[3] = {parent[0], parent[1], parent[2]};
        if (!other_of(w, d, c.at[d], other)) continue;
        there[d] = other;
        sum += v.beta[d] * (coarse[index_in(w.coarse, there)] - own);
    }
    e[cell] += v.alpha * sum;
}

// e <- A^-1 f by the inverse, which is symmetric.
KERNEL(multigrid_direct)(const double* __restrict__ inverse, u32 n, const REAL* __restrict__ f, REAL* __restrict__ e)
{
    u32 i = (u32)thread_number();
    if (i >= n) return;
    double sum = 0;
#pragma unroll 4
    for (u32 j = 0; j < n; j++) sum += inverse[(u64)j * n + i] * (double)f[j];
    e[i] = (REAL)sum;
}

// f <- scale r.
KERNEL(multigrid_load)(const double* __restrict__ r, double scale, REAL* __restrict__ f, u64 n)
{
    u64 i = thread_number();
    if (i < n) f[i] = (REAL)(r[i] * scale);
}

// z <- scale e, and the sums of r z by chunks.
KERNEL(multigrid_store)(const REAL* __restrict__ e, double scale, const double* __restrict__ r, double* __restrict__ z, u64 n, u64 size,
                        u32 chunks, double* __restrict__ sums)
{
    u32 half = (u32)(thread_number() / LANES), lane = threadIdx.x % LANES;
    Chunk chunk = chunk_of(half, n, size);
    double sum = 0;
#pragma unroll 8
    for (u32 o = lane; o < chunk.length; o += LANES) {
        u64 i = chunk.first + o;
        double v = (double)e[i] * scale;
        z[i] = v;
        sum += r[i] * v;
    }
    sum = fold_lanes(sum);
    if (lane == 0 && half < chunks) sums[half] = sum;
}

#endif
