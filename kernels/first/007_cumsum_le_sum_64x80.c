// le_sum_64x80: float32 [64, 80], 409600 floating-point operations, 40960 bytes
// out0: float32 [64, 80]; x0: float32 [64, 80]
// gpt.py:1118  "cumsum": lambda: x.cumsum(1),
#include "../words_c.h"

void kernel_fb5d28f8d16e35de(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0; loops: i1 by 32; tile: 4 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    for (idx i1 = 0; i1 < 64; i1 += 32) {
      // sum over r0 of where(r0 <= i1, x0, 0.0f)
      f32x8 sum1 = splat_f32x8(0.0f);
      f32x8 sum2 = splat_f32x8(0.0f);
      f32x8 sum3 = splat_f32x8(0.0f);
      f32x8 sum4 = splat_f32x8(0.0f);
      i32x8 index2 = ((i32)i1 + lanes_i32x8());
      i32x8 index3 = ((i32)i1 + lanes_i32x8()) + 8;
      i32x8 index4 = ((i32)i1 + lanes_i32x8()) + 16;
      i32x8 index5 = ((i32)i1 + lanes_i32x8()) + 24;
      for (idx r0 = 0; r0 < 80; r0 += 1) {
        i32 index1 = (i32)(r0);
        i32x8 le1 = mask_i32x8(splat_i32x8(index1) <= index2);
        f32 load1 = load_f32(x0 + i0 * 80 + r0);
        f32x8 where1 = where_f32x8(le1, splat_f32x8(load1), splat_f32x8(0.0f));
        sum1 = sum1 + where1;
        i32x8 le2 = mask_i32x8(splat_i32x8(index1) <= index3);
        f32x8 where2 = where_f32x8(le2, splat_f32x8(load1), splat_f32x8(0.0f));
        sum2 = sum2 + where2;
        i32x8 le3 = mask_i32x8(splat_i32x8(index1) <= index4);
        f32x8 where3 = where_f32x8(le3, splat_f32x8(load1), splat_f32x8(0.0f));
        sum3 = sum3 + where3;
        i32x8 le4 = mask_i32x8(splat_i32x8(index1) <= index5);
        f32x8 where4 = where_f32x8(le4, splat_f32x8(load1), splat_f32x8(0.0f));
        sum4 = sum4 + where4;
      }
      // out0 = the sum
      store_f32x8(out0 + i0 * 80 + i1, sum1);
      store_f32x8(out0 + i0 * 80 + i1 + 8, sum2);
      store_f32x8(out0 + i0 * 80 + i1 + 16, sum3);
      store_f32x8(out0 + i0 * 80 + i1 + 24, sum4);
    }
    for (idx i1 = 64; i1 < 80; i1 += 8) {
      // sum over r0 of where(r0 <= i1, x0, 0.0f)
      f32x8 sum5 = splat_f32x8(0.0f);
      i32x8 index7 = ((i32)i1 + lanes_i32x8());
      for (idx r0 = 0; r0 < 80; r0 += 1) {
        i32 index6 = (i32)(r0);
        i32x8 le5 = mask_i32x8(splat_i32x8(index6) <= index7);
        f32 load2 = load_f32(x0 + i0 * 80 + r0);
        f32x8 where5 = where_f32x8(le5, splat_f32x8(load2), splat_f32x8(0.0f));
        sum5 = sum5 + where5;
      }
      // out0 = the sum
      store_f32x8(out0 + i0 * 80 + i1, sum5);
    }
  }
}
