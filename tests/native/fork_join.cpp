// How long a parallel region takes beyond its work: two jobs of `work` microseconds each on two
// threads, regions `gap` microseconds apart. The ideal is the work itself. Not a test: a measure.
//
//     taskset -c 0,1 fork_join
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "../../native/threads.hpp"

namespace {

using Clock = std::chrono::steady_clock;

void spend(double microseconds) {
  const auto end = Clock::now() + std::chrono::duration<double, std::micro>(microseconds);
  while (Clock::now() < end) {
  }
}

void job(void* data, pellucid::i64) {
  spend(*static_cast<double*>(data));
}

}  // namespace

int main() {
  pellucid::set_thread_count(2);
  std::printf("%8s %8s %14s %14s\n", "work us", "gap us", "median us", "90 % us");
  for (double work : {0.0, 5.0, 20.0, 100.0})
    for (double gap : {0.0, 10.0, 100.0}) {
      std::vector<double> took;
      for (int k = 0; k < 1500; ++k) {
        const auto begin = Clock::now();
        pellucid::parallel(2, job, &work);
        took.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
        spend(gap);
      }
      std::sort(took.begin(), took.end());
      std::printf("%8.0f %8.0f %14.1f %14.1f\n", work, gap, took[750], took[1350]);
    }
}
