"""Blocks that have ended are not run again: 1,000 SIGKILLs, each at a point with a name.

    ./dev judge flows [KILLS] [--exact BLOCKS]

A flow whose blocks share one activity calls a real receiver of requests three times and writes a row, with code between. The server
(tests/crash/holdfast_lossy: the program that users run, on a disk that loses what is not synced when it is killed) dies at one point
of each run: before or after one sync of one of its stores, or while a call is at the receiver, before or after its answer. All points
come in turn, as many as there are: a number that is not reached is the end of its row. At the kill the platform store says what has
ended; the next server finishes the run, and then none of that may have been called again, no call may have another key than before,
what must not be repeated (at_most_once) has come once at most, and the row is there once.

--exact runs the planners' tests against all graphs of up to so many blocks (6) and 10,000 random ones of up to 9, instead of kills.
"""

import argparse
import collections
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "api_e2e"))
from holdfast import Server  # noqa: E402

KILL_AT = "HOLDFAST_TEST_KILL_AT"
FLOW = """
apiVersion: holdfast.dev/v1
kind: Flow
metadata: {{name: fused}}
spec:
  planner: V3
  blocks:
    - {{id: begin, type: start}}
    - {{id: made, type: code, needs: [begin], with: {{code: "return {{n: input.n + 1}}"}}}}
    - {{id: one, type: http, needs: [made], with: {{http: {{method: POST, url: "{url}/one"}}, effect: idempotent,
        arguments: {{run: "{{{{ input.run }}}}", n: "{{{{ blocks.made.n }}}}"}}}}}}
    - {{id: twice, type: code, needs: [one], with: {{code: "return 2 * blocks.one.n"}}}}
    - {{id: pay, type: http, needs: [twice], with: {{http: {{method: POST, url: "{url}/pay"}}, effect: at_most_once,
        arguments: {{run: "{{{{ input.run }}}}", n: "{{{{ blocks.twice }}}}"}}}}}}
    - {{id: row, type: sql, needs: [pay, pay.error], join: any, with: {{sql: {{database: "{database}", read_only: false,
        statement: "INSERT INTO rows(run) VALUES (:run)"}}, arguments: {{run: "{{{{ input.run }}}}"}}}}}}
    - {{id: three, type: http, needs: [row], with: {{http: {{method: POST, url: "{url}/three"}}, effect: idempotent,
        arguments: {{run: "{{{{ input.run }}}}"}}}}}}
    - {{id: reply, type: respond, needs: [three], with: {{value: "{{{{ blocks.three.n }}}}"}}}}
"""
CALLS = ("/one", "/pay", "/three")
REPEATED = ("/one", "/three")  # may be asked again while it is not known how they ended
# In turn; the receiver's are counted over the calls of one run.
PLACES = ("platform:before", "platform:after", "streams:before", "streams:after", "engine:before", "engine:after",
          "call:received", "call:answered")
PATIENCE = 60


