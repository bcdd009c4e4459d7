// Arithmetic of sizes, from which everything is cut into parts.
#pragma once

#include "simd.hpp"

namespace pellucid::PELLUCID_ISA {

PELLUCID_INLINE constexpr i64 smaller(i64 a, i64 b) {
  return a < b ? a : b;
}
PELLUCID_INLINE constexpr i64 larger(i64 a, i64 b) {
  return a > b ? a : b;
}
PELLUCID_INLINE constexpr i64 divide_up(i64 a, i64 b) {
  return (a + b - 1) / b;
}

// The least multiple of `unit` that is not less than `count`.
PELLUCID_INLINE constexpr i64 filled(i64 count, i64 unit) {
  return divide_up(count, unit) * unit;
}

// The size of equal parts of `all`, none of them above `most`, rounded up to a multiple of `to`.
PELLUCID_INLINE constexpr i64 chunk(i64 all, i64 most, i64 to) {
  return filled(divide_up(all, divide_up(all, most)), to);
}

}  // namespace pellucid::PELLUCID_ISA
