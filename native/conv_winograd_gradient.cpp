// grad_weight by Winograd's minimal filtering: F(3x3, 4x4) for a 3x3 kernel, F(5x5, 2x2) for 5x5
// (docs/maths.md, Winograd). The tiles of x are those of the forward pass; gy takes the place of
// the weights.
//
//   V[p][tile][c] = (B^T x B),   W[p][tile][o] = (G gy G^T)          p: one of the 36 points
//   M[p][c][o]    = sum over tiles of V[p][tile][c] W[p][tile][o]
//   gw[o, c]      = A^T M A
//
// A job has a range of tiles (their number is fixed by the spec, so that threads change no bit), a
// chunk of c and a chunk of o, so that V, W and M stay in its cache.
#include "patch.hpp"
#include "table.hpp"
#include "tile.hpp"
#include "winograd.hpp"
#include "winograd_tiles.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 block_tiles = 24;
constexpr i64 most_channels = 64;  // of a chunk of c or o
constexpr i64 wanted_jobs = 16;

template <class T, int TAPS>
class WinogradGradient {
 public:
  WinogradGradient(const WeightGradient<T>& p, const Context& context)
      : p_(p), context_(context), grid_(p.x, p.x_image, p.axis) {
    tiles_ = p.images * grid_.high * grid_.wide;
    in_chunks_ = (p.in_channels + most_channels - 1) / most_channels;
    in_chunk_ = rounded((p.in_channels + in_chunks_ - 1) / in_chunks_, lanes);
    out_chunks_ = (p.out_channels + most_channels - 1) / most_channels;
    out_chunk_ = rounded((p.out_channels + out_chunks_ - 1) / out_chunks_, width);
    partials_ = larger(1, wanted_jobs / (in_chunks_ * out_chunks_));
    partials_ = smaller(partials_, (tiles_ + block_tiles - 1) / block_tiles);
    in_chunks_ = (p.in_channels + in_chunk_ - 1) / in_chunk_;
    out_chunks_ = (p.out_channels + out_chunk_ - 1) / out_chunk_;
  }

  bool run() {
    const i64 pairs = in_chunks_ * out_chunks_;
    sums_ = static_cast<T*>(context_.allocate(sizeof(T) * partials_ * pairs * chunk_size()));
    if (!sums_) return false;
    context_.parallel(partials_ * pairs, work, this);
    if (!failed_) context_.parallel(p_.in_channels, collect, this);
    context_.release(sums_);
    return !failed_;
  }

 private:
  static constexpr int out = points - TAPS + 1;
  static constexpr i64 lanes = Simd<T>::lanes;
  static constexpr i64 width = tile_width<T>;

  static i64 rounded(i64 count, i64 to) { return (count + to - 1) / to * to; }

  i64 chunk_size() const { return planes * in_chunk_ * out_chunk_; }

  // M of one range of tiles and one pair of chunks: [p][c][o].
  T* sums(i64 partial, i64 in, i64 o) const {
    return sums_ + ((partial * in_chunks_ + in) * out_chunks_ + o) * chunk_size();
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<WinogradGradient*>(self);
    Job job(g, k / (g.in_chunks_ * g.out_chunks_), k / g.out_chunks_ % g.in_chunks_,
            k % g.out_chunks_);
    if (!job.v) {
      g.failed_ = true;
      return;
    }
    job.run();
    g.context_.release(job.v);
  }

  struct Job {
    Job(WinogradGradient& g, i64 partial, i64 in, i64 o) : g(g) {
      first = g.tiles_ * partial / g.partials_;
      last = g.tiles_ * (partial + 1) / g.partials_;
      c = in * g.in_chunk_;
      channels = smaller(g.in_chunk_, g.p_.in_channels - c);
      this->o = o * g.out_chunk_;
      outputs = smaller(g.out_chunk_, g.p_.out_channels - this->o);
      m = g.sums(partial, in, o);
      v = static_cast<T*>(
          g.context_.allocate(sizeof(T) * planes * block_tiles * (g.in_chunk_ + g.out_chunk_)));
      w = v + planes * block_tiles * g.in_chunk_;
    }

    void run() {
      for (i64 e = 0; e < g.chunk_size(); ++e) m[e] = T(0);
      for (i64 i = 0; i < g.in_chunk_ + tile_rows; ++i) ioff[i] = smaller(i, channels - 1);
      for (i64 tile = first; tile < last; tile += block_tiles) {
        const i64 count = smaller(block_tiles, last - tile);
        for (i64 k = 0; k < count; ++k) {
          g.grid_.gather(tile + k, c, channels, v + k * g.in_chunk_, block_tiles * g.in_chunk_);
          gather_outputs(tile + k, w + k * g.out_chunk_);
        }
        for (i64 q = 0; q < planes; ++q) multiply(q, count);
      }
    }

