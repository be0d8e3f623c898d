// mul_le_lt_add_scatter_65x128: float32 [65, 128], 884736 floating-point operations, 901632 bytes
// out0: float32 [65, 128]; x0: int32 [12, 64]; x1: float32 [12, 64, 128]; x2: float32 [12, 64, 1, 128]; x3: float32
//   [128]; x4: float32 [12, 64, 1]; x5: float32 [12, 64, 1]; x6: float32 [65, 128]; x7: float32 [64, 128]; x8: float32
//   [12, 64, 1]; x9: float32 [12, 64, 1]
// gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:52  centered = x - x.mean(-1, keepdim=True)
// gradient of gpt.py:53  variance = centered.square().mean(-1, keepdim=True) # (B, T, 1)
// gradient of gpt.py:54  y = centered * (variance + 1e-5).rsqrt() * self.weight # (B, T, C)
// gpt.py:169  x = self.transformer["wte"](idx) + self.transformer["wpe"].weight[:T] # (B, T, C)
#include "../words_c.h"

void kernel_cd66952f1bdaa9e6(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const i32 *x0 = (const i32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  const f32 *x2 = (const f32 *)buffers[3];
  const f32 *x3 = (const f32 *)buffers[4];
  const f32 *x4 = (const f32 *)buffers[5];
  const f32 *x5 = (const f32 *)buffers[6];
  const f32 *x6 = (const f32 *)buffers[7];
  const f32 *x7 = (const f32 *)buffers[8];
  const f32 *x8 = (const f32 *)buffers[9];
  const f32 *x9 = (const f32 *)buffers[10];
  // tasks: i0 by 8; tile: 1 vector of 8 along i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 8;
    // out0 = zeros, then in row x0 out0 += (x1 + ((... + ...) + (x5 * ...))) + x9
    for (idx row = 0; row < 65; row++) {
      store_f32x8(out0 + row * 128 + i0, splat_f32x8(0.0f));
    }
    f32x8 load4 = load_f32x8(x3 + i0);
    for (idx r0 = 0; r0 < 12; r0++) {
      for (idx r1 = 0; r1 < 64; r1++) {
        i32 load1 = load_i32(x0 + r0 * 64 + r1);
        f32x8 load2 = load_f32x8(x1 + i0 + r0 * 8192 + r1 * 128);
        f32x8 load3 = load_f32x8(x2 + i0 + r0 * 8192 + r1 * 128);
        f32x8 mul1 = load3 * load4;
        f32 load5 = load_f32(x4 + r0 * 64 + r1);
        f32x8 mul2 = mul1 * splat_f32x8(load5);
        f32 load6 = load_f32(x5 + r0 * 64 + r1);
        i32 le1 = mask_i32(0 <= load1);
        i32 lt1 = mask_i32(load1 < 65);
        i32 and1 = le1 & lt1;
        i32 row1 = clamp_i32(load1, 65);
        f32x8 load7 = load_f32x8(x6 + i0 + row1 * 128);
        f32x8 where1 = where_f32x8(splat_i32x8(and1), load7, splat_f32x8(0.0f));
        f32x8 load8 = load_f32x8(x7 + i0 + r1 * 128);
        f32x8 add1 = where1 + load8;
        f32 load9 = load_f32(x8 + r0 * 64 + r1);
        f32x8 add2 = add1 + splat_f32x8(load9);
        f32x8 mul3 = splat_f32x8(load6) * add2;
        f32x8 add3 = mul2 + mul3;
        f32x8 add4 = add3 + mul3;
        f32x8 add5 = load2 + add4;
        f32 load10 = load_f32(x9 + r0 * 64 + r1);
        f32x8 add6 = add5 + splat_f32x8(load10);
        if (0 <= load1 && load1 < 65) {
          store_f32x8(out0 + load1 * 128 + i0, load_f32x8(out0 + load1 * 128 + i0) + add6);
        }
      }
    }
  }
}
