// Each window, or each element of gx, is one pass over what it is made of, for as many channels at
// a time as there are in a few vectors. So whatever is written is written once.
#include "pooling.hpp"

#include "jobs.hpp"
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Elements of x in a job, about: they stay in the second cache.
constexpr i64 run = 32768;

// As many integers as `Chosen` has from bytes, and back. GCC 12 would convert most of them one by
// one.
template <int L, class Chosen>
PELLUCID_INLINE Chosen widened(const Tap* p) {
  typedef Tap Bytes __attribute__((vector_size(L)));
  Bytes bytes;
  __builtin_memcpy(&bytes, p, L);
#if defined(__AVX2__)
  std::uint64_t low = 0;
  __builtin_memcpy(&low, p, L < 8 ? L : 8);
  const __m128i few = _mm_set1_epi64x(i64(low));
  constexpr int size = sizeof(Chosen) / L;
  if constexpr (L == 2) return (Chosen)_mm_cvtepu8_epi64(few);
  if constexpr (L == 4 && size == 4) return (Chosen)_mm_cvtepu8_epi32(few);
  if constexpr (L == 4 && size == 8) return (Chosen)_mm256_cvtepu8_epi64(few);
  if constexpr (L == 8 && size == 4) return (Chosen)_mm256_cvtepu8_epi32(few);
#if defined(__AVX512F__)
  if constexpr (L == 8 && size == 8) return (Chosen)_mm512_maskz_cvtepu8_epi64(-1, few);
  if constexpr (L == 16) return (Chosen)_mm512_maskz_cvtepu8_epi32(-1, (__m128i)bytes);
#endif
#endif
  return __builtin_convertvector(bytes, Chosen);
}

template <int L, class Chosen>
PELLUCID_INLINE void store_narrowed(Tap* p, Chosen taps) {
  typedef Tap Bytes __attribute__((vector_size(L)));
#if defined(__AVX2__)
  if constexpr (L == 8 && sizeof(Chosen) == 32) {
    const __m256i all = (__m256i)taps;
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
    return;
  }
#endif
  const Bytes bytes = __builtin_convertvector(taps, Bytes);
  __builtin_memcpy(p, &bytes, L);
}

// L channels side by side, and the tap that each of them chose.
template <class T, int L>
struct Part {
  typedef T Value __attribute__((vector_size(L * sizeof(T))));
  typedef T Memory __attribute__((vector_size(L * sizeof(T)), aligned(alignof(T)), may_alias));
  typedef decltype(typename Mask<T>::Type{}[0] + 0) Integer;
  typedef Integer Chosen __attribute__((vector_size(L * sizeof(T))));

  static PELLUCID_INLINE Value load(const T* p) { return *reinterpret_cast<const Memory*>(p); }
  static PELLUCID_INLINE void store(T* p, Value v) { *reinterpret_cast<Memory*>(p) = v; }
  static PELLUCID_INLINE Chosen load(const Tap* p) { return widened<L, Chosen>(p); }
  static PELLUCID_INLINE void store(Tap* p, Chosen taps) { store_narrowed<L>(p, taps); }
  // x in place of `best` where it is larger or NaN, and so its tap.
  template <bool with_taps>
  static PELLUCID_INLINE void meet(Value x, Chosen tap, Value& best, Chosen& chosen) {
    const Chosen better = (x > best) | (x != x);
    best = better ? x : best;
    if constexpr (with_taps) chosen = better ? tap : chosen;
  }
  static PELLUCID_INLINE Value keep(Value g, Chosen taps, Chosen tap) {
    return taps == tap ? g : Value{};
  }
};

// The same for one channel, without a branch that its values decide.
template <class T>
struct Part<T, 1> {
  typedef T Value;
  typedef decltype(typename Mask<T>::Type{}[0] + 0) Chosen;

  static PELLUCID_INLINE Value load(const T* p) { return *p; }
  static PELLUCID_INLINE void store(T* p, Value v) { *p = v; }
  static PELLUCID_INLINE Chosen load(const Tap* p) { return *p; }
  static PELLUCID_INLINE void store(Tap* p, Chosen tap) { *p = Tap(tap); }
  template <bool with_taps>
  static PELLUCID_INLINE void meet(Value x, Chosen tap, Value& best, Chosen& chosen) {
    if (__builtin_expect(x != x, 0)) {
      best = x;
      chosen = tap;
    }
    Chosen larger = -Chosen(x > best);
    __asm__("" : "+r"(larger));  // or compilers see through it, and branch
    if constexpr (with_taps) chosen ^= (chosen ^ tap) & larger;
    best = x > best ? x : best;
  }
  static PELLUCID_INLINE Value keep(Value g, Chosen taps, Chosen tap) {
    Chosen bits;
    __builtin_memcpy(&bits, &g, sizeof(T));
    bits &= -Chosen(taps == tap);
    __builtin_memcpy(&g, &bits, sizeof(T));
    return g;
  }
};

