// Functions of each element of arrays that lie alike, in one pass over their memory.
#pragma once

#include "context.hpp"

namespace pellucid {

template <class T>
struct Maps {
  // y = max(x, 0); a NaN stays one.
  void (*relu)(const T* x, T* y, i64 count, const Context&);
  // gx = gy where y > 0 or is NaN, else 0.
  void (*relu_gradient)(const T* gy, const T* y, T* gx, i64 count, const Context&);
};

}  // namespace pellucid
