// mul_sum_12x64x128: float32 [12, 64, 1, 128], 25165824 floating-point operations, 851968 bytes
// out0: float32 [12, 64, 1, 128]; x0: float32 [12, 64, 128]; x1: float32 [1, 1, 4, 128, 32]
// gradient of gpt.py:84  return self.c_proj(y).dropout(self.dropout)
#include "../words_cl.h"

kernel void kernel_e9ef7e4e653b8d2c(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 8; loops: i1, i2 by 16; tile: 8 rows of i0 x 2 vectors of 8 along i2
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 8;
    for (idx i1 = 0; i1 < 4; i1 += 1) {
      for (idx i2 = 0; i2 < 32; i2 += 16) {
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
        f32x8 sum11 = splat_f32x8(0.0f);
        f32x8 sum12 = splat_f32x8(0.0f);
        f32x8 sum13 = splat_f32x8(0.0f);
        f32x8 sum14 = splat_f32x8(0.0f);
        f32x8 sum15 = splat_f32x8(0.0f);
        f32x8 sum16 = splat_f32x8(0.0f);
        for (idx r0 = 0; r0 < 128; r0 += 1) {
          f32 load1 = load_f32(x0 + i0 * 128 + r0);
          f32x8 load2 = load_f32x8(x1 + i1 * 4096 + i2 + r0 * 32);
          sum1 = sum1 + splat_f32x8(load1) * load2;
          f32x8 load3 = load_f32x8(x1 + i1 * 4096 + i2 + r0 * 32 + 8);
          sum2 = sum2 + splat_f32x8(load1) * load3;
          f32 load4 = load_f32(x0 + i0 * 128 + r0 + 128);
          sum3 = sum3 + splat_f32x8(load4) * load2;
          sum4 = sum4 + splat_f32x8(load4) * load3;
          f32 load5 = load_f32(x0 + i0 * 128 + r0 + 256);
          sum5 = sum5 + splat_f32x8(load5) * load2;
          sum6 = sum6 + splat_f32x8(load5) * load3;
          f32 load6 = load_f32(x0 + i0 * 128 + r0 + 384);
          sum7 = sum7 + splat_f32x8(load6) * load2;
          sum8 = sum8 + splat_f32x8(load6) * load3;
          f32 load7 = load_f32(x0 + i0 * 128 + r0 + 512);
          sum9 = sum9 + splat_f32x8(load7) * load2;
          sum10 = sum10 + splat_f32x8(load7) * load3;
          f32 load8 = load_f32(x0 + i0 * 128 + r0 + 640);
          sum11 = sum11 + splat_f32x8(load8) * load2;
          sum12 = sum12 + splat_f32x8(load8) * load3;
          f32 load9 = load_f32(x0 + i0 * 128 + r0 + 768);
          sum13 = sum13 + splat_f32x8(load9) * load2;
          sum14 = sum14 + splat_f32x8(load9) * load3;
          f32 load10 = load_f32(x0 + i0 * 128 + r0 + 896);
          sum15 = sum15 + splat_f32x8(load10) * load2;
          sum16 = sum16 + splat_f32x8(load10) * load3;
        }
        // out0 = the sum
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2, sum1);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 8, sum2);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 128, sum3);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 136, sum4);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 256, sum5);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 264, sum6);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 384, sum7);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 392, sum8);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 512, sum9);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 520, sum10);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 640, sum11);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 648, sum12);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 768, sum13);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 776, sum14);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 896, sum15);
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 904, sum16);
      }
    }
  }
}
