"""Many runs on one conversation over HTTP: one behind the other, also across a kill; and agents by the clock."""

import subprocess


def said(server, conversation, **query):
    path = f"/api/v1/conversations/{conversation}/messages"
    if query:
        path += "?" + "&".join(f"{name}={value}" for name, value in query.items())
    return server.get(path).json


def texts(page):
    return ["".join(part.get("text", "") for part in message["content"]) for message in page["messages"]]


def test_runs_on_one_conversation_are_one_behind_the_other_and_survive_a_kill(own_server):
    server = own_server
    first = server.start_run("payer", "at length", id="first", conversation="talk")
    server.wait("first", lambda run: run["partial_output"])
    second = server.start_run("payer", "hello", id="second", conversation="talk")
    waiting = server.wait(second, lambda run: run["waiting_on"])
    assert waiting["waiting_on"] == "conversation" and waiting["conversation"] == "talk"
    assert {row["id"]: row["waiting_on"] for row in server.get("/api/v1/runs").json["runs"]}["second"] == "conversation"
    assert server.post("/api/v1/runs", {"agent": "payer", "input": "hello", "id": "second"}).status == 409
    server.kill()
    server.start()
    assert server.run(second)["waiting_on"] == "conversation"
    server.post(f"/api/v1/runs/{first}/terminate", {})
    assert server.wait(second)["output"] == "Hello from the script."
    assert texts(said(server, "talk")) == ["at length", "hello", "Hello from the script."]
    about = server.get("/api/v1/conversations/talk").json
    assert about["messages"] == 3 and [row["run"] for row in about["runs"]] == ["second", "first"]
    assert not any(row["in_line"] for row in about["runs"])


def test_the_transcript_comes_in_pages_and_is_a_command(server, binary):
    server.wait(server.start_run("payer", "one", id="paged"))
    server.wait(server.start_run("payer", "two", conversation="paged"))
    page = said(server, "paged", limit=3)
    assert texts(page) == ["one", "Hello from the script.", "two"] and page["head"] == 4
    rest = said(server, "paged", limit=3, cursor=page["next_cursor"])
    assert texts(rest) == ["That is settled."] and rest["next_cursor"] is None
    shown = subprocess.run([binary, "conversation", "paged", "--api", server.http], capture_output=True, text=True, check=True)
    assert shown.stdout.index("one") < shown.stdout.index("two") < shown.stdout.index("That is settled.")
    answer = server.get("/api/v1/conversations/nobody/messages")
    assert answer.status == 404 and answer.json["code"] == "conversation_not_found"
    answer = server.post("/api/v1/runs", {"agent": "payer", "input": "x", "conversation": "a/b"})
    assert answer.status == 400 and answer.json["code"] == "invalid_conversation"


def test_a_schedule_from_its_making_to_its_end(server, binary):
    body = {"name": "nightly", "agent": "payer", "input": "hello", "cron": "0 2 * * *", "time_zone": "Europe/Berlin"}
    made = server.post("/api/v1/schedules", body)
    assert made.status == 201 and made.json["next_at"][14:16] == "00" and made.json["overlap"] == "skip"
    assert server.post("/api/v1/schedules", body).json["code"] == "schedule_exists"
    for wrong in ({"cron": "60 2 * * *"}, {"time_zone": "Europe/Atlantis"}, {"cron": "0 0 30 2 *"}, {"cron": "*/70 * * * *"}, {"catch_up_seconds": 9}, {"name": "a/b"}):
        answer = server.post("/api/v1/schedules", body | wrong)
        assert answer.status == 400 and answer.json["code"] == "invalid_schedule", answer.json
    assert server.post("/api/v1/schedules", body | {"name": "x", "agent": "nobody"}).status == 404
    parts = server.post("/api/v1/schedules", body | {"name": "x", "input": {"content": [{"type": "text"}]}})
    assert parts.status == 400 and "needs `text`" in parts.text, parts.text
    assert server.post("/api/v1/schedules", body | {"overlap": "never"}).json["code"] == "invalid_field"

    def command(*words):
        return subprocess.run([binary, "schedule", *words, "--api", server.http], capture_output=True, text=True, check=True).stdout

    assert "nightly" in command("list")
    command("pause", "nightly", "--note", "holidays")
    show = "/api/v1/schedules/nightly"
    assert server.wait_until(lambda: server.get(show).json.get("paused"))
    assert server.get(show).json["note"] == "holidays" and server.get(show).json["next_at"] is None
    for anew in ("/api/v1/keys", "/api/v1/approvals/x/links", "/api/v1/agents/payer/labels/production/rollback"):
        keyed = server.post(anew, {}, {"Idempotency-Key": "k"})
        assert keyed.status == 400 and keyed.json["code"] == "invalid_header", keyed.text
    command("trigger", "nightly")
    assert server.wait_until(lambda: server.get(show).json["runs"]["started"] == 1)
    run = server.get(show).json["last_run"]
    assert run.startswith("nightly@") and server.wait(run)["output"] == "Hello from the script."
    command("resume", "nightly")
    assert server.wait_until(lambda: server.get(show).json["paused"] is False)
    assert "1 started" in command("show", "nightly")
    command("delete", "nightly")
    assert server.get(show).status == 404
    assert server.post(show + "/trigger", {}).json["code"] == "schedule_not_found"


