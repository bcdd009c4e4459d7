// Pooling: the largest or the mean of each window of pixels, and the gradients. Pixels lie side by
// side with their channels, (N, H, W, C).
#pragma once

#include "context.hpp"

namespace pellucid {

// Where a window begins along one axis of x: its first element inside of x, which tap of the kernel
// meets that, and how many taps lie inside.
struct Window {
  i64 element, tap, taps;
};

// A window that has an element of x, and the tap that meets it there.
struct Place {
  i64 window, tap;
};

struct PoolAxis {
  i64 in, out, kernel, dilation;
  const Window* windows;  // of each of `out`
  // The places of element h are places[first_place[h]] up to places[first_place[h + 1]].
  const i64* first_place;
  const Place* places;
};

// x (images, rows.in, columns.in, channels), y (images, rows.out, columns.out, channels).
struct Pool {
  i64 images, channels;
  PoolAxis rows, columns;
};

using Tap = std::uint8_t;

template <class T>
struct Pooling {
  // y = the largest of each window, where a NaN is larger than all; with `taps`, which tap it is,
  // u KW + v: the first of equals, or the last NaN. Without a tap inside of x: -inf, tap KH KW.
  void (*largest)(const Pool&, const T* x, T* y, Tap* taps, const Context&);
  // gx = the sum of gy of the windows whose tap it is.
  void (*largest_gradient)(const Pool&, const T* gy, const Tap* taps, T* gx, const Context&);
  // y = the sum of each window over its divisor, (rows.out, columns.out).
  void (*mean)(const Pool&, const T* x, const i64* divisor, T* y, const Context&);
  // gx = the sum of gy over divisor of the windows that it is in. False when no memory is left.
  bool (*mean_gradient)(const Pool&, const T* gy, const i64* divisor, T* gx, const Context&);
};

}  // namespace pellucid
