// Batch normalisation, over columns, and layer normalisation, over rows; forwards and backwards.
#pragma once

#include <algorithm>
#include <cmath>

#include "args.h"
#include "rows.h"
#include "simd.h"

namespace layerwise {

/** Rows summed in T before their sums go on in double: over many rows (pixels of a batch) sums in float would drift. */
constexpr int kSumRows = 64;

/** totals (2d, in double) = sums over blocks of rows of what `block(first row, rows, part)` writes into part (2d, in T). */
template <typename T, typename Block>
void sum_in_blocks(Args& args, int n, int d, T* sums, Block block) {
  T* part = args.scratch<T>(1, area(2, d));
  double* totals = args.scratch<double>(2, area(2, d));
  std::fill(totals, totals + area(2, d), 0.0);
  for (int i = 0; i < n; i += std::min(kSumRows, n - i)) {
    block(i, std::min(kSumRows, n - i), part);
    for (std::size_t j = 0; j < area(2, d); ++j) totals[j] += static_cast<double>(part[j]);
  }
  for (std::size_t j = 0; j < area(2, d); ++j) sums[j] = static_cast<T>(totals[j]);
}

/** sums (2d): column sums of x, then of x o y; x and y n x d. */
template <typename T>
void column_sums(Args& args, int n, int d, const T* x, const T* y, T* sums) {
  sum_in_blocks(args, n, d, sums,
                [&](int first, int rows, T* part) { column_sums_loop(rows, d, x + area(first, d), y + area(first, d), part, part + d); });
}

/** Column means and biased variances of h (n x d) and the normalised (h - mean) / sqrt(variance + epsilon).
 *  (ints[n, d], epsilon, h, moments 2d: mean then variance, normalised) */
struct BatchNormForward {
  static constexpr const char* name = "batchNormForward";
  static constexpr std::size_t arity = 5, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const double epsilon = args.scalar(1);
    const T* h = args.in<T>(2, area(n, d));
    T* moments = args.out<T>(3, area(2, d));
    T* normalised = args.out<T>(4, area(n, d));
    args.check_overlap(Overlap::forbidden);
    if (n == 0) args.range_error("a batch has at least one row");
    if (d == 0) return undefined(args);
    T *mean = moments, *variance = moments + d;
    T* work = args.scratch<T>(0, area(2, d));
    T *scale = work, *shift = work + d;
    column_sums(args, n, d, h, h, moments);
    for (int j = 0; j < d; ++j) {
      scale[j] = T{1};
      mean[j] /= static_cast<T>(n);
      shift[j] = -mean[j];
    }
    affine_rows_loop(n, d, h, scale, shift, normalised);  // centred first: the variance of large means stays accurate
    column_sums(args, n, d, normalised, normalised, work);
    for (int j = 0; j < d; ++j) {
      variance[j] = work[d + j] / static_cast<T>(n);
    }
    for (int j = 0; j < d; ++j) {
      scale[j] = static_cast<T>(1.0 / std::sqrt(static_cast<double>(variance[j]) + epsilon));
      shift[j] = T{0};
    }
    affine_rows_loop(n, d, normalised, scale, shift, normalised);
    return undefined(args);
  }
};

/** Reverse of y = gamma normalised + beta (Ioffe & Szegedy 2015, section 3): dy becomes dh, and the gradients of gamma and beta
 *  are written.  (ints[n, d], epsilon, normalised, scales 2d: gamma then batch variance, dy -> dh, grads 2d: dgamma then dbeta) */
struct BatchNormBackward {
  static constexpr const char* name = "batchNormBackward";
  static constexpr std::size_t arity = 6, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const double epsilon = args.scalar(1);
    const T* normalised = args.in<T>(2, area(n, d));
    const T* scales = args.in<T>(3, area(2, d));
    T* dy = args.out<T>(4, area(n, d));
    T* grads = args.out<T>(5, area(2, d));
    args.check_overlap(Overlap::forbidden);
    if (n == 0) args.range_error("a batch has at least one row");
    if (d == 0) return undefined(args);
    T *dgamma = grads, *dbeta = grads + d;
    T* factor = args.scratch<T>(0, area(2, d));
    column_sums(args, n, d, dy, normalised, factor);
    std::copy(factor, factor + d, dbeta);
    std::copy(factor + d, factor + 2 * static_cast<std::size_t>(d), dgamma);
    for (int j = 0; j < d; ++j)
      factor[j] = static_cast<T>(static_cast<double>(scales[j]) / std::sqrt(static_cast<double>(scales[d + j]) + epsilon));
    const T share = T{1} / static_cast<T>(n);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < d; ++j) {
        const std::size_t at = area(i, d) + j;
        dy[at] = factor[j] * (dy[at] - share * (dbeta[j] + normalised[at] * dgamma[j]));
      }
    return undefined(args);
  }
};

