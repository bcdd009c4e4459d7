// The kernels of one instruction set, as the one symbol that module.cpp sees of them.
#include "table.hpp"

#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

#define PELLUCID_QUOTE(name) #name
#define PELLUCID_NAME(name) PELLUCID_QUOTE(name)

template <class T>
constexpr Functions<T> functions = {
    {correlate_directly<T>, correlate_winograd<T>, correlate_lanewise<T>},
    {grad_weight_directly<T>, grad_weight_winograd<T>, grad_weight_lanewise<T>},
    grad_input_planar<T>,
    multiply_adds<T>,
};

extern const Kernels kernels;
const Kernels kernels = {PELLUCID_NAME(PELLUCID_ISA), vector_bytes, winograd_products,
                         functions<float>, functions<double>};

}  // namespace pellucid::PELLUCID_ISA
