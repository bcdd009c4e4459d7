// grad_weight by Winograd's minimal filtering (docs/maths.md, 13). The tiles of x are those of the
// forward pass; gy takes the place of the weights: F(3x3, 4x4) for a 3x3 kernel.
//
//   V[p][tile][k] = (B^T x B),   W[p][tile][o] = (G gy G^T)          p: one of the 36 points
//   M[p][k][o]    = sum over tiles of V[p][tile][k] W[p][tile][o]    k: channels, parts
//   gw            = A^T M A
//
// A job has a range of tiles, a chunk of channels and a chunk of outputs, and makes its own V and W
// block by block, in its cache. Where there are many chunks, V and W of all tiles are made once for
// all jobs. The number of ranges is fixed by the spec, so that threads change no bit.
#include "even_tiles.hpp"
#include "jobs.hpp"
#include "patch.hpp"
#include "table.hpp"
#include "weights.hpp"
#include "winograd.hpp"
#include "winograd_tiles.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 block_tiles = 48;
constexpr i64 panel = 128;         // tiles added at a time
constexpr i64 most_channels = 64;  // of a chunk of k or o
constexpr i64 wanted_jobs = 16;
constexpr i64 partial_bytes = 4 << 20;  // of the partial sums of one pair of chunks
constexpr i64 most_shared = 64 << 20;   // bytes of V and W of all tiles
constexpr i64 many_chunks = 8;          // of k and o: with fewer, making them again is cheaper

template <class T, int TAP_ROWS, int TAPS>
class WinogradGradient {
 public:
  WinogradGradient(const WeightGradient<T>& p, const Context& context)
      : p_(p), context_(context), grid_(p.x, p.x_image, p.axis), parts_(grid_.parts()) {
    tiles_ = p.images * grid_.tiles_of_image();
    in_chunk_ = chunk(p.in_channels, larger(lanes, most_channels / parts_ / lanes * lanes), lanes);
    in_chunks_ = (p.in_channels + in_chunk_ - 1) / in_chunk_;
    out_chunk_ = chunk(p.out_channels, most_channels, lanes);
    out_chunks_ = (p.out_channels + out_chunk_ - 1) / out_chunk_;
    depth_ = parts_ * in_chunk_;
    const i64 all = planes * tiles_ * (in_chunks_ * depth_ + out_chunks_ * out_chunk_);
    shared_tiles_ = in_chunks_ + out_chunks_ >= many_chunks && all * i64(sizeof(T)) <= most_shared;
    partials_ = smaller(wanted_jobs / (in_chunks_ * out_chunks_),
                        partial_bytes / (sum_size() * i64(sizeof(T))));
    partials_ = larger(1, smaller(partials_, tiles_ / block_tiles));
  }

  bool run() {
    const i64 jobs = partials_ * in_chunks_ * out_chunks_;
    const i64 shared =
        shared_tiles_ ? in_chunks_ * v_size(tiles_) + out_chunks_ * w_size(tiles_) : 0;
    const i64 sums = partials_ > 1 ? jobs * sum_size() : 0;
    memory_ = static_cast<T*>(context_.allocate(i64(sizeof(T)) * (shared + sums)));
    if (!memory_) return false;
    sums_ = memory_ + shared;
    if (shared_tiles_) context_.parallel((tiles_ + few - 1) / few, gather_shared, this);
    context_.parallel(jobs, work, this);
    if (partials_ > 1 && !failed_)
      context_.parallel(in_chunks_ * out_chunks_ * (in_chunk_ / lanes), collect, this);
    context_.release(memory_);
    return !failed_;
  }

 private:
  using Grid = TileGrid<T, TAP_ROWS, TAPS>;
  static constexpr i64 planes = Grid::planes;
  static constexpr int rows = Grid::Rows::size, out_rows = Grid::Rows::out;
  static constexpr int out = Grid::Columns::out;
  static constexpr i64 lanes = Simd<T>::lanes;
  static constexpr i64 width = tile_width<T>;
  static constexpr i64 few = 4;  // tiles of a job that fills V and W

