#pragma once

typedef float f32; typedef char i8; typedef uchar u8; typedef short i16; typedef int i32; typedef uint u32;
typedef long i64; typedef ulong u64; typedef ushort f16; typedef ushort bf16; typedef int idx;
#ifdef cl_khr_fp64
typedef double f64;
#define DOUBLE(...) __VA_ARGS__
#else
#define DOUBLE(...)
#endif
#define INLINE static inline __attribute__((always_inline))
#define GLOBAL global
#define PREFETCH(p)
#define STRIPS(bytes) global char *strips = strips_ + get_global_id(0) * bytes;
#define NAME_f32 float
#define NAME_f64 double
#define NAME_i8 char
#define NAME_u8 uchar
#define NAME_i16 short
#define NAME_f16 ushort
#define NAME_bf16 ushort
#define NAME_i32 int
#define NAME_u32 uint
#define NAME_i64 long
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define BITS(T, S) INLINE T T##_as_##S(S x) { return JOIN(as_, NAME_##T)(x); }
#define TYPE(T, N) typedef JOIN(NAME_##T, N) T##x##N;
#define CONVERT(a, T, N) JOIN(JOIN(convert_, NAME_##T), N)(a)
#define REINTERPRET(a, T, N) JOIN(JOIN(as_, NAME_##T), N)(a)
#define SPLAT(a, T, N) ((T##x##N)(a))
#define VALUES(T, N, ...) (T##x##N)(__VA_ARGS__)
#define LOAD(p, T, N) JOIN(vload, N)(0, p)
#define IN_REGISTER(x)
#define STORE(p, a, T, N) JOIN(vstore, N)(a, 0, p)

INLINE idx within(idx at, idx size, idx lanes) { return at < -lanes ? -lanes : at > size ? size : at; }
INLINE idx least(idx a, idx b) { return a < b ? a : b; }
INLINE idx down(idx a, idx step) { return a <= 0 ? 0 : a / step * step; }
INLINE idx floor_quotient(idx a, idx n) { return a / n - (a % n < 0); }
INLINE idx floor_remainder(idx a, idx n) { return a % n < 0 ? a % n + n : a % n; }
INLINE i32 negative(i64 x) { return x < 0; } /* of any integer type, also of those without a sign */
INLINE i32 load_bool(GLOBAL const u8 *p) { return -(i32)*p; }
INLINE void store_bool(GLOBAL u8 *p, i32 x) { *p = x & 1; }
#define MOVES(T) \
  INLINE T load_##T(GLOBAL const T *p) { return *p; } \
  INLINE void store_##T(GLOBAL T *p, T x) { *p = x; } \
  INLINE T where_##T(i32 m, T a, T b) { return m ? a : b; }
#define NUMBER(T) MOVES(T) \
  INLINE i32 mask_##T(i32 m) { return -m; } \
  INLINE T max_##T(T a, T b) { return a > b || a != a ? a : b; } \
  CAST(T, f32) DOUBLE(CAST(T, f64)) CAST(T, i8) CAST(T, u8) CAST(T, i32) CAST(T, u32) CAST(T, i64) \
  INLINE T T##_from_bool(i32 x) { return (T)-x; }
#define CAST(T, S) INLINE T T##_from_##S(S x) { return (T)x; }
#define BITS_OF(T) (T)(8 * sizeof(T))
#define INTEGER(T, U) NUMBER(T) /* wraps around, as unsigned U do; division rounds down, and by zero it gives zero */ \
  INLINE i32 clamp_##T(T x, idx n) { return negative(x) ? 0 : x >= n ? n - 1 : x; } \
  INLINE T add_##T(T a, T b) { return (U)a + (U)b; } \
  INLINE T mul_##T(T a, T b) { return (U)a * (U)b; } \
  INLINE T pow_##T(T a, T b) { \
    if (negative(b) && a != 1 && a != (T)-1) return 0; \
    U y = 1, z = a, n = negative(b) ? b & 1 : b; \
    for (; n; n >>= 1, z *= z) if (n & 1) y *= z; \
    return y; } \
  INLINE T shl_##T(T a, T b) { return !negative(b) && b < BITS_OF(T) ? a << b : 0; } \
  INLINE T shr_##T(T a, T b) { return !negative(b) && b < BITS_OF(T) ? a >> b : negative(a) ? (T)-1 : 0; } \
  INLINE T idiv_##T(T a, T b) { \
    if (b == 0) return 0; \
    if (negative((T)-1) && b == (T)-1) return -(U)a; \
    return a / b - (a % b != 0 && negative(a) != negative(b)); } \
  INLINE T mod_##T(T a, T b) { \
    if (b == 0 || (negative((T)-1) && b == (T)-1)) return 0; \
    return a % b + (a % b != 0 && negative(a) != negative(b) ? b : 0); }
