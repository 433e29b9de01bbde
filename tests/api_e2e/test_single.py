"""`mode: single`: a run of one model call has all that a run has, and a killed server finishes it."""

SINGLE = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, timeout: 30s, retry: {{initial: 50ms, attempts: 3}}}}
  prompt: You answer.
  mode: single
{extra}
"""


def deploy(server, model, name, extra=""):
    answer = server.request("PUT", f"/api/v1/agents/{name}", SINGLE.format(name=name, model=model, extra=extra))
    assert answer.status == 201, answer.text
    return name


def test_it_has_id_record_usage_and_stream(server, model):
    run = server.start_run(deploy(server, model, "once"), "slowly", id="single-1")
    part = server.wait(run, lambda r: r["partial_output"])
    assert part["status"] == "running" and part["partial_output"].startswith("One")
    done = server.wait(run)
    assert done["status"] == "completed" and done["output"].endswith("twenty.")
    assert done["usage"]["model_calls"] == 1 and [step["kind"] for step in done["steps"]] == ["model"]
    def told():
        return [event["type"] for event in server.get(f"/api/v1/runs/{run}/events?limit=1000").json["events"]]

    assert server.wait_until(lambda: told()[-1] == "run.closed")
    types = told()
    assert types[0] == "run.started" and types.count("step.completed") == 1
    page = server.get(f"/api/v1/conversations/{run}/messages").json
    assert [message["role"] for message in page["messages"]] == ["user", "assistant"]


def test_a_killed_server_finishes_it(own_server, model):
    server = own_server
    run = server.start_run(deploy(server, model, "survivor"), "slowly")
    server.wait(run, lambda r: r["partial_output"])
    server.kill()
    server.start()
    done = server.wait(run, seconds=40)
    assert done["status"] == "completed" and done["output"].endswith("twenty.")
    assert done["usage"]["model_calls"] == 1
    page = server.get(f"/api/v1/conversations/{run}/messages").json
    assert [message["role"] for message in page["messages"]] == ["user", "assistant"]


def test_what_ends_it_has_a_name(server, model):
    run = server.wait(server.start_run(deploy(server, model, "refused"), "refuse this"))
    assert run["status"] == "failed" and "not like that" in run["error"]["message"]
    poor = server.wait(server.start_run(deploy(server, model, "poor", "  budgets: {tokens: 10}"), "hello"))
    assert poor["status"] == "failed" and poor["error"]["type"] == "BudgetExceeded", poor["error"]


def test_there_is_nothing_to_steer_and_it_can_be_cancelled(server, model):
    run = server.start_run(deploy(server, model, "brief"), "at length")
    server.wait(run, lambda r: r["partial_output"])
    refused = server.post(f"/api/v1/runs/{run}/messages", {"input": "and tea"})
    assert refused.json["code"] == "message_rejected" and "mode: single" in refused.json["detail"], refused.text
    assert server.post(f"/api/v1/runs/{run}/pause", {}).status == 409
    server.post(f"/api/v1/runs/{run}/cancel", {})
    assert server.wait(run)["status"] == "canceled"


def test_on_a_conversation_it_goes_on(server, model):
    agent = deploy(server, model, "chatty")
    server.wait(server.start_run(agent, "hello", id="chat-1"))
    assert server.wait(server.start_run(agent, "and again?", conversation="chat-1"))["status"] == "completed"
    assert len(server.get("/api/v1/conversations/chat-1/messages").json["messages"]) == 4
