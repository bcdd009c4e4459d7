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

// A vector of which only `left` elements are there; zeros behind.
template <class T>
PELLUCID_INLINE Vec<T> load_part(const T* from, i64 left) {
  constexpr i64 lanes = Simd<T>::lanes;
  if (left >= lanes) return load(from);
  T values[lanes] = {};
  for (i64 e = 0; e < left; ++e) values[e] = from[e];
  return load(values);
}

template <class T>
PELLUCID_INLINE void store_part(T* to, Vec<T> value, i64 left) {
  constexpr i64 lanes = Simd<T>::lanes;
  if (left >= lanes) {
    store(to, value);
    return;
  }
  T values[lanes];
  store(values, value);
  for (i64 e = 0; e < left; ++e) to[e] = values[e];
}

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

}  // namespace pellucid::PELLUCID_ISA
