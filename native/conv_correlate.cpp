// forward and grad_input through the register tile
// (docs/maths.md, 1, 4 and 7). A grad_input comes here as one correlation for each phase.
//
//   i: output pixels    r: kernel rows    l: the run (v, c)    b: packed weights
//
// x is read as it lies. Pixels under an edge, whose windows reach over it, go together, each kind
// with the taps that meet x.
#include <new>

#include "even_tiles.hpp"
#include "jobs.hpp"
#include "table.hpp"
#include "weights.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 patch_bytes = 512 << 10;  // of x in hand, a part of the second cache level
constexpr i64 near_bytes = 512 << 10;   // of weights that stay near
constexpr i64 most_pixels = 1024;       // of one block of lines
constexpr i64 job_pixels = 4096;        // for which it pays to read all weights
constexpr i64 strip_pixels = 4 * tile_rows, most_strips = 4;  // together, of short sums
constexpr i64 strip_products = 2048;                          // of an output channel
constexpr i64 strip_blocks = 4;               // of a 1x1 kernel, or more pixels of fewer blocks
constexpr i64 least_run = 8, fetch_run = 32;  // input channels, between which lines are fetched
constexpr i64 short_bytes = 128;              // of a pixel of x
constexpr i64 jobs_per_thread = 2;
constexpr i64 pack_channels = 16;  // of one job, where outputs are nearer to each other in w

// How the taps are walked: R rows of L adjacent elements each.
struct Run {
  i64 rows, length;
  bool merged;  // the taps of the last axis are part of the run
};

template <class P>
Run run_of(const P& p) {
  const Axis& last = p.axis[2];
  bool adjacent = p.groups == 1 && last.x == p.in_channels;
  for (i64 v = 1; v < last.taps; ++v)
    adjacent = adjacent && last.offset[v] == last.offset[v - 1] + 1;
  const i64 rest = p.axis[0].taps * p.axis[1].taps;
  if (adjacent) return {rest, last.taps * p.in_channels, true};
  return {rest * last.taps, p.in_channels, false};
}

// Outputs begin .. end - 1 of an axis, under which taps first .. last - 1 meet x.
struct Band {
  i64 begin, end, first, last;
};

Band band_from(const Axis& axis, i64 begin) {
  Band band{begin, axis.out, 0, 0};
  while (band.first < axis.taps && begin * axis.step + axis.offset[band.first] < 0) ++band.first;
  while (band.last < axis.taps && begin * axis.step + axis.offset[band.last] < axis.in) ++band.last;
  // The next tap comes in on the left, or the last one leaves on the right.
  if (band.first) band.end = smaller(band.end, divide_up(-axis.offset[band.first - 1], axis.step));
  if (band.last)
    band.end = smaller(band.end, divide_up(axis.in - axis.offset[band.last - 1], axis.step));
  return band;
}

template <class T>
class Correlate {
 public:
  Correlate(const Correlation<T>& p, const Context& context)
      : p_(p), context_(context), run_(run_of(p)) {
    const Patch<T> patch(p.x, p.x_image, p.axis, p.groups * p.in_channels, p.axis[2].out);
    taps_ = p.axis[0].taps * p.axis[1].taps * p.axis[2].taps;
    if (taps_ == 1) cut_ = larger(1, divide_up(run_.length, fetch_run));
    while (run_.length % cut_) ++cut_;
    if (run_.length < least_run * cut_) cut_ = 1;
    const i64 vectors = divide_up(p.out_channels, lanes);
    width_ = lanes * (vectors % tile_vectors == 1 && vectors % 3 == 0 ? 3 : tile_vectors);
    blocks_ = divide_up(p.out_channels, width_);
    block_size_ = run_.rows * run_.length * width_;
    const i64 columns = p.axis[2].out, high = p.axis[1].out;
    lines_ = p.images * p.axis[0].out * high;
    i64 lines = p.in_channels ? patch.lines_within(patch_bytes) : high, unit = 1;
    lines = smaller(lines, most_pixels / columns);
    if (lines == high) {  // small images: several of them
      unit = high;
      lines *= patch.images_within(job_pixels, columns);
    }
    line_jobs_ = divide_up(lines_, larger(1, lines));
    if (line_jobs_ > context.threads)  // as many for each
      line_jobs_ = divide_up(line_jobs_, context.threads) * context.threads;
    lines_per_job_ = larger(1, divide_up(lines_ / unit, larger(1, line_jobs_)) * unit);
    line_jobs_ = divide_up(lines_, lines_per_job_);
    const i64 wanted = jobs_per_thread * context.threads, blocks = p.groups * blocks_;
    output_jobs_ = smaller(blocks, larger(1, wanted / larger(1, line_jobs_)));
    i64 shortly = strip_products / (larger(1, run_.rows * run_.length) * strip_pixels);
    if (taps_ == 1) shortly = larger(shortly, divide_up(strip_blocks * output_jobs_, blocks));
    strip_ = strip_pixels * larger(1, smaller(most_strips, shortly));
    for (const Axis& axis : p.axis) {
      i64 bands = 0;
      for (i64 q = 0; q < axis.out; q = band_from(axis, q).end) ++bands;
      kinds_ *= bands;
    }
  }

