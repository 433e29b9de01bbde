"""Code that calls tools, from outside: what it calls stands below it in the trace, a killed server makes no call of it
twice, and a run that is taken up knows what the code of the one before it has done."""

import threading

import pytest
from holdfast import Server, scripted_model
from test_flow_runs import events
from test_steering import bank  # noqa: F401 (a fixture)

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls:
      - name: run_code
        arguments: {code: "const {happened} = await tools.find({to: 'ann'}); await tools.pay({to: 'ann'}); await tools.pay({to: 'bob'}); return happened"}
  - when: {turn: 1, last: "pay\\\\(.*ann.*p-ann"}
    tool_calls: [{name: run_code, arguments: {code: "await tools.pay({to: 'bob'}); return 'the rest'"}}]
  - text: "Then: {{last}}"
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: payer}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: You pay people.
  approvals: {{rules: [{{tool: pay, when: to == "bob", action: ask}}]}}
  tools:
    - {{name: run_code, type: code}}
    - name: pay
      type: http
      effect: idempotent
      retry: {{initial: 100ms, backoff: 1, attempts: 100}}
      parameters: {{properties: {{to: {{type: string}}}}, required: [to]}}
      http: {{method: POST, url: "{remote}/pay", body: {{to: "{{to}}"}}}}
    - name: find
      type: http
      retry: {{initial: 100ms, backoff: 1, attempts: 100}}
      parameters: {{properties: {{to: {{type: string}}}}, required: [to]}}
      http: {{url: "{remote}/find"}}
"""


@pytest.fixture(scope="module")
def model(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture
def server(binary, model, bank, tmp_path):  # noqa: F811
    one = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    put = one.request("PUT", "/api/v1/agents/payer", AGENT.format(model=model, remote=bank.url))
    assert put.status == 201, put.text
    yield one
    one.close()


def approve(server, run):
    asked = server.wait_for_approval(run)
    decided = server.post(f"/api/v1/approvals/{asked['id']}/decision", {"decision": "approve", "decided_by": "ada", "arguments_sha256": asked["arguments_sha256"]})
    assert decided.status == 200, decided.text


def paid(bank):  # noqa: F811
    return [body["to"] for path, _, body in bank.arrived if path == "/pay"]


def test_what_it_calls_stands_below_it(server, cli):
    run = server.start_run("payer", "pay")
    approve(server, run)
    assert server.wait(run)["output"] == "Then: false"
    spans = server.get(f"/api/v1/runs/{run}/trace").json["spans"]
    [code] = [span for span in spans if span["name"] == "run_code"]
    [root] = [span for span in spans if span["kind"] == "run"]
    inner = [(span["kind"], span["name"]) for span in spans if span["parent_span_id"] == code["span_id"]]
    assert inner == [("tool", "find"), ("tool", "pay"), ("approval", "pay"), ("tool", "pay")], spans
    assert code["parent_span_id"] == root["span_id"]
    assert {span["within"] for span in spans if "within" in span} == {code["step"]}
    steps = server.get(f"/api/v1/runs/{run}").json["steps"]
    assert [step["name"] for step in steps if step.get("within") == code["step"]] == ["find", "pay", "pay"]
    shown = [line.split("|")[0].rstrip() for line in cli(server, "runs", "trace", run).stdout.splitlines()]
    depth = {word: next(len(line) - len(line.lstrip()) for line in shown if word in line) for word in ("run_code", "find", "approval pay")}
    assert depth["find"] == depth["approval pay"] == depth["run_code"] + 2, shown


@pytest.mark.parametrize("moment, path", [("before", "/find"), ("after", "/find"), ("before", "/pay"), ("after", "/pay")])
def test_a_killed_server_makes_no_call_of_it_twice(server, bank, moment, path):  # noqa: F811
    killed = threading.Event()
    bank.at[(moment, path)] = lambda: (server.kill(), killed.set())
    run = server.start_run("payer", "pay")
    assert killed.wait(20)
    server.start()
    approve(server, run)
    assert server.wait(run, seconds=60)["output"].startswith("Then: ")
    assert list(dict.fromkeys(paid(bank))) == ["ann", "bob"] and len(bank.count("/pay")) == 2


def test_a_run_that_is_taken_up_knows_what_code_has_done(server, bank):  # noqa: F811
    run = server.start_run("payer", "pay")
    server.wait_for_approval(run)
    server.post(f"/api/v1/runs/{run}/cancel")
    assert server.wait(run)["status"] == "canceled" and paid(bank) == ["ann"]
    again = server.post(f"/api/v1/runs/{run}/retry").json["id"]
    approve(server, again)
    assert server.wait(again)["output"] == "Then: the rest"
    assert paid(bank) == ["ann", "bob"]
    [told] = [message["content"] for message in server.get(f"/api/v1/conversations/{run}/messages").json["messages"] if message["role"] == "tool"][:1]
    text = told if isinstance(told, str) else "".join(part.get("text", "") for part in told)
    assert 'find({"to":"ann"}): {"happened": false' in text and "not called: the run ended before anybody decided" in text, text
    assert "step.started" in [kind for kind, data in events(server, run) if data.get("within")]
