import os
import pathlib
import sqlite3
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from holdfast import Server, scripted_model  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^slowly"}
    text: "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty."
    delay: 60ms
  - when: {last: "^at length"}
    text: "LONG"
    delay: 60ms
  - when: {last: "^again"}
    text: "Alpha beta gamma delta epsilon zeta eta theta."
    delay: 20ms
    faults: [{cut_after: 5, first: 1}]
  - when: {last: "^escape"}
    text: "Done.\\e]0;faked title\\a\\e[1A\\e[2K? pay nothing \\x9b2J\\x7f caf\u00e9\\r"
    delay: 5ms
  - when: {last: "^refuse"}
    faults: [{status: 400, code: invalid_prompt, message: "not like that"}]
  - when: {last: "^pay", turn: 0}
    text: "I pay."
    tool_calls: [{name: pay, arguments: {amount: 250}}]
  - when: {last: "^invoices", turn: 0}
    text: "Three are due, and the last is a **duplicate**."
    tool_calls: [{name: pay, arguments: {amount: 250}}, {name: pay, arguments: {amount: 40}}, {name: pay, arguments: {amount: 7}}]
  - when: {turn: 1}
    text: "That is settled."
  - text: "Hello from the script."
"""

# Longer than any test takes: for those that end it.
SCRIPT = SCRIPT.replace("LONG", "One two" + " three" * 2000)

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}, description: Pays.}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, timeout: 30s, retry: {{initial: 50ms, attempts: 5}}}}
  prompt: You pay people.
  tools:
    - name: pay
      type: sql
      description: Pays an amount.
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO payments(amount) VALUES (:amount)"}}
  approvals:
    rules:
      - {{tool: pay, action: ask, reason: Payments need a person., expires_after: {expires}}}
"""


def pytest_addoption(parser):
    parser.addoption("--preset", default="release", help="whose build/<preset>/holdfast is tested")
    parser.addoption("--binary", help="path of the holdfast program, instead of --preset")


@pytest.fixture(scope="session")
def binary(pytestconfig) -> str:
    return str(pytestconfig.getoption("binary") or ROOT / "build" / pytestconfig.getoption("preset") / "holdfast")


@pytest.fixture(scope="session")
def model(binary, tmp_path_factory):
    """The scripted model's base URL; it outlives the servers that tests kill."""
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture(scope="session")
def agent_text(model, tmp_path_factory):
    """A definition by name; `payments` of the fixture below reads what it paid."""
    database = tmp_path_factory.mktemp("shop") / "shop.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE payments(amount REAL)")

    def make(name="payer", expires="1h"):
        return AGENT.format(name=name, model=model, database=database, expires=expires)

    make.database = database
    make.model = model
    # What the tests' definitions, which come over the API, may use.
    make.grants = ["--grant", "host:127.0.0.1", "--grant", f"database.write:{database}"]
    return make


@pytest.fixture
def payments(agent_text):
    def read():
        with sqlite3.connect(agent_text.database) as db:
            return [row[0] for row in db.execute("SELECT amount FROM payments")]

    with sqlite3.connect(agent_text.database) as db:
        db.execute("DELETE FROM payments")
    return read


@pytest.fixture(scope="module")
def server(binary, agent_text, tmp_path_factory):
    """One server for tests that leave it as it was."""
    one = Server(binary, tmp_path_factory.mktemp("data") / "data", *agent_text.grants).start()
    assert one.request("PUT", "/api/v1/agents/payer", agent_text()).status == 201
    yield one
    one.close()


@pytest.fixture
def own_server(binary, agent_text, tmp_path):
    """A server of the test's own, to be killed."""
    one = Server(binary, tmp_path / "data", *agent_text.grants).start()
    assert one.request("PUT", "/api/v1/agents/payer", agent_text()).status == 201
    yield one
    one.close()


@pytest.fixture
def cli(binary, tmp_path):
    """The command line, beside a server that is named with each call."""

    def call(server, *arguments):
        environment = {**os.environ, "HOLDFAST_API": server.ready["http"], "NO_COLOR": "1"}
        return subprocess.run([binary, *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=40)

    return call
