"""A decision over the API, and a server that is killed between it and what it does to the world.

The server is the program users run; its disk is read behind each kill. What is judged: the decision that is on the disk holds, without
anybody sending it again; one that is not there may be sent again under its key; whoever decides after it is told who was first; and the
receiver, a real HTTP server, has carried out what was approved once, and what was rejected never. A receiver that was not reached
before the kill is asked once, and one that was is asked again under the same key or not at all.

Where the server dies: as the request has left, at each sync of its disk that stands between the decision and the end of the run (before
it and behind it), as the receiver is asked, as it has answered, as the API has answered; and at moments that are drawn from the seed.
Every fourth server is killed once more while it starts again.
"""

import collections
import contextlib
import http.client
import http.server
import json
import mmap
import random
import sqlite3
import struct
import threading
import time

from holdfast import Server, scripted_model

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls: [{name: pay, arguments: {amount: 250}}]
  - text: "That is settled."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: payer}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: You pay people.
  tools:
    - name: pay
      type: http
      effect: idempotent
      description: Pays an amount.
      parameters: {{properties: {{amount: {{type: integer}}}}, required: [amount]}}
      retry: {{initial: 50ms, attempts: 5}}
      http: {{method: POST, url: "http://{place}/pay", body: {{amount: "{{amount}}"}}}}
  approvals:
    rules:
      - {{tool: pay, action: ask}}
