// max_mul_add_exp_sum_96: float32 [96], 31584 floating-point operations, 25728 bytes
// out0: float32 [96]; x0: float32 [96, 65]; x1: int32 [96]
// gpt.py:1122  "cross_entropy": lambda: logits.cross_entropy(targets),
#include "../words_c.h"

void kernel_f61ad8fec263b1e6(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const i32 *x1 = (const i32 *)buffers[2];
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // maximum over r0 of x0
    f32x8 max1 = splat_f32x8(-INFINITY);
    f32x8 max2 = splat_f32x8(-INFINITY);
    f32x8 max3 = splat_f32x8(-INFINITY);
    f32x8 max4 = splat_f32x8(-INFINITY);
    for (idx r0 = 0; r0 < 64; r0 += 8) {
      f32x8 load1 = load_f32x8(x0 + i0 * 65 + r0);
      max1 = max_f32x8(max1, load1);
      f32x8 load2 = load_f32x8(x0 + i0 * 65 + r0 + 65);
      max2 = max_f32x8(max2, load2);
      f32x8 load3 = load_f32x8(x0 + i0 * 65 + r0 + 130);
      max3 = max_f32x8(max3, load3);
      f32x8 load4 = load_f32x8(x0 + i0 * 65 + r0 + 195);
      max4 = max_f32x8(max4, load4);
    }
    for (idx r0 = 64; r0 < 65; r0 += 8) {
      f32x8 load5 = load_f32x8(x0 + i0 * 65 + r0);
      max1 = max_f32x8(max1, where_f32x8(mask_i32x8(lanes_i32x8() < 1), load5, splat_f32x8(-INFINITY)));
      f32x8 load6 = load_f32x8(x0 + i0 * 65 + r0 + 65);
      max2 = max_f32x8(max2, where_f32x8(mask_i32x8(lanes_i32x8() < 1), load6, splat_f32x8(-INFINITY)));
      f32x8 load7 = load_f32x8(x0 + i0 * 65 + r0 + 130);
      max3 = max_f32x8(max3, where_f32x8(mask_i32x8(lanes_i32x8() < 1), load7, splat_f32x8(-INFINITY)));
      f32x8 load8 = load_f32x8(x0 + i0 * 65 + r0 + 195);
      max4 = max_f32x8(max4, where_f32x8(mask_i32x8(lanes_i32x8() < 1), load8, splat_f32x8(-INFINITY)));
    }
    f32 max5 = fold_max_f32x8(max1);
    f32 max6 = fold_max_f32x8(max2);
    f32 max7 = fold_max_f32x8(max3);
    f32 max8 = fold_max_f32x8(max4);
    // sum over r1 of exp(x0 + (the maximum * -1.0f))
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    // sum over r1 of where(r1 == x1, x0 + (the maximum * -1.0f), 0.0f)
    f32x8 sum5 = splat_f32x8(0.0f);
    f32x8 sum6 = splat_f32x8(0.0f);
    f32x8 sum7 = splat_f32x8(0.0f);
    f32x8 sum8 = splat_f32x8(0.0f);
    f32 mul1 = max5 * -1.0f;
    f32 mul2 = max6 * -1.0f;
    f32 mul3 = max7 * -1.0f;
    f32 mul4 = max8 * -1.0f;
    i32 load13 = load_i32(x1 + i0);
    i32 load14 = load_i32(x1 + i0 + 1);
    i32 load15 = load_i32(x1 + i0 + 2);
    i32 load16 = load_i32(x1 + i0 + 3);
    for (idx r1 = 0; r1 < 64; r1 += 8) {
      f32x8 load9 = load_f32x8(x0 + i0 * 65 + r1);
      f32x8 add1 = load9 + splat_f32x8(mul1);
      f32x8 exp1 = exp_f32x8(add1);
      sum1 = sum1 + exp1;
      f32x8 load10 = load_f32x8(x0 + i0 * 65 + r1 + 65);
      f32x8 add2 = load10 + splat_f32x8(mul2);
      f32x8 exp2 = exp_f32x8(add2);
      sum2 = sum2 + exp2;
      f32x8 load11 = load_f32x8(x0 + i0 * 65 + r1 + 130);
      f32x8 add3 = load11 + splat_f32x8(mul3);
      f32x8 exp3 = exp_f32x8(add3);
      sum3 = sum3 + exp3;
      f32x8 load12 = load_f32x8(x0 + i0 * 65 + r1 + 195);
      f32x8 add4 = load12 + splat_f32x8(mul4);
      f32x8 exp4 = exp_f32x8(add4);
      sum4 = sum4 + exp4;
      i32x8 index1 = ((i32)r1 + lanes_i32x8());
      i32x8 eq1 = mask_i32x8(index1 == splat_i32x8(load13));
      f32x8 where1 = where_f32x8(eq1, add1, splat_f32x8(0.0f));
      sum5 = sum5 + where1;
      i32x8 eq2 = mask_i32x8(index1 == splat_i32x8(load14));
      f32x8 where2 = where_f32x8(eq2, add2, splat_f32x8(0.0f));
      sum6 = sum6 + where2;
      i32x8 eq3 = mask_i32x8(index1 == splat_i32x8(load15));
      f32x8 where3 = where_f32x8(eq3, add3, splat_f32x8(0.0f));
      sum7 = sum7 + where3;
      i32x8 eq4 = mask_i32x8(index1 == splat_i32x8(load16));
      f32x8 where4 = where_f32x8(eq4, add4, splat_f32x8(0.0f));
      sum8 = sum8 + where4;
    }
    for (idx r1 = 64; r1 < 65; r1 += 8) {
      f32x8 load17 = load_f32x8(x0 + i0 * 65 + r1);
      f32x8 add5 = load17 + splat_f32x8(mul1);
      f32x8 exp5 = exp_f32x8(add5);
      sum1 = sum1 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), exp5, splat_f32x8(0.0f));
      f32x8 load18 = load_f32x8(x0 + i0 * 65 + r1 + 65);
      f32x8 add6 = load18 + splat_f32x8(mul2);
      f32x8 exp6 = exp_f32x8(add6);
      sum2 = sum2 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), exp6, splat_f32x8(0.0f));
      f32x8 load19 = load_f32x8(x0 + i0 * 65 + r1 + 130);
      f32x8 add7 = load19 + splat_f32x8(mul3);
      f32x8 exp7 = exp_f32x8(add7);
      sum3 = sum3 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), exp7, splat_f32x8(0.0f));
      f32x8 load20 = load_f32x8(x0 + i0 * 65 + r1 + 195);
      f32x8 add8 = load20 + splat_f32x8(mul4);
      f32x8 exp8 = exp_f32x8(add8);
      sum4 = sum4 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), exp8, splat_f32x8(0.0f));
      i32x8 index2 = ((i32)r1 + lanes_i32x8());
      i32x8 eq5 = mask_i32x8(index2 == splat_i32x8(load13));
      f32x8 where5 = where_f32x8(eq5, add5, splat_f32x8(0.0f));
      sum5 = sum5 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), where5, splat_f32x8(0.0f));
      i32x8 eq6 = mask_i32x8(index2 == splat_i32x8(load14));
      f32x8 where6 = where_f32x8(eq6, add6, splat_f32x8(0.0f));
      sum6 = sum6 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), where6, splat_f32x8(0.0f));
      i32x8 eq7 = mask_i32x8(index2 == splat_i32x8(load15));
      f32x8 where7 = where_f32x8(eq7, add7, splat_f32x8(0.0f));
      sum7 = sum7 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), where7, splat_f32x8(0.0f));
      i32x8 eq8 = mask_i32x8(index2 == splat_i32x8(load16));
      f32x8 where8 = where_f32x8(eq8, add8, splat_f32x8(0.0f));
      sum8 = sum8 + where_f32x8(mask_i32x8(lanes_i32x8() < 1), where8, splat_f32x8(0.0f));
    }
    f32 sum9 = fold_add_f32x8(sum1);
    f32 sum10 = fold_add_f32x8(sum2);
    f32 sum11 = fold_add_f32x8(sum3);
    f32 sum12 = fold_add_f32x8(sum4);
    f32 sum13 = fold_add_f32x8(sum5);
    f32 sum14 = fold_add_f32x8(sum6);
    f32 sum15 = fold_add_f32x8(sum7);
    f32 sum16 = fold_add_f32x8(sum8);
    // out0 = log(the sum) + (the sum * -1.0f)
    f32 log1 = log_f32(sum9);
    f32 mul5 = sum13 * -1.0f;
    f32 add9 = log1 + mul5;
    store_f32(out0 + i0, add9);
    f32 log2 = log_f32(sum10);
    f32 mul6 = sum14 * -1.0f;
    f32 add10 = log2 + mul6;
    store_f32(out0 + i0 + 1, add10);
    f32 log3 = log_f32(sum11);
    f32 mul7 = sum15 * -1.0f;
    f32 add11 = log3 + mul7;
    store_f32(out0 + i0 + 2, add11);
    f32 log4 = log_f32(sum12);
    f32 mul8 = sum16 * -1.0f;
    f32 add12 = log4 + mul8;
    store_f32(out0 + i0 + 3, add12);
  }
}
