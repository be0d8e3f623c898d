// copy_4x128x32: float32 [1, 1, 4, 128, 32], 0 floating-point operations, 131072 bytes
// out0: float32 [1, 1, 4, 128, 32]; x0: float32 [128, 128]
// gpt.py:84  return self.c_proj(y).dropout(self.dropout)
#include "../words_cl.h"

kernel void kernel_99d4b5eaf0bc5718(global f32 *out0_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0, i1; loops: i2 by 16; tile: 2 vectors of 8 along i2
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 128;
    idx i1 = task % 128;
    for (idx i2 = 0; i2 < 32; i2 += 16) {
      // out0 = x0
      f32x8 load1 = load_f32x8(x0 + i0 * 32 + i1 * 128 + i2);
      store_f32x8(out0 + i0 * 4096 + i1 * 32 + i2, load1);
      f32x8 load2 = load_f32x8(x0 + i0 * 32 + i1 * 128 + i2 + 8);
      store_f32x8(out0 + i0 * 4096 + i1 * 32 + i2 + 8, load2);
    }
  }
}
