#!/usr/bin/env bash
# `npm test`: set up what is missing, then every check that a change must pass. Ends with 'N passed, N failed'.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec node --import tsx scripts/test.ts "$@"
