// What a kernel needs from the library around it: threads, and memory that lasts for one call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pellucid {

using i64 = std::int64_t;

struct Context {
  // Calls job(data, k) for k < jobs, on however many threads there are.
  void (*parallel)(i64 jobs, void (*job)(void* data, i64 k), void* data);
  int threads;
  // Memory for the whole call, aligned to 64 bytes; null when there is none left.
  void* (*allocate)(std::size_t bytes);
  void (*release)(void* memory);
};

}  // namespace pellucid
