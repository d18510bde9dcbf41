// What the process runs on: the BLAS build, its kernel and threads, and the CPU's vector features.
#pragma once

#if defined(__linux__)
#include <sys/prctl.h>

#include <csignal>
#endif

#include "args.h"
#include "blas.h"

namespace layerwise {

/** () -> {config, kernel, threads, processors, cpuFeatures, scratchBytes} */
struct SystemInfo {
  static constexpr const char* name = "systemInfo";
  static constexpr std::size_t arity = 0;
  static Napi::Value run(Args& args) {
    Napi::Env env = args.env();
    Napi::Object o = Napi::Object::New(env);
    o.Set("config", Napi::String::New(env, openblas_get_config()));
    o.Set("kernel", Napi::String::New(env, openblas_get_corename()));
    o.Set("threads", Napi::Number::New(env, openblas_get_num_threads()));
    o.Set("processors", Napi::Number::New(env, openblas_get_num_procs()));
    o.Set("scratchBytes", Napi::Number::New(env, static_cast<double>(env.GetInstanceData<Instance>()->scratch.bytes())));
    Napi::Array features = Napi::Array::New(env);
    std::uint32_t count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2")) features.Set(count++, "sse4.2");
    if (__builtin_cpu_supports("avx2")) features.Set(count++, "avx2");
    if (__builtin_cpu_supports("fma")) features.Set(count++, "fma");
    if (__builtin_cpu_supports("avx512f")) features.Set(count++, "avx512f");
    if (__builtin_cpu_supports("avx512bw")) features.Set(count++, "avx512bw");
    if (__builtin_cpu_supports("avx512vl")) features.Set(count++, "avx512vl");
#endif
    o.Set("cpuFeatures", features);
    return o;
  }
};

/** Threads BLAS may use from now on, for the whole process.  (ints[threads]) */
struct SetThreads {
  static constexpr const char* name = "setThreads";
  static constexpr std::size_t arity = 1;
  static Napi::Value run(Args& args) {
    const auto [threads] = args.ints<1>(0);
    if (threads < 1 || threads > 1024) args.range_error("threads must be in [1, 1024]");
    openblas_set_num_threads(threads);
    return undefined(args);
  }
};

/** Has the system end this process once the one that started it has ended, whatever it is at.  () */
struct EndWithParent {
  static constexpr const char* name = "endWithParent";
  static constexpr std::size_t arity = 0;
  static Napi::Value run(Args& args) {
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    return undefined(args);
  }
};

}  // namespace layerwise
