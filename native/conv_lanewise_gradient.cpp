// grad_weight of depthwise convolutions and of groups thinner than a vector
// (docs/maths.md, 4 and 15), one vector of channels at a time:
//
//   gw[u, v, q][o] = sum over pixels p of gy[p][o] x[p s + (u, v) d - pad][(o div (O/G)) (C/G) + q]
//
// Each (t, u, v) has a vector of its own as accumulator, up to nine of them at once, over the
// pixels of a tile. x is read as it lies, and gy turns by one lane for each pass (lanewise.hpp).
// Tiles never mix pixels that meet different taps, and are added in order in a fixed number of
// partial sums, and those in order.
#include "jobs.hpp"
#include "lanewise.hpp"
#include "lanewise_taps.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 tile_columns = 14;
constexpr i64 chunk_bytes = 16 << 10;  // of the sums that stay near while tiles go by
// All partial sums together take that part of what x and gy take, at least and at most so much.
constexpr i64 part_of_arrays = 16, least_bytes = 64 << 10, most_bytes = 4 << 20;
constexpr i64 most_partials = 16;
constexpr i64 jobs_per_thread = 4;

// One vector, while the next ones of the pixel are on their way: to the processor, pixels are a
// pattern of jumps that it does not foresee.
template <class T>
PELLUCID_INLINE void copy_vector(T* to, const T* from) {
  __builtin_prefetch(from + 64 / sizeof(T), 0, 2);
  store(to, load(from));
}

// Neighbouring outputs of one axis that meet the same taps.
struct Span {
  i64 first, count;
  Taps taps;
};

// Cut an axis into spans of at most `most` outputs; returns how many. With `mixed`, outputs of a
// span may meet different taps.
inline i64 cut(const Axis& axis, i64 most, bool mixed, Span* to) {
  i64 count = 0;
  for (i64 q = 0; q < axis.out; ++q) {
    const Taps taps = mixed ? Taps{0, axis.taps} : taps_inside(axis, q);
    Span* last = to + count - 1;
    if (count && last->count < most && last->taps.begin == taps.begin && last->taps.end == taps.end)
      ++last->count;
    else
      to[count++] = {q, 1, taps};
  }
  return count;
}

template <class T>
class LanewiseGradient {
 public:
  LanewiseGradient(const WeightGradient<T>& p, const Context& context)
      : p_(p),
        context_(context),
        map_(p.groups, p.in_channels, p.out_channels),
        plain_(adds_of(map_, false)),
        turning_(adds_of(map_, true)) {
    taps_ = p.axis[0].taps * p.axis[1].taps * p.axis[2].taps;
    sums_size_ = map_.turns * taps_ * lanes;
    const Axis &high = p.axis[1], &wide = p.axis[2];
    rows_ =
        map_.in == map_.out && wide.step <= 2 && wide.taps == 3 && high.taps == 3 && dense(wide);
    copied_ = rows_ && map_.turns > 2 && p.axis[0].taps == 1 && high.step <= 2 && dense(high);
    lines_ = larger(1, (copied_ ? 8 : 4) / high.step);
    copied_line_ = copied_ ? ((tile_columns - 1) * wide.step + 3) * lanes : 0;
    for (i64 a = 0; a < 9; ++a) copied_taps_[a] = {a / 3 * copied_line_ + a % 3 * lanes, a * lanes};
    far_ = is_far<T>(p.images, p.axis);
    together_ = part(map_.vectors, larger(1, chunk_bytes / (sums_size_ * i64(sizeof(T)))));
  }

