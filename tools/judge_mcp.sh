#!/usr/bin/env bash
# tools/judge_mcp.sh BUILD DIRECTORY: our client of MCP servers before the protocol's own referee, which is fetched into DIRECTORY
# with the Node.js that it needs. Where there is no npm it is skipped, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
command -v npm >/dev/null || { echo "mcp: skipped, there is no npm here"; exit 0; }
(cd "$directory" && echo '{"private": true}' >package.json &&
  npm install --silent --no-package-lock --no-audit --no-fund "@modelcontextprotocol/conformance@0.2.0-alpha.12" "node@22.23.3")
node=$directory/node_modules/.bin/node
referee=$directory/node_modules/@modelcontextprotocol/conformance/dist/index.js
passed=0 failed=0
while read -r revision scenario; do
  [[ $revision == \#* ]] && continue
  if "$node" "$referee" client --scenario "$scenario" --spec-version "$revision" --output-dir "$directory/results" \
    --command "tests/mcp_conformance/client.sh $build/holdfast" >"$directory/log" 2>&1; then
    echo "$revision $scenario: passed"
    passed=$((passed + 1))
  else
    echo "$revision $scenario: FAILED"
    grep -A3 -i fail "$directory/log" | head -n 20
    failed=$((failed + 1))
  fi
done <tests/mcp_conformance/scenarios.txt
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
