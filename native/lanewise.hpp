// Where groups are thinner than a vector: x sorted so that every lane finds its own input
// (docs/maths.md, lanewise). Lane o of plane q is the channel that output o multiplies with w[q]:
//
//   frame[row][column][q][o] = x[row][column][(o div (O/G)) (C/G) + q]
//
// Permuted, expanded or split once here, x is then read by plain loads under every tap. The frame
// has zeros where taps reach over the edge of x, and in the lanes past the last channel.
#pragma once

#include "kernels.hpp"
#include "patch.hpp"
#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

// Groups of K lanes, each filled with its lane q. GCC and Clang make one shuffle of the list.
template <int K, int q, class T, int... l>
PELLUCID_INLINE Vec<T> permute(Vec<T> v, Indices<l...>) {
  return Vec<T>{v[l / K * K + q]...};
}

// Each of lanes / K elements K times.
template <int K, class T, int... l>
PELLUCID_INLINE Vec<T> expand(const T* from, Indices<l...>) {
  if constexpr (K == Simd<T>::lanes) {
    return splat(*from);
  } else {
    typedef T Part __attribute__((vector_size(vector_bytes / K)));
    typedef T Memory __attribute__((vector_size(vector_bytes / K), aligned(alignof(T)), may_alias));
    const Part v = *reinterpret_cast<const Memory*>(from);
    return Vec<T>{v[l / K]...};
  }
}

template <int at, class T>
PELLUCID_INLINE T lane_of_two(Vec<T> a, Vec<T> b) {
  if constexpr (at < Simd<T>::lanes) {
    return a[at];
  } else {
    return b[at - Simd<T>::lanes];
  }
}

// Every second lane of two vectors.
template <int odd, class T, int... l>
PELLUCID_INLINE Vec<T> halve(Vec<T> a, Vec<T> b, Indices<l...>) {
  return Vec<T>{lane_of_two<2 * l + odd, T>(a, b)...};
}

// Lane l of to[q] is element l K + q of the K vectors.
template <int K, class T>
PELLUCID_INLINE void split(const Vec<T>* from, Vec<T>* to, int step) {
  if constexpr (K == 1) {
    *to = *from;
  } else {
    Vec<T> even[K / 2], odd[K / 2];
#pragma GCC unroll 8
    for (int k = 0; k < K / 2; ++k) {
      even[k] = halve<0, T>(from[2 * k], from[2 * k + 1], Lanes<T>{});
      odd[k] = halve<1, T>(from[2 * k], from[2 * k + 1], Lanes<T>{});
    }
    split<K / 2, T>(even, to, 2 * step);
    split<K / 2, T>(odd, to + step, 2 * step);
  }
}

// How the channels of x meet the lanes of y.
template <class T>
struct LaneMap {
  static constexpr i64 lanes = Simd<T>::lanes;

  LaneMap(i64 groups, i64 in_channels, i64 out_channels)
      : in(in_channels), out(out_channels), all(groups * out_channels) {
    vectors = (all + lanes - 1) / lanes;
    broadcast = in == lanes && out == lanes;
    pixel = broadcast ? lanes : in * lanes;
  }

  i64 first_channel(i64 vector) const { return vector * lanes / out * in; }
  i64 count(i64 vector) const { return smaller(lanes, all - vector * lanes); }
  // Where plane q of a pixel lies.
  i64 plane(i64 q) const { return broadcast ? q : q * lanes; }

  i64 in, out, all;  // channels of one group, output channels of all groups
  i64 vectors;
  i64 pixel;       // elements of one pixel of the frame, for one vector
  bool broadcast;  // a group fills the vector: all lanes read the same element
};

// What the lanes of an output multiply with their weights: from a sorted frame, or one element.
template <class T, bool broadcast>
PELLUCID_INLINE Vec<T> operand(const T* p) {
  if constexpr (broadcast) {
    return splat(*p);
  } else {
    return load(p);
  }
}

// Sorts pixels of x for a range of vectors. x is read as it lies, one pixel after the other, and
// each vector has a frame of its own: x comes from far away, and the frames stay in cache.
template <class T>
class Sort {
 public:
  explicit Sort(const LaneMap<T>& map) : map_(map) {
    const i64 in = map.in, out = map.out;
    if (map.broadcast || (in == 1 && out == 1)) sort_ = plain;
    if (in == out && in < lanes)
      sort_ = in == 2 ? permuted<2> : in == 4 ? permuted<4> : in == 8 ? permuted<8> : sort_;
    if (in == 1 && out <= lanes)
      sort_ = out == 2 ? expanded<2> : out == 4 ? expanded<4> : out == 8 ? expanded<8> : sort_;
    if (out == 1) sort_ = in == 2 ? halved<2> : in == 4 ? halved<4> : in == 8 ? halved<8> : sort_;
  }

