"""What flows cost and what planning them saves, on this machine, by one command; each figure ends with `ok` or `missed`
beside its bar, where it has one.

    ./dev bench flows [thirty|ten|temporal|syncs|plan|sandbox|map|load|all] [--runs 100] [--items 100000] [--concurrent 1000]

    thirty      the graph of examples/flows/thirty.yaml with blocks that do nothing, by V1 to V4: activities, and latency where
                an activity costs what it costs here, 50 ms more and 100 ms more (bench/flows/slow_engine.cc)
    ten         ten blocks in a row by V1
    temporal    that graph by V3 here, by V1 on a real Temporal's development server, tuned and as shipped (needs Go)
    syncs       what it takes above a flow of a start alone: syncs of the disk (needs strace), latency
    plan        planning 10,000 blocks; V4 beside V3 on 200 random graphs
    sandbox     an expression, a block, 1,000 tenants in turn (bench/sandbox_bench.cc)
    map         memory for a map over 100,000 items of 1 KB
    load        1,000 runs of thirty blocks at once
"""

import argparse
import concurrent.futures
import datetime
import http.client
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from bench_flows_house import House, chain, flow_text, house, p99, slow_engine, syncs_of, temporal, thirty_blocks

PLANNERS = ("V1", "V2", "V3", "V4")
BLOCKS_ACTIVITY = "flow.blocks"  # how those of blocks begin; every other activity of a run is its own bookkeeping: its begin and its end
THIRTY = "thirty-v3"
outcomes = {"ok": 0, "missed": 0}


def figure(what: str, value: float, unit: str, bar: float | None = None, at_least: bool = False) -> None:
    line = f"{what:74} {value:10.2f} {unit:5}"
    if bar is not None:
        outcome = "ok" if (value >= bar if at_least else value <= bar) else "missed"
        outcomes[outcome] += 1
        line += f" {'≥' if at_least else '≤'} {bar:g} {outcome}"
    print(line.rstrip(), flush=True)


def thirty_by(planner: str) -> str:
    return f"thirty-{planner.lower()}"


def apply_thirty(server: House, planners=PLANNERS) -> None:
    for planner in planners:
        server.apply(thirty_by(planner), thirty_blocks(thirty_by(planner), planner))


# ---- thirty


def as_here(build: pathlib.Path, folder: pathlib.Path, options) -> None:
    with house(build, folder / "here") as server:
        apply_thirty(server)
        times, activities = {}, {}
        for planner in PLANNERS:
            times[planner] = server.times(thirty_by(planner), options.runs)
            activities[planner] = server.activities(thirty_by(planner))
        for planner in PLANNERS:
            figure(f"30 blocks, {planner}: activities", activities[planner], "")
        figure("30 blocks: V1's activities for each of V3's", activities["V1"] / activities["V3"], "x", 5, at_least=True)
        for planner in PLANNERS:
            figure(f"30 blocks, {planner}, nothing added: p50", statistics.median(times[planner]), "ms")
            figure(f"30 blocks, {planner}, nothing added: p99", p99(times[planner]), "ms")
        figure("30 blocks, nothing added: V3 faster than V1", statistics.median(times["V1"]) / statistics.median(times["V3"]), "x")


