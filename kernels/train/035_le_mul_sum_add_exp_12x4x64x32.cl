// le_mul_sum_add_exp_12x4x64x32: float32 [12, 4, 1, 64, 32], float32 [12, 4, 1, 64, 32], 51707904 floating-point operations, 3182592 bytes
// out0: float32 [12, 4, 1, 64, 32]; out1: float32 [12, 4, 1, 64, 32]; x0: float32 [12, 4, 1, 2, 32, 32]; x1: float32
//   [12, 64, 384, 1]; x2: float32 [12, 4, 64, 1]; x3: float32 [12, 4, 64, 1]; x4: float32 [12, 4, 1, 2, 32, 32]; x5:
//   float32 [12, 4, 64, 1]; x6: float32 [12, 64, 1, 128]
// gpt.py:80  past = row.reshape(T, 1) >= column # (T, T'): row t is True up to its own column
// gpt.py:81  att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5 # (B, H, T, T')
// gradient of gpt.py:81  att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5 # (B, H, T, T')
// gpt.py:82  att = past.where(att, -math.inf).softmax(-1).dropout(self.dropout)
// gradient of gpt.py:82  att = past.where(att, -math.inf).softmax(-1).dropout(self.dropout)
// gradient of gpt.py:83  y = (att @ v).transpose(1, 2).reshape(B, T, C) # (B, T, C): the heads side by side
#include "../words_cl.h"

