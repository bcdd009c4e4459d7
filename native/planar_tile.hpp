// A register tile whose lanes are pixels (docs/maths.md, 16): planes of pixels meet weights.
//
//   out[m][c][pixel] = sum over taps t, and o, of planes[o][pixel + at[t]] w[m][t][o][c]
//
// It is the tile of tile.hpp with its roles exchanged: here the vector operand lies under a table
// of offsets, and the scalar one is packed.
#pragma once

#include "patch.hpp"
#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

constexpr i64 tile_planes = 16;  // walked under all taps before the next, to stay in cache

// How many vectors of pixels a tile has, where each takes `sums` accumulators.
constexpr int planar_vectors(int sums) {
  // Of 16 registers the baseline, which has no multiply-add, needs more for products.
  const int fitting = (vector_bytes == 64 ? 24 : vector_bytes == 32 ? 12 : 8) / sums;
  return fitting < 8 ? fitting : 8;
}

// A tap: where it lies in the planes, and its weights for each of the M rows.
struct Tap {
  i64 at, weight[2];
};

// The taps that reach the first of two rows alone, both (or the only one), and the last alone.
struct Taps {
  const Tap* tap;
  i64 first, both, last;
};

// Rows of memory that will be read next, fetched into the second cache level bit by bit.
struct RowsAhead {
  const char* at;
  i64 lines;  // of the cache, after each tap
  const char* row;
  i64 bytes, stride, rows;

  PELLUCID_INLINE void fetch() {
    for (i64 k = 0; k < lines; ++k, at += 64) __builtin_prefetch(at, 0, 2);
  }
  void next_row() {
    if (at < row + bytes) return;
    at = row += stride;
    if (--rows <= 0) lines = 0;
  }
};

// What all tiles of one pass share.
template <class T>
struct Planes {
  const T* at;
  i64 plane, count;  // from one to the next, and how many
  const T* w;        // [tap][o][c]
  Taps taps;
  T* out;
  i64 out_row, out_channel;
  RowsAhead* ahead;
};

// Without it GCC reads memory again for every product, which loads cannot keep up with.
template <class T>
PELLUCID_INLINE void keep_in_register(Vec<T>& v) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(v));
#elif defined(__SSE2__)
  __asm__("" : "+x"(v));
#elif defined(__ARM_NEON)
  __asm__("" : "+w"(v));
#endif
}

// Add `count` planes under the taps begin .. end - 1 to rows m0 .. m1 - 1.
template <class T, int m0, int m1, int M, int C, int NV>
PELLUCID_INLINE void add(Vec<T> (&acc)[M][C][NV], const T* planes, i64 plane, const T* w,
                         const Tap* begin, const Tap* end, i64 count, RowsAhead& ahead) {
  for (const Tap* tap = begin; tap < end; ++tap) {
    const T* p = planes + tap->at;
    const T* row[2] = {w + tap->weight[0], w + tap->weight[1]};
#pragma GCC unroll 1
    for (i64 l = 0; l < count; ++l) {
      // Whichever is fewer is held, weights or pixels: the registers of AVX2 just do.
      if constexpr ((m1 - m0) * C <= NV) {
        Vec<T> weight[M][C];
#pragma GCC unroll 2
        for (int m = m0; m < m1; ++m)
#pragma GCC unroll 4
          for (int c = 0; c < C; ++c) weight[m][c] = splat(row[m][c]);
#pragma GCC unroll 16
        for (int j = 0; j < NV; ++j) {
          Vec<T> pixels = load(p + j * Simd<T>::lanes);
          if constexpr ((m1 - m0) * C > 1) keep_in_register<T>(pixels);
#pragma GCC unroll 2
          for (int m = m0; m < m1; ++m)
#pragma GCC unroll 4
            for (int c = 0; c < C; ++c) acc[m][c][j] = fma(weight[m][c], pixels, acc[m][c][j]);
        }
      } else {
        Vec<T> pixels[NV];
#pragma GCC unroll 16
        for (int j = 0; j < NV; ++j) {
          pixels[j] = load(p + j * Simd<T>::lanes);
          keep_in_register<T>(pixels[j]);
        }
#pragma GCC unroll 2
        for (int m = m0; m < m1; ++m)
#pragma GCC unroll 4
          for (int c = 0; c < C; ++c) {
            const Vec<T> weight = splat(row[m][c]);
#pragma GCC unroll 16
            for (int j = 0; j < NV; ++j) acc[m][c][j] = fma(weight, pixels[j], acc[m][c][j]);
          }
      }
      p += plane;
#pragma GCC unroll 2
      for (int m = m0; m < m1; ++m) row[m] += C;
    }
    ahead.fetch();
  }
}

// The sums of NV vectors of pixels from `q` on.
template <class T, int M, int C, int NV>
__attribute__((noinline)) void planar_tile(const Planes<T>& planes, i64 q) {
  const Planes<T> g = planes;
  RowsAhead ahead = *g.ahead;
  Vec<T> acc[M][C][NV];
#pragma GCC unroll 2
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c)
#pragma GCC unroll 16
      for (int j = 0; j < NV; ++j) acc[m][c][j] = Vec<T>{};
  const Tap *both = g.taps.tap + g.taps.first, *last = both + g.taps.both;
  for (i64 o = 0; o < g.count; o += tile_planes) {
    const i64 many = smaller(tile_planes, g.count - o);
    const T *p = g.at + q + o * g.plane, *w = g.w + o * C;
    if constexpr (M > 1) add<T, 0, 1>(acc, p, g.plane, w, g.taps.tap, both, many, ahead);
    add<T, 0, M>(acc, p, g.plane, w, both, last, many, ahead);
    if constexpr (M > 1)
      add<T, M - 1, M>(acc, p, g.plane, w, last, last + g.taps.last, many, ahead);
  }
#pragma GCC unroll 2
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c)
#pragma GCC unroll 16
      for (int j = 0; j < NV; ++j)
        store(g.out + q + m * g.out_row + c * g.out_channel + j * Simd<T>::lanes, acc[m][c][j]);
  g.ahead->at = ahead.at;
  g.ahead->next_row();
}

// All pixels q .. end - 1, and up to a vector more: NV vectors at a time, then what is left.
template <class T, int M, int C, int NV = planar_vectors(M * C)>
void planar_tiles(const Planes<T>& g, i64 q, i64 end) {
  constexpr i64 lanes = Simd<T>::lanes, width = NV * lanes;
  for (; q + width - lanes < end; q += width) planar_tile<T, M, C, NV>(g, q);
  if constexpr (NV > 1)
    if (q < end) planar_tiles<T, M, C, NV - 1>(g, q, end);
}

}  // namespace pellucid::PELLUCID_ISA
