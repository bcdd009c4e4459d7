// Which build of the kernels to use: no formula of docs/maths.md, one question to the processor.
#include "isas.hpp"

#include <cstring>

// Each instruction set that CMakeLists.txt compiles the kernels for, best first.
#if defined(PELLUCID_X86)
#define PELLUCID_ISAS(each) each(avx512) each(avx2) each(baseline)
#elif defined(PELLUCID_ARM)
#define PELLUCID_ISAS(each) each(neon)
#else
#define PELLUCID_ISAS(each) each(baseline)
#endif

namespace pellucid {

#define PELLUCID_DECLARE(isa)   \
  namespace isa {               \
  extern const Kernels kernels; \
  }
PELLUCID_ISAS(PELLUCID_DECLARE)

namespace {

#define PELLUCID_ADDRESS(isa) &isa::kernels,
const Kernels* const builds[] = {PELLUCID_ISAS(PELLUCID_ADDRESS)};

bool is(const Kernels* build, const char* isa) {
  return std::strcmp(build->isa, isa) == 0;
}

bool runs_here([[maybe_unused]] const Kernels* build) {
#if defined(PELLUCID_X86)
  if (is(build, "avx512"))
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
  if (is(build, "avx2")) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return true;  // the others need what every processor of their kind has
}

}  // namespace

std::vector<const Kernels*> builds_that_run() {
  std::vector<const Kernels*> found;
  for (const Kernels* build : builds)
    if (runs_here(build)) found.push_back(build);
  return found;
}

const Kernels* build_named(const std::string& isa) {
  for (const Kernels* build : builds_that_run())
    if (isa == build->isa) return build;
  return nullptr;
}

}  // namespace pellucid
