// What the parts of the Python module share: arrays, and how a kernel is called.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>

#include "isas.hpp"
#include "kernels.hpp"

namespace pellucid {

namespace nb = nanobind;

using In = nb::ndarray<nb::ro, nb::device::cpu>;
using MaybeIn = std::optional<In>;
using Out = nb::ndarray<nb::device::cpu>;
using Result = nb::ndarray<nb::numpy>;

// Below this many multiply-adds, waking a thread costs more than it saves.
constexpr i64 least_parallel_work = 200000;

extern const Kernels* active;

Context context(i64 work);

// Lets other threads run Python meanwhile, in place of nb::gil_scoped_release, unless it takes
// longer to let them than to work. Where the interpreter has ended before a daemon thread comes
// back, Python until 3.14 ends that thread by unwinding its stack, and in a destructor that aborts
// the process. Such a thread waits here until the process is gone.
class WithoutGil {
 public:
  explicit WithoutGil(i64 work);
  ~WithoutGil();
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

// New memory from the pool for an array that lies in row-major order, or for (N, C, ...) as
// (N, ..., C).
Result empty(const nb::tuple& shape, bool double_precision, bool channels_last);
Result empty(std::size_t axes, const std::size_t* sizes, nb::dlpack::dtype dtype,
             bool channels_last);

// New memory from the pool, with the shape, dtype and strides of an array that `is_dense`.
Result empty_like(const In& x);

// Whether the elements of an array lie without gaps, in whatever order of the axes.
bool is_dense(const In& x);

// Whether an array (N, C) or (N, C, ...) lies without gaps as (N, ..., C).
bool is_channels_last(const In& x);

// Whether two arrays have one shape and lie alike.
bool lie_alike(const In& x, const In& y);

void add_maps(nb::module_& m);
void add_pooling(nb::module_& m);
void add_norms(nb::module_& m);
void add_losses(nb::module_& m);
void add_products(nb::module_& m);
void add_steps(nb::module_& m);

}  // namespace pellucid
