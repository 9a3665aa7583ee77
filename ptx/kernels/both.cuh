// Takes a family twice: `REAL` is float, then double, and kernels end in _f32 and _f64.
#include "prelude.cuh"

#define REAL float
#define KERNEL(name) extern "C" __global__ void name##_f32
#include FAMILY
#undef REAL
#undef KERNEL

#define REAL double
#define KERNEL(name) extern "C" __global__ void name##_f64
#include FAMILY
#undef REAL
#undef KERNEL
