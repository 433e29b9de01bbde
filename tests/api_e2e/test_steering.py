"""Runs that are steered, from outside: messages, pause, parking, taking up, many at once; and effects that are made
once and undone once whenever the server is killed."""

import collections
import http.server
import json
import threading
import urllib.parse

import pytest
from holdfast import Server, scripted_model

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0, last: "^pay"}
    tool_calls: [{name: pay, arguments: {to: ann}}]
  - when: {turn: 1, last: "refused|error|Error"}
    text: "That went wrong."
  - when: {turn: 1}
    tool_calls: [{name: pay, arguments: {to: bob}}]
  - when: {turn: 2, last: "^instead"}
    text: "A voucher, then."
  - when: {turn: 2}
    tool_calls: [{name: rest, arguments: {duration: 1h}}]
  - when: {turn: 3, last: "^(instead|These calls)"}
    text: "A voucher, then."
  - when: {turn: 3}
    text: "Taken up."
  - when: {turn: 0, last: "^revoked"}
    text: "The key is back."
    faults: [{status: 401, message: revoked, first: 1}]
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: payer}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, timeout: 30s, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: You pay people.
  {steering}
  tools:
    - name: pay
      type: http
      effect: {effect}
      timeout: 5s
      {reconcile}
      compensate: {{tool: unpay, arguments: {{id: "{{result.id}}"}}}}
      parameters: {{properties: {{to: {{type: string}}}}, required: [to]}}
      http: {{method: POST, url: "{remote}/pay", headers: {{}}, body: {{to: "{{to}}", key: "{{to}}"}}}}
    - name: unpay
      type: http
      effect: idempotent
      retry: {{initial: 100ms, backoff: 1, attempts: 100}}
      parameters: {{properties: {{id: {{type: string}}}}, required: [id]}}
      http: {{method: POST, url: "{remote}/unpay", body: {{id: "{{id}}"}}}}
    - name: find
      type: http
      retry: {{initial: 100ms, backoff: 1, attempts: 100}}
      parameters: {{properties: {{to: {{type: string}}}}, required: [to]}}
      http: {{url: "{remote}/find"}}
    - {{name: rest, type: wait, wait: {{max: 2h}}}}
"""


class Bank(http.server.ThreadingHTTPServer):
    """Counts what arrives, by path and idempotency key; `at` is called once, before or after the answer."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Teller)
        self.arrived = []  # (path, key, what)
        self.paid = {}  # to -> id
        self.unpaid = set()  # ids
        self.refused = set()  # ids that /unpay refuses
        self.lock = threading.Lock()
        self.at = {}  # ("before" or "after", path) -> callable
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_port

    def count(self, path):
        with self.lock:
            return collections.Counter(key for p, key, _ in self.arrived if p == path)

    def met(self, moment, path):
        with self.lock:
            action = self.at.pop((moment, path), None)
        if action:
            action()