  bool run() {
    const Axis* axis = p_.axis;
    const i64 outputs = axis[1].out + axis[2].out;
    void* memory =
        context_.allocate(sizeof(i64) * taps_ + (sizeof(Span) + sizeof(unsigned)) * outputs);
    if (!memory) return false;
    places_ = static_cast<i64*>(memory);
    bands_ = reinterpret_cast<Span*>(fill_weight_places(axis, places_));
    columns_ = bands_ + axis[1].out;
    there_ = reinterpret_cast<unsigned*>(bands_ + outputs);
    inside_ = there_ + axis[1].out;
    fill_masks();
    bands_count_ = cut(axis[1], lines_, rows_, bands_);
    columns_count_ = cut(axis[2], tile_columns, rows_, columns_);
    share();
    sums_ = static_cast<T*>(context_.allocate(sizeof(T) * partials_ * map_.vectors * sums_size_));
    if (sums_) {
      context_.parallel(partials_ * ranges_, work, this);
      if (!failed_) context_.parallel(map_.vectors, collect, this);
      context_.release(sums_);
    }
    context_.release(memory);
    return sums_ && !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;

  static bool dense(const Axis& axis) {
    for (i64 v = 1; v < axis.taps; ++v)
      if (axis.offset[v] != axis.offset[v - 1] + 1) return false;
    return true;
  }

  struct Next {
    Ahead x, gy;
    i64 fetches;  // with each vector of a tile
  };

  // The sums of one vector: [pass][t, u, v][lane].
  T* sums(i64 partial, i64 vector) const {
    return sums_ + (partial * map_.vectors + vector) * sums_size_;
  }

  void fill_masks() {
    const Axis &high = p_.axis[1], &wide = p_.axis[2];
    for (i64 h = 0; h < high.out; ++h) {
      there_[h] = 0;
      for (i64 u = 0; u < smaller(high.taps, 3); ++u) there_[h] |= reaches(high, h, u) << u;
    }
    for (i64 w = 0; w < wide.out; ++w) {
      inside_[w] = 0;
      for (i64 j = 0; j < 32; ++j) {
        const i64 column = w * wide.step + wide.offset[0] + j;
        if (column >= 0 && column < wide.in) inside_[w] |= 1u << j;
      }
    }
  }

  void share() {
    units_ = p_.images * p_.axis[0].out * bands_count_;
    const i64 x = p_.axis[0].in * p_.axis[1].in * p_.axis[2].in * p_.in_channels;
    const i64 gy = p_.axis[0].out * p_.axis[1].out * p_.axis[2].out * p_.out_channels;
    const i64 arrays = i64(sizeof(T)) * p_.images * p_.groups * (x + gy);
    const i64 most = larger(least_bytes, smaller(arrays / part_of_arrays, most_bytes));
    partials_ = larger(1, most / (map_.vectors * sums_size_ * i64(sizeof(T))));
    partials_ = smaller(smaller(most_partials, partials_), units_);
    const i64 wanted = jobs_per_thread * context_.threads;
    ranges_ = larger(1, smaller(map_.vectors / 2, wanted / partials_));
  }

  // Add the partial sums of one vector in order and put them into gw.
  static void collect(void* self, i64 vector) {
    auto& g = *static_cast<LanewiseGradient*>(self);
    const WeightGradient<T>& p = g.p_;
    T* total = g.sums(0, vector);
    for (i64 k = 1; k < g.partials_; ++k) {
      const T* more = g.sums(k, vector);
      for (i64 e = 0; e < g.sums_size_; ++e) total[e] += more[e];
    }
    // Lanes that the vector before has already are left to it.
    const i64 least = vector * lanes - g.map_.first(vector), *places = g.places_;
    g.map_.each_weight(vector, [&](i64 l, i64 pass, i64 group, i64 out, i64 in) {
      if (l < least) return;
      T* gw = p.gw + group * p.gw_group + out * p.gw_out + in * p.gw_in;
      const T* from = total + pass * g.taps_ * lanes + l;
      for (i64 tap = 0; tap < g.taps_; ++tap) gw[places[tap]] = from[tap * lanes];
    });
  }

  // A range of bands and a range of vectors, on one thread.
  static void work(void* self, i64 k) {
    auto& g = *static_cast<LanewiseGradient*>(self);
    const i64 partial = k / g.ranges_, range = k % g.ranges_;
    const i64 begin = g.map_.range(range, g.ranges_), end = g.map_.range(range + 1, g.ranges_);
    const i64 copy = ((g.lines_ - 1) * g.p_.axis[1].step + 3) * g.copied_line_;
    const i64 stripe = (g.lines_ * tile_columns * lanes + copy) * i64(sizeof(T));
    void* memory = g.context_.allocate(stripe + sizeof(TapSum) * g.taps_);
    if (!memory) {
      g.failed_.raise();
      return;
    }
    TapSum* taps = reinterpret_cast<TapSum*>(static_cast<char*>(memory) + stripe);
    T* sums = g.sums(partial, begin);
    for (i64 e = 0; e < (end - begin) * g.sums_size_; ++e) sums[e] = T(0);
    const i64 first = g.units_ * partial / g.partials_;
    const i64 last = g.units_ * (partial + 1) / g.partials_;
    for (i64 unit = first; unit < last; ++unit) {
      Next next = g.far_ && unit + 1 < last ? g.behind(unit + 1, end - begin) : Next{};
      for (i64 v = begin; v < end; v += g.together_)
        g.add_band(unit, v, smaller(v + g.together_, end), g.sums(partial, v),
                   static_cast<T*>(memory), taps, next);
    }
    g.context_.release(memory);
  }

  // Add some lines to the sums of some vectors.
  void add_band(i64 unit, i64 begin, i64 end, T* sums, T* stripe, TapSum* taps, Next& next) const {
    const Axis* axis = p_.axis;
    const Span& band = bands_[unit % bands_count_];
    const i64 nd = unit / bands_count_, n = nd / axis[0].out, d = nd % axis[0].out;
    const Taps t = taps_inside(axis[0], d);
    const T* x = p_.x + n * p_.x_image + d * axis[0].step * axis[0].x +
                 band.first * axis[1].step * axis[1].x;
    const T* gy = p_.gy + (nd * axis[1].out + band.first) * axis[2].out * out_channels();
    Taps v{0, 0};
    i64 count = 0;
    for (const Span* span = columns_; span < columns_ + columns_count_; ++span) {
      if (span->taps.begin != v.begin || span->taps.end != v.end) {
        v = span->taps;
        count = fill_taps(t, band.taps, v, taps);
      }
      if (!count) continue;
      // gy is only written to in the stripe.
      const Pixels<T> pixels{x + span->first * axis[2].step * axis[2].x,
                             axis[1].step * axis[1].x,
                             axis[2].step * axis[2].x,
                             const_cast<T*>(gy) + span->first * out_channels(),
                             axis[2].out * out_channels(),
                             out_channels(),
                             band.count,
                             span->count,
                             inside_ + span->first,
                             there_ + band.first};
      for (i64 vector = begin; vector < end; ++vector) {
        (next.gy.lines() ? next.gy : next.x).fetch(next.fetches);
        add_tile(pixels, vector, taps, count, sums + (vector - begin) * sums_size_, stripe);
      }
    }
  }

  // What a unit reads that no other one did, to be fetched while the one before it goes by.
  Next behind(i64 unit, i64 vectors) const {
    const Axis &deep = p_.axis[0], &high = p_.axis[1], &wide = p_.axis[2];
    const Span& band = bands_[unit % bands_count_];
    const i64 nd = unit / bands_count_, n = nd / deep.out, d = nd % deep.out;
    const i64 row = (band.first - 1) * high.step + high.offset[high.taps - 1] + 1;
    const T* x = p_.x + n * p_.x_image + d * deep.step * deep.x + row * high.x;
    const T* gy = p_.gy + (nd * high.out + band.first) * wide.out * out_channels();
    const Ahead next_x(x, wide.in * wide.x, high.x, band.count * high.step);
    const Ahead next_gy(gy, band.count * wide.out * out_channels());
    return {next_x, next_gy, (next_x.lines() + next_gy.lines()) / (vectors * columns_count_) + 1};
  }

  i64 out_channels() const { return p_.groups * p_.out_channels; }

  i64 fill_taps(Taps t, Taps u, Taps v, TapSum* to) const {
    const Axis* axis = p_.axis;
    const TapSum* first = to;
    for (i64 i = t.begin; i < t.end; ++i)
      for (i64 j = u.begin; j < u.end; ++j)
        for (i64 k = v.begin; k < v.end; ++k)
          *to++ = {axis[0].offset[i] * axis[0].x + axis[1].offset[j] * axis[1].x +
                       axis[2].offset[k] * axis[2].x,
                   ((i * axis[1].taps + j) * axis[2].taps + k) * lanes};
    return to - first;
  }

  void add_tile(Pixels<T> pixels, i64 vector, const TapSum* taps, i64 count, T* sums,
                T* stripe) const {
    pixels.x += map_.x_channel(vector);
    pixels.gy += map_.y_channel(vector);
    if (map_.turns > 1) lay_gy(pixels, stripe);
    if (copied_) {
      taps = copied_taps_;
      lay_x(pixels, stripe + lines_ * tile_columns * lanes);
    }
    for (i64 turn = 0; turn < map_.turns; ++turn, sums += taps_ * lanes)
      add_taps(pixels, taps, count, sums);
  }

  void add_taps(const Pixels<T>& pixels, const TapSum* taps, i64 count, T* sums) const {
    int size = 0;
    for (i64 first = 0; first < count; first += chunks[size]) {
      while (chunks[size] > count - first) ++size;
      const Adds<T>& adds = first + chunks[size] == count ? turning_ : plain_;
      (rows_ ? adds.rows[p_.axis[2].step - 1] : adds.any[size])(pixels, taps + first, sums);
    }
  }

  // Put gy of one vector side by side, to be turned.
  void lay_gy(Pixels<T>& pixels, T* stripe) const {
    T* to = stripe;
    for (i64 h = 0; h < pixels.lines; ++h)
      for (i64 c = 0; c < pixels.columns; ++c, to += lanes)
        copy_vector(to, pixels.gy + h * pixels.gy_line + c * pixels.gy_step);
    pixels.gy = stripe;
    pixels.gy_step = lanes;
    pixels.gy_line = pixels.columns * lanes;
  }

  // The same for x, for several passes: pixels that lie a power of two apart would drive each other
  // out of the cache.
  void lay_x(Pixels<T>& pixels, T* copy) const {
    const Axis &high = p_.axis[1], &wide = p_.axis[2];
    const i64 rows = (pixels.lines - 1) * high.step + 3;
    const i64 columns = (pixels.columns - 1) * wide.step + 3;
    const T* from = pixels.x + p_.axis[0].offset[0] * p_.axis[0].x + high.offset[0] * high.x +
                    wide.offset[0] * wide.x;
    for (i64 row = 0; row < rows; ++row, from += high.x) {
      const i64 h = smaller(row / high.step, pixels.lines - 1), u = row - h * high.step;
      if (!(pixels.there[h] >> u & 1)) continue;
      T* to = copy + row * copied_line_;
      for (i64 j = 0; j < columns; ++j)
        if (*pixels.inside >> j & 1) copy_vector(to + j * lanes, from + j * wide.x);
    }
    pixels.x = copy;
    pixels.x_line = high.step * copied_line_;
    pixels.x_step = wide.step * lanes;
  }

  const WeightGradient<T>& p_;
  const Context& context_;
  LaneMap<T> map_;
  const Adds<T>&plain_, &turning_;
  i64 taps_, sums_size_, together_, lines_, copied_line_;
  TapSum copied_taps_[9];
  i64 bands_count_ = 0, columns_count_ = 0, units_ = 0, partials_ = 0, ranges_ = 0;
  Span *bands_ = nullptr, *columns_ = nullptr;
  T* sums_ = nullptr;
  i64* places_ = nullptr;
  unsigned *there_ = nullptr, *inside_ = nullptr;
  bool rows_, copied_, far_;
  Flag failed_;
};

}  // namespace

template <class T>
bool grad_weight_lanewise(const WeightGradient<T>& p, const Context& context) {
  return LanewiseGradient<T>(p, context).run();
}

PELLUCID_INSTANTIATE(grad_weight_lanewise, WeightGradient)

}  // namespace pellucid::PELLUCID_ISA
