// mul_add_le_lt_4x64x32: float32 [1, 4, 64, 32], float32 [1, 4, 64, 32], 0 floating-point operations, 132612 bytes
// out0: float32 [1, 4, 64, 32]; out1: float32 [1, 4, 64, 32]; x0: int32 [1]; x1: float32 [1, 1, 384, 1]; x2: float32
//   [1, 4, 64, 32]; x3: float32 [1, 4, 64, 32]
// gpt.py:103  number = places - self.length # at each place, which of the T tokens it is
// gpt.py:104  fresh = ((number >= 0) & (number < T)).reshape(-1, 1) # (block_size, 1)
// gpt.py:106  kept.assign(fresh.where(new[:, :, number.clip(0, T - 1)], kept))
#include "../words_cl.h"

kernel void kernel_1ac589f14d46a291(global f32 *out0_, global f32 *out1_, global const i32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global const i32 *x0 = x0_ + 128 / sizeof(const i32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0, i1; loops: i2 by 16; tile: 2 vectors of 8 along i2
  i32 load1 = load_i32(x0 + 0);
  i32 mul1 = mul_i32(load1, -1);
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 64;
    idx i1 = task % 64;
    i32 index1 = (i32)(i1);
    i32 add1 = add_i32(index1, mul1);
    i32 le1 = mask_i32(0 <= add1);
    i32 lt1 = mask_i32(add1 < 1);
    i32 and1 = le1 & lt1;
    i32 lt2 = mask_i32(add1 < 0);
    i32 where1 = where_i32(lt2, 0, add1);
    i32 lt3 = mask_i32(0 < where1);
    i32 where2 = where_i32(lt3, 0, where1);
    i32 lt4 = mask_i32(where2 < 0);
    i32 add2 = add_i32(where2, 1);
    i32 where3 = where_i32(lt4, add2, where2);
    i32 le2 = mask_i32(0 <= where3);
    i32 lt5 = mask_i32(where3 < 1);
    i32 and2 = le2 & lt5;
    for (idx i2 = 0; i2 < 32; i2 += 16) {
      // out0 = where((0 <= ...) & (... < 1), where(... & ..., x1, 0.0f), x2)
      f32x8 load2 = load_f32x8(x1 + i0 * 32 + i2 + 128);
      f32x8 where4 = where_f32x8(splat_i32x8(and2), load2, splat_f32x8(0.0f));
      f32x8 load3 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + i2);
      f32x8 where5 = where_f32x8(splat_i32x8(and1), where4, load3);
      store_f32x8(out0 + i0 * 2048 + i1 * 32 + i2, where5);
      f32x8 load4 = load_f32x8(x1 + i0 * 32 + i2 + 136);
      f32x8 where6 = where_f32x8(splat_i32x8(and2), load4, splat_f32x8(0.0f));
      f32x8 load5 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + i2 + 8);
      f32x8 where7 = where_f32x8(splat_i32x8(and1), where6, load5);
      store_f32x8(out0 + i0 * 2048 + i1 * 32 + i2 + 8, where7);
      // out1 = where((0 <= ...) & (... < 1), where(... & ..., x1, 0.0f), x3)
      f32x8 load6 = load_f32x8(x1 + i0 * 32 + i2 + 256);
      f32x8 where8 = where_f32x8(splat_i32x8(and2), load6, splat_f32x8(0.0f));
      f32x8 load7 = load_f32x8(x3 + i0 * 2048 + i1 * 32 + i2);
      f32x8 where9 = where_f32x8(splat_i32x8(and1), where8, load7);
      store_f32x8(out1 + i0 * 2048 + i1 * 32 + i2, where9);
      f32x8 load8 = load_f32x8(x1 + i0 * 32 + i2 + 264);
      f32x8 where10 = where_f32x8(splat_i32x8(and2), load8, splat_f32x8(0.0f));
      f32x8 load9 = load_f32x8(x3 + i0 * 2048 + i1 * 32 + i2 + 8);
      f32x8 where11 = where_f32x8(splat_i32x8(and1), where10, load9);
      store_f32x8(out1 + i0 * 2048 + i1 * 32 + i2 + 8, where11);
    }
  }
}
