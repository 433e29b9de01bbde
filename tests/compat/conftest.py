"""The stock Temporal SDK for Python as an outside judge: client and worker over gRPC, nothing of ours in between.

Without options the tests start `build/<preset>/holdfast server` on a fresh data directory. With --address they use a
server that runs already: a real Temporal (tools/temporal.sh), which is how the tests themselves are proven.
"""

import asyncio
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import uuid

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import workflows

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--address", help="HOST:PORT of a server that runs already")
    parser.addoption("--preset", default="release", help="whose build/<preset>/holdfast is started")
    parser.addoption("--binary", help="path of the holdfast program, instead of --preset")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server under test. `own` says whether we started it, and so may kill it."""

    def __init__(self, address: str, own: bool, command: list[str], log: pathlib.Path | None):
        self.address = address
        self.own = own
        self.command = command
        self.log = log
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        host, port = self.address.rsplit(":", 1)
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not serve {self.address}:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: nothing that the server did not write before survives."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError("the server did not end within 20 s of SIGTERM")


def holdfast(pytestconfig, directory: pathlib.Path) -> Server:
    binary = pytestconfig.getoption("binary") or ROOT / "build" / pytestconfig.getoption("preset") / "holdfast"
    if not os.access(binary, os.X_OK):
        pytest.fail(f"{binary} is not built; or give --address of a server", pytrace=False)
    address = f"127.0.0.1:{free_port()}"
    command = [str(binary), "server", "--data", str(directory / "data"), "--grpc", address]
    command += ["--http", f"127.0.0.1:{free_port()}"]
    return Server(address, True, command, directory / "server.log")


@pytest.fixture(scope="session")
def server(pytestconfig, tmp_path_factory):
    address = pytestconfig.getoption("address")
    if address:
        yield Server(address, False, [], None)
        return
    server = holdfast(pytestconfig, tmp_path_factory.mktemp("holdfast"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def doomed_server(pytestconfig, tmp_path):
    """A server of the test's own, which it may kill."""
    if pytestconfig.getoption("address"):
        pytest.skip("kills its server; with --address the server is not ours to kill")
    server = holdfast(pytestconfig, tmp_path)
    server.start()
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
async def client(server) -> Client:
    return await connect(server.address)


async def connect(address: str) -> Client:
    return await Client.connect(address, namespace="default")


@pytest.fixture
def queue() -> str:
    return f"tq-{uuid.uuid4()}"


@pytest.fixture
def new_id():
    return lambda: f"wf-{uuid.uuid4()}"


def new_worker(client: Client, queue: str, **options) -> Worker:
    options.setdefault("workflow_runner", UnsandboxedWorkflowRunner())
    options.setdefault("workflows", workflows.WORKFLOWS)
    options.setdefault("activities", workflows.ACTIVITIES)
    return Worker(client, task_queue=queue, **options)


@pytest.fixture
async def worker(client, queue):
    async with new_worker(client, queue) as worker:
        yield worker


async def eventually(check, timeout: float = 20):
    """Repeats `check` until it returns something true, and returns that. Its assertion errors mean "not yet"."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            result = await check()
            if result or time.monotonic() > deadline:
                assert result, "did not become true in time"
                return result
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.02)


async def events(handle) -> list[str]:
    """The types of the run's events, in order: "WORKFLOW_EXECUTION_STARTED", ..."""
    from temporalio.api.enums.v1 import EventType

    history = await handle.fetch_history()
    assert [e.event_id for e in history.events] == list(range(1, len(history.events) + 1))
    return [EventType.Name(e.event_type).removeprefix("EVENT_TYPE_") for e in history.events]
