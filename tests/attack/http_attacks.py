"""Attacks over HTTP, in the JSON and YAML it carries, and in the streams it serves."""

import http.client
import json
import random
import socket
import time
import urllib.parse

from plan import Attack, Counts, Target, Window

MIB = 1 << 20

AGENT = """apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, name: m, base_url: "{model}", retry: {{attempts: 1}}}}
  prompt: hi
"""


def request(target: Target, counts: Counts, method: str, path: str, body=None, kind="application/json", headers=None, timeout=20):
    connection = http.client.HTTPConnection(target.http, timeout=timeout)
    counts["sent"] += 1
    try:
        connection.request(method, path, body=body, headers={**({"Content-Type": kind} if body is not None else {}), **(headers or {})})
        response = connection.getresponse()
        answer = response.read()
        counts[str(response.status)] += 1
        return response.status, answer
    except (OSError, http.client.HTTPException) as error:
        counts[type(error).__name__] += 1
        return 0, b""
    finally:
        connection.close()


def make_agent(target: Target):
    status, answer = request(target, Counts(), "POST", "/api/v1/agents", AGENT.format(name="attacked", model=target.model), "application/yaml")
    assert status in (200, 201), answer


def raw(target: Target) -> socket.socket:
    host, port = target.http.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=5)


def hold(target: Target, window: Window, counts: Counts, at_once: int, begin, trickle=None, every=0.5):
    """Keeps `at_once` connections open that begin() has written to; trickle() goes on with each now and then."""
    lines = []
    written = time.monotonic()
    while window.open():
        if len(lines) < at_once:
            try:
                line = raw(target)
                begin(line)
                line.setblocking(False)
                lines.append(line)
                counts["connections"] += 1
            except OSError:
                counts["refused"] += 1
                time.sleep(0.02)
        else:
            time.sleep(0.02)
        if trickle and time.monotonic() - written > every:
            written = time.monotonic()
            for line in list(lines):
                try:
                    trickle(line)
                except BlockingIOError:
                    pass
                except OSError:
                    counts["shown the door"] += 1
                    line.close()
                    lines.remove(line)
    for line in lines:
        line.close()


# ---- slow and silent


