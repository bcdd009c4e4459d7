// forward and grad_input by Winograd's minimal filtering: 3x3 with 4 times fewer multiplications
// than directly, 5x5 with 2.8 and 7x7 with 3 times fewer (docs/maths.md, 13).
//
//   V[p][tile][k] = (B^T x B) of each tile of 6x6 inputs        p: one of the 36 points
//   M[p][tile][o] = sum over k of V[p][tile][k] U[p][k][o]      the register tile, 36 times
//   y of the tile = A^T M A, bias, ReLU                         k: parts of the kernel, channels
//
// A job is a block of tiles with all outputs, or, where the weights are larger than the image, a
// chunk of outputs with all tiles: U or V is shared by all jobs, and what a job makes stays in its
// cache. The sums are the same either way. They are cut into panels of 128, which keeps them
// accurate. A tile that is not finite is computed again directly, so that one NaN or infinity
// spoils only what it touches. U is packed for other calls in the first order alone: where a job
// has a chunk of outputs, it makes its part of U in less time than a packed one, larger than w,
// takes to arrive.
#include "even_tiles.hpp"
#include "jobs.hpp"
#include "patch.hpp"
#include "table.hpp"
#include "weights.hpp"
#include "winograd.hpp"
#include "winograd_tiles.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 tile_bytes = 2 << 20;  // of V of a block of tiles, a part of the second cache level
constexpr i64 most_tiles = 48;
constexpr i64 panel = 128;        // elements of k added at a time
constexpr i64 output_chunk = 64;  // output channels of one pass over V
constexpr i64 far_channels = 4;   // so early are their weights asked for
constexpr i64 jobs_per_thread = 4;
constexpr i64 most_shared = 64 << 20;  // bytes of V of all tiles

template <class T, int TAP_ROWS, int TAPS>
class Winograd {
 public:
  Winograd(const Correlation<T>& p, const Context& context)
      : p_(p), context_(context), grid_(p.x, p.x_image, p.axis), weights_(&p) {
    channels_ = (p.in_channels + lanes - 1) / lanes * lanes;
    depth_ = grid_.parts() * channels_;
    blocks_ = (p.out_channels + width - 1) / width;
    tiles_ = p.images * grid_.tiles_of_image();
    block_tiles_ = tile_bytes / i64(sizeof(T)) / (planes * depth_) / tile_rows * tile_rows;
    block_tiles_ = smaller(larger(block_tiles_, 4 * tile_rows), most_tiles);
    const i64 tile_jobs = (tiles_ + block_tiles_ - 1) / block_tiles_;
    // What is read again and again from far away: U for each block of tiles, or V for each chunk.
    const i64 all_v = planes * depth_ * tiles_ * i64(sizeof(T));
    const i64 all_u = planes * depth_ * blocks_ * width * i64(sizeof(T));
    const i64 chunks = (blocks_ + many - 1) / many;
    by_outputs_ =
        all_v <= most_shared && all_u > tile_bytes && 2 * chunks * all_v < tile_jobs * all_u;
    if (by_outputs_) {
      block_tiles_ = tiles_;
      jobs_ = ranges_ = chunks;
    } else {
      ranges_ =
          smaller(chunks, larger(1, jobs_per_thread * context.threads / larger(1, tile_jobs)));
      jobs_ = tile_jobs * ranges_;
    }
  }

  bool run() {
    plane_ = odd_lines<T>(depth_ * (by_outputs_ ? tiles_ : blocks_ * width));
    const i64 bytes = i64(sizeof(T)) * planes * plane_;
    Packed own, &shared = p_.packed && !by_outputs_ ? *p_.packed : own;
    const bool made = shared.data;
    if (!made) shared = {context_.allocate(bytes), bytes};
    shared_ = static_cast<T*>(shared.data);
    if (!shared_) return false;
    if (by_outputs_)
      context_.parallel((tiles_ + tile_rows - 1) / tile_rows, gather_shared, this);
    else if (!made)
      context_.parallel(blocks_, weigh_shared, this);
    if (!failed_) context_.parallel(jobs_, work, this);
    context_.release(own.data);
    return !failed_;
  }

 private:
  using Grid = TileGrid<T, TAP_ROWS, TAPS>;
  static constexpr i64 planes = Grid::planes;
  static constexpr int rows = Grid::Rows::size, out_rows = Grid::Rows::out;
  static constexpr int out = Grid::Columns::out;
  static constexpr i64 lanes = Simd<T>::lanes;
  static constexpr i64 width = tile_width<T>;
  static constexpr i64 many = output_chunk / width;  // blocks of a chunk

  i64 outputs(i64 block) const { return smaller(width, p_.out_channels - block * width); }

