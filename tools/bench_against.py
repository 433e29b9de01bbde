"""Is this build slower than an earlier commit? Builds that commit in a work tree of its own, drives both with today's generator
in alternating runs (so that both meet the same machine), and prints the medians with their ratio. Exits with 1 when a figure
is worse by more than --tolerance percent in the median.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from bench import ROOT, free_port, number, short, wait_for

# Judged; the other rows are printed. They are what a user waits or pays for, and steady enough for five runs.
JUDGED = ("in-process worker, ten steps, p50", "W1 ten steps, p50", "W2 server CPU per workflow", "W2 100 in flight, workflows",
          "W3 signal to result, p50", "W5 100 activities at once, p50", "W9 start to result, p50")


def build_commit(revision: str, preset: str) -> pathlib.Path:
    """The build directory of `revision`, in build/against/COMMIT."""
    commit = subprocess.run(["git", "rev-parse", "--verify", f"{revision}^{{commit}}"], cwd=ROOT, text=True, check=True,
                            stdout=subprocess.PIPE).stdout.strip()
    tree = ROOT / "build" / "against" / commit[:12]
    if not tree.exists():
        subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, commit], cwd=ROOT, check=True)
    subprocess.run(["./dev", "build", "holdfast", "holdfast_bench_worker"], cwd=tree, check=True,
                   env={**os.environ, "HOLDFAST_PRESET": preset}, stdout=sys.stderr)
    return tree / "build" / preset


def run_once(server_build: pathlib.Path, generator: pathlib.Path, data: pathlib.Path, seconds: int) -> dict:
    rows: dict[str, tuple[float, str]] = {}

    def take(path: pathlib.Path) -> None:
        result = json.loads(path.read_text())
        if result.get("failures"):
            sys.exit(f"{server_build}: {result['failures']}")
        rows.update({row["name"]: (row["value"], row["unit"]) for row in result["rows"]})

    out = data / "out.json"
    (data / "in-process").mkdir()
    subprocess.run([server_build / "bench" / "holdfast_bench_worker", data / "in-process", "--json", out], check=True,
                   stdout=subprocess.DEVNULL)
    take(out)
    (data / "load").mkdir()
    port = free_port()
    server = subprocess.Popen([server_build / "holdfast", "server", "--data", data / "load", "--grpc", f"127.0.0.1:{port}",
                               "--http", f"127.0.0.1:{free_port()}"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        wait_for(port, server)
        subprocess.run([generator, "--address", f"127.0.0.1:{port}", "--server-pid", str(server.pid), "--seconds", str(seconds),
                        "--json", out], check=True, stdout=subprocess.DEVNULL)
    finally:
        server.terminate()
        server.wait()
    take(out)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="at most, per workload")
    parser.add_argument("--tolerance", type=float, default=5, help="percent")
    args = parser.parse_args()
    build = args.build.resolve()
    builds = {args.revision: build_commit(args.revision, build.name), "now": build}
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in builds}
    units: dict[str, str] = {}
    for run in range(args.runs):
        for name in list(builds) if run % 2 == 0 else reversed(list(builds)):
            data = pathlib.Path(tempfile.mkdtemp(prefix="against-", dir=build))
            try:
                for row, (value, unit) in run_once(builds[name], build / "bench" / "holdfast_bench", data, args.seconds).items():
                    figures[name].setdefault(row, []).append(value)
                    units[row] = unit
            finally:
                shutil.rmtree(data, ignore_errors=True)
            print(f"run {run + 1} of {args.runs}: {name}", file=sys.stderr, flush=True)
    before, now = figures.values()
    width = max(map(len, now))
    print(f"\n{'':{width}}{args.revision:>16}{'now':>16}{'worse by':>12}   medians of {args.runs} alternating runs")
    slower = 0
    for row in now:
        if row not in before:
            continue
        old, new = statistics.median(before[row]), statistics.median(now[row])
        worse = 100 * ((old / new if units[row] == "/s" else new / old) - 1) if old and new else 0
        verdict = ""
        if row in JUDGED:
            verdict = "no" if worse > args.tolerance else "ok"
            slower += verdict == "no"
        cells = [f"{number(value)} {short(units[row])}" for value in (old, new)]
        print(f"{row:{width}}{cells[0]:>16}{cells[1]:>16}{worse:>+10.1f} %   {verdict}".rstrip())
    print(f"{sum(row in now for row in JUDGED) - slower} passed, {slower} failed")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
