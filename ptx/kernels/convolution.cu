// The layers of networks on grids, in f32: convolutions over the 9 or 27 cells around, kernels of each cell's own, and ways between a
// grid and the one with half as many cells along each side. Fields are planes of cells, one for each channel.
// REGISTERS 128: 64 running sums stay in registers, so that a number read is multiplied 48 times.
#include "rows.cuh"

#define OUTPUTS 16u // a thread adds up so many channels
#define CELLS 4u    // of so many cells beside one another

// y <- w * x + b, negative numbers replaced by 0 when `positive`, y added when `add`. Weights are [blocks of outputs, inputs, taps,
// OUTPUTS]; a block of threads keeps those of `chunk` inputs at a time in shared memory. blockIdx.z is the block of outputs.
extern "C" __global__ void __launch_bounds__(128)
convolution_apply_f32(Box box, u32 depth, u32 inputs, u32 outputs, u32 chunk, const float* __restrict__ x, const float* __restrict__ w,
                      const float* __restrict__ b, u32 positive, u32 add, float* y)
{
    DYNAMIC_SHARED(float, weights);
    u32 nx = box.n[0], ny = box.n[1], nz = box.n[2], taps = 9 * depth;
    u64 plane = (u64)nx * ny * nz;
    u32 along = (nx + CELLS - 1) / CELLS;
    u64 group = thread_number();
    u32 i = (u32)(group % along) * CELLS, j = (u32)(group / along % ny), k = (u32)(group / along / ny);
    bool inside = k < nz;
    u32 first = blockIdx.z * OUTPUTS;
    float sum[CELLS][OUTPUTS];
#pragma unroll
    for (u32 c = 0; c < CELLS; c++)
#pragma unroll
        for (u32 o = 0; o < OUTPUTS; o++) sum[c][o] = b[first + o];
    for (u32 from = 0; from < inputs; from += chunk) {
        u32 count = inputs - from < chunk ? inputs - from : chunk;
        const float* source = w + ((u64)blockIdx.z * inputs + from) * taps * OUTPUTS;
        __syncthreads();
        for (u32 s = threadIdx.x; s < count * taps * OUTPUTS; s += blockDim.x) weights[s] = source[s];
        __syncthreads();
        if (!inside) continue;
        for (u32 in = 0; in < count; in++) {
            const float* field = x + (from + in) * plane;
            for (u32 row = 0; row < 3 * depth; row++) {
                int dj = (int)(row % 3) - 1, dk = depth == 1 ? 0 : (int)(row / 3) - 1;
                int rj = (int)j + dj, rk = (int)k + dk;
                if (rj < 0 || rj >= (int)ny || rk < 0 || rk >= (int)nz) continue;
                const float* line = field + (u64)nx * ((u64)rj + (u64)ny * rk);
                float v[CELLS + 2];
#pragma unroll
                for (u32 c = 0; c < CELLS + 2; c++) {
                    int at = (int)(i + c) - 1;
                    v[c] = at >= 0 && at < (int)nx ? line[at] : 0.0f;
                }
                const float* tap = weights + (in * taps + 3 * row) * OUTPUTS;
#pragma unroll
                for (u32 t = 0; t < 3; t++)
#pragma unroll
                    for (u32 o = 0; o < OUTPUTS; o++) {
                        float weight = tap[t * OUTPUTS + o];
#pragma unroll
                        for (u32 c = 0; c < CELLS; c++) sum[c][o] = fma(weight, v[c + t], sum[c][o]);
                    }
            }
        }
    }
    if (!inside) return;
    u64 cell = i + (u64)nx * (j + (u64)ny * k);
#pragma unroll
    for (u32 o = 0; o < OUTPUTS; o++) {
        if (first + o >= outputs) break;
        float* out = y + (first + o) * plane + cell;
#pragma unroll
        for (u32 c = 0; c < CELLS; c++) {
            if (i + c >= nx) break;
            float v = sum[c][o];
            if (positive && v < 0.0f) v = 0.0f;
            out[c] = add ? v + out[c] : v;
        }
    }
}

// y <- the sum over channels of w x, and b: one number for each cell.
extern "C" __global__ void convolution_read_f32(u64 cells, u32 channels, const float* __restrict__ x, const float* __restrict__ w, float b,
                                                float* __restrict__ y)
{
    u64 cell = thread_number();
    if (cell >= cells) return;
    float sum = 0.0f;
    for (u32 c = 0; c < channels; c++) sum += x[c * cells + cell] * w[c];
    y[cell] = sum + b;
}

// The coarse cells of a fine one along a dimension, and what they count: between their centres linearly.
__device__ inline void between(u32 fine, u32 i, u32& near, u32& far)
{
    u32 coarse = (fine + 1) / 2;
    near = i / 2;
    far = i % 2 == 0 ? (near > 0 ? near - 1 : 0) : (near + 1 < coarse ? near + 1 : coarse - 1);
}

