// Convolution and pooling, channels last: an image of height h, width w and c channels is a row of h w c numbers, entry (y, x, ch) at
// (y w + x) c + ch. A kernel slides over it in steps of `stride`; what it sees is a window, and windows are numbered row by row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "args.h"
#include "simd.h"

namespace layerwise {

/** ints[n, h, w, c, kernel h, kernel w, stride, padding], and the count of windows along each axis. */
struct Windows {
  std::size_t n, height, width, channels, kernel_height, kernel_width, stride, padding, out_height, out_width;

  Windows(Args& args, bool padded) {
    const std::array<int, 8> s = args.ints<8>(0);
    n = s[0], height = s[1], width = s[2], channels = s[3], kernel_height = s[4], kernel_width = s[5], stride = s[6], padding = s[7];
    if (kernel_height == 0 || kernel_width == 0 || stride == 0) args.range_error("kernel and stride must be at least 1");
    if (padding > 0 && !padded) args.range_error("padding is 0 here, got " + std::to_string(padding));
    if (kernel_height > height + 2 * padding || kernel_width > width + 2 * padding)
      args.range_error("the kernel must fit into the padded image: not even one window does");
    out_height = (height + 2 * padding - kernel_height) / stride + 1;
    out_width = (width + 2 * padding - kernel_width) / stride + 1;
  }

  std::size_t image() const { return volume(height, width, channels); }
  std::size_t images() const { return volume(n, height, width, channels); }
  std::size_t pooled() const { return volume(n, out_height, out_width, channels); }
  std::size_t patches() const { return volume(n, out_height, out_width, kernel_height, kernel_width, channels); }
};

/** Calls visit(patch, image, before, inside, after) for each row of each patch: its `inside` numbers lie in the image, in one piece, the
 *  `before` ones and `after` ones around them in the padding. patch and image are offsets; image means nothing where inside is 0. */
template <typename Visit>
LAYERWISE_INLINE void for_each_run(const Windows& w, Visit visit) {
  const std::size_t run = w.kernel_width * w.channels, image_size = w.image();
  std::size_t patch = 0;
  for (std::size_t i = 0; i < w.n; ++i)
    for (std::size_t oy = 0; oy < w.out_height; ++oy)
      for (std::size_t ox = 0; ox < w.out_width; ++ox) {
        const std::size_t x = ox * w.stride, left = w.padding, right = w.padding + w.width;  // in the padded image
        const std::size_t first = std::min(std::max(x, left), right), last = std::max(std::min(x + w.kernel_width, right), first);
        const std::size_t inside = (last - first) * w.channels, before = inside == 0 ? 0 : (first - x) * w.channels;
        for (std::size_t ky = 0; ky < w.kernel_height; ++ky, patch += run) {
          const std::size_t y = oy * w.stride + ky;
          if (inside == 0 || y < w.padding || y >= w.padding + w.height)
            visit(patch, std::size_t{0}, run, std::size_t{0}, std::size_t{0});
          else
            visit(patch, i * image_size + ((y - w.padding) * w.width + first - left) * w.channels, before, inside, run - before - inside);
        }
      }
}

/** out = the patches of the images, a window a row, in the order (ky, kx, ch); zeros where a window reaches into the padding.
 *  (ints[n, h, w, c, kh, kw, stride, padding], images n x h w c, out n oh ow x kh kw c) */
struct Unfold {
  static constexpr const char* name = "unfold";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const Windows w(args, true);
    const T* images = args.in<T>(1, w.images());
    T* out = args.out<T>(2, w.patches());
    args.check_overlap(Overlap::forbidden);
    if (w.patches() == 0) return undefined(args);
    for_each_run(w, [=](std::size_t patch, std::size_t image, std::size_t before, std::size_t inside, std::size_t after) {
      T* p = out + patch;
      for (std::size_t j = 0; j < before; ++j) *p++ = T{0};
      for (std::size_t j = 0; j < inside; ++j) *p++ = images[image + j];
      for (std::size_t j = 0; j < after; ++j) *p++ = T{0};
    });
    return undefined(args);
  }
};

/** The adjoint of unfold: each number of an image is the sum of its copies in the patches.
 *  (ints as unfold, patches n oh ow x kh kw c, out n x h w c) */
struct Fold {
  static constexpr const char* name = "fold";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const Windows w(args, true);
    const T* patches = args.in<T>(1, w.patches());
    T* out = args.out<T>(2, w.images());
    args.check_overlap(Overlap::forbidden);
    if (w.images() == 0) return undefined(args);
    std::fill_n(out, w.images(), T{0});
    for_each_run(w, [=](std::size_t patch, std::size_t image, std::size_t before, std::size_t inside, std::size_t) {
      const T* p = patches + patch + before;
      for (std::size_t j = 0; j < inside; ++j) out[image + j] += p[j];
    });
    return undefined(args);
  }
};

/** Calls visit(out, image, at) for each number (window, position in it): offsets of the c channels in the pooled and the full images, and
 *  `at`, the latter's place within its own image. */
template <typename Visit>
LAYERWISE_INLINE void for_each_tap(const Windows& w, Visit visit) {
  const std::size_t image_size = w.image();
  std::size_t out = 0;
  for (std::size_t i = 0; i < w.n; ++i)
    for (std::size_t oy = 0; oy < w.out_height; ++oy)
      for (std::size_t ox = 0; ox < w.out_width; ++ox, out += w.channels)
        for (std::size_t ky = 0; ky < w.kernel_height; ++ky)
          for (std::size_t kx = 0; kx < w.kernel_width; ++kx) {
            const std::size_t at = ((oy * w.stride + ky) * w.width + ox * w.stride + kx) * w.channels;
            visit(out, i * image_size + at, at, ky == 0 && kx == 0);
          }
}

