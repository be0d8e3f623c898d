// add_mul_sum_sqrt_div_1: float32 [], 1616546 floating-point operations, 3249668 bytes
// out0: float32 []; x0: float32 [1, 1, 65, 128]; x1: float32 [65, 128]; x2: float32 [1, 64, 128]; x3: float32 [1, 1,
//   128]; x4: float32 [1, 1, 384, 128]; x5: float32 [1, 1, 128, 128]; x6: float32 [1, 1, 128]; x7: float32 [1, 1, 512,
//   128]; x8: float32 [1, 1, 128, 512]; x9: float32 [1, 1, 128]; x10: float32 [1, 1, 384, 128]; x11: float32 [1, 1,
//   128, 128]; x12: float32 [1, 1, 128]; x13: float32 [1, 1, 512, 128]; x14: float32 [1, 1, 128, 512]; x15: float32 [1,
//   1, 128]; x16: float32 [1, 1, 384, 128]; x17: float32 [1, 1, 128, 128]; x18: float32 [1, 1, 128]; x19: float32 [1,
//   1, 512, 128]; x20: float32 [1, 1, 128, 512]; x21: float32 [1, 1, 128]; x22: float32 [1, 1, 384, 128]; x23: float32
//   [1, 1, 128, 128]; x24: float32 [1, 1, 128]; x25: float32 [1, 1, 512, 128]; x26: float32 [1, 1, 128, 512]; x27:
//   float32 [1, 1, 128]
// gradient of gpt.py:169  x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[:T] # (B, T, C)
// gpt.py:512  nn.optim.clip_grad_norm_(parameters, 1.0)
#include "../words_c.h"

