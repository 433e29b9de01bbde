#!/usr/bin/env bash
# A real Temporal development server, for tests and comparisons.
#
#   tools/temporal.sh build                            builds the Temporal CLI once and prints its path
#   tools/temporal.sh start --dir DIR [--port N] [--http-port N] [--tuned] [-- server arguments]
#                                                      starts a server that keeps its database, log and pid in DIR,
#                                                      waits until it serves, prints HOST:PORT
#   tools/temporal.sh run --dir DIR --port N ...       the same in the foreground: this process becomes the server
#   tools/temporal.sh stop --dir DIR                   ends that server and waits until it is gone
#
# The database is a file in WAL mode with synchronous=FULL: every commit is on the disk, as ours are. --tuned lifts the
# limiter of 20 transfer reads a second (105 ms per activity as shipped) and the rate limits.
# Exit code 77 with one line "skipped: ..." where there is no Go toolchain to build it with.
set -euo pipefail

version=v1.5.1 # server 1.29.1; later ones cannot be installed with `go install`
cache=${HOLDFAST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast}/temporal/$version
binary=$cache/temporal

die() { echo "tools/temporal.sh: $*" >&2; exit 2; }

build() {
  [ -x "$binary" ] && return
  if ! command -v go > /dev/null; then
    echo "skipped: no Go toolchain to build a real Temporal server with (install Go 1.26 to run this)"
    exit 77
  fi
  mkdir -p "$cache"
  exec 9> "$cache/lock"
  flock 9
  [ -x "$binary" ] && return
  echo "Building the Temporal CLI $version, about three minutes, once" >&2
  GOBIN=$cache/building nice go install "github.com/temporalio/cli/cmd/temporal@$version" >&2
  mv "$cache/building/temporal" "$binary"
  exec 9>&-
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

command=${1:-}
[ $# -gt 0 ] && shift
dir='' port='' http_port='' tuned=''
while [ $# -gt 0 ]; do
  case $1 in
    --dir) dir=$2; shift 2 ;;
    --port) port=$2; shift 2 ;;
    --http-port) http_port=$2; shift 2 ;;
    --tuned) tuned=yes; shift ;;
    --) shift; break ;;
    *) die "unknown argument $1" ;;
  esac
done

case $command in
  build)
    build
    echo "$binary"
    ;;
  start | run)
    [ -n "$dir" ] || die "$command needs --dir"
    build
    mkdir -p "$dir"
    port=${port:-$(free_port)}
    http_port=${http_port:-$(free_port)}
    flags=()
    if [ -n "$tuned" ]; then
      for key in history.transferProcessorMaxPollRPS frontend.rps frontend.namespaceRPS frontend.namespaceCount \
        frontend.persistenceMaxQPS matching.rps matching.persistenceMaxQPS history.rps history.persistenceMaxQPS \
        frontend.globalNamespaceRPS; do
        flags+=(--dynamic-config-value "$key=1000000")
      done
    fi
    serve=("$binary" server start-dev --headless --ip 127.0.0.1 --port "$port" --http-port "$http_port"
      --log-level error --db-filename "$dir/temporal.db" --sqlite-pragma journal_mode=WAL
      --sqlite-pragma synchronous=FULL "${flags[@]}" "$@")
    [ "$command" = start ] || exec "${serve[@]}"
    setsid "${serve[@]}" > "$dir/temporal.log" 2>&1 < /dev/null &
    echo $! > "$dir/temporal.pid"
    for _ in $(seq 300); do
      kill -0 "$(cat "$dir/temporal.pid")" 2> /dev/null || die "the server ended: $(tail -n 3 "$dir/temporal.log")"
      if "$binary" operator cluster health --address "127.0.0.1:$port" 2> /dev/null | grep -q SERVING; then
        echo "127.0.0.1:$port"
        exit 0
      fi
      sleep 0.2
    done
    die "the server on port $port does not serve after a minute; see $dir/temporal.log"
    ;;
  stop)
    [ -n "$dir" ] || die "stop needs --dir"
    [ -f "$dir/temporal.pid" ] || exit 0
    pid=$(cat "$dir/temporal.pid")
    kill "$pid" 2> /dev/null || true
    for _ in $(seq 100); do
      kill -0 "$pid" 2> /dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2> /dev/null || true
    rm -f "$dir/temporal.pid"
    ;;
  *) die "build, start, run or stop; see the top of this file" ;;
esac
