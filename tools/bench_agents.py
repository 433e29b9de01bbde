"""Ten turns of an agent, a model call and an SQL tool each, against one instant model over HTTP; beside it, in the same run,
the same agent on LangGraph (PyPI) without a checkpointer and with its SQLite saver in synchronous durability. Prints one table.
The syncs of a run are counted with strace, in runs of their own, file by file; without strace, or without the peer, their rows
are missing and said to be. With --counts it measures only what does not depend on what else the machine does: syncs, and CPU.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from bench import ROOT, free_port, number, wait_for, wait_until_ready

AGENT = """\
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: orders}}
spec:
  model: {{provider: openai, name: instant, base_url: "http://127.0.0.1:{port}/v1"}}
  prompt: You look at orders.
  limits: {{max_iterations: 100}}
  tools:
    - name: find_order
      type: sql
      description: One order by its number.
      parameters: {{properties: {{order_id: {{type: integer}}}}, required: [order_id]}}
      sql: {{database: "{database}", statement: "SELECT id, item, total FROM orders WHERE id = :order_id"}}
"""
# Files by what they hold; those of the engine have numbers.
SYNCED = {"platform": "the platform store", "streams": "the log of events", "visibility": "the list of runs"}
TURNS = 10
ANSWER = "All orders were looked at."
# How many times faster than each of the peer's ways, and how many syncs a turn may cost.
TARGETS = {"no checkpointer": 4, "SQLite saver, synchronous": 6}
MAX_SYNCS = 4


def make_orders(path: pathlib.Path) -> None:
    with sqlite3.connect(path) as orders:
        orders.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, total INTEGER)")
        orders.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(n, f"thing {n}", 10 * n) for n in range(1, 11)])


class Holdfast:
    def __init__(self, build: pathlib.Path, folder: pathlib.Path, model_port: int, database: pathlib.Path, under=()):
        folder.mkdir(exist_ok=True)
        (folder / "orders.yaml").write_text(AGENT.format(port=model_port, database=database))
        self.port = free_port()
        self.runs = 0
        self.process = subprocess.Popen(
            [*under, build / "holdfast", "server", "--data", folder / "data", "--grpc", f"127.0.0.1:{free_port()}", "--http",
             f"127.0.0.1:{self.port}", "--agent", folder / "orders.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        wait_for(self.port, self.process)
        wait_until_ready(self.port)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def request(self, method: str, path: str, body=None, **headers) -> http.client.HTTPResponse:
        self.connection.request(method, path, body and json.dumps(body), {"content-type": "application/json", **headers})
        return self.connection.getresponse()

    def run(self) -> float:
        """Milliseconds from the request to the event that says the run is done, as a client sees them."""
        self.runs += 1
        name = f"run-{self.runs}"
        begun = time.perf_counter()
        response = self.request("POST", "/api/v1/runs", {"agent": "orders", "input": "Look at ten orders.", "id": name})
        response.read()
        stream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        stream.request("GET", f"/api/v1/runs/{name}/events", headers={"accept": "text/event-stream"})
        events = stream.getresponse()
        took = 0.0
        for line in events:
            if line.startswith(b"event: run.completed"):
                took = 1000 * (time.perf_counter() - begun)
            if line.startswith(b"event: run.closed"):
                break
        stream.close()
        shown = json.loads(self.request("GET", f"/api/v1/runs/{name}").read())
        if shown.get("output") != ANSWER or len(shown["steps"]) != 2 * TURNS + 1:
            sys.exit(f"the run is not what it should be: {json.dumps(shown)[:1000]}")
        return took

    def cpu_ms(self) -> float:
        """Of the server, all threads, since it began."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e6

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def count_syncs(build: pathlib.Path, folder: pathlib.Path, model_port: int, database: pathlib.Path, runs: int) -> dict[str, float] | None:
    """Of one run, by file. The tracer sees these calls alone and stops the server for no other: it runs as it would."""
    if not shutil.which("strace"):
        return None
    out = folder / "syncs.txt"
    holdfast = Holdfast(build, folder / "traced", model_port, database,
                        ["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", out])
    try:
        for _ in range(3):
            holdfast.run()
        before = len(out.read_text().splitlines())
        for _ in range(runs):
            holdfast.run()
        lines = out.read_text().splitlines()[before:]
    finally:
        holdfast.stop()
    files = re.findall(r"(?:fsync|fdatasync)\(\d+<([^>]*)>", "\n".join(lines))
    names = collections.Counter(SYNCED.get(os.path.basename(file).split(".")[0], "the engine's log") for file in files)
    return {name: count / runs for name, count in names.items()}


