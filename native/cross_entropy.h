// Softmax and the losses of classification. No finite logit overflows: what is exponentiated is never positive.
#pragma once

#include <algorithm>
#include <cmath>

#include "args.h"

namespace layerwise {

/** log(sum exp(x)) = top + log_total, apart: their sum would lose log_total's digits in a large top. */
struct LogSum {
  double top, log_total;
};

/** out = exp(x - max x) / sum / n; out may be x. */
template <typename T>
LogSum softmax_row(int c, const T* x, T* out, int n = 1) {
  const T top = *std::max_element(x, x + c);
  double total = 0;
  for (int j = 0; j < c; ++j) total += out[j] = std::exp(x[j] - top);
  for (int j = 0; j < c; ++j) out[j] = static_cast<T>(out[j] / total / n);
  return {static_cast<double>(top), std::log(total)};
}

/** Row-wise softmax.  (ints[n, c], logits n x c, out) */
struct Softmax {
  static constexpr const char* name = "softmax";
  static constexpr std::size_t arity = 3, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, c] = args.ints<2>(0);
    const T* logits = args.in<T>(1, area(n, c));
    T* out = args.out<T>(2, area(n, c));
    args.check_overlap(Overlap::same_allowed);
    if (c == 0) return undefined(args);
    for (int i = 0; i < n; ++i) softmax_row(c, logits + area(i, c), out + area(i, c));
    return undefined(args);
  }
};

/** Mean softmax cross-entropy of labels, whole numbers in [0, c), and its gradient (softmax - one-hot) / n.
 *  (ints[n, c], logits n x c, labels n, gradient n x c) -> loss */
struct SoftmaxCrossEntropy {
  static constexpr const char* name = "softmaxCrossEntropy";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, c] = args.ints<2>(0);
    const T *logits = args.in<T>(1, area(n, c)), *labels = args.in<T>(2, n);
    T* gradient = args.out<T>(3, area(n, c));
    args.check_overlap(Overlap::same_allowed);
    for (int i = 0; i < n; ++i) {
      const double label = static_cast<double>(labels[i]);
      if (!(label >= 0 && label < c && label == std::floor(label)))
        args.range_error("label " + std::to_string(i) + " is no whole number in [0, " + std::to_string(c) + ")");
    }
    double loss = 0;
    for (int i = 0; i < n; ++i) {
      const T* x = logits + area(i, c);
      T* row = gradient + area(i, c);
      const int label = static_cast<int>(labels[i]);
      const double own = static_cast<double>(x[label]);  // read first: the gradient may be written over the logits
      const LogSum sum = softmax_row(c, x, row, n);
      loss += sum.log_total + (sum.top - own);
      row[label] -= T{1} / static_cast<T>(n);
    }
    return number(args, n == 0 ? 0 : loss / n);
  }
};

/** Mean over rows of sum_j log(1 + exp(f)) - y f, and its gradient (sigmoid(f) - y) / n.
 *  (ints[n, c], f n x c, y, gradient) -> loss */
struct LogisticLoss {
  static constexpr const char* name = "logisticLoss";
  static constexpr std::size_t arity = 4, dtype = 1;
  template <typename T>
  static Napi::Value run(Args& args) {
    const auto [n, c] = args.ints<2>(0);
    const T *f = args.in<T>(1, area(n, c)), *y = args.in<T>(2, area(n, c));
    T* gradient = args.out<T>(3, area(n, c));
    args.check_overlap(Overlap::same_allowed);
    double loss = 0;
    for (std::size_t i = 0; i < area(n, c); ++i) {
      const T x = f[i], target = y[i], tail = std::exp(-std::abs(x)), small = tail / (T{1} + tail);  // small = sigmoid(-|x|)
      loss += static_cast<double>(std::log1p(tail)) + static_cast<double>(x > T{0} ? (T{1} - target) * x : -target * x);
      gradient[i] = (x > T{0} ? (T{1} - target) - small : small - target) / static_cast<T>(n);
    }
    return number(args, n == 0 ? 0 : loss / n);
  }
};

}  // namespace layerwise