kernel void kernel_b9997fa5dd57872d(global f32 *out0_, global f32 *out1_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, global const f32 *x6_, long tasks, global char *strips_) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  global const f32 *x5 = x5_ + 128 / sizeof(const f32);
  global const f32 *x6 = x6_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  STRIPS(4608)
  for (idx task = begin; task < end; task++) {
    idx rows = task * 8;
    GLOBAL f32 *strip0 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 256);
    GLOBAL f32 *strip1 = (GLOBAL f32 *)((uintptr_t)strips + 2432 - (uintptr_t)rows * 256);
    {
      // tasks: i0, i1, i2 by 8; loops: i3, i4 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i4
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      i32 index1 = (i32)(i2);
      i32 index4 = (i32)(i2 + 1);
      i32 index5 = (i32)(i2 + 2);
      i32 index6 = (i32)(i2 + 3);
      i32 index7 = (i32)(i2 + 4);
      i32 index8 = (i32)(i2 + 5);
      i32 index9 = (i32)(i2 + 6);
      i32 index10 = (i32)(i2 + 7);
      for (idx i3 = down(i2 + 0, 32) / 32; i3 < 2; i3 += 1) {
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
            f32x8 load1 = load_f32x8(x0 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32);
            f32 load2 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 128);
            sum1 = sum1 + load1 * splat_f32x8(load2);
            f32x8 load3 = load_f32x8(x0 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32 + 8);
            sum2 = sum2 + load3 * splat_f32x8(load2);
            f32 load4 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 512);
            sum3 = sum3 + load1 * splat_f32x8(load4);
            sum4 = sum4 + load3 * splat_f32x8(load4);
            f32 load5 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 896);
            sum5 = sum5 + load1 * splat_f32x8(load5);
            sum6 = sum6 + load3 * splat_f32x8(load5);
            f32 load6 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1280);
            sum7 = sum7 + load1 * splat_f32x8(load6);
            sum8 = sum8 + load3 * splat_f32x8(load6);
            f32 load7 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1664);
            sum9 = sum9 + load1 * splat_f32x8(load7);
            sum10 = sum10 + load3 * splat_f32x8(load7);
            f32 load8 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2048);
            sum11 = sum11 + load1 * splat_f32x8(load8);
            sum12 = sum12 + load3 * splat_f32x8(load8);
            f32 load9 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2432);
            sum13 = sum13 + load1 * splat_f32x8(load9);
            sum14 = sum14 + load3 * splat_f32x8(load9);
            f32 load10 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2816);
            sum15 = sum15 + load1 * splat_f32x8(load10);
            sum16 = sum16 + load3 * splat_f32x8(load10);
          }
          // strip0 = exp(where(..., ..., -INFINITY) + x2) * x3
          i32x8 index2 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8());
          i32x8 le1 = mask_i32x8(splat_i32x8(index1) <= index2);
          f32x8 mul1 = sum1 * splat_f32x8(0.17677669f);
          f32x8 where1 = where_f32x8(le1, mul1, splat_f32x8(-INFINITY));
          f32x8 load11 = load_f32x8(x2 + i0 * 256 + i1 * 64 + i3 * 32 + i4);
          f32x8 add1 = where1 + load11;
          f32x8 exp1 = exp_f32x8(add1);
          f32x8 load12 = load_f32x8(x3 + i0 * 256 + i1 * 64 + i3 * 32 + i4);
          f32x8 mul2 = exp1 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4, mul2);
          i32x8 index3 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8()) + 8;
          i32x8 le2 = mask_i32x8(splat_i32x8(index1) <= index3);
          f32x8 mul3 = sum2 * splat_f32x8(0.17677669f);
          f32x8 where2 = where_f32x8(le2, mul3, splat_f32x8(-INFINITY));
          f32x8 load13 = load_f32x8(x2 + i0 * 256 + i1 * 64 + i3 * 32 + i4 + 8);
          f32x8 add2 = where2 + load13;
          f32x8 exp2 = exp_f32x8(add2);
          f32x8 load14 = load_f32x8(x3 + i0 * 256 + i1 * 64 + i3 * 32 + i4 + 8);
          f32x8 mul4 = exp2 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 8, mul4);
          i32x8 le3 = mask_i32x8(splat_i32x8(index4) <= index2);
          f32x8 mul5 = sum3 * splat_f32x8(0.17677669f);
          f32x8 where3 = where_f32x8(le3, mul5, splat_f32x8(-INFINITY));
          f32x8 add3 = where3 + load11;
          f32x8 exp3 = exp_f32x8(add3);
          f32x8 mul6 = exp3 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 64, mul6);
          i32x8 le4 = mask_i32x8(splat_i32x8(index4) <= index3);
          f32x8 mul7 = sum4 * splat_f32x8(0.17677669f);
          f32x8 where4 = where_f32x8(le4, mul7, splat_f32x8(-INFINITY));
          f32x8 add4 = where4 + load13;
          f32x8 exp4 = exp_f32x8(add4);
          f32x8 mul8 = exp4 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 72, mul8);
          i32x8 le5 = mask_i32x8(splat_i32x8(index5) <= index2);
          f32x8 mul9 = sum5 * splat_f32x8(0.17677669f);
          f32x8 where5 = where_f32x8(le5, mul9, splat_f32x8(-INFINITY));
          f32x8 add5 = where5 + load11;
          f32x8 exp5 = exp_f32x8(add5);
          f32x8 mul10 = exp5 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 128, mul10);
          i32x8 le6 = mask_i32x8(splat_i32x8(index5) <= index3);
          f32x8 mul11 = sum6 * splat_f32x8(0.17677669f);
          f32x8 where6 = where_f32x8(le6, mul11, splat_f32x8(-INFINITY));
          f32x8 add6 = where6 + load13;
          f32x8 exp6 = exp_f32x8(add6);
          f32x8 mul12 = exp6 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 136, mul12);
          i32x8 le7 = mask_i32x8(splat_i32x8(index6) <= index2);
          f32x8 mul13 = sum7 * splat_f32x8(0.17677669f);
          f32x8 where7 = where_f32x8(le7, mul13, splat_f32x8(-INFINITY));
          f32x8 add7 = where7 + load11;
          f32x8 exp7 = exp_f32x8(add7);
          f32x8 mul14 = exp7 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 192, mul14);
          i32x8 le8 = mask_i32x8(splat_i32x8(index6) <= index3);
          f32x8 mul15 = sum8 * splat_f32x8(0.17677669f);
          f32x8 where8 = where_f32x8(le8, mul15, splat_f32x8(-INFINITY));
          f32x8 add8 = where8 + load13;
          f32x8 exp8 = exp_f32x8(add8);
          f32x8 mul16 = exp8 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 200, mul16);
          i32x8 le9 = mask_i32x8(splat_i32x8(index7) <= index2);
          f32x8 mul17 = sum9 * splat_f32x8(0.17677669f);
          f32x8 where9 = where_f32x8(le9, mul17, splat_f32x8(-INFINITY));
          f32x8 add9 = where9 + load11;
          f32x8 exp9 = exp_f32x8(add9);
          f32x8 mul18 = exp9 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 256, mul18);
          i32x8 le10 = mask_i32x8(splat_i32x8(index7) <= index3);
          f32x8 mul19 = sum10 * splat_f32x8(0.17677669f);
          f32x8 where10 = where_f32x8(le10, mul19, splat_f32x8(-INFINITY));
          f32x8 add10 = where10 + load13;
          f32x8 exp10 = exp_f32x8(add10);
          f32x8 mul20 = exp10 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 264, mul20);
          i32x8 le11 = mask_i32x8(splat_i32x8(index8) <= index2);
          f32x8 mul21 = sum11 * splat_f32x8(0.17677669f);
          f32x8 where11 = where_f32x8(le11, mul21, splat_f32x8(-INFINITY));
          f32x8 add11 = where11 + load11;
          f32x8 exp11 = exp_f32x8(add11);
          f32x8 mul22 = exp11 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 320, mul22);
          i32x8 le12 = mask_i32x8(splat_i32x8(index8) <= index3);
          f32x8 mul23 = sum12 * splat_f32x8(0.17677669f);
          f32x8 where12 = where_f32x8(le12, mul23, splat_f32x8(-INFINITY));
          f32x8 add12 = where12 + load13;
          f32x8 exp12 = exp_f32x8(add12);
          f32x8 mul24 = exp12 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 328, mul24);
          i32x8 le13 = mask_i32x8(splat_i32x8(index9) <= index2);
          f32x8 mul25 = sum13 * splat_f32x8(0.17677669f);
          f32x8 where13 = where_f32x8(le13, mul25, splat_f32x8(-INFINITY));
          f32x8 add13 = where13 + load11;
          f32x8 exp13 = exp_f32x8(add13);
          f32x8 mul26 = exp13 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 384, mul26);
          i32x8 le14 = mask_i32x8(splat_i32x8(index9) <= index3);
          f32x8 mul27 = sum14 * splat_f32x8(0.17677669f);
          f32x8 where14 = where_f32x8(le14, mul27, splat_f32x8(-INFINITY));
          f32x8 add14 = where14 + load13;
          f32x8 exp14 = exp_f32x8(add14);
          f32x8 mul28 = exp14 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 392, mul28);
          i32x8 le15 = mask_i32x8(splat_i32x8(index10) <= index2);
          f32x8 mul29 = sum15 * splat_f32x8(0.17677669f);
          f32x8 where15 = where_f32x8(le15, mul29, splat_f32x8(-INFINITY));
          f32x8 add15 = where15 + load11;
          f32x8 exp15 = exp_f32x8(add15);
          f32x8 mul30 = exp15 * load12;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 448, mul30);
          i32x8 le16 = mask_i32x8(splat_i32x8(index10) <= index3);
          f32x8 mul31 = sum16 * splat_f32x8(0.17677669f);
          f32x8 where16 = where_f32x8(le16, mul31, splat_f32x8(-INFINITY));
          f32x8 add16 = where16 + load13;
          f32x8 exp16 = exp_f32x8(add16);
          f32x8 mul32 = exp16 * load14;
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 456, mul32);
        }
      }
    }
    {
      // tasks: i0, i1, i2 by 8; loops: i3, i4 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i4
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      i32 index1 = (i32)(i2);
      i32 index4 = (i32)(i2 + 1);
      i32 index5 = (i32)(i2 + 2);
      i32 index6 = (i32)(i2 + 3);
      i32 index7 = (i32)(i2 + 4);
      i32 index8 = (i32)(i2 + 5);
      i32 index9 = (i32)(i2 + 6);
      i32 index10 = (i32)(i2 + 7);
      for (idx i3 = down(i2 + 0, 32) / 32; i3 < 2; i3 += 1) {
        for (idx i4 = 0; i4 < 32; i4 += 16) {
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 8);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 64);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 72);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 128);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 136);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 192);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 200);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 256);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 264);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 320);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 328);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 384);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 392);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 448);
          PREFETCH(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 456);
          // sum over r0 of x4 * x1
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
            f32x8 load1 = load_f32x8(x4 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32);
            f32 load2 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 256);
            sum1 = sum1 + load1 * splat_f32x8(load2);
            f32x8 load3 = load_f32x8(x4 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32 + 8);
            sum2 = sum2 + load3 * splat_f32x8(load2);
            f32 load4 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 640);
            sum3 = sum3 + load1 * splat_f32x8(load4);
            sum4 = sum4 + load3 * splat_f32x8(load4);
            f32 load5 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1024);
            sum5 = sum5 + load1 * splat_f32x8(load5);
            sum6 = sum6 + load3 * splat_f32x8(load5);
            f32 load6 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1408);
            sum7 = sum7 + load1 * splat_f32x8(load6);
            sum8 = sum8 + load3 * splat_f32x8(load6);
            f32 load7 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1792);
            sum9 = sum9 + load1 * splat_f32x8(load7);
            sum10 = sum10 + load3 * splat_f32x8(load7);
            f32 load8 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2176);
            sum11 = sum11 + load1 * splat_f32x8(load8);
            sum12 = sum12 + load3 * splat_f32x8(load8);
            f32 load9 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2560);
            sum13 = sum13 + load1 * splat_f32x8(load9);
            sum14 = sum14 + load3 * splat_f32x8(load9);
            f32 load10 = load_f32(x1 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2944);
            sum15 = sum15 + load1 * splat_f32x8(load10);
            sum16 = sum16 + load3 * splat_f32x8(load10);
          }
          // strip1 = where(i2 <= i3 * 32 + i4, strip0 * (the sum + x5), 0.0f) * 0.17677669f
          i32x8 index2 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8());
          i32x8 le1 = mask_i32x8(splat_i32x8(index1) <= index2);
          f32x8 load11 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4);
          f32x8 load12 = load_f32x8(x5 + i0 * 256 + i1 * 64 + i3 * 32 + i4);
          f32x8 add1 = sum1 + load12;
          f32x8 mul1 = load11 * add1;
          f32x8 where1 = where_f32x8(le1, mul1, splat_f32x8(0.0f));
          f32x8 mul2 = where1 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4, mul2);
          i32x8 index3 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8()) + 8;
          i32x8 le2 = mask_i32x8(splat_i32x8(index1) <= index3);
          f32x8 load13 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 8);
          f32x8 load14 = load_f32x8(x5 + i0 * 256 + i1 * 64 + i3 * 32 + i4 + 8);
          f32x8 add2 = sum2 + load14;
          f32x8 mul3 = load13 * add2;
          f32x8 where2 = where_f32x8(le2, mul3, splat_f32x8(0.0f));
          f32x8 mul4 = where2 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 8, mul4);
          i32x8 le3 = mask_i32x8(splat_i32x8(index4) <= index2);
          f32x8 load15 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 64);
          f32x8 add3 = sum3 + load12;
          f32x8 mul5 = load15 * add3;
          f32x8 where3 = where_f32x8(le3, mul5, splat_f32x8(0.0f));
          f32x8 mul6 = where3 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 64, mul6);
          i32x8 le4 = mask_i32x8(splat_i32x8(index4) <= index3);
          f32x8 load16 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 72);
          f32x8 add4 = sum4 + load14;
          f32x8 mul7 = load16 * add4;
          f32x8 where4 = where_f32x8(le4, mul7, splat_f32x8(0.0f));
          f32x8 mul8 = where4 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 72, mul8);
          i32x8 le5 = mask_i32x8(splat_i32x8(index5) <= index2);
          f32x8 load17 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 128);
          f32x8 add5 = sum5 + load12;
          f32x8 mul9 = load17 * add5;
          f32x8 where5 = where_f32x8(le5, mul9, splat_f32x8(0.0f));
          f32x8 mul10 = where5 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 128, mul10);
          i32x8 le6 = mask_i32x8(splat_i32x8(index5) <= index3);
          f32x8 load18 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 136);
          f32x8 add6 = sum6 + load14;
          f32x8 mul11 = load18 * add6;
          f32x8 where6 = where_f32x8(le6, mul11, splat_f32x8(0.0f));
          f32x8 mul12 = where6 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 136, mul12);
          i32x8 le7 = mask_i32x8(splat_i32x8(index6) <= index2);
          f32x8 load19 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 192);
          f32x8 add7 = sum7 + load12;
          f32x8 mul13 = load19 * add7;
          f32x8 where7 = where_f32x8(le7, mul13, splat_f32x8(0.0f));
          f32x8 mul14 = where7 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 192, mul14);
          i32x8 le8 = mask_i32x8(splat_i32x8(index6) <= index3);
          f32x8 load20 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 200);
          f32x8 add8 = sum8 + load14;
          f32x8 mul15 = load20 * add8;
          f32x8 where8 = where_f32x8(le8, mul15, splat_f32x8(0.0f));
          f32x8 mul16 = where8 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 200, mul16);
          i32x8 le9 = mask_i32x8(splat_i32x8(index7) <= index2);
          f32x8 load21 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 256);
          f32x8 add9 = sum9 + load12;
          f32x8 mul17 = load21 * add9;
          f32x8 where9 = where_f32x8(le9, mul17, splat_f32x8(0.0f));
          f32x8 mul18 = where9 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 256, mul18);
          i32x8 le10 = mask_i32x8(splat_i32x8(index7) <= index3);
          f32x8 load22 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 264);
          f32x8 add10 = sum10 + load14;
          f32x8 mul19 = load22 * add10;
          f32x8 where10 = where_f32x8(le10, mul19, splat_f32x8(0.0f));
          f32x8 mul20 = where10 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 264, mul20);
          i32x8 le11 = mask_i32x8(splat_i32x8(index8) <= index2);
          f32x8 load23 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 320);
          f32x8 add11 = sum11 + load12;
          f32x8 mul21 = load23 * add11;
          f32x8 where11 = where_f32x8(le11, mul21, splat_f32x8(0.0f));
          f32x8 mul22 = where11 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 320, mul22);
          i32x8 le12 = mask_i32x8(splat_i32x8(index8) <= index3);
          f32x8 load24 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 328);
          f32x8 add12 = sum12 + load14;
          f32x8 mul23 = load24 * add12;
          f32x8 where12 = where_f32x8(le12, mul23, splat_f32x8(0.0f));
          f32x8 mul24 = where12 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 328, mul24);
          i32x8 le13 = mask_i32x8(splat_i32x8(index9) <= index2);
          f32x8 load25 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 384);
          f32x8 add13 = sum13 + load12;
          f32x8 mul25 = load25 * add13;
          f32x8 where13 = where_f32x8(le13, mul25, splat_f32x8(0.0f));
          f32x8 mul26 = where13 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 384, mul26);
          i32x8 le14 = mask_i32x8(splat_i32x8(index9) <= index3);
          f32x8 load26 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 392);
          f32x8 add14 = sum14 + load14;
          f32x8 mul27 = load26 * add14;
          f32x8 where14 = where_f32x8(le14, mul27, splat_f32x8(0.0f));
          f32x8 mul28 = where14 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 392, mul28);
          i32x8 le15 = mask_i32x8(splat_i32x8(index10) <= index2);
          f32x8 load27 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 448);
          f32x8 add15 = sum15 + load12;
          f32x8 mul29 = load27 * add15;
          f32x8 where15 = where_f32x8(le15, mul29, splat_f32x8(0.0f));
          f32x8 mul30 = where15 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 448, mul30);
          i32x8 le16 = mask_i32x8(splat_i32x8(index10) <= index3);
          f32x8 load28 = load_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 456);
          f32x8 add16 = sum16 + load14;
          f32x8 mul31 = load28 * add16;
          f32x8 where16 = where_f32x8(le16, mul31, splat_f32x8(0.0f));
          f32x8 mul32 = where16 * splat_f32x8(0.17677669f);
          store_f32x8(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 456, mul32);
        }
      }
    }
    {
      // tasks: i0, i1, i2 by 8; loops: i3 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i3
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      for (idx i3 = 0; i3 < 32; i3 += 16) {
        // sum over r0 of x6 * strip0
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
        for (idx r0 = down(i2 + 0, 1); r0 < 64; r0 += 1) {
          PREFETCH(x6 + i0 * 8192 + i1 * 32 + i3 + r0 * 128 + 2048);
          PREFETCH(x6 + i0 * 8192 + i1 * 32 + i3 + r0 * 128 + 2056);
          f32x8 load1 = load_f32x8(x6 + i0 * 8192 + i1 * 32 + i3 + r0 * 128);
          f32 load2 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0);
          sum1 = sum1 + load1 * splat_f32x8(load2);
          f32x8 load3 = load_f32x8(x6 + i0 * 8192 + i1 * 32 + i3 + r0 * 128 + 8);
          sum2 = sum2 + load3 * splat_f32x8(load2);
          f32 load4 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 64);
          sum3 = sum3 + load1 * splat_f32x8(load4);
          sum4 = sum4 + load3 * splat_f32x8(load4);
          f32 load5 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 128);
          sum5 = sum5 + load1 * splat_f32x8(load5);
          sum6 = sum6 + load3 * splat_f32x8(load5);
          f32 load6 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 192);
          sum7 = sum7 + load1 * splat_f32x8(load6);
          sum8 = sum8 + load3 * splat_f32x8(load6);
          f32 load7 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 256);
          sum9 = sum9 + load1 * splat_f32x8(load7);
          sum10 = sum10 + load3 * splat_f32x8(load7);
          f32 load8 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 320);
          sum11 = sum11 + load1 * splat_f32x8(load8);
          sum12 = sum12 + load3 * splat_f32x8(load8);
          f32 load9 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 384);
          sum13 = sum13 + load1 * splat_f32x8(load9);
          sum14 = sum14 + load3 * splat_f32x8(load9);
          f32 load10 = load_f32(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 448);
          sum15 = sum15 + load1 * splat_f32x8(load10);
          sum16 = sum16 + load3 * splat_f32x8(load10);
        }
        // out0 = the sum
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3, sum1);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 8, sum2);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 32, sum3);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 40, sum4);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 64, sum5);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 72, sum6);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 96, sum7);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 104, sum8);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 128, sum9);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 136, sum10);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 160, sum11);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 168, sum12);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 192, sum13);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 200, sum14);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 224, sum15);
        store_f32x8(out0 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 232, sum16);
      }
    }
    {
      // tasks: i0, i1, i2 by 8; loops: i3 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i3
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      for (idx i3 = 0; i3 < 32; i3 += 16) {
        // sum over r0 of strip1 * x1
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
        for (idx r0 = down(i2 + 0, 1); r0 < 64; r0 += 1) {
          PREFETCH(x1 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 6144);
          PREFETCH(x1 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 6152);
          f32 load1 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0);
          f32x8 load2 = load_f32x8(x1 + i0 * 24576 + i1 * 32 + i3 + r0 * 384);
          sum1 = sum1 + splat_f32x8(load1) * load2;
          f32x8 load3 = load_f32x8(x1 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 8);
          sum2 = sum2 + splat_f32x8(load1) * load3;
          f32 load4 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 64);
          sum3 = sum3 + splat_f32x8(load4) * load2;
          sum4 = sum4 + splat_f32x8(load4) * load3;
          f32 load5 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 128);
          sum5 = sum5 + splat_f32x8(load5) * load2;
          sum6 = sum6 + splat_f32x8(load5) * load3;
          f32 load6 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 192);
          sum7 = sum7 + splat_f32x8(load6) * load2;
          sum8 = sum8 + splat_f32x8(load6) * load3;
          f32 load7 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 256);
          sum9 = sum9 + splat_f32x8(load7) * load2;
          sum10 = sum10 + splat_f32x8(load7) * load3;
          f32 load8 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 320);
          sum11 = sum11 + splat_f32x8(load8) * load2;
          sum12 = sum12 + splat_f32x8(load8) * load3;
          f32 load9 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 384);
          sum13 = sum13 + splat_f32x8(load9) * load2;
          sum14 = sum14 + splat_f32x8(load9) * load3;
          f32 load10 = load_f32(strip1 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0 + 448);
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
