// add_1: int32 [1], 0 floating-point operations, 8 bytes
// out0: int32 [1]; x0: int32 [1]
// gpt.py:184  length.assign(length + T)
#include "../words_cl.h"

kernel void kernel_f5071cc9ec39c2ac(global i32 *out0_, global const i32 *x0_, long tasks) {
  global i32 *out0 = out0_ + 128 / sizeof(i32);
  global const i32 *x0 = x0_ + 128 / sizeof(const i32);
  idx begin = tasks * get_global_id(0) / get_global_size(0);
  idx end = tasks * (get_global_id(0) + 1) / get_global_size(0);
  // one element
  i32 load1 = load_i32(x0 + 0);
  i32 add1 = add_i32(load1, 1);
  for (idx task = begin; task < end; task++) {
    // out0 = x0 + 1
    store_i32(out0 + 0, add1);
  }
}
