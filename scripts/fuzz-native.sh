#!/usr/bin/env bash
# Fuzzes the native layer under AddressSanitizer and UndefinedBehaviorSanitizer: random calls, most of them wrong.
# Exits 1 on a call that neither succeeds nor is refused with a code, and on any report of a sanitizer.
#   bash scripts/fuzz-native.sh [COUNT=50000] [SEED=1]
set -euo pipefail
cd "$(dirname "$0")/.."

count=${1:-50000}
seed=${2:-1}
for value in "$count" "$seed"; do
  [[ $value =~ ^[0-9]{1,9}$ ]] || { echo "usage: bash scripts/fuzz-native.sh [COUNT=50000] [SEED=1]; got '$value'" >&2; exit 2; }
done

cmake -S . -B build-sanitize -DLAYERWISE_SANITIZE=ON >&2
cmake --build build-sanitize --parallel >&2

# Node is not built with the sanitizer, so its runtime must be loaded first; leaks at exit are Node's own; and a crash is to be
# reported by the sanitizer, not by the handler Node installs for WebAssembly.
env LAYERWISE_ADDON="$PWD/build-sanitize/layerwise.node" \
  LD_PRELOAD="$(gcc -print-file-name=libasan.so)" \
  ASAN_OPTIONS=detect_leaks=0:allow_user_segv_handler=0 \
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
  node --import tsx scripts/fuzz-native.ts "$count" "$seed" || { echo "fuzz-native: failed" >&2; exit 1; }
