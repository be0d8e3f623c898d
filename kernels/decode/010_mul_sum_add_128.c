// mul_sum_add_128: float32 [1, 1, 128], 131200 floating-point operations, 265216 bytes
// out0: float32 [1, 1, 128]; x0: float32 [1, 1, 128]; x1: float32 [1, 1, 512]; x2: float32 [128, 512]
// gpt.py:120  return self.c_proj(x).dropout(self.dropout) # (B, T, C)
// gpt.py:132  return x + self.mlp(self.ln_2(x))
#include "../words_c.h"

void kernel_c7bae733f72ff93a(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  const f32 *x2 = (const f32 *)buffers[3];
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // sum over r0 of x1 * x2
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 512; r0 += 8) {
      f32x8 load1 = load_f32x8(x1 + r0);
      f32x8 load2 = load_f32x8(x2 + i0 * 512 + r0);
      sum1 = sum1 + load1 * load2;
      f32x8 load3 = load_f32x8(x2 + i0 * 512 + r0 + 512);
      sum2 = sum2 + load1 * load3;
      f32x8 load4 = load_f32x8(x2 + i0 * 512 + r0 + 1024);
      sum3 = sum3 + load1 * load4;
      f32x8 load5 = load_f32x8(x2 + i0 * 512 + r0 + 1536);
      sum4 = sum4 + load1 * load5;
    }
    f32 sum5 = fold_add_f32x8(sum1);
    f32 sum6 = fold_add_f32x8(sum2);
    f32 sum7 = fold_add_f32x8(sum3);
    f32 sum8 = fold_add_f32x8(sum4);
    // out0 = x0 + the sum
    f32 load6 = load_f32(x0 + i0);
    f32 add1 = load6 + sum5;
    store_f32(out0 + i0, add1);
    f32 load7 = load_f32(x0 + i0 + 1);
    f32 add2 = load7 + sum6;
    store_f32(out0 + i0 + 1, add2);
    f32 load8 = load_f32(x0 + i0 + 2);
    f32 add3 = load8 + sum7;
    store_f32(out0 + i0 + 2, add3);
    f32 load9 = load_f32(x0 + i0 + 3);
    f32 add4 = load9 + sum8;
    store_f32(out0 + i0 + 3, add4);
  }
}
