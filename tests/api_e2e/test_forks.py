"""Forks from outside: from any message, with something edited, again and again; what they would do, what became different,
and nothing twice when the server is killed."""

import concurrent.futures
import json
import sqlite3

import pytest
from holdfast import Server, scripted_model

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^slowly"}
    text: "One two three four five six seven eight nine ten eleven twelve."
    delay: 60ms
  - when: {last: "^refuse"}
    faults: [{status: 400, code: invalid_prompt, message: "not like that"}]
  - when: {last: "^pay"}
    text: "I pay."
    tool_calls: [{name: pay, arguments: {amount: 40}}, {name: look, arguments: {amount: 40}}]
  - when: {last: "no such"}
    text: "There is no such account."
  - text: "That is settled."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: payer}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, timeout: 30s, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: {prompt}
  tools:
    - name: pay
      type: sql
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO payments(amount) VALUES (:amount)"}}
    - name: look
      type: sql
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      sql: {{database: "{database}", statement: "SELECT count(*) AS n FROM payments WHERE amount = :amount"}}
  approvals:
    rules: [{rules}]
"""


@pytest.fixture(scope="module")
def fork_model(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


class Shop:
    def __init__(self, database, model):
        self.database, self.model = database, model
        with sqlite3.connect(database) as db:
            db.execute("CREATE TABLE payments(amount REAL)")

    def agent(self, prompt="You pay people.", rules=""):
        return AGENT.format(model=self.model, database=self.database, prompt=prompt, rules=rules)

    def paid(self):
        with sqlite3.connect(self.database) as db:
            return db.execute("SELECT count(*) FROM payments").fetchone()[0]


@pytest.fixture
def shop(fork_model, tmp_path):
    return Shop(tmp_path / "shop.db", fork_model)


@pytest.fixture
def server(binary, shop, tmp_path):
    one = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1", "--grant", f"database.write:{shop.database}").start()
    answer = one.request("PUT", "/api/v1/agents/payer", shop.agent())
    assert answer.status == 201, answer.text
    yield one
    one.close()


def fork(server, run, expect=202, **body):
    answer = server.post(f"/api/v1/runs/{run}/fork", body)
    assert answer.status == expect, answer.text
    return answer.json


def finished(server, run="paid", text="pay ann"):
    server.start_run("payer", text, id=run)
    assert server.wait(run)["status"] == "completed"
    return run


def test_a_fork_behind_the_calls_repeats_none_of_them(server, shop, cli):
    run = finished(server)
    assert shop.paid() == 1
    # 1 user, 2 assistant with two calls, 3 and 4 their answers, 5 the last word.
    made = cli(server, "fork", run, "--at", "4", "--id", "again", "--reason", "to see")
    assert made.returncode == 0 and made.stdout.strip() == "again", made.stderr
    again = server.wait("again")
    assert again["output"] == "That is settled." and shop.paid() == 1
    assert again["forked_from"]["run"] == run and again["forked_from"]["at"]["message"] == 4
    assert again["forked_from"]["reason"] == "to see" and again["forked_from"]["depth"] == 1
    assert "origin" not in again and again["conversation"] == run
    assert again["usage"]["model_calls"] == 1 and again["inherited"]["model_calls"] == 1
    assert server.run(run)["usage"]["model_calls"] == 2
    listed = server.get(f"/api/v1/runs/{run}/forks").json
    assert [(row["run"], row["how"]) for row in listed["forks"]] == [("again", "fork")]
    assert "again" in cli(server, "forks", run).stdout
    rows = {row["id"]: row["conversation"] for row in server.get("/api/v1/runs").json["runs"]}
    assert rows["again"] == rows[run] == run, "a list says what the run itself says"
    types = [event["type"] for event in server.get(f"/api/v1/runs/{run}/events?limit=500").json["events"]]
    assert types[-1] == "run.closed" and "run.forked" not in types  # the end of a log stays its end
    started = [event["data"] for event in server.get("/api/v1/runs/again/events?limit=500").json["events"] if event["type"] == "run.started"]
    assert started[0]["forked_from"] == {"run": run, "message": 4} and started[0]["branch"] > 0
    # The conversation that others go on in is as it was.
    assert server.get(f"/api/v1/conversations/{run}").json["messages"] == 5


def test_the_same_request_is_the_same_fork_and_another_one_is_refused(server, shop):
    run = finished(server)
    first = fork(server, run, id="f", at={"message": 4})
    assert first["created"]
    again = fork(server, run, 200, id="f", at={"message": 4})
    assert again["id"] == "f" and not again["created"]
    assert server.post(f"/api/v1/runs/{run}/fork", {"id": "f", "at": {"message": 1}}).json["code"] == "run_exists"
    assert server.post(f"/api/v1/runs/{run}/fork", {"id": run, "at": {"message": 1}}).json["code"] == "run_exists"
    assert server.post(f"/api/v1/runs/{run}/retry", {"id": "f"}).status == 409
    key = {"Idempotency-Key": "k1"}
    one = server.post(f"/api/v1/runs/{run}/fork", {"at": {"turn": 1}}, key)
    two = server.post(f"/api/v1/runs/{run}/fork", {"at": {"turn": 1}}, key)
    assert (one.status, two.status) == (202, 200) and one.json["id"] == two.json["id"]
    assert server.post(f"/api/v1/runs/{run}/fork", {"at": {"turn": 0}}, key).json["code"] == "run_exists"
    server.wait(one.json["id"])
    assert shop.paid() == 1


def test_edits(server, shop, cli):
    run = finished(server)
    prompt = fork(server, run, edit={"prompt": "say hello"})
    assert prompt["forked_from"]["at"]["message"] == 0 and prompt["forked_from"]["edit"] == "prompt"
    hello = server.wait(prompt["id"])
    assert hello["input"] == "say hello" and hello["output"] == "That is settled." and shop.paid() == 1
    more = fork(server, run, edit={"message": "pay bob"})  # behind its last word
    assert server.wait(more["id"])["status"] == "completed" and shop.paid() == 2
    messages = server.get(f"/api/v1/conversations/{run}/messages").json["messages"]
    call = messages[1]["tool_calls"][0]["id"]
    made = cli(server, "fork", run, "--call", call, "--result", "no such account", "--id", "edited", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["forked_from"]["call"] == call
    server.wait("edited")
    assert shop.paid() == 2
    branch = [e["data"]["branch"] for e in server.get("/api/v1/runs/edited/events").json["events"] if e["type"] == "run.started"][0]
    seen = server.get(f"/api/v1/conversations/{run}/messages?branch={branch}").json["messages"]
    assert [m["role"] for m in seen] == ["user", "assistant", "tool", "tool", "assistant"]
    assert seen[2]["content"][0]["text"] == "no such account" and seen[3] == {**messages[3], "branch": branch, "sha256": seen[3]["sha256"], "at": seen[3]["at"]}
    # Another version, with another policy.
    version = server.request("PUT", "/api/v1/agents/payer", shop.agent(rules="{tool: pay, action: ask}")).json["version"]
    strict = fork(server, run, at="start", version="current")
    assert strict["version"] == version
    server.wait_for_approval(strict["id"])
    assert shop.paid() == 2
    server.post(f"/api/v1/runs/{strict['id']}/cancel")


def test_bad_forks_are_refused_and_say_what_would_do(server, shop):
    run = finished(server)

    def refused(code, **body):
        answer = server.post(f"/api/v1/runs/{run}/fork", body)
        assert answer.json["code"] == code, answer.text
        return answer.json

    assert refused("fork_place_unknown", at={"message": 6})["nearest"] == 5
    assert refused("fork_place_unknown", at={"turn": 3})["nearest"] == 5
    assert refused("fork_place_unknown", at={"step": 99})["nearest"] == 5
    for message in (2, 3):
        assert refused("fork_inside_turn", at={"message": message})["nearest"] == 1
    refused("fork_needs_message")
    refused("fork_needs_message", at={"message": 0})
    assert refused("fork_edit_mismatch", at={"message": 5}, edit={"prompt": "x"})["nearest"] == 1
    refused("call_not_found", edit={"tool_result": {"call": "nobody's", "text": "x"}})
    refused("nothing_failed", at="failed")
    refused("version_not_found", at="start", version="nowhere")
    refused("invalid_id", at="start", id="a/b")
    for at in ("end", {"message": -1}, {"message": "1"}, {"message": 1, "turn": 1}, {"place": 1}, [], 3):
        refused("invalid_field", at=at)
    for edit in ("x", {}, {"prompt": ""}, {"prompt": "a", "message": "b"}, {"system": "x"}, {"tool_result": {"call": "c"}},
                 {"tool_result": {"call": "c", "text": "x", "more": 1}}, {"tool_result": "x"}):
        refused("invalid_field", edit=edit)
    refused("invalid_field", dry_run="yes")
    refused("unknown_field", where=1)
    assert server.post("/api/v1/runs/nobody/fork", {}).json["code"] == "run_not_found"
    assert server.get("/api/v1/runs/nobody/forks").json["code"] == "run_not_found"
    assert server.get(f"/api/v1/runs/{run}/diff/nobody").json["code"] == "run_not_found"
    assert server.get(f"/api/v1/runs/{run}/forks").json["forks"] == []
    assert shop.paid() == 1
    server.request("DELETE", f"/api/v1/runs/{run}")
    server.wait(run, lambda r: r.get("history_deleted"))
    refused("history_deleted", at="start")


def test_a_run_under_way_is_forked_and_goes_on(server, shop):
    server.request("PUT", "/api/v1/agents/payer", shop.agent(rules="{tool: pay, action: ask}"))
    run = server.start_run("payer", "pay ann", id="open")
    approval = server.wait_for_approval(run)
    inside = server.post(f"/api/v1/runs/{run}/fork", {"at": {"message": 2}}).json
    assert inside["code"] == "fork_inside_turn" and inside["nearest"] == 1
    # A message that no model call has seen is the run's own.
    assert server.post(f"/api/v1/runs/{run}/messages", {"input": "no such account"}).status == 202
    other = fork(server, run)  # where it stands: before the calls that wait
    assert other["forked_from"]["at"]["message"] == 1
    asked = server.wait_for_approval(other["id"])
    assert asked["id"] != approval["id"]
    told = [event["data"] for event in server.get(f"/api/v1/runs/{run}/events?limit=500").json["events"] if event["type"] == "run.forked"]
    assert told == [{"run": other["id"], "message": 1}]
    for one in (approval, asked):
        assert server.post(f"/api/v1/approvals/{one['id']}/decision", {"decision": "approve", "arguments_sha256": one["arguments_sha256"]}).status == 200
    assert server.wait(run)["output"] == "There is no such account."
    assert server.wait(other["id"])["output"] == "That is settled."
    assert shop.paid() == 2


def test_replay_says_before_what_it_would_do(server, shop, cli):
    run = finished(server)
    dry = cli(server, "replay", run, "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    plan = json.loads(dry.stdout)
    assert [(e["tool"], e["class"], e["would"]) for e in plan["effects"]] == [("pay", "transactional", "make"), ("look", "pure", "make")] or \
        [(e["tool"], e["would"]) for e in plan["effects"]] == [("pay", "make"), ("look", "make")]
    assert len(plan["effects"][0]["arguments_sha256"]) == 64 and plan["inherited"]["model_calls"] == 0
    behind = server.post(f"/api/v1/runs/{run}/fork", {"at": {"message": 4}, "dry_run": True})
    assert behind.status == 200 and [e["would"] for e in behind.json["effects"]] == ["reuse", "reuse"]
    server.request("PUT", "/api/v1/agents/payer", shop.agent(rules="{tool: pay, action: ask}, {tool: look, action: deny}"))
    asked = server.post(f"/api/v1/runs/{run}/fork", {"at": "start", "version": "current", "dry_run": True}).json
    assert [e["would"] for e in asked["effects"]] == ["ask", "deny"]
    assert "would" in cli(server, "replay", run, "--dry-run").stdout.lower()
    assert server.get(f"/api/v1/runs/{run}/forks").json["forks"] == [] and shop.paid() == 1
    made = cli(server, "replay", run, "--id", "anew")
    assert made.stdout.strip() == "anew", made.stderr
    assert server.wait("anew")["status"] == "completed" and shop.paid() == 2
    # What failed is done again, and nothing before it.
    failed = server.start_run("payer", "refuse", id="failed")
    assert server.wait(failed)["status"] == "failed"
    again = fork(server, failed, at="failed", edit={"message": "never mind"})
    assert server.wait(again["id"])["output"] == "That is settled."


def test_a_diff_says_what_is_common_and_what_is_not(server, shop, cli):
    run = finished(server)
    other = fork(server, run, at={"message": 4}, edit={"message": "no such account?"}, id="other")["id"]
    server.wait(other)
    diff = server.get(f"/api/v1/runs/{run}/diff/{other}").json
    assert diff["common"]["messages"] == 4 and diff["next_cursor"] is None
    assert diff["same"] == {"agent": True, "version": True, "status": True, "output": False}
    assert [m["role"] for m in diff["a"]["messages"]] == ["assistant"]
    assert [m["role"] for m in diff["b"]["messages"]] == ["user", "assistant"]
    assert diff["b"]["spent"]["model_calls"] == 1 and diff["b"]["inherited"]["model_calls"] == 1
    assert diff["b"]["forked_from"]["run"] == run
    # The same words in two conversations are the same words.
    twin = finished(server, "twin")
    same = server.get(f"/api/v1/runs/{run}/diff/{run}").json
    assert same["common"]["messages"] == 5 and same["a"]["messages"] == [] == same["b"]["messages"]
    assert server.get(f"/api/v1/runs/{run}/diff/{twin}").json["common"]["messages"] >= 1
    # Page by page.
    seen, cursor = [], ""
    while cursor is not None:
        page = server.get(f"/api/v1/runs/{run}/diff/{other}?limit=1" + (f"&cursor={cursor}" if cursor else "")).json
        seen += [m["sequence"] for m in page["b"]["messages"]]
        cursor = page["next_cursor"]
    assert seen == [5, 6]
    assert server.get(f"/api/v1/runs/{run}/diff/{other}?cursor=bm9wZQ").json["code"] == "invalid_cursor"
    shown = cli(server, "diff", run, other)
    assert shown.returncode == 0 and "4 messages in common" in shown.stdout and "no such account" in shown.stdout, shown.stderr
    assert cli(server, "diff", run, "nobody").returncode == 3


def test_forks_of_forks_and_a_hundred_of_one_place(server, shop):
    parent = finished(server)
    for depth in range(1, 5):
        made = fork(server, parent, at={"message": 4}, id=f"deep-{depth}")
        assert made["forked_from"]["depth"] == depth
        server.wait(made["id"])
        assert made["inherited"]["model_calls"] == 1
        parent = made["id"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda n: fork(server, "paid", at={"message": 4}, id=f"many-{n:03}")["id"], range(100)))
    runs = [server.wait(one, seconds=60) for one in ids]
    assert {run["output"] for run in runs} == {"That is settled."} and shop.paid() == 1
    branches = {e["data"]["branch"] for one in ids for e in server.get(f"/api/v1/runs/{one}/events").json["events"] if e["type"] == "run.started"}
    assert len(branches) == 100 and 0 not in branches
    listed, cursor = [], ""
    while cursor is not None:
        page = server.get("/api/v1/runs/paid/forks?limit=40" + (f"&cursor={cursor}" if cursor else "")).json
        listed += [row["run"] for row in page["forks"]]
        cursor = page["next_cursor"]
    assert sorted(listed) == sorted(["deep-1", *ids])


def test_a_kill_behind_the_answer_loses_no_fork_and_pays_nothing_twice(server, shop):
    run = finished(server)
    for i in range(5):
        made = fork(server, run, at={"message": 4}, edit={"message": "pay bob"}, id=f"killed-{i}")
        server.kill()  # it is there, begun or not
        server.start()
        again = fork(server, run, 200, at={"message": 4}, edit={"message": "pay bob"}, id=f"killed-{i}")
        assert again["id"] == made["id"]
        assert server.wait(made["id"])["status"] == "completed"
        assert shop.paid() == 2 + i
    assert len(server.get(f"/api/v1/runs/{run}/forks").json["forks"]) == 5
