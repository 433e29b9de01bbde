"""No egress: the program is installed and an example is played in a network namespace that has loopback and nothing else."""

import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent

# In a namespace of its own even loopback is down at first. 0x8914: SIOCSIFFLAGS, IFF_UP | IFF_LOOPBACK | IFF_RUNNING.
ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x8 | 0x40))
try:
    socket.create_connection(("192.0.2.1", 80), 1)
    sys.exit("there is a way out")
except OSError:
    pass
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def alone(*command):
    return subprocess.run(["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", ALONE, *map(str, command)],
                          capture_output=True, text=True, timeout=80)


def test_an_installed_program_plays_an_example_with_loopback_only(pytestconfig, tmp_path):
    if pytestconfig.getoption("--example"):
        pytest.skip("some are played")
    if not shutil.which("unshare") or alone("-c", "").returncode != 0:
        pytest.skip("this machine makes no network namespace for its users")
    build = pathlib.Path(pytestconfig.getoption("--binary")).parent
    if not (build / "cmake_install.cmake").exists():
        pytest.skip("the program under test is in no build directory")
    subprocess.run(["cmake", "--install", str(build), "--component", "program", "--prefix", str(tmp_path)], check=True,
                   capture_output=True)
    done = alone(HERE / "run.py", "--binary", tmp_path / "bin" / "holdfast", "approval-gate", "credit-outlook")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("2 passed, 0 failed\n")
