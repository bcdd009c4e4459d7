// forward and grad_input of depthwise convolutions and of groups thinner than a vector
// (docs/maths.md, 1, 10 and 15), one vector of channels and eight neighbouring pixels at a time:
//
//   y[p][o] = b[o]
//     + sum over u, v, q of x[p s + (u, v) d - pad][(o div (O/G)) (C/G) + q] w[u, v, q][o]
//
// The order of each sum is that of (pass, t, u, v), without the taps that reach over the edge of x,
// whatever the tiles and the threads. All phases of a grad_input go through a tile together, so
// that gx is written as it lies.
#include "jobs.hpp"
#include "lanewise.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr int height = 2,
              width = vector_bytes == 64 ? 7 : 6;  // of a tile: its sums are in registers
constexpr i64 weight_bytes = 128 << 10;  // of a range of vectors, which all lines go through
constexpr i64 jobs_per_thread = 4;

// One window of kernel taps over a tile: where its first column lies in x and its weights in a
// pass, which columns are inside of x, bit by bit, and which lines of the tile (bit by bit) see its
// row.
struct Read {
  i64 x, w;
  unsigned columns, lines;
};

// Up to `width` neighbouring pixels of two neighbouring lines.
template <class T>
struct Tile {
  const T* x;  // where the first pixel would read at offset 0
  i64 x_line, x_step;
  const Read *read, *last;
  const T* w;  // [vector][pass][t, u, v][lane], and the bias behind each vector
  i64 w_vector, w_pass;
  const T* ceiling;  // null for none; in memory, since the sums need all registers
  T* y;
  i64 y_line, y_step, lines, pixels;
  Ahead ahead;  // of which `fetches` cache lines are asked for with each vector
  i64 fetches;
};

// A window is KW neighbouring columns of the kernel: each column of x in it is loaded once, for all
// the pixels of the tile that meet it. S is the stride; sums turn in groups of K, x is expanded E
// times, y reduced D times.
template <class T, int K, int E, int D, int KW, int S>
struct Window {
  static constexpr i64 lanes = Simd<T>::lanes;
  using Columns = typename Count<(width - 1) * S + KW>::Type;
  using KernelTaps = typename Count<KW>::Type;
  using Sums = Vec<T>[height][width];

  static void tile(const Tile<T>& tile, const LaneMap<T>& map, i64 begin, i64 end) {
    Tile<T> k = tile;
    Read read[most_copied];
    T copy[most_copied * height * Columns::count * lanes];
    const bool copied = K > 2 && k.last - k.read <= most_copied;
    if (copied) read_copy(k, read);
    for (i64 vector = begin; vector < end; ++vector) {
      k.ahead.fetch(k.fetches);
      Sums acc;
#pragma GCC unroll 8
      for (int l = 0; l < height; ++l)
#pragma GCC unroll 8
        for (int i = 0; i < width; ++i) acc[l][i] = Vec<T>{};
      const T* x = k.x + map.x_channel(vector);
      const T* w = k.w + vector * k.w_vector;
      if (copied) x = copy_windows(tile, x, copy);
      for (int turns = 0; turns < K; ++turns, w += k.w_pass) {
        pass(k, x, w, acc);
#pragma GCC unroll 8
        for (int l = 0; l < height; ++l)
#pragma GCC unroll 8
          for (int i = 0; i < width; ++i) acc[l][i] = turn<K, T>(acc[l][i], Lanes<T>{});
      }
      put(k, load(w), k.y + map.y_channel(vector), acc);
    }
  }

 private:
  static constexpr i64 most_copied = 3;

  // Several passes read a copy of what they see of x: pixels that lie a power of two apart would
  // drive each other out of the cache.
  static void read_copy(Tile<T>& k, Read* read) {
    const i64 many = k.last - k.read;
    for (i64 r = 0; r < many; ++r) {
      read[r] = k.read[r];
      read[r].x = r * height * Columns::count * lanes;
    }
    k.read = read;
    k.last = read + many;
    k.x_line = Columns::count * lanes;
    k.x_step = lanes;
  }

