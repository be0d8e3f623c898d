// mul_add_div_sqrt_96x80: float32 [96, 80], float32 [96, 80], float32 [96, 80], 107530 floating-point operations, 215052 bytes
// out0: float32 [96, 80]; out1: float32 [96, 80]; out2: float32 [96, 80]; x0: float32 [96, 80]; x1: float32 [96, 80];
//   x2: float32 [96, 80]; x3: float32 [96, 80]; x4: float32 [1]; x5: float32 [1]; x6: float32 [1]
// gpt.py:1125  "adam": lambda: optimizer.step(),
#include "../words_c.h"

void kernel_9b3b3ab687b9546d(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  f32 *out1 = (f32 *)buffers[1];
  f32 *out2 = (f32 *)buffers[2];
  const f32 *x0 = (const f32 *)buffers[3];
  const f32 *x1 = (const f32 *)buffers[4];
  const f32 *x2 = (const f32 *)buffers[5];
  const f32 *x3 = (const f32 *)buffers[6];
  const f32 *x4 = (const f32 *)buffers[7];
  const f32 *x5 = (const f32 *)buffers[8];
  const f32 *x6 = (const f32 *)buffers[9];
  // tasks: i0 by 16; tile: 2 vectors of 8 along i0
  f32 load8 = load_f32(x4 + 0);
  f32 mul11 = load8 * 0.0f;
  f32 mul12 = mul11 * -1.0f;
  f32 add5 = 1.0f + mul12;
  f32 mul14 = load8 * -1.0f;
  f32 load9 = load_f32(x5 + 0);
  f32 mul15 = load9 * 0.9f;
  f32 add6 = mul15 + 0.1f;
  f32 div1 = mul14 / add6;
  f32 load10 = load_f32(x6 + 0);
  f32 mul17 = load10 * 0.999f;
  f32 add7 = mul17 + 0.001f;
  f32 sqrt2 = sqrt_f32(add7);
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 16;
    // out0 = (x0 * 0.999f) + ((x1 * 0.001f) * x1)
    f32x8 load1 = load_f32x8(x0 + i0);
    f32x8 mul1 = load1 * splat_f32x8(0.999f);
    f32x8 load2 = load_f32x8(x1 + i0);
    f32x8 mul2 = load2 * splat_f32x8(0.001f);
    f32x8 mul3 = mul2 * load2;
    f32x8 add1 = mul1 + mul3;
    store_f32x8(out0 + i0, add1);
    f32x8 load3 = load_f32x8(x0 + i0 + 8);
    f32x8 mul4 = load3 * splat_f32x8(0.999f);
    f32x8 load4 = load_f32x8(x1 + i0 + 8);
    f32x8 mul5 = load4 * splat_f32x8(0.001f);
    f32x8 mul6 = mul5 * load4;
    f32x8 add2 = mul4 + mul6;
    store_f32x8(out0 + i0 + 8, add2);
    // out1 = (x2 * 0.9f) + (x1 * 0.1f)
    f32x8 load5 = load_f32x8(x2 + i0);
    f32x8 mul7 = load5 * splat_f32x8(0.9f);
    f32x8 mul8 = load2 * splat_f32x8(0.1f);
    f32x8 add3 = mul7 + mul8;
    store_f32x8(out1 + i0, add3);
    f32x8 load6 = load_f32x8(x2 + i0 + 8);
    f32x8 mul9 = load6 * splat_f32x8(0.9f);
    f32x8 mul10 = load4 * splat_f32x8(0.1f);
    f32x8 add4 = mul9 + mul10;
    store_f32x8(out1 + i0 + 8, add4);
    // out2 = (x3 * (1.0f + ...)) + ((... * ...) / (... + 1e-08f))
    f32x8 load7 = load_f32x8(x3 + i0);
    f32x8 mul13 = load7 * splat_f32x8(add5);
    f32x8 mul16 = splat_f32x8(div1) * add3;
    f32x8 sqrt1 = sqrt_f32x8(add1);
    f32x8 div2 = sqrt1 / splat_f32x8(sqrt2);
    f32x8 add8 = div2 + splat_f32x8(1e-08f);
    f32x8 div3 = mul16 / add8;
    f32x8 add9 = mul13 + div3;
    store_f32x8(out2 + i0, add9);
    f32x8 load11 = load_f32x8(x3 + i0 + 8);
    f32x8 mul18 = load11 * splat_f32x8(add5);
    f32x8 mul19 = splat_f32x8(div1) * add4;
    f32x8 sqrt3 = sqrt_f32x8(add2);
    f32x8 div4 = sqrt3 / splat_f32x8(sqrt2);
    f32x8 add10 = div4 + splat_f32x8(1e-08f);
    f32x8 div5 = mul19 / add10;
    f32x8 add11 = mul18 + div5;
    store_f32x8(out2 + i0 + 8, add11);
  }
}
