// le_lt_add_mul_sum_128: float32 [1, 1, 128], 491520 floating-point operations, 468992 bytes
// out0: float32 [1, 1, 128]; x0: float32 [12, 64, 1, 128]; x1: int32 [12, 64]; x2: float32 [65, 128]; x3: float32 [64,
//   128]; x4: float32 [12, 64, 1]; x5: float32 [12, 64, 1]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
// gradient of gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
// gpt.py:169  x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[:T] # (B, T, C)
#include "../words_c.h"

void kernel_859452ae3fbed68e(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const i32 *x1 = (const i32 *)buffers[2];
  const f32 *x2 = (const f32 *)buffers[3];
  const f32 *x3 = (const f32 *)buffers[4];
  const f32 *x4 = (const f32 *)buffers[5];
  const f32 *x5 = (const f32 *)buffers[6];
  // tasks: i0 by 32; tile: 4 vectors of 8 along i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 32;
    // sum over r0, r1 of x0 * (((... + x3) + x4) * x5)
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 12; r0++) {
      for (idx r1 = 0; r1 < 64; r1 += 1) {
        f32x8 load1 = load_f32x8(x0 + i0 + r0 * 8192 + r1 * 128);
        i32 load2 = load_i32(x1 + r0 * 64 + r1);
        i32 le1 = mask_i32(0 <= load2);
        i32 lt1 = mask_i32(load2 < 65);
        i32 and1 = le1 & lt1;
        i32 row1 = clamp_i32(load2, 65);
        f32x8 load3 = load_f32x8(x2 + i0 + row1 * 128);
        f32x8 where1 = where_f32x8(splat_i32x8(and1), load3, splat_f32x8(0.0f));
        f32x8 load4 = load_f32x8(x3 + i0 + r1 * 128);
        f32x8 add1 = where1 + load4;
        f32 load5 = load_f32(x4 + r0 * 64 + r1);
        f32x8 add2 = add1 + splat_f32x8(load5);
        f32 load6 = load_f32(x5 + r0 * 64 + r1);
        f32x8 mul1 = add2 * splat_f32x8(load6);
        sum1 = sum1 + load1 * mul1;
        f32x8 load7 = load_f32x8(x0 + i0 + r0 * 8192 + r1 * 128 + 8);
        f32x8 load8 = load_f32x8(x2 + i0 + row1 * 128 + 8);
        f32x8 where2 = where_f32x8(splat_i32x8(and1), load8, splat_f32x8(0.0f));
        f32x8 load9 = load_f32x8(x3 + i0 + r1 * 128 + 8);
        f32x8 add3 = where2 + load9;
        f32x8 add4 = add3 + splat_f32x8(load5);
        f32x8 mul2 = add4 * splat_f32x8(load6);
        sum2 = sum2 + load7 * mul2;
        f32x8 load10 = load_f32x8(x0 + i0 + r0 * 8192 + r1 * 128 + 16);
        f32x8 load11 = load_f32x8(x2 + i0 + row1 * 128 + 16);
        f32x8 where3 = where_f32x8(splat_i32x8(and1), load11, splat_f32x8(0.0f));
        f32x8 load12 = load_f32x8(x3 + i0 + r1 * 128 + 16);
        f32x8 add5 = where3 + load12;
        f32x8 add6 = add5 + splat_f32x8(load5);
        f32x8 mul3 = add6 * splat_f32x8(load6);
        sum3 = sum3 + load10 * mul3;
        f32x8 load13 = load_f32x8(x0 + i0 + r0 * 8192 + r1 * 128 + 24);
        f32x8 load14 = load_f32x8(x2 + i0 + row1 * 128 + 24);
        f32x8 where4 = where_f32x8(splat_i32x8(and1), load14, splat_f32x8(0.0f));
        f32x8 load15 = load_f32x8(x3 + i0 + r1 * 128 + 24);
        f32x8 add7 = where4 + load15;
        f32x8 add8 = add7 + splat_f32x8(load5);
        f32x8 mul4 = add8 * splat_f32x8(load6);
        sum4 = sum4 + load13 * mul4;
      }
    }
    // out0 = the sum
    store_f32x8(out0 + i0, sum1);
    store_f32x8(out0 + i0 + 8, sum2);
    store_f32x8(out0 + i0 + 16, sum3);
    store_f32x8(out0 + i0 + 24, sum4);
  }
}
