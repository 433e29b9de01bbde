"""Real model servers, and Holdfast before them: llama.cpp with a model that the test writes, and a LiteLLM proxy.

They come from PyPI (tools/judge_models.sh installs them), listen on loopback, and end with the session.
"""

import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
import tiny_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "api_e2e"))
from holdfast import Server  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--binary", required=True, help="path of the holdfast program")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def started(command: list[str], log: pathlib.Path, url: str, environment: dict | None = None):
    """The process, once `url` answers."""
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **(environment or {})})
    deadline = time.monotonic() + 180
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return process
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
            time.sleep(0.2)


def ended(process) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    """The base URL of a llama.cpp server."""
    folder = tmp_path_factory.mktemp("llama")
    tiny_model.write(folder / "tiny.gguf")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([sys.executable, pathlib.Path(__file__).parent / "llama_server.py", folder / "tiny.gguf"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    address = process.stdout.readline().strip()
    assert address, (folder / "log").read_text(errors="replace")[-3000:]
    yield f"{address}/v1"
    ended(process)


LITELLM = """
model_list:
  - model_name: tiny
    litellm_params: {{model: openai/tiny, api_base: "{llama}", api_key: none}}
  - model_name: answers
    litellm_params: {{model: openai/answers, api_key: none, mock_response: "An answer of the proxy's own: 42 €."}}
  - model_name: busy
    litellm_params: {{model: openai/busy, api_key: none, mock_response: "litellm.RateLimitError"}}
  - model_name: too-long
    litellm_params: {{model: openai/too-long, api_key: none, mock_response: "litellm.ContextWindowExceededError"}}
litellm_settings: {{num_retries: 0, drop_params: true}}
router_settings: {{num_retries: 0, disable_cooldowns: true}}
"""


@pytest.fixture(scope="session")
def litellm(llama, tmp_path_factory):
    """The address, without a path, of a LiteLLM proxy before the llama.cpp server."""
    folder = tmp_path_factory.mktemp("litellm")
    (folder / "config.yaml").write_text(LITELLM.format(llama=llama))
    port = free_port()
    process = started(
        [str(pathlib.Path(sys.executable).parent / "litellm"), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)],
        folder / "log", f"http://127.0.0.1:{port}/health/liveliness", {"LITELLM_TELEMETRY": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True"})
    yield f"http://127.0.0.1:{port}"
    ended(process)


@pytest.fixture(scope="session")
def holdfast(pytestconfig, tmp_path_factory):
    """`ask(text, **model)` runs an agent of that model to its end and gives the run's record."""
    server = Server(pytestconfig.getoption("--binary"), tmp_path_factory.mktemp("holdfast") / "data", "--grant", "host:127.0.0.1").start()
    asked = []

    def ask(text: str, tools: str = "[]", schema: str = "", **model):
        asked.append(text)
        name = f"agent-{len(asked)}"
        keys = "".join(f"\n    {key}: {value}" for key, value in model.items())
        definition = (f"apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {{name: {name}}}\nspec:\n  model:{keys}\n"
                      f"  prompt: You answer.\n  tools: {tools}\n{schema}")
        answer = server.request("PUT", f"/api/v1/agents/{name}", definition)
        assert answer.status == 201, answer.text
        return server.wait(server.start_run(name, text), seconds=30)

    ask.server = server
    yield ask
    server.close()
