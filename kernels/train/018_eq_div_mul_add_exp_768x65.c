// eq_div_mul_add_exp_768x65: float32 [768, 65], 200450 floating-point operations, 408576 bytes
// out0: float32 [768, 65]; x0: int32 [12, 64]; x1: float32 [768, 1]; x2: float32 [12, 64, 65, 1]; x3: float32 [768, 1]
// gpt.py:176  return logits, logits.flatten(0, 1).cross_entropy(targets.flatten())
// gradient of gpt.py:176  return logits, logits.flatten(0, 1).cross_entropy(targets.flatten())
#include "../words_c.h"

void kernel_bb5666836a922411(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const i32 *x0 = (const i32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  const f32 *x2 = (const f32 *)buffers[3];
  const f32 *x3 = (const f32 *)buffers[4];
  // tasks: i0; loops: i1 by 16; tile: 2 vectors of 8 along i1
  f32 div1 = 1.0f / 768.0f;
  f32 mul1 = div1 * -1.0f;
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    i32 load1 = load_i32(x0 + i0);
    f32 load2 = load_f32(x1 + i0);
    f32 div2 = div1 / load2;
    f32 load4 = load_f32(x3 + i0);
    for (idx i1 = 0; i1 < 64; i1 += 16) {
      // out0 = where(i1 == x0, ... * -1.0f, 0.0f) + ((... / x1) * exp(...))
      i32x8 index1 = ((i32)i1 + lanes_i32x8());
      i32x8 eq1 = mask_i32x8(index1 == splat_i32x8(load1));
      f32x8 where1 = where_f32x8(eq1, splat_f32x8(mul1), splat_f32x8(0.0f));
      f32x8 load3 = load_f32x8(x2 + i0 * 65 + i1);
      f32x8 add1 = load3 + splat_f32x8(load4);
      f32x8 exp1 = exp_f32x8(add1);
      f32x8 mul2 = splat_f32x8(div2) * exp1;
      f32x8 add2 = where1 + mul2;
      store_f32x8(out0 + i0 * 65 + i1, add2);
      i32x8 index2 = ((i32)i1 + lanes_i32x8()) + 8;
      i32x8 eq2 = mask_i32x8(index2 == splat_i32x8(load1));
      f32x8 where2 = where_f32x8(eq2, splat_f32x8(mul1), splat_f32x8(0.0f));
      f32x8 load5 = load_f32x8(x2 + i0 * 65 + i1 + 8);
      f32x8 add3 = load5 + splat_f32x8(load4);
      f32x8 exp2 = exp_f32x8(add3);
      f32x8 mul3 = splat_f32x8(div2) * exp2;
      f32x8 add4 = where2 + mul3;
      store_f32x8(out0 + i0 * 65 + i1 + 8, add4);
    }
    for (idx i1 = 64; i1 < 65; i1 += 8) {
      idx count = 65 - i1 < 8 ? 65 - i1 : 8;
      // out0 = where(i1 == x0, ... * -1.0f, 0.0f) + ((... / x1) * exp(...))
      i32x8 index3 = ((i32)i1 + lanes_i32x8());
      i32x8 eq3 = mask_i32x8(index3 == splat_i32x8(load1));
      f32x8 where3 = where_f32x8(eq3, splat_f32x8(mul1), splat_f32x8(0.0f));
      f32x8 load6 = load_f32x8(x2 + i0 * 65 + i1);
      f32x8 add5 = load6 + splat_f32x8(load4);
      f32x8 exp3 = exp_f32x8(add5);
      f32x8 mul4 = splat_f32x8(div2) * exp3;
      f32x8 add6 = where3 + mul4;
      store_n_f32x8(out0 + i0 * 65 + i1, add6, count);
    }
  }
}
