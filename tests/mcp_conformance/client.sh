#!/usr/bin/env bash
# client.sh HOLDFAST URL: what a scenario of @modelcontextprotocol/conformance wants of a client, done by `holdfast mcp`. The
# referee starts it, names the scenario in MCP_CONFORMANCE_SCENARIO and what to send in MCP_CONFORMANCE_CONTEXT.
set -euo pipefail
holdfast=$1 url=$2
call() { "$holdfast" mcp --call "$1" --arguments "$2" "$url"; }

case "$MCP_CONFORMANCE_SCENARIO" in
  tools_call) call add_numbers '{"a": 5, "b": 3}' ;;
  sse-retry) call test_reconnection '{}' ;;
  http-standard-headers) call test_headers '{}' ;;
  http-invalid-tool-headers) call valid_tool '{"region": "us-west1"}' ;;
  http-custom-headers)
    python3 -c 'import json, os
for call in json.loads(os.environ["MCP_CONFORMANCE_CONTEXT"])["toolCalls"]: print(call["name"], json.dumps(call["arguments"]))' |
      while read -r name arguments; do call "$name" "$arguments"; done
    ;;
  *) "$holdfast" mcp "$url" ;;
esac
