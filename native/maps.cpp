// Functions of each element: y = max(x, 0) and the like, for runs of adjacent elements.
#include "maps.hpp"

#include "jobs.hpp"
#include "simd.hpp"
#include "table.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

// Elements of a job: three arrays of them stay in the second cache.
constexpr i64 run = 16384;

// y[e] = f(x[e], ...) for vectors of elements; T of one element is the last vector's part.
template <class T, class F, class... X>
PELLUCID_INLINE void map(F f, T* y, i64 count, const Context& context, const X*... x) {
  auto job = [&](i64 k) {
    constexpr i64 lanes = Simd<T>::lanes;
    const i64 end = count < (k + 1) * run ? count : (k + 1) * run;
    i64 e = k * run;
    for (; e + lanes <= end; e += lanes) store(y + e, f(load(x + e)...));
    if (e < end) store_part(y + e, f(load_part(x + e, end - e)...), end - e);
  };
  each_job((count + run - 1) / run, job, context);
}

template <class T>
void relu(const T* x, T* y, i64 count, const Context& context) {
  map([](Vec<T> v) { return v <= 0 ? Vec<T>{} : v; }, y, count, context, x);
}

template <class T>
void relu_gradient(const T* gy, const T* y, T* gx, i64 count, const Context& context) {
  map([](Vec<T> g, Vec<T> v) { return v <= 0 ? Vec<T>{} : g; }, gx, count, context, gy, y);
}

template <class T>
void relu6(const T* x, T* y, i64 count, const Context& context) {
  const Vec<T> six = splat(T(6));
  map([=](Vec<T> v) { return v <= 0 ? Vec<T>{} : v >= six ? six : v; }, y, count, context, x);
}

template <class T>
void relu6_gradient(const T* gy, const T* y, T* gx, i64 count, const Context& context) {
  map([](Vec<T> g, Vec<T> v) { return ((v <= 0) | (v >= 6)) ? Vec<T>{} : g; }, gx, count, context,
      gy, y);
}

template <class T>
void add_relu(const T* residual, T ceiling, T* y, i64 count, const Context& context) {
  const Vec<T> most = splat(ceiling);
  const auto moved = [=](Vec<T> v) { return v <= 0 ? Vec<T>{} : v >= most ? most : v; };
  if (residual)
    map([=](Vec<T> v, Vec<T> r) { return moved(v + r); }, y, count, context,
        static_cast<const T*>(y), residual);
  else
    map(moved, y, count, context, static_cast<const T*>(y));
}

using u64 = std::uint64_t;
__extension__ using u128 = unsigned __int128;

// Eight numbers of 32 bits: block `counter` of Philox4x64-10, in the order in which NumPy takes
// them.
PELLUCID_INLINE void philox(const u64* key, u64 counter, std::uint32_t* bits) {
  u64 c0 = counter, c1 = 0, c2 = 0, c3 = 0, k0 = key[0], k1 = key[1];
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const u128 a = u128(0xD2E7470EE14C6C93) * c0, b = u128(0xCA5A826395121157) * c2;
    c0 = u64(b >> 64) ^ c1 ^ k0;
    c1 = u64(b);
    c2 = u64(a >> 64) ^ c3 ^ k1;
    c3 = u64(a);
    k0 += 0x9E3779B97F4A7C15;
    k1 += 0xBB67AE8584CAA73B;
  }
  const u64 words[4] = {c0, c1, c2, c3};
  for (int w = 0; w < 4; ++w) {
    bits[2 * w] = std::uint32_t(words[w]);
    bits[2 * w + 1] = std::uint32_t(words[w] >> 32);
  }
}

// factor or 0 for elements first .. first + count - 1, to every `step`th place of `to`. A branch
// would be taken by chance.
template <class T>
void draw(const Kept& kept, T factor, i64 first, i64 count, T* to, i64 step) {
  const i64 end = first + count;
  const T factors[2] = {T(0), factor};
  for (i64 block = first / 8; block * 8 < end; ++block) {
    std::uint32_t bits[8];
    philox(kept.key, u64(block) + 1, bits);
    T found[8];
#pragma GCC unroll 8
    for (int e = 0; e < 8; ++e) found[e] = factors[bits[e] >> 8 >= kept.least];
    const i64 at =
        block * 8 - first;  // of the block's first element, if that is not before `first`
    if (at >= 0 && at + 8 <= count) {
#pragma GCC unroll 8
      for (int e = 0; e < 8; ++e) to[(at + e) * step] = found[e];
    } else {
      for (i64 e = 0; e < 8; ++e)
        if (at + e >= 0 && at + e < count) to[(at + e) * step] = found[e];
    }
  }
}

