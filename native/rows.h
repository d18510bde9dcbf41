// Matrices by row and column: blocks moved, rows repeated and summed, rows and columns scaled.
#pragma once

#include <algorithm>
#include <cstring>

#include "args.h"
#include "simd.h"

namespace layerwise {

// The loops, for both types and several instruction sets.
#define LAYERWISE_LOOPS(T)                                                                                      \
  LAYERWISE_SIMD inline void affine_rows_loop(int n, int d, const T* x, const T* scale, const T* shift, T* y) { \
    for (int i = 0; i < n; ++i)                                                                                 \
      for (int j = 0; j < d; ++j) y[area(i, d) + j] = x[area(i, d) + j] * scale[j] + shift[j];                  \
  }                                                                                                             \
  LAYERWISE_SIMD inline void column_sums_loop(int n, int d, const T* x, const T* y, T* sum_x, T* sum_xy) {      \
    for (int j = 0; j < d; ++j) sum_x[j] = sum_xy[j] = T{0};                                                    \
    for (int i = 0; i < n; ++i)                                                                                 \
      for (int j = 0; j < d; ++j) {                                                                             \
        sum_x[j] += x[area(i, d) + j];                                                                          \
        sum_xy[j] += x[area(i, d) + j] * y[area(i, d) + j];                                                     \
      }                                                                                                         \
  }                                                                                                             \
  LAYERWISE_SIMD inline void add_rows_loop(int n, int d, const T* x, T* sum) {                                  \
    for (int i = 0; i < n; ++i)                                                                                 \
      for (int j = 0; j < d; ++j) sum[j] += x[area(i, d) + j];                                                  \
  }                                                                                                             \
  LAYERWISE_SIMD inline void scale_rows_loop(int m, int n, T* x, const T* s) {                                  \
    for (int i = 0; i < m; ++i)                                                                                 \
      for (int j = 0; j < n; ++j) x[area(i, n) + j] *= s[i];                                                    \
  }                                                                                                             \
  LAYERWISE_SIMD inline void scale_columns_loop(int m, int n, T* x, const T* s) {                               \
    for (int i = 0; i < m; ++i)                                                                                 \
      for (int j = 0; j < n; ++j) x[area(i, n) + j] *= s[j];                                                    \
  }                                                                                                             \
  LAYERWISE_SIMD inline void divide_outer_loop(int m, int n, T* x, const T* left, const T* right, T damping) {  \
    for (int i = 0; i < m; ++i) {                                                                               \
      const T l = left == nullptr ? T{1} : left[i];                                                             \
      for (int j = 0; j < n; ++j) x[area(i, n) + j] /= l * right[j] + damping;                                  \
    }                                                                                                           \
  }
LAYERWISE_LOOPS(double)
LAYERWISE_LOOPS(float)
#undef LAYERWISE_LOOPS

/** out = A', A m x n.  (ints[m, n], A, out) */
struct Transpose {
  static constexpr const char* name = "transpose";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    const T* a = args.in<T>(1, area(m, n));
    T* out = args.out<T>(2, area(m, n));
    args.check_overlap(Overlap::forbidden);
    constexpr std::size_t kTile = 16;  // and std::size_t throughout: a tile's end can lie beyond 2^31 - 1
    const std::size_t rows = m, cols = n;
    if (cols == 0) return undefined(args);
    for (std::size_t ii = 0; ii < rows; ii += kTile)
      for (std::size_t jj = 0; jj < cols; jj += kTile)
        for (std::size_t i = ii; i < std::min(ii + kTile, rows); ++i)
          for (std::size_t j = jj; j < std::min(jj + kTile, cols); ++j) out[j * rows + i] = a[i * cols + j];
    return undefined(args);
  }
};

/** Copies a rectangle of one matrix into another.
 *  (ints[rows, cols, fromRows, fromCols, fromRow, fromCol, toRows, toCols, toRow, toCol], from, to) */
