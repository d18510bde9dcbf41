// Signs times a matrix without multiplications: x = u A with u of +1 and -1 is a sum of rows of A and their negatives. Signs are taken
// five at a time, and the 32 sums of five rows stand in a table (the method of the four Russians), so a result row costs one addition
// for every five signs. A table holds 6.4 times its matrix; it pays while it stays in the second-level cache.
#pragma once

#include "args.h"
#include "kernels.h"
#include "random.h"

namespace layerwise {

/** Rows of A that one table index covers. */
constexpr int kSigns = 5;

struct SignTableShape {
  int groups, group_rows;
  std::int64_t stride;

  /** Of a table for A with m rows and d columns of T. */
  template <typename T>
  static SignTableShape of(int m, int d) {
    return {m / kSigns + (m % kSigns != 0), 1 << kSigns, kernels::padded_to_vector(d, kernels::kAlign<T>)};
  }
  /** Bytes of a sample's indices: groups, in whole batches of eight. */
  int index_stride() const { return (groups + 7) / 8 * 8; }

  /** Entries with a vector to spare for alignment, or the largest size_t where that overflows: no array is so long, so such a call is
   * refused for its length. */
  std::size_t size() const {
    std::size_t entries = 0;
    const bool overflow = __builtin_mul_overflow(area(groups, group_rows) + 1, static_cast<std::size_t>(stride), &entries);
    return overflow ? std::numeric_limits<std::size_t>::max() : entries;
  }
};

/** A table begins at the first 64-byte boundary of its memory: vectors that straddle cache lines would halve its speed. */
template <typename T>
T* aligned(T* table) {
  const std::size_t past = reinterpret_cast<std::uintptr_t>(table) % 64;  // a multiple of sizeof(T)
  return past == 0 ? table : table + (64 - past) / sizeof(T);
}

/** Entry (g, s): the sum of rows 5g .. 5g + 4 of A (m x d), each with the sign that its bit of s says. */
template <typename T>
void fill_sign_table(int m, int d, const T* a, T* table) {
  const SignTableShape shape = SignTableShape::of<T>(m, d);
  if (d == 0) return;
  std::fill(table, table + shape.size(), T{0});
  for (int g = 0; g < shape.groups; ++g)
    for (int s = 0; s < shape.group_rows; ++s) {
      T* row = aligned(table) + (area(g, shape.group_rows) + static_cast<std::size_t>(s)) * static_cast<std::size_t>(shape.stride);
      for (int r = 0; r < kSigns && g * kSigns + r < m; ++r) {
        const T* from = a + area(g * kSigns + r, d);
        for (int j = 0; j < d; ++j) row[j] += (s >> r) & 1 ? from[j] : -from[j];
      }
    }
}

/** Words of blocks [first, first + 64 chunks), in stream order. */
LAYERWISE_SIMD inline void bits_chunk(StreamKey key, std::uint64_t first, std::uint32_t* words) {
  BlockWords x;
  philox_blocks(key, first, x);
  for (int b = 0; b < kBlocks; ++b)
    for (int j = 0; j < 4; ++j) words[4 * b + j] = x.w[j][b];
}

/** out (n x d) = u A for fresh signs u (n x m) from the stream's bit `position` on, drawn as fill_rademacher draws them row by row.
 *  `bits` and `index` are work: signed_bits(n, m) words and n * index_stride bytes. */
template <typename T>
void signed_product(StreamKey key, std::uint64_t position, int n, int m, int d, const T* table, T* out, std::uint32_t* bits,
                    std::uint8_t* index) {
  const SignTableShape shape = SignTableShape::of<T>(m, d);
  const std::uint64_t first = position / 128, total = position % 128 + area(n, m);
  for (std::uint64_t b = 0; b * 128 < total; b += kBlocks) bits_chunk(key, first + b, bits + 4 * b);
  const auto* bytes = reinterpret_cast<const unsigned char*>(bits);
  const int stride = shape.index_stride(), spare = shape.groups * kSigns - m;  // bits of the last group that belong to the next row
  for (int i = 0; i < n; ++i) {
    std::uint8_t* row = index + area(i, stride);
    kernels::spread_fives(bytes, position % 128 + area(i, m), stride / 8, row);
    if (spare > 0) row[shape.groups - 1] &= static_cast<std::uint8_t>(31 >> spare);
  }
  kernels::signed_rows(kernels::SignedRows<T>{n, d, shape.groups, shape.group_rows, stride, shape.stride, index, aligned(table), out});
}

/** Words of work for n x m signs: whole chunks, and room to read past the last bit. */
inline std::size_t signed_bits(int n, int m) {
  const std::size_t chunks = (area(n, m) + 127) / (128 * kBlocks) + 1;
  return chunks * 4 * kBlocks + 16;
}

/** (ints[m, d], A m x d, table) */
struct MakeSignTable {
  static constexpr const char* name = "signTable";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [m, d] = args.ints<2>(0);
    const T* a = args.in<T>(1, area(m, d));
    T* table = args.out<T>(2, SignTableShape::of<T>(m, d).size());
    args.check_overlap(Overlap::forbidden);
    fill_sign_table(m, d, a, table);
    return undefined(args);
  }
};

/** (ints[n, m, d], stream, table of A m x d, out n x d) */
struct SignedProduct {
  static constexpr const char* name = "signedProduct";
  static constexpr std::size_t arity = 4, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, m, d] = args.ints<3>(0);
    const SignTableShape shape = SignTableShape::of<T>(m, d);
    const T* table = args.in<T>(2, shape.size());
    T* out = args.out<T>(3, area(n, d));
    const StreamState s = StreamState::take(args, 1, 1, area(n, m));
    if (n == 0 || d == 0) return undefined(args);
    std::uint32_t* bits = args.scratch<std::uint32_t>(0, signed_bits(n, m));
    std::uint8_t* index = args.scratch<std::uint8_t>(1, area(n, shape.index_stride()));
    signed_product(s.key, s.value, n, m, d, table, out, bits, index);
    return undefined(args);
  }
};

}  // namespace layerwise
