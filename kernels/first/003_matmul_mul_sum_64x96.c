// mul_sum_64x96: float32 [64, 96], 983040 floating-point operations, 75776 bytes
// out0: float32 [64, 96]; x0: float32 [64, 80]; x1: float32 [80, 96]
// gpt.py:1114  "matmul": lambda: x @ weight,
#include "../words_c.h"

void kernel_6c9de849fedca880(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0 by 8, i1 by 16; tile: 8 rows of i0 x 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 6 * 8;
    idx i1 = task % 6 * 16;
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
    for (idx r0 = 0; r0 < 80; r0 += 1) {
      PREFETCH(x1 + i1 + r0 * 96 + 1536);
      PREFETCH(x1 + i1 + r0 * 96 + 1544);
      f32 load1 = load_f32(x0 + i0 * 80 + r0);
      f32x8 load2 = load_f32x8(x1 + i1 + r0 * 96);
      sum1 = sum1 + splat_f32x8(load1) * load2;
      f32x8 load3 = load_f32x8(x1 + i1 + r0 * 96 + 8);
      sum2 = sum2 + splat_f32x8(load1) * load3;
      f32 load4 = load_f32(x0 + i0 * 80 + r0 + 80);
      sum3 = sum3 + splat_f32x8(load4) * load2;
      sum4 = sum4 + splat_f32x8(load4) * load3;
      f32 load5 = load_f32(x0 + i0 * 80 + r0 + 160);
      sum5 = sum5 + splat_f32x8(load5) * load2;
      sum6 = sum6 + splat_f32x8(load5) * load3;
      f32 load6 = load_f32(x0 + i0 * 80 + r0 + 240);
      sum7 = sum7 + splat_f32x8(load6) * load2;
      sum8 = sum8 + splat_f32x8(load6) * load3;
      f32 load7 = load_f32(x0 + i0 * 80 + r0 + 320);
      sum9 = sum9 + splat_f32x8(load7) * load2;
      sum10 = sum10 + splat_f32x8(load7) * load3;
      f32 load8 = load_f32(x0 + i0 * 80 + r0 + 400);
      sum11 = sum11 + splat_f32x8(load8) * load2;
      sum12 = sum12 + splat_f32x8(load8) * load3;
      f32 load9 = load_f32(x0 + i0 * 80 + r0 + 480);
      sum13 = sum13 + splat_f32x8(load9) * load2;
      sum14 = sum14 + splat_f32x8(load9) * load3;
      f32 load10 = load_f32(x0 + i0 * 80 + r0 + 560);
      sum15 = sum15 + splat_f32x8(load10) * load2;
      sum16 = sum16 + splat_f32x8(load10) * load3;
    }
    // out0 = the sum
    store_f32x8(out0 + i0 * 96 + i1, sum1);
    store_f32x8(out0 + i0 * 96 + i1 + 8, sum2);
    store_f32x8(out0 + i0 * 96 + i1 + 96, sum3);
    store_f32x8(out0 + i0 * 96 + i1 + 104, sum4);
    store_f32x8(out0 + i0 * 96 + i1 + 192, sum5);
    store_f32x8(out0 + i0 * 96 + i1 + 200, sum6);
    store_f32x8(out0 + i0 * 96 + i1 + 288, sum7);
    store_f32x8(out0 + i0 * 96 + i1 + 296, sum8);
    store_f32x8(out0 + i0 * 96 + i1 + 384, sum9);
    store_f32x8(out0 + i0 * 96 + i1 + 392, sum10);
    store_f32x8(out0 + i0 * 96 + i1 + 480, sum11);
    store_f32x8(out0 + i0 * 96 + i1 + 488, sum12);
    store_f32x8(out0 + i0 * 96 + i1 + 576, sum13);
    store_f32x8(out0 + i0 * 96 + i1 + 584, sum14);
    store_f32x8(out0 + i0 * 96 + i1 + 672, sum15);
    store_f32x8(out0 + i0 * 96 + i1 + 680, sum16);
  }
}
