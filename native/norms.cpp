// Batch normalisation: the statistics of each channel in one pass over x, the result in another;
// the sums behind the gradients of weight and bias in one pass, the gradient of x in another. The
// second pass goes backwards: what the first one met last still lies in the caches.
//
// Channels lie side by side, and few channels do not fill vectors. So pixels are taken together as
// one line, whose elements have sums of their own, until the sums of a job are folded into those of
// the channels. The elements of eight lines are added in the precision of x, which rounds them once
// more as they themselves are rounded; all else is float64: the sums of a job, then those of all
// jobs in their order. One pass reads memory as fast as it comes only if it does little else: a
// sum in float64 costs more than all that is done to an element.
#include "norms.hpp"

#include "jobs.hpp"
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Elements of a job.
constexpr i64 run = 32768;
constexpr i64 least_width = 256;

template <int lines>
struct Together {
  static constexpr int count = lines;
};
using One = Together<1>;
using Eight = Together<8>;

// Rows of channels as lines of `width` elements; the last line may be shorter.
struct Lines {
  i64 rows, channels, repeat, width, each, jobs;  // `each`: lines of a job

  Lines(i64 rows, i64 channels) : rows(rows), channels(channels) {
    repeat = (least_width + channels - 1) / channels;
    while (repeat * channels % 16) ++repeat;  // whole vectors
    if (repeat > rows) repeat = rows;         // one line
    width = repeat * channels;
    // At least so many rows that the sums of jobs are few beside their elements.
    each = run / width > 32 / repeat ? run / width : 32 / repeat;
    if (each < 1) each = 1;
    jobs = (rows * channels + each * width - 1) / (each * width);
  }

  // Memory for one number for each element, of which vectors reach over the end.
  i64 padded() const { return width + 16; }

  // Rows of job k.
  i64 rows_of(i64 k) const {
    const i64 most = each * repeat, left = rows - k * most;
    return left < most ? left : most;
  }

  // work(Eight{}, first, count) for each eight whole lines of job k, then work(One{}, first, count)
  // for each line that is left.
  template <class Work>
  PELLUCID_INLINE void each_line(i64 k, Work work) const {
    each_line(k, rows_of(k), work);
  }

  // The same for the first `some` rows of job k.
  template <class Work>
  PELLUCID_INLINE void each_line(i64 k, i64 some, Work work) const {
    i64 e = k * each * width;
    const i64 end = e + some * channels;
    for (; e + 8 * width <= end; e += 8 * width) work(Eight{}, e, width);
    for (; e < end; e += width) work(One{}, e, end - e < width ? end - e : width);
  }

  // Asks for what lies eight lines behind: so many streams come late by themselves. It pays where
  // there is enough to compute meanwhile, and not where y or the gradient of a residual moves too.
  template <class T>
  PELLUCID_INLINE void ask_ahead(const T* at) const {
    __builtin_prefetch(at + 8 * width);
  }

  // value(c) for each channel -> for each element of a line.
  template <class T, class Value>
  void spread(Value value, T* line) const {
    for (i64 r = 0; r < repeat; ++r)
      for (i64 c = 0; c < channels; ++c) line[r * channels + c] = T(value(c));
  }

  // The sums of the elements of a line -> those of channels.
  void fold(const double* line, double* sum) const {
    for (i64 c = 0; c < channels; ++c) sum[c] = 0;
    for (i64 r = 0; r < repeat; ++r)
      for (i64 c = 0; c < channels; ++c) sum[c] += line[r * channels + c];
  }
};

void clear(double* sum, i64 count) {
  for (i64 e = 0; e < count; ++e) sum[e] = 0;
}

// A vector of elements of a line from e on, or the part of one at the end of a line.
template <class T>
struct Whole {
  i64 e;
  PELLUCID_INLINE Vec<T> load(const T* line) const { return PELLUCID_ISA::load(line + e); }
  PELLUCID_INLINE void store(T* line, Vec<T> v) const { PELLUCID_ISA::store(line + e, v); }
};

template <class T>
struct Part {
  i64 e, left;
  PELLUCID_INLINE Vec<T> load(const T* line) const { return load_part(line + e, left); }
  PELLUCID_INLINE void store(T* line, Vec<T> v) const { store_part(line + e, v, left); }
};

