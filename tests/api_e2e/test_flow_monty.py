"""Blocks in Monty: on the real server, in its sandbox, with the real program of the tests' environment."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from holdfast import Server
from test_flow_runs import apply, flow, start, statuses, whole_log

TOTALS = """
- {id: begin, type: start}
- {id: orders, type: code, needs: [begin], with: {code: "return input.orders.filter(o => o.open)"}}
- id: totals
  type: code
  needs: [orders]
  with:
    language: LANGUAGE
    code: |
      totals = {}
      for order in blocks["orders"]:
          totals[order["customer"]] = totals.get(order["customer"], 0) + order["cents"]
      print("customers:", len(totals))
      return {"totals": totals, "largest": max(totals, key=lambda name: totals[name])}
- {id: reply, type: respond, needs: [totals], with: {value: "{{ blocks.totals }}"}}
"""
ORDERS = {"orders": [{"customer": "ann", "cents": 9007199254740993, "open": True}, {"customer": "bob", "cents": 5, "open": True},
                     {"customer": "bob", "cents": 7, "open": True}, {"customer": "eve", "cents": 1, "open": False}]}


@pytest.fixture(scope="module")
def monty():
    """Where everybody may run it: at level 2 it is nobody who does."""
    installed = pathlib.Path(sys.executable).parent / "monty"
    assert installed.exists(), f"{installed} is not there: tests/requirements.txt has pydantic-monty-runtime, tools/venv.sh installs it"
    folder = pathlib.Path("/tmp") / f"holdfast-monty-api-{os.getpid()}"
    folder.mkdir()
    shutil.copy(installed, folder / "monty")
    yield folder / "monty"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server(binary, monty, tmp_path_factory):
    one = Server(binary, tmp_path_factory.mktemp("monty") / "data", "--monty", str(monty)).start()
    yield one
    one.close()


def test_both_pythons_run_the_same_code(server):
    for language in ("monty", "python"):
        apply(server, f"totals-{language}", TOTALS.replace("LANGUAGE", language))
        ended = server.wait(start(server, f"totals-{language}", ORDERS))
        assert ended["output"] == {"totals": {"ann": 9007199254740993, "bob": 12}, "largest": "ann"}, ended
        assert statuses(ended) == {name: "completed" for name in ("begin", "orders", "totals", "reply")}


def failing(server, name, code, data=None):
    apply(server, name, f"""
- {{id: begin, type: start}}
- {{id: made, type: code, needs: [begin], with: {{language: monty, code: {json.dumps(code)}}}}}
""")
    ended = server.wait(start(server, name, data or {}))
    assert ended["status"] == "failed", ended
    return ended["error"]["type"], ended["error"]["message"]


def test_a_failure_says_what_and_where(server):
    assert failing(server, "thrown", "rows = input['rows']\nreturn rows[0] / rows[1]", {"rows": [1, 0]}) == (
        "exception", "block `made`: line 2, column 8: ZeroDivisionError: division by zero")
    kind, message = failing(server, "generator", "def f():\n  yield 1\nreturn list(f())")
    assert kind == "syntax_error" and "line 2, column 3: NotImplementedError" in message and "`language: python`" in message
    assert failing(server, "no-json", "return {'a': {1, 2}}")[0] == "no_json_result"
    assert failing(server, "loop", "while True: pass")[0] == "time_limit"
    assert failing(server, "memory", "return 'x' * 10 ** 10")[0] == "memory_limit"
    for code in ("import socket", "open('/etc/passwd')", "import os\nos.environ", "import subprocess"):
        kind, message = failing(server, "outside", code)
        assert kind == "exception" and f"line {code.count(chr(10)) + 1}" in message, message


def test_what_it_wrote_is_in_the_events(server):
    apply(server, "says", """
- {id: begin, type: start}
- {id: said, type: code, needs: [begin], with: {language: monty, code: "import sys\\nprint('one')\\nprint('two', file=sys.stderr)\\nreturn 1"}}
""")
    run = start(server, "says", {})
    server.wait(run)
    logs = {data["name"]: data.get("log") for type, data in whole_log(server, run) if type == "step.completed"}
    assert logs["said"] == "one\ntwo\n", logs


def test_a_server_without_it_refuses_the_flow(binary, tmp_path):
    bare = Server(binary, tmp_path / "data").start()
    try:
        refused = bare.request("PUT", "/api/v1/flows/totals", flow("totals", TOTALS.replace("LANGUAGE", "monty")))
        assert refused.status == 409, refused.text
        assert "block `totals`" in refused.text and "--monty" in refused.text, refused.text
    finally:
        bare.close()


def test_from_the_command_line(binary, monty, tmp_path):
    script = tmp_path / "one.py"
    script.write_text("print('hello')\nreturn [n + 1, input]\n")

    def evaluate(*arguments):
        return subprocess.run([binary, "sandbox", "eval", *arguments], capture_output=True, text=True)

    for level in ("1", "2"):
        done = evaluate(script, "--monty", monty, "--level", level, "--input", '{"n":9007199254740993,"input":null}')
        assert (done.stdout, done.stderr) == ("[9007199254740994,null]\n", "hello\n")
    script.write_text("a = 1\ndel a\n")
    done = evaluate(script, "--monty", monty)
    assert done.returncode == 5 and "2:1: NotImplementedError" in done.stderr
    assert evaluate("-e", "1", "--monty", monty).returncode == 2
    assert evaluate(script, "--monty", "/nowhere/monty").returncode == 2


def test_cases_of_a_flow_run_it(binary, monty, tmp_path):
    file = tmp_path / "totals.yaml"
    file.write_text(flow("totals", TOTALS.replace("LANGUAGE", "monty")))
    output = {"totals": {"ann": 9007199254740993, "bob": 12}, "largest": "ann"}
    (tmp_path / "totals.test.yaml").write_text(json.dumps({"tests": [{"name": "one", "input": ORDERS, "expect": {"output": output}}]}))
    done = subprocess.run([binary, "flow", "test", file], capture_output=True, text=True, env={**os.environ, "HOLDFAST_MONTY": str(monty)})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_doctor_shows_it(binary, monty, tmp_path):
    def check(*more):
        done = subprocess.run([binary, "doctor", "--json", "--data", str(tmp_path / "data"), *more], capture_output=True, text=True)
        return next(row for row in json.loads(done.stdout)["checks"] if row["check"] == "monty")

    there = check("--monty", str(monty))
    assert there["verdict"] == "ok" and "Monty" in there["version"], there
    assert "--monty" in check()["detail"]
    assert check("--monty", "/bin/true")["verdict"] == "warn"
