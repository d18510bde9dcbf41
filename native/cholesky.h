// Cholesky factorisation and the solves that go with it. OpenBLAS's own run at half of gemm's speed; here the triangle is halved until
// nearly all arithmetic is gemm and syrk, and what is left on the diagonal is solved by substitution, many unknowns at a time.
// (Inverting the diagonal blocks is as fast, but multiplies the residual by their condition: a thousandfold for smooth kernels.)
// Everything is row-major and in place; L is stored as itself (lower) or as its transpose (upper), one flag in every call.
#pragma once

#include <algorithm>

#include "args.h"
#include "blas.h"
#include "products.h"
#include "simd.h"

namespace layerwise {

/** Info for JavaScript: a negative one would be a wrong call of ours, so it is a plain error and not a result. */
inline Napi::Value lapack_info(Args& args, const char* routine, int info) {
  if (info < 0)
    throw Napi::Error::New(args.env(), std::string("layerwise bug: ") + routine + " refused its argument " + std::to_string(-info) +
                                           "; please report this call");
  return number(args, info);
}

namespace chol {

/** Triangles up to this order are solved by substitution: ours, or OpenBLAS's where unknowns are few. */
constexpr int kBlock = 32;
/** Matrices up to this order within a factorisation are LAPACK's. */
constexpr int kFactor = 64;

/** L, from its row and column `from`, as it lies in memory: in the lower triangle or, transposed, in the upper one. */
template <typename T>
struct Triangle {
  const T* l;
  int ld;
  bool upper;
  const T* block(int i, int j) const { return upper ? l + area(j, ld) + i : l + area(i, ld) + j; }
  T at(int i, int j) const { return *block(i, j); }
};

/** The unknowns, X with L X = B or X L' = B: `count` columns of a matrix (left) or rows of it (right). */
template <typename T>
struct Unknowns {
  bool right;
  int count;
  T* x;
  int ld;
  T* from(int i) const { return right ? x + i : x + area(i, ld); }
};

/** Where n > kBlock is split: half of it, in whole granules. */
constexpr int split(int n) {
  constexpr int granule = 16;
  return (n / 2 + granule - 1) / granule * granule;
}

/** Unknowns that a substitution works on at a time: four of the widest vectors. */
template <typename T>
constexpr int kTile = 256 / static_cast<int>(sizeof(T));

/** Solves C X = B for an n x kTile tile, in place: C lower triangular with the reciprocals of its diagonal in their place. */
template <typename T>
LAYERWISE_INLINE void substitute(int n, const T* __restrict c, T* __restrict x) {
  constexpr int kWidth = kTile<T>;
  for (int i = 0; i < n; ++i) {
    T sum[kWidth];
    for (int w = 0; w < kWidth; ++w) sum[w] = x[i * kWidth + w];
    for (int j = 0; j < i; ++j) {
      const T factor = c[i * kBlock + j];
      for (int w = 0; w < kWidth; ++w) sum[w] -= factor * x[j * kWidth + w];
    }
    for (int w = 0; w < kWidth; ++w) x[i * kWidth + w] = sum[w] * c[i * kBlock + i];
  }
}

LAYERWISE_SIMD inline void substitute_tile(int n, const float* c, float* x) { substitute(n, c, x); }
LAYERWISE_SIMD inline void substitute_tile(int n, const double* c, double* x) { substitute(n, c, x); }

/** Substitution with L (left: L X = B, right: X L' = B) or, in reverse, with L' (L' X = B, X L = B), in place. */
template <typename T>
struct Substitution {
  Triangle<T> l;
  Unknowns<T> x;

  void forward(int from, int n) const {
    if (n <= kBlock) return bottom(from, n, false);
    const int h = split(n);
    forward(from, h);
    subtract(from + h, n - h, from, h, false);
    forward(from + h, n - h);
  }

  void backward(int from, int n) const {
    if (n <= kBlock) return bottom(from, n, true);
    const int h = split(n);
    backward(from + h, n - h);
    subtract(from, h, from + h, n - h, true);
    backward(from, h);
  }

 private:
  /** X_i -= L_ij X_j, or with L' where reversed. */
  void subtract(int i, int rows, int j, int cols, bool reversed) const {
    const T* block = reversed ? l.block(j, i) : l.block(i, j);
    const bool transposed = l.upper != reversed;
    if (x.right)
      blas::gemm(false, !transposed, x.count, rows, cols, T{-1}, x.from(j), x.ld, block, l.ld, T{1}, x.from(i), x.ld);
    else
      blas::gemm(transposed, false, rows, x.count, cols, T{-1}, block, l.ld, x.from(j), x.ld, T{1}, x.from(i), x.ld);
  }

