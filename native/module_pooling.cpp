// pooling.hpp for Python. A function returns None for arrays that lie neither as (N, ..., C) nor
// in row-major order; the latter are images of one channel.
#include "module.hpp"

namespace pellucid {

namespace {

// The windows along the axes of x that are pooled, as a Python object that outlives calls.
class Windows {
 public:
  // Of each axis: its size, the kernel's, the dilation, and for each window its first element
  // inside of x, the tap there, and how many taps there are.
  using Line = std::tuple<i64, i64, i64, std::vector<std::tuple<i64, i64, i64>>>;

  explicit Windows(const std::vector<Line>& lines) : axes_(lines.size()) {
    if (axes_ < 1 || axes_ > 2) throw nb::value_error("one or two axes");
    if (axes_ == 1) fill(0, {1, 1, 1, {{0, 0, 1}}});
    for (std::size_t a = 0; a < axes_; ++a) fill(2 - axes_ + a, lines[a]);
  }

  std::size_t axes() const { return axes_; }
  i64 taps() const { return axis_[0].kernel * axis_[1].kernel; }
  // The sizes of axis a, of those that are pooled, before and after.
  i64 in(std::size_t a) const { return axis_[2 - axes_ + a].in; }
  i64 out(std::size_t a) const { return axis_[2 - axes_ + a].out; }
  Pool of(i64 images, i64 channels) const { return {images, channels, axis_[0], axis_[1]}; }

 private:
  void fill(std::size_t a, const Line& line) {
    const auto& [in, kernel, dilation, windows] = line;
    std::vector<std::vector<Place>> places(in);
    for (const auto& [element, tap, taps] : windows) {
      const i64 window = i64(windows_[a].size());
      windows_[a].push_back({element, tap, taps});
      for (i64 t = 0; t < taps; ++t) places.at(element + t * dilation).push_back({window, tap + t});
    }
    for (auto& of_element : places) {
      // The later a window begins, the earlier the tap: sums go by taps.
      first_place_[a].push_back(i64(places_[a].size()));
      places_[a].insert(places_[a].end(), of_element.rbegin(), of_element.rend());
    }
    first_place_[a].push_back(i64(places_[a].size()));
    axis_[a] = {in,
                i64(windows.size()),
                kernel,
                dilation,
                windows_[a].data(),
                first_place_[a].data(),
                places_[a].data()};
  }

  std::size_t axes_;
  PoolAxis axis_[2];
  std::vector<Window> windows_[2];
  std::vector<i64> first_place_[2];
  std::vector<Place> places_[2];
};

// How the pixels of an array (N, C, ...) or (C, ...) lie.
struct Pixels {
  i64 images, channels;
  bool channels_last;
};

// Null where the axes that are pooled have other sizes, of x or (`pooled`) of y.
std::optional<Pixels> pixels(const In& x, const Windows& windows, bool pooled) {
  const std::size_t axes = windows.axes();
  if (x.ndim() < axes + 1 || x.ndim() > axes + 2) return std::nullopt;
  const std::size_t first = x.ndim() - axes;
  i64 size = 1;
  for (std::size_t a = 0; a < axes; ++a) {
    if (i64(x.shape(first + a)) != (pooled ? windows.out(a) : windows.in(a))) return std::nullopt;
    size *= i64(x.shape(first + a));
  }
  const auto step_is = [&](std::size_t a, i64 step) {
    return x.shape(a) == 1 || x.stride(a) == step;
  };
  const auto pixels_lie = [&](i64 step) {
    bool so = true;
    for (std::size_t a = axes; a-- > 0; step *= i64(x.shape(first + a)))
      so = so && step_is(first + a, step);
    return so;
  };
  const i64 C = i64(x.shape(first - 1)), N = first == 2 ? i64(x.shape(0)) : 1;
  const bool none = x.size() == 0;
  if (first == 2 && (none || (step_is(1, 1) && pixels_lie(C) && step_is(0, C * size))))
    return Pixels{N, C, true};
  if (none || (pixels_lie(1) && step_is(first - 1, size) && (first == 1 || step_is(0, C * size))))
    return Pixels{N * C, 1, false};
  return std::nullopt;
}

// New memory for x with the sizes of the other side.
Result other_side(const In& x, const Windows& windows, bool pooled, const Pixels& lie,
                  nb::dlpack::dtype dtype) {
  std::size_t sizes[max_axes + 2];
  const std::size_t first = x.ndim() - windows.axes();
  for (std::size_t a = 0; a < first; ++a) sizes[a] = x.shape(a);
  for (std::size_t a = 0; a < windows.axes(); ++a)
    sizes[first + a] = std::size_t(pooled ? windows.in(a) : windows.out(a));
  return empty(x.ndim(), sizes, dtype, lie.channels_last);
}

std::optional<std::tuple<Result, std::optional<Result>>> largest(In x, const Windows& windows,
                                                                 bool with_taps) {
  const auto lie = pixels(x, windows, false);
  if (!lie || (with_taps && windows.taps() > 255)) return std::nullopt;
  Result y = other_side(x, windows, false, *lie, x.dtype());
  std::optional<Result> taps;
  if (with_taps) taps = other_side(x, windows, false, *lie, nb::dtype<Tap>());
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 work = i64(x.size());
    WithoutGil without_gil(work);
    active->functions<T>().pooling->largest(
        windows.of(lie->images, lie->channels), static_cast<const T*>(x.data()),
        static_cast<T*>(y.data()), taps ? static_cast<Tap*>(taps->data()) : nullptr, context(work));
  });
  return std::tuple(std::move(y), std::move(taps));
}

