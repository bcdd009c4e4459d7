// grad_weight of depthwise convolutions and of groups thinner than a vector
// (docs/maths.md, 4 and lanewise), one vector of output channels at a time:
//
//   gw[u, v, q][o] = sum over pixels p of gy[p][o] x[p s + (u, v) d - pad][(o div (O/G)) (C/G) + q]
//
// Each (t, u, v, q) has a vector of its own as accumulator, up to nine of them at once, over the
// pixels of a box. Boxes are added in order in a fixed number of partial sums, and those in order.
#include "lanewise.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 partial_bytes = 1 << 20;  // of all partial sums together
constexpr i64 most_partials = 16;
constexpr i64 jobs_per_thread = 4;
constexpr i64 pixels_together = 64;  // summed before the sums go back to memory
constexpr int most_sums = 9;         // accumulators that share each load of gy

// Some lines of a box for one vector of channels.
template <class T>
struct Pixels {
  const T* x;
  i64 x_step;
  const i64* read;  // [phase][t, u, v, q]
  i64 reads, phase, phases;
  const T* gy;
  i64 gy_line, gy_step;
  i64 lines, columns;
};

// Add the products at reads `first` .. `first + many - 1`, at most A, to their sums. Few sums are
// kept several times, for every U-th pixel, so that additions do not wait for each other. Not
// inlined: its pointers need all integer registers.
template <class T, bool broadcast, int A>
__attribute__((noinline)) void add(const Pixels<T>& p, i64 first, i64 many, T* sums) {
  if constexpr (A > 1) {
    if (many < A) return add<T, broadcast, A - 1>(p, first, many, sums);
  }
  constexpr int U = A > 4 ? 1 : 8 / A;
  Vec<T> acc[U][A];
#pragma GCC unroll 9
  for (int a = 0; a < A; ++a)
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) acc[u][a] = Vec<T>{};
  const i64 x_step = p.x_step, gy_step = p.gy_step;
  for (i64 h = 0; h < p.lines; ++h) {
    const i64* read = p.read + (p.phase + h) % p.phases * p.reads + first;
    i64 at[A];
#pragma GCC unroll 9
    for (int a = 0; a < A; ++a) at[a] = read[a];
    const T* x = p.x;
    const T* gy = p.gy + h * p.gy_line;
    i64 left = p.columns;
#pragma GCC unroll 1
    for (; left >= U; left -= U) {
#pragma GCC unroll 8
      for (int u = 0; u < U; ++u, x += x_step, gy += gy_step) {
        const Vec<T> g = load(gy);
#pragma GCC unroll 9
        for (int a = 0; a < A; ++a) acc[u][a] = fma(operand<T, broadcast>(x + at[a]), g, acc[u][a]);
      }
    }
    if constexpr (U > 1) {
#pragma GCC unroll 1
      for (; left > 0; --left, x += x_step, gy += gy_step) {
        const Vec<T> g = load(gy);
#pragma GCC unroll 9
        for (int a = 0; a < A; ++a) acc[0][a] = fma(operand<T, broadcast>(x + at[a]), g, acc[0][a]);
      }
    }
  }
#pragma GCC unroll 9
  for (int a = 0; a < A; ++a) {
    T* to = sums + (first + a) * Simd<T>::lanes;
    Vec<T> sum = acc[0][a];
#pragma GCC unroll 8
    for (int u = 1; u < U; ++u) sum += acc[u][a];
    store(to, load(to) + sum);
  }
}

template <class T>
class LanewiseGradient {
 public:
  LanewiseGradient(const WeightGradient<T>& p, const Context& context)
      : p_(p),
        context_(context),
        map_(p.groups, p.in_channels, p.out_channels),
        frames_(p.x, p.x_image, p.axis, map_, pixels_together) {
    reads_ = frames_.reads();
    boxes_ = p.images * frames_.boxes();
    partials_ = larger(1, partial_bytes / (map_.vectors * reads_ * lanes * i64(sizeof(T))));
    partials_ = smaller(smaller(most_partials, partials_), boxes_);
    const i64 wanted = jobs_per_thread * context.threads;
    const i64 least = (map_.vectors + frames_.box.vectors - 1) / frames_.box.vectors;
    ranges_ = larger(least, smaller(map_.vectors, wanted / partials_));
  }

