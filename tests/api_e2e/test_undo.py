"""What is over is undone on request by a run of its own, and a flow that does not succeed takes back what its agents did:
each effect once, the last one first, whenever the server is killed."""

import threading

import pytest
from holdfast import Server, scripted_model
from test_flow_people import child_of
from test_flow_runs import apply, events, start, statuses
from test_steering import bank  # noqa: F401 (a fixture)

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0, last: "^nothing"}
    text: "Nothing to pay."
  - when: {turn: 0, last: "^code"}
    tool_calls:
      - name: run_code
        arguments: {code: "await tools.find({to: 'ann'}); await tools.pay({to: 'ann'}); await tools.pay({to: 'bob'}); return 'code'"}
  - when: {turn: 1, last: "^code"}
    text: "Ran."
  - when: {turn: 0}
    tool_calls: [{name: pay, arguments: {to: ann}}]
  - when: {turn: 1}
    tool_calls: [{name: pay, arguments: {to: bob}}]
  - text: "Paid."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: You pay people.
  tools:
    - name: pay
      type: http
      effect: idempotent
      compensate: {{tool: unpay, arguments: {{id: "{{result.{member}}}"}}}}
      parameters: {{properties: {{to: {{type: string}}}}, required: [to]}}
      http: {{method: POST, url: "{remote}/pay", body: {{to: "{{to}}"}}}}
    - name: unpay
      type: http
      effect: idempotent
      retry: {{initial: 100ms, backoff: 1, attempts: 100}}
      parameters: {{properties: {{id: {{type: string}}}}, required: [id]}}
      http: {{method: POST, url: "{remote}/unpay", body: {{id: "{{id}}"}}}}
