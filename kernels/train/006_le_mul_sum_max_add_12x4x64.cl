// le_mul_sum_max_add_12x4x64: float32 [12, 4, 64, 1], float32 [12, 4, 64, 1], float32 [12, 4, 64, 32, 1], 26351616 floating-point operations, 1990656 bytes
// out0: float32 [12, 4, 64, 1]; out1: float32 [12, 4, 64, 1]; out2: float32 [12, 4, 64, 32, 1]; x0: float32 [12, 64,
//   384, 1]; x1: float32 [12, 4, 1, 2, 32, 32]
// gpt.py:80  past = row.reshape(T, 1) >= column # (T, T'): row t is True up to its own column
// gpt.py:81  att = (q @ k.transpose(-2, -1)) * (C // H) ** -0.5 # (B, H, T, T')
// gpt.py:82  att = past.where(att, -math.inf).softmax(-1).dropout(self.dropout)
// gpt.py:83  y = (att @ v).transpose(1, 2).reshape(B, T, C) # (B, T, C): the heads side by side
#include "../words_cl.h"

kernel void kernel_82bc493a4748fc01(global f32 *out0_, global f32 *out1_, global f32 *out2_, global const f32 *x0_, global const f32 *x1_, long tasks, global char *strips_) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global f32 *out2 = out2_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  STRIPS(2304)
  for (idx task = begin; task < end; task++) {
    idx rows = task * 8;
    GLOBAL f32 *strip0 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 256);
    GLOBAL f32 *strip1 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 256);
    GLOBAL f32 *strip2 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 256);
    {
      // tasks: i0, i1, i2 by 8; loops: i3, i4 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i4
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      i32 index2 = (i32)(i2);
      i32 index4 = (i32)(i2 + 1);
      i32 index5 = (i32)(i2 + 2);
      i32 index6 = (i32)(i2 + 3);
      i32 index7 = (i32)(i2 + 4);
      i32 index8 = (i32)(i2 + 5);
      i32 index9 = (i32)(i2 + 6);
      i32 index10 = (i32)(i2 + 7);
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
            f32 load1 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0);
            f32x8 load2 = load_f32x8(x1 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32);
            sum1 = sum1 + splat_f32x8(load1) * load2;
            f32x8 load3 = load_f32x8(x1 + i0 * 8192 + i1 * 2048 + i3 * 1024 + i4 + r0 * 32 + 8);
            sum2 = sum2 + splat_f32x8(load1) * load3;
            f32 load4 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 384);
            sum3 = sum3 + splat_f32x8(load4) * load2;
            sum4 = sum4 + splat_f32x8(load4) * load3;
            f32 load5 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 768);
            sum5 = sum5 + splat_f32x8(load5) * load2;
            sum6 = sum6 + splat_f32x8(load5) * load3;
            f32 load6 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1152);
            sum7 = sum7 + splat_f32x8(load6) * load2;
            sum8 = sum8 + splat_f32x8(load6) * load3;
            f32 load7 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1536);
            sum9 = sum9 + splat_f32x8(load7) * load2;
            sum10 = sum10 + splat_f32x8(load7) * load3;
            f32 load8 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 1920);
            sum11 = sum11 + splat_f32x8(load8) * load2;
            sum12 = sum12 + splat_f32x8(load8) * load3;
            f32 load9 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2304);
            sum13 = sum13 + splat_f32x8(load9) * load2;
            sum14 = sum14 + splat_f32x8(load9) * load3;
            f32 load10 = load_f32(x0 + i0 * 24576 + i1 * 32 + i2 * 384 + r0 + 2688);
            sum15 = sum15 + splat_f32x8(load10) * load2;
            sum16 = sum16 + splat_f32x8(load10) * load3;
          }
          // strip0 = where(i3 * 32 + i4 <= i2, the sum * 0.17677669f, -INFINITY)
          i32x8 index1 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8());
          i32x8 le1 = mask_i32x8(index1 <= splat_i32x8(index2));
          f32x8 mul1 = sum1 * splat_f32x8(0.17677669f);
          f32x8 where1 = where_f32x8(le1, mul1, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4, where1);
          i32x8 index3 = (i32)i3 * 32 + ((i32)i4 + lanes_i32x8()) + 8;
          i32x8 le2 = mask_i32x8(index3 <= splat_i32x8(index2));
          f32x8 mul2 = sum2 * splat_f32x8(0.17677669f);
          f32x8 where2 = where_f32x8(le2, mul2, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 8, where2);
          i32x8 le3 = mask_i32x8(index1 <= splat_i32x8(index4));
          f32x8 mul3 = sum3 * splat_f32x8(0.17677669f);
          f32x8 where3 = where_f32x8(le3, mul3, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 64, where3);
          i32x8 le4 = mask_i32x8(index3 <= splat_i32x8(index4));
          f32x8 mul4 = sum4 * splat_f32x8(0.17677669f);
          f32x8 where4 = where_f32x8(le4, mul4, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 72, where4);
          i32x8 le5 = mask_i32x8(index1 <= splat_i32x8(index5));
          f32x8 mul5 = sum5 * splat_f32x8(0.17677669f);
          f32x8 where5 = where_f32x8(le5, mul5, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 128, where5);
          i32x8 le6 = mask_i32x8(index3 <= splat_i32x8(index5));
          f32x8 mul6 = sum6 * splat_f32x8(0.17677669f);
          f32x8 where6 = where_f32x8(le6, mul6, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 136, where6);
          i32x8 le7 = mask_i32x8(index1 <= splat_i32x8(index6));
          f32x8 mul7 = sum7 * splat_f32x8(0.17677669f);
          f32x8 where7 = where_f32x8(le7, mul7, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 192, where7);
          i32x8 le8 = mask_i32x8(index3 <= splat_i32x8(index6));
          f32x8 mul8 = sum8 * splat_f32x8(0.17677669f);
          f32x8 where8 = where_f32x8(le8, mul8, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 200, where8);
          i32x8 le9 = mask_i32x8(index1 <= splat_i32x8(index7));
          f32x8 mul9 = sum9 * splat_f32x8(0.17677669f);
          f32x8 where9 = where_f32x8(le9, mul9, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 256, where9);
          i32x8 le10 = mask_i32x8(index3 <= splat_i32x8(index7));
          f32x8 mul10 = sum10 * splat_f32x8(0.17677669f);
          f32x8 where10 = where_f32x8(le10, mul10, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 264, where10);
          i32x8 le11 = mask_i32x8(index1 <= splat_i32x8(index8));
          f32x8 mul11 = sum11 * splat_f32x8(0.17677669f);
          f32x8 where11 = where_f32x8(le11, mul11, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 320, where11);
          i32x8 le12 = mask_i32x8(index3 <= splat_i32x8(index8));
          f32x8 mul12 = sum12 * splat_f32x8(0.17677669f);
          f32x8 where12 = where_f32x8(le12, mul12, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 328, where12);
          i32x8 le13 = mask_i32x8(index1 <= splat_i32x8(index9));
          f32x8 mul13 = sum13 * splat_f32x8(0.17677669f);
          f32x8 where13 = where_f32x8(le13, mul13, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 384, where13);
          i32x8 le14 = mask_i32x8(index3 <= splat_i32x8(index9));
          f32x8 mul14 = sum14 * splat_f32x8(0.17677669f);
          f32x8 where14 = where_f32x8(le14, mul14, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 392, where14);
          i32x8 le15 = mask_i32x8(index1 <= splat_i32x8(index10));
          f32x8 mul15 = sum15 * splat_f32x8(0.17677669f);
          f32x8 where15 = where_f32x8(le15, mul15, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 448, where15);
          i32x8 le16 = mask_i32x8(index3 <= splat_i32x8(index10));
          f32x8 mul16 = sum16 * splat_f32x8(0.17677669f);
          f32x8 where16 = where_f32x8(le16, mul16, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 4096 + i2 * 64 + i3 * 32 + i4 + 456, where16);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; tile: 8 rows of i1
      idx i0 = task / 8;
      idx i1 = task % 8 * 8;
      // maximum over r0 of strip0
      f32x8 max1 = splat_f32x8(-INFINITY);
      f32x8 max2 = splat_f32x8(-INFINITY);
      f32x8 max3 = splat_f32x8(-INFINITY);
      f32x8 max4 = splat_f32x8(-INFINITY);
      f32x8 max5 = splat_f32x8(-INFINITY);
      f32x8 max6 = splat_f32x8(-INFINITY);
      f32x8 max7 = splat_f32x8(-INFINITY);
      f32x8 max8 = splat_f32x8(-INFINITY);
      for (idx r0 = 0; r0 < least(64, i1 + 8); r0 += 8) {
        f32x8 load1 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0);
        max1 = max_f32x8(max1, load1);
        f32x8 load2 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 64);
        max2 = max_f32x8(max2, load2);
        f32x8 load3 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 128);
        max3 = max_f32x8(max3, load3);
        f32x8 load4 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 192);
        max4 = max_f32x8(max4, load4);
        f32x8 load5 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 256);
        max5 = max_f32x8(max5, load5);
        f32x8 load6 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 320);
        max6 = max_f32x8(max6, load6);
        f32x8 load7 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 384);
        max7 = max_f32x8(max7, load7);
        f32x8 load8 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + r0 + 448);
        max8 = max_f32x8(max8, load8);
      }
      f32 max9 = fold_max_f32x8(max1);
      f32 max10 = fold_max_f32x8(max2);
      f32 max11 = fold_max_f32x8(max3);
      f32 max12 = fold_max_f32x8(max4);
      f32 max13 = fold_max_f32x8(max5);
      f32 max14 = fold_max_f32x8(max6);
      f32 max15 = fold_max_f32x8(max7);
      f32 max16 = fold_max_f32x8(max8);
      // out0 = the maximum * -1.0f
      f32 mul1 = max9 * -1.0f;
      store_f32(out0 + i0 * 64 + i1, mul1);
      f32 mul2 = max10 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 1, mul2);
      f32 mul3 = max11 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 2, mul3);
      f32 mul4 = max12 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 3, mul4);
      f32 mul5 = max13 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 4, mul5);
      f32 mul6 = max14 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 5, mul6);
      f32 mul7 = max15 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 6, mul7);
      f32 mul8 = max16 * -1.0f;
      store_f32(out0 + i0 * 64 + i1 + 7, mul8);
    }
    {
      // tasks: i0, i1 by 8; loops: i1, i2 by 16; tile: 2 vectors of 8 along i2
      idx i0 = task / 8;
      idx i1_first = task % 8 * 8;
      for (idx i1 = i1_first; i1 < least(64, i1_first + 8); i1 += 1) {
        f32 load2 = load_f32(out0 + i0 * 64 + i1);
        for (idx i2 = 0; i2 < least(64, i1_first + 8); i2 += 16) {
          // strip1 = exp(strip0 + out0)
          f32x8 load1 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + i2);
          f32x8 add1 = load1 + splat_f32x8(load2);
          f32x8 exp1 = exp_f32x8(add1);
          store_f32x8(strip1 + i0 * 4096 + i1 * 64 + i2, exp1);
          f32x8 load3 = load_f32x8(strip0 + i0 * 4096 + i1 * 64 + i2 + 8);
          f32x8 add2 = load3 + splat_f32x8(load2);
          f32x8 exp2 = exp_f32x8(add2);
          store_f32x8(strip1 + i0 * 4096 + i1 * 64 + i2 + 8, exp2);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; tile: 8 rows of i1
      idx i0 = task / 8;
      idx i1 = task % 8 * 8;
      // sum over r0 of strip1
      f32x8 sum1 = splat_f32x8(0.0f);
      f32x8 sum2 = splat_f32x8(0.0f);
      f32x8 sum3 = splat_f32x8(0.0f);
      f32x8 sum4 = splat_f32x8(0.0f);
      f32x8 sum5 = splat_f32x8(0.0f);
      f32x8 sum6 = splat_f32x8(0.0f);
      f32x8 sum7 = splat_f32x8(0.0f);
      f32x8 sum8 = splat_f32x8(0.0f);
      for (idx r0 = 0; r0 < least(64, i1 + 8); r0 += 8) {
        f32x8 load1 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0);
        sum1 = sum1 + load1;
        f32x8 load2 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 64);
        sum2 = sum2 + load2;
        f32x8 load3 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 128);
        sum3 = sum3 + load3;
        f32x8 load4 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 192);
        sum4 = sum4 + load4;
        f32x8 load5 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 256);
        sum5 = sum5 + load5;
        f32x8 load6 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 320);
        sum6 = sum6 + load6;
        f32x8 load7 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 384);
        sum7 = sum7 + load7;
        f32x8 load8 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + r0 + 448);
        sum8 = sum8 + load8;
      }
      f32 sum9 = fold_add_f32x8(sum1);
      f32 sum10 = fold_add_f32x8(sum2);
      f32 sum11 = fold_add_f32x8(sum3);
      f32 sum12 = fold_add_f32x8(sum4);
      f32 sum13 = fold_add_f32x8(sum5);
      f32 sum14 = fold_add_f32x8(sum6);
      f32 sum15 = fold_add_f32x8(sum7);
      f32 sum16 = fold_add_f32x8(sum8);
      // out1 = 1.0f / the sum
      f32 div1 = 1.0f / sum9;
      store_f32(out1 + i0 * 64 + i1, div1);
      f32 div2 = 1.0f / sum10;
      store_f32(out1 + i0 * 64 + i1 + 1, div2);
      f32 div3 = 1.0f / sum11;
      store_f32(out1 + i0 * 64 + i1 + 2, div3);
      f32 div4 = 1.0f / sum12;
      store_f32(out1 + i0 * 64 + i1 + 3, div4);
      f32 div5 = 1.0f / sum13;
      store_f32(out1 + i0 * 64 + i1 + 4, div5);
      f32 div6 = 1.0f / sum14;
      store_f32(out1 + i0 * 64 + i1 + 5, div6);
      f32 div7 = 1.0f / sum15;
      store_f32(out1 + i0 * 64 + i1 + 6, div7);
      f32 div8 = 1.0f / sum16;
      store_f32(out1 + i0 * 64 + i1 + 7, div8);
    }
    {
      // tasks: i0, i1 by 8; loops: i1, i2 by 16; tile: 2 vectors of 8 along i2
      idx i0 = task / 8;
      idx i1_first = task % 8 * 8;
      for (idx i1 = i1_first; i1 < least(64, i1_first + 8); i1 += 1) {
        f32 load2 = load_f32(out1 + i0 * 64 + i1);
        for (idx i2 = 0; i2 < least(64, i1_first + 8); i2 += 16) {
          // strip2 = strip1 * out1
          f32x8 load1 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + i2);
          f32x8 mul1 = load1 * splat_f32x8(load2);
          store_f32x8(strip2 + i0 * 4096 + i1 * 64 + i2, mul1);
          f32x8 load3 = load_f32x8(strip1 + i0 * 4096 + i1 * 64 + i2 + 8);
          f32x8 mul2 = load3 * splat_f32x8(load2);
          store_f32x8(strip2 + i0 * 4096 + i1 * 64 + i2 + 8, mul2);
        }
      }
    }
    {
      // tasks: i0, i1, i2 by 8; loops: i3 by 16; tile: 8 rows of i2 x 2 vectors of 8 along i3
      idx i0 = task / 32;
      idx i1 = task / 8 % 4;
      idx i2 = task % 8 * 8;
      for (idx i3 = 0; i3 < 32; i3 += 16) {
        // sum over r0 of strip2 * x0
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
          PREFETCH(x0 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 6400);
          PREFETCH(x0 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 6408);
          f32 load1 = load_f32(strip2 + i0 * 16384 + i1 * 4096 + i2 * 64 + r0);
          f32x8 load2 = load_f32x8(x0 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 256);
          sum1 = sum1 + splat_f32x8(load1) * load2;
          f32x8 load3 = load_f32x8(x0 + i0 * 24576 + i1 * 32 + i3 + r0 * 384 + 264);
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
        // out2 = the sum
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3, sum1);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 8, sum2);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 32, sum3);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 40, sum4);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 64, sum5);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 72, sum6);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 96, sum7);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 104, sum8);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 128, sum9);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 136, sum10);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 160, sum11);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 168, sum12);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 192, sum13);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 200, sum14);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 224, sum15);
        store_f32x8(out2 + i0 * 8192 + i1 * 2048 + i2 * 32 + i3 + 232, sum16);
      }
    }
  }
}