// Lines that are taken together are made of whole vectors.
template <class T, class Lines, class Work>
PELLUCID_INLINE void each_vector(Lines, i64 count, Work work) {
  i64 e = 0;
  for (; e + Simd<T>::lanes <= count; e += Simd<T>::lanes) work(Whole<T>{e});
  if constexpr (Lines::count == 1)
    if (e < count) work(Part<T>{e, count - e});
}

// Sums over the lines that are taken together: of values, or of products.
template <class T, class Lines, class Value>
PELLUCID_INLINE Vec<T> sum_of(Lines, Value value) {
  Vec<T> sum[2]{};
#pragma GCC unroll 8
  for (int l = 0; l < Lines::count; ++l) sum[l % 2] = l < 2 ? value(l) : sum[l % 2] + value(l);
  return sum[0] + sum[1];
}

// Memory for one call, in doubles.
class Workspace {
 public:
  Workspace(i64 count, const Context& context)
      : context_(context),
        begin_(static_cast<double*>(context.allocate(std::size_t(count) * sizeof(double)))),
        next_(begin_) {}
  ~Workspace() { context_.release(begin_); }
  Workspace(const Workspace&) = delete;

  bool failed() const { return !begin_; }

  template <class T>
  T* take(i64 count) {
    T* taken = reinterpret_cast<T*>(next_);
    next_ += count;
    return taken;
  }

 private:
  const Context& context_;
  double *begin_, *next_;
};

// The sum of each element of the lines of the first `some` rows of job k.
template <class T>
void sum_lines(const T* x, const Lines& lines, i64 k, i64 some, double* line) {
  clear(line, lines.padded());
  lines.each_line(k, some, [&](auto together, i64 first, i64 count) __attribute__((always_inline)) {
    each_vector<T>(together, count, [&](auto at) __attribute__((always_inline)) {
      add_to(line + at.e, sum_of<T>(together, [&](i64 l) __attribute__((always_inline)) {
               return at.load(x + first + l * lines.width);
             }));
    });
  });
}

// A job takes the distances from the mean of its first lines, so that few digits cancel: among n
// values, no mean of m of them is more than sqrt(n / m) standard deviations from that of all. With
// M values in all, sum (x - mean)^2 = sum over jobs of sum (x - own)^2 + n (own - mean)^2.
template <class T>
void job_statistics(const T* x, const Lines& lines, i64 k, double* own) {
  double *squares = own + lines.channels, *line = squares + lines.channels;
  double* square_line = line + lines.padded();
  T* center = reinterpret_cast<T*>(square_line + lines.padded());
  const i64 rows = lines.rows_of(k), some = rows < 8 * lines.repeat ? rows : 8 * lines.repeat;
  sum_lines(x, lines, k, some, line);
  lines.fold(line, own);
  // From zero where there is no such mean.
  lines.spread([&](i64 c) { return own[c] - own[c] == 0 ? own[c] / double(some) : 0; }, center);
  clear(line, 2 * lines.padded());
  lines.each_line(k, [&](auto together, i64 first, i64 count) __attribute__((always_inline)) {
    each_vector<T>(together, count, [&](auto at) __attribute__((always_inline)) {
      const Vec<T> from = at.load(center);
      Vec<T> sum[2]{}, square[2]{};
#pragma GCC unroll 8
      for (int l = 0; l < together.count; ++l) {
        const T* line = x + first + l * lines.width;
        lines.ask_ahead(line + at.e);
        const Vec<T> distance = at.load(line) - from;
        sum[l % 2] = l < 2 ? distance : sum[l % 2] + distance;
        square[l % 2] = l < 2 ? distance * distance : fma(distance, distance, square[l % 2]);
      }
      add_to(line + at.e, sum[0] + sum[1]);
      add_to(square_line + at.e, square[0] + square[1]);
    });
  });
  const double n = double(rows);
  lines.fold(line, own);
  lines.fold(square_line, squares);
  for (i64 c = 0; c < lines.channels; ++c) {
    const double off = own[c] / n;
    squares[c] -= n * off * off;
    own[c] = double(center[c]) + off;
  }
}

// The sum of each channel, where work(lines, k, line) sums the elements of the lines of job k.
template <class T, class Work>
bool sums_by(Work work, i64 rows, i64 channels, T* sum, const Context& context) {
  const Lines lines(rows, channels);
  const i64 per_job = channels + lines.padded();
  Workspace workspace(lines.jobs * per_job + channels, context);
  if (workspace.failed()) return false;
  double* parts = workspace.take<double>(lines.jobs * per_job);
  const auto job = [=](i64 k) {
    double *own = parts + k * per_job, *line = own + channels;
    work(lines, k, line);
    lines.fold(line, own);
  };
  each_job(lines.jobs, job, context);
  double* total = workspace.take<double>(channels);
  clear(total, channels);
  for (i64 k = 0; k < lines.jobs; ++k)
    for (i64 c = 0; c < channels; ++c) total[c] += parts[k * per_job + c];
  for (i64 c = 0; c < channels; ++c) sum[c] = T(total[c]);
  return true;
}