  i64 v_plane(i64 tiles) const { return odd_lines<T>(tiles * depth_); }
  i64 w_plane(i64 tiles) const { return odd_lines<T>(tiles * out_chunk_); }
  i64 sum_plane() const { return odd_lines<T>(depth_ * out_chunk_); }
  i64 v_size(i64 tiles) const { return planes * v_plane(tiles); }
  i64 w_size(i64 tiles) const { return planes * w_plane(tiles); }
  i64 sum_size() const { return planes * sum_plane(); }
  i64 channels(i64 in) const { return smaller(in_chunk_, p_.in_channels - in * in_chunk_); }
  i64 outputs(i64 o) const { return smaller(out_chunk_, p_.out_channels - o * out_chunk_); }
  T* shared_v(i64 in) const { return memory_ + in * v_size(tiles_); }
  T* shared_w(i64 o) const { return memory_ + in_chunks_ * v_size(tiles_) + o * w_size(tiles_); }
  T* sums(i64 partial, i64 pair) const {
    return sums_ + (partial * in_chunks_ * out_chunks_ + pair) * sum_size();
  }

  static void gather_shared(void* self, i64 k) {
    auto& g = *static_cast<WinogradGradient*>(self);
    for (i64 tile = k * few; tile < smaller((k + 1) * few, g.tiles_); ++tile) {
      for (i64 in = 0; in < g.in_chunks_; ++in)
        g.gather(tile, in, g.shared_v(in) + tile * g.depth_, g.v_plane(g.tiles_));
      for (i64 o = 0; o < g.out_chunks_; ++o)
        g.gather_outputs(tile, o, g.shared_w(o) + tile * g.out_chunk_, g.w_plane(g.tiles_));
    }
  }

  // V of one tile and one chunk of channels.
  void gather(i64 tile, i64 in, T* v, i64 plane) const {
    const auto at = grid_.place(tile);
    for (i64 k = 0; k < parts_; ++k)
      grid_.gather(at, k, in * in_chunk_, channels(in), v + k * in_chunk_, plane);
  }

  // W of one tile and one chunk of outputs.
  void gather_outputs(i64 tile, i64 chunk, T* w, i64 plane) const {
    const auto at = grid_.place(tile);
    const Axis &high = p_.axis[1], &wide = p_.axis[2];
    const i64 down = grid_.rows.outputs, across = grid_.columns.outputs;
    const i64 all = p_.groups * p_.out_channels, count = outputs(chunk);
    const T* gy = p_.gy + chunk * out_chunk_ +
                  (((at.n * p_.axis[0].out + at.d) * high.out + at.i) * wide.out + at.j) * all;
    for (i64 e = 0; e < count; e += lanes) {
      const auto row = [&](int a, Vec<T>(&values)[out]) {
        const T* line = gy + a * down * wide.out * all + e;
        if (at.i + a * down >= high.out) {
#pragma GCC unroll 4
          for (int b = 0; b < out; ++b) values[b] = Vec<T>{};
        } else if (at.j + (out - 1) * across < wide.out && e + lanes <= count) {
#pragma GCC unroll 4
          for (int b = 0; b < out; ++b) values[b] = load(line + b * across * all);
        } else {
#pragma GCC unroll 4
          for (int b = 0; b < out; ++b)
            values[b] = at.j + b * across < wide.out ? load_part(line + b * across * all, count - e)
                                                     : Vec<T>{};
        }
      };
      const auto put = [&](int b, const Vec<T>(&values)[rows]) {
#pragma GCC unroll 6
        for (int a = 0; a < rows; ++a) store(w + (a * points + b) * plane + e, values[a]);
      };
      transform_weight_2d<T, out_rows, out, rows>(row, put);
    }
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<WinogradGradient*>(self);
    const i64 pairs = g.in_chunks_ * g.out_chunks_;
    Job job(g, k / pairs, k % pairs);
    if (!job.memory) {
      g.failed_.raise();
      return;
    }
    job.run();
    g.context_.release(job.memory);
  }

  struct Job {
    Job(WinogradGradient& g, i64 partial, i64 pair)
        : g(g), in(pair / g.out_chunks_), o(pair % g.out_chunks_) {
      first = g.tiles_ * partial / g.partials_;
      last = g.tiles_ * (partial + 1) / g.partials_;
      const i64 tiles = g.shared_tiles_ ? 0 : block_tiles;
      const i64 own = g.partials_ > 1 ? 0 : g.sum_size();
      memory = static_cast<T*>(
          g.context_.allocate(i64(sizeof(T)) * (g.v_size(tiles) + g.w_size(tiles) + own) +
                              i64(sizeof(i64)) * 2 * (most_channels + lanes + spare_rows)));
      v = memory;
      w = v + g.v_size(tiles);
      m = g.partials_ > 1 ? g.sums(partial, pair) : w + g.w_size(tiles);
      ioff = reinterpret_cast<i64*>(w + g.w_size(tiles) + own);
      ooff = ioff + most_channels + lanes + spare_rows;
    }

