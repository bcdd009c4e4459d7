// Affinity and quota, as Linux tells them: no formula of docs/maths.md.
#include "processors.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <fstream>
#include <thread>

namespace pellucid {
namespace {

// How many processors `limit` microseconds in each `period` are.
int rounded_up(long long limit, long long period) {
  return limit > 0 && period > 0 ? int((limit + period - 1) / period) : 0;
}

// Of one control group: version 2 has "limit period" or "max period" in one file, version 1 two
// files, with -1 for no limit.
int quota_of(const std::string& folder, bool version_2) {
  long long limit = 0, period = 0;
  if (version_2) {
    std::ifstream(folder + "/cpu.max") >> limit >> period;
  } else {
    std::ifstream(folder + "/cpu.cfs_quota_us") >> limit;
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  return rounded_up(limit, period);
}

}  // namespace

int quota(const std::string& root) {
  int least = 0;
  std::ifstream groups(root + "/proc/self/cgroup");
  // Lines are "number:controllers:path"; version 2 names no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    const bool version_2 = controllers == ",,";
    if (!version_2 && controllers.find(",cpu,") == std::string::npos) continue;
    const std::string mount = root + (version_2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu");
    // A limit holds for all groups below. In a container the path may be the host's: then only the
    // last step, to the group that is mounted here, finds files.
    for (std::string path = line.substr(second + 1);;) {
      const int count = quota_of(mount + path, version_2);
      if (count > 0 && (least == 0 || count < least)) least = count;
      if (path.empty()) break;
      const std::size_t parent = path.find_last_of('/');
      path.resize(parent == std::string::npos ? 0 : parent);
    }
  }
  return least;
}

int processors() {
  int count = int(std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t set;  // too small where there are more than 1024
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
#endif
  const int limit = quota("");
  if (limit > 0 && limit < count) count = limit;
  return count > 1 ? count : 1;
}

}  // namespace pellucid
