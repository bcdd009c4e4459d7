// forward and grad_input through the register tile
// (docs/maths.md, 1, 4 and 7). A grad_input comes here as one correlation for each phase.
//
//   i: output pixels    r: kernel rows    l: the run (v, c)    b: packed weights
#include <new>

#include "jobs.hpp"
#include "patch.hpp"
#include "table.hpp"
#include "tile.hpp"
#include "weights.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 patch_bytes = 512 << 10;  // of x in hand, a part of the second cache level
constexpr i64 near_bytes = 512 << 10;   // of weights that stay near
constexpr i64 most_pixels = 1024;       // of one block of lines
constexpr i64 job_pixels = 256;         // for which it pays to read all weights
constexpr i64 strip_pixels = 4 * tile_rows;
constexpr i64 jobs_per_thread = 2;
constexpr i64 most_fetches = 28;   // at a time: more would wait for each other
constexpr i64 pack_channels = 16;  // of one job, where outputs are nearer to each other in w

// How the taps are walked: R rows of L adjacent elements each.
struct Run {
  i64 rows, length;
  bool merged;  // the taps of the last axis are part of the run
};

template <class P>
Run run_of(const P& p, i64 column) {
  const Axis& last = p.axis[2];
  bool adjacent = p.groups == 1 && column == p.in_channels;
  for (i64 v = 1; v < last.taps; ++v)
    adjacent = adjacent && last.offset[v] == last.offset[v - 1] + 1;
  const i64 rest = p.axis[0].taps * p.axis[1].taps;
  if (adjacent) return {rest, last.taps * p.in_channels, true};
  return {rest * last.taps, p.in_channels, false};
}

template <class T>
class Correlate {
 public:
  Correlate(const Correlation<T>& p, const Context& context)
      : p_(p),
        context_(context),
        patch_(p.x, p.x_image, p.axis, p.groups * p.in_channels, p.axis[2].out) {
    run_ = run_of(p, patch_.column());
    blocks_ = divide_up(p.out_channels, width);
    block_size_ = run_.rows * run_.length * width;
    const i64 columns = p.axis[2].out, high = p.axis[1].out;
    lines_ = p.images * p.axis[0].out * high;
    i64 lines = p.in_channels ? patch_.lines_within(patch_bytes) : high, unit = 1;
    lines = smaller(lines, most_pixels / columns);
    if (lines == high) {  // small images: several of them
      unit = high;
      lines *= patch_.images_within(job_pixels, columns);
    }
    line_jobs_ = divide_up(lines_, larger(1, lines));
    if (line_jobs_ > context.threads)  // as many for each
      line_jobs_ = divide_up(line_jobs_, context.threads) * context.threads;
    lines_per_job_ = larger(1, divide_up(lines_ / unit, larger(1, line_jobs_)) * unit);
    line_jobs_ = divide_up(lines_, lines_per_job_);
    const i64 wanted = jobs_per_thread * context.threads;
    output_jobs_ = smaller(p.groups * blocks_, larger(1, wanted / larger(1, line_jobs_)));
  }

  i64 jobs() const { return line_jobs_ * output_jobs_; }
  i64 size() const { return p_.groups * blocks_ * block_size_; }

  // From here on, weights lie at `packed` as the tile reads them: blocks of [r][l][width].
  void set_weights(T* packed) { packed_ = packed; }

