// copy_4x512x32: float32 [1, 1, 4, 512, 32], 0 floating-point operations, 524288 bytes
// out0: float32 [1, 1, 4, 512, 32]; x0: float32 [128, 512]
// gpt.py:120  return self.c_proj(x).dropout(self.dropout) # (B, T, C)
#include "../words_c.h"

void kernel_f4260c78fa317b33(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0, i1 by 8, i2 by 8; tile: 8 rows of i2 x 1 vector of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 256;
    idx i1 = task / 64 % 4 * 8;
    idx i2 = task % 64 * 8;
    // out0 = x0
    for (int l = 0; l < 8; l++) PREFETCH(x0 + i0 * 16384 + i2 + i1 * 512 + l * 512 + 8);
    f32x8 load1 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1, load1);
    f32x8 load2 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512 + 1, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1 + 32, load2);
    f32x8 load3 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512 + 2, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1 + 64, load3);
    f32x8 load4 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512 + 3, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1 + 96, load4);
    f32x8 load5 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512 + 4, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1 + 128, load5);
    f32x8 load6 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512 + 5, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1 + 160, load6);
    f32x8 load7 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512 + 6, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1 + 192, load7);
    f32x8 load8 = strided_f32x8(x0 + i0 * 16384 + i2 + i1 * 512 + 7, 512);
    store_f32x8(out0 + i0 * 16384 + i2 * 32 + i1 + 224, load8);
  }
}
