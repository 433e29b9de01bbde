"""A Holdfast server as a process, its HTTP API and its event streams, with nothing but the standard library."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
import urllib.parse


@contextlib.contextmanager
def scripted_model(binary, folder, script):
    """The base URL of a scripted model, which outlives the servers that tests kill."""
    path = folder / "script.yaml"
    path.write_text(script)
    process = subprocess.Popen([str(binary), "scripted-model", str(path), "--json"], stdout=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        assert line, f"the scripted model did not start (exit code {process.wait()})"
        yield json.loads(line)["base_url"]
    finally:
        process.terminate()
        process.wait(10)


class Answer:
    def __init__(self, status: int, headers, body: bytes):
        self.status = status
        self.headers = headers
        self.body = body
        self.text = "" if headers.get("Content-Encoding") else body.decode(errors="replace")
        self.json = json.loads(body) if body[:1] in (b"{", b"[") else None


class Server:
    command = "server"

    def __init__(self, binary, data, *options, environment=None, log=None):
        self.binary = str(binary)
        self.data = data
        self.options = list(options)
        self.environment = {**os.environ, **(environment or {})}
        self.log = log  # a file for its standard error
        self.process = None
        self.ready = None
        self.http = ""

    def start(self):
        # The first start picks a port, later ones keep it: clients come back to the same address.
        ports = ["--http", self.http or "127.0.0.1:0"]
        if "--engine" not in self.options:  # else it serves none
            ports += ["--grpc", self.ready["grpc"] if self.ready else "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [self.binary, self.command, "--data", str(self.data), "--json", *ports, *self.options],
            stdout=subprocess.PIPE, stderr=self.log, env=self.environment)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start (exit code {self.process.wait()})")
        self.ready = json.loads(line)
        self.http = self.ready["http"].removeprefix("http://")
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(20)

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()

    # ---- the API

    def request(self, method, path, body=None, headers=None) -> Answer:
        connection = http.client.HTTPConnection(self.http, timeout=30)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, **headers) -> Answer:
        return self.request("GET", path, headers=headers)

    def post(self, path, body=None, headers=None) -> Answer:
        return self.request("POST", path, {} if body is None else body, headers)

    def start_run(self, agent, text, **more) -> str:
        answer = self.post("/api/v1/runs", {"agent": agent, "input": text, **more})
        assert answer.status == 202, answer.text
        return answer.json["id"]

    def run(self, run) -> dict:
        return self.get(f"/api/v1/runs/{urllib.parse.quote(run)}").json

    def wait(self, run, condition=lambda r: r["closed_at"], seconds=20) -> dict:
        deadline = time.monotonic() + seconds
        while True:
            state = self.run(run)
            if condition(state):
                return state
            assert time.monotonic() < deadline, json.dumps(state, indent=2)
            time.sleep(0.02)

    def wait_until(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    def wait_for_approval(self, run) -> dict:
        return self.wait(run, lambda r: r["waiting_on"] == "approval")["approvals"][0]

    # ---- events

    def events(self, path, cursor=None, seconds=20):
        """Yields (id, type, data) until the connection ends."""
        host, port = self.http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=seconds)
        headers = {"Accept": "text/event-stream"}
        if cursor:
            headers["Last-Event-ID"] = cursor
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        frame = {}
        try:
            while True:
                line = response.readline()
                if not line:
                    return
                text = line.decode().rstrip("\n")
                if text == "":
                    if "event" in frame:
                        yield frame.get("id"), frame["event"], json.loads(frame["data"])
                    frame = {}
                elif not text.startswith(":"):
                    name, _, value = text.partition(": ")
                    frame[name] = value
        except (ConnectionError, http.client.HTTPException):
            return
        finally:
            connection.close()


def durable(frames) -> list:
    """Without the text that was shown before it was durable."""
    return [frame for frame in frames if frame[1] != "delta" or "seq" in frame[2]]


def streamed_text(events, step=None) -> str:
    """What a reader of delta events shows: the text of the newest attempt."""
    attempt, text = 0, b""
    for event in events:
        if event["type"] != "delta" or (step is not None and event["data"]["step"] != step):
            continue
        delta = event["data"]
        if delta["attempt"] < attempt:
            continue
        if delta["attempt"] > attempt or delta.get("reset"):
            attempt, text = delta["attempt"], b""
        piece = delta.get("text", "").encode()
        assert delta.get("offset", 0) <= len(text), "a gap in the text"
        text = text[: delta.get("offset", 0)] + piece if piece else text
    return text.decode()
