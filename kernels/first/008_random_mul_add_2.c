// mul_add_2: uint32 [2], 0 floating-point operations, 16 bytes
// out0: uint32 [2]; x0: uint32 [2]
// gpt.py:1119  "random": lambda: Tensor.randn(32, 32),
#include "../words_c.h"

void kernel_41133432b259e65a(idx begin, idx end, char **buffers) {
  u32 *out0 = (u32 *)buffers[0];
  const u32 *x0 = (const u32 *)buffers[1];
  // tasks: i0 by 2; tile: 1 vector of 2 along i0
  for (idx task = begin; task < end; task++) {
    idx i0 = task * 2;
    // out0 = x0 + (i0 * (u32)1024)
    u32x2 load1 = load_u32x2(x0 + i0);
    i32x2 index1 = ((i32)i0 + lanes_i32x2());
    u32x2 cast1 = u32x2_from_i32(index1);
    u32x2 mul1 = cast1 * splat_u32x2((u32)1024);
    u32x2 add1 = load1 + mul1;
    store_u32x2(out0 + i0, add1);
  }
}
