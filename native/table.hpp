// The kernels that each build defines, one file for each line.
#pragma once

#include "conv.hpp"
#include "losses.hpp"
#include "maps.hpp"
#include "norms.hpp"
#include "pooling.hpp"
#include "products.hpp"
#include "steps.hpp"

namespace pellucid::PELLUCID_ISA {

template <class T>
bool correlate_directly(const Correlation<T>* phases, i64 count, const Context&);
template <class T>
bool grad_weight_directly(const WeightGradient<T>&, const Context&);
template <class T>
bool grad_weight_pointwise(const WeightGradient<T>&, const Context&);
template <class T>
bool correlate_winograd(const Correlation<T>&, const Context&);
template <class T>
bool grad_weight_winograd(const WeightGradient<T>&, const Context&);
template <class T>
bool correlate_lanewise(const Correlation<T>* phases, i64 count, const Context&);
template <class T>
bool grad_weight_lanewise(const WeightGradient<T>&, const Context&);
template <class T>
bool grad_input_planar(const InputGradient<T>&, const Context&);
// The products behind one output by conv_winograd.cpp; the number of taps where it leaves it to
// direct.
double winograd_products(const Axis* axis);
template <class T>
void multiply_few_rows(const MatrixProduct<T>&, const Context&);
// Makes `rounds` dependent multiply-adds in each of many chains; returns how many in all.
template <class T>
i64 multiply_adds(i64 rounds);

// The functions of a family other than convolutions, one line for each file that defines them.
template <class T>
struct TableOf {
  static const Maps<T> maps;
  static const Pooling<T> pooling;
  static const Norms<T> norms;
  static const Losses<T> losses;
  static const Products<T> products;
  static const Steps<T> steps;
};

#define PELLUCID_ELSEWHERE(Family, name)                    \
  extern template const Family<float> TableOf<float>::name; \
  extern template const Family<double> TableOf<double>::name;
PELLUCID_ELSEWHERE(Maps, maps)
PELLUCID_ELSEWHERE(Pooling, pooling)
PELLUCID_ELSEWHERE(Norms, norms)
PELLUCID_ELSEWHERE(Losses, losses)
PELLUCID_ELSEWHERE(Products, products)
PELLUCID_ELSEWHERE(Steps, steps)
#undef PELLUCID_ELSEWHERE

}  // namespace pellucid::PELLUCID_ISA

// Written at the end of a file that defines a kernel for both precisions.
#define PELLUCID_INSTANTIATE(name, problem)                         \
  template bool name<float>(const problem<float>&, const Context&); \
  template bool name<double>(const problem<double>&, const Context&);
