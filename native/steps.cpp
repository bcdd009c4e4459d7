// Optimizer steps: each element of a parameter and of its state is read once and written once. The
// operations are those of kernels/steps.py in the same order, without fused multiply-adds.
#include "steps.hpp"

#include "jobs.hpp"
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Elements of a job, counted on through all parameters.
constexpr i64 run = 16384;

// Elements begin <= e < end of one parameter: f(p, g, s) changes vectors of p and of `kept` states.
template <class T, int kept, class F>
PELLUCID_INLINE void walk(const Parameter<T>& parameter, i64 begin, i64 end, F f) {
  constexpr i64 lanes = Simd<T>::lanes;
  Vec<T> s[kept + 1];
  i64 e = begin;
  for (; e + lanes <= end; e += lanes) {
    Vec<T> p = load(parameter.p + e);
#pragma GCC unroll 3
    for (int k = 0; k < kept; ++k) s[k] = load(parameter.state[k] + e);
    f(p, load(parameter.g + e), s);
    store(parameter.p + e, p);
#pragma GCC unroll 3
    for (int k = 0; k < kept; ++k) store(parameter.state[k] + e, s[k]);
  }
  if (e == end) return;
  Vec<T> p = load_part(parameter.p + e, end - e);
#pragma GCC unroll 3
  for (int k = 0; k < kept; ++k) s[k] = load_part(parameter.state[k] + e, end - e);
  f(p, load_part(parameter.g + e, end - e), s);
  store_part(parameter.p + e, p, end - e);
#pragma GCC unroll 3
  for (int k = 0; k < kept; ++k) store_part(parameter.state[k] + e, s[k], end - e);
}

template <class T, int kept, class F>
PELLUCID_INLINE void each(const Parameter<T>* parameter, i64 parameters, const Context& context,
                          F f) {
  i64 elements = 0;
  for (i64 k = 0; k < parameters; ++k) elements += parameter[k].count;
  auto job = [&](i64 number) {
    // Where the job's elements lie, counted from the first of parameter k.
    i64 begin = number * run, left = run;
    for (i64 k = 0; k < parameters && left > 0; ++k) {
      const i64 count = parameter[k].count;
      if (begin < count) {
        const i64 end = begin + left < count ? begin + left : count;
        walk<T, kept>(parameter[k], begin, end, f);
        left -= end - begin;
        begin = 0;
      } else {
        begin -= count;
      }
    }
  };
  each_job((elements + run - 1) / run, job, context);
}

template <class T, bool kept>
void sgd_with(const Parameter<T>* parameter, i64 parameters, const SgdNumbers& n,
              const Context& context) {
  const T lr = T(n.lr), momentum = T(n.momentum), share = T(n.share), decay = T(n.weight_decay);
  const bool nesterov = n.nesterov, maximize = n.maximize;
  each<T, kept>(parameter, parameters, context, [=](Vec<T>& p, Vec<T> g, Vec<T>* s) {
    if (maximize) g = -g;
    if (decay != 0) g = g + decay * p;
    if constexpr (kept) {
      s[0] = momentum * s[0] + share * g;
      g = nesterov ? g + momentum * s[0] : s[0];
    }
    p = p - lr * g;
  });
}

template <class T>
void sgd(const Parameter<T>* parameter, i64 parameters, const SgdNumbers& n, const Context& c) {
  (n.momentum_kept ? sgd_with<T, true> : sgd_with<T, false>)(parameter, parameters, n, c);
}

template <class T, bool amsgrad>
void adam_with(const Parameter<T>* parameter, i64 parameters, const AdamNumbers& n,
               const Context& context) {
  const T step_size = T(n.step_size), eps = T(n.eps), beta1_left = T(n.beta1_left),
          beta2 = T(n.beta2), beta2_left = T(n.beta2_left), decay = T(n.weight_decay),
          kept = T(n.kept);
  each<T, 2 + amsgrad>(parameter, parameters, context, [=](Vec<T>& p, Vec<T> g, Vec<T>* s) {
    if (decay != 0) g = g + decay * p;
    p = p * kept;
    s[0] = s[0] + beta1_left * (g - s[0]);
    s[1] = beta2 * s[1] + beta2_left * g * g;
    Vec<T> second = s[1];
    if constexpr (amsgrad) {
      // A NaN in either stays one.
      const auto stays = (s[2] >= second) | (s[2] != s[2]);
      second = s[2] = stays ? s[2] : second;
    }
    p = p - step_size * s[0] / (square_root(second) + eps);
  });
}

template <class T>
void adam(const Parameter<T>* parameter, i64 parameters, const AdamNumbers& n, const Context& c) {
  (n.amsgrad ? adam_with<T, true> : adam_with<T, false>)(parameter, parameters, n, c);
}

template <class T>
void adagrad(const Parameter<T>* parameter, i64 parameters, const AdagradNumbers& n,
             const Context& context) {
  const T lr = T(n.lr), decay = T(n.weight_decay), eps = T(n.eps);
  each<T, 1>(parameter, parameters, context, [=](Vec<T>& p, Vec<T> g, Vec<T>* s) {
    if (decay != 0) g = g + decay * p;
    s[0] = s[0] + g * g;
    p = p - lr * g / (square_root(s[0]) + eps);
  });
}

template <class T, bool centered, bool kept>
void rmsprop_with(const Parameter<T>* parameter, i64 parameters, const RmspropNumbers& n,
                  const Context& context) {
  const T lr = T(n.lr), alpha = T(n.alpha), alpha_left = T(n.alpha_left), eps = T(n.eps),
          decay = T(n.weight_decay), momentum = T(n.momentum);
  each<T, 1 + centered + kept>(parameter, parameters, context, [=](Vec<T>& p, Vec<T> g, Vec<T>* s) {
    if (decay != 0) g = g + decay * p;
    s[0] = alpha * s[0] + alpha_left * g * g;
    Vec<T> variance = s[0];
    if constexpr (centered) {
      s[1] = s[1] + alpha_left * (g - s[1]);
      variance = s[0] - s[1] * s[1];
      variance = variance <= 0 ? Vec<T>{} : variance;
    }
    g = g / (square_root(variance) + eps);
    if constexpr (kept) {
      Vec<T>& b = s[1 + centered];
      g = b = momentum * b + g;
    }
    p = p - lr * g;
  });
}

template <class T>
void rmsprop(const Parameter<T>* parameter, i64 parameters, const RmspropNumbers& n,
             const Context& c) {
  if (n.centered)
    (n.momentum_kept ? rmsprop_with<T, true, true>
                     : rmsprop_with<T, true, false>)(parameter, parameters, n, c);
  else
    (n.momentum_kept ? rmsprop_with<T, false, true>
                     : rmsprop_with<T, false, false>)(parameter, parameters, n, c);
}

}  // namespace

template <class T>
const Steps<T> TableOf<T>::steps = {sgd<T>, adam<T>, adagrad<T>, rmsprop<T>};

template const Steps<float> TableOf<float>::steps;
template const Steps<double> TableOf<double>::steps;

}  // namespace pellucid::PELLUCID_ISA
