// copy_16x128x32: float32 [1, 1, 16, 128, 32], 0 floating-point operations, 524288 bytes
// out0: float32 [1, 1, 16, 128, 32]; x0: float32 [512, 128]
// gpt.py:119  x = self.c_fc(x).gelu() # (B, T, 4 C); gelu's tanh approximation
#include "../words_c.h"

void kernel_3135e1f26ec6369b(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0, i1 by 8; loops: i2 by 8; tile: 8 rows of i2 x 1 vector of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 4;
    idx i1 = task % 4 * 8;
    for (idx i2 = 0; i2 < 128; i2 += 8) {
      // out0 = x0
      for (int l = 0; l < 8; l++) PREFETCH(x0 + i0 * 4096 + i2 + i1 * 128 + l * 128 + 8);
      f32x8 load1 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1, load1);
      f32x8 load2 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128 + 1, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1 + 32, load2);
      f32x8 load3 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128 + 2, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1 + 64, load3);
      f32x8 load4 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128 + 3, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1 + 96, load4);
      f32x8 load5 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128 + 4, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1 + 128, load5);
      f32x8 load6 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128 + 5, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1 + 160, load6);
      f32x8 load7 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128 + 6, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1 + 192, load7);
      f32x8 load8 = strided_f32x8(x0 + i0 * 4096 + i2 + i1 * 128 + 7, 128);
      store_f32x8(out0 + i0 * 4096 + i2 * 32 + i1 + 224, load8);
    }
  }
}
