// mul_sum_4x16x16x16: float32 [4, 16, 16, 16], 2359296 floating-point operations, 111616 bytes
// out0: float32 [4, 16, 16, 16]; x0: float32 [4, 8, 18, 18]; x1: float32 [16, 8, 3, 3]
// gpt.py:1124  "convolution": lambda: image.conv2d(filters, padding=1),
#include "../words_c.h"

void kernel_603134795022406e(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0, i1 by 8, i2; loops: i3 by 16; tile: 8 rows of i1 x 2 vectors of 8 along i3
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 32;
    idx i1 = task / 16 % 2 * 8;
    idx i2 = task % 16;
    for (idx i3 = 0; i3 < 16; i3 += 16) {
      // sum over r0, r1, r2 of x0 * x1
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
      for (idx r0 = 0; r0 < 8; r0++) {
        for (idx r1 = 0; r1 < 3; r1++) {
          for (idx r2 = 0; r2 < 3; r2 += 1) {
            f32x8 load1 = load_f32x8(x0 + i0 * 2592 + i2 * 18 + i3 + r0 * 324 + r1 * 18 + r2);
            f32 load2 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2);
            sum1 = sum1 + load1 * splat_f32x8(load2);
            f32x8 load3 = load_f32x8(x0 + i0 * 2592 + i2 * 18 + i3 + r0 * 324 + r1 * 18 + r2 + 8);
            sum2 = sum2 + load3 * splat_f32x8(load2);
            f32 load4 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2 + 72);
            sum3 = sum3 + load1 * splat_f32x8(load4);
            sum4 = sum4 + load3 * splat_f32x8(load4);
            f32 load5 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2 + 144);
            sum5 = sum5 + load1 * splat_f32x8(load5);
            sum6 = sum6 + load3 * splat_f32x8(load5);
            f32 load6 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2 + 216);
            sum7 = sum7 + load1 * splat_f32x8(load6);
            sum8 = sum8 + load3 * splat_f32x8(load6);
            f32 load7 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2 + 288);
            sum9 = sum9 + load1 * splat_f32x8(load7);
            sum10 = sum10 + load3 * splat_f32x8(load7);
            f32 load8 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2 + 360);
            sum11 = sum11 + load1 * splat_f32x8(load8);
            sum12 = sum12 + load3 * splat_f32x8(load8);
            f32 load9 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2 + 432);
            sum13 = sum13 + load1 * splat_f32x8(load9);
            sum14 = sum14 + load3 * splat_f32x8(load9);
            f32 load10 = load_f32(x1 + i1 * 72 + r0 * 9 + r1 * 3 + r2 + 504);
            sum15 = sum15 + load1 * splat_f32x8(load10);
            sum16 = sum16 + load3 * splat_f32x8(load10);
          }
        }
      }
      // out0 = the sum
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3, sum1);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 8, sum2);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 256, sum3);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 264, sum4);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 512, sum5);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 520, sum6);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 768, sum7);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 776, sum8);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1024, sum9);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1032, sum10);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1280, sum11);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1288, sum12);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1536, sum13);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1544, sum14);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1792, sum15);
      store_f32x8(out0 + i0 * 4096 + i1 * 256 + i2 * 16 + i3 + 1800, sum16);
    }
  }
}
