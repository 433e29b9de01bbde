"""What the console is measured by: rows that stand for many runs and for a long one, long tasks of a page, its heap."""

import json
import sqlite3
import time

# Every task of the main thread that takes longer than 50 ms, from the start of the page on.
OBSERVE = """
window.longTasks = [];
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.longTasks.push(Math.round(one.duration)); }).observe({type: 'longtask', buffered: true});
"""
# As a wheel does, frame by frame; the answer is how far.
SCROLL = """
new Promise((done) => {
  let frames = %d, from = scrollY;
  const step = () => { scrollBy(0, %d); frames-- > 0 ? requestAnimationFrame(step) : done(Math.abs(scrollY - from)); };
  requestAnimationFrame(step);
})
"""


def add_runs(data, count, agent="payer"):
    """Rows of runs that are over, older than all that are there, as a server has them whose histories are gone. It must not be running."""
    now = time.time_ns()
    with sqlite3.connect(data / "platform" / "platform.db") as db:
        first = db.execute("SELECT coalesce(min(n), 1000000000) FROM runs").fetchone()[0] - count
        words = ("completed", "completed", "completed", "failed")
        rows = [(first + i, f"old-{i}", words[i % 4], now - (count - i + 60) * 1_000_000_000) for i in range(count)]
        db.executemany("INSERT INTO runs (n, run, agent, definition_hash, input, fingerprint, request_id, engine_run_id, created_at, started_at)"
                       f" VALUES (?1, ?2, '{agent}', '', '\"an old one\"', '', ?2, 'gone', ?4, ?4)", [(n, run, word, at) for n, run, word, at in rows])
        db.executemany("INSERT INTO gone_histories (run, status, closed_at, at) VALUES (?2, ?3, ?4, ?4)", rows)
        db.executemany("INSERT INTO bills (run, parent, agent, version, status, error_type, calls, tool_calls, input_tokens, output_tokens, cached_input_tokens,"
                       " cache_write_tokens, reasoning_tokens, cost, unpriced_calls, uncounted_calls, price_as_of, unsettled_cost, begun_at, ended_at)"
                       f" VALUES (?2, '', '{agent}', '', ?3, '', 1, 0, 10, 10, 0, 0, 0, 0, 0, 0, '', 0, ?4, ?4)", rows)


def add_long_run(data, events, run="long"):
    """A run whose log has so many events: steps of five each. The server must not be running."""
    add_runs(data, 1)
    now = time.time_ns()
    with sqlite3.connect(data / "platform" / "platform.db") as db:
        for table in ("runs", "gone_histories", "bills"):
            db.execute(f"UPDATE {table} SET run = ?1 WHERE run = 'old-0'", (run,))
    with sqlite3.connect(data / "platform" / "streams.db") as db:
        rows = [(run, 1, "run.started", json.dumps({"agent": "payer", "version": "", "input": "a long one"}), now)]
        step = 0
        while len(rows) < events - 2:
            step += 1
            told = {"step": step, "kind": "sql", "name": f"look {step}"}
            for kind, more in (("step.started", {"arguments": {"order": step}}), ("step.retrying", {"attempt": 1, "error": "busy"}), ("step.started", {"attempt": 2}),
                               ("step.retrying", {"attempt": 2, "error": "busy"}), ("step.completed", {"attempt": 3, "result": f"row {step}"})):
                rows.append((run, len(rows) + 1, kind, json.dumps({**told, **more}), now + len(rows) * 1_000_000))
        rows.append((run, len(rows) + 1, "run.completed", json.dumps({"output": "It was long."}), now + len(rows) * 1_000_000))
        db.executemany("INSERT INTO events (run, seq, type, data, at) VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("INSERT INTO events (run, seq, type, data, at, key) VALUES (?, ?, 'run.closed', ?, ?, 'run.closed')",
                   (run, len(rows) + 1, json.dumps({"status": "completed"}), now + len(rows) * 1_000_000))
    return step


def observe(page):
    page.call("Page.addScriptToEvaluateOnNewDocument", source=OBSERVE)


def long_tasks(page) -> list:
    return page.evaluate("window.longTasks")


def heap(page) -> int:
    """Bytes that are held when all that is not is collected."""
    page.call("HeapProfiler.collectGarbage")
    return page.call("Runtime.getHeapUsage")["usedSize"]


def scroll(page, frames=120, by=400):
    return page.evaluate(SCROLL % (frames, by))
