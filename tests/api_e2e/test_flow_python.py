"""Blocks in Python: on the real server, in its sandbox, with the interpreter of this machine."""

import json
import pathlib
import subprocess

import pytest
from test_flow_runs import apply, server, start, statuses, whole_log  # noqa: F401

pytestmark = pytest.mark.skipif(not pathlib.Path("/usr/bin/python3").exists(), reason="this machine has no /usr/bin/python3")

TOTALS = """
- {id: begin, type: start}
- {id: orders, type: code, needs: [begin], with: {code: "return input.orders.filter(o => o.open)"}}
- id: totals
  type: code
  needs: [orders]
  with:
    language: python
    code: |
      from collections import Counter
      totals = Counter()
      for order in blocks["orders"]:
          totals[order["customer"]] += order["cents"]
      print("customers:", len(totals))
      return {"totals": dict(totals), "largest": max(totals, key=totals.get)}
- {id: reply, type: respond, needs: [totals], with: {value: "{{ blocks.totals }}"}}
"""


def test_python_stands_between_javascript(server):
    apply(server, "totals", TOTALS)
    orders = [{"customer": "ann", "cents": 9007199254740993, "open": True}, {"customer": "bob", "cents": 5, "open": True},
              {"customer": "bob", "cents": 7, "open": True}, {"customer": "eve", "cents": 1, "open": False}]
    ended = server.wait(start(server, "totals", {"orders": orders}))
    assert ended["output"] == {"totals": {"ann": 9007199254740993, "bob": 12}, "largest": "ann"}, ended
    assert statuses(ended) == {name: "completed" for name in ("begin", "orders", "totals", "reply")}


def failing(server, name, code, data=None):
    apply(server, name, f"""
- {{id: begin, type: start}}
- {{id: made, type: code, needs: [begin], with: {{language: python, code: {json.dumps(code)}}}}}
""")
    ended = server.wait(start(server, name, data or {}))
    assert ended["status"] == "failed", ended
    return ended["error"]["type"], ended["error"]["message"]


def test_a_failure_says_what_and_where(server):
    assert failing(server, "thrown", "rows = input['rows']\nreturn rows[0] / rows[1]", {"rows": [1, 0]}) == (
        "exception", "block `made`: line 2, column 8: ZeroDivisionError: division by zero")
    kind, message = failing(server, "syntax", "return (1\n")
    assert kind == "syntax_error" and "line 1" in message
    assert failing(server, "no-json", "return {'a': {1, 2}}")[0] == "no_json_result"
    assert failing(server, "loop", "while True: pass")[0] == "time_limit"
    assert failing(server, "memory", "return len(bytes(10 ** 9))")[0] == "memory_limit"
    assert failing(server, "gone", "import os\nos._exit(7)")[0] == "sandbox_died"
    kind, message = failing(server, "outside", "import socket\nsocket.create_connection(('127.0.0.1', 80))")
    assert kind == "exception" and "line 2" in message and "PermissionError" in message


def test_an_error_outlet_takes_it_on(server):
    apply(server, "handled", """
- {id: begin, type: start}
- {id: made, type: code, needs: [begin], with: {language: python, code: "return int(input['n'])"}}
- {id: fine, type: respond, needs: [made], with: {value: "{{ blocks.made }}"}}
- {id: bad, type: respond, needs: [made.error], with: {value: "{{ blocks.made.error.message }}"}}
""")
    assert server.wait(start(server, "handled", {"n": "12"}))["output"] == 12
    assert "ValueError" in server.wait(start(server, "handled", {"n": "x"}))["output"]


def test_what_it_wrote_is_in_the_events(server):
    apply(server, "says", """
- {id: begin, type: start}
- {id: said, type: code, needs: [begin], with: {language: python, code: "import sys; print('one'); print('two', file=sys.stderr); return 1 / input['n']"}}
- {id: reply, type: respond, needs: [said, both], join: any, with: {value: "{{ blocks.said }}"}}
- {id: both, type: code, needs: [said.error], with: {code: "console.log('in JavaScript'); return 1"}}
""")
    for n in (1, 0):
        run = start(server, "says", {"n": n})
        server.wait(run)
        logs = {data["name"]: data.get("log") for type, data in whole_log(server, run) if type in ("step.completed", "step.failed")}
        assert logs["said"] == "one\ntwo\n", logs
        assert n == 1 or logs["both"] == "in JavaScript\n", logs


def test_the_example(binary):
    file = pathlib.Path(__file__).resolve().parents[2] / "examples/flows/totals.yaml"
    done = subprocess.run([binary, "flow", "test", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_operators_packages_are_there(binary, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "ours.py").write_text("def twice(n):\n    return n * 2\n")
    done = subprocess.run([binary, "sandbox", "eval", "-", "--python", "--python-packages", packages, "--input", '{"n":21}'],
                          capture_output=True, text=True, input="import ours\nreturn ours.twice(n)")
    assert done.stdout == "42\n", done.stderr


def test_from_the_command_line(binary, tmp_path):
    script = tmp_path / "one.py"
    script.write_text("print('hello')\nreturn [n + 1, input]\n")
    done = subprocess.run([binary, "sandbox", "eval", script, "--input", '{"n":9007199254740993,"input":null}'],
                          capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[9007199254740994,null]\n", "hello\n")
    script.write_text("return 1 +\n")
    done = subprocess.run([binary, "sandbox", "eval", script], capture_output=True, text=True)
    assert done.returncode == 5 and "1:11: SyntaxError: invalid syntax" in done.stderr
    assert subprocess.run([binary, "sandbox", "eval", "-e", "1", "--python"], capture_output=True).returncode == 2


def test_the_doctor_shows_it(binary, tmp_path):
    done = subprocess.run([binary, "doctor", "--json", "--data", str(tmp_path / "data")], capture_output=True, text=True)
    check = next(row for row in json.loads(done.stdout)["checks"] if row["check"] == "python")
    assert check["verdict"] == "ok" and check["version"].startswith("3."), check
