"""Attacks over the protocols of the field (MCP, A2A, OpenAI's API) and over what people answer with: links, mails, Slack."""

import json
import random
import socket
import urllib.parse

from http_attacks import MIB, hold, long_transcript, make_agent, request
from plan import Attack, Counts, Target, Window

BOTH = {"Accept": "application/json, text/event-stream"}
STATELESS = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientInfo": {"name": "x", "version": "1"},
             "io.modelcontextprotocol/clientCapabilities": {}}


def rpc(method: str, params, id=1) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params})


def post(path: str, body: str, headers: dict) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{lines}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def unread_protocols(target: Target, window: Window, number: int) -> Counts:
    """A long run, asked for by every protocol, by readers who do not read."""
    counts = Counts()
    mcp = {**BOTH, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "run"}
    asked = [b"GET /v1/responses/resp_long?stream=true HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n",
             b"GET /v1/responses/resp_long HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
             post("/mcp", rpc("tools/call", {"name": "run", "arguments": {"run": "long"}, "_meta": {**STATELESS, "progressToken": "p"}}), mcp),
             post("/a2a/attacked", rpc("SubscribeToTask", {"id": "long"}), {"A2A-Version": "1.0"}),
             post("/a2a/attacked", rpc("tasks/resubscribe", {"id": "long"}), {})]
    dice = random.Random(number)

    def begin(line):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.sendall(dice.choice(asked))

    hold(target, window, counts, 240, begin)
    return counts


def protocol_bodies(target: Target, window: Window, number: int) -> Counts:
    """Bodies that are large, deep, many in one, or of another type at every place."""
    counts = Counts()
    big = "A" * (3 * MIB)
    deep = "[" * 90 + "]" * 90
    ping = json.loads(rpc("ping", {}))
    mcp = ["[" + ",".join([json.dumps(ping)] * 20_000) + "]", rpc("tools/call", {"name": "attacked", "arguments": {"input": big}}),
           rpc("tools/call", {"name": "attacked", "arguments": {"input": "x"}}, id="i" * 100_000), rpc("initialize", {"protocolVersion": "9" * MIB}),
           rpc("x" * MIB, {}), '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + deep + "}", "[" * 1_000_000, "{}", "[]", "null", '"x"',
           '{"jsonrpc":"2.0","id":{},"method":5,"params":7}', rpc("tools/call", {"name": {}, "arguments": 5})]
    a2a = [rpc(method, {"message": {"role": "user", "messageId": "1", "parts": [{"text": text}]}})
           for method in ("SendMessage", "message/send") for text in ("x", big, {"deep": json.loads(deep)})]
    openai = [("/v1/responses", {"model": "attacked", "input": big}), ("/v1/responses", {"model": "attacked", "input": "x", "background": True, "metadata": {str(i): big[:1000] for i in range(1000)}}),
              ("/v1/responses", {"model": "attacked", "input": [{"role": "user", "content": "x"}] * 50_000}), ("/v1/responses", {"model": "attacked", "input": 1, "previous_response_id": "resp_" + "y" * 100_000}),
              ("/v1/chat/completions", {"model": "attacked", "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}] * 50_000}]}),
              ("/v1/chat/completions", {"model": "attacked", "messages": [{"role": "tool", "tool_call_id": "1", "content": big}]}), ("/v1/chat/completions", {"model": 5, "messages": {}, "tools": deep})]
    dice = random.Random(number)
    while window.open():
        kind = dice.random()
        if kind < 0.4:
            request(target, counts, "POST", "/mcp", dice.choice(mcp), headers={**BOTH, "MCP-Protocol-Version": dice.choice(("2025-11-25", "2025-03-26", "2026-07-28"))}, timeout=2)
        elif kind < 0.6:
            request(target, counts, "POST", dice.choice(("/a2a", "/a2a/attacked")), dice.choice(a2a), timeout=2)
        else:
            path, body = dice.choice(openai)
            request(target, counts, "POST", path, json.dumps(body), timeout=2)
    return counts


def answers_of_people(target: Target, window: Window, number: int) -> Counts:
    """Links that nobody gave, forms of 100,000 fields, mails that nest, requests that Slack never signed."""
    counts = Counts()
    dice = random.Random(number)
    form = "&".join(f"f.{i:x}=1" for i in range(100_000))
    nested = "From: a@b.c\n" + "".join(f'Content-Type: multipart/mixed; boundary="b{i}"\n\n--b{i}\n' for i in range(2_000)) + "approve"
    parts = "From: a@b.c\nContent-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 100_000 + "--b--"
    while window.open():
        kind = dice.random()
        token = urllib.parse.quote_from_bytes(dice.choice((dice.randbytes(50), b"A" * 22 + b"." + b"B" * 43, b"." * 190, b"\xff\0", b"../x", b"A" * 8000)), safe="")
        if kind < 0.4:
            request(target, counts, "GET", "/decide/" + token, timeout=2)
        elif kind < 0.7:
            request(target, counts, "POST", "/decide/" + token, dice.choice((form, "decision=approve", "%ff" * 1000)), "application/x-www-form-urlencoded", timeout=2)
        elif kind < 0.85:
            request(target, counts, "POST", "/api/v1/mail/replies", dice.choice((nested, parts, "From: " + "<" * 500_000, "=?UTF-8?B?" * 50_000)), "message/rfc822", timeout=2)
        else:
            request(target, counts, "POST", "/api/v1/slack/actions", "payload=" + "%7B" * 100_000, "application/x-www-form-urlencoded",
                    {"X-Slack-Request-Timestamp": dice.choice(("1", "9" * 100, "x")), "X-Slack-Signature": "v0=00"}, timeout=2)
    return counts


def with_agent(target: Target) -> dict:
    make_agent(target)
    return {}


ATTACKS = [
    Attack("unread-protocols", "480 streams of a long run by MCP, A2A and OpenAI's API that nobody reads", unread_protocols, prepare=long_transcript),
    Attack("protocol-bodies", "bodies of MCP, A2A and OpenAI's API, large, deep and of odd types", protocol_bodies, prepare=with_agent),
    Attack("answers-of-people", "links, forms, mails and Slack's requests that nobody gave", answers_of_people),
]