  // Pixels from[0], from[step] ... with all their channels; `to` is the frame of vector `begin`,
  // and the next vector has its frame `apart` behind.
  void operator()(i64 begin, i64 end, const T* from, i64 step, i64 columns, T* to,
                  i64 apart) const {
    const i64 full = sort_ ? smaller(end, map_.all / lanes) : begin;
    const i64 next = lanes / map_.out * map_.in;
    if (full > begin) sort_({from + begin * next, step, next, columns, full - begin, to, apart});
    for (i64 v = larger(begin, full); v < end; ++v)
      any(v, from, step, columns, to + (v - begin) * apart);
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;

  struct Pixels {
    const T* from;
    i64 step, next;  // to the next pixel, to the channels of the next vector
    i64 columns, vectors;
    T* to;
    i64 apart;

    template <class Job>
    PELLUCID_INLINE void each(i64 size, Job job) const {
      // Copies: the compiler must take it that a store may change what it reaches by `this`.
      const i64 x_next = next, y_next = apart, many = vectors, last = columns, x_step = step;
      const T* first = from;
      T* put = to;
      for (i64 c = 0; c < last; ++c, first += x_step, put += size) {
        const T* x = first;
        T* y = put;
        for (i64 v = many; v > 0; --v, x += x_next, y += y_next) job(x, y);
      }
    }
  };

  static void plain(const Pixels& pixels) {
    pixels.each(lanes, [](const T* x, T* y) { store(y, load(x)); });
  }

  template <int K>
  static void permuted(const Pixels& pixels) {
    if constexpr (K < lanes)
      pixels.each(K * lanes,
                  [](const T* x, T* y) { permute_all<K>(load(x), y, typename Count<K>::Type{}); });
  }

  template <int K, int... q>
  PELLUCID_INLINE static void permute_all(Vec<T> v, T* y, Indices<q...>) {
    (store(y + q * lanes, permute<K, q, T>(v, Lanes<T>{})), ...);
  }

  template <int K>
  static void expanded(const Pixels& pixels) {
    if constexpr (K <= lanes)
      pixels.each(lanes, [](const T* x, T* y) { store(y, expand<K, T>(x, Lanes<T>{})); });
  }

  template <int K>
  static void halved(const Pixels& pixels) {
    pixels.each(K * lanes, [](const T* x, T* y) {
      Vec<T> v[K], planes[K];
#pragma GCC unroll 8
      for (int k = 0; k < K; ++k) v[k] = load(x + k * lanes);
      split<K, T>(v, planes, 1);
#pragma GCC unroll 8
      for (int k = 0; k < K; ++k) store(y + k * lanes, planes[k]);
    });
  }

  // Any map, one element at a time: also for the channels behind the last full vector.
  void any(i64 vector, const T* from, i64 step, i64 columns, T* to) const {
    i64 channel[Simd<T>::lanes];
    const i64 count = map_.count(vector);
    for (i64 l = 0; l < count; ++l) channel[l] = (vector * lanes + l) / map_.out * map_.in;
    for (i64 c = 0; c < columns; ++c, from += step)
      for (i64 q = 0; q < map_.in; ++q, to += lanes) {
        for (i64 l = 0; l < count; ++l) to[l] = from[channel[l] + q];
        for (i64 l = count; l < lanes; ++l) to[l] = T(0);
      }
  }

  const LaneMap<T>& map_;
  void (*sort_)(const Pixels&) = nullptr;
};

// The size of equal parts of `all`, none of them above `most`.
PELLUCID_INLINE i64 part(i64 all, i64 most) {
  const i64 parts = (all + most - 1) / most;
  return (all + parts - 1) / parts;
}

// A box of output pixels of one image, and how many vectors of channels go through it together.
struct Box {
  i64 lines, columns, vectors;
  i64 together;  // lines whose rows are in the frame at the same time
};

constexpr i64 frame_bytes = 96 << 10;  // leaves most of the second cache level to x and y
constexpr i64 least_vectors = 4;       // that go through a box together, so that x and y are
                                       // walked in whole cache lines
constexpr i64 box_lines = 32;          // the rows above a box are sorted twice

// The sorted rows under the lines in hand, as a ring: row r of a box is row r mod `ring` of the
// frame. It slides down a box, so that x is sorted just before it is used, and once.
template <class T>
class Frames {
 public:
  // At least `pixels` pixels, if a box has them, are in the frame at the same time.
  Frames(const T* x, i64 x_image, const Axis* axis, const LaneMap<T>& map, i64 pixels)
      : x_(x), x_image_(x_image), axis_(axis), map_(map), sort_(map) {
    for (int a = 0; a < max_axes; ++a) reach_[a] = reach(axis[a]);
    choose_box(pixels);
    // An odd number of cache lines, lest the frames of all vectors meet in the same few sets.
    const i64 line = 64 / i64(sizeof(T)), size = axis[0].taps * ring_ * row_size();
    vector_size_ = ((size + line - 1) / line | 1) * line;
    boxes_high_ = (axis[1].out + box.lines - 1) / box.lines;
    boxes_wide_ = (axis[2].out + box.columns - 1) / box.columns;
  }

  // Boxes of one image.
  i64 boxes() const { return axis_[0].out * boxes_high_ * boxes_wide_; }

  // Elements of the frame of one vector.
  i64 vector_size() const { return vector_size_; }

  // From one output pixel to the next.
  i64 column_step() const { return axis_[2].step * map_.pixel; }

