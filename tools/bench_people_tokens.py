"""From a model's first token to the client that reads the run's events, alone and beside 940 others that are read; each figure
ends with `ok` or `no` beside its target.

    ./dev bench people tokens [--streams 940] [--rate 5]

The model takes a tenth of a second to its first token, in which it says when it sent it. Of a probe the client reads the moment of
arrival; the model and the readers are processes of their own on the same machine, so their work is in the figures.
"""

import argparse
import contextlib
import json
import pathlib
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time

from bench_agents_load import Bench

PROBES = 200
failed = []


def figure(what, value, target):
    if value > target:
        failed.append(what)
    print(f"{what:62} {value:9.2f} ms   target {target:g} ms   {'ok' if value <= target else 'no'}", flush=True)


def open_stream(port: int, run: str) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", port), timeout=30)
    stream.sendall(f"GET /api/v1/runs/{run}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
    return stream


def read_all(port: int, runs: list[str]) -> None:
    """A process of its own: reads the streams of those runs until it is ended, or they are over."""
    selector = selectors.EpollSelector()
    for run in runs:
        stream = open_stream(port, run)
        stream.setblocking(False)
        selector.register(stream, selectors.EVENT_READ)
    print("reading", flush=True)
    while selector.get_map():
        for key, _ in selector.select():
            with contextlib.suppress(BlockingIOError):
                if not key.fileobj.recv(1 << 16):
                    selector.unregister(key.fileobj)


def probe(bench: Bench, run: str) -> float:
    """Milliseconds between the model's send of the first token and its arrival here."""
    bench.start(run)
    stream = open_stream(bench.port, run)
    seen, deadline = b"", time.monotonic() + 30
    while not (stamp := re.search(rb'"text":"<(\d+)>"', seen)):
        piece = stream.recv(1 << 16)
        arrived = time.monotonic_ns()
        if not piece or time.monotonic() > deadline:
            sys.exit(f"no token in the events of {run}: {seen[-500:]!r}")
        seen += piece
    stream.close()
    bench.terminate(run)
    return (arrived - int(stamp[1])) / 1e6


def row(what: str, times: list[float]) -> None:
    figure(f"first token, {what}, p50 of {len(times)}", statistics.median(times), 2)
    figure(f"first token, {what}, p99", statistics.quantiles(times, n=100)[-1], 10)


def measure(bench: Bench, options) -> None:
    for number in range(20):
        probe(bench, f"warm-{number}")
    row("one stream at a time", [probe(bench, f"alone-{number}") for number in range(PROBES)])
    runs = [f"stream-{number}" for number in range(options.streams)]
    for run in runs:
        bench.start(run)
    readers = subprocess.Popen([sys.executable, __file__, "--read", str(bench.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        json.dump(runs, readers.stdin)
        readers.stdin.close()
        readers.stdout.readline()
        row(f"beside {options.streams} of {options.rate:g} tokens/s", [probe(bench, f"beside-{number}") for number in range(PROBES)])
    finally:
        readers.kill()
        readers.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--read", metavar="PORT", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--streams", type=int, default=940)  # with the probes, whose calls end a moment later: 1,000, as many as a server makes at once
    parser.add_argument("--rate", type=float, default=5)
    options = parser.parse_args()
    if options.read:
        read_all(options.read, json.load(sys.stdin))
        return 0
    bench = Bench(options.build.resolve(), "stream", tokens=1_000_000, rate=options.rate, spread=40, stamp=1)
    try:
        measure(bench, options)
    finally:
        bench.stop()
    print("all targets are met" if not failed else f"FAILED: {len(failed)} of the targets are missed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
