// mul_add_1: float32 [1], 2 floating-point operations, 8 bytes
// out0: float32 [1]; x0: float32 [1]
// gpt.py:513  optimizer.step()
#include "../words_c.h"

void kernel_cce30e9be38bdabb(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // one element
  f32 load1 = load_f32(x0 + 0);
  f32 mul1 = load1 * 0.9f;
  f32 add1 = mul1 + 0.1f;
  for (idx task = begin; task < end; task++) {
    // out0 = (x0 * 0.9f) + 0.1f
    store_f32(out0 + 0, add1);
  }
}
