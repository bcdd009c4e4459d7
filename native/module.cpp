// The Python module `pellucid._native`: arrays in, arrays out. It picks the kernels for this
// processor, checks nothing that kernels/conv has checked already, and computes no formula itself.
#include "module.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "memory.hpp"
#include "threads.hpp"

namespace pellucid {

namespace {

std::vector<std::string> isas() {
  std::vector<std::string> found;
  for (const Kernels* build : builds_that_run()) found.push_back(build->isa);
  return found;
}

bool select_isa(const std::string& isa) {
  const Kernels* build = build_named(isa);
  if (build) active = build;
  return build != nullptr;
}

// Sizes and taps of a correlation, 64-bit integers that kernels/conv/correlation.py writes in this
// order: images, groups, in_channels, out_channels, work, then for each axis in, out, step, taps,
// and for each tap its offset and its place in the kernel.
using Plan = nb::bytes;

// Fills the sizes and axes of a problem and returns how much work it is. The axes point into
// `numbers`, which is filled too.
i64 read(const Plan& plan, Sizes& sizes, Axis* axis, std::vector<i64>& numbers, int axes,
         const i64* x, const i64* y, const i64* w) {
  numbers.resize(plan.size() / sizeof(i64));
  std::memcpy(numbers.data(), plan.c_str(), plan.size());
  i64* next = numbers.data();
  sizes = {next[0], next[1], next[2], next[3]};
  const i64 work = next[4];
  next += 5;
  static const i64 zero = 0;
  for (int a = 0; a < max_axes - axes; ++a) axis[a] = {1, 1, 1, 1, &zero, &zero, 0, 0};
  for (int a = 2; a < axes + 2; ++a) {
    const i64 taps = next[3], *offset = next + 4;
    i64* weight = next + 4 + taps;
    for (i64 t = 0; t < taps; ++t) weight[t] *= w[a];
    axis[max_axes - axes + a - 2] = {next[0], next[1], next[2], taps,
                                     offset,  weight,  x[a],    y ? y[a] : 0};
    next = weight + taps;
  }
  return work;
}

// Weights as `correlate` reads them, of each group: made by the first call that is given them.
struct PackedGroups {
  explicit PackedGroups(std::size_t groups) : of(groups) {}
  ~PackedGroups() {
    for (Packed& packed : of) release(packed.data);
  }
  PackedGroups(const PackedGroups&) = delete;
  i64 bytes() const {
    i64 sum = 0;
    for (const Packed& packed : of) sum += packed.bytes;
    return sum;
  }
  std::vector<Packed> of;
};

void correlate(int algorithm, In x, In w, const MaybeIn& b, const std::vector<Out>& ys,
               const std::vector<Plan>& plans, bool transposed, PackedGroups* packed = nullptr,
               double ceiling = 0) {
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    i64 work = 0;
    std::vector<Correlation<T>> phases(plans.size());
    std::vector<std::vector<i64>> numbers(plans.size());
    for (std::size_t k = 0; k < phases.size(); ++k) {
      Correlation<T>& p = phases[k];
      const Out& y = ys.at(k);
      work = read(plans[k], p, p.axis, numbers[k], int(x.ndim()) - 2, x.stride_ptr(),
                  y.stride_ptr(), w.stride_ptr());
      p.x = static_cast<const T*>(x.data());
      p.x_image = x.stride(0);
      p.w = static_cast<const T*>(w.data());
      // w (O, C/G, ...): a grad_input exchanges which of them is summed.
      p.w_out = w.stride(transposed ? 1 : 0);
      p.w_in = w.stride(transposed ? 0 : 1);
      p.w_group = w.stride(0) * (transposed ? p.in_channels : p.out_channels);
      p.packed = packed ? packed->of.data() : nullptr;
      p.b = b ? static_cast<const T*>(b->data()) : nullptr;
      p.ceiling = T(ceiling);
      p.y = static_cast<T*>(y.data());
      p.y_image = y.stride(0);
    }
    WithoutGil without_gil(work);
    if (!active->functions<T>().correlate[algorithm](phases.data(), i64(phases.size()),
                                                     context(work)))
      throw std::bad_alloc();
  });
}

Result forward(int algorithm, In x, In w, const MaybeIn& b, const nb::tuple& shape, Plan plan,
               PackedGroups* packed, double ceiling) {
  Result y = empty(shape, x.itemsize() == sizeof(double), true);
  correlate(algorithm, x, w, b, {Out(y)}, {plan}, false, packed, ceiling);
  return y;
}

