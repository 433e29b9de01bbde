"""Models of a role and limits of their keys, as an operator sees them: from the file, on the log of a run, through a kill."""

import datetime
import http.server
import json
import subprocess
import threading

import pytest
from holdfast import Server

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model:
    provider: openai
    name: first
    base_url: "{model}"
    fallbacks: {fallbacks}
  prompt: You answer.
"""


class Provider:
    """Answers when it is let; tells how many calls are in."""

    def __init__(self, status=200, headers=()):
        self.open = threading.Semaphore(0)
        self.arrived = threading.Semaphore(0)
        self.asked: list[str] = []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                provider.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                provider.arrived.release()
                if status == 200:
                    provider.open.acquire(timeout=60)
                done = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "done"}}]}
                body = json.dumps(done if status == 200 else {"error": {"message": "busy"}}).encode()
                try:
                    self.send_response(status)
                    for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers):
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # whoever asked is gone

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.place = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.place}/v1"


@pytest.fixture
def provider():
    made = []

    def make(*args, **more):
        made.append(Provider(*args, **more))
        return made[-1]

    yield make
    for one in made:
        one.open.release(1000)
        one.server.shutdown()
        one.server.server_close()


def put(server, name, model, fallbacks="[]"):
    answer = server.request("PUT", f"/api/v1/agents/{name}", AGENT.format(name=name, model=model, fallbacks=fallbacks))
    assert answer.status == 201, answer.text


def events(server, run, kind):
    return [event["data"] for event in server.get(f"/api/v1/runs/{run}/events?limit=500").json["events"] if event["type"] == kind]


def test_a_key_has_one_slot_and_the_log_says_who_waits(binary, tmp_path, provider):
    slow = provider()
    limits = tmp_path / "limits.yaml"
    limits.write_text(f"apiVersion: holdfast.dev/v1\nkind: Limits\nlimits:\n  - {{host: '{slow.place}', concurrency: 1}}\n")
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1", "--limits", str(limits)).start()
    try:
        put(server, "one", slow.url)
        first, second = server.start_run("one", "a"), server.start_run("one", "b")
        assert slow.arrived.acquire(timeout=20)
        waiting = [first, second]
        server.wait(first, lambda _: any(events(server, run, "step.waiting") for run in waiting))
        assert not slow.arrived.acquire(timeout=0.2), "one at a time"
        # A server that dies takes no slot with it.
        server.kill()
        server.start()
        slow.open.release(100)
        assert [server.wait(run, seconds=60)["output"] for run in waiting] == ["done", "done"]
        assert {event["limit"] for run in waiting for event in events(server, run, "step.waiting")} == {slow.place}
    finally:
        server.close()


def test_what_one_server_says_holds_others_for_an_hour_at_most(binary, tmp_path, provider):
    busy = provider(429, [("Retry-After", "99999999999999999999")])
    nonsense = provider(429, [("Retry-After", "NaN"), ("retry-after-ms", "inf")])
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    try:
        put(server, "told", busy.url)
        first = server.start_run("told", "a")
        server.wait(first, lambda _: events(server, first, "step.retrying"))
        second = server.start_run("told", "b")
        server.wait(second, lambda _: events(server, second, "step.waiting"))
        waiting = events(server, second, "step.waiting")[0]
        until = datetime.datetime.fromisoformat(waiting["until"].replace("Z", "+00:00"))
        left = until - datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(minutes=50) < left <= datetime.timedelta(hours=1), waiting
        # What is no number says no time: the agent's own `retry` decides.
        put(server, "nonsense", nonsense.url)
        run = server.start_run("nonsense", "a")
        server.wait(run, lambda _: events(server, run, "step.retrying"))
        assert events(server, run, "step.retrying")[0].get("retry_after_ms", 0) < 60_000
    finally:
        server.close()


def test_the_next_model_goes_on_and_the_log_says_why(binary, tmp_path, provider):
    busy, well = provider(429, [("Retry-After", "3600")]), provider()
    well.open.release(10)
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    try:
        put(server, "two", busy.url, f"[{{provider: openai, name: second, base_url: '{well.url}'}}]")
        run = server.start_run("two", "a")
        assert server.wait(run)["output"] == "done"
        completed = events(server, run, "step.completed")[0]
        assert (completed["name"], completed["instead_of"][0]["name"]) == ("second", "first")
        assert "RateLimitedError" in completed["instead_of"][0]["why"]
        assert events(server, run, "step.retrying")[0]["retry_after_ms"] == 3600_000
        told = subprocess.run([binary, "run", "two", "b", "--api", f"http://{server.http}"], capture_output=True, text=True, timeout=30)
        assert told.returncode == 0 and "second instead of first: its provider wants to be left alone" in told.stderr, told
    finally:
        server.close()


def test_a_model_sees_the_properties_in_the_order_of_the_file(binary, tmp_path, provider):
    model = provider()
    model.open.release(10)
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    text = AGENT.format(name="judge", model=model.url, fallbacks="[]") + """
  output_schema:
    type: object
    properties: {why: {type: string}, verdict: {type: string}, amount: {type: object, properties: {unit: {}, cents: {}}}}
  tools:
    - name: look
      type: http
      parameters: {properties: {street: {type: string}, city: {type: string}}}
      http: {url: "http://127.0.0.1:9/{street}/{city}"}
