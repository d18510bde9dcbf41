// The boundary between JavaScript and native memory: every pointer an operation uses comes from here.
//
// A call is `op(ints, ...)`: an Int32Array of shapes and flags, then typed arrays and scalars in the operation's order.
// Everything that could make C++ read or write out of bounds is checked here (kind, exact length, range, overlap,
// detached or shared memory); what an argument *means* is checked in TypeScript, which knows the names people use.
#pragma once

#include <napi.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>

namespace layerwise {

/** Grow-only work space of one JavaScript environment, so that a repeated call allocates nothing. */
class Scratch {
 public:
  static constexpr int kSlots = 4;

  template <typename T>
  T* get(int slot, std::size_t count) {
    Slot& s = slots_[slot];
    const std::size_t bytes = count * sizeof(T) + 64;  // the tail lets LAPACK be handed a non-null pointer for size 0
    if (s.capacity < bytes) {
      s.memory.reset();
      s.capacity = 0;
      s.memory.reset(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{64})));
      s.capacity = bytes;
    }
    return reinterpret_cast<T*>(s.memory.get());
  }

  std::size_t bytes() const {
    std::size_t total = 0;
    for (const Slot& s : slots_) total += s.capacity;
    return total;
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  struct Slot {
    std::unique_ptr<std::byte, Free> memory;
    std::size_t capacity = 0;
  };
  std::array<Slot, kSlots> slots_;
};

/** State of one environment (main thread or worker): the addon has no mutable globals of its own. */
struct Instance {
  Scratch scratch;
};

enum class Overlap { forbidden, same_allowed };

template <typename T>
constexpr napi_typedarray_type kArrayType = napi_float64_array;
template <>
inline constexpr napi_typedarray_type kArrayType<float> = napi_float32_array;
template <>
inline constexpr napi_typedarray_type kArrayType<std::uint8_t> = napi_uint8_array;
template <>
inline constexpr napi_typedarray_type kArrayType<std::int32_t> = napi_int32_array;
template <>
inline constexpr napi_typedarray_type kArrayType<std::uint32_t> = napi_uint32_array;

inline const char* type_name(napi_typedarray_type type) {
  switch (type) {
    case napi_float64_array: return "Float64Array";
    case napi_float32_array: return "Float32Array";
    case napi_uint8_array: return "Uint8Array";
    case napi_int32_array: return "Int32Array";
    case napi_uint32_array: return "Uint32Array";
    default: return "typed array of another kind";
  }
}

class Args {
 public:
  Args(const Napi::CallbackInfo& info, const char* op, std::size_t arity) : info_(info), op_(op) {
    if (info.Length() != arity) type_error("takes " + std::to_string(arity) + " arguments, got " + std::to_string(info.Length()));
  }

  Napi::Env env() const { return info_.Env(); }

