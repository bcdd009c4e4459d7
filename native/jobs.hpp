// What the jobs of one call, on several threads, tell each other.
#pragma once

namespace pellucid::PELLUCID_ISA {

// Raised by whichever job finds no memory left; the call then fails as a whole.
class Flag {
 public:
  void raise() { __atomic_store_n(&raised_, true, __ATOMIC_RELAXED); }
  explicit operator bool() const { return __atomic_load_n(&raised_, __ATOMIC_RELAXED); }

 private:
  bool raised_ = false;
};

}  // namespace pellucid::PELLUCID_ISA
