"""People in the loop, seen from the server; each figure ends with `ok` or `no` beside its target.

    ./dev bench people [inbox|reconnect|readers|decision|all] [--approvals 100000] [--events 100000] [--readers 10000]

    inbox       a page of the inbox with 100,000 approvals that wait, everybody's, mine and my team's, also where they are five
    reconnect   a stream that is taken up 100,000 events back: until its first byte
    readers     10,000 streams of events at once: memory for each
    decision    from a decision to the agent's next action, a call of a tool: processor time, and syncs by file (with strace)

The events are rows as a server writes them; everything else is made by runs.
"""

import argparse
import collections
import contextlib
import http.client
import http.server
import os
import pathlib
import re
import resource
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api_e2e"))
from console_load import add_long_run  # noqa: E402
from holdfast import Server, scripted_model  # noqa: E402

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^pay", turn: 0}
    tool_calls: [{name: pay, arguments: {amount: 250}}]
  - when: {last: "^send", turn: 0}
    tool_calls: [{name: send, arguments: {amount: 250}}]
  - when: {last: "^many", turn: 0}
    tool_calls: [CALLS]
  - when: {turn: 1}
    text: "Done."
"""
CALLS = 40  # that one run asks for at once
SCRIPT = SCRIPT.replace("CALLS", ", ".join("{name: pay, arguments: {amount: %d}}" % amount for amount in range(CALLS)))
AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}, team: {team}}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You pay.
  tools:
    - name: pay
      type: sql
      description: Pays.
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO payments(amount) VALUES (:amount)"}}
    - name: send
      type: http
      description: Pays elsewhere.
      effect: idempotent
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      http: {{method: POST, url: "{bank}"}}
  approvals: {{rules: [{{tool: "*", action: ask{who}}}]}}
"""
FEW = 5  # that one team asks, and that one person may decide, among all the others
TICK = os.sysconf("SC_CLK_TCK")
SAMPLES = 9
failed = []


def figure(what, value, unit, target):
    good = value <= target
    if not good:
        failed.append(what)
    print(f"{what:62} {value:9.2f} {unit:4} target {target:g} {unit:4} {'ok' if good else 'no'}", flush=True)


