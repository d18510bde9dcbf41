// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011).
//
// A stream is three integers below 2^53: seed (the key), stream id (the upper half of the counter) and a position in *bits*.
// Bit p of a stream belongs to block p / 128, so a value depends on its position alone: the same draws come out however
// a fill is split. Rademacher takes 1 bit a value; uniform and normal take 64, starting at a multiple of 64; the two normals of a
// block are one Box-Muller pair. Logarithm, sine and cosine are computed here in plain arithmetic, so that draws are the same on
// every machine, whatever its C library.
#pragma once

#include <cstring>

#include "args.h"
#include "kernels.h"
#include "simd.h"

namespace layerwise {

constexpr std::uint32_t kPhiloxM0 = 0xD2511F53, kPhiloxM1 = 0xCD9E8D57;
constexpr std::uint32_t kPhiloxW0 = 0x9E3779B9, kPhiloxW1 = 0xBB67AE85;
constexpr int kBlocks = 64;  // blocks computed together: a few kilobytes, in structure-of-arrays form

struct StreamKey {
  std::uint64_t seed, stream;
};

/** Words of kBlocks consecutive blocks; w[j][b] is word j of block first + b. */
struct BlockWords {
  alignas(64) std::uint32_t w[4][kBlocks];
};

LAYERWISE_INLINE void philox_rounds(std::uint32_t* x0, std::uint32_t* x1, std::uint32_t* x2, std::uint32_t* x3, std::uint32_t k0,
                                    std::uint32_t k1, int n) {
  for (int round = 0; round < 10; ++round) {
    for (int b = 0; b < n; ++b) {
      const std::uint64_t p0 = static_cast<std::uint64_t>(kPhiloxM0) * x0[b];
      const std::uint64_t p1 = static_cast<std::uint64_t>(kPhiloxM1) * x2[b];
      x0[b] = static_cast<std::uint32_t>(p1 >> 32) ^ x1[b] ^ k0;
      x1[b] = static_cast<std::uint32_t>(p1);
      x2[b] = static_cast<std::uint32_t>(p0 >> 32) ^ x3[b] ^ k1;
      x3[b] = static_cast<std::uint32_t>(p0);
    }
    k0 += kPhiloxW0;
    k1 += kPhiloxW1;
  }
}

/** For any instruction set. */
LAYERWISE_SIMD inline void philox_anywhere(StreamKey key, std::uint64_t first, BlockWords& out) {
  for (int b = 0; b < kBlocks; ++b) {
    const std::uint64_t c = first + static_cast<std::uint64_t>(b);
    out.w[0][b] = static_cast<std::uint32_t>(c);
    out.w[1][b] = static_cast<std::uint32_t>(c >> 32);
    out.w[2][b] = static_cast<std::uint32_t>(key.stream);
    out.w[3][b] = static_cast<std::uint32_t>(key.stream >> 32);
  }
  philox_rounds(out.w[0], out.w[1], out.w[2], out.w[3], static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32),
                kBlocks);
}

#if LAYERWISE_KERNELS
/** A word in each 64-bit lane: what a product leaves above it is never read, so a round is two multiplications, two shifts and two
 *  exclusive ors for eight blocks. Four groups of eight at a time hide the latency of the multiplications. */
