// le_mul_sum_max_add_4x4x128: float32 [4, 4, 128, 1], float32 [4, 4, 128, 1], float32 [4, 4, 128, 32], float32 [4, 4, 128, 1], float32 [4, 4, 128, 32], 70129664 floating-point operations, 1859584 bytes
// out0: float32 [4, 4, 128, 1]; out1: float32 [4, 4, 128, 1]; out2: float32 [4, 4, 128, 32]; out3: float32 [4, 4, 128,
//   1]; out4: float32 [4, 4, 128, 32]; x0: float32 [4, 4, 128, 32]; x1: float32 [4, 4, 1, 4, 32, 32]; x2: float32 [4,
//   4, 128, 32]; x3: float32 [4, 4, 1, 4, 32, 32]; x4: float32 [4, 4, 128, 32]
// gpt.py:1128  lambda: q.scaled_dot_product_attention(k, v, is_causal=True).square().sum().gradient(q, k, v),
// gradient of gpt.py:1128  lambda: q.scaled_dot_product_attention(k, v, is_causal=True).square().sum().gradient(q, k, v),
#include "../words_cl.h"

kernel void kernel_9c8e636d065686da(global f32 *out0_, global f32 *out1_, global f32 *out2_, global f32 *out3_, global f32 *out4_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, long tasks, global char *strips_) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global f32 *out2 = out2_ + 128 / sizeof(f32);
  global f32 *out3 = out3_ + 128 / sizeof(f32);
  global f32 *out4 = out4_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  STRIPS(8704)
  for (idx task = begin; task < end; task++) {
    idx rows = task * 8;
    GLOBAL f32 *strip0 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 512);
    GLOBAL f32 *strip1 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 512);
    GLOBAL f32 *strip2 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 512);
    GLOBAL f32 *strip3 = (GLOBAL f32 *)((uintptr_t)strips + 4480 - (uintptr_t)rows * 512);
    GLOBAL f32 *strip4 = (GLOBAL f32 *)((uintptr_t)strips + 128 - (uintptr_t)rows * 512);
    {
      // tasks: i0, i1 by 8; loops: i2, i3 by 16; tile: 8 rows of i1 x 2 vectors of 8 along i3
      idx i0 = task / 16;
      idx i1 = task % 16 * 8;
      i32 index2 = (i32)(i1);
      i32 index4 = (i32)(i1 + 1);
      i32 index5 = (i32)(i1 + 2);
      i32 index6 = (i32)(i1 + 3);
      i32 index7 = (i32)(i1 + 4);
      i32 index8 = (i32)(i1 + 5);
      i32 index9 = (i32)(i1 + 6);
      i32 index10 = (i32)(i1 + 7);
      for (idx i2 = 0; i2 < least(4, (i1 + 39) / 32); i2 += 1) {
        for (idx i3 = 0; i3 < 32; i3 += 16) {
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
            f32 load1 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0);
            f32x8 load2 = load_f32x8(x1 + i0 * 4096 + i2 * 1024 + i3 + r0 * 32);
            sum1 = sum1 + splat_f32x8(load1) * load2;
            f32x8 load3 = load_f32x8(x1 + i0 * 4096 + i2 * 1024 + i3 + r0 * 32 + 8);
            sum2 = sum2 + splat_f32x8(load1) * load3;
            f32 load4 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0 + 32);
            sum3 = sum3 + splat_f32x8(load4) * load2;
            sum4 = sum4 + splat_f32x8(load4) * load3;
            f32 load5 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0 + 64);
            sum5 = sum5 + splat_f32x8(load5) * load2;
            sum6 = sum6 + splat_f32x8(load5) * load3;
            f32 load6 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0 + 96);
            sum7 = sum7 + splat_f32x8(load6) * load2;
            sum8 = sum8 + splat_f32x8(load6) * load3;
            f32 load7 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0 + 128);
            sum9 = sum9 + splat_f32x8(load7) * load2;
            sum10 = sum10 + splat_f32x8(load7) * load3;
            f32 load8 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0 + 160);
            sum11 = sum11 + splat_f32x8(load8) * load2;
            sum12 = sum12 + splat_f32x8(load8) * load3;
            f32 load9 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0 + 192);
            sum13 = sum13 + splat_f32x8(load9) * load2;
            sum14 = sum14 + splat_f32x8(load9) * load3;
            f32 load10 = load_f32(x0 + i0 * 4096 + i1 * 32 + r0 + 224);
            sum15 = sum15 + splat_f32x8(load10) * load2;
            sum16 = sum16 + splat_f32x8(load10) * load3;
          }
          // strip0 = where(i2 * 32 + i3 <= i1, the sum * 0.17677669f, -INFINITY)
          i32x8 index1 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8());
          i32x8 le1 = mask_i32x8(index1 <= splat_i32x8(index2));
          f32x8 mul1 = sum1 * splat_f32x8(0.17677669f);
          f32x8 where1 = where_f32x8(le1, mul1, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3, where1);
          i32x8 index3 = (i32)i2 * 32 + ((i32)i3 + lanes_i32x8()) + 8;
          i32x8 le2 = mask_i32x8(index3 <= splat_i32x8(index2));
          f32x8 mul2 = sum2 * splat_f32x8(0.17677669f);
          f32x8 where2 = where_f32x8(le2, mul2, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 8, where2);
          i32x8 le3 = mask_i32x8(index1 <= splat_i32x8(index4));
          f32x8 mul3 = sum3 * splat_f32x8(0.17677669f);
          f32x8 where3 = where_f32x8(le3, mul3, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 128, where3);
          i32x8 le4 = mask_i32x8(index3 <= splat_i32x8(index4));
          f32x8 mul4 = sum4 * splat_f32x8(0.17677669f);
          f32x8 where4 = where_f32x8(le4, mul4, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 136, where4);
          i32x8 le5 = mask_i32x8(index1 <= splat_i32x8(index5));
          f32x8 mul5 = sum5 * splat_f32x8(0.17677669f);
          f32x8 where5 = where_f32x8(le5, mul5, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 256, where5);
          i32x8 le6 = mask_i32x8(index3 <= splat_i32x8(index5));
          f32x8 mul6 = sum6 * splat_f32x8(0.17677669f);
          f32x8 where6 = where_f32x8(le6, mul6, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 264, where6);
          i32x8 le7 = mask_i32x8(index1 <= splat_i32x8(index6));
          f32x8 mul7 = sum7 * splat_f32x8(0.17677669f);
          f32x8 where7 = where_f32x8(le7, mul7, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 384, where7);
          i32x8 le8 = mask_i32x8(index3 <= splat_i32x8(index6));
          f32x8 mul8 = sum8 * splat_f32x8(0.17677669f);
          f32x8 where8 = where_f32x8(le8, mul8, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 392, where8);
          i32x8 le9 = mask_i32x8(index1 <= splat_i32x8(index7));
          f32x8 mul9 = sum9 * splat_f32x8(0.17677669f);
          f32x8 where9 = where_f32x8(le9, mul9, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 512, where9);
          i32x8 le10 = mask_i32x8(index3 <= splat_i32x8(index7));
          f32x8 mul10 = sum10 * splat_f32x8(0.17677669f);
          f32x8 where10 = where_f32x8(le10, mul10, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 520, where10);
          i32x8 le11 = mask_i32x8(index1 <= splat_i32x8(index8));
          f32x8 mul11 = sum11 * splat_f32x8(0.17677669f);
          f32x8 where11 = where_f32x8(le11, mul11, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 640, where11);
          i32x8 le12 = mask_i32x8(index3 <= splat_i32x8(index8));
          f32x8 mul12 = sum12 * splat_f32x8(0.17677669f);
          f32x8 where12 = where_f32x8(le12, mul12, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 648, where12);
          i32x8 le13 = mask_i32x8(index1 <= splat_i32x8(index9));
          f32x8 mul13 = sum13 * splat_f32x8(0.17677669f);
          f32x8 where13 = where_f32x8(le13, mul13, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 768, where13);
          i32x8 le14 = mask_i32x8(index3 <= splat_i32x8(index9));
          f32x8 mul14 = sum14 * splat_f32x8(0.17677669f);
          f32x8 where14 = where_f32x8(le14, mul14, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 776, where14);
          i32x8 le15 = mask_i32x8(index1 <= splat_i32x8(index10));
          f32x8 mul15 = sum15 * splat_f32x8(0.17677669f);
          f32x8 where15 = where_f32x8(le15, mul15, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 896, where15);
          i32x8 le16 = mask_i32x8(index3 <= splat_i32x8(index10));
          f32x8 mul16 = sum16 * splat_f32x8(0.17677669f);
          f32x8 where16 = where_f32x8(le16, mul16, splat_f32x8(-INFINITY));
          store_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 904, where16);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; tile: 8 rows of i1
      idx i0 = task / 16;
      idx i1 = task % 16 * 8;
      // maximum over r0 of strip0
      f32x8 max1 = splat_f32x8(-INFINITY);
      f32x8 max2 = splat_f32x8(-INFINITY);
      f32x8 max3 = splat_f32x8(-INFINITY);
      f32x8 max4 = splat_f32x8(-INFINITY);
      f32x8 max5 = splat_f32x8(-INFINITY);
      f32x8 max6 = splat_f32x8(-INFINITY);
      f32x8 max7 = splat_f32x8(-INFINITY);
      f32x8 max8 = splat_f32x8(-INFINITY);
      for (idx r0 = 0; r0 < least(128, i1 + 8); r0 += 8) {
        f32x8 load1 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0);
        max1 = max_f32x8(max1, load1);
        f32x8 load2 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0 + 128);
        max2 = max_f32x8(max2, load2);
        f32x8 load3 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0 + 256);
        max3 = max_f32x8(max3, load3);
        f32x8 load4 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0 + 384);
        max4 = max_f32x8(max4, load4);
        f32x8 load5 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0 + 512);
        max5 = max_f32x8(max5, load5);
        f32x8 load6 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0 + 640);
        max6 = max_f32x8(max6, load6);
        f32x8 load7 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0 + 768);
        max7 = max_f32x8(max7, load7);
        f32x8 load8 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + r0 + 896);
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
      store_f32(out0 + i0 * 128 + i1, mul1);
      f32 mul2 = max10 * -1.0f;
      store_f32(out0 + i0 * 128 + i1 + 1, mul2);
      f32 mul3 = max11 * -1.0f;
      store_f32(out0 + i0 * 128 + i1 + 2, mul3);
      f32 mul4 = max12 * -1.0f;
      store_f32(out0 + i0 * 128 + i1 + 3, mul4);
      f32 mul5 = max13 * -1.0f;
      store_f32(out0 + i0 * 128 + i1 + 4, mul5);
      f32 mul6 = max14 * -1.0f;
      store_f32(out0 + i0 * 128 + i1 + 5, mul6);
      f32 mul7 = max15 * -1.0f;
      store_f32(out0 + i0 * 128 + i1 + 6, mul7);
      f32 mul8 = max16 * -1.0f;
      store_f32(out0 + i0 * 128 + i1 + 7, mul8);
    }
    {
      // tasks: i0, i1 by 8; loops: i1, i2 by 16; tile: 2 vectors of 8 along i2
      idx i0 = task / 16;
      idx i1_first = task % 16 * 8;
      for (idx i1 = i1_first; i1 < least(128, i1_first + 8); i1 += 1) {
        f32 load2 = load_f32(out0 + i0 * 128 + i1);
        for (idx i2 = 0; i2 < least(128, i1_first + 8); i2 += 16) {
          // strip1 = exp(strip0 + out0)
          f32x8 load1 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2);
          f32x8 add1 = load1 + splat_f32x8(load2);
          f32x8 exp1 = exp_f32x8(add1);
          store_f32x8(strip1 + i0 * 16384 + i1 * 128 + i2, exp1);
          f32x8 load3 = load_f32x8(strip0 + i0 * 16384 + i1 * 128 + i2 + 8);
          f32x8 add2 = load3 + splat_f32x8(load2);
          f32x8 exp2 = exp_f32x8(add2);
          store_f32x8(strip1 + i0 * 16384 + i1 * 128 + i2 + 8, exp2);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; tile: 8 rows of i1
      idx i0 = task / 16;
      idx i1 = task % 16 * 8;
      // sum over r0 of strip1
      f32x8 sum1 = splat_f32x8(0.0f);
      f32x8 sum2 = splat_f32x8(0.0f);
      f32x8 sum3 = splat_f32x8(0.0f);
      f32x8 sum4 = splat_f32x8(0.0f);
      f32x8 sum5 = splat_f32x8(0.0f);
      f32x8 sum6 = splat_f32x8(0.0f);
      f32x8 sum7 = splat_f32x8(0.0f);
      f32x8 sum8 = splat_f32x8(0.0f);
      for (idx r0 = 0; r0 < least(128, i1 + 8); r0 += 8) {
        f32x8 load1 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0);
        sum1 = sum1 + load1;
        f32x8 load2 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0 + 128);
        sum2 = sum2 + load2;
        f32x8 load3 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0 + 256);
        sum3 = sum3 + load3;
        f32x8 load4 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0 + 384);
        sum4 = sum4 + load4;
        f32x8 load5 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0 + 512);
        sum5 = sum5 + load5;
        f32x8 load6 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0 + 640);
        sum6 = sum6 + load6;
        f32x8 load7 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0 + 768);
        sum7 = sum7 + load7;
        f32x8 load8 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + r0 + 896);
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
      store_f32(out1 + i0 * 128 + i1, div1);
      f32 div2 = 1.0f / sum10;
      store_f32(out1 + i0 * 128 + i1 + 1, div2);
      f32 div3 = 1.0f / sum11;
      store_f32(out1 + i0 * 128 + i1 + 2, div3);
      f32 div4 = 1.0f / sum12;
      store_f32(out1 + i0 * 128 + i1 + 3, div4);
      f32 div5 = 1.0f / sum13;
      store_f32(out1 + i0 * 128 + i1 + 4, div5);
      f32 div6 = 1.0f / sum14;
      store_f32(out1 + i0 * 128 + i1 + 5, div6);
      f32 div7 = 1.0f / sum15;
      store_f32(out1 + i0 * 128 + i1 + 6, div7);
      f32 div8 = 1.0f / sum16;
      store_f32(out1 + i0 * 128 + i1 + 7, div8);
    }
    {
      // tasks: i0, i1 by 8; loops: i1, i2 by 16; tile: 2 vectors of 8 along i2
      idx i0 = task / 16;
      idx i1_first = task % 16 * 8;
      for (idx i1 = i1_first; i1 < least(128, i1_first + 8); i1 += 1) {
        f32 load2 = load_f32(out1 + i0 * 128 + i1);
        for (idx i2 = 0; i2 < least(128, i1_first + 8); i2 += 16) {
          // strip2 = strip1 * out1
          f32x8 load1 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + i2);
          f32x8 mul1 = load1 * splat_f32x8(load2);
          store_f32x8(strip2 + i0 * 16384 + i1 * 128 + i2, mul1);
          f32x8 load3 = load_f32x8(strip1 + i0 * 16384 + i1 * 128 + i2 + 8);
          f32x8 mul2 = load3 * splat_f32x8(load2);
          store_f32x8(strip2 + i0 * 16384 + i1 * 128 + i2 + 8, mul2);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; loops: i2 by 16; tile: 8 rows of i1 x 2 vectors of 8 along i2
      idx i0 = task / 16;
      idx i1 = task % 16 * 8;
      for (idx i2 = 0; i2 < 32; i2 += 16) {
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
        for (idx r0 = 0; r0 < least(128, i1 + 8); r0 += 1) {
          f32 load1 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0);
          f32x8 load2 = load_f32x8(x2 + i0 * 4096 + i2 + r0 * 32);
          sum1 = sum1 + splat_f32x8(load1) * load2;
          f32x8 load3 = load_f32x8(x2 + i0 * 4096 + i2 + r0 * 32 + 8);
          sum2 = sum2 + splat_f32x8(load1) * load3;
          f32 load4 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0 + 128);
          sum3 = sum3 + splat_f32x8(load4) * load2;
          sum4 = sum4 + splat_f32x8(load4) * load3;
          f32 load5 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0 + 256);
          sum5 = sum5 + splat_f32x8(load5) * load2;
          sum6 = sum6 + splat_f32x8(load5) * load3;
          f32 load6 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0 + 384);
          sum7 = sum7 + splat_f32x8(load6) * load2;
          sum8 = sum8 + splat_f32x8(load6) * load3;
          f32 load7 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0 + 512);
          sum9 = sum9 + splat_f32x8(load7) * load2;
          sum10 = sum10 + splat_f32x8(load7) * load3;
          f32 load8 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0 + 640);
          sum11 = sum11 + splat_f32x8(load8) * load2;
          sum12 = sum12 + splat_f32x8(load8) * load3;
          f32 load9 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0 + 768);
          sum13 = sum13 + splat_f32x8(load9) * load2;
          sum14 = sum14 + splat_f32x8(load9) * load3;
          f32 load10 = load_f32(strip2 + i0 * 16384 + i1 * 128 + r0 + 896);
          sum15 = sum15 + splat_f32x8(load10) * load2;
          sum16 = sum16 + splat_f32x8(load10) * load3;
        }
        // out2 = (1.0f * the sum) + (1.0f * the sum)
        f32x8 mul1 = splat_f32x8(1.0f) * sum1;
        f32x8 add1 = mul1 + mul1;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2, add1);
        f32x8 mul2 = splat_f32x8(1.0f) * sum2;
        f32x8 add2 = mul2 + mul2;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 8, add2);
        f32x8 mul3 = splat_f32x8(1.0f) * sum3;
        f32x8 add3 = mul3 + mul3;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 32, add3);
        f32x8 mul4 = splat_f32x8(1.0f) * sum4;
        f32x8 add4 = mul4 + mul4;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 40, add4);
        f32x8 mul5 = splat_f32x8(1.0f) * sum5;
        f32x8 add5 = mul5 + mul5;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 64, add5);
        f32x8 mul6 = splat_f32x8(1.0f) * sum6;
        f32x8 add6 = mul6 + mul6;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 72, add6);
        f32x8 mul7 = splat_f32x8(1.0f) * sum7;
        f32x8 add7 = mul7 + mul7;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 96, add7);
        f32x8 mul8 = splat_f32x8(1.0f) * sum8;
        f32x8 add8 = mul8 + mul8;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 104, add8);
        f32x8 mul9 = splat_f32x8(1.0f) * sum9;
        f32x8 add9 = mul9 + mul9;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 128, add9);
        f32x8 mul10 = splat_f32x8(1.0f) * sum10;
        f32x8 add10 = mul10 + mul10;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 136, add10);
        f32x8 mul11 = splat_f32x8(1.0f) * sum11;
        f32x8 add11 = mul11 + mul11;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 160, add11);
        f32x8 mul12 = splat_f32x8(1.0f) * sum12;
        f32x8 add12 = mul12 + mul12;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 168, add12);
        f32x8 mul13 = splat_f32x8(1.0f) * sum13;
        f32x8 add13 = mul13 + mul13;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 192, add13);
        f32x8 mul14 = splat_f32x8(1.0f) * sum14;
        f32x8 add14 = mul14 + mul14;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 200, add14);
        f32x8 mul15 = splat_f32x8(1.0f) * sum15;
        f32x8 add15 = mul15 + mul15;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 224, add15);
        f32x8 mul16 = splat_f32x8(1.0f) * sum16;
        f32x8 add16 = mul16 + mul16;
        store_f32x8(out2 + i0 * 4096 + i1 * 32 + i2 + 232, add16);
      }
    }
    {
      // tasks: i0, i1 by 8; loops: i2, i3 by 16; tile: 8 rows of i1 x 2 vectors of 8 along i3
      idx i0 = task / 16;
      idx i1 = task % 16 * 8;
      for (idx i2 = 0; i2 < least(4, (i1 + 39) / 32); i2 += 1) {
        for (idx i3 = 0; i3 < 32; i3 += 16) {
          // sum over r0 of out2 * x3
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
            f32 load1 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0);
            f32x8 load2 = load_f32x8(x3 + i0 * 4096 + i2 * 1024 + i3 + r0 * 32);
            sum1 = sum1 + splat_f32x8(load1) * load2;
            f32x8 load3 = load_f32x8(x3 + i0 * 4096 + i2 * 1024 + i3 + r0 * 32 + 8);
            sum2 = sum2 + splat_f32x8(load1) * load3;
            f32 load4 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0 + 32);
            sum3 = sum3 + splat_f32x8(load4) * load2;
            sum4 = sum4 + splat_f32x8(load4) * load3;
            f32 load5 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0 + 64);
            sum5 = sum5 + splat_f32x8(load5) * load2;
            sum6 = sum6 + splat_f32x8(load5) * load3;
            f32 load6 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0 + 96);
            sum7 = sum7 + splat_f32x8(load6) * load2;
            sum8 = sum8 + splat_f32x8(load6) * load3;
            f32 load7 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0 + 128);
            sum9 = sum9 + splat_f32x8(load7) * load2;
            sum10 = sum10 + splat_f32x8(load7) * load3;
            f32 load8 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0 + 160);
            sum11 = sum11 + splat_f32x8(load8) * load2;
            sum12 = sum12 + splat_f32x8(load8) * load3;
            f32 load9 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0 + 192);
            sum13 = sum13 + splat_f32x8(load9) * load2;
            sum14 = sum14 + splat_f32x8(load9) * load3;
            f32 load10 = load_f32(out2 + i0 * 4096 + i1 * 32 + r0 + 224);
            sum15 = sum15 + splat_f32x8(load10) * load2;
            sum16 = sum16 + splat_f32x8(load10) * load3;
          }
          // strip3 = the sum
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3, sum1);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 8, sum2);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 128, sum3);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 136, sum4);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 256, sum5);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 264, sum6);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 384, sum7);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 392, sum8);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 512, sum9);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 520, sum10);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 640, sum11);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 648, sum12);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 768, sum13);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 776, sum14);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 896, sum15);
          store_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 * 32 + i3 + 904, sum16);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; tile: 8 rows of i1
      idx i0 = task / 16;
      idx i1 = task % 16 * 8;
      // sum over r0 of strip3 * strip2
      f32x8 sum1 = splat_f32x8(0.0f);
      f32x8 sum2 = splat_f32x8(0.0f);
      f32x8 sum3 = splat_f32x8(0.0f);
      f32x8 sum4 = splat_f32x8(0.0f);
      f32x8 sum5 = splat_f32x8(0.0f);
      f32x8 sum6 = splat_f32x8(0.0f);
      f32x8 sum7 = splat_f32x8(0.0f);
      f32x8 sum8 = splat_f32x8(0.0f);
      for (idx r0 = 0; r0 < least(128, i1 + 8); r0 += 8) {
        f32x8 load1 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0);
        f32x8 load2 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0);
        sum1 = sum1 + load1 * load2;
        f32x8 load3 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0 + 128);
        f32x8 load4 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0 + 128);
        sum2 = sum2 + load3 * load4;
        f32x8 load5 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0 + 256);
        f32x8 load6 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0 + 256);
        sum3 = sum3 + load5 * load6;
        f32x8 load7 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0 + 384);
        f32x8 load8 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0 + 384);
        sum4 = sum4 + load7 * load8;
        f32x8 load9 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0 + 512);
        f32x8 load10 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0 + 512);
        sum5 = sum5 + load9 * load10;
        f32x8 load11 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0 + 640);
        f32x8 load12 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0 + 640);
        sum6 = sum6 + load11 * load12;
        f32x8 load13 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0 + 768);
        f32x8 load14 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0 + 768);
        sum7 = sum7 + load13 * load14;
        f32x8 load15 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + r0 + 896);
        f32x8 load16 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + r0 + 896);
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
      // out3 = the sum * -1.0f
      f32 mul1 = sum9 * -1.0f;
      store_f32(out3 + i0 * 128 + i1, mul1);
      f32 mul2 = sum10 * -1.0f;
      store_f32(out3 + i0 * 128 + i1 + 1, mul2);
      f32 mul3 = sum11 * -1.0f;
      store_f32(out3 + i0 * 128 + i1 + 2, mul3);
      f32 mul4 = sum12 * -1.0f;
      store_f32(out3 + i0 * 128 + i1 + 3, mul4);
      f32 mul5 = sum13 * -1.0f;
      store_f32(out3 + i0 * 128 + i1 + 4, mul5);
      f32 mul6 = sum14 * -1.0f;
      store_f32(out3 + i0 * 128 + i1 + 5, mul6);
      f32 mul7 = sum15 * -1.0f;
      store_f32(out3 + i0 * 128 + i1 + 6, mul7);
      f32 mul8 = sum16 * -1.0f;
      store_f32(out3 + i0 * 128 + i1 + 7, mul8);
    }
    {
      // tasks: i0, i1 by 8; loops: i1, i2 by 16; tile: 2 vectors of 8 along i2
      idx i0 = task / 16;
      idx i1_first = task % 16 * 8;
      for (idx i1 = i1_first; i1 < least(128, i1_first + 8); i1 += 1) {
        i32 index2 = (i32)(i1);
        f32 load3 = load_f32(out3 + i0 * 128 + i1);
        for (idx i2 = 0; i2 < least(128, i1_first + 8); i2 += 16) {
          // strip4 = where(i2 <= i1, strip2 * (strip3 + out3), 0.0f) * 0.17677669f
          i32x8 index1 = ((i32)i2 + lanes_i32x8());
          i32x8 le1 = mask_i32x8(index1 <= splat_i32x8(index2));
          f32x8 load1 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + i2);
          f32x8 load2 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2);
          f32x8 add1 = load2 + splat_f32x8(load3);
          f32x8 mul1 = load1 * add1;
          f32x8 where1 = where_f32x8(le1, mul1, splat_f32x8(0.0f));
          f32x8 mul2 = where1 * splat_f32x8(0.17677669f);
          store_f32x8(strip4 + i0 * 16384 + i1 * 128 + i2, mul2);
          i32x8 index3 = ((i32)i2 + lanes_i32x8()) + 8;
          i32x8 le2 = mask_i32x8(index3 <= splat_i32x8(index2));
          f32x8 load4 = load_f32x8(strip2 + i0 * 16384 + i1 * 128 + i2 + 8);
          f32x8 load5 = load_f32x8(strip3 + i0 * 16384 + i1 * 128 + i2 + 8);
          f32x8 add2 = load5 + splat_f32x8(load3);
          f32x8 mul3 = load4 * add2;
          f32x8 where2 = where_f32x8(le2, mul3, splat_f32x8(0.0f));
          f32x8 mul4 = where2 * splat_f32x8(0.17677669f);
          store_f32x8(strip4 + i0 * 16384 + i1 * 128 + i2 + 8, mul4);
        }
      }
    }
    {
      // tasks: i0, i1 by 8; loops: i2 by 16; tile: 8 rows of i1 x 2 vectors of 8 along i2
      idx i0 = task / 16;
      idx i1 = task % 16 * 8;
      for (idx i2 = 0; i2 < 32; i2 += 16) {
        // sum over r0 of strip4 * x4
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
        for (idx r0 = 0; r0 < least(128, i1 + 8); r0 += 1) {
          f32 load1 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0);
          f32x8 load2 = load_f32x8(x4 + i0 * 4096 + i2 + r0 * 32);
          sum1 = sum1 + splat_f32x8(load1) * load2;
          f32x8 load3 = load_f32x8(x4 + i0 * 4096 + i2 + r0 * 32 + 8);
          sum2 = sum2 + splat_f32x8(load1) * load3;
          f32 load4 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0 + 128);
          sum3 = sum3 + splat_f32x8(load4) * load2;
          sum4 = sum4 + splat_f32x8(load4) * load3;
          f32 load5 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0 + 256);
          sum5 = sum5 + splat_f32x8(load5) * load2;
          sum6 = sum6 + splat_f32x8(load5) * load3;
          f32 load6 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0 + 384);
          sum7 = sum7 + splat_f32x8(load6) * load2;
          sum8 = sum8 + splat_f32x8(load6) * load3;
          f32 load7 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0 + 512);
          sum9 = sum9 + splat_f32x8(load7) * load2;
          sum10 = sum10 + splat_f32x8(load7) * load3;
          f32 load8 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0 + 640);
          sum11 = sum11 + splat_f32x8(load8) * load2;
          sum12 = sum12 + splat_f32x8(load8) * load3;
          f32 load9 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0 + 768);
          sum13 = sum13 + splat_f32x8(load9) * load2;
          sum14 = sum14 + splat_f32x8(load9) * load3;
          f32 load10 = load_f32(strip4 + i0 * 16384 + i1 * 128 + r0 + 896);
          sum15 = sum15 + splat_f32x8(load10) * load2;
          sum16 = sum16 + splat_f32x8(load10) * load3;
        }
        // out4 = the sum
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2, sum1);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 8, sum2);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 32, sum3);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 40, sum4);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 64, sum5);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 72, sum6);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 96, sum7);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 104, sum8);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 128, sum9);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 136, sum10);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 160, sum11);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 168, sum12);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 192, sum13);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 200, sum14);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 224, sum15);
        store_f32x8(out4 + i0 * 4096 + i1 * 32 + i2 + 232, sum16);
      }
    }
  }
}
