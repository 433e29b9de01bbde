"""Which of their tools agents may use: granted, denied and taken back while runs are under way. The operator's grants are the most that a tool grant leaves."""

import json
import sqlite3

import pytest
from holdfast import Server, scripted_model
from test_identity import bearer, code, guarded, local_key, make_key  # noqa: F401

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^two calls", turn: 0}
    text: "First one."
    tool_calls: [{name: first, arguments: {}}]
  - when: {last: '"one"', turn: 1}
    text: "Now the other."
    tool_calls: [{name: second, arguments: {}}]
  - when: {last: "^offered", tool: second}
    text: "second is offered"
  - when: {last: "^offered"}
    text: "second is not offered"
  - when: {last: "^wait", turn: 0}
    text: "Not so fast."
    tool_calls: [{name: nap, arguments: {duration: 1ms}}]
  - when: {last: "^call them", turn: 0}
    text: "To another."
    tool_calls: [{name: worker, arguments: {input: "two calls"}}]
  - text: "{{last}}"
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}{team}}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted}}
  prompt: You use your tools.
  tools:
    - {{name: first, type: sql, sql: {{database: "{database}", statement: "SELECT 1 AS one"}}}}
    - {{name: second, type: sql, sql: {{database: "{database}", read_only: false, statement: "INSERT INTO done(what) VALUES ('second')"}}}}
    - {{name: nap, type: wait}}
{more}
  approvals:
    rules:
      - {{tool: second, action: {second}, reason: A person says so.}}
      - {{tool: nap, action: {nap}, reason: A person says so.}}
