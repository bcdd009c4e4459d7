// forward and grad_input through the register tile
// (docs/maths.md, 1, 4 and 7). A grad_input comes here as one correlation for each phase.
//
//   i: output pixels    r: kernel rows    l: the run (v, c)    b: packed weights
#include "patch.hpp"
#include "table.hpp"
#include "tile.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 patch_bytes = 160 << 10;  // a part of the second cache level
constexpr i64 most_pixels = 1024;       // of one block of lines
constexpr i64 jobs_per_thread = 4;

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

// Weights as the tile reads them: [group][block of outputs][r][l][width], zeros past the last one.
template <class T>
void pack_block(const Correlation<T>& p, i64 group, i64 block, T* to) {
  const i64 width = tile_width<T>, first = block * width;
  const i64 count = smaller(width, p.out_channels - first);
  const T* w = p.w + group * p.w_group + first * p.w_out;
  // Channels outermost: then w is read in as many forward streams as there are outputs.
  for (i64 c = 0; c < p.in_channels; ++c) {
    T* row = to + c * width;
    for (i64 t = 0; t < p.axis[0].taps; ++t)
      for (i64 u = 0; u < p.axis[1].taps; ++u)
        for (i64 v = 0; v < p.axis[2].taps; ++v, row += p.in_channels * width) {
          const T* tap =
              w + c * p.w_in + p.axis[0].weight[t] + p.axis[1].weight[u] + p.axis[2].weight[v];
          for (i64 o = 0; o < count; ++o) row[o] = tap[o * p.w_out];
          for (i64 o = count; o < width; ++o) row[o] = T(0);
        }
  }
}

template <class T>
class Correlate {
 public:
  Correlate(const Correlation<T>& p, const Context& context)
      : p_(p), context_(context), patch_(p.x, p.x_image, p.axis, p.groups * p.in_channels) {
    run_ = run_of(p, patch_.column());
    blocks_ = (p.out_channels + tile_width<T> - 1) / tile_width<T>;
    lines_ = p.images * p.axis[0].out * p.axis[1].out;
    const i64 columns = p.axis[2].out;
    lines_per_job_ = patch_.lines_within(patch_bytes);
    if (lines_per_job_ == p.axis[1].out)  // small images: several of them
      lines_per_job_ *= larger(1, (most_pixels / 2) / (lines_per_job_ * columns));
    lines_per_job_ = larger(1, smaller(lines_per_job_, most_pixels / columns));
    lines_per_job_ = smaller(lines_per_job_, lines_);
    line_jobs_ = (lines_ + lines_per_job_ - 1) / lines_per_job_;
    const i64 wanted = jobs_per_thread * context.threads;
    const i64 all = p.groups * blocks_;
    output_jobs_ = smaller(all, larger(1, wanted / line_jobs_));
  }

  bool run() {
    const i64 block = run_.rows * run_.length * tile_width<T>;
    packed_ = static_cast<T*>(context_.allocate(sizeof(T) * (block * p_.groups * blocks_) + 64));
    if (!packed_) return false;
    context_.parallel(p_.groups * blocks_, pack, this);
    context_.parallel(line_jobs_ * output_jobs_, work, this);
    context_.release(packed_);
    return !failed_;
  }

 private:
  static void pack(void* self, i64 k) {
    auto& c = *static_cast<Correlate*>(self);
    const i64 block = c.run_.rows * c.run_.length * tile_width<T>;
    pack_block(c.p_, k / c.blocks_, k % c.blocks_, c.packed_ + k * block);
  }

  static void work(void* self, i64 k) {
    auto& c = *static_cast<Correlate*>(self);
    Correlate::Job job(c, k / c.output_jobs_, k % c.output_jobs_);
    if (!job.memory) {
      c.failed_ = true;
      return;
    }
    job.run();
    c.context_.release(job.memory);
  }

  // A block of lines and a range of output blocks, on one thread.
  struct Job {
    Job(Correlate& c, i64 line_job, i64 output_job) : c(c), patch(c.patch_) {
      first = line_job * c.lines_per_job_;
      lines = smaller(c.lines_per_job_, c.lines_ - first);
      const i64 all = c.p_.groups * c.blocks_;
      begin = all * output_job / c.output_jobs_;
      end = all * (output_job + 1) / c.output_jobs_;
      columns = c.p_.axis[2].out;
      pixels = lines * columns;
      const i64 tables = lines + 2 * (pixels + tile_rows) + c.run_.rows;
      const i64 copy = patch.size(lines);
      memory =
          static_cast<char*>(c.context_.allocate(sizeof(i64) * tables + sizeof(T) * copy + 128));
      if (!memory) return;
      base = reinterpret_cast<i64*>(memory);
      ioff = base + lines;
      yoff = ioff + pixels + tile_rows;
      roff = yoff + pixels + tile_rows;
      const std::uintptr_t behind = reinterpret_cast<std::uintptr_t>(roff + c.run_.rows);
      from = reinterpret_cast<T*>((behind + 63) & ~std::uintptr_t(63));
    }

