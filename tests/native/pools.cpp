// Both pools without Python: threads.cpp under callers that meet, nest, fork and change the number
// of threads; memory.cpp under threads that allocate, release and empty; where denormals are
// flushed; how many processors a quota pays for. Run by .ci/run as it is, under ThreadSanitizer and
// as aarch64.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "../../native/memory.hpp"
#include "../../native/processors.hpp"
#include "../../native/threads.hpp"

namespace pellucid {
namespace {

std::atomic<int> failures{0};

void expect(bool holds, const char* what) {
  if (!holds && ++failures <= 20) std::printf("FAILED %s\n", what);
}

template <class Body>
void in_threads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int k = 0; k < count; ++k) threads.emplace_back(body, k);
  for (std::thread& thread : threads) thread.join();
}

// --- threads ------------------------------------------------------------------------------------

// Plain counters: two threads at one of them, or the caller at one before its job is done, is a
// race that ThreadSanitizer reports.
struct Counted {
  std::vector<int> runs;
  explicit Counted(i64 jobs) : runs(std::size_t(jobs)) {}
  static void job(void* self, i64 k) { ++static_cast<Counted*>(self)->runs[std::size_t(k)]; }
  bool each_is(int times) const {
    for (int n : runs)
      if (n != times) return false;
    return true;
  }
};

void every_job_runs_once(int calls) {
  for (int threads : {1, 2, 3, 5, 2, 1, 4}) {
    set_thread_count(threads);
    expect(thread_count() == threads, "the number of threads that was set");
    for (i64 jobs : {0, 1, 2, 3, 7, 64}) {
      Counted counted(jobs);
      for (int k = 0; k < calls; ++k) parallel(jobs, Counted::job, &counted);
      expect(counted.each_is(calls), "every job runs once");
    }
  }
}

void callers_meet_while_the_number_changes(int calls) {
  std::atomic<bool> busy{true};
  std::thread changer([&] {
    for (int k = 0; busy; ++k) {
      set_thread_count(1 + k % 5);
      std::this_thread::yield();
    }
  });
  in_threads(4, [calls](int) {
    Counted counted(9);
    for (int k = 0; k < calls; ++k) {
      parallel(9, Counted::job, &counted);
      if (!counted.each_is(k + 1)) expect(false, "the jobs of one of several callers");
    }
  });
  busy = false;
  changer.join();
}

// A job that calls finds the pool busy, with itself, and works alone.
struct Nested {
  std::vector<Counted> inner{6, Counted(5)};
  static void job(void* self, i64 k) {
    parallel(5, Counted::job, &static_cast<Nested*>(self)->inner[std::size_t(k)]);
  }
};

void calls_nest(int calls) {
  set_thread_count(3);
  Nested nested;
  for (int k = 0; k < calls; ++k) parallel(6, Nested::job, &nested);
  for (const Counted& inner : nested.inner) expect(inner.each_is(calls), "the jobs of a job");
}

// Whoever is through with its share takes jobs of the others: the first job waits for all the rest.
struct Waiting {
  std::atomic<int> done{0};
  static void job(void* self, i64 k) {
    auto& waiting = *static_cast<Waiting*>(self);
    while (k == 0 && waiting.done < 8) std::this_thread::yield();
    ++waiting.done;
  }
};

void jobs_of_others_are_taken() {
  set_thread_count(3);
  for (int k = 0; k < 50; ++k) {
    Waiting waiting;
    parallel(9, Waiting::job, &waiting);
    expect(waiting.done == 9, "jobs that wait for others");
  }
}

// Sleeping helpers are woken, too: pauses longer than they look for work.
void helpers_sleep_and_wake() {
  set_thread_count(3);
  Counted counted(8);
  for (int k = 0; k < 50; ++k) {
    parallel(8, Counted::job, &counted);
    usleep(300);
  }
  expect(counted.each_is(50), "jobs after a pause");
}

void children_work_alone(int forks) {
  std::atomic<bool> busy{true};
  set_thread_count(3);
  std::thread caller([&busy] {
    Counted counted(9);
    while (busy) {
      parallel(9, Counted::job, &counted);
      release(allocate(5000));
    }
  });
  for (int k = 0; k < forks; ++k) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      Counted counted(9);
      const bool alone = thread_count() == 1;
      parallel(9, Counted::job, &counted);
      void* memory = allocate(5000);
      release(memory);
      _exit(alone && memory && counted.each_is(1) ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a forked child");
  }
  busy = false;
  caller.join();
}

// --- denormals ----------------------------------------------------------------------------------

// Halves the smallest normal number, where the compiler cannot.
bool denormals_are_there() {
  volatile float smallest = 1.17549435e-38f, half = 0.5f;
  volatile float product = smallest * half;
  volatile float again = product * 1.0f;
  return product != 0.0f && again != 0.0f;
}

struct Flushed {
  std::atomic<int> kept{0};
  std::atomic<int> threads{0};
  static void job(void* self, i64) {
    static thread_local bool seen = false;
    auto& flushed = *static_cast<Flushed*>(self);
    if (denormals_are_there()) ++flushed.kept;
    if (!seen) ++flushed.threads;
    seen = true;
    usleep(200);
  }
};

