// sum_div_mul_add_sqrt_12x64: float32 [12, 64, 1], float32 [12, 64, 1], float32 [12, 64, 1], 397824 floating-point operations, 402432 bytes
// out0: float32 [12, 64, 1]; out1: float32 [12, 64, 1]; out2: float32 [12, 64, 1]; x0: float32 [12, 64, 128]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gpt.py:53  variance = centered.square().mean(-1, keepdim=True) # (B, T, 1)
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_cl.h"

kernel void kernel_5814a473a776ec87(global f32 *out0_, global f32 *out1_, global f32 *out2_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global f32 *out2 = out2_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // sum over r0 of x0
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 128; r0 += 8) {
      f32x8 load1 = load_f32x8(x0 + i0 * 128 + r0);
      sum1 = sum1 + load1;
      f32x8 load2 = load_f32x8(x0 + i0 * 128 + r0 + 128);
      sum2 = sum2 + load2;
      f32x8 load3 = load_f32x8(x0 + i0 * 128 + r0 + 256);
      sum3 = sum3 + load3;
      f32x8 load4 = load_f32x8(x0 + i0 * 128 + r0 + 384);
      sum4 = sum4 + load4;
    }
    f32 sum5 = fold_add_f32x8(sum1);
    f32 sum6 = fold_add_f32x8(sum2);
    f32 sum7 = fold_add_f32x8(sum3);
    f32 sum8 = fold_add_f32x8(sum4);
    // sum over r1 of (x0 + ((the sum / 128.0f) * -1.0f)) * (x0 + ((the sum / 128.0f) * -1.0f))
    f32x8 sum9 = splat_f32x8(0.0f);
    f32x8 sum10 = splat_f32x8(0.0f);
    f32x8 sum11 = splat_f32x8(0.0f);
    f32x8 sum12 = splat_f32x8(0.0f);
    f32 div1 = sum5 / 128.0f;
    f32 mul1 = div1 * -1.0f;
    f32 div2 = sum6 / 128.0f;
    f32 mul2 = div2 * -1.0f;
    f32 div3 = sum7 / 128.0f;
    f32 mul3 = div3 * -1.0f;
    f32 div4 = sum8 / 128.0f;
    f32 mul4 = div4 * -1.0f;
    for (idx r1 = 0; r1 < 128; r1 += 8) {
      f32x8 load5 = load_f32x8(x0 + i0 * 128 + r1);
      f32x8 add1 = load5 + splat_f32x8(mul1);
      sum9 = sum9 + add1 * add1;
      f32x8 load6 = load_f32x8(x0 + i0 * 128 + r1 + 128);
      f32x8 add2 = load6 + splat_f32x8(mul2);
      sum10 = sum10 + add2 * add2;
      f32x8 load7 = load_f32x8(x0 + i0 * 128 + r1 + 256);
      f32x8 add3 = load7 + splat_f32x8(mul3);
      sum11 = sum11 + add3 * add3;
      f32x8 load8 = load_f32x8(x0 + i0 * 128 + r1 + 384);
      f32x8 add4 = load8 + splat_f32x8(mul4);
      sum12 = sum12 + add4 * add4;
    }
    f32 sum13 = fold_add_f32x8(sum9);
    f32 sum14 = fold_add_f32x8(sum10);
    f32 sum15 = fold_add_f32x8(sum11);
    f32 sum16 = fold_add_f32x8(sum12);
    // out0 = (the sum / 128.0f) * -1.0f
    store_f32(out0 + i0, mul1);
    store_f32(out0 + i0 + 1, mul2);
    store_f32(out0 + i0 + 2, mul3);
    store_f32(out0 + i0 + 3, mul4);
    // out1 = sqrt((the sum / 128.0f) + 1e-05f)
    f32 div5 = sum13 / 128.0f;
    f32 add5 = div5 + 1e-05f;
    f32 sqrt1 = sqrt_f32(add5);
    store_f32(out1 + i0, sqrt1);
    f32 div6 = sum14 / 128.0f;
    f32 add6 = div6 + 1e-05f;
    f32 sqrt2 = sqrt_f32(add6);
    store_f32(out1 + i0 + 1, sqrt2);
    f32 div7 = sum15 / 128.0f;
    f32 add7 = div7 + 1e-05f;
    f32 sqrt3 = sqrt_f32(add7);
    store_f32(out1 + i0 + 2, sqrt3);
    f32 div8 = sum16 / 128.0f;
    f32 add8 = div8 + 1e-05f;
    f32 sqrt4 = sqrt_f32(add8);
    store_f32(out1 + i0 + 3, sqrt4);
    // out2 = 1.0f / sqrt((the sum / 128.0f) + 1e-05f)
    f32 div9 = 1.0f / sqrt1;
    store_f32(out2 + i0, div9);
    f32 div10 = 1.0f / sqrt2;
    store_f32(out2 + i0 + 1, div10);
    f32 div11 = 1.0f / sqrt3;
    store_f32(out2 + i0 + 2, div11);
    f32 div12 = 1.0f / sqrt4;
    store_f32(out2 + i0 + 3, div12);
  }
}
