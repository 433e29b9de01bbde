"""A PostgreSQL of the tests' own: Debian's programs on a folder, reached over a socket in it, never as root."""

import os
import pathlib
import pwd
import signal
import shutil
import subprocess
import tempfile
import time

USER = "postgres"


class Postgres:
    def __init__(self):
        self.programs = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-pg-"))
        self.process = None
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "-k").wait()
        self.start()

    @property
    def data(self):
        return self.folder / "data"

    def address(self, schema: str) -> str:
        return f"postgres:///postgres?host={self.folder}&user={USER}&schema={schema}"

    def start(self):
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.process = self._run("postgres", "-D", self.data, "-k", self.folder, "-c", "listen_addresses=", "-c", "shared_buffers=32MB")
        while not self._ready():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.01)

    def crash(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def close(self):
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    def query(self, sql: str) -> str:
        done = subprocess.run(["psql", "-h", self.folder, "-U", USER, "-d", "postgres", "-Atc", sql],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def _ready(self) -> bool:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[-1].startswith("ready")
        except (FileNotFoundError, IndexError):
            return False

    def _run(self, program, *arguments):
        log = open(self.folder / "log", "ab")
        user = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.Popen([self.programs / program, *map(str, arguments)], stdout=log, stderr=log, cwd="/", **user)
