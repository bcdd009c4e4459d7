// grad_weight through the register tile (docs/maths.md, 4):
//
//   gw[o, (t, u, v, c)] = sum over lines and columns q of gy[line, q, o] x[line, q s + (t, u, v),
//   c]
//
// In the tile, i runs over (t, u, v, c), r over output lines, l over output columns, and b is gy
// as it lies in memory.
#include "patch.hpp"
#include "table.hpp"
#include "tile.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 patch_bytes = 160 << 10;  // a part of the second cache level
constexpr i64 block_pixels = 384;       // of one block of lines: their stripes of gy stay in L1
constexpr i64 partial_bytes = 1 << 20;  // of all partial sums together
constexpr i64 most_partials = 16;
constexpr i64 jobs_per_thread = 4;
constexpr i64 unit_tiles = 16;

// The sums over pixels. A small gw is summed in a fixed number of partial sums over ranges of
// lines, which are then added in order; a large one in one pass for each range of its elements.
// The number of threads has no part in either, so it changes no bit.
template <class T>
class GradWeight {
 public:
  GradWeight(const WeightGradient<T>& p, const Context& context)
      : p_(p), context_(context), patch_(p.x, p.x_image, p.axis, p.groups * p.in_channels) {
    blocks_ = (p.out_channels + width - 1) / width;
    run_ = p.axis[0].taps * p.axis[1].taps * p.axis[2].taps * p.in_channels;
    chunks_ = (run_ + chunk - 1) / chunk;
    lines_ = p.images * p.axis[0].out * p.axis[1].out;
    choose_lines_per_block();
    size_ = p.groups * blocks_ * run_ * width;
    partials_ = smaller(most_partials, larger(1, partial_bytes / i64(size_ * sizeof(T))));
    partials_ = larger(1, smaller(partials_, lines_ / lines_per_block_));
    const i64 wanted = jobs_per_thread * context.threads;
    units_ = p.groups * blocks_ * chunks_;
    ranges_ = smaller(units_, larger(1, wanted / partials_));
  }

  bool run() {
    sums_ = static_cast<T*>(context_.allocate(sizeof(T) * size_ * partials_));
    if (!sums_) return false;
    context_.parallel(partials_ * ranges_, work, this);
    if (!failed_) context_.parallel(p_.groups * blocks_, collect, this);
    context_.release(sums_);
    return !failed_;
  }

 private:
  static constexpr i64 width = tile_width<T>;
  static constexpr i64 chunk = unit_tiles * tile_rows;

  void choose_lines_per_block() {
    const i64 columns = p_.axis[2].out;
    lines_per_block_ = patch_.lines_within(patch_bytes);
    if (lines_per_block_ == p_.axis[1].out)  // small images: several of them
      lines_per_block_ *= larger(1, block_pixels / (lines_per_block_ * columns));
    lines_per_block_ = larger(1, smaller(lines_per_block_, block_pixels / columns));
    lines_per_block_ = smaller(lines_per_block_, lines_);
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<GradWeight*>(self);
    Job job(g, k / g.ranges_, k % g.ranges_);
    if (!job.memory) {
      g.failed_ = true;
      return;
    }
    job.run();
    g.context_.release(job.memory);
  }

  // The sums of one block of outputs: [t, u, v, c][width].
  T* sums(i64 partial, i64 block) const {
    return sums_ + (partial * p_.groups * blocks_ + block) * run_ * width;
  }

  // Add the partial sums of one block of outputs in order and put them into gw.
  static void collect(void* self, i64 k) {
    auto& g = *static_cast<GradWeight*>(self);
    const WeightGradient<T>& p = g.p_;
    const i64 first = (k % g.blocks_) * width;
    const i64 count = smaller(width, p.out_channels - first);
    T* gw = p.gw + (k / g.blocks_) * p.gw_group + first * p.gw_out;
    for (i64 c = 0; c < p.in_channels; ++c) {
      i64 i = c;
      for (i64 t = 0; t < p.axis[0].taps; ++t)
        for (i64 u = 0; u < p.axis[1].taps; ++u)
          for (i64 v = 0; v < p.axis[2].taps; ++v, i += p.in_channels) {
            T* to =
                gw + c * p.gw_in + p.axis[0].weight[t] + p.axis[1].weight[u] + p.axis[2].weight[v];
            for (i64 o = 0; o < count; ++o) {
              T sum = T(0);
              for (i64 q = 0; q < g.partials_; ++q) sum += g.sums(q, k)[i * width + o];
              to[o * p.gw_out] = sum;
            }
          }
    }
  }

  // A range of lines and a range of units (block of outputs, chunk of the run), on one thread.
  struct Job {
    Job(GradWeight& g, i64 partial, i64 range) : g(g), patch(g.patch_), partial(partial) {
      first = g.lines_ * partial / g.partials_;
      last = g.lines_ * (partial + 1) / g.partials_;
      begin = g.units_ * range / g.ranges_;
      end = g.units_ * (range + 1) / g.ranges_;
      columns = g.p_.axis[2].out;
      const i64 lines = g.lines_per_block_;
      const i64 stripe = lines * columns * width;
      memory =
          static_cast<char*>(g.context_.allocate(sizeof(i64) * (lines + g.run_ + tile_rows) +
                                                 sizeof(T) * (stripe + patch.size(lines)) + 128));
      if (!memory) return;
      base = reinterpret_cast<i64*>(memory);
      ioff = base + lines;
      const std::uintptr_t behind = reinterpret_cast<std::uintptr_t>(ioff + g.run_ + tile_rows);
      tail = reinterpret_cast<T*>((behind + 63) & ~std::uintptr_t(63));
      copy = tail + stripe;
    }

