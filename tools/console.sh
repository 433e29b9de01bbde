#!/usr/bin/env bash
# tools/console.sh build DIR: the console, built into DIR. One that was built before, by any checkout, comes from the cache.
# tools/console.sh install:   its packages, and its types from the API's description.
# tools/console.sh test [REPORT]: its types are checked and its unit tests run.
# tools/console.sh dev:       Vite's server, with the API of a Holdfast server (HOLDFAST_URL, else http://127.0.0.1:8233).
set -euo pipefail
cd "$(dirname "$0")/../console"
cache=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}
api=../src/serve/http/openapi.json
exec 9<package-lock.json
flock 9 # two callers at once install and build one after the other

# What the build reads, and nothing else.
sources() { find src index.html package.json package-lock.json pages.json tsconfig.json vite.config.ts "$api" ../tools/console.sh -type f; }

install() {
  PATH=$(../tools/node.sh):$PATH
  local stamp
  stamp=$(sha256sum <package-lock.json)
  if [ "$(cat node_modules/.stamp 2>/dev/null)" != "$stamp" ]; then
    echo "==> installing the console's packages" >&2
    npm ci --ignore-scripts --loglevel=error >&2
    echo "$stamp" >node_modules/.stamp
  fi
  [ generated/schema.d.ts -nt "$api" ] || npm run --silent api >/dev/null
}

build() {
  local out=$1 key built
  key=$(sources | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-32)
  built=$cache/console-$key
  if [ ! -e "$built/index.html" ]; then
    install
    echo "==> building the console" >&2
    rm -rf "$built.new"
    npm run --silent build -- --outDir "$built.new" --emptyOutDir --logLevel warn >&2
    rm -rf "$built"
    mv "$built.new" "$built"
    # The newest ones stay, for those who switch between branches.
    find "$cache" -maxdepth 1 -name 'console-*' -printf '%T@ %p\n' | sort -rn | tail -n +9 | cut -d' ' -f2- | xargs -r rm -rf
  fi
  rm -rf "$out"
  cp -r "$built" "$out"
}

case "${1:-}" in
  build) build "$2" ;;
  install) install ;;
  test)
    install
    npm run --silent check
    npm test --silent -- ${2:+--reporter=default --reporter=junit --outputFile.junit="$2"}
    ;;
  dev)
    install
    exec npm run dev
    ;;
  *)
    sed -n '2,5s/^# //p' "../tools/console.sh" >&2
    exit 2
    ;;
esac