  static const T* copy_windows(const Tile<T>& k, const T* x, T* copy) {
    T* to = copy;
    for (const Read* read = k.read; read < k.last; ++read)
      for (int l = 0; l < height; ++l, to += Columns::count * lanes)
        for (i64 j = 0; read->lines >> l & 1 && j < Columns::count; ++j)
          if (read->columns >> j & 1)
            store(to + j * lanes, load(x + read->x + l * k.x_line + j * k.x_step));
    return copy;
  }

  PELLUCID_INLINE static void pass(const Tile<T>& k, const T* x, const T* w, Sums& acc) {
    const i64 line = k.x_line, step = k.x_step;
#pragma GCC unroll 1
    for (const Read *read = k.read, *last = k.last; read < last; ++read) {
      const T* from = x + read->x;
      const T* weights = w + read->w;
      const unsigned columns = read->columns;
      if (read->lines == 3)
        meet_columns(acc, from, line, step, columns, weights, Indices<0, 1>{}, Columns{});
      else if (read->lines == 1)
        meet_columns(acc, from, line, step, columns, weights, Indices<0>{}, Columns{});
      else
        meet_columns(acc, from, line, step, columns, weights, Indices<1>{}, Columns{});
    }
  }

  template <class Lines, int... j>
  PELLUCID_INLINE static void meet_columns(Sums& acc, const T* x, i64 line, i64 step,
                                           unsigned inside, const T* w, Lines lines,
                                           Indices<j...>) {
    Vec<T> weights[KW];
#pragma GCC unroll 8
    for (int v = 0; v < KW; ++v)
      weights[v] = in_register < KW == 2 || KW == 3 > (load(w + v * lanes));
    ((inside >> j & 1 ? meet_lines<j>(acc, x, line, weights, lines) : void(), x += step), ...);
  }

  template <int j, int... l>
  PELLUCID_INLINE static void meet_lines(Sums& acc, const T* x, i64 line, const Vec<T>* w,
                                         Indices<l...>) {
    (meet_taps<j>(acc[l], in_register<(KW > 1)>(expand<E, T>(x + l * line, Lanes<T>{})), w,
                  KernelTaps{}),
     ...);
  }

  template <int j, int... v>
  PELLUCID_INLINE static void meet_taps(Vec<T>* acc, Vec<T> x, const Vec<T>* w, Indices<v...>) {
    (meet<j, v>(acc, x, w[v]), ...);
  }

  template <int j, int v>
  PELLUCID_INLINE static void meet(Vec<T>* acc, Vec<T> x, Vec<T> w) {
    constexpr int i = (j - v) / S;
    if constexpr (j >= v && (j - v) % S == 0 && i < width) acc[i] = fma(x, w, acc[i]);
  }

  PELLUCID_INLINE static void put(const Tile<T>& k, Vec<T> bias, T* y, const Sums& acc) {
#pragma GCC unroll 8
    for (int l = 0; l < height; ++l) {
      if (l >= k.lines) break;
#pragma GCC unroll 8
      for (int i = 0; i < width; ++i) {
        if (i >= k.pixels) break;
        Vec<T> sum = reduce<D, T>(acc[l][i]) + bias;
        if (k.ceiling) sum = at_most<T>(at_least_0<T>(sum), splat(*k.ceiling));
        store_first<D, T>(y + l * k.y_line + i * k.y_step, sum, typename Count<lanes / D>::Type{});
      }
    }
  }
};

template <class T>
using Kernel = void (*)(const Tile<T>&, const LaneMap<T>&, i64, i64);

// The windows that the taps of the last axis are cut into.
struct Windows {
  i64 taps, stride, count;
};

inline Windows windows_of(const Axis& axis, bool depthwise) {
  bool wide = axis.step == 1 || (axis.step == 2 && axis.taps == 3);
  for (i64 v = 1; v < axis.taps; ++v) wide = wide && axis.offset[v] == axis.offset[v - 1] + 1;
  if (axis.taps == 5 || axis.taps == 7) wide = wide && depthwise;
  if (wide && (axis.taps == 2 || axis.taps == 3 || axis.taps == 5 || axis.taps == 7))
    return {axis.taps, axis.step, 1};
  return {1, 1, axis.taps};
}

