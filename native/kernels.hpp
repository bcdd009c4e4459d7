// What every build of the kernels offers.
//
// The kernels are compiled once for each instruction set, in a namespace of their own; module.cpp
// picks one table of them when the library is imported.
#pragma once

#include "conv.hpp"
#include "losses.hpp"
#include "maps.hpp"
#include "norms.hpp"
#include "pooling.hpp"
#include "products.hpp"
#include "steps.hpp"

namespace pellucid {

template <class T>
struct Functions {
  // False when there is no memory left. All phases of one y are given together; they differ in
  // their axes, in where y begins, and in the strides of y.
  bool (*correlate[algorithms])(const Correlation<T>* phases, i64 count, const Context&);
  bool (*grad_weight[algorithms])(const WeightGradient<T>&, const Context&);
  bool (*grad_input)(const InputGradient<T>&, const Context&);
  const Maps<T>* maps;
  const Pooling<T>* pooling;
  const Norms<T>* norms;
  const Losses<T>* losses;
  const Products<T>* products;
  const Steps<T>* steps;
  // A loop of multiply-adds and nothing else; returns how many it made.
  i64 (*multiply_adds)(i64 rounds);
};

struct Kernels {
  const char* isa;
  int vector_bytes;
  // The products behind one output by winograd; the number of taps where it leaves it to direct.
  double (*winograd_products)(const Axis* axis);
  Functions<float> f32;
  Functions<double> f64;

  template <class T>
  const Functions<T>& functions() const {
    if constexpr (sizeof(T) == sizeof(float))
      return f32;
    else
      return f64;
  }
};

}  // namespace pellucid
