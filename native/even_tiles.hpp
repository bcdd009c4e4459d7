// The rows of a product shared out evenly, so that none is computed twice: 25 rows are five tiles
// of five, and 27 are two of six and three of five. One vector leaves room for twice as many rows.
#pragma once

#include "patch.hpp"
#include "tile.hpp"

namespace pellucid::PELLUCID_ISA {

// The accumulators, the vectors of b and one of a fit into 16 registers.
template <int NV>
constexpr int most_rows = NV == 1 ? 8 : tile_rows;

// Tables of i are filled up by so many rows, which repeat the last one.
constexpr i64 spare_rows = 3;

// How many tiles so many rows and columns take.
template <class T>
i64 tiles_of(i64 rows, i64 columns) {
  return (rows + tile_rows - 1) / tile_rows * ((columns + tile_width<T> - 1) / tile_width<T>);
}

// All rows in tiles of so many.
template <class T, int NV, int BL, int MR = most_rows<NV>>
PELLUCID_INLINE void tile_of(i64 rows, const Product<T>& p) {
  if constexpr (MR > spare_rows)
    if (rows < MR) return tile_of<T, NV, BL, MR - 1>(rows, p);
  tile<T, MR, NV, BL>(p);
}

template <class T, int NV, int BL>
PELLUCID_INLINE void tile_evenly(const Product<T>& p) {
  constexpr i64 most = most_rows<NV>;
  if (p.rows % most == 0) return tile<T, most, NV, BL>(p);
  const i64 tiles = divide_up(p.rows, most), many = divide_up(p.rows, tiles);
  const i64 fewer = tiles * many - p.rows;  // tiles of one row less
  Product<T> part = p;
  part.rows = (tiles - fewer) * many;
  tile_of<T, NV, BL>(many, part);
  part.ioff += part.rows;
  part.ooff += part.rows;
  part.rows = p.rows - part.rows;
  if (part.rows > 0) tile_of<T, NV, BL>(many - 1, part);
}

// The same for a number of vectors that is known when it runs.
template <class T, int BL = 0, int NV = tile_vectors>
PELLUCID_INLINE void tile_evenly(i64 vectors, const Product<T>& p) {
  if constexpr (NV > 1)
    if (vectors < NV) return tile_evenly<T, BL, NV - 1>(vectors, p);
  tile_evenly<T, NV, BL>(p);
}

}  // namespace pellucid::PELLUCID_ISA
