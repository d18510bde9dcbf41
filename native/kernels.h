// Kernels of our own where OpenBLAS is far from what the core can do: products with a long inner index and few results (X'X, X G',
// gradients: 40 to 70 GFLOP/s there, 100 here), and signs times a matrix, which needs additions only. Chosen by shape (`suits`), so that
// a size always takes the same path; results have the same bits on every CPU with fused multiply-add.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "simd.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define LAYERWISE_KERNELS 1
#else
#define LAYERWISE_KERNELS 0
#endif

namespace layerwise::kernels {

/** c (m x n, row-major) = alpha sum_p a(i, p) b(p, j) + beta c, with a(i, p) = a[i * row + p * step] and b row-major. */
template <typename T>
struct Product {
  int m, n, k;
  T alpha;
  const T* a;
  std::ptrdiff_t row, step;
  const T* b;
  std::ptrdiff_t ldb;
  /** b's rows are ldb readable entries, whole vectors of the kernel that runs; else n itself is at least a vector. */
  bool padded;
  T beta;
  T* c;
  /** Only the lower triangle is wanted; what stands above it is undefined afterwards. */
  bool lower_only;
};

/** Rows of A that one index covers. */
constexpr int kSigns = 5;
constexpr int kSignSums = 1 << kSigns;

/** out (rows x cols): row i is the sum over groups g of the five rows of a (m x cols) from 5g on, each with the sign that its bit of
 *  index[i * index_stride + g] says. */
template <typename T>
struct SignedRows {
  int rows, m, cols, groups, index_stride;
  const std::uint8_t* index;
  const T* a;
  T* out;
  /** signed_work entries. */
  T* work;
};

/** Bytes of a row of a table, two lines of the cache; groups that have a table at a time: 48 KiB; rows for which it serves: making it
 *  costs as much as 32 of them; and groups of one turn of the innermost loop. */
constexpr int kSignBytes = 128, kSignGroups = 12, kSignRows = 1024, kSignUnroll = 4;
/** Tables of full width that there is room for. */
inline int sign_tables(int groups) { return groups < kSignGroups ? (groups + kSignUnroll - 1) / kSignUnroll * kSignUnroll : kSignGroups; }
/** Fewer rows are summed directly. */
constexpr int kFewRows = 8;

/** Tables and sums under way, and room to align them. */
template <typename T>
std::size_t signed_work(int rows, int m) {
  const int groups = (m + kSigns - 1) / kSigns;
  const auto least = [](int x, int y) { return static_cast<std::size_t>(x < y ? x : y); };
  return (static_cast<std::size_t>(sign_tables(groups)) * kSignSums + least(rows, kSignRows) + 1) * (kSignBytes / sizeof(T));
}

/** Entries of the widest vector. */
template <typename T>
constexpr int kAlign = 64 / static_cast<int>(sizeof(T));

/** Entries of half of it. Columns that fill no more are left to the narrow kernels: those do as much in a cycle, and waste none. */
template <typename T>
constexpr int kHalf = kAlign<T> / 2;

/** Entries of a vector of the kernel that computes n columns. */
template <typename T>
inline int vector_of(int n) {
  return n <= kHalf<T> ? kHalf<T> : kAlign<T>;
}

inline std::int64_t padded_to_vector(std::int64_t n, int align) { return (n + align - 1) / align * align; }

#if LAYERWISE_KERNELS
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx2,fma")
#pragma GCC optimize("fp-contract=fast")
namespace wide {
#define LAYERWISE_VECTOR 64
#include "kernels.inc"
#undef LAYERWISE_VECTOR
}  // namespace wide
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")
namespace narrow {
#define LAYERWISE_VECTOR 32
#include "kernels.inc"
#undef LAYERWISE_VECTOR
}  // namespace narrow
#pragma GCC pop_options

/** `batches` of eight five-bit numbers from bit `at` on, a byte each. */
__attribute__((target("bmi2"))) inline void spread_fives_bmi2(const unsigned char* bytes, std::uint64_t at, int batches,
                                                              std::uint8_t* index) {
  for (int b = 0; b < batches; ++b, at += 40, index += 8) {
    std::uint64_t window;
    std::memcpy(&window, bytes + at / 8, 8);
    const std::uint64_t spread = _pdep_u64(window >> (at % 8), 0x1f1f1f1f1f1f1f1fULL);
    std::memcpy(index, &spread, 8);
  }
}

enum class Level { none, narrow, wide };

inline Level level() {
  static const Level found = [] {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2")) return Level::none;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") ? Level::wide : Level::narrow;
  }();
  return found;
}

/** Is the product long and thin enough to run here? The same answer for a shape wherever kernels run at all. */
inline bool suits(int m, int n, int k) {
  return level() != Level::none && n >= 1 && m >= 1 && k >= 1 && n <= 160 && (m <= 160 || n <= 32) &&
         static_cast<std::size_t>(k) * static_cast<std::size_t>(n) <= (std::size_t{1} << 18);
}

template <typename T>
void product(const Product<T>& o) {
  if (level() == Level::wide && o.n > kHalf<T>)
    wide::run_product(o);
  else
    narrow::run_product(o);
}
#else
inline bool suits(int, int, int) { return false; }
template <typename T>
void product(const Product<T>&) {}
#endif

/** Eight five-bit numbers a batch, from bit `at` of a little-endian bit string on, a byte each; reads up to 8 bytes past the last. */
inline void spread_fives(const unsigned char* bytes, std::uint64_t at, int batches, std::uint8_t* index) {
#if LAYERWISE_KERNELS
  if (level() != Level::none) return spread_fives_bmi2(bytes, at, batches, index);
#endif
  for (int g = 0; g < 8 * batches; ++g, at += 5) {
    const unsigned window = bytes[at / 8] | static_cast<unsigned>(bytes[at / 8 + 1]) << 8;
    index[g] = static_cast<std::uint8_t>((window >> (at % 8)) & 31u);
  }
}

/** Directly, in the order of additions that a table has. */
template <typename T>
void signed_rows_directly(const SignedRows<T>& o) {
  for (int i = 0; i < o.rows; ++i) {
    T* out = o.out + static_cast<std::ptrdiff_t>(i) * o.cols;
    std::fill(out, out + o.cols, T{0});
    for (int g = 0; g < o.groups; ++g) {
      const int left = o.m - g * kSigns, count = left < kSigns ? left : kSigns;
      const unsigned signs = o.index[static_cast<std::ptrdiff_t>(i) * o.index_stride + g];
      const T* a = o.a + static_cast<std::ptrdiff_t>(g) * kSigns * o.cols;
      for (int j = 0; j < o.cols; ++j) {
        T sum{0};
        for (int r = 0; r < count; ++r) {
          const T x = a[static_cast<std::ptrdiff_t>(r) * o.cols + j];
          sum += (signs >> r & 1u) != 0 ? x : -x;
        }
        out[j] += sum;
      }
    }
  }
}

template <typename T>
void signed_rows(const SignedRows<T>& o) {
#if LAYERWISE_KERNELS
  if (o.rows >= kFewRows && level() == Level::wide) return wide::run_signed(o);
  if (o.rows >= kFewRows && level() == Level::narrow) return narrow::run_signed(o);
#endif
  signed_rows_directly(o);
}

}  // namespace layerwise::kernels
