#!/usr/bin/env bash
# tools/bench.sh BUILD [peers] [options]: see tools/bench.py.
# tools/bench.sh BUILD against REV [options]: see tools/bench_against.py.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
if [ "${1:-}" = against ]; then
  shift
  exec python3 tools/bench_against.py --build "$build" "$@"
fi
exec python3 tools/bench.py --build "$build" "$@"
