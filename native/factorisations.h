// LAPACK factorisations and the solves that go with them. Row-major memory read column-major is the transpose, so routines here
// are called on the transposed problem with uplo, side or factorisation flipped, where that is as fast. Each returns LAPACK's info
// (0: done, > 0: failed, see the routine) or kNotFinite.
#pragma once

#include "args.h"
#include "blas.h"
#include "cholesky.h"

namespace layerwise {

/** Returned when the input holds NaN or infinity and the iteration behind the routine might not end on it. */
constexpr int kNotFinite = -1;

template <typename T>
bool all_finite(const T* x, std::size_t n) {
  T sum{0};
  for (std::size_t i = 0; i < n; ++i) sum += x[i] * T{0};  // 0 * NaN and 0 * inf are NaN; anything else adds 0
  return sum == T{0};
}

/** A work-space length; LAPACK answers queries in T, and a float above 2^24 may have been rounded down. */
inline int work_length(Args& args, double queried) {
  queried = std::ceil(queried * (1 + 1e-6));
  if (!(queried >= 0 && queried <= 2147483647.0)) args.range_error("this size needs a LAPACK work space beyond 2^31 - 1 elements");
  return queried < 1 ? 1 : static_cast<int>(queried);
}

/** A' = P L U in place.  (ints[n], A, pivots Int32Array n) -> info */
struct Getrf {
  static constexpr const char* name = "getrf";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n] = args.ints<1>(0);
    T* a = args.out<T>(1, area(n, n));
    std::int32_t* pivots = args.out<std::int32_t>(2, area(n, 1));
    args.check_overlap(Overlap::forbidden);
    if (n == 0) return number(args, 0);
    return lapack_info(args, "getrf", blas::getrf(n, a, n, pivots));
  }
};

/** Solves A X = B for B n x m given getrf's factors of A' = P L U; X overwrites B.
 *  Read column-major this is X' = B' U^-1 L^-1 P^-1: two solves from the right, then columns swapped back.
 *  (ints[n, m], LU, pivots, B) */
struct Getrs {
  static constexpr const char* name = "getrs";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, m] = args.ints<2>(0);
    const T* lu = args.in<T>(1, area(n, n));
    const std::int32_t* pivots = args.in<std::int32_t>(2, area(n, 1));
    T* b = args.out<T>(3, area(n, m));
    args.check_overlap(Overlap::forbidden);
    for (int i = 0; i < n; ++i)
      if (pivots[i] < 1 || pivots[i] > n) args.range_error("pivot " + std::to_string(i) + " is outside [1, n]");
    if (n == 0 || m == 0) return undefined(args);
    // In row-major terms the packed factors are U' (lower, non-unit) and L' (upper, unit): A = U' L' P'.
    blas::trsm(false, true, false, false, n, m, T{1}, lu, n, b, m);
    blas::trsm(false, false, false, true, n, m, T{1}, lu, n, b, m);
    for (int i = n - 1; i >= 0; --i) {
      const int p = pivots[i] - 1;
      if (p != i) std::swap_ranges(b + area(i, m), b + area(i, m) + m, b + area(p, m));
    }
    return undefined(args);
  }
};

/** out (cols x rows) <- the transpose of a (rows x cols). */
template <typename T>
void transpose_into(int rows, int cols, const T* a, T* out) {
  constexpr int kTile = 16;  // keeps the lines that are read and those that are written in the first-level cache
  for (int ii = 0; ii < rows; ii += kTile)
    for (int jj = 0; jj < cols; jj += kTile)
      for (int j = jj; j < std::min(jj + kTile, cols); ++j)
        for (int i = ii; i < std::min(ii + kTile, rows); ++i)
          out[area(j, rows) + static_cast<std::size_t>(i)] = a[area(i, cols) + static_cast<std::size_t>(j)];
}

/** The QR factorisation of column-major columns (m x n): look(false) while they hold R and the reflectors, look(true) once the first
 *  min(m, n) of them hold Q. */
template <typename T, typename Look>
Napi::Value orthonormal_factor(Args& args, int m, int n, T* columns, Look look) {
  const int k = std::min(m, n);
  T* tau = args.scratch<T>(1, k);
  T need_f{0}, need_g{0};
  blas::geqrf(m, n, columns, m, tau, &need_f, -1);
  blas::orgqr(m, k, k, columns, m, tau, &need_g, -1);
  const int lwork = work_length(args, std::max<double>(need_f, need_g));
  T* work = args.scratch<T>(2, lwork);
  int info = blas::geqrf(m, n, columns, m, tau, work, lwork);
  if (info != 0) return lapack_info(args, "geqrf", info);
  look(false);
  info = blas::orgqr(m, k, k, columns, m, tau, work, lwork);
  look(true);
  return lapack_info(args, "orgqr", info);
}

/** Thin QR, A = Q R with k = min(m, n), on a transposed copy: LAPACK's LQ of what the memory holds as it is would do the same work in 1.2
 *  to 1.7 times the time.  (ints[m, n], A m x n, Q m x k, R k x n) -> info */
struct Qr {
  static constexpr const char* name = "qr";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    const int k = std::min(m, n);
    const T* a = args.in<T>(1, area(m, n));
    T* q = args.out<T>(2, area(m, k));
    T* r = args.out<T>(3, area(k, n));
    args.check_overlap(Overlap::forbidden);
    if (k == 0) return number(args, 0);
    T* columns = args.scratch<T>(0, area(m, n));
    transpose_into(m, n, a, columns);
    return orthonormal_factor(args, m, n, columns, [&](bool formed) {
      if (formed)
        transpose_into(k, m, columns, q);
      else
        for (int i = 0; i < k; ++i)
          for (int j = 0; j < n; ++j) r[area(i, n) + j] = j < i ? T{0} : columns[area(j, m) + i];
    });
  }
};

