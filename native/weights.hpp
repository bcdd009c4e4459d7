// Weights as kernels read them: one vector of output channels for each input channel and tap.
//
// In memory the taps of one pair of channels lie side by side; vectors across output channels are
// made by transposing small squares, several input channels at a time where those are adjacent too.
#pragma once

#include "conv.hpp"
#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

template <class T>
class Weights {
 public:
  // Those of all phases together.
  explicit Weights(const Correlation<T>* p, i64 count = 1) : out_(p->w_out), in_(p->w_in) {
    i64 high = 0;
    for (i64 k = 0; k < count; ++k) {
      i64 least = 0, most = 0;
      for (const Axis& axis : p[k].axis) {
        i64 nearest = axis.weight[0], farthest = axis.weight[0];
        for (i64 t = 1; t < axis.taps; ++t) {
          if (axis.weight[t] < nearest) nearest = axis.weight[t];
          if (axis.weight[t] > farthest) farthest = axis.weight[t];
        }
        least += nearest;
        most += farthest;
      }
      if (k == 0 || least < low_) low_ = least;
      if (k == 0 || most > high) high = most;
    }
    span_ = high - low_ + 1;
    together_ = in_ == span_ && span_ < run ? run / span_ : 1;
  }

  // How many input channels `each` reads at a time.
  i64 together() const { return together_; }

  // How many vectors `each` needs for itself.
  i64 size() const { return together_ * span_; }

  // Call use(c, w) for input channels begin .. end - 1: lane o of w[k] is the weight at offset k of
  // output channel o, 0 from `count` on. `first` is where output 0 of input channel 0 lies.
  template <class Use>
  PELLUCID_INLINE void each(const T* first, i64 count, i64 begin, i64 end, Vec<T>* buffer,
                            Use use) const {
    for (i64 c = begin; c < end; c += together_) {
      const i64 many = end - c < together_ ? end - c : together_;
      read(first + low_ + c * in_, count, many * span_, buffer);
      for (i64 k = 0; k < many; ++k) use(c + k, buffer + k * span_ - low_);
    }
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;
  static constexpr i64 run = 96;
  static constexpr i64 ahead = 256 / i64(sizeof(T));  // of rows that are read a line at a time

  // to[e] = element e of `count` rows, for e < many.
  void read(const T* from, i64 count, i64 many, Vec<T>* to) const {
    constexpr i64 Q = 16 / i64(sizeof(T));
    if (count >= lanes && out_ == 1) {
      for (i64 e = 0; e < many; ++e) {
        __builtin_prefetch(from + e + ahead);
        to[e] = load(from + e);
      }
    } else if (count >= lanes && many >= Q) {
      for (i64 e = 0; e < many; e += Q) {
        const i64 at = e + Q <= many ? e : many - Q;  // the last square overlaps
        transpose<T>(from + at, out_, to + at);
      }
    } else {
      for (i64 e = 0; e < many; ++e) {
        T values[lanes] = {};
        for (i64 o = 0; o < (count < lanes ? count : lanes); ++o) values[o] = from[e + o * out_];
        to[e] = load(values);
      }
    }
  }

  i64 out_, in_, low_ = 0, span_, together_;
};

// The way back: lane o of from[e] goes to element e of row o, for `count` rows and `many` elements.
template <class T>
void store_rows(const Vec<T>* from, i64 many, T* to, i64 step, i64 count) {
  constexpr i64 lanes = Simd<T>::lanes, Q = 16 / i64(sizeof(T));
  const T* lane = reinterpret_cast<const T*>(from);
  i64 e = 0;
  if (count >= lanes)
    for (; e + lanes <= many; e += lanes)
      for (i64 o = 0; o < lanes; o += Q) {
        Vec<T> row[Q];
        transpose<T>(lane + e * lanes + o, lanes, row);
#pragma GCC unroll 4
        for (i64 k = 0; k < Q; ++k) store(to + (o + k) * step + e, row[k]);
      }
  for (; e < many; ++e)
    for (i64 o = 0; o < (count < lanes ? count : lanes); ++o)
      to[o * step + e] = lane[e * lanes + o];
}

}  // namespace pellucid::PELLUCID_ISA
