// What every family begins with. There are no standard headers: only what the compiler has built in.
#pragma once

typedef unsigned int u32;
typedef unsigned long long u64;

// Shared memory whose size the launch says.
#ifndef DYNAMIC_SHARED
#define DYNAMIC_SHARED(type, name)                  \
    extern __shared__ double dynamic_shared[];      \
    type* name = reinterpret_cast<type*>(dynamic_shared)
#endif

// Sums have the order of the host: entries are cut into blocks of `size`, these into chunks of CHUNK, and a chunk is added up
// in LANES running sums that are folded by halves. Half a warp works on a chunk, so that the bits are those of the host.
#define CHUNK 1024u
#define LANES 16u

// This thread's number among all of the launch.
__device__ inline u64 thread_number() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }

// The sum of 16 lanes, in lane 0 of each half of a warp. Every thread of the warp takes part.
__device__ inline double fold_lanes(double v)
{
    for (u32 width = LANES / 2; width > 0; width /= 2)
        v += __shfl_down_sync(0xffffffffu, v, width, LANES);
    return v;
}

__device__ inline bool is_finite(double v) { return v - v == 0.0; }
__device__ inline bool is_finite(float v) { return v - v == 0.0f; }

// A chunk of a vector of n entries that is cut into blocks of `size`.
struct Chunk {
    u64 first;
    u32 length;
};

__device__ inline Chunk chunk_of(u32 index, u64 n, u64 size)
{
    u32 each = (u32)((size + CHUNK - 1) / CHUNK);
    u64 begin = index / each * size;
    u64 first = begin + (u64)(index % each) * CHUNK;
    u64 end = begin + size < n ? begin + size : n;
    u64 left = first < end ? end - first : 0;
    return Chunk{first, (u32)(left < CHUNK ? left : CHUNK)};
}

// The length of a block of a vector of n entries, as the host has it, and how many chunks that makes.
__device__ inline u64 block_size(u64 n)
{
    u64 size = ((n + 255) / 256 + 63) / 64 * 64;
    return size < 4096 ? 4096 : size;
}

__device__ inline u32 chunk_count(u64 n, u64 size)
{
    u64 each = (size + CHUNK - 1) / CHUNK, whole = n / size, rest = n % size;
    return (u32)(whole * each + (rest + CHUNK - 1) / CHUNK);
}