def peer(build: pathlib.Path) -> pathlib.Path | None:
    """The Python of an environment that has it."""
    requirements = ROOT / "bench" / "agents" / "requirements.txt"
    environment = build / "bench-agents-venv"
    python = environment / "bin" / "python"
    stamp = environment / "stamp"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return python
    shutil.rmtree(environment, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", environment]).returncode
    done = done or subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]).returncode
    if done:
        return None
    stamp.write_text(requirements.read_text())
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--counts", action="store_true", help="syncs and CPU alone, without times and without the peer")
    args = parser.parse_args()
    build = args.build.resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="agents-", dir=build))
    model = subprocess.Popen([sys.executable, ROOT / "bench" / "agents" / "instant_model.py", "--turns", str(TURNS)],
                             stdout=subprocess.PIPE, text=True)
    failures = 0
    try:
        port = int(model.stdout.readline())
        make_orders(folder / "orders.db")
        holdfast = Holdfast(build, folder, port, folder / "orders.db")
        try:
            for _ in range(3):
                holdfast.run()
            used = holdfast.cpu_ms()
            times = [holdfast.run() for _ in range(args.runs)]
            used = (holdfast.cpu_ms() - used) / args.runs
        finally:
            holdfast.stop()
        syncs = count_syncs(build, folder, port, folder / "orders.db", 10)
        ours = statistics.median(times)
        print(f"{'ten turns of an agent':34}{'p50':>12}{'p90':>12}{'ratio':>9}{'target':>9}")

        def row(name: str, values: list[float], ratio: str = "") -> None:
            print(f"{name:34}{number(statistics.median(values)) + ' ms':>12}{number(statistics.quantiles(values, n=10)[-1]) + ' ms':>12}{ratio}")

        if not args.counts:
            row("Holdfast, everything on disk", times)
        print(f"{'CPU of one run, all threads':34}{number(used) + ' ms':>12}")
        python = None if args.counts else peer(build)
        if args.counts:
            pass
        elif python is None:
            print("LangGraph: skipped, its packages cannot be had here")
        else:
            done = subprocess.run([python, ROOT / "bench" / "agents" / "langgraph_peer.py", "--port", str(port), "--database",
                                   folder / "orders.db", "--runs", str(args.runs), "--folder", folder],
                                  stdout=subprocess.PIPE, text=True, check=True)
            for name, values in json.loads(done.stdout).items():
                ratio = statistics.median(values) / ours
                met = ratio >= TARGETS[name]
                failures += not met
                row(f"LangGraph, {name}", values, f"{number(ratio) + 'x':>9}{'≥ ' + str(TARGETS[name]):>6} {'ok' if met else 'no'}")
        if syncs is None:
            print("syncs: skipped, there is no strace")
        else:
            total = sum(syncs.values())
            met = total / TURNS <= MAX_SYNCS
            failures += not met
            print(f"{'syncs of one run':34}{number(total):>12}{'':12}{number(total / TURNS) + ' a turn':>9}{'≤ ' + str(MAX_SYNCS):>6} {'ok' if met else 'no'}")
            for name, count in sorted(syncs.items()):
                print(f"{'  of ' + name:34}{number(count):>12}")
    finally:
        model.terminate()
        model.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{'FAILED: ' + str(failures) + ' of the targets are missed' if failures else 'all targets are met'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
