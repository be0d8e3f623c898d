// mul_sum_12x64x512: float32 [12, 64, 512], 101056512 floating-point operations, 3801088 bytes
// out0: float32 [12, 64, 512]; x0: float32 [12, 64, 128]; x1: float32 [1, 1, 16, 128, 32]; x2: float32 [12, 64, 512]
// gradient of gpt.py:119  x = self.c_fc(x).gelu() # (B, T, 4 C); gelu's tanh approximation
// gradient of gpt.py:120  return self.c_proj(x).dropout(self.dropout) # (B, T, C)
#include "../words_c.h"

void kernel_e6c5a4bbc8bdba8f(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  const f32 *x2 = (const f32 *)buffers[3];
  // tasks: i0 by 8; loops: i1, i2 by 16; tile: 8 rows of i0 x 2 vectors of 8 along i2
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 8;
    for (idx i1 = 0; i1 < 16; i1 += 1) {
      for (idx i2 = 0; i2 < 32; i2 += 16) {
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 8);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 528);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 536);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 1056);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 1064);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 1584);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 1592);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 2112);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 2120);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 2640);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 2648);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 3168);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 3176);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 3696);
        PREFETCH(x2 + i0 * 528 + i1 * 32 + i2 + 3704);
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
        // out0 = the sum * x2
        f32x8 load11 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2);
        f32x8 mul1 = sum1 * load11;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2, mul1);
        f32x8 load12 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 8);
        f32x8 mul2 = sum2 * load12;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 8, mul2);
        f32x8 load13 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 528);
        f32x8 mul3 = sum3 * load13;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 528, mul3);
        f32x8 load14 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 536);
        f32x8 mul4 = sum4 * load14;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 536, mul4);
        f32x8 load15 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 1056);
        f32x8 mul5 = sum5 * load15;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 1056, mul5);
        f32x8 load16 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 1064);
        f32x8 mul6 = sum6 * load16;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 1064, mul6);
        f32x8 load17 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 1584);
        f32x8 mul7 = sum7 * load17;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 1584, mul7);
        f32x8 load18 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 1592);
        f32x8 mul8 = sum8 * load18;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 1592, mul8);
        f32x8 load19 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 2112);
        f32x8 mul9 = sum9 * load19;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 2112, mul9);
        f32x8 load20 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 2120);
        f32x8 mul10 = sum10 * load20;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 2120, mul10);
        f32x8 load21 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 2640);
        f32x8 mul11 = sum11 * load21;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 2640, mul11);
        f32x8 load22 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 2648);
        f32x8 mul12 = sum12 * load22;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 2648, mul12);
        f32x8 load23 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 3168);
        f32x8 mul13 = sum13 * load23;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 3168, mul13);
        f32x8 load24 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 3176);
        f32x8 mul14 = sum14 * load24;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 3176, mul14);
        f32x8 load25 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 3696);
        f32x8 mul15 = sum15 * load25;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 3696, mul15);
        f32x8 load26 = load_f32x8(x2 + i0 * 528 + i1 * 32 + i2 + 3704);
        f32x8 mul16 = sum16 * load26;
        store_f32x8(out0 + i0 * 528 + i1 * 32 + i2 + 3704, mul16);
      }
    }
  }
}