void denormals_are_flushed_in_jobs_alone() {
  expect(denormals_are_there(), "denormals before a call");
  set_thread_count(3);
  Flushed flushed;
  serial(3, Flushed::job, &flushed);
  expect(denormals_are_there(), "denormals after a serial call");
  for (int k = 0; k < 1000 && flushed.threads < 3; ++k) {
    parallel(12, Flushed::job, &flushed);
    expect(denormals_are_there(), "denormals after a parallel call");
  }
  expect(flushed.threads >= 3, "helpers that take jobs");
  expect(flushed.kept == 0, "denormals flushed in every job of every thread");
}

// --- memory -------------------------------------------------------------------------------------

// Each thread marks what it gets and looks whether the mark is still there when it gives it back,
// or when a thread that it was handed to does.
void memory_under_threads(int rounds) {
  std::vector<std::atomic<unsigned char*>> shelf(8);
  const auto check = [](unsigned char* memory) {
    if (!memory) return;
    const unsigned size = memory[0] + 256u * memory[1];
    expect(memory[size - 1] == memory[2], "memory that nobody else has");
    release(memory);
  };
  in_threads(4, [&, rounds](int self) {
    for (int k = 0; k < rounds; ++k) {
      const unsigned size = 100u + unsigned(k * 37 % 9000);
      auto* memory = static_cast<unsigned char*>(allocate(size));
      expect(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0, "the alignment");
      const auto mark = static_cast<unsigned char>(self * 61 + k);
      std::memset(memory, mark, size);
      memory[0] = static_cast<unsigned char>(size % 256);
      memory[1] = static_cast<unsigned char>(size / 256);
      memory[2] = mark;
      check(shelf[std::size_t(k % 8)].exchange(memory));
      if (k % 50 == 0) empty_pool();
      const PoolState state = pool_state();
      expect(state.kept <= state.limit, "the limit of what waits");
    }
  });
  for (auto& memory : shelf) check(memory);
  expect(pool_state().used == 0, "all memory given back");
  empty_pool();
  expect(pool_state().kept == 0, "an emptied pool");
}

// A child has its parent's arrays, and may let them go.
void memory_of_the_parent_in_a_child() {
  void* memory = allocate(1 << 20);
  const pid_t child = fork();
  if (child == 0) {
    release(memory);
    _exit(pool_state().used == 0 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "what a child counts as used");
  release(memory);
}

// --- quotas -------------------------------------------------------------------------------------

// Below a folder of its own, the files that Linux would show.
class Tree {
 public:
  Tree() {
    char name[] = "/tmp/pellucid-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~Tree() {
    if (std::system(("rm -r '" + root_ + "'").c_str())) std::printf("%s stays\n", root_.c_str());
  }
  Tree& with(const std::string& path, const char* text) {
    for (std::size_t at = 0; (at = path.find('/', at + 1)) != std::string::npos;)
      mkdir((root_ + path.substr(0, at)).c_str(), 0700);
    std::ofstream(root_ + path) << text;
    return *this;
  }
  int quota() const { return pellucid::quota(root_); }

 private:
  std::string root_;
};

void quotas_are_read() {
  const std::string self = "/proc/self/cgroup", top = "/sys/fs/cgroup";
  expect(Tree().quota() == 0, "no groups");
  expect(Tree().with(self, "0::/\n").quota() == 0, "no limit");
  expect(Tree().with(self, "0::/\n").with(top + "/cpu.max", "max 100000\n").quota() == 0, "max");
  expect(Tree().with(self, "0::/\n").with(top + "/cpu.max", "150000 100000\n").quota() == 2,
         "one and a half processors");
  expect(Tree().with(self, "0::/a/b\n")
                 .with(top + "/a/cpu.max", "300000 100000\n")
                 .with(top + "/a/b/cpu.max", "max 100000\n")
                 .quota() == 3,
         "the limit of the group above");
  expect(Tree().with(self, "0::/host/7\n").with(top + "/cpu.max", "400000 100000\n").quota() == 4,
         "a path that is the host's");
  const char* version_1 = "12:memory:/m\n3:cpu,cpuacct:/c\n1:name=systemd:/\n";
  expect(Tree().with(self, version_1)
                 .with(top + "/cpu/c/cpu.cfs_quota_us", "250000\n")
                 .with(top + "/cpu/c/cpu.cfs_period_us", "100000\n")
                 .quota() == 3,
         "version 1");
  expect(Tree().with(self, version_1)
                 .with(top + "/cpu/cpu.cfs_quota_us", "-1\n")
                 .with(top + "/cpu/cpu.cfs_period_us", "100000\n")
                 .quota() == 0,
         "version 1 without a limit");
  expect(processors() >= 1, "at least one processor");
}

}  // namespace
}  // namespace pellucid

int main(int count, char** arguments) {
  using namespace pellucid;
  const int times = count > 1 ? std::atoi(arguments[1]) : 1000;
  quotas_are_read();
  every_job_runs_once(times / 5);
  jobs_of_others_are_taken();
  callers_meet_while_the_number_changes(times);
  calls_nest(times / 5);
  helpers_sleep_and_wake();
  denormals_are_flushed_in_jobs_alone();
  memory_under_threads(times);
  memory_of_the_parent_in_a_child();
  children_work_alone(times / 20);
  std::printf(failures ? "%d failures\n" : "both pools hold\n", failures.load());
  return failures != 0;
}