template <class T>
bool sums(const T* x, i64 rows, i64 channels, T* sum, const Context& context) {
  const auto work = [=](const Lines& lines, i64 k, double* line) {
    sum_lines(x, lines, k, lines.rows_of(k), line);
  };
  return sums_by(work, rows, channels, sum, context);
}

template <class T>
bool relu_gradient_sums(const T* gy, const T* y, T* gx, i64 rows, i64 channels, T* sum,
                        const Context& context) {
  const auto work = [=](const Lines& lines, i64 k, double* line) {
    clear(line, lines.padded());
    lines.each_line(k, [&](auto together, i64 first, i64 count) __attribute__((always_inline)) {
      each_vector<T>(together, count, [&](auto at) __attribute__((always_inline)) {
        add_to(line + at.e, sum_of<T>(together, [&](i64 l) __attribute__((always_inline)) {
                 const i64 e = first + l * lines.width;
                 lines.ask_ahead(y + e + at.e);
                 lines.ask_ahead(gy + e + at.e);
                 const Vec<T> g = at.load(y + e) <= 0 ? Vec<T>{} : at.load(gy + e);
                 at.store(gx + e, g);
                 return g;
               }));
      });
    });
  };
  return sums_by(work, rows, channels, sum, context);
}

template <class T>
bool statistics(const T* x, i64 rows, i64 channels, T eps, T* mean, T* variance, T* scale,
                const Context& context) {
  const Lines lines(rows, channels);
  const i64 per_job = 2 * channels + 3 * lines.padded();
  Workspace workspace(lines.jobs * per_job + 2 * channels, context);
  if (workspace.failed()) return false;
  double* sums = workspace.take<double>(lines.jobs * per_job);
  each_job(lines.jobs, [=](i64 k) { job_statistics(x, lines, k, sums + k * per_job); }, context);
  const double M = double(rows);
  double *total = workspace.take<double>(channels), *squares = workspace.take<double>(channels);
  clear(total, 2 * channels);
  for (i64 k = 0; k < lines.jobs; ++k) {
    const double *own = sums + k * per_job, part = double(lines.rows_of(k)) / M;
    for (i64 c = 0; c < channels; ++c) total[c] += part * own[c];
  }
  for (i64 k = 0; k < lines.jobs; ++k) {
    const double *own = sums + k * per_job, n = double(lines.rows_of(k));
    for (i64 c = 0; c < channels; ++c) {
      const double off = own[c] - total[c];
      squares[c] += own[channels + c] + n * off * off;
    }
  }
  for (i64 c = 0; c < channels; ++c) {
    mean[c] = T(total[c]);
    variance[c] = T(squares[c] < 0 ? 0 : squares[c] / M);
    const T above = variance[c] + eps;
    scale[c] = 1 / (sizeof(T) == sizeof(float) ? T(__builtin_sqrtf(float(above)))
                                               : T(__builtin_sqrt(double(above))));
  }
  return true;
}

// What is subtracted from the elements of a line, what they are multiplied by, and what is added.
template <class T>
struct Affine {
  const T *mean, *factor, *bias;
};

template <class T>
Affine<T> affine(const Normalisation<T>& p, const Lines& lines, Workspace& workspace) {
  T *mean = workspace.take<T>(lines.width), *factor = workspace.take<T>(lines.width);
  T* bias = workspace.take<T>(lines.width);
  lines.spread([&](i64 c) { return p.mean[c]; }, mean);
  lines.spread([&](i64 c) { return p.weight ? p.scale[c] * p.weight[c] : p.scale[c]; }, factor);
  lines.spread([&](i64 c) { return p.bias ? p.bias[c] : 0; }, bias);
  return {mean, factor, bias};
}

