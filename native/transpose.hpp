// Channels-last pixels into one plane for each channel, by squares of lanes x lanes elements
// (docs/maths.md, 16).
#pragma once

#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

// to[j * plane + i] = from[i * step + j] for i and j < lanes. A function of its own, so that its
// addresses stay in registers.
template <class T>
__attribute__((noinline)) void transpose_square(const T* from, i64 step, T* to, i64 plane) {
  constexpr int lanes = Simd<T>::lanes, quarter = 16 / int(sizeof(T));
#pragma GCC unroll 4
  for (int part = 0; part < lanes; part += quarter) {
    Vec<T> v[quarter];
    transpose<T>(from + part, step, v);
#pragma GCC unroll 4
    for (int i = 0; i < quarter; ++i) store(to + (part + i) * plane, v[i]);
  }
}

// A row of pixels, each with `channels` elements side by side, `step` from one to the next.
template <class T>
struct PixelRow {
  const T* at;
  i64 step, pixels, channels;
};

// The square from pixel `k` and channel `c` on, where there may be fewer than `lanes` of either.
template <class T>
void transpose_corner(const PixelRow<T>& row, i64 k, i64 c, T* to, i64 plane) {
  constexpr i64 lanes = Simd<T>::lanes;
  T square[lanes * lanes];
  for (i64 i = 0; i < lanes; ++i)
    for (i64 j = 0; j < lanes; ++j)
      square[i * lanes + j] =
          k + i < row.pixels && c + j < row.channels ? row.at[(k + i) * row.step + c + j] : T(0);
  transpose_square<T>(square, lanes, to, plane);
}

// to[c * plane + k] = element c of pixel first + k, for k < count; 0 where there is no such pixel.
// Up to a vector more than `count` is written, and as many planes as fill the last vector of
// channels. The same pixels `ahead` elements further on are fetched into the cache.
template <class T>
void transpose_row(const PixelRow<T>& row, i64 first, i64 count, T* to, i64 plane, i64 ahead) {
  constexpr i64 lanes = Simd<T>::lanes, line = 64 / i64(sizeof(T));
  const i64 begin = first > 0 ? first : 0;
  const i64 end = first + count < row.pixels ? first + count : row.pixels;
  const i64 left = begin < end ? begin - first : count, right = begin < end ? end - first : count;
  for (i64 c = 0; c < row.channels; ++c)
    for (i64 k = 0; k < left; k += lanes) store(to + c * plane + k, Vec<T>{});
  for (i64 k0 = begin; k0 < end; k0 += line)
    for (i64 c = 0; c < row.channels; c += lanes)
      for (i64 k1 = k0; k1 < k0 + line && k1 < end; k1 += lanes) {
        // The last square lies over the one before, rather than past the end.
        const i64 k = k1 + lanes <= end || end - lanes < begin ? k1 : end - lanes;
        const T* from = row.at + k * row.step + c;
        T* into = to + c * plane + k - first;
        // Past the last channel lies the next pixel, which nothing will look at.
        if (k + lanes <= end &&
            (c + lanes <= row.channels ||
             (row.step > 0 && (k + lanes - 1) * row.step + c + lanes <=
                                  (row.pixels - 1) * row.step + row.channels))) {
          if (c % line == 0)
#pragma GCC unroll 16
            for (int e = 0; e < lanes; ++e) __builtin_prefetch(from + ahead + e * row.step);
          transpose_square<T>(from, row.step, into, plane);
        } else {
          transpose_corner<T>(row, k, c, into, plane);
        }
      }
  for (i64 c = 0; c < row.channels; ++c)
    for (i64 k = right; k < count; k += lanes) store(to + c * plane + k, Vec<T>{});
}

}  // namespace pellucid::PELLUCID_ISA
