// The single operations of kernels.ts as a plain C++ program on the same library, called as its manual says: column-major, held buffers,
// work spaces sized once. Fills are by the standard library's generators.
//
//   layerwise-kernels
//
// Answers (serve.h) questions OP:M:N:K:DTYPE with a number of the result; `peak:0:0:0:DTYPE` counts fused multiply-adds: 1e9 of them.
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "../../native/blas.h"
#include "serve.h"

using namespace layerwise;

namespace {

struct Question {
  std::string op, dtype;
  int m = 0, n = 0, k = 0;
};

Question parse(const std::string& text) {
  std::istringstream in(text);
  Question q;
  std::string part;
  std::getline(in, q.op, ':');
  for (int* size : {&q.m, &q.n, &q.k}) {
    std::getline(in, part, ':');
    *size = std::stoi(part);
  }
  std::getline(in, q.dtype);
  return q;
}

std::size_t area(int m, int n) { return static_cast<std::size_t>(m) * static_cast<std::size_t>(n); }

void require(int info) {
  if (info != 0) throw std::runtime_error("LAPACK returned " + std::to_string(info));
}

template <typename T>
std::vector<T> random(std::size_t count) {
  static std::mt19937_64 engine(0);
  std::normal_distribution<T> normal;
  std::vector<T> out(count);
  for (T& x : out) x = normal(engine);
  return out;
}

template <typename T>
std::vector<T> spd(int n) {
  const std::vector<T> a = random<T>(area(n, n));
  std::vector<T> out(area(n, n));
  blas::gemm(true, false, n, n, n, T{1} / static_cast<T>(n), a.data(), n, a.data(), n, T{0}, out.data(), n);
  for (int i = 0; i < n; ++i) out[area(i, n) + static_cast<std::size_t>(i)] += 1;
  return out;
}

/** 1e9 fused multiply-adds in registers, on the widest vectors there are. */
template <typename T>
double peak() {
  typedef T Vector __attribute__((vector_size(64)));
  constexpr long kLanes = 64 / sizeof(T), kSums = 16;
  Vector sums[kSums] = {};
  Vector x, y;
  for (long j = 0; j < kLanes; ++j) {
    x[j] = T(1) - T(1e-7) * static_cast<T>(j);
    y[j] = T(1e-7);
    for (long i = 0; i < kSums; ++i) sums[i][j] = static_cast<T>(i + j);  // no two alike: none is left out
  }
  for (long i = 0; i < 1000000000L / (kLanes * kSums); ++i)
    for (Vector& sum : sums) sum = sum * x + y;
  T total = 0;
  for (const Vector& sum : sums)
    for (long j = 0; j < kLanes; ++j) total += sum[j];
  return static_cast<double>(total);
}

template <typename T>
bench::Step step_of(const Question& q) {
  const int m = q.m, n = q.n, k = q.k;
  if (q.op == "peak") return [] { return peak<T>(); };
  if (q.op == "gemm") {
    auto a = random<T>(area(m, k)), b = random<T>(area(k, n)), c = std::vector<T>(area(m, n));
    return [=]() mutable {
      blas::gemm(false, false, m, n, k, T{1}, a.data(), k, b.data(), n, T{0}, c.data(), n);
      return static_cast<double>(c[0]);
    };
  }
  if (q.op == "syrk") {
    auto a = random<T>(area(k, n)), c = std::vector<T>(area(n, n));
    return [=]() mutable {
      blas::syrk(true, true, n, k, T{1}, a.data(), n, T{0}, c.data(), n);
      return static_cast<double>(c[0]);
    };
  }
  if (q.op == "potrf") {
    auto a = spd<T>(n), l = a;
    return [=]() mutable {
      std::copy(a.begin(), a.end(), l.begin());
      require(blas::potrf('L', n, l.data(), n));
      return static_cast<double>(l[0]);
    };
  }
  if (q.op == "syevd") {
    auto a = spd<T>(n), v = a, w = std::vector<T>(static_cast<std::size_t>(n));
    T need = 0;
    int ineed = 0;
    require(blas::syevd('V', 'L', n, v.data(), n, w.data(), &need, -1, &ineed, -1));
    std::vector<T> work(std::max(static_cast<std::size_t>(need), 1 + 6 * area(n, 1) + 2 * area(n, n)));
    std::vector<int> integers(static_cast<std::size_t>(ineed));
    return [=]() mutable {
      std::copy(a.begin(), a.end(), v.begin());
      require(blas::syevd('V', 'L', n, v.data(), n, w.data(), work.data(), static_cast<int>(work.size()), integers.data(),
                          static_cast<int>(integers.size())));
      return static_cast<double>(w[0]);
    };
  }
  if (q.op == "svd") {
    const int least = std::min(m, n);
    auto a = random<T>(area(m, n)), copy = a, s = std::vector<T>(static_cast<std::size_t>(least));
    auto u = std::vector<T>(area(m, least)), vt = std::vector<T>(area(least, n));
    std::vector<int> integers(8 * static_cast<std::size_t>(least));
    T need = 0;
    require(blas::gesdd('S', m, n, copy.data(), m, s.data(), u.data(), m, vt.data(), least, &need, -1, integers.data()));
    std::vector<T> work(static_cast<std::size_t>(need) + 1);
    return [=]() mutable {
      std::copy(a.begin(), a.end(), copy.begin());
      require(blas::gesdd('S', m, n, copy.data(), m, s.data(), u.data(), m, vt.data(), least, work.data(), static_cast<int>(work.size()),
                          integers.data()));
      return static_cast<double>(s[0]);
    };
  }
  if (q.op == "qr") {
    const int least = std::min(m, n);
    auto a = random<T>(area(m, n)), copy = a, tau = std::vector<T>(static_cast<std::size_t>(least)),
         work = std::vector<T>(64 * area(std::max(m, n), 1));
    return [=]() mutable {
      std::copy(a.begin(), a.end(), copy.begin());
      require(blas::geqrf(m, n, copy.data(), m, tau.data(), work.data(), static_cast<int>(work.size())));
      const double result = static_cast<double>(copy[0]);
      require(blas::orgqr(m, least, least, copy.data(), m, tau.data(), work.data(), static_cast<int>(work.size())));
      return result;
    };
  }
  std::vector<T> out(static_cast<std::size_t>(n));
  std::mt19937_64 engine(0);
  if (q.op == "normal")
    return [=, normal = std::normal_distribution<T>()]() mutable {
      for (T& x : out) x = normal(engine);
      return static_cast<double>(out[0]);
    };
  if (q.op == "uniform")
    return [=]() mutable {
      for (T& x : out) x = static_cast<T>(engine() >> 11) * static_cast<T>(0x1p-53);
      return static_cast<double>(out[0]);
    };
  if (q.op == "rademacher")
    return [=]() mutable {
      for (std::size_t i = 0; i + 64 <= out.size(); i += 64) {
        const std::uint64_t bits = engine();
        for (std::size_t j = 0; j < 64; ++j) out[i + j] = (bits >> j & 1) != 0 ? T{1} : T{-1};
      }
      return static_cast<double>(out[0]);
    };
  throw std::runtime_error("unknown operation " + q.op);
}

}  // namespace

int main() try {
  std::map<std::string, bench::Step> known;
  bench::serve(
      [&](const std::string& text) {
        const auto found = known.find(text);
        if (found != known.end()) return found->second;
        const Question q = parse(text);
        return known.emplace(text, q.dtype == "float64" ? step_of<double>(q) : step_of<float>(q)).first->second;
      },
      "result");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "layerwise-kernels: %s\n", error.what());
  return 1;
}
