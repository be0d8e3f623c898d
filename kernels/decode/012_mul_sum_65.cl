// mul_sum_65: float32 [1, 1, 65], 16640 floating-point operations, 34052 bytes
// out0: float32 [1, 1, 65]; x0: float32 [1, 1, 128]; x1: float32 [65, 128]
// gpt.py:185  return self.lm_head(self.transformer["ln_f"](x[:, -1:]))
#include "../words_cl.h"

kernel void kernel_a5cfbf4eceb2d6ee(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0_first = task * 4;
    if (i0_first < 64) {
      idx i0 = i0_first;
      // sum over r0 of x0 * x1
      f32x8 sum1 = splat_f32x8(0.0f);
      f32x8 sum2 = splat_f32x8(0.0f);
      f32x8 sum3 = splat_f32x8(0.0f);
      f32x8 sum4 = splat_f32x8(0.0f);
      for (idx r0 = 0; r0 < 128; r0 += 8) {
        f32x8 load1 = load_f32x8(x0 + r0);
        f32x8 load2 = load_f32x8(x1 + i0 * 128 + r0);
        sum1 = sum1 + load1 * load2;
        f32x8 load3 = load_f32x8(x1 + i0 * 128 + r0 + 128);
        sum2 = sum2 + load1 * load3;
        f32x8 load4 = load_f32x8(x1 + i0 * 128 + r0 + 256);
        sum3 = sum3 + load1 * load4;
        f32x8 load5 = load_f32x8(x1 + i0 * 128 + r0 + 384);
        sum4 = sum4 + load1 * load5;
      }
      f32 sum5 = fold_add_f32x8(sum1);
      f32 sum6 = fold_add_f32x8(sum2);
      f32 sum7 = fold_add_f32x8(sum3);
      f32 sum8 = fold_add_f32x8(sum4);
      // out0 = the sum
      store_f32(out0 + i0, sum5);
      store_f32(out0 + i0 + 1, sum6);
      store_f32(out0 + i0 + 2, sum7);
      store_f32(out0 + i0 + 3, sum8);
    }
    else for (idx i0 = i0_first; i0 < 65; i0 += 1) {
      // sum over r0 of x0 * x1
      f32x8 sum9 = splat_f32x8(0.0f);
      for (idx r0 = 0; r0 < 128; r0 += 8) {
        f32x8 load6 = load_f32x8(x0 + r0);
        f32x8 load7 = load_f32x8(x1 + i0 * 128 + r0);
        sum9 = sum9 + load6 * load7;
      }
      f32 sum10 = fold_add_f32x8(sum9);
      // out0 = the sum
      store_f32(out0 + i0, sum10);
    }
  }
}
