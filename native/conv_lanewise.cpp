// forward and grad_input of depthwise convolutions and of groups thinner than a vector
// (docs/maths.md, 1 and lanewise), one vector of output channels at a time:
//
//   y[p][o] = b[o]
//     + sum over u, v, q of x[p s + (u, v) d - pad][(o div (O/G)) (C/G) + q] w[u, v, q][o]
//
// Lane o finds its own x in a sorted frame (lanewise.hpp). The order of each sum is that of
// (t, u, v, q), whatever the boxes and the threads.
#include "lanewise.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 jobs_per_thread = 4;
constexpr int block_pixels = 8;  // accumulators that share each load of weights

// One line of output pixels of one vector of channels.
template <class T>
struct Line {
  const T* x;       // the first pixel in the frame
  i64 x_step;       // from one pixel to the next
  const i64* read;  // where each (t, u, v, q) lies
  i64 reads;
  const T* w;  // [t, u, v, q][lane], and the bias behind
  bool relu;
  T* y;
  i64 y_step;
  i64 count;  // channels of this vector
};

template <class T>
PELLUCID_INLINE void put(const Line<T>& line, Vec<T> sum, T* y) {
  if (line.relu) sum = sum < Vec<T>{} ? Vec<T>{} : sum;  // NaN stays
  if (line.count == Simd<T>::lanes) {
    store(y, sum);
  } else {
    T lane[Simd<T>::lanes];
    store(lane, sum);
    for (i64 l = 0; l < line.count; ++l) y[l] = lane[l];
  }
}

// `many` neighbouring pixels of a line, at most MQ.
template <class T, bool broadcast, int MQ>
void pixels(const Line<T>& line, i64 first, i64 many) {
  if constexpr (MQ > 1) {
    if (many < MQ) return pixels<T, broadcast, MQ - 1>(line, first, many);
  }
  Vec<T> acc[MQ];
#pragma GCC unroll 8
  for (int i = 0; i < MQ; ++i) acc[i] = Vec<T>{};
  const T* x = line.x + first * line.x_step;
  const T* w = line.w;
  const i64 step = line.x_step, *read = line.read, *last = read + line.reads;
#pragma GCC unroll 1
  for (; read < last; ++read, w += Simd<T>::lanes) {
    const T* p = x + *read;
    const Vec<T> weight = load(w);
#pragma GCC unroll 8
    for (int i = 0; i < MQ; ++i) acc[i] = fma(operand<T, broadcast>(p + i * step), weight, acc[i]);
  }
  const Vec<T> bias = load(w);
  T* y = line.y + first * line.y_step;
#pragma GCC unroll 8
  for (int i = 0; i < MQ; ++i) put(line, acc[i] + bias, y + i * line.y_step);
}

template <class T>
class Lanewise {
 public:
  Lanewise(const Correlation<T>& p, const Context& context)
      : p_(p),
        context_(context),
        map_(p.groups, p.in_channels, p.out_channels),
        frames_(p.x, p.x_image, p.axis, map_, 1) {
    boxes_ = p.images * frames_.boxes();
    const i64 wanted = jobs_per_thread * context.threads;
    const i64 least = (map_.vectors + frames_.box.vectors - 1) / frames_.box.vectors;
    ranges_ = larger(least, smaller(map_.vectors, wanted / boxes_));
  }

