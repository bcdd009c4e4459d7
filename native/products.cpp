// Matrix products through the register tile.
//
//   i: rows of y    r: one    l: a panel of k    b: packed columns
//
// A job makes a block of y. It packs a panel of its columns of b as the tile reads them, and one of
// its rows of a where those have gaps, into memory that stays near. So a large matrix is read from
// memory once, as it lies, and y is written there once. Where a has few rows, rows of b that are in
// a cache are not packed; and where columns of b have no gaps, the jobs make y^T = b^T a^T: then
// the small a is packed, and the large b is not.
#include "products.hpp"

#include "jobs.hpp"
#include "sizes.hpp"
#include "table.hpp"
#include "tile.hpp"

namespace pellucid::PELLUCID_ISA {

namespace {

constexpr i64 near_bytes = 256 << 10;  // of packed columns, and about as much of packed rows
constexpr i64 most_rows = 1024;        // of a job
constexpr i64 few_rows = 64;           // so many cost more to pack b for than to turn y
constexpr i64 strip_rows = 4 * tile_rows;
constexpr i64 least_jobs = 8;  // so that a thread that is held up leaves work to the others

template <class T>
class Tiled {
 public:
  Tiled(const MatrixProduct<T>& p, const Context& context)
      : p_(p),
        context_(context),
        turned_(p.rows <= few_rows && p.rows < p.columns && p.b_row == 1) {
    if (turned_) {
      p_.rows = p.columns, p_.columns = p.rows;
      p_.a = p.b, p_.a_row = p.b_column, p_.a_column = p.b_row;
      p_.b = p.a, p_.b_row = p.a_column, p_.b_column = p.a_row;
    }
    gaps_ = p_.a_column != 1;
    near_ = p_.b_column == 1 && p_.rows <= few_rows / 2 &&
            p_.depth * p_.columns * i64(sizeof(T)) < far_bytes;
    panel_ = smaller(p_.panel, p_.depth);
    const i64 near = near_bytes / i64(sizeof(T)) / panel_;
    width_ = filled(smaller(near, p_.columns), width);
    height_ = filled(smaller(smaller(gaps_ ? near : most_rows, most_rows), p_.rows), strip_rows);
    const auto cut = [&](i64& size, i64 unit) {
      while (jobs() < least_jobs && size > 2 * unit) size = filled(size / 2, unit);
    };
    if (gaps_) cut(height_, strip_rows);  // packed again for each strip of columns, one by one
    cut(width_, width);
    cut(height_, strip_rows);
  }

  bool run() {
    each_job(jobs(), [this](i64 number) { Job(*this, number).run(); }, context_);
    return !failed_;
  }

 private:
  static constexpr i64 lanes = Simd<T>::lanes, width = tile_width<T>;

  i64 across() const { return (p_.columns + width_ - 1) / width_; }
  i64 jobs() const { return across() * ((p_.rows + height_ - 1) / height_); }

  // Rows i to i + rows and columns j to j + columns of y, or of y^T, on one thread.
  struct Job {
    Job(Tiled& g, i64 number) : g(g), p(g.p_) {
      i = number / g.across() * g.height_;
      j = number % g.across() * g.width_;
      rows = smaller(g.height_, p.rows - i);
      columns = smaller(g.width_, p.columns - j);
    }

    void run() {
      const i64 b_size = g.panel_ * g.width_, a_size = g.gaps_ ? g.panel_ * g.height_ : 0;
      const i64 y_size = g.turned_ ? g.height_ * g.width_ : 0;
      T* memory =
          static_cast<T*>(g.context_.allocate(std::size_t(b_size + a_size + y_size) * sizeof(T)));
      if (!memory) return g.failed_.raise();
      packed_b = memory;
      packed_a = packed_b + b_size;
      y = g.turned_ ? packed_a + a_size : p.y + i * p.y_row + j;
      y_row = g.turned_ ? g.width_ : p.y_row;
      for (k = 0; k < p.depth; k += p.panel) {
        depth = smaller(p.panel, p.depth - k);
        if (!g.near_ || columns % width) pack_columns();
        if (g.gaps_) pack_rows();
        for (i64 m = 0; m < rows; m += strip_rows) strip(m, smaller(strip_rows, rows - m));
      }
      if (g.turned_) turn();
      g.context_.release(memory);
    }

    // packed_b[block][l][width] = the columns of rows k to k + depth of b, with zeros behind.
    void pack_columns() const {
      const T* b = p.b + k * p.b_row + j * p.b_column;
      if (p.b_column != 1) {
        for (i64 c = 0; c < columns; c += lanes, b += lanes * p.b_column)
          pack_vector(b, smaller(lanes, columns - c),
                      packed_b + c / width * depth * width + c % width);
        return;
      }
      constexpr i64 ahead = 16, line = 64 / i64(sizeof(T));
      for (i64 l = 0; l < depth; ++l, b += p.b_row) {
        for (i64 c = 0; c < columns; c += line) __builtin_prefetch(b + ahead * p.b_row + c);
        T* to = packed_b + l * width;
        i64 c = 0;
        for (; c + width <= columns; c += width, to += depth * width)
#pragma GCC unroll 4
          for (i64 v = 0; v < width; v += lanes) store(to + v, load(b + c + v));
        for (i64 v = 0; c + v < columns; v += lanes)
          store(to + v, load_part(b + c + v, columns - c - v));
      }
    }

