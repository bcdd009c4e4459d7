// The products of a tile at some taps, for grad_weight of conv_lanewise_gradient.cpp
// (docs/maths.md, 15): for each tap one vector as accumulator, nine of them at once.
#pragma once

#include "lanewise.hpp"

namespace pellucid::PELLUCID_ISA {

// A tile of output pixels for one vector of channels.
template <class T>
struct Pixels {
  const T* x;
  i64 x_line, x_step;
  T* gy;
  i64 gy_line, gy_step;
  i64 lines, columns;
  // Only for rows of taps, bit by bit: the columns of x from each pixel on that are inside of x,
  // and the rows of taps that are, for each line.
  const unsigned *inside, *there;
};

// Where a tap reads x, and where its sum is.
struct TapSum {
  i64 x, sum;
};

// Add the products at A taps to their sums, and leave gy turned within groups of K. Few sums are
// kept several times, for every U-th pixel, so that additions do not wait for each other. Not
// inlined: its pointers need all integer registers.
template <class T, int K, int E, int A>
__attribute__((noinline)) void add(const Pixels<T>& p, const TapSum* taps, T* sums) {
  constexpr int U = A > 4 ? 1 : 8 / A;
  Vec<T> acc[U][A];
  i64 at[A];
#pragma GCC unroll 9
  for (int a = 0; a < A; ++a) {
    at[a] = taps[a].x;
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) acc[u][a] = Vec<T>{};
  }
  const i64 x_step = p.x_step, gy_step = p.gy_step;
  for (i64 h = 0; h < p.lines; ++h) {
    const T* x = p.x + h * p.x_line;
    T* gy = p.gy + h * p.gy_line;
    const auto pixel = [&](Vec<T>* acc) {
      const Vec<T> g = load(gy);
      if constexpr (K > 1) store(gy, turn<K, T>(g, Lanes<T>{}));
#pragma GCC unroll 9
      for (int a = 0; a < A; ++a) acc[a] = fma(expand<E, T>(x + at[a], Lanes<T>{}), g, acc[a]);
      x += x_step;
      gy += gy_step;
    };
    i64 left = p.columns;
#pragma GCC unroll 1
    for (; left >= U; left -= U)
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u) pixel(acc[u]);
    if constexpr (U > 1) {
#pragma GCC unroll 1
      for (; left > 0; --left) pixel(acc[0]);
    }
  }
#pragma GCC unroll 9
  for (int a = 0; a < A; ++a) {
    T* to = sums + taps[a].sum;
    Vec<T> sum = acc[0][a];
#pragma GCC unroll 8
    for (int u = 1; u < U; ++u) sum += acc[u][a];
    store(to, load(to) + sum);
  }
}

// The same for three rows of three neighbouring taps at stride S. A column of x is loaded once for
// the pixels that it meets, whose gy are in registers; what is outside of x is left out.
template <class T, int K, int S>
class Rows {
 public:
  static void add(const Pixels<T>& p, const TapSum* taps, T* sums) {
    const i64 column = taps[1].x - taps[0].x, rows[3] = {taps[0].x, taps[3].x, taps[6].x};
    Vec<T> acc[9];
#pragma GCC unroll 9
    for (int a = 0; a < 9; ++a) acc[a] = Vec<T>{};
    for (i64 h = 0; h < p.lines; ++h) {
      Place at{p.x + h * p.x_line, p.gy + h * p.gy_line, p.inside, p.there[h]};
      i64 left = p.columns;
#pragma GCC unroll 1
      for (; left >= many; left -= many) pixels<many>(acc, at, rows, column, p.gy_step);
      if (many > 4 && left >= 4) left -= 4, pixels<4>(acc, at, rows, column, p.gy_step);
      if (left >= 2) left -= 2, pixels<2>(acc, at, rows, column, p.gy_step);
      if (left >= 1) pixels<1>(acc, at, rows, column, p.gy_step);
    }
#pragma GCC unroll 9
    for (int a = 0; a < 9; ++a) {
      T* to = sums + taps[a].sum;
      store(to, load(to) + acc[a]);
    }
  }

