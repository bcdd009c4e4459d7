// The rows of x that a block of output lines reads, padded where they reach over the edge.
//
// A line is one row of output pixels (n, q_d, q_h), or a part of one. Where no tap leaves x, the
// lines point into x itself; else, or where its pixels lie far apart, the rows in hand are copied
// into a frame of zeros, a few per cent of the time.
#pragma once

#include "conv.hpp"
#include "sizes.hpp"

namespace pellucid::PELLUCID_ISA {

// The first and the last place that an axis reads, relative to output 0.
struct Reach {
  i64 low, high;
};

inline Reach reach(const Axis& axis) {
  Reach r{axis.offset[0], axis.offset[0]};
  for (i64 t = 1; t < axis.taps; ++t) {
    r.low = smaller(r.low, axis.offset[t]);
    r.high = larger(r.high, axis.offset[t]);
  }
  return r;
}

template <class T>
class Patch {
  static constexpr i64 most_copied = 8 << 20;  // bytes of small images that are taken together

 public:
  // Of each pixel, `channels` are wanted from x on; of each line, `columns` at a time.
  Patch(const T* x, i64 x_image, const Axis* axis, i64 channels, i64 columns, bool copies = false)
      : x_(x), x_image_(x_image), axis_(axis), channels_(channels), inside_(!copies) {
    for (int a = 0; a < max_axes; ++a) {
      reach_[a] = reach(axis[a]);
      const i64 last = (axis[a].out - 1) * axis[a].step + reach_[a].high;
      inside_ = inside_ && reach_[a].low >= 0 && last < axis[a].in;
    }
    width_ = (columns - 1) * axis[2].step + span(2);
    column_ = inside_ ? axis[2].x : channels;
  }

  bool inside() const { return inside_; }

  // From one column of the patch to the next.
  i64 column() const { return column_; }

  // How many lines of one image are cut off together, so that their rows fit into `bytes`. Of x
  // itself, what no tap reaches does not count.
  i64 lines_within(i64 bytes) const {
    const i64 step = inside_ ? smaller(axis_[1].step, span(1)) : axis_[1].step;
    const i64 width = inside_ ? smaller(width_, axis_[2].out * span(2)) : width_;
    const i64 rows = bytes / (width * channels_ * i64(sizeof(T)) * axis_[0].taps);
    return smaller(larger(rows - span(1), 0) / step + 1, axis_[1].out);
  }

  // How many images are taken together where they are small: about `pixels`, in `columns` at a
  // time.
  i64 images_within(i64 pixels, i64 columns) const {
    const i64 rows = axis_[0].taps * (axis_[1].out * axis_[1].step + span(1));
    const i64 most = inside_ ? pixels : most_copied / (rows * row_size() * i64(sizeof(T)));
    return larger(1, smaller(most, pixels / (axis_[1].out * columns)));
  }

  // Elements of the copy of `lines` lines; 0 where the lines point into x.
  i64 size(i64 lines) const {
    if (inside_) return 0;
    // Each line may begin another image, and then brings all its rows.
    const i64 segments = (lines + axis_[1].out - 1) / axis_[1].out + 1;
    return axis_[0].taps * (segments * span(1) + lines * axis_[1].step) * width_ * channels_;
  }

  // Prepare lines first .. first + count - 1 from a column on: base[k] is where line k begins, and
  // the result is what the bases are offsets of. `copy` has room for size(count) elements.
  const T* prepare(i64 first, i64 count, i64 column, T* copy, i64* base) {
    rows_ = 0;
    left_ = column * axis_[2].step + reach_[2].low;
    if (inside_) {
      for (i64 k = 0; k < count; ++k)
        base[k] = place(first + k) + column * axis_[2].step * axis_[2].x;
      return x_;
    }
    const i64 out = axis_[1].out;
    // All planes of the copy have as many rows as the segments need together.
    for (i64 k = 0; k < count;) {
      const i64 many = smaller(out - (first + k) % out, count - k);
      rows_ += (many - 1) * axis_[1].step + span(1);
      k += many;
    }
    i64 row = 0;
    for (i64 k = 0; k < count;) {
      const i64 many = smaller(out - (first + k) % out, count - k);
      fill(first + k, many, row, copy);
      for (i64 m = 0; m < many; ++m) base[k + m] = (row + m * axis_[1].step) * row_size();
      row += (many - 1) * axis_[1].step + span(1);
      k += many;
    }
    return copy;
  }

