// copy_4x512x32: float32 [1, 1, 4, 512, 32], 0 floating-point operations, 524288 bytes
// out0: float32 [1, 1, 4, 512, 32]; x0: float32 [512, 128]
// gpt.py:119  x = self.c_fc(x).gelu() # (B, T, 4 C); gelu's tanh approximation
#include "../words_c.h"

void kernel_ff96b1f64ac0c102(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0, i1; loops: i2 by 16; tile: 2 vectors of 8 along i2
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 512;
    idx i1 = task % 512;
    for (idx i2 = 0; i2 < 32; i2 += 16) {
      // out0 = x0
      f32x8 load1 = load_f32x8(x0 + i0 * 32 + i1 * 128 + i2);
      store_f32x8(out0 + i0 * 16384 + i1 * 32 + i2, load1);
      f32x8 load2 = load_f32x8(x0 + i0 * 32 + i1 * 128 + i2 + 8);
      store_f32x8(out0 + i0 * 16384 + i1 * 32 + i2 + 8, load2);
    }
  }
}
