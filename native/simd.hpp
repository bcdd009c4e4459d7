// One vector of floating-point numbers, for whichever instruction set this file is compiled for.
//
// GCC's vector extensions give loads, stores and arithmetic; only the fused multiply-add is an
// intrinsic, because -ffp-contract=off keeps the compiler from making one by itself.
// PELLUCID_ISA names the namespace, so that no two builds share a symbol.
#pragma once

#include <cstdint>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define PELLUCID_INLINE inline __attribute__((always_inline))

namespace pellucid::PELLUCID_ISA {

using i64 = std::int64_t;

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
#else
constexpr int vector_bytes = 16;
#endif

template <class T>
struct Simd {
  typedef T Vec __attribute__((vector_size(vector_bytes)));
  // The same vector where it lies in memory: aligned like its elements only.
  typedef T Memory __attribute__((vector_size(vector_bytes), aligned(alignof(T)), may_alias));
  static constexpr int lanes = vector_bytes / int(sizeof(T));
};

template <class T>
using Vec = typename Simd<T>::Vec;

template <class T>
PELLUCID_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename Simd<T>::Memory*>(p);
}

template <class T>
PELLUCID_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename Simd<T>::Memory*>(p) = v;
}

template <class T>
PELLUCID_INLINE Vec<T> splat(T value) {
  return value - Vec<T>{};
}

// A vector of which only the first `left` elements are in memory; zeros behind, or nothing stored.
#if defined(__AVX512F__)
PELLUCID_INLINE Vec<float> load_part(const float* from, i64 left) {
  return _mm512_maskz_loadu_ps(left < 16 ? __mmask16((1u << left) - 1) : __mmask16(-1), from);
}
PELLUCID_INLINE Vec<double> load_part(const double* from, i64 left) {
  return _mm512_maskz_loadu_pd(left < 8 ? __mmask8((1u << left) - 1) : __mmask8(-1), from);
}
PELLUCID_INLINE void store_part(float* to, Vec<float> v, i64 left) {
  _mm512_mask_storeu_ps(to, left < 16 ? __mmask16((1u << left) - 1) : __mmask16(-1), v);
}
PELLUCID_INLINE void store_part(double* to, Vec<double> v, i64 left) {
  _mm512_mask_storeu_pd(to, left < 8 ? __mmask8((1u << left) - 1) : __mmask8(-1), v);
}
#elif defined(__AVX2__)
PELLUCID_INLINE __m256i first_lanes(i64 left, float) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(left < 8 ? left : 8)), lane);
}
PELLUCID_INLINE __m256i first_lanes(i64 left, double) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(left < 4 ? left : 4),
                            _mm256_setr_epi64x(0, 1, 2, 3));
}
PELLUCID_INLINE Vec<float> load_part(const float* from, i64 left) {
  return _mm256_maskload_ps(from, first_lanes(left, 0.0f));
}
PELLUCID_INLINE Vec<double> load_part(const double* from, i64 left) {
  return _mm256_maskload_pd(from, first_lanes(left, 0.0));
}
PELLUCID_INLINE void store_part(float* to, Vec<float> v, i64 left) {
  _mm256_maskstore_ps(to, first_lanes(left, 0.0f), v);
}
PELLUCID_INLINE void store_part(double* to, Vec<double> v, i64 left) {
  _mm256_maskstore_pd(to, first_lanes(left, 0.0), v);
}
#else
template <class T>
PELLUCID_INLINE Vec<T> load_part(const T* from, i64 left) {
  constexpr i64 lanes = Simd<T>::lanes;
  if (left >= lanes) return load(from);
  T values[lanes] = {};
  for (i64 e = 0; e < left; ++e) values[e] = from[e];
  return load(values);
}
template <class T>
PELLUCID_INLINE void store_part(T* to, Vec<T> v, i64 left) {
  constexpr i64 lanes = Simd<T>::lanes;
  if (left >= lanes) return store(to, v);
  T values[lanes];
  store(values, v);
  for (i64 e = 0; e < left; ++e) to[e] = values[e];
}
#endif

// Arrays of so many bytes come from memory, not from a cache.
constexpr i64 far_bytes = 2 << 20;

// Rows of memory that will be needed soon, asked for a little at a time.
class Ahead {
 public:
  Ahead() = default;

  template <class T>
  Ahead(const T* from, i64 count, i64 stride = 0, i64 rows = 1)
      : row_(reinterpret_cast<const char*>(from)),
        bytes_(count * i64(sizeof(T))),
        stride_(stride * i64(sizeof(T))),
        rows_(count > 0 ? rows : 0) {}

