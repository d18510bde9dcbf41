// Entry-wise passes of training: activations with derivatives, products, moving averages, the Adam update,
// batch normalisation and softmax cross-entropy. Each reads and writes its arrays once.
#pragma once

#include <cmath>

#include "args.h"
#include "simd.h"

namespace layerwise {

// The loops, for both types and several instruction sets.
#define LAYERWISE_LOOPS(T)                                                                                         \
  LAYERWISE_SIMD inline void axpby_loop(std::size_t n, T alpha, const T* x, T beta, T* y) {                        \
    if (beta == T{0})                                                                                              \
      for (std::size_t i = 0; i < n; ++i) y[i] = alpha * x[i];                                                     \
    else                                                                                                           \
      for (std::size_t i = 0; i < n; ++i) y[i] = alpha * x[i] + beta * y[i];                                       \
  }                                                                                                                \
  LAYERWISE_SIMD inline void hadamard_loop(std::size_t n, const T* x, const T* y, T* out) {                        \
    for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * y[i];                                                      \
  }                                                                                                                \
  LAYERWISE_SIMD inline void relu_loop(std::size_t n, const T* x, T* y, T* dy) {                                   \
    for (std::size_t i = 0; i < n; ++i) {                                                                          \
      const T v = x[i];                                                                                            \
      dy[i] = v > T{0} ? T{1} : T{0};                                                                              \
      y[i] = v > T{0} ? v : (v == v ? T{0} : v);                                                                   \
    }                                                                                                              \
  }                                                                                                                \
  LAYERWISE_SIMD inline void adam_loop(std::size_t n, const double* h, const T* g, T* m, T* v, T* most, T* step) { \
    const T b1 = static_cast<T>(h[1]), b2 = static_cast<T>(h[2]), eps = static_cast<T>(h[3]);                      \
    const T c1 = static_cast<T>(1 - h[1]), c2 = static_cast<T>(1 - h[2]);                                          \
    const T rate = static_cast<T>(-h[0] / h[4]), root = static_cast<T>(std::sqrt(h[5]));                           \
    for (std::size_t i = 0; i < n; ++i) {                                                                          \
      m[i] = b1 * m[i] + c1 * g[i];                                                                                \
      v[i] = b2 * v[i] + c2 * g[i] * g[i];                                                                         \
    }                                                                                                              \
    if (most != nullptr)                                                                                           \
      for (std::size_t i = 0; i < n; ++i) most[i] = most[i] > v[i] ? most[i] : v[i];                               \
    const T* second = most != nullptr ? most : v;                                                                  \
    for (std::size_t i = 0; i < n; ++i)                                                                            \
      step[i] = rate * m[i] / (static_cast<T>(__builtin_sqrt(static_cast<double>(second[i]))) / root + eps);       \
  }                                                                                                                \
  LAYERWISE_SIMD inline void affine_rows_loop(int n, int d, const T* x, const T* scale, const T* shift, T* y) {    \
    for (int i = 0; i < n; ++i)                                                                                    \
      for (int j = 0; j < d; ++j) y[area(i, d) + j] = x[area(i, d) + j] * scale[j] + shift[j];                     \
  }                                                                                                                \
  LAYERWISE_SIMD inline void column_sums_loop(int n, int d, const T* x, const T* y, T* sum_x, T* sum_xy) {         \
    for (int j = 0; j < d; ++j) sum_x[j] = sum_xy[j] = T{0};                                                       \
    for (int i = 0; i < n; ++i)                                                                                    \
      for (int j = 0; j < d; ++j) {                                                                                \
        sum_x[j] += x[area(i, d) + j];                                                                             \
        sum_xy[j] += x[area(i, d) + j] * y[area(i, d) + j];                                                        \
      }                                                                                                            \
  }
LAYERWISE_LOOPS(double)
LAYERWISE_LOOPS(float)
#undef LAYERWISE_LOOPS

/** y = alpha x + beta y; y is not read when beta is 0.  (alpha, x, beta, y) */
struct Axpby {
  static constexpr const char* name = "axpby";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(1);
    const T alpha = static_cast<T>(args.scalar(0)), beta = static_cast<T>(args.scalar(2));
    const T* x = args.in<T>(1, n);
    T* y = args.out<T>(3, n);
    args.check_overlap(Overlap::same_allowed);
    axpby_loop(n, alpha, x, beta, y);
    return undefined(args);
  }
};

/** x = alpha x.  (alpha, x) */
struct Scale {
  static constexpr const char* name = "scale";
  static constexpr std::size_t arity = 2, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(1);
    const T alpha = static_cast<T>(args.scalar(0));
    T* x = args.out<T>(1, n);
    axpby_loop(n, alpha, x, T{0}, x);
    return undefined(args);
  }
};

/** out = x o y.  (x, y, out) */
struct Hadamard {
  static constexpr const char* name = "hadamard";
  static constexpr std::size_t arity = 3, dtype = 0;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(0);
    const T *x = args.in<T>(0, n), *y = args.in<T>(1, n);
    T* out = args.out<T>(2, n);
    args.check_overlap(Overlap::same_allowed);
    hadamard_loop(n, x, y, out);
    return undefined(args);
  }
};

/** y = s(x) and dy = s'(x); s is 0 ReLU (s'(0) = 0) or 1 tanh.  (ints[kind], x, y, dy) */
struct Activation {
  static constexpr const char* name = "activation";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [kind] = args.ints<1>(0);
    const std::size_t n = args.length(1);
    const T* x = args.in<T>(1, n);
    T *y = args.out<T>(2, n), *dy = args.out<T>(3, n);
    args.check_overlap(Overlap::forbidden);
    switch (kind) {
      case 0: relu_loop(n, x, y, dy); break;
      case 1:
        for (std::size_t i = 0; i < n; ++i) {
          y[i] = std::tanh(x[i]);
          dy[i] = (T{1} - y[i]) * (T{1} + y[i]);
        }
        break;
      default: args.range_error("activation kind " + std::to_string(kind) + " is unknown");
    }
    return undefined(args);
  }
};

