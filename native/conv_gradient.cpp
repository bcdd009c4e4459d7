// grad_weight through the register tile (docs/maths.md, 4):
//
//   gw[o, (t, u, v, c)] = sum over lines, columns q of gy[line, q, o] x[line, q s + (t, u, v), c]
//
// In the tile, i runs over (t, u, v, c), r over output lines, l over output columns, and b is gy.
// A job has a range of lines, a chunk of channels and a chunk of outputs, or those of a few thin
// groups. It walks its lines block by block, and puts the channels and the outputs that it needs of
// a block side by side: in memory they lie as far apart as a pixel is long.
#include "even_tiles.hpp"
#include "jobs.hpp"
#include "table.hpp"
#include "weights.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

// Pixels are added to the sums as many at a time as stay in the first cache, x and a stripe of gy.
constexpr i64 block_bytes = 32 << 10, least_pixels = 96, most_pixels = 384;
constexpr i64 patch_bytes = 256 << 10;
constexpr i64 sum_bytes = 256 << 10;  // of the sums of a job, a part of the second cache level
constexpr i64 most_inputs = 256, most_outputs = 128;
constexpr i64 near_channels = 64;  // pixels of so many lie near each other
constexpr i64 part_channels = 66;
constexpr i64 wanted_jobs = 16;
constexpr i64 partial_bytes = 4 << 20;  // of the partial sums of one chunk

// The sums over pixels. Where there are few jobs, lines are cut into a number of ranges that the
// spec determines, and their partial sums added in order: the number of threads changes no bit.
template <class T>
class GradWeight {
 public:
  GradWeight(const WeightGradient<T>& p, const Context& context) : p_(p), context_(context) {
    taps_ = p.axis[0].taps * p.axis[1].taps * p.axis[2].taps;
    out_chunk_ = chunk(p.out_channels, most_outputs, width);
    out_chunks_ = (p.out_channels + out_chunk_ - 1) / out_chunk_;
    const i64 fit = sum_bytes / i64(sizeof(T)) / (taps_ * out_chunk_);
    in_chunk_ = chunk(p.in_channels, smaller(most_inputs, larger(fit, lanes)), 1);
    in_chunks_ = (p.in_channels + in_chunk_ - 1) / in_chunk_;
    part_ = chunk(in_chunk_, part_channels, tile_rows);
    parts_ = (in_chunk_ + part_ - 1) / part_;
    run_ = taps_ * part_;
    together_ = groups_together();
    const i64 all = p.groups * p.out_channels, of_gy = all <= near_channels ? all : width;
    const i64 of_x = part_ * p.axis[1].step * p.axis[2].step;
    const i64 pixel = i64(sizeof(T)) * (of_gy + of_x);
    const i64 near = taps_ > 1 ? block_bytes / pixel : 0;  // one tap reads no pixel twice
    const i64 pixels = smaller(larger(near, least_pixels), most_pixels);
    columns_ = chunk(p.axis[2].out, pixels, 1);
    lines_ = p.images * p.axis[0].out * p.axis[1].out;
    units_ = p.groups / together_ * in_chunks_ * out_chunks_;
    const Patch<T> patch(patch_of(0, 0));
    lines_per_block_ = patch.lines_within(patch_bytes);
    if (lines_per_block_ == p.axis[1].out)  // small images: several of them
      lines_per_block_ *= patch.images_within(pixels, columns_);
    lines_per_block_ = larger(1, smaller(lines_per_block_, pixels / columns_));
    lines_per_block_ = smaller(lines_per_block_, lines_);
    partials_ = smaller(wanted_jobs / units_, partial_bytes / (unit_size() * i64(sizeof(T))));
    partials_ = larger(1, smaller(partials_, lines_ / lines_per_block_));
  }

