// lt_add_le_mul_sum_128: float32 [1, 1, 128], 33024 floating-point operations, 132616 bytes
// out0: float32 [1, 1, 128]; x0: int32 [1, 1]; x1: float32 [65, 128]; x2: int32 [1]; x3: float32 [64, 128]; x4: float32
//   [1, 4, 1, 32, 1]; x5: float32 [128, 128]
// gpt.py:84  return self.c_proj(y).dropout(self.dropout)
// gpt.py:131  x = x + self.attn(self.ln_1(x), cache)
// gpt.py:181  x = self.transformer["wte"](idx) + self.transformer["wpe"](length + Tensor.arange(T)) # (1, T, C)
#include "../words_cl.h"

kernel void kernel_5cdfe13e3d9569e4(global f32 *out0_, global const i32 *x0_, global const f32 *x1_, global const i32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const i32 *x0 = x0_ + 128 / sizeof(const i32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const i32 *x2 = x2_ + 128 / sizeof(const i32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  global const f32 *x5 = x5_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 4; tile: 4 rows of i0
  i32 load6 = load_i32(x0 + 0);
  i32 lt1 = mask_i32(load6 < 0);
  i32 add1 = add_i32(load6, 65);
  i32 where1 = where_i32(lt1, add1, load6);
  i32 le1 = mask_i32(0 <= where1);
  i32 lt2 = mask_i32(where1 < 65);
  i32 and1 = le1 & lt2;
  i32 row1 = clamp_i32(where1, 65);
  i32 load8 = load_i32(x2 + 0);
  i32 index1 = (i32)(0);
  i32 add2 = add_i32(load8, index1);
  i32 lt3 = mask_i32(add2 < 0);
  i32 add3 = add_i32(add2, 64);
  i32 where3 = where_i32(lt3, add3, add2);
  i32 le2 = mask_i32(0 <= where3);
  i32 lt4 = mask_i32(where3 < 64);
  i32 and2 = le2 & lt4;
  i32 row2 = clamp_i32(where3, 64);
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // sum over r0 of x4 * x5
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 128; r0 += 8) {
      f32x8 load1 = load_f32x8(x4 + r0);
      f32x8 load2 = load_f32x8(x5 + i0 * 128 + r0);
      sum1 = sum1 + load1 * load2;
      f32x8 load3 = load_f32x8(x5 + i0 * 128 + r0 + 128);
      sum2 = sum2 + load1 * load3;
      f32x8 load4 = load_f32x8(x5 + i0 * 128 + r0 + 256);
      sum3 = sum3 + load1 * load4;
      f32x8 load5 = load_f32x8(x5 + i0 * 128 + r0 + 384);
      sum4 = sum4 + load1 * load5;
    }
    f32 sum5 = fold_add_f32x8(sum1);
    f32 sum6 = fold_add_f32x8(sum2);
    f32 sum7 = fold_add_f32x8(sum3);
    f32 sum8 = fold_add_f32x8(sum4);
    // out0 = (where(... & ..., x1, 0.0f) + where(... & ..., x3, 0.0f)) + the sum
    f32 load7 = load_f32(x1 + i0 + row1 * 128);
    f32 where2 = where_f32(and1, load7, 0.0f);
    f32 load9 = load_f32(x3 + i0 + row2 * 128);
    f32 where4 = where_f32(and2, load9, 0.0f);
    f32 add4 = where2 + where4;
    f32 add5 = add4 + sum5;
    store_f32(out0 + i0, add5);
    f32 load10 = load_f32(x1 + i0 + row1 * 128 + 1);
    f32 where5 = where_f32(and1, load10, 0.0f);
    f32 load11 = load_f32(x3 + i0 + row2 * 128 + 1);
    f32 where6 = where_f32(and2, load11, 0.0f);
    f32 add6 = where5 + where6;
    f32 add7 = add6 + sum6;
    store_f32(out0 + i0 + 1, add7);
    f32 load12 = load_f32(x1 + i0 + row1 * 128 + 2);
    f32 where7 = where_f32(and1, load12, 0.0f);
    f32 load13 = load_f32(x3 + i0 + row2 * 128 + 2);
    f32 where8 = where_f32(and2, load13, 0.0f);
    f32 add8 = where7 + where8;
    f32 add9 = add8 + sum7;
    store_f32(out0 + i0 + 2, add9);
    f32 load14 = load_f32(x1 + i0 + row1 * 128 + 3);
    f32 where9 = where_f32(and1, load14, 0.0f);
    f32 load15 = load_f32(x3 + i0 + row2 * 128 + 3);
    f32 where10 = where_f32(and2, load15, 0.0f);
    f32 add10 = where9 + where10;
    f32 add11 = add10 + sum8;
    store_f32(out0 + i0 + 3, add11);
  }
}
