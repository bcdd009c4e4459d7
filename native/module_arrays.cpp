// Arrays that come from Python and go there, and the call of a kernel on them: no formula.
#include <chrono>
#include <thread>

#include "memory.hpp"
#include "module.hpp"
#include "threads.hpp"

namespace pellucid {

const Kernels* active = nullptr;

Context context(i64 work) {
  const int threads = work < least_parallel_work ? 1 : thread_count();
  return {threads == 1 ? serial : parallel, threads, allocate, release};
}

WithoutGil::WithoutGil(i64 work)
    : thread_(work < least_parallel_work ? nullptr : PyEval_SaveThread()) {}

WithoutGil::~WithoutGil() {
  try {
    if (thread_) PyEval_RestoreThread(thread_);
  } catch (...) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

namespace {

Result owned(std::size_t axes, const std::size_t* sizes, const i64* strides, std::size_t bytes,
             nb::dlpack::dtype dtype) {
  void* memory = allocate(bytes);
  if (!memory) throw std::bad_alloc();
  nb::capsule owner(memory, [](void* p) noexcept { release(p); });
  return Result(memory, axes, sizes, owner, strides, dtype);
}

}  // namespace

Result empty(const nb::tuple& shape, bool double_precision, bool channels_last) {
  std::size_t sizes[max_axes + 2];
  const std::size_t axes = nb::len(shape);
  if (axes > max_axes + 2) throw nb::value_error("at most five axes");
  for (std::size_t a = 0; a < axes; ++a) sizes[a] = nb::cast<std::size_t>(shape[a]);
  return empty(axes, sizes, double_precision ? nb::dtype<double>() : nb::dtype<float>(),
               channels_last);
}

Result empty(std::size_t axes, const std::size_t* sizes, nb::dlpack::dtype dtype,
             bool channels_last) {
  i64 strides[max_axes + 2];
  // Sizes of 0 apart, so that strides are known to fit too.
  i64 bytes = dtype.bits / 8;
  bool none = false;
  for (std::size_t a = 0; a < axes; ++a) {
    none = none || sizes[a] == 0;
    if (sizes[a] && __builtin_mul_overflow(bytes, sizes[a], &bytes)) throw std::bad_alloc();
  }
  i64 step = channels_last ? i64(sizes[1]) : 1;
  for (std::size_t a = axes; a-- > 0;) {
    const bool innermost = channels_last && a == 1;
    strides[a] = innermost ? 1 : step;
    if (!innermost) step *= i64(sizes[a]);
  }
  return owned(axes, sizes, strides, none ? 0 : std::size_t(bytes), dtype);
}

Result empty_like(const In& x) {
  std::size_t sizes[max_axes + 2];
  for (std::size_t a = 0; a < x.ndim(); ++a) sizes[a] = x.shape(a);
  return owned(x.ndim(), sizes, x.stride_ptr(), x.nbytes(), x.dtype());
}

bool is_dense(const In& x) {
  if (x.ndim() > max_axes + 2) return false;
  if (x.size() == 0) return true;
  // From the innermost axis out, each stride is the product of the sizes inside of it.
  std::size_t order[max_axes + 2], axes = 0;
  for (std::size_t a = 0; a < x.ndim(); ++a) {
    if (x.shape(a) == 1) continue;
    std::size_t k = axes++;
    for (; k > 0 && x.stride(order[k - 1]) > x.stride(a); --k) order[k] = order[k - 1];
    order[k] = a;
  }
  i64 step = 1;
  for (std::size_t k = 0; k < axes; ++k) {
    if (x.stride(order[k]) != step) return false;
    step *= i64(x.shape(order[k]));
  }
  return true;
}

bool is_channels_last(const In& x) {
  if (x.ndim() < 2 || x.ndim() > max_axes + 2) return false;
  const auto step_is = [&](std::size_t a, i64 step) {
    return x.shape(a) == 1 || x.stride(a) == step;
  };
  i64 step = i64(x.shape(1));
  bool so = step_is(1, 1);
  for (std::size_t a = x.ndim(); a-- > 2; step *= i64(x.shape(a))) so = so && step_is(a, step);
  return so && step_is(0, step);
}

bool lie_alike(const In& x, const In& y) {
  if (x.ndim() != y.ndim() || x.dtype() != y.dtype()) return false;
  for (std::size_t a = 0; a < x.ndim(); ++a) {
    if (x.shape(a) != y.shape(a)) return false;
    if (x.shape(a) != 1 && x.stride(a) != y.stride(a)) return false;
  }
  return true;
}

}  // namespace pellucid
