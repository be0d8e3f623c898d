// copy_4x4x4x32x32: float32 [4, 4, 1, 4, 32, 32], 0 floating-point operations, 524288 bytes
// out0: float32 [4, 4, 1, 4, 32, 32]; x0: float32 [4, 4, 128, 32]
// gpt.py:1126  "attention": lambda: q.scaled_dot_product_attention(k, v, is_causal=True),
// gpt.py:1128  lambda: q.scaled_dot_product_attention(k, v, is_causal=True).square().sum().gradient(q, k, v),
// gradient of gpt.py:1128  lambda: q.scaled_dot_product_attention(k, v, is_causal=True).square().sum().gradient(q, k, v),
#include "../words_cl.h"

kernel void kernel_b6bcb483563a8bcc(global f32 *out0_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0; loops: i1 by 8, i2 by 8; tile: 8 rows of i2 x 1 vector of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    for (idx i1 = 0; i1 < 32; i1 += 8) {
      for (idx i2 = 0; i2 < 32; i2 += 8) {
        // out0 = x0
        for (int l = 0; l < 8; l++) PREFETCH(x0 + i0 * 1024 + i2 + i1 * 32 + l * 32 + 8);
        f32x8 load1 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1, load1);
        f32x8 load2 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32 + 1, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1 + 32, load2);
        f32x8 load3 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32 + 2, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1 + 64, load3);
        f32x8 load4 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32 + 3, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1 + 96, load4);
        f32x8 load5 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32 + 4, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1 + 128, load5);
        f32x8 load6 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32 + 5, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1 + 160, load6);
        f32x8 load7 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32 + 6, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1 + 192, load7);
        f32x8 load8 = strided_f32x8(x0 + i0 * 1024 + i2 + i1 * 32 + 7, 32);
        store_f32x8(out0 + i0 * 1024 + i2 * 32 + i1 + 224, load8);
      }
    }
  }
}
