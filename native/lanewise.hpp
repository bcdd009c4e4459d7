// Where groups are thinner than a vector: how the channels of x and y meet in its lanes
// (docs/maths.md, 15). x is read as it lies, under every tap. In pass r, lane l of a group of K
// lanes sums what x[l] gives to output l + r of its group,
//
//   acc[r][l] = sum over taps of x[p s + tap][l] w[tap][(l + r) mod K][l]
//   y[p][o]   = sum over r of acc[r][(o - r) mod K]
//
// so that only sums move between lanes: they turn by one lane after each pass, K times in all. For
// gw, gy turns instead.
#pragma once

#include "conv.hpp"
#include "patch.hpp"
#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

// Lane l takes the next lane of its group of K. GCC and Clang make one shuffle of the list.
template <int K, class T, int... l>
PELLUCID_INLINE Vec<T> turn(Vec<T> v, Indices<l...>) {
  if constexpr (K == 1) return v;
  return Vec<T>{v[l / K * K + (l + 1) % K]...};
}

// Keeps the compiler from loading the same numbers again for each use, where they have a register.
template <bool there, class V>
PELLUCID_INLINE V in_register(V v) {
#if defined(__AVX2__)
  if constexpr (there) __asm__("" : "+v"(v));
#endif
  return v;
}

// `lanes / K` elements, as they lie.
template <class T, int K>
struct Part {
  typedef T Vec __attribute__((vector_size(vector_bytes / K)));
  typedef T Memory __attribute__((vector_size(vector_bytes / K), aligned(alignof(T)), may_alias));
};

// Each of lanes / K elements K times.
template <int K, class T, int... l>
PELLUCID_INLINE Vec<T> expand(const T* from, Indices<l...>) {
  if constexpr (K == 1) {
    return load(from);
  } else if constexpr (K == Simd<T>::lanes) {
    return splat(*from);
  } else {
    const typename Part<T, K>::Vec v = *reinterpret_cast<const typename Part<T, K>::Memory*>(from);
    return Vec<T>{v[l / K]...};
  }
}

template <class T, int... l>
PELLUCID_INLINE Vec<T> add_neighbours(Vec<T> v, Indices<l...>) {
  constexpr int half = Simd<T>::lanes / 2;
  return Vec<T>{v[l % half * 2]...} + Vec<T>{v[l % half * 2 + 1]...};
}

// Lane l is the sum of lanes l K ... l K + K - 1, for l < lanes / K.
template <int K, class T>
PELLUCID_INLINE Vec<T> reduce(Vec<T> v) {
  if constexpr (K > 1) return reduce<K / 2, T>(add_neighbours<T>(v, Lanes<T>{}));
  return v;
}

// The first lanes / K lanes.
template <int K, class T, int... l>
PELLUCID_INLINE void store_first(T* to, Vec<T> v, Indices<l...>) {
  if constexpr (K == 1)
    store(to, v);
  else if constexpr (K == Simd<T>::lanes)
    *to = v[0];
  else
    *reinterpret_cast<typename Part<T, K>::Memory*>(to) = typename Part<T, K>::Vec{v[l]...};
}

// The channels of x and of y, vector by vector. The last one ends at the last channel, and
// computes some lanes of the one before again where it must.
template <class T>
struct LaneMap {
  static constexpr i64 lanes = Simd<T>::lanes;

  LaneMap(i64 groups, i64 in_channels, i64 out_channels)
      : in(in_channels),
        out(out_channels),
        group(larger(in, out)),
        all(groups * group),
        vectors((all + lanes - 1) / lanes),
        turns(in == out ? in : 1) {}

  i64 first(i64 vector) const { return smaller(vector * lanes, all - lanes); }
  i64 x_channel(i64 vector) const { return in < out ? first(vector) / out : first(vector); }
  i64 y_channel(i64 vector) const { return out < in ? first(vector) / in : first(vector); }

  // Where range k of `many` begins; the last two vectors, which may overlap, stay together.
  i64 range(i64 k, i64 many) const {
    return k == many ? vectors : larger(vectors - 1, 1) * k / many;
  }

  // Calls job(l, pass, g, o, c) for each lane l of a vector: it meets w[o][c] of group g.
  template <class Job>
  void each_weight(i64 vector, Job job) const {
    for (i64 l = 0; l < lanes; ++l) {
      const i64 lane = first(vector) + l, g = lane / group, within = lane % group;
      for (i64 pass = 0; pass < turns; ++pass)
        job(l, pass, g, out == 1 ? 0 : (within + pass) % group, in == 1 ? 0 : within);
    }
  }

  i64 in, out, group, all;  // channels of one group, the larger of them, those of all groups
  i64 vectors;
  i64 turns;  // passes over x, after each of which sums turn by one lane
};

inline bool reaches(const Axis& axis, i64 q, i64 tap) {
  const i64 at = q * axis.step + axis.offset[tap];
  return at >= 0 && at < axis.in;
}

// The taps of an axis that lie inside of x for one output: begin .. end - 1.
struct Taps {
  i64 begin, end;
};

inline Taps taps_inside(const Axis& axis, i64 q) {
  Taps taps{0, axis.taps};
  while (taps.begin < taps.end && !reaches(axis, q, taps.begin)) ++taps.begin;
  while (taps.begin < taps.end && !reaches(axis, q, taps.end - 1)) --taps.end;
  return taps;
}

// Where each tap (t, u, v) lies in w; returns what is behind the last.
inline i64* fill_weight_places(const Axis* axis, i64* to) {
  for (i64 t = 0; t < axis[0].taps; ++t)
    for (i64 u = 0; u < axis[1].taps; ++u)
      for (i64 v = 0; v < axis[2].taps; ++v)
        *to++ = axis[0].weight[t] + axis[1].weight[u] + axis[2].weight[v];
  return to;
}

// Whether x is too large to be in a cache.
template <class T>
bool is_far(i64 images, const Axis* axis) {
  return i64(sizeof(T)) * images * axis[0].in * axis[1].in * axis[1].x >= far_bytes;
}

// What the tile behind one of `lines` and `columns`, whose x begins at `x`, reads that no other
// did.
template <class T>
Ahead x_behind(const Axis* axis, const T* x, i64 lines, i64 columns) {
  const Axis &high = axis[1], &wide = axis[2];
  const i64 row = high.offset[high.taps - 1] + 1 - high.step;
  const i64 column = columns * wide.step + wide.offset[wide.taps - 1] + 1 - wide.step;
  return {x + row * high.x + column * wide.x, columns * wide.step * wide.x, high.x,
          lines * high.step};
}

// The size of equal parts of `all`, none of them above `most`.
PELLUCID_INLINE i64 part(i64 all, i64 most) {
  const i64 parts = (all + most - 1) / most;
  return (all + parts - 1) / parts;
}

}  // namespace pellucid::PELLUCID_ISA
