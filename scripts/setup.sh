#!/usr/bin/env bash
# Everything between a fresh clone and a working build, each step only where its inputs changed: system packages, npm packages, the
# addon, the compiled library. `npm start` and `npm test` call it; it is safe to call at any time.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .setup

say() { printf '%s\n' "setup: $*" >&2; }

# ---- System packages -------------------------------------------------------------------------------------------------------
APT_PACKAGES=(build-essential cmake ninja-build pkg-config python3 libopenblas-dev liblapacke-dev)

missing_tools() {
  local missing=()
  command -v c++ >/dev/null || missing+=('a C++ compiler')
  command -v cmake >/dev/null || missing+=(cmake)
  command -v ninja >/dev/null || command -v make >/dev/null || missing+=('ninja or make')
  if command -v pkg-config >/dev/null; then
    pkg-config --exists openblas || missing+=(OpenBLAS)
    pkg-config --exists lapacke || missing+=(LAPACKE)
  else
    missing+=(pkg-config)
  fi
  local list=''
  for tool in "${missing[@]}"; do list="${list:+$list, }$tool"; done
  printf '%s' "$list"
}

ensure_system_packages() {
  local missing
  missing=$(missing_tools)
  [ -z "$missing" ] && return
  local command="apt-get update && apt-get install -y --no-install-recommends ${APT_PACKAGES[*]}"
  if ! command -v apt-get >/dev/null; then
    say "missing: $missing. Install a C++17 compiler, cmake, ninja, pkg-config, OpenBLAS and LAPACKE with headers, then run this again."
    exit 1
  fi
  if [ "$(id -u)" = 0 ]; then
    run=''
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    run='sudo -n'
  else
    say "missing: $missing. Run this, then the same command again:"
    say "  sudo sh -c '$command'"
    exit 1
  fi
  say "installing system packages (missing: $missing)"
  $run env DEBIAN_FRONTEND=noninteractive sh -c "$command" >.setup/apt.log 2>&1 || {
    tail -n 20 .setup/apt.log >&2
    say "apt-get failed (log: .setup/apt.log). Run it by hand, then the same command again:"
    say "  sudo sh -c '$command'"
    exit 1
  }
}

# ---- Steps that are skipped while their inputs are the same --------------------------------------------------------------------
fingerprint() { # of files and folders
  find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64
}

step() { # name, what it is doing, check that its product is there, inputs..., --, command...
  local name=$1 doing=$2 product=$3
  shift 3
  local inputs=()
  while [ "$1" != -- ]; do inputs+=("$1"); shift; done
  shift
  local now
  now="$(fingerprint "${inputs[@]}") $(node -v)"
  if [ -e "$product" ] && [ "$(cat ".setup/$name" 2>/dev/null)" = "$now" ]; then return; fi
  say "$doing"
  "$@" >".setup/$name.log" 2>&1 || {
    tail -n 30 ".setup/$name.log" >&2
    say "$name failed (whole log: .setup/$name.log)"
    exit 1
  }
  printf '%s' "$now" >".setup/$name"
}

if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  say "Node 20.19 or newer is needed, this is $(node -v)"
  exit 1
fi

ensure_system_packages
# Scripts of dependencies are not needed: what must be compiled here is our own addon, below.
step packages 'installing npm packages' node_modules/.package-lock.json package.json package-lock.json -- \
  npm ci --ignore-scripts --no-audit --no-fund
# The store's database comes compiled from its makers where they can be reached; else it is compiled here, with the headers of this node.
sqlite() (
  headers=$(node -p 'require("path").resolve(process.execPath, "../..")')
  cd node_modules/better-sqlite3
  ../.bin/prebuild-install && node -e 'new (require("."))(":memory:")' && return
  if [ -e "$headers/include/node/node.h" ]; then export npm_config_nodedir=$headers; fi
  ../.bin/node-gyp rebuild --release -j max
)
step sqlite 'compiling SQLite for the store of sweeps (about a minute)' node_modules/better-sqlite3/build/Release/better_sqlite3.node \
  node_modules/better-sqlite3/package.json -- sqlite
step addon 'compiling the native addon' build/Release/layerwise.node native CMakeLists.txt package-lock.json -- \
  npx --no-install cmake-js compile
step library 'compiling the library' dist/index.js lib tsconfig.json tsconfig.build.json package-lock.json -- \
  npm run --silent build:lib