def dearer(build: pathlib.Path, folder: pathlib.Path, ms: int, only_blocks: bool, options) -> None:
    """Our engine, with activities that are dearer, and a server whose workers are there."""
    of = "each block activity" if only_blocks else "every activity, the run's own two too"
    name = f"{ms}-{'blocks' if only_blocks else 'all'}"
    with slow_engine(build, folder / f"engine-{name}", ms, BLOCKS_ACTIVITY if only_blocks else "") as address:
        with house(build, folder / f"worker-{name}", engine=address) as server:
            apply_thirty(server)
            p50 = {planner: statistics.median(server.times(thirty_by(planner), max(3, options.runs // 20), warm=1))
                   for planner in PLANNERS}
    for planner in PLANNERS:
        figure(f"30 blocks, {planner}, {ms} ms more for {of}: p50", p50[planner], "ms")
    # 30 activities against the 4 that wait for each other are 7.5: what the seeds call about eight.
    figure(f"30 blocks, {ms} ms more for {of}: V3 faster than V1", p50["V1"] / p50["V3"], "x",
           7 if only_blocks else None, at_least=True)
    figure(f"30 blocks, {ms} ms more for {of}: V4 slower than V3", p50["V4"] / p50["V3"], "x", 1.1)


def thirty(build: pathlib.Path, folder: pathlib.Path, options) -> None:
    as_here(build, folder, options)
    for ms in (50, 100):
        for only_blocks in (True, False):
            dearer(build, folder, ms, only_blocks, options)


# ---- ten, temporal, syncs


def ten(build: pathlib.Path, folder: pathlib.Path, options) -> None:
    with house(build, folder / "ten") as server:
        server.apply("ten", chain("ten", "V1", 10))
        times = server.times("ten", options.runs)
        figure("ten blocks in a row, V1: activities", server.activities("ten"), "")
    # The seeds name a second for them, at 50 to 100 ms an activity.
    figure("ten blocks in a row, V1: p50", statistics.median(times), "ms", 50)
    figure("ten blocks in a row, V1: p99", p99(times), "ms", 100)


def on_temporal(build: pathlib.Path, folder: pathlib.Path, tuned: bool, runs: int) -> float | None:
    folder.mkdir(parents=True)
    with temporal(folder / "temporal", tuned) as address:
        if address is None:
            return None
        with house(build, folder / "worker", engine=address) as server:
            apply_thirty(server, ["V1"])
            return statistics.median(server.times(thirty_by("V1"), runs, warm=1))


def beside_temporal(build: pathlib.Path, folder: pathlib.Path, options) -> None:
    with house(build, folder / "here") as server:
        apply_thirty(server, ["V3"])
        ours = statistics.median(server.times(THIRTY, options.runs))
    figure("30 blocks, V3, here: p50", ours, "ms")
    for tuned, name, bar in ((True, "tuned", 40), (False, "as shipped", None)):
        theirs = on_temporal(build, folder / name.replace(" ", "-"), tuned, max(3, options.runs // 10 if tuned else 5))
        if theirs is None:
            return
        figure(f"30 blocks, V1, on Temporal {name}: p50", theirs, "ms")
        figure(f"30 blocks: V3 here faster than V1 on Temporal {name}", theirs / ours, "x", bar, at_least=True)


def syncs(build: pathlib.Path, folder: pathlib.Path, options) -> None:
    flows = {"nothing": flow_text("nothing", "V3", ["{id: begin, type: start}"]), THIRTY: thirty_blocks(THIRTY, "V3")}
    with house(build, folder / "latency") as server:
        for name, text in flows.items():
            server.apply(name, text)
        p50 = {name: statistics.median(server.times(name, options.runs)) for name in flows}
    figure("a flow of its start alone: p50", p50["nothing"], "ms")
    figure("30 blocks that do nothing, V3: p50", p50[THIRTY], "ms")
    figure("30 blocks that do nothing, V3: as long as a start alone", p50[THIRTY] / p50["nothing"], "x", 3)
    counted = syncs_of(build, folder / "syncs", flows, 20)
    if counted is None:
        print("syncs: skipped, there is no strace")
        return
    for name, files in counted.items():
        for what, count in sorted(files.items()):
            figure(f"  syncs of {what}, one run of {name}", count, "")
    figure("syncs of 30 blocks above those of a start alone",
           sum(counted[THIRTY].values()) - sum(counted["nothing"].values()), "", 6)


# ---- plan, sandbox


def plan(build: pathlib.Path, _folder: pathlib.Path, _options) -> None:
    said = json.loads(subprocess.run([build / "bench" / "holdfast_plan_bench"], stdout=subprocess.PIPE, check=True).stdout)
    large = said["large"]
    for planner in PLANNERS:
        figure(f"planning {large['blocks']} blocks (seed {said['large_seed']}), {planner}", large[planner], "ms", 500 if planner == "V4" else 50)
    graphs = better = worse = 0
    for row in said["compared"]:
        graphs, better, worse = graphs + row["graphs"], better + row["better"] + row["shorter"], worse + row["worse"]
        print(f"  {row['graphs']} graphs of {said['compared_blocks']} blocks, {100 * row['dedicated']:.0f} % dedicated: V4 has fewer activities on "
              f"{row['better']}, as many and a shorter way on {row['shorter']}; {row['activities_v4']} in all, V3 {row['activities_v3']}")
    figure(f"V4 better than V3, of {graphs} random graphs (seed {said['compared_seed']}, src/flows/plan/test_graphs.h)",
           100 * better / graphs, "%", 50, at_least=True)
    figure("V4 worse than V3, in activities or critical path", worse, "", 0)


def sandbox(build: pathlib.Path, _folder: pathlib.Path, _options) -> None:
    done = subprocess.run([build / "bench" / "holdfast_sandbox_bench"], stdout=subprocess.PIPE, text=True, check=False)
    rows = re.findall(r"^\| (level \d) \| (.*) \| ([\d.]+) (.*?) \| (?:<= ([\d.]+) \S+)? \|$", done.stdout, re.M)
    if not rows:
        print("sandbox: skipped, this machine has none: holdfast doctor says why")
    for level, what, value, unit, bar in rows:
        figure(f"sandbox, {level}: {what}", float(value), unit.replace("% of one core", "%"), float(bar) if bar else None)


# ---- map, load


def over_many(build: pathlib.Path, folder: pathlib.Path, options) -> None:
    make = f"{{id: row, type: transform, with: {{value: {{n: \"{{{{ index }}}}\", pad: {'x' * 1000}}}}}}}"
    text = flow_text("many", "V3", [
        "{id: begin, type: start}",
        f"{{id: make, type: map, needs: [begin], with: {{over: {options.items}}}, blocks: [{make}]}}",
        "{id: again, type: map, needs: [make], with: {over: \"{{ blocks.make }}\"}, "
        "blocks: [{id: n, type: transform, with: {value: \"{{ item.n }}\"}}]}",
        "{id: reply, type: respond, needs: [again], with: {value: \"{{ blocks.again.length }}\"}}"])
    with house(build, folder / "map") as server:
        server.apply("many", text)
        took = server.run("many", seconds=1200)
        output = server.call("GET", "/api/v1/runs/many-1")["output"]
        if output != options.items:
            sys.exit(f"the map came to {output!r}")
        figure(f"{options.items} items of 1 KB made, and gone over: time", took / 1000, "s")
        figure(f"{options.items} items of 1 KB made, and gone over: most memory of the server", server.memory_mb("VmHWM"), "MB", 300)


def start_many(server: House, flow: str, count: int) -> None:
    local = threading.local()

    def one(number: int) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(server.host, timeout=120)
        server.call("POST", f"/api/v1/flows/{flow}/runs", {"input": None, "id": f"load-{number}"}, local.connection)

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        list(threads.map(one, range(count)))


def all_runs(server: House, flow: str) -> list[dict]:
    runs, cursor = [], ""
    while True:
        page = server.call("GET", f"/api/v1/runs?agent=flow:{flow}&limit=100{cursor}")
        runs += page["runs"]
        if not page.get("next_cursor"):
            return runs
        cursor = f"&cursor={page['next_cursor']}"


def seconds_of(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def most_at_once(spans: list[tuple[float, float]]) -> int:
    open_now = most = 0
    for _, change in sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans]):
        open_now += change
        most = max(most, open_now)
    return most


def load(build: pathlib.Path, folder: pathlib.Path, options) -> None:
    with house(build, folder / "load") as server:
        apply_thirty(server, ["V3"])
        server.times(THIRTY, 1)
        begun = time.monotonic()
        start_many(server, THIRTY, options.concurrent)
        while server.call("GET", f"/api/v1/runs?agent=flow:{THIRTY}&status=running&limit=1")["runs"]:
            if time.monotonic() - begun > 600:
                sys.exit("not all runs have ended within ten minutes")
            time.sleep(0.05)
        took = time.monotonic() - begun
        runs = [run for run in all_runs(server, THIRTY) if run["id"].startswith("load-")]
        memory = server.memory_mb("VmHWM")
    if len(runs) != options.concurrent or any(run["status"] != "completed" for run in runs):
        sys.exit(f"of {options.concurrent} runs {sum(run['status'] == 'completed' for run in runs)} have completed")
    spans = [(seconds_of(run["started_at"]), seconds_of(run["closed_at"])) for run in runs]
    times = [1000 * (end - begin) for begin, end in spans]
    figure(f"{options.concurrent} runs of 30 blocks, V3: open at once", most_at_once(spans), "")
    figure(f"{options.concurrent} runs of 30 blocks, V3: from the first start to the last end", options.concurrent / took, "/s")
    figure(f"{options.concurrent} runs of 30 blocks, V3: start to end, p50", statistics.median(times), "ms")
    figure(f"{options.concurrent} runs of 30 blocks, V3: start to end, p99", p99(times), "ms")
    figure(f"{options.concurrent} runs of 30 blocks, V3: most memory of the server", memory, "MB")


FIGURES = {"thirty": thirty, "ten": ten, "temporal": beside_temporal, "syncs": syncs, "plan": plan, "sandbox": sandbox,
           "map": over_many, "load": load}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figure", nargs="?", choices=[*FIGURES, "all"], default="all")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=100, help="of each row; fewer of the slow ones (100)")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--concurrent", type=int, default=1000)
    options = parser.parse_args()
    build = options.build.resolve()
    for name in FIGURES if options.figure == "all" else [options.figure]:
        print(f"\n== {name}", flush=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="flows-", dir=build))
        try:
            FIGURES[name](build, folder / name, options)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{outcomes['ok']} ok, {outcomes['missed']} missed")
    return 1 if outcomes["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
