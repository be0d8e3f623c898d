// mul_sum_65x128: float32 [1, 1, 65, 128], 12779520 floating-point operations, 626176 bytes
// out0: float32 [1, 1, 65, 128]; x0: float32 [768, 65]; x1: float32 [12, 64, 128]
// gradient of gpt.py:173  logits = self.lm_head(self.transformer["ln_f"](x)) # (B, T, V)
#include "../words_cl.h"

kernel void kernel_65d51ce0ed84da9f(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 5, i1 by 16; tile: 5 rows of i0 x 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 8 * 5;
    idx i1 = task % 8 * 16;
    // sum over r0 of x0 * x1
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    f32x8 sum5 = splat_f32x8(0.0f);
    f32x8 sum6 = splat_f32x8(0.0f);
    f32x8 sum7 = splat_f32x8(0.0f);
    f32x8 sum8 = splat_f32x8(0.0f);
    f32x8 sum9 = splat_f32x8(0.0f);
    f32x8 sum10 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 768; r0 += 1) {
      PREFETCH(x0 + i0 + r0 * 65 + 1040);
      PREFETCH(x1 + i1 + r0 * 128 + 2048);
      PREFETCH(x1 + i1 + r0 * 128 + 2056);
      f32 load1 = load_f32(x0 + i0 + r0 * 65);
      f32x8 load2 = load_f32x8(x1 + i1 + r0 * 128);
      sum1 = sum1 + splat_f32x8(load1) * load2;
      f32x8 load3 = load_f32x8(x1 + i1 + r0 * 128 + 8);
      sum2 = sum2 + splat_f32x8(load1) * load3;
      f32 load4 = load_f32(x0 + i0 + r0 * 65 + 1);
      sum3 = sum3 + splat_f32x8(load4) * load2;
      sum4 = sum4 + splat_f32x8(load4) * load3;
      f32 load5 = load_f32(x0 + i0 + r0 * 65 + 2);
      sum5 = sum5 + splat_f32x8(load5) * load2;
      sum6 = sum6 + splat_f32x8(load5) * load3;
      f32 load6 = load_f32(x0 + i0 + r0 * 65 + 3);
      sum7 = sum7 + splat_f32x8(load6) * load2;
      sum8 = sum8 + splat_f32x8(load6) * load3;
      f32 load7 = load_f32(x0 + i0 + r0 * 65 + 4);
      sum9 = sum9 + splat_f32x8(load7) * load2;
      sum10 = sum10 + splat_f32x8(load7) * load3;
    }
    // out0 = the sum
    store_f32x8(out0 + i0 * 128 + i1, sum1);
    store_f32x8(out0 + i0 * 128 + i1 + 8, sum2);
    store_f32x8(out0 + i0 * 128 + i1 + 128, sum3);
    store_f32x8(out0 + i0 * 128 + i1 + 136, sum4);
    store_f32x8(out0 + i0 * 128 + i1 + 256, sum5);
    store_f32x8(out0 + i0 * 128 + i1 + 264, sum6);
    store_f32x8(out0 + i0 * 128 + i1 + 384, sum7);
    store_f32x8(out0 + i0 * 128 + i1 + 392, sum8);
    store_f32x8(out0 + i0 * 128 + i1 + 512, sum9);
    store_f32x8(out0 + i0 * 128 + i1 + 520, sum10);
  }
}