  void bottom(int from, int n, bool reversed) const {
    if (x.count <= (x.right ? 8 : 16)) {  // most of a tile would be padding
      const bool transposed = l.upper != reversed;
      const int rows = x.right ? x.count : n, cols = x.right ? n : x.count;
      blas::trsm(x.right, !l.upper, x.right != transposed, false, rows, cols, T{1}, l.block(from, from), l.ld, x.from(from), x.ld);
      return;
    }
    alignas(64) T c[kBlock * kBlock];
    alignas(64) T tile[kBlock * kTile<T>];
    for (int i = 0; i < n; ++i) {
      const int row = from + (reversed ? n - 1 - i : i);
      for (int j = 0; j < i; ++j) {
        const int col = from + (reversed ? n - 1 - j : j);
        c[i * kBlock + j] = reversed ? l.at(col, row) : l.at(row, col);
      }
      c[i * kBlock + i] = T{1} / l.at(row, row);
    }
    // Reversed, the last unknown is the first of the tile.
    const int first = from + (reversed ? n - 1 : 0), step = reversed ? -1 : 1;
    for (int k = 0; k < x.count; k += kTile<T>) {
      const int width = std::min(kTile<T>, x.count - k);
      if (width < kTile<T>) std::fill(tile, tile + n * kTile<T>, T{0});
      move<true>(first, step, n, k, width, tile);
      substitute_tile(n, c, tile);
      move<false>(first, step, n, k, width, tile);
    }
  }

  /** Copies unknowns into the tile or back, along the rows of their own matrix: its columns may lie a power of two apart. */
  template <bool kLoad>
  void move(int first, int step, int n, int k, int width, T* tile) const {
    const auto each = [](T& unknown, T& entry) { (kLoad ? entry : unknown) = kLoad ? unknown : entry; };
    if (x.right)
      for (int w = 0; w < width; ++w) {
        T* row = x.x + area(k + w, x.ld);
        for (int i = 0; i < n; ++i) each(row[first + i * step], tile[i * kTile<T> + w]);
      }
    else
      for (int i = 0; i < n; ++i) {
        T* row = x.from(first + i * step) + k;
        for (int w = 0; w < width; ++w) each(row[w], tile[i * kTile<T> + w]);
      }
  }
};

/** L of A = L L' in place, in the triangle A is read from; the failing minor's order, or 0. NaN pivots fail. */
template <typename T>
int factor(bool upper, int n, T* a, int ld) {
  if (n <= kFactor) {
    const int info = blas::potrf(upper ? 'L' : 'U', n, a, ld);  // read column-major, the other triangle
    if (info < 0) return info;
    const int done = info == 0 ? n : info - 1;
    for (int i = 0; i < done; ++i)
      if (!(a[area(i, ld) + i] > T{0})) return i + 1;  // OpenBLAS, unlike LAPACK, lets a NaN pivot pass
    return info;
  }
  const int h = split(n);
  int info = factor(upper, h, a, ld);
  if (info != 0) return info;
  T* below = upper ? a + h : a + area(h, ld);
  T* rest = a + area(h, ld) + h;
  const Substitution<T> panel{{a, ld, upper}, {!upper, n - h, below, ld}};
  panel.forward(0, h);
  blas::syrk(!upper, upper, n - h, h, T{-1}, below, ld, T{1}, rest, ld);
  info = factor(upper, n - h, rest, ld);
  return info > 0 ? info + h : info;
}

/** A X = B (left, n x m) or X A = B (right, m x n) from L, in place. */
template <typename T>
void solve(const Triangle<T>& l, bool right, int n, int m, T* x) {
  if (n == 0 || m == 0) return;
  const Substitution<T> o{l, {right, m, x, right ? n : m}};
  o.forward(0, n);
  o.backward(0, n);
}

}  // namespace chol

/** A = L L' in place, lower; the strict upper triangle is set to zero.  (ints[n], A) -> info */
struct Potrf {
  static constexpr const char* name = "potrf";
  static constexpr std::size_t arity = 2, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n] = args.ints<1>(0);
    T* a = args.out<T>(1, area(n, n));
    if (n == 0) return number(args, 0);
    const int info = chol::factor(false, n, a, n);
    for (int i = 0; i < n; ++i) std::fill(a + area(i, n) + i + 1, a + area(i + 1, n), T{0});
    return lapack_info(args, "potrf", info);
  }
};