"""


@pytest.fixture(scope="module")
def model(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture
def server(binary, model, bank, tmp_path):  # noqa: F811
    one = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    for name, member in (("payer", "id"), ("stuck", "receipt")):  # the bank says no receipt
        put = one.request("PUT", f"/api/v1/agents/{name}", AGENT.format(name=name, model=model, remote=bank.url, member=member))
        assert put.status == 201, put.text
    yield one
    one.close()


def paid(server, agent="payer", text="pay"):
    run = server.start_run(agent, text)
    assert server.wait(run)["status"] == "completed"
    return run


def undo(server, run, **body):
    return server.post(f"/api/v1/runs/{run}/undo", body)


def unpaid(bank):  # noqa: F811
    return list(dict.fromkeys(body["id"] for path, _, body in bank.arrived if path == "/unpay"))


# ---- on request


def test_a_completed_run_is_undone_on_request_once(server, bank, cli):  # noqa: F811
    run = paid(server)
    dry = cli(server, "undo", run, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert [line.split()[0:2] for line in dry.stdout.splitlines()] == [["undo", "pay"], ["undo", "pay"]]
    assert bank.count("/unpay") == {} and server.get(f"/api/v1/runs/{run}.undo").status == 404
    first = undo(server, run, by="ada", reason="wrong customer")
    assert first.status == 202 and first.json["id"] == f"{run}.undo" and first.json["origin"] == run, first.text
    ended = server.wait(first.json["id"])
    assert ended["status"] == "completed" and ended["origin"] == run and ended["agent"] == "payer", ended
    assert ended["output"].startswith("undone: pay (step ") and unpaid(bank) == ["p-bob", "p-ann"]
    assert ended["spent"]["tool_calls"] == 2
    again = undo(server, run)
    assert again.status == 200 and again.json["id"] == f"{run}.undo"
    assert cli(server, "undo", run).stdout.strip() == f"{run}.undo"
    plan = undo(server, run, dry_run=True).json
    assert [(one["tool"], one["would"]) for one in plan["effects"]] == [("pay", "undone"), ("pay", "undone")]
    assert sum(bank.count("/unpay").values()) == 2
    [asked] = server.get(f"/api/v1/audit?subject={run}&kind=run.undo_requested").json["rows"]
    assert asked["principal"] == "ada" and asked["detail"]["reason"] == "wrong customer"
    begun = dict(events(server, f"{run}.undo"))["run.started"]
    assert (begun["origin"], begun["undoes"], begun["by"]) == (run, 2, "ada")
    assert [one["how"] for one in server.get(f"/api/v1/runs/{run}/forks").json["forks"]] == ["undo"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_undoing_on_request_goes_on_behind_a_kill(server, bank, moment):  # noqa: F811
    run = paid(server)
    killed = threading.Event()
    bank.at[(moment, "/unpay")] = lambda: (server.kill(), killed.set())
    undo(server, run)
    assert killed.wait(20)
    server.start()
    assert server.wait(f"{run}.undo")["status"] == "completed"
    assert len(bank.count("/unpay")) == 2 and unpaid(bank) == ["p-bob", "p-ann"]


def test_a_terminated_run_is_undone_on_request(server, bank):  # noqa: F811
    held = threading.Event()
    reached = threading.Event()
    run = None

    def second():
        bank.at[("before", "/pay")] = lambda: (reached.set(), held.wait(20))

    bank.at[("after", "/pay")] = second
    run = server.start_run("payer", "pay")
    assert reached.wait(20)
    assert server.post(f"/api/v1/runs/{run}/terminate").status in (200, 202)
    held.set()
    assert server.wait(run)["status"] == "terminated"
    undo(server, run)
    ended = server.wait(f"{run}.undo")
    assert "p-ann" in unpaid(bank), ended


def test_what_a_request_cannot_undo_is_refused_or_named(server, bank, cli):  # noqa: F811
    run = paid(server, text="nothing")
    assert undo(server, run, dry_run=True).json["effects"] == []
    dry = cli(server, "undo", run, "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "") and "nothing to take back" in dry.stderr
    assert (undo(server, run).status, undo(server, run).json["code"]) == (409, "not_undone")
    assert undo(server, "nobody").status == 404
    assert undo(server, run, dry_run="yes").status == 400
    stuck = paid(server, "stuck")
    first = undo(server, stuck)
    assert first.status == 202
    ended = server.wait(first.json["id"])
    assert (ended["status"], ended["reason"]) == ("failed", "not_undone") and "receipt" in ended["error"]["message"], ended
    assert [type for type, _ in events(server, first.json["id"])].count("effect.not_undone") == 2
    assert bank.count("/unpay") == {}
    # Taken up, it tries again, and nothing else.
    again = server.post(f"/api/v1/runs/{first.json['id']}/retry")
    assert again.status == 202, again.text
    assert again.json["id"] == f"{stuck}.undo.2"
    assert server.wait(again.json["id"])["reason"] == "not_undone" and sum(bank.count("/pay").values()) == 2
    of_undo = undo(server, first.json["id"])
    assert of_undo.status == 409 and of_undo.json["code"] == "not_undone"


def would(server, run):
    return [one["would"] for one in undo(server, run, dry_run=True).json["effects"]]


def test_what_stands_is_tried_again_when_it_is_asked_for_again(server, bank, cli):  # noqa: F811
    run = paid(server)
    bank.refused.add("p-ann")
    undo(server, run)
    ended = server.wait(f"{run}.undo")
    assert (ended["status"], ended["reason"]) == ("failed", "not_undone") and unpaid(bank) == ["p-bob", "p-ann"]
    assert would(server, run) == ["undone", "stands"]
    still = cli(server, "undo", run)
    assert still.stdout.strip() == f"{run}.undo.2", still.stderr
    assert server.wait(f"{run}.undo.2")["reason"] == "not_undone"
    bank.refused.clear()
    third = undo(server, run, by="ada")
    assert third.status == 202 and third.json["id"] == f"{run}.undo.3", third.text
    ended = server.wait(f"{run}.undo.3")
    assert ended["status"] == "completed" and ended["origin"] == run, ended
    assert would(server, run) == ["undone", "undone"]
    tried = [(body["id"], key) for path, key, body in bank.arrived if path == "/unpay"]
    assert [id for id, _ in tried] == ["p-bob", "p-ann", "p-ann", "p-ann"] and len({key for _, key in tried}) == 4
    again = undo(server, run)
    assert (again.status, again.json["id"]) == (200, f"{run}.undo.3")
    assert sorted(one["how"] for one in server.get(f"/api/v1/runs/{run}/forks").json["forks"]) == ["undo"] * 3
    assert server.post(f"/api/v1/runs/{run}/retry").json["code"] == "not_retried"


def test_to_take_up_an_undoing_is_to_ask_for_it_again(server, bank):  # noqa: F811
    run = paid(server)
    retry = lambda undoing, **body: server.post(f"/api/v1/runs/{undoing}/retry", body)  # noqa: E731
    bank.refused.add("p-ann")
    undo(server, run)
    assert server.wait(f"{run}.undo")["reason"] == "not_undone"
    named = retry(f"{run}.undo", id="mine")
    assert (named.status, named.json["code"]) == (409, "not_retried") and "leave `id` out" in named.text
    held, reached = threading.Event(), threading.Event()
    bank.at[("before", "/unpay")] = lambda: (reached.set(), held.wait(20))
    second = retry(f"{run}.undo")
    assert (second.status, second.json["id"], second.json["origin"]) == (202, f"{run}.undo.2", run), second.text
    assert reached.wait(20)
    for same in (retry(f"{run}.undo"), undo(server, run)):  # while it works, there is no other one beside it
        assert (same.status, same.json["id"]) == (200, f"{run}.undo.2"), same.text
    assert server.get(f"/api/v1/runs/{run}.undo.retry").status == 404
    assert "takes back" in server.post(f"/api/v1/runs/{run}.undo.2/messages", {"input": "stop"}).json["detail"]
    held.set()
    assert server.wait(f"{run}.undo.2")["reason"] == "not_undone"
    bank.refused.clear()
    assert retry(f"{run}.undo").json["id"] == f"{run}.undo.3"
    assert server.wait(f"{run}.undo.3")["status"] == "completed"
    assert (retry(f"{run}.undo.2").status, retry(f"{run}.undo.2").json["id"]) == (200, f"{run}.undo.3")
    assert retry(f"{run}.undo.3").json["code"] == "not_retried"
    assert [body["id"] for path, _, body in bank.arrived if path == "/unpay"] == ["p-bob", "p-ann", "p-ann", "p-ann"]


ONCE = AGENT.replace("name: unpay\n      type: http\n      effect: idempotent", "name: unpay\n      type: http\n      effect: at_most_once{hook}") + """
    - name: find_unpaid
      type: http
      parameters: {{properties: {{id: {{type: string}}}}, required: [id]}}
      http: {{url: "{remote}/find_unpaid"}}