__attribute__((target("avx512f,avx512vl"))) inline void philox_wide(StreamKey key, std::uint64_t first, BlockWords& out) {
  constexpr int kLanes = 8, kGroups = 4, kXor3 = 0x96;
  const __m512i m0 = _mm512_set1_epi64(kPhiloxM0), m1 = _mm512_set1_epi64(kPhiloxM1);
#define LAYERWISE_HIGH(x) _mm512_maskz_srli_epi64(255, x, 32)
  for (int b = 0; b < kBlocks; b += kLanes * kGroups) {
    __m512i x0[kGroups], x1[kGroups], x2[kGroups], x3[kGroups];
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) {
      const auto from = static_cast<long long>(first + static_cast<std::uint64_t>(b + kLanes * g));
      x0[g] = _mm512_add_epi64(_mm512_set1_epi64(from), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
      x1[g] = LAYERWISE_HIGH(x0[g]);
      x2[g] = _mm512_set1_epi64(static_cast<long long>(key.stream));
      x3[g] = LAYERWISE_HIGH(x2[g]);
    }
    auto k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round, k0 += kPhiloxW0, k1 += kPhiloxW1) {
      const __m512i key0 = _mm512_set1_epi64(k0), key1 = _mm512_set1_epi64(k1);
#pragma GCC unroll 4
      for (int g = 0; g < kGroups; ++g) {
        const __m512i p0 = _mm512_maskz_mul_epu32(255, x0[g], m0), p1 = _mm512_maskz_mul_epu32(255, x2[g], m1);
        x0[g] = _mm512_ternarylogic_epi64(LAYERWISE_HIGH(p1), x1[g], key0, kXor3);
        x1[g] = p1;
        x2[g] = _mm512_ternarylogic_epi64(LAYERWISE_HIGH(p0), x3[g], key1, kXor3);
        x3[g] = p0;
      }
    }
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) {
      const int at = b + kLanes * g;
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.w[0] + at), _mm512_maskz_cvtepi64_epi32(255, x0[g]));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.w[1] + at), _mm512_maskz_cvtepi64_epi32(255, x1[g]));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.w[2] + at), _mm512_maskz_cvtepi64_epi32(255, x2[g]));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.w[3] + at), _mm512_maskz_cvtepi64_epi32(255, x3[g]));
    }
  }
}
#undef LAYERWISE_HIGH
#endif

inline void philox_blocks(StreamKey key, std::uint64_t first, BlockWords& out) {
#if LAYERWISE_KERNELS
  if (kernels::level() == kernels::Level::wide) return philox_wide(key, first, out);
#endif
  philox_anywhere(key, first, out);
}

/** 53 random bits as a double in [0, 1). */
LAYERWISE_INLINE double unit_double(std::uint32_t high, std::uint32_t low) {
  return (static_cast<std::int32_t>(high >> 5) * 67108864.0 + static_cast<std::int32_t>(low >> 6)) * 0x1p-53;
}

/** Natural logarithm of x in (0, 1], error below 1 ulp: the argument reduction and minimax series of fdlibm's e_log. */
LAYERWISE_INLINE double log_unit(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, 8);
  bits += 0x3ff0000000000000ULL - 0x3fe6a09e667f3bcdULL;  // so that the mantissa lands in [sqrt(1/2), sqrt(2))
  const auto exponent = static_cast<std::int32_t>(bits >> 52) - 1023;
  bits = (bits & 0x000fffffffffffffULL) + 0x3fe6a09e667f3bcdULL;
  double m;
  std::memcpy(&m, &bits, 8);
  const double f = m - 1.0, s = f / (2.0 + f), z = s * s;
  const double series =
      z * (6.666666666666735130e-01 +
           z * (3.999999999940941908e-01 +
                z * (2.857142874366239149e-01 +
                     z * (2.222219843214978396e-01 +
                          z * (1.818357216161805012e-01 + z * (1.531383769920937332e-01 + z * 1.479819860511658591e-01))))));
  const double half_square = 0.5 * f * f, k = exponent;
  return k * 6.93147180369123816490e-01 - ((half_square - (s * (half_square + series) + k * 1.90821492927058770002e-10)) - f);
}

