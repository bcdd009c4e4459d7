// Small convolutions, and their three directions as loops in double: nothing here is clever.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace pellucid {

using i64 = std::int64_t;
constexpr int axes = 3;

// One convolution; channels are those of one group.
struct Problem {
  i64 images, groups, C, O;
  i64 in[axes], kernel[axes], stride[axes], dilation[axes], low[axes], high[axes];

  i64 out(int a) const {
    return (in[a] + low[a] + high[a] - dilation[a] * (kernel[a] - 1) - 1) / stride[a] + 1;
  }
  bool has_windows() const {
    for (int a = 0; a < axes; ++a)
      if (in[a] + low[a] + high[a] < dilation[a] * (kernel[a] - 1) + 1) return false;
    return true;
  }
  i64 x_size() const { return images * in[0] * in[1] * in[2] * groups * C; }
  i64 y_size() const { return images * out(0) * out(1) * out(2) * groups * O; }
  i64 taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  i64 w_size() const { return groups * O * C * taps(); }

  std::string name() const {
    char text[200];
    std::snprintf(text, sizeof text,
                  "n%d g%d c%d o%d i%dx%dx%d k%dx%dx%d s%dx%dx%d d%dx%dx%d p%d:%dx%d:%dx%d:%d",
                  int(images), int(groups), int(C), int(O), int(in[0]), int(in[1]), int(in[2]),
                  int(kernel[0]), int(kernel[1]), int(kernel[2]), int(stride[0]), int(stride[1]),
                  int(stride[2]), int(dilation[0]), int(dilation[1]), int(dilation[2]), int(low[0]),
                  int(high[0]), int(low[1]), int(high[1]), int(low[2]), int(high[2]));
    return text;
  }
};

// Numbers that look random and are the same everywhere.
struct Random {
  std::uint64_t state;
  std::uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  i64 below(i64 count) { return i64(next() % std::uint64_t(count)); }
  double number() { return double(next() >> 11) / double(std::uint64_t(1) << 52) - 1; }
};

// x (N, D, H, W, G C), y (N, D, H, W, G O), w (G O, C, KD, KH, KW): calls
// meet(x index, y index, w index) for every product of the convolution.
template <class Meet>
void every_product(const Problem& p, Meet meet) {
  const i64 out[axes] = {p.out(0), p.out(1), p.out(2)};
  i64 q[axes], t[axes], at[axes];
  for (i64 n = 0; n < p.images; ++n)
    for (q[0] = 0; q[0] < out[0]; ++q[0])
      for (q[1] = 0; q[1] < out[1]; ++q[1])
        for (q[2] = 0; q[2] < out[2]; ++q[2])
          for (t[0] = 0; t[0] < p.kernel[0]; ++t[0])
            for (t[1] = 0; t[1] < p.kernel[1]; ++t[1])
              for (t[2] = 0; t[2] < p.kernel[2]; ++t[2]) {
                bool inside = true;
                for (int a = 0; a < axes; ++a) {
                  at[a] = q[a] * p.stride[a] + t[a] * p.dilation[a] - p.low[a];
                  inside = inside && at[a] >= 0 && at[a] < p.in[a];
                }
                if (!inside) continue;
                const i64 x = ((n * p.in[0] + at[0]) * p.in[1] + at[1]) * p.in[2] + at[2];
                const i64 y = ((n * out[0] + q[0]) * out[1] + q[1]) * out[2] + q[2];
                const i64 tap = (t[0] * p.kernel[1] + t[1]) * p.kernel[2] + t[2];
                for (i64 o = 0; o < p.groups * p.O; ++o)
                  for (i64 c = 0; c < p.C; ++c)
                    meet((x * p.groups + o / p.O) * p.C + c, y * p.groups * p.O + o,
                         (o * p.C + c) * p.taps() + tap);
              }
}

