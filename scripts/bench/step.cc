// The training step of scripts/bench/step.ts as a plain C++ program: the BLAS and LAPACK calls and the draws of the TypeScript step, on
// the same numbers, so that what the addon's boundary and JavaScript cost can be read off. Between those calls it does what C++ would:
// passes are fused, buffers reused in place, triangles not mirrored, work spaces sized once, products with constants taken once, and what
// would be multiplied by a root and by its inverse is left alone. Inputs are signs times a root, never multiplied out.
//
//   layerwise-step FOLDER
//
// FOLDER has a file for each size, as written by problem.ts. Answers (serve.h) questions METHOD:SIZE:DTYPE with the last subspace distance.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../../native/blas.h"
#include "../../native/entrywise.h"
#include "../../native/factorisations.h"
#include "../../native/products.h"
#include "../../native/random.h"
#include "../../native/signs.h"
#include "serve.h"

using namespace layerwise;
namespace {

struct Problem {
  int n, d, m, k;
  double noise, rate, adam_rate, damping;
  StreamKey key;
  std::vector<double> g, f, teacher_g, teacher_f, root, inverse_root, precision;
};

Problem read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto take = [&](std::size_t count) {
    std::vector<double> a(count);
    if (!file.read(reinterpret_cast<char*>(a.data()), static_cast<std::streamsize>(count * sizeof(double))))
      throw std::runtime_error("cannot read the problem from " + path);
    return a;
  };
  const std::vector<double> h = take(10);
  Problem p;
  p.n = static_cast<int>(h[0]);
  p.d = static_cast<int>(h[1]);
  p.m = static_cast<int>(h[2]);
  p.k = static_cast<int>(h[3]);
  p.noise = h[4];
  p.rate = h[5];
  p.adam_rate = h[6];
  p.damping = h[7];
  p.key = {static_cast<std::uint64_t>(h[8]), static_cast<std::uint64_t>(h[9])};
  p.g = take(area(p.k, p.d));
  p.f = take(area(p.m, p.k));
  p.teacher_g = take(area(p.k, p.d));
  p.teacher_f = take(area(p.m, p.k));
  p.root = take(area(p.d, p.d));
  p.inverse_root = take(area(p.d, p.d));
  p.precision = take(area(p.d, p.d));
  return p;
}

void require(int info, const char* routine) {
  if (info != 0) throw std::runtime_error(std::string(routine) + " returned " + std::to_string(info));
}

template <typename T>
class Run {
  using Array = std::vector<T>;

 public:
  explicit Run(const Problem& problem)
      : p(problem),
        g(p.g.begin(), p.g.end()),
        f(p.f.begin(), p.f.end()),
        teacher_g(p.teacher_g.begin(), p.teacher_g.end()),
        teacher_f(p.teacher_f.begin(), p.teacher_f.end()),
        root(p.root.begin(), p.root.end()),
        inverse_root(p.inverse_root.begin(), p.inverse_root.end()),
        precision(p.precision.begin(), p.precision.end()) {
    product(false, true, p.d, p.k, p.d, T{1}, root.data(), teacher_g.data(), T{0}, teacher_white.data());
    T need_f = 0, need_g = 0, need_e = 0;
    int need_i = 0;
    require(blas::geqrf(p.d, p.k, tall.data(), p.d, tau.data(), &need_f, -1), "geqrf");
    require(blas::orgqr(p.d, p.k, p.k, tall.data(), p.d, tau.data(), &need_g, -1), "orgqr");
    require(blas::syevd('V', 'U', p.k, gram.data(), p.k, values.data(), &need_e, -1, &need_i, -1), "syevd");
    work.resize(static_cast<std::size_t>(std::max({need_f, need_g, need_e})));
    integers.resize(static_cast<std::size_t>(need_i));
    basis_of(teacher_g);
    basis = tall;
  }

  void sgd() {
    sample();
    forward();
    residual();
    head_gradient();
    features_gradient();
    move(features_step, g);
    move(head_step, f);
  }

  void adam() {
    sample();
    forward();
    residual();
    head_gradient();
    features_gradient();
    ++steps;
    adam_move(features_step, g, features_mean, features_square);
    adam_move(head_step, f, head_mean, head_square);
  }

