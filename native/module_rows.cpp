// rows.hpp for Python.
#include "module.hpp"

namespace pellucid {

namespace {

void multiply_rows(In a, In b, const std::optional<In>& bias, Out y, i64 panel) {
  by_type(a, [&](auto zero) {
    using T = decltype(zero);
    FewRows<T> p;
    p.rows = i64(y.shape(0));
    p.depth = i64(b.shape(0));
    p.columns = i64(y.shape(1));
    p.panel = panel;
    p.a = static_cast<const T*>(a.data());
    p.a_row = a.stride(0);
    p.a_column = a.stride(1);
    p.b = static_cast<const T*>(b.data());
    p.b_row = b.stride(0);
    p.b_column = p.columns == 1 ? 1 : b.stride(1);
    p.bias = bias ? static_cast<const T*>(bias->data()) : nullptr;
    p.y = static_cast<T*>(y.data());
    p.y_row = y.stride(0);
    const i64 work = p.rows * p.depth * p.columns;
    WithoutGil without_gil(work);
    active->functions<T>().products->few_rows(p, context(work));
  });
}

}  // namespace

void add_rows(nb::module_& m) {
  m.def("multiply_rows", &multiply_rows, nb::arg("a"), nb::arg("b"), nb::arg("bias").none(),
        nb::arg("y"), nb::arg("panel"));
}

}  // namespace pellucid