  // Where tap (t, u, v) lies, relative to the base of its line; valid after `prepare`.
  i64 tap(i64 t, i64 u, i64 v) const {
    const i64 d = axis_[0].offset[t], h = axis_[1].offset[u], w = axis_[2].offset[v];
    if (inside_) return d * axis_[0].x + h * axis_[1].x + w * axis_[2].x;
    return (t * rows_ + h - reach_[1].low) * row_size() + (w - reach_[2].low) * channels_;
  }

 private:
  i64 span(int a) const { return reach_[a].high - reach_[a].low + 1; }
  i64 row_size() const { return width_ * channels_; }

  i64 place(i64 line) const {
    const i64 h = line % axis_[1].out, nd = line / axis_[1].out;
    const i64 d = nd % axis_[0].out, n = nd / axis_[0].out;
    return n * x_image_ + d * axis_[0].step * axis_[0].x + h * axis_[1].step * axis_[1].x;
  }

  // Copy the rows of `many` lines of one image, from `first` on, to row `row` of every plane.
  void fill(i64 first, i64 many, i64 row, T* copy) const {
    const i64 h0 = first % axis_[1].out, nd = first / axis_[1].out;
    const i64 d0 = nd % axis_[0].out, n = nd / axis_[0].out;
    const i64 rows = (many - 1) * axis_[1].step + span(1);
    for (i64 t = 0; t < axis_[0].taps; ++t) {
      const i64 d = d0 * axis_[0].step + axis_[0].offset[t];
      for (i64 k = 0; k < rows; ++k) {
        const i64 h = h0 * axis_[1].step + reach_[1].low + k;
        T* to = copy + (t * rows_ + row + k) * row_size();
        const bool there = d >= 0 && d < axis_[0].in && h >= 0 && h < axis_[1].in;
        const T* from = x_ + n * x_image_ + d * axis_[0].x + h * axis_[1].x;
        fill_row(there ? from : nullptr, to);
      }
    }
  }

  // One row: zeros on the left, what there is of x, zeros on the right.
  void fill_row(const T* from, T* to) const {
    const i64 low = left_;
    const i64 left = from ? smaller(larger(-low, 0), width_) : width_;
    const i64 right = from ? larger(smaller(axis_[2].in - low, width_), left) : width_;
    for (i64 e = 0; e < left * channels_; ++e) to[e] = T(0);
    if (from && axis_[2].x == channels_) {
      copy_run(from + (left + low) * channels_, (right - left) * channels_, to + left * channels_);
    } else {
      constexpr i64 ahead = 8;  // pixels, which may be far apart, and far away
      for (i64 w = left; w < right; ++w) {
        const T* pixel = from + (w + low) * axis_[2].x;
        if (w + ahead < right) Ahead(pixel + ahead * axis_[2].x, channels_).fetch(channels_);
        copy_run(pixel, channels_, to + w * channels_);
      }
    }
    for (i64 e = right * channels_; e < width_ * channels_; ++e) to[e] = T(0);
  }

  static void copy_run(const T* from, i64 count, T* to) {
    constexpr i64 lanes = Simd<T>::lanes;
    i64 e = 0;
    for (; e + lanes <= count; e += lanes) store(to + e, load(from + e));
    for (; e < count; ++e) to[e] = from[e];
  }

  const T* x_;
  i64 x_image_;
  const Axis* axis_;
  i64 channels_;
  bool inside_;
  Reach reach_[max_axes];
  i64 width_, column_;
  i64 rows_ = 0, left_ = 0;
};

}  // namespace pellucid::PELLUCID_ISA
