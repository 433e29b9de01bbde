#!/usr/bin/env bash
# tools/judge_ui.sh BUILD DIRECTORY: AG-UI's client and Vercel's AI SDK, as they are on npm, against our endpoints: a run, a question to
# a person, an answer that breaks off, a chat that is taken up; and the SDK's provider for OpenAI with store: false. Where there is no npm it is skipped, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
command -v npm >/dev/null || { echo "ui: skipped, there is no npm here"; exit 0; }
(cd "$directory" && echo '{"private": true}' >package.json &&
  npm install --silent --no-package-lock --no-audit --no-fund "@ag-ui/client@1.0.0" "ai@7.0.173" "@ai-sdk/openai@4.0.118" "zod@4.1.8" "node@22.23.3")
cp tests/ui_clients/*.mjs "$directory"
for client in ag_ui ai_sdk ai_sdk_openai; do
  mkdir "$directory/$client"
  "$build/venv/bin/python" tools/judged_server.py "$build" "$directory/$client" "$directory/node_modules/.bin/node" "$directory/$client.mjs"
done
