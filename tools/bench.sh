#!/usr/bin/env bash
# tools/bench.sh BUILD [peers] [options]: see tools/bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
exec python3 tools/bench.py --build "$build" "$@"
