// Structured operators on a box of cells, row by row along x, as on the host: what lies beyond a side holds 0.
#pragma once
#include "prelude.cuh"

typedef unsigned char u8;

// Cells along x, y, z, and bit d where dimension d closes on itself.
struct Box {
    u32 n[3];
    u32 periodic;
};

// The coefficients of an operator; which of them there are depends on its kind.
template <class T> struct Coefficients {
    const T* diagonals; // constant: of each cell of a row, for the 16 kinds of row
    const T* inverses;
    const u8* flags;    // flags: the diagonal, 0 where a cell takes no part
    const T* faces[3];  // faces: one layer more than there are cells; none along an absent dimension
    const T* sink;      // faces: none, or what each cell loses
    T c[3];             // constant: conductances of inner faces
    Box box;
};

#define NOWHERE (~0ull)

// A row of cells, and the rows at y - 1, y + 1, z - 1, z + 1.
struct Row {
    u64 start;
    u64 across[4];
    u32 j, k;
};

__device__ inline u64 next_row(const Box& b, u32 j, u32 k, u32 axis, bool up)
{
    u32 at = axis == 1 ? j : k, n = b.n[axis];
    bool ring = b.periodic >> axis & 1;
    if (up ? at + 1 == n : at == 0) {
        if (!ring) return NOWHERE;
        at = up ? 0 : n - 1;
    } else {
        at = up ? at + 1 : at - 1;
    }
    return (u64)b.n[0] * (axis == 1 ? at + (u64)b.n[1] * k : j + (u64)b.n[1] * at);
}

__device__ inline Row row_at(const Box& b, u32 j, u32 k)
{
    Row row;
    row.start = (u64)b.n[0] * (j + (u64)b.n[1] * k);
    row.j = j, row.k = k;
    for (u32 a = 0; a < 4; a++) row.across[a] = next_row(b, j, k, 1 + a / 2, a % 2);
    return row;
}

// The six neighbours of cell i of a row: x - 1, x + 1, then those across. `fetch(index)` is the value of a cell.
template <class T, class Fetch> __device__ inline void surroundings(const Box& b, const Row& row, u32 i, Fetch fetch, T x[6])
{
    u32 nx = b.n[0];
    bool ring = b.periodic & 1;
    x[0] = i > 0 ? fetch(row.start + i - 1) : ring ? fetch(row.start + nx - 1) : T(0);
    x[1] = i + 1 < nx ? fetch(row.start + i + 1) : ring ? fetch(row.start) : T(0);
    for (u32 a = 0; a < 4; a++) x[2 + a] = row.across[a] != NOWHERE ? fetch(row.across[a] + i) : T(0);
}

// What each kind of operator makes of a row: `off`, the sum of g x over the neighbours; the diagonal and its inverse, 0 in a
// cell that takes no part; `centre`, the diagonal times x; `mask`, v or 0 in a cell that takes no part.
template <class T> struct ConstantRow {
    T c0, c1, c2;
    const T *diagonals, *inverses;
    __device__ ConstantRow(const Coefficients<T>& a, const Row& row) : c0(a.c[0]), c1(a.c[1]), c2(a.c[2])
    {
        u32 kind = (row.j == 0) + 2 * (row.j + 1 == a.box.n[1]) + 4 * (row.k == 0) + 8 * (row.k + 1 == a.box.n[2]);
        diagonals = a.diagonals + kind * a.box.n[0];
        inverses = a.inverses + kind * a.box.n[0];
    }
    __device__ T off(u32, const T x[6]) const { return c0 * (x[0] + x[1]) + c1 * (x[2] + x[3]) + c2 * (x[4] + x[5]); }
    __device__ T diagonal(u32 i) const { return diagonals[i]; }
    __device__ T inverse(u32 i) const { return inverses[i]; }
    __device__ T centre(u32 i, T x) const { return diagonals[i] * x; }
    __device__ static T mask(const Coefficients<T>&, u64, T v) { return v; }
};

// Flags, for vectors that hold 0 in cells that take no part.
template <class T> struct FlagRow {
    const u8* d;
    __device__ FlagRow(const Coefficients<T>& a, const Row& row) : d(a.flags + row.start) {}
    __device__ T off(u32 i, const T x[6]) const { return d[i] > 0 ? (x[0] + x[1]) + (x[2] + x[3]) + (x[4] + x[5]) : T(0); }
    __device__ T diagonal(u32 i) const { return T(d[i]); }
    __device__ T inverse(u32 i) const { return d[i] > 0 ? T(1) / T(d[i]) : T(0); }
    __device__ T centre(u32 i, T x) const { return T(d[i]) * x; }
    __device__ static T mask(const Coefficients<T>& a, u64 cell, T v) { return a.flags[cell] > 0 ? v : T(0); }
};

// Flags, for vectors that may hold anything there: values that pass `mask` before they are summed one after the other.
template <class T> struct GuardedRow : FlagRow<T> {
    __device__ GuardedRow(const Coefficients<T>& a, const Row& row) : FlagRow<T>(a, row) {}
    __device__ T off(u32 i, const T x[6]) const
    {
        return this->d[i] > 0 ? x[0] + x[1] + x[2] + x[3] + x[4] + x[5] : T(0);
    }
    __device__ T centre(u32 i, T x) const { return this->d[i] > 0 ? T(this->d[i]) * x : T(0); }
};

template <class T> struct FaceRow {
    const T *x, *s, *n, *b, *t, *sink;
    __device__ FaceRow(const Coefficients<T>& a, const Row& row)
    {
        u64 nx = a.box.n[0], ny = a.box.n[1], r = row.j + ny * row.k;
        x = a.faces[0] ? a.faces[0] + (nx + 1) * r : nullptr;
        s = a.faces[1] ? a.faces[1] + nx * (row.j + (ny + 1) * row.k) : nullptr;
        n = s ? s + nx : nullptr;
        b = a.faces[2] ? a.faces[2] + nx * r : nullptr;
        t = b ? b + nx * ny : nullptr;
        sink = a.sink ? a.sink + row.start : nullptr;
    }
    __device__ static T of(const T* g, u32 i) { return g ? g[i] : T(0); }
    __device__ T off(u32 i, const T v[6]) const
    {
        return (of(x, i) * v[0] + of(x, i + 1) * v[1]) + (of(s, i) * v[2] + of(n, i) * v[3]) + (of(b, i) * v[4] + of(t, i) * v[5]);
    }
    __device__ T diagonal(u32 i) const
    {
        return (of(x, i) + of(x, i + 1)) + (of(s, i) + of(n, i)) + (of(b, i) + of(t, i)) + of(sink, i);
    }
    __device__ T inverse(u32 i) const
    {
        T d = diagonal(i);
        return d > T(0) ? T(1) / d : T(0);
    }
    __device__ T centre(u32 i, T v) const { return diagonal(i) * v; }
    __device__ static T mask(const Coefficients<T>&, u64, T v) { return v; }
};
