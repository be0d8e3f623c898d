// sum_div_mul_add_sqrt_128: float32 [1, 1, 128], 902 floating-point operations, 1536 bytes
// out0: float32 [1, 1, 128]; x0: float32 [1, 1, 128]; x1: float32 [128]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gpt.py:53  variance = centered.square().mean(-1, keepdim=True) # (B, T, 1)
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_cl.h"

kernel void kernel_a05f1e9c370617c3(global f32 *out0_, global const f32 *x0_, global const f32 *x1_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // loops: i0 by 16; tile: 2 vectors of 8 along i0
  // sum over r0 of x0
  f32x8 sum1 = splat_f32x8(0.0f);
  for (idx r0 = 0; r0 < 128; r0 += 8) {
    f32x8 load1 = load_f32x8(x0 + r0);
    sum1 = sum1 + load1;
  }
  f32 sum2 = fold_add_f32x8(sum1);
  // sum over r1 of (x0 + ((the sum / 128.0f) * -1.0f)) * (x0 + ((the sum / 128.0f) * -1.0f))
  f32x8 sum3 = splat_f32x8(0.0f);
  f32 div1 = sum2 / 128.0f;
  f32 mul1 = div1 * -1.0f;
  for (idx r1 = 0; r1 < 128; r1 += 8) {
    f32x8 load2 = load_f32x8(x0 + r1);
    f32x8 add1 = load2 + splat_f32x8(mul1);
    sum3 = sum3 + add1 * add1;
  }
  f32 sum4 = fold_add_f32x8(sum3);
  f32 div2 = sum4 / 128.0f;
  f32 add3 = div2 + 1e-05f;
  f32 sqrt1 = sqrt_f32(add3);
  f32 div3 = 1.0f / sqrt1;
  for (idx task = begin; task < end; task++) {
    for (idx i0 = 0; i0 < 128; i0 += 16) {
      // out0 = ((x0 + (... * -1.0f)) * (1.0f / sqrt(...))) * x1
      f32x8 load3 = load_f32x8(x0 + i0);
      f32x8 add2 = load3 + splat_f32x8(mul1);
      f32x8 mul2 = add2 * splat_f32x8(div3);
      f32x8 load4 = load_f32x8(x1 + i0);
      f32x8 mul3 = mul2 * load4;
      store_f32x8(out0 + i0, mul3);
      f32x8 load5 = load_f32x8(x0 + i0 + 8);
      f32x8 add4 = load5 + splat_f32x8(mul1);
      f32x8 mul4 = add4 * splat_f32x8(div3);
      f32x8 load6 = load_f32x8(x1 + i0 + 8);
      f32x8 mul5 = mul4 * load6;
      store_f32x8(out0 + i0 + 8, mul5);
    }
  }
}