def test_a_schedule_is_triggered_once_by_a_key(own_server):
    body = {"agent": "payer", "input": "hello", "cron": "0 2 1 1 *", "overlap": "allow"}
    for name in ("yearly", "other"):
        assert own_server.post("/api/v1/schedules", body | {"name": name}).status == 201
    trigger, key = "/api/v1/schedules/yearly/trigger", {"Idempotency-Key": "t1"}
    missing = own_server.post("/api/v1/schedules/nobody/trigger", {}, key)
    assert (missing.status, missing.json["code"]) == (404, "schedule_not_found"), "a key is not used up by what is refused"
    first = own_server.post(trigger, {}, key)
    assert (first.status, first.json) == (202, {"name": "yearly", "requested": "trigger"}), first.text
    own_server.wait_until(lambda: own_server.get("/api/v1/schedules/yearly").json["runs"]["started"] == 1)
    own_server.kill()
    own_server.start()
    for _ in range(3):
        again = own_server.post(trigger, {}, key)
        assert (again.status, again.json) == (202, first.json), again.text
    used = own_server.post("/api/v1/schedules/other/trigger", {}, key)
    assert (used.status, used.json["code"]) == (409, "idempotency_key_used"), used.text
    # Signals are taken in their order: whatever came before the second trigger is counted with it.
    assert own_server.post(trigger, {}, {"Idempotency-Key": "t2"}).status == 202
    own_server.wait_until(lambda: own_server.get("/api/v1/schedules/yearly").json["runs"]["started"] >= 2)
    assert own_server.get("/api/v1/schedules/yearly").json["runs"]["started"] == 2
    assert own_server.get("/api/v1/schedules/other").json["runs"]["started"] == 0
    assert own_server.request("DELETE", "/api/v1/schedules/yearly").status == 202
    assert own_server.post(trigger, {}, key).status == 202, "what was answered stays answered"


def test_a_schedule_is_made_once_by_its_key(own_server):
    body, key = {"name": "weekly", "agent": "payer", "input": "hello", "cron": "0 2 * * mon"}, {"Idempotency-Key": "s1"}
    made = own_server.post("/api/v1/schedules", body, key)
    assert made.status == 201, made.text
    own_server.kill()
    own_server.start()
    again = own_server.post("/api/v1/schedules", body, key)
    assert (again.status, again.json) == (201, made.json), again.text
    assert len(own_server.get("/api/v1/schedules").json["schedules"]) == 1
    for other in (body | {"name": "other"}, body | {"input": "bye"}):
        used = own_server.post("/api/v1/schedules", other, key)
        assert (used.status, used.json["code"]) == (409, "idempotency_key_used"), used.text
    assert own_server.post("/api/v1/schedules", body, {"Idempotency-Key": "s2"}).json["code"] == "schedule_exists"
    assert own_server.post("/api/v1/schedules", body, {"Idempotency-Key": "s" * 201}).json["code"] == "invalid_header"
    assert own_server.request("DELETE", "/api/v1/schedules/weekly").status == 202
    assert own_server.post("/api/v1/schedules", body, key).json == made.json
    assert own_server.get("/api/v1/schedules/weekly").status == 404, "a repeat makes nothing"
