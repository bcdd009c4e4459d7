// Optimizer steps over all parameters of a group at once.
#pragma once

#include "context.hpp"

namespace pellucid {

// A parameter, its gradient and its state: arrays of `count` elements that lie alike.
template <class T>
struct Parameter {
  T* p;
  const T* g;
  T* state[3];
  i64 count;
};

struct SgdNumbers {
  double lr, momentum, share, weight_decay;
  bool momentum_kept, nesterov, maximize;
};

struct AdamNumbers {
  double step_size, eps, beta1_left, beta2, beta2_left, weight_decay, kept;
  bool amsgrad;
};

struct AdagradNumbers {
  double lr, weight_decay, eps;
};

struct RmspropNumbers {
  double lr, alpha, alpha_left, eps, weight_decay, momentum;
  bool centered, momentum_kept;
};

// Formulas: kernels/steps.py.
template <class T>
struct Steps {
  void (*sgd)(const Parameter<T>*, i64 parameters, const SgdNumbers&, const Context&);
  void (*adam)(const Parameter<T>*, i64 parameters, const AdamNumbers&, const Context&);
  void (*adagrad)(const Parameter<T>*, i64 parameters, const AdagradNumbers&, const Context&);
  void (*rmsprop)(const Parameter<T>*, i64 parameters, const RmspropNumbers&, const Context&);
};

}  // namespace pellucid
