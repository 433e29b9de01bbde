"""judged_server.py BUILD DIRECTORY COMMAND...: runs COMMAND beside a server whose agents `payer` and `clerk` speak with scripted models.

COMMAND finds the server's address in HOLDFAST_URL. The agent and its script are those of tests/api_e2e.
"""

import os
import pathlib
import sqlite3
import subprocess
import sys

# Asks a person, with a form.
CLERK_SCRIPT = """
models: [clerk]
replies:
  - when: {turn: 0}
    tool_calls: [{name: ask, arguments: {question: "Refund order 7?"}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
"""
CLERK = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {name: clerk}
spec:
  model: {provider: openai, base_url: MODEL, name: clerk}
  prompt: You ask.
  tools:
    - name: ask
      type: human
      human:
        deadline: 1h
        form: {properties: {refund: {type: boolean}, why: {enum: [broken, lost]}}, required: [refund, why]}
"""

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "api_e2e"))
import conftest  # noqa: E402
from holdfast import Server, scripted_model  # noqa: E402


def main() -> int:
    build, directory = (pathlib.Path(one).resolve() for one in sys.argv[1:3])
    database = directory / "shop.db"
    with sqlite3.connect(database) as shop:
        shop.execute("CREATE TABLE payments(amount REAL)")
    (directory / "clerk").mkdir()
    with (scripted_model(build / "holdfast", directory, conftest.SCRIPT) as model,
          scripted_model(build / "holdfast", directory / "clerk", CLERK_SCRIPT) as clerk):
        server = Server(build / "holdfast", directory / "data", "--grant", "host:127.0.0.1", "--grant", f"database.write:{database}").start()
        try:
            text = conftest.AGENT.format(name="payer", model=model, database=database, expires="1h")
            assert server.request("PUT", "/api/v1/agents/payer", text).status == 201
            assert server.request("PUT", "/api/v1/agents/clerk", CLERK.replace("MODEL", clerk)).status == 201
            return subprocess.run(sys.argv[3:], env={**os.environ, "HOLDFAST_URL": f"http://{server.http}"}, check=False).returncode
        finally:
            server.close()


sys.exit(main())
