// Signs times a matrix without multiplications: x = u A with u of +1 and -1 is a sum of rows of A and their negatives. Signs are taken
// five at a time, and the 32 sums of five rows stand in a table (the method of the four Russians), so a result row costs one addition
// for every five signs. Tables are made as they are needed, of as many columns and groups as the caches nearest to the core hold.
#pragma once

#include "args.h"
#include "kernels.h"
#include "random.h"

namespace layerwise {

/** Groups of signs that a row has. */
inline int sign_groups(int m) { return m / kernels::kSigns + (m % kernels::kSigns != 0); }
/** Bytes of a sample's indices: groups, in whole batches of eight. */
inline int sign_index_stride(int m) { return (sign_groups(m) + 7) / 8 * 8; }

/** Words of blocks [first, first + 64 chunks), in stream order. */
LAYERWISE_SIMD inline void bits_chunk(StreamKey key, std::uint64_t first, std::uint32_t* words) {
  BlockWords x;
  philox_blocks(key, first, x);
  for (int b = 0; b < kBlocks; ++b)
    for (int j = 0; j < 4; ++j) words[4 * b + j] = x.w[j][b];
}

/** out (n x d) = u A for A (m x d) and fresh signs u (n x m) from the stream's bit `position` on, drawn as fill_rademacher draws them row
 *  by row. Work: signed_bits(n, m) words, n * sign_index_stride(m) bytes, and kernels::signed_work<T>(n, m) of T. */
template <typename T>
void signed_product(StreamKey key, std::uint64_t position, int n, int m, int d, const T* a, T* out, std::uint32_t* bits,
                    std::uint8_t* index, T* work) {
  const std::uint64_t first = position / 128, total = position % 128 + area(n, m);
  for (std::uint64_t b = 0; b * 128 < total; b += kBlocks) bits_chunk(key, first + b, bits + 4 * b);
  const auto* bytes = reinterpret_cast<const unsigned char*>(bits);
  const int groups = sign_groups(m), stride = sign_index_stride(m);
  const int spare = groups * kernels::kSigns - m;  // bits of the last group that belong to the next row
  for (int i = 0; i < n; ++i) {
    std::uint8_t* row = index + area(i, stride);
    kernels::spread_fives(bytes, position % 128 + area(i, m), stride / 8, row);
    if (spare > 0) row[groups - 1] &= static_cast<std::uint8_t>(31 >> spare);
  }
  kernels::signed_rows(kernels::SignedRows<T>{n, m, d, groups, stride, index, a, out, work});
}

/** Words of work for n x m signs: whole chunks, and room to read past the last bit. */
inline std::size_t signed_bits(int n, int m) {
  const std::size_t chunks = (area(n, m) + 127) / (128 * kBlocks) + 1;
  return chunks * 4 * kBlocks + 16;
}

/** (ints[n, m, d], stream, A m x d, out n x d) */
struct SignedProduct {
  static constexpr const char* name = "signedProduct";
  static constexpr std::size_t arity = 4, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, m, d] = args.ints<3>(0);
    const T* a = args.in<T>(2, area(m, d));
    T* out = args.out<T>(3, area(n, d));
    args.check_overlap(Overlap::forbidden);
    const StreamState s = StreamState::take(args, 1, 1, area(n, m));
    if (n == 0 || d == 0) return undefined(args);
    std::uint32_t* bits = args.scratch<std::uint32_t>(0, signed_bits(n, m));
    std::uint8_t* index = args.scratch<std::uint8_t>(1, area(n, sign_index_stride(m)));
    signed_product(s.key, s.value, n, m, d, a, out, bits, index, args.scratch<T>(2, kernels::signed_work<T>(n, m)));
    return undefined(args);
  }
};

}  // namespace layerwise