"""


@pytest.fixture(scope="module")
def granted_model(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("granted"), SCRIPT) as url:
        yield url


@pytest.fixture
def shop(binary, granted_model, tmp_path):
    """A server, its agent `clerk` and what that has done."""
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE done(what TEXT)")
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1", "--grant", f"database.write:{database}").start()

    def put(name="clerk", team="", more="", second="ask", nap="allow"):
        text = AGENT.format(name=name, team=team and f", team: {team}", model=granted_model, database=database, more=more, second=second, nap=nap)
        answer = server.request("PUT", f"/api/v1/agents/{name}", text)
        assert answer.status in (200, 201), answer.text
        return answer.json["version"]

    def done():
        with sqlite3.connect(database) as db:
            return [row[0] for row in db.execute("SELECT what FROM done")]

    server.put_agent, server.done = put, done
    server.version = put()
    yield server
    server.close()


def grant(server, tools, **more):
    answer = server.post("/api/v1/grants", {"tools": tools, **more})
    assert answer.status == 201, answer.text
    return answer.json


def approve(server, run):
    approval = server.wait_for_approval(run)
    answer = server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]})
    assert answer.status == 200, answer.text


def ruled(server, run):
    page = server.get(f"/api/v1/runs/{run}/events?limit=1000").json
    return [event["data"] for event in page["events"] if event["type"] == "policy.ruled"]


def test_a_running_agent_loses_a_tool_between_two_calls(shop):
    run = shop.start_run("clerk", "two calls")
    # Its first call is over, and the second one waits for a person.
    shop.wait_for_approval(run)
    row = grant(shop, ["second"], agent="clerk", mode="deny", reason="incident 12")
    approve(shop, run)
    result = shop.wait(run)
    assert result["status"] == "completed", result
    assert shop.done() == []
    assert "denied: the tool second is denied to the agent clerk by the grant " + row["id"] in json.dumps(result)
    assert [(one["tool"], one["action"], one["granted"]) for one in ruled(shop, run)] == [("second", "deny", False)]
    # Taken back, it may again.
    assert shop.request("DELETE", f"/api/v1/grants/{row['id']}").status == 200
    again = shop.start_run("clerk", "two calls")
    approve(shop, again)
    assert shop.wait(again)["status"] == "completed"
    assert shop.done() == ["second"]


def test_what_is_not_granted_is_not_offered_and_not_called(shop):
    shop.put_agent(second="allow")
    grant(shop, ["first", "na*"], agent="clerk")
    run = shop.start_run("clerk", "two calls")
    result = shop.wait(run)
    assert result["status"] == "completed", result
    assert shop.done() == []
    assert "the tool second is not granted to the agent clerk; an admin grants it with `holdfast grant add --agent clerk --tool second`" in json.dumps(result)
    asked = [event["data"] for event in shop.get(f"/api/v1/runs/{run}/events?limit=1000").json["events"] if event["type"] == "step.completed" and event["data"].get("kind") == "model"]
    verdicts = {call["name"]: call["verdict"] for step in asked for call in step["tool_calls"]}
    assert verdicts == {"first": "allow", "second": "deny"}
    assert shop.wait(shop.start_run("clerk", "offered"))["output"] == "second is not offered"
    # Another agent is as it was.
    shop.put_agent("other", second="allow")
    assert shop.wait(shop.start_run("other", "offered"))["output"] == "second is offered"
    shop.wait(shop.start_run("other", "two calls"))
    assert shop.done() == ["second"]


def test_teams_and_environments_narrow_a_grant(shop):
    version = shop.put_agent("paid", team="payments", second="allow")
    put = shop.request("PUT", "/api/v1/agents/paid/labels/production", {"version": version}, {"If-None-Match": "*"})
    assert put.status == 201, put.text
    grant(shop, ["second"], team="payments", environment="production", mode="deny")
    shop.wait(shop.start_run("paid@production", "two calls"))
    assert shop.done() == []
    shop.wait(shop.start_run("paid", "two calls"))
    assert shop.done() == ["second"]


def test_a_sub_agent_is_of_its_callers_environment_and_is_a_tool_itself(shop):
    shop.put_agent("worker", second="allow")
    version = shop.put_agent("boss", more="    - {name: worker, type: agent, agent: worker}\n")
    assert shop.request("PUT", "/api/v1/agents/boss/labels/production", {"version": version}, {"If-None-Match": "*"}).status == 201
    row = grant(shop, ["second"], agent="worker", environment="production", mode="deny")
    assert shop.wait(shop.start_run("boss@production", "call them"))["status"] == "completed"
    assert shop.done() == []
    assert shop.wait(shop.start_run("boss", "call them"))["status"] == "completed"
    assert shop.done() == ["second"]
    assert shop.request("DELETE", f"/api/v1/grants/{row['id']}").status == 200
    grant(shop, ["worker"], agent="boss", mode="deny")
    refused = shop.wait(shop.start_run("boss", "call them"))
    assert "the tool worker is denied to the agent boss" in json.dumps(refused)
    assert shop.done() == ["second"]


def test_calls_that_the_workflow_makes_are_asked_about_when_they_begin(shop):
    shop.put_agent(nap="ask")
    run = shop.start_run("clerk", "wait")
    shop.wait_for_approval(run)
    row = grant(shop, ["nap"], mode="deny")
    approve(shop, run)
    assert f"denied: the tool nap is denied to the agent clerk by the grant {row['id']}" in json.dumps(shop.wait(run))
    assert [one["tool"] for one in ruled(shop, run)] == ["nap"]


def test_the_record_of_grants(shop, cli):
    row = grant(shop, ["second", "first", "first"], agent="clerk", reason="as agreed")
    assert (row["tools"], row["mode"], row["team"], row["environment"], row["set_by"]) == (["first", "second"], "allow", "*", "*", "local")
    again = shop.post("/api/v1/grants", {"tools": ["first", "second"], "agent": "clerk"})
    assert (again.status, again.json["id"], again.json["reason"]) == (200, row["id"], "as agreed")
    listed = shop.get("/api/v1/grants").json
    assert listed["grants"] == [row]
    assert "host:127.0.0.1" in listed["operator"]
    # The last one that limits is not taken back unasked.
    kept = shop.request("DELETE", f"/api/v1/grants/{row['id']}")
    assert code(kept) == (409, "grant_limits"), kept.text
    shop.kill()
    shop.start()
    assert shop.get("/api/v1/grants").json["grants"] == [row]
    assert shop.request("DELETE", f"/api/v1/grants/{row['id']}?open=true").json["id"] == row["id"]
    assert code(shop.request("DELETE", f"/api/v1/grants/{row['id']}")) == (404, "grant_not_found")
    record = [json.loads(line) for line in cli(shop, "audit", "export", "--kind", "grant.").stdout.splitlines()]
    assert [(one["kind"], one["principal"]) for one in record if one["subject"] == row["id"]] == [("grant.added", "local"), ("grant.revoked", "local")]


def test_the_command_line_adds_lists_and_revokes(shop, cli):
    added = cli(shop, "grant", "add", "--agent", "clerk", "--tool", "first", "--tool", "na*", "--deny", "--json")
    assert added.returncode == 0, added.stderr
    row = json.loads(added.stdout)
    listed = cli(shop, "grant", "list").stdout
    assert row["id"] in listed and "deny" in listed and "first, na*" in listed and "the operator: host:127.0.0.1" in listed
    assert cli(shop, "grant", "revoke", row["id"]).returncode == 0
    assert cli(shop, "grant", "revoke", row["id"]).returncode != 0
    assert cli(shop, "grant", "add", "--agent", "clerk").returncode == 2


def test_bad_grants_are_refused(shop):
    for body in (
        {},
        {"tools": []},
        {"tools": "first"},
        {"tools": [1]},
        {"tools": ["a*b"]},
        {"tools": ["x" * 65]},
        {"tools": ["first"] * 65},
        {"tools": ["first"], "mode": "ask"},
        {"tools": ["first"], "agent": "two words"},
        {"tools": ["first"], "environment": "Production"},
        {"tools": ["first"], "team": "a/b"},
        {"tools": ["first"], "reason": "x" * 1001},
        {"tools": ["first"], "who": "me"},
    ):
        assert shop.post("/api/v1/grants", body).status == 400, body
    assert shop.request("DELETE", "/api/v1/grants/g-1?open=maybe").status == 400
    assert shop.get("/api/v1/grants").json["grants"] == []


def test_admins_grant_and_deployers_look(guarded):  # noqa: F811
    admin = bearer(local_key(guarded))
    deployer = bearer(make_key(guarded, "dd", {"default": ["deployer"]})["key"])
    operator = bearer(make_key(guarded, "oo", {"default": ["operator"]})["key"])
    body = {"tools": ["look"], "mode": "deny"}
    assert code(guarded.post("/api/v1/grants", body, deployer)) == (403, "permission_denied")
    row = guarded.post("/api/v1/grants", body, admin).json
    assert [one["id"] for one in guarded.get("/api/v1/grants", **deployer).json["grants"]] == [row["id"]]
    assert code(guarded.get("/api/v1/grants", **operator)) == (403, "permission_denied")
    assert code(guarded.request("DELETE", f"/api/v1/grants/{row['id']}", None, deployer)) == (403, "permission_denied")
