// add_le_mul_sum_4x64: float32 [1, 4, 1, 64], 16640 floating-point operations, 35332 bytes
// out0: float32 [1, 4, 1, 64]; x0: int32 [1]; x1: float32 [1, 1, 384, 1]; x2: float32 [1, 4, 64, 32]
// gpt.py:80  past = row.reshape(T, 1) >= column # (T, T'): row t is True up to its own column
// gpt.py:81  att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5 # (B, H, T, T')
// gpt.py:82  att = past.where(att, -math.inf).softmax(-1).dropout(self.dropout)
// gpt.py:181  x = self.transformer["wte"](idx) + self.transformer["wpe"](length + Tensor.arange(T)) # (1, T, C)
#include "../words_cl.h"

kernel void kernel_cf71245b7e77ad58(global f32 *out0_, global const i32 *x0_, global const f32 *x1_, global const f32 *x2_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const i32 *x0 = x0_ + 128 / sizeof(const i32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0, i1 by 8; tile: 8 rows of i1
  i32 load10 = load_i32(x0 + 0);
  i32 index2 = (i32)(0);
  i32 add1 = add_i32(load10, index2);
  for (idx task = begin; task < end; task++) {
    idx i0 = task / 8;
    idx i1 = task % 8 * 8;
    // sum over r0 of x1 * x2
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    f32x8 sum5 = splat_f32x8(0.0f);
    f32x8 sum6 = splat_f32x8(0.0f);
    f32x8 sum7 = splat_f32x8(0.0f);
    f32x8 sum8 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 32; r0 += 8) {
      f32x8 load1 = load_f32x8(x1 + i0 * 32 + r0);
      f32x8 load2 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0);
      sum1 = sum1 + load1 * load2;
      f32x8 load3 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0 + 32);
      sum2 = sum2 + load1 * load3;
      f32x8 load4 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0 + 64);
      sum3 = sum3 + load1 * load4;
      f32x8 load5 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0 + 96);
      sum4 = sum4 + load1 * load5;
      f32x8 load6 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0 + 128);
      sum5 = sum5 + load1 * load6;
      f32x8 load7 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0 + 160);
      sum6 = sum6 + load1 * load7;
      f32x8 load8 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0 + 192);
      sum7 = sum7 + load1 * load8;
      f32x8 load9 = load_f32x8(x2 + i0 * 2048 + i1 * 32 + r0 + 224);
      sum8 = sum8 + load1 * load9;
    }
    f32 sum9 = fold_add_f32x8(sum1);
    f32 sum10 = fold_add_f32x8(sum2);
    f32 sum11 = fold_add_f32x8(sum3);
    f32 sum12 = fold_add_f32x8(sum4);
    f32 sum13 = fold_add_f32x8(sum5);
    f32 sum14 = fold_add_f32x8(sum6);
    f32 sum15 = fold_add_f32x8(sum7);
    f32 sum16 = fold_add_f32x8(sum8);
    // out0 = where(i1 <= (x0 + 0), the sum * 0.17677669f, -INFINITY)
    i32 index1 = (i32)(i1);
    i32 le1 = mask_i32(index1 <= add1);
    f32 mul1 = sum9 * 0.17677669f;
    f32 where1 = where_f32(le1, mul1, -INFINITY);
    store_f32(out0 + i0 * 64 + i1, where1);
    i32 index3 = (i32)(i1 + 1);
    i32 le2 = mask_i32(index3 <= add1);
    f32 mul2 = sum10 * 0.17677669f;
    f32 where2 = where_f32(le2, mul2, -INFINITY);
    store_f32(out0 + i0 * 64 + i1 + 1, where2);
    i32 index4 = (i32)(i1 + 2);
    i32 le3 = mask_i32(index4 <= add1);
    f32 mul3 = sum11 * 0.17677669f;
    f32 where3 = where_f32(le3, mul3, -INFINITY);
    store_f32(out0 + i0 * 64 + i1 + 2, where3);
    i32 index5 = (i32)(i1 + 3);
    i32 le4 = mask_i32(index5 <= add1);
    f32 mul4 = sum12 * 0.17677669f;
    f32 where4 = where_f32(le4, mul4, -INFINITY);
    store_f32(out0 + i0 * 64 + i1 + 3, where4);
    i32 index6 = (i32)(i1 + 4);
    i32 le5 = mask_i32(index6 <= add1);
    f32 mul5 = sum13 * 0.17677669f;
    f32 where5 = where_f32(le5, mul5, -INFINITY);
    store_f32(out0 + i0 * 64 + i1 + 4, where5);
    i32 index7 = (i32)(i1 + 5);
    i32 le6 = mask_i32(index7 <= add1);
    f32 mul6 = sum14 * 0.17677669f;
    f32 where6 = where_f32(le6, mul6, -INFINITY);
    store_f32(out0 + i0 * 64 + i1 + 5, where6);
    i32 index8 = (i32)(i1 + 6);
    i32 le7 = mask_i32(index8 <= add1);
    f32 mul7 = sum15 * 0.17677669f;
    f32 where7 = where_f32(le7, mul7, -INFINITY);
    store_f32(out0 + i0 * 64 + i1 + 6, where7);
    i32 index9 = (i32)(i1 + 7);
    i32 le8 = mask_i32(index9 <= add1);
    f32 mul8 = sum16 * 0.17677669f;
    f32 where8 = where_f32(le8, mul8, -INFINITY);
    store_f32(out0 + i0 * 64 + i1 + 7, where8);
  }
}
