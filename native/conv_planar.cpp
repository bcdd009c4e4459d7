// grad_input for few channels of x: pixels lie along the lanes (docs/maths.md, 16).
//
//   gx[k step + rho][c] = sum over o, and the taps t of phase rho, of
//                         gy[k + shift[t]][o] w[o][c][t]
//
// A block of gy is transposed into one plane for each o, rows behind each other with zeros between
// them, so that a tap is one offset. Sums are made for each phase, and stored to its pixels of gx.
#include "jobs.hpp"
#include "planar_tile.hpp"
#include "table.hpp"
#include "transpose.hpp"

namespace pellucid::PELLUCID_ISA {
namespace {

constexpr i64 frame_bytes = 256 << 10;  // planes of one block: half of a small second cache level
constexpr i64 most_frames = 4;          // as large may one be whose rows are long
constexpr i64 most_channels = 4;        // of one pass over the planes

// One axis: pixel k step + rho of gx meets pixel k + shift of gy under the taps of phase rho.
struct Shifts {
  explicit Shifts(const Axis& axis) : axis(axis), low(of(0)), high(of(0)) {
    for (i64 t = 1; t < axis.taps; ++t) {
      low = smaller(low, of(t));
      high = larger(high, of(t));
    }
    span = high - low;
    most = divide_up(axis.in, axis.step);
  }

  i64 phase(i64 t) const { return (axis.offset[t] % axis.step + axis.step) % axis.step; }
  i64 of(i64 t) const { return (phase(t) - axis.offset[t]) / axis.step; }
  // The pixel of gy that meets pixel h of gx under tap t, or -1.
  i64 source(i64 h, i64 t) const {
    const i64 q = h / axis.step + of(t);
    return phase(t) == h % axis.step && q >= 0 && q < axis.out ? q : -1;
  }

  const Axis& axis;
  i64 low, high, span;
  i64 most;  // pixels of a phase
};

template <class T>
class Planar {
 public:
  Planar(const InputGradient<T>& p, const Context& context)
      : p_(p), context_(context), d_(p.axis[0]), h_(p.axis[1]), w_(p.axis[2]) {
    passes_ = divide_up(p.in_channels, most_channels);
    channels_ = divide_up(p.in_channels, passes_);
    taps_ = p.axis[0].taps * p.axis[1].taps * p.axis[2].taps;
    planes_ = divide_up(p.out_channels, lanes) * lanes;
    // Two rows share their loads. Both add their taps in the same order only where there is one
    // depth, and which row is the first of two must change no bit.
    rows_ = channels_ <= 2 && h_.most > 1 && p.axis[0].taps == 1 ? 2 : 1;
    cut(context.threads);
    sums_ = divide_up(high_, rows_) * pitch_ + lanes;
    // An odd number of cache lines: planes must not fall on each other's place in the cache.
    constexpr i64 line = 64 / i64(sizeof(T));
    const i64 reach = divide_up(h_.span, rows_) * pitch_ + w_.span;
    plane_ = ((sums_ + reach + lanes) / line | 1) * line + 2 * line;
  }

