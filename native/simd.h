// One loop, compiled for several instruction sets and chosen at load (GCC function multiversioning). Contraction to fused
// multiply-add is off for the whole addon, so every version computes the same bits and results do not depend on the CPU.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(LAYERWISE_NO_CLONES)
#if __GNUC__ >= 12
#define LAYERWISE_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else  // older compilers clone for single features only: 512-bit vectors without AVX-512DQ's conversions are slower
#define LAYERWISE_SIMD __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#else
#define LAYERWISE_SIMD
#endif

#define LAYERWISE_INLINE inline __attribute__((always_inline))