void kernel_9ade3f5a2862c3e1(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  const f32 *x2 = (const f32 *)buffers[3];
  const f32 *x3 = (const f32 *)buffers[4];
  const f32 *x4 = (const f32 *)buffers[5];
  const f32 *x5 = (const f32 *)buffers[6];
  const f32 *x6 = (const f32 *)buffers[7];
  const f32 *x7 = (const f32 *)buffers[8];
  const f32 *x8 = (const f32 *)buffers[9];
  const f32 *x9 = (const f32 *)buffers[10];
  const f32 *x10 = (const f32 *)buffers[11];
  const f32 *x11 = (const f32 *)buffers[12];
  const f32 *x12 = (const f32 *)buffers[13];
  const f32 *x13 = (const f32 *)buffers[14];
  const f32 *x14 = (const f32 *)buffers[15];
  const f32 *x15 = (const f32 *)buffers[16];
  const f32 *x16 = (const f32 *)buffers[17];
  const f32 *x17 = (const f32 *)buffers[18];
  const f32 *x18 = (const f32 *)buffers[19];
  const f32 *x19 = (const f32 *)buffers[20];
  const f32 *x20 = (const f32 *)buffers[21];
  const f32 *x21 = (const f32 *)buffers[22];
  const f32 *x22 = (const f32 *)buffers[23];
  const f32 *x23 = (const f32 *)buffers[24];
  const f32 *x24 = (const f32 *)buffers[25];
  const f32 *x25 = (const f32 *)buffers[26];
  const f32 *x26 = (const f32 *)buffers[27];
  const f32 *x27 = (const f32 *)buffers[28];
  // one element
  // sum over r0 of (x0 + x1) * (x0 + x1)
  f32x8 sum1 = splat_f32x8(0.0f);
  for (idx r0 = 0; r0 < 8320; r0 += 8) {
    f32x8 load1 = load_f32x8(x0 + r0);
    f32x8 load2 = load_f32x8(x1 + r0);
    f32x8 add1 = load1 + load2;
    sum1 = sum1 + add1 * add1;
  }
  f32 sum2 = fold_add_f32x8(sum1);
  // sum over r1 of x2 * x2
  f32x8 sum3 = splat_f32x8(0.0f);
  for (idx r1 = 0; r1 < 8192; r1 += 8) {
    f32x8 load3 = load_f32x8(x2 + r1);
    sum3 = sum3 + load3 * load3;
  }
  f32 sum4 = fold_add_f32x8(sum3);
  // sum over r2 of x3 * x3
  f32x8 sum5 = splat_f32x8(0.0f);
  // sum over r2 of x6 * x6
  f32x8 sum6 = splat_f32x8(0.0f);
  // sum over r2 of x9 * x9
  f32x8 sum7 = splat_f32x8(0.0f);
  // sum over r2 of x12 * x12
  f32x8 sum8 = splat_f32x8(0.0f);
  // sum over r2 of x15 * x15
  f32x8 sum9 = splat_f32x8(0.0f);
  // sum over r2 of x18 * x18
  f32x8 sum10 = splat_f32x8(0.0f);
  // sum over r2 of x21 * x21
  f32x8 sum11 = splat_f32x8(0.0f);
  // sum over r2 of x24 * x24
  f32x8 sum12 = splat_f32x8(0.0f);
  // sum over r2 of x27 * x27
  f32x8 sum13 = splat_f32x8(0.0f);
  for (idx r2 = 0; r2 < 128; r2 += 8) {
    f32x8 load4 = load_f32x8(x3 + r2);
    sum5 = sum5 + load4 * load4;
    f32x8 load5 = load_f32x8(x6 + r2);
    sum6 = sum6 + load5 * load5;
    f32x8 load6 = load_f32x8(x9 + r2);
    sum7 = sum7 + load6 * load6;
    f32x8 load7 = load_f32x8(x12 + r2);
    sum8 = sum8 + load7 * load7;
    f32x8 load8 = load_f32x8(x15 + r2);
    sum9 = sum9 + load8 * load8;
    f32x8 load9 = load_f32x8(x18 + r2);
    sum10 = sum10 + load9 * load9;
    f32x8 load10 = load_f32x8(x21 + r2);
    sum11 = sum11 + load10 * load10;
    f32x8 load11 = load_f32x8(x24 + r2);
    sum12 = sum12 + load11 * load11;
    f32x8 load12 = load_f32x8(x27 + r2);
    sum13 = sum13 + load12 * load12;
  }
  f32 sum14 = fold_add_f32x8(sum5);
  f32 sum15 = fold_add_f32x8(sum6);
  f32 sum16 = fold_add_f32x8(sum7);
  f32 sum17 = fold_add_f32x8(sum8);
  f32 sum18 = fold_add_f32x8(sum9);
  f32 sum19 = fold_add_f32x8(sum10);
  f32 sum20 = fold_add_f32x8(sum11);
  f32 sum21 = fold_add_f32x8(sum12);
  f32 sum22 = fold_add_f32x8(sum13);
  // sum over r3 of x4 * x4
  f32x8 sum23 = splat_f32x8(0.0f);
  // sum over r3 of x10 * x10
  f32x8 sum24 = splat_f32x8(0.0f);
  // sum over r3 of x16 * x16
  f32x8 sum25 = splat_f32x8(0.0f);
  // sum over r3 of x22 * x22
  f32x8 sum26 = splat_f32x8(0.0f);
  for (idx r3 = 0; r3 < 49152; r3 += 8) {
    f32x8 load13 = load_f32x8(x4 + r3);
    sum23 = sum23 + load13 * load13;
    f32x8 load14 = load_f32x8(x10 + r3);
    sum24 = sum24 + load14 * load14;
    f32x8 load15 = load_f32x8(x16 + r3);
    sum25 = sum25 + load15 * load15;
    f32x8 load16 = load_f32x8(x22 + r3);
    sum26 = sum26 + load16 * load16;
  }
  f32 sum27 = fold_add_f32x8(sum23);
  f32 sum28 = fold_add_f32x8(sum24);
  f32 sum29 = fold_add_f32x8(sum25);
  f32 sum30 = fold_add_f32x8(sum26);
  // sum over r4 of x5 * x5
  f32x8 sum31 = splat_f32x8(0.0f);
  // sum over r4 of x11 * x11
  f32x8 sum32 = splat_f32x8(0.0f);
  // sum over r4 of x17 * x17
  f32x8 sum33 = splat_f32x8(0.0f);
  // sum over r4 of x23 * x23
  f32x8 sum34 = splat_f32x8(0.0f);
  for (idx r4 = 0; r4 < 16384; r4 += 8) {
    f32x8 load17 = load_f32x8(x5 + r4);
    sum31 = sum31 + load17 * load17;
    f32x8 load18 = load_f32x8(x11 + r4);
    sum32 = sum32 + load18 * load18;
    f32x8 load19 = load_f32x8(x17 + r4);
    sum33 = sum33 + load19 * load19;
    f32x8 load20 = load_f32x8(x23 + r4);
    sum34 = sum34 + load20 * load20;
  }
  f32 sum35 = fold_add_f32x8(sum31);
  f32 sum36 = fold_add_f32x8(sum32);
  f32 sum37 = fold_add_f32x8(sum33);
  f32 sum38 = fold_add_f32x8(sum34);
  // sum over r5 of x7 * x7
  f32x8 sum39 = splat_f32x8(0.0f);
  // sum over r5 of x13 * x13
  f32x8 sum40 = splat_f32x8(0.0f);
  // sum over r5 of x19 * x19
  f32x8 sum41 = splat_f32x8(0.0f);
  // sum over r5 of x25 * x25
  f32x8 sum42 = splat_f32x8(0.0f);
  for (idx r5 = 0; r5 < 65536; r5 += 8) {
    f32x8 load21 = load_f32x8(x7 + r5);
    sum39 = sum39 + load21 * load21;
    f32x8 load22 = load_f32x8(x13 + r5);
    sum40 = sum40 + load22 * load22;
    f32x8 load23 = load_f32x8(x19 + r5);
    sum41 = sum41 + load23 * load23;
    f32x8 load24 = load_f32x8(x25 + r5);
    sum42 = sum42 + load24 * load24;
  }
  f32 sum43 = fold_add_f32x8(sum39);
  f32 sum44 = fold_add_f32x8(sum40);
  f32 sum45 = fold_add_f32x8(sum41);
  f32 sum46 = fold_add_f32x8(sum42);
  // sum over r6, r7 of x8 * x8
  f32x8 sum47 = splat_f32x8(0.0f);
  // sum over r6, r7 of x14 * x14
  f32x8 sum48 = splat_f32x8(0.0f);
  // sum over r6, r7 of x20 * x20
  f32x8 sum49 = splat_f32x8(0.0f);
  // sum over r6, r7 of x26 * x26
  f32x8 sum50 = splat_f32x8(0.0f);
  for (idx r6 = 0; r6 < 128; r6++) {
    for (idx r7 = 0; r7 < 512; r7 += 8) {
      f32x8 load25 = load_f32x8(x8 + r6 * 528 + r7);
      sum47 = sum47 + load25 * load25;
      f32x8 load26 = load_f32x8(x14 + r6 * 528 + r7);
      sum48 = sum48 + load26 * load26;
      f32x8 load27 = load_f32x8(x20 + r6 * 528 + r7);
      sum49 = sum49 + load27 * load27;
      f32x8 load28 = load_f32x8(x26 + r6 * 528 + r7);
      sum50 = sum50 + load28 * load28;
    }
  }
  f32 sum51 = fold_add_f32x8(sum47);
  f32 sum52 = fold_add_f32x8(sum48);
  f32 sum53 = fold_add_f32x8(sum49);
  f32 sum54 = fold_add_f32x8(sum50);
  f32 add2 = sum2 + 0.0f;
  f32 add3 = add2 + sum4;
  f32 add4 = add3 + sum14;
  f32 add5 = add4 + sum27;
  f32 add6 = add5 + sum35;
  f32 add7 = add6 + sum15;
  f32 add8 = add7 + sum43;
  f32 add9 = add8 + sum51;
  f32 add10 = add9 + sum16;
  f32 add11 = add10 + sum28;
  f32 add12 = add11 + sum36;
  f32 add13 = add12 + sum17;
  f32 add14 = add13 + sum44;
  f32 add15 = add14 + sum52;
  f32 add16 = add15 + sum18;
  f32 add17 = add16 + sum29;
  f32 add18 = add17 + sum37;
  f32 add19 = add18 + sum19;
  f32 add20 = add19 + sum45;
  f32 add21 = add20 + sum53;
  f32 add22 = add21 + sum20;
  f32 add23 = add22 + sum30;
  f32 add24 = add23 + sum38;
  f32 add25 = add24 + sum21;
  f32 add26 = add25 + sum46;
  f32 add27 = add26 + sum54;
  f32 add28 = add27 + sum22;
  f32 sqrt1 = sqrt_f32(add28);
  f32 add29 = sqrt1 + 1e-06f;
  f32 div1 = 1.0f / add29;
  f32 mul1 = div1 * -1.0f;
  f32 mul2 = 1.0f * -1.0f;
  f32 max1 = max_f32(mul1, mul2);
  f32 mul3 = max1 * -1.0f;
  for (idx task = begin; task < end; task++) {
    // out0 = max((1.0f / ...) * -1.0f, 1.0f * -1.0f) * -1.0f
    store_f32(out0 + 0, mul3);
  }
}
