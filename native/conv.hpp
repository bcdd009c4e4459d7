// The problems that convolution kernels solve. All sizes and strides are in elements.
#pragma once

#include "context.hpp"

namespace pellucid {

constexpr int max_axes = 3;

// One spatial axis of a correlation: output q reads x at q step + offset[t], for each tap t.
struct Axis {
  i64 in, out, step, taps;
  const i64* offset;  // where tap t lies for output 0; may be negative or past the end: zeros
  const i64* weight;  // where tap t lies in w
  i64 x, y;           // strides
};

// The channels are those of one group.
struct Sizes {
  i64 images, groups, in_channels, out_channels;
};

// Weights as a kernel reads them, for many calls; without data until the first one makes them.
struct Packed {
  void* data = nullptr;
  i64 bytes = 0;
};

// y[n, q, o] = b[o] + sum over taps t and channels c of x[n, q step + offset[t], c] w[o, c, t]
//
// Both a forward convolution and each phase of a grad_input have this form, with other taps
// (docs/maths.md, phases). The channels of x and y are adjacent in memory.
template <class T>
struct Correlation : Sizes {
  Axis axis[max_axes];
  const T* x;
  i64 x_image;
  const T* w;
  i64 w_group, w_out, w_in;
  Packed* packed;  // one for each group, or null: nothing is kept
  const T* b;      // null for none
  T ceiling;       // above 0: y is moved to the nearer end of 0 .. ceiling
  T* y;
  i64 y_image;
};

// gw[o, c, t] = sum over n, q of gy[n, q, o] x[n, q step + offset[t], c]; gy lies without gaps.
template <class T>
struct WeightGradient : Sizes {
  Axis axis[max_axes];  // `y` strides are not used
  const T* x;
  i64 x_image;
  const T* gy;
  T* gw;
  i64 gw_group, gw_out, gw_in;
};

// gx[n, h, c] = sum over o, and taps t and q with q step + offset[t] = h, of gy[n, q, o] w[o, c, t]
//
// One group; the axes are those of the forward correlation. The channels of gx and gy are adjacent.
template <class T>
struct InputGradient : Sizes {
  Axis axis[max_axes];  // `x` strides are those of gx, `y` those of gy
  const T* gy;
  i64 gy_image;
  const T* w;
  i64 w_out, w_in;
  T* gx;
  i64 gx_image;
};

enum Algorithm { direct, winograd, lanewise, algorithms };

}  // namespace pellucid
