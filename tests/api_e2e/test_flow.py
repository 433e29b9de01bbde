"""Runs of an agent that have a key in common: who waits, behind whom, and that a killed server changes nothing."""

import pytest
from holdfast import Server, scripted_model

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "hold"}
    tool_calls: [{name: refund, arguments: {duration: 10ms}}]
  - when: {last: '(.*)'}
    text: "did {{last}}"
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: flow}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: You work.
  tools:
    - {{name: refund, type: wait, wait: {{max: 2h}}}}
  approvals: {{rules: [{{tool: refund, action: ask}}]}}
  flow: {{key: "{{input.customer}}", {flow}}}
"""


@pytest.fixture(scope="module")
def flow_model(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture
def flowing(binary, flow_model, tmp_path):
    servers = []

    def make(flow):
        one = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
        servers.append(one)
        answer = one.request("PUT", "/api/v1/agents/flow", AGENT.format(model=flow_model, flow=flow))
        assert answer.status == 201, answer.text
        return one

    yield make
    for one in servers:
        one.close()


def begin(server, what, customer="ann", **more):
    return server.start_run("flow", {"customer": customer, "what": what}, **more)


def waits(run):
    return run["waiting_on"] == "flow"


def test_who_waits_is_shown_and_keeps_its_place_across_kills(flowing, cli):
    server = flowing("concurrency: {limit: 1}")
    first = begin(server, "hold", id="first")
    server.wait_for_approval(first)
    rest = [begin(server, f"job {i}", id=f"job-{i}") for i in range(3)]
    assert server.wait(begin(server, "job", customer="bob"))["status"] == "completed"
    second = server.wait(rest[0], waits)
    assert second["flow"] == {"key": "ann", "state": "waiting", "rule": "concurrency", "ahead": 0, "behind": first}
    last = server.wait(rest[2], lambda run: waits(run) and run["flow"]["rule"] == "turn")
    assert last["flow"]["ahead"] == 2 and last["flow"]["behind"] == rest[0]
    shown = cli(server, "runs", rest[0])
    assert "flow     ann: waiting (concurrency), behind first" in shown.stdout, shown.stdout
    server.kill()
    server.start()
    assert waits(server.wait(rest[1], waits))
    assert server.post(f"/api/v1/runs/{first}/cancel").status in (200, 202)
    began = []
    for run in rest:
        done = server.wait(run)
        assert done["status"] == "completed", done
        events = server.get(f"/api/v1/runs/{run}/events?limit=500").json["events"]
        began.append(next(e["at"] for e in events if e["type"] == "run.started"))
        waiting = [e["data"] for e in events if e["type"] == "run.waiting"]
        assert waiting and all(w["on"] == "flow" and w["key"] == "ann" for w in waiting)
    assert began == sorted(began)


def test_a_run_too_many_is_refused(flowing):
    server = flowing("rate_limit: {limit: 2, period: 1h}")
    for i in range(2):
        begin(server, "job", id=f"run-{i}")
    refused = server.post("/api/v1/runs", {"agent": "flow", "input": {"customer": "ann"}, "id": "one-more"})
    assert refused.status == 429 and refused.json["code"] == "flow_limited", refused.text
    assert server.get("/api/v1/runs/one-more").status == 404
    # The same request again is no further run.
    again = server.post("/api/v1/runs", {"agent": "flow", "input": {"customer": "ann", "what": "job"}, "id": "run-0"})
    assert again.status == 200, again.text
    assert server.wait(begin(server, "job", customer="bob"))["status"] == "completed"


def test_a_line_has_an_end(flowing):
    server = flowing("concurrency: {limit: 1}, max_waiting: 1")
    first = begin(server, "hold", id="first")
    server.wait_for_approval(first)
    begin(server, "job", id="second")
    refused = server.post("/api/v1/runs", {"agent": "flow", "input": {"customer": "ann"}})
    assert refused.status == 429 and "max_waiting" in refused.json["detail"], refused.text


def test_the_last_of_many_stands_for_them(flowing):
    server = flowing("debounce: {period: 2s}")
    runs = [begin(server, f"job {i}", id=f"run-{i}") for i in range(3)]
    server.kill()
    server.start()
    done = server.wait(runs[2])
    assert done["status"] == "completed" and "job 2" in done["output"]
    for run in runs[:2]:
        ended = server.wait(run)
        assert ended["status"] == "canceled" and ended["reason"] == "superseded", ended
        assert ended["flow"]["state"] == "superseded" and ended["flow"]["into"] in runs


def test_a_batch_is_one_run(flowing):
    server = flowing("batch: {max_size: 3, timeout: 1h}")
    runs = [begin(server, f"job {i}", id=f"run-{i}") for i in range(2)]
    waiting = server.wait(runs[1], waits)
    assert waiting["flow"]["rule"] == "batch" and waiting["flow"]["behind"] == runs[0]
    server.kill()
    server.start()
    runs.append(begin(server, "job 2", id="run-2"))
    ended = [server.wait(run) for run in runs]
    done = [one for one in ended if one["output"]]  # the one that completed it, or one that asked again just then
    assert len(done) == 1, ended
    assert [f"job {i}" in done[0]["output"] for i in range(3)] == [True, True, True], done[0]["output"]
    for one in ended:
        assert one is done[0] or (one["reason"] == "batched" and one["flow"]["into"] == done[0]["id"]), one


def test_a_flow_that_makes_no_sense_is_refused(flowing, flow_model):
    server = flowing("concurrency: {limit: 1}")
    for flow, why in [("max_waiting: 3", "says nothing"), ("throttle: {limit: 3}", "period"),
                      ("debounce: {period: 1s}, batch: {max_size: 2, timeout: 1s}", "choose one"),
                      ("when: \"amount > 3\", concurrency: {limit: 1}", "is not known here")]:
        answer = server.request("PUT", "/api/v1/agents/flow", AGENT.format(model=flow_model, flow=flow))
        assert answer.status == 400 and why in answer.text, (flow, answer.text)