"""
HOOK = '\n      reconcile: {tool: find_unpaid, arguments: {id: "{arguments.id}"}, after: 0s}'


def paid_once(server, model, bank, hook):  # noqa: F811
    put = server.request("PUT", "/api/v1/agents/once", ONCE.format(name="once", model=model, remote=bank.url, member="id", hook=hook))
    assert put.status == 201, put.text
    return paid(server, "once")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_who_knows_is_asked_whether_a_killed_undoing_took_effect(server, model, bank, moment):  # noqa: F811
    run = paid_once(server, model, bank, HOOK)
    killed = threading.Event()
    bank.at[(moment, "/unpay")] = lambda: (server.kill(), killed.set())
    undo(server, run)
    assert killed.wait(20)
    server.start()
    ended = server.wait(f"{run}.undo", seconds=60)
    assert ended["status"] == "completed", ended
    assert [body["id"] for path, _, body in bank.arrived if path == "/unpay"] == ["p-bob", "p-ann"]
    assert bank.count("/find_unpaid") and would(server, run) == ["undone", "undone"]


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_person_says_whether_an_undoing_of_which_nobody_knows_is_made_again(server, model, bank, decision):  # noqa: F811
    run = paid_once(server, model, bank, "")
    killed = threading.Event()
    bank.at[("before", "/unpay")] = lambda: (server.kill(), killed.set())
    undo(server, run)
    assert killed.wait(20)
    server.start()
    asked = server.wait_for_approval(f"{run}.undo")
    assert asked["tool"] == "pay" and "not known whether `unpay` took effect" in asked["reason"], asked
    decided = server.post(f"/api/v1/approvals/{asked['id']}/decision", {"decision": decision, "decided_by": "ada", "arguments_sha256": asked["arguments_sha256"]})
    assert decided.status == 200, decided.text
    ended = server.wait(f"{run}.undo", seconds=60)
    ids = [body["id"] for path, _, body in bank.arrived if path == "/unpay"]
    if decision == "approve":
        assert ended["status"] == "completed" and ids == ["p-bob", "p-bob", "p-ann"], ended
        assert would(server, run) == ["undone", "undone"]
    else:
        assert (ended["status"], ended["reason"]) == ("failed", "not_undone") and ids == ["p-bob", "p-ann"], ended
        assert would(server, run) == ["undone", "ask"] or would(server, run) == ["ask", "undone"]


# ---- by flows


FLOW = """
- {{id: begin, type: start}}
- {{id: buy, type: agent, needs: [begin], with: {{agent: payer, arguments: {{input: pay}}}}}}
{behind}
"""
FAILS = '- {id: check, type: code, needs: [buy], with: {code: "throw new Error(\'no stock\')"}}'
WAITS = "- {id: rest, type: wait, needs: [buy], with: {duration: 1h}}"


def test_a_flow_that_fails_takes_back_what_its_agent_did(server, bank):  # noqa: F811
    apply(server, "buys", FLOW.format(behind=FAILS))
    run = start(server, "buys")
    ended = server.wait(run)
    assert ended["status"] == "failed" and "no stock" in ended["error"]["message"], ended
    assert unpaid(bank) == ["p-bob", "p-ann"] and sum(bank.count("/unpay").values()) == 2
    assert [type for type, _ in events(server, run)].count("effect.undone") == 2
    assert server.wait(child_of(server, run, "buy"))["status"] == "completed"
    refused = server.post(f"/api/v1/runs/{run}/retry")
    assert refused.status == 409 and refused.json["code"] == "not_retried" and "taken back" in refused.text


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_cancelled_flow_takes_it_back_through_a_subflow_across_a_kill(server, bank, moment):  # noqa: F811
    apply(server, "inner", FLOW.format(behind=""))
    apply(server, "outer", f"- {{id: begin, type: start}}\n- {{id: buy, type: flow, needs: [begin], with: {{flow: inner, arguments: {{}}}}}}\n{WAITS}\n")
    run = start(server, "outer")
    server.wait(run, lambda r: statuses(r).get("rest") == "running")
    killed = threading.Event()
    bank.at[(moment, "/unpay")] = lambda: (server.kill(), killed.set())
    server.post(f"/api/v1/runs/{run}/cancel")
    assert killed.wait(20)
    server.start()
    assert server.wait(run)["status"] == "canceled"
    assert unpaid(bank) == ["p-bob", "p-ann"] and len(bank.count("/unpay")) == 2


def test_a_flow_that_completed_is_undone_on_request(server, bank):  # noqa: F811
    apply(server, "buys", FLOW.format(behind=""))
    run = start(server, "buys")
    assert server.wait(run)["status"] == "completed" and bank.count("/unpay") == {}
    assert undo(server, run).status == 202
    assert server.wait(f"{run}.undo")["status"] == "completed"
    assert unpaid(bank) == ["p-bob", "p-ann"]
    assert server.post(f"/api/v1/runs/{run}/retry").json["code"] == "not_retried"


# ---- of blocks that call something themselves


def block(bank, id, needs, to, more=""):  # noqa: F811
    return f"""- id: {id}
  type: http
  needs: [{needs}]
{more}  with: {{http: {{method: POST, url: "{bank.url}/pay", body: {{to: "{{to}}"}}}}, effect: idempotent, arguments: {{to: {to}}}}}
  compensate:
    http: {{method: POST, url: "{bank.url}/unpay", body: {{id: "{{id}}", was: "{{was}}"}}}}
    effect: idempotent
    retry: {{initial: 100ms, backoff: 1, attempts: 100}}
    arguments: {{id: "{{result.id}}", was: "{{arguments.to}}"}}
