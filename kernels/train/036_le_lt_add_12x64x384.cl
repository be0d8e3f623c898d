// le_lt_add_12x64x384: float32 [12, 64, 384], 589824 floating-point operations, 2359296 bytes
// out0: float32 [12, 64, 384]; x0: float32 [12, 4, 1, 64, 32]; x1: float32 [12, 4, 1, 64, 32]; x2: float32 [12, 4, 64,
//   1, 32]
// gradient of gpt.py:73  q, k, v = self.c_attn(x).split(C, -1) # (B, T, C) each
#include "../words_cl.h"

kernel void kernel_f4c4260139e3fcfb(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0, i1; loops: i2, i3 by 16; tile: 2 vectors of 8 along i3
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 64;
    idx i1 = task % 64;
    for (idx i2 = 0; i2 < 12; i2 += 1) {
      for (idx i3 = 0; i3 < 32; i3 += 16) {
        // out0 = (x0 + x1) + x2
        i32x8 index1 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8()) - 256;
        i32x8 le1 = mask_i32x8(splat_i32x8(0) <= index1);
        f32x8 load1 = where_f32x8(le1, load_f32x8(x0 + within(i0 * 8192 + i1 * 32 + i2 * 2048 + i3 - 16384, 98304, 8)), splat_f32x8(0.0f));
        i32x8 index2 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8()) - 128;
        i32x8 le2 = mask_i32x8(splat_i32x8(0) <= index2);
        i32x8 lt1 = mask_i32x8(index2 < splat_i32x8(128));
        f32x8 load2 = where_f32x8(le2 & lt1, load_f32x8(x1 + within(i0 * 8192 + i1 * 32 + i2 * 2048 + i3 - 8192, 98304, 8)), splat_f32x8(0.0f));
        f32x8 add1 = load1 + load2;
        i32x8 index3 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8());
        i32x8 lt2 = mask_i32x8(index3 < splat_i32x8(128));
        f32x8 load3 = where_f32x8(lt2, load_f32x8(x2 + within(i0 * 8192 + i1 * 32 + i2 * 2048 + i3, 98304, 8)), splat_f32x8(0.0f));
        f32x8 add2 = add1 + load3;
        store_f32x8(out0 + i0 * 24576 + i1 * 384 + i2 * 32 + i3, add2);
        i32x8 index4 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8()) - 248;
        i32x8 le3 = mask_i32x8(splat_i32x8(0) <= index4);
        f32x8 load4 = where_f32x8(le3, load_f32x8(x0 + within(i0 * 8192 + i1 * 32 + i2 * 2048 + i3 - 16376, 98304, 8)), splat_f32x8(0.0f));
        i32x8 index5 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8()) - 120;
        i32x8 le4 = mask_i32x8(splat_i32x8(0) <= index5);
        i32x8 lt3 = mask_i32x8(index5 < splat_i32x8(128));
        f32x8 load5 = where_f32x8(le4 & lt3, load_f32x8(x1 + within(i0 * 8192 + i1 * 32 + i2 * 2048 + i3 - 8184, 98304, 8)), splat_f32x8(0.0f));
        f32x8 add3 = load4 + load5;
        i32x8 index6 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8()) + 8;
        i32x8 lt4 = mask_i32x8(index6 < splat_i32x8(128));
        f32x8 load6 = where_f32x8(lt4, load_f32x8(x2 + within(i0 * 8192 + i1 * 32 + i2 * 2048 + i3 + 8, 98304, 8)), splat_f32x8(0.0f));
        f32x8 add4 = add3 + load6;
        store_f32x8(out0 + i0 * 24576 + i1 * 384 + i2 * 32 + i3 + 8, add4);
      }
    }
  }
}