template <class T, bool add_residual, bool relu>
void normalise_jobs(const T* x, const Affine<T>& a, const T* residual, T ceiling, T* y,
                    const Lines& lines, const Context& context) {
  const auto job = [=](i64 k) {
    lines.each_line(k, [&](auto together, i64 first, i64 count) __attribute__((always_inline)) {
      each_vector<T>(together, count, [&](auto at) __attribute__((always_inline)) {
        const Vec<T> mean = at.load(a.mean), factor = at.load(a.factor), bias = at.load(a.bias);
#pragma GCC unroll 8
        for (int l = 0; l < together.count; ++l) {
          const i64 line = first + l * lines.width;
          Vec<T> v = (at.load(x + line) - mean) * factor + bias;
          if constexpr (add_residual) v += at.load(residual + line);
          if constexpr (relu) {
            v = v <= 0 ? Vec<T>{} : v;
            v = v > ceiling ? splat(ceiling) : v;
          }
          at.store(y + line, v);
        }
      });
    });
  };
  each_job_backwards(lines.jobs, job, context);
}

template <class T>
bool normalise(const Normalisation<T>& p, const T* residual, bool relu, T ceiling, T* y,
               const Context& context) {
  const Lines lines(p.rows, p.channels);
  Workspace workspace(3 * lines.width, context);
  if (workspace.failed()) return false;
  const Affine<T> a = affine(p, lines, workspace);
  if (residual)
    (relu ? normalise_jobs<T, true, true>
          : normalise_jobs<T, true, false>)(p.x, a, residual, ceiling, y, lines, context);
  else
    (relu ? normalise_jobs<T, false, true>
          : normalise_jobs<T, false, false>)(p.x, a, residual, ceiling, y, lines, context);
  return true;
}

// Where the gradient passes: everywhere, where the normalised is positive, or where y is; `below`:
// and is below the ceiling; `two`: and it is a sum of two.
enum class Passes { all, normalised, normalised_below, output, output_two };

constexpr bool by_output(Passes passes) {
  return passes == Passes::output || passes == Passes::output_two;
}

// A gradient at some lines: what is the same for all jobs.
template <class T>
struct Shared {
  NormalisationGradient<T> p;
  Lines lines;
  Affine<T> a;
  T *slope, *offset;  // for each element of a line: gx = factor gy + slope (x - mean) + offset
};

// Infinity is not above a ceiling that is infinite: the difference is NaN.
template <class T, Passes passes>
PELLUCID_INLINE Vec<T> passed(Vec<T> gy, Vec<T> distance, Vec<T> factor, Vec<T> bias, Vec<T> y,
                              T ceiling) {
  if constexpr (passes == Passes::all) return gy;
  if constexpr (!by_output(passes)) y = distance * factor + bias;
  if constexpr (passes == Passes::normalised) return y <= 0 ? Vec<T>{} : gy;
  return ((y <= 0) | (y - ceiling >= 0)) ? Vec<T>{} : gy;
}

// The sums of gy and of gy (x - mean) for each channel in job k.
template <class T, Passes passes>
void job_sums(const Shared<T>& s, i64 k, double* gb) {
  const Lines& lines = s.lines;
  double *gw = gb + lines.channels, *gb_line = gw + lines.channels;
  double* gw_line = gb_line + lines.padded();
  clear(gb_line, 2 * lines.padded());
  lines.each_line(k, [&](auto together, i64 first, i64 count) __attribute__((always_inline)) {
    each_vector<T>(together, count, [&](auto at) __attribute__((always_inline)) {
      const Vec<T> mean = at.load(s.a.mean);
      const Vec<T> factor = at.load(s.a.factor), bias = at.load(s.a.bias);
      Vec<T> sum[2]{}, products[2]{};
#pragma GCC unroll 8
      for (int l = 0; l < together.count; ++l) {
        const i64 line = first + l * lines.width;
        if constexpr (!by_output(passes)) {
          lines.ask_ahead(s.p.forward.x + line + at.e);
          lines.ask_ahead(s.p.gy + line + at.e);
        }
        const Vec<T> distance = at.load(s.p.forward.x + line) - mean;
        Vec<T> g = at.load(s.p.gy + line), y{};
        if constexpr (passes == Passes::output_two) g += at.load(s.p.more + line);
        if constexpr (by_output(passes)) y = at.load(s.p.y + line);
        g = passed<T, passes>(g, distance, factor, bias, y, s.p.ceiling);
        if constexpr (by_output(passes)) at.store(s.p.gr + line, g);
        sum[l % 2] = l < 2 ? g : sum[l % 2] + g;
        products[l % 2] = l < 2 ? g * distance : fma(g, distance, products[l % 2]);
      }
      add_to(gb_line + at.e, sum[0] + sum[1]);
      add_to(gw_line + at.e, products[0] + products[1]);
    });
  });
  lines.fold(gb_line, gb);
  lines.fold(gw_line, gw);
}

