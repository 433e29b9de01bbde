"""Models for figures under load, over the wire format of Chat Completions; each answers every client the same way.

    load_model.py stream --tokens 400 --rate 50    says so many tokens, so many a second to each connection; with --stamp 1 the first
                                                   of an answer says when it was sent (monotonic ns), and is not
                                                   sent before a tenth of a second has gone; --spread 20: not all
                                                   connections in one moment, but in 20 parts of the pause
    load_model.py long --turns 500 --text 400      calls `find_order` in each turn and says so many bytes before it; --log FILE
                                                   gets a line per answer: turn, request's first byte, answer's last byte (ns)
    load_model.py wait                             calls `pause` once

Prints its port. One thread, no framework: what it costs must not be what is measured.
"""

import argparse
import json
import selectors
import socket
import time

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def frame(delta: dict | None, finish: str | None = None, usage: dict | None = None) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "load",
             "choices": [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]}
    if usage:
        chunk["usage"] = usage
    body = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    return b"%x\r\n" % len(body) + body + b"\r\n"


def usage(prompt: int, completion: int) -> bytes:
    return frame(None, usage={"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})


def done() -> bytes:
    body = b"data: [DONE]\n\n"
    return b"%x\r\n" % len(body) + body + b"\r\n" + END


def call(name: str, arguments: dict, number: int) -> bytes:
    return frame({"tool_calls": [{"index": 0, "id": f"call_{number}", "type": "function",
                                  "function": {"name": name, "arguments": json.dumps(arguments)}}]})


class Connection:
    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.data = bytearray()
        self.begun = 0
        self.said = 0  # tokens of the answer under way


class Model:
    def __init__(self, args):
        self.args = args
        self.selector = selectors.EpollSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.streaming: list[set[Connection]] = [set() for _ in range(args.spread)]
        self.part = 0  # whose turn it is
        self.log = open(args.log, "w", buffering=1) if args.log else None
        self.token = frame({"content": " token"})
        self.filler = frame({"content": "x" * args.text})

    def read(self, connection: Connection) -> None:
        try:
            piece = connection.sock.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self.part_of(connection).discard(connection)
            self.selector.unregister(connection.sock)
            connection.sock.close()
            return
        if not connection.data:
            connection.begun = time.time_ns()
        connection.data += piece
        head = connection.data.find(b"\r\n\r\n")
        if head < 0:
            return
        length = next(int(line.split(b":")[1]) for line in bytes(connection.data[:head]).lower().split(b"\r\n")
                      if line.startswith(b"content-length:"))
        if len(connection.data) < head + 4 + length:
            return
        request = bytes(connection.data[head + 4:])
        connection.data.clear()
        self.answer(connection, request)

    def part_of(self, connection: Connection) -> set[Connection]:
        return self.streaming[connection.sock.fileno() % self.args.spread]

    def answer(self, connection: Connection, request: bytes) -> None:
        if self.args.kind == "stream":
            connection.said = 0
            connection.sock.send(HEAD + frame({"role": "assistant", "content": ""}))
            self.part_of(connection).add(connection)
            return
        # Of a long request only its number of results matters; it is not parsed, which would cost more than the turn.
        results = request.count(b'"role":"tool"')
        if self.args.kind == "wait":
            body = call("pause", {"duration": "30d"}, 0) + frame({}, "tool_calls") if results == 0 else frame({"content": "done"}) + frame({}, "stop")
        elif results < self.args.turns:
            body = self.filler + call("find_order", {"order_id": 1 + results % 10}, results) + frame({}, "tool_calls")
        else:
            body = frame({"content": "done"}) + frame({}, "stop")
        connection.sock.setblocking(True)
        connection.sock.sendall(HEAD + body + usage(len(request) // 4, 100) + done())
        connection.sock.setblocking(False)
        if self.log:
            self.log.write(f"{results} {connection.begun} {time.time_ns()}\n")

    def tick(self) -> None:
        ended = []
        self.part = (self.part + 1) % self.args.spread
        streaming = self.streaming[self.part]
        for connection in streaming:
            try:
                stamped = self.args.stamp and connection.said == 0
                if stamped and time.time_ns() - connection.begun < 100_000_000:
                    continue
                if connection.said < self.args.tokens:
                    connection.sock.send(frame({"content": f"<{time.monotonic_ns()}>"}) if stamped else self.token)
                    connection.said += 1
                else:
                    connection.sock.send(frame({}, "stop") + usage(10, connection.said) + done())
                    ended.append(connection)
            except BlockingIOError:
                pass  # a slow reader gets it a tick later
            except OSError:
                ended.append(connection)
        streaming.difference_update(ended)

    def serve(self) -> None:
        print(self.listener.getsockname()[1], flush=True)
        pause = 1 / self.args.rate / self.args.spread
        due = time.monotonic() + pause
        while True:
            for key, _ in self.selector.select(max(0.0, due - time.monotonic()) if any(self.streaming) else pause):
                if key.fileobj is self.listener:
                    try:
                        sock, _ = self.listener.accept()
                    except BlockingIOError:
                        continue
                    sock.setblocking(False)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.selector.register(sock, selectors.EVENT_READ, Connection(sock))
                else:
                    self.read(key.data)
            now = time.monotonic()
            if now >= due:
                self.tick()
                due = max(due + pause, now)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["stream", "long", "wait"])
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--stamp", type=int, default=0)
    parser.add_argument("--spread", type=int, default=1)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--text", type=int, default=400)
    parser.add_argument("--log")
    Model(parser.parse_args()).serve()


main()
