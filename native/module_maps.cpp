// maps.hpp for Python. A function returns None where arrays do not lie alike and without gaps.
#include "module.hpp"

namespace pellucid {

namespace {

// The function of one array, or of two that lie alike, that a member of Maps computes.
template <auto of_float, auto of_double>
std::optional<Result> map(In x) {
  if (!is_dense(x)) return std::nullopt;
  Result y = empty_like(x);
  const i64 count = i64(x.size());
  WithoutGil without_gil(count);
  const auto compute = [&](auto function, auto zero) {
    using T = decltype(zero);
    function(static_cast<const T*>(x.data()), static_cast<T*>(y.data()), count, context(count));
  };
  if (x.itemsize() == sizeof(float))
    compute(active->f32.maps->*of_float, float{});
  else
    compute(active->f64.maps->*of_double, double{});
  return y;
}

template <auto of_float, auto of_double>
std::optional<Result> map2(In a, In b) {
  if (!is_dense(b) || !lie_alike(a, b)) return std::nullopt;
  Result y = empty_like(b);
  const i64 count = i64(b.size());
  WithoutGil without_gil(count);
  const auto compute = [&](auto function, auto zero) {
    using T = decltype(zero);
    function(static_cast<const T*>(a.data()), static_cast<const T*>(b.data()),
             static_cast<T*>(y.data()), count, context(count));
  };
  if (b.itemsize() == sizeof(float))
    compute(active->f32.maps->*of_float, float{});
  else
    compute(active->f64.maps->*of_double, double{});
  return y;
}

// In place; false where y has gaps or the residual lies otherwise.
bool add_relu(Out y, const MaybeIn& residual, double ceiling) {
  const In as_read(y);
  if (!is_dense(as_read) || (residual && !lie_alike(*residual, as_read))) return false;
  const i64 count = i64(y.size());
  WithoutGil without_gil(count);
  by_type(as_read, [&](auto zero) {
    using T = decltype(zero);
    const T* r = residual ? static_cast<const T*>(residual->data()) : nullptr;
    active->functions<T>().maps->add_relu(r, T(ceiling), static_cast<T*>(y.data()), count,
                                          context(count));
  });
  return true;
}

bool is_row_major(const In& x) {
  i64 step = 1;
  for (std::size_t a = x.ndim(); a-- > 0; step *= i64(x.shape(a)))
    if (x.shape(a) != 1 && x.stride(a) != step) return false;
  return true;
}

// Nothing where x lies neither in row-major order nor channels-last.
std::optional<Result> dropout(In x, std::uint64_t seed, std::uint64_t call, std::uint32_t least,
                              double factor) {
  const bool rows = is_row_major(x);
  if (x.ndim() > max_axes + 2 || !(rows || is_channels_last(x))) return std::nullopt;
  Result y = empty_like(x);
  const i64 count = i64(x.size());
  if (count == 0) return y;
  const i64 images = rows ? 1 : i64(x.shape(0)), channels = rows ? 1 : i64(x.shape(1));
  const i64 work = 8 * count;
  WithoutGil without_gil(work);
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    active->functions<T>().maps->dropout(
        {{seed, call}, least}, T(factor), static_cast<const T*>(x.data()),
        static_cast<T*>(y.data()), images, channels, count / (images * channels), context(work));
  });
  return y;
}

Result with_channels(const In& x, std::size_t channels) {
  std::size_t sizes[max_axes + 2];
  for (std::size_t a = 0; a < x.ndim(); ++a) sizes[a] = a == 1 ? channels : x.shape(a);
  return empty(x.ndim(), sizes, x.dtype(), true);
}

// `width` channels of each pixel of x, or of what is made of it, from one place to another.
void copy_channels(const void* from, void* to, i64 from_step, i64 to_step, i64 width, const In& x) {
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 rows = i64(x.size()) / (x.shape(1) ? i64(x.shape(1)) : 1);
    active->functions<T>().maps->copy_rows(static_cast<const T*>(from), from_step,
                                           static_cast<T*>(to), to_step, width, rows,
                                           context(rows * width));
  });
}