    // W of one tile.
    void gather_outputs(i64 number, T* to) const {
      const WeightGradient<T>& p = g.p_;
      const auto at = g.grid_.place(number);
      const Axis &rows = p.axis[1], &columns = p.axis[2];
      const i64 all = p.out_channels;
      const T* gy = p.gy + ((at.n * rows.out + at.i) * columns.out + at.j) * all + o;
      for (i64 e = 0; e < g.out_chunk_; e += lanes) {
        Vec<T> d[out][out], u[points][points];
#pragma GCC unroll 4
        for (int a = 0; a < out; ++a)
#pragma GCC unroll 4
          for (int b = 0; b < out; ++b) {
            const bool there = at.i + a < rows.out && at.j + b < columns.out && e < outputs;
            d[a][b] =
                there ? load_part(gy + (a * columns.out + b) * all + e, outputs - e) : Vec<T>{};
          }
        transform_weight_2d<T, out>(d, u);
#pragma GCC unroll 6
        for (int a = 0; a < points; ++a)
#pragma GCC unroll 6
          for (int b = 0; b < points; ++b)
            store(to + (a * points + b) * block_tiles * g.out_chunk_ + e, u[a][b]);
      }
    }

    // Add one block of tiles to M of one point.
    void multiply(i64 q, i64 count) {
      const i64 zero = 0;
      T products[tile_rows][width];
      const T* a = v + q * block_tiles * g.in_chunk_;
      for (i64 e = 0; e < g.out_chunk_; e += width)
        for (i64 i = 0; i < channels; i += tile_rows) {
          tile<T, tile_rows, tile_vectors>(a, ioff + i, &zero, 1, count, g.in_chunk_,
                                           w + q * block_tiles * g.out_chunk_ + e, g.out_chunk_,
                                           products[0]);
          for (i64 r = 0; r < smaller(tile_rows, channels - i); ++r)
#pragma GCC unroll 4
            for (i64 t = 0; t < width; t += lanes) {
              T* to = m + (q * g.in_chunk_ + i + r) * g.out_chunk_ + e + t;
              store(to, load(to) + load(products[r] + t));
            }
        }
    }

    WinogradGradient& g;
    i64 first, last, c, channels, o, outputs;
    T *m, *v, *w;
    i64 ioff[most_channels + 64 + tile_rows];
  };

  // gw of one input channel: the partial sums in order, and back from the points.
  static void collect(void* self, i64 c) {
    auto& g = *static_cast<WinogradGradient*>(self);
    const WeightGradient<T>& p = g.p_;
    for (i64 o = 0; o < p.out_channels; o += lanes) {
      Vec<T> s[points][points], r[TAPS][TAPS];
      for (i64 q = 0; q < planes; ++q) {
        Vec<T> sum{};
        for (i64 partial = 0; partial < g.partials_; ++partial)
          sum += load(g.sums(partial, c / g.in_chunk_, o / g.out_chunk_) +
                      (q * g.in_chunk_ + c % g.in_chunk_) * g.out_chunk_ + o % g.out_chunk_);
        s[q / points][q % points] = sum;
      }
      transform_output_2d<T, TAPS>(s, r);
      const i64 left = smaller(lanes, p.out_channels - o);
      for (int a = 0; a < TAPS; ++a)
        for (int b = 0; b < TAPS; ++b) {
          T values[lanes];
          store(values, r[a][b]);
          T* to = p.gw + o * p.gw_out + c * p.gw_in + p.axis[1].weight[a] + p.axis[2].weight[b];
          for (i64 e = 0; e < left; ++e)
            to[e * p.gw_out] = values[e] - values[e] == T(0) ? values[e] : g.again(o + e, c, a, b);
        }
    }
  }

  // One element directly, where the transforms met something that is not finite.
  T again(i64 o, i64 c, i64 s, i64 t) const {
    const Axis &rows = p_.axis[1], &columns = p_.axis[2];
    T sum = T(0);
    for (i64 n = 0; n < p_.images; ++n)
      for (i64 i = 0; i < rows.out; ++i)
        for (i64 j = 0; j < columns.out; ++j) {
          const i64 h = i + rows.offset[s], w = j + columns.offset[t];
          if (h < 0 || h >= rows.in || w < 0 || w >= columns.in) continue;
          sum += p_.gy[((n * rows.out + i) * columns.out + j) * p_.out_channels + o] *
                 p_.x[n * p_.x_image + h * rows.x + w * columns.x + c];
        }
    return sum;
  }

  const WeightGradient<T>& p_;
  const Context& context_;
  TileGrid<T, out> grid_;
  i64 tiles_, in_chunks_, in_chunk_, out_chunks_, out_chunk_, partials_;
  T* sums_ = nullptr;
  bool failed_ = false;
};

}  // namespace

template <class T>
bool grad_weight_winograd(const WeightGradient<T>& p, const Context& context) {
  return p.axis[1].taps == 3 ? WinogradGradient<T, 3>(p, context).run()
                             : WinogradGradient<T, 5>(p, context).run();
}

PELLUCID_INSTANTIATE(grad_weight_winograd, WeightGradient)

}  // namespace pellucid::PELLUCID_ISA