  i64 jobs() const { return line_jobs_ * output_jobs_; }
  i64 size() const { return p_.groups * blocks_ * block_size_; }

  // From here on, weights lie at `packed` as the tile reads them: blocks of [r][l][width_].
  void set_weights(T* packed) { packed_ = packed; }

  i64 width() const { return width_; }
  i64 blocks() const { return blocks_; }

  // w[k] is the vector of weights at offset k, of input channel c and the outputs of a block from
  // `lane` on.
  PELLUCID_INLINE void pack(i64 block, i64 lane, i64 c, const Vec<T>* w) const {
    if (!p_.in_channels) return;
    const Axis* axis = p_.axis;
    T* row = packed_ + block * block_size_ + c * width_ + lane;
    if (taps_ == 1) return store(row, w[axis[0].weight[0] + axis[1].weight[0] + axis[2].weight[0]]);
    for (i64 t = 0; t < axis[0].taps; ++t)
      for (i64 u = 0; u < axis[1].taps; ++u)
        for (i64 v = 0; v < axis[2].taps; ++v, row += p_.in_channels * width_)
          store(row, w[axis[0].weight[t] + axis[1].weight[u] + axis[2].weight[v]]);
  }

  // False where there is no memory left.
  bool work(i64 k) {
    Job job(*this, k / output_jobs_, k % output_jobs_);
    if (!job.memory) return false;
    job.run();
    context_.release(job.memory);
    return true;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;

  // Some pixels of one kind, and where their taps are in x and in the weights.
  struct Strip {
    i64 begin, end;
    const i64 *roff, *boff;
    i64 rows, length;
  };

  // A block of lines and a range of output blocks, on one thread.
  struct Job {
    Job(Correlate& g, i64 line_job, i64 output_job) : g(g) {
      first = line_job * g.lines_per_job_;
      lines = smaller(g.lines_per_job_, g.lines_ - first);
      const i64 all = g.p_.groups * g.blocks_, pixels = lines * g.p_.axis[2].out;
      begin = all * output_job / g.output_jobs_;
      end = all * (output_job + 1) / g.output_jobs_;
      const i64 kinds = smaller(g.kinds_, pixels), places = pixels + kinds * spare_rows;
      const i64 taps = kinds * larger(g.run_.rows, g.cut_);
      memory = g.context_.allocate(i64(sizeof(i64)) * 2 * (lines + places + taps) +
                                   i64(sizeof(Strip)) * (pixels / strip_pixels + kinds));
      if (!memory) return;
      strip = static_cast<Strip*>(memory);
      xline = reinterpret_cast<i64*>(strip + pixels / strip_pixels + kinds);
      yline = xline + lines;
      ioff = yline + lines;
      yoff = ioff + places;
      roff = yoff + places;
      boff = roff + taps;
    }

    void run() {
      fill();
      // Weights that stay near are walked for each strip of pixels, so that y is written once, as
      // it lies; others are walked once.
      const i64 bytes = (end - begin) * g.block_size_ * i64(sizeof(T));
      const i64 together = bytes <= near_bytes ? 1 : strips;
      for (i64 s = 0; s < strips; s += together) {
        Ahead ahead = behind(s + together);
        const i64 runs = divide_up(g.strip_, tile_rows) * g.cut_;
        const i64 fetches = divide_up(ahead.lines(), larger(1, (end - begin) * runs));
        for (i64 k = begin; k < end; ++k)
          for (i64 m = s; m < s + together; ++m)
            if (g.width_ == 3 * lanes)
              outputs<3>(k, strip[m], ahead, fetches);
            else
              outputs<tile_vectors>(k, strip[m], ahead, fetches);
      }
    }

    // What strip `s` reads of x, where one tap reads it as it lies, and x is too large to be in a
    // cache. Short pixels are one stream, and the processor runs ahead itself.
    Ahead behind(i64 s) const {
      const Axis& last = g.p_.axis[2];
      const i64 step = last.step * last.x, bytes = step * i64(sizeof(T));
      const bool far = bytes * g.lines_ * last.out >= far_bytes && bytes > short_bytes;
      if (s >= strips || g.taps_ > 1 || g.kinds_ > 1 || !far) return {};
      return {g.p_.x + ioff[strip[s].begin] + strip[s].roff[0], g.run_.length, step,
              strip[s].end - strip[s].begin};
    }

    // Strips of pixels of each kind.
    void fill() {
      const Axis* axis = g.p_.axis;
      i64 *row = roff, *weight = boff, i = 0;
      Band deep{}, high{}, wide{};
      for (i64 d = 0; d < axis[0].out; d = deep.end) {
        deep = band_from(axis[0], d);
        for (i64 h = 0; h < axis[1].out; h = high.end) {
          high = band_from(axis[1], h);
          const i64 many = fill_lines(deep, high);
          for (i64 q = 0; many && q < axis[2].out; q = wide.end) {
            wide = band_from(axis[2], q);
            const i64 rows = fill_taps(deep, high, wide, row, weight);
            const i64 taps = wide.last - wide.first;
            const i64 length = g.run_.merged ? taps * g.p_.in_channels : g.run_.length;
            const bool all = rows == g.run_.rows && taps == axis[2].taps;
            i = fill_pixels(wide, many, i, {0, 0, row, all ? nullptr : weight, rows, length});
            row += larger(rows, g.cut_);
            weight += rows;
          }
        }
      }
    }

    // Where the lines of these bands begin.
    i64 fill_lines(const Band& deep, const Band& high) {
      const Axis* axis = g.p_.axis;
      i64 many = 0, h = first % axis[1].out, d = first / axis[1].out % axis[0].out;
      i64 n = first / axis[1].out / axis[0].out;
      for (i64 k = 0; k < lines; ++k) {
        if (d >= deep.begin && d < deep.end && h >= high.begin && h < high.end) {
          xline[many] =
              n * g.p_.x_image + d * axis[0].step * axis[0].x + h * axis[1].step * axis[1].x;
          yline[many++] = n * g.p_.y_image + d * axis[0].y + h * axis[1].y;
        }
        if (++h < axis[1].out) continue;
        h = 0;
        if (++d < axis[0].out) continue;
        d = 0;
        ++n;
      }
      return many;
    }

    // Where the taps of these bands lie, in x and in the weights; returns how many rows they are.
    i64 fill_taps(const Band& deep, const Band& high, const Band& wide, i64* x, i64* w) const {
      const Axis* axis = g.p_.axis;
      if (wide.first == wide.last) return 0;
      i64 rows = 0;
      for (i64 t = deep.first; t < deep.last; ++t)
        for (i64 u = high.first; u < high.last; ++u)
          for (i64 v = wide.first; v < (g.run_.merged ? wide.first + 1 : wide.last); ++v, ++rows) {
            x[rows] = axis[0].offset[t] * axis[0].x + axis[1].offset[u] * axis[1].x +
                      axis[2].offset[v] * axis[2].x;
            w[rows] = ((t * axis[1].taps + u) * axis[2].taps + v) * g.p_.in_channels * g.width_;
          }
      for (i64 r = 1; rows && r < g.cut_; ++r) x[r] = x[0] + r * (g.run_.length / g.cut_);
      return rows;
    }

    // The pixels of a band in these lines, from place `i` on; returns the place behind them.
    i64 fill_pixels(const Band& wide, i64 many, i64 i, Strip next) {
      const Axis& axis = g.p_.axis[2];
      next.end = i;
      const i64 step = axis.step * axis.x;
      for (i64 k = 0; k < many; ++k) {
        i64 x = xline[k] + wide.begin * step, y = yline[k] + wide.begin * axis.y;
        for (i64 q = wide.begin; q < wide.end; ++q, ++i) {
          ioff[i] = x;
          yoff[i] = y;
          x += step, y += axis.y;
        }
      }
      while (next.end < i) {
        next.begin = next.end;
        next.end = i - next.end < g.strip_ + strip_pixels / 2 ? i : next.end + g.strip_;
        strip[strips++] = next;
      }
      for (i64 e = 0; e < spare_rows; ++e, ++i) {  // rows past the last pixel repeat it
        ioff[i] = ioff[i - 1];
        yoff[i] = yoff[i - 1];
      }
      return i;
    }

    // One block of outputs for the pixels of a strip.
    template <int most>
    void outputs(i64 k, const Strip& s, Ahead& ahead, i64 fetches) {
      const Correlation<T>& p = g.p_;
      constexpr i64 width = most * lanes;
      const i64 group = k / g.blocks_, o = (k % g.blocks_) * width;
      const i64 count = smaller(width, p.out_channels - o), vectors = (count + lanes - 1) / lanes;
      T* y = p.y + group * p.out_channels + o;
      T bias[width];
      for (i64 j = 0; j < count; j += lanes)
        store(bias + j,
              p.b ? load_part(p.b + group * p.out_channels + o + j, count - j) : Vec<T>{});
      const i64 parts = fetches ? g.cut_ : 1;
      Product<T> product{s.end - s.begin,
                         p.x + group * p.in_channels,
                         ioff + s.begin,
                         s.roff,
                         s.rows * parts,
                         s.length / parts,
                         1,
                         g.packed_ + k * g.block_size_,
                         width,
                         bias,
                         y,
                         yoff + s.begin,
                         p.ceiling};
      product.ahead = &ahead;
      product.row_fetches = fetches;
      product.boff = s.boff;
      if (count == vectors * lanes) return sum<most>(vectors, product);
      // The last vector would reach over the last channel.
      constexpr i64 rows = most_strips * strip_pixels + strip_pixels / 2;
      T sums[rows * width];
      i64 places[rows + spare_rows];
      product.out = sums;
      product.ooff = places;
      for (i64 m = 0; m < product.rows + spare_rows; ++m)
        places[m] = smaller(m, product.rows - 1) * width;
      sum<most>(vectors, product);
      for (i64 m = 0; m < product.rows; ++m)
        for (i64 j = 0; j < count; j += lanes)
          store_part(y + yoff[s.begin + m] + j, load(sums + m * width + j), count - j);
    }

    // Blocks of three vectors are whole.
    template <int most>
    static void sum(i64 vectors, const Product<T>& product) {
      if constexpr (most == tile_vectors)
        tile_evenly<T, most * lanes>(vectors, product);
      else if constexpr (most < tile_vectors)
        tile_evenly<T, most, most * lanes>(product);
      else
        tile<T, rows_of_three, most, most * lanes>(product);
    }

    Correlate& g;
    i64 first, lines, begin, end, strips = 0;
    void* memory;
    Strip* strip;
    i64 *xline, *yline, *ioff, *yoff, *roff, *boff;
  };

  const Correlation<T>& p_;
  const Context& context_;
  Run run_;
  i64 taps_, cut_ = 1;  // parts of a run, between which x is asked for ahead of time
  i64 width_, blocks_, block_size_;
  i64 lines_, lines_per_job_, line_jobs_, output_jobs_, strip_, kinds_ = 1;
  T* packed_ = nullptr;
};

// All phases of one y: their weights lie together, and are packed in one pass. One without input
// channels is the bias alone.
template <class T>
class Phases {
 public:
  Phases(const Correlation<T>* p, i64 count, const Context& context)
      : p_(p), count_(count), context_(context), weights_(p, count) {
    for (i64 k = 0; k < count; ++k)
      if (p[k].in_channels) whole_ = p + k;
    across_ = p->w_out < p->w_in;
  }

