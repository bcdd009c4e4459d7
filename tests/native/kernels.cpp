// The kernels without Python: every algorithm of every instruction set that runs here, in all three
// directions and both precisions, against loops in double; the same bits for 1 and 3 threads, and
// with packed weights; and no memory at any allocation. Every buffer has its exact size, so that a
// sanitizer sees each step past an end. Run by .ci/run on this machine, under sanitizers, and as
// aarch64.
//
//     kernels [NUMBER]     how many problems are drawn beside the chosen ones (20)
#include "../../native/kernels.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "../../native/isas.hpp"
#include "../../native/threads.hpp"
#include "problems.hpp"

namespace pellucid {
namespace {

int failures = 0;

void fail(const std::string& what) {
  if (++failures <= 20) std::printf("FAILED %s\n", what.c_str());
}

// --- memory for kernels: exact, full of NaN, and counted ----------------------------------------

std::atomic<i64> in_use{0}, left{0};
constexpr i64 plenty = i64(1) << 40;

void* allocate(std::size_t bytes) {
  void* memory = nullptr;
  if (left.fetch_sub(1) <= 0 || posix_memalign(&memory, 64, bytes)) return nullptr;
  std::memset(memory, 0xff, bytes);
  ++in_use;
  return memory;
}

void release(void* memory) {
  if (!memory) return;
  std::free(memory);
  --in_use;
}

Context context(int threads) {
  set_thread_count(threads);
  return {threads == 1 ? serial : parallel, threads, allocate, release};
}

template <class T>
std::unique_ptr<T[]> exactly(i64 count, T value = T(std::nan(""))) {
  std::unique_ptr<T[]> memory(new T[std::size_t(count)]);
  std::fill_n(memory.get(), count, value);
  return memory;
}

template <class T>
std::unique_ptr<T[]> drawn(i64 count, Random& random) {
  auto memory = exactly<T>(count);
  for (i64 k = 0; k < count; ++k) memory[k] = T(random.number());
  return memory;
}

// --- problems as kernels are told, which is what kernels/conv/correlation.py does
// -----------------

// The taps of one axis: where each lies in x for output 0, and its place in the kernel.
struct Taps {
  std::vector<i64> offset, weight;
};

struct Plan {
  Axis axis[axes];
  Taps taps[axes];

  void set(int a, i64 in, i64 out, i64 step) {
    axis[a] = {
        in, out, step, i64(taps[a].offset.size()), taps[a].offset.data(), taps[a].weight.data(),
        0,  0};
  }
};

i64 w_stride(const Problem& p, int a) {
  return a == 2 ? 1 : a == 1 ? p.kernel[2] : p.kernel[1] * p.kernel[2];
}

void plan_forward(const Problem& p, Plan& plan) {
  for (int a = 0; a < axes; ++a) {
    for (i64 u = 0; u < p.kernel[a]; ++u) {
      plan.taps[a].offset.push_back(u * p.dilation[a] - p.low[a]);
      plan.taps[a].weight.push_back(u * w_stride(p, a));
    }
    plan.set(a, p.in[a], p.out(a), p.stride[a]);
  }
}

// The pixels first, first + s, ... of x as one correlation over gy; false where no tap or no pixel
// is in this phase.
bool plan_phase(const Problem& p, const i64* rho, Plan& plan, i64* first) {
  for (int a = 0; a < axes; ++a) {
    const i64 s = p.stride[a];
    first[a] = ((rho[a] - p.low[a]) % s + s) % s;
    if (first[a] >= p.in[a]) return false;
    const i64 q0 = (first[a] + p.low[a] - rho[a]) / s;
    for (i64 u = p.kernel[a]; u-- > 0;) {
      const i64 back = u * p.dilation[a] - rho[a];
      if (back % s) continue;
      plan.taps[a].offset.push_back(q0 - back / s);
      plan.taps[a].weight.push_back(u * w_stride(p, a));
    }
    if (plan.taps[a].offset.empty()) return false;
    plan.set(a, p.out(a), (p.in[a] - first[a] + s - 1) / s, 1);
  }
  return true;
}

// --- one problem in one precision ---------------------------------------------------------------

const char* const names[algorithms] = {"direct", "winograd", "lanewise"};

bool refuses(const Problem& p, int algorithm, i64 lanes) {
  if (algorithm == lanewise)
    return p.groups == 1 || (p.C != 1 && p.C != p.O) || lanes % p.O != 0 || p.groups * p.O < lanes;
  if (algorithm == direct) return false;
  bool serves = p.groups == 1 && p.in[0] == 1 && p.kernel[0] == 1 && p.low[0] == 0 &&
                p.high[0] == 0 && p.kernel[1] == p.kernel[2] &&
                (p.kernel[1] == 3 || p.kernel[1] == 5);
  for (int a = 0; a < axes; ++a)
    serves = serves && p.stride[a] == 1 && p.dilation[a] == 1 && p.low[a] >= 0 && p.high[a] >= 0 &&
             p.low[a] < p.kernel[a] && p.high[a] < p.kernel[a];
  return !serves;
}

// Sums of the products, and of their sizes: what bounds the rounding.
struct Exact {
  std::vector<double> sums, sizes;