  void layerwise() {
    sample();
    forward();
    residual();
    white_gradient();
    sign_gram<T>(p.d, p.n, T{1} / static_cast<T>(p.n), columns.bits.data(), T{0}, factor.data());
    damped(false, p.d, p.k, precision.data(), across);
    product(true, false, p.k, p.d, p.d, T{1}, across.data(), inverse_root.data(), T{0}, features_step.data());
    solve(false, p.k, p.d, p.m, f, T{1}, features_step);
    move(features_step, g);

    forward();
    residual();
    head_gradient();
    solve(true, p.k, p.m, p.n, hidden, T{1} / static_cast<T>(p.n), head_step);
    move(head_step, f);
  }

  /** |Q - B'BQ|_2 for Q an orthonormal basis of G's row space and B one of the teacher's; both are held as rows. */
  double distance() {
    basis_of(g);
    product(false, true, p.k, p.k, p.d, T{1}, tall.data(), basis.data(), T{0}, overlap.data());
    product(false, false, p.k, p.d, p.k, T{-1}, overlap.data(), basis.data(), T{1}, tall.data());
    gram_of(false, p.k, p.d, T{1}, tall.data(), gram.data());
    require(blas::syevd('N', 'U', p.k, gram.data(), p.k, values.data(), work.data(), static_cast<int>(work.size()), integers.data(),
                        static_cast<int>(integers.size())),
            "syevd");
    return std::sqrt(std::max(0.0, static_cast<double>(values.back())));
  }

  double loss = 0;

 private:
  void sample() {
    draw_signs(p.key, position, p.n, p.d, rows.bits.data(), rows.fives.data(), drawn.data());
    transpose_signs(p.n, p.d, rows.bits.data(), columns.bits.data(), columns.fives.data(), drawn.data());
    position += area(p.n, p.d);
    const std::uint64_t value = (position + 63) / 64;
    fill_normal(p.key, value, static_cast<T>(p.noise), y.data(), y.size());
    position = (value + y.size()) * 64;
    signs_times(rows, p.n, p.d, teacher_white.data(), hidden.data());
    product(false, true, p.n, p.m, p.k, T{1}, hidden.data(), teacher_f.data(), T{1}, y.data());
  }

  void forward() {
    product(false, true, p.d, p.k, p.d, T{1}, root.data(), g.data(), T{0}, across.data());
    signs_times(rows, p.n, p.d, across.data(), hidden.data());
    product(false, true, p.n, p.m, p.k, T{1}, hidden.data(), f.data(), T{0}, outputs.data());
  }

  /** outputs <- (outputs - y) / n, and the loss. */
  void residual() {
    loss = squared_loss_loop(outputs.size(), p.n, outputs.data(), y.data(), outputs.data());
    if (!std::isfinite(loss)) throw std::runtime_error("the run diverged");
  }

  void head_gradient() { product(true, false, p.m, p.k, p.n, T{1}, outputs.data(), hidden.data(), T{0}, head_step.data()); }

  /** across (d x k) <- the gradient in the features, transposed, where inputs are white: U'(R F). */
  void white_gradient() {
    product(false, false, p.n, p.k, p.m, T{1}, outputs.data(), f.data(), T{0}, hidden_gradient.data());
    signs_times(columns, p.d, p.n, hidden_gradient.data(), across.data());
  }

  void features_gradient() {
    white_gradient();
    product(true, false, p.k, p.d, p.d, T{1}, across.data(), root.data(), T{0}, features_step.data());
  }

  struct Signs {
    std::vector<std::uint32_t> bits;
    std::vector<std::uint8_t> fives;
    Signs(int n, int m) : bits(bits_length(n, m)), fives(fives_length(n, m)) {}
  };

  /** out (n x k) <- U a for n x m signs. */
  void signs_times(const Signs& u, int n, int m, const T* a, T* out) {
    kernels::signed_rows(kernels::SignedRows<T>{n, m, p.k, sign_groups(m), sign_fives(m), u.fives.data(), a, out, sums.data()});
  }

  void product(bool trans_a, bool trans_b, int m, int n, int k, T alpha, const T* a, const T* b, T beta, T* c) {
    multiply(trans_a, trans_b, m, n, k, alpha, a, b, beta, c, [&](std::size_t count) { return room(count); });
  }

  void gram_of(bool trans, int n, int k, T alpha, const T* a, T* c) {
    layerwise::gram(trans, n, k, alpha, a, T{0}, c, [&](std::size_t count) { return room(count); });
  }

  T* room(std::size_t count) {
    if (packed.size() < count) packed.resize(count);
    return packed.data();
  }

