// mul_sum_12x64x65: float32 [12, 64, 65, 1], 12779520 floating-point operations, 626176 bytes
// out0: float32 [12, 64, 65, 1]; x0: float32 [12, 64, 128]; x1: float32 [1, 1, 128, 65]
// gpt.py:173  logits = self.lm_head(self.transformer["ln_f"](x)) # (B, T, V)
#include "../words_c.h"

void kernel_23f98e42f2c01961(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0 by 8; loops: i1 by 16; tile: 8 rows of i0 x 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 8;
    for (idx i1 = 0; i1 < 64; i1 += 16) {
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
        PREFETCH(x1 + i1 + r0 * 65 + 1040);
        PREFETCH(x1 + i1 + r0 * 65 + 1048);
        f32 load1 = load_f32(x0 + i0 * 128 + r0);
        f32x8 load2 = load_f32x8(x1 + i1 + r0 * 65);
        sum1 = sum1 + splat_f32x8(load1) * load2;
        f32x8 load3 = load_f32x8(x1 + i1 + r0 * 65 + 8);
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
      store_f32x8(out0 + i0 * 65 + i1, sum1);
      store_f32x8(out0 + i0 * 65 + i1 + 8, sum2);
      store_f32x8(out0 + i0 * 65 + i1 + 65, sum3);
      store_f32x8(out0 + i0 * 65 + i1 + 73, sum4);
      store_f32x8(out0 + i0 * 65 + i1 + 130, sum5);
      store_f32x8(out0 + i0 * 65 + i1 + 138, sum6);
      store_f32x8(out0 + i0 * 65 + i1 + 195, sum7);
      store_f32x8(out0 + i0 * 65 + i1 + 203, sum8);
      store_f32x8(out0 + i0 * 65 + i1 + 260, sum9);
      store_f32x8(out0 + i0 * 65 + i1 + 268, sum10);
      store_f32x8(out0 + i0 * 65 + i1 + 325, sum11);
      store_f32x8(out0 + i0 * 65 + i1 + 333, sum12);
      store_f32x8(out0 + i0 * 65 + i1 + 390, sum13);
      store_f32x8(out0 + i0 * 65 + i1 + 398, sum14);
      store_f32x8(out0 + i0 * 65 + i1 + 455, sum15);
      store_f32x8(out0 + i0 * 65 + i1 + 463, sum16);
    }
    for (idx i1 = 64; i1 < 65; i1 += 8) {
      idx count = 65 - i1 < 8 ? 65 - i1 : 8;
      // sum over r0 of x0 * x1
      f32x8 sum17 = splat_f32x8(0.0f);
      f32x8 sum18 = splat_f32x8(0.0f);
      f32x8 sum19 = splat_f32x8(0.0f);
      f32x8 sum20 = splat_f32x8(0.0f);
      f32x8 sum21 = splat_f32x8(0.0f);
      f32x8 sum22 = splat_f32x8(0.0f);
      f32x8 sum23 = splat_f32x8(0.0f);
      f32x8 sum24 = splat_f32x8(0.0f);
      for (idx r0 = 0; r0 < 128; r0 += 1) {
        PREFETCH(x1 + i1 + r0 * 65 + 1040);
        f32 load11 = load_f32(x0 + i0 * 128 + r0);
        f32x8 load12 = load_f32x8(x1 + i1 + r0 * 65);
        f32x8 mul1 = splat_f32x8(load11) * load12;
        sum17 = sum17 + mul1;
        f32 load13 = load_f32(x0 + i0 * 128 + r0 + 128);
        f32x8 mul2 = splat_f32x8(load13) * load12;
        sum18 = sum18 + mul2;
        f32 load14 = load_f32(x0 + i0 * 128 + r0 + 256);
        f32x8 mul3 = splat_f32x8(load14) * load12;
        sum19 = sum19 + mul3;
        f32 load15 = load_f32(x0 + i0 * 128 + r0 + 384);
        f32x8 mul4 = splat_f32x8(load15) * load12;
        sum20 = sum20 + mul4;
        f32 load16 = load_f32(x0 + i0 * 128 + r0 + 512);
        f32x8 mul5 = splat_f32x8(load16) * load12;
        sum21 = sum21 + mul5;
        f32 load17 = load_f32(x0 + i0 * 128 + r0 + 640);
        f32x8 mul6 = splat_f32x8(load17) * load12;
        sum22 = sum22 + mul6;
        f32 load18 = load_f32(x0 + i0 * 128 + r0 + 768);
        f32x8 mul7 = splat_f32x8(load18) * load12;
        sum23 = sum23 + mul7;
        f32 load19 = load_f32(x0 + i0 * 128 + r0 + 896);
        f32x8 mul8 = splat_f32x8(load19) * load12;
        sum24 = sum24 + mul8;
      }
      // out0 = the sum
      store_n_f32x8(out0 + i0 * 65 + i1, sum17, count);
      store_n_f32x8(out0 + i0 * 65 + i1 + 65, sum18, count);
      store_n_f32x8(out0 + i0 * 65 + i1 + 130, sum19, count);
      store_n_f32x8(out0 + i0 * 65 + i1 + 195, sum20, count);
      store_n_f32x8(out0 + i0 * 65 + i1 + 260, sum21, count);
      store_n_f32x8(out0 + i0 * 65 + i1 + 325, sum22, count);
      store_n_f32x8(out0 + i0 * 65 + i1 + 390, sum23, count);
      store_n_f32x8(out0 + i0 * 65 + i1 + 455, sum24, count);
    }
  }
}