  explicit Exact(i64 count) : sums(count), sizes(count) {}
  void add(i64 at, double product) {
    sums[at] += product;
    sizes[at] += std::fabs(product);
  }
};

template <class T>
class Case {
 public:
  Case(const Kernels& build, const Problem& problem, int algorithm, Random& random)
      : build_(build),
        p_(problem),
        algorithm_(algorithm),
        x_(drawn<T>(p_.x_size(), random)),
        w_(drawn<T>(p_.w_size(), random)),
        b_(drawn<T>(p_.groups * p_.O, random)),
        gy_(drawn<T>(p_.y_size(), random)) {}

  void check() {
    Exact y(p_.y_size()), gx(p_.x_size()), gw(p_.w_size());
    for (i64 k = 0; k < p_.y_size(); ++k) y.add(k, b_[k % (p_.groups * p_.O)]);
    every_product(p_, [&](i64 x_at, i64 y_at, i64 w_at) {
      y.add(y_at, double(x_[x_at]) * double(w_[w_at]));
      gx.add(x_at, double(gy_[y_at]) * double(w_[w_at]));
      gw.add(w_at, double(gy_[y_at]) * double(x_[x_at]));
    });
    check_one("forward", y, [this](T* to, const Context& c) { return forward(to, T(0), c); });
    if (algorithm_ != lanewise) check_packed();
    for (double& sum : y.sums) sum = std::max(sum, 0.0);
    check_one("with ReLU", y,
              [this](T* to, const Context& c) { return forward(to, T(INFINITY), c); });
    for (double& sum : y.sums) sum = std::min(sum, 0.5);
    check_one("with a ceiling", y,
              [this](T* to, const Context& c) { return forward(to, T(0.5), c); });
    check_one("grad_input", gx, [this](T* to, const Context& c) { return grad_input(to, c); });
    check_one("grad_weight", gw, [this](T* to, const Context& c) { return grad_weight(to, c); });
  }

 private:
  template <class Call>
  void check_one(const char* direction, const Exact& exact, Call call) {
    const std::string what = name(direction);
    const i64 count = i64(exact.sums.size());
    const auto one = exactly<T>(count), three = exactly<T>(count);
    left = plenty;
    if (!call(one.get(), context(1)) || !call(three.get(), context(3))) fail(what + ": no memory");
    if (std::memcmp(one.get(), three.get(), sizeof(T) * count)) fail(what + ": threads differ");
    const double bound = sizeof(T) == 8           ? (algorithm_ == winograd ? 1e-13 : 1e-15)
                         : algorithm_ == winograd ? 2e-6
                                                  : 5e-7;
    const double most = bound * *std::max_element(exact.sizes.begin(), exact.sizes.end());
    for (i64 k = 0; k < count; ++k)
      if (!(std::fabs(double(one[k]) - exact.sums[k]) <= most)) {
        fail(what + ": element " + std::to_string(k) + " is " + std::to_string(one[k]) + ", not " +
             std::to_string(exact.sums[k]));
        break;
      }
    check_without_memory(what, count, call);
  }

