// mul_add_div_sqrt_128: float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], float32 [128], 4874 floating-point operations, 9744 bytes
// out0: float32 [128]; out1: float32 [128]; out2: float32 [128]; out3: float32 [128]; out4: float32 [128]; out5:
//   float32 [128]; out6: float32 [128]; out7: float32 [128]; x0: float32 [128]; x1: float32 [1, 1, 128]; x2: float32
//   []; x3: float32 [128]; x4: float32 [128]; x5: float32 [1]; x6: float32 [1]; x7: float32 [1]; x8: float32 [128]; x9:
//   float32 [1, 1, 128]; x10: float32 [128]; x11: float32 [128]; x12: float32 [128]; x13: float32 [1, 1, 128]; x14:
//   float32 [128]
// gpt.py:512  nn.optim.clip_grad_norm_(parameters, 1.0)
// gpt.py:513  optimizer.step()
#include "../words_c.h"

void kernel_461d344b78e693aa(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  f32 *out1 = (f32 *)buffers[1];
  f32 *out2 = (f32 *)buffers[2];
  f32 *out3 = (f32 *)buffers[3];
  f32 *out4 = (f32 *)buffers[4];
  f32 *out5 = (f32 *)buffers[5];
  f32 *out6 = (f32 *)buffers[6];
  f32 *out7 = (f32 *)buffers[7];
  const f32 *x0 = (const f32 *)buffers[8];
  const f32 *x1 = (const f32 *)buffers[9];
  const f32 *x2 = (const f32 *)buffers[10];
  const f32 *x3 = (const f32 *)buffers[11];
  const f32 *x4 = (const f32 *)buffers[12];
  const f32 *x5 = (const f32 *)buffers[13];
  const f32 *x6 = (const f32 *)buffers[14];
  const f32 *x7 = (const f32 *)buffers[15];
  const f32 *x8 = (const f32 *)buffers[16];
  const f32 *x9 = (const f32 *)buffers[17];
  const f32 *x10 = (const f32 *)buffers[18];
  const f32 *x11 = (const f32 *)buffers[19];
  const f32 *x12 = (const f32 *)buffers[20];
  const f32 *x13 = (const f32 *)buffers[21];
  const f32 *x14 = (const f32 *)buffers[22];
  // tasks: i0 by 16; tile: 2 vectors of 8 along i0
  f32 load3 = load_f32(x2 + 0);
  f32 load9 = load_f32(x5 + 0);
  f32 mul13 = load9 * 0.0f;
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
    // out3 = (x8 * 0.99f) + (((x9 * x2) * 0.01f) * (x9 * x2))
    f32x8 load13 = load_f32x8(x8 + i0);
    f32x8 mul22 = load13 * splat_f32x8(0.99f);
    f32x8 load14 = load_f32x8(x9 + i0);
    f32x8 mul23 = load14 * splat_f32x8(load3);
    f32x8 mul24 = mul23 * splat_f32x8(0.01f);
    f32x8 mul25 = mul24 * mul23;
    f32x8 add12 = mul22 + mul25;
    store_f32x8(out3 + i0, add12);
    f32x8 load15 = load_f32x8(x8 + i0 + 8);
    f32x8 mul26 = load15 * splat_f32x8(0.99f);
    f32x8 load16 = load_f32x8(x9 + i0 + 8);
    f32x8 mul27 = load16 * splat_f32x8(load3);
    f32x8 mul28 = mul27 * splat_f32x8(0.01f);
    f32x8 mul29 = mul28 * mul27;
    f32x8 add13 = mul26 + mul29;
    store_f32x8(out3 + i0 + 8, add13);
    // out4 = (x10 * 0.9f) + ((x9 * x2) * 0.1f)
    f32x8 load17 = load_f32x8(x10 + i0);
    f32x8 mul30 = load17 * splat_f32x8(0.9f);
    f32x8 mul31 = mul23 * splat_f32x8(0.1f);
    f32x8 add14 = mul30 + mul31;
    store_f32x8(out4 + i0, add14);
    f32x8 load18 = load_f32x8(x10 + i0 + 8);
    f32x8 mul32 = load18 * splat_f32x8(0.9f);
    f32x8 mul33 = mul27 * splat_f32x8(0.1f);
    f32x8 add15 = mul32 + mul33;
    store_f32x8(out4 + i0 + 8, add15);
    // out5 = (x11 * (1.0f + ...)) + ((... * ...) / (... + 1e-08f))
    f32x8 load19 = load_f32x8(x11 + i0);
    f32x8 mul34 = load19 * splat_f32x8(add5);
    f32x8 mul35 = splat_f32x8(div1) * add14;
    f32x8 sqrt4 = sqrt_f32x8(add12);
    f32x8 div6 = sqrt4 / splat_f32x8(sqrt2);
    f32x8 add16 = div6 + splat_f32x8(1e-08f);
    f32x8 div7 = mul35 / add16;
    f32x8 add17 = mul34 + div7;
    store_f32x8(out5 + i0, add17);
    f32x8 load20 = load_f32x8(x11 + i0 + 8);
    f32x8 mul36 = load20 * splat_f32x8(add5);
    f32x8 mul37 = splat_f32x8(div1) * add15;
    f32x8 sqrt5 = sqrt_f32x8(add13);
    f32x8 div8 = sqrt5 / splat_f32x8(sqrt2);
    f32x8 add18 = div8 + splat_f32x8(1e-08f);
    f32x8 div9 = mul37 / add18;
    f32x8 add19 = mul36 + div9;
    store_f32x8(out5 + i0 + 8, add19);
    // out6 = (x12 * 0.99f) + (((x13 * x2) * 0.01f) * (x13 * x2))
    f32x8 load21 = load_f32x8(x12 + i0);
    f32x8 mul38 = load21 * splat_f32x8(0.99f);
    f32x8 load22 = load_f32x8(x13 + i0);
    f32x8 mul39 = load22 * splat_f32x8(load3);
    f32x8 mul40 = mul39 * splat_f32x8(0.01f);
    f32x8 mul41 = mul40 * mul39;
    f32x8 add20 = mul38 + mul41;
    store_f32x8(out6 + i0, add20);
    f32x8 load23 = load_f32x8(x12 + i0 + 8);
    f32x8 mul42 = load23 * splat_f32x8(0.99f);
    f32x8 load24 = load_f32x8(x13 + i0 + 8);
    f32x8 mul43 = load24 * splat_f32x8(load3);
    f32x8 mul44 = mul43 * splat_f32x8(0.01f);
    f32x8 mul45 = mul44 * mul43;
    f32x8 add21 = mul42 + mul45;
    store_f32x8(out6 + i0 + 8, add21);
    // out7 = (x14 * 0.9f) + ((x13 * x2) * 0.1f)
    f32x8 load25 = load_f32x8(x14 + i0);
    f32x8 mul46 = load25 * splat_f32x8(0.9f);
    f32x8 mul47 = mul39 * splat_f32x8(0.1f);
    f32x8 add22 = mul46 + mul47;
    store_f32x8(out7 + i0, add22);
    f32x8 load26 = load_f32x8(x14 + i0 + 8);
    f32x8 mul48 = load26 * splat_f32x8(0.9f);
    f32x8 mul49 = mul43 * splat_f32x8(0.1f);
    f32x8 add23 = mul48 + mul49;
    store_f32x8(out7 + i0 + 8, add23);
  }
}
