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
constexpr i64 strip_pixels = 4 * tile_rows, strip_blocks = 4;  // or more pixels of fewer blocks
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

  // A block of lines and a range of output blocks, on one thread.
  struct Job {
    Job(Correlate& g, i64 line_job, i64 output_job) : g(g), patch(g.patch_) {
      first = line_job * g.lines_per_job_;
      lines = smaller(g.lines_per_job_, g.lines_ - first);
      const i64 all = g.p_.groups * g.blocks_;
      begin = all * output_job / g.output_jobs_;
      end = all * (output_job + 1) / g.output_jobs_;
      pixels = lines * g.p_.axis[2].out;
      const i64 tables = lines + 2 * (pixels + tile_rows) + g.run_.rows + g.cut_;
      memory = static_cast<char*>(
          g.context_.allocate(i64(sizeof(i64)) * tables + i64(sizeof(T)) * patch.size(lines) + 64));
      if (!memory) return;
      base = reinterpret_cast<i64*>(memory);
      ioff = base + lines;
      yoff = ioff + pixels + tile_rows;
      roff = yoff + pixels + tile_rows;
      const std::uintptr_t behind = reinterpret_cast<std::uintptr_t>(roff + g.run_.rows + g.cut_);
      copy = reinterpret_cast<T*>((behind + 63) & ~std::uintptr_t(63));
    }

    void run() {
      const T* x = patch.prepare(first, lines, 0, copy, base);
      fill_offsets();
      // Weights that stay near are walked for each strip of pixels, so that y is written once, as
      // it lies; others are walked once.
      const i64 bytes = (end - begin) * g.block_size_ * i64(sizeof(T));
      const i64 few = strip_pixels * divide_up(strip_blocks, end - begin);
      const i64 strip = bytes <= near_bytes ? few : pixels;
      for (i64 i = 0; i < pixels; i += strip) {
        const i64 last = smaller(i + strip, pixels);
        Ahead ahead = behind(x, last, strip);
        const i64 runs = divide_up(last - i, tile_rows) * g.cut_;
        const i64 fetches = divide_up(ahead.lines(), larger(1, (end - begin) * runs));
        for (i64 k = begin; k < end; ++k)
          if (g.width_ == 3 * lanes)
            outputs<3>(x, k, i, last, ahead, fetches);
          else
            outputs<tile_vectors>(x, k, i, last, ahead, fetches);
      }
    }

    // A strip of x behind pixel `last`, where one tap reads x as it lies, and x is too large to be
    // in a cache. Short pixels are one stream, and the processor runs ahead itself.
    Ahead behind(const T* x, i64 last, i64 strip) const {
      const i64 step = g.p_.axis[2].step * patch.column(), bytes = step * i64(sizeof(T));
      const bool far = bytes * g.lines_ * g.p_.axis[2].out >= far_bytes && bytes > short_bytes;
      return {x + ioff[smaller(last, pixels - 1)] + roff[0], g.run_.length, step,
              g.taps_ == 1 && patch.inside() && far ? smaller(strip, pixels - last) : 0};
    }

    void fill_offsets() {
      const Axis* axis = g.p_.axis;
      const i64 columns = axis[2].out, step = axis[2].step * patch.column(), y_step = axis[2].y;
      i64 i = 0;
      for (i64 k = 0; k < lines; ++k) {
        const i64 line = first + k, h = line % axis[1].out, nd = line / axis[1].out;
        const i64 d = nd % axis[0].out, n = nd / axis[0].out;
        i64 y = n * g.p_.y_image + d * axis[0].y + h * axis[1].y, x = base[k];
        for (i64 q = 0; q < columns; ++q, ++i) {
          ioff[i] = x;
          yoff[i] = y;
          x += step, y += y_step;
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
      for (i64 r = 1; r < g.cut_; ++r) *to++ = roff[0] + r * (g.run_.length / g.cut_);
    }

    // One block of outputs for pixels i .. last - 1.
    template <int most>
    void outputs(const T* x, i64 k, i64 i, i64 last, Ahead& ahead, i64 fetches) {
      const Correlation<T>& p = g.p_;
      constexpr i64 width = most * lanes;
      const i64 group = k / g.blocks_, o = (k % g.blocks_) * width;
      const i64 count = smaller(width, p.out_channels - o), vectors = (count + lanes - 1) / lanes;
      T* y = p.y + group * p.out_channels + o;
      T bias[width];
      for (i64 j = 0; j < count; j += lanes)
        store(bias + j,
              p.b ? load_part(p.b + group * p.out_channels + o + j, count - j) : Vec<T>{});
      Product<T> product{last - i,
                         x + group * p.in_channels,
                         ioff + i,
                         roff,
                         fetches ? g.cut_ : g.run_.rows,
                         fetches ? g.run_.length / g.cut_ : g.run_.length,
                         1,
                         g.packed_ + k * g.block_size_,
                         width,
                         bias,
                         y,
                         yoff + i,
                         p.relu,
                         &ahead,
                         0,
                         fetches};
      if (count == vectors * lanes) return sum<most>(vectors, product);
      // The last vector would reach over the last channel.
      constexpr i64 rows = most == 3 ? rows_of_three : tile_rows;
      T sums[rows * width];
      i64 sum_offsets[rows];
      for (i64 m = 0; m < rows; ++m) sum_offsets[m] = m * width;
      product.rows = rows;
      product.out = sums;
      product.ooff = sum_offsets;
      for (; i < last; i += rows) {
        product.ioff = ioff + i;
        sum<most>(vectors, product);
        for (i64 m = 0; m < smaller(rows, last - i); ++m)
          for (i64 j = 0; j < count; j += lanes)
            store_part(y + yoff[i + m] + j, load(sums + m * width + j), count - j);
      }
    }

    template <int most>
    static void sum(i64 vectors, const Product<T>& product) {
      if constexpr (most == tile_vectors)
        tile<T, most * lanes>(vectors, product);
      else  // there are only whole ones
        tile<T, rows_of_three, most, most * lanes>(product);
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
  i64 taps_, cut_ = 1;  // parts of a run, between which x is asked for ahead of time
  i64 width_, blocks_, block_size_, lines_, lines_per_job_, line_jobs_, output_jobs_;
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