    void run() {
      const Correlation<T>& p = c.p_;
      const T* x = patch.prepare(first, lines, from, base);
      for (i64 k = 0, i = 0; k < lines; ++k) {
        const i64 line = first + k, h = line % p.axis[1].out, nd = line / p.axis[1].out;
        const i64 d = nd % p.axis[0].out, n = nd / p.axis[0].out;
        const i64 y = n * p.y_image + d * p.axis[0].y + h * p.axis[1].y;
        for (i64 q = 0; q < columns; ++q, ++i) {
          ioff[i] = base[k] + q * p.axis[2].step * patch.column();
          yoff[i] = y + q * p.axis[2].y;
        }
      }
      for (i64 i = pixels; i < pixels + tile_rows; ++i) ioff[i] = ioff[pixels - 1];
      fill_taps();
      const i64 block = c.run_.rows * c.run_.length * tile_width<T>;
      for (i64 k = begin; k < end; ++k) {
        const i64 group = k / c.blocks_, o = (k % c.blocks_) * tile_width<T>;
        const T* a = x + group * p.in_channels;
        const i64 count = smaller(tile_width<T>, p.out_channels - o);
        if (tile_vectors == 4 && count > 3 * Simd<T>::lanes)
          outputs<tile_rows, 4>(a, c.packed_ + k * block, group * p.out_channels + o, count);
        else if (tile_vectors == 4 && count > 2 * Simd<T>::lanes)
          outputs<tile_rows, 3>(a, c.packed_ + k * block, group * p.out_channels + o, count);
        else if (count > Simd<T>::lanes)
          outputs<tile_rows, 2>(a, c.packed_ + k * block, group * p.out_channels + o, count);
        else
          outputs<tile_rows, 1>(a, c.packed_ + k * block, group * p.out_channels + o, count);
      }
    }

    void fill_taps() {
      const Axis* axis = c.p_.axis;
      i64* to = roff;
      for (i64 t = 0; t < axis[0].taps; ++t)
        for (i64 u = 0; u < axis[1].taps; ++u)
          for (i64 v = 0; v < (c.run_.merged ? 1 : axis[2].taps); ++v) *to++ = patch.tap(t, u, v);
    }

    // One block of outputs for all pixels of the job.
    template <int MR, int NV>
    void outputs(const T* a, const T* b, i64 o, i64 count) {
      constexpr i64 lanes = Simd<T>::lanes;
      T bias[NV * lanes], sums[MR][NV * lanes];
      const T zeros[NV * lanes] = {};
      i64 soff[MR];
      for (i64 i = 0; i < MR; ++i) soff[i] = i * NV * lanes;
      for (i64 j = 0; j < NV * lanes; ++j) bias[j] = c.p_.b && j < count ? c.p_.b[o + j] : T(0);
      for (i64 i = 0; i < pixels; i += MR) {
        tile<T, MR, NV>({a, ioff + i, roff, c.run_.rows, c.run_.length, 1, b, tile_width<T>, zeros,
                         no_offsets, sums[0], soff, false});
        for (i64 m = 0; m < smaller(MR, pixels - i); ++m)
          finish<NV>(sums[m], bias, c.p_.y + yoff[i + m] + o, count);
      }
    }

    // Add the bias, apply the ReLU, and store one pixel of a block of outputs.
    template <int NV>
    PELLUCID_INLINE void finish(const T* sums, const T* bias, T* y, i64 count) {
      constexpr i64 lanes = Simd<T>::lanes;
#pragma GCC unroll 4
      for (i64 j = 0; j < NV * lanes; j += lanes) {
        Vec<T> out = load(sums + j) + load(bias + j);
        if (c.p_.relu) out = relu<T>(out);
        store_part(y + j, out, count - j);
      }
    }

    Correlate& c;
    Patch<T> patch;
    i64 first, lines, begin, end, columns, pixels;
    char* memory;
    i64 *base, *ioff, *yoff, *roff;
    T* from;
  };

  const Correlation<T>& p_;
  const Context& context_;
  Patch<T> patch_;
  Run run_;
  i64 blocks_, lines_, lines_per_job_, line_jobs_, output_jobs_;
  T* packed_ = nullptr;
  bool failed_ = false;
};

}  // namespace

template <class T>
bool correlate_directly(const Correlation<T>& p, const Context& context) {
  return Correlate<T>(p, context).run();
}

PELLUCID_INSTANTIATE(correlate_directly, Correlation)

}  // namespace pellucid::PELLUCID_ISA
