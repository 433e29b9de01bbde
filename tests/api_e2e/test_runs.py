"""Runs over HTTP: the id comes before the work, repeats are the same run, bad requests say what to do."""

import json
import threading
import time


def test_a_run_from_start_to_end(server):
    answer = server.post("/api/v1/runs", {"agent": "payer", "input": "hello"})
    assert answer.status == 202
    assert answer.json["created"] is True
    assert answer.headers["Location"] == f"/api/v1/runs/{answer.json['id']}"
    run = server.wait(answer.json["id"])
    assert run["status"] == "completed"
    assert run["output"] == "Hello from the script."
    assert run["input"] == "hello"
    assert run["usage"]["model_calls"] == 1
    assert [step["status"] for step in run["steps"]] == ["completed"]


def test_the_same_id_and_body_is_the_same_run(server):
    body = {"agent": "payer", "input": "hello", "id": "chosen-1"}
    first, second = server.post("/api/v1/runs", body), server.post("/api/v1/runs", body)
    assert (first.status, second.status) == (202, 200)
    assert first.json["id"] == second.json["id"] == "chosen-1"
    assert second.json["created"] is False
    other = server.post("/api/v1/runs", {**body, "input": "something else"})
    assert (other.status, other.json["code"]) == (409, "run_exists")
    assert other.headers["Content-Type"] == "application/problem+json"
    assert server.run("chosen-1")["input"] == "hello"


def test_a_media_type_is_the_same_in_capitals(server):
    answer = server.post("/api/v1/runs", '{"agent": "payer", "input": "hello"}', {"Content-Type": "Application/JSON ;charset=utf-8"})
    assert answer.status == 202


def test_an_idempotency_key_names_one_request(server):
    body, key = {"agent": "payer", "input": "hello"}, {"Idempotency-Key": "key-1"}
    first, second = server.post("/api/v1/runs", body, key), server.post("/api/v1/runs", body, key)
    assert first.json["id"] == second.json["id"]
    assert server.post("/api/v1/runs", {**body, "input": "other"}, key).status == 409


def test_an_inline_definition_is_registered(server, agent_text):
    run = server.start_run(agent_text("inline"), "hello")
    assert server.wait(run)["agent"] == "inline"
    assert server.get("/api/v1/agents/inline").json["version"]


def test_lists_page_and_filter(server):
    ids = [server.start_run("payer", "hello", id=f"page-{i}") for i in range(5)]
    for run in ids:
        server.wait(run)
    seen, cursor = [], ""
    while True:
        page = server.get(f"/api/v1/runs?limit=2{cursor}").json
        assert len(page["runs"]) <= 2
        seen += [run["id"] for run in page["runs"]]
        if not page["next_cursor"]:
            break
        cursor = "&cursor=" + page["next_cursor"]
    assert len(seen) == len(set(seen))
    assert [run for run in seen if run.startswith("page-")] == ids[::-1]
    assert server.get("/api/v1/runs?status=failed&agent=payer&limit=50").status == 200
    done = server.get("/api/v1/runs?status=completed&limit=3").json["runs"]
    assert {run["status"] for run in done} == {"completed"}


def test_a_final_model_error_fails_the_run(server):
    run = server.wait(server.start_run("payer", "refuse this"))
    assert run["status"] == "failed"
    assert "not like that" in run["error"]["message"]
    assert run["output"] is None


def test_cancel_and_terminate(server):
    for verb, status in (("cancel", "canceled"), ("terminate", "terminated")):
        run = server.start_run("payer", "pay, please")
        server.wait_for_approval(run)
        assert server.post(f"/api/v1/runs/{run}/{verb}", {"reason": "enough"}).status == 202
        assert server.wait(run)["status"] == status
        again = server.post(f"/api/v1/runs/{run}/{verb}")
        assert (again.status, again.json["code"]) == (409, "run_closed")


def test_a_deleted_run_keeps_its_record(server):
    run = server.start_run("payer", "pay, please")
    server.wait_for_approval(run)
    assert server.request("DELETE", f"/api/v1/runs/{run}").json == {"id": run, "requested": "delete"}
    left = server.wait(run, lambda r: r.get("history_deleted_at") and not r["steps"])
    assert (left["status"], left["agent"], left["input"]) == ("terminated", "payer", "pay, please")
    assert (left["steps"], left["output"]) == ([], None)
    assert len(left["approvals"]) == 1
    assert server.get(f"/api/v1/runs/{run}/events").json["events"] == []
    assert server.request("DELETE", f"/api/v1/runs/{run}").status == 202
    assert [r["id"] for r in server.get("/api/v1/runs?status=terminated").json["runs"] if r.get("history_deleted")] == [run]
    assert server.request("DELETE", "/api/v1/runs/nobody").status == 404


