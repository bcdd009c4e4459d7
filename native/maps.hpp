// Functions of each element of arrays that lie alike, in one pass over their memory.
#pragma once

#include "conv.hpp"

namespace pellucid {

// Which elements a dropout keeps: those whose 24 random bits are at least `least`. The bits of
// element e are a function of the key and of e (docs/decisions/0006).
struct Kept {
  std::uint64_t key[2];
  std::uint32_t least;
};

// An array of one value, but for x: element k of axis a of x is element start + k step of y's.
// At least two axes, from the outermost in memory to the innermost, along which x has neither gaps
// nor steps.
template <class T>
struct Placement {
  struct Axis {
    i64 size, count, start, step, stride;  // of y; of x; of x in y; of x in memory
  };
  const T* x;
  T value;
  int axes;
  Axis axis[max_axes + 2];
  T* y;
};

template <class T>
struct Maps {
  // y = max(x, 0); a NaN stays one.
  void (*relu)(const T* x, T* y, i64 count, const Context&);
  // gx = gy where y > 0 or is NaN, else 0.
  void (*relu_gradient)(const T* gy, const T* y, T* gx, i64 count, const Context&);
  // y = min(max(x, 0), 6); a NaN stays one.
  void (*relu6)(const T* x, T* y, i64 count, const Context&);
  // gx = gy where 0 < y < 6 or y is NaN, else 0.
  void (*relu6_gradient)(const T* gy, const T* y, T* gx, i64 count, const Context&);
  // y = min(max(y + residual, 0), ceiling), where the residual may be null; a NaN stays one.
  void (*add_relu)(const T* residual, T ceiling, T* y, i64 count, const Context&);
  // y = x factor where an element is kept, else x 0. Elements are numbered in the order (images,
  // channels, pixels) and lie in the order (images, pixels, channels).
  void (*dropout)(const Kept& kept, T factor, const T* x, T* y, i64 images, i64 channels,
                  i64 pixels, const Context&);
  // y = a + b.
  void (*add)(const T* a, const T* b, T* y, i64 count, const Context&);
  // Rows of `width` adjacent elements, copied from every from_step to every to_step elements.
  void (*copy_rows)(const T* from, i64 from_step, T* to, i64 to_step, i64 width, i64 rows,
                    const Context&);
  void (*place)(const Placement<T>&, const Context&);
};

}  // namespace pellucid