class Teller(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_POST(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        url = urllib.parse.urlparse(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        bank = self.server
        key = self.headers.get("Idempotency-Key", "")
        body = json.loads(text or b"{}") or dict(urllib.parse.parse_qsl(url.query))
        with bank.lock:
            bank.arrived.append((url.path, key, body))
            if url.path == "/pay":
                bank.paid.setdefault(body["to"], "p-" + body["to"])
            refused = url.path == "/unpay" and body["id"] in bank.refused
            if url.path == "/unpay" and not refused:
                bank.unpaid.add(body["id"])
        bank.met("before", url.path)
        if url.path == "/find":
            found = bank.paid.get(body["to"])
            reply = {"happened": found is not None, "id": found}
        elif url.path == "/find_unpaid":
            reply = {"happened": body["id"] in bank.unpaid}
        else:
            reply = {"id": bank.paid.get(body.get("to", ""), body.get("id"))}
        data = json.dumps(reply).encode()
        try:
            self.send_response(409 if refused else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            pass
        bank.met("after", url.path)


@pytest.fixture
def bank():
    one = Bank()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture(scope="module")
def steered_model(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture
def steered(binary, steered_model, bank, tmp_path):
    """A server of the test's own with the agent, by what its definition says."""
    servers = []

    def make(steering="steering: queue", effect="at_most_once"):
        reconcile = 'reconcile: {tool: find, after: 0s, arguments: {to: "{arguments.to}"}}' if effect == "at_most_once" else ""
        one = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
        servers.append(one)
        text = AGENT.format(model=steered_model, remote=bank.url, steering=steering, effect=effect, reconcile=reconcile)
        answer = one.request("PUT", "/api/v1/agents/payer", text)
        assert answer.status == 201, answer.text
        return one

    yield make
    for one in servers:
        one.close()


def is_resting(run):
    return any(step.get("name") == "rest" and step["status"] == "running" for step in run["steps"])


def held(state):
    return lambda run: run.get("hold", {}).get("state") == state


def test_a_message_is_taken_once_and_survives_a_kill(steered, bank):
    server = steered("steering: interrupt", effect="idempotent")
    run = server.start_run("payer", "pay")
    server.wait(run, is_resting)
    # What no model can be told is refused while somebody is there to say it in another way; the run does not see it.
    for part in ({"type": "text"}, {"type": "image", "media_type": "image/png", "data": "!!"}):
        refused = server.post(f"/api/v1/runs/{run}/messages", {"input": {"content": [part]}, "id": "call-1"})
        assert refused.status == 400 and "content" in refused.text, refused.text
    message = {"input": "instead a voucher", "id": "call-1", "by": "ann"}
    first = server.post(f"/api/v1/runs/{run}/messages", message)
    assert first.status == 202 and first.json["state"] == "interrupts", first.text
    server.kill()
    server.start()
    done = server.wait(run)
    assert done["output"] == "A voucher, then." and done["reason"] == "completed"
    again = server.post(f"/api/v1/runs/{run}/messages", message)
    assert again.status == 409 and again.json["code"] == "run_closed"
    events = server.get(f"/api/v1/runs/{run}/events?limit=500").json["events"]
    assert [event["data"]["id"] for event in events if event["type"] in ("message.received", "message.seen")] == ["call-1", "call-1"]
    assert sum(bank.count("/pay").values()) == 2


def test_bad_steering_is_refused(steered):
    server = steered("steering: reject")
    run = server.start_run("payer", "pay")
    server.wait(run, is_resting)
    post = server.post
    assert post(f"/api/v1/runs/{run}/messages", {}).json["code"] == "missing_field"
    assert post(f"/api/v1/runs/{run}/messages", {"text": "x"}).json["code"] == "unknown_field"
    assert post(f"/api/v1/runs/{run}/messages", {"input": "x"}).json["code"] == "message_rejected"
    assert post(f"/api/v1/runs/{run}/resume").json["code"] == "not_held"
    assert post(f"/api/v1/runs/{run}/fail").json["code"] == "not_held"
    assert post(f"/api/v1/runs/{run}/retry").json["code"] == "run_open"
    assert post("/api/v1/runs/nobody/pause").json["code"] == "run_not_found"
    assert post("/api/v1/runs/bulk", {"action": "pause"}).json["code"] == "missing_field"
    assert post("/api/v1/runs/bulk", {"action": "stop", "status": "running"}).json["code"] == "invalid_field"
    assert post("/api/v1/runs/bulk", {"action": "pause", "status": "running", "limit": 0}).json["code"] == "invalid_field"


def test_pause_is_shown_and_survives_a_kill(steered, cli):
    server = steered()
    run = server.start_run("payer", "pay")
    server.wait(run, is_resting)
    assert cli(server, "pause", run, "--by", "ann", "--reason", "lunch").returncode == 0
    shown = server.run(run)
    assert shown["status"] == "running" and shown["waiting_on"] == "resume"
    assert shown["hold"]["state"] == "paused" and shown["hold"]["by"] == "ann" and shown["hold"]["reason"] == "lunch"
    assert [one["id"] for one in server.get("/api/v1/runs?status=paused").json["runs"]] == [run]
    assert "paused by ann: lunch" in cli(server, "runs").stdout
    assert cli(server, "pause", run).returncode == 4
    server.kill()
    server.start()
    assert server.run(run)["hold"]["by"] == "ann"
    assert cli(server, "resume", run).returncode == 0
    assert "hold" not in server.run(run)
    assert server.get("/api/v1/runs?status=paused").json["runs"] == []


def test_a_parked_run_goes_on_and_many_at_once(steered, cli):
    server = steered("on_failure: park")
    first = server.start_run("payer", "revoked")
    parked = server.wait(first, held("parked"))
    assert parked["hold"]["reason"] == "auth" and "revoked" in parked["hold"]["error"]["message"]
    dry = cli(server, "bulk", "resume", "--status", "parked", "--dry-run")
    assert dry.returncode == 0 and "would resume" in dry.stdout, dry.stdout + dry.stderr
    assert server.run(first)["hold"]["state"] == "parked"
    assert cli(server, "bulk", "resume", "--status", "parked").returncode == 0
    assert server.wait(first)["output"] == "The key is back."
    assert "no such runs" in cli(server, "bulk", "resume", "--status", "parked").stderr


def test_bulk_goes_page_by_page_and_says_what_came_of_each(steered):
    server = steered()
    runs = {server.start_run("payer", "pay", id=f"run-{i}") for i in range(5)}
    for run in runs:
        server.wait(run, is_resting)
    server.post("/api/v1/runs/run-2/pause")
    body = {"action": "pause", "status": "running", "limit": 2, "by": "ann"}
    seen = {}
    while True:
        page = server.post("/api/v1/runs/bulk", body)
        assert page.status == 200, page.text
        seen.update({row["run"]: row for row in page.json["runs"]})
        if page.json["next_cursor"] is None:
            break
        body["cursor"] = page.json["next_cursor"]
    assert set(seen) == runs
    assert {run for run, row in seen.items() if row["ok"]} == runs - {"run-2"}
    assert seen["run-2"]["why"] == "it is paused"


def test_a_cancelled_run_undoes_and_is_taken_up_behind_what_it_did(steered, bank, cli):
    server = steered(effect="idempotent")
    run = server.start_run("payer", "pay")
    server.wait(run, is_resting)
    server.post(f"/api/v1/runs/{run}/cancel")
    assert server.wait(run)["reason"] == "canceled"
    unpaid = [body["id"] for path, _, body in bank.arrived if path == "/unpay"]
    assert unpaid == ["p-bob", "p-ann"]
    again = cli(server, "retry", run)
    assert again.returncode == 0 and again.stdout.strip() == f"{run}.retry", again.stderr
    same = cli(server, "retry", run)
    assert same.stdout.strip() == f"{run}.retry", same.stderr
    taken_up = server.wait(f"{run}.retry")
    assert taken_up["output"] == "A voucher, then." and taken_up["origin"] == run
    # It goes on in the conversation of the run before it: all who are asked say so.
    assert taken_up["conversation"] == run and taken_up["waiting_on"] is None
    told = server.get(f"/api/v1/runs/{run}.retry/events").json["events"]
    assert next(event["data"]["conversation"] for event in told if event["type"] == "run.started") == run
    listed = server.get("/api/v1/runs").json["runs"]
    assert {row["id"]: row["conversation"] for row in listed} == {run: run, f"{run}.retry": run}
    there = server.get(f"/api/v1/conversations/{run}")
    assert [(one["run"], one["in_line"]) for one in there.json["runs"]] == [(f"{run}.retry", False)], there.text
    assert sum(bank.count("/pay").values()) == 2
    assert server.post(f"/api/v1/runs/{run}.retry/retry").json["code"] == "not_retried"


@pytest.mark.parametrize("moment, path", [("before", "/pay"), ("after", "/pay"), ("before", "/find"), ("after", "/find")])
def test_a_kill_at_any_point_of_a_call_makes_it_once(steered, bank, moment, path):
    server = steered()
    killed = threading.Event()

    def kill():
        server.kill()
        killed.set()

    if path == "/find":  # asked only when it is not known: the first kill sees to that
        def first():
            server.kill()
            bank.at[(moment, path)] = kill
            server.start()

        bank.at[("before", "/pay")] = first
    else:
        bank.at[(moment, path)] = kill
    run = server.start_run("payer", "pay")
    assert killed.wait(20)
    server.start()
    server.wait(run, is_resting)
    paid = [body["to"] for p, _, body in bank.arrived if p == "/pay"]
    assert paid == ["ann", "bob"]
    assert server.run(run)["approvals"] == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_while_effects_are_undone_undoes_each_once(steered, bank, moment):
    server = steered()
    run = server.start_run("payer", "pay")
    server.wait(run, is_resting)
    killed = threading.Event()

    def kill():
        server.kill()
        killed.set()

    bank.at[(moment, "/unpay")] = kill
    server.post(f"/api/v1/runs/{run}/cancel")
    assert killed.wait(20)
    server.start()
    assert server.wait(run)["reason"] == "canceled"
    assert len(bank.count("/unpay")) == 2  # keys: each is one effect
    order = list(dict.fromkeys(body["id"] for p, _, body in bank.arrived if p == "/unpay"))
    assert order == ["p-bob", "p-ann"]
    types = [event["type"] for event in server.get(f"/api/v1/runs/{run}/events?limit=500").json["events"]]
    assert types.count("effect.undone") == 2
