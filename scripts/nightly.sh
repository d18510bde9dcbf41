#!/usr/bin/env bash
# The long checks, for a nightly run or before a release: what `npm test` has no time for. Needs clang-tidy and clang-format besides.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh

echo '== clang-format'
clang-format-14 --dry-run --Werror native/*.h native/*.cc native/*.inc scripts/bench/*.cc

echo '== clang-tidy'
cmake -S . -B build-tidy -G Ninja >/dev/null
clang-tidy-14 -p build-tidy --quiet native/addon.cc

echo '== 50,000 bad calls under AddressSanitizer and UndefinedBehaviorSanitizer'
bash scripts/fuzz-native.sh 50000 "$(date +%Y%m%d)"

echo '== no allocation in 20,000 steps'
node --expose-gc --import tsx scripts/bench/allocations.ts

echo '== the reference figures'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
node dist/cli/main.js figures --out "$folder" >/dev/null
node --import tsx scripts/acceptance.ts "$folder/fig-transfer/data.json"
