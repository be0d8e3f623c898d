// mul_add_div_sqrt_64x128: float32 [64, 128], float32 [64, 128], float32 [64, 128], 122890 floating-point operations, 229392 bytes
// out0: float32 [64, 128]; out1: float32 [64, 128]; out2: float32 [64, 128]; x0: float32 [64, 128]; x1: float32 [1, 64,
//   128]; x2: float32 []; x3: float32 [64, 128]; x4: float32 [64, 128]; x5: float32 [1]; x6: float32 [1]; x7: float32
//   [1]
// gpt.py:512  nn.optim.clip_grad_norm_(parameters, 1.0)
// gpt.py:513  optimizer.step()
#include "../words_cl.h"

kernel void kernel_8b22c850f5668ddb(global f32 *out0_, global f32 *out1_, global f32 *out2_, global const f32 *x0_, global const f32 *x1_, global const f32 *x2_, global const f32 *x3_, global const f32 *x4_, global const f32 *x5_, global const f32 *x6_, global const f32 *x7_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global f32 *out1 = out1_ + 128 / sizeof(f32);
  global f32 *out2 = out2_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  global const f32 *x1 = x1_ + 128 / sizeof(const f32);
  global const f32 *x2 = x2_ + 128 / sizeof(const f32);
  global const f32 *x3 = x3_ + 128 / sizeof(const f32);
  global const f32 *x4 = x4_ + 128 / sizeof(const f32);
  global const f32 *x5 = x5_ + 128 / sizeof(const f32);
  global const f32 *x6 = x6_ + 128 / sizeof(const f32);
  global const f32 *x7 = x7_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // tasks: i0 by 16; tile: 2 vectors of 8 along i0
  f32 load3 = load_f32(x2 + 0);
  f32 load9 = load_f32(x5 + 0);
  f32 mul13 = load9 * 0.1f;
  f32 mul14 = mul13 * -1.0f;
  f32 add5 = 1.0f + mul14;
  f32 mul16 = load9 * -1.0f;
  f32 load10 = load_f32(x6 + 0);
  f32 mul17 = load10 * 0.9f;
  f32 add6 = mul17 + 0.1f;
  f32 div1 = mul16 / add6;
  f32 load11 = load_f32(x7 + 0);
  f32 mul19 = load11 * 0.99f;
  f32 add7 = mul19 + 0.01f;
  f32 sqrt2 = sqrt_f32(add7);
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 16;
    // out0 = (x0 * 0.99f) + (((x1 * x2) * 0.01f) * (x1 * x2))
    f32x8 load1 = load_f32x8(x0 + i0);
    f32x8 mul1 = load1 * splat_f32x8(0.99f);
    f32x8 load2 = load_f32x8(x1 + i0);
    f32x8 mul2 = load2 * splat_f32x8(load3);
    f32x8 mul3 = mul2 * splat_f32x8(0.01f);
    f32x8 mul4 = mul3 * mul2;
    f32x8 add1 = mul1 + mul4;
    store_f32x8(out0 + i0, add1);
    f32x8 load4 = load_f32x8(x0 + i0 + 8);
    f32x8 mul5 = load4 * splat_f32x8(0.99f);
    f32x8 load5 = load_f32x8(x1 + i0 + 8);
    f32x8 mul6 = load5 * splat_f32x8(load3);
    f32x8 mul7 = mul6 * splat_f32x8(0.01f);
    f32x8 mul8 = mul7 * mul6;
    f32x8 add2 = mul5 + mul8;
    store_f32x8(out0 + i0 + 8, add2);
    // out1 = (x3 * 0.9f) + ((x1 * x2) * 0.1f)
    f32x8 load6 = load_f32x8(x3 + i0);
    f32x8 mul9 = load6 * splat_f32x8(0.9f);
    f32x8 mul10 = mul2 * splat_f32x8(0.1f);
    f32x8 add3 = mul9 + mul10;
    store_f32x8(out1 + i0, add3);
    f32x8 load7 = load_f32x8(x3 + i0 + 8);
    f32x8 mul11 = load7 * splat_f32x8(0.9f);
    f32x8 mul12 = mul6 * splat_f32x8(0.1f);
    f32x8 add4 = mul11 + mul12;
    store_f32x8(out1 + i0 + 8, add4);
    // out2 = (x4 * (1.0f + ...)) + ((... * ...) / (... + 1e-08f))
    f32x8 load8 = load_f32x8(x4 + i0);
    f32x8 mul15 = load8 * splat_f32x8(add5);
    f32x8 mul18 = splat_f32x8(div1) * add3;
    f32x8 sqrt1 = sqrt_f32x8(add1);
    f32x8 div2 = sqrt1 / splat_f32x8(sqrt2);
    f32x8 add8 = div2 + splat_f32x8(1e-08f);
    f32x8 div3 = mul18 / add8;
    f32x8 add9 = mul15 + div3;
    store_f32x8(out2 + i0, add9);
    f32x8 load12 = load_f32x8(x4 + i0 + 8);
    f32x8 mul20 = load12 * splat_f32x8(add5);
    f32x8 mul21 = splat_f32x8(div1) * add4;
    f32x8 sqrt3 = sqrt_f32x8(add2);
    f32x8 div4 = sqrt3 / splat_f32x8(sqrt2);
    f32x8 add10 = div4 + splat_f32x8(1e-08f);
    f32x8 div5 = mul21 / add10;
    f32x8 add11 = mul20 + div5;
    store_f32x8(out2 + i0 + 8, add11);
  }
}
