// A pool of reused buffers: touching a fresh page costs sixty times what a used one does.
#pragma once

#include <cstddef>

namespace pellucid {

// Memory aligned to 64 bytes; null when there is none.
void* allocate(std::size_t bytes);
void release(void* memory);

struct PoolState {
  std::size_t used, kept, limit;  // bytes handed out, bytes waiting, most bytes that may wait
};
PoolState pool_state();

// The most bytes that were handed out at one time since the last call of this function.
std::size_t take_pool_peak();

// For tests: set every byte of waiting memory, so that what a kernel takes over from it shows.
void fill_pool(unsigned char byte);

// Give all waiting memory back to the system.
void empty_pool();

}  // namespace pellucid