#define FLOAT(T) NUMBER(T) INLINE T sqrt_##T(T x) { return sqrt(x); } INLINE T exp_##T(T x) { return exp(x); } \
  INLINE T sigmoid_##T(T x) { return 1 / (1 + exp(-x)); } INLINE T log_##T(T x) { return log(x); } \
  INLINE T sin_##T(T x) { return sin(x); } INLINE T pow_##T(T a, T b) { return pow(a, b); } \
  INLINE T trunc_##T(T x) { return trunc(x); } INLINE T rint_##T(T x) { return rint(x); } \
  INLINE T mod_##T(T a, T b) { \
    T r = fmod(a, b); \
    return r == 0 ? copysign(r, b) : (r < 0) != (b < 0) ? r + b : r; } \
  INLINE T idiv_##T(T a, T b) { \
    T r = fmod(a, b), q = (a - r) / b - (r != 0 && (r < 0) != (b < 0)); \
    return b == 0 ? a / b : q == 0 ? copysign(q, a / b) : rint(q); }
MOVES(f16) MOVES(bf16) FLOAT(f32) DOUBLE(FLOAT(f64))
INTEGER(i8, u8) INTEGER(u8, u8) INTEGER(i32, u32) INTEGER(u32, u32) INTEGER(i64, u64)
BITS(f32, u32) BITS(f32, i32) BITS(u32, f32) BITS(i32, f32) BITS(u32, i32) BITS(i32, u32) BITS(i8, u8) BITS(u8, i8)
DOUBLE(BITS(f64, i64) BITS(i64, f64))

/* 16-bit floats are computed with in float32. bfloat16 is its upper half, rounded to nearest even. */
INLINE f32 f32_from_bf16(bf16 x) { return f32_as_u32((u32)x << 16); }
INLINE bf16 bf16_from_f32(f32 x) {
  u32 bits = u32_as_f32(x);
  return (x != x ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1)) >> 16; }
INLINE f32 f32_from_f16(f16 x) {
  u32 sign = (u32)(x & 0x8000) << 16, rest = (u32)(x & 0x7fff) << 13;
  if (rest >= 0x0f800000) return f32_as_u32(rest | 0x7f800000 | sign);     /* infinity and NaN */
  return f32_as_u32(u32_as_f32(f32_as_u32(rest) * 0x1p112f) | sign); }
INLINE f16 f16_from_f32(f32 x) {
  u32 sign = u32_as_f32(x) >> 16 & 0x8000;
  f32 y = f32_as_u32(u32_as_f32(x) & 0x7fffffff);
  if (y != y) return sign | 0x7e00;
  if (y >= 65520.0f) return sign | 0x7c00;
  if (y < 0x1p-14f) return sign | (u32_as_f32(y + 0.5f) - 0x3f000000);     /* subnormal: units of 2^-24 */
  u32 bits = u32_as_f32(y) - 0x38000000;
  return sign | ((bits + 0xfff + (bits >> 13 & 1)) >> 13); }