def slow_headers(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    hold(target, window, counts, 400, lambda line: line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "), lambda line: line.send(b"a"))
    return counts


def slow_bodies(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    head = b"POST /api/v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 4194304\r\n\r\n"
    hold(target, window, counts, 200, lambda line: line.sendall(head + b" " * (4 * MIB - 100)), lambda line: line.send(b" "))
    return counts


def long_transcript(target: Target) -> dict:
    """A run whose events are 30 MB."""
    make_agent(target)
    request(target, Counts(), "POST", "/api/v1/runs", json.dumps({"agent": "attacked", "input": "x", "id": "long"}))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        _, answer = request(target, Counts(), "GET", "/api/v1/runs/long")
        if json.loads(answer).get("closed_at"):
            return {}
        time.sleep(0.2)
    raise TimeoutError("the run with the long transcript did not end")


def unread_events(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()

    def begin(line):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.sendall(b"GET /api/v1/runs/long/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")

    hold(target, window, counts, 240, begin)
    return counts


def big_runs(target: Target) -> dict:
    make_agent(target)
    body = json.dumps({"agent": "attacked", "input": "A" * (4 * MIB - 1000)})
    for _ in range(60):
        status, answer = request(target, Counts(), "POST", "/api/v1/runs", body)
        assert status == 202, answer[:200]
    return {}


def big_lists(target: Target, window: Window, number: int) -> Counts:
    """Lists of runs with inputs of 4 MB, by readers who read and by readers who do not."""
    counts = Counts()
    lines = []
    while window.open():
        request(target, counts, "GET", "/api/v1/runs?limit=200")
        if len(lines) < 40:
            line = raw(target)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.sendall(b"GET /api/v1/runs?limit=200 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            lines.append(line)
            counts["unread"] += 1
    for line in lines:
        line.close()
    return counts


# ---- JSON and YAML


def object_of(keys: int) -> str:
    return '{"agent":"nobody","input":{' + ",".join(f'"{i:x}":0' for i in range(keys)) + "}}"


def large_objects(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    bodies = [object_of(keys) for keys in (100_000, 350_000)]
    while window.open():
        request(target, counts, "POST", "/api/v1/runs", random.choice(bodies))
    return counts


def deep_texts(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join(['*a%d' % (i - 1)] * 9)}]\n" for i in range(1, 12))
    agent = AGENT.format(name="deep", model="http://127.0.0.1:9/v1")
    yaml = [laughs, "[" * 100_000, "{a: " * 50_000, "- " * 60_000 + "x", "? " * 60_000, "a: &a [*a]\n", agent + "  tools: &t\n    - *t\n",
            agent + '  tools:\n    - {name: t, type: http, http: {url: "http://x/"}, parameters: &p {properties: {a: *p}}}\n',
            "".join(" " * i + "-\n" for i in range(600)), "\n".join(f"- &a{i} x" for i in range(20_000)), "\t" * 200_000, "a" * 300_000,
            "\n".join(f"k{i}: 1" for i in range(22_000)), "--- a\n--- b\n", agent + "  <<: {a: b}\n", "!!binary |\n  " + "A" * 100_000]
    texts = ["[" * 3_000_000, '{"a":' * 500_000, '{"agent":"x","input":' + "[" * 90 + "]" * 90 + "}", '{"agent":"\\ud800","input":1}',
             json.dumps({"agent": "a: [\n" + "[" * 200_000, "input": 1}), '{"agent":' + "9" * 100_000 + "}", "[1e999999999]", '"' + "\\u0000" * 50_000 + '"']
    while window.open():
        if random.random() < 0.6:
            request(target, counts, "POST", "/api/v1/agents", random.choice(yaml), "application/yaml")
        else:
            request(target, counts, "POST", "/api/v1/runs", random.choice(texts))
    return counts


def cursors(target: Target, window: Window, number: int) -> Counts:
    """What no server gave: in queries, in headers, for lists and for streams."""
    counts = Counts()
    dice = random.Random(number)
    while window.open():
        cursor = dice.choice((b"\xff", b"\xff\xfe\0", b"9" * 400, b"-1", b"A" * 3000, b"[" * 2000, b"%", b"{}", dice.randbytes(40), b"0.0.0", b"r:1", b"null"))
        quoted = urllib.parse.quote_from_bytes(cursor)
        path = dice.choice(("/api/v1/runs?cursor=", "/api/v1/events?run=x&cursor=", "/api/v1/events?cursor=", "/api/v1/runs/x/events?cursor=",
                            "/api/v1/approvals?cursor=", "/api/v1/runs?limit="))
        headers = {"Accept": "text/event-stream"} if dice.random() < 0.5 else {}
        if dice.random() < 0.5:
            line = raw(target)
            line.settimeout(0.1)
            counts["sent"] += 1
            try:
                line.sendall(b"GET " + path.split("?")[0].encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nLast-Event-ID: "
                             + cursor.replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b"") + b"\r\n\r\n")
                counts[line.recv(100)[9:12].decode(errors="replace")] += 1
            except OSError:
                counts["silent"] += 1
            line.close()
        else:
            request(target, counts, "GET", path + quoted, headers=headers, timeout=0.2)
    return counts


def broken_requests(target: Target, window: Window, number: int) -> Counts:
    """Requests that are no HTTP, or HTTP of two meanings."""
    counts = Counts()
    host, kind = b"Host: 127.0.0.1\r\n", b"Content-Type: application/json\r\n"
    post = b"POST /api/v1/runs HTTP/1.1\r\n" + host + kind
    cases = [post + b"Content-Length: -1\r\n\r\n{}", post + b"Content-Length: 99999999999999999999\r\n\r\n{}", post + b"Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}",
             post + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n" + host + b"\r\n",
             post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", post + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
             post + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"a" * MIB + b"\r\n{}\r\n0\r\n\r\n",
             post + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 100_000 + b"\r\n",
             b"GET /healthz HTTP/1.1\r\n" + host + b"X: a\r\n b\r\n\r\n", b"GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n", b"GET /healthz HTTP/1.1\r\n" + host + b"X: a\0b\r\n\r\n",
             b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"a" * MIB, b"GET /healthz HTTP/1.1\r\n" + host + b"a:b\r\n" * 10_000 + b"\r\n",
             b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/9.9\r\n" + host + b"\r\n",
             (b"GET /healthz HTTP/1.1\r\n" + host + b"\r\n") * 200, b"GET http://elsewhere/healthz HTTP/1.1\r\n" + host + b"\r\n", b"\x16\x03\x01" * 1000, b"\r\n" * 100_000]
    dice = random.Random(number)
    while window.open():
        try:
            with raw(target) as line:
                line.settimeout(0.1)
                counts["sent"] += 1
                line.sendall(dice.choice(cases))
                counts[line.recv(100)[9:12].decode(errors="replace")] += 1
        except OSError:
            counts["silent"] += 1
    return counts


def new_agents(target: Target, window: Window, number: int) -> Counts:
    """Ever new definitions, as large as is allowed."""
    counts = Counts()
    while window.open():
        text = AGENT.format(name=f"many-{number}-{counts['sent']}", model="http://127.0.0.1:9/v1").replace("prompt: hi", "prompt: " + "p" * 200_000)
        request(target, counts, "POST", "/api/v1/agents", text, "application/yaml")
    return counts


ATTACKS = [
    Attack("slow-headers", "800 connections that send a byte of their header now and then", slow_headers),
    Attack("slow-bodies", "400 bodies of 4 MB whose end never comes", slow_bodies),
    Attack("unread-events", "480 event streams of a long run that nobody reads", unread_events, prepare=long_transcript),
    Attack("big-lists", "lists of runs with inputs of 4 MB, read and unread", big_lists, processes=4, prepare=big_runs),
    Attack("large-objects", "JSON objects of 100,000 keys and more", large_objects, processes=4),
    Attack("slow-request", "the same, one at a time", large_objects, processes=1),
    Attack("deep-texts", "JSON and YAML that nest, repeat and refer to themselves", deep_texts),
    Attack("cursors", "cursors that no server gave", cursors),
    Attack("broken-requests", "requests that are no HTTP, or HTTP of two meanings", broken_requests),
    Attack("new-agents", "ever new definitions", new_agents),
]
