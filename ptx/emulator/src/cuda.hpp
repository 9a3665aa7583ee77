// What CUDA C++ has built in, for the processor. A thread of a block is a fiber; what makes it wait is in Rust.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

struct Index {
    unsigned x, y, z;
};

// Where the fiber that runs is. Set before it is resumed; one launch at a time.
struct State {
    Index thread, block, block_size, grid_size;
    unsigned char* dynamic;
};

extern "C" {
extern State emulated_state;
void emulated_barrier();
// What `lane` of this thread's warp hands over, for `value` of its own.
uint64_t emulated_exchange(uint64_t value, unsigned lane);
}

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static
#define __restrict__ __restrict
#define __constant__ const
#define __launch_bounds__(...)
#define threadIdx emulated_state.thread
#define blockIdx emulated_state.block
#define blockDim emulated_state.block_size
#define gridDim emulated_state.grid_size
// Shared memory whose size the launch says.
#define DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(emulated_state.dynamic)

inline void __syncthreads() { emulated_barrier(); }
inline void __syncwarp(unsigned = ~0u) { emulated_exchange(0, 0); }
inline void __threadfence() {}

template <class T> T emulated_shuffle(T value, unsigned lane)
{
    static_assert(sizeof(T) <= 8, "a shuffle moves 8 bytes at most");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    bits = emulated_exchange(bits, lane);
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}
inline unsigned emulated_lane()
{
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32;
}
template <class T> T __shfl_sync(unsigned, T v, int lane, int width = 32)
{
    unsigned me = emulated_lane();
    return emulated_shuffle(v, me / width * width + lane % width);
}
template <class T> T __shfl_down_sync(unsigned, T v, unsigned by, int width = 32)
{
    unsigned me = emulated_lane();
    return emulated_shuffle(v, me % width + by < (unsigned)width ? me + by : me);
}
template <class T> T __shfl_up_sync(unsigned, T v, unsigned by, int width = 32)
{
    unsigned me = emulated_lane();
    return emulated_shuffle(v, me % width >= by ? me - by : me);
}
template <class T> T __shfl_xor_sync(unsigned, T v, int mask, int width = 32)
{
    unsigned me = emulated_lane(), other = me ^ mask;
    return emulated_shuffle(v, other / width == me / width ? other : me);
}

template <class T> T __ldg(const T* p) { return *p; }
template <class T> T atomicAdd(T* p, T v)
{
    T old = *p;
    *p += v;
    return old;
}
template <class T> T min(T a, T b) { return a < b ? a : b; }
template <class T> T max(T a, T b) { return a > b ? a : b; }
using std::exp;
using std::fma;
using std::sqrt;
using std::tanh;

using Call = void (*)(void**);
struct Kernel {
    const char* name;
    Call call;
};
template <class... A, std::size_t... I> void call_with(void (*kernel)(A...), void** p, std::index_sequence<I...>)
{
    kernel(*static_cast<std::remove_reference_t<A>*>(p[I])...);
}
// Runs a kernel with the arguments that a launch points to.
template <class... A> void call(void (*kernel)(A...), void** p) { call_with(kernel, p, std::index_sequence_for<A...>{}); }