// The worked example, what other libraries got wrong, and what each algorithm is for.
inline std::vector<Problem> chosen_problems() {
  return {
      {1, 1, 1, 1, {1, 5, 5}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}},
      {2, 1, 3, 5, {1, 9, 9}, {1, 3, 3}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, {0, 0, 0}},
      {2, 1, 2, 3, {1, 9, 10}, {1, 2, 2}, {1, 3, 3}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}},
      {1, 1, 9, 3, {1, 16, 16}, {1, 5, 5}, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 3, 40, 20, {5, 5, 3}, {2, 2, 2}, {4, 4, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
      {2, 1, 3, 4, {1, 1, 17}, {1, 1, 3}, {1, 1, 1}, {1, 1, 2}, {0, 0, 2}, {0, 0, 2}},
      {1, 1, 3, 20, {1, 20, 23}, {1, 7, 7}, {1, 2, 2}, {1, 1, 1}, {0, 3, 3}, {0, 3, 3}},
      {2, 1, 33, 70, {1, 6, 7}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}},
      {2, 1, 3, 2, {1, 8, 9}, {1, 3, 2}, {1, 2, 1}, {1, 1, 1}, {0, -1, -2}, {0, -1, -2}},
      {1, 1, 1, 1, {1, 2, 2}, {1, 2, 2}, {1, 1, 1}, {1, 1, 1}, {0, 3, 3}, {0, 3, 3}},
      // Winograd: 3x3 and 5x5 at stride 1
      {2, 1, 17, 19, {1, 9, 11}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 1, 140, 33, {1, 8, 8}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 2, 0}, {0, 1, 2}},
      {3, 1, 16, 80, {1, 7, 7}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {2, 1, 18, 17, {1, 8, 9}, {1, 5, 5}, {1, 1, 1}, {1, 1, 1}, {0, 2, 2}, {0, 2, 2}},
      // depthwise with and without multipliers, thin groups, a group that fills a vector
      {2, 24, 1, 1, {1, 9, 9}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 13, 1, 1, {1, 7, 8}, {1, 5, 5}, {1, 1, 1}, {1, 1, 1}, {0, 2, 2}, {0, 2, 2}},
      {2, 5, 1, 2, {1, 6, 6}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 7, 1, 4, {3, 4, 5}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
      {2, 5, 2, 2, {1, 9, 6}, {1, 3, 3}, {1, 1, 2}, {1, 2, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 6, 4, 4, {1, 8, 8}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 3, 8, 8, {1, 5, 40}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
      {1, 2, 16, 16, {1, 5, 5}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}},
  };
}

// One that Winograd serves: 3x3 or 5x5 at stride 1.
inline Problem random_winograd_problem(Random& random) {
  const i64 k = random.below(2) ? 3 : 5;
  Problem p{1 + random.below(2),
            1,
            1 + random.below(20),
            1 + random.below(40),
            {1, 1, 1},
            {1, k, k},
            {1, 1, 1},
            {1, 1, 1},
            {0, 0, 0},
            {0, 0, 0}};
  for (int a = 1; a < axes; ++a) {
    p.in[a] = k + random.below(9);
    p.low[a] = random.below(k);
    p.high[a] = random.below(k);
  }
  return p;
}

inline Problem random_problem(Random& random) {
  if (random.below(5) == 0) return random_winograd_problem(random);
  for (;;) {
    Problem p{};
    p.images = 1 + random.below(2);
    p.groups = random.below(2) ? 1 : 1 + random.below(9);
    const i64 channels[] = {1, 1, 2, 3, 4, 8, 19};
    p.C = channels[random.below(7)];
    p.O = random.below(2) ? p.C : channels[random.below(7)];
    const int first = int(random.below(3));
    for (int a = 0; a < axes; ++a) {
      const bool used = a >= first;
      p.in[a] = used ? 1 + random.below(9) : 1;
      p.kernel[a] = used ? 1 + random.below(3) : 1;
      p.stride[a] = used ? 1 + random.below(3) : 1;
      p.dilation[a] = used ? 1 + random.below(2) : 1;
      p.low[a] = used ? random.below(5) - 1 : 0;
      p.high[a] = used ? random.below(5) - 1 : 0;
    }
    if (p.has_windows()) return p;
  }
}

}  // namespace pellucid