// (N, C, ...), (N, D, ...) ... -> (N, C + D + ..., ...), of one dtype and equal other sizes.
std::optional<Result> join_channels(const std::vector<In>& parts) {
  std::size_t channels = 0;
  for (const In& x : parts) {
    if (!is_channels_last(x)) return std::nullopt;
    channels += x.shape(1);
  }
  Result y = with_channels(parts.at(0), channels);
  WithoutGil without_gil(i64(y.size()));
  char* to = static_cast<char*>(y.data());
  for (const In& x : parts) {
    const i64 width = i64(x.shape(1));
    copy_channels(x.data(), to, width, i64(channels), width, x);
    to += width * i64(x.itemsize());
  }
  return y;
}

// The same backwards: the parts of x with so many channels each.
std::optional<std::vector<Result>> part_channels(In x, const std::vector<i64>& sizes) {
  if (!is_channels_last(x)) return std::nullopt;
  std::vector<Result> parts;
  for (const i64 width : sizes) parts.push_back(with_channels(x, std::size_t(width)));
  WithoutGil without_gil(i64(x.size()));
  const char* from = static_cast<const char*>(x.data());
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    copy_channels(from, parts[k].data(), i64(x.shape(1)), sizes[k], sizes[k], x);
    from += sizes[k] * i64(x.itemsize());
  }
  return parts;
}

// An array of one value, but for x: element k of axis a of x is element starts[a] + k steps[a].
// None where x has gaps or steps along the innermost axis of the result.
std::optional<Result> place(In x, const std::vector<i64>& shape, const std::vector<i64>& starts,
                            const std::vector<i64>& steps, double value, bool channels_last) {
  const std::size_t axes = x.ndim(), inner = channels_last ? 1 : axes - 1;
  if (axes == 0 || axes > max_axes + 2 || (channels_last && axes < 2) || shape.size() != axes ||
      starts.size() != axes || steps.size() != axes || steps[inner] != 1 ||
      (x.shape(inner) > 1 && x.stride(inner) != 1))
    return std::nullopt;
  std::size_t sizes[max_axes + 2];
  for (std::size_t a = 0; a < axes; ++a) {
    const i64 last = starts[a] + (i64(x.shape(a)) - 1) * steps[a];
    if (shape[a] < 0 || starts[a] < 0 || steps[a] < 1 || last >= shape[a]) return std::nullopt;
    sizes[a] = std::size_t(shape[a]);
  }
  Result y = empty(axes, sizes, x.dtype(), channels_last);
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    Placement<T> p{static_cast<const T*>(x.data()), T(value), 0, {}, static_cast<T*>(y.data())};
    const auto take = [&](std::size_t a) {
      p.axis[p.axes++] = {shape[a], i64(x.shape(a)), starts[a], steps[a], x.stride(a)};
    };
    if (axes == 1) p.axis[p.axes++] = {1, 1, 0, 1, 0};
    for (std::size_t a = 0; a < axes; ++a)
      if (a != inner) take(a);
    take(inner);
    const i64 count = i64(y.size());
    WithoutGil without_gil(count);
    active->functions<T>().maps->place(p, context(count));
  });
  return y;
}

}  // namespace

void add_maps(nb::module_& m) {
  using F = Maps<float>;
  using D = Maps<double>;
  m.def("relu", &map<&F::relu, &D::relu>);
  m.def("relu_gradient", &map2<&F::relu_gradient, &D::relu_gradient>);
  m.def("relu6", &map<&F::relu6, &D::relu6>);
  m.def("relu6_gradient", &map2<&F::relu6_gradient, &D::relu6_gradient>);
  m.def("add_relu", &add_relu, nb::arg("y"), nb::arg("residual").none(), nb::arg("ceiling"));
  m.def("dropout", &dropout);
  m.def("add", &map2<&F::add, &D::add>);
  m.def("join_channels", &join_channels);
  m.def("part_channels", &part_channels);
  m.def("place", &place);
}

}  // namespace pellucid