template <int n>
struct Number {
  static constexpr int value = n;
};

// work(Number<L>) for the widest part that so many channels fill.
template <class T, class Work>
PELLUCID_INLINE void with_lanes(i64 channels, Work work) {
  constexpr int all = Simd<T>::lanes, few = 16 / int(sizeof(T));
  if (channels >= all)
    work(Number<all>{});
  else if (channels >= few)
    work(Number<few>{});
  else
    work(Number<1>{});
}

// work(Number<B>, c) for B parts of L channels from c on, which cover all; the last lies over the
// one before, rather than past the end.
template <int L, class Work>
PELLUCID_INLINE void each_part(i64 channels, Work work) {
  i64 c = 0;
  for (; c + 4 * L <= channels; c += 4 * L) work(Number<4>{}, c);
  for (; c + 2 * L <= channels; c += 2 * L) work(Number<2>{}, c);
  for (; c + L <= channels; c += L) work(Number<1>{}, c);
  if (c < channels) work(Number<1>{}, channels - L);
}

// work(image, begin, end) for lines of every image, in jobs that depend on the sizes alone.
template <class Work>
PELLUCID_INLINE void each_line(const Pool& p, i64 lines, const Context& context, Work work) {
  const i64 size = p.rows.in * p.columns.in * p.channels / (lines > 0 ? lines : 1);
  const i64 some = size < run ? run / (size > 0 ? size : 1) : 1;
  const i64 chunks = (lines + some - 1) / some;
  auto job = [&](i64 k) {
    const i64 begin = k % chunks * some, end = begin + some;
    work(k / chunks, begin, end < lines ? end : lines);
  };
  each_job(p.images * chunks, job, context);
}

// The elements of one window: `at` is the first, of the first of its channels.
template <class T>
struct Elements {
  const T* at;
  i64 rows, columns, row, column;
  i64 tap, kernel_row;  // of the first one; and by how much the next row's differs
};

template <class T>
PELLUCID_INLINE Elements<T> elements(const Pool& p, const T* image, i64 i, i64 j) {
  const Window &row = p.rows.windows[i], &column = p.columns.windows[j];
  const i64 line = p.columns.in * p.channels;
  return {image + row.element * line + column.element * p.channels,
          row.taps,
          column.taps,
          p.rows.dilation * line,
          p.columns.dilation * p.channels,
          row.tap * p.columns.kernel + column.tap,
          p.columns.kernel};
}

// The largest of a window that is not empty, for B parts, and at which tap it is; load(p) is a part
// of x.
template <class T, int L, int B, bool with_taps, class Load>
PELLUCID_INLINE void largest_of(const Elements<T>& w, i64 c, T* y, Tap* taps, Load load) {
  using P = Part<T, L>;
  typename P::Value best[B];
  typename P::Chosen chosen[B];
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) {
    best[b] = load(w.at + c + b * L);
    chosen[b] = int(w.tap) - typename P::Chosen{};
  }
  for (i64 u = 0; u < w.rows; ++u) {
    const i64 first = u == 0;  // which `best` is already
    const T* from = w.at + c + u * w.row + first * w.column;
    typename P::Chosen tap = int(w.tap + u * w.kernel_row + first) - typename P::Chosen{};
    for (i64 v = first; v < w.columns; ++v, from += w.column, tap += 1)
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b)
        P::template meet<with_taps>(load(from + b * L), tap, best[b], chosen[b]);
  }
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) {
    P::store(y + c + b * L, best[b]);
    if constexpr (with_taps) P::store(taps + c + b * L, chosen[b]);
  }
}

// The largest of as many windows as fill a part, from window j of a line of one channel on: true
// where none of them hangs over an end.
template <class T, bool with_taps>
PELLUCID_INLINE bool largest_of_windows(const Pool& p, const Elements<T>& w, i64 j, T* y,
                                        Tap* taps) {
  constexpr int L = 16 / int(sizeof(T));
  using P = Part<T, L>;
  const PoolAxis& axis = p.columns;
  if (j + L > axis.out || axis.windows[j].taps < axis.kernel) return false;
  if (axis.windows[j + L - 1].taps < axis.kernel) return false;
  const i64 step = axis.windows[j + 1].element - axis.windows[j].element;
  largest_of<T, L, 1, with_taps>(w, 0, y, taps, [=](const T* from) {
    T of_windows[L];
#pragma GCC unroll 4
    for (int l = 0; l < L; ++l) of_windows[l] = from[l * step];
    return P::load(of_windows);
  });
  return true;
}

