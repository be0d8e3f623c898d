// mul_sum_4x32: float32 [1, 4, 1, 32, 1], 16384 floating-point operations, 34304 bytes
// out0: float32 [1, 4, 1, 32, 1]; x0: float32 [1, 4, 1, 64]; x1: float32 [1, 4, 64, 32]
// gpt.py:83  y = (att @ v).transpose(1, 2).reshape(B, T, C) # (B, T, C): the heads side by side
#include "../words_c.h"

void kernel_4c69ec9c2572ad69(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0, i1 by 32; tile: 4 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    idx i1 = task % 1 * 32;
    // sum over r0 of x0 * x1
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 64; r0 += 1) {
      f32 load1 = load_f32(x0 + i0 * 64 + r0);
      f32x8 load2 = load_f32x8(x1 + i0 * 2048 + i1 + r0 * 32);
      sum1 = sum1 + splat_f32x8(load1) * load2;
      f32x8 load3 = load_f32x8(x1 + i0 * 2048 + i1 + r0 * 32 + 8);
      sum2 = sum2 + splat_f32x8(load1) * load3;
      f32x8 load4 = load_f32x8(x1 + i0 * 2048 + i1 + r0 * 32 + 16);
      sum3 = sum3 + splat_f32x8(load1) * load4;
      f32x8 load5 = load_f32x8(x1 + i0 * 2048 + i1 + r0 * 32 + 24);
      sum4 = sum4 + splat_f32x8(load1) * load5;
    }
    // out0 = the sum
    store_f32x8(out0 + i0 * 32 + i1, sum1);
    store_f32x8(out0 + i0 * 32 + i1 + 8, sum2);
    store_f32x8(out0 + i0 * 32 + i1 + 16, sum3);
    store_f32x8(out0 + i0 * 32 + i1 + 24, sum4);
  }
}
