// The cross entropy of rows of classes: softmax and loss row by row, and the losses summed in
// float64 in the order of the rows of a job, then of the jobs.
#include "losses.hpp"

#include "jobs.hpp"
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

constexpr i64 most_jobs = 64;

// Rows of a job: at least 16, and so many that there are at most `most_jobs`.
i64 rows_of_job(i64 rows) {
  const i64 each = (rows + most_jobs - 1) / most_jobs;
  return each < 16 ? 16 : each;
}

float exponential(float x) {
  return __builtin_expf(x);
}
double exponential(double x) {
  return __builtin_exp(x);
}

// The softmax of a row, and log(sum of exp(x)) - x[t].
template <class T>
double row_loss(const T* x, i64 count, i64 target, T* softmax) {
  T largest = -__builtin_inff();
  for (i64 c = 0; c < count; ++c) largest = x[c] > largest ? x[c] : largest;
  double total = 0;
  for (i64 c = 0; c < count; ++c) {
    softmax[c] = exponential(x[c] - largest);
    total += double(softmax[c]);
  }
  for (i64 c = 0; c < count; ++c) softmax[c] /= T(total);
  return __builtin_log(total) - double(x[target] - largest);
}

template <class T>
LossSum cross_entropy(const T* x, const Targets<T>& targets, T* softmax, const Context& context) {
  const i64 each = rows_of_job(targets.rows), jobs = (targets.rows + each - 1) / each;
  LossSum parts[most_jobs];
  const auto job = [&](i64 k) {
    LossSum part = {0, 0, false};
    const i64 end = targets.rows < (k + 1) * each ? targets.rows : (k + 1) * each;
    for (i64 n = k * each; n < end; ++n) {
      const i64 t = targets.classes[n], first = n * targets.count;
      if (t == targets.ignored) continue;
      if (t < 0 || t >= targets.count) {
        part.outside = true;
        break;
      }
      const double weight = targets.weight ? double(targets.weight[t]) : 1;
      part.losses += weight * row_loss(x + first, targets.count, t, softmax + first);
      part.weights += weight;
    }
    parts[k] = part;
  };
  each_job(jobs, job, context);
  LossSum sum = {0, 0, false};
  for (i64 k = 0; k < jobs; ++k) {
    sum.losses += parts[k].losses;
    sum.weights += parts[k].weights;
    sum.outside = sum.outside || parts[k].outside;
  }
  return sum;
}

template <class T>
void cross_entropy_gradient(const T* softmax, const Targets<T>& targets, T factor, T* gx,
                            const Context& context) {
  const i64 each = rows_of_job(targets.rows), jobs = (targets.rows + each - 1) / each;
  const auto job = [&](i64 k) {
    const i64 end = targets.rows < (k + 1) * each ? targets.rows : (k + 1) * each;
    for (i64 n = k * each; n < end; ++n) {
      const i64 t = targets.classes[n], first = n * targets.count;
      const bool counts = t != targets.ignored;
      const T f = counts && targets.weight ? factor * targets.weight[t] : factor;
      for (i64 c = first; c < first + targets.count; ++c) gx[c] = counts ? f * softmax[c] : 0;
      if (counts) gx[first + t] = f * (softmax[first + t] - 1);
    }
  };
  each_job(jobs, job, context);
}

}  // namespace

template <class T>
const Losses<T> TableOf<T>::losses = {cross_entropy<T>, cross_entropy_gradient<T>};

template const Losses<float> TableOf<float>::losses;
template const Losses<double> TableOf<double>::losses;

}  // namespace pellucid::PELLUCID_ISA
