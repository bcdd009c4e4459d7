// forward and grad_input by Winograd's minimal filtering: F(4x4, 3x3) with 4 times fewer
// multiplications than directly, F(2x2, 5x5) with 2.8 times fewer (docs/maths.md, Winograd).
//
//   V[p][tile][c] = (B^T x B) of each tile of 6x6 inputs        p: one of the 36 points
//   M[p][tile][o] = sum over c of V[p][tile][c] U[p][c][o]      the register tile, 36 times
//   y of the tile = A^T M A, bias, ReLU
//
// All three stages run in one thread for a block of tiles, so that V and M stay in its cache.
// Channels are added in panels of 128, which keeps long sums accurate. A tile that is not finite
// is computed again directly, so that one NaN or infinity spoils only what it touches.
#include "patch.hpp"
#include "table.hpp"
#include "tile.hpp"
#include "winograd.hpp"
#include "winograd_tiles.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 block_tiles = 4 * tile_rows;
constexpr i64 panel = 128;        // channels added at a time
constexpr i64 output_chunk = 64;  // output channels of one pass over V
constexpr i64 jobs_per_thread = 4;

template <class T, int TAPS>
class Winograd {
 public:
  Winograd(const Correlation<T>& p, const Context& context)
      : p_(p), context_(context), grid_(p.x, p.x_image, p.axis) {
    channels_ = (p.in_channels + lanes - 1) / lanes * lanes;
    blocks_ = (p.out_channels + width - 1) / width;
    tiles_ = p.images * grid_.high * grid_.wide;
    tile_jobs_ = (tiles_ + block_tiles - 1) / block_tiles;
    const i64 wanted = jobs_per_thread * context.threads;
    ranges_ = smaller(blocks_, larger(1, wanted / tile_jobs_));
    if (ranges_ < blocks_ && tile_jobs_ >= context.threads * 2) ranges_ = 1;
  }

  bool run() {
    u_ = static_cast<T*>(context_.allocate(sizeof(T) * planes * blocks_ * channels_ * width));
    if (!u_) return false;
    context_.parallel(blocks_, transform_weights, this);
    context_.parallel(tile_jobs_ * ranges_, work, this);
    context_.release(u_);
    return !failed_;
  }

 private:
  static constexpr int out = points - TAPS + 1;
  static constexpr i64 lanes = Simd<T>::lanes;
  static constexpr i64 width = tile_width<T>;

  // U of one point and one block of outputs: [c][width].
  T* u(i64 point, i64 block) const { return u_ + (point * blocks_ + block) * channels_ * width; }

  static void transform_weights(void* self, i64 block) {
    auto& g = *static_cast<Winograd*>(self);
    const Correlation<T>& p = g.p_;
    for (i64 c = 0; c < g.channels_; ++c)
      for (i64 part = 0; part < tile_vectors; ++part) {
        const i64 first = block * width + part * lanes;
        Vec<T> w[TAPS][TAPS], u[points][points];
        for (int s = 0; s < TAPS; ++s)
          for (int t = 0; t < TAPS; ++t) {
            T values[lanes];
            for (i64 o = 0; o < lanes; ++o)
              values[o] = c < p.in_channels && first + o < p.out_channels
                              ? p.w[(first + o) * p.w_out + c * p.w_in + p.axis[1].weight[s] +
                                    p.axis[2].weight[t]]
                              : T(0);
            w[s][t] = load(values);
          }
        transform_weight_2d<T, TAPS>(w, u);
        for (i64 q = 0; q < planes; ++q)
          store(g.u(q, block) + c * width + part * lanes, u[q / points][q % points]);
      }
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<Winograd*>(self);
    Job job(g, k / g.ranges_, k % g.ranges_);
    if (!job.v) {
      g.failed_ = true;
      return;
    }
    job.run();
    g.context_.release(job.v);
  }

  // A block of tiles and a range of output blocks, on one thread.
  struct Job {
    Job(Winograd& g, i64 tile_job, i64 range) : g(g) {
      first = tile_job * block_tiles;
      count = smaller(block_tiles, g.tiles_ - first);
      begin = g.blocks_ * range / g.ranges_;
      end = g.blocks_ * (range + 1) / g.ranges_;
      v = static_cast<T*>(
          g.context_.allocate(sizeof(T) * planes * block_tiles * (g.channels_ + output_chunk)));
      m = v + planes * block_tiles * g.channels_;
    }

    void run() {
      for (i64 k = 0; k < count; ++k)
        g.grid_.gather(first + k, 0, g.p_.in_channels, v + k * g.channels_,
                       block_tiles * g.channels_);
      for (i64 i = 0; i < block_tiles; ++i)  // rows past the last tile repeat it
        ioff[i] = smaller(i, count - 1) * g.channels_;
      constexpr i64 many = output_chunk / width;
      for (i64 block = begin; block < end; block += many) {
        const i64 blocks = smaller(many, end - block);
        for (i64 q = 0; q < planes; ++q)
          for (i64 k = 0; k < blocks; ++k) multiply(q, block + k, k * width);
        for (i64 k = 0; k < count; ++k) scatter(k, block, blocks);
      }
    }

