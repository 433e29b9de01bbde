#!/usr/bin/env bash
# The stock Temporal SDK for Python against build/<preset>/holdfast, or against a server that runs already.
#
#   tools/compat.sh [--preset NAME | --address HOST:PORT] [pytest arguments]
#   tools/compat.sh --temporal [pytest arguments]      starts a real Temporal for the tests: proves the tests themselves
set -euo pipefail
cd "$(dirname "$0")/.."
tools/venv.sh .venv
pytest=(.venv/bin/python -m pytest -c tests/compat/pytest.ini --rootdir tests/compat tests/compat)
if [ "${1:-}" = --temporal ]; then
  shift
  directory=$(mktemp -d)
  trap 'tools/temporal.sh stop --dir "$directory"; rm -rf "$directory"' EXIT
  code=0
  address=$(tools/temporal.sh start --dir "$directory") || code=$?
  if [ "$code" != 0 ]; then
    echo "$address"
    exit "$code"
  fi
  "${pytest[@]}" --address "$address" "$@"
else
  exec "${pytest[@]}" "$@"
fi
