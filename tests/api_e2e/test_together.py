"""`tool_calls: one_activity` on the program: SIGKILL in the middle of one of its calls, at each of them."""

import contextlib
import http.server
import json
import threading

import pytest
from holdfast import scripted_model

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls:
      - {name: note, arguments: {text: one}}
      - {name: pay, arguments: {amount: 5}}
      - {name: note, arguments: {text: two}}
      - {name: note, arguments: {text: three}}
  - when: {turn: 1}
    text: "All done."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: clerk}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You note things.
  tool_calls: one_activity
  tools:
    - name: note
      type: http
      effect: idempotent
      parameters: {{properties: {{text: {{type: string}}}}, required: [text]}}
      http: {{method: POST, url: "http://127.0.0.1:{port}/note", body: {{text: "{{text}}"}}}}
    - name: pay
      type: http
      effect: at_most_once
      parameters: {{properties: {{amount: {{type: number}}}}}}
      http: {{method: POST, url: "http://127.0.0.1:{port}/pay", body: {{amount: "{{amount}}"}}}}
"""


class Receiver(http.server.ThreadingHTTPServer):
    """Counts what arrives; `kill` is called once, in the middle of request number `at`, which gets no answer."""

    daemon_threads = True

    def __init__(self, at, kill):
        receiver = self
        self.asked, self.keys, self.lock = [], {}, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver.lock:
                    receiver.asked.append(body)
                    number = len(receiver.asked)
                    if number == at:
                        kill()
                        return
                    receiver.keys.setdefault(self.headers["Idempotency-Key"], body)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@contextlib.contextmanager
def killed_in(at, server, binary, folder):
    """The run, when the server was killed in the middle of its call number `at` and is up again; and the receiver."""
    killed = threading.Event()

    def kill():
        server.kill()
        killed.set()

    receiver = Receiver(at, kill)
    try:
        with scripted_model(binary, folder, SCRIPT) as url:
            text = AGENT.format(model=url, port=receiver.server_address[1])
            assert server.request("PUT", "/api/v1/agents/clerk", text).status == 201
            run = server.start_run("clerk", "go")
            assert killed.wait(30)
            server.start()
            yield run, receiver
    finally:
        receiver.shutdown()


@pytest.mark.parametrize("at", [1, 3, 4])
def test_a_kill_in_the_middle_of_a_call_repeats_no_other(own_server, binary, tmp_path, at):
    with killed_in(at, own_server, binary, tmp_path) as (run, receiver):
        assert own_server.wait(run, seconds=60)["output"] == "All done."
    told = [body.get("text", "pay") for body in receiver.asked]
    # The one that was killed is asked for once more, under its key; those before and behind it once.
    again = ["one", "pay", "two", "three"][at - 1]
    assert sorted(told) == sorted(["one", "pay", "two", "three", again]), told
    assert len(receiver.keys) == 4


def test_a_kill_in_the_middle_of_an_at_most_once_call_asks_a_person(own_server, binary, tmp_path):
    with killed_in(2, own_server, binary, tmp_path) as (run, receiver):
        waiting = own_server.wait(run, lambda r: r["waiting_on"] == "approval", seconds=60)
        pending = [one for one in waiting["approvals"] if one["status"] == "pending"][0]
        assert "EffectUnknown" in pending["reason"]
        body = {"decision": "reject", "decided_by": "ada", "arguments_sha256": pending["arguments_sha256"]}
        assert own_server.post(f"/api/v1/approvals/{pending['id']}/decision", body).status == 200
        assert own_server.wait(run, seconds=60)["output"] == "All done."
    assert sorted(body.get("text", "pay") for body in receiver.asked) == ["one", "pay", "three", "two"]
