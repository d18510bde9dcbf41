// Matrix products, triangular solves and vector operations: BLAS levels 1 to 3 on contiguous row-major arrays.
#pragma once

#include <algorithm>

#include "args.h"
#include "blas.h"
#include "kernels.h"

namespace layerwise {

/** Rows of op(B), k x n, in whole vectors: what the kernels want where B is transposed or narrow. `room` gives memory for so many T. */
template <typename T, typename Room>
void pack(kernels::Product<T>& o, bool transposed, Room room) {
  const int width = static_cast<int>(kernels::padded_to_vector(o.n, kernels::vector_of<T>(o.n)));
  T* packed = room(area(o.k, width));
  for (int p = 0; p < o.k; ++p) {
    T* row = packed + area(p, width);
    for (int j = 0; j < o.n; ++j) row[j] = transposed ? o.b[area(j, o.k) + p] : o.b[area(p, o.n) + j];
    std::fill(row + o.n, row + width, T{0});
  }
  o.b = packed;
  o.ldb = width;
  o.padded = true;
}

/** C = alpha op(A) op(B) + beta C, on our own kernels where they suit the shape, else by OpenBLAS. */
template <typename T, typename Room>
void multiply(bool trans_a, bool trans_b, int m, int n, int k, T alpha, const T* a, const T* b, T beta, T* c, Room room) {
  if (alpha == T{0} || !kernels::suits(m, n, k)) {
    blas::gemm(trans_a, trans_b, m, n, k, alpha, a, blas::ld(trans_a ? m : k), b, blas::ld(trans_b ? k : n), beta, c, n);
    return;
  }
  kernels::Product<T> o{m, n, k, alpha, a, trans_a ? 1 : k, trans_a ? m : 1, b, n, false, beta, c, false};
  if (trans_b || n < kernels::vector_of<T>(n)) pack(o, trans_b, room);
  kernels::product(o);
}

/** The lower triangle of C = alpha A A' + beta C, or alpha A' A + beta C. */
template <typename T, typename Room>
void gram(bool trans, int n, int k, T alpha, const T* a, T beta, T* c, Room room) {
  if (alpha == T{0} || !kernels::suits(n, n, k)) {
    blas::syrk(true, trans, n, k, alpha, a, blas::ld(trans ? n : k), beta, c, n);
    return;
  }
  kernels::Product<T> o{n, n, k, alpha, a, trans ? 1 : k, trans ? n : 1, a, n, false, beta, c, true};
  if (!trans || n < kernels::vector_of<T>(n)) pack(o, !trans, room);
  kernels::product(o);
}

/** C = alpha op(A) op(B) + beta C.  (ints[transA, transB, m, n, k], alpha, A, B, beta, C) */
struct Gemm {
  static constexpr const char* name = "gemm";
  static constexpr std::size_t arity = 6, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [ta, tb, m, n, k] = args.ints<5>(0);
    const bool trans_a = args.flag(ta, "transA"), trans_b = args.flag(tb, "transB");
    const T alpha = static_cast<T>(args.scalar(1)), beta = static_cast<T>(args.scalar(4));
    const T* a = args.in<T>(2, area(m, k));
    const T* b = args.in<T>(3, area(k, n));
    T* c = args.out<T>(5, area(m, n));
    args.check_overlap(Overlap::forbidden);
    if (m == 0 || n == 0) return undefined(args);
    multiply(trans_a, trans_b, m, n, k, alpha, a, b, beta, c, [&](std::size_t count) { return args.scratch<T>(3, count); });
    return undefined(args);
  }
};

/** Copies the lower triangle onto the upper one. */
template <typename T>
void mirror_lower(int n, T* c) {
  constexpr int kTile = 16;  // keeps both the rows read and the columns written within the first-level cache
  for (int ii = 0; ii < n; ii += kTile)
    for (int jj = 0; jj <= ii; jj += kTile)
      for (int i = ii; i < std::min(ii + kTile, n); ++i)
        for (int j = jj; j < std::min({jj + kTile, i, n}); ++j)
          c[static_cast<std::size_t>(j) * n + i] = c[static_cast<std::size_t>(i) * n + j];
}

/** C = alpha A A' + beta C, or alpha A' A + beta C; the whole symmetric C is written from its lower triangle.
 *  (ints[trans, n, k], alpha, A, beta, C) with A n x k, or k x n when trans. */
