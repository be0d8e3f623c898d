// lt_add_le_12x64x128: float32 [12, 64, 128], 0 floating-point operations, 429568 bytes
// out0: float32 [12, 64, 128]; x0: int32 [12, 64]; x1: float32 [65, 128]
// gpt.py:1120  "embedding": lambda: table[tokens],
#include "../words_c.h"

void kernel_ac82c00d2be453e7(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const i32 *x0 = (const i32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0; loops: i1 by 16; tile: 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    i32 load1 = load_i32(x0 + i0);
    i32 lt1 = mask_i32(load1 < 0);
    i32 add1 = add_i32(load1, 65);
    i32 where1 = where_i32(lt1, add1, load1);
    i32 le1 = mask_i32(0 <= where1);
    i32 lt2 = mask_i32(where1 < 65);
    i32 and1 = le1 & lt2;
    i32 row1 = clamp_i32(where1, 65);
    for (idx i1 = 0; i1 < 128; i1 += 16) {
      // out0 = where((0 <= where(..., ..., x0)) & (where(..., ..., x0) < 65), x1, 0.0f)
      f32x8 load2 = load_f32x8(x1 + i1 + row1 * 128);
      f32x8 where2 = where_f32x8(splat_i32x8(and1), load2, splat_f32x8(0.0f));
      store_f32x8(out0 + i0 * 128 + i1, where2);
      f32x8 load3 = load_f32x8(x1 + i1 + row1 * 128 + 8);
      f32x8 where3 = where_f32x8(splat_i32x8(and1), load3, splat_f32x8(0.0f));
      store_f32x8(out0 + i0 * 128 + i1 + 8, where3);
    }
  }
}
