#!/usr/bin/env bash
# tools/judge_a2a.sh BUILD DIRECTORY: A2A's Python SDK, as it is on PyPI, against our agents, in 1.0 and 0.3.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1") directory=$2
python3 -m venv "$directory/venv"
"$directory/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/a2a_client/requirements.txt
"$build/venv/bin/python" tools/judged_server.py "$build" "$directory" "$directory/venv/bin/python" tests/a2a_client/client.py
