// mul_sum_le_add_exp_12x4x64: float32 [12, 4, 64, 1], float32 [12, 4, 64, 1, 32], 39521280 floating-point operations, 2789376 bytes
// out0: float32 [12, 4, 64, 1]; out1: float32 [12, 4, 64, 1, 32]; x0: float32 [12, 64, 1, 128]; x1: float32 [12, 4, 1,
//   2, 32, 32]; x2: float32 [12, 64, 384, 1]; x3: float32 [12, 4, 1, 2, 32, 32]; x4: float32 [12, 4, 64, 1]; x5:
//   float32 [12, 4, 64, 1]
// gpt.py:80  past = row.reshape(T, 1) >= column # (T, T'): row t is True up to its own column
// gpt.py:81  att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5 # (B, H, T, T')
// gradient of gpt.py:81  att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5 # (B, H, T, T')
// gpt.py:82  att = past.where(att, -math.inf).softmax(-1).dropout(self.dropout)
// gradient of gpt.py:82  att = past.where(att, -math.inf).softmax(-1).dropout(self.dropout)
// gradient of gpt.py:83  y = (att @ v).transpose(1, 2).reshape(B, T, C) # (B, T, C): the heads side by side
#include "../words_cl.h"

kernel void kernel_1e86db4208e891f4(global f32 *out0_, global f32 *out1_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, long tasks, global char *strips_) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  global const f32 *x5 = x5_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  STRIPS(4608)
  for (idx task = begin; task < end; task++) {
    idx rows = task * 8;
    GLOBAL f32 *strip0 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 256);
    GLOBAL f32 *strip1 = (GLOBAL f32 *)((uintptr_t)strips + 2432 - (uintptr_t)rows * 256);
    GLOBAL f32 *strip2 = (GLOBAL f32 *)((uintptr_t)strips + 2432 - (uintptr_t)rows * 256);
    {
      // tasks: i0, i1, i2 by 8; loops: i3, i4 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i4
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      for (idx i3 = 0; i3 < least(2, (i2 + 39) / 32); i3 += 1) {
        for (idx i4 = 0; i4 < 32; i4 += 16) {
          // sum over r0 of x0 * x1
          f32x8 sum1 = splat_f32x8(0.0f);
          f32x8 sum2 = splat_f32x8(0.0f);
          f32x8 sum3 = splat_f32x8(0.0f);
          f32x8 sum4 = splat_f32x8(0.0f);
          f32x8 sum5 = splat_f32x8(0.0f);
          f32x8 sum6 = splat_f32x8(0.0f);
          f32x8 sum7 = splat_f32x8(0.0f);
          f32x8 sum8 = splat_f32x8(0.0f);
          f32x8 sum9 = splat_f32x8(0.0f);
          f32x8 sum10 = splat_f32x8(0.0f);
          f32x8 sum11 = splat_f32x8(0.0f);
          f32x8 sum12 = splat_f32x8(0.0f);
          f32x8 sum13 = splat_f32x8(0.0f);
          f32x8 sum14 = splat_f32x8(0.0f);
          f32x8 sum15 = splat_f32x8(0.0f);
          f32x8 sum16 = splat_f32x8(0.0f);
          for (idx r0 = 0; r0 < 32; r0 += 1) {
            f32 load1 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0);
            f32x8 load2 = load_f32x8(x1 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32);
            sum1 = sum1 + splat_f32x8(load1) * load2;
            f32x8 load3 = load_f32x8(x1 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32 + 8);
            sum2 = sum2 + splat_f32x8(load1) * load3;
            f32 load4 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0 + 128);
            sum3 = sum3 + splat_f32x8(load4) * load2;
            sum4 = sum4 + splat_f32x8(load4) * load3;
            f32 load5 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0 + 256);
            sum5 = sum5 + splat_f32x8(load5) * load2;
            sum6 = sum6 + splat_f32x8(load5) * load3;
            f32 load6 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0 + 384);
            sum7 = sum7 + splat_f32x8(load6) * load2;
            sum8 = sum8 + splat_f32x8(load6) * load3;
            f32 load7 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0 + 512);
            sum9 = sum9 + splat_f32x8(load7) * load2;
            sum10 = sum10 + splat_f32x8(load7) * load3;
            f32 load8 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0 + 640);
            sum11 = sum11 + splat_f32x8(load8) * load2;
            sum12 = sum12 + splat_f32x8(load8) * load3;
            f32 load9 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0 + 768);
            sum13 = sum13 + splat_f32x8(load9) * load2;
            sum14 = sum14 + splat_f32x8(load9) * load3;
            f32 load10 = load_f32(x0 + i0 * 8192 + i1 * 32 + i2 * 128 + r0 + 896);
            sum15 = sum15 + splat_f32x8(load10) * load2;
            sum16 = sum16 + splat_f32x8(load10) * load3;
          }
          // strip0 = the sum
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4, sum1);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 8, sum2);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 64, sum3);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 72, sum4);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 128, sum5);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 136, sum6);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 192, sum7);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 200, sum8);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 256, sum9);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 264, sum10);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 320, sum11);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 328, sum12);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 384, sum13);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 392, sum14);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 448, sum15);
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 456, sum16);
        }
      }
    }
    {
      // tasks: i0, i1, i2 by 8; loops: i3, i4 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i4
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      i32 index2 = (i32)(i2);
      f32 load11 = load_f32(x4 + i0 * 256 + i1 * 64 + i2);
      f32 load12 = load_f32(x5 + i0 * 256 + i1 * 64 + i2);
      i32 index4 = (i32)(i2 + 1);
      f32 load13 = load_f32(x4 + i0 * 256 + i1 * 64 + i2 + 1);
      f32 load14 = load_f32(x5 + i0 * 256 + i1 * 64 + i2 + 1);
      i32 index5 = (i32)(i2 + 2);
      f32 load15 = load_f32(x4 + i0 * 256 + i1 * 64 + i2 + 2);
      f32 load16 = load_f32(x5 + i0 * 256 + i1 * 64 + i2 + 2);
      i32 index6 = (i32)(i2 + 3);
      f32 load17 = load_f32(x4 + i0 * 256 + i1 * 64 + i2 + 3);
      f32 load18 = load_f32(x5 + i0 * 256 + i1 * 64 + i2 + 3);
      i32 index7 = (i32)(i2 + 4);
      f32 load19 = load_f32(x4 + i0 * 256 + i1 * 64 + i2 + 4);
      f32 load20 = load_f32(x5 + i0 * 256 + i1 * 64 + i2 + 4);
      i32 index8 = (i32)(i2 + 5);
      f32 load21 = load_f32(x4 + i0 * 256 + i1 * 64 + i2 + 5);
      f32 load22 = load_f32(x5 + i0 * 256 + i1 * 64 + i2 + 5);
      i32 index9 = (i32)(i2 + 6);
      f32 load23 = load_f32(x4 + i0 * 256 + i1 * 64 + i2 + 6);
      f32 load24 = load_f32(x5 + i0 * 256 + i1 * 64 + i2 + 6);
      i32 index10 = (i32)(i2 + 7);
      f32 load25 = load_f32(x4 + i0 * 256 + i1 * 64 + i2 + 7);
      f32 load26 = load_f32(x5 + i0 * 256 + i1 * 64 + i2 + 7);
      for (idx i3 = 0; i3 < least(2, (i2 + 39) / 32); i3 += 1) {
        for (idx i4 = 0; i4 < 32; i4 += 16) {
          // sum over r0 of x2 * x3
          f32x8 sum1 = splat_f32x8(0.0f);
          f32x8 sum2 = splat_f32x8(0.0f);
          f32x8 sum3 = splat_f32x8(0.0f);
          f32x8 sum4 = splat_f32x8(0.0f);
          f32x8 sum5 = splat_f32x8(0.0f);
          f32x8 sum6 = splat_f32x8(0.0f);
          f32x8 sum7 = splat_f32x8(0.0f);
          f32x8 sum8 = splat_f32x8(0.0f);
          f32x8 sum9 = splat_f32x8(0.0f);
          f32x8 sum10 = splat_f32x8(0.0f);
          f32x8 sum11 = splat_f32x8(0.0f);
          f32x8 sum12 = splat_f32x8(0.0f);
          f32x8 sum13 = splat_f32x8(0.0f);
          f32x8 sum14 = splat_f32x8(0.0f);
          f32x8 sum15 = splat_f32x8(0.0f);
          f32x8 sum16 = splat_f32x8(0.0f);
          for (idx r0 = 0; r0 < 32; r0 += 1) {
            f32 load1 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0);
            f32x8 load2 = load_f32x8(x3 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32);
            sum1 = sum1 + splat_f32x8(load1) * load2;
            f32x8 load3 = load_f32x8(x3 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32 + 8);
            sum2 = sum2 + splat_f32x8(load1) * load3;
            f32 load4 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 384);
            sum3 = sum3 + splat_f32x8(load4) * load2;
            sum4 = sum4 + splat_f32x8(load4) * load3;
            f32 load5 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 768);
            sum5 = sum5 + splat_f32x8(load5) * load2;
            sum6 = sum6 + splat_f32x8(load5) * load3;
            f32 load6 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1152);
            sum7 = sum7 + splat_f32x8(load6) * load2;
            sum8 = sum8 + splat_f32x8(load6) * load3;
            f32 load7 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1536);
            sum9 = sum9 + splat_f32x8(load7) * load2;
            sum10 = sum10 + splat_f32x8(load7) * load3;
            f32 load8 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1920);
            sum11 = sum11 + splat_f32x8(load8) * load2;
            sum12 = sum12 + splat_f32x8(load8) * load3;
            f32 load9 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2304);
            sum13 = sum13 + splat_f32x8(load9) * load2;
            sum14 = sum14 + splat_f32x8(load9) * load3;
            f32 load10 = load_f32(x2 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2688);
            sum15 = sum15 + splat_f32x8(load10) * load2;
            sum16 = sum16 + splat_f32x8(load10) * load3;
          }
          // strip1 = exp(where(..., ..., -INFINITY) + x4) * x5
          i32x8 index1 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8());
          i32x8 le1 = mask_i32x8(index1 <= splat_i32x8(index2));
          f32x8 mul1 = sum1 * splat_f32x8(0.17677669f);
          f32x8 where1 = where_f32x8(le1, mul1, splat_f32x8(-INFINITY));
          f32x8 add1 = where1 + splat_f32x8(load11);
          f32x8 exp1 = exp_f32x8(add1);
          f32x8 mul2 = exp1 * splat_f32x8(load12);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4, mul2);
          i32x8 index3 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8()) + 8;
          i32x8 le2 = mask_i32x8(index3 <= splat_i32x8(index2));
          f32x8 mul3 = sum2 * splat_f32x8(0.17677669f);
          f32x8 where2 = where_f32x8(le2, mul3, splat_f32x8(-INFINITY));
          f32x8 add2 = where2 + splat_f32x8(load11);
          f32x8 exp2 = exp_f32x8(add2);
          f32x8 mul4 = exp2 * splat_f32x8(load12);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 8, mul4);
          i32x8 le3 = mask_i32x8(index1 <= splat_i32x8(index4));
          f32x8 mul5 = sum3 * splat_f32x8(0.17677669f);
          f32x8 where3 = where_f32x8(le3, mul5, splat_f32x8(-INFINITY));
          f32x8 add3 = where3 + splat_f32x8(load13);
          f32x8 exp3 = exp_f32x8(add3);
          f32x8 mul6 = exp3 * splat_f32x8(load14);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 64, mul6);
          i32x8 le4 = mask_i32x8(index3 <= splat_i32x8(index4));
          f32x8 mul7 = sum4 * splat_f32x8(0.17677669f);
          f32x8 where4 = where_f32x8(le4, mul7, splat_f32x8(-INFINITY));
          f32x8 add4 = where4 + splat_f32x8(load13);
          f32x8 exp4 = exp_f32x8(add4);
          f32x8 mul8 = exp4 * splat_f32x8(load14);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 72, mul8);
          i32x8 le5 = mask_i32x8(index1 <= splat_i32x8(index5));
          f32x8 mul9 = sum5 * splat_f32x8(0.17677669f);
          f32x8 where5 = where_f32x8(le5, mul9, splat_f32x8(-INFINITY));
          f32x8 add5 = where5 + splat_f32x8(load15);
          f32x8 exp5 = exp_f32x8(add5);
          f32x8 mul10 = exp5 * splat_f32x8(load16);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 128, mul10);
          i32x8 le6 = mask_i32x8(index3 <= splat_i32x8(index5));
          f32x8 mul11 = sum6 * splat_f32x8(0.17677669f);
          f32x8 where6 = where_f32x8(le6, mul11, splat_f32x8(-INFINITY));
          f32x8 add6 = where6 + splat_f32x8(load15);
          f32x8 exp6 = exp_f32x8(add6);
          f32x8 mul12 = exp6 * splat_f32x8(load16);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 136, mul12);
          i32x8 le7 = mask_i32x8(index1 <= splat_i32x8(index6));
          f32x8 mul13 = sum7 * splat_f32x8(0.17677669f);
          f32x8 where7 = where_f32x8(le7, mul13, splat_f32x8(-INFINITY));
          f32x8 add7 = where7 + splat_f32x8(load17);
          f32x8 exp7 = exp_f32x8(add7);
          f32x8 mul14 = exp7 * splat_f32x8(load18);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 192, mul14);
          i32x8 le8 = mask_i32x8(index3 <= splat_i32x8(index6));
          f32x8 mul15 = sum8 * splat_f32x8(0.17677669f);
          f32x8 where8 = where_f32x8(le8, mul15, splat_f32x8(-INFINITY));
          f32x8 add8 = where8 + splat_f32x8(load17);
          f32x8 exp8 = exp_f32x8(add8);
          f32x8 mul16 = exp8 * splat_f32x8(load18);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 200, mul16);
          i32x8 le9 = mask_i32x8(index1 <= splat_i32x8(index7));
          f32x8 mul17 = sum9 * splat_f32x8(0.17677669f);
          f32x8 where9 = where_f32x8(le9, mul17, splat_f32x8(-INFINITY));
          f32x8 add9 = where9 + splat_f32x8(load19);
          f32x8 exp9 = exp_f32x8(add9);
          f32x8 mul18 = exp9 * splat_f32x8(load20);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 256, mul18);
          i32x8 le10 = mask_i32x8(index3 <= splat_i32x8(index7));
          f32x8 mul19 = sum10 * splat_f32x8(0.17677669f);
          f32x8 where10 = where_f32x8(le10, mul19, splat_f32x8(-INFINITY));
          f32x8 add10 = where10 + splat_f32x8(load19);
          f32x8 exp10 = exp_f32x8(add10);
          f32x8 mul20 = exp10 * splat_f32x8(load20);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 264, mul20);
          i32x8 le11 = mask_i32x8(index1 <= splat_i32x8(index8));
          f32x8 mul21 = sum11 * splat_f32x8(0.17677669f);
          f32x8 where11 = where_f32x8(le11, mul21, splat_f32x8(-INFINITY));
          f32x8 add11 = where11 + splat_f32x8(load21);
          f32x8 exp11 = exp_f32x8(add11);
          f32x8 mul22 = exp11 * splat_f32x8(load22);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 320, mul22);
          i32x8 le12 = mask_i32x8(index3 <= splat_i32x8(index8));
          f32x8 mul23 = sum12 * splat_f32x8(0.17677669f);
          f32x8 where12 = where_f32x8(le12, mul23, splat_f32x8(-INFINITY));
          f32x8 add12 = where12 + splat_f32x8(load21);
          f32x8 exp12 = exp_f32x8(add12);
          f32x8 mul24 = exp12 * splat_f32x8(load22);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 328, mul24);
          i32x8 le13 = mask_i32x8(index1 <= splat_i32x8(index9));
          f32x8 mul25 = sum13 * splat_f32x8(0.17677669f);
          f32x8 where13 = where_f32x8(le13, mul25, splat_f32x8(-INFINITY));
          f32x8 add13 = where13 + splat_f32x8(load23);
          f32x8 exp13 = exp_f32x8(add13);
          f32x8 mul26 = exp13 * splat_f32x8(load24);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 384, mul26);
          i32x8 le14 = mask_i32x8(index3 <= splat_i32x8(index9));
          f32x8 mul27 = sum14 * splat_f32x8(0.17677669f);
          f32x8 where14 = where_f32x8(le14, mul27, splat_f32x8(-INFINITY));
          f32x8 add14 = where14 + splat_f32x8(load23);
          f32x8 exp14 = exp_f32x8(add14);
          f32x8 mul28 = exp14 * splat_f32x8(load24);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 392, mul28);
          i32x8 le15 = mask_i32x8(index1 <= splat_i32x8(index10));
          f32x8 mul29 = sum15 * splat_f32x8(0.17677669f);
          f32x8 where15 = where_f32x8(le15, mul29, splat_f32x8(-INFINITY));
          f32x8 add15 = where15 + splat_f32x8(load25);
          f32x8 exp15 = exp_f32x8(add15);
          f32x8 mul30 = exp15 * splat_f32x8(load26);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 448, mul30);
          i32x8 le16 = mask_i32x8(index3 <= splat_i32x8(index10));
          f32x8 mul31 = sum16 * splat_f32x8(0.17677669f);
          f32x8 where16 = where_f32x8(le16, mul31, splat_f32x8(-INFINITY));
          f32x8 add16 = where16 + splat_f32x8(load25);
          f32x8 exp16 = exp_f32x8(add16);
          f32x8 mul32 = exp16 * splat_f32x8(load26);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 456, mul32);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; tile: 8 rows of i1
      idx i0 = task / 8;
      idx i1 = task % 8 * 8;
      // sum over r0 of strip0 * strip1
      f32x8 sum1 = splat_f32x8(0.0f);
      f32x8 sum2 = splat_f32x8(0.0f);
      f32x8 sum3 = splat_f32x8(0.0f);
      f32x8 sum4 = splat_f32x8(0.0f);
      f32x8 sum5 = splat_f32x8(0.0f);
      f32x8 sum6 = splat_f32x8(0.0f);
      f32x8 sum7 = splat_f32x8(0.0f);
      f32x8 sum8 = splat_f32x8(0.0f);
      for (idx r0 = 0; r0 < least(64, i1 + 8); r0 += 8) {
        f32x8 load1 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0);
        f32x8 load2 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0);
        sum1 = sum1 + load1 * load2;
        f32x8 load3 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 64);
        f32x8 load4 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 64);
        sum2 = sum2 + load3 * load4;
        f32x8 load5 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 128);
        f32x8 load6 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 128);
        sum3 = sum3 + load5 * load6;
        f32x8 load7 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 192);
        f32x8 load8 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 192);
        sum4 = sum4 + load7 * load8;
        f32x8 load9 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 256);
        f32x8 load10 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 256);
        sum5 = sum5 + load9 * load10;
        f32x8 load11 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 320);
        f32x8 load12 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 320);
        sum6 = sum6 + load11 * load12;
        f32x8 load13 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 384);
        f32x8 load14 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 384);
        sum7 = sum7 + load13 * load14;
        f32x8 load15 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 448);
        f32x8 load16 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 448);
        sum8 = sum8 + load15 * load16;
      }
      f32 sum9 = fold_add_f32x8(sum1);
      f32 sum10 = fold_add_f32x8(sum2);
      f32 sum11 = fold_add_f32x8(sum3);
      f32 sum12 = fold_add_f32x8(sum4);
      f32 sum13 = fold_add_f32x8(sum5);
      f32 sum14 = fold_add_f32x8(sum6);
      f32 sum15 = fold_add_f32x8(sum7);
      f32 sum16 = fold_add_f32x8(sum8);
      // out0 = the sum * -1.0f
      f32 mul1 = sum9 * -1.0f;
      store_f32(out0 + i0 * 64 + i1, mul1);
      f32 mul2 = sum10 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 1, mul2);
      f32 mul3 = sum11 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 2, mul3);
      f32 mul4 = sum12 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 3, mul4);
      f32 mul5 = sum13 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 4, mul5);
      f32 mul6 = sum14 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 5, mul6);
      f32 mul7 = sum15 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 6, mul7);
      f32 mul8 = sum16 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 7, mul8);
    }
    {
      // tasks: i0, i1 by 8; loops: i1, i2 by 16; tile: 2 vectors of 8 along i2
      idx i0 = task / 8;
      idx i1_first = task % 8 * 8;
      for (idx i1 = i1_first; i1 < least(64, i1_first + 8); i1 += 1) {
        i32 index2 = (i32)(i1);
        f32 load3 = load_f32(out0 + i0 * 64 + i1);
        for (idx i2 = 0; i2 < least(64, i1_first + 8); i2 += 16) {
          // strip2 = where(i2 <= i1, strip1 * (strip0 + out0), 0.0f) * 0.17677669f
          i32x8 index1 = ((i32)i2 + lanes_i32x8());
          i32x8 le1 = mask_i32x8(index1 <= splat_i32x8(index2));
          f32x8 load1 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + i2);
          f32x8 load2 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + i2);
          f32x8 add1 = load2 + splat_f32x8(load3);
          f32x8 mul1 = load1 * add1;
          f32x8 where1 = where_f32x8(le1, mul1, splat_f32x8(0.0f));
          f32x8 mul2 = where1 * splat_f32x8(0.17677669f);
          store_f32x8(strip2 + i0 * 4096 + i1 * 64 + i2, mul2);
          i32x8 index3 = ((i32)i2 + lanes_i32x8()) + 8;
          i32x8 le2 = mask_i32x8(index3 <= splat_i32x8(index2));
          f32x8 load4 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + i2 + 8);
          f32x8 load5 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + i2 + 8);
          f32x8 add2 = load5 + splat_f32x8(load3);
          f32x8 mul3 = load4 * add2;
          f32x8 where2 = where_f32x8(le2, mul3, splat_f32x8(0.0f));
          f32x8 mul4 = where2 * splat_f32x8(0.17677669f);
          store_f32x8(strip2 + i0 * 4096 + i1 * 64 + i2 + 8, mul4);
        }
      }
    }
    {
      // tasks: i0, i1, i2 by 8; loops: i3 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i3
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      for (idx i3 = 0; i3 < 32; i3 += 16) {
        // sum over r0 of strip2 * x2
        f32x8 sum1 = splat_f32x8(0.0f);
        f32x8 sum2 = splat_f32x8(0.0f);
        f32x8 sum3 = splat_f32x8(0.0f);
        f32x8 sum4 = splat_f32x8(0.0f);
        f32x8 sum5 = splat_f32x8(0.0f);
        f32x8 sum6 = splat_f32x8(0.0f);
        f32x8 sum7 = splat_f32x8(0.0f);
        f32x8 sum8 = splat_f32x8(0.0f);
        f32x8 sum9 = splat_f32x8(0.0f);
        f32x8 sum10 = splat_f32x8(0.0f);
        f32x8 sum11 = splat_f32x8(0.0f);
        f32x8 sum12 = splat_f32x8(0.0f);
        f32x8 sum13 = splat_f32x8(0.0f);
        f32x8 sum14 = splat_f32x8(0.0f);
        f32x8 sum15 = splat_f32x8(0.0f);
        f32x8 sum16 = splat_f32x8(0.0f);
        for (idx r0 = 0; r0 < least(64, i2 + 8); r0 += 1) {
          PREFETCH(x2 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 6272);
          PREFETCH(x2 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 6280);
          f32 load1 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0);
          f32x8 load2 = load_f32x8(x2 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 128);
          sum1 = sum1 + splat_f32x8(load1) * load2;
          f32x8 load3 = load_f32x8(x2 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 136);
          sum2 = sum2 + splat_f32x8(load1) * load3;
          f32 load4 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 64);
          sum3 = sum3 + splat_f32x8(load4) * load2;
          sum4 = sum4 + splat_f32x8(load4) * load3;
          f32 load5 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 128);
          sum5 = sum5 + splat_f32x8(load5) * load2;
          sum6 = sum6 + splat_f32x8(load5) * load3;
          f32 load6 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 192);
          sum7 = sum7 + splat_f32x8(load6) * load2;
          sum8 = sum8 + splat_f32x8(load6) * load3;
          f32 load7 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 256);
          sum9 = sum9 + splat_f32x8(load7) * load2;
          sum10 = sum10 + splat_f32x8(load7) * load3;
          f32 load8 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 320);
          sum11 = sum11 + splat_f32x8(load8) * load2;
          sum12 = sum12 + splat_f32x8(load8) * load3;
          f32 load9 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 384);
          sum13 = sum13 + splat_f32x8(load9) * load2;
          sum14 = sum14 + splat_f32x8(load9) * load3;
          f32 load10 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 448);
          sum15 = sum15 + splat_f32x8(load10) * load2;
          sum16 = sum16 + splat_f32x8(load10) * load3;
        }
        // out1 = the sum
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3, sum1);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 8, sum2);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 32, sum3);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 40, sum4);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 64, sum5);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 72, sum6);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 96, sum7);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 104, sum8);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 128, sum9);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 136, sum10);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 160, sum11);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 168, sum12);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 192, sum13);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 200, sum14);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 224, sum15);
        store_f32x8(out1 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 232, sum16);
      }
    }
  }
}
