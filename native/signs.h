// Matrices of signs: +1 and -1, a bit an entry. A product with one needs no multiplication: u A is a sum of rows of A and their
// negatives. Signs are taken five at a time, and the 32 sums of five rows stand in a table (the method of the four Russians), so a
// result row costs one addition for every five signs. Tables are made as they are needed, of as many columns and groups as the caches
// nearest to the core hold. The Gram matrix is a count of the places where two rows differ.
//
// A matrix is held by its rows in two forms: bits, each row in whole words; and fives, a byte for every five signs, each row in whole
// batches of eight, with nothing behind the last sign. Its transpose is held in the same way, apart.
#pragma once

#include "args.h"
#include "kernels.h"
#include "random.h"

namespace layerwise {

/** Bytes of fives that have signs in them, and that a row has. */
inline int sign_groups(int m) { return m / kernels::kSigns + (m % kernels::kSigns != 0); }
inline int sign_fives(int m) { return (sign_groups(m) + 7) / 8 * 8; }
/** 64-bit words of a row's bits. Memory holds them in halves, as JavaScript's 32-bit numbers. */
inline int sign_words(int m) { return m / 64 + (m % 64 != 0); }
inline std::size_t sign_row(int i, int words) { return 2 * area(i, words); }

inline std::uint64_t load_word(const std::uint32_t* p, int w) {
  std::uint64_t x;
  std::memcpy(&x, p + 2 * static_cast<std::ptrdiff_t>(w), 8);
  return x;
}
inline void store_word(std::uint64_t x, std::uint32_t* p, int w) { std::memcpy(p + 2 * static_cast<std::ptrdiff_t>(w), &x, 8); }

/** Words of blocks [first, first + 64 chunks), in stream order. */
LAYERWISE_SIMD inline void bits_chunk(StreamKey key, std::uint64_t first, std::uint32_t* words) {
  BlockWords x;
  philox_blocks(key, first, x);
  for (int b = 0; b < kBlocks; ++b)
    for (int j = 0; j < 4; ++j) words[4 * b + j] = x.w[j][b];
}

/** Words of work for n x m signs: whole chunks, and room to read past the last bit. */
inline std::size_t drawn_words(int n, int m) {
  const std::size_t chunks = (area(n, m) + 127) / (128 * kBlocks) + 1;
  return chunks * 4 * kBlocks + 16;
}

/** What a row of m signs is held in. */
struct SignRow {
  int words, batches;
  /** What the last word, and the last batch of fives, have of signs. */
  std::uint64_t last_bits, last_fives;

  explicit SignRow(int m) : words(sign_words(m)), batches(sign_fives(m) / 8) {
    const int groups = sign_groups(m) - 8 * (batches - 1), spare = m % kernels::kSigns == 0 ? 0 : kernels::kSigns - m % kernels::kSigns;
    last_bits = ~std::uint64_t{0} >> (m % 64 == 0 ? 0 : 64 - m % 64);
    last_fives = m == 0 ? 0 : ~std::uint64_t{0} >> (64 - 8 * groups + 3 + spare);
  }

