// copy_12x4x2x32x32: float32 [12, 4, 1, 2, 32, 32], 0 floating-point operations, 1572864 bytes
// out0: float32 [12, 4, 1, 2, 32, 32]; x0: float32 [12, 64, 384, 1]
// gpt.py:73  q, k, v = self.c_attn(x).split(C, -1) # (B, T, C) each
// gpt.py:76  v = v.reshape(B, T, H, C // H).transpose(1, 2) # (B, H, T, C/H)
// gpt.py:83  y = (att @ v).transpose(1, 2).reshape(B, T, C) # (B, T, C): the heads side by side
#include "../words_cl.h"

kernel void kernel_80b7ddc8e2a24c18(global f32 *out0_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0, i1, i2; loops: i3 by 8, i4 by 8; tile: 8 rows of i4 x 1 vector of 8 along i3
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 8;
    idx i1 = task / 2 % 4;
    idx i2 = task % 2;
    for (idx i3 = 0; i3 < 32; i3 += 8) {
      for (idx i4 = 0; i4 < 32; i4 += 8) {
        // out0 = x0
        for (int l = 0; l < 8; l++) PREFETCH(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 256 + l * 384 + 8);
        f32x8 load1 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 256, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3, load1);
        f32x8 load2 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 257, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3 + 32, load2);
        f32x8 load3 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 258, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3 + 64, load3);
        f32x8 load4 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 259, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3 + 96, load4);
        f32x8 load5 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 260, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3 + 128, load5);
        f32x8 load6 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 261, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3 + 160, load6);
        f32x8 load7 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 262, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3 + 192, load7);
        f32x8 load8 = strided_f32x8(x0 + i0 * 24576 + i1 * 32 + i2 * 12288 + i4 + i3 * 384 + 263, 384);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 1024 + i4 * 32 + i3 + 224, load8);
      }
    }
  }
}