// coarse <- the mean of the cells that each coarse cell covers. blockIdx.y is the channel.
extern "C" __global__ void convolution_average_f32(Box fine, const float* __restrict__ x, float* __restrict__ y)
{
    u32 n[3];
    for (u32 d = 0; d < 3; d++) n[d] = (fine.n[d] + 1) / 2;
    u64 cells = (u64)n[0] * n[1] * n[2], cell = thread_number();
    if (cell >= cells) return;
    u32 at[3] = {(u32)(cell % n[0]), (u32)(cell / n[0] % n[1]), (u32)(cell / n[0] / n[1])};
    const float* field = x + blockIdx.y * ((u64)fine.n[0] * fine.n[1] * fine.n[2]);
    u32 count[3];
    for (u32 d = 0; d < 3; d++) count[d] = 2 * at[d] + 1 < fine.n[d] ? 2 : 1;
    float sum = 0.0f;
    for (u32 k = 0; k < count[2]; k++)
        for (u32 j = 0; j < count[1]; j++)
            for (u32 i = 0; i < count[0]; i++)
                sum += field[2 * at[0] + i + (u64)fine.n[0] * (2 * at[1] + j + (u64)fine.n[1] * (2 * at[2] + k))];
    y[blockIdx.y * cells + cell] = sum / (float)(count[0] * count[1] * count[2]);
}

// fine <- fine + the value of the coarse cell around.
extern "C" __global__ void convolution_nearest_f32(Box fine, const float* __restrict__ x, float* __restrict__ y)
{
    u64 cells = (u64)fine.n[0] * fine.n[1] * fine.n[2], cell = thread_number();
    if (cell >= cells) return;
    u32 i = (u32)(cell % fine.n[0]), j = (u32)(cell / fine.n[0] % fine.n[1]), k = (u32)(cell / fine.n[0] / fine.n[1]);
    u64 n[3];
    for (u32 d = 0; d < 3; d++) n[d] = (fine.n[d] + 1) / 2;
    y[blockIdx.y * cells + cell] += x[blockIdx.y * n[0] * n[1] * n[2] + i / 2 + n[0] * (j / 2 + n[1] * (k / 2))];
}

// fine <- between the centres of coarse cells linearly, beyond the last ones constant; one channel.
extern "C" __global__ void convolution_linear_f32(Box fine, const float* __restrict__ x, float* __restrict__ y)
{
    u64 cells = (u64)fine.n[0] * fine.n[1] * fine.n[2], cell = thread_number();
    if (cell >= cells) return;
    u32 at[3] = {(u32)(cell % fine.n[0]), (u32)(cell / fine.n[0] % fine.n[1]), (u32)(cell / fine.n[0] / fine.n[1])};
    u32 place[3][2];
    u64 n[3];
    for (u32 d = 0; d < 3; d++) {
        between(fine.n[d], at[d], place[d][0], place[d][1]);
        n[d] = (fine.n[d] + 1) / 2;
    }
    float sum = 0.0f;
    for (u32 corner = 0; corner < 8; corner++) {
        u32 a = corner & 1, b = corner >> 1 & 1, c = corner >> 2;
        float weight = (a ? 0.25f : 0.75f) * (b ? 0.25f : 0.75f) * (c ? 0.25f : 0.75f);
        sum += weight * x[place[0][a] + n[0] * (place[1][b] + n[1] * place[2][c])];
    }
    y[cell] = sum;
}

// y <- own y + factor K x with a kernel for every cell, [taps, cells]; zeros beyond the sides.
extern "C" __global__ void convolution_local_f32(Box box, u32 depth, const float* __restrict__ kernels, const float* __restrict__ x, float factor,
                                                 float own, float* __restrict__ y)
{
    u64 cells = (u64)box.n[0] * box.n[1] * box.n[2], cell = thread_number();
    if (cell >= cells) return;
    int i = (int)(cell % box.n[0]), j = (int)(cell / box.n[0] % box.n[1]), k = (int)(cell / box.n[0] / box.n[1]);
    float sum = 0.0f;
    for (u32 tap = 0; tap < 9 * depth; tap++) {
        int ri = i + (int)(tap % 3) - 1, rj = j + (int)(tap / 3 % 3) - 1, rk = depth == 1 ? k : k + (int)(tap / 9) - 1;
        if (ri < 0 || rj < 0 || rk < 0 || ri >= (int)box.n[0] || rj >= (int)box.n[1] || rk >= (int)box.n[2]) continue;
        sum += kernels[tap * cells + cell] * x[ri + (u64)box.n[0] * (rj + (u64)box.n[1] * rk)];
    }
    y[cell] = own == 0.0f ? factor * sum : own * y[cell] + factor * sum;
}

// x <- r / norm, for a network that works in f32; and d <- norm x, back.
extern "C" __global__ void convolution_enter_f32(const double* __restrict__ r, double norm, float* __restrict__ x, u64 n)
{
    u64 i = thread_number();
    if (i < n) x[i] = (float)(r[i] / norm);
}
extern "C" __global__ void convolution_leave_f32(const float* __restrict__ x, double norm, double* __restrict__ d, u64 n)
{
    u64 i = thread_number();
    if (i < n) d[i] = (double)x[i] * norm;
}
