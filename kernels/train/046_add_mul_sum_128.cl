// add_mul_sum_128: float32 [1, 1, 128], 393216 floating-point operations, 793088 bytes
// out0: float32 [1, 1, 128]; x0: float32 [12, 64, 1, 128]; x1: float32 [12, 64, 128]; x2: float32 [12, 64, 1]; x3:
//   float32 [12, 64, 1]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
// gradient of gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_cl.h"

kernel void kernel_0e04cc4777ce6972(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 32; tile: 4 vectors of 8 along i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 32;
    // sum over r0 of x0 * ((x1 + x2) * x3)
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 768; r0 += 1) {
      f32x8 load1 = load_f32x8(x0 + i0 + r0 * 128);
      f32x8 load2 = load_f32x8(x1 + i0 + r0 * 128);
      f32 load3 = load_f32(x2 + r0);
      f32x8 add1 = load2 + splat_f32x8(load3);
      f32 load4 = load_f32(x3 + r0);
      f32x8 mul1 = add1 * splat_f32x8(load4);
      sum1 = sum1 + load1 * mul1;
      f32x8 load5 = load_f32x8(x0 + i0 + r0 * 128 + 8);
      f32x8 load6 = load_f32x8(x1 + i0 + r0 * 128 + 8);
      f32x8 add2 = load6 + splat_f32x8(load3);
      f32x8 mul2 = add2 * splat_f32x8(load4);
      sum2 = sum2 + load5 * mul2;
      f32x8 load7 = load_f32x8(x0 + i0 + r0 * 128 + 16);
      f32x8 load8 = load_f32x8(x1 + i0 + r0 * 128 + 16);
      f32x8 add3 = load8 + splat_f32x8(load3);
      f32x8 mul3 = add3 * splat_f32x8(load4);
      sum3 = sum3 + load7 * mul3;
      f32x8 load9 = load_f32x8(x0 + i0 + r0 * 128 + 24);
      f32x8 load10 = load_f32x8(x1 + i0 + r0 * 128 + 24);
      f32x8 add4 = load10 + splat_f32x8(load3);
      f32x8 mul4 = add4 * splat_f32x8(load4);
      sum4 = sum4 + load9 * mul4;
    }
    // out0 = the sum
    store_f32x8(out0 + i0, sum1);
    store_f32x8(out0 + i0 + 8, sum2);
    store_f32x8(out0 + i0 + 16, sum3);
    store_f32x8(out0 + i0 + 24, sum4);
  }
}
