// sum_div_mul_add_sqrt_64x80: float32 [64, 80], 31104 floating-point operations, 40960 bytes
// out0: float32 [64, 80]; x0: float32 [64, 80]
// gpt.py:1117  "layernorm": lambda: x.layernorm(),
#include "../words_c.h"

void kernel_2900ed24dd27edb9(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0; loops: i1 by 16; tile: 2 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    // sum over r0 of x0
    f32x8 sum1 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 80; r0 += 8) {
      f32x8 load1 = load_f32x8(x0 + i0 * 80 + r0);
      sum1 = sum1 + load1;
    }
    f32 sum2 = fold_add_f32x8(sum1);
    // sum over r1 of (x0 + ((the sum / 80.0f) * -1.0f)) * (x0 + ((the sum / 80.0f) * -1.0f))
    f32x8 sum3 = splat_f32x8(0.0f);
    f32 div1 = sum2 / 80.0f;
    f32 mul1 = div1 * -1.0f;
    for (idx r1 = 0; r1 < 80; r1 += 8) {
      f32x8 load2 = load_f32x8(x0 + i0 * 80 + r1);
      f32x8 add1 = load2 + splat_f32x8(mul1);
      sum3 = sum3 + add1 * add1;
    }
    f32 sum4 = fold_add_f32x8(sum3);
    f32 div2 = sum4 / 80.0f;
    f32 add3 = div2 + 1e-05f;
    f32 sqrt1 = sqrt_f32(add3);
    f32 div3 = 1.0f / sqrt1;
    for (idx i1 = 0; i1 < 80; i1 += 16) {
      // out0 = (x0 + ((the sum / 80.0f) * -1.0f)) * (1.0f / sqrt(... + 1e-05f))
      f32x8 load3 = load_f32x8(x0 + i0 * 80 + i1);
      f32x8 add2 = load3 + splat_f32x8(mul1);
      f32x8 mul2 = add2 * splat_f32x8(div3);
      store_f32x8(out0 + i0 * 80 + i1, mul2);
      f32x8 load4 = load_f32x8(x0 + i0 * 80 + i1 + 8);
      f32x8 add4 = load4 + splat_f32x8(mul1);
      f32x8 mul3 = add4 * splat_f32x8(div3);
      store_f32x8(out0 + i0 * 80 + i1 + 8, mul3);
    }
  }
}