  // What a call without images makes of w gives other calls the same bits, where there was memory.
  void check_packed() {
    const i64 count = p_.y_size();
    const auto plain = exactly<T>(count), y = exactly<T>(count);
    left = plenty;
    forward(plain.get(), T(0), context(1));
    bool same = false;
    for (i64 allowed = 0; allowed < 6; ++allowed) {
      std::vector<Packed> packed(std::size_t(p_.groups));
      left = allowed < 5 ? allowed : plenty;
      const bool made = forward(y.get(), T(0), context(1), packed.data(), 0);
      left = plenty;
      same = made && forward(y.get(), T(0), context(3), packed.data(), p_.images) &&
             std::memcmp(plain.get(), y.get(), sizeof(T) * count) == 0;
      if (made && !same) fail(name("packed") + ": other bits");
      for (const Packed& of_group : packed) release(of_group.data);
      if (in_use != 0) fail(name("packed") + ": memory was not given back");
    }
    if (!same) fail(name("packed") + ": no memory");
  }

  std::string name(const char* direction) const {
    return std::string(build_.isa) + (sizeof(T) == 4 ? " float32 " : " float64 ") +
           names[algorithm_] + " " + direction + " " + p_.name();
  }

  // Without memory at any one allocation a call says so, and leaves nothing behind.
  template <class Call>
  void check_without_memory(const std::string& what, i64 count, Call call) {
    const auto unused = exactly<T>(count);
    bool done = false;
    for (i64 allowed = 0; !done && allowed < 6; ++allowed) {
      left = allowed;
      done = call(unused.get(), context(allowed % 2 ? 3 : 1));
      if (done && left < 0) fail(what + ": did not notice that there is no memory");
      if (in_use != 0) fail(what + ": memory was not given back");
    }
  }

  template <class P>
  P problem(const Plan& plan) const {
    P p{};
    p.images = p_.images;
    p.groups = p_.groups;
    std::copy_n(plan.axis, axes, p.axis);
    return p;
  }

  bool run(const Correlation<T>& p, const Context& c) const {
    return build_.template functions<T>().correlate[algorithm_](&p, 1, c);
  }

  bool forward(T* y, T ceiling, const Context& c) const {
    return forward(y, ceiling, c, nullptr, p_.images);
  }

  bool forward(T* y, T ceiling, const Context& c, Packed* packed, i64 images) const {
    Plan plan;
    plan_forward(p_, plan);
    Correlation<T> p = problem<Correlation<T>>(plan);
    p.images = images;
    p.packed = packed;
    p.in_channels = p_.C;
    p.out_channels = p_.O;
    p.x = x_.get();
    strides(p_.in, p_.groups * p_.C, &Axis::x, p.axis, &p.x_image);
    const i64 out[axes] = {p_.out(0), p_.out(1), p_.out(2)};
    strides(out, p_.groups * p_.O, &Axis::y, p.axis, &p.y_image);
    p.w = w_.get();
    p.w_in = p_.taps();
    p.w_out = p_.C * p_.taps();
    p.w_group = p_.O * p.w_out;
    p.b = b_.get();
    p.ceiling = ceiling;
    p.y = y;
    return run(p, c);
  }

  bool grad_input(T* gx, const Context& c) const {
    std::fill_n(gx, p_.x_size(), T(0));  // where no tap reaches
    i64 rho[axes];
    for (rho[0] = 0; rho[0] < p_.stride[0]; ++rho[0])
      for (rho[1] = 0; rho[1] < p_.stride[1]; ++rho[1])
        for (rho[2] = 0; rho[2] < p_.stride[2]; ++rho[2])
          if (!grad_input_phase(rho, gx, c)) return false;
    return true;
  }

