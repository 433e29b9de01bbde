#!/usr/bin/env bash
# tools/venv.sh DIR: a Python environment at DIR with what tests/requirements.txt pins; nothing to do when it is current.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$1
[ -f tests/requirements.txt ] || exit 0
stamp=$(sha256sum tests/requirements.txt | cut -d' ' -f1)
[ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ] && exit 0
echo "==> making the Python environment of the tests" >&2
rm -rf "$dir"
/usr/bin/python3 -m venv "$dir" 2>/dev/null || python3 -m venv "$dir"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
echo "$stamp" >"$dir/stamp"