    // M of one point and one block of outputs, panel by panel.
    void multiply(i64 q, i64 block, i64 column) {
      const i64 zero = 0;
      T sums[tile_rows][width];
      for (i64 c = 0; c < g.channels_; c += panel) {
        const i64 many = smaller(panel, g.channels_ - c);
        const T* a = v + q * block_tiles * g.channels_ + c;
        for (i64 i = 0; i < count; i += tile_rows) {
          tile<T, tile_rows, tile_vectors>(a, ioff + i, &zero, 1, many, 1,
                                           g.u(q, block) + c * width, width, sums[0]);
          for (int r = 0; r < tile_rows; ++r)
#pragma GCC unroll 4
            for (i64 t = 0; t < width; t += lanes) {
              T* to = m + (q * block_tiles + i + r) * output_chunk + column + t;
              store(to, c == 0 ? load(sums[r] + t) : load(to) + load(sums[r] + t));
            }
        }
      }
    }

    // The outputs of one tile, from its M.
    void scatter(i64 k, i64 block, i64 blocks) {
      const Correlation<T>& p = g.p_;
      const auto [n, i, j] = g.grid_.place(first + k);
      const i64 high = smaller(out, p.axis[1].out - i), wide = smaller(out, p.axis[2].out - j);
      T* y = p.y + n * p.y_image + i * p.axis[1].y + j * p.axis[2].y;
      for (i64 e = 0; e < blocks * width; e += lanes) {
        const i64 o = block * width + e;
        if (o >= p.out_channels) return;
        Vec<T> s[points][points], r[out][out];
        const T* from = m + k * output_chunk + e;
#pragma GCC unroll 6
        for (int a = 0; a < points; ++a)
#pragma GCC unroll 6
          for (int b = 0; b < points; ++b)
            s[a][b] = load(from + (a * points + b) * block_tiles * output_chunk);
        transform_output_2d<T, out>(s, r);
        const i64 left = p.out_channels - o;
        const Vec<T> bias = p.b ? load_part(p.b + o, left) : Vec<T>{};
        Vec<T> bad{};
        for (int a = 0; a < high; ++a)
          for (int b = 0; b < wide; ++b) {
            bad += (r[a][b] - r[a][b]);  // NaN where it is not finite
            Vec<T> value = r[a][b] + bias;
            if (p.relu) value = value < Vec<T>{} ? Vec<T>{} : value;
            store_part(y + a * p.axis[1].y + b * p.axis[2].y + o, value, left);
          }
        T test[lanes];
        store(test, bad);
        for (i64 l = 0; l < smaller(lanes, left); ++l)
          if (test[l] != T(0)) again(n, i, j, high, wide, o + l);
      }
    }

    // One output channel of one tile, directly.
    void again(i64 n, i64 i, i64 j, i64 high, i64 wide, i64 o) {
      const Correlation<T>& p = g.p_;
      const Axis &rows = p.axis[1], &columns = p.axis[2];
      for (i64 a = i; a < i + high; ++a)
        for (i64 b = j; b < j + wide; ++b) {
          T sum = T(0);
          for (i64 s = 0; s < TAPS; ++s)
            for (i64 t = 0; t < TAPS; ++t) {
              const i64 h = a + rows.offset[s], w = b + columns.offset[t];
              if (h < 0 || h >= rows.in || w < 0 || w >= columns.in) continue;
              const T* x = p.x + n * p.x_image + h * rows.x + w * columns.x;
              const T* tap = p.w + o * p.w_out + rows.weight[s] + columns.weight[t];
              for (i64 c = 0; c < p.in_channels; ++c) sum += x[c] * tap[c * p.w_in];
            }
          if (p.b) sum += p.b[o];
          p.y[n * p.y_image + a * rows.y + b * columns.y + o] = p.relu && sum < T(0) ? T(0) : sum;
        }
    }

    Winograd& g;
    i64 first, count, begin, end;
    T *v, *m;
    i64 ioff[block_tiles];
  };

  const Correlation<T>& p_;
  const Context& context_;
  TileGrid<T, out> grid_;
  i64 channels_, blocks_, tiles_, tile_jobs_, ranges_;
  T* u_ = nullptr;
  bool failed_ = false;
};

}  // namespace

template <class T>
bool correlate_winograd(const Correlation<T>& p, const Context& context) {
  return p.axis[1].taps == 3 ? Winograd<T, 3>(p, context).run() : Winograd<T, 5>(p, context).run();
}

PELLUCID_INSTANTIATE(correlate_winograd, Correlation)

}  // namespace pellucid::PELLUCID_ISA
