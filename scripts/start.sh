#!/usr/bin/env bash
# `npm start`: set up what is missing, then reproduce the figures at quick scale into ./figures. Arguments go to `layerwise figures`.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec node dist/cli/main.js figures --out figures "$@"
