// Products for which packing b, as the register tile needs it, would take longer than to multiply:
// of few rows, of little depth, or small.
//
// Lanes are columns of y, so that each y[i,j] is added up in the order of k, as everywhere. Where
// the columns of b lie without gaps, blocks of them are turned in registers.
#include "jobs.hpp"
#include "products.hpp"
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Rows that meet b at a time.
constexpr int most_rows = 4;

// Adds the sums of a panel, for `left` columns, to those of the panels before it.
template <class T>
PELLUCID_INLINE void deliver(const MatrixProduct<T>& p, i64 i, i64 j, i64 left, i64 k, Vec<T> sum) {
  T* y = p.y + i * p.y_row + j;
  if (k > 0) sum = load_part(y, left) + sum;
  if (p.bias && k + p.panel >= p.depth) sum = sum + load_part(p.bias + j, left);
  store_part(y, sum, left);
}

// Columns j to j + width vectors, of which `left` are there, of rows i to i + M, from rows of b.
template <class T, int M, int width>
PELLUCID_INLINE void along_rows(const MatrixProduct<T>& p, i64 i, i64 j, i64 left) {
  constexpr i64 lanes = Simd<T>::lanes;
  for (i64 k = 0; k < p.depth; k += p.panel) {
    const i64 end = k + p.panel < p.depth ? k + p.panel : p.depth;
    Vec<T> sum[M][width];
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v) sum[m][v] = Vec<T>{};
    const T* a = p.a + i * p.a_row + k * p.a_column;
    const T* b = p.b + k * p.b_row + j;
    for (i64 r = k; r < end; ++r, a += p.a_column, b += p.b_row) {
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v) {
        const Vec<T> row = width > 1 ? load(b + v * lanes) : load_part(b, left);
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m) sum[m][v] = fma(splat(a[m * p.a_row]), row, sum[m][v]);
      }
    }
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
      for (int v = 0; v < width; ++v)
        deliver(p, i + m, j + v * lanes, left - v * lanes, k, sum[m][v]);
  }
}

// Products of elements k to `end` of M rows of a with `width` vectors of columns, which are rows of
// memory at b, `step` apart.
template <class T, int M, int width>
PELLUCID_INLINE void turn(const MatrixProduct<T>& p, i64 i, i64 k, i64 end, const T* b, i64 step,
                          Vec<T> (&sum)[M][width]) {
  constexpr i64 lanes = Simd<T>::lanes, part = 16 / i64(sizeof(T));
  const T* a = p.a + i * p.a_row + k * p.a_column;
  for (; k + part <= end; k += part, b += part) {
#pragma GCC unroll 2
    for (int v = 0; v < width; ++v) {
      Vec<T> columns[part];
      transpose(b + v * lanes * step, step, columns);
#pragma GCC unroll 4
      for (i64 e = 0; e < part; ++e)
#pragma GCC unroll 4
        for (int m = 0; m < M; ++m)
          sum[m][v] = fma(splat(a[m * p.a_row + e * p.a_column]), columns[e], sum[m][v]);
    }
    a += part * p.a_column;
  }
  for (; k < end; ++k, ++b, a += p.a_column)
    for (int v = 0; v < width; ++v) {
      T column[lanes];
      for (i64 l = 0; l < lanes; ++l) column[l] = b[(v * lanes + l) * step];
      for (int m = 0; m < M; ++m) sum[m][v] = fma(splat(a[m * p.a_row]), load(column), sum[m][v]);
    }
}

// Columns j to j + width vectors of rows i to i + M, from columns of b. Of one vector only `left`
// columns may be there: then they are copied to where there are zeros behind them.
template <class T, int M, int width>
PELLUCID_INLINE void along_columns(const MatrixProduct<T>& p, i64 i, i64 j, i64 left) {
  constexpr i64 lanes = Simd<T>::lanes, piece = 64;
  for (i64 k = 0; k < p.depth; k += p.panel) {
    const i64 end = k + p.panel < p.depth ? k + p.panel : p.depth;
    Vec<T> sum[M][width];
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
      for (int v = 0; v < width; ++v) sum[m][v] = Vec<T>{};
    const T* b = p.b + j * p.b_column + k;
    if (left >= width * lanes) {
      turn<T, M, width>(p, i, k, end, b, p.b_column, sum);
    } else {
      T copy[lanes * piece] = {};
      for (i64 begin = k; begin < end; begin += piece, b += piece) {
        const i64 count = begin + piece < end ? piece : end - begin;
        for (i64 l = 0; l < left; ++l)
          for (i64 e = 0; e < count; ++e) copy[l * piece + e] = b[l * p.b_column + e];
        turn<T, M, width>(p, i, begin, begin + count, copy, piece, sum);
      }
    }
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m)
#pragma GCC unroll 2
      for (int v = 0; v < width; ++v)
        deliver(p, i + m, j + v * lanes, left - v * lanes, k, sum[m][v]);
  }
}

// Columns begin <= j < end of M rows.
template <class T, int M>
void columns(const MatrixProduct<T>& p, i64 i, i64 begin, i64 end) {
  constexpr i64 lanes = Simd<T>::lanes;
  i64 j = begin;
  if (p.b_column == 1) {
    constexpr int width = M == 1 ? 8 : M == 2 ? 4 : 3;
    for (; j + width * lanes <= end; j += width * lanes)
      along_rows<T, M, width>(p, i, j, width * lanes);
    for (; j < end; j += lanes) along_rows<T, M, 1>(p, i, j, end - j);
  } else {
    // Sums that do not wait for each other: at least two
    constexpr int width = M == 1 ? 2 : 1;
    for (; j + width * lanes <= end; j += width * lanes)
      along_columns<T, M, width>(p, i, j, width * lanes);
    for (; j < end; j += lanes) along_columns<T, M, 1>(p, i, j, end - j);
  }
}

}  // namespace

template <class T>
void multiply_few_rows(const MatrixProduct<T>& p, const Context& context) {
  // Of a job
  constexpr i64 most_columns = 24 * Simd<T>::lanes, most_of_rows = 32;
  const i64 across = (p.columns + most_columns - 1) / most_columns;
  auto job = [&](i64 number) {
    const i64 begin = number % across * most_columns, first = number / across * most_of_rows;
    const i64 end = begin + most_columns < p.columns ? begin + most_columns : p.columns;
    const i64 last = first + most_of_rows < p.rows ? first + most_of_rows : p.rows;
    i64 i = first;
    for (; i + most_rows <= last; i += most_rows) columns<T, most_rows>(p, i, begin, end);
    switch (last - i) {
      case 1:
        return columns<T, 1>(p, i, begin, end);
      case 2:
        return columns<T, 2>(p, i, begin, end);
      case 3:
        return columns<T, 3>(p, i, begin, end);
    }
  };
  each_job((p.rows + most_of_rows - 1) / most_of_rows * across, job, context);
}

template void multiply_few_rows<float>(const MatrixProduct<float>&, const Context&);
template void multiply_few_rows<double>(const MatrixProduct<double>&, const Context&);

}  // namespace pellucid::PELLUCID_ISA
