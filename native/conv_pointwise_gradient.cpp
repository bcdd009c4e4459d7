// grad_weight of 1x1 convolutions without padding, a product of two matrices whose inner axis are
// the output pixels (docs/maths.md, 4):
//
//   gw[o, c] = sum over pixels p of gy[p, o] x[p s, c]
//
// In the tile, i runs over o, l over pixels, and b is x, so that its vectors are those of gw: sums
// are added where they stay. A job has a range of pixels, a chunk of outputs and a chunk of
// channels. It walks its pixels block by block and lays both in stripes, [block of channels][pixel]
// [channels of a block]: in memory they lie as far apart as a pixel is long.
#include "even_tiles.hpp"
#include "jobs.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 most_pixels = 256, stripe_bytes = 24 << 10;  // of a stripe of x, in the first cache
constexpr i64 most_side = 512, most_sums = 128 << 10, least_sums = 64 << 10;  // of a chunk of gw
constexpr i64 wanted_jobs = 16;
constexpr i64 partial_bytes = 4 << 20;  // of the partial sums of one chunk

template <class T>
class PointwiseGradient {
 public:
  PointwiseGradient(const WeightGradient<T>& p, const Context& context) : p_(p), context_(context) {
    const i64 C = p.in_channels, O = p.out_channels;
    pixels_ = p.images * p.axis[0].out * p.axis[1].out * p.axis[2].out;
    i64 sums = larger(least_sums, smaller(most_sums, p.groups * C * O / wanted_jobs));
    in_chunk_ = chunk(C, most_side, width);
    out_chunk_ = chunk(O, larger(tile_rows, smaller(most_side, sums / in_chunk_)), tile_rows);
    in_chunks_ = (C + in_chunk_ - 1) / in_chunk_;
    out_chunks_ = (O + out_chunk_ - 1) / out_chunk_;
    units_ = p.groups * in_chunks_ * out_chunks_;
    block_ = smaller(most_pixels, stripe_bytes / (width * i64(sizeof(T))));
    sum_size_ = out_chunk_ * in_chunk_;
    partials_ = smaller(wanted_jobs / units_, partial_bytes / (sum_size_ * i64(sizeof(T))));
    partials_ = larger(1, smaller(partials_, pixels_ / block_));
    const Axis *axis = p.axis, &high = axis[1], &wide = axis[2];
    dense_ = wide.step == 1 && high.step == 1 && high.x == wide.out * wide.x &&
             (axis[0].out == 1 || axis[0].x == high.out * high.x) &&
             (p.images == 1 || p.x_image == axis[0].out * high.out * high.x);
    far_ = i64(sizeof(T)) * pixels_ * p.groups * (C + O) >= far_bytes;
  }

