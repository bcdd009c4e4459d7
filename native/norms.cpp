// Batch normalisation: the statistics of each channel in one pass over x, the result in another;
// the sums behind the gradients of weight and bias in one pass, the gradient of x in another.
//
// Channels lie side by side, and few channels do not fill vectors. So pixels are taken together as
// one line, whose elements have sums of their own, until the sums of a job are folded into those of
// the channels. The loops below are plain, and the compiler makes vectors of them. Sums run in
// float64: in a job from line to line, then over the jobs in their order.
#include "norms.hpp"

#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Elements of a job, whose x waits in the second cache for its second sum.
constexpr i64 run = 32768;
constexpr i64 least_width = 256;

// Rows of channels as lines of `width` elements; the last line may be shorter.
struct Lines {
  i64 rows, channels, repeat, width, each, jobs;  // `each`: lines of a job

  Lines(i64 rows, i64 channels) : rows(rows), channels(channels) {
    repeat = (least_width + channels - 1) / channels;
    while (repeat * channels % 16) ++repeat;
    if (repeat > rows) repeat = rows > 0 ? rows : 1;
    width = repeat * channels;
    // At least so many rows that the sums of jobs are few beside their elements.
    each = run / width > 32 / repeat ? run / width : 32 / repeat;
    if (each < 1) each = 1;
    jobs = (rows * channels + each * width - 1) / (each * width);
  }

  // Rows of job k.
  i64 rows_of(i64 k) const {
    const i64 most = each * repeat, left = rows - k * most;
    return left < most ? left : most;
  }