    void run() {
      const i64 count = g.channels(in);
      for (i64 i = 0; i < count + spare_rows; ++i) {
        ioff[i] = smaller(i, count - 1);
        ooff[i] = ioff[i] * g.out_chunk_;
      }
      const i64 step = g.shared_tiles_ ? panel : block_tiles;
      for (i64 tile = first; tile < last; tile += step) {
        const i64 many = smaller(step, last - tile);
        if (g.shared_tiles_) {
          add(g.shared_v(in) + tile * g.depth_, g.shared_w(o) + tile * g.out_chunk_, g.tiles_, many,
              tile == first);
          continue;
        }
        for (i64 k = 0; k < many; ++k) {
          g.gather(tile + k, in, v + k * g.depth_, g.v_plane(block_tiles));
          g.gather_outputs(tile + k, o, w + k * g.out_chunk_, g.w_plane(block_tiles));
        }
        add(v, w, block_tiles, many, tile == first);
      }
      if (g.partials_ == 1) g.finish(m, in, o, 0, count, 1);
    }

    // Add `many` tiles to M; planes of V and W hold `tiles`.
    void add(const T* from_v, const T* from_w, i64 tiles, i64 many, bool begins) {
      const T zeros[width] = {};
      const i64 channels = g.channels(in), outputs = g.outputs(o);
      for (i64 q = 0; q < planes; ++q) {
        const T* v_plane = from_v + q * g.v_plane(tiles);
        const T* w_plane = from_w + q * g.w_plane(tiles);
        for (i64 e = 0; e < outputs; e += width) {
          const i64 vectors = (smaller(width, outputs - e) + lanes - 1) / lanes;
          for (i64 k = 0; k < g.parts_; ++k)
            tile_evenly<T>(
                vectors, {channels, v_plane + k * g.in_chunk_, ioff, &no_offset, 1, many, g.depth_,
                          w_plane + e, g.out_chunk_, begins ? zeros : nullptr,
                          m + q * g.sum_plane() + k * g.in_chunk_ * g.out_chunk_ + e, ooff, T(0)});
        }
      }
    }

    WinogradGradient& g;
    i64 in, o, first, last;
    T *memory, *v, *w, *m;
    i64 *ioff, *ooff;
  };

  // Add the partial sums of a few channels in order, and put them into gw.
  static void collect(void* self, i64 k) {
    auto& g = *static_cast<WinogradGradient*>(self);
    const i64 groups = g.in_chunk_ / lanes, pair = k / groups, in = pair / g.out_chunks_;
    const i64 begin = k % groups * lanes, end = smaller(begin + lanes, g.channels(in));
    if (begin < end) g.finish(g.sums(0, pair), in, pair % g.out_chunks_, begin, end, g.partials_);
  }

  // gw of channels begin .. end - 1 of a chunk and all outputs of a chunk, back from the points.
  void finish(const T* m, i64 in, i64 chunk, i64 begin, i64 end, i64 partials) {
    const i64 span = p_.axis[0].taps * p_.axis[1].taps * p_.axis[2].taps;
    const i64 together = larger(1, smaller(end - begin, lanes));
    auto* buffer = static_cast<Vec<T>*>(context_.allocate(together * span * i64(sizeof(Vec<T>))));
    if (!buffer) {
      failed_.raise();
      return;
    }
    for (i64 e = 0; e < outputs(chunk); e += lanes) {
      const i64 o = chunk * out_chunk_ + e, count = smaller(lanes, outputs(chunk) - e);
      for (i64 c = begin; c < end; c += together) {
        const i64 many = smaller(together, end - c), at = in * in_chunk_ + c;
        for (i64 k = 0; k < many; ++k)
          taps_of(m + (c + k) * out_chunk_ + e, partials, at + k, o, buffer + k * span);
        store_rows<T>(buffer, many * span, p_.gw + o * p_.gw_out + at * p_.gw_in, p_.gw_out, count);
      }
    }
    context_.release(buffer);
  }