  bool run() {
    const i64 bytes = i64(sizeof(T)) * partials_ * map_.vectors * reads_ * lanes;
    void* memory = context_.allocate(bytes + sizeof(i64) * frames_.phases() * reads_);
    if (!memory) return false;
    sums_ = static_cast<T*>(memory);
    read_ = reinterpret_cast<i64*>(static_cast<char*>(memory) + bytes);
    frames_.fill_reads(read_);
    context_.parallel(partials_ * ranges_, work, this);
    if (!failed_) context_.parallel(map_.vectors, collect, this);
    context_.release(memory);
    return !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;

  // The sums of one vector: [t, u, v, q][lane].
  T* sums(i64 partial, i64 vector) const {
    return sums_ + (partial * map_.vectors + vector) * reads_ * lanes;
  }

  // Add the partial sums of one vector in order and put them into gw.
  static void collect(void* self, i64 vector) {
    auto& g = *static_cast<LanewiseGradient*>(self);
    const WeightGradient<T>& p = g.p_;
    T* total = g.sums(0, vector);
    for (i64 k = 1; k < g.partials_; ++k) {
      const T* more = g.sums(k, vector);
      for (i64 e = 0; e < g.reads_ * lanes; ++e) total[e] += more[e];
    }
    for (i64 l = 0; l < g.map_.count(vector); ++l) {
      const T* from = total + l;
      const i64 o = vector * lanes + l, group = o / p.out_channels;
      T* gw = p.gw + group * p.gw_group + o % p.out_channels * p.gw_out;
      for (i64 t = 0; t < p.axis[0].taps; ++t)
        for (i64 u = 0; u < p.axis[1].taps; ++u)
          for (i64 v = 0; v < p.axis[2].taps; ++v) {
            const i64 tap = p.axis[0].weight[t] + p.axis[1].weight[u] + p.axis[2].weight[v];
            for (i64 q = 0; q < p.in_channels; ++q, from += lanes) gw[tap + q * p.gw_in] = *from;
          }
    }
  }

  // A range of boxes and a range of vectors, on one thread.
  static void work(void* self, i64 k) {
    auto& g = *static_cast<LanewiseGradient*>(self);
    const i64 partial = k / g.ranges_, range = k % g.ranges_;
    const i64 begin = g.map_.vectors * range / g.ranges_;
    const i64 end = g.map_.vectors * (range + 1) / g.ranges_;
    const i64 frame = (end - begin) * g.frames_.vector_size();
    const i64 stripe = g.frames_.box.together * g.frames_.box.columns * lanes;
    T* memory = static_cast<T*>(g.context_.allocate(sizeof(T) * (frame + stripe)));
    if (!memory) {
      g.failed_ = true;
      return;
    }
    T* sums = g.sums(partial, begin);
    for (i64 e = 0; e < (end - begin) * g.reads_ * lanes; ++e) sums[e] = T(0);
    const i64 first = g.boxes_ * partial / g.partials_;
    const i64 last = g.boxes_ * (partial + 1) / g.partials_;
    for (i64 box = first; box < last; ++box)
      g.add_box(g.frames_.place(box), begin, end, memory, memory + frame, partial);
    g.context_.release(memory);
  }

  // Add one box to the sums of some vectors. `stripe` has room for gy of one of them.
  void add_box(const typename Frames<T>::Place& at, i64 begin, i64 end, T* frame, T* stripe,
               i64 partial) const {
    const Axis* axis = p_.axis;
    const i64 line = (at.n * axis[0].out + at.d) * axis[1].out + at.h;
    const T* gy = p_.gy + (line * axis[2].out + at.w) * map_.all;
    const i64 gy_line = axis[2].out * map_.all;
    for (i64 h = 0; h < at.lines; h += frames_.box.together) {
      const i64 many = smaller(frames_.box.together, at.lines - h);
      frames_.slide(at, begin, end, h, h + many, frame);
      for (i64 v = begin; v < end; ++v) {
        Pixels<T> pixels{frame + (v - begin) * frames_.vector_size(),
                         frames_.column_step(),
                         read_,
                         reads_,
                         h,
                         frames_.phases(),
                         gy + h * gy_line + v * lanes,
                         gy_line,
                         map_.all,
                         many,
                         at.columns};
        const i64 count = map_.count(v);
        if (count < lanes || reads_ > most_sums) gather(pixels, stripe, count);
        if (map_.broadcast)
          add_all<true>(pixels, sums(partial, v));
        else
          add_all<false>(pixels, sums(partial, v));
      }
    }
  }

  template <bool broadcast>
  static void add_all(const Pixels<T>& pixels, T* sums) {
    const i64 chunk = part(pixels.reads, most_sums);
    for (i64 first = 0; first < pixels.reads; first += chunk)
      add<T, broadcast, most_sums>(pixels, first, smaller(chunk, pixels.reads - first), sums);
  }

  // Put gy of one vector side by side, where it is read several times or does not fill a vector.
  static void gather(Pixels<T>& pixels, T* stripe, i64 count) {
    T* to = stripe;
    for (i64 h = 0; h < pixels.lines; ++h) {
      const T* from = pixels.gy + h * pixels.gy_line;
      for (i64 c = 0; c < pixels.columns; ++c, from += pixels.gy_step, to += lanes) {
        if (count == lanes) {
          store(to, load(from));
          continue;
        }
        for (i64 l = 0; l < count; ++l) to[l] = from[l];
        for (i64 l = count; l < lanes; ++l) to[l] = T(0);
      }
    }
    pixels.gy = stripe;
    pixels.gy_step = lanes;
    pixels.gy_line = pixels.columns * lanes;
  }

  const WeightGradient<T>& p_;
  const Context& context_;
  LaneMap<T> map_;
  Frames<T> frames_;
  i64 reads_, boxes_, partials_, ranges_;
  T* sums_ = nullptr;
  i64* read_ = nullptr;
  bool failed_ = false;
};

}  // namespace

template <class T>
bool grad_weight_lanewise(const WeightGradient<T>& p, const Context& context) {
  return LanewiseGradient<T>(p, context).run();
}

PELLUCID_INSTANTIATE(grad_weight_lanewise, WeightGradient)

}  // namespace pellucid::PELLUCID_ISA
