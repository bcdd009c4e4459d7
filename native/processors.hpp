// How many processors this process may keep busy.
#pragma once

#include <string>

namespace pellucid {

// Those of the calling thread's affinity mask, or as many as the quota pays for; at least 1.
int processors();

// The processors that the quotas of this process's control groups pay for (rounded up), or 0 where
// there is none. Files are looked for below `root`: "" but in tests.
int quota(const std::string& root);

}  // namespace pellucid
