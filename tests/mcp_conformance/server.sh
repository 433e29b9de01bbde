#!/usr/bin/env bash
# server.sh DIRECTORY: the scenarios of server_scenarios.txt, played by @modelcontextprotocol/conformance in DIRECTORY against
# the server at HOLDFAST_URL.
set -euo pipefail
directory=$1
here=$(dirname "$0")
passed=0 failed=0
while read -r revision scenario beside; do
  [[ $revision == \#* ]] && continue
  "$directory/node_modules/.bin/node" "$directory/node_modules/@modelcontextprotocol/conformance/dist/index.js" server \
    --url "$HOLDFAST_URL/mcp" --scenario "$scenario" --spec-version "$revision" --output-dir "$directory/results" >"$directory/log" 2>&1 && ended=0 || ended=$?
  sed -i 's/\x1b\[[0-9;]*m//g' "$directory/log"
  missed=$(grep -oP '\[\K[a-z0-9-]+(?= *\] FAILURE)' "$directory/log" | sort -u | paste -sd, || true)
  if [[ $missed == "$beside" && ($ended == 0 || -n $beside) ]] && grep -q SUCCESS "$directory/log"; then
    echo "$revision $scenario: passed${beside:+, beside $beside}"
    passed=$((passed + 1))
  else
    echo "$revision $scenario: FAILED ($missed)"
    grep -A20 'Failed Checks' "$directory/log" || tail -n 20 "$directory/log"
    failed=$((failed + 1))
  fi
done <"$here/server_scenarios.txt"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
