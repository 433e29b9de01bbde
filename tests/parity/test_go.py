"""Goal: Temporal's Go SDK works with us and has nothing to complain about. Method: go/main.go, a worker and a client of
it, on both servers; what it warns of goes to standard error, and there is nothing. Skipped, and it says so, without Go.
"""

import pathlib
import shutil
import subprocess
import uuid

import pytest

SOURCE = pathlib.Path(__file__).parent / "go"


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> pathlib.Path:
    if shutil.which("go") is None:
        pytest.skip("no Go toolchain to build a worker of Temporal's Go SDK with")
    program = tmp_path_factory.mktemp("go") / "worker"
    built = subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, capture_output=True, text=True)
    if "dial tcp" in built.stderr or "module lookup disabled" in built.stderr or "timeout" in built.stderr:
        pytest.skip(f"Temporal's Go SDK cannot be had: {built.stderr.strip().splitlines()[-1]}")
    assert built.returncode == 0, built.stderr
    return program


@pytest.mark.timeout(600)
@pytest.mark.parametrize("server", ["ours", "theirs"])
def test_go(request, program, server):
    address = request.getfixturevalue(server)
    ran = subprocess.run([program, address, f"go-{uuid.uuid4()}"], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0 and ran.stdout.endswith("done\n"), ran.stdout + ran.stderr
    assert "status Completed result Hello, Ada" in ran.stdout
    assert ran.stderr == ""
