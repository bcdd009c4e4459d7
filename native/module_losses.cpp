// losses.hpp for Python. A function returns None where rows do not lie one after the other.
#include "module.hpp"

namespace pellucid {

namespace {

// A row costs about as much as so many multiply-adds for each class.
constexpr i64 work_of_exponential = 10;

template <class T>
Targets<T> targets_of(const In& x, const In& target, const MaybeIn& weight, i64 ignored) {
  return {static_cast<const i64*>(target.data()), i64(x.shape(0)), i64(x.shape(1)), ignored,
          weight ? static_cast<const T*>(weight->data()) : nullptr};
}

bool lies_in_rows(const In& x, const In& target, const MaybeIn& weight) {
  return x.ndim() == 2 && x.size() > 0 && (x.shape(1) == 1 || x.stride(1) == 1) &&
         (x.shape(0) == 1 || x.stride(0) == i64(x.shape(1))) && target.ndim() == 1 &&
         target.shape(0) == x.shape(0) && target.dtype() == nb::dtype<i64>() &&
         (target.shape(0) == 1 || target.stride(0) == 1) &&
         (!weight || weight->size() == 1 || weight->stride(0) == 1);
}

// The sum of the losses, that of the weights, and the softmax; also None for a target that is no
// class.
std::optional<std::tuple<double, double, Result>> cross_entropy(In x, In target,
                                                                const MaybeIn& weight,
                                                                i64 ignored) {
  if (!lies_in_rows(x, target, weight)) return std::nullopt;
  Result softmax = empty_like(x);
  LossSum sum;
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 work = i64(x.size()) * work_of_exponential;
    WithoutGil without_gil(work);
    sum = active->functions<T>().losses->cross_entropy(
        static_cast<const T*>(x.data()), targets_of<T>(x, target, weight, ignored),
        static_cast<T*>(softmax.data()), context(work));
  });
  if (sum.outside) return std::nullopt;
  return std::tuple(sum.losses, sum.weights, softmax);
}

std::optional<Result> cross_entropy_gradient(In softmax, In target, const MaybeIn& weight,
                                             i64 ignored, double factor) {
  if (!lies_in_rows(softmax, target, weight)) return std::nullopt;
  Result gx = empty_like(softmax);
  by_type(softmax, [&](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(softmax.size());
    WithoutGil without_gil(count);
    active->functions<T>().losses->cross_entropy_gradient(
        static_cast<const T*>(softmax.data()), targets_of<T>(softmax, target, weight, ignored),
        T(factor), static_cast<T*>(gx.data()), context(count));
  });
  return gx;
}

}  // namespace

void add_losses(nb::module_& m) {
  m.def("cross_entropy", &cross_entropy, nb::arg("x"), nb::arg("target"), nb::arg("weight").none(),
        nb::arg("ignored"));
  m.def("cross_entropy_gradient", &cross_entropy_gradient, nb::arg("softmax"), nb::arg("target"),
        nb::arg("weight").none(), nb::arg("ignored"), nb::arg("factor"));
}

}  // namespace pellucid
