// float and double overloads of the BLAS and LAPACK routines in use: one name for both types, so that every
// operation is one template. BLAS is called row-major; LAPACK column-major, on the transposed reading of the same memory.
#pragma once

#include <cblas.h>
#include <lapacke.h>

namespace layerwise::blas {

inline CBLAS_TRANSPOSE op(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }
inline CBLAS_SIDE side(bool right) { return right ? CblasRight : CblasLeft; }
inline CBLAS_UPLO triangle(bool lower) { return lower ? CblasLower : CblasUpper; }
inline int ld(int n) { return n > 0 ? n : 1; }  // a leading dimension of 0 is refused even where nothing is read

#define LAYERWISE_BLAS(T, p)                                                                                                               \
  inline void gemm(bool ta, bool tb, int m, int n, int k, T alpha, const T* a, int lda, const T* b, int ldb, T beta, T* c, int ldc) {      \
    cblas_##p##gemm(CblasRowMajor, op(ta), op(tb), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);                                          \
  }                                                                                                                                        \
  inline void syrk(bool lower, bool trans, int n, int k, T alpha, const T* a, int lda, T beta, T* c, int ldc) {                            \
    cblas_##p##syrk(CblasRowMajor, triangle(lower), op(trans), n, k, alpha, a, lda, beta, c, ldc);                                         \
  }                                                                                                                                        \
  inline void symm(bool right, int m, int n, T alpha, const T* a, int lda, const T* b, T beta, T* c) {                                     \
    cblas_##p##symm(CblasRowMajor, side(right), CblasLower, m, n, alpha, a, lda, b, n, beta, c, n);                                        \
  }                                                                                                                                        \
  inline void trsm(bool right, bool lower, bool trans, bool unit, int m, int n, T alpha, const T* a, int lda, T* b, int ldb) {             \
    cblas_##p##trsm(CblasRowMajor, side(right), triangle(lower), op(trans), unit ? CblasUnit : CblasNonUnit, m, n, alpha, a, lda, b, ldb); \
  }                                                                                                                                        \
  inline void gemv(bool trans, int m, int n, T alpha, const T* a, const T* x, T beta, T* y) {                                              \
    cblas_##p##gemv(CblasRowMajor, op(trans), m, n, alpha, a, n, x, 1, beta, y, 1);                                                        \
  }                                                                                                                                        \
  inline T dot(int n, const T* x, const T* y) { return cblas_##p##dot(n, x, 1, y, 1); }                                                    \
  inline T nrm2(int n, const T* x) { return cblas_##p##nrm2(n, x, 1); }                                                                    \
  inline int potrf(char uplo, int n, T* a, int lda) { return LAPACKE_##p##potrf_work(LAPACK_COL_MAJOR, uplo, n, a, lda); }                 \
  inline int potrs(char uplo, int n, int nrhs, const T* a, int lda, T* b, int ldb) {                                                       \
    return LAPACKE_##p##potrs_work(LAPACK_COL_MAJOR, uplo, n, nrhs, a, lda, b, ldb);                                                       \
  }                                                                                                                                        \
  inline int getrf(int n, T* a, int lda, int* pivots) { return LAPACKE_##p##getrf_work(LAPACK_COL_MAJOR, n, n, a, lda, pivots); }          \
  inline int syevd(char job, char uplo, int n, T* a, int lda, T* w, T* work, int lwork, int* iwork, int liwork) {                          \
    return LAPACKE_##p##syevd_work(LAPACK_COL_MAJOR, job, uplo, n, a, lda, w, work, lwork, iwork, liwork);                                 \
  }                                                                                                                                        \
  inline int syevr(char job, char uplo, int n, T* a, int lda, int il, int iu, int* found, T* w, T* z, int ldz, int* support, T* work,      \
                   int lwork, int* iwork, int liwork) {                                                                                    \
    return LAPACKE_##p##syevr_work(LAPACK_COL_MAJOR, job, 'I', uplo, n, a, lda, 0, 0, il, iu, 0, found, w, z, ldz, support, work, lwork,   \
                                   iwork, liwork);                                                                                         \
  }                                                                                                                                        \
  inline int gesdd(char job, int m, int n, T* a, int lda, T* s, T* u, int ldu, T* vt, int ldvt, T* work, int lwork, int* iwork) {          \
    return LAPACKE_##p##gesdd_work(LAPACK_COL_MAJOR, job, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork);                          \
  }                                                                                                                                        \
  inline int geqrf(int m, int n, T* a, int lda, T* tau, T* work, int lwork) {                                                              \
    return LAPACKE_##p##geqrf_work(LAPACK_COL_MAJOR, m, n, a, lda, tau, work, lwork);                                                      \
  }                                                                                                                                        \
  inline int orgqr(int m, int n, int k, T* a, int lda, const T* tau, T* work, int lwork) {                                                 \
    return LAPACKE_##p##orgqr_work(LAPACK_COL_MAJOR, m, n, k, a, lda, tau, work, lwork);                                                   \
  }                                                                                                                                        \
  inline int gelsd(int m, int n, int nrhs, T* a, int lda, T* b, int ldb, T* s, T rcond, int* rank, T* work, int lwork, int* iwork) {       \
    return LAPACKE_##p##gelsd_work(LAPACK_COL_MAJOR, m, n, nrhs, a, lda, b, ldb, s, rcond, rank, work, lwork, iwork);                      \
  }

LAYERWISE_BLAS(double, d)
LAYERWISE_BLAS(float, s)
#undef LAYERWISE_BLAS

}  // namespace layerwise::blas
