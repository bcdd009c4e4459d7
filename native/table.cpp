// The kernels of one instruction set, as the one symbol that module.cpp sees of them.
#include "table.hpp"

#include "kernels.hpp"
#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

#define PELLUCID_QUOTE(name) #name
#define PELLUCID_NAME(name) PELLUCID_QUOTE(name)

// One phase after the other.
template <class T, bool (*correlate)(const Correlation<T>&, const Context&)>
bool each(const Correlation<T>* phases, i64 count, const Context& context) {
  for (i64 k = 0; k < count; ++k)
    if (!correlate(phases[k], context)) return false;
  return true;
}

template <class T>
constexpr Functions<T> functions = {
    {correlate_directly<T>, each<T, correlate_winograd<T>>, correlate_lanewise<T>},
    {grad_weight_directly<T>, grad_weight_winograd<T>, grad_weight_lanewise<T>},
    grad_input_planar<T>,
    &TableOf<T>::maps,
    &TableOf<T>::pooling,
    &TableOf<T>::norms,
    &TableOf<T>::losses,
    &TableOf<T>::products,
    &TableOf<T>::steps,
    multiply_adds<T>,
};

extern const Kernels kernels;
const Kernels kernels = {PELLUCID_NAME(PELLUCID_ISA), vector_bytes, winograd_products,
                         functions<float>, functions<double>};

}  // namespace pellucid::PELLUCID_ISA
