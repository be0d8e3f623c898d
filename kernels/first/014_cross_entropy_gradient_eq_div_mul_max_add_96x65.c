// eq_div_mul_max_add_96x65: float32 [96, 65], 50114 floating-point operations, 50304 bytes
// out0: float32 [96, 65]; x0: int32 [96]; x1: float32 [96, 65]
// gpt.py:1123  "cross_entropy_gradient": lambda: logits.cross_entropy(targets).gradient(logits),
// gradient of gpt.py:1123  "cross_entropy_gradient": lambda: logits.cross_entropy(targets).gradient(logits),
#include "../words_c.h"

void kernel_2f2e94791b895fec(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const i32 *x0 = (const i32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  STRIPS(576)
  // tasks: i0; loops: i1 by 16; tile: 2 vectors of 8 along i1
  GLOBAL f32 *exp_row0 = (GLOBAL f32 *)(strips + 128);
  f32 div1 = 1.0f / 96.0f;
  f32 mul2 = div1 * -1.0f;
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    // maximum over r1 of x1
    f32x8 max1 = splat_f32x8(-INFINITY);
    for (idx r1 = 0; r1 < 64; r1 += 8) {
      f32x8 load1 = load_f32x8(x1 + i0 * 65 + r1);
      max1 = max_f32x8(max1, load1);
    }
    for (idx r1 = 64; r1 < 65; r1 += 8) {
      f32x8 load2 = load_f32x8(x1 + i0 * 65 + r1);
      max1 = max_f32x8(max1, where_f32x8(mask_i32x8(lanes_i32x8() < 1), load2, splat_f32x8(-INFINITY)));
    }
    f32 max2 = fold_max_f32x8(max1);
    // sum over r0 of exp(x1 + (the maximum * -1.0f))
    f32x8 sum1 = splat_f32x8(0.0f);
    f32 mul1 = max2 * -1.0f;
    for (idx r0 = 0; r0 < 64; r0 += 8) {
      f32x8 load3 = load_f32x8(x1 + i0 * 65 + r0);
      f32x8 add1 = load3 + splat_f32x8(mul1);
      f32x8 exp1 = exp_f32x8(add1);
      store_f32x8(exp_row0 + r0, exp1);
      sum1 = sum1 + exp1;
    }
    for (idx r0 = 64; r0 < 65; r0 += 8) {
      f32x8 load4 = load_f32x8(x1 + i0 * 65 + r0);
      f32x8 add2 = load4 + splat_f32x8(mul1);
      f32x8 exp2 = exp_f32x8(add2);
      store_f32x8(exp_row0 + r0, exp2);
      sum1 = sum1 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), exp2, splat_f32x8(0.0f));
    }
    f32 sum2 = fold_add_f32x8(sum1);
    i32 load5 = load_i32(x0 + i0);
    f32 div2 = div1 / sum2;
    for (idx i1 = 0; i1 < 64; i1 += 16) {
      // out0 = where(i1 == x0, ... * -1.0f, 0.0f) + ((... / the sum) * exp(...))
      i32x8 index1 = ((i32)i1 + lanes_i32x8());
      i32x8 eq1 = mask_i32x8(index1 == splat_i32x8(load5));
      f32x8 where1 = where_f32x8(eq1, splat_f32x8(mul2), splat_f32x8(0.0f));
      f32x8 exp3 = load_f32x8(exp_row0 + i1);
      f32x8 mul3 = splat_f32x8(div2) * exp3;
      f32x8 add3 = where1 + mul3;
      store_f32x8(out0 + i0 * 65 + i1, add3);
      i32x8 index2 = ((i32)i1 + lanes_i32x8()) + 8;
      i32x8 eq2 = mask_i32x8(index2 == splat_i32x8(load5));
      f32x8 where2 = where_f32x8(eq2, splat_f32x8(mul2), splat_f32x8(0.0f));
      f32x8 exp4 = load_f32x8(exp_row0 + i1 + 8);
      f32x8 mul4 = splat_f32x8(div2) * exp4;
      f32x8 add4 = where2 + mul4;
      store_f32x8(out0 + i0 * 65 + i1 + 8, add4);
    }
    for (idx i1 = 64; i1 < 65; i1 += 8) {
      idx count = 65 - i1 < 8 ? 65 - i1 : 8;
      // out0 = where(i1 == x0, ... * -1.0f, 0.0f) + ((... / the sum) * exp(...))
      i32x8 index3 = ((i32)i1 + lanes_i32x8());
      i32x8 eq3 = mask_i32x8(index3 == splat_i32x8(load5));
      f32x8 where3 = where_f32x8(eq3, splat_f32x8(mul2), splat_f32x8(0.0f));
      f32x8 exp5 = load_f32x8(exp_row0 + i1);
      f32x8 mul5 = splat_f32x8(div2) * exp5;
      f32x8 add5 = where3 + mul5;
      store_n_f32x8(out0 + i0 * 65 + i1, add5, count);
    }
  }
}
