// How the C++ programs of the benchmarks answer (contender.ts): a line of facts first, then for each line `QUESTION WARM_UP COUNT` on
// standard input the microseconds of one step, by the clock and of the processor, and the last one's outcome.
#pragma once

#include <cblas.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iostream>
#include <string>

namespace bench {

inline double microseconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

/** Takes one step. @returns its outcome */
using Step = std::function<double()>;

/** @param begin    what a question asks for
 *  @param outcome  what a step's outcome is called */
inline void serve(const std::function<Step(const std::string&)>& begin, const char* outcome) {
  const char* threads = std::getenv("OPENBLAS_NUM_THREADS");
  openblas_set_num_threads(threads == nullptr ? 1 : std::atoi(threads));
  const std::string config = openblas_get_config();
  std::printf("{\"facts\": {\"compiler\": \"g++ %s\", \"blas\": \"%s\", \"kernel\": \"%s\", \"threads\": %d}}\n", __VERSION__,
              config.substr(0, config.find(' ', config.find(' ') + 1)).c_str(), openblas_get_corename(), openblas_get_num_threads());
  std::fflush(stdout);
  std::string question;
  for (long warm_up = 0, count = 0; std::cin >> question >> warm_up >> count;) {
    const Step step = begin(question);
    for (long i = 0; i < warm_up; ++i) step();
    const double wall = microseconds(CLOCK_MONOTONIC), cpu = microseconds(CLOCK_PROCESS_CPUTIME_ID);
    double last = 0;
    for (long i = 0; i < count; ++i) last = step();
    std::printf("{\"wall\": %.6g, \"cpu\": %.6g, \"%s\": %.17g}\n", (microseconds(CLOCK_MONOTONIC) - wall) / static_cast<double>(count),
                (microseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / static_cast<double>(count), outcome, last);
    std::fflush(stdout);
  }
}

}  // namespace bench
