"""Flow files from the command line: schema, layout, differences, cases, parts, import. Without a server, but for a comparison
with what one has."""

import contextlib
import json
import pathlib
import shutil
import subprocess

import pytest
from holdfast import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples" / "flows").glob("*.yaml"))

FLOW = """apiVersion: holdfast.dev/v1
kind: Flow
metadata: {name: refund}
spec:
  blocks:
    - {id: begin, type: start}
    - id: find
      type: http
      needs: [begin]
      with: {http: {url: "https://shop.example/orders/{id}"}, arguments: {id: "{{ input.order }}"}}
    - id: pay
      type: http
      needs: [find]
      with:
        http: {method: POST, url: "https://pay.example/"}
        effect: idempotent
        arguments: {order: "{{ blocks.find.id }}", amount: "{{ input.amount }}"}
    - {id: reply, type: respond, needs: [pay], with: {value: {receipt: "{{ blocks.pay.id }}"}}}
    - {id: sorry, type: respond, needs: [pay.error], with: {value: "{{ 'sorry: ' + blocks.pay.error.message }}"}}
"""

CASES = """tests:
  - name: paid
    input: {order: 7, amount: 250}
    pinned: {find: {value: {id: 70}}, pay: {value: {id: 9007199254740993}}}
    expect:
      arguments: {find: {id: 7}, pay: {order: 70, amount: 250}}
      outlets: {pay: done, sorry: skipped}
      output: {receipt: 9007199254740993}
  - name: refused
    input: {order: 7, amount: 250}
    pinned: {find: {value: {id: 70}}, pay: {error: {message: no}}}
    expect: {outlets: {pay: error, reply: skipped}, output: "sorry: no"}
"""


@pytest.fixture
def holdfast(binary, tmp_path):
    def run(*arguments, stdin=""):
        return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, input=stdin, cwd=tmp_path)

    return run


@pytest.fixture
def refund(tmp_path):
    (tmp_path / "refund.yaml").write_text(FLOW)
    (tmp_path / "refund.test.yaml").write_text(CASES)
    return tmp_path / "refund.yaml"


def test_the_schema_names_every_type(holdfast):
    schema = json.loads(holdfast("flow", "schema").stdout)
    types = schema["$defs"]["block"]["properties"]["type"]["enum"]
    assert {"start", "http", "code", "branch", "wait"} <= set(types)
    assert len(schema["$defs"]["block"]["allOf"]) == len(types)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_layout_is_itself_on_every_example(holdfast, tmp_path, example):
    once = holdfast("flow", "fmt", "-", stdin=example.read_text())
    assert once.returncode == 0, once.stderr
    assert holdfast("flow", "fmt", "-", stdin=once.stdout).stdout == once.stdout
    comments = [line.split("#", 1)[1] for line in example.read_text().splitlines() if "#" in line]
    assert [line.split("#", 1)[1] for line in once.stdout.splitlines() if "#" in line] == comments


def test_layout_rewrites_a_file_and_says_which(holdfast, refund):
    version = json.loads(holdfast("flow", "validate", refund, "--json").stdout)
    head, blocks = FLOW.split("  blocks:\n")
    crooked = head.replace("kind:", "# first\nkind :") + "  blocks:\n" + "".join("   " + line for line in blocks.splitlines(True)) + "\n\n\n"
    refund.write_text(crooked)
    refund.chmod(0o640)
    checked = holdfast("flow", "fmt", "--check", refund)
    assert (checked.returncode, checked.stdout) == (1, f"{refund}\n") and refund.read_text() == crooked
    assert holdfast("flow", "fmt", refund).returncode == 0
    assert refund.read_text() == FLOW.replace("kind:", "# first\nkind:") and refund.stat().st_mode & 0o777 == 0o640
    assert holdfast("flow", "fmt", "--check", refund).returncode == 0
    assert json.loads(holdfast("flow", "validate", refund, "--json").stdout) == version
    refund.write_text("a: [\n")
    broken = holdfast("flow", "fmt", refund)
    assert broken.returncode == 2 and "broken YAML" in broken.stderr and refund.read_text() == "a: [\n"


