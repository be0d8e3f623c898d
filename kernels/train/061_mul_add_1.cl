// mul_add_1: float32 [1], 2 floating-point operations, 8 bytes
// out0: float32 [1]; x0: float32 [1]
// gpt.py:513  optimizer.step()
#include "../words_cl.h"

kernel void kernel_74a9cace0410b1fe(global f32 *out0_, global const f32 *x0_, long tasks) {
  global f32 *out0 = out0_ + 128 / sizeof(f32);
  global const f32 *x0 = x0_ + 128 / sizeof(const f32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // one element
  f32 load1 = load_f32(x0 + 0);
  f32 mul1 = load1 * 0.99f;
  f32 add1 = mul1 + 0.01f;
  for (idx task = begin; task < end; task++) {
    // out0 = (x0 * 0.99f) + 0.01f
    store_f32(out0 + 0, add1);
  }
}
