// mul_sum_128x512: float32 [1, 1, 128, 512], 100663296 floating-point operations, 2228224 bytes
// out0: float32 [1, 1, 128, 512]; x0: float32 [12, 64, 128]; x1: float32 [12, 64, 512]
// gradient of gpt.py:120  return self.c_proj(x).dropout(self.dropout) # (B, T, C)
#include "../words_c.h"

void kernel_6fa011dba0c0efa9(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i1 by 16, i0 by 8; tile: 8 rows of i0 x 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i1 = task / 16 * 16;
    idx i0 = task % 16 * 8;
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
    for (idx r0 = 0; r0 < 768; r0 += 1) {
      PREFETCH(x0 + i0 + r0 * 128 + 2048);
      PREFETCH(x1 + i1 + r0 * 528 + 8448);
      PREFETCH(x1 + i1 + r0 * 528 + 8456);
      f32 load1 = load_f32(x0 + i0 + r0 * 128);
      f32x8 load2 = load_f32x8(x1 + i1 + r0 * 528);
      sum1 = sum1 + splat_f32x8(load1) * load2;
      f32x8 load3 = load_f32x8(x1 + i1 + r0 * 528 + 8);
      sum2 = sum2 + splat_f32x8(load1) * load3;
      f32 load4 = load_f32(x0 + i0 + r0 * 128 + 1);
      sum3 = sum3 + splat_f32x8(load4) * load2;
      sum4 = sum4 + splat_f32x8(load4) * load3;
      f32 load5 = load_f32(x0 + i0 + r0 * 128 + 2);
      sum5 = sum5 + splat_f32x8(load5) * load2;
      sum6 = sum6 + splat_f32x8(load5) * load3;
      f32 load6 = load_f32(x0 + i0 + r0 * 128 + 3);
      sum7 = sum7 + splat_f32x8(load6) * load2;
      sum8 = sum8 + splat_f32x8(load6) * load3;
      f32 load7 = load_f32(x0 + i0 + r0 * 128 + 4);
      sum9 = sum9 + splat_f32x8(load7) * load2;
      sum10 = sum10 + splat_f32x8(load7) * load3;
      f32 load8 = load_f32(x0 + i0 + r0 * 128 + 5);
      sum11 = sum11 + splat_f32x8(load8) * load2;
      sum12 = sum12 + splat_f32x8(load8) * load3;
      f32 load9 = load_f32(x0 + i0 + r0 * 128 + 6);
      sum13 = sum13 + splat_f32x8(load9) * load2;
      sum14 = sum14 + splat_f32x8(load9) * load3;
      f32 load10 = load_f32(x0 + i0 + r0 * 128 + 7);
      sum15 = sum15 + splat_f32x8(load10) * load2;
      sum16 = sum16 + splat_f32x8(load10) * load3;
    }
    // out0 = the sum
    store_f32x8(out0 + i0 * 528 + i1, sum1);
    store_f32x8(out0 + i0 * 528 + i1 + 8, sum2);
    store_f32x8(out0 + i0 * 528 + i1 + 528, sum3);
    store_f32x8(out0 + i0 * 528 + i1 + 536, sum4);
    store_f32x8(out0 + i0 * 528 + i1 + 1056, sum5);
    store_f32x8(out0 + i0 * 528 + i1 + 1064, sum6);
    store_f32x8(out0 + i0 * 528 + i1 + 1584, sum7);
    store_f32x8(out0 + i0 * 528 + i1 + 1592, sum8);
    store_f32x8(out0 + i0 * 528 + i1 + 2112, sum9);
    store_f32x8(out0 + i0 * 528 + i1 + 2120, sum10);
    store_f32x8(out0 + i0 * 528 + i1 + 2640, sum11);
    store_f32x8(out0 + i0 * 528 + i1 + 2648, sum12);
    store_f32x8(out0 + i0 * 528 + i1 + 3168, sum13);
    store_f32x8(out0 + i0 * 528 + i1 + 3176, sum14);
    store_f32x8(out0 + i0 * 528 + i1 + 3696, sum15);
    store_f32x8(out0 + i0 * 528 + i1 + 3704, sum16);
  }
}