  /** From bit `at` of a string on, which may be read 15 bytes past the row's end. */
  void take(const unsigned char* bytes, std::uint64_t at, std::uint32_t* bits, std::uint8_t* fives) const {
    if (batches == 0) return;
    const int shift = static_cast<int>(at % 8);
    for (int w = 0; w < words; ++w) {
      const unsigned char* from = bytes + at / 8 + 8 * static_cast<std::ptrdiff_t>(w);
      std::uint64_t word;
      std::memcpy(&word, from, 8);
      if (shift != 0) word = word >> shift | static_cast<std::uint64_t>(from[8]) << (64 - shift);
      store_word(w == words - 1 ? word & last_bits : word, bits, w);
    }
    kernels::spread_fives(bytes, at, batches, fives);
    std::uint64_t last;
    std::uint8_t* end = fives + 8 * static_cast<std::ptrdiff_t>(batches - 1);
    std::memcpy(&last, end, 8);
    last &= last_fives;
    std::memcpy(end, &last, 8);
  }
};

/** Fresh signs, n x m, those that fill_rademacher draws from the stream's bit `position` on, row by row. */
inline void draw_signs(StreamKey key, std::uint64_t position, int n, int m, std::uint32_t* bits, std::uint8_t* fives,
                       std::uint32_t* drawn) {
  if (n == 0 || m == 0) return;
  const std::uint64_t first = position / 128, total = position % 128 + area(n, m);
  for (std::uint64_t b = 0; b * 128 < total; b += kBlocks) bits_chunk(key, first + b, drawn + 4 * b);
  const SignRow row(m);
  for (int i = 0; i < n; ++i)
    row.take(reinterpret_cast<const unsigned char*>(drawn), position % 128 + area(i, m), bits + sign_row(i, row.words),
             fives + area(i, 8 * row.batches));
}

/** Blocks of 64 x 64 bits that are transposed together, side by side in memory: word i of all, then word i + 1. */
constexpr int kBitBlocks = 8;

/** In each block, bit j of word i becomes bit i of word j, by exchanging ever smaller squares across the diagonal. */
LAYERWISE_SIMD inline void transpose_bits(std::uint64_t* blocks) {
  std::uint64_t mask = 0x00000000ffffffffULL;
  for (int half = 32; half != 0; half /= 2, mask ^= mask << half)
    for (int base = 0; base < 64; base += 2 * half)
      for (int i = base; i < base + half; ++i) {
        std::uint64_t* a = blocks + i * kBitBlocks;
        std::uint64_t* b = a + half * kBitBlocks;
        for (int k = 0; k < kBitBlocks; ++k) {
          const std::uint64_t t = (a[k] >> half ^ b[k]) & mask;
          a[k] ^= t << half;
          b[k] ^= t;
        }
      }
}

/** The transpose of n x m signs: m x n, in both forms. Work: 2 sign_words(n) + 4 halves of words. */
inline void transpose_signs(int n, int m, const std::uint32_t* from, std::uint32_t* bits, std::uint8_t* fives, std::uint32_t* work) {
  if (n == 0 || m == 0) return;
  const int words = sign_words(m), words_below = sign_words(n);
  alignas(64) std::uint64_t blocks[64 * kBitBlocks];
  for (int i = 0; i < words_below; i += kBitBlocks)
    for (int j = 0; j < words; ++j) {
      const int count = std::min(kBitBlocks, words_below - i);
      for (int k = 0; k < count; ++k)
        for (int r = 0; r < 64; ++r) {
          const int row = 64 * (i + k) + r;
          blocks[r * kBitBlocks + k] = row < n ? load_word(from + sign_row(row, words), j) : 0;
        }
      transpose_bits(blocks);
      for (int r = 0; r < 64 && 64 * j + r < m; ++r)
        std::memcpy(bits + sign_row(64 * j + r, words_below) + 2 * static_cast<std::ptrdiff_t>(i), blocks + r * kBitBlocks,
                    8 * static_cast<std::size_t>(count));
    }
  const SignRow below(n);
  for (int j = 0; j < m; ++j) {
    std::uint32_t* row = bits + sign_row(j, words_below);
    std::fill_n(std::copy_n(row, 2 * words_below, work), 4, 0u);
    below.take(reinterpret_cast<const unsigned char*>(work), 0, row, fives + area(j, 8 * below.batches));
  }
}

// ---- The Gram matrix ----

/** Side of a tile of pairs of rows. */
constexpr int kSignTile = 4;

/** differ[4 r + s]: in how many places rows a[r] and b[s] differ. */
struct SignTile {
  const std::uint32_t* a[kSignTile];
  const std::uint32_t* b[kSignTile];
  int words;
};

#if LAYERWISE_KERNELS
__attribute__((target("avx512f,avx512vpopcntdq"))) inline void count_wide(const SignTile& o, std::int32_t* differ) {
  __m512i sum[kSignTile * kSignTile];
#pragma GCC unroll 16
  for (int p = 0; p < kSignTile * kSignTile; ++p) sum[p] = _mm512_setzero_si512();
  for (int w = 0; w < o.words; w += 8) {
    const auto lanes = static_cast<__mmask8>(o.words - w >= 8 ? 255 : (1 << (o.words - w)) - 1);
    __m512i b[kSignTile];
#pragma GCC unroll 4
    for (int s = 0; s < kSignTile; ++s) b[s] = _mm512_maskz_loadu_epi64(lanes, o.b[s] + 2 * w);
#pragma GCC unroll 4
    for (int r = 0; r < kSignTile; ++r) {
      const __m512i a = _mm512_maskz_loadu_epi64(lanes, o.a[r] + 2 * w);
#pragma GCC unroll 4
      for (int s = 0; s < kSignTile; ++s)
        sum[kSignTile * r + s] = _mm512_add_epi64(sum[kSignTile * r + s], _mm512_popcnt_epi64(_mm512_xor_si512(a, b[s])));
    }
  }
  // Two counts share a lane, and lanes are added while vectors are folded into one another: pairs within 128 bits, then across them.
  __m512i pair[8];
#pragma GCC unroll 8
  for (int p = 0; p < 8; ++p) pair[p] = _mm512_add_epi64(sum[2 * p], _mm512_maskz_slli_epi64(255, sum[2 * p + 1], 32));
  __m512i four[4];
#pragma GCC unroll 4
  for (int p = 0; p < 4; ++p)
    four[p] = _mm512_add_epi64(_mm512_maskz_unpacklo_epi64(255, pair[2 * p], pair[2 * p + 1]),
                               _mm512_maskz_unpackhi_epi64(255, pair[2 * p], pair[2 * p + 1]));
  __m512i eight[2];
#pragma GCC unroll 2
  for (int p = 0; p < 2; ++p)
    eight[p] = _mm512_add_epi64(_mm512_maskz_shuffle_i64x2(255, four[2 * p], four[2 * p + 1], 0x88),
                                _mm512_maskz_shuffle_i64x2(255, four[2 * p], four[2 * p + 1], 0xdd));
  const __m512i all = _mm512_add_epi64(_mm512_maskz_shuffle_i64x2(255, eight[0], eight[1], 0x88),
                                       _mm512_maskz_shuffle_i64x2(255, eight[0], eight[1], 0xdd));
  _mm512_storeu_si512(differ, all);
}

__attribute__((target("popcnt"))) inline void count_narrow(const SignTile& o, std::int32_t* differ) {
  for (int r = 0; r < kSignTile; ++r)
    for (int s = 0; s < kSignTile; ++s) {
      int sum = 0;
      for (int w = 0; w < o.words; ++w) sum += __builtin_popcountll(load_word(o.a[r], w) ^ load_word(o.b[s], w));
      differ[kSignTile * r + s] = sum;
    }
}
#endif

inline void count_anywhere(const SignTile& o, std::int32_t* differ) {
  for (int r = 0; r < kSignTile; ++r)
    for (int s = 0; s < kSignTile; ++s) {
      int sum = 0;
      for (int w = 0; w < o.words; ++w) sum += __builtin_popcountll(load_word(o.a[r], w) ^ load_word(o.b[s], w));
      differ[kSignTile * r + s] = sum;
    }
}

using SignCount = void (*)(const SignTile&, std::int32_t*);

inline SignCount sign_count() {
#if LAYERWISE_KERNELS
  static const SignCount found = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vpopcntdq")) return count_wide;
    return __builtin_cpu_supports("popcnt") ? count_narrow : count_anywhere;
  }();
  return found;
#else
  return count_anywhere;
#endif
}