    void run() {
      for (i64 unit = begin; unit < end; ++unit) {
        T* sums = g.sums(partial, unit / g.chunks_) + (unit % g.chunks_) * chunk * width;
        const i64 many = smaller(chunk, g.run_ - (unit % g.chunks_) * chunk);
        for (i64 e = 0; e < many * width; ++e) sums[e] = T(0);
      }
      for (i64 line = first; line < last; line += g.lines_per_block_)
        add_block(line, smaller(g.lines_per_block_, last - line));
    }

    // Where each element (t, u, v, c) of the run lies, relative to a column of a line.
    void fill_run() {
      const WeightGradient<T>& p = g.p_;
      i64* to = ioff;
      for (i64 t = 0; t < p.axis[0].taps; ++t)
        for (i64 u = 0; u < p.axis[1].taps; ++u)
          for (i64 v = 0; v < p.axis[2].taps; ++v)
            for (i64 c = 0; c < p.in_channels; ++c) *to++ = patch.tap(t, u, v) + c;
      for (int i = 0; i < tile_rows; ++i) to[i] = to[-1];
    }

    // Add one block of lines to the sums of all units.
    void add_block(i64 line, i64 lines) {
      const WeightGradient<T>& p = g.p_;
      const T* x = patch.prepare(line, lines, copy, base);
      fill_run();
      i64 tailed = -1;  // the block of outputs that `tail` holds
      for (i64 unit = begin; unit < end; ++unit) {
        const i64 block = unit / g.chunks_, i = (unit % g.chunks_) * chunk;
        const i64 group = block / g.blocks_, o = (block % g.blocks_) * width;
        const i64 all = p.groups * p.out_channels;
        const i64 count = smaller(width, p.out_channels - o);
        const T* b = p.gy + line * columns * all + group * p.out_channels + o;
        if (count < width && tailed != block) {
          copy_tail(b, lines * columns, all, count);
          tailed = block;
        }
        const T* a = x + group * p.in_channels;
        T* sums = g.sums(partial, block) + i * width;
        const i64 many = smaller(chunk, g.run_ - i);
        if (count == width)
          add<tile_vectors>(a, ioff + i, many, lines, b, all, sums);
        else if (tile_vectors == 4 && count > 3 * Simd<T>::lanes)
          add<4>(a, ioff + i, many, lines, tail, width, sums);
        else if (tile_vectors == 4 && count > 2 * Simd<T>::lanes)
          add<3>(a, ioff + i, many, lines, tail, width, sums);
        else if (count > Simd<T>::lanes)
          add<2>(a, ioff + i, many, lines, tail, width, sums);
        else
          add<1>(a, ioff + i, many, lines, tail, width, sums);
      }
    }

    // gy of a block of outputs that is not full, with zeros behind.
    void copy_tail(const T* gy, i64 pixels, i64 all, i64 count) {
      for (i64 q = 0; q < pixels; ++q) {
        T* to = tail + q * width;
        for (i64 o = 0; o < count; ++o) to[o] = gy[q * all + o];
        for (i64 o = count; o < width; ++o) to[o] = T(0);
      }
    }

    template <int NV>
    void add(const T* a, const i64* offsets, i64 many, i64 lines, const T* b, i64 bl, T* sums) {
      constexpr i64 lanes = Simd<T>::lanes;
      const i64 al = g.p_.axis[2].step * patch.column();
      T products[tile_rows][NV * lanes];
      const T zeros[NV * lanes] = {};
      i64 poff[tile_rows];
      for (i64 i = 0; i < tile_rows; ++i) poff[i] = i * NV * lanes;
      for (i64 i = 0; i < many; i += tile_rows) {
        tile<T, tile_rows, NV>({a, offsets + i, base, lines, columns, al, b, bl, zeros, no_offsets,
                                products[0], poff, false});
        for (i64 m = 0; m < smaller(tile_rows, many - i); ++m)
#pragma GCC unroll 4
          for (i64 j = 0; j < NV * lanes; j += lanes)
            store(sums + (i + m) * width + j,
                  load(sums + (i + m) * width + j) + load(products[m] + j));
      }
    }

    GradWeight& g;
    Patch<T> patch;
    i64 partial, first, last, begin, end, columns;
    char* memory;
    i64 *base, *ioff;
    T *tail, *copy;
  };

  const WeightGradient<T>& p_;
  const Context& context_;
  Patch<T> patch_;
  i64 blocks_, run_, chunks_, lines_, lines_per_block_, size_, partials_, units_, ranges_;
  T* sums_ = nullptr;
  bool failed_ = false;
};

}  // namespace

template <class T>
bool grad_weight_directly(const WeightGradient<T>& p, const Context& context) {
  return GradWeight<T>(p, context).run();
}

PELLUCID_INSTANTIATE(grad_weight_directly, WeightGradient)

}  // namespace pellucid::PELLUCID_ISA