  i64 lines() const { return (bytes_ + 63) / 64 * rows_; }

  PELLUCID_INLINE void fetch(i64 count) {
    for (; count > 0 && rows_ > 0; --count) {
      __builtin_prefetch(row_ + at_, 0, 2);
      at_ += 64;
      if (at_ < bytes_) continue;
      at_ = 0;
      row_ += stride_;
      --rows_;
    }
  }

 private:
  const char* row_ = nullptr;
  i64 at_ = 0, bytes_ = 0, stride_ = 0, rows_ = 0;
};

// a * b + c with one rounding where the machine can, with two on the baseline.
#if defined(__AVX512F__)
PELLUCID_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return _mm512_fmadd_ps(a, b, c);
}
PELLUCID_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return _mm512_fmadd_pd(a, b, c);
}
#elif defined(__AVX2__)
PELLUCID_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return _mm256_fmadd_ps(a, b, c);
}
PELLUCID_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return _mm256_fmadd_pd(a, b, c);
}
#elif defined(__ARM_NEON)
PELLUCID_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  return vfmaq_f32(c, a, b);
}
PELLUCID_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) {
  return vfmaq_f64(c, a, b);
}
#else
template <class V>
PELLUCID_INLINE V fma(V a, V b, V c) {
  return a * b + c;
}
#endif

// The root of each lane, rounded correctly. GCC 12 warns of AVX-512 without a mask.
#if defined(__AVX512F__)
PELLUCID_INLINE Vec<float> square_root(Vec<float> a) {
  return _mm512_maskz_sqrt_ps(-1, a);
}
PELLUCID_INLINE Vec<double> square_root(Vec<double> a) {
  return _mm512_maskz_sqrt_pd(-1, a);
}
#elif defined(__AVX2__)
PELLUCID_INLINE Vec<float> square_root(Vec<float> a) {
  return _mm256_sqrt_ps(a);
}
PELLUCID_INLINE Vec<double> square_root(Vec<double> a) {
  return _mm256_sqrt_pd(a);
}
#else
PELLUCID_INLINE Vec<float> square_root(Vec<float> a) {
  for (int l = 0; l < Simd<float>::lanes; ++l) a[l] = __builtin_sqrtf(a[l]);
  return a;
}
PELLUCID_INLINE Vec<double> square_root(Vec<double> a) {
  for (int l = 0; l < Simd<double>::lanes; ++l) a[l] = __builtin_sqrt(a[l]);
  return a;
}
#endif

// NaN stays.
template <class T>
PELLUCID_INLINE Vec<T> at_least_0(Vec<T> v) {
  return v < Vec<T>{} ? Vec<T>{} : v;
}
template <class T>
PELLUCID_INLINE Vec<T> at_most(Vec<T> v, Vec<T> ceiling) {
  return ceiling < v ? ceiling : v;
}

// As many integers as a vector has lanes.
template <class T>
struct Mask;
template <>
struct Mask<float> {
  typedef std::int32_t Type __attribute__((vector_size(vector_bytes)));
};
template <>
struct Mask<double> {
  typedef std::int64_t Type __attribute__((vector_size(vector_bytes)));
};

// The lanes of which all bits are set in `keep`, and zeros.
template <class T>
PELLUCID_INLINE Vec<T> masked(Vec<T> v, typename Mask<T>::Type keep) {
  return (Vec<T>)((typename Mask<T>::Type)v & keep);
}

// Whether a lane is not a number.
template <class T>
PELLUCID_INLINE bool has_nan(Vec<T> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  if constexpr (sizeof(T) == 8) return _mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) return _mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  if constexpr (sizeof(T) == 8) return _mm256_movemask_pd(_mm256_cmp_pd(v, v, _CMP_UNORD_Q));
#else
  for (int l = 0; l < Simd<T>::lanes; ++l)
    if (v[l] != v[l]) return true;
  return false;
#endif
}

template <int... l>
struct Indices {
  static constexpr int count = sizeof...(l);
};

template <int n, int... l>
struct Count : Count<n - 1, n - 1, l...> {};

template <int... l>
struct Count<0, l...> {
  using Type = Indices<l...>;
};

template <class T>
using Lanes = typename Count<Simd<T>::lanes>::Type;

// Adds a vector's elements to as many sums in float64.
PELLUCID_INLINE void add_to(double* sums, Vec<double> v) {
  store(sums, load(sums) + v);
}

