#!/usr/bin/env bash
# tools/venv.sh [DIR]: a Python environment at DIR (.venv) with what tests/requirements.txt pins, hashes checked; nothing to
# do when it is current. Needs python3 (3.10 or newer) with its venv module: Debian's python3-venv.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${1:-.venv}
stamp=$(sha256sum tests/requirements.txt | cut -d' ' -f1)
# Two callers at once make it once.
exec 9< tests/requirements.txt
flock 9
[ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
echo "==> making the Python environment of the tests" >&2
rm -rf "$dir"
/usr/bin/python3 -m venv "$dir" 2>/dev/null || python3 -m venv "$dir"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
echo "$stamp" >"$dir/stamp"
