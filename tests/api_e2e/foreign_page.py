"""A web page of somebody else, which tries what a page can try on a server of this machine; and a door to that server which
notes what came through it and what was answered."""

import html
import http.server
import json
import socket
import threading

# Tries everything, and leaves in window.outcome what it could see of each answer.
SCRIPT = """
const api = %s;
const json = JSON.stringify({agent: "payer", input: "from elsewhere", id: "from-elsewhere"});
const seen = {};
const note = (name, promise) => promise.then(value => { seen[name] = value; }, error => { seen[name] = "error: " + error.message; });
const answer = async response => `${response.type} ${response.status} ${(await response.text()).slice(0, 80)}`;
const loaded = (name, element, attribute, url) => note(name, new Promise(resolve => {
  element.onload = () => resolve("loaded");
  element.onerror = () => resolve("error: not loaded");
  element[attribute] = url;
  document.body.append(element);
  setTimeout(() => resolve("error: nothing happened"), 3000);
}));
const form = (name, type) => note(name, new Promise(resolve => {
  const frame = document.createElement("iframe");
  frame.name = name;
  const form = document.createElement("form");
  form.method = "POST"; form.action = api + "/api/v1/runs"; form.enctype = type; form.target = name;
  const field = document.createElement("input");
  field.name = json.slice(0, -1) + ',"x":"'; field.value = '"}';
  form.append(field);
  document.body.append(frame, form);
  frame.onload = () => resolve("sent");
  form.submit();
  setTimeout(() => resolve("error: nothing happened"), 3000);
}));
const connection = (name, make) => note(name, new Promise(resolve => {
  const one = make();
  one.onopen = () => resolve("open");
  one.onmessage = event => resolve("message " + event.data);
  one.onerror = () => { one.close(); resolve("error: refused"); };
}));
async function attack() {
  const runs = api + "/api/v1/runs";
  const post = (headers, mode) => fetch(runs, {method: "POST", mode, headers, body: json}).then(answer);
  await Promise.all([
    note("fetch", fetch(runs).then(answer)),
    note("fetch no-cors", fetch(runs, {mode: "no-cors"}).then(answer)),
    note("fetch as page", fetch(api + "/", {mode: "no-cors", headers: {Accept: "text/html"}}).then(answer)),
    note("fetch stream", fetch(api + "/api/v1/events", {mode: "no-cors", headers: {Accept: "text/html, text/event-stream"}}).then(answer)),
    note("post text", post({"Content-Type": "text/plain"}, "no-cors")),
    note("post json", post({"Content-Type": "application/json"}, "cors")),
    note("put agent", fetch(api + "/api/v1/agents/payer", {method: "PUT", body: "x"}).then(answer)),
    note("beacon", Promise.resolve(navigator.sendBeacon(runs, json) && "error: sent, answer not shown")),
    form("form", "application/x-www-form-urlencoded"),
    form("form text", "text/plain"),
    loaded("image", new Image(), "src", api + "/healthz"),
    loaded("script", document.createElement("script"), "src", runs),
    loaded("style", Object.assign(document.createElement("link"), {rel: "stylesheet"}), "href", api + "/"),
    loaded("frame", document.createElement("iframe"), "src", api + "/"),
    loaded("object", document.createElement("object"), "data", api + "/"),
    connection("events", () => new EventSource(api + "/api/v1/events")),
    connection("socket", () => new WebSocket(api.replace("http", "ws") + "/api/v1/events")),
  ]);
  return seen;
}
attack().then(seen => { (parent == window ? window : parent).postMessage(JSON.stringify(seen), "*"); });
"""

LISTEN = "<!doctype html><title>elsewhere</title><body><script>onmessage = event => { window.outcome = event.data; };</script>"


class Door(http.server.ThreadingHTTPServer):
    """Serves `page` at /attack.html. Other requests are passed on to a server byte by byte, Host and all; without one there is
    nothing else here."""

    daemon_threads = True

    def __init__(self, server: str | None = None):
        self.server = None
        if server:
            host, port = server.rsplit(":", 1)
            self.server = (host, int(port))
        self.page = ""
        self.seen = []  # (method, path, headers, status)
        super().__init__(("127.0.0.1", 0), Passing)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def attack(self, api: str, sandboxed: bool = False):
        """The page attacks the API at this address; sandboxed: from a frame that has no origin."""
        script = f"<script>{SCRIPT % json.dumps(api)}</script>"
        if sandboxed:
            script = f'<iframe sandbox="allow-scripts allow-forms" srcdoc="{html.escape("<body>" + script)}"></iframe>'
        self.page = LISTEN + script

    def close(self):
        self.shutdown()
        self.server_close()


class Passing(http.server.BaseHTTPRequestHandler):
    server: Door

    def log_message(self, *arguments):
        pass

    def pass_on(self):
        if self.path == "/attack.html":
            body = self.server.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return self.wfile.write(body)
        if self.server.server is None:
            return self.send_error(404)
        head = self.raw_requestline
        for name, value in self.headers.items():
            if name.lower() != "connection" or "upgrade" in value.lower():
                head += f"{name}: {value}\r\n".encode()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with socket.create_connection(self.server.server, timeout=5) as line:
            line.sendall(head + b"Connection: close\r\n\r\n" + body)
            answer = b""
            try:
                while more := line.recv(1 << 16):
                    answer += more
            except TimeoutError:
                pass
        status = int(answer.split(b" ", 2)[1]) if answer else 0
        self.server.seen.append((self.command, self.path, dict(self.headers), status))
        self.wfile.write(answer)
        self.close_connection = True
        return None

    do_GET = do_POST = do_PUT = do_HEAD = do_OPTIONS = do_DELETE = pass_on
