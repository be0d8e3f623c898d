// mul_add_le_sqrt_64x80: float32 [64, 80], 15360 floating-point operations, 61440 bytes
// out0: float32 [64, 80]; x0: float32 [64, 80]; x1: float32 [64, 80]
// gpt.py:1112  "elementwise": lambda: (2 * x + y).relu().sqrt(),
#include "../words_c.h"

void kernel_e79aaf6960999ba4(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0 by 16; tile: 2 vectors of 8 along i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 16;
    // out0 = sqrt(where((... + x1) <= 0.0f, 0.0f, (x0 * 2.0f) + x1))
    f32x8 load1 = load_f32x8(x0 + i0);
    f32x8 mul1 = load1 * splat_f32x8(2.0f);
    f32x8 load2 = load_f32x8(x1 + i0);
    f32x8 add1 = mul1 + load2;
    i32x8 le1 = mask_f32x8(add1 <= splat_f32x8(0.0f));
    f32x8 where1 = where_f32x8(le1, splat_f32x8(0.0f), add1);
    f32x8 sqrt1 = sqrt_f32x8(where1);
    store_f32x8(out0 + i0, sqrt1);
    f32x8 load3 = load_f32x8(x0 + i0 + 8);
    f32x8 mul2 = load3 * splat_f32x8(2.0f);
    f32x8 load4 = load_f32x8(x1 + i0 + 8);
    f32x8 add2 = mul2 + load4;
    i32x8 le2 = mask_f32x8(add2 <= splat_f32x8(0.0f));
    f32x8 where2 = where_f32x8(le2, splat_f32x8(0.0f), add2);
    f32x8 sqrt2 = sqrt_f32x8(where2);
    store_f32x8(out0 + i0 + 8, sqrt2);
  }
}