  // V of one tile, [p][...][k]: planes lie `plane` apart.
  void gather(i64 tile, T* v, i64 plane) const {
    const auto at = grid_.place(tile);
    for (i64 part = 0; part < grid_.parts(); ++part)
      grid_.gather(at, part, 0, p_.in_channels, v + part * channels_, plane);
  }

  static void gather_shared(void* self, i64 k) {
    auto& g = *static_cast<Winograd*>(self);
    for (i64 tile = k * tile_rows; tile < smaller((k + 1) * tile_rows, g.tiles_); ++tile)
      g.gather(tile, g.shared_ + tile * g.depth_, g.plane_);
  }

  static void weigh_shared(void* self, i64 block) {
    auto& g = *static_cast<Winograd*>(self);
    Vec<T>* buffer = g.weight_buffer();
    if (!buffer) return;
    g.weigh(block, 1, 0, g.depth_, g.shared_ + block * g.depth_ * width, g.plane_, buffer);
    g.context_.release(buffer);
  }

  Vec<T>* weight_buffer() {
    void* buffer = context_.allocate(weights_.size() * i64(sizeof(Vec<T>)));
    if (!buffer) failed_.raise();
    return static_cast<Vec<T>*>(buffer);
  }

  // U of some blocks of outputs for k = begin .. end - 1, [block][p][...][k][width]. Outputs that
  // share a cache line of U are taken together, and in a grad_input, where their weights lie side
  // by side, all of a block.
  void weigh(i64 block, i64 blocks, i64 begin, i64 end, T* u, i64 plane, Vec<T>* buffer) const {
    const i64 size = (end - begin) * width;
    const i64 most = p_.w_out < p_.w_in ? width : 64 / i64(sizeof(T));
    for (i64 k = begin; k < end;) {
      const i64 part = k / channels_, c = k % channels_, stop = smaller(channels_, c + end - k);
      for (i64 b = 0; b < blocks; ++b)
        for (i64 e = 0; e < outputs(block + b); e += most)
          weigh_part((block + b) * width + e, smaller(most, outputs(block + b) - e), part, c, stop,
                     u + b * size + (k - begin) * width + e, plane, buffer);
      k += stop - c;
    }
  }

  void weigh_part(i64 o, i64 count, i64 number, i64 c, i64 stop, T* u, i64 plane,
                  Vec<T>* buffer) const {
    const auto part = grid_.part(number);
    const Axis *axis = p_.axis, *high = axis + 1, *wide = axis + 2;
    i64 place[TAP_ROWS][TAPS];  // of a tap among those of one channel, or none
    for (i64 a = 0; a < TAP_ROWS; ++a)
      for (i64 b = 0; b < TAPS; ++b) {
        const i64 s = grid_.rows.tap(part.rows, a), t = grid_.columns.tap(part.columns, b);
        place[a][b] = s < high->taps && t < wide->taps
                          ? axis->weight[part.t] + high->weight[s] + wide->weight[t]
                          : none;
      }
    const auto put = [&](const Vec<T>* from, T* to) {
      const auto row = [&](int a, Vec<T>(&w)[TAPS]) {
        for (int b = 0; b < TAPS; ++b)
          w[b] = from && place[a][b] != none ? from[place[a][b]] : Vec<T>{};
      };
      const auto put_column = [&](int b, const Vec<T>(&values)[rows]) {
#pragma GCC unroll 6
        for (int a = 0; a < rows; ++a) store(to + (a * points + b) * plane, values[a]);
      };
      transform_weight_2d<T, TAP_ROWS, TAPS, rows>(row, put_column);
    };
    const i64 step = weights_.together();
    for (i64 k = c; k < stop; k += step) {
      const i64 end = smaller(k + step, stop), known = smaller(end, p_.in_channels);
      if (p_.w_out < p_.w_in) {  // in a grad_input, channels lie far apart
        Ahead ahead(p_.w + o * p_.w_out + (k + far_channels) * p_.w_in, count * p_.w_out);
        ahead.fetch(ahead.lines());
      }
      for (i64 e = 0; e < count; e += lanes) {
        T* to = u + (k - c) * width + e;
        weights_.each(p_.w + (o + e) * p_.w_out, p_.out_channels - o - e, k, known, buffer,
                      [&](i64 i, const Vec<T>* from) { put(from, to + (i - k) * width); });
        for (i64 i = larger(k, known); i < end; ++i) put(nullptr, to + (i - k) * width);
      }
    }
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<Winograd*>(self);
    Job job(g, k / g.ranges_, k % g.ranges_);
    if (!job.memory) {
      g.failed_.raise();
      return;
    }
    job.run();
    g.context_.release(job.memory);
  }

