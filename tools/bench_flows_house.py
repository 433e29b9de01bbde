"""The servers and clients of tools/bench_flows.py: Holdfast as it is, Holdfast's workers on a real Temporal, and on an engine
whose activities cost more.
"""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

from bench import ROOT, wait_until_ready

# Files by what they hold; those of the engine have numbers.
SYNCED = {"platform": "the platform store", "streams": "the log of events", "visibility": "the list of runs"}
ENDS = (b"event: run.completed", b"event: run.failed", b"event: run.canceled")


def thirty_blocks(name: str, planner: str) -> str:
    """The graph of examples/flows/thirty.yaml with blocks that do nothing: what is left is what the engine takes."""
    text = (ROOT / "examples/flows/thirty.yaml").read_text()
    text = re.sub(r"type: (?!start)\w+", "type: transform", text)
    text = re.sub(r"(type: transform.*)\}\n", r"\1, with: {value: null}}\n", text)
    text = text.replace("name: thirty", f"name: {name}").replace("  blocks:", f"  planner: {planner}\n  blocks:", 1)
    return text


def chain(name: str, planner: str, blocks: int) -> str:
    """One behind the other, a start first."""
    lines = ["{id: b0, type: start}"]
    lines += [f"{{id: b{n}, type: transform, needs: [b{n - 1}], with: {{value: null}}}}" for n in range(1, blocks)]
    return flow_text(name, planner, lines)


def flow_text(name: str, planner: str, lines: list[str]) -> str:
    blocks = "\n".join(f"    - {line}" for line in lines)
    return (f"apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {{name: {name}}}\n"
            f"spec:\n  planner: {planner}\n  blocks:\n{blocks}\n")


class House:
    """One server of ours: with its own engine, or with that of `engine` (HOST:PORT)."""

    def __init__(self, build: pathlib.Path, folder: pathlib.Path, engine: str = "", under: tuple = ()):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.runs = 0
        # As a worker of another engine it serves none itself.
        where = ["--engine", f"temporal://{engine}"] if engine else ["--grpc", "127.0.0.1:0"]
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [*under, build / "holdfast", "server", "--data", folder / "data", "--http", "127.0.0.1:0", "--json", *where],
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a server did not start: {(folder / 'log').read_text()[-2000:]}")
        self.ready = json.loads(line)
        self.host = self.ready["http"].removeprefix("http://")
        wait_until_ready(int(self.host.rsplit(":", 1)[1]))
        self.connection = http.client.HTTPConnection(self.host, timeout=120)

    def call(self, method: str, path: str, body=None, connection=None) -> dict:
        connection = connection or self.connection
        is_text = isinstance(body, str)
        connection.request(method, path, body if is_text else body and json.dumps(body),
                           {} if is_text else {"content-type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {content[:500].decode()}")
        return json.loads(content)

    def apply(self, name: str, text: str) -> None:
        self.call("PUT", f"/api/v1/flows/{name}", text)

    def run(self, flow: str, value=None, seconds: int = 120) -> float:
        """Milliseconds from the request to the event that says the run is done, as a client sees them."""
        self.runs += 1
        name = f"{flow}-{self.runs}"
        begun = time.perf_counter()
        self.call("POST", f"/api/v1/flows/{flow}/runs", {"input": value, "id": name})
        stream = http.client.HTTPConnection(self.host, timeout=seconds)
        stream.request("GET", f"/api/v1/runs/{name}/events", headers={"accept": "text/event-stream"})
        end, took = b"", 0.0
        for line in stream.getresponse():
            if line.startswith(ENDS):
                end, took = line, 1000 * (time.perf_counter() - begun)
                break
        stream.close()
        if not end.startswith(ENDS[0]):
            sys.exit(f"{name} did not complete: {json.dumps(self.call('GET', f'/api/v1/runs/{name}'))[:1000]}")
        return took

    def times(self, flow: str, runs: int, warm: int = 3) -> list[float]:
        for _ in range(warm):
            self.run(flow)
        return [self.run(flow) for _ in range(runs)]

    def activities(self, flow: str) -> int:
        """Of the plan, as the last run of it says."""
        events = self.call("GET", f"/api/v1/runs/{flow}-{self.runs}/events?limit=10")["events"]
        return next(one["data"]["activities"] for one in events if one["type"] == "run.started")

    def memory_mb(self, kind: str = "VmRSS") -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{kind}:\s+(\d+)", status, re.M)[1]) / 1024

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.log.close()


@contextlib.contextmanager
def house(*arguments, **more):
    one = House(*arguments, **more)
    try:
        yield one
    finally:
        one.close()


@contextlib.contextmanager
def slow_engine(build: pathlib.Path, folder: pathlib.Path, ms: int, activity_type: str = ""):
    """The address of our engine, alone, `ms` milliseconds dearer for each activity (whose type begins so)."""
    folder.mkdir(parents=True)
    command = [build / "bench" / "holdfast_slow_engine", "--data", folder, "--ms", str(ms)]
    process = subprocess.Popen(command + (["--type", activity_type] if activity_type else []), stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def temporal(folder: pathlib.Path, tuned: bool):
    """A real Temporal's address; none where it cannot be had, which is said."""
    script = str(ROOT / "tools" / "temporal.sh")
    built = subprocess.run([script, "build"], stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        print(f"Temporal: {built.stdout.strip()}")
        yield None
        return
    directory = str(folder)
    started = subprocess.run([script, "start", "--dir", directory, *(["--tuned"] if tuned else [])], stdout=subprocess.PIPE,
                             text=True, check=True)
    try:
        yield started.stdout.strip().splitlines()[-1]
    finally:
        subprocess.run([script, "stop", "--dir", directory], check=False)


def syncs_of(build: pathlib.Path, folder: pathlib.Path, flows: dict[str, str], runs: int) -> dict[str, dict[str, float]] | None:
    """Of one run of each flow, by what the file holds. The tracer sees these calls alone: the server runs as it would."""
    if not shutil.which("strace"):
        return None
    folder.mkdir(parents=True)
    out = folder / "syncs.txt"
    tracer = ("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", str(out))
    counted = {}
    with house(build, folder / "traced", under=tracer) as server:
        for name, text in flows.items():
            server.apply(name, text)
            server.times(name, 3)
            time.sleep(1)  # what a run leaves behind is forgotten a moment later
            before = len(out.read_text().splitlines())
            server.times(name, runs, warm=0)
            time.sleep(1)
            lines = out.read_text().splitlines()[before:]
            files = re.findall(r"(?:fsync|fdatasync)\(\d+<([^>]*)>", "\n".join(lines))
            names = collections.Counter(SYNCED.get(os.path.basename(file).split(".")[0], "the engine's log") for file in files)
            counted[name] = {what: count / runs for what, count in names.items()}
    return counted


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[-1] if len(values) > 1 else values[0]
