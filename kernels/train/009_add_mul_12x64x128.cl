// add_mul_12x64x128: float32 [12, 64, 128], 294912 floating-point operations, 793088 bytes
// out0: float32 [12, 64, 128]; x0: float32 [12, 64, 128]; x1: float32 [12, 64, 1]; x2: float32 [12, 64, 1]; x3: float32
//   [128]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_cl.h"

kernel void kernel_c3013494243ec8c5(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0; loops: i1 by 16; tile: 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    f32 load2 = load_f32(x1 + i0);
    f32 load3 = load_f32(x2 + i0);
    for (idx i1 = 0; i1 < 128; i1 += 16) {
      // out0 = ((x0 + x1) * x2) * x3
      f32x8 load1 = load_f32x8(x0 + i0 * 128 + i1);
      f32x8 add1 = load1 + splat_f32x8(load2);
      f32x8 mul1 = add1 * splat_f32x8(load3);
      f32x8 load4 = load_f32x8(x3 + i1);
      f32x8 mul2 = mul1 * load4;
      store_f32x8(out0 + i0 * 128 + i1, mul2);
      f32x8 load5 = load_f32x8(x0 + i0 * 128 + i1 + 8);
      f32x8 add2 = load5 + splat_f32x8(load2);
      f32x8 mul3 = add2 * splat_f32x8(load3);
      f32x8 load6 = load_f32x8(x3 + i1 + 8);
      f32x8 mul4 = mul3 * load6;
      store_f32x8(out0 + i0 * 128 + i1 + 8, mul4);
    }
  }
}
