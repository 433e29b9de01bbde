#!/usr/bin/env bash
# The same agents on a real Temporal server: the demo with its kill, and the end-to-end tests of agent runs, with
# their platform store on PostgreSQL. Proof that agents know only the protocol. Exit code 77 and one line where no Temporal server can be built.
#
#   tests/demo/on_temporal.sh HOLDFAST AGENT_E2E_TEST
set -euo pipefail
holdfast=$1 e2e=$2
tools=$(cd "$(dirname "$0")/../../tools" && pwd)

"$tools/temporal.sh" build > /dev/null || {
  code=$?
  [ $code -eq 77 ] && echo "skipped: agents on a real Temporal server (no Go toolchain to build it with)"
  exit $code
}
dir=$(mktemp -d)
ended() {
  code=$?
  [ $code -eq 0 ] || { echo "what the Temporal server said last:"; tail -n 20 "$dir/temporal.log"; } || true
  "$tools/temporal.sh" stop --dir "$dir" > /dev/null || true
  rm -rf "$dir"
  exit $code
}
trap ended EXIT
# Temporal reads its namespaces anew every two seconds and forgets those that the reading did not bring; with SQLite under
# load one reading brought none, and `default` was "not found" for a moment. No namespace changes here: one reading is enough.
address=$("$tools/temporal.sh" start --dir "$dir" --tuned -- \
  --dynamic-config-value 'system.namespaceCacheRefreshInterval="1h"' | tail -1)

for point in 10 7; do
  "$holdfast" demo --engine "temporal://$address" --kill-at $point
done
# What outgrew one machine: executions there, the platform store on PostgreSQL.
HOLDFAST_E2E_ENGINE=temporal://$address HOLDFAST_E2E_POSTGRES=1 "$e2e" --gtest_brief=1