  template <typename T>
  T* scratch(int slot, std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / 64) range_error("needs a work space beyond what can be addressed");
    return info_.Env().GetInstanceData<Instance>()->scratch.get<T>(slot, count);
  }

  /** N shapes and flags, each in [0, 2^31). */
  template <std::size_t N>
  std::array<int, N> ints(std::size_t i) {
    const std::int32_t* p = array<std::int32_t>(i, N);
    std::array<int, N> out{};
    for (std::size_t j = 0; j < N; ++j) {
      if (p[j] < 0) range_error(place(i) + "[" + std::to_string(j) + "] is " + std::to_string(p[j]) + "; it must not be negative");
      out[j] = p[j];
    }
    return out;
  }

  bool flag(int value, const char* what) {
    if (value > 1) range_error(std::string(what) + " is a flag: 0 or 1, got " + std::to_string(value));
    return value == 1;
  }

  double scalar(std::size_t i) {
    napi_value v = info_[i];
    double x = 0;
    if (napi_get_value_double(info_.Env(), v, &x) != napi_ok) type_error(place(i) + " must be a number");
    return x;
  }

  template <typename T>
  const T* in(std::size_t i, std::size_t length) {
    const T* p = array<T>(i, length);
    note(i, p, length * sizeof(T), false);
    return p;
  }

  template <typename T>
  T* out(std::size_t i, std::size_t length) {
    T* p = array<T>(i, length);
    note(i, p, length * sizeof(T), true);
    return p;
  }

  bool absent(std::size_t i) { return info_[i].IsNull(); }

  /** Element count of a float array that decides its own length. */
  std::size_t length(std::size_t i) { return look(i); }

  /** True for Float64Array, false for Float32Array; anything else is a TypeError. */
  bool is_double(std::size_t i) {
    look(i);
    if (seen_type_ == napi_float64_array) return true;
    if (seen_type_ == napi_float32_array) return false;
    type_error(place(i) + " must be a Float64Array or a Float32Array, got a " + type_name(seen_type_));
  }

  /** Call after all arrays are noted: an output that overlaps another array would be read while it is written. */
  void check_overlap(Overlap rule) {
    for (std::size_t a = 0; a < spans_used_; ++a)
      for (std::size_t b = a + 1; b < spans_used_; ++b) {
        const Span &p = spans_[a], &q = spans_[b];
        if (!(p.written || q.written) || p.bytes == 0 || q.bytes == 0) continue;
        if (p.start + p.bytes <= q.start || q.start + q.bytes <= p.start) continue;
        if (rule == Overlap::same_allowed && p.start == q.start && p.bytes == q.bytes) continue;
        range_error(place(p.index) + " and " + place(q.index) + " share memory, and one of them is written");
      }
  }

  [[noreturn]] void type_error(const std::string& what) { fail<Napi::TypeError>(what); }
  [[noreturn]] void range_error(const std::string& what) { fail<Napi::RangeError>(what); }

 private:
  struct Span {
    std::size_t index;
    std::uintptr_t start;
    std::size_t bytes;
    bool written;
  };

  template <typename E>
  [[noreturn]] void fail(const std::string& what) {
    Napi::Error e = E::New(info_.Env(), "native." + std::string(op_) + ": " + what);
    e.Set("code", Napi::String::New(info_.Env(), "ERR_NATIVE_ARGUMENT"));
    throw e;
  }

  static std::string place(std::size_t i) { return "argument " + std::to_string(i + 1); }

  void note(std::size_t i, const void* p, std::size_t bytes, bool written) {
    spans_[spans_used_++] = {i, reinterpret_cast<std::uintptr_t>(p), bytes, written};
  }

  std::size_t view(std::size_t i, napi_typedarray_type* type, void** data) {
    if (seen_ == i) {
      *type = seen_type_;
      *data = seen_data_;
      return seen_length_;
    }
    napi_value buffer = nullptr;
    std::size_t length = 0;
    if (napi_get_typedarray_info(info_.Env(), info_[i], type, &length, data, &buffer, nullptr) != napi_ok)
      type_error(place(i) + " must be a typed array");
    bool plain = false;
    if (napi_is_arraybuffer(info_.Env(), buffer, &plain) != napi_ok || !plain)
      type_error(place(i) + " is backed by shared memory, which another thread could change during the call");
    bool detached = false;
    if (length == 0 && napi_is_detached_arraybuffer(info_.Env(), buffer, &detached) == napi_ok && detached)
      type_error(place(i) + " is detached: its memory was transferred away");
    return length;
  }

  /** A view that is kept: what decides between float and double, or its own length, is asked for again soon. */
  std::size_t look(std::size_t i) {
    seen_length_ = view(i, &seen_type_, &seen_data_);
    seen_ = i;
    return seen_length_;
  }

  template <typename T>
  T* array(std::size_t i, std::size_t length) {
    void* data = nullptr;
    napi_typedarray_type type{};
    const std::size_t have = view(i, &type, &data);
    if (type != kArrayType<T>) type_error(place(i) + " must be a " + type_name(kArrayType<T>) + ", got a " + type_name(type));
    if (have != length) range_error(place(i) + " must hold " + std::to_string(length) + " elements, holds " + std::to_string(have));
    static T none{};  // BLAS wants a valid pointer even for nothing
    return length == 0 ? &none : static_cast<T*>(data);
  }

  const Napi::CallbackInfo& info_;
  const char* op_;
  std::array<Span, 6> spans_{};
  std::size_t spans_used_ = 0;
  std::size_t seen_ = static_cast<std::size_t>(-1);
  napi_typedarray_type seen_type_{};
  void* seen_data_ = nullptr;
  std::size_t seen_length_ = 0;
};

/** A size in elements; int operands are non-negative, so the product of two fits. */
inline std::size_t area(int rows, int cols) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols); }

/** The same for any number of factors; too large for size_t, it is the largest one, which no array's length equals. */
template <typename... Sizes>
std::size_t volume(Sizes... sizes) {
  std::size_t product = 1;
  bool empty = false, whole = true;
  for (const std::size_t size : {static_cast<std::size_t>(sizes)...}) {
    empty |= size == 0;
    whole &= !__builtin_mul_overflow(product, size, &product);
  }
  return empty ? 0 : whole ? product : std::numeric_limits<std::size_t>::max();
}

template <typename F>
Napi::Value guarded(Napi::Env env, const char* op, F body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    Napi::Error e = Napi::RangeError::New(env, "native." + std::string(op) + ": not enough memory for its work space");
    e.Set("code", Napi::String::New(env, "ERR_NATIVE_MEMORY"));
    throw e;
  }
}

/** Runs Op::run<double> or Op::run<float>, chosen by the array at position Op::dtype. */
template <typename Op>
Napi::Value typed(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), Op::name, [&] {
    Args args(info, Op::name, Op::arity);
    return args.is_double(Op::dtype) ? Op::template run<double>(args) : Op::template run<float>(args);
  });
}

/** Runs Op::run for an operation that has no float/double choice. */
template <typename Op>
Napi::Value plain(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), Op::name, [&] {
    Args args(info, Op::name, Op::arity);
    return Op::run(args);
  });
}

inline Napi::Value undefined(Args& args) { return args.env().Undefined(); }
inline Napi::Value number(Args& args, double x) { return Napi::Number::New(args.env(), x); }

}  // namespace layerwise
