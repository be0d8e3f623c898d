// copy_4x12x64x32: float32 [1, 4, 12, 64, 32], 0 floating-point operations, 786432 bytes
// out0: float32 [1, 4, 12, 64, 32]; x0: float32 [12, 64, 128]
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_cl.h"

kernel void kernel_9d24338b329f425a(global f32 *out0_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
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
