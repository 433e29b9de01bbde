"""What a run that takes up another one tells its model of calls that have no answer, from outside: one that waited for
a decision was not made, one with arguments that the model does not see is found, and so is one that a person edited."""

import pytest
from holdfast import Server, scripted_model
from test_steering import bank  # noqa: F401 (a fixture)

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls:
      - {name: pay, arguments: {to: ann}}
      - {name: pay, arguments: {to: bob}}
      - {name: rest, arguments: {duration: 1h}}
  - text: "Then."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: payer}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You pay people.
  approvals: {{rules: [{{tool: pay, when: to == "bob", action: ask}}]}}
  tools:
    - {{name: rest, type: wait, wait: {{max: 2h}}}}
    - name: pay
      type: http
      effect: idempotent
      parameters: {{properties: {{to: {{type: string}}, account: {{type: integer}}}}, required: [to, account]}}
      bind: {{account: {{run: account}}}}
      http: {{method: POST, url: "{remote}/pay", body: {{to: "{{to}}", account: "{{account}}"}}}}
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


def take_up(server, run):
    taken = server.post(f"/api/v1/runs/{run}/retry")
    assert taken.status in (200, 201, 202), taken.text
    assert server.wait(taken.json["id"])["output"] == "Then."


def told(server, run):
    messages = server.get(f"/api/v1/conversations/{run}/messages").json["messages"]
    texts = [message["content"] for message in messages if message["role"] == "tool"]
    return [text if isinstance(text, str) else "".join(part.get("text", "") for part in text) for text in texts]


def paid(bank):  # noqa: F811
    return [(body["to"], body["account"]) for path, _, body in bank.arrived if path == "/pay"]


def have_paid(count):
    return lambda run: sum(step["name"] == "pay" and step["status"] == "completed" for step in run["steps"]) == count


@pytest.mark.parametrize("end", ["cancel", "terminate"])
def test_a_call_that_waited_for_a_decision_was_not_made(server, bank, end):  # noqa: F811
    run = server.start_run("payer", "pay", context={"account": 7})
    server.wait_for_approval(run)
    server.wait(run, have_paid(1))
    server.post(f"/api/v1/runs/{run}/{end}")
    server.wait(run)
    take_up(server, run)
    ann, bob, _ = told(server, run)
    assert "p-ann" in ann, ann
    assert bob.endswith("not called: the run ended before anybody decided whether it may be; it has had no effect"), bob
    assert paid(bank) == [("ann", 7)]


def test_a_call_that_a_person_edited_is_found(server, bank):  # noqa: F811
    run = server.start_run("payer", "pay", context={"account": 7})
    asked = server.wait_for_approval(run)
    body = {"decision": "edit", "arguments": {"to": "eve"}, "decided_by": "ada", "arguments_sha256": asked["arguments_sha256"]}
    decided = server.post(f"/api/v1/approvals/{asked['id']}/decision", body)
    assert decided.status == 200, decided.text
    server.wait(run, have_paid(2))
    server.post(f"/api/v1/runs/{run}/cancel")
    server.wait(run)
    take_up(server, run)
    _, bob, _ = told(server, run)
    assert "p-eve" in bob, bob
    assert sorted(paid(bank)) == [("ann", 7), ("eve", 7)]
