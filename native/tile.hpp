// The register tile: all multiplications of the library are made here (docs/maths.md, 14).
//
//   out[ooff[i] + j] = bias[j] + sum over r, l   a[ioff[i] + roff[r] + l al] * b[(r L + l) bl + j]
//
// for i < rows, MR at a time, and j < NV vectors; without a bias, the sums begin at 0 and are added
// to what `out` holds, so that a long sum in panels is as accurate as its panels. `ioff`, `roff`
// and `ooff` are tables of offsets, so that i may run across row ends and images, and r over any
// set of kernel taps. Tables of i are filled up to a multiple of MR: with the last row again, which
// is then computed twice.
#pragma once

#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

// 6 x 2 accumulators, 2 vectors of b and one of a fill 15 of the 16 registers of AVX2, and 6 x 4
// with theirs 29 of the 32 of AVX-512.
constexpr int tile_rows = 6;
constexpr int tile_vectors = vector_bytes == 64 ? 4 : 2;

template <class T>
constexpr i64 tile_width = tile_vectors * Simd<T>::lanes;

// A single vector cannot hide how long its sums take, so three are rather one tile: on AVX2 of four
// rows, whose 12 accumulators, 3 vectors of b and one of a fill the registers. Without instructions
// that multiply and add, a product takes another one.
constexpr int rows_of_three = vector_bytes == 16 ? 3 : 4;

constexpr i64 no_offset = 0;

template <class T>
struct Product {
  i64 rows;
  const T* a;
  const i64 *ioff, *roff;
  i64 R, L, al;
  const T* b;
  i64 bl;
  const T* bias;  // null: add to out
  T* out;
  const i64* ooff;
  T ceiling;               // above 0: out is moved to the nearer end of 0 .. ceiling
  Ahead* ahead = nullptr;  // of which so many cache lines are asked for with each MR rows of i,
  i64 fetches = 0, row_fetches = 0;  // and with each r of those
  bool goes_on = false;              // without a bias: the sums begin with what `out` holds
  const i64* boff = nullptr;         // where each r begins in b; null: behind the one before
};

// A function of its own: inlined, it would share its registers with what its callers keep. Every
// loop over the accumulators is unrolled, or they would be on the stack.
// With a BL, al is 1 and bl is that: what the compiler knows, it need not add up in registers.
template <class T, int MR, int NV, int BL = 0>
__attribute__((noinline)) void tile(const Product<T>& p) {
  constexpr i64 lanes = Simd<T>::lanes;
  const i64 L = p.L, al = BL ? 1 : p.al, bl = BL ? BL : p.bl;
  for (i64 first = 0; first < p.rows; first += MR) {
    if (p.fetches) p.ahead->fetch(p.fetches);
    const i64 *ioff = p.ioff + first, *ooff = p.ooff + first;
    Vec<T> acc[MR][NV];
    i64 at[MR];
#pragma GCC unroll 8
    for (int i = 0; i < MR; ++i) {
      at[i] = ioff[i];
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j)
        acc[i][j] = p.bias      ? load(p.bias + j * lanes)
                    : p.goes_on ? load(p.out + ooff[i] + j * lanes)
                                : Vec<T>{};
    }
    const bool adds = !p.bias && !p.goes_on;
    if (adds) {
#pragma GCC unroll 8
      for (int i = 0; i < MR; ++i) __builtin_prefetch(p.out + ooff[i]);
    }
    const T* b = p.b;
    for (i64 r = 0; r < p.R; ++r) {
      const T* a = p.a + p.roff[r];
      if (p.row_fetches) p.ahead->fetch(p.row_fetches);
      if (p.boff) b = p.b + p.boff[r];
#pragma GCC unroll 1
      for (i64 l = 0; l < L; ++l) {
        Vec<T> row[NV];
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) row[j] = load(b + j * lanes);
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i) {
          const Vec<T> one = splat(a[at[i]]);
#pragma GCC unroll 4
          for (int j = 0; j < NV; ++j) acc[i][j] = fma(one, row[j], acc[i][j]);
        }
        a += al;
        b += bl;
      }
    }
    if (adds) {
#pragma GCC unroll 8
      for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) acc[i][j] += load(p.out + ooff[i] + j * lanes);
    }
    if (p.ceiling > 0) {
#pragma GCC unroll 8
      for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) acc[i][j] = at_least_0<T>(acc[i][j]);
      if (p.ceiling < T(__builtin_inf())) {
        const Vec<T> ceiling = splat(p.ceiling);
#pragma GCC unroll 8
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
          for (int j = 0; j < NV; ++j) acc[i][j] = at_most<T>(acc[i][j], ceiling);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < NV; ++j) store(p.out + ooff[i] + j * lanes, acc[i][j]);
  }
}

// The same for a number of vectors that is known when it runs.
template <class T>
PELLUCID_INLINE void tile(i64 vectors, const Product<T>& p) {
  if constexpr (tile_vectors == 4) {
    if (vectors == 4) return tile<T, tile_rows, 4>(p);
    if (vectors == 3) return tile<T, tile_rows, 3>(p);
  }
  if (vectors == 2) return tile<T, tile_rows, 2>(p);
  tile<T, tile_rows, 1>(p);
}

}  // namespace pellucid::PELLUCID_ISA