  /** x <- x (A'A scale + damping I)^-1 (right, x others x size), or its left twin; A is rows x size. */
  void solve(bool right, int size, int others, int rows, const Array& a, T scale, Array& x) {
    gram_of(true, size, rows, scale, a.data(), factor.data());
    mirror_lower(size, factor.data());
    damped(right, size, others, nullptr, x);
  }

  void damped(bool right, int size, int others, const T* shape, Array& x) {
    require(damped_solve(right, size, others, static_cast<T>(p.damping), factor.data(), shape, x.data(), cholesky.data()), "damped_solve");
  }

  void move(const Array& step, Array& parameter) { axpby_loop(step.size(), static_cast<T>(-p.rate), step.data(), T{1}, parameter.data()); }

  void adam_move(const Array& gradient, Array& parameter, Array& mean, Array& square) {
    constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
    const double correction = 1 - std::pow(kBeta1, steps), root_correction = std::sqrt(1 - std::pow(kBeta2, steps));
    const T b1 = static_cast<T>(kBeta1), b2 = static_cast<T>(kBeta2), rate = static_cast<T>(p.adam_rate / correction);
    const T scale = static_cast<T>(1 / root_correction), epsilon = static_cast<T>(kEpsilon);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const T x = gradient[i];
      mean[i] = b1 * mean[i] + (T{1} - b1) * x;
      square[i] = b2 * square[i] + (T{1} - b2) * x * x;
      parameter[i] -= rate * mean[i] / (std::sqrt(square[i]) * scale + epsilon);
    }
  }

  /** tall <- an orthonormal basis of the row space of a (k x d), in its rows: read column-major, a is its transpose. */
  void basis_of(const Array& a) {
    std::copy(a.begin(), a.end(), tall.begin());
    const int lwork = static_cast<int>(work.size());
    require(blas::geqrf(p.d, p.k, tall.data(), p.d, tau.data(), work.data(), lwork), "geqrf");
    require(blas::orgqr(p.d, p.k, p.k, tall.data(), p.d, tau.data(), work.data(), lwork), "orgqr");
  }

  const Problem& p;
  std::uint64_t position = 0;
  Array g, f, teacher_g, teacher_f, root, inverse_root, precision;
  int steps = 0;
  Array features_mean = Array(area(p.k, p.d)), features_square = features_mean, head_mean = Array(area(p.m, p.k)), head_square = head_mean;
  Array across = Array(area(p.d, p.k)), teacher_white = across, y = Array(area(p.n, p.m));
  Array hidden = Array(area(p.n, p.k)), hidden_gradient = Array(area(p.n, p.k)), outputs = Array(area(p.n, p.m));
  Array features_step = Array(area(p.k, p.d)), head_step = Array(area(p.m, p.k));
  Array factor = Array(area(p.d, p.d)), cholesky = Array(area(p.d, p.d)), packed;
  Array sums = Array(std::max(kernels::signed_work<T>(p.n, p.d), kernels::signed_work<T>(p.d, p.n)));
  std::vector<std::uint32_t> drawn = std::vector<std::uint32_t>(drawn_words(p.n, p.d));
  Signs rows{p.n, p.d}, columns{p.d, p.n};
  Array basis = Array(area(p.k, p.d)), tall = Array(area(p.d, p.k)), tau = Array(p.k);
  Array overlap = Array(area(p.k, p.k)), gram = Array(area(p.k, p.k)), values = Array(p.k), work;
  std::vector<int> integers;
};

template <typename T>
bench::Step step_of(const Problem& problem, const std::string& method) {
  const auto run = std::make_shared<Run<T>>(problem);
  const auto step = method == "sgd" ? &Run<T>::sgd : method == "adam" ? &Run<T>::adam : &Run<T>::layerwise;
  return [run, step] {
    (run.get()->*step)();
    return run->distance();
  };
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) throw std::runtime_error("usage: layerwise-step FOLDER");
  const std::string folder = argv[1];
  std::map<std::string, Problem> problems;
  std::map<std::string, bench::Step> known;
  bench::serve(
      [&](const std::string& question) {
        const auto found = known.find(question);
        if (found != known.end()) return found->second;
        std::istringstream in(question);
        std::string method, size, dtype;
        std::getline(std::getline(std::getline(in, method, ':'), size, ':'), dtype);
        if (problems.count(size) == 0) problems[size] = read(folder + "/" + size + ".f64");
        const Problem& problem = problems[size];
        return known[question] = dtype == "float64" ? step_of<double>(problem, method) : step_of<float>(problem, method);
      },
      "distance");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "layerwise-step: %s\n", error.what());
  return 1;
}
