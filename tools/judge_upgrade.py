"""One run of an agent that crosses an upgrade of the program and six skipped weeks.

An earlier commit's program (built in a work tree of its own) starts the run: a model on the provider's wire format has a row written,
then has the agent wait for six weeks. The program is stopped in the middle of the wait, today's opens the same data, is killed,
and is started again with a clock six weeks ahead (Debian's libfaketime; the monotonic clock is left alone). The run ends; the row was
written once; nothing that was asked of the model before the upgrade is asked again.
"""

import argparse
import os
import pathlib
import sqlite3
import sys
import tempfile

from bench_against import build_commit

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "api_e2e"))
from holdfast import Server, scripted_model  # noqa: E402

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls: [{name: note, arguments: {text: before the wait}}]
  - when: {turn: 1}
    tool_calls: [{name: pause, arguments: {duration: 42d}}]
  - when: {turn: 2}
    text: "Six weeks have passed."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: patient}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted}}
  prompt: You wait.
  tools:
    - name: note
      type: sql
      description: Notes something.
      parameters: {{properties: {{text: {{type: string}}}}, required: [text]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO notes(text) VALUES (:text)"}}
    - name: pause
      type: wait
      description: Waits.
      wait: {{max: 60d}}
"""

FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
SIX_WEEKS = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+42d", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def cross(old: pathlib.Path, new: pathlib.Path, folder: pathlib.Path) -> None:
    database = folder / "notes.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE notes(text TEXT)")
    server = Server(old, folder / "data", "--grant", "host:127.0.0.1", "--grant", f"database.write:{database}")
    try:
        with scripted_model(new, folder, SCRIPT) as url:
            server.start()
            answer = server.request("PUT", "/api/v1/agents/patient", AGENT.format(model=url, database=database))
            assert answer.status == 201, answer.text
            run = server.start_run("patient", "Wait for six weeks.")
            server.wait(run, lambda record: any(step["name"] == "pause" for step in record["steps"]), 60)
            print(f"{old}: the run {run} waits")
            assert server.stop() == 0
            server.binary = str(new)
            server.start()
            assert not server.run(run)["closed_at"]
            print(f"{new}: goes on with it, and is killed")
            server.kill()
            server.environment |= SIX_WEEKS
            server.start()
            record = server.wait(run, seconds=60)
            print(f"six weeks later: {record['status']}, from {record['started_at']} to {record['closed_at']}")
            assert record["status"] == "completed", record
        with sqlite3.connect(database) as db:
            notes = db.execute("SELECT text FROM notes").fetchall()
        assert notes == [("before the wait",)], notes
    finally:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revisions", nargs="*", default=["HEAD~20"])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    args = parser.parse_args()
    if not FAKETIME.exists():
        sys.exit("needs Debian's libfaketime: apt-get install libfaketime")
    for revision in args.revisions:
        old = build_commit(revision, args.build.name)
        with tempfile.TemporaryDirectory(dir=args.build) as folder:
            cross(old / "holdfast", args.build.resolve() / "holdfast", pathlib.Path(folder))
    print(f"{len(args.revisions)} passed, 0 failed")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
