// lt_add_le_sum_div_128: float32 [1, 1, 128], 1286 floating-point operations, 67080 bytes
// out0: float32 [1, 1, 128]; x0: int32 [1, 1]; x1: float32 [65, 128]; x2: int32 [1]; x3: float32 [64, 128]; x4: float32
//   [128]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gpt.py:53  variance = centered.square().mean(-1, keepdim=True) # (B, T, 1)
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
// gpt.py:181  x = self.transformer["wte"](idx) + self.transformer["wpe"](length + Tensor.arange(T)) # (1, T, C)
#include "../words_cl.h"

kernel void kernel_6fc09dc41aadb02a(global f32 *out0_, global const i32 *x0_, global const f32 *x1_, global const i32 *x2_, global const f32 *x3_, global const f32 *x4_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const i32 *x0 = x0_ + 128 / sizeof(const i32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const i32 *x2 = x2_ + 128 / sizeof(const i32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // loops: i0 by 16; tile: 2 vectors of 8 along i0
  // sum over r0 of where(... & ..., x1, 0.0f) + where(... & ..., x3, 0.0f)
  f32x8 sum1 = splat_f32x8(0.0f);
  i32 load1 = load_i32(x0 + 0);
  i32 lt1 = mask_i32(load1 < 0);
  i32 add1 = add_i32(load1, 65);
  i32 where1 = where_i32(lt1, add1, load1);
  i32 le1 = mask_i32(0 <= where1);
  i32 lt2 = mask_i32(where1 < 65);
  i32 and1 = le1 & lt2;
  i32 row1 = clamp_i32(where1, 65);
  i32 load3 = load_i32(x2 + 0);
  i32 index1 = (i32)(0);
  i32 add2 = add_i32(load3, index1);
  i32 lt3 = mask_i32(add2 < 0);
  i32 add3 = add_i32(add2, 64);
  i32 where3 = where_i32(lt3, add3, add2);
  i32 le2 = mask_i32(0 <= where3);
  i32 lt4 = mask_i32(where3 < 64);
  i32 and2 = le2 & lt4;
  i32 row2 = clamp_i32(where3, 64);
  for (idx r0 = 0; r0 < 128; r0 += 8) {
    f32x8 load2 = load_f32x8(x1 + row1 * 128 + r0);
    f32x8 where2 = where_f32x8(splat_i32x8(and1), load2, splat_f32x8(0.0f));
    f32x8 load4 = load_f32x8(x3 + row2 * 128 + r0);
    f32x8 where4 = where_f32x8(splat_i32x8(and2), load4, splat_f32x8(0.0f));
    f32x8 add4 = where2 + where4;
    sum1 = sum1 + add4;
  }
  f32 sum2 = fold_add_f32x8(sum1);
  // sum over r1 of ((... + ...) + (... * -1.0f)) * ((... + ...) + (... * -1.0f))
  f32x8 sum3 = splat_f32x8(0.0f);
  f32 div1 = sum2 / 128.0f;
  f32 mul1 = div1 * -1.0f;
  for (idx r1 = 0; r1 < 128; r1 += 8) {
    f32x8 load5 = load_f32x8(x1 + row1 * 128 + r1);
    f32x8 where5 = where_f32x8(splat_i32x8(and1), load5, splat_f32x8(0.0f));
    f32x8 load6 = load_f32x8(x3 + row2 * 128 + r1);
    f32x8 where6 = where_f32x8(splat_i32x8(and2), load6, splat_f32x8(0.0f));
    f32x8 add5 = where5 + where6;
    f32x8 add6 = add5 + splat_f32x8(mul1);
    sum3 = sum3 + add6 * add6;
  }
  f32 sum4 = fold_add_f32x8(sum3);
  f32 div2 = sum4 / 128.0f;
  f32 add9 = div2 + 1e-05f;
  f32 sqrt1 = sqrt_f32(add9);
  f32 div3 = 1.0f / sqrt1;
  for (idx task = begin; task < end; task++) {
    for (idx i0 = 0; i0 < 128; i0 += 16) {
      // out0 = (((... + ...) + (... * -1.0f)) * (1.0f / sqrt(...))) * x4
      f32x8 load7 = load_f32x8(x1 + i0 + row1 * 128);
      f32x8 where7 = where_f32x8(splat_i32x8(and1), load7, splat_f32x8(0.0f));
      f32x8 load8 = load_f32x8(x3 + i0 + row2 * 128);
      f32x8 where8 = where_f32x8(splat_i32x8(and2), load8, splat_f32x8(0.0f));
      f32x8 add7 = where7 + where8;
      f32x8 add8 = add7 + splat_f32x8(mul1);
      f32x8 mul2 = add8 * splat_f32x8(div3);
      f32x8 load9 = load_f32x8(x4 + i0);
      f32x8 mul3 = mul2 * load9;
      store_f32x8(out0 + i0, mul3);
      f32x8 load10 = load_f32x8(x1 + i0 + row1 * 128 + 8);
      f32x8 where9 = where_f32x8(splat_i32x8(and1), load10, splat_f32x8(0.0f));
      f32x8 load11 = load_f32x8(x3 + i0 + row2 * 128 + 8);
      f32x8 where10 = where_f32x8(splat_i32x8(and2), load11, splat_f32x8(0.0f));
      f32x8 add10 = where9 + where10;
      f32x8 add11 = add10 + splat_f32x8(mul1);
      f32x8 mul4 = add11 * splat_f32x8(div3);
      f32x8 load12 = load_f32x8(x4 + i0 + 8);
      f32x8 mul5 = mul4 * load12;
      store_f32x8(out0 + i0 + 8, mul5);
    }
  }
}