/** Sum of x_j, or of x_j y_j where y is given, as eight partial sums in a fixed order whatever the instruction set. */
template <typename T>
LAYERWISE_INLINE double row_sum(int d, const T* x, const T* y) {
  double sums[8] = {}, total = 0;
  int j = 0;
  for (; j <= d - 8; j += 8)
    for (int s = 0; s < 8; ++s) sums[s] += static_cast<double>(x[j + s]) * (y == nullptr ? 1.0 : static_cast<double>(y[j + s]));
  for (; j < d; ++j) total += static_cast<double>(x[j]) * (y == nullptr ? 1.0 : static_cast<double>(y[j]));
  for (const double s : sums) total += s;
  return total;
}

#define LAYERWISE_LOOPS(T)                                                                                                                \
  LAYERWISE_SIMD inline void layer_norm_loop(int n, int d, double epsilon, const T* x, T* normalised, T* inverse) {                       \
    for (int i = 0; i < n; ++i) {                                                                                                         \
      const T* row = x + area(i, d);                                                                                                      \
      T* z = normalised + area(i, d);                                                                                                     \
      const T mean = static_cast<T>(row_sum<T>(d, row, nullptr) / d);                                                                     \
      for (int j = 0; j < d; ++j) z[j] = row[j] - mean;                                                                                   \
      inverse[i] = static_cast<T>(1 / __builtin_sqrt(row_sum<T>(d, z, z) / d + epsilon));                                                 \
      for (int j = 0; j < d; ++j) z[j] *= inverse[i];                                                                                     \
    }                                                                                                                                     \
  }                                                                                                                                       \
  LAYERWISE_SIMD inline void layer_norm_back_loop(int n, int d, const T* normalised, const T* inverse, const T* gamma, T* dy, T* grads) { \
    T *dgamma = grads, *dbeta = grads + d;                                                                                                \
    for (int j = 0; j < d; ++j) dgamma[j] = dbeta[j] = T{0};                                                                              \
    for (int i = 0; i < n; ++i) {                                                                                                         \
      const T* z = normalised + area(i, d);                                                                                               \
      T* row = dy + area(i, d);                                                                                                           \
      for (int j = 0; j < d; ++j) {                                                                                                       \
        dgamma[j] += row[j] * z[j];                                                                                                       \
        dbeta[j] += row[j];                                                                                                               \
        row[j] *= gamma[j];                                                                                                               \
      }                                                                                                                                   \
      const T mean = static_cast<T>(row_sum<T>(d, row, nullptr) / d), along = static_cast<T>(row_sum<T>(d, row, z) / d);                  \
      for (int j = 0; j < d; ++j) row[j] = inverse[i] * (row[j] - (mean + z[j] * along));                                                 \
    }                                                                                                                                     \
  }
LAYERWISE_LOOPS(double)
LAYERWISE_LOOPS(float)
#undef LAYERWISE_LOOPS

/** Rows of mean 0 and variance 1: normalised = (x - mean) inverse, inverse = 1 / sqrt(biased variance + epsilon), row by row
 *  (Ba, Kiros & Hinton 2016, section 3).  (ints[n, d], epsilon, x n x d, normalised n x d, inverse n) */
struct LayerNormForward {
  static constexpr const char* name = "layerNormForward";
  static constexpr std::size_t arity = 5, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const double epsilon = args.scalar(1);
    const T* x = args.in<T>(2, area(n, d));
    T *normalised = args.out<T>(3, area(n, d)), *inverse = args.out<T>(4, n);
    args.check_overlap(Overlap::forbidden);
    if (d == 0) args.range_error("a row has at least one entry");
    layer_norm_loop(n, d, epsilon, x, normalised, inverse);
    return undefined(args);
  }
};

/** Reverse of y = gamma normalised + beta: dy becomes dx, and the gradients of gamma and beta are written.
 *  (ints[n, d], normalised n x d, inverse n, gamma d, dy -> dx n x d, grads 2d: dgamma then dbeta) */
struct LayerNormBackward {
  static constexpr const char* name = "layerNormBackward";
  static constexpr std::size_t arity = 6, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const T *normalised = args.in<T>(1, area(n, d)), *inverse = args.in<T>(2, n), *gamma = args.in<T>(3, d);
    T *dy = args.out<T>(4, area(n, d)), *grads = args.out<T>(5, area(2, d));
    args.check_overlap(Overlap::forbidden);
    if (d == 0) args.range_error("a row has at least one entry");
    sum_in_blocks(args, n, d, grads, [&, width = d](int first, int rows, T* part) {  // C++17 does not capture a part of a binding
      const std::size_t at = area(first, width);
      layer_norm_back_loop(rows, width, normalised + at, inverse + first, gamma, dy + at, part);
    });
    return undefined(args);
  }
};

}  // namespace layerwise