#define LANES(N, ...) for (int l = 0; l < N; l++) { __VA_ARGS__; }
#define EACH_2(F) F(0), F(1)
#define EACH_4(F) EACH_2(F), F(2), F(3)
#define EACH_8(F) EACH_4(F), F(4), F(5), F(6), F(7)
#define EACH_16(F) EACH_8(F), F(8), F(9), F(10), F(11), F(12), F(13), F(14), F(15)
#define STRIDED(l) p[l * stride]
#define VECTOR_MOVES(T, I, N) \
  typedef union { T##x##N all; T lane[N]; } T##x##N##_lanes; \
  INLINE T##x##N load_##T##x##N(GLOBAL const T *p) { return LOAD(p, T, N); } \
  INLINE void store_##T##x##N(GLOBAL T *p, T##x##N x) { STORE(p, x, T, N); } \
  INLINE void store_n_##T##x##N(GLOBAL T *p, T##x##N x, int n) { \
    if (n == N) { STORE(p, x, T, N); } else { T##x##N##_lanes y; y.all = x; LANES(n, p[l] = y.lane[l]) } } \
  INLINE T##x##N splat_##T##x##N(T x) { return SPLAT(x, T, N); } \
  INLINE T##x##N where_##T##x##N(i32x##N m, T##x##N a, T##x##N b) { \
    I##x##N k = CONVERT(m, I, N); \
    return REINTERPRET((REINTERPRET(a, I, N) & k) | (REINTERPRET(b, I, N) & ~k), T, N); } \
  INLINE T##x##N strided_##T##x##N(GLOBAL const T *p, idx stride) { return VALUES(T, N, EACH_##N(STRIDED)); } \
  INLINE T##x##N strided_n_##T##x##N(GLOBAL const T *p, idx stride, int n) { \
    T##x##N##_lanes x; LANES(N, x.lane[l] = l < n ? p[l * stride] : 0) return x.all; } \
  INLINE T##x##N gather_##T##x##N(GLOBAL const T *p, i32x##N at, i32x##N m) { \
    T##x##N##_lanes x; i32x##N##_lanes i, k; i.all = at; k.all = m; \
    LANES(N, x.lane[l] = k.lane[l] ? p[i.lane[l]] : 0) return x.all; }
#define VECTOR(T, I, N) VECTOR_MOVES(T, I, N) \
  INLINE i32x##N mask_##T##x##N(I##x##N m) { return CONVERT(m, i32, N); } \
  INLINE T##x##N max_##T##x##N(T##x##N a, T##x##N b) { \
    I##x##N k = (a > b) | (a != a); \
    return REINTERPRET((REINTERPRET(a, I, N) & k) | (REINTERPRET(b, I, N) & ~k), T, N); } \
  INLINE T fold_add_##T##x##N(T##x##N x) { \
    T##x##N##_lanes y; y.all = x; LANES(N / 2, y.lane[l] += y.lane[l + N / 2]) \
    LANES(N / 4, y.lane[l] += y.lane[l + N / 4]) LANES(N / 8, y.lane[l] += y.lane[l + N / 8]) \
    LANES(N / 16, y.lane[l] += y.lane[l + N / 16]) return y.lane[0]; } \
  INLINE T fold_max_##T##x##N(T##x##N x) { \
    T##x##N##_lanes y; y.all = x; LANES(N / 2, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 2])) \
    LANES(N / 4, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 4])) \
    LANES(N / 8, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 8])) \
    LANES(N / 16, y.lane[l] = max_##T(y.lane[l], y.lane[l + N / 16])) return y.lane[0]; } \
  VECTOR_CAST(T, f32, N) DOUBLE(VECTOR_CAST(T, f64, N)) BYTE_CAST(T, i8, N) BYTE_CAST(T, u8, N) \
  VECTOR_CAST(T, i32, N) VECTOR_CAST(T, u32, N) VECTOR_CAST(T, i64, N) \
  INLINE T##x##N T##x##N##_from_bool(i32x##N x) { return CONVERT(-x, T, N); }
#define VECTOR_CAST(T, S, N) INLINE T##x##N T##x##N##_from_##S(S##x##N x) { return CONVERT(x, T, N); }
// gcc would convert bytes to floats one by one, if it saw where they come from or had to do it in one step.
#define BYTE_CAST(T, S, N) \
  INLINE T##x##N T##x##N##_from_##S(S##x##N x) { IN_REGISTER(x) return CONVERT(CONVERT(x, i32, N), T, N); }
#define VECTOR_BITS(T, S, N) INLINE T##x##N T##x##N##_as_##S(S##x##N x) { return REINTERPRET(x, T, N); }
#define MAP(NAME, F, T, S, N) INLINE T##x##N NAME(S##x##N a) { \
  S##x##N##_lanes x; T##x##N##_lanes y; x.all = a; LANES(N, y.lane[l] = F(x.lane[l])) return y.all; }
#define MAP1(F, T, N) MAP(F##_##T##x##N, F##_##T, T, T, N)
#define MAP2(F, T, N) INLINE T##x##N F##_##T##x##N(T##x##N a, T##x##N b) { \
  T##x##N##_lanes x, y; x.all = a; y.all = b; LANES(N, x.lane[l] = F##_##T(x.lane[l], y.lane[l])) return x.all; }
#define DIVISIONS(T, N) MAP2(idiv, T, N) MAP2(mod, T, N) MAP2(pow, T, N)
#define NEAREST(t, N) CONVERT(CONVERT( \
  (t) + where_f32x##N((t) < 0.0f, splat_f32x##N(-0.5f), splat_f32x##N(0.5f)), i32, N), f32, N)
#define POWER_OF_2(n, N) REINTERPRET(((n) + 127) << 23, f32, N)
#define SCALED(p, k, N) /* p * 2^k in two steps, as 2^k itself may be too large or too small for a float */ \
  p * POWER_OF_2(CONVERT(k, i32, N) >> 1, N) * POWER_OF_2(CONVERT(k, i32, N) - (CONVERT(k, i32, N) >> 1), N)
#define NEAREST_2 NEAREST
#define NEAREST_4 NEAREST
#define NEAREST_8 NEAREST
#define SCALED_2 SCALED
#define SCALED_4 SCALED
#define SCALED_8 SCALED
#ifdef __AVX512F__                      /* has an instruction for each of the two */
#define NEAREST_16(t, N) __builtin_ia32_rndscaleps_mask(t, 8, t, -1, 4)
#define SCALED_16(p, k, N) __builtin_ia32_scalefps512_mask(p, k, p, -1, 4)
#else
#define NEAREST_16 NEAREST
#define SCALED_16 SCALED
#endif
#define INTEGER_LANES(T, N) DIVISIONS(T, N) \
  INLINE i32x##N clamp_##T##x##N(T##x##N x, idx n) { \
    T##x##N##_lanes a; i32x##N##_lanes y; a.all = x; LANES(N, y.lane[l] = clamp_##T(a.lane[l], n)) return y.all; } \
  INLINE T##x##N shl_##T##x##N(T##x##N a, T##x##N b) { \
    return (a << (b & (T)(BITS_OF(T) - 1))) & REINTERPRET((b >= (T)0) & (b < BITS_OF(T)), T, N); } \
  INLINE T##x##N shr_##T##x##N(T##x##N a, T##x##N b) { \
    T##x##N k = REINTERPRET((b >= (T)0) & (b < BITS_OF(T)), T, N); \
    return ((a >> (b & (T)(BITS_OF(T) - 1))) & k) | (REINTERPRET(a < (T)0, T, N) & ~k); }
