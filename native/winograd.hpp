// The one-dimensional transforms of Winograd's convolution on six points: 0, +-a, +-b, infinity.
//
// F(m, r) computes m outputs of a correlation with r taps from 6 = m + r - 1 inputs by 6
// multiplications: y = A^T [(G w) * (B^T x)] (docs/maths.md, Winograd). All four uses share the
// points, and so the input transform: F(4, 3) and F(2, 5) forward, F(3, 4) and F(5, 2) for
// grad_weight. a = 5/8 and b = 3/2 lose a third of the accuracy that the usual 1 and 2 lose.
// Source: Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for
// Deep Neural Networks" (2020).
#pragma once

#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

constexpr int points = 6;
constexpr double point_a = 0.625, point_b = 1.5;

template <class T>
PELLUCID_INLINE Vec<T> fmadd(double k, Vec<T> x, Vec<T> y) {
  return fma(splat(T(k)), x, y);
}

// B^T x: the values that six inputs take at the points, up to the factors in G.
template <class T>
PELLUCID_INLINE void transform_input(Vec<T> (&x)[points]) {
  constexpr double aa = point_a * point_a, bb = point_b * point_b;
  const Vec<T> even_a = fmadd<T>(-bb, x[2], x[4]), odd_a = fmadd<T>(-bb, x[1], x[3]);
  const Vec<T> even_b = fmadd<T>(-aa, x[2], x[4]), odd_b = fmadd<T>(-aa, x[1], x[3]);
  x[0] = fmadd<T>(aa * bb, x[0], fmadd<T>(-(aa + bb), x[2], x[4]));
  x[5] = fmadd<T>(aa * bb, x[1], fmadd<T>(-(aa + bb), x[3], x[5]));
  x[1] = fmadd<T>(point_a, odd_a, even_a);
  x[2] = fmadd<T>(-point_a, odd_a, even_a);
  x[3] = fmadd<T>(point_b, odd_b, even_b);
  x[4] = fmadd<T>(-point_b, odd_b, even_b);
}

// A^T m: OUT outputs from the six products. The powers of a point weigh its product.
template <class T, int OUT>
PELLUCID_INLINE void transform_output(const Vec<T> (&m)[points], Vec<T> (&y)[OUT]) {
  const Vec<T> even_a = m[1] + m[2], odd_a = m[1] - m[2];
  const Vec<T> even_b = m[3] + m[4], odd_b = m[3] - m[4];
  double pa = 1, pb = 1;
#pragma GCC unroll 6
  for (int k = 0; k < OUT; ++k) {
    const Vec<T>&from_a = k % 2 ? odd_a : even_a, &from_b = k % 2 ? odd_b : even_b;
    y[k] = fmadd<T>(pa, from_a, splat(T(pb)) * from_b);
    if (k == 0) y[k] += m[0];
    if (k == OUT - 1) y[k] += m[5];
    pa *= point_a;
    pb *= point_b;
  }
}

// G w: the values of TAPS weights at the points, divided by what B^T left out.
template <class T, int TAPS>
PELLUCID_INLINE void transform_weight(const Vec<T> (&w)[TAPS], Vec<T> (&u)[points]) {
  constexpr double aa = point_a * point_a, bb = point_b * point_b;
  constexpr double n0 = 1 / (aa * bb), na = 1 / (2 * aa * (aa - bb)), nb = 1 / (2 * bb * (bb - aa));
  Vec<T> even_a{}, odd_a{}, even_b{}, odd_b{};
  double pa = na, pb = nb;
#pragma GCC unroll 6
  for (int k = 0; k < TAPS; ++k) {
    Vec<T>&to_a = k % 2 ? odd_a : even_a, &to_b = k % 2 ? odd_b : even_b;
    to_a = fmadd<T>(pa, w[k], to_a);
    to_b = fmadd<T>(pb, w[k], to_b);
    pa *= point_a;
    pb *= point_b;
  }
  u[0] = splat(T(n0)) * w[0];
  u[1] = even_a + odd_a;
  u[2] = even_a - odd_a;
  u[3] = even_b + odd_b;
  u[4] = even_b - odd_b;
  u[5] = w[TAPS - 1];
}

// The same along both axes of a small square. Rows come from `row(i, values)` and columns go to
// `put(j, values)`, one at a time: all 36 values would not fit into registers. One row needs no
// transform along it.
template <class T, int ROWS, class Row, class Put>
PELLUCID_INLINE void transform_input_2d(Row row, Put put) {
  Vec<T> half[ROWS][points];
#pragma GCC unroll 1
  for (int i = 0; i < ROWS; ++i) {
    Vec<T> x[points];
    row(i, x);
    transform_input<T>(x);
#pragma GCC unroll 6
    for (int j = 0; j < points; ++j) half[i][j] = x[j];
  }
#pragma GCC unroll 1
  for (int j = 0; j < points; ++j) {
    Vec<T> column[ROWS];
#pragma GCC unroll 6
    for (int i = 0; i < ROWS; ++i) column[i] = half[i][j];
    if constexpr (ROWS > 1) transform_input<T>(column);
    put(j, column);
  }
}

template <class T, int ROWS, int OUT_ROWS, int OUT, class Row, class Put>
PELLUCID_INLINE void transform_output_2d(Row row, Put put) {
  Vec<T> half[ROWS][OUT];
#pragma GCC unroll 1
  for (int i = 0; i < ROWS; ++i) {
    Vec<T> m[points];
    row(i, m);
    transform_output<T, OUT>(m, half[i]);
  }
#pragma GCC unroll 1
  for (int j = 0; j < OUT; ++j) {
    Vec<T> column[ROWS], y[OUT_ROWS];
#pragma GCC unroll 6
    for (int i = 0; i < ROWS; ++i) column[i] = half[i][j];
    if constexpr (ROWS > 1)
      transform_output<T, OUT_ROWS>(column, y);
    else
      y[0] = column[0];
    put(j, y);
  }
}

template <class T, int TAP_ROWS, int TAPS, int ROWS, class Row, class Put>
PELLUCID_INLINE void transform_weight_2d(Row row, Put put) {
  Vec<T> half[TAP_ROWS][points];
#pragma GCC unroll 1
  for (int i = 0; i < TAP_ROWS; ++i) {
    Vec<T> w[TAPS];
    row(i, w);
    transform_weight<T, TAPS>(w, half[i]);
  }
#pragma GCC unroll 1
  for (int j = 0; j < points; ++j) {
    Vec<T> column[TAP_ROWS], u[ROWS];
#pragma GCC unroll 6
    for (int i = 0; i < TAP_ROWS; ++i) column[i] = half[i][j];
    if constexpr (ROWS > 1)
      transform_weight<T, TAP_ROWS>(column, u);
    else
      u[0] = column[0];
    put(j, u);
  }
}

}  // namespace pellucid::PELLUCID_ISA