template <class T, int K, int E, int D>
Kernel<T> kernel_of(const Windows& windows) {
  if constexpr (K * E * D == 1) {
    if (windows.taps == 5) return Window<T, K, E, D, 5, 1>::tile;
    if (windows.taps == 7) return Window<T, K, E, D, 7, 1>::tile;
  }
  if (windows.taps == 2) return Window<T, K, E, D, 2, 1>::tile;
  if (windows.taps == 3)
    return windows.stride == 2 ? Window<T, K, E, D, 3, 2>::tile : Window<T, K, E, D, 3, 1>::tile;
  return Window<T, K, E, D, 1, 1>::tile;
}

template <class T, int K = Simd<T>::lanes>
Kernel<T> kernel_of(const LaneMap<T>& map, const Windows& windows) {
  if constexpr (K > 1) {
    if (map.group < K) return kernel_of<T, K / 2>(map, windows);
    if (map.in < map.out) return kernel_of<T, 1, K, 1>(windows);
    if (map.in > map.out) return kernel_of<T, 1, 1, K>(windows);
  }
  return kernel_of<T, K, 1, 1>(windows);
}

// One phase of y: its problem, and what its tiles share.
template <class T>
struct Phase {
  const Correlation<T>* p;
  Windows windows;
  Kernel<T> kernel;
  T* weights;
  i64 w_vector, w_pass;
  i64 *rows, *columns, *places;
  unsigned* inside;  // [tile][window]
};

template <class T>
class Lanewise {
 public:
  Lanewise(const Correlation<T>* phases, i64 count, const Context& context)
      : first_(phases[0]),
        count_(count),
        context_(context),
        map_(first_.groups, first_.in_channels, first_.out_channels) {
    i64 out[max_axes] = {};
    for (i64 k = 0; k < count; ++k)
      for (int a = 0; a < max_axes; ++a) out[a] = larger(out[a], phases[k].axis[a].out);
    planes_ = out[0];
    bands_ = (out[1] + height - 1) / height;
    pixels_ = part(out[2], width);
    tiles_ = (out[2] + pixels_ - 1) / pixels_;
    units_ = first_.images * planes_ * bands_;
    far_ = is_far<T>(first_.images, first_.axis);
  }

