"""Two servers for every scenario: ours, and a real Temporal.

The real one is tools/temporal.sh's, started once; where it cannot be had (no Go toolchain) everything is skipped,
and says so.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--binary", help="path of the holdfast program")
    parser.addoption("--ours", help="HOST:PORT of a server that runs already")
    parser.addoption("--theirs", help="HOST:PORT of a real Temporal that runs already")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="session")
def ours(pytestconfig, tmp_path_factory) -> str:
    """The address of a Holdfast."""
    if running := pytestconfig.getoption("ours"):
        yield running
        return
    directory = tmp_path_factory.mktemp("holdfast")
    binary = pytestconfig.getoption("binary") or ROOT / "build/release/holdfast"
    if not os.access(binary, os.X_OK):
        pytest.fail(f"{binary} is not built", pytrace=False)
    address = f"127.0.0.1:{free_port()}"
    command = [str(binary), "server", "--data", str(directory / "data"), "--grpc", address]
    command += ["--http", f"127.0.0.1:{free_port()}"]
    log = directory / "server.log"
    with open(log, "ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    wait_for_port(address, process, log)
    yield address
    process.terminate()
    process.wait(20)


def wait_for_port(address: str, process: subprocess.Popen, log: pathlib.Path) -> None:
    host, port = address.rsplit(":", 1)
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server does not serve {address}:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)


@pytest.fixture(scope="session")
def temporal_cli() -> pathlib.Path:
    """The real `temporal` program, which is its command line and its development server."""
    built = subprocess.run([ROOT / "tools/temporal.sh", "build"], capture_output=True, text=True)
    if built.returncode == 77:
        pytest.skip(built.stdout.strip())
    assert built.returncode == 0, built.stderr
    return pathlib.Path(built.stdout.strip())


@pytest.fixture(scope="session")
def theirs(pytestconfig, temporal_cli, tmp_path_factory) -> str:
    """The address of a real Temporal."""
    if running := pytestconfig.getoption("theirs"):
        yield running
        return
    directory = tmp_path_factory.mktemp("temporal")
    script = ROOT / "tools/temporal.sh"
    # Not captured through pipes: the server would keep them open.
    with open(directory / "address", "w") as out:
        subprocess.run([script, "start", "--dir", directory, "--tuned"], stdout=out, check=True)
    yield (directory / "address").read_text().strip()
    subprocess.run([script, "stop", "--dir", directory], check=True)
