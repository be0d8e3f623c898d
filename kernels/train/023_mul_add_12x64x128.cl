// mul_add_12x64x128: float32 [12, 64, 128], 688128 floating-point operations, 1192448 bytes
// out0: float32 [12, 64, 128]; x0: float32 [12, 64, 1, 128]; x1: float32 [128]; x2: float32 [12, 64, 1]; x3: float32
//   [12, 64, 1]; x4: float32 [12, 64, 128]; x5: float32 [12, 64, 1]; x6: float32 [12, 64, 1]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:53  variance = centered.square().mean(-1, keepdim=True) # (B, T, 1)
// gradient of gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_cl.h"

kernel void kernel_e745a227d0c7ab01(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, global const f32 *x6_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  global const f32 *x5 = x5_ + 128 / sizeof(const f32);
  global const f32 *x6 = x6_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0; loops: i1 by 16; tile: 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    f32 load3 = load_f32(x2 + i0);
    f32 load4 = load_f32(x3 + i0);
    f32 load6 = load_f32(x5 + i0);
    f32 load7 = load_f32(x6 + i0);
    for (idx i1 = 0; i1 < 128; i1 += 16) {
      // out0 = (((... * x2) + (x3 * ...)) + (x3 * (x4 + x5))) + x6
      f32x8 load1 = load_f32x8(x0 + i0 * 128 + i1);
      f32x8 load2 = load_f32x8(x1 + i1);
      f32x8 mul1 = load1 * load2;
      f32x8 mul2 = mul1 * splat_f32x8(load3);
      f32x8 load5 = load_f32x8(x4 + i0 * 128 + i1);
      f32x8 add1 = load5 + splat_f32x8(load6);
      f32x8 mul3 = splat_f32x8(load4) * add1;
      f32x8 add2 = mul2 + mul3;
      f32x8 add3 = add2 + mul3;
      f32x8 add4 = add3 + splat_f32x8(load7);
      store_f32x8(out0 + i0 * 128 + i1, add4);
      f32x8 load8 = load_f32x8(x0 + i0 * 128 + i1 + 8);
      f32x8 load9 = load_f32x8(x1 + i1 + 8);
      f32x8 mul4 = load8 * load9;
      f32x8 mul5 = mul4 * splat_f32x8(load3);
      f32x8 load10 = load_f32x8(x4 + i0 * 128 + i1 + 8);
      f32x8 add5 = load10 + splat_f32x8(load6);
      f32x8 mul6 = splat_f32x8(load4) * add5;
      f32x8 add6 = mul5 + mul6;
      f32x8 add7 = add6 + mul6;
      f32x8 add8 = add7 + splat_f32x8(load7);
      store_f32x8(out0 + i0 * 128 + i1 + 8, add8);
    }
  }
}
