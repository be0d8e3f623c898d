// lt_add_le_mul_scatter_65x128: float32 [65, 128], 196736 floating-point operations, 69632 bytes
// out0: float32 [65, 128]; x0: int32 [12, 64]; x1: float32 [65, 128]
// gpt.py:1121  "embedding_gradient": lambda: table[tokens].square().sum().gradient(table),
// gradient of gpt.py:1121  "embedding_gradient": lambda: table[tokens].square().sum().gradient(table),
#include "../words_c.h"

void kernel_096eae24cb3bdb0c(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const i32 *x0 = (const i32 *)buffers[1];
  const f32 *x1 = (const f32 *)buffers[2];
  // tasks: i0 by 8; tile: 1 vector of 8 along i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 8;
    // out0 = zeros, then in row where(x0 < 0, x0 + 65, x0) out0 += ((... + ...) * where(..., x1, 0.0f)) + ((... + ...) * where(..., x1, 0.0f))
    for (idx row = 0; row < 65; row++) {
      store_f32x8(out0 + row * 128 + i0, splat_f32x8(0.0f));
    }
    i32x8 index1 = ((i32)i0 + lanes_i32x8()) - 120;
    i32x8 le1 = mask_i32x8(splat_i32x8(0) <= index1);
    f32x8 where2 = where_f32x8(le1, splat_f32x8(1.0f), splat_f32x8(0.0f));
    i32x8 index2 = ((i32)i0 + lanes_i32x8());
    i32x8 lt2 = mask_i32x8(index2 < splat_i32x8(120));
    f32x8 where3 = where_f32x8(lt2, splat_f32x8(1.0f), splat_f32x8(0.0f));
    f32x8 add2 = where2 + where3;
    for (idx r0 = 0; r0 < 12; r0++) {
      for (idx r1 = 0; r1 < 64; r1++) {
        i32 load1 = load_i32(x0 + r0 * 64 + r1);
        i32 lt1 = mask_i32(load1 < 0);
        i32 add1 = add_i32(load1, 65);
        i32 where1 = where_i32(lt1, add1, load1);
        i32 le2 = mask_i32(0 <= where1);
        i32 lt3 = mask_i32(where1 < 65);
        i32 and1 = le2 & lt3;
        i32 row1 = clamp_i32(where1, 65);
        f32x8 load2 = load_f32x8(x1 + i0 + row1 * 128);
        f32x8 where4 = where_f32x8(splat_i32x8(and1), load2, splat_f32x8(0.0f));
        f32x8 mul1 = add2 * where4;
        f32x8 add3 = mul1 + mul1;
        if (0 <= where1 && where1 < 65) {
          store_f32x8(out0 + where1 * 128 + i0, load_f32x8(out0 + where1 * 128 + i0) + add3);
        }
      }
    }
  }
}