// gx = weight scale (gy - z mean(gy z) - mean(gy)), or without the means.
template <class T, Passes passes, bool constant>
void job_gradient(const Shared<T>& s, const T* gy, i64 k) {
  const Lines& lines = s.lines;
  lines.each_line(k, [&](auto together, i64 first, i64 count) __attribute__((always_inline)) {
    each_vector<T>(together, count, [&](auto at) __attribute__((always_inline)) {
      const Vec<T> mean = at.load(s.a.mean);
      const Vec<T> factor = at.load(s.a.factor), bias = at.load(s.a.bias);
      const Vec<T> slope = at.load(s.slope), offset = at.load(s.offset);
#pragma GCC unroll 8
      for (int l = 0; l < together.count; ++l) {
        const i64 line = first + l * lines.width;
        if constexpr (passes != Passes::all) {
          lines.ask_ahead(s.p.forward.x + line + at.e);
          lines.ask_ahead(gy + line + at.e);
        }
        const Vec<T> distance = at.load(s.p.forward.x + line) - mean;
        const Vec<T> g =
            passed<T, passes>(at.load(gy + line), distance, factor, bias, Vec<T>{}, s.p.ceiling);
        if constexpr (constant)
          at.store(s.p.gx + line, g * factor);
        else
          at.store(s.p.gx + line, fma(g, factor, fma(distance, slope, offset)));
      }
    });
  });
}

template <class T, Passes passes>
bool gradient_where(const NormalisationGradient<T>& p, const Context& context) {
  const Normalisation<T>& f = p.forward;
  const Lines lines(f.rows, f.channels);
  const i64 per_job = 2 * lines.channels + 2 * lines.padded();
  Workspace workspace(lines.jobs * per_job + 5 * lines.width + 2 * f.channels, context);
  if (workspace.failed()) return false;
  double* sums = workspace.take<double>(lines.jobs * per_job);
  double *gb = workspace.take<double>(2 * f.channels), *gw = gb + f.channels;
  const Shared<T> shared{p, lines, affine(f, lines, workspace), workspace.take<T>(lines.width),
                         workspace.take<T>(lines.width)};
  each_job(lines.jobs, [&](i64 k) { job_sums<T, passes>(shared, k, sums + k * per_job); }, context);
  clear(gb, 2 * f.channels);
  for (i64 k = 0; k < lines.jobs; ++k)
    for (i64 c = 0; c < 2 * f.channels; ++c) gb[c] += sums[k * per_job + c];
  for (i64 c = 0; c < f.channels; ++c) {
    gw[c] *= double(f.scale[c]);
    p.gb[c] = T(gb[c]);
    p.gw[c] = T(gw[c]);
  }
  const double M = double(f.rows);
  const auto factor = [&](i64 c) { return double(shared.a.factor[c]); };
  lines.spread([&](i64 c) { return -factor(c) * f.scale[c] * (gw[c] / M); }, shared.slope);
  lines.spread([&](i64 c) { return -factor(c) * (gb[c] / M); }, shared.offset);
  // What passed by y is already in gr.
  constexpr Passes left = by_output(passes) ? Passes::all : passes;
  const T* gy = by_output(passes) ? p.gr : p.gy;
  const auto job = p.constant ? job_gradient<T, left, true> : job_gradient<T, left, false>;
  each_job_backwards(lines.jobs, [&](i64 k) { job(shared, gy, k); }, context);
  return true;
}

template <class T>
bool gradient(const NormalisationGradient<T>& p, const Context& context) {
  if (!p.relu) return gradient_where<T, Passes::all>(p, context);
  if (p.y)
    return p.more ? gradient_where<T, Passes::output_two>(p, context)
                  : gradient_where<T, Passes::output>(p, context);
  return p.ceiling - p.ceiling == 0 ? gradient_where<T, Passes::normalised_below>(p, context)
                                    : gradient_where<T, Passes::normalised>(p, context);
}

}  // namespace

template <class T>
const Norms<T> TableOf<T>::norms = {sums<T>, relu_gradient_sums<T>, statistics<T>, normalise<T>,
                                    gradient<T>};

template const Norms<float> TableOf<float>::norms;
template const Norms<double> TableOf<double>::norms;

}  // namespace pellucid::PELLUCID_ISA
