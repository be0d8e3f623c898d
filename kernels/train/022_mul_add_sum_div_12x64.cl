// mul_add_sum_div_12x64: float32 [12, 64, 1], float32 [12, 64, 1], 1087488 floating-point operations, 802304 bytes
// out0: float32 [12, 64, 1]; out1: float32 [12, 64, 1]; x0: float32 [12, 64, 1, 128]; x1: float32 [128]; x2: float32
//   [12, 64, 128]; x3: float32 [12, 64, 1]; x4: float32 [12, 64, 1]; x5: float32 [12, 64, 1]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:53  variance = centered.square().mean(-1, keepdim=True) # (B, T, 1)
// gradient of gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
#include "../words_cl.h"

kernel void kernel_d77e880991375137(global f32 *out0_, global f32 *out1_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, long tasks) {
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
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // sum over r0 of (x0 * x1) * (x2 + x3)
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    f32 load4 = load_f32(x3 + i0);
    f32 load7 = load_f32(x3 + i0 + 1);
    f32 load10 = load_f32(x3 + i0 + 2);
    f32 load13 = load_f32(x3 + i0 + 3);
    for (idx r0 = 0; r0 < 128; r0 += 8) {
      f32x8 load1 = load_f32x8(x0 + i0 * 128 + r0);
      f32x8 load2 = load_f32x8(x1 + r0);
      f32x8 mul1 = load1 * load2;
      f32x8 load3 = load_f32x8(x2 + i0 * 128 + r0);
      f32x8 add1 = load3 + splat_f32x8(load4);
      sum1 = sum1 + mul1 * add1;
      f32x8 load5 = load_f32x8(x0 + i0 * 128 + r0 + 128);
      f32x8 mul2 = load5 * load2;
      f32x8 load6 = load_f32x8(x2 + i0 * 128 + r0 + 128);
      f32x8 add2 = load6 + splat_f32x8(load7);
      sum2 = sum2 + mul2 * add2;
      f32x8 load8 = load_f32x8(x0 + i0 * 128 + r0 + 256);
      f32x8 mul3 = load8 * load2;
      f32x8 load9 = load_f32x8(x2 + i0 * 128 + r0 + 256);
      f32x8 add3 = load9 + splat_f32x8(load10);
      sum3 = sum3 + mul3 * add3;
      f32x8 load11 = load_f32x8(x0 + i0 * 128 + r0 + 384);
      f32x8 mul4 = load11 * load2;
      f32x8 load12 = load_f32x8(x2 + i0 * 128 + r0 + 384);
      f32x8 add4 = load12 + splat_f32x8(load13);
      sum4 = sum4 + mul4 * add4;
    }
    f32 sum5 = fold_add_f32x8(sum1);
    f32 sum6 = fold_add_f32x8(sum2);
    f32 sum7 = fold_add_f32x8(sum3);
    f32 sum8 = fold_add_f32x8(sum4);
    // sum over r1 of ((... * x4) + (... * ...)) + ((... / 128.0f) * (x2 + x3))
    f32x8 sum9 = splat_f32x8(0.0f);
    f32x8 sum10 = splat_f32x8(0.0f);
    f32x8 sum11 = splat_f32x8(0.0f);
    f32x8 sum12 = splat_f32x8(0.0f);
    f32 load16 = load_f32(x4 + i0);
    f32 mul7 = sum5 * -1.0f;
    f32 mul8 = mul7 * load16;
    f32 load17 = load_f32(x5 + i0);
    f32 div1 = mul8 / load17;
    f32 mul9 = load17 * 2.0f;
    f32 div2 = div1 / mul9;
    f32 div3 = div2 / 128.0f;
    f32 load20 = load_f32(x4 + i0 + 1);
    f32 mul13 = sum6 * -1.0f;
    f32 mul14 = mul13 * load20;
    f32 load21 = load_f32(x5 + i0 + 1);
    f32 div4 = mul14 / load21;
    f32 mul15 = load21 * 2.0f;
    f32 div5 = div4 / mul15;
    f32 div6 = div5 / 128.0f;
    f32 load24 = load_f32(x4 + i0 + 2);
    f32 mul19 = sum7 * -1.0f;
    f32 mul20 = mul19 * load24;
    f32 load25 = load_f32(x5 + i0 + 2);
    f32 div7 = mul20 / load25;
    f32 mul21 = load25 * 2.0f;
    f32 div8 = div7 / mul21;
    f32 div9 = div8 / 128.0f;
    f32 load28 = load_f32(x4 + i0 + 3);
    f32 mul25 = sum8 * -1.0f;
    f32 mul26 = mul25 * load28;
    f32 load29 = load_f32(x5 + i0 + 3);
    f32 div10 = mul26 / load29;
    f32 mul27 = load29 * 2.0f;
    f32 div11 = div10 / mul27;
    f32 div12 = div11 / 128.0f;
    for (idx r1 = 0; r1 < 128; r1 += 8) {
      f32x8 load14 = load_f32x8(x0 + i0 * 128 + r1);
      f32x8 load15 = load_f32x8(x1 + r1);
      f32x8 mul5 = load14 * load15;
      f32x8 mul6 = mul5 * splat_f32x8(load16);
      f32x8 load18 = load_f32x8(x2 + i0 * 128 + r1);
      f32x8 add5 = load18 + splat_f32x8(load4);
      f32x8 mul10 = splat_f32x8(div3) * add5;
      f32x8 add6 = mul6 + mul10;
      f32x8 add7 = add6 + mul10;
      sum9 = sum9 + add7;
      f32x8 load19 = load_f32x8(x0 + i0 * 128 + r1 + 128);
      f32x8 mul11 = load19 * load15;
      f32x8 mul12 = mul11 * splat_f32x8(load20);
      f32x8 load22 = load_f32x8(x2 + i0 * 128 + r1 + 128);
      f32x8 add8 = load22 + splat_f32x8(load7);
      f32x8 mul16 = splat_f32x8(div6) * add8;
      f32x8 add9 = mul12 + mul16;
      f32x8 add10 = add9 + mul16;
      sum10 = sum10 + add10;
      f32x8 load23 = load_f32x8(x0 + i0 * 128 + r1 + 256);
      f32x8 mul17 = load23 * load15;
      f32x8 mul18 = mul17 * splat_f32x8(load24);
      f32x8 load26 = load_f32x8(x2 + i0 * 128 + r1 + 256);
      f32x8 add11 = load26 + splat_f32x8(load10);
      f32x8 mul22 = splat_f32x8(div9) * add11;
      f32x8 add12 = mul18 + mul22;
      f32x8 add13 = add12 + mul22;
      sum11 = sum11 + add13;
      f32x8 load27 = load_f32x8(x0 + i0 * 128 + r1 + 384);
      f32x8 mul23 = load27 * load15;
      f32x8 mul24 = mul23 * splat_f32x8(load28);
      f32x8 load30 = load_f32x8(x2 + i0 * 128 + r1 + 384);
      f32x8 add14 = load30 + splat_f32x8(load13);
      f32x8 mul28 = splat_f32x8(div12) * add14;
      f32x8 add15 = mul24 + mul28;
      f32x8 add16 = add15 + mul28;
      sum12 = sum12 + add16;
    }
    f32 sum13 = fold_add_f32x8(sum9);
    f32 sum14 = fold_add_f32x8(sum10);
    f32 sum15 = fold_add_f32x8(sum11);
    f32 sum16 = fold_add_f32x8(sum12);
    // out0 = (((... * x4) / x5) / (x5 * 2.0f)) / 128.0f
    store_f32(out0 + i0, div3);
    store_f32(out0 + i0 + 1, div6);
    store_f32(out0 + i0 + 2, div9);
    store_f32(out0 + i0 + 3, div12);
    // out1 = (the sum * -1.0f) / 128.0f
    f32 mul29 = sum13 * -1.0f;
    f32 div13 = mul29 / 128.0f;
    store_f32(out1 + i0, div13);
    f32 mul30 = sum14 * -1.0f;
    f32 div14 = mul30 / 128.0f;
    store_f32(out1 + i0 + 1, div14);
    f32 mul31 = sum15 * -1.0f;
    f32 div15 = mul31 / 128.0f;
    store_f32(out1 + i0 + 2, div15);
    f32 mul32 = sum16 * -1.0f;
    f32 div16 = mul32 / 128.0f;
    store_f32(out1 + i0 + 3, div16);
  }
}
