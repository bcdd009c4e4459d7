// The 6x6 tiles that Winograd cuts x into, each for OUT x OUT outputs, over all images.
#pragma once

#include "kernels.hpp"
#include "patch.hpp"
#include "winograd.hpp"

namespace pellucid::PELLUCID_ISA {

constexpr i64 planes = points * points;

template <class T, int OUT>
struct TileGrid {
  const T* x;
  i64 x_image;
  const Axis *rows, *columns;
  i64 high, wide;  // tiles

  // The image and the first output of a tile.
  struct Place {
    i64 n, i, j;
  };

  TileGrid(const T* x, i64 x_image, const Axis* axis)
      : x(x),
        x_image(x_image),
        rows(axis + 1),
        columns(axis + 2),
        high((rows->out + OUT - 1) / OUT),
        wide((columns->out + OUT - 1) / OUT) {}

  Place place(i64 tile) const {
    return {tile / wide / high, tile / wide % high * OUT, tile % wide * OUT};
  }

  // V = B^T x B of one tile, for `count` channels from x's channel c on, rounded up to vectors;
  // point q goes to v + q * plane.
  void gather(i64 tile, i64 c, i64 count, T* v, i64 plane) const {
    const Place at = place(tile);
    const i64 i = at.i + rows->offset[0], j = at.j + columns->offset[0];
    const T* from = x + at.n * x_image + i * rows->x + j * columns->x + c;
    const bool inside = i >= 0 && i + points <= rows->in && j >= 0 && j + points <= columns->in;
    constexpr i64 lanes = Simd<T>::lanes;
    for (i64 e = 0; e < count; e += lanes) {
      Vec<T> d[points][points];
      if (inside && e + lanes <= count) {
#pragma GCC unroll 6
        for (int a = 0; a < points; ++a)
#pragma GCC unroll 6
          for (int b = 0; b < points; ++b) d[a][b] = load(from + a * rows->x + b * columns->x + e);
      } else {
        for (int a = 0; a < points; ++a)
          for (int b = 0; b < points; ++b) {
            const bool there = i + a >= 0 && i + a < rows->in && j + b >= 0 && j + b < columns->in;
            d[a][b] =
                there ? load_part(from + a * rows->x + b * columns->x + e, count - e) : Vec<T>{};
          }
      }
      transform_input_2d<T>(d);
#pragma GCC unroll 6
      for (int a = 0; a < points; ++a)
#pragma GCC unroll 6
        for (int b = 0; b < points; ++b) store(v + (a * points + b) * plane + e, d[a][b]);
    }
  }
};

}  // namespace pellucid::PELLUCID_ISA
