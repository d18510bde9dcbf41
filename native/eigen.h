// Symmetric eigen-decompositions. LAPACK leaves eigenvectors as columns of a column-major matrix, which row-major memory reads
// as rows; numpy's convention (column j belongs to eigenvalue j) needs one pass over n^2 elements beside n^3 work.
#pragma once

#include "args.h"
#include "blas.h"
#include "factorisations.h"

namespace layerwise {

template <typename T>
void transpose_square(int n, T* a) {
  constexpr int kTile = 16;
  for (int ii = 0; ii < n; ii += kTile)
    for (int jj = 0; jj <= ii; jj += kTile)
      for (int i = ii; i < std::min(ii + kTile, n); ++i)
        for (int j = jj; j < std::min({jj + kTile, i, n}); ++j) std::swap(a[area(i, n) + j], a[area(j, n) + i]);
}

/** All eigenvalues in ascending order, and the eigenvectors as columns over A; the lower triangle of A is read.
 *  (ints[n, vectors], A in/out, w n) -> info */
struct Syevd {
  static constexpr const char* name = "syevd";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, v] = args.ints<2>(0);
    const bool vectors = args.flag(v, "vectors");
    T* a = args.out<T>(1, area(n, n));
    T* w = args.out<T>(2, n);
    args.check_overlap(Overlap::forbidden);
    if (n == 0) return number(args, 0);
    for (int i = 0; i < n; ++i)
      if (!all_finite(a + area(i, n), static_cast<std::size_t>(i) + 1)) return number(args, kNotFinite);
    const char job = vectors ? 'V' : 'N';
    const double size = n;  // LAPACK's own formulas: its query returns them in T, which in float rounds large ones down
    const int lwork = work_length(args, vectors ? 1 + 6 * size + 2 * size * size : 2 * size + 1);
    const int liwork = work_length(args, vectors ? 3 + 5 * size : 1);
    T need{0};
    int ineed = 0;
    int info = blas::syevd(job, 'U', n, a, n, w, &need, -1, &ineed, -1);
    if (info != 0) return lapack_info(args, "syevd", info);
    const int best = std::max(lwork, work_length(args, need));
    info = blas::syevd(job, 'U', n, a, n, w, args.scratch<T>(0, best), best, args.scratch<int>(1, liwork), liwork);
    if (vectors) transpose_square(n, a);
    return lapack_info(args, "syevd", info);
  }
};

/** Eigenvalues number il to iu (from 1, ascending) and their eigenvectors as columns of Z n x (iu - il + 1), or Z null.
 *  (ints[n, il, iu], A, w iu - il + 1, Z) -> info */
struct Syevr {
  static constexpr const char* name = "syevr";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, il, iu] = args.ints<3>(0);
    const T* a = args.in<T>(1, area(n, n));
    if (il < 1 || iu < il || iu > n) args.range_error("the range of eigenvalues must satisfy 1 <= first <= last <= n");
    const int m = iu - il + 1;
    T* w = args.out<T>(2, m);
    const bool vectors = !args.absent(3);
    T* z = vectors ? args.out<T>(3, area(n, m)) : nullptr;
    args.check_overlap(Overlap::forbidden);
    for (int i = 0; i < n; ++i)
      if (!all_finite(a + area(i, n), static_cast<std::size_t>(i) + 1)) return number(args, kNotFinite);
    T* copy = args.scratch<T>(0, area(n, n));
    std::copy(a, a + area(n, n), copy);
    // Slot 1: all n eigenvalues (LAPACK may use w as work) and the eigenvectors before they are laid out as columns.
    T* all = args.scratch<T>(1, static_cast<std::size_t>(n) + area(n, m));
    T* columns = all + n;
    const char job = vectors ? 'V' : 'N';
    T need{0};
    int ineed = 0, found = 0;
    int* probe = args.scratch<int>(3, 2 * static_cast<std::size_t>(m));
    int info = blas::syevr(job, 'U', n, copy, n, il, iu, &found, all, columns, n, probe, &need, -1, &ineed, -1);
    if (info != 0) return lapack_info(args, "syevr", info);
    const int lwork = std::max(work_length(args, need), work_length(args, 26.0 * n));
    const int liwork = std::max(ineed, work_length(args, 10.0 * n));
    T* work = args.scratch<T>(2, lwork);
    int* support = args.scratch<int>(3, 2 * static_cast<std::size_t>(m) + static_cast<std::size_t>(liwork));
    info = blas::syevr(job, 'U', n, copy, n, il, iu, &found, all, columns, n, support, work, lwork,
                       support + 2 * static_cast<std::size_t>(m), liwork);
    if (info == 0 && found != m) info = n + 1;  // fewer pairs than asked for: not a result
    std::copy(all, all + m, w);
    if (vectors)
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < m; ++j) z[area(i, m) + j] = columns[area(j, n) + i];
    return lapack_info(args, "syevr", info);
  }
};

}  // namespace layerwise
