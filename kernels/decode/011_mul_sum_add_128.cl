// mul_sum_add_128: float32 [1, 1, 128], 32896 floating-point operations, 67072 bytes
// out0: float32 [1, 1, 128]; x0: float32 [1, 1, 128]; x1: float32 [1, 4, 1, 32, 1]; x2: float32 [128, 128]
// gpt.py:84  return self.c_proj(y).dropout(self.dropout)
// gpt.py:131  x = x + self.attn(self.ln_1(x), cache)
#include "../words_cl.h"

kernel void kernel_5c764fe3e41cf2fb(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // sum over r0 of x1 * x2
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 128; r0 += 8) {
      f32x8 load1 = load_f32x8(x1 + r0);
      f32x8 load2 = load_f32x8(x2 + i0 * 128 + r0);
      sum1 = sum1 + load1 * load2;
      f32x8 load3 = load_f32x8(x2 + i0 * 128 + r0 + 128);
      sum2 = sum2 + load1 * load3;
      f32x8 load4 = load_f32x8(x2 + i0 * 128 + r0 + 256);
      sum3 = sum3 + load1 * load4;
      f32x8 load5 = load_f32x8(x2 + i0 * 128 + r0 + 384);
      sum4 = sum4 + load1 * load5;
    }
    f32 sum5 = fold_add_f32x8(sum1);
    f32 sum6 = fold_add_f32x8(sum2);
    f32 sum7 = fold_add_f32x8(sum3);
    f32 sum8 = fold_add_f32x8(sum4);
    // out0 = x0 + the sum
    f32 load6 = load_f32(x0 + i0);
    f32 add1 = load6 + sum5;
    store_f32(out0 + i0, add1);
    f32 load7 = load_f32(x0 + i0 + 1);
    f32 add2 = load7 + sum6;
    store_f32(out0 + i0 + 1, add2);
    f32 load8 = load_f32(x0 + i0 + 2);
    f32 add3 = load8 + sum7;
    store_f32(out0 + i0 + 2, add3);
    f32 load9 = load_f32(x0 + i0 + 3);
    f32 add4 = load9 + sum8;
    store_f32(out0 + i0 + 3, add4);
  }
}
