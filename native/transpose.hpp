// Channels-last pixels into one plane for each channel: squares of lanes x lanes elements, turned
// in registers by log2(lanes) rounds of exchanges between vectors (docs/maths.md, 16).
#pragma once

#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

template <int... l>
struct Order {};

template <int n, int... l>
struct Ordered : Ordered<n - 1, n - 1, l...> {};

template <int... l>
struct Ordered<0, l...> {
  using Type = Order<l...>;
};

// N quarters of 16 bytes, `step` apart in memory, side by side.
template <int N, class T, int... l>
PELLUCID_INLINE auto gather(const T* from, i64 step, Order<l...>) {
  constexpr int bytes = 16 * N;
  typedef T Part __attribute__((vector_size(bytes)));
  if constexpr (N == 1) {
    typedef T Memory __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));
    return Part(*reinterpret_cast<const Memory*>(from));
  } else {
    constexpr int half = sizeof...(l) / 2;
    using Half = typename Ordered<half>::Type;
    const auto a = gather<N / 2, T>(from, step, Half{});
    const auto b = gather<N / 2, T>(from + N / 2 * step, step, Half{});
    return __builtin_shufflevector(a, b, l...);
  }
}

// Elements of a and b in turns, from the low or the high half of each 16 bytes.
template <int high, class T, int... l>
PELLUCID_INLINE Vec<T> zip(Vec<T> a, Vec<T> b, Order<l...>) {
  constexpr int quarter = 16 / int(sizeof(T)), lanes = Simd<T>::lanes;
  return __builtin_shufflevector(
      a, b, (l % 2 * lanes + l / quarter * quarter + high * quarter / 2 + l % quarter / 2)...);
}

// to[j * plane + i] = from[i * step + j] for i and j < lanes. A function of its own, so that its
// addresses stay in registers.
template <class T>
__attribute__((noinline)) void transpose_square(const T* from, i64 step, T* to, i64 plane) {
  constexpr int lanes = Simd<T>::lanes, quarter = 16 / int(sizeof(T));
  using All = typename Ordered<lanes>::Type;
#pragma GCC unroll 4
  for (int part = 0; part < lanes; part += quarter) {
    Vec<T> v[quarter], w[quarter];
#pragma GCC unroll 4
    for (int i = 0; i < quarter; ++i)
      v[i] = gather<lanes / quarter, T>(from + part + i * step, quarter * step, All{});
#pragma GCC unroll 4
    for (int i = 0; i < quarter; ++i) {
      const int k = i / 2;
      w[i] = i % 2 ? zip<1, T>(v[k], v[k + quarter / 2], All{})
                   : zip<0, T>(v[k], v[k + quarter / 2], All{});
    }
#pragma GCC unroll 4
    for (int i = 0; i < quarter; ++i) {
      const int k = i / 2;
      if (quarter == 4)
        v[i] = i % 2 ? zip<1, T>(w[k], w[k + quarter / 2], All{})
                     : zip<0, T>(w[k], w[k + quarter / 2], All{});
      else
        v[i] = w[i];
    }
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