  // All taps of one channel and a vector of outputs.
  void taps_of(const T* m, i64 partials, i64 c, i64 o, Vec<T>* to) {
    const Axis *deep = p_.axis, *high = deep + 1, *wide = deep + 2;
    for (i64 k = 0; k < parts_; ++k) {
      const auto part = grid_.part(k);
      const auto row = [&](int a, Vec<T>(&values)[points]) {
        for (int b = 0; b < points; ++b) {
          const T* from = m + (a * points + b) * sum_plane() + k * in_chunk_ * out_chunk_;
          values[b] = load(from);
          for (i64 partial = 1; partial < partials; ++partial)
            values[b] += load(from + partial * in_chunks_ * out_chunks_ * sum_size());
        }
      };
      const auto put = [&](int b, const Vec<T>(&values)[TAP_ROWS]) {
        const i64 v = grid_.columns.tap(part.columns, b);
        for (int a = 0; a < TAP_ROWS; ++a) {
          const i64 u = grid_.rows.tap(part.rows, a);
          if (u >= high->taps || v >= wide->taps) continue;
          to[deep->weight[part.t] + high->weight[u] + wide->weight[v]] =
              finite(values[a], {part.t, u, v}, c, o);
        }
      };
      transform_output_2d<T, rows, TAP_ROWS, TAPS>(row, put);
    }
  }

  struct Tap {
    i64 t, u, v;
  };

  // The same elements, those that are not finite computed directly.
  Vec<T> finite(Vec<T> values, Tap tap, i64 c, i64 o) const {
    const Vec<T> bad = values - values;
    if (has_nan<T>(bad))
      for (i64 l = 0; l < smaller(lanes, p_.out_channels - o); ++l)
        if (bad[l] != bad[l]) values[l] = again(o + l, c, tap.t, tap.u, tap.v);
    return values;
  }

  // One element directly, where the transforms met something that is not finite.
  T again(i64 o, i64 c, i64 r, i64 s, i64 t) const {
    const Axis *deep = p_.axis, *high = deep + 1, *wide = deep + 2;
    const T* gy = p_.gy + o;
    T sum = T(0);
    for (i64 n = 0; n < p_.images; ++n)
      for (i64 k = 0; k < deep->out; ++k)
        for (i64 i = 0; i < high->out; ++i)
          for (i64 j = 0; j < wide->out; ++j, gy += p_.groups * p_.out_channels) {
            const i64 d = k * deep->step + deep->offset[r];
            const i64 h = i * high->step + high->offset[s], w = j * wide->step + wide->offset[t];
            if (d < 0 || d >= deep->in || h < 0 || h >= high->in || w < 0 || w >= wide->in)
              continue;
            sum += *gy * p_.x[n * p_.x_image + d * deep->x + h * high->x + w * wide->x + c];
          }
    return sum;
  }

  const WeightGradient<T>& p_;
  const Context& context_;
  Grid grid_;
  i64 parts_, tiles_, in_chunks_, in_chunk_, out_chunks_, out_chunk_, depth_, partials_;
  bool shared_tiles_;
  T *memory_ = nullptr, *sums_ = nullptr;
  Flag failed_;
};

template <class T>
bool grad_weight_group(const WeightGradient<T>& p, const Context& context) {
  switch (winograd_scheme(p.axis).taps) {
    case 13:
      return WinogradGradient<T, 1, 3>(p, context).run();
    case 33:
      return WinogradGradient<T, 3, 3>(p, context).run();
    case 44:
      return WinogradGradient<T, 4, 4>(p, context).run();
  }
  return WinogradGradient<T, 5, 5>(p, context).run();
}

template <class T>
WeightGradient<T> group_of(const WeightGradient<T>& p, i64 g) {
  WeightGradient<T> group = p;
  group.x += g * p.in_channels;
  group.gy += g * p.out_channels;
  group.gw += g * p.gw_group;
  return group;
}

}  // namespace

template <class T>
bool grad_weight_winograd(const WeightGradient<T>& p, const Context& context) {
  if (!winograd_scheme(p.axis).taps) return grad_weight_directly(p, context);
  return each_group(p, context, group_of<T>, grad_weight_group<T>);
}

PELLUCID_INSTANTIATE(grad_weight_winograd, WeightGradient)

}  // namespace pellucid::PELLUCID_ISA
