"""Ten turns of a model and an SQL tool, killed again and again in the middle: what was said, what was counted and what was told are
there once, whole and in order. The turns wait for the disk as little as they may (docs/adr/0063), so every place is a place to die.
"""

import json
import pathlib
import random
import sqlite3
import subprocess
import sys
import time

import pytest
from holdfast import Server

MODEL = pathlib.Path(__file__).resolve().parents[2] / "bench" / "agents" / "instant_model.py"
AGENT = """\
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: orders}}
spec:
  model: {{provider: openai, name: instant, base_url: "http://127.0.0.1:{port}/v1"}}
  prompt: You look at orders.
  tools:
    - name: find_order
      type: sql
      description: One order by its number.
      parameters: {{properties: {{order_id: {{type: integer}}}}, required: [order_id]}}
      sql: {{database: "{database}", statement: "SELECT id, item FROM orders WHERE id = :order_id"}}
"""
ROUNDS = 6


@pytest.fixture
def orders(binary, tmp_path):
    database = tmp_path / "orders.db"
    with sqlite3.connect(database) as rows:
        rows.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
        rows.executemany("INSERT INTO orders VALUES (?, ?)", [(n, f"thing {n}") for n in range(1, 11)])
    model = subprocess.Popen([sys.executable, MODEL, "--turns", "10"], stdout=subprocess.PIPE, text=True)
    file = tmp_path / "orders.yaml"
    file.write_text(AGENT.format(port=int(model.stdout.readline()), database=database))
    one = Server(binary, tmp_path / "data", "--agent", str(file)).start()
    yield one
    one.close()
    model.kill()
    model.wait()


def rows_of(server, name, sql, *values):
    with sqlite3.connect(f"file:{server.data}/platform/{name}.db?mode=ro", uri=True) as database:
        return database.execute(sql, values).fetchall()


def check_told(server, run):
    events = rows_of(server, "streams", "SELECT seq, type, data, step, attempt, start FROM events WHERE run = ? ORDER BY seq", run)
    assert [event[0] for event in events] == list(range(1, len(events) + 1))
    completed, texts = {}, {}
    for _, kind, data, step, attempt, start in events:
        if kind == "step.completed":
            told = json.loads(data)
            completed.setdefault(told["step"], []).append(told)
        if kind == "delta":
            attempts = texts.setdefault(step, {})
            assert start == len(attempts.get(attempt, "")), "text is lost, or there twice"
            attempts[attempt] = attempts.get(attempt, "") + data
    assert sorted(completed) == list(range(1, 22))
    for step, told in completed.items():
        assert len(told) == 1, f"step {step} is told {len(told)} times"
        if told[0]["kind"] == "model":
            attempts = texts[str(step)] if told[0]["text"] else {0: ""}
            assert attempts[max(attempts)] == told[0]["text"]


def test_nothing_is_lost_or_told_twice(orders):
    chance = random.Random(63)
    for n in range(ROUNDS):
        run = orders.start_run("orders", "Look at ten orders.", id=f"killed-{n}")
        for _ in range(chance.randint(1, 3)):
            time.sleep(chance.random() / 5)  # chance, not a wait for something
            orders.kill()
            orders.start()
        deadline = time.monotonic() + 60
        while (shown := orders.get(f"/api/v1/runs/{run}").json)["status"] in ("queued", "running"):
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)
        assert shown["output"] == "All orders were looked at."
        assert len(shown["steps"]) == 21
        check_told(orders, run)
        counted = rows_of(orders, "platform", "SELECT sum(tool = ''), sum(tool = 'find_order') FROM usage WHERE run = ?", run)
        assert counted == [(11, 10)]
        assert rows_of(orders, "platform", "SELECT count(*) FROM steps WHERE run = ? AND key LIKE 'tool:%'", run) == [(10,)]
        assert rows_of(orders, "platform", "SELECT count(*) FROM messages WHERE conversation = ?", run) == [(22,)]
