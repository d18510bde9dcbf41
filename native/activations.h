// Activations with their derivatives, in one pass. NaN gives NaN.
#pragma once

#include <algorithm>
#include <cmath>

#include "args.h"
#include "simd.h"

namespace layerwise {

#define LAYERWISE_LOOPS(T)                                                                           \
  LAYERWISE_SIMD inline void relu_loop(std::size_t n, const T* x, T* y, T* dy) {                     \
    for (std::size_t i = 0; i < n; ++i) {                                                            \
      const T v = x[i];                                                                              \
      dy[i] = v > T{0} ? T{1} : T{0};                                                                \
      y[i] = v > T{0} ? v : (v == v ? T{0} : v);                                                     \
    }                                                                                                \
  }                                                                                                  \
  LAYERWISE_SIMD inline void leaky_relu_loop(std::size_t n, T slope, const T* x, T* y, T* dy) {      \
    for (std::size_t i = 0; i < n; ++i) {                                                            \
      const T v = x[i];                                                                              \
      dy[i] = v > T{0} ? T{1} : slope;                                                               \
      y[i] = v > T{0} ? v : slope * v;                                                               \
    }                                                                                                \
  }                                                                                                  \
  LAYERWISE_SIMD inline void sign_loop(std::size_t n, const T* x, T* y, T* dy) {                     \
    for (std::size_t i = 0; i < n; ++i) {                                                            \
      const T v = x[i];                                                                              \
      dy[i] = T{0};                                                                                  \
      y[i] = v > T{0} ? T{1} : v < T{0} ? T{-1} : v;                                                 \
    }                                                                                                \
  }                                                                                                  \
  LAYERWISE_SIMD inline void constant_loop(std::size_t n, T value, const T* x, T* y, T* dy) {        \
    for (std::size_t i = 0; i < n; ++i) {                                                            \
      dy[i] = T{0};                                                                                  \
      y[i] = x[i] == x[i] ? value : x[i];                                                            \
    }                                                                                                \
  }                                                                                                  \
  LAYERWISE_SIMD inline void linear_loop(std::size_t n, T value, T slope, const T* x, T* y, T* dy) { \
    for (std::size_t i = 0; i < n; ++i) {                                                            \
      dy[i] = slope;                                                                                 \
      y[i] = slope * x[i] + value;                                                                   \
    }                                                                                                \
  }                                                                                                  \
  LAYERWISE_SIMD inline void horner_loop(std::size_t n, T coefficient, const T* x, T* y, T* dy) {    \
    for (std::size_t i = 0; i < n; ++i) {                                                            \
      dy[i] = dy[i] * x[i] + y[i];                                                                   \
      y[i] = y[i] * x[i] + coefficient;                                                              \
    }                                                                                                \
  }
LAYERWISE_LOOPS(double)
LAYERWISE_LOOPS(float)
#undef LAYERWISE_LOOPS

template <typename T>
void tanh_loop(std::size_t n, const T* x, T* y, T* dy) {
  for (std::size_t i = 0; i < n; ++i) {
    y[i] = std::tanh(x[i]);
    dy[i] = (T{1} - y[i]) * (T{1} + y[i]);
  }
}

/** 1 / (1 + exp(-x)), by exp(-|x|), which cannot overflow. */
template <typename T>
void sigmoid_loop(std::size_t n, const T* x, T* y, T* dy) {
  for (std::size_t i = 0; i < n; ++i) {
    const T tail = std::exp(-std::abs(x[i]));
    const T share = T{1} / (T{1} + tail);
    y[i] = x[i] >= T{0} ? share : tail * share;
    dy[i] = tail * share * share;
  }
}

/** x Phi(x), Phi the normal distribution function (Hendrycks & Gimpel 2016); 0 where Phi or its density is, also at infinity. */
template <typename T>
void gelu_loop(std::size_t n, const T* x, T* y, T* dy) {
  constexpr T kRootHalf = static_cast<T>(0.70710678118654752440), kRootTwoPi = static_cast<T>(0.39894228040143267794);
  for (std::size_t i = 0; i < n; ++i) {
    const T share = T{0.5} * std::erfc(-x[i] * kRootHalf);
    const T density = kRootTwoPi * std::exp(T{-0.5} * x[i] * x[i]);
    y[i] = share == T{0} ? T{0} : x[i] * share;
    dy[i] = density == T{0} ? share : share + x[i] * density;
  }
}

template <typename T>
void erf_loop(std::size_t n, const T* x, T* y, T* dy) {
  constexpr T kTwoOverRootPi = static_cast<T>(1.12837916709551257390);
  for (std::size_t i = 0; i < n; ++i) {
    y[i] = std::erf(x[i]);
    dy[i] = kTwoOverRootPi * std::exp(-x[i] * x[i]);
  }
}

/** sum_k c_k x^k by Horner's rule, in pieces that stay in the cache. */
template <typename T>
void polynomial_loop(std::size_t n, std::size_t count, const double* c, const T* x, T* y, T* dy) {
  constexpr std::size_t kPiece = 512;
  for (std::size_t i = 0; i < n; i += kPiece) {
    const std::size_t m = std::min(kPiece, n - i);
    if (count < 2)
      constant_loop(m, count == 0 ? T{0} : static_cast<T>(c[0]), x + i, y + i, dy + i);
    else
      linear_loop(m, static_cast<T>(c[count - 2]), static_cast<T>(c[count - 1]), x + i, y + i, dy + i);
    for (std::size_t k = count; k-- > 2;) horner_loop(m, static_cast<T>(c[k - 2]), x + i, y + i, dy + i);
  }
}

/** y = s(x) and dy = s'(x); s is 0 ReLU (s'(0) = 0), 1 tanh, 2 leaky ReLU [slope], 3 sigmoid, 4 GELU, 5 a polynomial [c0, c1, ...], 6 erf,
 * or 7 the sign (s' = 0). (ints[kind], parameters Float64Array, x, y, dy) */
struct Activation {
  static constexpr const char* name = "activation";
  static constexpr std::size_t arity = 5, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [kind] = args.ints<1>(0);
    const std::size_t n = args.length(2);
    const T* x = args.in<T>(2, n);
    const std::size_t count = kind == 5 ? args.length(1) : kind == 2 ? 1 : 0;
    const double* parameters = args.in<double>(1, count);
    T *y = args.out<T>(3, n), *dy = args.out<T>(4, n);
    args.check_overlap(Overlap::forbidden);
    switch (kind) {
      case 0: relu_loop(n, x, y, dy); break;
      case 1: tanh_loop(n, x, y, dy); break;
      case 2: leaky_relu_loop(n, static_cast<T>(parameters[0]), x, y, dy); break;
      case 3: sigmoid_loop(n, x, y, dy); break;
      case 4: gelu_loop(n, x, y, dy); break;
      case 5: polynomial_loop(n, count, parameters, x, y, dy); break;
      case 6: erf_loop(n, x, y, dy); break;
      case 7: sign_loop(n, x, y, dy); break;
      default: args.range_error("activation kind " + std::to_string(kind) + " is unknown");
    }
    return undefined(args);
  }
};

}  // namespace layerwise