    // One vector of columns, which lie far from each other.
    void pack_vector(const T* b, i64 count, T* to) const {
      constexpr i64 part = 16 / i64(sizeof(T));
      i64 l = 0;
      if (count == lanes && p.b_row == 1)
        for (; l + part <= depth; l += part) {
          Vec<T> turned[part];
          transpose(b + l, p.b_column, turned);
#pragma GCC unroll 4
          for (i64 e = 0; e < part; ++e) store(to + (l + e) * width, turned[e]);
        }
      for (; l < depth; ++l) {
        T row[lanes] = {};
        for (i64 c = 0; c < count; ++c) row[c] = b[l * p.b_row + c * p.b_column];
        store(to + l * width, load(row));
      }
    }

    // packed_a[m / tile_rows][l][m % tile_rows] = element k + l of row i + m of a. Behind the last
    // row comes the last again.
    void pack_rows() const {
      const T* a = p.a + i * p.a_row + k * p.a_column;
      T* to = packed_a;
      for (i64 m = 0; m < rows; m += tile_rows, a += tile_rows * p.a_row) {
        const i64 last = smaller(tile_rows, rows - m) - 1;
        const bool adjacent = p.a_row == 1 && last == tile_rows - 1;
        for (i64 l = 0; l < depth; ++l, to += tile_rows) {
          const T* column = a + l * p.a_column;
          if (adjacent)
            __builtin_memcpy(to, column, tile_rows * sizeof(T));
          else
            for (i64 e = 0; e < tile_rows; ++e) to[e] = column[smaller(e, last) * p.a_row];
        }
      }
    }

    // Adds the sums of a panel to rows m to m + count of the block.
    void strip(i64 m, i64 count) const {
      static constexpr T zeros[width] = {};
      const bool packed = g.gaps_;
      const T* a = packed ? packed_a + m * depth : p.a + (i + m) * p.a_row + k;
      T sums[strip_rows * width];
      i64 from[strip_rows], to[strip_rows], to_sums[strip_rows];
      for (i64 e = 0; e < strip_rows; ++e) {
        const i64 row = smaller(e, count - 1);
        from[e] = packed ? e / tile_rows * tile_rows * depth + e % tile_rows : row * p.a_row;
        to[e] = row * y_row;
        to_sums[e] = e * width;
      }
      const T* bias = !g.turned_ && k + depth == p.depth ? p.bias : nullptr;
      for (i64 c = 0; c < columns; c += width) {
        const i64 left = smaller(width, columns - c);
        T* row = y + m * y_row + c;
        const bool in_place = !bias && (g.turned_ || left % lanes == 0);
        const bool begins = k == 0 || !in_place;
        const bool lies = g.near_ && left == width;
        const Product<T> product{count,
                                 a,
                                 from,
                                 &no_offset,
                                 1,
                                 depth,
                                 packed ? tile_rows : 1,
                                 lies ? p.b + k * p.b_row + j + c : packed_b + c * depth,
                                 lies ? p.b_row : width,
                                 begins ? zeros : nullptr,
                                 in_place ? row : sums,
                                 in_place ? to : to_sums,
                                 T(0)};
        tile<T>((left + lanes - 1) / lanes, product);
        if (!in_place) deliver(sums, count, left, bias ? bias + j + c : nullptr, row);
      }
    }

    // Adds such sums to those of the panels before it, and the bias, where the tile cannot.
    void deliver(const T* sums, i64 count, i64 left, const T* bias, T* row) const {
      for (i64 e = 0; e < count; ++e, sums += width, row += y_row)
        for (i64 v = 0; v < left; v += lanes) {
          Vec<T> sum = load(sums + v);
          if (k > 0) sum = load_part(row + v, left - v) + sum;
          if (bias) sum = sum + load_part(bias + v, left - v);
          store_part(row + v, sum, left - v);
        }
    }

    // Rows of the finished block are columns of y.
    void turn() const {
      for (i64 c = 0; c < columns; ++c) {
        T* to = p.y + (j + c) * p.y_row + i;
        for (i64 m = 0; m < rows; ++m) {
          const T sum = y[m * y_row + c];
          to[m] = p.bias ? sum + p.bias[i + m] : sum;
        }
      }
    }

    Tiled& g;
    const MatrixProduct<T>& p;
    i64 i, j, rows, columns, y_row;
    i64 k, depth;  // the panel in hand
    T *packed_b, *packed_a, *y;
  };

  MatrixProduct<T> p_;
  const Context& context_;
  const bool turned_;
  bool gaps_;  // whether the rows of a have them
  bool near_;  // whether rows of b are read where they lie, in a cache
  i64 panel_, width_, height_;
  Flag failed_;
};

template <class T>
bool tiled(const MatrixProduct<T>& p, const Context& context) {
  return Tiled<T>(p, context).run();
}

}  // namespace

template <class T>
const Products<T> TableOf<T>::products = {tiled<T>, multiply_few_rows<T>};

template const Products<float> TableOf<float>::products;
template const Products<double> TableOf<double>::products;

}  // namespace pellucid::PELLUCID_ISA
