// The register tile: all multiplications of the library are made here (docs/maths.md, 14).
//
//   out[i][j] = sum over r, l   a[ioff[i] + roff[r] + l al] * b[(r L + l) bl + j]
//
// for i < MR rows and j < NV vectors. `ioff` and `roff` are tables of offsets, so that i may run
// across row ends and images, and r over any set of kernel taps.
#pragma once

#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

// MR x NV accumulators, NV vectors of b and one of a fill 15 of the 16 registers of AVX2.
constexpr int tile_rows = 6;
constexpr int tile_vectors = 2;

template <class T>
constexpr i64 tile_width = tile_vectors * Simd<T>::lanes;

// A function of its own: inlined, it would share its registers with what its callers keep. Every
// loop over the accumulators is unrolled, or they would be on the stack.
template <class T, int MR, int NV>
__attribute__((noinline)) void tile(const T* __restrict a, const i64* __restrict ioff,
                                    const i64* __restrict roff, i64 R, i64 L, i64 al,
                                    const T* __restrict b, i64 bl, T* __restrict out) {
  Vec<T> acc[MR][NV];
  i64 at[MR];
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i) {
    at[i] = ioff[i];
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) acc[i][j] = Vec<T>{};
  }
  for (i64 r = 0; r < R; ++r) {
    const T* p = a + roff[r];
#pragma GCC unroll 1
    for (i64 l = 0; l < L; ++l) {
      Vec<T> row[NV];
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) row[j] = load(b + j * Simd<T>::lanes);
#pragma GCC unroll 16
      for (int i = 0; i < MR; ++i) {
        const Vec<T> one = splat(p[at[i]]);
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) acc[i][j] = fma(one, row[j], acc[i][j]);
      }
      p += al;
      b += bl;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < NV; ++j) store(out + (i * NV + j) * Simd<T>::lanes, acc[i][j]);
}

}  // namespace pellucid::PELLUCID_ISA
