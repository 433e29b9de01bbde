"""Agents under load, one figure a command; each ends with `ok` or `no` beside its target.

    bench_agents_load.py streams    1,000 agents at once on a model that says 50 tokens a second to each: memory, and CPU for each
                                    token, beside the official Python client on the same model
    bench_agents_load.py long       one conversation of 500 turns and 200,000 tokens: a late turn's own time and written bytes
                                    beside an early one's
    bench_agents_load.py parked     10,000 runs that wait for thirty days: memory for each, and CPU of the server meanwhile;
                                    with --idle the CPU alone
"""

import argparse
import http.client
import json
import os
import pathlib
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from bench import ROOT, free_port, number, wait_for, wait_until_ready
from bench_agents import make_orders, peer

AGENT = """\
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: loaded}}
spec:
  model: {{provider: openai, name: load, base_url: "http://127.0.0.1:{port}/v1", max_tokens: 4000, timeout: 60m}}
  prompt: You are a figure.
  limits: {{max_iterations: 1000}}
"""
ORDERS = """\
  tools:
    - name: find_order
      type: sql
      description: One order by its number.
      parameters: {{properties: {{order_id: {{type: integer}}}}, required: [order_id]}}
      sql: {{database: "{database}", statement: "SELECT id, item, total, detail FROM orders WHERE id = :order_id"}}
"""
PAUSE = """\
  tools:
    - {name: pause, type: wait, description: Waits., wait: {max: 30d}}
"""
LIMITS = "apiVersion: holdfast.dev/v1\nkind: Limits\nconcurrency: 2000\n"  # one key's calls at a time, 50 unless said
TICK = os.sysconf("SC_CLK_TCK")