  // A block of tiles and a range of chunks of outputs, on one thread.
  struct Job {
    Job(Winograd& g, i64 tile_job, i64 range) : g(g) {
      const i64 chunks = (g.blocks_ + many - 1) / many;
      first = tile_job * g.block_tiles_;
      count = smaller(g.block_tiles_, g.tiles_ - first);
      begin = chunks * range / g.ranges_ * many;
      end = smaller(chunks * (range + 1) / g.ranges_ * many, g.blocks_);
      plane = odd_lines<T>(g.by_outputs_ ? panel * output_chunk : count * g.depth_);
      m_plane = odd_lines<T>(count * output_chunk);
      const i64 vectors = g.weights_.size() * i64(sizeof(Vec<T>));
      memory = static_cast<char*>(g.context_.allocate(i64(sizeof(T)) * planes * (plane + m_plane) +
                                                      vectors +
                                                      i64(sizeof(i64)) * 2 * (count + spare_rows)));
      if (!memory) return;
      buffer = reinterpret_cast<Vec<T>*>(memory);
      m = reinterpret_cast<T*>(memory + vectors);
      mine = m + planes * m_plane;
      ioff = reinterpret_cast<i64*>(mine + planes * plane);
      ooff = ioff + count + spare_rows;
    }

    void run() {
      const i64 last = count - 1;  // rows past the last tile repeat it
      for (i64 i = 0; i < count + spare_rows; ++i) ioff[i] = smaller(i, last) * g.depth_;
      for (i64 i = 0; i < count + spare_rows; ++i) ooff[i] = smaller(i, last) * output_chunk;
      if (!g.by_outputs_)
        for (i64 k = 0; k < count; ++k) g.gather(first + k, mine + k * g.depth_, plane);
      for (i64 block = begin; block < end; block += many) {
        const i64 blocks = smaller(many, end - block);
        if (!g.by_outputs_) multiply(block, blocks, 0, g.depth_);
        for (i64 k = 0; g.by_outputs_ && k < g.depth_; k += panel)
          multiply(block, blocks, k, smaller(k + panel, g.depth_));
        for (i64 k = 0; k < count; ++k) scatter(k, block, blocks);
      }
    }

    // Add k = begin_k .. end_k - 1 to M of a chunk of outputs, panel by panel.
    void multiply(i64 block, i64 blocks, i64 begin_k, i64 end_k) {
      const i64 block_size = (g.by_outputs_ ? end_k - begin_k : g.depth_) * width;
      const T* u = g.by_outputs_ ? mine : g.shared_ + block * block_size;
      const T* v = g.by_outputs_ ? g.shared_ + begin_k : mine;
      const i64 u_plane = g.by_outputs_ ? plane : g.plane_;
      const i64 v_plane = g.by_outputs_ ? g.plane_ : plane;
      if (g.by_outputs_) g.weigh(block, blocks, begin_k, end_k, mine, plane, buffer);
      const T zeros[width] = {};
      for (i64 q = 0; q < planes; ++q)
        for (i64 b = 0; b < blocks; ++b)
          for (i64 k = 0; k < end_k - begin_k; k += panel) {
            const i64 vectors = (g.outputs(block + b) + lanes - 1) / lanes;
            tile_evenly<T>(vectors, {count, v + q * v_plane + k, ioff, &no_offset, 1,
                                     smaller(panel, end_k - begin_k - k), 1,
                                     u + q * u_plane + b * block_size + k * width, width,
                                     begin_k + k == 0 ? zeros : nullptr,
                                     m + q * m_plane + b * width, ooff, T(0)});
          }
    }