"""


def was(bank):  # noqa: F811
    return list(dict.fromkeys(body["was"] for path, _, body in bank.arrived if path == "/unpay" and "was" in body))


def two_blocks(bank, behind=""):  # noqa: F811
    """In one activity: the second may be under way when the first has been settled."""
    return "- {id: begin, type: start}\n" + block(bank, "one", "begin", "cy") + block(bank, "two", "one", "dan") + behind


REST = "- {id: rest, type: wait, needs: [two], with: {duration: 1h}}\n"


def test_a_flow_that_fails_takes_back_its_calls_and_its_agents(server, bank):  # noqa: F811
    apply(server, "mixed", "- {id: begin, type: start}\n" + block(bank, "one", "begin", "cy")
          + "- {id: buy, type: agent, needs: [one], with: {agent: payer, arguments: {input: pay}}}\n"
          + block(bank, "two", "buy", "dan") + "- {id: check, type: code, needs: [two], with: {code: \"throw new Error('no stock')\"}}\n")
    run = start(server, "mixed")
    ended = server.wait(run)
    assert ended["status"] == "failed" and "no stock" in ended["error"]["message"], ended
    assert unpaid(bank) == ["p-dan", "p-bob", "p-ann", "p-cy"] and sum(bank.count("/unpay").values()) == 4
    assert was(bank) == ["dan", "cy"], "the arguments of the calls"
    told = [data for type, data in events(server, run) if type == "effect.undone"]
    assert [(one["tool"], one["by"]) for one in told] == [("two", "two-undo"), ("pay", "unpay"), ("pay", "unpay"), ("one", "one-undo")]
    refused = server.post(f"/api/v1/runs/{run}/retry")
    assert refused.status == 409 and "taken back" in refused.text


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("path", ["/pay", "/unpay"])
def test_a_cancelled_flow_takes_its_calls_back_once_across_kills(server, bank, path, moment):  # noqa: F811
    apply(server, "pays", two_blocks(bank, REST))
    killed, started = threading.Event(), threading.Event()
    bank.at[(moment, path)] = lambda: (started.wait(20), server.kill(), killed.set())
    run = start(server, "pays")
    started.set()
    if path == "/pay":
        assert killed.wait(20)
        server.start()
    server.wait(run, lambda r: statuses(r).get("rest") == "running")
    server.post(f"/api/v1/runs/{run}/cancel")
    if path == "/unpay":
        assert killed.wait(20)
        server.start()
    assert server.wait(run)["status"] == "canceled"
    assert unpaid(bank) == ["p-dan", "p-cy"]
    assert len(bank.count("/pay")) == len(bank.count("/unpay")) == 2, "one key for each call"


def test_a_flow_that_completed_takes_its_calls_back_on_request(server, bank, cli):  # noqa: F811
    apply(server, "inner", two_blocks(bank))
    apply(server, "outer", "- {id: begin, type: start}\n" + block(bank, "first", "begin", "eve")
          + "- {id: call, type: flow, needs: [first], with: {flow: inner, arguments: {}}}\n"
          + "- {id: odd, type: branch, needs: [call], with: {rules: [{name: never, when: \"{{ false }}\"}]}}\n" + block(bank, "skipped", "odd.never", "fay"))
    run = start(server, "outer")
    assert server.wait(run)["status"] == "completed" and bank.count("/unpay") == {}
    dry = cli(server, "undo", run, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert [line.split()[0:2] for line in dry.stdout.splitlines()] == [["undo", "two"], ["undo", "one"], ["undo", "first"]]
    assert undo(server, run).status == 202
    ended = server.wait(f"{run}.undo")
    assert (ended["status"], unpaid(bank)) == ("completed", ["p-dan", "p-cy", "p-eve"]), ended
    assert [one["would"] for one in undo(server, run, dry_run=True).json["effects"]] == ["undone"] * 3


def test_an_error_that_leads_on_takes_nothing_back(server, bank):  # noqa: F811
    apply(server, "handled", two_blocks(bank, "- {id: bad, type: code, needs: [two], with: {code: \"throw new Error('x')\"}}\n- {id: end, type: respond, needs: [bad.error], with: {value: handled}}\n"))
    ended = server.wait(start(server, "handled"))
    assert (ended["status"], ended["output"]) == ("completed", "handled") and bank.count("/unpay") == {}


def test_a_run_that_takes_up_another_one_answers_for_what_that_did(server, bank):  # noqa: F811
    apply(server, "pays", two_blocks(bank, REST))
    run = start(server, "pays")
    server.wait(run, lambda r: statuses(r).get("rest") == "running")
    assert server.post(f"/api/v1/runs/{run}/terminate").status in (200, 202)
    assert server.wait(run)["status"] == "terminated" and bank.count("/unpay") == {}
    again = server.post(f"/api/v1/runs/{run}/retry").json["id"]
    server.wait(again, lambda r: statuses(r).get("rest") == "running")
    server.post(f"/api/v1/runs/{again}/cancel")
    assert server.wait(again)["status"] == "canceled"
    assert unpaid(bank) == ["p-dan", "p-cy"] and len(bank.count("/pay")) == 2
