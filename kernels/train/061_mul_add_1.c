// mul_add_1: float32 [1], 2 floating-point operations, 8 bytes
// out0: float32 [1]; x0: float32 [1]
// gpt.py:513  optimizer.step()
#include "../words_c.h"

void kernel_74a9cace0410b1fe(idx begin, idx end, char **buffers) {
  f32 *out0 = (f32 *)buffers[0];
  const f32 *x0 = (const f32 *)buffers[1];
  // one element
  f32 load1 = load_f32(x0 + 0);
  f32 mul1 = load1 * 0.99f;
  f32 add1 = mul1 + 0.01f;
  for (idx task = begin; task < end; task++) {
    // out0 = (x0 * 0.99f) + 0.01f
    store_f32(out0 + 0, add1);
  }
}
