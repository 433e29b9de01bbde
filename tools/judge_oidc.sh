#!/usr/bin/env bash
# tools/judge_oidc.sh BUILD: signing in at npm's oidc-provider, a real identity provider, in a plain client and in a browser
# (tests/api_e2e/test_oidc.py). The provider is fetched once into the cache. Where there is no npm it is skipped, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "$1")
node=$(tools/node.sh) || { echo "oidc: skipped, there is no Node.js here"; exit 0; }
export PATH=$node:$PATH
version=8.8.1
cache=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}/oidc-provider-$version
if [ ! -e "$cache/done" ]; then
  mkdir -p "$cache"
  (cd "$cache" && echo '{"private": true}' >package.json &&
    npm install --silent --no-package-lock --no-audit --no-fund "oidc-provider@$version")
  touch "$cache/done"
fi
HOLDFAST_OIDC_PROVIDER=$cache "$build/venv/bin/python" -m pytest -q -p no:cacheprovider -c tests/api_e2e/pytest.ini --rootdir tests/api_e2e \
  --binary "$build/holdfast" tests/api_e2e/test_oidc.py
