// max_mul_add_exp_sum_64x80: float32 [64, 80], 35968 floating-point operations, 40960 bytes
// out0: float32 [64, 80]; x0: float32 [64, 80]
// gpt.py:1116  "softmax": lambda: x.softmax(),
#include "../words_cl.h"

kernel void kernel_f07afba00f9d7274(global f32 *out0_, global const f32 *x0_, long tasks, global char *strips_) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  STRIPS(576)
  // tasks: i0; loops: i1 by 16; tile: 2 vectors of 8 along i1
  GLOBAL f32 *exp_row0 = (GLOBAL f32 *)(strips + 128);
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    // maximum over r0 of x0
    f32x8 max1 = splat_f32x8(-INFINITY);
    for (idx r0 = 0; r0 < 80; r0 += 8) {
      f32x8 load1 = load_f32x8(x0 + i0 * 80 + r0);
      max1 = max_f32x8(max1, load1);
    }
    f32 max2 = fold_max_f32x8(max1);
    // sum over r1 of exp(x0 + (the maximum * -1.0f))
    f32x8 sum1 = splat_f32x8(0.0f);
    f32 mul1 = max2 * -1.0f;
    for (idx r1 = 0; r1 < 80; r1 += 8) {
      f32x8 load2 = load_f32x8(x0 + i0 * 80 + r1);
      f32x8 add1 = load2 + splat_f32x8(mul1);
      f32x8 exp1 = exp_f32x8(add1);
      store_f32x8(exp_row0 + r1, exp1);
      sum1 = sum1 + exp1;
    }
    f32 sum2 = fold_add_f32x8(sum1);
    f32 div1 = 1.0f / sum2;
    for (idx i1 = 0; i1 < 80; i1 += 16) {
      // out0 = exp(x0 + (the maximum * -1.0f)) * (1.0f / the sum)
      f32x8 exp2 = load_f32x8(exp_row0 + i1);
      f32x8 mul2 = exp2 * splat_f32x8(div1);
      store_f32x8(out0 + i0 * 80 + i1, mul2);
      f32x8 exp3 = load_f32x8(exp_row0 + i1 + 8);
      f32x8 mul3 = exp3 * splat_f32x8(div1);
      store_f32x8(out0 + i0 * 80 + i1 + 8, mul3);
    }
  }
}