std::optional<Result> largest_gradient(In gy, In taps, const Windows& windows) {
  const auto lie = pixels(gy, windows, true), taps_lie = pixels(taps, windows, true);
  if (!lie || !taps_lie || taps.dtype() != nb::dtype<Tap>()) return std::nullopt;
  if (lie->channels != taps_lie->channels || lie->images != taps_lie->images) return std::nullopt;
  Result gx = other_side(gy, windows, true, *lie, gy.dtype());
  by_type(gy, [&](auto zero) {
    using T = decltype(zero);
    const i64 work = i64(gx.size());
    WithoutGil without_gil(work);
    active->functions<T>().pooling->largest_gradient(
        windows.of(lie->images, lie->channels), static_cast<const T*>(gy.data()),
        static_cast<const Tap*>(taps.data()), static_cast<T*>(gx.data()), context(work));
  });
  return gx;
}

using Divisor = nb::ndarray<const i64, nb::c_contig, nb::device::cpu>;

std::optional<Result> mean(In x, Divisor divisor, const Windows& windows) {
  const auto lie = pixels(x, windows, false);
  if (!lie) return std::nullopt;
  Result y = other_side(x, windows, false, *lie, x.dtype());
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    const i64 work = i64(x.size());
    WithoutGil without_gil(work);
    active->functions<T>().pooling->mean(windows.of(lie->images, lie->channels),
                                         static_cast<const T*>(x.data()), divisor.data(),
                                         static_cast<T*>(y.data()), context(work));
  });
  return y;
}

std::optional<Result> mean_gradient(In gy, Divisor divisor, const Windows& windows) {
  const auto lie = pixels(gy, windows, true);
  if (!lie) return std::nullopt;
  Result gx = other_side(gy, windows, true, *lie, gy.dtype());
  by_type(gy, [&](auto zero) {
    using T = decltype(zero);
    const i64 work = i64(gx.size());
    WithoutGil without_gil(work);
    if (!active->functions<T>().pooling->mean_gradient(
            windows.of(lie->images, lie->channels), static_cast<const T*>(gy.data()),
            divisor.data(), static_cast<T*>(gx.data()), context(work)))
      throw std::bad_alloc();
  });
  return gx;
}

}  // namespace

void add_pooling(nb::module_& m) {
  nb::class_<Windows>(m, "Windows").def(nb::init<const std::vector<Windows::Line>&>());
  m.def("largest", &largest);
  m.def("largest_gradient", &largest_gradient);
  m.def("mean", &mean);
  m.def("mean_gradient", &mean_gradient);
}

}  // namespace pellucid
