// mul_add_div_sqrt_128x128: float32 [128, 128], float32 [128, 128], float32 [128, 128], float32 [128, 128], 491530 floating-point operations, 786448 bytes
// out0: float32 [128, 128]; out1: float32 [128, 128]; out2: float32 [128, 128]; out3: float32 [128, 128]; x0: float32
//   [128, 128]; x1: float32 [1]; x2: float32 [1]; x3: float32 [128, 128]; x4: float32 [1, 1, 128, 128]; x5: float32 [];
//   x6: float32 [128, 128]; x7: float32 [1]; x8: float32 [128, 128]; x9: float32 [1, 1, 128, 128]; x10: float32 [128,
//   128]; x11: float32 [128, 128]
// gpt.py:512  nn.optim.clip_grad_norm_(parameters, 1.0)
// gpt.py:513  optimizer.step()
#include "../words_c.h"

void kernel_6eda998c21c2a2dd(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  f32 *out1 = (f32 *)buffers[1];
  f32 *out2 = (f32 *)buffers[2];
  f32 *out3 = (f32 *)buffers[3];
  const f32 *x0 = (const f32 *)buffers[4];
  const f32 *x1 = (const f32 *)buffers[5];
  const f32 *x2 = (const f32 *)buffers[6];
  const f32 *x3 = (const f32 *)buffers[7];
  const f32 *x4 = (const f32 *)buffers[8];
  const f32 *x5 = (const f32 *)buffers[9];
  const f32 *x6 = (const f32 *)buffers[10];
  const f32 *x7 = (const f32 *)buffers[11];
  const f32 *x8 = (const f32 *)buffers[12];
  const f32 *x9 = (const f32 *)buffers[13];
  const f32 *x10 = (const f32 *)buffers[14];
  const f32 *x11 = (const f32 *)buffers[15];
  // tasks: i0 by 16; tile: 2 vectors of 8 along i0
  f32 load2 = load_f32(x1 + 0);
  f32 mul1 = load2 * 0.1f;
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
  }
}
