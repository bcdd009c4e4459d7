// The cross entropy of rows of classes, whose targets are class indices.
#pragma once

#include "context.hpp"

namespace pellucid {

template <class T>
struct Targets {
  const i64* classes;
  i64 rows, count;  // how many classes there are
  i64 ignored;      // the target of a row that does not count
  const T* weight;  // of each class, or null
};

struct LossSum {
  double losses, weights;  // of the rows that count
  bool outside;            // whether a target is no class; then the sums are none
};

template <class T>
struct Losses {
  // losses: the sum of weight[t[n]] (log(sum of exp(x[n])) - x[n,t[n]]). softmax gets that of x.
  LossSum (*cross_entropy)(const T* x, const Targets<T>&, T* softmax, const Context&);
  // gx = factor weight[t[n]] (softmax - 1 at the target).
  void (*cross_entropy_gradient)(const T* softmax, const Targets<T>&, T factor, T* gx,
                                 const Context&);
};

}  // namespace pellucid