class Bench:
    """A server on a directory of its own, and a model."""

    def __init__(self, build: pathlib.Path, kind: str, tools: str = "", **model_options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="agents-load-", dir=build))
        command = [sys.executable, ROOT / "bench" / "agents" / "load_model.py", kind]
        for name, value in model_options.items():
            command += [f"--{name}", str(value)]
        self.model = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.model_port = int(self.model.stdout.readline())
        (self.folder / "loaded.yaml").write_text(AGENT.format(port=self.model_port) + tools)
        (self.folder / "limits.yaml").write_text(LIMITS)
        self.port = free_port()
        self.server = subprocess.Popen(
            [build / "holdfast", "server", "--data", self.folder / "data", "--grpc", f"127.0.0.1:{free_port()}", "--http",
             f"127.0.0.1:{self.port}", "--agent", self.folder / "loaded.yaml",
             "--limits", self.folder / "limits.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_for(self.port, self.server)
        wait_until_ready(self.port)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def start(self, run: str) -> None:
        self.connection.request("POST", "/api/v1/runs", json.dumps({"agent": "loaded", "input": "Go.", "id": run}),
                                {"content-type": "application/json"})
        response = self.connection.getresponse()
        body = response.read()
        if response.status >= 300:
            sys.exit(f"a run was not started: {body[:500]!r}")

    def terminate(self, run: str) -> None:
        self.connection.request("POST", f"/api/v1/runs/{run}/terminate", "{}", {"content-type": "application/json"})
        self.connection.getresponse().read()

    def get(self, path: str) -> dict:
        self.connection.request("GET", path)
        return json.loads(self.connection.getresponse().read())

    def ends(self, run: str, within: float = 600) -> dict:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            shown = self.get(f"/api/v1/runs/{run}")
            if shown["status"] != "running":
                return shown
            time.sleep(0.2)
        sys.exit(f"{run} has not ended within {within:.0f} s")

    def cpu_s(self) -> float:
        fields = pathlib.Path(f"/proc/{self.server.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, which: str) -> int:
        for line in pathlib.Path(f"/proc/{self.server.pid}/status").read_text().splitlines():
            if line.startswith(which + ":"):
                return 1024 * int(line.split()[1])
        raise KeyError(which)

    def written(self) -> int:
        for line in pathlib.Path(f"/proc/{self.server.pid}/io").read_text().splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
        raise KeyError("write_bytes")

    def stop(self) -> None:
        self.server.terminate()
        self.model.terminate()
        self.server.wait()
        self.model.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Table:
    def __init__(self):
        self.missed = 0

    def row(self, name: str, value: str, target: str = "", met: bool | None = None) -> None:
        self.missed += met is False
        verdict = "" if met is None else "ok" if met else "no"
        print(f"{name:52}{value:>16}{target:>14} {verdict}".rstrip(), flush=True)


def streams(build: pathlib.Path, table: Table, args) -> None:
    bench = Bench(build, "stream", tokens=args.tokens)
    try:
        before = bench.cpu_s()
        for n in range(args.runs):
            bench.start(f"stream-{n}")
        for n in range(args.runs):
            shown = bench.ends(f"stream-{n}")
            if shown["status"] != "completed" or len(shown.get("output") or "") != args.tokens * len(" token"):
                sys.exit(f"a stream did not arrive whole: {json.dumps(shown)[:500]}")
        ours = (bench.cpu_s() - before) / (args.runs * args.tokens)
        memory = bench.memory("VmHWM") / 1e6
        table.row(f"{args.runs} agents at once, memory at most", f"{memory:.0f} MB", "< 400 MB", memory < 400)
        table.row("CPU for each token, runs and disk included", f"{1e6 * ours:.1f} µs")
        python = peer(build)
        if python is None:
            print("the Python client: skipped, its packages cannot be had here")
            return
        out = subprocess.run([python, ROOT / "bench" / "agents" / "openai_peer.py", "--port", str(bench.model_port), "--streams",
                              str(args.peer_streams)], stdout=subprocess.PIPE, text=True, check=True)
        result = json.loads(out.stdout)
        theirs = result["cpu_s"] / result["tokens"]
        table.row(f"the Python client, {args.peer_streams} streams at once", f"{1e6 * theirs:.1f} µs")
        table.row("ratio", f"{theirs / ours:.1f}x", "≥ 5", theirs / ours >= 5)
    finally:
        bench.stop()


def long(build: pathlib.Path, table: Table, args) -> None:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="agents-orders-", dir=build))
    make_orders(folder / "orders.db")
    with sqlite3.connect(folder / "orders.db") as orders:
        orders.execute("ALTER TABLE orders ADD COLUMN detail TEXT")
        orders.execute("UPDATE orders SET detail = ?", ("y" * (args.text - 50),))
    bench = Bench(build, "long", ORDERS.format(database=folder / "orders.db"), turns=args.turns, text=args.text, log=folder / "model.txt")
    try:
        bench.start("long")
        # Bytes at the disk by the turn that was asked for last.
        marks: dict[int, int] = {}
        log = folder / "model.txt"
        while True:
            lines = log.read_text().splitlines() if log.exists() else []
            if lines:
                marks.setdefault(int(lines[-1].split()[0]), bench.written())
            if len(lines) > args.turns or bench.server.poll() is not None:
                break
            time.sleep(0.01)
        shown = bench.ends("long")
        if shown["status"] != "completed":
            sys.exit(f"the run is not what it should be: {json.dumps(shown)[:1000]}")
        ended = {int(turn): int(last) for turn, _, last in (line.split() for line in log.read_text().splitlines())}
        with sqlite3.connect(f"file:{bench.folder / 'data' / 'platform' / 'streams.db'}?mode=ro", uri=True) as events:
            begun = [row for row in events.execute("SELECT json_extract(data, '$.iteration'), at FROM events WHERE run = 'long' AND "
                                                   "type = 'step.started' AND json_extract(data, '$.kind') = 'model'")]
        # From the last byte of one answer to the moment at which the next request is about to be encoded.
        own = {int(iteration) - 1: (at - ended[int(iteration) - 2]) / 1e6 for iteration, at in begun if int(iteration) > 1}
        early = statistics.median(own[turn] for turn in range(3, 8 + args.window) if turn in own)
        late = statistics.median(own[turn] for turn in range(args.turns - args.window - 5, args.turns) if turn in own)
        # Four bytes of text are taken for a token, by the model's own count too.
        table.row(f"tokens of the conversation, {args.turns} turns", f"{args.turns * 2 * args.text // 4:,}")
        table.row("own time around turn 5", f"{early:.2f} ms")
        table.row(f"own time around turn {args.turns}", f"{late:.2f} ms")
        table.row("ratio", f"{late / early:.2f}x", "≤ 1.2", late / early <= 1.2)
        first = rate(marks, 5, args.turns // 4)
        last = rate(marks, args.turns - args.turns // 4, args.turns - 2)
        table.row("written for each turn, first quarter", f"{first / 1024:.1f} KiB")
        table.row("written for each turn, last quarter", f"{last / 1024:.1f} KiB", "≤ 1.2x", last / first <= 1.2)
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


def rate(marks: dict[int, int], first: int, last: int) -> float:
    """Bytes a turn between the marks that are nearest."""
    begin = min(marks, key=lambda turn: abs(turn - first))
    end = min(marks, key=lambda turn: abs(turn - last))
    return (marks[end] - marks[begin]) / max(1, end - begin)


def parked(build: pathlib.Path, table: Table, args) -> None:
    bench = Bench(build, "wait", PAUSE)
    try:
        bench.start("warm")
        wait_until_parked(bench, 1)
        time.sleep(2)
        before = bench.memory("VmRSS")
        for n in range(args.runs):
            bench.start(f"parked-{n}")
        wait_until_parked(bench, args.runs + 1)
        time.sleep(args.settle)
        grown = (bench.memory("VmRSS") - before) / args.runs
        begun = bench.cpu_s()
        time.sleep(args.seconds)
        cpu = 100 * (bench.cpu_s() - begun) / args.seconds
        if not args.idle:
            table.row(f"memory for each of {args.runs:,} parked runs", f"{grown / 1024:.2f} KiB", "≤ 4 KiB", grown <= 4096)
        table.row(f"CPU of the server meanwhile, {args.seconds} s", f"{cpu:.2f} %", "≤ 1 %", cpu <= 1)
    finally:
        bench.stop()


def wait_until_parked(bench: Bench, runs: int, within: float = 600) -> None:
    """Each has told that it waits."""
    deadline = time.monotonic() + within
    path = bench.folder / "data" / "platform" / "streams.db"
    while time.monotonic() < deadline:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as events:
            if events.execute("SELECT count(*) FROM events WHERE type = 'step.started' AND json_extract(data, '$.kind') = 'wait'").fetchone()[0] >= runs:
                return
        time.sleep(0.5)
    sys.exit(f"{runs} runs have not come to wait within {within:.0f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figure", choices=["streams", "long", "parked"])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, help="1,000 streams, 10,000 parked")
    parser.add_argument("--tokens", type=int, default=400, help="of each stream")
    parser.add_argument("--peer-streams", type=int, default=40)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--text", type=int, default=800, help="bytes of each answer, and of each result: 400 tokens a turn")
    parser.add_argument("--window", type=int, default=15, help="turns that are one figure")
    parser.add_argument("--seconds", type=int, default=20, help="of idling")
    parser.add_argument("--settle", type=int, default=60, help="seconds before that, in which what is not asked for leaves memory")
    parser.add_argument("--idle", action="store_true", help="with parked: the CPU alone")
    args = parser.parse_args()
    args.runs = args.runs or (10_000 if args.figure == "parked" else 1000)
    # A connection to the model for each run.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65536, hard))
    table = Table()
    {"streams": streams, "long": long, "parked": parked}[args.figure](args.build.resolve(), table, args)
    print("all targets are met" if not table.missed else f"FAILED: {table.missed} of the targets are missed")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
