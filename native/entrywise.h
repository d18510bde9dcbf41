// Entry-wise passes of training: products, quotients, moving averages, the Adam update and the squared loss. Each reads and writes its
// arrays once.
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
  LAYERWISE_SIMD inline void divide_loop(std::size_t n, T* x, const T* y, T damping) {                             \
    for (std::size_t i = 0; i < n; ++i) x[i] /= y[i] + damping;                                                    \
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

/** x_i /= y_i + damping.  (x, y, damping) */
struct DivideEntries {
  static constexpr const char* name = "divideEntries";
  static constexpr std::size_t arity = 3, dtype = 0;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(0);
    T* x = args.out<T>(0, n);
    const T* y = args.in<T>(1, n);
    const T damping = static_cast<T>(args.scalar(2));
    args.check_overlap(Overlap::same_allowed);
    divide_loop(n, x, y, damping);
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

}  // namespace layerwise
