#!/usr/bin/env bash
# The long checks, for a nightly run or before a release: what `npm test` has no time for. Needs clang-tidy and clang-format besides.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh

echo '== clang-format'
clang-format-14 --dry-run --Werror native/*.h native/*.cc native/*.inc scripts/bench/*.cc scripts/bench/*.h

echo '== clang-tidy'
cmake -S . -B build-tidy -G Ninja >/dev/null
clang-tidy-14 -p build-tidy --quiet native/addon.cc

echo '== plain cmake builds the same addon'
cmake --build build-tidy
node --import tsx --input-type=module -e '
  import { createRequire } from "node:module";
  import { selfTest } from "./lib/native/selfTest.ts";
  const [built, ours] = ["build-tidy", "build/Release"].map((at) => createRequire(import.meta.url)(`${process.cwd()}/${at}/layerwise.node`));
  selfTest(built);
  if (Object.keys(built).sort().join() !== Object.keys(ours).sort().join()) throw new Error("they have different functions");'

echo '== 50,000 bad calls under AddressSanitizer and UndefinedBehaviorSanitizer'
bash scripts/fuzz-native.sh 50000 "$(date +%Y%m%d)"

echo '== no allocation in 20,000 steps'
node --expose-gc --import tsx scripts/bench/allocations.ts

echo '== every known way to break an optimiser or a network is noticed by a test'
node --import tsx scripts/mutations.ts

echo '== every optimiser reaches 86% on Fashion-MNIST in three epochs'
if [ -d /usr/share/datasets/fashion-mnist ]; then
  node dist/cli/main.js run examples/fashion-mnist.yaml --json | node -e '
    const records = JSON.parse(require("fs").readFileSync(0, "utf8"));
    const below = records.filter((r) => !(r.metrics.accuracy.values.at(-1) >= 0.86));
    for (const r of records) console.log(r.config.optimizer.name, r.metrics.accuracy.values.at(-1));
    process.exitCode = below.length;'
else
  echo 'skipped: apt-get install dataset-fashion-mnist'
fi

echo '== a short script for every figure'
for script in scripts/figures/*.mjs; do
  [ -d /usr/share/datasets/fashion-mnist ] || [ "$script" != scripts/figures/deep.mjs ] || continue
  node "$script"
done

echo '== theory within simulation, at d = 1000'
node --import tsx scripts/theory.ts

echo '== a ridge path for the price of one factorisation or two'
node --import tsx scripts/bench/path.ts

echo '== a sweep that is killed thirty times loses nothing and repeats nothing'
node --import tsx scripts/kills.ts --seed "$(date +%Y%m%d)"

echo '== 2,000 trials beside multiprocessing and joblib'
node --import tsx scripts/bench/sweep.ts --rounds 1

echo '== the report of 50,000 records'
node --import tsx scripts/bench/report.ts

echo '== the reference figures'
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
node dist/cli/main.js figures --out "$folder" >/dev/null
node --import tsx scripts/acceptance.ts "$folder/fig-transfer/data.json"