class Bank(http.server.ThreadingHTTPServer):
    """What an agent pays by: it says when it was called, by `told`, before it answers."""

    daemon_threads = True

    def __init__(self):
        self.told = lambda: None

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                self.told()
                handler.rfile.read(int(handler.headers["Content-Length"]))
                handler.send_response(204)
                handler.end_headers()

            def log_message(handler, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class House:
    """A model, a bank, and a server that can be stopped and started again on its data."""

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path, model: str):
        self.folder = folder
        self.bank = Bank()
        database = folder / "shop.db"
        with sqlite3.connect(database) as db:
            db.execute("CREATE TABLE payments(amount REAL)")
        agents = [("payer", "payments", ""), ("ruler", "law", ', who: ["user:few"], quorum: 2'), ("many", "crowd", ', who: ["user:lots"], quorum: 2')]
        options = []
        for name, team, who in agents:
            (folder / f"{name}.yaml").write_text(AGENT.format(name=name, team=team, who=who, model=model, database=database, bank=self.bank.url))
            options += ["--agent", str(folder / f"{name}.yaml")]
        self.server = Server(binary, folder / "data", *options).start()

    def asked(self, run: str, what: str = "pay it") -> dict:
        self.server.start_run("payer", what, id=run)
        return self.server.wait_for_approval(run)

    def decide(self, approval: dict) -> None:
        answer = self.server.post(f"/api/v1/approvals/{approval['id']}/decision",
                                  {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]})
        assert answer.status == 200, answer.text

    @contextlib.contextmanager
    def stopped(self):
        self.server.stop()
        yield self.folder / "data"
        self.server.start()

    def memory(self) -> int:
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return 1024 * int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1])

    def cpu_ms(self) -> float:
        fields = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / TICK

    def exact_cpu_ms(self) -> float:
        """Of the threads that live, in ns; the clock ticks of cpu_ms() are too long for one decision."""
        total = 0
        for thread in pathlib.Path(f"/proc/{self.server.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):
                total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e6


def timed(action) -> float:
    begun = time.monotonic()
    action()
    return 1000 * (time.monotonic() - begun)


def ask(house: House, agent: str, count: int, db: sqlite3.Connection) -> None:
    """Runs of that agent that wait with `count` calls and a few more."""
    before = db.execute("SELECT count(*) FROM approvals").fetchone()[0]
    runs = -(-count // CALLS)
    for number in range(runs):
        house.server.start_run(agent, "many", id=f"{agent}-{number}")
    deadline = time.monotonic() + 1800
    while db.execute("SELECT count(*) FROM approvals").fetchone()[0] < before + runs * CALLS:
        if time.monotonic() > deadline:
            sys.exit("not all approvals were asked for within 30 minutes")
        time.sleep(0.5)


def inbox(house: House, options) -> None:
    """Oldest are the few, newest those of one other person: whoever looks for his own from the newest on passes them all."""
    database = sqlite3.connect(f"file:{house.folder / 'data/platform/platform.db'}?mode=ro", uri=True)
    for number in range(FEW):
        house.server.start_run("ruler", "pay it", id=f"few-{number}")
        house.server.wait_for_approval(f"few-{number}")
    ask(house, "payer", options.approvals // 2, database)
    ask(house, "many", options.approvals - options.approvals // 2, database)
    keys = {name: key_of(house.server, name) for name in ("few", "lots")}
    for name, query, key, rows in (
            ("all", "", "few", 50), ("a team of half", "team=payments", "few", 50), ("a team of five", "team=law", "few", FEW),
            ("mine, all others'", "for=me", "lots", 50), ("mine and a team's", "for=me&team=law", "few", FEW), ("mine, of few", "for=me", "few", 50)):
        path, headers = f"/api/v1/approvals?status=pending&limit=50&{query}", {"Authorization": f"Bearer {keys[key]}"}
        answer = house.server.get(path, **headers)
        if answer.status != 200 or (rows is not None and len(answer.json["approvals"]) != rows):
            sys.exit(f"{path}: {answer.text[:300]}")
        figure(f"inbox, {name}: first page of {options.approvals} that wait, median of 20",
               statistics.median(timed(lambda p=path, h=headers: house.server.get(p, **h)) for _ in range(20)), "ms", 30)
        if cursor := answer.json["next_cursor"]:
            figure(f"inbox, {name}: second page",
                   statistics.median(timed(lambda p=path, h=headers, c=cursor: house.server.get(f"{p}&cursor={c}", **h)) for _ in range(20)), "ms", 30)


def key_of(server, name: str) -> str:
    """An approver's, made by the server's own key once there is an admin."""
    local = {"Authorization": "Bearer " + (pathlib.Path(server.ready["data"]) / "local-key").read_text().strip()}
    made = server.request("POST", "/api/v1/keys", {"principal": name, "roles": {"default": ["approver"]}}, local)
    if made.status != 201:
        sys.exit(f"no key for {name}: {made.text[:300]}")
    return made.json["key"]


def first_byte(house: House, path: str, cursor: str) -> float:
    host, port = house.server.http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        begun = time.monotonic()
        connection.request("GET", path, headers={"Accept": "text/event-stream", "Last-Event-ID": cursor})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        while not response.readline().startswith(b"data:"):
            pass
        return 1000 * (time.monotonic() - begun)
    finally:
        connection.close()


def reconnect(house: House, options) -> None:
    with house.stopped() as data:
        add_long_run(data, options.events)
    for path in ("/api/v1/runs/long/events", "/api/v1/events?run=long"):
        cursor = next(event[0] for event in house.server.events(path) if event[0])
        figure(f"{path}: first event, {options.events} back, median of 20",
               statistics.median(first_byte(house, path, cursor) for _ in range(20)), "ms", 20)


def open_readers(house: House, runs: list[str], count: int) -> list[socket.socket]:
    host, port = house.server.http.rsplit(":", 1)
    readers = []
    for number in range(count):
        reader = socket.create_connection((host, int(port)), timeout=30)
        path = f"/api/v1/events?run={runs[number % len(runs)]}"
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {house.server.http}\r\nAccept: text/event-stream\r\n\r\n".encode())
        head = reader.recv(4096)
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"reader {number} of {count} was not served: {head[:200]!r}")
        readers.append(reader)
    return readers


def readers(house: House, options) -> None:
    runs = [f"watched-{number}" for number in range(100)]
    for run in runs:
        house.asked(run)
    # A server takes as many connections as half of the files that it may have open.
    count = min(options.readers, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 50)
    warm = open_readers(house, runs, 200)
    time.sleep(2)
    before = house.memory()
    held = open_readers(house, runs, count - len(warm))
    time.sleep(5)
    figure(f"memory for each of {count} readers", (house.memory() - before) / len(held) / 1024, "KiB", 20)
    begun = house.cpu_ms()
    time.sleep(10)
    figure("CPU while nothing happens", (house.cpu_ms() - begun) / 100, "%", 1)
    for reader in warm + held:
        reader.close()


def cpu_of_decisions(house: House) -> list[float]:
    """A run is asked about at a time, and nothing else happens."""
    spent = []
    for number in range(5 + SAMPLES):
        approval = house.asked(f"paid-{number}", "send it")
        time.sleep(0.3)  # what was told before is written
        begun = house.exact_cpu_ms()
        house.bank.told = lambda begun=begun: spent.append(house.exact_cpu_ms() - begun)
        house.decide(approval)
        house.server.wait(f"paid-{number}")
    return spent[5:]


def decision(house: House, options) -> None:
    """The end of a run is behind the payment and one more model call."""
    figure(f"CPU from a decision to the tool's call, median of {SAMPLES}", statistics.median(cpu_of_decisions(house)), "ms", 1)
    approvals = [house.asked(f"decided-{number}") for number in range(40)]
    time.sleep(1)
    begun = house.cpu_ms()
    for approval in approvals:
        house.decide(approval)
    for number in range(40):
        house.server.wait(f"decided-{number}")
    print(f"{'from 40 decisions to the end of their runs: CPU for each':62} {(house.cpu_ms() - begun) / 40:9.2f} ms")
    if not shutil.which("strace"):
        print("strace is not installed: no syncs were counted")
        return
    asked = [house.asked(f"counted-{number}") for number in range(SAMPLES)]
    out = house.folder / "syncs.txt"
    counts, files = [], collections.Counter()
    with subprocess.Popen(["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync", "-o", out, "-p", str(house.server.process.pid)]) as tracer:
        for number, approval in enumerate(asked):
            time.sleep(1)  # what was told before is written
            out.write_text("")
            house.decide(approval)
            house.server.wait(f"counted-{number}")
            syncs = [match[1] for match in re.finditer(r"sync\(\d+<([^>]*)>", out.read_text())]
            call = next((at for at, path in enumerate(syncs) if "/shop.db" in path), None)  # of the tool's own database
            if call is None:
                sys.exit("the payment was not made")
            counts.append(call)
            files.update(pathlib.Path(path).name for path in syncs[:call])
        tracer.terminate()
    for name, count in files.most_common():
        print(f"  {name:60} {count / SAMPLES:9.2f} of them")
    figure(f"syncs from a decision to the tool's call, median of {SAMPLES}", statistics.median(counts), "", 4)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    figures = {"inbox": inbox, "reconnect": reconnect, "readers": readers, "decision": decision}
    parser.add_argument("figure", nargs="?", choices=[*figures, "all"], default="all")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--approvals", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=10_000)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65536, hard))
    binary = options.build.resolve() / "holdfast"
    for name in figures if options.figure == "all" else [options.figure]:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-people-"))
        with scripted_model(binary, folder, SCRIPT) as model:
            house = House(binary, folder, model)
            try:
                figures[name](house, options)
            finally:
                house.server.close()
                shutil.rmtree(folder, ignore_errors=True)
    print("all targets are met" if not failed else f"FAILED: {len(failed)} of the targets are missed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
