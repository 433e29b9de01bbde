#!/usr/bin/env python3
"""The console with 100,000 runs and a run of 100,000 events, in Debian's chromium against the real server; each figure ends with `ok`
or `no` beside its target.

    ./dev bench people console [--minutes 10] [--runs 100000] [--events 100000]

The newest 300 runs are real; those below are rows as a server has them whose histories are gone.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api_e2e"))
import browser  # noqa: E402
from console_load import add_long_run, add_runs, heap, long_tasks, observe, scroll  # noqa: E402
from holdfast import Server, scripted_model  # noqa: E402

SCRIPT = """
models: [scripted]
replies:
  - when: {{last: "^speak"}}
    text: "{speak}"
    delay: 20ms
  - text: "Hello."
"""
AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: payer}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, timeout: 60m}}
  prompt: You speak.
"""
MIB = 1 << 20
REAL = 300
failed = []


def figure(what, value, unit, target):
    good = value <= target
    if not good:
        failed.append(what)
    print(f"{what:58} {value:9.1f} {unit:4} target {target:g} {unit:4} {'ok' if good else 'no'}", flush=True)


def first_rows(server, page):
    """From the navigation to rows that are painted; the page is loaded anew each time, its files are in the browser's cache."""
    times = []
    for _ in range(7):
        page.open("about:blank")
        page.open(f"{server.ready['http']}/runs")
        page.wait_for("document.querySelectorAll('.runs .run').length > 10")
        times.append(page.evaluate("Math.round(window.firstRows)"))
    figure("first rows of the runs screen, median of 7", statistics.median(times), "ms", 300)
    page.wait_for("!!document.querySelector('.histogram rect')", seconds=60)
    page.evaluate("window.longTasks = []")
    scroll(page, frames=300)
    figure("scrolling the runs: longest task", max(long_tasks(page), default=0), "ms", 50)
    began = time.monotonic()
    answer = server.get("/api/v1/run-histogram")
    figure(f"histogram of {answer.json['total']} runs", (time.monotonic() - began) * 1000, "ms", 500)


def long_run(server, page):
    began = time.monotonic()
    page.open(f"{server.ready['http']}/runs/long")
    page.wait_for("document.querySelector('.end.completed')?.textContent.includes('It was long.')", seconds=120)
    print(f"{'the long run is there after':58} {(time.monotonic() - began) * 1000:9.1f} ms; longest task {max(long_tasks(page), default=0)} ms")
    page.evaluate("window.longTasks = []")
    for by in (-400, 400, -400):
        scroll(page, frames=150, by=by)
    figure("scrolling the long run: longest task", max(long_tasks(page), default=0), "ms", 50)


# The page shows the beginning of a long text and says how much there is more.
SAID = """(() => {
  const text = document.querySelector('.say.model')?.textContent ?? '';
  return text.length + Number((/([\\d,]+) more characters/.exec(text)?.[1] ?? '0').replaceAll(',', ''));
})()"""


def stream(server, page, minutes):
    run = server.start_run("payer", "speak")
    page.open(f"{server.ready['http']}/runs/{run}")
    page.wait_for(f"{SAID} > 200")
    heaps, began = [heap(page)], time.monotonic()
    while time.monotonic() - began < minutes * 60:
        before = page.evaluate(SAID)
        page.wait_for(f"{SAID} > {before + 2000}", seconds=120)
        heaps.append(heap(page))
    said = page.evaluate(SAID)
    server.post(f"/api/v1/runs/{run}/terminate")
    print(f"{'heap while it streams, MiB':58} {[round(one / MIB, 1) for one in heaps[:: max(1, len(heaps) // 12)]]}, {said} characters")
    # Text is held as text and as the page's words.
    figure(f"heap after {minutes:g} minutes more than before and its text", (heaps[-1] - heaps[0] - 40 * said) / MIB, "MiB", 5)


FIRST_ROWS = "new MutationObserver(() => { if (!window.firstRows && document.querySelector('.runs .run')) requestAnimationFrame(() => { window.firstRows ??= performance.now(); }); }).observe(document, {childList: true, subtree: true});"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    if not browser.available():
        print("chromium is not installed: nothing was measured", file=sys.stderr)
        return 2
    binary = pathlib.Path(options.build).resolve() / "holdfast"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-console-"))
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with scripted_model(binary, folder, SCRIPT.format(speak="one two three four five six seven. " * 20_000)) as model:
        (folder / "agent.yaml").write_text(AGENT.format(model=model))
        server = Server(binary, folder / "data", "--agent", str(folder / "agent.yaml")).start()
        page = None
        try:
            runs = [server.start_run("payer", f"hello {i}") for i in range(REAL)]
            for run in runs:
                server.wait(run, seconds=60)
            server.stop()
            add_long_run(folder / "data", options.events)
            add_runs(folder / "data", options.runs)
            server.start()
            page = browser.Page(folder / "profile")
            observe(page)
            page.call("Page.addScriptToEvaluateOnNewDocument", source=FIRST_ROWS)
            first_rows(server, page)
            long_run(server, page)
            stream(server, page, options.minutes)
        finally:
            if page:
                page.close()
            server.close()
            shutil.rmtree(folder, ignore_errors=True)
    print(f"load after: {os.getloadavg()[0]:.1f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
