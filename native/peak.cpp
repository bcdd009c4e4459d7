// How fast multiply-adds can be: a loop of nothing else, the 100 % of the benchmarks.
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

// Enough chains to fill two pipelines of four or five cycles; the compiler may keep them in
// registers, and may not guess what they become.
template <class T>
i64 multiply_adds(i64 rounds) {
  constexpr int chains = 12;
  Vec<T> acc[chains], a = splat(T(0.5)), b = splat(T(1));
#pragma GCC unroll 16
  for (int k = 0; k < chains; ++k) acc[k] = splat(T(k));
  for (i64 round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int k = 0; k < chains; ++k) {
      acc[k] = fma(a, acc[k], b);
#if defined(__x86_64__)
      __asm__ volatile("" : "+x"(acc[k]));
#else
      __asm__ volatile("" : "+w"(acc[k]));
#endif
    }
  }
  return rounds * chains * Simd<T>::lanes;
}

template i64 multiply_adds<float>(i64);
template i64 multiply_adds<double>(i64);

}  // namespace pellucid::PELLUCID_ISA
