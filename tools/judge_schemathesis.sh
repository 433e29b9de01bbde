#!/usr/bin/env bash
# tools/judge_schemathesis.sh BUILD DIRECTORY [EXAMPLES]: the API before schemathesis, from PyPI. Its environment stays in BUILD.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
environment=$build/judge-schemathesis-venv
stamp=$(sha256sum tests/schemathesis/requirements.txt | cut -d' ' -f1)
if [ "$(cat "$environment/stamp" 2>/dev/null)" != "$stamp" ]; then
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/schemathesis/requirements.txt
  echo "$stamp" >"$environment/stamp"
fi
exec python3 tests/schemathesis/judge.py --binary "$build/holdfast" --schemathesis "$environment/bin/schemathesis" --directory "$directory" --examples "${3:-20}"
