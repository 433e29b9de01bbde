"""One example on its stage: a copy of its folder, its database, its services, its scripted model and a real server."""

import email
import email.policy
import json
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys

from aiosmtpd.controller import Controller

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
sys.dont_write_bytecode = True  # nothing is left in the folders of the examples
sys.path.insert(0, str(ROOT / "tests" / "api_e2e"))
sys.path.insert(0, str(EXAMPLES))
from holdfast import Server  # noqa: E402
from services import Services  # noqa: E402

MODEL = "127.0.0.1:8900"  # where the files of the examples have the scripted model, the services and the mail server
OUTSIDE = "127.0.0.1:9090"
MAIL = "127.0.0.1:2525"


class Mailbox:
    """What a real SMTP server was given. `hooks` are called once, before the next mail is taken."""

    def __init__(self):
        self.mails = []  # (recipients, message)
        self.hooks = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    async def handle_DATA(self, _server, _session, envelope):
        if self.hooks:
            self.hooks.pop()()
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 kept"


class Stage:
    def __init__(self, binary: str, name: str, place: pathlib.Path):
        self.binary = binary
        self.name = name
        self.folder = place / name
        shutil.copytree(EXAMPLES / name, self.folder)
        self.place = place
        self.model = None
        self.services = None
        self.mailbox = None
        self.server = None
        self.log = open(place / "server.log", "w")

    # ---- up and down

    def up(self, *options, agents=True):
        """Each on a port of its own; the files of the copy are told which."""
        for sql in sorted(self.folder.glob("*.sql")):
            with sqlite3.connect(sql.with_suffix(".db")) as db:
                db.executescript(sql.read_text())
        canned = self.folder / "services.json"
        self.services = Services(json.loads(canned.read_text()) if canned.exists() else {}).start()
        self.mailbox = Mailbox()
        self.model = subprocess.Popen([self.binary, "scripted-model", str(self.folder / "script.yaml"), "--json"],
                                      stdout=subprocess.PIPE)
        ready = self.model.stdout.readline()
        assert ready, f"{self.name}/script.yaml is no script"
        self.model_address = json.loads(ready)["base_url"].removeprefix("http://").removesuffix("/v1")
        for file in self.definitions():
            text = file.read_text().replace(MODEL, self.model_address)
            text = text.replace(MAIL, f"127.0.0.1:{self.mailbox.port}")
            file.write_text(text.replace(OUTSIDE, f"127.0.0.1:{self.services.port}"))
        named = [part for file in self.definitions() for part in ("--agent", str(file))] if agents else []
        self.server = Server(self.binary, self.place / "data", *named, *options, log=self.log).start()
        return self

    def definitions(self) -> list:
        return [file for file in sorted(self.folder.rglob("*.yaml")) if file.name != "script.yaml"]

    def down(self):
        if self.server:
            self.server.close()
        if self.services:
            self.services.stop()
        if self.mailbox:
            self.mailbox.controller.stop()
        if self.model:
            self.model.terminate()
            self.model.wait(10)
        self.log.close()

    def restart(self):
        """kill -9, and up again."""
        self.server.kill()
        self.server.start()

    # ---- runs

    def start(self, agent, text, **more) -> str:
        return self.server.start_run(agent, text, **more)

    def finished(self, run, output=None) -> dict:
        state = self.server.wait(run, seconds=30)
        assert state["status"] == "completed", self.told(state)
        if output is not None:
            assert output in state["output"], self.told(state)
        return state

    def run(self, agent, text, output=None, **more) -> dict:
        return self.finished(self.start(agent, text, **more), output)

    def asked(self, run) -> dict:
        """The approval that the run waits for."""
        state = self.server.wait(run, lambda r: r["waiting_on"] == "approval" or r["closed_at"], seconds=30)
        assert state["waiting_on"] == "approval", self.told(state)
        return [one for one in state["approvals"] if one["status"] == "pending"][0]

    def decide(self, approval, decision, by, **more):
        body = {"decision": decision, "decided_by": by, "arguments_sha256": approval["arguments_sha256"], **more}
        answer = self.server.post(f"/api/v1/approvals/{approval['id']}/decision", body)
        assert answer.status == 200, answer.text
        return answer.json

    def calls(self, state) -> list:
        return [step["name"] for step in state["steps"] if step["kind"] != "model"]

    def events(self, run, kind=None) -> list:
        events = self.server.get(f"/api/v1/runs/{run}/events?limit=1000").json["events"]
        return [event for event in events if kind in (None, event["type"])]

    def told(self, state) -> str:
        failed = [s for s in state.get("steps", []) if s.get("error") or s.get("is_error")]
        return json.dumps({"status": state["status"], "output": state.get("output"), "error": state.get("error"),
                           "failed": failed}, indent=2)[:4000]

    # ---- what is left behind

    def rows(self, database, query) -> list:
        with sqlite3.connect(self.folder / database) as db:
            return [tuple(row) for row in db.execute(query)]

    def cli(self, *arguments, code=0) -> str:
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=60, cwd=self.folder,
                              env={"HOLDFAST_API": f"http://{self.server.http}", "PATH": "/usr/bin:/bin", "USER": "ann"})
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout
