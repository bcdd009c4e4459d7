// A small pool of threads. A call is cut into jobs; each thread has a share of them, and takes from
// those of the others when it is through.
#pragma once

#include "context.hpp"

namespace pellucid {

// How many threads a call may use: what was set, else PELLUCID_NUM_THREADS, else the processors
// that this process may keep busy when it is first asked. 1 in a forked child.
int thread_count();
void set_thread_count(int threads);

// Call job(data, k) for every k < jobs. The caller works too. With the pool busy for another
// caller or for the job that calls, in a forked child, or with one job, the caller works alone:
// the result is the same.
void parallel(i64 jobs, void (*job)(void* data, i64 k), void* data);

// The same interface on the calling thread alone, for calls too small to share.
void serial(i64 jobs, void (*job)(void* data, i64 k), void* data);

}  // namespace pellucid