template <class T, int L, bool with_taps>
void largest_lines(const Pool& p, const T* x, T* y, Tap* taps, i64 image, i64 begin, i64 end) {
  const i64 C = p.channels, none = p.rows.kernel * p.columns.kernel;
  const T* from = x + image * p.rows.in * p.columns.in * C;
  i64 at = (image * p.rows.out + begin) * p.columns.out * C;
  for (i64 i = begin; i < end; ++i)
    for (i64 j = 0; j < p.columns.out; ++j, at += C) {
      const Elements<T> w = elements(p, from, i, j);
      if (w.rows == 0 || w.columns == 0) {
        for (i64 c = 0; c < C; ++c) {
          y[at + c] = -T(__builtin_inf());
          if (with_taps) taps[at + c] = Tap(none);
        }
        continue;
      }
      if (L == 1 && C == 1 && largest_of_windows<T, with_taps>(p, w, j, y + at, taps + at)) {
        constexpr i64 more = 16 / i64(sizeof(T)) - 1;
        j += more;
        at += more;
        continue;
      }
      const auto each = [&](const Elements<T>& window) {
        each_part<L>(C, [&](auto B, i64 c) {
          largest_of<T, L, decltype(B)::value, with_taps>(
              window, c, y + at, taps + at, [](const T* part) { return Part<T, L>::load(part); });
        });
      };
      if (w.rows == 2 && w.columns == 2)  // the most common ones, without loops
        each({w.at, 2, 2, w.row, w.column, w.tap, w.kernel_row});
      else
        each(w);
    }
}

template <class T>
void largest(const Pool& p, const T* x, T* y, Tap* taps, const Context& context) {
  with_lanes<T>(p.channels, [&](auto lanes) {
    constexpr int L = decltype(lanes)::value;
    each_line(p, p.rows.out, context, [&](i64 image, i64 begin, i64 end) {
      if (taps)
        largest_lines<T, L, true>(p, x, y, taps, image, begin, end);
      else
        largest_lines<T, L, false>(p, x, y, taps, image, begin, end);
    });
  });
}

// The sum of gy over the windows that have an element, only of those that chose it `by_taps`.
template <class T, int L, bool by_taps>
void spread_lines(const Pool& p, const T* gy, const Tap* taps, T* gx, i64 image, i64 begin,
                  i64 end) {
  using P = Part<T, L>;
  const i64 C = p.channels, line = p.columns.out * C;
  gy += image * p.rows.out * line;
  if (by_taps) taps += image * p.rows.out * line;
  gx += (image * p.rows.in + begin) * p.columns.in * C;
  for (i64 h = begin; h < end; ++h) {
    const Place* rows = p.rows.places + p.rows.first_place[h];
    const Place* rows_end = p.rows.places + p.rows.first_place[h + 1];
    for (i64 w = 0; w < p.columns.in; ++w, gx += C) {
      const Place* columns = p.columns.places + p.columns.first_place[w];
      const Place* columns_end = p.columns.places + p.columns.first_place[w + 1];
      each_part<L>(C, [&](auto count, i64 c) {
        constexpr int B = decltype(count)::value;
        typename P::Value sum[B] = {};
        for (const Place* row = rows; row < rows_end; ++row)
          for (const Place* column = columns; column < columns_end; ++column) {
            const i64 at = row->window * line + column->window * C + c;
            const auto tap = int(row->tap * p.columns.kernel + column->tap) - typename P::Chosen{};
#pragma GCC unroll 4
            for (int b = 0; b < B; ++b) {
              const typename P::Value g = P::load(gy + at + b * L);
              if constexpr (by_taps)
                sum[b] += P::keep(g, P::load(taps + at + b * L), tap);
              else
                sum[b] += g;
            }
          }
#pragma GCC unroll 4
        for (int b = 0; b < B; ++b) P::store(gx + c + b * L, sum[b]);
      });
    }
  }
}

