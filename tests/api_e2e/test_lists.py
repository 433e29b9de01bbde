"""Lists beside the rows: runs of a time, how many began when, conversations, budgets; and the feed that says a person is asked."""

import datetime

import pytest

BUDGETED = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}, description: Says little.}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: Be short.
  budgets: {budgets}
"""


def later(moment, **by):
    """That moment of the API, so much later."""
    at = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")) + datetime.timedelta(**by)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def code(answer):
    return answer.status, answer.json["code"]


def ids(answer):
    assert answer.status == 200, answer.text
    return [run["id"] for run in answer.json["runs"]]


# ---- a time


def test_runs_of_a_time(own_server):
    server = own_server
    runs = []
    for i in range(3):
        runs.append(server.start_run("payer", f"hello {i}"))
        began = server.run(runs[-1])["created_at"]
        server.wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) > datetime.datetime.fromisoformat(began.replace("Z", "+00:00")) + datetime.timedelta(milliseconds=2))
    moments = [server.run(run)["created_at"] for run in runs]
    # From it on, until before it.
    assert ids(server.get(f"/api/v1/runs?from={moments[1]}")) == [runs[2], runs[1]]
    assert ids(server.get(f"/api/v1/runs?to={moments[1]}")) == [runs[0]]
    assert ids(server.get(f"/api/v1/runs?from={moments[0]}&to={later(moments[1], milliseconds=1)}&agent=payer")) == [runs[1], runs[0]]
    assert ids(server.get(f"/api/v1/runs?from={moments[0]}&to={moments[2]}&agent=nobody")) == []
    # As another zone writes it.
    elsewhere = later(moments[1], hours=2).replace("Z", "%2B02:00")
    assert ids(server.get(f"/api/v1/runs?from={elsewhere}&limit=10")) == [runs[2], runs[1]]
    for run in runs:
        server.wait(run)
    assert ids(server.get(f"/api/v1/runs?status=completed&from={moments[1]}")) == [runs[2], runs[1]]
    # A page of it goes on within it.
    page = server.get(f"/api/v1/runs?from={moments[1]}&limit=1").json
    assert [run["id"] for run in page["runs"]] == [runs[2]]
    assert ids(server.get(f"/api/v1/runs?from={moments[1]}&limit=1&cursor={page['next_cursor']}")) == [runs[1]]


@pytest.mark.parametrize("query", ["from=yesterday", "from=2026-13-01T00:00:00Z", "to=", "from=2026-11-29", "to=2026-11-29T07:00:00",
                                   "from=2026-11-29T08:00:00Z&to=2026-11-29T07:00:00Z", "from=2026-11-29T07:00:00Z&to=2026-11-29T07:00:00Z"])
def test_what_is_no_time_is_refused(server, query):
    for path in ("runs", "run-histogram"):
        assert code(server.get(f"/api/v1/{path}?{query}")) == (400, "invalid_parameter"), path


def test_a_batch_goes_by_time_too(own_server):
    server = own_server
    runs = [server.start_run("payer", "pay, please") for _ in range(2)]
    for run in runs:
        server.wait(run, lambda r: r["waiting_on"] == "approval")
    after = server.run(runs[1])["created_at"]
    asked = {"action": "cancel", "status": "running", "dry_run": True}
    found = server.post("/api/v1/runs/bulk", {**asked, "from": after}).json["runs"]
    assert [row["run"] for row in found if row["run"] != runs[0]] == [runs[1]]
    assert server.post("/api/v1/runs/bulk", {**asked, "from": "2200-01-01T00:00:00Z"}).json["runs"] == []
    assert code(server.post("/api/v1/runs/bulk", {**asked, "to": "never"})) == (400, "invalid_field")
    assert code(server.post("/api/v1/runs/bulk", {**asked, "to": ""})) == (400, "invalid_field")


# ---- a histogram


def test_every_run_is_in_one_bin(own_server):
    server = own_server
    assert server.get("/api/v1/run-histogram").json["total"] == 0
    server.wait(server.start_run("payer", "hello"))
    server.wait(server.start_run("payer", "refuse"))
    asked = server.start_run("payer", "pay, please")
    server.wait(asked, lambda r: r["waiting_on"] == "approval")
    held = server.start_run("payer", "at length")
    server.wait(held, lambda r: r["status"] == "running")
    assert server.post(f"/api/v1/runs/{held}/pause").status == 200

    def counts(query=""):
        answer = server.get(f"/api/v1/run-histogram{query}")
        assert answer.status == 200, answer.text
        told = {}
        for one in answer.json["bins"]:
            assert one["total"] == sum(one["counts"].values())
            for word, count in one["counts"].items():
                told[word] = told.get(word, 0) + count
        assert answer.json["total"] == sum(told.values())
        return told

    # An end is counted when it is written down, a moment behind the run's own answer.
    server.wait_until(lambda: counts() == {"completed": 1, "failed": 1, "waiting": 1, "paused": 1})
    assert counts("?agent=nobody") == {}
    began = server.run(asked)["created_at"]
    assert counts(f"?from={began}&to={later(began, milliseconds=1)}")["waiting"] == 1
    assert counts(f"?to={server.get('/api/v1/runs?limit=200').json['runs'][-1]['created_at']}") == {}
    wide = server.get("/api/v1/run-histogram?from=1970-01-01T00:00:00Z&bins=3").json
    assert len(wide["bins"]) <= 3 and wide["total"] == 4  # the newest part of it
    fine = server.get(f"/api/v1/run-histogram?from={began}&to={later(began, seconds=30)}").json
    assert fine["width_seconds"] == 1 and fine["from"] == began
    for wrong in ("bins=0", "bins=201", "bins=many", "status=failed"):
        assert server.get(f"/api/v1/run-histogram?{wrong}").status == 400, wrong


# ---- conversations


def test_conversations_come_by_their_newest_run(own_server):
    server = own_server
    assert server.get("/api/v1/conversations").json == {"conversations": [], "next_cursor": None}
    server.wait(server.start_run("payer", "hello"))  # nobody went on with it
    for run, talk in (("a1", "first"), ("b1", "second"), ("a2", "first")):
        server.wait(server.start_run("payer", "hello", id=run, conversation=talk))
    page = server.get("/api/v1/conversations?limit=1").json
    [first] = page["conversations"]
    assert (first["id"], first["runs"], first["newest"]["id"], first["newest"]["status"]) == ("first", 2, "a2", "completed")
    rest = server.get(f"/api/v1/conversations?cursor={page['next_cursor']}").json
    assert [one["id"] for one in rest["conversations"]] == ["second"] and rest["next_cursor"] is None
    assert code(server.get("/api/v1/conversations?cursor=bm9uZQ")) == (400, "invalid_cursor")


# ---- budgets


def test_budgets_are_listed_with_what_is_used(own_server, model):
    server = own_server
    for name, budgets in (("wide", "{tokens: 100000, calls: 50}"),):
        answer = server.request("PUT", f"/api/v1/agents/{name}", BUDGETED.format(name=name, model=model, budgets=budgets))
        assert answer.status in (200, 201), answer.text
    server.wait(server.start_run("payer", "hello"))
    wide = server.start_run("wide", "hello")
    server.wait(wide)
    rows = server.get("/api/v1/budgets").json["budgets"]
    assert [row["run"] for row in rows] == [wide]
    assert rows[0]["budgets"]["tokens"]["limit"] == 100000 and rows[0]["budgets"]["tokens"]["used"] > 0
    assert rows[0]["spent"]["model_calls"] == 1 and rows[0]["waiting"] == 0
    server.wait_until(lambda: server.get("/api/v1/budgets").json["budgets"][0]["status"] == "completed")
    assert server.get("/api/v1/budgets?waiting=true").json["budgets"] == []
    assert code(server.get("/api/v1/budgets?waiting=maybe")) == (400, "invalid_parameter")
    assert code(server.get("/api/v1/budgets?cursor=bm9uZQ")) == (400, "invalid_cursor")


# ---- the feed


def test_the_feed_says_that_a_person_is_asked_and_has_answered(own_server):
    server = own_server
    old = server.start_run("payer", "hello")
    server.wait(old)
    events = server.events(f"/api/v1/events?run={old}")
    next(events)  # of that run's log: from here on it listens
    run = server.start_run("payer", "pay, please")

    def news(kind):
        return next(event["data"] for _, at, event in events if at == "runs" and event["type"] == kind)

    asked = news("approval.requested")
    approval = server.wait_for_approval(run)
    assert asked == {"run": run, "approval": approval["id"]}
    answer = server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "reject"})
    assert answer.status == 200, answer.text
    assert news("approval.decided") == asked
    events.close()


# ---- cursors


def test_a_cursor_is_of_one_list(own_server):
    server = own_server
    for run in ("a1", "a2", "a3"):
        server.wait(server.start_run("payer", "hello", id=run, conversation="talk"))
    at = {path: server.get(f"{path}?limit=1").json["next_cursor"] for path in ("/api/v1/runs", "/api/v1/agents", "/api/v1/audit", "/api/v1/conversations/talk", "/api/v1/conversations/talk/messages")}
    assert all(at.values()), at
    others = ("/api/v1/agents/payer/versions", "/api/v1/flows", "/api/v1/memory", "/api/v1/memory/x", "/api/v1/runs/a1/forks", "/api/v1/runs/a1/diff/a2",
              "/api/v1/runs/a1/trace", "/api/v1/runs/a1/logs", "/api/v1/schedules", "/api/v1/approvals", "/api/v1/budgets", "/api/v1/conversations", "/api/v1/conversations/a1")
    for path in (*at, *others):
        for of, cursor in at.items():
            answer = server.get(f"{path}?cursor={cursor}")
            assert answer.status == 200 if of == path else code(answer) == (400, "invalid_cursor"), (path, of, answer.text)
        for forged in ("AAAA", "MQ", "!!", ""):
            assert code(server.get(f"{path}?cursor={forged}")) == (400, "invalid_cursor"), (path, forged)
    assert code(server.post("/api/v1/runs/bulk", {"action": "cancel", "status": "running", "cursor": at["/api/v1/runs"], "dry_run": True})) == (400, "invalid_cursor")
