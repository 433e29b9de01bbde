"""Measures Holdfast with holdfast_bench and, with `peers`, a real Temporal development server with the same generator on the
same machine in the same run; prints one table. A peer that cannot be had here is named and skipped.

Both sides sync every commit. Temporal runs twice: as shipped, and tuned (tools/temporal.sh says how).
"""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]

# What we want to reach, by row: (limit, is more better).
TARGETS = {
    "in-process worker, ten steps, p50": (4, False),
    "W1 ten steps, p50": (12, False),
    "W2 server CPU per workflow": (2.5, False),
    "W7 killed with 1000 open, new result": (300, False),
    "W7 killed with 1000 open, run in mid-step": (300, False),
    "idle server, memory": (60, False),
    "idle server, CPU": (1, False),
}


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    sys.exit(f"the server on port {port} does not serve; its output is above")


def wait_until_ready(port: int) -> None:
    """A server of ours answers before it is whole, and says so."""
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/api/v1/runs?limit=1")
        status = connection.getresponse().status
        connection.close()
        if status != 503:
            return
        time.sleep(0.05)
    sys.exit(f"the server on port {port} does not get ready")


class Bench:
    def __init__(self, build: pathlib.Path, seconds: int, workloads: str):
        self.build = build
        self.seconds = seconds
        self.workloads = workloads
        self.columns: dict[str, dict[str, tuple[float, str]]] = {}
        self.failures: list[str] = []

    def generator(self, column: str, *arguments: str) -> None:
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            done = subprocess.run([self.build / "bench" / "holdfast_bench", "--json", out.name, *arguments])
            try:
                result = json.loads(pathlib.Path(out.name).read_text())
            except ValueError:
                self.failures.append(f"{column}: the generator ended with code {done.returncode} and no figures")
                return
        rows = self.columns.setdefault(column, {})
        for row in result["rows"]:
            rows.setdefault(row["name"], (row["value"], row["unit"]))
        self.failures += [f"{column}: {failure}" for failure in result["failures"]]

    def measure(self, column: str, command, data: pathlib.Path) -> None:
        """`command(directory, port)` is a server in the foreground."""
        print(f"\n== {column}", flush=True)
        port = free_port()
        (data / "load").mkdir()
        server = subprocess.Popen(command(data / "load", port), stdout=open(data / "load.log", "wb"), stderr=subprocess.STDOUT)
        try:
            wait_for(port, server)
            self.generator(column, "--address", f"127.0.0.1:{port}", "--server-pid", str(server.pid),
                           "--seconds", str(self.seconds), "--workloads", self.workloads, "--sync-dir", str(data))
        finally:
            server.terminate()
            server.wait()
        port = free_port()
        (data / "restart").mkdir()
        self.generator(column, "--address", f"127.0.0.1:{port}", "--restart", "--log", str(data / "restart.log"),
                       "--", *command(data / "restart", port))

    def print_table(self) -> None:
        names = list(dict.fromkeys(name for rows in self.columns.values() for name in rows))
        columns = list(self.columns)
        peers = [c for c in columns if c != "Holdfast"]
        width = max(map(len, names))
        head = f"{'':{width}}" + "".join(f"{c:>22}" for c in columns)
        print("\n" + head + (f"{'ratio':>18}" if len(peers) else "") + f"{'target':>12}")
        for name in names:
            cells = [self.columns[c].get(name) for c in columns]
            line = f"{name:{width}}"
            for cell in cells:
                line += f"{'-':>22}" if cell is None else f"{number(cell[0]) + ' ' + short(cell[1]):>22}"
            if peers:
                line += f"{self.ratio(name, peers):>18}"
            ours = self.columns.get("Holdfast", {}).get(name)
            if name in TARGETS and ours:
                limit, more = TARGETS[name]
                met = ours[0] >= limit if more else ours[0] <= limit
                line += f"{('≥ ' if more else '≤ ') + number(limit):>9} {'ok' if met else 'no'}"
            print(line.rstrip())
        if peers:
            print("ratio: how many times better Holdfast is than each Temporal, in the order of the columns")

    def ratio(self, name: str, peers: list[str]) -> str:
        ours = self.columns.get("Holdfast", {}).get(name)
        texts = []
        for peer in peers:
            theirs = self.columns[peer].get(name)
            if not ours or not theirs or not ours[0] or not theirs[0] or not ours[1] or name.startswith(("synced", "W2 gen")):
                return ""
            value = ours[0] / theirs[0] if ours[1] == "/s" else theirs[0] / ours[0]
            texts.append(f"{number(value)}x")
        return " ".join(texts)


def number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def short(unit: str) -> str:
    return unit.replace("% of a core", "%").strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("peers", nargs="?", choices=["peers"], help="also a real Temporal, as shipped and tuned")
    parser.add_argument("--only-peers", action="store_true", help="leave Holdfast out")
    parser.add_argument("--seconds", type=int, default=10, help="at most, per workload (10)")
    parser.add_argument("--workloads", default="w1,w2,w3,w5,w9")
    args = parser.parse_args()
    build = args.build.resolve()
    bench = Bench(build, args.seconds, args.workloads)
    data = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    try:
        if not args.only_peers:
            binary = build / "holdfast"
            if not os.access(binary, os.X_OK):
                sys.exit(f"{binary} is not built")
            (data / "holdfast").mkdir()
            in_process = build / "bench" / "holdfast_bench_worker"
            if os.access(in_process, os.X_OK):
                print("\n== Holdfast, worker and engine in one process", flush=True)
                with tempfile.NamedTemporaryFile(suffix=".json") as out:
                    subprocess.run([in_process, str(data / "holdfast"), "--json", out.name], check=True)
                    rows = bench.columns.setdefault("Holdfast", {})
                    for row in json.loads(pathlib.Path(out.name).read_text())["rows"]:
                        rows[row["name"]] = (row["value"], row["unit"])
            bench.measure("Holdfast", lambda directory, port: [
                str(binary), "server", "--data", str(directory), "--grpc", f"127.0.0.1:{port}",
                "--http", f"127.0.0.1:{free_port()}"], data / "holdfast")
        if args.peers or args.only_peers:
            temporal = str(ROOT / "tools" / "temporal.sh")
            built = subprocess.run([temporal, "build"], stdout=subprocess.PIPE, text=True)
            if built.returncode:
                print(f"\nTemporal: {built.stdout.strip()}")
            else:
                for column, flags in (("Temporal as shipped", []), ("Temporal tuned", ["--tuned"])):
                    directory = data / column.replace(" ", "-")
                    directory.mkdir()
                    bench.measure(column, lambda d, port, flags=flags: [
                        temporal, "run", "--dir", str(d), "--port", str(port), "--http-port", str(free_port()),
                        *flags], directory)
        bench.print_table()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    for failure in bench.failures:
        print(f"FAILED: {failure}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