 private:
  // Registers: nine more, one for x and, where groups turn, one for how.
  static constexpr int many = vector_bytes == 64 ? 7 : vector_bytes == 32 ? 5 : 4;

  struct Place {
    const T* x;
    T* gy;
    const unsigned* inside;
    unsigned there;
  };

  template <int P>
  PELLUCID_INLINE static void pixels(Vec<T>* acc, Place& at, const i64* rows, i64 column,
                                     i64 gy_step) {
    Vec<T> g[P];
#pragma GCC unroll 8
    for (int i = 0; i < P; ++i, at.gy += gy_step) {
      g[i] = load(at.gy);
      if constexpr (K > 1) store(at.gy, turn<K, T>(g[i], Lanes<T>{}));
    }
    const unsigned inside = *at.inside;
    at.inside += P;
    const T* x = at.x;
    at.x += P * S * column;
    using Columns = typename Count<(P - 1) * S + 3>::Type;
    if (at.there == 7) {
      columns<P>(acc, x, inside, rows, column, g, Indices<0, 1, 2>{}, Columns{});
    } else {
      if (at.there & 1) columns<P>(acc, x, inside, rows, column, g, Indices<0>{}, Columns{});
      if (at.there & 2) columns<P>(acc, x, inside, rows, column, g, Indices<1>{}, Columns{});
      if (at.there & 4) columns<P>(acc, x, inside, rows, column, g, Indices<2>{}, Columns{});
    }
  }

  template <int P, class There, int... j>
  PELLUCID_INLINE static void columns(Vec<T>* acc, const T* x, unsigned inside, const i64* rows,
                                      i64 column, const Vec<T>* g, There there, Indices<j...>) {
    ((inside >> j & 1 ? meet_rows<P, j>(acc, x, rows, g, there) : void(), x += column), ...);
  }

  template <int P, int j, int... r>
  PELLUCID_INLINE static void meet_rows(Vec<T>* acc, const T* x, const i64* rows, const Vec<T>* g,
                                        Indices<r...>) {
    (meet<P, j>(acc + 3 * r, in_register<true>(load(x + rows[r])), g), ...);
  }

  template <int P, int j>
  PELLUCID_INLINE static void meet(Vec<T>* acc, Vec<T> x, const Vec<T>* g) {
    meet_tap<P, j, 0>(acc, x, g);
    meet_tap<P, j, 1>(acc, x, g);
    meet_tap<P, j, 2>(acc, x, g);
  }

  template <int P, int j, int v>
  PELLUCID_INLINE static void meet_tap(Vec<T>* acc, Vec<T> x, const Vec<T>* g) {
    constexpr int i = (j - v) / S;
    if constexpr (j >= v && (j - v) % S == 0 && i < P) acc[v] = fma(x, g[i], acc[v]);
  }
};

template <class T>
using Add = void (*)(const Pixels<T>&, const TapSum*, T*);

// What adds any number of taps, and what adds three rows of three; the last chunk of a pass turns
// gy.
constexpr int chunks[] = {9, 6, 4, 3, 2, 1};
constexpr int chunk_sizes = 6;

template <class T>
struct Adds {
  Add<T> any[chunk_sizes], rows[2];  // rows: for each stride
};

template <class T, int K, int E>
constexpr Adds<T> adds = {{add<T, K, E, 9>, add<T, K, E, 6>, add<T, K, E, 4>, add<T, K, E, 3>,
                           add<T, K, E, 2>, add<T, K, E, 1>},
                          {Rows<T, K, 1>::add, Rows<T, K, 2>::add}};

template <class T, int K = Simd<T>::lanes>
const Adds<T>& adds_of(const LaneMap<T>& map, bool turning) {
  if constexpr (K > 1) {
    if (map.group < K) return adds_of<T, K / 2>(map, turning);
    if (map.in < map.out) return adds<T, 1, K>;
    if (!turning) return adds<T, 1, 1>;
  }
  return adds<T, K, 1>;
}

}  // namespace pellucid::PELLUCID_ISA
