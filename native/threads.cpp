// The thread pool. Which thread takes which job is left to chance: jobs write disjoint results, so
// that no formula of docs/maths.md depends on it.
#include "threads.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace pellucid {
namespace {

// Denormal numbers slow training down up to a hundred times. They are flushed to zero while a
// kernel runs, and only then.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | 0x8040);
  }
  ~FlushDenormals() {
    _mm_setcsr(before_);
  }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
    __asm__ volatile("msr fpcr, %0" ::"r"(before_ | (1ull << 24)));
  }
  ~FlushDenormals() {
    __asm__ volatile("msr fpcr, %0" ::"r"(before_));
  }

 private:
  unsigned long long before_;
#endif
};

struct Work {
  i64 jobs;
  void (*job)(void*, i64);
  void* data;
  std::atomic<i64> next{0};

  void run() {
    FlushDenormals flush;
    for (i64 k = next.fetch_add(1); k < jobs; k = next.fetch_add(1)) job(data, k);
  }
};

class Pool {
 public:
  // One caller at a time has the threads.
  std::mutex in_use;

  void run(Work& work, int helpers) {
    grow(helpers);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      wanted_ = helpers;
      running_ = 0;
      ++round_;
    }
    wake_.notify_all();
    work.run();
    // Helpers that have not begun by now find no work, and may no longer begin.
    std::unique_lock<std::mutex> lock(mutex_);
    work_ = nullptr;
    done_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  void grow(int helpers) {
    for (; started_ < helpers; ++started_) {
      std::thread thread(&Pool::serve, this, started_);
      thread.detach();  // the pool is never destroyed
    }
  }

  void serve(int number) {
    std::uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
      if (!work_ || number >= wanted_) continue;
      Work& work = *work_;
      ++running_;
      lock.unlock();
      work.run();
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Work* work_ = nullptr;
  int wanted_ = 0, running_ = 0, started_ = 0;
  std::uint64_t round_ = 0;
};

Pool* pool = new Pool;
std::atomic<int> chosen{0};

// Threads do not survive a fork, and a lock may have been held: the child gets a new pool, and
// works alone, as its parent's other children do.
void after_fork() {
  pool = new Pool;
  chosen = 1;
}
const int registered = pthread_atfork(nullptr, nullptr, after_fork);

// The processors that a container's quota pays for, or 0 where there is none.
int quota() {
  int count = 0;
  if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long long limit = 0, period = 0;
    if (std::fscanf(file, "%lld %lld", &limit, &period) == 2 && period > 0)
      count = int((limit + period - 1) / period);
    std::fclose(file);
  }
  return count;
}

int available() {
  if (const char* text = std::getenv("PELLUCID_NUM_THREADS"))
    if (int count = std::atoi(text); count > 0) return count;
  cpu_set_t set;
  int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (int limit = quota(); limit > 0 && limit < count) count = limit;
  return count;
}

}  // namespace

int thread_count() {
  int count = chosen.load();
  if (count == 0) {
    count = available();
    chosen = count;
  }
  return count;
}

void set_thread_count(int threads) {
  chosen = threads;
}

void serial(i64 jobs, void (*job)(void*, i64), void* data) {
  FlushDenormals flush;
  for (i64 k = 0; k < jobs; ++k) job(data, k);
}

void parallel(i64 jobs, void (*job)(void*, i64), void* data) {
  const i64 helpers = (jobs < thread_count() ? jobs : thread_count()) - 1;
  Pool& mine = *pool;
  if (helpers < 1 || !mine.in_use.try_lock()) {
    serial(jobs, job, data);
    return;
  }
  Work work{jobs, job, data, {}};
  mine.run(work, int(helpers));
  mine.in_use.unlock();
}

}  // namespace pellucid