  // Lines that begin at the same row of the frame are this far apart.
  i64 phases() const { return ring_ / axis_[1].step; }

  // Elements that one output reads.
  i64 reads() const { return axis_[0].taps * axis_[1].taps * axis_[2].taps * map_.in; }

  // Where they lie for the first pixel of a line of each phase: [phase][t, u, v, q].
  void fill_reads(i64* to) const {
    for (i64 phase = 0; phase < phases(); ++phase)
      for (i64 t = 0; t < axis_[0].taps; ++t)
        for (i64 u = 0; u < axis_[1].taps; ++u)
          for (i64 v = 0; v < axis_[2].taps; ++v) {
            const i64 row = phase * axis_[1].step + axis_[1].offset[u] - reach_[1].low;
            const i64 column = axis_[2].offset[v] - reach_[2].low;
            const i64 tap = (t * ring_ + row % ring_) * row_size() + column * map_.pixel;
            for (i64 q = 0; q < map_.in; ++q) *to++ = tap + map_.plane(q);
          }
  }

  // A box inside of y.
  struct Place {
    i64 n, d, h, w, lines, columns;
  };

  Place place(i64 k) const {
    const i64 w = k % boxes_wide_ * box.columns;
    k /= boxes_wide_;
    const i64 h = k % boxes_high_ * box.lines;
    k /= boxes_high_;
    return {k / axis_[0].out,
            k % axis_[0].out,
            h,
            w,
            smaller(box.lines, axis_[1].out - h),
            smaller(box.columns, axis_[2].out - w)};
  }

  // Slide the frame of vectors begin .. end - 1 down from line `first` of a box to line `last`.
  void slide(const Place& at, i64 begin, i64 end, i64 first, i64 last, T* frame) const {
    const i64 done = first > 0 ? (first - 1) * axis_[1].step + span(1) : 0;
    const i64 stop = (last - 1) * axis_[1].step + span(1);
    for (i64 t = 0; t < axis_[0].taps; ++t) {
      const i64 d = at.d * axis_[0].step + axis_[0].offset[t];
      for (i64 k = larger(done, first * axis_[1].step); k < stop; ++k) {
        const i64 h = at.h * axis_[1].step + reach_[1].low + k;
        const bool there = d >= 0 && d < axis_[0].in && h >= 0 && h < axis_[1].in;
        const T* from = x_ + at.n * x_image_ + d * axis_[0].x + h * axis_[1].x;
        fill_row(at, there ? from : nullptr, begin, end,
                 frame + (t * ring_ + k % ring_) * row_size());
      }
    }
  }

  Box box;

 private:
  i64 span(int a) const { return reach_[a].high - reach_[a].low + 1; }
  i64 width(i64 columns) const { return (columns - 1) * axis_[2].step + span(2); }
  i64 row_size() const { return width(box.columns) * map_.pixel; }

  // Rows for `lines` lines, such that a line's place in the ring depends on its phase alone.
  i64 ring(i64 lines) const {
    const i64 step = axis_[1].step;
    return (span(1) + (lines - 1) * step + step - 1) / step * step;
  }

  // Depends on one image alone: the sums of grad_weight are cut along boxes.
  void choose_box(i64 pixels) {
    const i64 column = axis_[0].taps * ring(1) * map_.pixel * i64(sizeof(T));
    const i64 few = smaller(map_.vectors, map_.pixel > Simd<T>::lanes ? 2 : least_vectors);
    const i64 widest = (frame_bytes / (column * few) - span(2)) / axis_[2].step + 1;
    box.columns = part(axis_[2].out, larger(8, widest));
    box.vectors = frame_bytes / (column * width(box.columns));
    box.vectors = larger(few, smaller(map_.vectors, box.vectors));
    box.lines = part(axis_[1].out, box_lines);
    box.together = smaller(box.lines, larger(1, pixels / box.columns));
    ring_ = ring(box.together);
  }

  // One row: zeros on the left, what there is of x, zeros on the right.
  void fill_row(const Place& at, const T* from, i64 begin, i64 end, T* to) const {
    const i64 low = at.w * axis_[2].step + reach_[2].low, all = width(at.columns);
    const i64 left = from ? smaller(larger(-low, 0), all) : all;
    const i64 right = from ? larger(smaller(axis_[2].in - low, all), left) : all;
    if (right - left < all)
      for (i64 v = 0; v < end - begin; ++v) {
        clear(to + v * vector_size(), left);
        clear(to + v * vector_size() + right * map_.pixel, all - right);
      }
    if (right > left)
      sort_(begin, end, from + (left + low) * axis_[2].x, axis_[2].x, right - left,
            to + left * map_.pixel, vector_size());
  }

  void clear(T* to, i64 columns) const {
    for (i64 e = 0; e < columns * map_.pixel; e += Simd<T>::lanes) store(to + e, Vec<T>{});
  }

  const T* x_;
  i64 x_image_;
  const Axis* axis_;
  const LaneMap<T>& map_;
  Sort<T> sort_;
  Reach reach_[max_axes];
  i64 ring_, boxes_high_, boxes_wide_, vector_size_;
};

}  // namespace pellucid::PELLUCID_ISA
