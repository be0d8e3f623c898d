// mul_sum_add_sigmoid_512: float32 [1, 1, 512], 134656 floating-point operations, 264704 bytes
// out0: float32 [1, 1, 512]; x0: float32 [1, 1, 128]; x1: float32 [512, 128]
// gpt.py:119  x = self.c_fc(x).gelu() # (B, T, 4 C); gelu's tanh approximation
#include "../words_c.h"

void kernel_c3c675c8a1b146fb(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0 by 4; tile: 4 rows of i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 4;
    // sum over r0 of x0 * x1
    f32x8 sum1 = splat_f32x8(0.0f);
    f32x8 sum2 = splat_f32x8(0.0f);
    f32x8 sum3 = splat_f32x8(0.0f);
    f32x8 sum4 = splat_f32x8(0.0f);
    for (idx r0 = 0; r0 < 128; r0 += 8) {
      f32x8 load1 = load_f32x8(x0 + r0);
      f32x8 load2 = load_f32x8(x1 + i0 * 128 + r0);
      sum1 = sum1 + load1 * load2;
      f32x8 load3 = load_f32x8(x1 + i0 * 128 + r0 + 128);
      sum2 = sum2 + load1 * load3;
      f32x8 load4 = load_f32x8(x1 + i0 * 128 + r0 + 256);
      sum3 = sum3 + load1 * load4;
      f32x8 load5 = load_f32x8(x1 + i0 * 128 + r0 + 384);
      sum4 = sum4 + load1 * load5;
    }
    f32 sum5 = fold_add_f32x8(sum1);
    f32 sum6 = fold_add_f32x8(sum2);
    f32 sum7 = fold_add_f32x8(sum3);
    f32 sum8 = fold_add_f32x8(sum4);
    // out0 = the sum * sigmoid((the sum + ...) * 1.5957692f)
    f32 mul1 = sum5 * 0.044715f;
    f32 mul2 = mul1 * sum5;
    f32 mul3 = mul2 * sum5;
    f32 add1 = sum5 + mul3;
    f32 mul4 = add1 * 1.5957692f;
    f32 sigmoid1 = sigmoid_f32(mul4);
    f32 mul5 = sum5 * sigmoid1;
    store_f32(out0 + i0, mul5);
    f32 mul6 = sum6 * 0.044715f;
    f32 mul7 = mul6 * sum6;
    f32 mul8 = mul7 * sum6;
    f32 add2 = sum6 + mul8;
    f32 mul9 = add2 * 1.5957692f;
    f32 sigmoid2 = sigmoid_f32(mul9);
    f32 mul10 = sum6 * sigmoid2;
    store_f32(out0 + i0 + 1, mul10);
    f32 mul11 = sum7 * 0.044715f;
    f32 mul12 = mul11 * sum7;
    f32 mul13 = mul12 * sum7;
    f32 add3 = sum7 + mul13;
    f32 mul14 = add3 * 1.5957692f;
    f32 sigmoid3 = sigmoid_f32(mul14);
    f32 mul15 = sum7 * sigmoid3;
    store_f32(out0 + i0 + 2, mul15);
    f32 mul16 = sum8 * 0.044715f;
    f32 mul17 = mul16 * sum8;
    f32 mul18 = mul17 * sum8;
    f32 add4 = sum8 + mul18;
    f32 mul19 = add4 * 1.5957692f;
    f32 sigmoid4 = sigmoid_f32(mul19);
    f32 mul20 = sum8 * sigmoid4;
    store_f32(out0 + i0 + 3, mul20);
  }
}