  // w[k] is the vector of weights at offset k, of input channel c and the outputs from o on.
  void pack(i64 group, i64 o, i64 c, const Vec<T>* w) const {
    if (!p_.in_channels) return;
    const Axis* axis = p_.axis;
    T* row = packed_ + (group * blocks_ + o / width) * block_size_ + c * width + o % width;
    for (i64 t = 0; t < axis[0].taps; ++t)
      for (i64 u = 0; u < axis[1].taps; ++u)
        for (i64 v = 0; v < axis[2].taps; ++v, row += p_.in_channels * width)
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
  static constexpr i64 width = tile_width<T>;

  // A block of lines and a range of output blocks, on one thread.
  struct Job {
    Job(Correlate& g, i64 line_job, i64 output_job) : g(g), patch(g.patch_) {
      first = line_job * g.lines_per_job_;
      lines = smaller(g.lines_per_job_, g.lines_ - first);
      const i64 all = g.p_.groups * g.blocks_;
      begin = all * output_job / g.output_jobs_;
      end = all * (output_job + 1) / g.output_jobs_;
      pixels = lines * g.p_.axis[2].out;
      const i64 tables = lines + 2 * (pixels + tile_rows) + g.run_.rows;
      memory = static_cast<char*>(
          g.context_.allocate(i64(sizeof(i64)) * tables + i64(sizeof(T)) * patch.size(lines) + 64));
      if (!memory) return;
      base = reinterpret_cast<i64*>(memory);
      ioff = base + lines;
      yoff = ioff + pixels + tile_rows;
      roff = yoff + pixels + tile_rows;
      const std::uintptr_t behind = reinterpret_cast<std::uintptr_t>(roff + g.run_.rows);
      copy = reinterpret_cast<T*>((behind + 63) & ~std::uintptr_t(63));
    }

    void run() {
      const T* x = patch.prepare(first, lines, 0, copy, base);
      fill_offsets();
      // Weights that stay near are walked for each strip of pixels, so that y is written once, as
      // it lies; others are walked once.
      const i64 bytes = (end - begin) * g.block_size_ * i64(sizeof(T));
      const i64 strip = bytes <= near_bytes ? strip_pixels : pixels;
      for (i64 i = 0; i < pixels; i += strip) {
        const i64 last = smaller(i + strip, pixels);
        Ahead ahead = behind(x, last);
        const i64 fetches = ahead.lines() * tile_rows / ((end - begin) * (last - i)) + 1;
        for (i64 k = begin; k < end; ++k)
          outputs(x, k, i, last, ahead, fetches <= most_fetches ? fetches : 0);
      }
    }

    // A strip of x behind pixel `last`, where one tap reads x as it lies, and x is too large to be
    // in a cache. For a single block x is read without a pause, and the processor runs ahead
    // itself.
    Ahead behind(const T* x, i64 last) const {
      const i64 step = g.p_.axis[2].step * patch.column();
      const i64 bytes = i64(sizeof(T)) * g.lines_ * g.p_.axis[2].out * step;
      const bool flat =
          g.run_.rows == 1 && g.p_.axis[2].taps == 1 && patch.inside() && end - begin > 1;
      return {x + ioff[smaller(last, pixels - 1)] + roff[0], g.run_.length, step,
              flat && bytes >= far_bytes ? smaller(strip_pixels, pixels - last) : 0};
    }

    void fill_offsets() {
      const Axis* axis = g.p_.axis;
      i64 i = 0;
      for (i64 k = 0; k < lines; ++k) {
        const i64 line = first + k, h = line % axis[1].out, nd = line / axis[1].out;
        const i64 d = nd % axis[0].out, n = nd / axis[0].out;
        const i64 y = n * g.p_.y_image + d * axis[0].y + h * axis[1].y;
        for (i64 q = 0; q < axis[2].out; ++q, ++i) {
          ioff[i] = base[k] + q * axis[2].step * patch.column();
          yoff[i] = y + q * axis[2].y;
        }
      }
      for (; i < pixels + tile_rows; ++i) {  // rows past the last pixel repeat it
        ioff[i] = ioff[pixels - 1];
        yoff[i] = yoff[pixels - 1];
      }
      i64* to = roff;
      for (i64 t = 0; t < axis[0].taps; ++t)
        for (i64 u = 0; u < axis[1].taps; ++u)
          for (i64 v = 0; v < (g.run_.merged ? 1 : axis[2].taps); ++v) *to++ = patch.tap(t, u, v);
    }

    // One block of outputs for pixels i .. last - 1.
    void outputs(const T* x, i64 k, i64 i, i64 last, Ahead& ahead, i64 fetches) {
      const Correlation<T>& p = g.p_;
      const i64 group = k / g.blocks_, o = (k % g.blocks_) * width;
      const i64 count = smaller(width, p.out_channels - o), vectors = (count + lanes - 1) / lanes;
      T* y = p.y + group * p.out_channels + o;
      T bias[width];
      for (i64 j = 0; j < count; j += lanes)
        store(bias + j,
              p.b ? load_part(p.b + group * p.out_channels + o + j, count - j) : Vec<T>{});
      Product<T> product{last - i,    x + group * p.in_channels,
                         ioff + i,    roff,
                         g.run_.rows, g.run_.length,
                         1,           g.packed_ + k * g.block_size_,
                         width,       bias,
                         y,           yoff + i,
                         p.ceiling,   &ahead,
                         fetches};
      if (count == vectors * lanes) return tile<T>(vectors, product);
      // The last vector would reach over the last channel.
      T sums[tile_rows * width];
      i64 sum_offsets[tile_rows];
      for (i64 m = 0; m < tile_rows; ++m) sum_offsets[m] = m * width;
      product.rows = tile_rows;
      product.out = sums;
      product.ooff = sum_offsets;
      for (; i < last; i += tile_rows) {
        product.ioff = ioff + i;
        tile<T>(vectors, product);
        for (i64 m = 0; m < smaller(tile_rows, last - i); ++m)
          for (i64 j = 0; j < count; j += lanes)
            store_part(y + yoff[i + m] + j, load(sums + m * width + j), count - j);
      }
    }

    Correlate& g;
    Patch<T> patch;
    i64 first, lines, begin, end, pixels;
    char* memory;
    i64 *base, *ioff, *yoff, *roff;
    T* copy;
  };

  const Correlation<T>& p_;
  const Context& context_;
  Patch<T> patch_;
  Run run_;
  i64 blocks_, block_size_, lines_, lines_per_job_, line_jobs_, output_jobs_;
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
    packs_ =
        across_ ? divide_up(whole_->in_channels, pack_channels) : divide_up(p->out_channels, width);
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
      if (!made) context_.parallel(p_->groups * packs_, pack, this);
      if (!failed_) context_.parallel(jobs, work, this);
    }
    const bool done = packed.data && !failed_;
    context_.release(own.data);
    context_.release(memory);
    return done;
  }

 private:
  static constexpr i64 width = tile_width<T>;

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
    const i64 step = g.across_ ? 1 : p.in_channels;
    i64 block = g.across_ ? 0 : part * width;
    const i64 end = g.across_ ? p.out_channels : smaller(block + width, p.out_channels);
    for (; block < end; block += width)
      for (i64 c = first; c < last; c += step)
        for (i64 o = block; o < smaller(block + width, end); o += Simd<T>::lanes)
          g.weights_.each(p.w + group * p.w_group + o * p.w_out, end - o, c, c + step, buffer,
                          [&](i64 in, const Vec<T>* w) {
                            for (i64 phase = 0; phase < g.count_; ++phase)
                              g.phases_[phase].pack(group, o, in, w);
                          });
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