/** Adam (Kingma & Ba 2015, algorithm 1; amsgrad: Reddi et al. 2018) on one parameter: moves m, v (and most) on and writes the step
 *  -rate m / bias1 / (sqrt(v / bias2) + epsilon), in PyTorch's order of operations.
 *  (hyper Float64Array [rate, beta1, beta2, epsilon, bias1, bias2], g, m, v, most or null, step) */
struct Adam {
  static constexpr const char* name = "adam";
  static constexpr std::size_t arity = 6, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(1);
    const double* hyper = args.in<double>(0, 6);
    const T* g = args.in<T>(1, n);
    T *m = args.out<T>(2, n), *v = args.out<T>(3, n);
    T* most = args.absent(4) ? nullptr : args.out<T>(4, n);
    T* step = args.out<T>(5, n);
    args.check_overlap(Overlap::forbidden);
    adam_loop(n, hyper, g, m, v, most, step);
    return undefined(args);
  }
};

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
    for (int j = 0; j < d; ++j) {
      scale[j] = T{1};
      mean[j] = T{0};
    }
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < d; ++j) mean[j] += h[area(i, d) + j];
    for (int j = 0; j < d; ++j) {
      mean[j] /= static_cast<T>(n);
      shift[j] = -mean[j];
    }
    affine_rows_loop(n, d, h, scale, shift, normalised);  // centred first: the variance of large means stays accurate
    column_sums_loop(n, d, normalised, normalised, shift, variance);
    for (int j = 0; j < d; ++j) {
      variance[j] /= static_cast<T>(n);
      scale[j] = static_cast<T>(1.0 / std::sqrt(static_cast<double>(variance[j]) + epsilon));
      shift[j] = T{0};
    }
    affine_rows_loop(n, d, normalised, scale, shift, normalised);
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
    column_sums_loop(n, d, dy, normalised, dbeta, dgamma);
    T* factor = args.scratch<T>(0, d);
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

/** Mean softmax cross-entropy of labels in [0, c); the logits become its gradient (softmax - one-hot) / n.
 *  (ints[n, c], labels Int32Array n, logits n x c) -> loss */
struct SoftmaxCrossEntropy {
  static constexpr const char* name = "softmaxCrossEntropy";
  static constexpr std::size_t arity = 3, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, c] = args.ints<2>(0);
    const std::int32_t* labels = args.in<std::int32_t>(1, n);
    T* logits = args.out<T>(2, area(n, c));
    args.check_overlap(Overlap::forbidden);
    for (int i = 0; i < n; ++i)
      if (labels[i] < 0 || labels[i] >= c)
        args.range_error("label " + std::to_string(i) + " is " + std::to_string(labels[i]) + ", outside [0, classes)");
    double loss = 0;
    for (int i = 0; i < n; ++i) {
      T* row = logits + area(i, c);
      const T top = *std::max_element(row, row + c), own = row[labels[i]];
      double total = 0;
      for (int j = 0; j < c; ++j) total += row[j] = std::exp(row[j] - top);
      loss += std::log(total) + static_cast<double>(top) - static_cast<double>(own);
      for (int j = 0; j < c; ++j) row[j] = static_cast<T>(row[j] / total / n);
      row[labels[i]] -= T{1} / static_cast<T>(n);
    }
    return number(args, n == 0 ? 0 : loss / n);
  }
};

/** Half the mean squared row of f - y: gradient = (f - y) / n, and the loss n |gradient|^2 / 2. Eight partial sums, in a fixed order
 *  whatever the instruction set. */
#define LAYERWISE_SQUARED(T)                                                                                         \
  LAYERWISE_SIMD inline double squared_loss_loop(std::size_t count, double n, const T* f, const T* y, T* gradient) { \
    const T share = static_cast<T>(1 / n);                                                                           \
    double sums[8] = {};                                                                                             \
    std::size_t i = 0;                                                                                               \
    for (; i + 8 <= count; i += 8)                                                                                   \
      for (int s = 0; s < 8; ++s) {                                                                                  \
        const T r = f[i + s] - y[i + s];                                                                             \
        gradient[i + s] = share * r;                                                                                 \
        sums[s] += static_cast<double>(r) * static_cast<double>(r);                                                  \
      }                                                                                                              \
    double total = 0;                                                                                                \
    for (; i < count; ++i) {                                                                                         \
      const T r = f[i] - y[i];                                                                                       \
      gradient[i] = share * r;                                                                                       \
      total += static_cast<double>(r) * static_cast<double>(r);                                                      \
    }                                                                                                                \
    for (const double s : sums) total += s;                                                                          \
    return total / (2 * n);                                                                                          \
  }
LAYERWISE_SQUARED(double)
LAYERWISE_SQUARED(float)
#undef LAYERWISE_SQUARED

/** (ints[n, d], f n x d, y, gradient) -> loss */
struct SquaredLoss {
  static constexpr const char* name = "squaredLoss";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, d] = args.ints<2>(0);
    const T *f = args.in<T>(1, area(n, d)), *y = args.in<T>(2, area(n, d));
    T* gradient = args.out<T>(3, area(n, d));
    args.check_overlap(Overlap::same_allowed);
    return number(args, n == 0 ? 0 : squared_loss_loop(area(n, d), n, f, y, gradient));
  }
};

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

}  // namespace layerwise