  bool run() {
    const i64 reads = frames_.reads();
    const i64 bytes = i64(sizeof(T)) * map_.vectors * (reads + 1) * lanes;
    void* memory = context_.allocate(bytes + sizeof(i64) * frames_.phases() * reads);
    if (!memory) return false;
    weights_ = static_cast<T*>(memory);
    reads_ = reinterpret_cast<i64*>(static_cast<char*>(memory) + bytes);
    frames_.fill_reads(reads_);
    context_.parallel(map_.vectors, pack, this);
    context_.parallel(boxes_ * ranges_, work, this);
    context_.release(memory);
    return !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;

  // Weights and bias of one vector as the lanes read them, zeros past the last channel.
  static void pack(void* self, i64 vector) {
    auto& c = *static_cast<Lanewise*>(self);
    const Correlation<T>& p = c.p_;
    const i64 reads = c.frames_.reads(), count = c.map_.count(vector);
    for (i64 l = 0; l < lanes; ++l) {
      T* to = c.weights_ + vector * (reads + 1) * lanes + l;
      const i64 o = vector * lanes + l, group = o / p.out_channels;
      const T* w = p.w + group * p.w_group + o % p.out_channels * p.w_out;
      for (i64 t = 0; t < p.axis[0].taps; ++t)
        for (i64 u = 0; u < p.axis[1].taps; ++u)
          for (i64 v = 0; v < p.axis[2].taps; ++v) {
            const i64 tap = p.axis[0].weight[t] + p.axis[1].weight[u] + p.axis[2].weight[v];
            for (i64 q = 0; q < p.in_channels; ++q, to += lanes)
              *to = l < count ? w[tap + q * p.w_in] : T(0);
          }
      *to = p.b && l < count ? p.b[o] : T(0);
    }
  }

  static void work(void* self, i64 k) {
    auto& c = *static_cast<Lanewise*>(self);
    const i64 range = k % c.ranges_;
    const i64 begin = c.map_.vectors * range / c.ranges_;
    const i64 end = c.map_.vectors * (range + 1) / c.ranges_;
    T* frame =
        static_cast<T*>(c.context_.allocate(sizeof(T) * (end - begin) * c.frames_.vector_size()));
    if (!frame) {
      c.failed_ = true;
      return;
    }
    const auto place = c.frames_.place(k / c.ranges_);
    if (c.map_.broadcast)
      c.template lines<true>(place, frame, begin, end);
    else
      c.template lines<false>(place, frame, begin, end);
    c.context_.release(frame);
  }

  // All vectors of a line before the next line: y is then written as it lies.
  template <bool broadcast>
  void lines(const typename Frames<T>::Place& place, T* frame, i64 begin, i64 end) const {
    Line<T> line;
    line.x_step = frames_.column_step();
    line.reads = frames_.reads();
    line.relu = p_.relu;
    line.y_step = p_.axis[2].y;
    T* y = p_.y + place.n * p_.y_image + place.d * p_.axis[0].y + place.h * p_.axis[1].y +
           place.w * p_.axis[2].y;
    const i64 block = part(place.columns, block_pixels);
    for (i64 h = 0; h < place.lines; ++h, y += p_.axis[1].y) {
      frames_.slide(place, begin, end, h, h + 1, frame);
      line.read = reads_ + h % frames_.phases() * line.reads;
      for (i64 v = begin; v < end; ++v) {
        line.x = frame + (v - begin) * frames_.vector_size();
        line.w = weights_ + v * (line.reads + 1) * lanes;
        line.y = y + v * lanes;
        line.count = map_.count(v);
        columns<broadcast>(line, place.columns, block);
      }
    }
  }

  template <bool broadcast>
  static void columns(const Line<T>& line, i64 many, i64 block) {
    for (i64 first = 0; first < many; first += block)
      pixels<T, broadcast, block_pixels>(line, first, smaller(block, many - first));
  }

  const Correlation<T>& p_;
  const Context& context_;
  LaneMap<T> map_;
  Frames<T> frames_;
  i64 boxes_, ranges_;
  T* weights_ = nullptr;
  i64* reads_ = nullptr;
  bool failed_ = false;
};

}  // namespace

template <class T>
bool correlate_lanewise(const Correlation<T>& p, const Context& context) {
  return Lanewise<T>(p, context).run();
}

PELLUCID_INSTANTIATE(correlate_lanewise, Correlation)

}  // namespace pellucid::PELLUCID_ISA
