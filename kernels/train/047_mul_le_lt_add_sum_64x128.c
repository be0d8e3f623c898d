// mul_le_lt_add_sum_64x128: float32 [1, 64, 128], 983040 floating-point operations, 901120 bytes
// out0: float32 [1, 64, 128]; x0: float32 [12, 64, 128]; x1: float32 [12, 64, 1, 128]; x2: float32 [128]; x3: float32
//   [12, 64, 1]; x4: float32 [12, 64, 1]; x5: int32 [12, 64]; x6: float32 [65, 128]; x7: float32 [64, 128]; x8: float32
//   [12, 64, 1]; x9: float32 [12, 64, 1]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:53  variance = centered.square().mean(-1, keepdim=True) # (B, T, 1)
// gradient of gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
// gpt.py:169  x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[:T] # (B, T, C)
// gradient of gpt.py:169  x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[:T] # (B, T, C)
#include "../words_c.h"

void kernel_14f21ddd901c4181(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  const f32 *x2 = (const f32 *)buffers[3];
  const f32 *x3 = (const f32 *)buffers[4];
  const f32 *x4 = (const f32 *)buffers[5];
  const i32 *x5 = (const i32 *)buffers[6];
  const f32 *x6 = (const f32 *)buffers[7];
  const f32 *x7 = (const f32 *)buffers[8];
  const f32 *x8 = (const f32 *)buffers[9];
  const f32 *x9 = (const f32 *)buffers[10];
  // tasks: i0; loops: i1 by 32; tile: 4 vectors of 8 along i1
  for (idx task = begin; task < end; task++) {
    idx i0 = task;
    for (idx i1 = 0; i1 < 128; i1 += 32) {
      // sum over r0 of (x0 + ((... + ...) + (x4 * ...))) + x9
      f32x8 sum1 = splat_f32x8(0.0f);
      f32x8 sum2 = splat_f32x8(0.0f);
      f32x8 sum3 = splat_f32x8(0.0f);
      f32x8 sum4 = splat_f32x8(0.0f);
      f32x8 load3 = load_f32x8(x2 + i1);
      f32x8 load8 = load_f32x8(x7 + i0 * 128 + i1);
      f32x8 load13 = load_f32x8(x2 + i1 + 8);
      f32x8 load15 = load_f32x8(x7 + i0 * 128 + i1 + 8);
      f32x8 load18 = load_f32x8(x2 + i1 + 16);
      f32x8 load20 = load_f32x8(x7 + i0 * 128 + i1 + 16);
      f32x8 load23 = load_f32x8(x2 + i1 + 24);
      f32x8 load25 = load_f32x8(x7 + i0 * 128 + i1 + 24);
      for (idx r0 = 0; r0 < 12; r0 += 1) {
        f32x8 load1 = load_f32x8(x0 + i0 * 128 + i1 + r0 * 8192);
        f32x8 load2 = load_f32x8(x1 + i0 * 128 + i1 + r0 * 8192);
        f32x8 mul1 = load2 * load3;
        f32 load4 = load_f32(x3 + i0 + r0 * 64);
        f32x8 mul2 = mul1 * splat_f32x8(load4);
        f32 load5 = load_f32(x4 + i0 + r0 * 64);
        i32 load6 = load_i32(x5 + i0 + r0 * 64);
        i32 le1 = mask_i32(0 <= load6);
        i32 lt1 = mask_i32(load6 < 65);
        i32 and1 = le1 & lt1;
        i32 row1 = clamp_i32(load6, 65);
        f32x8 load7 = load_f32x8(x6 + i1 + row1 * 128);
        f32x8 where1 = where_f32x8(splat_i32x8(and1), load7, splat_f32x8(0.0f));
        f32x8 add1 = where1 + load8;
        f32 load9 = load_f32(x8 + i0 + r0 * 64);
        f32x8 add2 = add1 + splat_f32x8(load9);
        f32x8 mul3 = splat_f32x8(load5) * add2;
        f32x8 add3 = mul2 + mul3;
        f32x8 add4 = add3 + mul3;
        f32x8 add5 = load1 + add4;
        f32 load10 = load_f32(x9 + i0 + r0 * 64);
        f32x8 add6 = add5 + splat_f32x8(load10);
        sum1 = sum1 + add6;
        f32x8 load11 = load_f32x8(x0 + i0 * 128 + i1 + r0 * 8192 + 8);
        f32x8 load12 = load_f32x8(x1 + i0 * 128 + i1 + r0 * 8192 + 8);
        f32x8 mul4 = load12 * load13;
        f32x8 mul5 = mul4 * splat_f32x8(load4);
        f32x8 load14 = load_f32x8(x6 + i1 + row1 * 128 + 8);
        f32x8 where2 = where_f32x8(splat_i32x8(and1), load14, splat_f32x8(0.0f));
        f32x8 add7 = where2 + load15;
        f32x8 add8 = add7 + splat_f32x8(load9);
        f32x8 mul6 = splat_f32x8(load5) * add8;
        f32x8 add9 = mul5 + mul6;
        f32x8 add10 = add9 + mul6;
        f32x8 add11 = load11 + add10;
        f32x8 add12 = add11 + splat_f32x8(load10);
        sum2 = sum2 + add12;
        f32x8 load16 = load_f32x8(x0 + i0 * 128 + i1 + r0 * 8192 + 16);
        f32x8 load17 = load_f32x8(x1 + i0 * 128 + i1 + r0 * 8192 + 16);
        f32x8 mul7 = load17 * load18;
        f32x8 mul8 = mul7 * splat_f32x8(load4);
        f32x8 load19 = load_f32x8(x6 + i1 + row1 * 128 + 16);
        f32x8 where3 = where_f32x8(splat_i32x8(and1), load19, splat_f32x8(0.0f));
        f32x8 add13 = where3 + load20;
        f32x8 add14 = add13 + splat_f32x8(load9);
        f32x8 mul9 = splat_f32x8(load5) * add14;
        f32x8 add15 = mul8 + mul9;
        f32x8 add16 = add15 + mul9;
        f32x8 add17 = load16 + add16;
        f32x8 add18 = add17 + splat_f32x8(load10);
        sum3 = sum3 + add18;
        f32x8 load21 = load_f32x8(x0 + i0 * 128 + i1 + r0 * 8192 + 24);
        f32x8 load22 = load_f32x8(x1 + i0 * 128 + i1 + r0 * 8192 + 24);
        f32x8 mul10 = load22 * load23;
        f32x8 mul11 = mul10 * splat_f32x8(load4);
        f32x8 load24 = load_f32x8(x6 + i1 + row1 * 128 + 24);
        f32x8 where4 = where_f32x8(splat_i32x8(and1), load24, splat_f32x8(0.0f));
        f32x8 add19 = where4 + load25;
        f32x8 add20 = add19 + splat_f32x8(load9);
        f32x8 mul12 = splat_f32x8(load5) * add20;
        f32x8 add21 = mul11 + mul12;
        f32x8 add22 = add21 + mul12;
        f32x8 add23 = load21 + add22;
        f32x8 add24 = add23 + splat_f32x8(load10);
        sum4 = sum4 + add24;
      }
      // out0 = the sum
      store_f32x8(out0 + i0 * 128 + i1, sum1);
      store_f32x8(out0 + i0 * 128 + i1 + 8, sum2);
      store_f32x8(out0 + i0 * 128 + i1 + 16, sum3);
      store_f32x8(out0 + i0 * 128 + i1 + 24, sum4);
    }
  }
}
