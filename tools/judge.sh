#!/usr/bin/env bash
# tools/judge.sh BUILD NAME: one promise, judged in one run on this machine; exit code 1 when it is not kept.
#   timers [N]   N timers due in one moment keep no other call waiting
#   flows [KILLS] a block that has ended is not run again, whatever the point of the kill (tools/judge_flows.py)
#   mcp          our client of MCP servers before the protocol's own referee (tools/judge_mcp.sh)
#   oidc         people sign in at npm's oidc-provider, in a plain client and in a browser (tools/judge_oidc.sh)
#   mcp-server   our MCP server before the same referee (tools/judge_mcp_server.sh)
#   decisions [KILLS] [SEED]  a server killed between a decision and what it does (tools/judge_decisions.py)
#   a2a          A2A's Python SDK against our agents (tools/judge_a2a.sh)
#   ui           AG-UI's client and the AI SDK against our endpoints (tools/judge_ui.sh)
#   upgrade REV  one run of an agent crosses from REV's program to this one, and six skipped weeks (tools/judge_upgrade.py)
#   models       agents before a llama.cpp server and a LiteLLM proxy (tools/judge_models.sh)
#   cel          the conditions of policies say what CEL's conformance vectors say (tools/judge_cel.sh)
#   schemathesis [EXAMPLES]  the API is what its description says (tools/judge_schemathesis.sh)
#   openai       OpenAI's JavaScript client talks to the agents of `holdfast dev` (tools/judge_openai.sh)
#   clients      Temporal's SDKs in other languages do their work (tools/judge_clients.sh)
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 what=${2:-}
directory=$(realpath "$(mktemp -d "$build/judge-XXXXXX")")
trap 'rm -rf "$directory"' EXIT
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

case "$what" in
  timers)
    grpc=$(port)
    "$build/bench/holdfast_bench" --address "127.0.0.1:$grpc" --due-together "${3:-100000}" --sync-dir "$directory" --log "$directory/log" -- \
      "$build/holdfast" server --data "$directory/data" --grpc "127.0.0.1:$grpc" --http "127.0.0.1:$(port)" ||
      { tail -n 5 "$directory/log" >&2; exit 1; }
    ;;
  clients)
    grpc=$(port)
    "$build/holdfast" server --data "$directory/data" --grpc "127.0.0.1:$grpc" --http "127.0.0.1:$(port)" --json >"$directory/ready" &
    server=$!
    trap 'kill "$server"; wait "$server" || true; rm -rf "$directory"' EXIT
    until grep -qs ready "$directory/ready"; do kill -0 "$server" && sleep 0.1; done
    tools/judge_clients.sh "$directory" "127.0.0.1:$grpc"
    ;;
  cel) tools/judge_cel.sh "$build" "$directory" ;;
  flows) shift 2 && python3 tools/judge_flows.py --build "$build" "$@" ;;
  mcp) tools/judge_mcp.sh "$build" "$directory" ;;
  openai) tools/judge_openai.sh "$build" "$directory" ;;
  mcp-server) tools/judge_mcp_server.sh "$build" "$directory" ;;
  a2a) tools/judge_a2a.sh "$build" "$directory" ;;
  ui) tools/judge_ui.sh "$build" "$directory" ;;
  decisions) python3 tools/judge_decisions.py "$build" "$directory" "${@:3}" ;;
  upgrade) shift 2 && python3 tools/judge_upgrade.py --build "$build" "$@" ;;
  oidc) tools/judge_oidc.sh "$build" ;;
  models) tools/judge_models.sh "$build" "$directory" ;;
  schemathesis) tools/judge_schemathesis.sh "$build" "$directory" "${3:-}" ;;
  *)
    echo "usage: ./dev judge timers [N] | a2a | cel | clients | decisions [KILLS] [SEED] | flows [KILLS] | mcp | mcp-server | models | oidc | openai | schemathesis [EXAMPLES] | ui | upgrade [REV]" >&2
    exit 2
    ;;
esac
