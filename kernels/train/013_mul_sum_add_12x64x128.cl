// mul_sum_add_12x64x128: float32 [12, 64, 128], 100761600 floating-point operations, 2621440 bytes
// out0: float32 [12, 64, 128]; x0: float32 [12, 64, 128]; x1: float32 [12, 64, 512]; x2: float32 [1, 1, 4, 512, 32]
// gpt.py:120  return self.c_proj(x).dropout(self.dropout) # (B, T, C)
// gpt.py:132  return x + self.mlp(self.ln_2(x))
#include "../words_cl.h"

kernel void kernel_11670e0c438c144f(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 8; loops: i1, i2 by 16; tile: 8 rows of i0 x 2 vectors of 8 along i2
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 8;
    for (idx i1 = 0; i1 < 4; i1 += 1) {
      for (idx i2 = 0; i2 < 32; i2 += 16) {
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 8);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 128);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 136);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 256);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 264);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 384);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 392);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 512);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 520);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 640);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 648);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 768);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 776);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 896);
        PREFETCH(x0 + i0 * 128 + i1 * 32 + i2 + 904);
        // sum over r0 of x1 * x2
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
        for (idx r0 = 0; r0 < 512; r0 += 1) {
          f32 load1 = load_f32(x1 + i0 * 528 + r0);
          f32x8 load2 = load_f32x8(x2 + i1 * 16384 + i2 + r0 * 32);
          sum1 = sum1 + splat_f32x8(load1) * load2;
          f32x8 load3 = load_f32x8(x2 + i1 * 16384 + i2 + r0 * 32 + 8);
          sum2 = sum2 + splat_f32x8(load1) * load3;
          f32 load4 = load_f32(x1 + i0 * 528 + r0 + 528);
          sum3 = sum3 + splat_f32x8(load4) * load2;
          sum4 = sum4 + splat_f32x8(load4) * load3;
          f32 load5 = load_f32(x1 + i0 * 528 + r0 + 1056);
          sum5 = sum5 + splat_f32x8(load5) * load2;
          sum6 = sum6 + splat_f32x8(load5) * load3;
          f32 load6 = load_f32(x1 + i0 * 528 + r0 + 1584);
          sum7 = sum7 + splat_f32x8(load6) * load2;
          sum8 = sum8 + splat_f32x8(load6) * load3;
          f32 load7 = load_f32(x1 + i0 * 528 + r0 + 2112);
          sum9 = sum9 + splat_f32x8(load7) * load2;
          sum10 = sum10 + splat_f32x8(load7) * load3;
          f32 load8 = load_f32(x1 + i0 * 528 + r0 + 2640);
          sum11 = sum11 + splat_f32x8(load8) * load2;
          sum12 = sum12 + splat_f32x8(load8) * load3;
          f32 load9 = load_f32(x1 + i0 * 528 + r0 + 3168);
          sum13 = sum13 + splat_f32x8(load9) * load2;
          sum14 = sum14 + splat_f32x8(load9) * load3;
          f32 load10 = load_f32(x1 + i0 * 528 + r0 + 3696);
          sum15 = sum15 + splat_f32x8(load10) * load2;
          sum16 = sum16 + splat_f32x8(load10) * load3;
        }
        // out0 = x0 + the sum
        f32x8 load11 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2);
        f32x8 add1 = load11 + sum1;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2, add1);
        f32x8 load12 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 8);
        f32x8 add2 = load12 + sum2;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 8, add2);
        f32x8 load13 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 128);
        f32x8 add3 = load13 + sum3;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 128, add3);
        f32x8 load14 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 136);
        f32x8 add4 = load14 + sum4;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 136, add4);
        f32x8 load15 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 256);
        f32x8 add5 = load15 + sum5;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 256, add5);
        f32x8 load16 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 264);
        f32x8 add6 = load16 + sum6;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 264, add6);
        f32x8 load17 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 384);
        f32x8 add7 = load17 + sum7;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 384, add7);
        f32x8 load18 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 392);
        f32x8 add8 = load18 + sum8;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 392, add8);
        f32x8 load19 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 512);
        f32x8 add9 = load19 + sum9;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 512, add9);
        f32x8 load20 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 520);
        f32x8 add10 = load20 + sum10;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 520, add10);
        f32x8 load21 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 640);
        f32x8 add11 = load21 + sum11;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 640, add11);
        f32x8 load22 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 648);
        f32x8 add12 = load22 + sum12;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 648, add12);
        f32x8 load23 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 768);
        f32x8 add13 = load23 + sum13;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 768, add13);
        f32x8 load24 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 776);
        f32x8 add14 = load24 + sum14;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 776, add14);
        f32x8 load25 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 896);
        f32x8 add15 = load25 + sum15;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 896, add15);
        f32x8 load26 = load_f32x8(x0 + i0 * 128 + i1 * 32 + i2 + 904);
        f32x8 add16 = load26 + sum16;
        store_f32x8(out0 + i0 * 128 + i1 * 32 + i2 + 904, add16);
      }
    }
  }
}