  bool run() {
    packed_ = static_cast<T*>(
        context_.allocate(sizeof(T) * passes_ * taps_ * p_.out_channels * channels_));
    if (!packed_) return false;
    pack();
    context_.parallel(jobs_, work, this);
    context_.release(packed_);
    return !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes;

  // Choose the blocks that cost least: products, and elements of gy to transpose, which cost about
  // as much as one. Rows of sums are run through with the zeros between them, or each to its end.
  void cut(int threads) {
    const i64 area = frame_bytes / (p_.axis[0].taps * planes_ * i64(sizeof(T)));
    const i64 sums = rows_ * channels_, most = planar_vectors(int(sums));
    i64 least = -1;
    for (i64 wide = lanes; least < 0 || wide < w_.most + lanes; wide += lanes) {
      const i64 columns = smaller(wide, w_.most), pitch = columns + w_.span;
      if (least >= 0 && pitch * (rows_ + h_.span) > most_frames * area) break;
      const i64 fitting = larger(area / pitch - h_.span, rows_);
      const i64 high = divide_up(h_.most, divide_up(h_.most, fitting));
      const i64 each = divide_up(columns, lanes), left = each % most;
      // A tile of fewer than eight accumulators waits for itself.
      const i64 by_row = each - left + (left ? larger(left, divide_up(8, sums)) : 0);
      const i64 pairs = divide_up(high, rows_), flat = divide_up(pairs * pitch, lanes);
      const i64 products = smaller(pairs * by_row, flat) * sums * passes_ * taps_;
      const i64 turned = pitch * (high + h_.span) * p_.axis[0].taps;
      const i64 cost = (products + turned) * divide_up(w_.most, columns) * divide_up(h_.most, high);
      if (least >= 0 && cost >= least) continue;
      least = cost;
      wide_ = columns;
      high_ = high;
      by_row_ = pairs * by_row < flat;
    }
    pitch_ = wide_ + w_.span;
    across_ = divide_up(w_.most, wide_);
    for (;; high_ = divide_up(high_, 2)) {
      down_ = divide_up(h_.most, high_);
      jobs_ = p_.images * p_.axis[0].in * down_ * across_;
      if (jobs_ >= 2 * threads || threads == 1 || high_ <= 2 * rows_) break;
    }
  }

  // [pass][tap][o][c], zeros past the last channel.
  void pack() {
    T* to = packed_;
    const Axis* axis = p_.axis;
    for (i64 first = 0; first < passes_ * channels_; first += channels_)
      for (i64 t = 0; t < axis[0].taps; ++t)
        for (i64 u = 0; u < axis[1].taps; ++u)
          for (i64 v = 0; v < axis[2].taps; ++v) {
            const T* from = p_.w + axis[0].weight[t] + axis[1].weight[u] + axis[2].weight[v];
            for (i64 o = 0; o < p_.out_channels; ++o)
              for (i64 c = first; c < first + channels_; ++c)
                *to++ = c < p_.in_channels ? from[o * p_.w_out + c * p_.w_in] : T(0);
          }
  }

  static void work(void* self, i64 k) {
    auto& g = *static_cast<Planar*>(self);
    Job job(g, k);
    if (!job.frame) {
      g.failed_.raise();
      return;
    }
    job.run();
    g.context_.release(job.frame);
  }

  // Which part of gx a job makes: image n, depth d, and pixels of all phases from (top, left) on.
  struct Place {
    Place(const Planar& g, i64 k) {
      left = k % g.across_ * g.wide_;
      top = k / g.across_ % g.down_ * g.high_;
      d = k / (g.across_ * g.down_) % g.p_.axis[0].in;
      n = k / (g.across_ * g.down_) / g.p_.axis[0].in;
    }
    i64 n, d, top, left;
  };

  struct Job {
    Job(Planar& g, i64 k) : g(g), p(g.p_), place(g, k) {
      wide = smaller(g.wide_, g.w_.most - place.left);
      high = smaller(g.high_, g.h_.most - place.top);
      depths = 0;
      for (i64 t = 0; t < p.axis[0].taps; ++t) depths += g.d_.source(place.d, t) >= 0;
      const i64 planes = depths * g.rows_ * g.planes_ * g.plane_;
      const i64 out = g.rows_ * g.channels_ * g.sums_;
      frame = static_cast<T*>(
          g.context_.allocate(sizeof(T) * (planes + out) + sizeof(Tap) * 2 * g.taps_ + 64));
      sums = frame + planes;
      tap = reinterpret_cast<Tap*>((reinterpret_cast<std::uintptr_t>(sums + out) + 63) &
                                   ~std::uintptr_t(63));
      if (k + 1 < g.jobs_) look_ahead(Place(g, k + 1));
    }

    void run() {
      i64 k = 0;
      for (i64 t = 0; t < p.axis[0].taps; ++t)
        if (const i64 q = g.d_.source(place.d, t); q >= 0) fill(q, k++);
      for (i64 a = 0; a < smaller(p.axis[1].step, p.axis[1].in); ++a)
        for (i64 b = 0; b < smaller(p.axis[2].step, p.axis[2].in); ++b) phase(a, b, find(a, b));
    }

    // Fetch the gy of the next job, spread over the products of this one.
    void look_ahead(const Place& next) {
      const i64 r0 = larger(0, next.top + g.h_.low), v0 = larger(0, next.left + g.w_.low);
      const i64 r1 = smaller(p.axis[1].out, next.top + g.high_ + g.h_.high);
      const i64 v1 = smaller(p.axis[2].out, next.left + g.wide_ + g.w_.high);
      i64 q = -1;  // the last depth is the one that is new
      for (i64 t = 0; t < p.axis[0].taps; ++t) q = larger(q, g.d_.source(next.d, t));
      if (r0 >= r1 || v0 >= v1 || q < 0) return;
      const T* gy = p.gy + next.n * p.gy_image + q * p.axis[0].y + r0 * p.axis[1].y;
      ahead.row = ahead.at = reinterpret_cast<const char*>(gy + v0 * p.axis[2].y);
      ahead.stride = p.axis[1].y * i64(sizeof(T));
      ahead.bytes = ((v1 - v0 - 1) * p.axis[2].y + p.out_channels) * i64(sizeof(T));
      ahead.rows = r1 - r0;
      const i64 vectors = divide_up(high, g.rows_) * g.pitch_ / lanes + 1;
      const i64 tiles = divide_up(vectors, planar_vectors(int(g.rows_ * g.channels_)));
      const i64 steps = tiles * g.passes_ * g.taps_ * divide_up(p.out_channels, tile_planes);
      ahead.lines = divide_up(ahead.rows * ahead.bytes / 64, steps);
    }

    // Where row r of the planes of the k-th depth begins.
    i64 row_at(i64 k, i64 r) const {
      return (k * g.rows_ + r % g.rows_) * g.planes_ * g.plane_ + r / g.rows_ * g.pitch_;
    }

    // The rows of gy at depth q that the block reads, transposed.
    void fill(i64 q, i64 k) {
      const T* gy = p.gy + place.n * p.gy_image + q * p.axis[0].y;
      for (i64 r = 0; r < high + g.h_.span; ++r) {
        const i64 h = place.top + g.h_.low + r;
        const i64 there = h >= 0 && h < p.axis[1].out ? p.axis[2].out : 0;
        const PixelRow<T> row{gy + h * p.axis[1].y, p.axis[2].y, there, p.out_channels};
        transpose_row<T>(row, place.left + g.w_.low, g.pitch_, frame + row_at(k, r), g.plane_,
                         p.axis[1].y);
      }
    }

    // The taps of phase (a, b), sorted by which rows of a tile they reach.
    Taps find(i64 a, i64 b) {
      i64 count[3];
      Tap* to = tap;
      for (int kind = 0; kind < 3; ++kind) {
        const Tap* begin = to;
        i64 k = 0;
        for (i64 t = 0; t < p.axis[0].taps; ++t) {
          if (g.d_.source(place.d, t) < 0) continue;
          for (i64 r = 0; r < g.h_.span + g.rows_; ++r) {
            const i64 u0 = tap_at(r, a), u1 = g.rows_ == 1 ? u0 : tap_at(r - 1, a);
            if (kind != (u1 < 0 ? 0 : u0 < 0 ? 2 : 1) || (u0 < 0 && u1 < 0)) continue;
            for (i64 v = 0; v < p.axis[2].taps; ++v)
              if (g.w_.phase(v) == b)
                *to++ = {row_at(k, r) + g.w_.of(v) - g.w_.low,
                         {weight(t, u0, v), weight(t, u1, v)}};
          }
          ++k;
        }
        count[kind] = to - begin;
      }
      return {tap, count[0], count[1], count[2]};
    }

    // The tap of phase `a` that meets row r of the block, or -1.
    i64 tap_at(i64 r, i64 a) const {
      for (i64 u = 0; u < p.axis[1].taps; ++u)
        if (g.h_.phase(u) == a && g.h_.of(u) - g.h_.low == r) return u;
      return -1;
    }

    i64 weight(i64 t, i64 u, i64 v) const {
      const i64 k = (t * p.axis[1].taps + larger(u, 0)) * p.axis[2].taps + v;
      return k * p.out_channels * g.channels_;
    }

    void phase(i64 a, i64 b, const Taps& taps) {
      for (i64 k = 0; k < g.passes_; ++k) {
        if (g.rows_ == 2)
          g.channels_ == 1 ? pass<2, 1>(a, b, k, taps) : pass<2, 2>(a, b, k, taps);
        else if (g.channels_ < 3)
          g.channels_ == 1 ? pass<1, 1>(a, b, k, taps) : pass<1, 2>(a, b, k, taps);
        else
          g.channels_ == 3 ? pass<1, 3>(a, b, k, taps) : pass<1, 4>(a, b, k, taps);
      }
    }

    // C channels of phase (a, b).
    template <int M, int C>
    void pass(i64 a, i64 b, i64 k, const Taps& taps) {
      const T* w = g.packed_ + k * g.taps_ * p.out_channels * C;
      const Planes<T> planes{frame, g.plane_,    p.out_channels, w,     taps,
                             sums,  C * g.sums_, g.sums_,        &ahead};
      const i64 count = divide_up(high, M);
      if (g.by_row_)
        for (i64 r = 0; r < count; ++r)
          planar_tiles<T, M, C>(planes, r * g.pitch_, r * g.pitch_ + wide);
      else
        planar_tiles<T, M, C>(planes, 0, count * g.pitch_);
      const Axis &rows = p.axis[1], &columns = p.axis[2];
      const i64 many = smaller(wide, divide_up(columns.in - b, columns.step) - place.left);
      T* gx = p.gx + place.n * p.gx_image + place.d * p.axis[0].x +
              (place.left * columns.step + b) * columns.x + k * C;
      for (i64 r = 0; r < high && (place.top + r) * rows.step + a < rows.in; ++r)
        interleave<C>(sums + r % M * C * g.sums_ + r / M * g.pitch_, many,
                      smaller(C, p.in_channels - k * C), columns.step * columns.x,
                      gx + ((place.top + r) * rows.step + a) * rows.x);
    }

    // to[q * step + c] = from[c][q]
    template <int C>
    void interleave(const T* from, i64 many, i64 channels, i64 step, T* to) const {
      if (C == 1 && step == 1) {
        for (i64 q = 0; q < many; ++q) to[q] = from[q];
      } else if (channels == C) {
        for (i64 q = 0; q < many; ++q)
#pragma GCC unroll 4
          for (int c = 0; c < C; ++c) to[q * step + c] = from[c * g.sums_ + q];
      } else {
        for (i64 q = 0; q < many; ++q)
          for (i64 c = 0; c < channels; ++c) to[q * step + c] = from[c * g.sums_ + q];
      }
    }

    Planar& g;
    const InputGradient<T>& p;
    Place place;
    i64 wide, high, depths;
    T *frame, *sums;
    Tap* tap;
    RowsAhead ahead{};
  };

  const InputGradient<T>& p_;
  const Context& context_;
  Shifts d_, h_, w_;
  i64 passes_, channels_, taps_, planes_, rows_;
  i64 wide_ = 0, high_ = 0, pitch_, across_, down_, jobs_, sums_, plane_;
  bool by_row_ = false;
  T* packed_ = nullptr;
  Flag failed_;
};

}  // namespace

template <class T>
bool grad_input_planar(const InputGradient<T>& p, const Context& context) {
  return Planar<T>(p, context).run();
}

PELLUCID_INSTANTIATE(grad_input_planar, InputGradient)

}  // namespace pellucid::PELLUCID_ISA
