// steps.hpp for Python. A step gets its parameters as tuples of arrays, and returns the numbers of
// those that it leaves as they are: arrays that do not lie alike and without gaps.
#include <algorithm>
#include <utility>

#include "module.hpp"

namespace pellucid {

namespace {

// What an element costs, in multiply-adds: a root and quotients.
constexpr i64 element_work = 8;

using Parameters = std::vector<nb::tuple>;

template <class T>
using Ranges = std::vector<std::pair<const T*, const T*>>;

// Whether arrays share memory, so that one parameter has to be done before the next.
template <class T>
bool overlap(Ranges<T>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t k = 1; k < ranges.size(); ++k)
    if (ranges[k].first < ranges[k - 1].second) return true;
  return false;
}

// Fills `parameter` if a step can take its arrays: p, g and the states. All but g are written to.
template <class T>
bool read(const nb::tuple& arrays, Parameter<T>& parameter, Ranges<T>& ranges) {
  const std::size_t count = nb::len(arrays);
  In p;
  T* data[5] = {};
  for (std::size_t k = 0; k < count; ++k) {
    In array;
    if (Out written; k == 1) {
      if (!nb::try_cast(arrays[k], array, false)) return false;
    } else {
      if (!nb::try_cast(arrays[k], written, false)) return false;
      array = In(written);
    }
    if (k == 0) p = array;
    const bool fits = k == 0 ? array.dtype() == nb::dtype<T>() && is_dense(p) : lie_alike(p, array);
    if (!fits) return false;
    data[k] = static_cast<T*>(const_cast<void*>(array.data()));
  }
  parameter = {data[0], data[1], {}, i64(p.size())};
  for (std::size_t k = 2; k < count; ++k) parameter.state[k - 2] = data[k];
  for (std::size_t k = 0; k < count; ++k) ranges.emplace_back(data[k], data[k] + p.size());
  return true;
}

// Makes the step of those parameters that have the elements T, and takes them out of `left`.
template <class T, class Numbers>
void step(const Parameters& parameters,
          void (*kernel)(const Parameter<T>*, i64, const Numbers&, const Context&),
          const Numbers& numbers, std::vector<std::size_t>& left) {
  std::vector<Parameter<T>> taken;
  std::vector<std::size_t> others;
  Ranges<T> ranges;
  i64 work = 0;
  for (std::size_t k : left) {
    Parameter<T> parameter{};
    if (!read(parameters[k], parameter, ranges)) {
      others.push_back(k);
      continue;
    }
    taken.push_back(parameter);
    work += element_work * parameter.count;
  }
  left = others;
  if (taken.empty()) return;
  const Context context = pellucid::context(overlap(ranges) ? 0 : work);
  WithoutGil without_gil(work);
  kernel(taken.data(), i64(taken.size()), numbers, context);
}

template <class Numbers, class Kernel>
std::vector<std::size_t> step(const Parameters& parameters, const Numbers& numbers, Kernel kernel) {
  std::vector<std::size_t> left(parameters.size());
  for (std::size_t k = 0; k < left.size(); ++k) left[k] = k;
  step(parameters, kernel(*active->functions<float>().steps), numbers, left);
  if (!left.empty()) step(parameters, kernel(*active->functions<double>().steps), numbers, left);
  return left;
}

}  // namespace

void add_steps(nb::module_& m) {
  m.def("sgd", [](const Parameters& parameters, double lr, double momentum, double share,
                  double weight_decay, bool kept, bool nesterov, bool maximize) {
    const SgdNumbers numbers{lr, momentum, share, weight_decay, kept, nesterov, maximize};
    return step(parameters, numbers, [](const auto& steps) { return steps.sgd; });
  });
  m.def("adam",
        [](const Parameters& parameters, double step_size, double eps, double beta1_left,
           double beta2, double beta2_left, double weight_decay, double kept, bool amsgrad) {
          const AdamNumbers numbers{step_size,  eps,          beta1_left, beta2,
                                    beta2_left, weight_decay, kept,       amsgrad};
          return step(parameters, numbers, [](const auto& steps) { return steps.adam; });
        });
  m.def("adagrad", [](const Parameters& parameters, double lr, double weight_decay, double eps) {
    const AdagradNumbers numbers{lr, weight_decay, eps};
    return step(parameters, numbers, [](const auto& steps) { return steps.adagrad; });
  });
  m.def("rmsprop", [](const Parameters& parameters, double lr, double alpha, double alpha_left,
                      double eps, double weight_decay, double momentum, bool centered, bool kept) {
    const RmspropNumbers numbers{lr,           alpha,    alpha_left, eps,
                                 weight_decay, momentum, centered,   kept};
    return step(parameters, numbers, [](const auto& steps) { return steps.rmsprop; });
  });
}

}  // namespace pellucid
