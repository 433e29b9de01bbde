#!/usr/bin/env bash
# tools/fuzz.sh [SECONDS] [TARGET...]: runs the fuzz targets of tests/fuzz, each for SECONDS (60). An input that breaks one is
# kept in build/fuzz/found/TARGET; mend what it shows, then add it to tests/fuzz/corpus/TARGET. What the search learns stays in
# build/fuzz/learnt/TARGET for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  seconds=$1
  shift
fi
HOLDFAST_PRESET=fuzz ./dev build fuzzers
failed=0
passed=0
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(ls tests/fuzz/corpus)
for target in "${targets[@]}"; do
  program=build/fuzz/tests/fuzz/fuzz_$target
  [ -x "$program" ] || { echo "there is no fuzz target $target" >&2; exit 2; }
  mkdir -p "build/fuzz/learnt/$target" "build/fuzz/found/$target"
  printf '==> %s\n' "$target" >&2
  if UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$program" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=0 -verbosity=0 -close_fd_mask=1 \
    -artifact_prefix="build/fuzz/found/$target/" "build/fuzz/learnt/$target" "tests/fuzz/corpus/$target" >&2; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