/** A tile's sums into c, at (i, j) and across the diagonal. */
template <typename T>
LAYERWISE_INLINE void place_tile(int rows, int cols, const T* sums, T beta, T* c, int m, int i, int j) {
  const auto place = [&](T& at, T sum) { at = beta == T{0} ? sum : beta * at + sum; };
  for (int r = 0; r < rows; ++r)
    for (int s = 0; s < cols; ++s) place(c[area(i + r, m) + j + s], sums[kSignTile * r + s]);
  if (i == j) return;
  for (int s = 0; s < cols; ++s)
    for (int r = 0; r < rows; ++r) place(c[area(j + s, m) + i + r], sums[kSignTile * r + s]);
}

/** Bytes of the rows that stay in the nearest cache while others pass by. */
constexpr int kSignBlock = 16384;

/** c (m x m) = alpha B B' + beta c for the m x n signs B. */
template <typename T>
void sign_gram(int m, int n, T alpha, const std::uint32_t* bits, T beta, T* c) {
  const SignCount count = sign_count();
  const int words = sign_words(n), block = std::max(1, kSignBlock / (8 * kSignTile * std::max(1, words))) * kSignTile;
  const auto tile = [&](int i, int j) {
    SignTile o{{}, {}, words};
    for (int r = 0; r < kSignTile; ++r) {
      o.a[r] = bits + sign_row(std::min(i + r, m - 1), words);
      o.b[r] = bits + sign_row(std::min(j + r, m - 1), words);
    }
    std::int32_t differ[kSignTile * kSignTile];
    count(o, differ);
    T sums[kSignTile * kSignTile];
    for (int p = 0; p < kSignTile * kSignTile; ++p) sums[p] = alpha * static_cast<T>(n - 2 * differ[p]);
    if (i + kSignTile <= m && j + kSignTile <= m)
      place_tile(kSignTile, kSignTile, sums, beta, c, m, i, j);
    else
      place_tile(std::min(kSignTile, m - i), std::min(kSignTile, m - j), sums, beta, c, m, i, j);
  };
  for (int first = 0; first < m; first += block)
    for (int i = first; i < m; i += kSignTile)
      for (int j = first; j <= i && j < first + block; j += kSignTile) tile(i, j);
}

