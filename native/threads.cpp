// The thread pool. Each thread has jobs of its own, one after the other, and when these are done
// takes from those of the others: neighbouring jobs read the same memory, and what one region wrote
// lies in the cache of the thread that comes back to it in the next. Jobs write disjoint results,
// so that no formula of docs/maths.md depends on who took which.
#include "threads.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>

#include "processors.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace pellucid {
namespace {

using u64 = std::uint64_t;

// Denormal numbers slow training down up to a hundred times. They are flushed to zero while a
// kernel runs, and only then.
class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
    __asm__ volatile("msr fpcr, %0" ::"r"(before_ | (1ull << 24)));
  }
  ~FlushDenormals() { __asm__ volatile("msr fpcr, %0" ::"r"(before_)); }

 private:
  unsigned long long before_;
#endif
};

// Waking a thread costs some ten microseconds, and the next region of a kernel, or the next call,
// often comes sooner than that. So whoever waits looks again for this long before it sleeps: a
// region of two threads then takes 1 microsecond beyond its work in place of 9
// (tests/native/fork_join.cpp).
constexpr std::chrono::microseconds patience{30};

// Not with more threads than processors: who waits would keep the others from working.
std::atomic<bool> may_spin{false};

void pause() {
#if defined(__SSE2__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Nobody waits for a helper without work: it offers its processor to others meanwhile. On a busy
// machine that may be the caller, on the same one.
enum class Waiting { caller, helper };

template <class Done>
bool spin_until(Waiting who, Done done) {
  if (done()) return true;
  if (!may_spin.load(std::memory_order_relaxed)) return false;
  const auto end = std::chrono::steady_clock::now() + patience;
  do {
    for (int k = 0; k < 16; ++k) {
      pause();
      if (done()) return true;
    }
    if (who == Waiting::helper) sched_yield();
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// Those of the jobs of one thread that nobody has taken: first .. last - 1. Their owner takes the
// first of them, others take the last.
class alignas(64) Share {
 public:
  // For whoever sets out a call, before anyone works at it.
  void fill(i64 first, i64 last) { first_and_last_ = u64(first) << 32 | u64(last); }

  // Take a job, or return -1.
  i64 take(bool mine) {
    u64 now = first_and_last_.load();
    for (;;) {
      const i64 first = i64(now >> 32), last = i64(now & 0xffffffff);
      if (first >= last) return -1;
      const u64 then = mine ? now + (u64(1) << 32) : now - 1;
      if (first_and_last_.compare_exchange_weak(now, then)) return mine ? first : last - 1;
    }
  }

 private:
  std::atomic<u64> first_and_last_;
};

constexpr int most_shares = 32;
constexpr i64 most_jobs = 0xffffffff;

struct Work {
  Work(i64 jobs, int threads, void (*job)(void*, i64), void* data)
      : job(job), data(data), count(threads < most_shares ? threads : most_shares) {
    for (i64 k = 0; k < count; ++k) shares[k].fill(jobs * k / count, jobs * (k + 1) / count);
  }

  // Thread 0 is the caller.
  void run(int thread) {
    FlushDenormals flush;
    for (int other = 0; other < count; ++other) {
      Share& share = shares[(thread + other) % count];
      for (i64 k = share.take(other == 0); k >= 0; k = share.take(other == 0)) job(data, k);
    }
  }

  void (*job)(void*, i64);
  void* data;
  int count;
  Share shares[most_shares];
};

// A call offers seats, and helpers that take one work on it. When there is no job left, the seats
// that are still free are withdrawn; the call ends when those who took one are done. So a helper
// that wakes too late costs nothing, and none touches `work_` after the call.
class Pool {
 public:
  // One caller at a time has the threads. No mutex: a job may ask for them too, and is refused.
  bool take() { return !taken_.exchange(true, std::memory_order_acquire); }
  void give_back() { taken_.store(false, std::memory_order_release); }

  void run(Work& work, int helpers) {
    work_ = &work;
    offer(start(helpers));
    work.run(0);
    state_.fetch_and(~seats);
    const auto all_done = [this] { return state_.load() == 0; };
    if (spin_until(Waiting::caller, all_done)) return;
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, all_done);
  }

 private:
  // The low half of `state_` counts free seats, the high half those at work.
  static constexpr u64 seats = 0xffffffff, at_work = seats + 1;

  // Start threads until there are as many helpers, and return how many there may be.
  int start(int helpers) {
    if (started_ >= helpers) return helpers;
    // Signals are for the threads of the program, but for those that a thread causes itself.
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigdelset(&blocked, own);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    try {
      for (; started_ < helpers; ++started_)
        std::thread(&Pool::serve, this, started_ + 1).detach();  // the pool is never destroyed
    } catch (const std::system_error&) {  // the system has no more: do with fewer
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started_;
  }

  void offer(int helpers) {
    state_.store(u64(helpers));
    // Either a helper that is falling asleep sees its seat, or it is counted here.
    const int asleep = asleep_.load();
    if (asleep == 0) return;
    {
      std::lock_guard<std::mutex> lock(mutex_);
    }
    if (helpers >= asleep)
      wake_.notify_all();
    else
      for (int k = 0; k < helpers; ++k) wake_.notify_one();
  }

  bool sit_down() {
    u64 now = state_.load();
    while (now & seats)
      if (state_.compare_exchange_weak(now, now - 1 + at_work)) return true;
    return false;
  }

  void stand_up() {
    state_.fetch_and(~seats);  // no job is left for whoever would come
    if (state_.fetch_sub(at_work) != at_work) return;
    {
      std::lock_guard<std::mutex> lock(mutex_);
    }
    done_.notify_one();
  }

  void serve(int number) {
    const auto seated = [this] { return sit_down(); };
    for (;;) {
      if (!spin_until(Waiting::helper, seated)) {
        std::unique_lock<std::mutex> lock(mutex_);
        ++asleep_;
        wake_.wait(lock, seated);
        --asleep_;
      }
      work_->run(number);
      stand_up();
    }
  }

  std::atomic<bool> taken_{false};
  std::atomic<u64> state_{0};
  std::atomic<int> asleep_{0};
  Work* work_ = nullptr;
  int started_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
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

}  // namespace

int thread_count() {
  int count = chosen.load();
  if (count > 0) return count;
  const int most = processors();
  const char* text = std::getenv("PELLUCID_NUM_THREADS");
  const int wanted = text ? std::atoi(text) : 0;
  const int usual = wanted > 0 ? wanted : most;
  if (!chosen.compare_exchange_strong(count, usual)) return count;  // set meanwhile
  may_spin = usual <= most;
  return usual;
}

void set_thread_count(int threads) {
  may_spin = threads <= processors();
  chosen = threads;
}

void serial(i64 jobs, void (*job)(void*, i64), void* data) {
  FlushDenormals flush;
  for (i64 k = 0; k < jobs; ++k) job(data, k);
}

void parallel(i64 jobs, void (*job)(void*, i64), void* data) {
  const i64 threads = thread_count();
  const i64 helpers = (jobs < threads ? jobs : threads) - 1;
  Pool& mine = *pool;
  if (helpers < 1 || jobs > most_jobs || !mine.take()) {
    serial(jobs, job, data);
    return;
  }
  Work work(jobs, int(helpers + 1), job, data);
  mine.run(work, int(helpers));
  mine.give_back();
}

}  // namespace pellucid
