#!/usr/bin/env python3
"""schemathesis against a real server: what the OpenAPI document says is what is served, whatever somebody sends.

    judge.py --binary build/release/holdfast --schemathesis PATH --directory DIR [--examples N] [further options of schemathesis]

The server has one of everything that has an address, so that answers of 200 are judged, too. It asks for credentials, and the
judge has the operator's: no user that it makes by accident shuts it out.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/api_e2e"))
from holdfast import Server, scripted_model  # noqa: E402

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^pay", turn: 0}
    text: "I pay."
    tool_calls: [{name: pay, arguments: {amount: 250}}]
  - text: "Hello."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: payer}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You pay people.
  budgets: {{tokens: 100000}}
  tools:
    - name: pay
      type: sql
      description: Pays an amount.
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO payments(amount) VALUES (:amount)"}}
  approvals:
    rules: [{{tool: pay, action: ask, expires_after: 1h}}]
"""

# What a stream sends is no answer that ends; /metrics and the pages are no part of the document.
NOT_JUDGED = ["/api/v1/events"]
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance", "unsupported_method", "missing_required_header", "negative_data_rejection"]


# What is there to be asked for: the address, and its parameters. Only GET: nothing of it goes.
KNOWN = [
    ("/api/v1/runs/{id}", {"id": "done"}), ("/api/v1/runs/{id}/events", {"id": "done"}), ("/api/v1/runs/{id}/trace", {"id": "done"}),
    ("/api/v1/runs/{id}/steps", {"id": "done"}), ("/api/v1/conversations/{id}", {"id": "talk"}), ("/api/v1/conversations/{id}/messages", {"id": "talk"}),
    ("/api/v1/agents/{name}", {"name": "payer"}), ("/api/v1/agents/{name}/versions", {"name": "payer"}), ("/api/v1/agents/{name}/labels", {"name": "payer"}),
    ("/api/v1/agents/{name}/labels/{label}", {"name": "payer", "label": "production"}), ("/api/v1/agents/{name}/versions/{version}", {"name": "payer", "version": "production"}),
    ("/api/v1/schedules/{name}", {"name": "nightly"}),
]


def config() -> str:
    lines = []
    for path, parameters in KNOWN:
        given = ", ".join(f'"path.{name}" = "{value}"' for name, value in parameters.items())
        lines += ["[[operations]]", f'include-path = "{path}"', 'include-method = "GET"', f"parameters = {{ {given} }}", ""]
    return "\n".join(lines)


def seed(server, key, model, database):
    """One of everything."""

    def ask(method, path, body=None, **headers):
        answer = server.request(method, path, body, {"Authorization": f"Bearer {key}", **headers})
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json

    ask("PUT", "/api/v1/agents/payer", AGENT.format(model=model, database=database))
    ask("PUT", "/api/v1/agents/payer/labels/production", {"version": ask("GET", "/api/v1/agents/payer")["version"]}, **{"If-None-Match": "*"})
    ask("POST", "/api/v1/runs", {"agent": "payer", "input": "hello", "id": "done", "conversation": "talk"})
    ask("POST", "/api/v1/runs", {"agent": "payer", "input": "pay, please", "id": "asked"})
    ask("POST", "/api/v1/schedules", {"name": "nightly", "agent": "payer", "input": "hello", "cron": "0 3 * * *"})
    ask("POST", "/api/v1/users", {"name": "ada", "password": "correct horse battery", "roles": {"default": ["reader"]}})
    ask("POST", "/api/v1/keys", {"principal": "ci", "roles": {"default": ["reader"]}})
    server.wait_until(lambda: ask("GET", "/api/v1/runs/done")["closed_at"] and ask("GET", "/api/v1/runs/asked")["waiting_on"] == "approval")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--schemathesis", required=True)
    parser.add_argument("--directory", required=True, type=pathlib.Path)
    parser.add_argument("--examples", default="20")
    options, more = parser.parse_known_args()
    database = options.directory / "shop.db"
    with scripted_model(options.binary, options.directory, SCRIPT) as model, (options.directory / "log").open("wb") as log:
        server = Server(options.binary, options.directory / "data", "--auth", "required", "--grant", "host:127.0.0.1",
                        "--grant", f"database.write:{database}", log=log).start()
        try:
            key = (server.data / "local-key").read_text().strip()
            seed(server, key, model, database)
            (options.directory / "schemathesis.toml").write_text(config())
            command = [options.schemathesis, "run", f"{server.ready['http']}/api/v1/openapi.json", "--header", f"Authorization: Bearer {key}",
                       "--checks", ",".join(CHECKS), "--max-examples", options.examples, "--phases", "examples,coverage,fuzzing",
                       "--request-timeout", "30", "--suppress-health-check", "all", "--generation-database", "none",
                       *(part for path in NOT_JUDGED for part in ("--exclude-path", path)), *more]
            code = subprocess.run(command, cwd=options.directory, timeout=3600).returncode
            alive = server.process.poll() is None and server.get("/healthz").status == 200
            print(json.dumps({"schemathesis": code, "server_lives": alive}))
            return 0 if code == 0 and alive else 1
        finally:
            server.close()


if __name__ == "__main__":
    sys.exit(main())
