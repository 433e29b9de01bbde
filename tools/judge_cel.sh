#!/usr/bin/env bash
# tools/judge_cel.sh BUILD DIRECTORY: the conditions of policies before the conformance vectors of CEL, which npm's
# @bufbuild/cel-spec carries and which are fetched into DIRECTORY. Where there is no npm it is skipped, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
tools=$(pwd)/tools
PATH=$(tools/node.sh):$PATH
command -v npm >/dev/null || { echo "cel: skipped, there is no npm here"; exit 0; }
(cd "$directory" && echo '{"private": true}' >package.json &&
  npm install --silent --no-package-lock --no-audit --no-fund "@bufbuild/cel-spec@0.6.1")
node "$tools/judge_cel.mjs" "$directory" >"$directory/vectors"
"$build/tests/cel/cel_judge" <"$directory/vectors"
