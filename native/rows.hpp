// Products of a matrix of few rows, which go through the other matrix once, as it lies.
#pragma once

#include "context.hpp"

namespace pellucid {

// y (M, N) = a (M, K) b (K, N) + bias (N, or null), in panels of `panel` elements of K. Either the
// rows of b or its columns have no gaps; the rows of y have none.
template <class T>
struct FewRows {
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
  void (*few_rows)(const FewRows<T>&, const Context&);
};

}  // namespace pellucid