struct Syrk {
  static constexpr const char* name = "syrk";
  static constexpr std::size_t arity = 5, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [t, n, k] = args.ints<3>(0);
    const bool trans = args.flag(t, "trans");
    const T alpha = static_cast<T>(args.scalar(1)), beta = static_cast<T>(args.scalar(3));
    const T* a = args.in<T>(2, area(n, k));
    T* c = args.out<T>(4, area(n, n));
    args.check_overlap(Overlap::forbidden);
    if (n == 0) return undefined(args);
    gram(trans, n, k, alpha, a, beta, c, [&](std::size_t count) { return args.scratch<T>(3, count); });
    mirror_lower(n, c);
    return undefined(args);
  }
};

/** C = alpha A B + beta C (left) or alpha B A + beta C (right), A symmetric, its lower triangle read; B and C m x n.
 *  (ints[right, m, n], alpha, A, B, beta, C) */
struct Symm {
  static constexpr const char* name = "symm";
  static constexpr std::size_t arity = 6, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [r, m, n] = args.ints<3>(0);
    const bool right = args.flag(r, "right");
    const int order = right ? n : m;
    const T alpha = static_cast<T>(args.scalar(1)), beta = static_cast<T>(args.scalar(4));
    const T* a = args.in<T>(2, area(order, order));
    const T* b = args.in<T>(3, area(m, n));
    T* c = args.out<T>(5, area(m, n));
    args.check_overlap(Overlap::forbidden);
    if (m == 0 || n == 0) return undefined(args);
    blas::symm(right, m, n, alpha, a, order, b, beta, c);
    return undefined(args);
  }
};

/** Solves op(A) X = alpha B (left) or X op(A) = alpha B (right) for triangular A; X overwrites B, m x n.
 *  (ints[right, lower, trans, unit, m, n], alpha, A, B) */
struct Trsm {
  static constexpr const char* name = "trsm";
  static constexpr std::size_t arity = 4, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [r, l, t, u, m, n] = args.ints<6>(0);
    const bool right = args.flag(r, "right"), lower = args.flag(l, "lower");
    const bool trans = args.flag(t, "trans"), unit = args.flag(u, "unit");
    const int order = right ? n : m;
    const T alpha = static_cast<T>(args.scalar(1));
    const T* a = args.in<T>(2, area(order, order));
    T* b = args.out<T>(3, area(m, n));
    args.check_overlap(Overlap::forbidden);
    if (m == 0 || n == 0) return undefined(args);
    blas::trsm(right, lower, trans, unit, m, n, alpha, a, order, b, n);
    return undefined(args);
  }
};

/** y = alpha op(A) x + beta y, A m x n.  (ints[trans, m, n], alpha, A, x, beta, y) */
struct Gemv {
  static constexpr const char* name = "gemv";
  static constexpr std::size_t arity = 6, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [t, m, n] = args.ints<3>(0);
    const bool trans = args.flag(t, "trans");
    const T alpha = static_cast<T>(args.scalar(1)), beta = static_cast<T>(args.scalar(4));
    const T* a = args.in<T>(2, area(m, n));
    const int in_length = trans ? m : n, out_length = trans ? n : m;
    const T* x = args.in<T>(3, area(in_length, 1));
    T* y = args.out<T>(5, area(out_length, 1));
    args.check_overlap(Overlap::forbidden);
    if (out_length == 0) return undefined(args);
    if (in_length == 0) {  // an empty sum: BLAS returns early without applying beta
      for (int i = 0; i < out_length; ++i) y[i] = beta == T{0} ? T{0} : beta * y[i];
      return undefined(args);
    }
    blas::gemv(trans, m, n, alpha, a, x, beta, y);
    return undefined(args);
  }
};

/** Element count shared by arrays of any length, within BLAS's int. */
inline int vector_length(Args& args, std::size_t i) {
  const std::size_t n = args.length(i);
  if (n > static_cast<std::size_t>(std::numeric_limits<int>::max())) args.range_error("vectors hold at most 2^31 - 1 elements");
  return static_cast<int>(n);
}

/** x . y  (x, y) */
struct Dot {
  static constexpr const char* name = "dot";
  static constexpr std::size_t arity = 2, dtype = 0;
  template <typename T>
  static Napi::Value run(Args& args) {
    const int n = vector_length(args, 0);
    const T *x = args.in<T>(0, n), *y = args.in<T>(1, n);
    return number(args, n == 0 ? 0 : blas::dot(n, x, y));
  }
};

/** |x|_2, without overflow or underflow on the way.  (x) */
struct Nrm2 {
  static constexpr const char* name = "nrm2";
  static constexpr std::size_t arity = 1, dtype = 0;
  template <typename T>
  static Napi::Value run(Args& args) {
    const int n = vector_length(args, 0);
    const T* x = args.in<T>(0, n);
    return number(args, n == 0 ? 0 : blas::nrm2(n, x));
  }
};

}  // namespace layerwise