def test_cases_run_without_a_server_and_call_nothing(holdfast, refund, tmp_path):
    done = holdfast("flow", "test", refund)
    assert done.stdout.splitlines() == ["ok    paid", "ok    refused", "2 passed, 0 failed"] and done.returncode == 0, done
    assert holdfast("flow", "test", tmp_path / "refund.test.yaml", "--case", "paid").stdout.endswith("1 passed, 0 failed\n")
    (tmp_path / "refund.test.yaml").write_text(CASES.replace("receipt: 9007199254740993", "receipt: 9007199254740992").replace("pay: {error: {message: no}}", ""))
    done = holdfast("flow", "test", refund)
    assert done.returncode == 1 and done.stdout.endswith("0 passed, 2 failed\n")
    assert "output at receipt: expected 9007199254740992, it was 9007199254740993" in done.stdout
    assert "block `pay` (http) is not run here: give it a result under `pinned`" in done.stdout
    told = json.loads(holdfast("flow", "test", refund, "--json").stdout)
    assert told["failed"] == 2 and told["cases"][0]["blocks"][1]["arguments"] == {"id": 7}
    (tmp_path / "refund.test.yaml").write_text("tests: [{name: a, pinned: {fnd: {}}}]\n")
    done = holdfast("flow", "test", refund)
    assert done.returncode == 2 and "refund.test.yaml:1:28: `fnd` is no block of the flow; did you mean `find`?" in done.stderr
    assert holdfast("flow", "test", tmp_path / "nowhere.yaml").returncode == 3


def test_the_example_has_cases(holdfast):
    done = holdfast("flow", "test", ROOT / "examples" / "flows" / "order.yaml")
    assert done.returncode == 0 and done.stdout.endswith("3 passed, 0 failed\n"), done


def test_a_part_of_a_flow(holdfast, refund):
    pinned = ["--pinned", "refund.test.yaml", "--case", "paid"]
    run = ["flow", "run", refund, '{"order": 7, "amount": 1}']
    assert holdfast(*run, "--until", "find", *pinned).stdout == '{"id":70}\n'
    assert holdfast(*run, "--only", "reply", *pinned).stdout == '{"receipt":9007199254740993}\n'
    (refund.parent / "later.yaml").write_text("pinned: {find: {value: {id: 70}}, reply: {error: {message: behind it}}}\n")
    assert holdfast(*run, "--until", "find", "--pinned", "later.yaml").stdout == '{"id":70}\n'
    alone = holdfast(*run, "--only", "reply")
    assert alone.returncode == 1 and "`pay`" in alone.stderr
    skipped = holdfast(*run, "--until", "sorry", *pinned)
    assert skipped.returncode == 5 and "does not run" in skipped.stderr
    assert holdfast("flow", "run", "refund", "--until", "find").returncode == 2
    broken = holdfast("flow", "run", "refund", "{bad")  # before any server is asked
    assert broken.returncode == 2 and "the input is no JSON" in broken.stderr, broken
    assert holdfast(*run, "--until", "nobody").returncode == 3


