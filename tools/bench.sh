#!/usr/bin/env bash
# tools/bench.sh BUILD [peers] [options]: see tools/bench.py.
# tools/bench.sh BUILD against REV [options]: see tools/bench_against.py.
# tools/bench.sh BUILD retention [RUNS]: see tools/bench_retention.py.
# tools/bench.sh BUILD agents [options]: see tools/bench_agents.py.
# tools/bench.sh BUILD agents streams|long|parked [options]: see tools/bench_agents_load.py.
# tools/bench.sh BUILD people console [options]: see tools/bench_people_console.py.
# tools/bench.sh BUILD people tokens [options]: see tools/bench_people_tokens.py.
# tools/bench.sh BUILD people [FIGURE] [options]: see tools/bench_people.py.
# tools/bench.sh BUILD flows [FIGURE] [options]: see tools/bench_flows.py.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
if [ "${1:-}" = against ]; then
  shift
  exec python3 tools/bench_against.py --build "$build" "$@"
fi
if [ "${1:-}" = retention ]; then
  shift
  exec python3 tools/bench_retention.py --build "$build" "$@"
fi
if [ "${1:-}" = agents ]; then
  shift
  case ${1:-} in
    streams | long | parked) exec python3 tools/bench_agents_load.py --build "$build" "$@" ;;
  esac
  exec python3 tools/bench_agents.py --build "$build" "$@"
fi
if [ "${1:-}" = people ] && [ "${2:-}" = console ]; then
  shift 2
  exec python3 tools/bench_people_console.py --build "$build" "$@"
fi
if [ "${1:-}" = people ] && [ "${2:-}" = tokens ]; then
  shift 2
  exec python3 tools/bench_people_tokens.py --build "$build" "$@"
fi
if [ "${1:-}" = people ]; then
  shift
  exec python3 tools/bench_people.py --build "$build" "$@"
fi
if [ "${1:-}" = flows ]; then
  shift
  exec python3 tools/bench_flows.py --build "$build" "$@"
fi
exec python3 tools/bench.py --build "$build" "$@"
