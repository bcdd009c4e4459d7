// Matrix products: those that pack what the register tile reads, and those too small for that.
#pragma once

#include "context.hpp"

namespace pellucid {

// y (M, N) = a (M, K) b (K, N) + bias (N, or null), in panels of `panel` elements of K. The rows of
// y have no gaps.
template <class T>
struct MatrixProduct {
  i64 rows, depth, columns, panel;
  const T* a;
  i64 a_row, a_column;
  const T* b;
  i64 b_row, b_column;
  const T* bias;
  T* y;
  i64 y_row;
};

template <class T>
struct Products {
  // False when there is no memory left.
  bool (*tiled)(const MatrixProduct<T>&, const Context&);
  // Either the rows of b or its columns have no gaps.
  void (*few_rows)(const MatrixProduct<T>&, const Context&);
};

}  // namespace pellucid