// ---- JavaScript operations. Bits are a Uint32Array of two entries a word, fives a Uint8Array. ----

inline std::size_t bits_length(int rows, int m) { return sign_row(rows, sign_words(m)); }
inline std::size_t fives_length(int rows, int m) { return area(rows, sign_fives(m)); }

/** Whether all bytes are below 32: a larger one would be read past the end of a table. @param length  a multiple of 8 */
LAYERWISE_SIMD inline bool all_fives(const std::uint8_t* fives, std::size_t length) {
  std::uint64_t seen[8] = {};
  std::size_t i = 0;
  for (; i + 64 <= length; i += 64) {
    std::uint64_t words[8];
    std::memcpy(words, fives + i, 64);
    for (int k = 0; k < 8; ++k) seen[k] |= words[k];
  }
  for (; i < length; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, fives + i, 8);
    seen[0] |= word;
  }
  for (int k = 1; k < 8; ++k) seen[0] |= seen[k];
  return (seen[0] & 0xe0e0e0e0e0e0e0e0ULL) == 0;
}

/** (ints[n, m], stream, bits, fives) */
struct Signs {
  static constexpr const char* name = "signs";
  static constexpr std::size_t arity = 4;
  static Napi::Value run(Args& args) {
    const auto [n, m] = args.ints<2>(0);
    auto* bits = args.out<std::uint32_t>(2, bits_length(n, m));
    auto* fives = args.out<std::uint8_t>(3, fives_length(n, m));
    const StreamState s = StreamState::take(args, 1, 1, area(n, m));
    draw_signs(s.key, s.value, n, m, bits, fives, args.scratch<std::uint32_t>(0, drawn_words(n, m)));
    return undefined(args);
  }
};

/** (ints[n, m], bits, bits of the transpose, fives of the transpose) */
struct TransposeSigns {
  static constexpr const char* name = "transposeSigns";
  static constexpr std::size_t arity = 4;
  static Napi::Value run(Args& args) {
    const auto [n, m] = args.ints<2>(0);
    const auto* from = args.in<std::uint32_t>(1, bits_length(n, m));
    auto* bits = args.out<std::uint32_t>(2, bits_length(m, n));
    auto* fives = args.out<std::uint8_t>(3, fives_length(m, n));
    args.check_overlap(Overlap::forbidden);
    transpose_signs(n, m, from, bits, fives, args.scratch<std::uint32_t>(0, sign_row(1, sign_words(n)) + 4));
    return undefined(args);
  }
};

/** out (n x d) = U A for the n x m signs U and A (m x d).  (ints[n, m, d], fives of U, A, out) */
struct SignProduct {
  static constexpr const char* name = "signProduct";
  static constexpr std::size_t arity = 4, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, m, d] = args.ints<3>(0);
    const auto* fives = args.in<std::uint8_t>(1, fives_length(n, m));
    const T* a = args.in<T>(2, area(m, d));
    T* out = args.out<T>(3, area(n, d));
    args.check_overlap(Overlap::forbidden);
    if (!all_fives(fives, fives_length(n, m))) args.range_error("argument 2 holds a number above 31: it is not made of fives");
    if (n == 0 || d == 0) return undefined(args);
    T* work = args.scratch<T>(0, kernels::signed_work<T>(n, m));
    kernels::signed_rows(kernels::SignedRows<T>{n, m, d, sign_groups(m), sign_fives(m), fives, a, out, work});
    return undefined(args);
  }
};

/** C (m x m) = alpha B B' + beta C for the m x n signs B.  (ints[m, n], alpha, bits of B, beta, C) */
struct SignGram {
  static constexpr const char* name = "signGram";
  static constexpr std::size_t arity = 5, dtype = 4;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, n] = args.ints<2>(0);
    const T alpha = static_cast<T>(args.scalar(1)), beta = static_cast<T>(args.scalar(3));
    const auto* bits = args.in<std::uint32_t>(2, bits_length(m, n));
    T* c = args.out<T>(4, area(m, m));
    args.check_overlap(Overlap::forbidden);
    sign_gram<T>(m, n, alpha, bits, beta, c);
    return undefined(args);
  }
};

}  // namespace layerwise