Result grad_weight(int algorithm, In x, In gy, const nb::tuple& shape, Plan plan) {
  Result gw = empty(shape, x.itemsize() == sizeof(double), false);
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    std::vector<i64> numbers;
    WeightGradient<T> p;
    const i64 work =
        read(plan, p, p.axis, numbers, int(x.ndim()) - 2, x.stride_ptr(), nullptr, gw.stride_ptr());
    p.x = static_cast<const T*>(x.data());
    p.x_image = x.stride(0);
    p.gy = static_cast<const T*>(gy.data());
    p.gw = static_cast<T*>(gw.data());
    p.gw_out = gw.stride(0);
    p.gw_in = gw.stride(1);
    p.gw_group = gw.stride(0) * p.out_channels;
    WithoutGil without_gil(work);
    if (!active->functions<T>().grad_weight[algorithm](p, context(work))) throw std::bad_alloc();
  });
  return gw;
}

Result grad_input(In gy, In w, const nb::tuple& shape, Plan plan) {
  Result gx = empty(shape, gy.itemsize() == sizeof(double), true);
  by_type(gy, [&](auto zero) {
    using T = decltype(zero);
    std::vector<i64> numbers;
    InputGradient<T> p;
    const i64 work = read(plan, p, p.axis, numbers, int(gx.ndim()) - 2, gx.stride_ptr(),
                          gy.stride_ptr(), w.stride_ptr());
    p.gy = static_cast<const T*>(gy.data());
    p.gy_image = gy.stride(0);
    p.w = static_cast<const T*>(w.data());
    p.w_out = w.stride(0);
    p.w_in = w.stride(1);
    p.gx = static_cast<T*>(gx.data());
    p.gx_image = gx.stride(0);
    WithoutGil without_gil(work);
    if (!active->functions<T>().grad_input(p, context(work))) throw std::bad_alloc();
  });
  return gx;
}

// The products of a plan by winograd, as a part of those that the direct sum takes.
double winograd_part(Plan plan, int axes) {
  std::vector<i64> numbers;
  const i64 none[max_axes + 2] = {};
  Sizes sizes;
  Axis axis[max_axes];
  read(plan, sizes, axis, numbers, axes, none, nullptr, none);
  const i64 taps = axis[0].taps * axis[1].taps * axis[2].taps;
  return active->winograd_products(axis) / double(taps);
}

// GFLOP/s of multiply-adds on the calling thread: the most that any kernel could reach there.
double fma_peak(bool double_precision, double least_seconds) {
  using Clock = std::chrono::steady_clock;
  const auto work = double_precision ? active->f64.multiply_adds : active->f32.multiply_adds;
  WithoutGil without_gil(least_parallel_work);
  double best = 0, all = 0;
  while (all < least_seconds) {
    const auto begin = Clock::now();
    const i64 made = work(100000);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::max(best, 2e-9 * double(made) / seconds);
    all += seconds;
  }
  return best;
}

}  // namespace
}  // namespace pellucid

NB_MODULE(_native, m) {
  using namespace pellucid;
  active = builds_that_run().front();  // the best
  nb::set_leak_warnings(false);        // caches of Python functions live until the very end
  nb::class_<PackedGroups>(m, "Packed")
      .def(nb::init<std::size_t>(), nb::arg("groups"))
      .def_prop_ro("nbytes", &PackedGroups::bytes);
  add_maps(m);
  add_pooling(m);
  add_norms(m);
  add_losses(m);
  add_products(m);
  add_steps(m);
  m.def("correlate", [](int algorithm, In x, In w, const MaybeIn& b, const std::vector<Out>& ys,
                        const std::vector<Plan>& plans,
                        bool transposed) { correlate(algorithm, x, w, b, ys, plans, transposed); });
  m.def("forward", &forward, nb::arg("algorithm"), nb::arg("x"), nb::arg("w"), nb::arg("b").none(),
        nb::arg("y_shape"), nb::arg("plan"), nb::arg("packed") = nb::none(),
        nb::arg("ceiling") = 0.0);
  m.def("grad_weight", &grad_weight);
  m.def("winograd_part", &winograd_part);
  m.def("grad_input", &grad_input);
  m.def("empty", nb::overload_cast<const nb::tuple&, bool, bool>(&empty));
  m.def("isas", &isas);
  m.def("isa", [] { return active->isa; });
  m.def("vector_bytes", [] { return active->vector_bytes; });
  m.def("select_isa", &select_isa);
  m.def("fma_peak", &fma_peak, nb::arg("double_precision"), nb::arg("least_seconds"));
  m.def("set_num_threads", &set_thread_count);
  m.def("get_num_threads", &thread_count);
  m.def("empty_cache", &empty_pool);
  m.def("take_pool_peak", &take_pool_peak);
  m.def("fill_pool", &fill_pool);
  m.def("pool_state", [] {
    const PoolState state = pool_state();
    return std::tuple(state.used, state.kept, state.limit);
  });
}