  bool run() {
    const i64 size = partials_ > 1 ? partials_ * units_ * unit_size() : 1;
    sums_ = static_cast<T*>(context_.allocate(i64(sizeof(T)) * size));
    if (!sums_) return false;
    context_.parallel(partials_ * units_, work, this);
    if (partials_ > 1 && !failed_)
      context_.parallel(units_ * together_ * parts_ * slices, collect, this);
    context_.release(sums_);
    return !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;
  static constexpr i64 width = tile_width<T>;
  static constexpr i64 slices = 4;  // of the channels of a unit, when partial sums are added

  // How many groups share the cache lines of a pixel, in whole vectors of a tile.
  i64 groups_together() const {
    const i64 C = p_.in_channels, O = p_.out_channels, sums = i64(sizeof(T)) * sum_size();
    const i64 most = smaller(smaller(near_channels / C, most_outputs / O), sum_bytes / sums);
    i64 many = O % width == 0 || width % O == 0 ? larger(1, smaller(most, p_.groups)) : 1;
    while (p_.groups % many) --many;
    return many;
  }

  i64 sum_size() const { return parts_ * run_ * out_chunk_; }
  i64 unit_size() const { return together_ * sum_size(); }
  i64 group(i64 unit) const { return unit / (in_chunks_ * out_chunks_) * together_; }
  i64 in(i64 unit) const { return unit / out_chunks_ % in_chunks_ * in_chunk_; }
  i64 out(i64 unit) const { return unit % out_chunks_ * out_chunk_; }
  i64 channels(i64 unit) const { return smaller(in_chunk_, p_.in_channels - in(unit)); }
  i64 outputs(i64 unit) const { return smaller(out_chunk_, p_.out_channels - out(unit)); }
  i64 channels(i64 unit, i64 part) const { return smaller(part_, channels(unit) - part * part_); }
  // The sums of a unit: [group][part of its channels][block of outputs][t, u, v, c][width].
  T* sums(i64 partial, i64 unit) const { return sums_ + (partial * units_ + unit) * unit_size(); }

  Patch<T> patch_of(i64 unit, i64 part) const {
    const T* x = p_.x + group(unit) * p_.in_channels + in(unit) + part * part_;
    const bool apart = p_.axis[2].x > near_channels;
    return Patch<T>(x, p_.x_image, p_.axis, together_ * channels(unit, part), columns_, apart);
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<GradWeight*>(self);
    Job job(g, k / g.units_, k % g.units_);
    if (!job.memory) {
      g.failed_.raise();
      return;
    }
    job.run();
    g.context_.release(job.memory);
  }

  static void collect(void* self, i64 k) {
    auto& g = *static_cast<GradWeight*>(self);
    const i64 slice = k % slices, part = k / slices % g.parts_, whole = k / slices / g.parts_;
    const i64 member = whole % g.together_, unit = whole / g.together_;
    const i64 count = g.channels(unit, part);
    g.finish(g.sums(0, unit), unit, member, part, count * slice / slices,
             count * (slice + 1) / slices, g.partials_);
  }

  // Put channels begin .. end - 1 of a part of a member of a unit into gw, partial sums in order.
  void finish(const T* sums, i64 unit, i64 member, i64 part, i64 begin, i64 end, i64 partials) {
    const Axis* axis = p_.axis;
    const i64 together = smaller(end - begin, larger(1, 64 / taps_));
    auto* buffer =
        static_cast<Vec<T>*>(context_.allocate((together * taps_ + 1) * i64(sizeof(Vec<T>))));
    if (!buffer) {
      failed_.raise();
      return;
    }
    T* gw = p_.gw + (group(unit) + member) * p_.gw_group + (in(unit) + part * part_) * p_.gw_in +
            out(unit) * p_.gw_out;
    sums += member * sum_size() + part * run_ * out_chunk_;
    for (i64 o = 0; o < outputs(unit); o += lanes)
      for (i64 c = begin; c < end; c += together) {
        const i64 many = smaller(together, end - c);
        for (i64 k = 0; k < many; ++k) {
          const T* from = sums + o / width * run_ * width + (c + k) * width + o % width;
          Vec<T>* to = buffer + k * taps_;
          for (i64 t = 0; t < axis[0].taps; ++t)
            for (i64 u = 0; u < axis[1].taps; ++u)
              for (i64 v = 0; v < axis[2].taps; ++v, from += channels(unit, part) * width) {
                Vec<T> sum = load(from);
                for (i64 q = 1; q < partials; ++q) sum += load(from + q * units_ * unit_size());
                to[axis[0].weight[t] + axis[1].weight[u] + axis[2].weight[v]] = sum;
              }
        }
        store_rows<T>(buffer, many * taps_, gw + o * p_.gw_out + c * p_.gw_in, p_.gw_out,
                      outputs(unit) - o);
      }
    context_.release(buffer);
  }

  // A range of lines for one unit, on one thread.
  struct Job {
    Job(GradWeight& g, i64 partial, i64 unit) : g(g), unit(unit) {
      first = g.lines_ * partial / g.partials_;
      last = g.lines_ * (partial + 1) / g.partials_;
      const i64 lines = g.lines_per_block_, run = g.run_ + tile_rows;
      const i64 stripes = lines * g.columns_ * filled(g.together_ * g.out_chunk_, width);
      const i64 copies = g.patch_of(unit, 0).size(lines);
      const i64 own = g.partials_ > 1 ? 0 : g.unit_size();
      memory = static_cast<char*>(g.context_.allocate(
          i64(sizeof(i64)) * (lines + 2 * run) + i64(sizeof(T)) * (own + stripes + copies) + 64));
      if (!memory) return;
      base = reinterpret_cast<i64*>(memory);
      ioff = base + lines;
      ooff = ioff + run;
      const std::uintptr_t behind = reinterpret_cast<std::uintptr_t>(ooff + run);
      stripe = reinterpret_cast<T*>((behind + 63) & ~std::uintptr_t(63));
      copy = stripe + stripes;
      sums = g.partials_ > 1 ? g.sums(partial, unit) : copy + copies;
    }

    void run() {
      for (i64 line = first; line < last; line += g.lines_per_block_)
        for (i64 column = 0; column < g.p_.axis[2].out; column += g.columns_)
          add_block(line, smaller(g.lines_per_block_, last - line), column);
      for (i64 member = 0; member < g.together_ && g.partials_ == 1; ++member)
        for (i64 part = 0; part < g.parts_; ++part)
          g.finish(sums, unit, member, part, 0, g.channels(unit, part), 1);
    }

    // Add some lines, from a column on, to the sums.
    void add_block(i64 line, i64 lines, i64 column) {
      const WeightGradient<T>& p = g.p_;
      const i64 all = p.groups * p.out_channels, outputs = g.outputs(unit);
      const i64 columns = smaller(g.columns_, p.axis[2].out - column);
      const T* gy = p.gy + (line * p.axis[2].out + column) * all + g.group(unit) * p.out_channels +
                    g.out(unit);
      const i64 pixels = lines * columns;
      // The last vector of a pixel may reach into the next one, but not past the end.
      const i64 reach =
          (pixels - 1) * all + (g.together_ - 1) * outputs + (outputs + lanes - 1) / lanes * lanes;
      const bool in_place = all <= near_channels && (lines == 1 || columns == p.axis[2].out) &&
                            gy + reach <= p.gy + g.lines_ * p.axis[2].out * all;
      if (!in_place) gather(gy, lines, columns);
      const T zeros[width] = {};
      const bool begins = line == first && column == 0;
      Next next = behind(gy + pixels * all, line * p.axis[2].out + column + pixels, pixels);
      for (i64 part = 0; part < g.parts_ && part * g.part_ < g.channels(unit); ++part) {
        Patch<T> patch = g.patch_of(unit, part);
        const T* x = patch.prepare(line, lines, column, copy, base);
        const i64 run = fill_run(patch, g.channels(unit, part));
        for (i64 m = 0; m < g.together_; ++m)
          for (i64 o = 0; o < outputs; o += width) {
            const i64 vectors = (smaller(width, outputs - o) + lanes - 1) / lanes;
            const i64 at = m * outputs + o;
            const T* b = in_place ? gy + at : stripe + at / width * width * pixels + at % width;
            T* to = sums + m * g.sum_size() + part * g.run_ * g.out_chunk_ + o * g.run_;
            tile_evenly<T>(vectors, {run, x + m * p.in_channels, ioff, base, lines, columns,
                                     p.axis[2].step * patch.column(), b, in_place ? all : width,
                                     begins ? zeros : nullptr, to, ooff, T(0),
                                     next.gy.lines() ? &next.gy : &next.x, next.fetches});
          }
      }
    }

    struct Next {
      Ahead gy, x;
      i64 fetches;  // with each few rows of a tile
    };

    // What the next block, from pixel `at` on, reads of gy, and of x beside what this one does, if
    // arrays are too large to be in a cache.
    Next behind(const T* gy, i64 at, i64 pixels) const {
      const WeightGradient<T>& p = g.p_;
      const Axis &deep = p.axis[0], &high = p.axis[1], &wide = p.axis[2];
      const i64 all = g.lines_ * wide.out, outputs = g.together_ * g.outputs(unit);
      const i64 bytes = i64(sizeof(T)) * all * (p.in_channels + p.out_channels) * p.groups;
      const i64 rows = bytes >= far_bytes ? smaller(pixels, all - at) : 0;
      // Of several taps, pixels that share no cache line.
      const i64 steps = high.step * wide.step;
      const bool asks = g.taps_ > 1 ? wide.x * i64(sizeof(T)) >= 64 : steps == 1;
      const i64 line = at / wide.out, plane = line / high.out;
      const T* x = p.x + g.group(unit) * p.in_channels + g.in(unit) + plane / deep.out * p.x_image +
                   plane % deep.out * deep.step * deep.x + line % high.out * high.step * high.x +
                   at % wide.out * wide.step * wide.x;
      const Ahead next_gy(gy, outputs, p.groups * p.out_channels, rows);
      const Ahead next_x(x, g.together_ * g.channels(unit), wide.x, asks ? rows * steps : 0);
      const i64 tiles = g.together_ * tiles_of<T>(g.taps_ * g.channels(unit), g.outputs(unit));
      return {next_gy, next_x, divide_up(next_gy.lines() + next_x.lines(), tiles)};
    }

    // Where each element (t, u, v, c) of the run lies, relative to a column of a line, and where
    // its sums are; returns how many there are.
    i64 fill_run(const Patch<T>& patch, i64 channels) {
      const Axis* axis = g.p_.axis;
      i64 i = 0;
      for (i64 t = 0; t < axis[0].taps; ++t)
        for (i64 u = 0; u < axis[1].taps; ++u)
          for (i64 v = 0; v < axis[2].taps; ++v)
            for (i64 c = 0; c < channels; ++c, ++i) {
              ioff[i] = patch.tap(t, u, v) + c;
              ooff[i] = i * width;
            }
      for (i64 e = i; e < i + tile_rows; ++e) {  // rows past the last repeat it
        ioff[e] = ioff[i - 1];
        ooff[e] = ooff[i - 1];
      }
      return i;
    }

    // gy of a chunk of outputs, [block of outputs][pixel][width], zeros behind the last output.
    void gather(const T* gy, i64 lines, i64 columns) {
      const i64 all = g.p_.groups * g.p_.out_channels, outputs = g.together_ * g.outputs(unit);
      T* to = stripe;
      for (i64 k = 0; k < lines; ++k) {
        const T* from = gy + k * g.p_.axis[2].out * all;
        for (i64 q = 0; q < columns; ++q, from += all, to += width) {
          i64 o = 0;
          for (T* put = to; o < outputs; o += width, put += lines * columns * width)
            for (i64 e = 0; e < smaller(width, outputs - o); e += lanes)
              store(put + e, load_part(from + o + e, outputs - o - e));
        }
      }
    }

    GradWeight& g;
    i64 unit, first, last;
    char* memory;
    i64 *base, *ioff, *ooff;
    T *stripe, *copy, *sums;
  };

  const WeightGradient<T>& p_;
  const Context& context_;
  i64 taps_, in_chunk_, in_chunks_, part_, parts_, out_chunk_, out_chunks_, run_, columns_, lines_;
  i64 lines_per_block_, units_, partials_, together_ = 1;
  T* sums_ = nullptr;
  Flag failed_;
};

}  // namespace

template <class T>
bool grad_weight_directly(const WeightGradient<T>& p, const Context& context) {
  // Vectors run over x there, over gy here: those that are filled. Here, few of both are read in
  // place.
  const bool few = larger(p.in_channels, p.out_channels) * p.groups <= near_channels;
  bool pointwise =
      p.in_channels >= smaller(32, p.out_channels) && (!few || p.out_channels < Simd<T>::lanes);
  for (const Axis& axis : p.axis)
    pointwise =
        pointwise && axis.taps == 1 && axis.offset[0] == 0 && (axis.out - 1) * axis.step < axis.in;
  if (pointwise) return grad_weight_pointwise(p, context);
  return GradWeight<T>(p, context).run();
}

PELLUCID_INSTANTIATE(grad_weight_directly, WeightGradient)

}  // namespace pellucid::PELLUCID_ISA