  bool run() {
    const i64 size = partials_ > 1 ? partials_ * units_ * sum_size_ : 1;
    sums_ = static_cast<T*>(context_.allocate(i64(sizeof(T)) * size));
    if (!sums_) return false;
    context_.parallel(partials_ * units_, work, this);
    if (partials_ > 1 && !failed_) context_.parallel(units_ * slices, collect, this);
    context_.release(sums_);
    return !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;
  static constexpr i64 width = tile_width<T>;
  static constexpr i64 line = 64 / i64(sizeof(T));  // of a cache
  static constexpr i64 slices = 4;  // of the outputs of a unit, when partial sums are added

  i64 group(i64 unit) const { return unit / (in_chunks_ * out_chunks_); }
  i64 in(i64 unit) const { return unit / out_chunks_ % in_chunks_ * in_chunk_; }
  i64 out(i64 unit) const { return unit % out_chunks_ * out_chunk_; }
  i64 channels(i64 unit) const { return smaller(in_chunk_, p_.in_channels - in(unit)); }
  i64 outputs(i64 unit) const { return smaller(out_chunk_, p_.out_channels - out(unit)); }
  T* gw(i64 unit) const {
    return p_.gw + group(unit) * p_.gw_group + out(unit) * p_.gw_out + in(unit);
  }
  // The sums of a unit: [output][channel].
  T* sums(i64 partial, i64 unit) const { return sums_ + (partial * units_ + unit) * sum_size_; }

  static void collect(void* self, i64 k) {
    auto& g = *static_cast<PointwiseGradient*>(self);
    const i64 unit = k / slices, slice = k % slices, outputs = g.outputs(unit);
    g.finish(g.sums(0, unit), unit, outputs * slice / slices, outputs * (slice + 1) / slices);
  }

  // Put some outputs of a unit into gw, partial sums added in order.
  void finish(const T* sums, i64 unit, i64 begin, i64 end) const {
    for (i64 o = begin; o < end; ++o)
      for (i64 c = 0; c < channels(unit); c += lanes) {
        const T* from = sums + o * in_chunk_ + c;
        Vec<T> sum = load(from);
        for (i64 q = 1; q < partials_; ++q) sum += load(from + q * units_ * sum_size_);
        store_part(gw(unit) + o * p_.gw_out + c, sum, channels(unit) - c);
      }
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<PointwiseGradient*>(self);
    Job job(g, k / g.units_, k % g.units_);
    if (!job.memory) {
      g.failed_.raise();
      return;
    }
    job.run();
    g.context_.release(job.memory);
  }

  // A range of pixels for one unit, on one thread.
  struct Job {
    Job(PointwiseGradient& g, i64 partial, i64 unit)
        : g(g),
          unit(unit),
          first(g.pixels_ * partial / g.partials_),
          last(g.pixels_ * (partial + 1) / g.partials_),
          block(chunk(last - first, g.block_, 1)),
          outputs(g.outputs(unit)),
          channels(g.channels(unit)),
          in_place(g.partials_ == 1 && channels % lanes == 0) {
      const i64 rows = outputs + spare_rows, own = g.partials_ > 1 || in_place ? 0 : g.sum_size_;
      const i64 gy_size = filled(outputs, line) * block;
      const i64 x_size = filled(channels, width) * block;
      memory = static_cast<char*>(g.context_.allocate(
          i64(sizeof(i64)) * 2 * rows + i64(sizeof(T)) * (gy_size + x_size + own) + 64));
      if (!memory) return;
      ioff = reinterpret_cast<i64*>(memory);
      ooff = ioff + rows;
      const std::uintptr_t behind = reinterpret_cast<std::uintptr_t>(ooff + rows);
      gy = reinterpret_cast<T*>((behind + 63) & ~std::uintptr_t(63));
      x = gy + gy_size;
      sums = in_place ? g.gw(unit) : g.partials_ > 1 ? g.sums(partial, unit) : x + x_size;
      step = in_place ? g.p_.gw_out : g.in_chunk_;
    }

    void run() {
      for (i64 pixel = first; pixel < last; pixel += block)
        add_block(pixel, smaller(block, last - pixel));
      if (g.partials_ == 1 && !in_place) g.finish(sums, unit, 0, outputs);
    }

    void add_block(i64 pixel, i64 pixels) {
      lay<line>(gy_at(pixel), gy_step(), pixels, outputs, pixels, gy);
      lay_x(pixel, pixels);
      for (i64 o = 0; o < outputs + spare_rows; ++o) {
        const i64 row = smaller(o, outputs - 1);
        ioff[o] = row / line * line * pixels + row % line;
        ooff[o] = row * step;
      }
      const T zeros[width] = {};
      const i64 roff = 0, behind = pixel + pixels;
      const i64 more = g.far_ ? smaller(pixels, last - behind) : 0;  // of the next block
      Ahead next_gy(gy_at(behind), outputs, gy_step(), more);
      Ahead next_x(x_at(behind), channels, g.p_.axis[2].x, g.dense_ ? more : 0);
      const i64 tiles = tiles_of<T>(outputs, channels);
      const i64 fetches = divide_up(next_gy.lines() + next_x.lines(), tiles);
      for (i64 c = 0; c < channels; c += width) {
        const i64 vectors = (smaller(width, channels - c) + lanes - 1) / lanes;
        tile_evenly<T>(vectors, {outputs, gy, ioff, &roff, 1, pixels, line, x + c * pixels, width,
                                 pixel == first ? zeros : nullptr, sums + c, ooff, T(0),
                                 next_gy.lines() ? &next_gy : &next_x, fetches});
      }
    }

    i64 gy_step() const { return g.p_.groups * g.p_.out_channels; }
    const T* gy_at(i64 pixel) const {
      return g.p_.gy + pixel * gy_step() + g.group(unit) * g.p_.out_channels + g.out(unit);
    }
    const T* x_at(i64 pixel) const {
      const WeightGradient<T>& p = g.p_;
      const Axis* axis = p.axis;
      const i64 w = pixel % axis[2].out, row = pixel / axis[2].out;
      const i64 h = row % axis[1].out, nd = row / axis[1].out;
      const i64 d = nd % axis[0].out, n = nd / axis[0].out;
      return p.x + n * p.x_image + d * axis[0].step * axis[0].x + h * axis[1].step * axis[1].x +
             w * axis[2].step * axis[2].x + g.group(unit) * p.in_channels + g.in(unit);
    }

    // x of a block, one row of output pixels after the other.
    void lay_x(i64 pixel, i64 pixels) {
      const Axis& wide = g.p_.axis[2];
      for (i64 done = 0, many = 0; done < pixels; done += many) {
        many = smaller(wide.out - (pixel + done) % wide.out, pixels - done);
        lay<width>(x_at(pixel + done), wide.step * wide.x, many, channels, pixels,
                   x + done * width);
      }
    }

    // Some pixels, `step` apart, into stripes of `size` channels for `pixels` pixels; zeros behind
    // the last channel.
    template <i64 size>
    static void lay(const T* from, i64 step, i64 count, i64 channels, i64 pixels, T* to) {
      constexpr i64 near = 8;  // pixels, that are read together
      for (i64 q = 0; q < count; q += near, from += near * step, to += near * size) {
        const i64 many = smaller(near, count - q);
        T* put = to;
        i64 c = 0;
        for (; c + size <= channels; c += size, put += size * pixels)
          for (i64 k = 0; k < many; ++k)
#pragma GCC unroll 4
            for (i64 e = 0; e < size; e += lanes)
              store(put + k * size + e, load(from + k * step + c + e));
        for (i64 k = 0; c < channels && k < many; ++k)
          for (i64 e = 0; e < size; e += lanes)
            store(put + k * size + e,
                  load_part(from + k * step + c + e, larger(0, channels - c - e)));
      }
    }

    PointwiseGradient& g;
    i64 unit, first, last, block, outputs, channels, step;
    bool in_place;  // the sums are gw itself
    char* memory;
    i64 *ioff, *ooff;
    T *gy, *x, *sums;
  };

  const WeightGradient<T>& p_;
  const Context& context_;
  i64 pixels_, in_chunk_, in_chunks_, out_chunk_, out_chunks_, units_, block_, sum_size_, partials_;
  bool dense_, far_;
  T* sums_ = nullptr;
  Flag failed_;
};

}  // namespace

template <class T>
bool grad_weight_pointwise(const WeightGradient<T>& p, const Context& context) {
  return PointwiseGradient<T>(p, context).run();
}

PELLUCID_INSTANTIATE(grad_weight_pointwise, WeightGradient)

}  // namespace pellucid::PELLUCID_ISA