/** Solves A X = B (left, B n x m) or X A = B (right, B m x n) given A = L L', L in the lower triangle or its transpose in the upper
 *  one; X overwrites B.  (ints[right, upper, n, m], L, B) -> info */
struct Potrs {
  static constexpr const char* name = "potrs";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [r, u, n, m] = args.ints<4>(0);
    const bool right = args.flag(r, "right"), upper = args.flag(u, "upper");
    const T* l = args.in<T>(1, area(n, n));
    T* b = args.out<T>(2, area(n, m));
    args.check_overlap(Overlap::forbidden);
    chol::solve<T>({l, n, upper}, right, n, m, b);
    return number(args, 0);
  }
};

/** The factor L' of A + shift I = L L' into the upper triangle of the matrix whose lower one, without its diagonal, is A's, and stays;
 *  A's diagonal is apart. One matrix holds both.  (ints[n], shift, diagonal n, A in/out) -> info */
struct FactorAbove {
  static constexpr const char* name = "factorAbove";
  static constexpr std::size_t arity = 4, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n] = args.ints<1>(0);
    const T shift = static_cast<T>(args.scalar(1));
    const T* diagonal = args.in<T>(2, n);
    T* a = args.out<T>(3, area(n, n));
    args.check_overlap(Overlap::forbidden);
    if (n == 0) return number(args, 0);
    mirror_lower(n, a);
    for (int i = 0; i < n; ++i) a[area(i, n) + i] = diagonal[i] + shift;
    return lapack_info(args, "potrf", chol::factor(true, n, a, n));
  }
};

/** The symmetric matrix again: the lower triangle copied onto the upper one, and the diagonal put back where it was kept apart.
 *  (ints[n], diagonal n or null, A in/out) */
struct MirrorLower {
  static constexpr const char* name = "mirrorLower";
  static constexpr std::size_t arity = 3, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n] = args.ints<1>(0);
    const T* diagonal = args.absent(1) ? nullptr : args.in<T>(1, n);
    T* a = args.out<T>(2, area(n, n));
    args.check_overlap(Overlap::forbidden);
    mirror_lower(n, a);
    for (int i = 0; diagonal != nullptr && i < n; ++i) a[area(i, n) + i] = diagonal[i];
    return undefined(args);
  }
};

/** X <- (A + damping D)^-1 X (left, X n x m) or X (A + damping D)^-1 (right, X m x n) for symmetric A and D, whose upper triangles are
 *  read; D null is the identity. The factorisation is left in `work`, n x n. One call where three would pass over A again and again.
 *  (ints[right, n, m], damping, A, D or null, X, work) -> info */
template <typename T>
int damped_solve(bool right, int n, int m, T damping, const T* a, const T* d, T* x, T* work) {
  for (int i = 0; i < n; ++i) {
    const T* from = a + area(i, n);
    T* to = work + area(i, n);
    std::copy(from + i, from + n, to + i);
    if (d == nullptr)
      to[i] += damping;
    else if (damping != T{0})  // else an infinite entry of D would be NaN
      for (int j = i; j < n; ++j) to[j] += damping * d[area(i, n) + j];
  }
  const int info = chol::factor(true, n, work, n);
  if (info != 0) return info;
  // A pivot below the rounding error of its own diagonal entry is noise: the matrix is singular to working precision, and the
  // solution would be too.
  const T noise = static_cast<T>(n) * std::numeric_limits<T>::epsilon();
  for (int i = 0; i < n; ++i) {
    const T pivot = work[area(i, n) + i], damped = a[area(i, n) + i] + (d == nullptr ? damping : damping * d[area(i, n) + i]);
    if (!(pivot * pivot > noise * damped)) return i + 1;
  }
  chol::solve<T>({work, n, true}, right, n, m, x);
  return 0;
}

struct DampedSolve {
  static constexpr const char* name = "dampedSolve";
  static constexpr std::size_t arity = 6, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [r, n, m] = args.ints<3>(0);
    const bool right = args.flag(r, "right");
    const T damping = static_cast<T>(args.scalar(1));
    const T* a = args.in<T>(2, area(n, n));
    const T* d = args.absent(3) ? nullptr : args.in<T>(3, area(n, n));
    T* x = args.out<T>(4, area(n, m));
    T* work = args.out<T>(5, area(n, n));
    args.check_overlap(Overlap::forbidden);
    if (n == 0) return number(args, 0);
    return lapack_info(args, "potrf", damped_solve(right, n, m, damping, a, d, x, work));
  }
};

}  // namespace layerwise