"""
    try:
        assert server.request("PUT", "/api/v1/agents/judge", text).status == 201
        server.start_run("judge", "a")
        assert model.arrived.acquire(timeout=30)
        asked = json.loads(model.asked[0])
        schema = asked["response_format"]["json_schema"]["schema"]["properties"]
        assert (list(schema), list(schema["amount"]["properties"])) == (["why", "verdict", "amount"], ["unit", "cents"])
        assert list(asked["tools"][0]["function"]["parameters"]["properties"]) == ["street", "city"]
        assert "x-holdfast" not in model.asked[0]
        # What the server tells of the definition registers as the same version.
        told = server.get("/api/v1/agents/judge").json
        again = server.request("PUT", "/api/v1/agents/judge", json.dumps(told["definition"]))
        assert (again.status, again.json["version"]) == (200, told["version"]), again.text
    finally:
        server.close()


def test_a_first_interval_may_be_longer_than_the_longest(binary, tmp_path, provider):
    """`max_interval` is 30 seconds unless said: no engine takes a longest interval that is shorter than the first."""
    well = provider()
    well.open.release(10)
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    try:
        definition = AGENT.format(name="slow", model=well.url, fallbacks="[]").replace("name: first", "name: first\n    retry: {initial: 60s}")
        assert server.request("PUT", "/api/v1/agents/slow", definition).status == 201
        assert server.wait(server.start_run("slow", "a"))["output"] == "done"
    finally:
        server.close()


def test_wrong_limits_keep_a_server_from_starting(binary, tmp_path):
    (tmp_path / "l.yaml").write_text("apiVersion: holdfast.dev/v1\nkind: Limits\nlimits: [{host: x, rpm: 5}]\n")
    for file, code, said in (("l.yaml", 2, "l.yaml:3:20: unknown key `limits[0].rpm`"), ("nofile.yaml", 3, "nofile.yaml")):
        done = subprocess.run([binary, "server", "--data", tmp_path / "none", "--limits", str(tmp_path / file)],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == code and said in done.stderr and not (tmp_path / "none").exists(), done


def test_a_number_of_arguments_is_never_another_one(binary, tmp_path):
    """Gemini gives arguments as JSON, not as a text of it: what no type of 64 bits holds is refused, not rounded."""
    asked, called = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path.startswith("/tool"):
                called.append(body)
                answer, kind = b"{}", "application/json"
            else:
                asked.append(body)
                call = '{"functionCall":{"name":"echo","args":{"v":9223372036854775808123}}}'
                part = call if len(asked) == 1 else '{"text":"done"}'
                frame = '{"created":1e400,"candidates":[{"content":{"role":"model","parts":[%s]},"finishReason":"STOP"}]}' % part
                answer, kind = f"data: {frame}\n\n".encode(), "text/event-stream"
            self.send_response(200)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(answer)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{model.server_port}"
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    try:
        answer = server.request("PUT", "/api/v1/agents/exact", f"""
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: exact}}
spec:
  model: {{provider: gemini, name: m, base_url: "{url}/v1beta"}}
  prompt: You answer.
  tools:
    - name: echo
      type: http
      effect: idempotent
      parameters: {{properties: {{v: {{}}}}}}
      http: {{method: POST, url: "{url}/tool"}}
""")
        assert answer.status == 201, answer.text
        run = server.start_run("exact", "a")
        assert server.wait(run)["output"] == "done"
        assert called == []
        assert "more than 64 bits" in asked[1] and '{"v":9223372036854775808123}' in asked[1].replace(" ", ""), asked[1]
    finally:
        server.close()
        model.shutdown()
        model.server_close()
