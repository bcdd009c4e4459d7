// How Winograd's transforms on six points serve any kernel: outputs are cut into tiles, taps into
// parts, and each part is a small convolution at stride 1 of its own (docs/maths.md, 13).
//
// Along one axis with step s and taps d apart, outputs that are lcm(s, d) / s apart form tiles of
// OUT = 7 - TAPS, and taps that are lcm(s, d) / d apart form parts of at most TAPS; the inputs of a
// tile are lcm(s, d) apart. The sums of all parts are added before the transform back, so that a
// part counts like further channels.
#pragma once

#include "conv.hpp"
#include "jobs.hpp"
#include "patch.hpp"
#include "winograd.hpp"

namespace pellucid::PELLUCID_ISA {

constexpr i64 most_parts = 16;  // along one axis
constexpr double least_gain =
    1.8;  // fewer products than directly, or it is not worth the transforms

// Room for `size` elements in an odd number of cache lines: what is read or written for all points
// at once is that far apart, and else would meet in the same few sets of the cache.
template <class T>
constexpr i64 odd_lines(i64 size) {
  constexpr i64 line = 64 / i64(sizeof(T));
  return ((size + line - 1) / line | 1) * line;
}

PELLUCID_INLINE i64 greatest_divisor(i64 a, i64 b) {
  while (b) {
    const i64 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// The classes that the taps of an axis fall into, by what they are modulo `apart`.
struct TapClasses {
  explicit TapClasses(const Axis& axis)
      : spacing(axis.taps > 1 ? axis.offset[1] - axis.offset[0] : axis.step),
        inputs(axis.step / greatest_divisor(axis.step, spacing) * spacing),
        apart(inputs / spacing),
        longest((axis.taps + apart - 1) / apart) {}

  i64 spacing, inputs, apart, longest;
};

// The products behind one output along one axis, with parts of so many taps. Tiles that reach over
// the edge count whole.
inline double products(const Axis& axis, i64 taps) {
  const TapClasses classes(axis);
  const i64 apart = classes.inputs / axis.step, out = points - taps + 1;
  const i64 tiles = ((axis.out + apart - 1) / apart + out - 1) / out * apart;
  i64 parts = 0;
  for (i64 first = 0; first < smaller(classes.apart, axis.taps); ++first)
    parts += ((axis.taps - first + classes.apart - 1) / classes.apart + taps - 1) / taps;
  return parts > most_parts ? 1e30 : double(parts * points * tiles) / double(axis.out);
}

// How many taps parts have along the last two axes, as two digits, and the products behind one
// output with them; 0 and the direct count where that is hardly more.
struct Scheme {
  int taps;
  double products;
};

inline Scheme winograd_scheme(const Axis* axis) {
  const i64 depth = axis[0].taps, direct = depth * axis[1].taps * axis[2].taps;
  Scheme best{0, double(direct)};
  double least = double(direct) / least_gain;
  for (int taps = 5; taps >= 3; --taps) {
    if (axis[1].taps == 1 && taps > 3) continue;
    const double rows = axis[1].taps == 1 ? 1 : products(axis[1], taps);
    const double all = double(depth) * rows * products(axis[2], taps);
    if (all > least) continue;
    least = all * (1 - 1e-9);  // of equals, the longer parts
    best = {axis[1].taps == 1 ? 10 + taps : 11 * taps, all};
  }
  return best;
}

template <int TAPS>
struct Cut {
  static constexpr int size = TAPS == 1 ? 1 : points;
  static constexpr int out = size - TAPS + 1;

  explicit Cut(const Axis& axis) : axis(&axis) {
    const TapClasses classes(axis);
    inputs = classes.inputs;
    outputs = inputs / axis.step;
    apart = classes.apart;
    tiles_in_row = ((axis.out + outputs - 1) / outputs + out - 1) / out;
    tiles = outputs * tiles_in_row;
    parts = 0;
    for (i64 first = 0; first < smaller(apart, axis.taps); ++first)
      for (i64 tap = first; tap < axis.taps; tap += TAPS * apart) begin[parts++] = tap;
  }

  // The first output of a tile.
  i64 place(i64 tile) const { return tile / tiles_in_row + tile % tiles_in_row * out * outputs; }
  i64 tap(i64 part, i64 k) const { return begin[part] + k * apart; }

  const Axis* axis;
  i64 inputs, outputs, apart;  // distances of a tile's inputs and outputs, and of a part's taps
  i64 tiles_in_row, tiles, parts;
  i64 begin[most_parts];  // the first tap of each part
};

// The tiles of all images, and the parts of all taps.
template <class T, int TAP_ROWS, int TAPS>
struct TileGrid {
  using Rows = Cut<TAP_ROWS>;
  using Columns = Cut<TAPS>;
  static constexpr i64 planes = Rows::size * Columns::size;

  TileGrid(const T* x, i64 x_image, const Axis* axis)
      : x(x), x_image(x_image), depth(axis), rows(axis[1]), columns(axis[2]) {}

  i64 tiles_of_image() const { return depth->out * rows.tiles * columns.tiles; }
  i64 parts() const { return depth->taps * rows.parts * columns.parts; }

  // The image and the first output of a tile.
  struct Place {
    i64 n, d, i, j;
  };

  Place place(i64 tile) const {
    const i64 j = tile % columns.tiles, i = tile / columns.tiles % rows.tiles;
    const i64 d = tile / columns.tiles / rows.tiles % depth->out;
    return {tile / tiles_of_image(), d, rows.place(i), columns.place(j)};
  }

  // Where the taps of a part are.
  struct Part {
    i64 t, rows, columns;
  };

  Part part(i64 k) const {
    return {k / columns.parts / rows.parts, k / columns.parts % rows.parts, k % columns.parts};
  }

  // V = B^T x B of one tile and one part, for `count` channels from x's channel c on, rounded up
  // to vectors; point q goes to v + q plane.
  void gather(const Place& at, i64 k, i64 c, i64 count, T* v, i64 plane) const {
    const Part of = part(k);
    const Axis &high = *rows.axis, &wide = *columns.axis;
    const i64 d = at.d * depth->step + depth->offset[of.t];
    const i64 i = at.i * high.step + high.offset[rows.begin[of.rows]];
    const i64 j = at.j * wide.step + wide.offset[columns.begin[of.columns]];
    constexpr i64 lanes = Simd<T>::lanes;
    const i64 down = rows.inputs, across = columns.inputs;
    const bool there = d >= 0 && d < depth->in;
    const bool whole = j >= 0 && j + (points - 1) * across < wide.in;
    // A column outside x is read at the nearest one inside, and masked.
    i64 column[points] = {};
    typename Mask<T>::Type keep[points] = {};
    for (int b = 0; b < points && (!whole || count % lanes); ++b) {
      const i64 w = j + b * across, near = smaller(larger(w, 0), wide.in - 1);
      column[b] = near * wide.x;
      keep[b] = (w == near ? -1 : 0) - typename Mask<T>::Type{};
    }
    const T* from = x + at.n * x_image + d * depth->x + i * high.x + c;
    for (i64 e = 0; e < count; e += lanes) {
      const auto row = [&](int a, Vec<T>(&values)[points]) {
        const i64 h = i + a * down;
        const T* line = from + a * down * high.x + e;
        if (!there || h < 0 || h >= high.in) {
#pragma GCC unroll 6
          for (int b = 0; b < points; ++b) values[b] = Vec<T>{};
        } else if (whole && e + lanes <= count) {
          line += j * wide.x;
#pragma GCC unroll 6
          for (int b = 0; b < points; ++b) values[b] = load(line + b * across * wide.x);
        } else {
#pragma GCC unroll 6
          for (int b = 0; b < points; ++b)
            values[b] = masked<T>(load_part(line + column[b], count - e), keep[b]);
        }
      };
      const auto put = [&](int b, const Vec<T>(&values)[Rows::size]) {
#pragma GCC unroll 6
        for (int a = 0; a < Rows::size; ++a) store(v + (a * points + b) * plane + e, values[a]);
      };
      transform_input_2d<T, Rows::size>(row, put);
    }
  }

  const T* x;
  i64 x_image;
  const Axis* depth;
  Rows rows;
  Columns columns;
};

inline void in_turn(i64 jobs, void (*job)(void* data, i64 k), void* data) {
  for (i64 k = 0; k < jobs; ++k) job(data, k);
}

// Compute each group: on a thread of its own where there are enough of them, else on all threads.
template <class Problem>
bool each_group(const Problem& p, const Context& context, Problem (*group_of)(const Problem&, i64),
                bool (*compute)(const Problem&, const Context&)) {
  if (p.groups < context.threads || p.groups == 1) {
    bool done = true;
    for (i64 g = 0; g < p.groups && done; ++g) done = compute(group_of(p, g), context);
    return done;
  }
  struct Groups {
    const Problem& p;
    Context alone;
    Problem (*group_of)(const Problem&, i64);
    bool (*compute)(const Problem&, const Context&);
    Flag failed = {};
  } groups{p, {in_turn, 1, context.allocate, context.release}, group_of, compute};
  const auto job = [](void* data, i64 g) {
    auto& all = *static_cast<Groups*>(data);
    if (!all.compute(all.group_of(all.p, g), all.alone)) all.failed.raise();
  };
  context.parallel(p.groups, job, &groups);
  return !groups.failed;
}

}  // namespace pellucid::PELLUCID_ISA