struct CopyBlock {
  static constexpr const char* name = "copyBlock";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [rows, cols, from_rows, from_cols, from_row, from_col, to_rows, to_cols, to_row, to_col] = args.ints<10>(0);
    const T* from = args.in<T>(1, area(from_rows, from_cols));
    T* to = args.out<T>(2, area(to_rows, to_cols));
    args.check_overlap(Overlap::forbidden);
    if (from_row > from_rows - rows || from_col > from_cols - cols) args.range_error("the block lies outside the matrix it is read from");
    if (to_row > to_rows - rows || to_col > to_cols - cols) args.range_error("the block lies outside the matrix it is written to");
    if (cols == 0) return undefined(args);
    const T* source = from + area(from_row, from_cols) + from_col;
    T* target = to + area(to_row, to_cols) + to_col;
    for (int i = 0; i < rows; ++i) std::copy_n(source + area(i, from_cols), cols, target + area(i, to_cols));
    return undefined(args);
  }
};

/** Every row of out becomes `row`.  (ints[n, d], row d, out n x d) */
struct BroadcastRow {
  static constexpr const char* name = "broadcastRow";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const T* row = args.in<T>(1, d);
    T* out = args.out<T>(2, area(n, d));
    args.check_overlap(Overlap::forbidden);
    if (d == 0) return undefined(args);
    for (int i = 0; i < n; ++i) std::copy_n(row, d, out + area(i, d));
    return undefined(args);
  }
};

/** out = alpha 1' x. Rows are summed 64 at a time, and then the sums: a float keeps its digits over many rows.
 *  (ints[n, d], alpha, x n x d, out d) */
struct ColumnSums {
  static constexpr const char* name = "columnSums";
  static constexpr std::size_t arity = 4, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const T alpha = static_cast<T>(args.scalar(1));
    const T* x = args.in<T>(2, area(n, d));
    T* out = args.out<T>(3, d);
    args.check_overlap(Overlap::forbidden);
    if (d == 0) return undefined(args);
    constexpr int kBlock = 64;
    T* part = args.scratch<T>(0, d);
    std::fill_n(out, d, T{0});
    for (int i = 0; i < n; i += std::min(kBlock, n - i)) {
      std::fill_n(part, d, T{0});
      add_rows_loop(std::min(kBlock, n - i), d, x + area(i, d), part);
      add_rows_loop(1, d, part, out);
    }
    for (int j = 0; j < d; ++j) out[j] *= alpha;
    return undefined(args);
  }
};

/** x = diag(s) x, x m x n.  (ints[m, n], x, s m) */
struct ScaleRows {
  static constexpr const char* name = "scaleRows";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    T* x = args.out<T>(1, area(m, n));
    const T* s = args.in<T>(2, m);
    args.check_overlap(Overlap::forbidden);
    if (n > 0) scale_rows_loop(m, n, x, s);
    return undefined(args);
  }
};

/** x = x diag(s), x m x n.  (ints[m, n], x, s n) */
struct ScaleColumns {
  static constexpr const char* name = "scaleColumns";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    T* x = args.out<T>(1, area(m, n));
    const T* s = args.in<T>(2, n);
    args.check_overlap(Overlap::forbidden);
    if (n > 0) scale_columns_loop(m, n, x, s);
    return undefined(args);
  }
};

/** x_ij /= left_i right_j + damping, x m x n; without left, left_i is 1.  (ints[m, n], x, left m or null, right n, damping) */
struct DivideByOuterSum {
  static constexpr const char* name = "divideByOuterSum";
  static constexpr std::size_t arity = 5, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    T* x = args.out<T>(1, area(m, n));
    const T* left = args.absent(2) ? nullptr : args.in<T>(2, m);
    const T* right = args.in<T>(3, n);
    const T damping = static_cast<T>(args.scalar(4));
    args.check_overlap(Overlap::forbidden);
    if (n > 0) divide_outer_loop(m, n, x, left, right, damping);
    return undefined(args);
  }
};

/** y = x scale + shift, by columns.  (ints[n, d], x n x d, affine 2d: scale then shift, y n x d) */
struct AffineRows {
  static constexpr const char* name = "affineRows";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const T* x = args.in<T>(1, area(n, d));
    const T* affine = args.in<T>(2, area(2, d));
    T* y = args.out<T>(3, area(n, d));
    args.check_overlap(Overlap::same_allowed);
    if (d > 0) affine_rows_loop(n, d, x, affine, affine + d, y);
    return undefined(args);
  }
};

}  // namespace layerwise
