"""HTTP/2 frames by hand: what no client library would send."""

import select
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
SERVICE = "/temporal.api.workflowservice.v1.WorkflowService/"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header as HPACK's plainest form: new name, not indexed, both shorter than 127 bytes."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def call_headers(method: str) -> bytes:
    return b"".join(literal(name, value) for name, value in (
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", (SERVICE + method).encode()), (b":authority", b"127.0.0.1"),
        (b"content-type", b"application/grpc"), (b"te", b"trailers")))


def message(body: bytes) -> bytes:
    """One gRPC message, not compressed."""
    return b"\0" + struct.pack(">I", len(body)) + body


class Connection:
    """A connection that keeps the windows, so that it may send as much as the server lets it."""

    def __init__(self, address: str, settings: bytes = b""):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=5)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings))
        self.window = 65535
        self.windows = {}
        self.initial = 65535
        self.received = b""
        self.next_stream = 1
        self.bytes_of = {}  # of each stream's answer
        self.ended = set()  # streams whose answer is whole
        self.open = True

    def send(self, data: bytes) -> bool:
        """False once the server has closed, or reads no more."""
        try:
            self.socket.sendall(data)
        except OSError:
            self.open = False
        return self.open

    def begin(self, method: str, flags: int = END_HEADERS) -> int:
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.windows[stream] = self.initial
        self.send(frame(HEADERS, flags, stream, call_headers(method)))
        return stream

    def send_data(self, stream: int, data: memoryview) -> int:
        """As much of it as the windows allow now; how much that was."""
        sent = 0
        while self.open and sent < len(data):
            size = min(len(data) - sent, self.window, self.windows.get(stream, 0), 16384)
            if size <= 0:
                break
            self.send(frame(DATA, 0, stream, bytes(data[sent:sent + size])))
            self.window -= size
            self.windows[stream] -= size
            sent += size
        return sent

    def read(self, seconds: float = 0.0) -> bool:
        """What has come: windows are kept, the rest dropped. False once the server has closed."""
        while self.open:
            ready, _, _ = select.select([self.socket], [], [], seconds)
            if not ready:
                break
            seconds = 0.0
            try:
                data = self.socket.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                self.open = False
                break
            self.received += data
            self._take_frames()
        return self.open

    def _take_frames(self):
        while len(self.received) >= 9:
            size = int.from_bytes(self.received[:3], "big")
            if len(self.received) < 9 + size:
                return
            kind, flags = self.received[3], self.received[4]
            stream = int.from_bytes(self.received[5:9], "big") & 0x7FFFFFFF
            self._take(kind, flags, stream, self.received[9:9 + size])
            self.received = self.received[9 + size:]

    def _take(self, kind, flags, stream, payload):
        if kind == DATA:
            self.bytes_of[stream] = self.bytes_of.get(stream, 0) + len(payload)
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended.add(stream)
        if kind == WINDOW_UPDATE:
            more = int.from_bytes(payload, "big")
            if stream == 0:
                self.window += more
            elif stream in self.windows:
                self.windows[stream] += more
        elif kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack(">HI", payload[at:at + 6])
                if name == 4:
                    for one in self.windows:
                        self.windows[one] += value - self.initial
                    self.initial = value
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind in (RST_STREAM,):
            self.windows.pop(stream, None)

    def close(self):
        self.socket.close()
