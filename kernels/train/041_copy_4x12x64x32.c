// copy_4x12x64x32: float32 [1, 4, 12, 64, 32], 0 floating-point operations, 786432 bytes
// out0: float32 [1, 4, 12, 64, 32]; x0: float32 [12, 64, 128]
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_c.h"

void kernel_9d24338b329f425a(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0, i1, i2; loops: i3 by 16; tile: 2 vectors of 8 along i3
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 768;
    idx i1 = task / 64 % 12;
    idx i2 = task % 64;
    for (idx i3 = 0; i3 < 32; i3 += 16) {
      // out0 = x0
      f32x8 load1 = load_f32x8(x0 + i0 * 32 + i1 * 8192 + i2 * 128 + i3);
      store_f32x8(out0 + i0 * 24576 + i1 * 2048 + i2 * 32 + i3, load1);
      f32x8 load2 = load_f32x8(x0 + i0 * 32 + i1 * 8192 + i2 * 128 + i3 + 8);
      store_f32x8(out0 + i0 * 24576 + i1 * 2048 + i2 * 32 + i3 + 8, load2);
    }
  }
}
