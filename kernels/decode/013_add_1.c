// add_1: int32 [1], 0 floating-point operations, 8 bytes
// out0: int32 [1]; x0: int32 [1]
// gpt.py:184  length.assign(length + T)
#include "../words_c.h"

void kernel_f5071cc9ec39c2ac(idx begin, idx end, char **buffers) {
  i32 *out0 = (i32 *)buffers[0];
  const i32 *x0 = (const i32 *)buffers[1];
  // one element
  i32 load1 = load_i32(x0 + 0);
  i32 add1 = add_i32(load1, 1);
  for (idx task = begin; task < end; task++) {
    // out0 = x0 + 1
    store_i32(out0 + 0, add1);
  }
}
