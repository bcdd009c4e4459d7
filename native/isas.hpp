// The builds of the kernels, one for each instruction set, and which of them this processor runs.
#pragma once

#include <string>
#include <vector>

#include "kernels.hpp"

namespace pellucid {

// Those that run here, best first; never empty.
std::vector<const Kernels*> builds_that_run();

// The one with that name, or null where there is none that runs here.
const Kernels* build_named(const std::string& isa);

}  // namespace pellucid
