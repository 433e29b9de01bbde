"""Debian's chromium, headless, driven over the DevTools protocol with nothing but the standard library."""

import base64
import http.client
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time
import urllib.parse

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0"]


def available() -> bool:
    return shutil.which("chromium") is not None


class WebSocket:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.file = self.socket.makefile("rb")
        assert b" 101 " in self.file.readline()
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def send(self, text):
        data = text.encode()
        head = b"\x81"
        if len(data) < 126:
            head += struct.pack("!B", 0x80 | len(data))
        elif len(data) < 1 << 16:
            head += struct.pack("!BH", 0x80 | 126, len(data))
        else:
            head += struct.pack("!BQ", 0x80 | 127, len(data))
        mask = os.urandom(4)
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def receive(self) -> str:
        message = b""
        while True:
            first, second = self.file.read(2)
            length = second & 127
            if length == 126:
                (length,) = struct.unpack("!H", self.file.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.file.read(8))
            message += self.file.read(length)
            if first & 0x80:
                return message.decode()


# What the protocol says of a question that a navigation has overtaken.
LEFT = ("Inspected target navigated or closed", "Execution context was destroyed.", "Cannot find default execution context")


class LeftThePage(AssertionError):
    """The page was left while it was asked."""


class Tab:
    def __init__(self, port, described, width, height):
        self.port = port
        self.described = described
        self.socket = WebSocket(described["webSocketDebuggerUrl"])
        self.id = 0
        self.problems = []  # errors of scripts and refusals of the content security policy
        for domain in ("Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def call(self, method, **parameters):
        self.id += 1
        self.socket.send(json.dumps({"id": self.id, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(json.dumps(message["params"]["exceptionDetails"]))
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["source"] in ("security", "javascript"):
                self.problems.append(message["params"]["entry"]["text"])
            if message.get("id") == self.id:
                if message.get("error", {}).get("message") in LEFT:
                    raise LeftThePage(message)
                assert "error" not in message, message
                return message["result"]

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.call("Page.navigate", url=url)

    def reload(self):
        """Returns when the page that was there is gone: what it shows is not taken for what the next one will."""
        self.evaluate("window.isLeft = true")
        self.call("Page.reload")
        self.wait_for("!window.isLeft")

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, expression, seconds=20):
        deadline = time.monotonic() + seconds
        while True:
            try:
                value = self.evaluate(expression)
            except LeftThePage:
                value = None  # the one that comes is asked again
            if value:
                return value
            assert time.monotonic() < deadline, f"never true: {expression}\n{self.evaluate('document.body.innerText')}"
            time.sleep(0.05)

    def press_at(self, x, y, until=None):
        """The mouse itself: down at one place, up there or at another."""
        for what, (at_x, at_y) in (("mousePressed", (x, y)), ("mouseReleased", until or (x, y))):
            self.call("Input.dispatchMouseEvent", type=what, x=at_x, y=at_y, button="left", clickCount=1)

    def middle_of(self, selector):
        return self.evaluate(f"(box => [box.x + box.width / 2, box.y + box.height / 2])(document.querySelector({selector!r}).getBoundingClientRect())")

    def screenshot(self, path, whole=False):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        ask(self.port, "GET", f"/json/close/{self.described['id']}")


def ask(port, method, path) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path)
    return connection.getresponse().read()


class Page(Tab):
    """A browser of its own, with one tab."""

    def __init__(self, directory, width=1280, height=900, flags=()):
        self.directory = pathlib.Path(directory)
        self.process = subprocess.Popen(["chromium", *FLAGS, *flags, f"--user-data-dir={self.directory}", "about:blank"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = self.directory / "DevToolsActivePort"
        deadline = time.monotonic() + 30
        while not (port_file.exists() and "\n" in port_file.read_text()):
            assert self.process.poll() is None and time.monotonic() < deadline, "chromium did not start"
            time.sleep(0.05)
        port = int(port_file.read_text().split()[0])
        described = next(page for page in json.loads(ask(port, "GET", "/json")) if page["type"] == "page")
        super().__init__(port, described, width, height)

    def new_tab(self, width=1280, height=900) -> Tab:
        return Tab(self.port, json.loads(ask(self.port, "PUT", "/json/new?about:blank")), width, height)

    def close(self):
        self.process.terminate()
        self.process.wait(10)