  bool grad_input_phase(const i64* rho, T* gx, const Context& c) const {
    Plan plan;
    i64 first[axes], whole[axes];
    if (!plan_phase(p_, rho, plan, first)) return true;
    Correlation<T> p = problem<Correlation<T>>(plan);
    p.in_channels = p_.O;
    p.out_channels = p_.C;
    p.x = gy_.get();
    const i64 out[axes] = {p_.out(0), p_.out(1), p_.out(2)};
    strides(out, p_.groups * p_.O, &Axis::x, p.axis, &p.x_image);
    strides(p_.in, p_.groups * p_.C, &Axis::y, p.axis, &p.y_image);
    p.y = gx;
    for (int a = 0; a < axes; ++a) {
      whole[a] = p.axis[a].y;
      p.y += first[a] * whole[a];
      p.axis[a].y = whole[a] * p_.stride[a];
    }
    p.w = w_.get();
    p.w_in = p_.C * p_.taps();
    p.w_out = p_.taps();
    p.w_group = p_.O * p.w_in;
    return run(p, c);
  }

  bool grad_weight(T* gw, const Context& c) const {
    Plan plan;
    plan_forward(p_, plan);
    WeightGradient<T> p = problem<WeightGradient<T>>(plan);
    p.in_channels = p_.C;
    p.out_channels = p_.O;
    p.x = x_.get();
    strides(p_.in, p_.groups * p_.C, &Axis::x, p.axis, &p.x_image);
    p.gy = gy_.get();
    p.gw = gw;
    p.gw_in = p_.taps();
    p.gw_out = p_.C * p_.taps();
    p.gw_group = p_.O * p.gw_out;
    return build_.template functions<T>().grad_weight[algorithm_](p, c);
  }

  // Of an array that lies as (N, D, H, W, channels).
  static void strides(const i64* sizes, i64 channels, i64 Axis::* stride, Axis* axis, i64* image) {
    i64 step = channels;
    for (int a = axes; a-- > 0; step *= sizes[a]) axis[a].*stride = step;
    *image = step;
  }

  const Kernels& build_;
  const Problem& p_;
  int algorithm_;
  std::unique_ptr<T[]> x_, w_, b_, gy_;
};

template <class T>
void check(const Kernels& build, const std::vector<Problem>& problems) {
  Random random{4};
  int cases[algorithms] = {};
  for (const Problem& problem : problems)
    for (int algorithm = 0; algorithm < algorithms; ++algorithm)
      if (!refuses(problem, algorithm, build.vector_bytes / i64(sizeof(T)))) {
        Case<T>(build, problem, algorithm, random).check();
        ++cases[algorithm];
      }
  if (build.template functions<T>().multiply_adds(10) <= 0) fail("multiply_adds made none");
  std::printf("%s, vectors of %d bytes, float%d, %d problems:", build.isa, build.vector_bytes,
              int(8 * sizeof(T)), int(problems.size()));
  for (int a = 0; a < algorithms; ++a) {
    std::printf(" %s %d", names[a], cases[a]);
    if (cases[a] == 0) fail(std::string(names[a]) + " refused every problem");
  }
  std::printf("\n");
}

}  // namespace
}  // namespace pellucid

int main(int count, char** arguments) {
  using namespace pellucid;
  std::vector<Problem> problems = chosen_problems();
  Random random{11};
  for (int more = count > 1 ? std::atoi(arguments[1]) : 20; more > 0; --more)
    problems.push_back(random_problem(random));
  for (const Kernels* build : builds_that_run()) {
    check<float>(*build, problems);
    check<double>(*build, problems);
  }
  std::printf(failures ? "%d failures\n" : "all agree\n", failures);
  return failures != 0;
}