  bool run(const Correlation<T>* phases) {
    const i64 table = (count_ * i64(sizeof(Phase<T>)) + 63) / 64 * 64;
    i64 bytes = table;
    for (i64 k = 0; k < count_; ++k) {
      bytes += lay_out(phases[k], nullptr, nullptr);
      most_reads_ = larger(most_reads_, taps_of(phases[k]));
    }
    char* memory = static_cast<char*>(context_.allocate(bytes));
    if (!memory) return false;
    phases_ = reinterpret_cast<Phase<T>*>(memory);
    char* next = memory + table;
    for (i64 k = 0; k < count_; ++k) next += lay_out(phases[k], next, phases_ + k);
    const i64 wanted = jobs_per_thread * context_.threads;
    ranges_ = larger(wanted / units_, bytes / weight_bytes);
    ranges_ = larger(1, smaller(map_.vectors / 2, ranges_));
    runs_ = smaller(units_, larger(1, wanted / ranges_));
    context_.parallel(count_ * map_.vectors, pack, this);
    context_.parallel(runs_ * ranges_, work, this);
    context_.release(memory);
    return !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;

  static i64 taps_of(const Correlation<T>& p) {
    return p.axis[0].taps * p.axis[1].taps * p.axis[2].taps;
  }

  // Bytes that the tables of a phase take; fills them where there is memory.
  i64 lay_out(const Correlation<T>& p, char* memory, Phase<T>* phase) const {
    const Windows windows = windows_of(p.axis[2], map_.group == 1);
    const i64 taps = taps_of(p), rows = p.axis[0].taps * p.axis[1].taps;
    const i64 w_vector = (map_.turns * taps + 1) * lanes;
    const i64 weights = map_.vectors * w_vector * i64(sizeof(T));
    const i64 numbers = i64(sizeof(i64)) * (rows + windows.count + taps);
    const i64 masks = i64(sizeof(unsigned)) * tiles_ * windows.count;
    if (memory) {
      i64* at = reinterpret_cast<i64*>(memory + weights);
      *phase = {&p,
                windows,
                kernel_of(map_, windows),
                reinterpret_cast<T*>(memory),
                w_vector,
                taps * lanes,
                at,
                at + rows,
                at + rows + windows.count,
                reinterpret_cast<unsigned*>(memory + weights + numbers)};
      fill(*phase);
    }
    return (weights + numbers + masks + 63) / 64 * 64;
  }

  void fill(const Phase<T>& phase) const {
    const Axis* axis = phase.p->axis;
    const Windows& windows = phase.windows;
    i64* row = phase.rows;
    for (i64 t = 0; t < axis[0].taps; ++t)
      for (i64 u = 0; u < axis[1].taps; ++u)
        *row++ = axis[0].offset[t] * axis[0].x + axis[1].offset[u] * axis[1].x;
    for (i64 c = 0; c < windows.count; ++c)
      phase.columns[c] = axis[2].offset[c * windows.taps] * axis[2].x;
    fill_weight_places(axis, phase.places);
    unsigned* inside = phase.inside;
    for (i64 tile = 0; tile < tiles_; ++tile)
      for (i64 c = 0; c < windows.count; ++c) *inside++ = columns_inside(axis[2], windows, tile, c);
  }

  // Which columns of a window its tile needs and x has, bit by bit.
  unsigned columns_inside(const Axis& axis, const Windows& windows, i64 tile, i64 window) const {
    const i64 first = tile * pixels_, step = windows.taps > 1 ? 1 : axis.step;
    const i64 many = smaller(pixels_, axis.out - first);
    const i64 columns = many > 0 ? (many - 1) * windows.stride + windows.taps : 0;
    unsigned inside = 0;
    for (i64 j = 0; j < columns; ++j) {
      const i64 column = first * axis.step + axis.offset[window * windows.taps] + j * step;
      if (column >= 0 && column < axis.in) inside |= 1u << j;
    }
    return inside;
  }

  // Weights and bias of one vector of one phase as the lanes read them.
  static void pack(void* self, i64 k) {
    auto& c = *static_cast<Lanewise*>(self);
    const Phase<T>& phase = c.phases_[k / c.map_.vectors];
    const Correlation<T>& p = *phase.p;
    const i64 vector = k % c.map_.vectors, taps = phase.w_pass / lanes, *places = phase.places;
    T* all = phase.weights + vector * phase.w_vector;
    c.map_.each_weight(vector, [&](i64 l, i64 pass, i64 group, i64 out, i64 in) {
      const T* w = p.w + group * p.w_group + out * p.w_out + in * p.w_in;
      T* to = all + pass * phase.w_pass + l;
      for (i64 tap = 0; tap < taps; ++tap) to[tap * lanes] = w[places[tap]];
    });
    T* bias = all + c.map_.turns * phase.w_pass;
    const i64 count = c.map_.in > c.map_.out ? lanes / c.map_.in : lanes;
    for (i64 l = 0; l < lanes; ++l)
      bias[l] = p.b && l < count ? p.b[c.map_.y_channel(vector) + l] : T(0);
  }

  // A run of bands of two lines, of a range of vectors. The bands of a run share rows of x, which
  // are in its cache. All vectors of a tile go before the next tile: x and y are then walked as
  // they lie.
  static void work(void* self, i64 k) {
    auto& c = *static_cast<Lanewise*>(self);
    const i64 range = k / c.runs_, run = k % c.runs_;
    const i64 begin = c.map_.range(range, c.ranges_), end = c.map_.range(range + 1, c.ranges_);
    Read* reads = static_cast<Read*>(c.context_.allocate(c.most_reads_ * sizeof(Read)));
    if (!reads) {
      c.failed_.raise();
      return;
    }
    const i64 last = c.units_ * (run + 1) / c.runs_;
    for (i64 unit = c.units_ * run / c.runs_; unit < last; ++unit) {
      const i64 h = unit % c.bands_ * height, nd = unit / c.bands_;
      for (i64 tile = 0; tile < c.tiles_; ++tile)
        for (i64 phase = 0; phase < c.count_; ++phase)
          c.one(c.phases_[phase], nd / c.planes_, nd % c.planes_, h, tile, begin, end, reads);
    }
    c.context_.release(reads);
  }

  PELLUCID_INLINE void one(const Phase<T>& phase, i64 n, i64 d, i64 h, i64 tile, i64 begin, i64 end,
                           Read* reads) const {
    const Correlation<T>& p = *phase.p;
    const Axis* axis = p.axis;
    const i64 w = tile * pixels_;
    if (d >= axis[0].out || h >= axis[1].out || w >= axis[2].out) return;
    Tile<T> k{};
    k.x = p.x + n * p.x_image + d * axis[0].step * axis[0].x + h * axis[1].step * axis[1].x +
          w * axis[2].step * axis[2].x;
    k.x_line = axis[1].step * axis[1].x;
    k.x_step = phase.windows.taps > 1 ? axis[2].x : axis[2].step * axis[2].x;
    k.w = phase.weights;
    k.w_vector = phase.w_vector;
    k.w_pass = phase.w_pass;
    k.ceiling = p.ceiling > 0 ? &p.ceiling : nullptr;
    k.y = p.y + n * p.y_image + d * axis[0].y + h * axis[1].y + w * axis[2].y;
    k.y_line = axis[1].y;
    k.y_step = axis[2].y;
    k.lines = smaller(height, axis[1].out - h);
    k.pixels = smaller(pixels_, axis[2].out - w);
    if (far_ && count_ == 1 && ranges_ == 1) k.ahead = x_behind(axis, k.x, k.lines, pixels_);
    k.fetches = k.ahead.lines() / (end - begin) + 1;
    k.read = reads;
    k.last = fill_reads(phase, d, h, k.lines, tile, reads);
    phase.kernel(k, map_, begin, end);
  }

  // The windows that reach into x.
  const Read* fill_reads(const Phase<T>& phase, i64 d, i64 h, i64 lines, i64 tile, Read* to) const {
    const Axis* axis = phase.p->axis;
    const Windows& windows = phase.windows;
    const unsigned* inside = phase.inside + tile * windows.count;
    for (i64 t = 0; t < axis[0].taps; ++t)
      for (i64 u = 0; u < axis[1].taps; ++u) {
        unsigned there = 0;
        for (i64 l = 0; l < lines; ++l)
          there |= (reaches(axis[0], d, t) && reaches(axis[1], h + l, u)) << l;
        const i64 row = t * axis[1].taps + u;
        for (i64 c = 0; there && c < windows.count; ++c)
          if (inside[c])
            *to++ = {phase.rows[row] + phase.columns[c],
                     (row * windows.count + c) * windows.taps * lanes, inside[c], there};
      }
    return to;
  }

  const Correlation<T>& first_;
  i64 count_;
  const Context& context_;
  LaneMap<T> map_;
  bool far_;
  i64 planes_, bands_, pixels_, tiles_, units_, runs_ = 1, ranges_ = 1, most_reads_ = 1;
  Flag failed_;
  Phase<T>* phases_ = nullptr;
};

}  // namespace

template <class T>
bool correlate_lanewise(const Correlation<T>* phases, i64 count, const Context& context) {
  return Lanewise<T>(phases, count, context).run(phases);
}

template bool correlate_lanewise<float>(const Correlation<float>*, i64, const Context&);
template bool correlate_lanewise<double>(const Correlation<double>*, i64, const Context&);

}  // namespace pellucid::PELLUCID_ISA
