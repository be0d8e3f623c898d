// sum_64: float32 [64], 5120 floating-point operations, 20736 bytes
// out0: float32 [64]; x0: float32 [64, 80]
// gpt.py:1113  "sum": lambda: x.sum(1),
#include "../words_c.h"

void kernel_a86fb5899e6eee87(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // sum over r0 of x0
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 80; r0 += 8) {
      f32x8 load1 = load_f32x8(x0 + i0 * 80 + r0);
      sum1 = sum1 + load1;
      f32x8 load2 = load_f32x8(x0 + i0 * 80 + r0 + 80);
      sum2 = sum2 + load2;
      f32x8 load3 = load_f32x8(x0 + i0 * 80 + r0 + 160);
      sum3 = sum3 + load3;
      f32x8 load4 = load_f32x8(x0 + i0 * 80 + r0 + 240);
      sum4 = sum4 + load4;
    }
    f32 sum5 = fold_add_f32x8(sum1);
    f32 sum6 = fold_add_f32x8(sum2);
    f32 sum7 = fold_add_f32x8(sum3);
    f32 sum8 = fold_add_f32x8(sum4);
    // out0 = the sum
    store_f32(out0 + i0, sum5);
    store_f32(out0 + i0 + 1, sum6);
    store_f32(out0 + i0 + 2, sum7);
    store_f32(out0 + i0 + 3, sum8);
  }
}
