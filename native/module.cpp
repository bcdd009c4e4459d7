// The Python module `pellucid._native`: arrays in, arrays out. It picks the kernels for this
// processor, checks nothing that kernels/conv has checked already, and computes no formula itself.
#include <cxxabi.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "isas.hpp"
#include "kernels.hpp"
#include "memory.hpp"
#include "threads.hpp"

namespace nb = nanobind;

namespace pellucid {

namespace {

// Below this many multiply-adds, waking a thread costs more than it saves.
constexpr i64 least_parallel_work = 200000;

const Kernels* active = nullptr;

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

using In = nb::ndarray<nb::ro, nb::device::cpu>;
using Out = nb::ndarray<nb::device::cpu>;
// Sizes and taps of a correlation, written by kernels/conv/direct.py in this order:
// images, groups, in_channels, out_channels, work, then for each axis in, out, step, taps, and
// for each tap its offset and its place in the kernel.
using Plan = nb::ndarray<const i64, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// Fills the sizes and axes of a problem and returns how much work it is.
i64 read(const Plan& plan, Sizes& sizes, Axis* axis, i64* weight, int axes, const i64* x,
         const i64* y, const i64* w) {
  const i64* next = plan.data();
  sizes = {next[0], next[1], next[2], next[3]};
  const i64 work = next[4];
  next += 5;
  static const i64 zero = 0;
  for (int a = 0; a < max_axes - axes; ++a) axis[a] = {1, 1, 1, 1, &zero, &zero, 0, 0};
  for (int a = 0; a < axes; ++a) {
    Axis& to = axis[max_axes - axes + a];
    to = {next[0], next[1], next[2], next[3], next + 4, weight, x[a + 2], y ? y[a + 2] : 0};
    for (i64 t = 0; t < to.taps; ++t) *weight++ = next[4 + to.taps + t] * w[a + 2];
    next += 4 + 2 * to.taps;
  }
  return work;
}

Context context(i64 work) {
  const int threads = work < least_parallel_work ? 1 : thread_count();
  return {threads == 1 ? serial : parallel, threads, allocate, release};
}

// Lets other threads run Python meanwhile, in place of nb::gil_scoped_release. Where the
// interpreter has ended before a daemon thread comes back, Python until 3.14 ends that thread by
// unwinding its stack, and in a destructor that aborts the process. Such a thread waits here until
// the process is gone.
class WithoutGil {
 public:
  WithoutGil() : thread_(PyEval_SaveThread()) {}
  ~WithoutGil() {
    try {
      PyEval_RestoreThread(thread_);
    } catch (...) {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
  }
  WithoutGil(const WithoutGil&) = delete;

 private:
  PyThreadState* thread_;
};

// compute(T{}) for the type T of an array's elements.
template <class Compute>
void by_type(const In& x, Compute compute) {
  if (x.itemsize() == sizeof(float))
    compute(float{});
  else
    compute(double{});
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

void correlate(int algorithm, In x, In w, std::optional<In> b, const std::vector<Out>& ys,
               const std::vector<Plan>& plans, bool transposed, bool relu, PackedGroups* packed) {
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    std::size_t numbers = 0;
    for (const Plan& plan : plans) numbers += plan.shape(0);
    std::vector<i64> weight(numbers);
    i64 work = 0, *next = weight.data();
    std::vector<Correlation<T>> phases(plans.size());
    for (std::size_t k = 0; k < phases.size(); ++k) {
      Correlation<T>& p = phases[k];
      const Out& y = ys.at(k);
      work = read(plans[k], p, p.axis, next, int(x.ndim()) - 2, x.stride_ptr(), y.stride_ptr(),
                  w.stride_ptr());
      next += plans[k].shape(0);
      p.x = static_cast<const T*>(x.data());
      p.x_image = x.stride(0);
      p.w = static_cast<const T*>(w.data());
      // w (O, C/G, ...): a grad_input exchanges which of them is summed.
      p.w_out = w.stride(transposed ? 1 : 0);
      p.w_in = w.stride(transposed ? 0 : 1);
      p.w_group = w.stride(0) * (transposed ? p.in_channels : p.out_channels);
      p.packed = packed ? packed->of.data() : nullptr;
      p.b = b ? static_cast<const T*>(b->data()) : nullptr;
      p.relu = relu;
      p.y = static_cast<T*>(y.data());
      p.y_image = y.stride(0);
    }
    WithoutGil without_gil;
    if (!active->functions<T>().correlate[algorithm](phases.data(), i64(phases.size()),
                                                     context(work)))
      throw std::bad_alloc();
  });
}

void grad_weight(int algorithm, In x, In gy, Out gw, Plan plan) {
  by_type(x, [&](auto zero) {
    using T = decltype(zero);
    std::vector<i64> weight(plan.shape(0));
    WeightGradient<T> p;
    const i64 work = read(plan, p, p.axis, weight.data(), int(x.ndim()) - 2, x.stride_ptr(),
                          nullptr, gw.stride_ptr());
    p.x = static_cast<const T*>(x.data());
    p.x_image = x.stride(0);
    p.gy = static_cast<const T*>(gy.data());
    p.gw = static_cast<T*>(gw.data());
    p.gw_out = gw.stride(0);
    p.gw_in = gw.stride(1);
    p.gw_group = gw.stride(0) * p.out_channels;
    WithoutGil without_gil;
    if (!active->functions<T>().grad_weight[algorithm](p, context(work))) throw std::bad_alloc();
  });
}

void grad_input(In gy, In w, Out gx, Plan plan) {
  by_type(gy, [&](auto zero) {
    using T = decltype(zero);
    std::vector<i64> weight(plan.shape(0));
    InputGradient<T> p;
    const i64 work = read(plan, p, p.axis, weight.data(), int(gx.ndim()) - 2, gx.stride_ptr(),
                          gy.stride_ptr(), w.stride_ptr());
    p.gy = static_cast<const T*>(gy.data());
    p.gy_image = gy.stride(0);
    p.w = static_cast<const T*>(w.data());
    p.w_out = w.stride(0);
    p.w_in = w.stride(1);
    p.gx = static_cast<T*>(gx.data());
    p.gx_image = gx.stride(0);
    WithoutGil without_gil;
    if (!active->functions<T>().grad_input(p, context(work))) throw std::bad_alloc();
  });
}

// The products of a plan by winograd, as a part of those that the direct sum takes.
double winograd_part(Plan plan, int axes) {
  std::vector<i64> weight(plan.shape(0));
  const i64 none[max_axes + 2] = {};
  Sizes sizes;
  Axis axis[max_axes];
  read(plan, sizes, axis, weight.data(), axes, none, nullptr, none);
  const i64 taps = axis[0].taps * axis[1].taps * axis[2].taps;
  return active->winograd_products(axis) / double(taps);
}

// GFLOP/s of multiply-adds on the calling thread: the most that any kernel could reach there.
double fma_peak(bool double_precision, double least_seconds) {
  using Clock = std::chrono::steady_clock;
  const auto work = double_precision ? active->f64.multiply_adds : active->f32.multiply_adds;
  WithoutGil without_gil;
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

// New memory for an array (N, C, ...) that lies as (N, ..., C), from the pool.
nb::ndarray<nb::numpy> empty_channels_last(nb::tuple shape, bool double_precision) {
  std::size_t sizes[max_axes + 2];
  i64 strides[max_axes + 2];
  const std::size_t axes = nb::len(shape);
  // Sizes of 0 apart, so that strides are known to fit too.
  i64 bytes = double_precision ? 8 : 4;
  bool empty = false;
  for (std::size_t a = 0; a < axes; ++a) {
    sizes[a] = nb::cast<std::size_t>(shape[a]);
    empty = empty || sizes[a] == 0;
    if (sizes[a] && __builtin_mul_overflow(bytes, sizes[a], &bytes)) throw std::bad_alloc();
  }
  i64 step = 1;
  // From the innermost axis outwards: C, the spatial axes from the last, N.
  strides[1] = step;
  step *= i64(sizes[1]);
  for (std::size_t a = axes; a-- > 2;) {
    strides[a] = step;
    step *= i64(sizes[a]);
  }
  strides[0] = step;
  void* memory = allocate(empty ? 0 : std::size_t(bytes));
  if (!memory) throw std::bad_alloc();
  nb::capsule owner(memory, [](void* p) noexcept { release(p); });
  const auto dtype = double_precision ? nb::dtype<double>() : nb::dtype<float>();
  return nb::ndarray<nb::numpy>(memory, axes, sizes, owner, strides, dtype);
}

}  // namespace
}  // namespace pellucid

NB_MODULE(_native, m) {
  using namespace pellucid;
  active = builds_that_run().front();  // the best
  nb::class_<PackedGroups>(m, "Packed")
      .def(nb::init<std::size_t>(), nb::arg("groups"))
      .def_prop_ro("nbytes", &PackedGroups::bytes);
  m.def("correlate", &correlate, nb::arg("algorithm"), nb::arg("x").noconvert(),
        nb::arg("w").noconvert(), nb::arg("b").none().noconvert(), nb::arg("ys").noconvert(),
        nb::arg("plans").noconvert(), nb::arg("transposed"), nb::arg("relu") = false,
        nb::arg("packed") = nb::none());
  m.def("grad_weight", &grad_weight, nb::arg("algorithm"), nb::arg("x").noconvert(),
        nb::arg("gy").noconvert(), nb::arg("gw").noconvert(), nb::arg("plan").noconvert());
  m.def("winograd_part", &winograd_part, nb::arg("plan").noconvert(), nb::arg("axes"));
  m.def("grad_input", &grad_input, nb::arg("gy").noconvert(), nb::arg("w").noconvert(),
        nb::arg("gx").noconvert(), nb::arg("plan").noconvert());
  m.def("empty_channels_last", &empty_channels_last);
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
