// maps.hpp for Python. A function returns None where arrays do not lie alike and without gaps.
#include "module.hpp"

namespace pellucid {

namespace {

std::optional<Result> relu(In x) {
  if (!is_dense(x)) return std::nullopt;
  Result y = empty_like(x);
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(x.size());
    WithoutGil without_gil(count);
    active->functions<T>().maps->relu(static_cast<const T*>(x.data()), static_cast<T*>(y.data()),
                                      count, context(count));
  });
  return y;
}

std::optional<Result> relu_gradient(In gy, In y) {
  if (!is_dense(y) || !lie_alike(gy, y)) return std::nullopt;
  Result gx = empty_like(y);
  by_type(y, [&](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(y.size());
    WithoutGil without_gil(count);
    active->functions<T>().maps->relu_gradient(static_cast<const T*>(gy.data()),
                                               static_cast<const T*>(y.data()),
                                               static_cast<T*>(gx.data()), count, context(count));
  });
  return gx;
}

}  // namespace

void add_maps(nb::module_& m) {
  m.def("relu", &relu);
  m.def("relu_gradient", &relu_gradient);
}

}  // namespace pellucid
