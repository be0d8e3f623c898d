// le_lt_4x8x18x18: float32 [4, 8, 18, 18], 0 floating-point operations, 74240 bytes
// out0: float32 [4, 8, 18, 18]; x0: float32 [4, 8, 16, 16]
// gpt.py:1124  "convolution": lambda: image.conv2d(filters, padding=1),
#include "../words_c.h"

void kernel_558012f2e86728a4(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0, i1, i2; loops: i3 by 16; tile: 2 vectors of 8 along i3
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 144;
    idx i1 = task / 18 % 8;
    idx i2 = task % 18;
    i32 index1 = (i32)(i2 - 1);
    i32 le1 = mask_i32(0 <= index1);
    i32 lt1 = mask_i32(index1 < 16);
    for (idx i3 = 0; i3 < 16; i3 += 16) {
      // out0 = x0
      i32x8 index2 = ((i32)i3 + lanes_i32x8()) - 1;
      i32x8 le2 = mask_i32x8(splat_i32x8(0) <= index2);
      i32x8 lt2 = mask_i32x8(index2 < splat_i32x8(16));
      f32x8 load1 = where_f32x8(splat_i32x8(le1) & splat_i32x8(lt1) & le2 & lt2, load_f32x8(x0 + within(i0 * 2048 + i1 * 256 + i2 * 16 + i3 - 17, 8192, 8)), splat_f32x8(0.0f));
      store_f32x8(out0 + i0 * 2592 + i1 * 324 + i2 * 18 + i3, load1);
      i32x8 index3 = ((i32)i3 + lanes_i32x8()) + 7;
      i32x8 le3 = mask_i32x8(splat_i32x8(0) <= index3);
      i32x8 lt3 = mask_i32x8(index3 < splat_i32x8(16));
      f32x8 load2 = where_f32x8(splat_i32x8(le1) & splat_i32x8(lt1) & le3 & lt3, load_f32x8(x0 + within(i0 * 2048 + i1 * 256 + i2 * 16 + i3 - 9, 8192, 8)), splat_f32x8(0.0f));
      store_f32x8(out0 + i0 * 2592 + i1 * 324 + i2 * 18 + i3 + 8, load2);
    }
    for (idx i3 = 16; i3 < 18; i3 += 8) {
      idx count = 18 - i3 < 8 ? 18 - i3 : 8;
      // out0 = x0
      i32x8 index4 = ((i32)i3 + lanes_i32x8()) - 1;
      i32x8 le4 = mask_i32x8(splat_i32x8(0) <= index4);
      i32x8 lt4 = mask_i32x8(index4 < splat_i32x8(16));
      f32x8 load3 = where_f32x8(splat_i32x8(le1) & splat_i32x8(lt1) & le4 & lt4, load_f32x8(x0 + within(i0 * 2048 + i1 * 256 + i2 * 16 + i3 - 17, 8192, 8)), splat_f32x8(0.0f));
      store_n_f32x8(out0 + i0 * 2592 + i1 * 324 + i2 * 18 + i3, load3, count);
    }
  }
}