class Listening(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # whoever asked was killed


class Receiver:
    """Counts the calls of each run by path, with their keys, and ends the server at a call when it is told to."""

    def __init__(self):
        self.calls = collections.defaultdict(list)  # by run: (path, key)
        self.kill = None                            # (moment, number of the call), and who is killed
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                number = receiver.came(body["run"], self.path, self.headers["Idempotency-Key"])
                receiver.kill_at("received", number)
                answer = json.dumps({"n": number}).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                    self.wfile.flush()
                except OSError:
                    pass  # whoever asked was killed
                receiver.kill_at("answered", number)

            def log_message(self, *arguments):
                pass

        self.server = Listening(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def came(self, run: str, path: str, key: str) -> int:
        with self.lock:
            self.calls[run].append((path, key))
            return len(self.calls[run])

    def kill_at(self, moment: str, number: int) -> None:
        with self.lock:
            if self.kill is None or self.kill[:2] != (moment, number):
                return
            victim, self.kill = self.kill[2], None
        victim.send_signal(signal.SIGKILL)

    def of(self, run: str) -> list[tuple[str, str]]:
        with self.lock:
            return list(self.calls[run])


class Points:
    """Which point is next: each place has the numbers from one to what a run has of it, and they come in turn."""

    def __init__(self):
        self.next = dict.fromkeys(PLACES, 1)
        self.most = dict.fromkeys(PLACES, 0)
        self.kills = collections.Counter()
        self.turn = 0

    def take(self) -> tuple[str, int]:
        place = PLACES[self.turn % len(PLACES)]
        self.turn += 1
        return place, self.next[place]

    def killed(self, place: str, number: int) -> None:
        self.kills[place, number] += 1
        self.most[place] = max(self.most[place], number)
        self.next[place] = number + 1

    def not_reached(self, place: str) -> None:
        self.next[place] = 1


class Judge:
    def __init__(self, build: pathlib.Path, folder: pathlib.Path, forgets: bool):
        self.folder = folder
        self.forgets = forgets
        self.receiver = Receiver()
        self.points = Points()
        self.point = ("", 0)
        self.runs = 0
        self.database = folder / "rows.db"
        with sqlite3.connect(self.database) as db:
            db.execute("CREATE TABLE rows(run TEXT)")
        self.server = Server(build / "tests" / "crash" / "holdfast_lossy", folder / "data", "--grant", "host:127.0.0.1", "--grant",
                             f"database.write:{folder}/", log=open(folder / "log", "ab"))

    def begin(self) -> None:
        self.server.start()
        answer = self.server.request("PUT", "/api/v1/flows/fused", FLOW.format(url=self.receiver.url, database=self.database))
        assert answer.status == 201, answer.text
        self.server.stop()
        self.serve()

    # ---- one run

    def start_run(self, run: str) -> bool:
        """False: the server died under the request; nobody knows whether the run was begun."""
        try:
            answer = self.server.post("/api/v1/flows/fused/runs", {"input": {"run": run, "n": 20}, "id": run})
        except (OSError, ValueError, http.client.HTTPException):
            return False
        assert answer.status in (200, 202), answer.text
        return True

    def goes_until_killed(self, run: str, begun: bool) -> bool:
        """False: the run ended first."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                self.server.process.wait(0.05)
                assert self.server.process.returncode == -signal.SIGKILL, f"the server ended: {self.server.process.returncode}"
                return True
            except subprocess.TimeoutExpired:
                pass
            try:
                if begun and self.server.run(run)["closed_at"] and not self.dies_late():
                    return False
            except (OSError, ValueError, http.client.HTTPException):
                pass  # it is being killed
        raise AssertionError(f"{run} neither ended nor was its server killed")

    def dies_late(self) -> bool:
        """What is synced a moment behind the end of a run still is a point."""
        try:
            self.server.process.wait(0.3)
            return True
        except subprocess.TimeoutExpired:
            return False

    def settled(self, run: str) -> set[str]:
        """Keys of the calls that have ended, as the store of the dead server says."""
        path = self.folder / "data" / "platform" / "platform.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode={'rw' if self.forgets else 'ro'}", uri=True)) as db:
            found = {key for (key,) in db.execute("SELECT key FROM effects WHERE run = ? AND settled != 0", (run,))}
            if self.forgets:
                with db:
                    db.execute("DELETE FROM effects WHERE run = ?", (run,))
            return found

    def serve(self) -> None:
        """Starts the server that is to die at the next point, when it is told that its time begins."""
        self.point = self.points.take()
        place, number = self.point
        self.server.environment.pop(KILL_AT, None)
        if not place.startswith("call:"):
            self.server.environment[KILL_AT] = f"{place}:{number}"
        self.server.start()

    def kill_one(self) -> None:
        place, number = self.point
        run = f"fused-{self.runs}"
        self.runs += 1
        if place.startswith("call:"):
            self.receiver.kill = (place.removeprefix("call:"), number, self.server.process)
        else:
            self.server.process.send_signal(signal.SIGUSR1)
        begun = self.start_run(run)
        killed = self.goes_until_killed(run, begun)
        self.receiver.kill = None
        calls = self.receiver.of(run)
        ended = self.settled(run) if killed else set()
        if killed:
            self.points.killed(place, number)
        else:
            self.points.not_reached(place)
            self.server.stop()
        self.serve()
        if not begun:
            assert self.start_run(run)
        self.look_at(run, f"{run}, killed at {place}:{number}" if killed else f"{run}, not killed", ended, calls)

    def look_at(self, run: str, what: str, ended: set[str], before: list[tuple[str, str]]) -> None:
        state = self.server.wait(run, seconds=PATIENCE)
        calls = self.receiver.of(run)
        said = f"{what}: {calls} of which {len(before)} before; ended were {ended}; {json.dumps(state)[:2000]}"
        assert state["status"] == "completed", said
        again = calls[len(before):]
        assert not [call for call in again if call[1] in ended], f"a block that had ended was called again: {said}"
        by_path = collections.Counter(path for path, _ in calls)
        assert all(len({key for path, key in calls if path == wanted}) == 1 for wanted in REPEATED), f"another key: {said}"
        assert by_path["/pay"] <= 1, f"at most once: {said}"
        repeats = sum(by_path[path] - 1 for path in REPEATED)
        assert repeats <= (1 if before else 0), f"more than what was under way: {said}"
        with sqlite3.connect(self.database) as db:
            assert db.execute("SELECT count(*) FROM rows WHERE run = ?", (run,)).fetchone() == (1,), said

    def report(self) -> None:
        for place in PLACES:
            kills = sum(count for (where, _), count in self.points.kills.items() if where == place)
            print(f"{place:18} {self.points.most[place]:3} points {kills:5} kills")


def kill(build: pathlib.Path, kills: int, expects_violations: bool) -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="judge-flows-", dir=build))
    judge = Judge(build, folder, expects_violations)
    wrong = None
    try:
        judge.begin()
        while (done := sum(judge.points.kills.values())) < kills:
            if done and done % 100 == 0:
                print(f"  {done} of {kills}", flush=True)
            judge.kill_one()
    except AssertionError as found:
        wrong = str(found)
    finally:
        judge.server.close()
    if wrong and not expects_violations:
        print(f"FAILED: {wrong}\nthe server's data and log are in {folder}")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    if expects_violations:
        print(f"noticed: {wrong[:300]}" if wrong else "FAILED: the store forgot what had ended, and this was not noticed")
        return 0 if wrong else 1
    judge.report()
    calls = sum(len(one) for one in judge.receiver.calls.values())
    print(f"{kills} kills at {sum(judge.points.most.values())} points, {judge.runs} runs, {calls} calls: nothing that had ended was run again")
    return 0


def exact(build: pathlib.Path, blocks: int) -> int:
    """Code of its own: every way to put blocks together is tried (src/flows/plan/plan_v4_test.cc)."""
    program = subprocess.Popen([build / "src/flows/plan/plan_test", "--gtest_filter=V4.*:AnyGraph.*"], text=True,
                               env={**os.environ, "HOLDFAST_EXACT": str(blocks)}, stdout=subprocess.PIPE)
    passed = failed = 0
    for line in program.stdout:
        print(line, end="", flush=True)
        passed += line.startswith("[       OK ]")
        failed += line.startswith("[  FAILED  ]") and line.rstrip().endswith("ms)")
    died = program.wait() not in (0, 1)
    print(f"{passed} passed, {failed + died} failed")
    return 0 if passed and not failed and not died else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", nargs="?", type=int, default=1000)
    parser.add_argument("--exact", type=int, metavar="BLOCKS", help="the planners before brute force instead, up to so many blocks")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--expect-violations", action="store_true",
                        help="make the store forget at each kill which calls have ended: that must be noticed, or else this proves nothing")
    options = parser.parse_args()
    build = options.build.resolve()
    return exact(build, options.exact) if options.exact else kill(build, options.kills, options.expect_violations)


if __name__ == "__main__":
    sys.exit(main())
