// mul_add_div_sqrt_128: float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], 6410 floating-point operations, 11280 bytes
// out0: float32 [128]; out1: float32 [128]; out2: float32 [128]; out3: float32 [128]; out4: float32 [128]; out5:
//   float32 [128]; out6: float32 [128]; out7: float32 [128]; x0: float32 [128]; x1: float32 [1]; x2: float32 [1]; x3:
//   float32 [128]; x4: float32 [1, 1, 128]; x5: float32 []; x6: float32 [128]; x7: float32 [1]; x8: float32 [128]; x9:
//   float32 [1, 1, 128]; x10: float32 [128]; x11: float32 [128]; x12: float32 [128]; x13: float32 [1, 1, 128]; x14:
//   float32 [128]; x15: float32 [128]; x16: float32 [128]; x17: float32 [1, 1, 128]
// gpt.py:512  nn.optim.clip_grad_norm_(parameters, 1.0)
// gpt.py:513  optimizer.step()
#include "../words_cl.h"

kernel void kernel_848abf7f167d8d33(global f32 *out0_, global f32 *out1_, global f32 *out2_, global f32 *out3_, global f32 *out4_, global f32 *out5_, global f32 *out6_, global f32 *out7_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, global const f32 *x6_, global const f32 *x7_, global const f32 *x8_, global const f32 *x9_, global const f32 *x10_, global const f32 *x11_, global const f32 *x12_, global const f32 *x13_, global const f32 *x14_, global const f32 *x15_, global const f32 *x16_, global const f32 *x17_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global f32 *out2 = out2_ + 128 / sizeof(f32);
  global f32 *out3 = out3_ + 128 / sizeof(f32);
  global f32 *out4 = out4_ + 128 / sizeof(f32);
  global f32 *out5 = out5_ + 128 / sizeof(f32);
  global f32 *out6 = out6_ + 128 / sizeof(f32);
  global f32 *out7 = out7_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  global const f32 *x5 = x5_ + 128 / sizeof(const f32);
  global const f32 *x6 = x6_ + 128 / sizeof(const f32);
  global const f32 *x7 = x7_ + 128 / sizeof(const f32);
  global const f32 *x8 = x8_ + 128 / sizeof(const f32);
  global const f32 *x9 = x9_ + 128 / sizeof(const f32);
  global const f32 *x10 = x10_ + 128 / sizeof(const f32);
  global const f32 *x11 = x11_ + 128 / sizeof(const f32);
  global const f32 *x12 = x12_ + 128 / sizeof(const f32);
  global const f32 *x13 = x13_ + 128 / sizeof(const f32);
  global const f32 *x14 = x14_ + 128 / sizeof(const f32);
  global const f32 *x15 = x15_ + 128 / sizeof(const f32);
  global const f32 *x16 = x16_ + 128 / sizeof(const f32);
  global const f32 *x17 = x17_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 16; tile: 2 vectors of 8 along i0
  f32 load2 = load_f32(x1 + 0);
  f32 mul1 = load2 * 0.0f;
  f32 mul2 = mul1 * -1.0f;
  f32 add1 = 1.0f + mul2;
  f32 mul4 = load2 * -1.0f;
  f32 load3 = load_f32(x2 + 0);
  f32 mul5 = load3 * 0.9f;
  f32 add2 = mul5 + 0.1f;
  f32 div1 = mul4 / add2;
  f32 load6 = load_f32(x5 + 0);
  f32 load8 = load_f32(x7 + 0);
  f32 mul13 = load8 * 0.99f;
  f32 add5 = mul13 + 0.01f;
  f32 sqrt2 = sqrt_f32(add5);
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 16;
    // out0 = (x0 * (1.0f + ...)) + ((... * ...) / (... + 1e-08f))
    f32x8 load1 = load_f32x8(x0 + i0);
    f32x8 mul3 = load1 * splat_f32x8(add1);
    f32x8 load4 = load_f32x8(x3 + i0);
    f32x8 mul6 = load4 * splat_f32x8(0.9f);
    f32x8 load5 = load_f32x8(x4 + i0);
    f32x8 mul7 = load5 * splat_f32x8(load6);
    f32x8 mul8 = mul7 * splat_f32x8(0.1f);
    f32x8 add3 = mul6 + mul8;
    f32x8 mul9 = splat_f32x8(div1) * add3;
    f32x8 load7 = load_f32x8(x6 + i0);
    f32x8 mul10 = load7 * splat_f32x8(0.99f);
    f32x8 mul11 = mul7 * splat_f32x8(0.01f);
    f32x8 mul12 = mul11 * mul7;
    f32x8 add4 = mul10 + mul12;
    f32x8 sqrt1 = sqrt_f32x8(add4);
    f32x8 div2 = sqrt1 / splat_f32x8(sqrt2);
    f32x8 add6 = div2 + splat_f32x8(1e-08f);
    f32x8 div3 = mul9 / add6;
    f32x8 add7 = mul3 + div3;
    store_f32x8(out0 + i0, add7);
    f32x8 load9 = load_f32x8(x0 + i0 + 8);
    f32x8 mul14 = load9 * splat_f32x8(add1);
    f32x8 load10 = load_f32x8(x3 + i0 + 8);
    f32x8 mul15 = load10 * splat_f32x8(0.9f);
    f32x8 load11 = load_f32x8(x4 + i0 + 8);
    f32x8 mul16 = load11 * splat_f32x8(load6);
    f32x8 mul17 = mul16 * splat_f32x8(0.1f);
    f32x8 add8 = mul15 + mul17;
    f32x8 mul18 = splat_f32x8(div1) * add8;
    f32x8 load12 = load_f32x8(x6 + i0 + 8);
    f32x8 mul19 = load12 * splat_f32x8(0.99f);
    f32x8 mul20 = mul16 * splat_f32x8(0.01f);
    f32x8 mul21 = mul20 * mul16;
    f32x8 add9 = mul19 + mul21;
    f32x8 sqrt3 = sqrt_f32x8(add9);
    f32x8 div4 = sqrt3 / splat_f32x8(sqrt2);
    f32x8 add10 = div4 + splat_f32x8(1e-08f);
    f32x8 div5 = mul18 / add10;
    f32x8 add11 = mul14 + div5;
    store_f32x8(out0 + i0 + 8, add11);
    // out1 = (x8 * 0.99f) + (((x9 * x5) * 0.01f) * (x9 * x5))
    f32x8 load13 = load_f32x8(x8 + i0);
    f32x8 mul22 = load13 * splat_f32x8(0.99f);
    f32x8 load14 = load_f32x8(x9 + i0);
    f32x8 mul23 = load14 * splat_f32x8(load6);
    f32x8 mul24 = mul23 * splat_f32x8(0.01f);
    f32x8 mul25 = mul24 * mul23;
    f32x8 add12 = mul22 + mul25;
    store_f32x8(out1 + i0, add12);
    f32x8 load15 = load_f32x8(x8 + i0 + 8);
    f32x8 mul26 = load15 * splat_f32x8(0.99f);
    f32x8 load16 = load_f32x8(x9 + i0 + 8);
    f32x8 mul27 = load16 * splat_f32x8(load6);
    f32x8 mul28 = mul27 * splat_f32x8(0.01f);
    f32x8 mul29 = mul28 * mul27;
    f32x8 add13 = mul26 + mul29;
    store_f32x8(out1 + i0 + 8, add13);
    // out2 = (x10 * 0.9f) + ((x9 * x5) * 0.1f)
    f32x8 load17 = load_f32x8(x10 + i0);
    f32x8 mul30 = load17 * splat_f32x8(0.9f);
    f32x8 mul31 = mul23 * splat_f32x8(0.1f);
    f32x8 add14 = mul30 + mul31;
    store_f32x8(out2 + i0, add14);
    f32x8 load18 = load_f32x8(x10 + i0 + 8);
    f32x8 mul32 = load18 * splat_f32x8(0.9f);
    f32x8 mul33 = mul27 * splat_f32x8(0.1f);
    f32x8 add15 = mul32 + mul33;
    store_f32x8(out2 + i0 + 8, add15);
    // out3 = (x11 * (1.0f + ...)) + ((... * ...) / (... + 1e-08f))
    f32x8 load19 = load_f32x8(x11 + i0);
    f32x8 mul34 = load19 * splat_f32x8(add1);
    f32x8 mul35 = splat_f32x8(div1) * add14;
    f32x8 sqrt4 = sqrt_f32x8(add12);
    f32x8 div6 = sqrt4 / splat_f32x8(sqrt2);
    f32x8 add16 = div6 + splat_f32x8(1e-08f);
    f32x8 div7 = mul35 / add16;
    f32x8 add17 = mul34 + div7;
    store_f32x8(out3 + i0, add17);
    f32x8 load20 = load_f32x8(x11 + i0 + 8);
    f32x8 mul36 = load20 * splat_f32x8(add1);
    f32x8 mul37 = splat_f32x8(div1) * add15;
    f32x8 sqrt5 = sqrt_f32x8(add13);
    f32x8 div8 = sqrt5 / splat_f32x8(sqrt2);
    f32x8 add18 = div8 + splat_f32x8(1e-08f);
    f32x8 div9 = mul37 / add18;
    f32x8 add19 = mul36 + div9;
    store_f32x8(out3 + i0 + 8, add19);
    // out4 = (x12 * 0.99f) + (((x13 * x5) * 0.01f) * (x13 * x5))
    f32x8 load21 = load_f32x8(x12 + i0);
    f32x8 mul38 = load21 * splat_f32x8(0.99f);
    f32x8 load22 = load_f32x8(x13 + i0);
    f32x8 mul39 = load22 * splat_f32x8(load6);
    f32x8 mul40 = mul39 * splat_f32x8(0.01f);
    f32x8 mul41 = mul40 * mul39;
    f32x8 add20 = mul38 + mul41;
    store_f32x8(out4 + i0, add20);
    f32x8 load23 = load_f32x8(x12 + i0 + 8);
    f32x8 mul42 = load23 * splat_f32x8(0.99f);
    f32x8 load24 = load_f32x8(x13 + i0 + 8);
    f32x8 mul43 = load24 * splat_f32x8(load6);
    f32x8 mul44 = mul43 * splat_f32x8(0.01f);
    f32x8 mul45 = mul44 * mul43;
    f32x8 add21 = mul42 + mul45;
    store_f32x8(out4 + i0 + 8, add21);
    // out5 = (x14 * 0.9f) + ((x13 * x5) * 0.1f)
    f32x8 load25 = load_f32x8(x14 + i0);
    f32x8 mul46 = load25 * splat_f32x8(0.9f);
    f32x8 mul47 = mul39 * splat_f32x8(0.1f);
    f32x8 add22 = mul46 + mul47;
    store_f32x8(out5 + i0, add22);
    f32x8 load26 = load_f32x8(x14 + i0 + 8);
    f32x8 mul48 = load26 * splat_f32x8(0.9f);
    f32x8 mul49 = mul43 * splat_f32x8(0.1f);
    f32x8 add23 = mul48 + mul49;
    store_f32x8(out5 + i0 + 8, add23);
    // out6 = (x15 * (1.0f + ...)) + ((... * ...) / (... + 1e-08f))
    f32x8 load27 = load_f32x8(x15 + i0);
    f32x8 mul50 = load27 * splat_f32x8(add1);
    f32x8 mul51 = splat_f32x8(div1) * add22;
    f32x8 sqrt6 = sqrt_f32x8(add20);
    f32x8 div10 = sqrt6 / splat_f32x8(sqrt2);
    f32x8 add24 = div10 + splat_f32x8(1e-08f);
    f32x8 div11 = mul51 / add24;
    f32x8 add25 = mul50 + div11;
    store_f32x8(out6 + i0, add25);
    f32x8 load28 = load_f32x8(x15 + i0 + 8);
    f32x8 mul52 = load28 * splat_f32x8(add1);
    f32x8 mul53 = splat_f32x8(div1) * add23;
    f32x8 sqrt7 = sqrt_f32x8(add21);
    f32x8 div12 = sqrt7 / splat_f32x8(sqrt2);
    f32x8 add26 = div12 + splat_f32x8(1e-08f);
    f32x8 div13 = mul53 / add26;
    f32x8 add27 = mul52 + div13;
    store_f32x8(out6 + i0 + 8, add27);
    // out7 = (x16 * 0.99f) + (((x17 * x5) * 0.01f) * (x17 * x5))
    f32x8 load29 = load_f32x8(x16 + i0);
    f32x8 mul54 = load29 * splat_f32x8(0.99f);
    f32x8 load30 = load_f32x8(x17 + i0);
    f32x8 mul55 = load30 * splat_f32x8(load6);
    f32x8 mul56 = mul55 * splat_f32x8(0.01f);
    f32x8 mul57 = mul56 * mul55;
    f32x8 add28 = mul54 + mul57;
    store_f32x8(out7 + i0, add28);
    f32x8 load31 = load_f32x8(x16 + i0 + 8);
    f32x8 mul58 = load31 * splat_f32x8(0.99f);
    f32x8 load32 = load_f32x8(x17 + i0 + 8);
    f32x8 mul59 = load32 * splat_f32x8(load6);
    f32x8 mul60 = mul59 * splat_f32x8(0.01f);
    f32x8 mul61 = mul60 * mul59;
    f32x8 add29 = mul58 + mul61;
    store_f32x8(out7 + i0 + 8, add29);
  }
}