// GCC converts vectors two elements at a time if it is left to it.
#if defined(__AVX512F__)
PELLUCID_INLINE void add_to(double* sums, Vec<float> v) {
  const __m512d both = _mm512_castps_pd(v);
  const __m256 low = _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(-1, both, 0));
  const __m256 high = _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(-1, both, 1));
  add_to(sums, Vec<double>(_mm512_maskz_cvtps_pd(-1, low)));
  add_to(sums + 8, Vec<double>(_mm512_maskz_cvtps_pd(-1, high)));
}
#elif defined(__AVX2__)
PELLUCID_INLINE void add_to(double* sums, Vec<float> v) {
  add_to(sums, Vec<double>(_mm256_cvtps_pd(_mm256_castps256_ps128(v))));
  add_to(sums + 4, Vec<double>(_mm256_cvtps_pd(_mm256_extractf128_ps(v, 1))));
}
#else
template <int... l>
PELLUCID_INLINE void add_to(double* sums, Vec<float> v, [[maybe_unused]] Indices<l...> half) {
#if __has_builtin(__builtin_shufflevector)
  constexpr int count = half.count;
  add_to(sums, __builtin_convertvector(__builtin_shufflevector(v, v, l...), Vec<double>));
  add_to(sums + count,
         __builtin_convertvector(__builtin_shufflevector(v, v, (l + count)...), Vec<double>));
#else
  for (int k = 0; k < Simd<float>::lanes; ++k) sums[k] += double(v[k]);
#endif
}

PELLUCID_INLINE void add_to(double* sums, Vec<float> v) {
  add_to(sums, v, Lanes<double>{});
}
#endif

// Parts of 16 bytes. Units of S elements from the low or the high halves of the parts of two
// vectors, by turns.
template <class T, int S, bool high, int... l>
PELLUCID_INLINE Vec<T> zip(Vec<T> a, Vec<T> b, Indices<l...>) {
  constexpr int Q = 16 / int(sizeof(T));
#if defined(__clang__)
  return __builtin_shufflevector(
      a, b,
      (l / Q * Q + high * Q / 2 + l % Q / S / 2 * S + l % S + l / S % 2 * int(sizeof...(l)))...);
#else
  return __builtin_shuffle(a, b,
                           typename Mask<T>::Type{(l / Q * Q + high * Q / 2 + l % Q / S / 2 * S +
                                                   l % S + l / S % 2 * int(sizeof...(l)))...});
#endif
}

// Part k of the vector is what lies at p + k step.
template <class T>
PELLUCID_INLINE Vec<T> load_parts(const T* p, [[maybe_unused]] i64 step) {
#if defined(__AVX512F__)
  const auto at = [=](int k) { return reinterpret_cast<const float*>(p + k * step); };
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(at(0)));
  v = _mm512_insertf32x4(v, _mm_loadu_ps(at(1)), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps(at(2)), 2);
  return (Vec<T>)_mm512_insertf32x4(v, _mm_loadu_ps(at(3)), 3);
#elif defined(__AVX2__)
  const auto at = [=](int k) { return reinterpret_cast<const float*>(p + k * step); };
  const __m256 v = _mm256_castps128_ps256(_mm_loadu_ps(at(0)));
  return (Vec<T>)_mm256_insertf128_ps(v, _mm_loadu_ps(at(1)), 1);
#else
  return load(p);
#endif
}

// to[e], for 16 bytes of elements e, has element e of as many rows as there are lanes.
template <class T>
PELLUCID_INLINE void transpose(const T* from, i64 step, Vec<T>* to) {
  constexpr int Q = 16 / int(sizeof(T));
  Vec<T> v[Q];
#pragma GCC unroll 4
  for (int k = 0; k < Q; ++k) v[k] = load_parts<T>(from + k * step, Q * step);
  if constexpr (Q == 2) {
    to[0] = zip<T, 1, false>(v[0], v[1], Lanes<T>{});
    to[1] = zip<T, 1, true>(v[0], v[1], Lanes<T>{});
  } else {
    const Vec<T> low = zip<T, 1, false>(v[0], v[1], Lanes<T>{});
    const Vec<T> low2 = zip<T, 1, false>(v[2], v[3], Lanes<T>{});
    const Vec<T> high = zip<T, 1, true>(v[0], v[1], Lanes<T>{});
    const Vec<T> high2 = zip<T, 1, true>(v[2], v[3], Lanes<T>{});
    to[0] = zip<T, 2, false>(low, low2, Lanes<T>{});
    to[1] = zip<T, 2, true>(low, low2, Lanes<T>{});
    to[2] = zip<T, 2, false>(high, high2, Lanes<T>{});
    to[3] = zip<T, 2, true>(high, high2, Lanes<T>{});
  }
}

}  // namespace pellucid::PELLUCID_ISA