#define ALL_LANES(N) \
  TYPE(i8, N) TYPE(u8, N) TYPE(i16, N) TYPE(f16, N) TYPE(bf16, N) TYPE(i32, N) TYPE(u32, N) TYPE(i64, N) TYPE(f32, N) \
  DOUBLE(TYPE(f64, N)) VECTOR(i32, i32, N) VECTOR(f32, i32, N) VECTOR(u32, i32, N) VECTOR(i64, i64, N) \
  DOUBLE(VECTOR(f64, i64, N)) VECTOR(i8, i8, N) VECTOR(u8, i8, N) VECTOR_MOVES(f16, i16, N) VECTOR_MOVES(bf16, i16, N) \
  VECTOR_BITS(f32, u32, N) VECTOR_BITS(f32, i32, N) VECTOR_BITS(u32, f32, N) VECTOR_BITS(i32, f32, N) \
  VECTOR_BITS(u32, i32, N) VECTOR_BITS(i32, u32, N) VECTOR_BITS(i8, u8, N) VECTOR_BITS(u8, i8, N) \
  DOUBLE(VECTOR_BITS(f64, i64, N) VECTOR_BITS(i64, f64, N)) \
  MAP(f32x##N##_from_f16, f32_from_f16, f32, f16, N) MAP(f16x##N##_from_f32, f16_from_f32, f16, f32, N) \
  MAP(f32x##N##_from_bf16, f32_from_bf16, f32, bf16, N) MAP(bf16x##N##_from_f32, bf16_from_f32, bf16, f32, N) \
  INLINE i32x##N load_boolx##N(GLOBAL const u8 *p) { return -CONVERT(load_u8x##N(p), i32, N); } \
  INLINE void store_boolx##N(GLOBAL u8 *p, i32x##N x) { store_u8x##N(p, CONVERT(x & 1, u8, N)); } \
  INLINE void store_n_boolx##N(GLOBAL u8 *p, i32x##N x, int n) { store_n_u8x##N(p, CONVERT(x & 1, u8, N), n); } \
  INLINE i32x##N strided_boolx##N(GLOBAL const u8 *p, idx stride) { \
    return -CONVERT(strided_u8x##N(p, stride), i32, N); } \
  INLINE i32x##N strided_n_boolx##N(GLOBAL const u8 *p, idx stride, int n) { \
    return -CONVERT(strided_n_u8x##N(p, stride, n), i32, N); } \
  INLINE i32x##N gather_boolx##N(GLOBAL const u8 *p, i32x##N at, i32x##N m) { \
    return -CONVERT(gather_u8x##N(p, at, m), i32, N); } \
  INLINE i32x##N lanes_i32x##N(void) { i32x##N##_lanes x; LANES(N, x.lane[l] = l) return x.all; } \
  INTEGER_LANES(i8, N) INTEGER_LANES(u8, N) INTEGER_LANES(i32, N) INTEGER_LANES(u32, N) INTEGER_LANES(i64, N) \
  MAP1(sqrt, f32, N) MAP1(trunc, f32, N) MAP1(rint, f32, N) MAP1(sin, f32, N) DIVISIONS(f32, N) \
  DOUBLE(MAP1(sqrt, f64, N) MAP1(trunc, f64, N) MAP1(rint, f64, N) MAP1(sin, f64, N) DIVISIONS(f64, N)) \
  DOUBLE(MAP1(exp, f64, N) MAP1(log, f64, N) MAP1(sigmoid, f64, N)) \
  /* exp(x) = 2^n exp(r), |r| <= ln(2)/2; the polynomials of exp and log are from S. L. Moshier's Cephes library */ \
  INLINE f32x##N exp_f32x##N(f32x##N x) { \
    f32x##N k = NEAREST_##N(x * 1.44269504f, N), r = x - k * 0.693359375f + k * 2.12194440e-4f; \
    f32x##N p = (((((r * 1.9875691500e-4f + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r \
                  + 1.6666665459e-1f) * r + 5.0000001201e-1f) * r * r + r + 1.0f; \
    p = SCALED_##N(p, k, N); \
    p = where_f32x##N(x > 89.0f, splat_f32x##N(INFINITY), p); \
    return where_f32x##N(x < -104.0f, splat_f32x##N(0.0f), p); } \
  INLINE f32x##N sigmoid_f32x##N(f32x##N x) { return 1.0f / (1.0f + exp_f32x##N(-x)); } \
  INLINE f32x##N log_f32x##N(f32x##N x) { /* x = m 2^e, m within sqrt(1/2) .. sqrt(2) */ \
    i32x##N small = x < 0x1p-126f; \
    i32x##N bits = REINTERPRET(where_f32x##N(small, x * 0x1p23f, x), i32, N), e = (bits >> 23) - 127 - (small & 23); \
    f32x##N m = REINTERPRET((bits & 0x7fffff) | 0x3f800000, f32, N); \
    i32x##N big = m > 1.41421356f; \
    m = where_f32x##N(big, m * 0.5f, m) - 1.0f; \
    f32x##N k = CONVERT(e - big, f32, N); \
    f32x##N p = ((((((((m * 7.0376836292e-2f - 1.1514610310e-1f) * m + 1.1676998740e-1f) * m - 1.2420140846e-1f) * m \
      + 1.4249322787e-1f) * m - 1.6668057665e-1f) * m + 2.0000714765e-1f) * m - 2.4999993993e-1f) * m \
      + 3.3333331174e-1f) * m * m * m; \
    p = p - k * 2.12194440e-4f - 0.5f * m * m + m + k * 0.693359375f; \
    p = where_f32x##N(x == 0.0f, splat_f32x##N(-INFINITY), p); \
    p = where_f32x##N((x < 0.0f) | (x != x), splat_f32x##N(NAN), p); \
    return where_f32x##N(x == INFINITY, x, p); }
ALL_LANES(2)
ALL_LANES(4)
ALL_LANES(8)