def test_differences_of_files_and_of_versions_of_a_server(binary, holdfast, refund, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(FLOW.replace("        effect: idempotent\n", "        effect: idempotent\n      # slowly\n").replace(
        "    - id: pay\n      type: http\n", "    - id: pay\n      type: http\n      retry: {attempts: 8}\n"))
    told = json.loads(holdfast("flow", "diff", refund, other, "--json").stdout)
    rows = {row["block"]: row for row in told["blocks"]}
    assert rows["pay"]["what"] == "changed" and rows["pay"]["changes"][0]["path"] == "retry"
    assert "custom retry policy" in rows["pay"]["after"]["why"] and rows["find"]["what"] == "placed"
    text = holdfast("flow", "diff", refund, other)
    assert "~ pay (http)" in text.stdout and "plan: V4 -> V4, activities 2 -> 5" in text.stdout, text
    assert "no difference" in holdfast("flow", "diff", refund, refund).stderr
    grants = ["--grant", "host:shop.example", "--grant", "host:pay.example"]
    with contextlib.closing(Server(binary, tmp_path / "data", *grants).start()) as server:
        api = ["--api", server.http]
        assert holdfast("flow", "apply", refund, *api).returncode == 0
        first = json.loads(holdfast("flow", "list", "refund", "--json", *api).stdout)["version"]
        assert "no difference" in holdfast("flow", "diff", refund, *api).stderr
        assert "pay (http)" in holdfast("flow", "diff", other, *api).stdout
        assert holdfast("flow", "apply", other, *api).returncode == 0
        told = json.loads(holdfast("flow", "diff", f"refund@{first}", "refund", "--json", *api).stdout)
        assert {row["block"] for row in told["blocks"]} >= {"pay", "find"}
        assert holdfast("flow", "diff", "refund@none", "refund", *api).returncode == 3


def test_a_plan_stands_beside_what_the_run_took(binary, holdfast, tmp_path):
    with contextlib.closing(Server(binary, tmp_path / "data").start()) as server:
        api = ["--api", server.http]
        order = '{"id": 7, "items": [{"price": 20, "count": 3}]}'
        done = holdfast("flow", "run", ROOT / "examples" / "flows" / "order.yaml", order, "--id", "order-1", *api)
        assert done.returncode == 0, done.stderr
        told = json.loads(holdfast("flow", "plan", "--run", "order-1", "--json", *api).stdout)
        rows = {row["block"]: row for row in told["blocks"]}
        assert rows["total"]["was"]["status"] == "ok" and rows["total"]["was"]["took_ms"] >= 0
        assert rows["total"]["predicted"]["takes_ms"] == 5 and rows["cool_off"]["was"] is None
        assert told["planner"] == "V4" and told["took_ms"] > 0
        text = holdfast("flow", "plan", "--run", "order-1", *api)
        assert "did not run" in text.stdout and "V4 of order: predicted" in text.stdout, text
        assert holdfast("flow", "plan", "--run", "nowhere", *api).returncode == 3
    assert holdfast("flow", "plan").returncode == 2


N8N = {
    "name": "My Orders",
    "nodes": [
        {"name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "parameters": {"path": "orders"}},
        {"name": "Double", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [1, 0],
         "parameters": {"assignments": {"assignments": [{"name": "twice", "value": "={{ $json.n * 2 }}", "type": "number"}]}}},
        {"name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [2, 0],
         "parameters": {"jsCode": "for (const item of $input.all()) {\n  item.json.more = item.json.twice + $('Webhook').first().json.n;\n}\nreturn $input.all();"}},
        {"name": "Big", "type": "n8n-nodes-base.if", "typeVersion": 2, "position": [3, 0],
         "parameters": {"conditions": {"combinator": "and", "conditions": [
             {"leftValue": "={{ $json.more }}", "rightValue": 10, "operator": {"type": "number", "operation": "gt"}}]}}},
        {"name": "Sheet", "type": "n8n-nodes-base.googleSheets", "typeVersion": 4, "position": [4, 1], "parameters": {"sheet": "x"},
         "credentials": {"googleApi": {"name": "Mine"}}},
        {"name": "Reply", "type": "n8n-nodes-base.respondToWebhook", "typeVersion": 1, "position": [4, 0],
         "parameters": {"respondWith": "json", "responseBody": "={{ $json.more }}"}},
    ],
    "connections": {
        "Webhook": {"main": [[{"node": "Double", "type": "main", "index": 0}]]},
        "Double": {"main": [[{"node": "Code", "type": "main", "index": 0}]]},
        "Code": {"main": [[{"node": "Big", "type": "main", "index": 0}]]},
        "Big": {"main": [[{"node": "Sheet", "type": "main", "index": 0}], [{"node": "Reply", "type": "main", "index": 0}]]},
    },
}


def test_import_of_n8n_runs_and_tells_what_did_not_map(holdfast, tmp_path):
    (tmp_path / "export.json").write_text(json.dumps(N8N))
    done = holdfast("flow", "import", "export.json", "--out", "made")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["my-orders.import.txt", "my-orders.yaml"]
    report = (tmp_path / "made" / "my-orders.import.txt").read_text()
    assert "Sheet: left out: there is no counterpart" in report and "the credential `Mine` (googleApi)" in report
    assert "5 steps: 4 became blocks, 1 have no counterpart" in report and report == done.stderr
    flow = tmp_path / "made" / "my-orders.yaml"
    assert holdfast("flow", "validate", flow).returncode == 0
    assert holdfast("flow", "fmt", "--check", flow).returncode == 0
    (tmp_path / "made" / "my-orders.test.yaml").write_text(
        "tests:\n  - {name: small, input: {n: 3}, expect: {results: {code: {twice: 6, more: 9}}, output: 9}}\n"
        "  - {name: big, input: {n: 4}, expect: {error: {block: sheet, says: googleSheets}}}\n")
    tested = holdfast("flow", "test", flow)
    assert tested.returncode == 0 and tested.stdout.endswith("2 passed, 0 failed\n"), tested
    again = holdfast("flow", "import", "export.json", "--out", "made")
    assert again.returncode == 4 and "there already" in again.stderr
    assert holdfast("flow", "import", "export.json").stdout == flow.read_text()
    assert holdfast("flow", "import", "-", stdin="[]").returncode == 2


def test_import_of_agents_sdk_code_executes_nothing(holdfast, tmp_path):
    marker = tmp_path / "executed"
    (tmp_path / "desk.py").write_text(f"""import pathlib
pathlib.Path({str(marker)!r}).write_text("x")
from agents import Agent, Runner, ModelSettings
sorter = Agent(name="Sorter", instructions="Sort it.", model="gpt-4.1-mini", model_settings=ModelSettings(temperature=0.5, top_p=1))
writer = Agent(name="Writer", instructions="Write it.", model="gpt-4.1", tools=[search])
async def run_workflow(workflow_input):
  with trace("Desk"):
    a = await Runner.run(sorter, input=[])
    if a["kind"] == "b":
      b = await Runner.run(writer, input=[])
""")
    done = holdfast("flow", "import", "desk.py", "--out", "made")
    assert done.returncode == 0, done.stderr
    made = tmp_path / "made"
    assert sorted(path.name for path in made.iterdir()) == ["desk.import.txt", "desk.yaml", "sorter.yaml", "writer.yaml"]
    assert not marker.exists()
    assert holdfast("agent", "validate", made / "sorter.yaml", made / "writer.yaml").returncode == 0
    assert holdfast("flow", "validate", made / "desk.yaml").returncode == 0
    for told in ("Sorter: left out: the model setting `top_p`: 1", "Writer: left out: the tool `search`", "line 9: `if a[\"kind\"] == \"b\":`"):
        assert told in done.stderr
    shutil.rmtree(made)


def test_what_a_file_is_is_its_kind_and_not_a_word_in_it(server, cli, tmp_path):
    """A comment, a text or a later document that says otherwise changes nothing."""
    file = tmp_path / "kinds.yaml"
    file.write_text("# kind: Agent, it was once\nmetadata: {name: kinds, description: 'kind: Agent'}\n"
                    "apiVersion: holdfast.dev/v1\nkind: Flow\nspec:\n  blocks: [{id: begin, type: start}]\n")
    applied = cli(server, "flow", "apply", str(file))
    assert applied.returncode == 0, applied.stderr
    assert server.get("/api/v1/flows/kinds").status == 200
