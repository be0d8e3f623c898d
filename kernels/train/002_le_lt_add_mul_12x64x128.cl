// le_lt_add_mul_12x64x128: float32 [12, 64, 128], 393216 floating-point operations, 468992 bytes
// out0: float32 [12, 64, 128]; x0: int32 [12, 64]; x1: float32 [65, 128]; x2: float32 [64, 128]; x3: float32 [12, 64,
//   1]; x4: float32 [12, 64, 1]; x5: float32 [128]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
// gpt.py:169  x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[:T] # (B, T, C)
#include "../words_cl.h"

kernel void kernel_616793285efec4d4(global f32 *out0_, global const i32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const i32 *x0 = x0_ + 128 / sizeof(const i32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  global const f32 *x5 = x5_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0, i1; loops: i2 by 16; tile: 2 vectors of 8 along i2
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 64;
    idx i1 = task % 64;
    i32 load1 = load_i32(x0 + i0 * 64 + i1);
    i32 le1 = mask_i32(0 <= load1);
    i32 lt1 = mask_i32(load1 < 65);
    i32 and1 = le1 & lt1;
    i32 row1 = clamp_i32(load1, 65);
    f32 load4 = load_f32(x3 + i0 * 64 + i1);
    f32 load5 = load_f32(x4 + i0 * 64 + i1);
    for (idx i2 = 0; i2 < 128; i2 += 16) {
      // out0 = (((... + x2) + x3) * x4) * x5
      f32x8 load2 = load_f32x8(x1 + i2 + row1 * 128);
      f32x8 where1 = where_f32x8(splat_i32x8(and1), load2, splat_f32x8(0.0f));
      f32x8 load3 = load_f32x8(x2 + i1 * 128 + i2);
      f32x8 add1 = where1 + load3;
      f32x8 add2 = add1 + splat_f32x8(load4);
      f32x8 mul1 = add2 * splat_f32x8(load5);
      f32x8 load6 = load_f32x8(x5 + i2);
      f32x8 mul2 = mul1 * load6;
      store_f32x8(out0 + i0 * 8192 + i1 * 128 + i2, mul2);
      f32x8 load7 = load_f32x8(x1 + i2 + row1 * 128 + 8);
      f32x8 where2 = where_f32x8(splat_i32x8(and1), load7, splat_f32x8(0.0f));
      f32x8 load8 = load_f32x8(x2 + i1 * 128 + i2 + 8);
      f32x8 add3 = where2 + load8;
      f32x8 add4 = add3 + splat_f32x8(load4);
      f32x8 mul3 = add4 * splat_f32x8(load5);
      f32x8 load9 = load_f32x8(x5 + i2 + 8);
      f32x8 mul4 = mul3 * load9;
      store_f32x8(out0 + i0 * 8192 + i1 * 128 + i2 + 8, mul4);
    }
  }
}
