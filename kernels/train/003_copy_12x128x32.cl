// copy_12x128x32: float32 [1, 1, 12, 128, 32], 0 floating-point operations, 393216 bytes
// out0: float32 [1, 1, 12, 128, 32]; x0: float32 [384, 128]
// gpt.py:73  q, k, v = self.c_attn(x).split(C, -1) # (B, T, C) each
// gpt.py:84  return self.c_proj(y).dropout(self.dropout)
#include "../words_cl.h"

kernel void kernel_dbef5601725f05e1(global f32 *out0_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0, i1 by 8, i2 by 8; tile: 8 rows of i2 x 1 vector of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 64;
    idx i1 = task / 16 % 4 * 8;
    idx i2 = task % 16 * 8;
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