  // work(first, count) for each line of job k.
  template <class Work>
  PELLUCID_INLINE void each_line(i64 k, Work work) const {
    const i64 end = (k * each * repeat + rows_of(k)) * channels;
    for (i64 e = k * each * width; e < end; e += width) work(e, end - e < width ? end - e : width);
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

template <class Job>
void each_job(i64 jobs, Job job, const Context& context) {
  context.parallel(jobs, [](void* data, i64 k) { (*static_cast<Job*>(data))(k); }, &job);
}

void clear(double* sum, i64 count) {
  for (i64 e = 0; e < count; ++e) sum[e] = 0;
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

template <class T>
void add(const T* __restrict x, i64 count, double* __restrict sum) {
  for (i64 e = 0; e < count; ++e) sum[e] += double(x[e]);
}

template <class T>
void add_squares(const T* __restrict x, const T* __restrict center, i64 count,
                 double* __restrict sum) {
  for (i64 e = 0; e < count; ++e) {
    const double distance = double(x[e] - center[e]);
    sum[e] += distance * distance;
  }
}

template <class T>
bool sums(const T* x, i64 rows, i64 channels, T* sum, const Context& context) {
  const Lines lines(rows, channels);
  const i64 per_job = channels + lines.width;
  Workspace workspace(lines.jobs * per_job + channels, context);
  if (workspace.failed()) return false;
  double* parts = workspace.take<double>(lines.jobs * per_job);
  each_job(
      lines.jobs,
      [=](i64 k) {
        double *own = parts + k * per_job, *line = own + channels;
        clear(line, lines.width);
        lines.each_line(k, [=](i64 e, i64 count) { add(x + e, count, line); });
        lines.fold(line, own);
      },
      context);
  double* total = workspace.take<double>(channels);
  clear(total, channels);
  for (i64 k = 0; k < lines.jobs; ++k) add(parts + k * per_job, channels, total);
  for (i64 c = 0; c < channels; ++c) sum[c] = T(total[c]);
  return true;
}

// A job takes the distances from a mean of its own, so that no digits cancel: with M values in
// all and n in a job, sum (x - mean)^2 = sum over jobs of sum (x - own)^2 + n (own - mean)^2.
template <class T>
bool statistics(const T* x, i64 rows, i64 channels, T eps, T* mean, T* variance, T* scale,
                const Context& context) {
  const Lines lines(rows, channels);
  const i64 per_job = 2 * channels + 2 * lines.width;
  Workspace workspace(lines.jobs * per_job + 2 * channels, context);
  if (workspace.failed()) return false;
  double* sums = workspace.take<double>(lines.jobs * per_job);
  each_job(
      lines.jobs,
      [=](i64 k) {
        double* own = sums + k * per_job;
        double *squares = own + channels, *line = squares + channels;
        T* center = reinterpret_cast<T*>(line + lines.width);
        const double n = double(lines.rows_of(k));
        clear(line, lines.width);
        lines.each_line(k, [=](i64 e, i64 count) { add(x + e, count, line); });
        lines.fold(line, own);
        for (i64 c = 0; c < channels; ++c) own[c] /= n;
        lines.spread([=](i64 c) { return own[c]; }, center);
        clear(line, lines.width);
        lines.each_line(k, [=](i64 e, i64 count) { add_squares(x + e, center, count, line); });
        lines.fold(line, squares);
        // The center has the precision of x.
        for (i64 c = 0; c < channels; ++c) {
          const double off = own[c] - double(center[c]);
          squares[c] -= n * off * off;
        }
      },
      context);
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
void normalise_line(const T* __restrict x, const T* __restrict mean, const T* __restrict factor,
                    const T* __restrict bias, const T* __restrict residual, i64 count,
                    T* __restrict y) {
  for (i64 e = 0; e < count; ++e) {
    T v = (x[e] - mean[e]) * factor[e] + bias[e];
    if constexpr (add_residual) v += residual[e];
    if constexpr (relu) v = v <= 0 ? T(0) : v;
    y[e] = v;
  }
}

template <class T>
bool normalise(const Normalisation<T>& p, const T* residual, bool relu, T* y,
               const Context& context) {
  const Lines lines(p.rows, p.channels);
  Workspace workspace(3 * lines.width, context);
  if (workspace.failed()) return false;
  const Affine<T> a = affine(p, lines, workspace);
  const auto line = residual
                        ? (relu ? normalise_line<T, true, true> : normalise_line<T, true, false>)
                        : (relu ? normalise_line<T, false, true> : normalise_line<T, false, false>);
  const T* x = p.x;
  each_job(
      lines.jobs,
      [=](i64 k) {
        lines.each_line(k, [=](i64 e, i64 count) {
          line(x + e, a.mean, a.factor, a.bias, residual ? residual + e : nullptr, count, y + e);
        });
      },
      context);
  return true;
}

// Where the gradient passes: everywhere, where the normalised is positive, or where y is.
enum class Passes { all, normalised, output };

template <class T, Passes passes>
PELLUCID_INLINE T passed(T gy, T x, T mean, T factor, T bias, T y) {
  if constexpr (passes == Passes::normalised) y = (x - mean) * factor + bias;
  return passes != Passes::all && y <= 0 ? T(0) : gy;
}

// Adds to the sums of gy and of gy z, with z = (x - mean) scale.
template <class T, Passes passes>
void add_gradients(const T* __restrict gy, const T* __restrict x, const T* __restrict y,
                   const Affine<T>& a, const T* __restrict scale, i64 count, T* __restrict gr,
                   double* __restrict gb, double* __restrict gw) {
  const T* __restrict mean = a.mean, * __restrict factor = a.factor, * __restrict bias = a.bias;
  for (i64 e = 0; e < count; ++e) {
    constexpr bool by_output = passes == Passes::output;
    const T g = passed<T, passes>(gy[e], x[e], mean[e], factor[e], bias[e], by_output ? y[e] : 0);
    if constexpr (by_output) gr[e] = g;
    gb[e] += double(g);
    gw[e] += double(g * ((x[e] - mean[e]) * scale[e]));
  }
}

// gx = weight scale (gy - z mean(gy z) - mean(gy)), with the means for each element of a line.
template <class T, Passes passes>
void gradient_line(const T* __restrict gy, const T* __restrict x, const Affine<T>& a,
                   const T* __restrict scale, const T* __restrict mean_gw,
                   const T* __restrict mean_gb, i64 count, T* __restrict gx) {
  const T* __restrict mean = a.mean, * __restrict factor = a.factor, * __restrict bias = a.bias;
  for (i64 e = 0; e < count; ++e) {
    const T g = passed<T, passes>(gy[e], x[e], mean[e], factor[e], bias[e], 0);
    gx[e] = (g - (x[e] - mean[e]) * scale[e] * mean_gw[e] - mean_gb[e]) * factor[e];
  }
}

template <class T, Passes passes>
void constant_line(const T* __restrict gy, const T* __restrict x, const Affine<T>& a, i64 count,
                   T* __restrict gx) {
  const T* __restrict mean = a.mean, * __restrict factor = a.factor, * __restrict bias = a.bias;
  for (i64 e = 0; e < count; ++e)
    gx[e] = passed<T, passes>(gy[e], x[e], mean[e], factor[e], bias[e], 0) * factor[e];
}

template <class T, Passes passes>
bool gradient_where(const NormalisationGradient<T>& p, const Context& context) {
  const Normalisation<T>& f = p.forward;
  const Lines lines(f.rows, f.channels);
  const i64 per_job = 2 * lines.channels + 2 * lines.width;
  Workspace workspace(lines.jobs * per_job + 6 * lines.width + 2 * f.channels, context);
  if (workspace.failed()) return false;
  double* sums = workspace.take<double>(lines.jobs * per_job);
  const Affine<T> a = affine(f, lines, workspace);
  T *scale = workspace.take<T>(lines.width), *mean_gw = workspace.take<T>(lines.width);
  T* mean_gb = workspace.take<T>(lines.width);
  lines.spread([&](i64 c) { return f.scale[c]; }, scale);
  constexpr bool by_output = passes == Passes::output;
  const auto sum = [=](i64 k) {
    double *gb = sums + k * per_job, *gw = gb + f.channels;
    double *gb_line = gw + f.channels, *gw_line = gb_line + lines.width;
    clear(gb_line, 2 * lines.width);
    lines.each_line(k, [&](i64 e, i64 count) {
      add_gradients<T, passes>(p.gy + e, f.x + e, by_output ? p.y + e : nullptr, a, scale, count,
                               by_output ? p.gr + e : nullptr, gb_line, gw_line);
    });
    lines.fold(gb_line, gb);
    lines.fold(gw_line, gw);
  };
  each_job(lines.jobs, sum, context);

  double *gb = workspace.take<double>(2 * f.channels), *gw = gb + f.channels;
  clear(gb, 2 * f.channels);
  for (i64 k = 0; k < lines.jobs; ++k)
    for (i64 c = 0; c < 2 * f.channels; ++c) gb[c] += sums[k * per_job + c];
  for (i64 c = 0; c < f.channels; ++c) {
    p.gb[c] = T(gb[c]);
    p.gw[c] = T(gw[c]);
    gb[c] /= double(f.rows);
    gw[c] /= double(f.rows);
  }
  lines.spread([=](i64 c) { return gw[c]; }, mean_gw);
  lines.spread([=](i64 c) { return gb[c]; }, mean_gb);
  // What passed by y is already in gr.
  constexpr Passes left = by_output ? Passes::all : passes;
  const T* gy = by_output ? p.gr : p.gy;
  const auto finish = [=](i64 k) {
    lines.each_line(k, [&](i64 e, i64 count) {
      if (p.constant)
        constant_line<T, left>(gy + e, f.x + e, a, count, p.gx + e);
      else
        gradient_line<T, left>(gy + e, f.x + e, a, scale, mean_gw, mean_gb, count, p.gx + e);
    });
  };
  each_job(lines.jobs, finish, context);
  return true;
}

template <class T>
bool gradient(const NormalisationGradient<T>& p, const Context& context) {
  if (!p.relu) return gradient_where<T, Passes::all>(p, context);
  return p.y ? gradient_where<T, Passes::output>(p, context)
             : gradient_where<T, Passes::normalised>(p, context);
}

}  // namespace

template <class T>
const Norms<T> TableOf<T>::norms = {sums<T>, statistics<T>, normalise<T>, gradient<T>};

template const Norms<float> TableOf<float>::norms;
template const Norms<double> TableOf<double>::norms;

}  // namespace pellucid::PELLUCID_ISA