constexpr i64 drawn = 8192, drawn_channels = 256;  // at a time: their factors stay near

template <class T>
void dropout(const Kept& kept, T factor, const T* x, T* y, i64 images, i64 channels, i64 pixels,
             const Context& context) {
  const i64 some = channels < drawn_channels ? channels : drawn_channels;
  const i64 line = drawn / some, lines = (pixels + line - 1) / line;
  auto job = [&](i64 k) {
    constexpr i64 lanes = Simd<T>::lanes;
    const i64 n = k / lines, first = k % lines * line;
    const i64 count = pixels - first < line ? pixels - first : line;
    T factors[drawn];
    for (i64 c = 0; c < channels; c += some) {
      const i64 width = channels - c < some ? channels - c : some;
      for (i64 j = 0; j < width; ++j)
        draw(kept, factor, (n * channels + c + j) * pixels + first, count, factors + j, width);
      const i64 run = channels == 1 ? count : width;
      for (i64 r = 0; r < count * width; r += run) {
        const i64 at =
            channels == 1 ? n * pixels + first : (n * pixels + first + r / width) * channels + c;
        i64 e = 0;
        for (; e + lanes <= run; e += lanes)
          store(y + at + e, load(x + at + e) * load(factors + r + e));
        if (e < run)
          store_part(y + at + e,
                     load_part(x + at + e, run - e) * load_part(factors + r + e, run - e), run - e);
      }
    }
  };
  each_job(images * lines, job, context);
}

template <class T>
void add(const T* a, const T* b, T* y, i64 count, const Context& context) {
  map([](Vec<T> v, Vec<T> w) { return v + w; }, y, count, context, a, b);
}

template <class T>
void copy_rows(const T* from, i64 from_step, T* to, i64 to_step, i64 width, i64 rows,
               const Context& context) {
  const i64 some = width < run ? run / (width > 0 ? width : 1) : 1;
  auto job = [&](i64 k) {
    const i64 end = rows < (k + 1) * some ? rows : (k + 1) * some;
    for (i64 r = k * some; r < end; ++r)
      __builtin_memcpy(to + r * to_step, from + r * from_step, width * sizeof(T));
  };
  each_job((rows + some - 1) / some, job, context);
}

// Line k of the two innermost axes: what lies between the rows of x is filled at once.
template <class T>
void place_line(const Placement<T>& p, i64 line) {
  const auto &inner = p.axis[p.axes - 1], &rows = p.axis[p.axes - 2];
  const i64 size = rows.size * inner.size;
  T *y = p.y + line * size, *next = y;
  const auto fill_until = [&](T* end) {
    for (; next < end; ++next) *next = p.value;
  };
  i64 from = 0;
  bool inside = true;
  for (int a = p.axes - 2; a-- > 0; line /= p.axis[a].size) {
    const auto& axis = p.axis[a];
    const i64 at = line % axis.size - axis.start;
    inside = inside && at >= 0 && at % axis.step == 0 && at / axis.step < axis.count;
    from += at / axis.step * axis.stride;
  }
  for (i64 k = 0; inside && k < rows.count; ++k) {
    fill_until(y + (rows.start + k * rows.step) * inner.size + inner.start);
    __builtin_memcpy(next, p.x + from + k * rows.stride, inner.count * sizeof(T));
    next += inner.count;
  }
  fill_until(y + size);
}

template <class T>
void place(const Placement<T>& p, const Context& context) {
  i64 lines = 1;
  for (int a = 0; a + 2 < p.axes; ++a) lines *= p.axis[a].size;
  const i64 size = p.axis[p.axes - 2].size * p.axis[p.axes - 1].size;
  const i64 some = size < run ? run / (size > 0 ? size : 1) : 1;
  const auto job = [&](i64 k) {
    const i64 end = lines < (k + 1) * some ? lines : (k + 1) * some;
    for (i64 line = k * some; line < end; ++line) place_line(p, line);
  };
  each_job((lines + some - 1) / some, job, context);
}

}  // namespace

template <class T>
const Maps<T> TableOf<T>::maps = {relu<T>,     relu_gradient<T>, relu6<T>, relu6_gradient<T>,
                                  add_relu<T>, dropout<T>,       add<T>,   copy_rows<T>,
                                  place<T>};

template const Maps<float> TableOf<float>::maps;
template const Maps<double> TableOf<double>::maps;

}  // namespace pellucid::PELLUCID_ISA
