// Batch normalisation of arrays that lie as rows of channels.
#pragma once

#include "context.hpp"

namespace pellucid {

// y = (x - mean) scale weight + bias, for each channel.
template <class T>
struct Normalisation {
  const T* x;
  i64 rows, channels;
  const T *weight, *bias;  // or null
  const T *mean, *scale;
};

template <class T>
struct NormalisationGradient {
  Normalisation<T> forward;
  const T* gy;
  const T* more;  // what is added to gy, given y; or null
  // With `relu`, the gradient passes where the normalised is positive and below the ceiling, or
  // NaN; or where y is, if that is given, and then gr gets what passes.
  bool relu;
  T ceiling;
  const T* y;
  T* gr;
  // Whether mean and scale are constants, and not those of x.
  bool constant;
  T *gx, *gw, *gb;
};

// Each returns false when there is no memory left.
template <class T>
struct Norms {
  // The sum of each channel.
  bool (*sums)(const T* x, i64 rows, i64 channels, T* sum, const Context&);
  // gx = gy where y > 0 or is NaN, else 0; and the sum of each of its channels.
  bool (*relu_gradient_sums)(const T* gy, const T* y, T* gx, i64 rows, i64 channels, T* sum,
                             const Context&);
  // The mean, the variance and 1 / sqrt(variance + eps) of each channel.
  bool (*statistics)(const T* x, i64 rows, i64 channels, T eps, T* mean, T* variance, T* scale,
                     const Context&);
  // With a residual, that is added; then with `relu`, y = min(max(y, 0), ceiling), and a NaN stays
  // one.
  bool (*normalise)(const Normalisation<T>&, const T* residual, bool relu, T ceiling, T* y,
                    const Context&);
  bool (*gradient)(const NormalisationGradient<T>&, const Context&);
};

}  // namespace pellucid
