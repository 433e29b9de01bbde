"""The scripted model as a process of its own: `holdfast scripted-model`."""

import json
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption("--preset", default="release", help="whose build/<preset>/holdfast is started")
    parser.addoption("--binary", help="path of the holdfast program, instead of --preset")


@pytest.fixture
def scripted(request, tmp_path):
    """Starts a server with a script; gives its base URL, which ends in /v1."""
    binary = request.config.getoption("--binary") or ROOT / "build" / request.config.getoption("--preset") / "holdfast"
    processes = []

    def start(script: str) -> str:
        path = tmp_path / f"script-{len(processes)}.yaml"
        path.write_text(script)
        process = subprocess.Popen([str(binary), "scripted-model", str(path), "--port", "0", "--json"], stdout=subprocess.PIPE)
        processes.append(process)
        line = process.stdout.readline()
        assert line, "the scripted model did not start"
        return json.loads(line)["base_url"]

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=10)