def test_bad_requests_say_what_to_do_and_change_nothing(server, agent_text):
    before = len(server.get("/api/v1/runs?limit=200").json["runs"])

    def refused(status, code, body, headers=None):
        answer = server.post("/api/v1/runs", body, headers)
        assert (answer.status, answer.json["code"]) == (status, code), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        return answer.json

    assert "payer" in refused(404, "agent_not_found", {"agent": "nobody", "input": ""})["hint"]
    refused(400, "missing_field", {"agent": "payer"})
    refused(400, "missing_field", {"input": "x"})
    refused(400, "unknown_field", {"agent": "payer", "input": "x", "inptu": "y"})
    refused(400, "invalid_id", {"agent": "payer", "input": "x", "id": "a/b"})
    refused(400, "invalid_id", {"agent": "payer", "input": "x", "id": ""})
    refused(400, "invalid_id", {"agent": "payer", "input": "x", "id": ".."})
    refused(404, "version_not_found", {"agent": "payer", "input": "x", "version": "abc"})
    refused(400, "invalid_field", {"agent": 5, "input": "x"})
    refused(400, "invalid_json", "{", {"Content-Type": "application/json"})
    refused(400, "invalid_json", "[]", {"Content-Type": "application/json"})
    refused(400, "invalid_json", '{"agent": "nobody", "agent": "payer", "input": "x"}', {"Content-Type": "application/json"})
    refused(400, "invalid_json", '{"agent": "payer", "input": {"a": [{"b": 1, "b": 2}]}}', {"Content-Type": "application/json"})
    refused(400, "invalid_header", {"agent": "payer", "input": "x"}, {"Idempotency-Key": ""})
    deep = "[" * 100_000 + "]" * 100_000
    refused(400, "invalid_json", '{"agent": "payer", "input": %s}' % deep, {"Content-Type": "application/json"})
    refused(415, "unsupported_media_type", "agent=payer", {"Content-Type": "application/x-www-form-urlencoded"})
    refused(415, "unsupported_media_type", "{}", {"Content-Type": "application/json; charset=iso-8859-1"})
    refused(415, "unsupported_media_type", "{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    broken = agent_text("broken").replace("tools:", "tools: [")
    problem = refused(400, "invalid_definition", {"agent": broken, "input": "x"})
    assert "agent:" in problem["detail"]  # file:line:column
    assert server.post("/api/v1/runs", "x" * (5 << 20)).status == 413
    assert server.get("/api/v1/runs/nothing").json["code"] == "run_not_found"
    assert server.get("/api/v1/runs?limit=0").status == 400
    assert server.get("/api/v1/runs?status=odd").status == 400
    assert server.get("/api/v1/runs?cursor=!!").status == 400
    assert server.get("/api/v1/runs?status=completed&status=failed").json["code"] == "invalid_parameter"
    assert server.get("/api/v1/runs?stats=running").json["code"] == "unknown_parameter"
    assert server.get("/api/v1/nothing").status == 404
    assert server.request("DELETE", "/api/v1/runs").status == 405
    assert len(server.get("/api/v1/runs?limit=200").json["runs"]) == before


def test_definitions(server, agent_text):
    text = agent_text("versioned")
    first = server.request("PUT", "/api/v1/agents/versioned", text)
    assert first.status == 201
    assert server.request("PUT", "/api/v1/agents/versioned", text).status == 200
    assert server.request("PUT", "/api/v1/agents/other", text).json["code"] == "name_mismatch"
    assert server.get("/api/v1/agents/other").status == 404
    second = server.request("PUT", "/api/v1/agents/versioned", text.replace("Pays.", "Pays well."))
    assert second.json["version"] != first.json["version"]
    shown = server.get("/api/v1/agents/versioned").json
    assert len(shown["versions"]) == 2
    bad = server.request("POST", "/api/v1/agents?source=my.yaml", "kind: Agent\nspec: {")
    assert bad.status == 400 and "my.yaml:" in bad.json["detail"], bad.text


def test_only_our_own_page_may_call(server):
    assert server.get("/api/v1/runs", Host="evil.example").status == 421
    assert server.request("POST", "/api/v1/runs", {"agent": "payer", "input": "x"}, {"Origin": "http://evil.example"}).status == 403
    assert server.get("/api/v1/runs", Origin=f"http://{server.http}").status == 200
    assert "Access-Control-Allow-Origin" not in server.get("/api/v1/runs").headers


def test_health_information_and_description(server):
    assert server.get("/healthz").json == {"status": "ok"}
    assert server.get("/readyz").json == {"status": "ready"}
    info = server.get("/api/v1/info").json
    assert info["engine"] == "embedded" and info["grpc_address"] == server.ready["grpc"]
    assert server.get("/api/v1/openapi.json").json["openapi"] == "3.1.0"


def test_an_accepted_run_survives_a_kill(own_server):
    runs = [own_server.start_run("payer", "slowly please", id=f"kept-{i}") for i in range(10)]
    own_server.kill()
    begin = time.monotonic()
    own_server.start()
    for run in runs:
        assert own_server.wait(run)["status"] == "completed"
    assert time.monotonic() - begin < 30


def test_termination_by_others_is_seen(own_server):
    """Status is the engine's: a run that Temporal's own client ends shows as such, also in the events."""
    import asyncio

    from temporalio.client import Client

    run = own_server.start_run("payer", "pay, please")
    own_server.wait_for_approval(run)

    async def terminate():
        client = await Client.connect(own_server.ready["grpc"])
        await client.get_workflow_handle(run).terminate("from outside")

    asyncio.run(terminate())
    assert own_server.wait(run)["status"] == "terminated"
    types = [event["type"] for event in own_server.get(f"/api/v1/runs/{run}/events?limit=1000").json["events"]]
    deadline = time.monotonic() + 10
    while "run.closed" not in types and time.monotonic() < deadline:
        types = [event["type"] for event in own_server.get(f"/api/v1/runs/{run}/events?limit=1000").json["events"]]
    assert types[-1] == "run.closed"


def test_a_list_carries_the_beginning_of_a_long_input(server):
    long = "\u00e4\"\\ " * 50_000
    run = server.start_run("payer", long)
    row = next(row for row in server.get("/api/v1/runs?limit=5").json["runs"] if row["id"] == run)
    assert long.startswith(row["input"]) and len(row["input"]) > 2_000
    assert row["input_bytes"] == len(json.dumps(long, ensure_ascii=False).encode())
    assert server.get(f"/api/v1/runs/{run}").json["input"] == long
    short = server.start_run("payer", "hello")
    row = next(row for row in server.get("/api/v1/runs?limit=5").json["runs"] if row["id"] == short)
    assert row["input"] == "hello" and "input_bytes" not in row


def test_large_bodies_hold_up_nobody(server):
    """More of them than there are workers: others are answered before most of these are."""
    body = json.dumps({"agent": "nobody", "input": {f"{i:x}": 0 for i in range(150_000)}})
    answers, begun = [], threading.Event()

    def send():
        answers.append(server.post("/api/v1/runs", body, {"Content-Type": "application/json"}).status)
        begun.set()

    large = [threading.Thread(target=send) for _ in range(12)]
    for thread in large:
        thread.start()
    begun.wait(60)
    assert server.get("/api/v1/agents").status == 200
    done = len(answers)
    for thread in large:
        thread.join()
    assert answers == [404] * 12
    assert done < 8


def test_parts_of_a_message_that_are_none_begin_nothing(own_server):
    image = {"type": "image", "media_type": "image/png"}
    wrong = [([{"type": "text"}], "needs `text`"), ([{**image, "data": "%%%"}], "not base64"), ([{"type": "image", "url": "ftp://x/y.png"}], "no http(s) URL")]
    for content, why in wrong:
        starts = [("/api/v1/runs", {"agent": "payer", "input": {"content": content}}),
                  ("/api/v1/conversations/talk/messages", {"agent": "payer", "input": {"content": content}}),
                  ("/api/v1/schedules", {"name": "s", "agent": "payer", "input": {"content": content}, "cron": "@daily"})]
        for path, body in starts:
            refused = own_server.post(path, body)
            assert refused.status == 400 and why in refused.text, (path, refused.text)
    for url, why in (("data:image/png;base64,%%%", "not base64"), ("ftp://x/y.png", "no http(s) URL")):
        part = {"type": "image_url", "image_url": {"url": url}}
        bad, fine = {"role": "user", "content": [part]}, {"role": "user", "content": "hello"}
        for messages in ([bad], [bad, {"role": "assistant", "content": "hm"}, fine]):
            refused = own_server.post("/v1/chat/completions", {"model": "payer", "messages": messages})
            assert refused.status == 400 and why in refused.text, refused.text
        item = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": url}]}
        refused = own_server.post("/v1/responses", {"model": "payer", "input": [item]})
        assert refused.status == 400 and why in refused.json["error"]["message"], refused.text
    assert own_server.get("/api/v1/runs").json["runs"] == []
    assert own_server.get("/api/v1/conversations").json["conversations"] == []
    run = own_server.start_run("payer", "hello")
    own_server.wait(run)
    for edit in ({"prompt": {"content": [{"type": "text"}]}}, {"message": {"content": [{**image, "data": "%%%"}]}}):
        refused = own_server.post(f"/api/v1/runs/{run}/fork", {"edit": edit})
        assert refused.status == 400, refused.text
