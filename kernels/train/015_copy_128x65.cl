// copy_128x65: float32 [1, 1, 128, 65], 0 floating-point operations, 66560 bytes
// out0: float32 [1, 1, 128, 65]; x0: float32 [65, 128]
// gpt.py:173  logits = self.lm_head(self.transformer["ln_f"](x)) # (B, T, V)
#include "../words_cl.h"

kernel void kernel_c5b1db9f454d75a9(global f32 *out0_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 8, i1 by 8; tile: 8 rows of i1 x 1 vector of 8 along i0
  for (idx task = begin; task < end; task++) {
    idx i0_first = task / 16 * 8;
    idx i1 = task % 16 * 8;
    if (i0_first < 64) {
      idx i0 = i0_first;
      // out0 = x0
      for (int l = 0; l < 8; l++) PREFETCH(x0 + i1 + i0 * 128 + l * 128 + 8);
      f32x8 load1 = strided_f32x8(x0 + i1 + i0 * 128, 128);
      store_f32x8(out0 + i1 * 65 + i0, load1);
      f32x8 load2 = strided_f32x8(x0 + i1 + i0 * 128 + 1, 128);
      store_f32x8(out0 + i1 * 65 + i0 + 65, load2);
      f32x8 load3 = strided_f32x8(x0 + i1 + i0 * 128 + 2, 128);
      store_f32x8(out0 + i1 * 65 + i0 + 130, load3);
      f32x8 load4 = strided_f32x8(x0 + i1 + i0 * 128 + 3, 128);
      store_f32x8(out0 + i1 * 65 + i0 + 195, load4);
      f32x8 load5 = strided_f32x8(x0 + i1 + i0 * 128 + 4, 128);
      store_f32x8(out0 + i1 * 65 + i0 + 260, load5);
      f32x8 load6 = strided_f32x8(x0 + i1 + i0 * 128 + 5, 128);
      store_f32x8(out0 + i1 * 65 + i0 + 325, load6);
      f32x8 load7 = strided_f32x8(x0 + i1 + i0 * 128 + 6, 128);
      store_f32x8(out0 + i1 * 65 + i0 + 390, load7);
      f32x8 load8 = strided_f32x8(x0 + i1 + i0 * 128 + 7, 128);
      store_f32x8(out0 + i1 * 65 + i0 + 455, load8);
    }
    else for (idx i0 = i0_first; i0 < 65; i0 += 8) {
      idx count = 65 - i0 < 8 ? 65 - i0 : 8;
      // out0 = x0
      for (int l = 0; l < 8; l++) PREFETCH(x0 + i1 + i0 * 128 + l * 128 + 8);
      f32x8 load9 = strided_n_f32x8(x0 + i1 + i0 * 128, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0, load9, count);
      f32x8 load10 = strided_n_f32x8(x0 + i1 + i0 * 128 + 1, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0 + 65, load10, count);
      f32x8 load11 = strided_n_f32x8(x0 + i1 + i0 * 128 + 2, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0 + 130, load11, count);
      f32x8 load12 = strided_n_f32x8(x0 + i1 + i0 * 128 + 3, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0 + 195, load12, count);
      f32x8 load13 = strided_n_f32x8(x0 + i1 + i0 * 128 + 4, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0 + 260, load13, count);
      f32x8 load14 = strided_n_f32x8(x0 + i1 + i0 * 128 + 5, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0 + 325, load14, count);
      f32x8 load15 = strided_n_f32x8(x0 + i1 + i0 * 128 + 6, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0 + 390, load15, count);
      f32x8 load16 = strided_n_f32x8(x0 + i1 + i0 * 128 + 7, 128, count);
      store_n_f32x8(out0 + i1 * 65 + i0 + 455, load16, count);
    }
  }
}