/** A's columns (m x n, m >= n) become orthonormal: Q of its QR with R's diagonal positive. On a transposed copy that is given back, since
 * of a large matrix it would be kept for a call that comes once.  (ints[m, n], A) -> info */
struct OrthonormalColumns {
  static constexpr const char* name = "orthonormalColumns";
  static constexpr std::size_t arity = 2, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    T* a = args.out<T>(1, area(m, n));
    args.check_overlap(Overlap::forbidden);
    if (m < n) args.range_error("needs at least as many rows as columns");
    if (n == 0) return number(args, 0);
    const std::unique_ptr<T[]> held(new T[area(m, n)]);
    T* columns = held.get();
    T* signs = args.scratch<T>(3, n);
    transpose_into(m, n, a, columns);
    return orthonormal_factor(args, m, n, columns, [&](bool formed) {
      if (!formed) {
        for (int j = 0; j < n; ++j) signs[j] = columns[area(j, m) + j] < T{0} ? T{-1} : T{1};
        return;
      }
      transpose_into(n, m, columns, a);
      for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) a[area(i, n) + j] *= signs[j];
    });
  }
};

/** Thin SVD, A = U diag(s) V' with k = min(m, n); U and V' are null together for singular values alone.
 *  (ints[m, n], A, U m x k, s k, V' k x n) -> info */
struct Gesdd {
  static constexpr const char* name = "gesdd";
  static constexpr std::size_t arity = 5, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    const int k = std::min(m, n);
    const T* a = args.in<T>(1, area(m, n));
    const bool vectors = !args.absent(2);
    if (vectors == args.absent(4)) args.type_error("U and V' are given together or are both null");
    T* u = vectors ? args.out<T>(2, area(m, k)) : nullptr;
    T* s = args.out<T>(3, k);
    T* vt = vectors ? args.out<T>(4, area(k, n)) : nullptr;
    args.check_overlap(Overlap::forbidden);
    if (k == 0) return number(args, 0);
    if (!all_finite(a, area(m, n))) return number(args, kNotFinite);
    T* copy = args.scratch<T>(0, area(m, n));
    std::copy(a, a + area(m, n), copy);
    int* iwork = args.scratch<int>(1, 8 * static_cast<std::size_t>(k));
    const char job = vectors ? 'S' : 'N';
    // Column-major the memory is A' (n x m) = V diag(s) U': its left factor is our V', its right one our U.
    T need{0};
    int info = blas::gesdd(job, n, m, copy, n, s, vt, n, u, k, &need, -1, iwork);
    if (info != 0) return lapack_info(args, "gesdd", info);
    const int lwork = work_length(args, need);
    info = blas::gesdd(job, n, m, copy, n, s, vt, n, u, k, args.scratch<T>(2, lwork), lwork, iwork);
    return lapack_info(args, "gesdd", info);
  }
};

/** Minimum-norm least squares, min |A X - B|, by divide-and-conquer SVD; singular values up to rcond s[0] count as 0.
 *  gelsd has no transposed form and overwrites A and B, so the copies it needs are made transposed.
 *  (ints[m, n, nrhs], A m x n, B m x nrhs, X n x nrhs, s min(m, n), rcond) -> info */
struct Gelsd {
  static constexpr const char* name = "gelsd";
  static constexpr std::size_t arity = 6, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n, nrhs] = args.ints<3>(0);
    const int k = std::min(m, n), tall = std::max(m, n);
    const T* a = args.in<T>(1, area(m, n));
    const T* b = args.in<T>(2, area(m, nrhs));
    T* x = args.out<T>(3, area(n, nrhs));
    T* s = args.out<T>(4, k);
    const T rcond = static_cast<T>(args.scalar(5));
    args.check_overlap(Overlap::forbidden);
    if (!(rcond >= 0)) args.range_error("rcond must be at least 0");
    if (k == 0 || nrhs == 0) {
      std::fill(x, x + area(n, nrhs), T{0});
      std::fill(s, s + k, T{0});
      return number(args, 0);
    }
    if (!all_finite(a, area(m, n)) || !all_finite(b, area(m, nrhs))) return number(args, kNotFinite);
    T* ac = args.scratch<T>(0, area(m, n));
    T* bc = args.scratch<T>(1, area(tall, nrhs));
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) ac[area(j, m) + i] = a[area(i, n) + j];
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < nrhs; ++j) bc[area(j, tall) + i] = b[area(i, nrhs) + j];
    T need{0};
    int rank = 0, ineed = 0;
    int info = blas::gelsd(m, n, nrhs, ac, m, bc, tall, s, rcond, &rank, &need, -1, &ineed);
    if (info != 0) return lapack_info(args, "gelsd", info);
    const int lwork = work_length(args, need);
    info = blas::gelsd(m, n, nrhs, ac, m, bc, tall, s, rcond, &rank, args.scratch<T>(2, lwork), lwork,
                       args.scratch<int>(3, std::max(1, ineed)));
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < nrhs; ++j) x[area(i, nrhs) + j] = bc[area(j, tall) + i];
    return lapack_info(args, "gelsd", info);
  }
};

}  // namespace layerwise
