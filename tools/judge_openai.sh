#!/usr/bin/env bash
# tools/judge_openai.sh BUILD DIRECTORY: OpenAI's JavaScript client, fetched into DIRECTORY, talks to the agents of `holdfast dev`.
# Where there is no npm it is skipped, and said so. Python's client does the same in tests/api_e2e/test_openai.py.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
PATH=$(tools/node.sh):$PATH
command -v npm >/dev/null || { echo "openai: skipped, there is no npm here"; exit 0; }
cp tests/clients/openai/client.mjs "$directory/"
(cd "$directory" && echo '{"private": true}' >package.json && npm install --silent --no-package-lock --no-audit --no-fund "openai@7.59.0")
"$build/holdfast" dev --data "$directory/data" --grpc 127.0.0.1:0 --http 127.0.0.1:0 --json >"$directory/ready" &
server=$!
trap 'kill "$server"; wait "$server" || true' EXIT
until grep -qs ready "$directory/ready"; do kill -0 "$server" && sleep 0.1; done
(cd "$directory" && timeout 120 node client.mjs "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["http"])' ready)")
