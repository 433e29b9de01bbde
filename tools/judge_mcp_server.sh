#!/usr/bin/env bash
# tools/judge_mcp_server.sh BUILD DIRECTORY: our MCP server before the protocol's own referee, which is fetched into DIRECTORY with
# the Node.js that it needs. Where there is no npm it is skipped, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
command -v npm >/dev/null || { echo "mcp-server: skipped, there is no npm here"; exit 0; }
(cd "$directory" && echo '{"private": true}' >package.json &&
  npm install --silent --no-package-lock --no-audit --no-fund "@modelcontextprotocol/conformance@0.2.0-alpha.12" "node@22.23.3")
"$build/venv/bin/python" tools/judged_server.py "$build" "$directory" tests/mcp_conformance/server.sh "$directory"
