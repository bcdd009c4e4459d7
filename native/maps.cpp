// Functions of each element: y = max(x, 0) and the like, for runs of adjacent elements.
#include "maps.hpp"

#include "jobs.hpp"
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Elements of a job: three arrays of them stay in the second cache.
constexpr i64 run = 16384;

// y[e] = f(x[e], ...) for vectors of elements; T of one element is the last vector's part.
template <class T, class F, class... X>
PELLUCID_INLINE void map(F f, T* y, i64 count, const Context& context, const X*... x) {
  auto job = [&](i64 k) {
    constexpr i64 lanes = Simd<T>::lanes;
    const i64 end = count < (k + 1) * run ? count : (k + 1) * run;
    i64 e = k * run;
    for (; e + lanes <= end; e += lanes) store(y + e, f(load(x + e)...));
    if (e < end) store_part(y + e, f(load_part(x + e, end - e)...), end - e);
  };
  each_job((count + run - 1) / run, job, context);
}

template <class T>
void relu(const T* x, T* y, i64 count, const Context& context) {
  map([](Vec<T> v) { return v <= 0 ? Vec<T>{} : v; }, y, count, context, x);
}

template <class T>
void relu_gradient(const T* gy, const T* y, T* gx, i64 count, const Context& context) {
  map([](Vec<T> g, Vec<T> v) { return v <= 0 ? Vec<T>{} : g; }, gx, count, context, gy, y);
}

template <class T>
void relu6(const T* x, T* y, i64 count, const Context& context) {
  const Vec<T> six = splat(T(6));
  map([=](Vec<T> v) { return v <= 0 ? Vec<T>{} : v >= six ? six : v; }, y, count, context, x);
}

template <class T>
void relu6_gradient(const T* gy, const T* y, T* gx, i64 count, const Context& context) {
  map([](Vec<T> g, Vec<T> v) { return ((v <= 0) | (v >= 6)) ? Vec<T>{} : g; }, gx, count, context,
      gy, y);
}

template <class T>
void add_relu(const T* residual, T ceiling, T* y, i64 count, const Context& context) {
  const Vec<T> most = splat(ceiling);
  const auto moved = [=](Vec<T> v) { return v <= 0 ? Vec<T>{} : v >= most ? most : v; };
  if (residual)
    map([=](Vec<T> v, Vec<T> r) { return moved(v + r); }, y, count, context,
        static_cast<const T*>(y), residual);
  else
    map(moved, y, count, context, static_cast<const T*>(y));
}

template <class T>
void add(const T* a, const T* b, T* y, i64 count, const Context& context) {
  map([](Vec<T> v, Vec<T> w) { return v + w; }, y, count, context, a, b);
}

template <class T>
void copy_rows(const T* from, i64 from_step, T* to, i64 to_step, i64 width, i64 rows,
               const Context& context) {
  const i64 some = width < run ? run / (width > 0 ? width : 1) : 1;
  auto job = [&](i64 k) {
    const i64 end = rows < (k + 1) * some ? rows : (k + 1) * some;
    for (i64 r = k * some; r < end; ++r)
      __builtin_memcpy(to + r * to_step, from + r * from_step, width * sizeof(T));
  };
  each_job((rows + some - 1) / some, job, context);
}

// Line k of the two innermost axes: what lies between the rows of x is filled at once.
template <class T>
void place_line(const Placement<T>& p, i64 line) {
  const auto &inner = p.axis[p.axes - 1], &rows = p.axis[p.axes - 2];
  const i64 size = rows.size * inner.size;
  T *y = p.y + line * size, *next = y;
  const auto fill_until = [&](T* end) {
    for (; next < end; ++next) *next = p.value;
  };
  i64 from = 0;
  bool inside = true;
  for (int a = p.axes - 2; a-- > 0; line /= p.axis[a].size) {
    const auto& axis = p.axis[a];
    const i64 at = line % axis.size - axis.start;
    inside = inside && at >= 0 && at % axis.step == 0 && at / axis.step < axis.count;
    from += at / axis.step * axis.stride;
  }
  for (i64 k = 0; inside && k < rows.count; ++k) {
    fill_until(y + (rows.start + k * rows.step) * inner.size + inner.start);
    __builtin_memcpy(next, p.x + from + k * rows.stride, inner.count * sizeof(T));
    next += inner.count;
  }
  fill_until(y + size);
}

template <class T>
void place(const Placement<T>& p, const Context& context) {
  i64 lines = 1;
  for (int a = 0; a + 2 < p.axes; ++a) lines *= p.axis[a].size;
  const i64 size = p.axis[p.axes - 2].size * p.axis[p.axes - 1].size;
  const i64 some = size < run ? run / (size > 0 ? size : 1) : 1;
  const auto job = [&](i64 k) {
    const i64 end = lines < (k + 1) * some ? lines : (k + 1) * some;
    for (i64 line = k * some; line < end; ++line) place_line(p, line);
  };
  each_job((lines + some - 1) / some, job, context);
}

}  // namespace

template <class T>
const Maps<T> TableOf<T>::maps = {relu<T>,     relu_gradient<T>, relu6<T>,     relu6_gradient<T>,
                                  add_relu<T>, add<T>,           copy_rows<T>, place<T>};

template const Maps<float> TableOf<float>::maps;
template const Maps<double> TableOf<double>::maps;

}  // namespace pellucid::PELLUCID_ISA
