// The jobs of one call, on several threads, and what they tell each other.
#pragma once

#include "context.hpp"

namespace pellucid::PELLUCID_ISA {

// Calls job(k) for k < jobs, on however many threads there are.
template <class Job>
void each_job(i64 jobs, Job job, const Context& context) {
  context.parallel(jobs, [](void* data, i64 k) { (*static_cast<Job*>(data))(k); }, &job);
}

// The same, but each thread takes its share (threads.cpp) from the last job to the first: what it
// met last in a pass before this one still lies in its caches.
template <class Job>
void each_job_backwards(i64 jobs, Job job, const Context& context) {
  const i64 threads = context.threads;
  const auto turned = [&](i64 k) {
    const i64 thread = ((k + 1) * threads - 1) / jobs;
    job(jobs * thread / threads + jobs * (thread + 1) / threads - 1 - k);
  };
  each_job(jobs, turned, context);
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
