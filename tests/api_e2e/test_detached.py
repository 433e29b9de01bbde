"""Calls that somebody outside ends, with the token that they were given: once, whoever is killed meanwhile."""

import http.server
import json
import threading

import pytest
from holdfast import Server, scripted_model

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls: [{name: render, arguments: {page: 7}}]
  - when: {turn: 1, last: "runs on its own"}
    text: "It runs; I wait."
  - when: {last: "It answered:\\nError: out of paper"}
    text: "No paper."
  - when: {last: "The call of `render`"}
    text: "Done."
  - when: {last: "nobody said in time"}
    text: "Nobody came."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: printer}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, timeout: 30s, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: You print.
  tools:
    - name: render
      type: http
      effect: {effect}
      timeout: 5s
      retry: {{initial: 100ms, backoff: 1, attempts: 20}}
      detached: {{completion: token, deadline: {deadline}}}
      parameters: {{properties: {{page: {{type: integer}}}}, required: [page]}}
      http: {{method: POST, url: "{remote}/render", body: {{page: "{{page}}", call: "{{completion_url}}"}}}}
"""


class Press(http.server.ThreadingHTTPServer):
    """Keeps what it is told; `before_answer` is called once, before the answer."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Printer)
        self.lock = threading.Lock()
        self.jobs = []  # (idempotency key, URL to complete it, headers)
        self.before_answer = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.server_port


class Printer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        press = self.server
        with press.lock:
            press.jobs.append((self.headers["Idempotency-Key"], body["call"], dict(self.headers)))
            action, press.before_answer = press.before_answer, None
        if action:
            action()
        try:
            self.send_response(202)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")
        except OSError:
            pass


@pytest.fixture
def press():
    one = Press()
    yield one
    one.shutdown()
    one.server_close()


@pytest.fixture(scope="module")
def printing_model(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture
def printing(binary, printing_model, press, tmp_path):
    servers = []

    def make(effect="at_most_once", deadline="1h", *options):
        one = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1", *options).start()
        servers.append(one)
        text = AGENT.format(model=printing_model, remote=press.url, effect=effect, deadline=deadline)
        answer = one.request("PUT", "/api/v1/agents/printer", text)
        assert answer.status == 201, answer.text
        return one

    yield make
    for one in servers:
        one.close()


def waits(run):
    return run["waiting_on"] == "completion"


def path_of(url):
    return url[url.index("/api/"):]


def test_a_call_is_ended_from_outside_once_whoever_is_killed(printing, press):
    server = printing()
    run = server.start_run("printer", "go")
    shown = server.wait(run, waits)
    [(_, url, headers)] = press.jobs
    assert url == f"http://{server.http}{path_of(url)}"
    assert headers["Holdfast-Completion-Url"] == url and url.endswith(headers["Holdfast-Completion-Token"])
    [step] = [s for s in shown["steps"] if s["name"] == "render"]
    assert step["status"] == "running" and step["detached"]["answer"] == "ok"
    assert headers["Holdfast-Completion-Token"] not in json.dumps(shown)
    server.kill()
    server.start()
    assert waits(server.wait(run, waits))
    first = server.post(path_of(url), {"result": {"pages": 7}})
    assert first.status == 200 and first.json["state"] == "completed" and first.json["run"] == run, first.text
    server.kill()  # what was answered is kept, and told by whoever comes next
    server.start()
    done = server.wait(run)
    assert done["output"] == "Done."
    [step] = [s for s in done["steps"] if s["name"] == "render"]
    assert step["status"] == "completed" and step["result"] == '{"pages":7}'
    assert server.post(path_of(url), {"result": {"pages": 7}}).json == first.json
    other = server.post(path_of(url), {"result": "else"})
    assert other.status == 409 and other.json["code"] == "completion_used"
    assert len(press.jobs) == 1


def test_a_kill_before_the_answer_of_the_start_makes_no_second_call(printing, press):
    server = printing("at_most_once")
    press.before_answer = server.kill
    run = server.start_run("printer", "go")
    server.wait_until(lambda: server.process.poll() is not None)
    server.start()
    [(_, url, _)] = press.jobs
    # Whether it was made is not known, until whoever made it says how it ended.
    approval = server.wait_for_approval(run)
    assert "EffectUnknown" in approval["reason"]
    answer = server.post(path_of(url), {"result": "made after all"})
    assert answer.status == 200, answer.text
    assert server.wait(run)["output"] == "Done."
    assert len(press.jobs) == 1


def test_an_idempotent_call_that_is_killed_is_made_again_and_each_token_is_good(printing, press):
    server = printing("idempotent")
    press.before_answer = server.kill
    run = server.start_run("printer", "go")
    server.wait_until(lambda: server.process.poll() is not None)
    server.start()
    server.wait(run, waits)
    (key, first, _), (again, second, _) = press.jobs
    assert key == again and first != second
    assert server.post(path_of(first), {"result": "done"}).status == 200
    assert server.post(path_of(second), {"result": "done"}).status == 200
    assert server.wait(run)["output"] == "Done."


def test_a_failure_from_outside(printing, press, cli):
    server = printing()
    run = server.start_run("printer", "go")
    server.wait(run, waits)
    url = press.jobs[0][1]
    failed = cli(server, "complete", url, "--error", "out of paper")
    assert failed.returncode == 0 and failed.stdout == f"failed: render of {run}\n", failed.stdout + failed.stderr
    assert server.wait(run)["output"] == "No paper."
    again = cli(server, "complete", url.rsplit("/", 1)[1], "all is well")
    assert again.returncode == 4 and "something else was said" in again.stderr, again.stderr


def test_what_is_no_token_and_what_comes_too_late(printing, press):
    server = printing("at_most_once", "300ms")
    run = server.start_run("printer", "go")
    assert server.wait(run)["status"] == "completed"
    url = path_of(press.jobs[0][1])
    late = server.post(url, {"result": "x"})
    assert late.status == 410 and late.json["code"] == "completion_expired", late.text
    forged = server.post(url[:-1] + ("A" if url[-1] != "A" else "B"), {"result": "x"})
    assert forged.status == 404 and forged.json["code"] == "completion_not_found", forged.text
    assert server.post("/api/v1/completions/nothing", {"result": 1}).json["code"] == "completion_not_found"
    assert server.post("/api/v1/completions/nothing", {}).json["code"] == "missing_field"
    assert server.post(url, {"result": 1, "error": "x"}).json["code"] == "invalid_field"
    assert server.post(url, {"error": ""}).json["code"] == "invalid_field"
    assert server.post(url, {"results": 1}).json["code"] == "unknown_field"


def test_a_run_that_is_cancelled_takes_no_completion(printing, press, cli):
    server = printing("at_most_once", "1h", "--public-url", "https://agents.example/")
    run = server.start_run("printer", "go")
    server.wait(run, waits)
    url = press.jobs[0][1]
    assert url.startswith("https://agents.example/api/v1/completions/")
    assert cli(server, "cancel", run).returncode == 0
    server.wait(run)
    closed = server.post(path_of(url), {"result": None})
    assert closed.status == 410 and closed.json["code"] == "completion_closed", closed.text