"""

ASKED, EDITED = 250, 20
WORDS = {"approve": "approved", "edit": "edited", "reject": "rejected"}
ENDED_FIRST = "after the run had ended"
GONE = (OSError, http.client.HTTPException)


class _CountingServer(http.server.ThreadingHTTPServer):
    """Knows whether it has read all that was sent to it."""

    def __init__(self, *arguments):
        self.busy, self.changed = 0, threading.Condition()
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        with self.changed:
            self.busy += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        super().process_request_thread(request, client_address)
        with self.changed:
            self.busy -= 1
            self.changed.notify_all()


class Receiver:
    """Carries out each key once, as a receiver does that honours Idempotency-Key, and keeps all that it was asked."""

    def __init__(self):
        self.asked, self.done = [], {}
        self.when_asked = self.when_answered = lambda: None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = self.headers["Idempotency-Key"]
                receiver.asked.append(key)
                receiver.done.setdefault(key, body["amount"])
                receiver.when_asked()
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", "4")
                    self.end_headers()
                    self.wfile.write(b"paid")
                    self.wfile.flush()
                receiver.when_answered()

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.send_response(204)
                self.end_headers()

        self.server = _CountingServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def settle(self):
        """Behind this, what a dead server has sent was read: connections are taken in the order in which they came."""
        connection = http.client.HTTPConnection(self.place, timeout=30)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
        with self.server.changed:
            assert self.server.changed.wait_for(lambda: self.server.busy == 0, 30)

    def forget(self):
        self.asked, self.done = [], {}
        self.when_asked = self.when_answered = lambda: None


class KillSwitch:
    """The numbers that tests/crash/kill_at_sync.cc shares with us."""

    def __init__(self, path):
        path.write_bytes(bytes(24))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 24)

    @property
    def seen(self) -> int:
        return struct.unpack_from("q", self.memory)[0]

    def arm(self, nth, behind):
        struct.pack_into("q", self.memory, 16, int(behind))
        struct.pack_into("q", self.memory, 8, self.seen + nth)

    def disarm(self):
        struct.pack_into("q", self.memory, 8, 0)


class Request:
    """One decision on its way, on a thread: its answer, or none."""

    def __init__(self, server, approval, decision, when_sent, when_answered):
        self.server, self.approval, self.decision = server, approval, decision
        self.answer = None
        self.body = {"decision": decision, "decided_by": "ann", "arguments_sha256": approval["arguments_sha256"]}
        if decision == "edit":
            self.body["arguments"] = {"amount": EDITED}
        self.thread = threading.Thread(target=self._go, args=(when_sent, when_answered))
        self.thread.start()

    @property
    def path(self):
        return f"/api/v1/approvals/{self.approval['id']}/decision"

    def headers(self):
        return {"Content-Type": "application/json", "Idempotency-Key": f"decides-{self.approval['id']}"}

    def _go(self, when_sent, when_answered):
        with contextlib.suppress(*GONE):
            connection = http.client.HTTPConnection(self.server.http, timeout=30)
            try:
                connection.request("POST", self.path, json.dumps(self.body), self.headers())
                when_sent()
                answer = connection.getresponse()
                self.answer = (answer.status, json.loads(answer.read()))
            finally:
                connection.close()
            when_answered()

    def again(self):
        return self.server.request("POST", self.path, self.body, self.headers())


class Loop:
    def __init__(self, binary, shim, folder, seed, say=print):
        assert shim.exists(), f"{shim} is missing: build the target kill_at_sync"
        self.folder, self.say = folder, say
        self.chance = random.Random(seed)
        self.switch = KillSwitch(folder / "kill-switch")
        self.receiver = Receiver()
        self.stack = contextlib.ExitStack()
        self.stack.callback(self.receiver.close)
        model = self.stack.enter_context(scripted_model(binary, folder, SCRIPT))
        self.log = self.stack.enter_context((folder / "log").open("ab"))
        self.server = Server(binary, folder / "data", "--grant", "host:127.0.0.1", log=self.log,
                             environment={"LD_PRELOAD": str(shim), "KILL_AT_SYNC": str(folder / "kill-switch")})
        self.server.start()
        self.stack.callback(self.server.close)
        deployed = self.server.request("PUT", "/api/v1/agents/payer", AGENT.format(model=model, place=self.receiver.place))
        assert deployed.status == 201, deployed.text
        self.kills = collections.Counter()  # by where they fell
        self.passed = self.failed = self.reached = 0  # decisions; and kills that came before the end of the run

    def close(self):
        self.stack.close()

    # ---- where to die

    def rehearse(self):
        """Decisions that nothing interrupts: how many syncs until the run has ended, and how long until the effect. The first is slower
        than those to come."""
        for run in ("rehearsal", "rehearsal-again"):
            approval = self._asked(run)
            asked_at = []
            self.receiver.when_asked = lambda at=asked_at: at.append(time.monotonic())
            before, began = self.switch.seen, time.monotonic()
            Request(self.server, approval, "approve", lambda: None, lambda: None).thread.join()
            self.server.wait(run)
            self.syncs, self.seconds = self.switch.seen - before, asked_at[0] - began
            assert list(self.receiver.done.values()) == [ASKED]
        assert self.syncs > 0, "no sync was seen"
        self.say(f"an effect comes {self.seconds * 1000:.0f} ms behind its decision; until the run has ended there are {self.syncs} syncs")

    def points(self) -> list[str]:
        syncs = [f"{side} sync {n}" for n in range(1, self.syncs + 1) for side in ("before", "behind")]
        return ["request sent", "receiver asked", "receiver answered", "API answered", *syncs]

    def _aim(self, point):
        """What the parts of a round call, so that the server dies at that point."""
        nothing, kill = (lambda: None), self.server.process.kill  # of this process, and of none that comes after it
        self.receiver.when_asked = kill if point == "receiver asked" else nothing
        self.receiver.when_answered = kill if point == "receiver answered" else nothing
        side, _, n = point.partition(" sync ")
        if n:
            self.switch.arm(int(n), side == "behind")
        if point == "at a random moment":
            after = self.chance.random() * self.seconds
            return lambda: (time.sleep(after), kill()), nothing  # chance, not a wait for something
        return kill if point == "request sent" else nothing, kill if point == "API answered" else nothing

    # ---- one round

    def _asked(self, run) -> dict:
        self.receiver.forget()
        self.server.start_run("payer", "pay, please", id=run)
        return self.server.wait_for_approval(run)

    def _dead(self, run) -> bool:
        """Whether the server died; of a point that this run did not come to, it has ended first."""
        with contextlib.suppress(*GONE):
            self.server.wait(run, lambda record: record["closed_at"] or self.server.process.poll() is not None, 60)
        # What is in a socket still may look like an answer.
        return self.server.process.poll() is not None or not self._answers()

    def _answers(self) -> bool:
        with contextlib.suppress(*GONE):
            return self.server.get("/healthz").status == 200
        return False

    def _on_disk(self, approval) -> bool:
        with sqlite3.connect(f"file:{self.folder}/data/platform/platform.db?mode=ro", uri=True) as database:
            return database.execute("SELECT count(*) FROM decisions WHERE approval = ?", [approval["id"]]).fetchone()[0] > 0

    def _start_again(self, again):
        if again:
            self.switch.arm(self.chance.randint(1, 6), self.chance.random() < 0.5)
            try:
                self.server.start()
            except RuntimeError:
                self.kills["while it starts"] += 1
            else:
                self.server.kill()
                self.kills["as it has started"] += 1
        self.switch.disarm()
        self.server.start()

    def round(self, n, point):
        run = f"decided-{n}"
        # What is rejected does not come to the receiver.
        decision = self.chance.choices(list(WORDS), [6, 2, 0 if point.startswith("receiver") else 2])[0]
        approval = self._asked(run)
        request = Request(self.server, approval, decision, *self._aim(point))
        reached = self._dead(run)
        self.reached += reached
        if not reached:
            point = ENDED_FIRST
        self.server.kill()
        request.thread.join()
        self.receiver.when_asked = self.receiver.when_answered = lambda: None
        self.receiver.settle()
        self.kills[point] += 1
        asked_before, stored = len(self.receiver.asked), self._on_disk(approval)
        self._start_again(n % 4 == 3)
        wrong = self._verdict(run, approval, request, stored, asked_before)
        self.passed += not wrong
        self.failed += bool(wrong)
        for words in wrong:
            self.say(f"round {n}, {decision}, killed {point}: {words}")

    def _verdict(self, run, approval, request, stored, asked_before) -> list[str]:
        wrong = []
        if request.answer is not None and not stored:
            wrong.append(f"answered {request.answer[0]}, and nothing is on the disk")
        if not stored:
            repeated = request.again()
            if repeated.status not in (200, 202):
                wrong.append(f"sent again, it is refused: {repeated.text}")
        try:
            ended = self.server.wait(run, seconds=60)
        except AssertionError as late:
            return [*wrong, f"the run does not end: {late}"]
        now = self.server.get(f"/api/v1/approvals/{approval['id']}").json
        if (now["status"], now["decided_by"]) != (WORDS[request.decision], "ann"):
            wrong.append(f"the decision does not hold: {now}")
        other = "reject" if request.decision != "reject" else "approve"
        second = self.server.post(f"/api/v1/approvals/{approval['id']}/decision",
                                  {"decision": other, "decided_by": "bob", "arguments_sha256": approval["arguments_sha256"]})
        if second.status != 409 or "ann" not in second.text:
            wrong.append(f"a second decision is answered {second.status} {second.text}")
        again = request.again()
        if again.status != 200 or again.json["status"] != WORDS[request.decision]:
            wrong.append(f"the decision under its key is answered {again.status} {again.text}")
        if (ended["status"], ended["output"]) != ("completed", "That is settled."):
            wrong.append(f"the run ends as {ended['status']}: {ended['output']}")
        return wrong + self._effects(request.decision, asked_before)

    def _effects(self, decision, asked_before) -> list[str]:
        done, asked = list(self.receiver.done.values()), len(self.receiver.asked)
        expected = {"approve": [ASKED], "edit": [EDITED], "reject": []}[decision]
        wrong = [] if done == expected else [f"the receiver has carried out {done}, not {expected}"]
        if asked > len(expected) + (asked_before > 0):
            wrong.append(f"the receiver was asked {asked} times, {asked_before} of them before the kill")
        return wrong

    def rounds(self, kills):
        """Each point in turn, and as many moments that are drawn, until so many kills came before the end of a run."""
        points = self.points()
        for n in range(3 * kills):
            if self.reached == kills:
                return
            self.round(n, points[n // 2 % len(points)] if n % 2 == 0 else "at a random moment")