// The same of an image with few channels, the other way about: each gy goes to one element.
template <class T>
void scatter_image(const Pool& p, const T* gy, const Tap* taps, T* gx, i64 image) {
  const i64 C = p.channels, size = p.rows.in * p.columns.in * C;
  const unsigned KW = unsigned(p.columns.kernel), none = unsigned(p.rows.kernel) * KW;
  i64 at = image * p.rows.out * p.columns.out * C;
  gx += image * size;
  __builtin_memset(gx, 0, size * sizeof(T));
  for (i64 i = 0; i < p.rows.out; ++i)
    for (i64 j = 0; j < p.columns.out; ++j) {
      const Window &row = p.rows.windows[i], &column = p.columns.windows[j];
      for (i64 c = 0; c < C; ++c, ++at) {
        const unsigned tap = taps[at];
        if (tap == none) continue;
        const i64 h = row.element + (i64(tap / KW) - row.tap) * p.rows.dilation;
        const i64 w = column.element + (i64(tap % KW) - column.tap) * p.columns.dilation;
        gx[(h * p.columns.in + w) * C + c] += gy[at];
      }
    }
}

template <class T, bool by_taps>
void spread(const Pool& p, const T* gy, const Tap* taps, T* gx, const Context& context) {
  if (by_taps && p.channels < 16 / i64(sizeof(T))) {
    auto job = [&](i64 image) { scatter_image(p, gy, taps, gx, image); };
    each_job(p.images, job, context);
    return;
  }
  with_lanes<T>(p.channels, [&](auto lanes) {
    each_line(p, p.rows.in, context, [&](i64 image, i64 begin, i64 end) {
      spread_lines<T, decltype(lanes)::value, by_taps>(p, gy, taps, gx, image, begin, end);
    });
  });
}

// Sums of rows, and then their sum: the error grows with the sides of a large window only.
template <class T, int L, int B>
PELLUCID_INLINE void mean_of(const Elements<T>& w, i64 c, T divisor, T* y) {
  using P = Part<T, L>;
  typename P::Value sum[B] = {};
  for (i64 u = 0; u < w.rows; ++u) {
    const T* from = w.at + c + u * w.row;
    typename P::Value of_row[B] = {};
    for (i64 v = 0; v < w.columns; ++v, from += w.column)
#pragma GCC unroll 4
      for (int b = 0; b < B; ++b) of_row[b] += P::load(from + b * L);
#pragma GCC unroll 4
    for (int b = 0; b < B; ++b) sum[b] += of_row[b];
  }
#pragma GCC unroll 4
  for (int b = 0; b < B; ++b) P::store(y + c + b * L, sum[b] / divisor);
}

template <class T>
void mean(const Pool& p, const T* x, const i64* divisor, T* y, const Context& context) {
  const i64 C = p.channels;
  with_lanes<T>(C, [&](auto lanes) {
    constexpr int L = decltype(lanes)::value;
    each_line(p, p.rows.out, context, [&](i64 image, i64 begin, i64 end) {
      const T* from = x + image * p.rows.in * p.columns.in * C;
      for (i64 i = begin; i < end; ++i)
        for (i64 j = 0; j < p.columns.out; ++j) {
          const Elements<T> w = elements(p, from, i, j);
          const i64 window = i * p.columns.out + j;
          T* to = y + (image * p.rows.out * p.columns.out + window) * C;
          each_part<L>(C, [&](auto B, i64 c) {
            mean_of<T, L, decltype(B)::value>(w, c, T(divisor[window]), to);
          });
        }
    });
  });
}

template <class T>
bool mean_gradient(const Pool& p, const T* gy, const i64* divisor, T* gx, const Context& context) {
  const i64 C = p.channels, windows = p.rows.out * p.columns.out;
  T* scaled = static_cast<T*>(context.allocate(p.images * windows * C * sizeof(T)));
  if (!scaled) return false;
  each_line(p, p.rows.out, context, [&](i64 image, i64 begin, i64 end) {
    for (i64 window = begin * p.columns.out; window < end * p.columns.out; ++window) {
      const i64 at = (image * windows + window) * C;
      const T over = T(divisor[window]);
      for (i64 c = 0; c < C; ++c) scaled[at + c] = gy[at + c] / over;
    }
  });
  spread<T, false>(p, scaled, nullptr, gx, context);
  context.release(scaled);
  return true;
}

}  // namespace

template <class T>
const Pooling<T> TableOf<T>::pooling = {largest<T>, spread<T, true>, mean<T>, mean_gradient<T>};

template const Pooling<float> TableOf<float>::pooling;
template const Pooling<double> TableOf<double>::pooling;

}  // namespace pellucid::PELLUCID_ISA
