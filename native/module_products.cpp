// products.hpp for Python.
#include "module.hpp"

namespace pellucid {

namespace {

// Fills y with a b + bias; where `packs` is false, the rows of b or its columns have no gaps.
void multiply(In a, In b, const MaybeIn& bias, Out y, i64 panel, bool packs) {
  by_type(a, [&](auto zero) {
    using T = decltype(zero);
    MatrixProduct<T> p;
    p.rows = i64(y.shape(0));
    p.depth = i64(b.shape(0));
    p.columns = i64(y.shape(1));
    p.panel = panel;
    p.a = static_cast<const T*>(a.data());
    p.a_row = a.stride(0);
    p.a_column = p.depth == 1 ? 1 : a.stride(1);
    p.b = static_cast<const T*>(b.data());
    p.b_row = p.depth == 1 && b.stride(1) != 1 ? 1 : b.stride(0);
    p.b_column = p.columns == 1 ? 1 : b.stride(1);
    p.bias = bias ? static_cast<const T*>(bias->data()) : nullptr;
    p.y = static_cast<T*>(y.data());
    p.y_row = y.stride(0);
    const i64 work = p.rows * p.depth * p.columns;
    WithoutGil without_gil(work);
    const Products<T>& products = *active->functions<T>().products;
    if (!packs)
      products.few_rows(p, context(work));
    else if (!products.tiled(p, context(work)))
      throw std::bad_alloc();
  });
}

}  // namespace

void add_products(nb::module_& m) {
  m.def("multiply", &multiply, nb::arg("a"), nb::arg("b"), nb::arg("bias").none(), nb::arg("y"),
        nb::arg("panel"), nb::arg("packs"));
}

}  // namespace pellucid
