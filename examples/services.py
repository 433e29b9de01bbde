#!/usr/bin/env python3
"""The outside world of an example: HTTP services with canned answers that remember what they were asked.

    python3 examples/services.py examples/market-engagement/services.json --port 9090

The file names each request, "POST /scores", and what is answered:

    body     the JSON of the answer ({} if absent); "body_of" has one for each value of a member of the request: {"account": {"7": {...}}}
    status   200 if absent
    first    answered once, before everything else: {"status": 429, "headers": {"Retry-After": "1"}}
    together requests that wait for each other: so many must be there at once (ten seconds at most)

A request with an `Idempotency-Key` that was seen before gets the same answer and is not counted again: that is what tools with
`effect: idempotent` rely on.
"""

import argparse
import http.server
import json
import pathlib
import sys
import threading

TOGETHER_SECONDS = 10
MAX_BODY = 1 << 20


class Services:
    def __init__(self, answers: dict, port: int = 0):
        self.answers = answers
        self.counted = []  # (request, body): what had an effect
        self.asked = []  # every request, repeats and refusals too
        self.hooks = {}  # request -> called once, before the answer
        self.keys = {}
        self.refused = set()
        self.lock = threading.Lock()
        self.gates = {}
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                services.answer(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def count(self, request: str) -> int:
        with self.lock:
            return sum(1 for name, _ in self.counted if name == request)

    def bodies(self, request: str) -> list:
        with self.lock:
            return [body for name, body in self.counted if name == request]

    def once(self, request: str, hook):
        """`hook` runs when this is asked for the next time, before anything is answered."""
        self.hooks[request] = hook

    # ---- one request

    def answer(self, handler):
        length = min(int(handler.headers.get("Content-Length") or 0), MAX_BODY)
        text = handler.rfile.read(length)
        body = json.loads(text) if text[:1] in (b"{", b"[") else None
        name = f"{handler.command} {handler.path}"
        rule = self.answers.get(name)
        if rule is None:
            name = name.split("?")[0]
            rule = self.answers.get(name)
        if rule is None:
            return self.send(handler, 404, {"error": f"there is no {name} here"})
        with self.lock:
            self.asked.append(name)
            hook = self.hooks.pop(name, None)
        if hook:
            hook()
        if "first" in rule and self.is_first(name, body):
            return self.send(handler, rule["first"].get("status", 503), {"error": "not now"}, rule["first"].get("headers"))
        if "together" in rule:
            try:
                self.gate(rule["together"]).wait(TOGETHER_SECONDS)
            except threading.BrokenBarrierError:
                return self.send(handler, 500, {"error": "the others did not come"})
        self.send(handler, rule.get("status", 200), self.effect(handler, name, rule, body))

    def is_first(self, name, body) -> bool:
        with self.lock:
            mark = (name, json.dumps(body, sort_keys=True))
            if mark in self.refused:
                return False
            self.refused.add(mark)
            return True

    def gate(self, parties: int) -> threading.Barrier:
        with self.lock:
            return self.gates.setdefault(parties, threading.Barrier(parties))

    def effect(self, handler, name, rule, body):
        key = handler.headers.get("Idempotency-Key")
        with self.lock:
            if key and key in self.keys:
                return self.keys[key]
            self.counted.append((name, body))
            answer = rule.get("body", {})
            for member, choices in rule.get("body_of", {}).items():
                answer = choices.get(str((body or {}).get(member)), answer)
            if key:
                self.keys[key] = answer
            return answer

    @staticmethod
    def send(handler, status, body, headers=None):
        text = json.dumps(body, separators=(",", ":")).encode()
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(text)))
            for name, value in (headers or {}).items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(text)
        except OSError:
            pass  # who asked is gone


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=9090)
    arguments = parser.parse_args()
    services = Services(json.loads(arguments.file.read_text()), arguments.port)
    print(f"services of {arguments.file} at http://127.0.0.1:{services.port}", flush=True)
    try:
        services.server.serve_forever()
    except KeyboardInterrupt:
        pass
    for name, body in services.counted:
        print(name, "" if body is None else json.dumps(body))
    return 0


if __name__ == "__main__":
    sys.exit(main())