/** sin and cos of 2 pi u for u in [0, 1): exact reduction to [-pi/4, pi/4], then fdlibm's kernel polynomials. */
LAYERWISE_INLINE void sincos_turn(double u, double* sine, double* cosine) {
  const double quarters = 4.0 * u;
  const auto q = static_cast<std::int32_t>(quarters + 0.5);  // NOLINT(bugprone-incorrect-roundings): never negative, and vectorises
  const double r = (quarters - q) * 1.57079632679489661923, z = r * r;
  const double s =
      r + r * z *
              (-1.66666666666666324348e-01 +
               z * (8.33333333332248946124e-03 +
                    z * (-1.98412698298579493134e-04 +
                         z * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
  const double c = 1.0 - 0.5 * z +
                   z * z *
                       (4.16666666666666019037e-02 +
                        z * (-1.38888888888741095749e-03 +
                             z * (2.48015872894767294178e-05 +
                                  z * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
  const double a = (q & 1) ? c : s, b = (q & 1) ? s : c;
  *sine = (q & 2) ? -a : a;
  *cosine = ((q + 1) & 2) ? -b : b;
}

/** The 2 * kBlocks uniforms (or normals) of consecutive blocks, in stream order. */
LAYERWISE_SIMD inline void uniform_chunk(StreamKey key, std::uint64_t first, double* out) {
  BlockWords x;
  philox_blocks(key, first, x);
  for (int b = 0; b < kBlocks; ++b) {
    out[2 * b] = unit_double(x.w[0][b], x.w[1][b]);
    out[2 * b + 1] = unit_double(x.w[2][b], x.w[3][b]);
  }
}

LAYERWISE_SIMD inline void normal_chunk(StreamKey key, std::uint64_t first, double* out) {
  BlockWords x;
  philox_blocks(key, first, x);
  // Two short loops and not one long one: of short ones a core has several turns in flight, and these are chains of operations.
  alignas(64) double radius[kBlocks];
  for (int b = 0; b < kBlocks; ++b) radius[b] = __builtin_sqrt(-2.0 * log_unit(1.0 - unit_double(x.w[0][b], x.w[1][b])));
  for (int b = 0; b < kBlocks; ++b) {
    double s, c;
    sincos_turn(unit_double(x.w[2][b], x.w[3][b]), &s, &c);
    out[2 * b] = radius[b] * c;
    out[2 * b + 1] = radius[b] * s;
  }
}

/** 128 * kBlocks signs of consecutive blocks: bit i of a block decides value i. */
template <typename T>
LAYERWISE_INLINE void rademacher_body(StreamKey key, std::uint64_t first, T scale, T* out) {
  BlockWords x;
  philox_blocks(key, first, x);
  for (int b = 0; b < kBlocks; ++b)
    for (int j = 0; j < 4; ++j) {
      const std::uint32_t word = x.w[j][b];
      T* to = out + 128 * b + 32 * j;
      for (int i = 0; i < 32; ++i) to[i] = static_cast<T>(static_cast<std::int32_t>((word >> i) & 1u) * 2 - 1) * scale;
    }
}
LAYERWISE_SIMD inline void rademacher_chunk(StreamKey key, std::uint64_t first, double scale, double* out) {
  rademacher_body(key, first, scale, out);
}
LAYERWISE_SIMD inline void rademacher_chunk(StreamKey key, std::uint64_t first, float scale, float* out) {
  rademacher_body(key, first, scale, out);
}

/** Values [0, n) from value number `position` on, produced a chunk of `per_chunk` values at a time. `chunk(c, buffer)` fills a
 *  buffer with chunk c; whole chunks may go straight to the output where `direct` allows it. */
template <typename T, typename B, typename Chunk, typename Store>
void fill_by_chunks(std::uint64_t position, std::size_t n, int per_chunk, B* buffer, Chunk chunk, Store store, T* out) {
  std::size_t done = 0;
  while (done < n) {
    const std::uint64_t at = position + done;
    const auto offset = static_cast<std::size_t>(at % static_cast<std::uint64_t>(per_chunk));
    const std::size_t take = std::min(n - done, static_cast<std::size_t>(per_chunk) - offset);
    chunk(at / static_cast<std::uint64_t>(per_chunk) * kBlocks, buffer);
    store(buffer + offset, take, out + done);
    done += take;
  }
}

template <typename T>
void fill_uniform(StreamKey key, std::uint64_t value, T* out, std::size_t n) {
  alignas(64) double buffer[2 * kBlocks];
  fill_by_chunks(
      value, n, 2 * kBlocks, buffer, [&](std::uint64_t b, double* to) { uniform_chunk(key, b, to); },
      [](const double* from, std::size_t count, T* to) {
        for (std::size_t i = 0; i < count; ++i) {
          if constexpr (sizeof(T) == 8)
            to[i] = from[i];
          else  // the top 24 bits: rounding a double near 1 would give 1
            to[i] = static_cast<T>(static_cast<std::int32_t>(from[i] * 16777216.0)) * 0x1p-24f;
        }
      },
      out);
}

template <typename T>
void fill_normal(StreamKey key, std::uint64_t value, double scale, T* out, std::size_t n) {
  alignas(64) double buffer[2 * kBlocks];
  fill_by_chunks(
      value, n, 2 * kBlocks, buffer, [&](std::uint64_t b, double* to) { normal_chunk(key, b, to); },
      [scale](const double* from, std::size_t count, T* to) {
        for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<T>(scale * from[i]);
      },
      out);
}

template <typename T>
void fill_rademacher(StreamKey key, std::uint64_t value, T scale, T* out, std::size_t n) {
  constexpr std::size_t kPerChunk = 128 * kBlocks;
  alignas(64) T buffer[kPerChunk];
  std::size_t done = 0;
  while (done < n) {
    const std::uint64_t at = value + done;
    const std::size_t offset = at % kPerChunk, take = std::min(n - done, kPerChunk - offset);
    const std::uint64_t block = at / kPerChunk * kBlocks;
    if (take == kPerChunk) {
      rademacher_chunk(key, block, scale, out + done);
    } else {
      rademacher_chunk(key, block, scale, buffer);
      std::copy(buffer + offset, buffer + offset + take, out + done);
    }
    done += take;
  }
}

// ---- JavaScript operations. A stream is Float64Array [seed, stream, position]; a fill moves position on. ----

constexpr double kIntegerLimit = 9007199254740992.0;  // 2^53

struct StreamState {
  StreamKey key;
  std::uint64_t value;  // number of the first value to draw, in units of bits_per_value

  /** Reads the stream and moves it past `count` values. Call after all other arrays are noted. */
  static StreamState take(Args& args, std::size_t i, std::uint64_t bits_per_value, std::size_t count) {
    double* s = args.out<double>(i, 3);
    args.check_overlap(Overlap::forbidden);  // before s moves on: a refused call draws nothing
    for (int j = 0; j < 3; ++j)
      if (!(s[j] >= 0 && s[j] < kIntegerLimit && s[j] == std::floor(s[j])))
        args.range_error("a stream holds three integers in [0, 2^53): seed, stream id and position");
    const auto position = static_cast<std::uint64_t>(s[2]);
    const std::uint64_t value = (position + bits_per_value - 1) / bits_per_value;
    const double end = (static_cast<double>(value) + static_cast<double>(count)) * static_cast<double>(bits_per_value);
    if (end >= kIntegerLimit) args.range_error("this stream is used up: 2^53 bits; take a substream");
    s[2] = end;
    return {{static_cast<std::uint64_t>(s[0]), static_cast<std::uint64_t>(s[1])}, value};
  }
};

/** One block, for known answers and for deriving substreams.  (counter Uint32Array 4, key Uint32Array 2, out Uint32Array 4) */
struct Philox {
  static constexpr const char* name = "philox";
  static constexpr std::size_t arity = 3;
  static Napi::Value run(Args& args) {
    const auto* counter = args.in<std::uint32_t>(0, 4);
    const auto* key = args.in<std::uint32_t>(1, 2);
    auto* out = args.out<std::uint32_t>(2, 4);
    args.check_overlap(Overlap::same_allowed);
    std::uint32_t x[4] = {counter[0], counter[1], counter[2], counter[3]};
    philox_rounds(&x[0], &x[1], &x[2], &x[3], key[0], key[1], 1);
    std::copy(x, x + 4, out);
    return undefined(args);
  }
};

/** Uniform on [0, 1).  (stream, out) */
struct Uniform {
  static constexpr const char* name = "uniform";
  static constexpr std::size_t arity = 2, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(1);
    T* out = args.out<T>(1, n);
    const StreamState s = StreamState::take(args, 0, 64, n);
    fill_uniform(s.key, s.value, out, n);
    return undefined(args);
  }
};

/** Normal with mean 0 and the given standard deviation.  (stream, deviation, out) */
struct Normal {
  static constexpr const char* name = "normal";
  static constexpr std::size_t arity = 3, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(2);
    T* out = args.out<T>(2, n);
    const double deviation = args.scalar(1);
    const StreamState s = StreamState::take(args, 0, 64, n);
    fill_normal(s.key, s.value, deviation, out, n);
    return undefined(args);
  }
};

/** -scale or +scale with probability 1/2 each.  (stream, scale, out) */
struct Rademacher {
  static constexpr const char* name = "rademacher";
  static constexpr std::size_t arity = 3, dtype = 2;
  template <typename T>
  static Napi::Value run(Args& args) {
    const std::size_t n = args.length(2);
    T* out = args.out<T>(2, n);
    const T scale = static_cast<T>(args.scalar(1));
    const StreamState s = StreamState::take(args, 0, 1, n);
    fill_rademacher(s.key, s.value, scale, out, n);
    return undefined(args);
  }
};

}  // namespace layerwise
