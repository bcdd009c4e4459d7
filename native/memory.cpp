// The buffer pool: free lists by size, under a lock, with a limit to what may wait in them.
// PELLUCID_POOL=0 switches it off: then every buffer is a block of the system, of its exact size,
// so that sanitizers see a step past its end.
#include "memory.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace pellucid {
namespace {

constexpr std::size_t header = 64;  // keeps what follows aligned
constexpr std::size_t huge = std::size_t(2) << 20;
constexpr int classes = 64 * 4;
// Where none waits that fits, one of these further classes serves before fresh memory does: up to
// twice as large. Else what waits is the sum of the most that each class ever held at a time.
constexpr int larger = 4;

struct Block {
  std::size_t bytes, counted;  // of the whole block; of what was asked for
  int size_class;
  Block* next;
};
static_assert(sizeof(Block) <= header);

struct State {
  std::mutex mutex;
  Block* free[classes] = {};
  std::size_t used = 0, kept = 0, peak = 0;
  const std::size_t limit = [] {
    const char* text = std::getenv("PELLUCID_POOL");
    return text && std::strcmp(text, "0") == 0 ? std::size_t(0) : std::size_t(1) << 30;
  }();
};
State* state = new State;  // never destroyed: arrays may outlive everything else

// The parent's lock may be held and its lists half changed: start anew. The blocks that arrays of
// the child still view come back one by one.
void after_fork() {
  State* before = state;
  state = new State;
  state->used = before->used;
}
const int registered = pthread_atfork(nullptr, nullptr, after_fork);

// Four classes to each power of two: at most a quarter of a block is wasted. Activations are often
// powers of two themselves, so the header comes on top.
int class_of(std::size_t bytes, std::size_t& rounded) {
  int power = 8;
  while (power < 62 && (std::size_t(2) << power) <= bytes) ++power;
  const std::size_t step = std::size_t(1) << (power - 2);
  const std::size_t above = bytes <= (std::size_t(1) << power)
                                ? 0
                                : (bytes - (std::size_t(1) << power) + step - 1) / step;
  rounded = (std::size_t(1) << power) + above * step;
  return power * 4 + int(above);
}

Block* fresh(std::size_t bytes) {
  const std::size_t alignment = bytes >= huge ? huge : 64;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes)) return nullptr;
#if defined(MADV_HUGEPAGE)
  // Whole huge pages; the few bytes behind them get a small one.
  if (bytes >= huge) madvise(memory, bytes / huge * huge, MADV_HUGEPAGE);
#endif
  return static_cast<Block*>(memory);
}

}  // namespace

void* allocate(std::size_t wanted) {
  if (wanted > (std::size_t(1) << 60)) return nullptr;
  std::size_t bytes;
  const int size_class = class_of(wanted, bytes);
  bytes = (state->limit ? bytes : wanted) + header;
  Block* block = nullptr;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    for (int c = size_class; c < classes && c <= size_class + larger && !block; ++c)
      if ((block = state->free[c])) {
        state->free[c] = block->next;
        state->kept -= block->bytes;
      }
    state->used += bytes;
    if (state->used > state->peak) state->peak = state->used;
  }
  const bool reused = block;
  if (!block && !(block = fresh(bytes))) {
    empty_pool();
    block = fresh(bytes);
  }
  if (!block) {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->used -= bytes;
    return nullptr;
  }
  if (!reused) {
    block->bytes = bytes;
    block->size_class = size_class;
  }
  block->counted = bytes;
  return reinterpret_cast<char*>(block) + header;
}

void release(void* memory) {
  if (!memory) return;
  Block* block = reinterpret_cast<Block*>(static_cast<char*>(memory) - header);
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->used -= block->counted;
    if (state->kept + block->bytes <= state->limit) {
      block->next = state->free[block->size_class];
      state->free[block->size_class] = block;
      state->kept += block->bytes;
      return;
    }
  }
  std::free(block);
}

PoolState pool_state() {
  std::lock_guard<std::mutex> lock(state->mutex);
  return {state->used, state->kept, state->limit};
}

std::size_t take_pool_peak() {
  std::lock_guard<std::mutex> lock(state->mutex);
  const std::size_t peak = state->peak;
  state->peak = state->used;
  return peak;
}

void fill_pool(unsigned char byte) {
  std::lock_guard<std::mutex> lock(state->mutex);
  for (Block* block : state->free)
    for (; block; block = block->next)
      std::memset(reinterpret_cast<char*>(block) + header, byte, block->bytes - header);
}

void empty_pool() {
  Block* list = nullptr;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    for (Block*& head : state->free)
      while (Block* block = head) {
        head = block->next;
        block->next = list;
        list = block;
      }
    state->kept = 0;
  }
  while (Block* block = list) {
    list = block->next;
    std::free(block);
  }
}

}  // namespace pellucid