    // The outputs of one tile, from its M.
    void scatter(i64 k, i64 block, i64 blocks) {
      const Correlation<T>& p = g.p_;
      const auto at = g.grid_.place(first + k);
      const i64 down = g.grid_.rows.outputs, across = g.grid_.columns.outputs;
      const i64 high = smaller(out_rows, (p.axis[1].out - at.i + down - 1) / down);
      const i64 wide = smaller(out, (p.axis[2].out - at.j + across - 1) / across);
      T* y = p.y + at.n * p.y_image + at.d * p.axis[0].y + at.i * p.axis[1].y + at.j * p.axis[2].y;
      const i64 y_down = down * p.axis[1].y, y_across = across * p.axis[2].y;
      for (i64 e = 0; e < blocks * width; e += lanes) {
        const i64 o = block * width + e, left = p.out_channels - o;
        if (left <= 0) return;
        const T* from = m + k * output_chunk + e;
        const Vec<T> bias = p.b ? load_part(p.b + o, left) : Vec<T>{};
        const Vec<T> ceiling = splat(p.ceiling);
        Vec<T> bad{};  // NaN where an output is not finite
        const auto row = [&](int a, Vec<T>(&values)[points]) {
#pragma GCC unroll 6
          for (int b = 0; b < points; ++b) values[b] = load(from + (a * points + b) * m_plane);
        };
        const auto put = [&](int b, Vec<T>(&values)[out_rows]) {
          T* to = y + b * y_across + o;
#pragma GCC unroll 6
          for (int a = 0; a < out_rows; ++a) {
            bad = fma(values[a], Vec<T>{}, bad);
            values[a] += bias;
            if (p.ceiling > 0) values[a] = at_most<T>(at_least_0<T>(values[a]), ceiling);
          }
          if (b < wide && high == out_rows && left >= lanes) {
#pragma GCC unroll 6
            for (int a = 0; a < out_rows; ++a) store(to + a * y_down, values[a]);
          } else if (b < wide) {
            for (int a = 0; a < high; ++a) store_part(to + a * y_down, values[a], left);
          }
        };
        transform_output_2d<T, rows, out_rows, out>(row, put);
        if (!has_nan<T>(bad)) continue;
        for (i64 l = 0; l < smaller(lanes, left); ++l)
          for (i64 a = 0; a < high && bad[l] != bad[l]; ++a)
            for (i64 b = 0; b < wide; ++b)
              y[a * y_down + b * y_across + o + l] =
                  again({at.n, at.d, at.i + a * down, at.j + b * across}, o + l);
      }
    }

    // One output directly.
    T again(typename Grid::Place at, i64 o) {
      const Correlation<T>& p = g.p_;
      const Axis *deep = p.axis, *high = deep + 1, *wide = deep + 2;
      T sum = T(0);
      for (i64 t = 0; t < deep->taps; ++t)
        for (i64 u = 0; u < high->taps; ++u)
          for (i64 v = 0; v < wide->taps; ++v) {
            const i64 d = at.d * deep->step + deep->offset[t];
            const i64 h = at.i * high->step + high->offset[u];
            const i64 w = at.j * wide->step + wide->offset[v];
            if (d < 0 || d >= deep->in || h < 0 || h >= high->in || w < 0 || w >= wide->in)
              continue;
            const T* x = p.x + at.n * p.x_image + d * deep->x + h * high->x + w * wide->x;
            const T* tap = p.w + o * p.w_out + deep->weight[t] + high->weight[u] + wide->weight[v];
            for (i64 c = 0; c < p.in_channels; ++c) sum += x[c] * tap[c * p.w_in];
          }
      if (p.b) sum += p.b[o];
      if (!(p.ceiling > 0)) return sum;
      return sum < T(0) ? T(0) : p.ceiling < sum ? p.ceiling : sum;
    }

    Winograd& g;
    i64 first, count, begin, end, plane, m_plane;
    char* memory;
    Vec<T>* buffer;
    T *m, *mine;
    i64 *ioff, *ooff;
  };

  static constexpr i64 none = i64(1) << 62;

  const Correlation<T>& p_;
  const Context& context_;
  Grid grid_;
  Weights<T> weights_;
  i64 channels_, depth_, blocks_, tiles_, block_tiles_, ranges_, jobs_, plane_ = 0;
  bool by_outputs_;
  T* shared_ = nullptr;
  Flag failed_;
};

template <class T>
bool correlate_group(const Correlation<T>& p, const Context& context) {
  switch (winograd_scheme(p.axis).taps) {
    case 13:
      return Winograd<T, 1, 3>(p, context).run();
    case 33:
      return Winograd<T, 3, 3>(p, context).run();
    case 44:
      return Winograd<T, 4, 4>(p, context).run();
  }
  return Winograd<T, 5, 5>(p, context).run();
}

template <class T>
Correlation<T> group_of(const Correlation<T>& p, i64 g) {
  Correlation<T> group = p;
  group.x += g * p.in_channels;
  group.w += g * p.w_group;
  group.y += g * p.out_channels;
  if (p.packed) group.packed += g;
  if (p.b) group.b += g * p.out_channels;
  return group;
}

}  // namespace

template <class T>
bool correlate_winograd(const Correlation<T>& p, const Context& context) {
  if (!winograd_scheme(p.axis).taps) return correlate_directly(&p, 1, context);
  return each_group(p, context, group_of<T>, correlate_group<T>);
}

double winograd_products(const Axis* axis) {
  return winograd_scheme(axis).products;
}

PELLUCID_INSTANTIATE(correlate_winograd, Correlation)

}  // namespace pellucid::PELLUCID_ISA
