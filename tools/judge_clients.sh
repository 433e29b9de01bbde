#!/usr/bin/env bash
# tools/judge_clients.sh DIRECTORY ADDRESS: Temporal's SDKs that the tests of every run have no room for, against the server
# at ADDRESS. What they need is fetched into DIRECTORY; a language that is not installed is skipped, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
directory=$1 address=$2
passed=0 failed=0 skipped=0

judge() {  # judge NAME PROGRAM COMMAND...: skipped where PROGRAM is not installed
  local name=$1 program=$2
  shift 2
  if ! command -v "$program" >/dev/null; then
    echo "$name: skipped, there is no $program here"
    skipped=$((skipped + 1))
  elif "$@"; then
    echo "$name: passed"
    passed=$((passed + 1))
  else
    echo "$name: FAILED"
    failed=$((failed + 1))
  fi
}

typescript() {
  cp -r tests/clients/typescript "$directory/typescript" &&
    (cd "$directory/typescript" && npm install --silent --no-save --no-package-lock --no-audit --no-fund "@temporalio/client@1.24.0" &&
      timeout 120 node client.mjs "$address")
}

java_sdk() {
  cp -r tests/clients/java "$directory/java" &&
    (cd "$directory/java" && mvn -q -B compile dependency:build-classpath -Dmdep.outputFile=classpath &&
      timeout 120 java -cp "target/classes:$(cat classpath)" Runs "$address" 2>"$directory/java.log") || { tail -n 20 "$directory/java.log"; false; }
}

judge typescript npm typescript
judge java mvn java_sdk
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