#define LAYERWISE_LOOPS(T)                                                                                    \
  LAYERWISE_SIMD inline void max_pool_loop(const Windows& w, const T* images, T* out, std::int32_t* chosen) { \
    const std::size_t channels = w.channels;                                                                  \
    for_each_tap(                                                                                             \
        w, [=](std::size_t o, std::size_t image, std::size_t at, bool first) __attribute__((always_inline)) { \
          const T* __restrict__ x = images + image;                                                           \
          T* __restrict__ most = out + o;                                                                     \
          std::int32_t* __restrict__ index = chosen + o;                                                      \
          const std::int32_t start = static_cast<std::int32_t>(at);                                           \
          if (first)                                                                                          \
            for (std::size_t ch = 0; ch < channels; ++ch) {                                                   \
              most[ch] = x[ch];                                                                               \
              index[ch] = start + static_cast<std::int32_t>(ch);                                              \
            }                                                                                                 \
          else                                                                                                \
            for (std::size_t ch = 0; ch < channels; ++ch) {                                                   \
              const bool wins = !(x[ch] <= most[ch]) && most[ch] == most[ch];                                 \
              most[ch] = wins ? x[ch] : most[ch];                                                             \
              index[ch] = wins ? start + static_cast<std::int32_t>(ch) : index[ch];                           \
            }                                                                                                 \
        });                                                                                                   \
  }
LAYERWISE_LOOPS(double)
LAYERWISE_LOOPS(float)
#undef LAYERWISE_LOOPS

/** The largest number of each window and channel, and its index in the image's row; the first of equals, and of NaN, which wins.
 *  (ints[n, h, w, c, kh, kw, stride, 0], images n x h w c, out n x oh ow c, chosen Int32Array n oh ow c) */
struct MaxPool {
  static constexpr const char* name = "maxPool";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const Windows w(args, false);
    const T* images = args.in<T>(1, w.images());
    T* out = args.out<T>(2, w.pooled());
    std::int32_t* chosen = args.out<std::int32_t>(3, w.pooled());
    args.check_overlap(Overlap::forbidden);
    if (w.pooled() == 0) return undefined(args);
    if (w.image() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
      args.range_error("an image must hold fewer than 2^31 numbers");
    max_pool_loop(w, images, out, chosen);
    return undefined(args);
  }
};

/** The adjoint of the choice: each entry of dy is added to dx where its maximum came from.
 *  (ints as maxPool, dy n x oh ow c, chosen, dx n x h w c) */
struct MaxPoolBackward {
  static constexpr const char* name = "maxPoolBackward";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const Windows w(args, false);
    const T* dy = args.in<T>(1, w.pooled());
    const std::int32_t* chosen = args.in<std::int32_t>(2, w.pooled());
    T* dx = args.out<T>(3, w.images());
    args.check_overlap(Overlap::forbidden);
    if (w.images() == 0) return undefined(args);
    const std::size_t pooled = w.pooled(), image = w.image(), row = pooled / w.n;
    for (std::size_t k = 0; k < pooled; ++k)
      if (chosen[k] < 0 || static_cast<std::size_t>(chosen[k]) >= image)
        args.range_error("chosen[" + std::to_string(k) + "] is " + std::to_string(chosen[k]) + ", outside an image");
    std::fill_n(dx, w.images(), T{0});
    for (std::size_t i = 0; i < w.n; ++i)
      for (std::size_t k = i * row; k < (i + 1) * row; ++k) dx[i * image + static_cast<std::size_t>(chosen[k])] += dy[k];
    return undefined(args);
  }
};

/** The mean of each window and channel.  (ints[n, h, w, c, kh, kw, stride, 0], images n x h w c, out n x oh ow c) */
struct AveragePool {
  static constexpr const char* name = "averagePool";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const Windows w(args, false);
    const T* images = args.in<T>(1, w.images());
    T* out = args.out<T>(2, w.pooled());
    args.check_overlap(Overlap::forbidden);
    if (w.pooled() == 0) return undefined(args);
    std::fill_n(out, w.pooled(), T{0});
    for_each_tap(w, [=](std::size_t o, std::size_t image, std::size_t, bool) {
      for (std::size_t ch = 0; ch < w.channels; ++ch) out[o + ch] += images[image + ch];
    });
    const T count = static_cast<T>(w.kernel_height * w.kernel_width);
    for (std::size_t k = 0; k < w.pooled(); ++k) out[k] /= count;
    return undefined(args);
  }
};

/** The adjoint of averagePool.  (ints as averagePool, dy n x oh ow c, dx n x h w c) */
struct AveragePoolBackward {
  static constexpr const char* name = "averagePoolBackward";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const Windows w(args, false);
    const T* dy = args.in<T>(1, w.pooled());
    T* dx = args.out<T>(2, w.images());
    args.check_overlap(Overlap::forbidden);
    if (w.images() == 0) return undefined(args);
    std::fill_n(dx, w.images(), T{0});
    const T count = static_cast<T>(w.kernel_height * w.kernel_width);
    for_each_tap(w, [=](std::size_t o, std::size_t image, std::size_t, bool) {
      for (std::size_t ch = 0; ch < w.channels; ++ch) dx[image + ch] += dy[o + ch] / count;
    });
    return undefined(args);
  }
};

}  // namespace layerwise
