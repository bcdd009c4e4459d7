// The jobs of one call, on several threads, and what they tell each other.
#pragma once

#include "context.hpp"

namespace pellucid::PELLUCID_ISA {

// Calls job(k) for k < jobs, on however many threads there are.
template <class Job>
void each_job(i64 jobs, Job job, const Context& context) {
  context.parallel(jobs, [](void* data, i64 k) { (*static_cast<Job*>(data))(k); }, &job);
}

// Raised by whichever job finds no memory left; the call then fails as a whole.
class Flag {
 public:
  void raise() { __atomic_store_n(&raised_, true, __ATOMIC_RELAXED); }
  explicit operator bool() const { return __atomic_load_n(&raised_, __ATOMIC_RELAXED); }

 private:
  bool raised_ = false;
};

}  // namespace pellucid::PELLUCID_ISA
