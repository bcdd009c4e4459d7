// norms.hpp for Python. A function returns None where arrays do not lie as rows of channels.
#include <new>

#include "module.hpp"

namespace pellucid {

namespace {

// Whether (N, C, ...) lies as (N, ..., C) without gaps, and has elements.
bool lies_in_rows(const In& x) {
  return x.size() > 0 && is_channels_last(x);
}

bool lies_in_line(const MaybeIn& of_channels) {
  return !of_channels || of_channels->size() < 2 || of_channels->stride(0) == 1;
}

template <class T>
const T* pointer(const MaybeIn& array) {
  return array ? static_cast<const T*>(array->data()) : nullptr;
}

template <class T>
Normalisation<T> normalisation(const In& x, const MaybeIn& weight, const MaybeIn& bias,
                               const void* mean, const void* scale) {
  const i64 channels = i64(x.shape(1));
  return {static_cast<const T*>(x.data()),
          i64(x.size()) / channels,
          channels,
          pointer<T>(weight),
          pointer<T>(bias),
          static_cast<const T*>(mean),
          static_cast<const T*>(scale)};
}

Result per_channel(const In& x) {
  return empty(nb::make_tuple(x.shape(1)), x.itemsize() == sizeof(double), false);
}

std::optional<Result> channel_sums(In x) {
  if (!lies_in_rows(x)) return std::nullopt;
  Result sum = per_channel(x);
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(x.size()), channels = i64(x.shape(1));
    WithoutGil without_gil(count);
    if (!active->functions<T>().norms->sums(static_cast<const T*>(x.data()), count / channels,
                                            channels, static_cast<T*>(sum.data()), context(count)))
      throw std::bad_alloc();
  });
  return sum;
}

// Memory for a result that lies like x: new, or, where nobody else needs it, that of an array which
// is read at each place before the result is written there. Then there is no result of its own.
template <class T>
T* memory(std::optional<Result>& result, const In& x, const In& over, bool overwrite) {
  if (overwrite) return static_cast<T*>(const_cast<void*>(over.data()));
  result = empty_like(x);
  return static_cast<T*>(result->data());
}

// gy where y is positive or NaN, else 0, perhaps written over gy; and the sum of each channel.
std::optional<std::tuple<std::optional<Result>, Result>> relu_gradient_sums(In gy, In y,
                                                                            bool overwrite) {
  if (!lies_in_rows(y) || !lie_alike(gy, y)) return std::nullopt;
  std::tuple<std::optional<Result>, Result> result{std::nullopt, per_channel(y)};
  by_type(y, [&](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(y.size()), channels = i64(y.shape(1));
    T* gx = memory<T>(std::get<0>(result), y, gy, overwrite);
    WithoutGil without_gil(count);
    if (!active->functions<T>().norms->relu_gradient_sums(
            static_cast<const T*>(gy.data()), static_cast<const T*>(y.data()), gx, count / channels,
            channels, static_cast<T*>(std::get<1>(result).data()), context(count)))
      throw std::bad_alloc();
  });
  return result;
}

using Statistics = std::tuple<Result, Result, Result>;

// The mean, the variance, and 1 / sqrt(variance + eps).
std::optional<Statistics> batch_statistics(In x, double eps) {
  if (!lies_in_rows(x)) return std::nullopt;
  Statistics result{per_channel(x), per_channel(x), per_channel(x)};
  auto& [mean, variance, scale] = result;
  by_type(x, [&, &mean = mean, &variance = variance, &scale = scale](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(x.size()), channels = i64(x.shape(1));
    WithoutGil without_gil(count);
    if (!active->functions<T>().norms->statistics(static_cast<const T*>(x.data()), count / channels,
                                                  channels, T(eps), static_cast<T*>(mean.data()),
                                                  static_cast<T*>(variance.data()),
                                                  static_cast<T*>(scale.data()), context(count)))
      throw std::bad_alloc();
  });
  return result;
}

std::optional<Result> normalise(In x, const MaybeIn& weight, const MaybeIn& bias, In mean, In scale,
                                const MaybeIn& residual, bool relu, double ceiling) {
  if (!lies_in_rows(x) || !lies_in_line(weight) || !lies_in_line(bias) || !lies_in_line(mean) ||
      !lies_in_line(scale) || (residual && !lie_alike(*residual, x)))
    return std::nullopt;
  Result y = empty_like(x);
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(x.size());
    const auto p = normalisation<T>(x, weight, bias, mean.data(), scale.data());
    WithoutGil without_gil(count);
    if (!active->functions<T>().norms->normalise(p, pointer<T>(residual), relu, T(ceiling),
                                                 static_cast<T*>(y.data()), context(count)))
      throw std::bad_alloc();
  });
  return y;
}

using Gradients = std::tuple<std::optional<Result>, Result, Result, std::optional<Result>>;

// gx, gw, gb, and with y also the gradient of the residual; `more`, given y, is added to gy. With
// `overwrite`, gx is written over gy; with y, the residual's gradient is, and gx over `more`.
std::optional<Gradients> normalise_gradient(In gy, const MaybeIn& more, In x, const MaybeIn& weight,
                                            const MaybeIn& bias, In mean, In scale,
                                            const MaybeIn& y, bool relu, double ceiling,
                                            bool constant, bool overwrite) {
  if (!lies_in_rows(x) || !lies_in_line(weight) || !lies_in_line(bias) || !lies_in_line(mean) ||
      !lies_in_line(scale) || !lie_alike(gy, x) || (y && !lie_alike(*y, x)) ||
      (more && (!y || !lie_alike(*more, x))))
    return std::nullopt;
  Gradients result{std::nullopt, per_channel(x), per_channel(x), std::nullopt};
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 count = i64(x.size());
    const auto at = [](Result& array) { return static_cast<T*>(array.data()); };
    const NormalisationGradient<T> p{
        normalisation<T>(x, weight, bias, mean.data(), scale.data()),
        static_cast<const T*>(gy.data()),
        pointer<T>(more),
        relu,
        T(ceiling),
        pointer<T>(y),
        y ? memory<T>(std::get<3>(result), x, gy, overwrite) : nullptr,
        constant,
        memory<T>(std::get<0>(result), x, y && more ? *more : gy, overwrite && (!y || more)),
        at(std::get<1>(result)),
        at(std::get<2>(result))};
    WithoutGil without_gil(count);
    if (!active->functions<T>().norms->gradient(p, context(count))) throw std::bad_alloc();
  });
  return result;
}

}  // namespace

void add_norms(nb::module_& m) {
  m.def("channel_sums", &channel_sums);
  m.def("relu_gradient_sums", &relu_gradient_sums);
  m.def("batch_statistics", &batch_statistics);
  m.def("normalise", &normalise, nb::arg("x"), nb::arg("weight").none(), nb::arg("bias").none(),
        nb::arg("mean"), nb::arg("scale"), nb::arg("residual").none(), nb::arg("relu"),
        nb::arg("ceiling"));
  m.def("normalise_gradient", &normalise_gradient, nb::arg("gy"), nb::arg("more").none(),
        nb::arg("x"), nb::arg("weight").none(), nb::arg("bias").none(), nb::arg("mean"),
        nb::arg("scale"), nb::arg("y").none(), nb::arg("relu"), nb::arg("ceiling"),
        nb::arg("constant"), nb::arg("overwrite"));
}

}  // namespace pellucid