  bool run() {
    void* memory = context_.allocate(count_ * i64(sizeof(Correlate<T>)));
    phases_ = static_cast<Correlate<T>*>(memory);
    if (!phases_) return false;
    i64 size = 0, jobs = 0;
    for (i64 k = 0; k < count_; ++k) {
      new (phases_ + k) Correlate<T>(p_[k], context_);
      size += phases_[k].size();
      jobs += phases_[k].jobs();
    }
    Packed own, &packed = p_->packed ? *p_->packed : own;
    const bool made = packed.data;
    if (!made)
      packed = {context_.allocate(larger(size, 1) * i64(sizeof(T))), size * i64(sizeof(T))};
    if (packed.data) {
      T* next = static_cast<T*>(packed.data);
      for (i64 k = 0; k < count_; next += phases_[k++].size()) phases_[k].set_weights(next);
      packs_ = across_ ? divide_up(whole_->in_channels, pack_channels) : phases_->blocks();
      if (!made) context_.parallel(p_->groups * packs_, pack, this);
      if (!failed_) context_.parallel(jobs, work, this);
    }
    const bool done = packed.data && !failed_;
    context_.release(own.data);
    context_.release(memory);
    return done;
  }

 private:
  // A job takes what lies together in w: a block of outputs, or a few input channels.
  static void pack(void* self, i64 k) {
    auto& g = *static_cast<Phases*>(self);
    const Correlation<T>& p = *g.whole_;
    auto* buffer =
        static_cast<Vec<T>*>(g.context_.allocate(g.weights_.size() * i64(sizeof(Vec<T>))));
    if (!buffer) {
      g.failed_.raise();
      return;
    }
    const i64 group = k / g.packs_, part = k % g.packs_;
    const i64 first = g.across_ ? part * pack_channels : 0;
    const i64 last = g.across_ ? smaller(first + pack_channels, p.in_channels) : p.in_channels;
    const i64 width = g.phases_->width(), blocks = g.phases_->blocks();
    const i64 end = g.across_ ? blocks : part + 1;
    for (i64 block = g.across_ ? 0 : part; block < end; ++block)
      for (i64 lane = 0; lane < width; lane += Simd<T>::lanes) {
        const i64 o = block * width + lane;
        if (o >= p.out_channels) break;
        g.weights_.each(p.w + group * p.w_group + o * p.w_out, p.out_channels - o, first, last,
                        buffer, [&](i64 c, const Vec<T>* w) {
                          for (i64 phase = 0; phase < g.count_; ++phase)
                            g.phases_[phase].pack(group * blocks + block, lane, c, w);
                        });
      }
    g.context_.release(buffer);
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<Phases*>(self);
    Correlate<T>* phase = g.phases_;
    for (; k >= phase->jobs(); ++phase) k -= phase->jobs();
    if (!phase->work(k)) g.failed_.raise();
  }

  const Correlation<T>* p_;
  const Correlation<T>* whole_ = p_;  // a phase with input channels, if there is one
  i64 count_;
  const Context& context_;
  Weights<T> weights_;
  bool across_;  // whether outputs are nearer to each other in w than input channels
  i64 packs_;
  Correlate<T>* phases_ = nullptr;
  Flag failed_;
};

}  // namespace

template <class T>
bool correlate_directly(const Correlation<T>* phases, i64 count, const Context& context) {
  return Phases<T>(phases, count, context).run();
}

template bool correlate_directly<float>(const Correlation<float>*, i64, const Context&);
template bool correlate_directly<double>(const Correlation<double>*, i64, const Context&);

}  // namespace pellucid::PELLUCID_ISA
