"""Tools that reach others, and whoever is to be told of a run: the program from outside, with receivers of other makers."""

import asyncio
import email
import email.policy
import http.server
import json
import socket
import subprocess
import threading

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from holdfast import Server, scripted_model
from postgres import Postgres
from standardwebhooks import Webhook
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted, retry: {{initial: 50ms, attempts: 1}}}}
  prompt: You use your tool.
  tools:
    - name: use
      retry: {{initial: 50ms, attempts: 3}}
{tool}
"""

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    tool_calls: [{name: use, arguments: {subject: "Order 7", text: "Refunded <b>", id: 7}}]
  - text: "{{last}}"
"""


@pytest.fixture(scope="module")
def using(binary, tmp_path_factory):
    """A model that calls `use` and answers with what that said."""
    with scripted_model(binary, tmp_path_factory.mktemp("using"), SCRIPT) as url:
        yield url


class Hook:
    """A receiver that keeps what it is sent and fails the first time."""

    def __init__(self):
        self.seen = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.seen.append((self.path, dict(self.headers), body))
                answer = b'{"ok": true}'
                self.send_response(503 if len(hook.seen) == 1 and self.path == "/flaky" else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hook():
    one = Hook()
    yield one
    one.server.shutdown()


@pytest.fixture
def start(binary, using, tmp_path):
    """Starts the server with grants, puts an agent with the tool."""
    servers = []

    def go(name, tool, *grants, **environment):
        options = [word for grant in ("host:" + using.split("/")[2], *grants) for word in ("--grant", grant)]
        server = Server(binary, tmp_path / "data", *options, environment=environment).start()
        servers.append(server)
        text = AGENT.format(name=name, model=using, tool=tool)
        put = server.post("/api/v1/agents", text.encode(), {"Content-Type": "application/yaml"})
        assert put.status == 201, put.text
        return server

    yield go
    for server in servers:
        server.close()


def output(server, agent, **more):
    run = server.wait(server.start_run(agent, "go", **more))
    assert run["status"] == "completed", json.dumps(run, indent=2)
    return run["output"]


def test_a_webhook_is_genuine_to_the_receivers_library(start, hook):
    tool = f"""
      type: webhook
      parameters: {{properties: {{subject: {{}}, text: {{}}, id: {{type: integer}}}}}}
      webhook: {{url: "http://{hook.place}/flaky", secret_env: HOOK_SECRET, event: order.refunded, data: {{order: "{{id}}"}}}}
"""
    server = start("hook", tool, f"env:HOOK_SECRET@{hook.place}", HOOK_SECRET=SECRET)
    assert "delivered" in output(server, "hook")
    assert len(hook.seen) == 2  # the first answer was 503
    for _, headers, body in hook.seen:
        event = Webhook(SECRET).verify(body, headers)
        assert event["type"] == "order.refunded" and event["data"] == {"order": 7}
    assert hook.seen[0][1]["webhook-id"] == hook.seen[1][1]["webhook-id"]


def test_slack_is_sent_text(start, hook):
    tool = f"""
      type: slack
      parameters: {{properties: {{subject: {{}}, text: {{}}, id: {{}}}}}}
      slack: {{token_env: SLACK_TOKEN, channel: C1, base_url: "http://{hook.place}"}}
"""
    server = start("slack", tool, f"env:SLACK_TOKEN@{hook.place}", SLACK_TOKEN="xoxb-very-secret")
    assert '"sent":true' in output(server, "slack")
    path, headers, body = hook.seen[0]
    assert path == "/api/chat.postMessage" and headers["Authorization"] == "Bearer xoxb-very-secret"
    assert json.loads(body) == {"channel": "C1", "text": "Refunded &lt;b&gt;"}


class Mailbox:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 kept"


@pytest.fixture
def mailbox():
    box = Mailbox()

    def let_in(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=data.login == b"ops" and data.password == b"mail-very-secret")

    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port, authenticator=let_in, auth_required=True, auth_require_tls=False)
    controller.start()
    yield box
    controller.stop()


def email_section(mailbox, more=""):
    return (f'email: {{server: "127.0.0.1:{mailbox.port}", tls: none, username: ops, password_env: MAIL_PASSWORD, '
            f'from: "Refunds <refunds@example.com>", to: [ada@example.com]{more}}}')


def test_a_mail_arrives_as_it_was_meant(start, mailbox):
    tool = f"""
      type: email
      parameters: {{properties: {{subject: {{type: string}}, text: {{type: string}}, id: {{}}}}}}
      {email_section(mailbox, ', subject: "Überweisung: {subject}"')}
"""
    server = start("mail", tool, f"env:MAIL_PASSWORD@127.0.0.1:{mailbox.port}", MAIL_PASSWORD="mail-very-secret")
    assert '"sent":true' in output(server, "mail")
    [(recipients, mail)] = mailbox.mails
    assert recipients == ["ada@example.com"]
    assert mail["Subject"] == "Überweisung: Order 7" and mail["From"] == "Refunds <refunds@example.com>"
    assert mail["Message-ID"].endswith("@example.com>") and mail.get_content().strip() == "Refunded <b>"


def test_a_wrong_password_sends_nothing_and_is_told_nowhere(start, mailbox):
    tool = f"""
      type: email
      parameters: {{properties: {{subject: {{type: string}}, text: {{type: string}}, id: {{}}}}}}
      {email_section(mailbox)}
"""
    server = start("wrong", tool, f"env:MAIL_PASSWORD@127.0.0.1:{mailbox.port}", MAIL_PASSWORD="wrong-very-secret")
    said = output(server, "wrong")
    assert "the mail was not sent" in said and "very-secret" not in said
    assert mailbox.mails == []


def test_whoever_starts_a_run_says_who_is_told_of_it(start, hook, mailbox):
    tool = """
      type: agent
      agent: nobody
"""
    server = start("told", tool, f"env:MAIL_PASSWORD@127.0.0.1:{mailbox.port}", MAIL_PASSWORD="mail-very-secret")
    section = {"server": f"127.0.0.1:{mailbox.port}", "tls": "none", "username": "ops", "password_env": "MAIL_PASSWORD",
               "from": "ops@example.com", "to": ["ada@example.com"]}
    body = {"agent": "told", "input": "go", "notify": [{"on": ["completed", "failed"], "type": "email", "email": section}]}
    run = server.post("/api/v1/runs", body)
    assert run.status == 202, run.text
    server.wait(run.json["id"])
    for _ in range(1000):
        if mailbox.mails:
            break
        threading.Event().wait(0.02)
    [(_, mail)] = mailbox.mails
    assert mail["Subject"] == f"told ({run.json['id']}) is done"

    refused = server.post("/api/v1/runs", {**body, "notify": [{"on": ["completed"], "type": "email", "email": {**section, "server": "mail.example.com"}}]})
    assert refused.status == 403 and "host:mail.example.com:587" in refused.json["grants"], refused.text
    wrong = server.post("/api/v1/runs", {**body, "notify": [{"on": ["completed"], "type": "email", "email": {}}]})
    assert wrong.status == 400 and wrong.json["code"] == "invalid_settings", wrong.text


def test_a_run_binds_what_its_starter_says(start, hook, binary):
    tool = f"""
      type: http
      effect: idempotent
      parameters:
        properties: {{subject: {{}}, text: {{}}, id: {{}}, customer: {{type: integer}}, tenant: {{type: string}}}}
        required: [customer, tenant]
      bind: {{customer: {{run: customer_id}}, tenant: {{value: acme}}}}
      http: {{method: POST, url: "http://{hook.place}/bound", body: {{customer: "{{customer}}", tenant: "{{tenant}}"}}}}
"""
    server = start("bound", tool, f"host:{hook.place}")
    missing = server.post("/api/v1/runs", {"agent": "bound", "input": "go"})
    assert missing.status == 400 and missing.json["code"] == "missing_context", missing.text
    assert "customer_id" in missing.json["detail"]
    wrong = server.post("/api/v1/runs", {"agent": "bound", "input": "go", "context": {"customer_id": "x"}})
    assert wrong.status == 400 and wrong.json["code"] == "invalid_settings", wrong.text
    run = server.start_run("bound", "go", context={"customer_id": 42})
    assert server.wait(run)["context"] == {"customer_id": 42}
    subprocess.run([binary, "run", "bound", "go", "--context", "customer_id=43", "--api", server.http], check=True, capture_output=True)
    assert [json.loads(body) for _, _, body in hook.seen] == [{"customer": 42, "tenant": "acme"}, {"customer": 43, "tenant": "acme"}]


@activity.defn(name="refund")
async def refund(arguments: dict) -> dict:
    return {"refunded": arguments["id"], "key": activity.info().activity_id}


def test_a_worker_of_the_stock_sdk_is_a_tool(start):
    tool = """
      type: activity
      effect: idempotent
      parameters: {properties: {subject: {}, text: {}, id: {type: integer}}}
      activity: {name: refund, task_queue: team-refunds}
"""
    server = start("team", tool, "activity:*@team-refunds")

    async def go():
        client = await Client.connect(server.ready["grpc"])
        async with Worker(client, task_queue="team-refunds", activities=[refund]):
            return await asyncio.to_thread(output, server, "team")

    said = json.loads(asyncio.run(go()))
    assert said["refunded"] == 7 and len(said["key"]) == 64


def test_an_activity_is_granted_like_everything_else(binary, using, tmp_path):
    server = Server(binary, tmp_path / "data", "--grant", "host:" + using.split("/")[2]).start()
    try:
        tool = "      type: activity\n      effect: pure\n      activity: {name: refund, task_queue: q}\n"
        put = server.post("/api/v1/agents", AGENT.format(name="a", model=using, tool=tool).encode(), {"Content-Type": "application/yaml"})
        assert put.status == 403 and put.json["grants"] == ["activity:refund@q"], put.text
    finally:
        server.close()


def test_a_tool_writes_to_postgresql_once(start):
    database = Postgres()
    try:
        address = f"postgres:///postgres?host={database.folder}&user=postgres"
        database.query("CREATE TABLE refunds (order_id bigint, note text)")
        tool = f"""
      type: sql
      parameters: {{properties: {{subject: {{}}, text: {{type: string}}, id: {{type: integer}}}}}}
      sql: {{database: "{address}", read_only: false, statement: "INSERT INTO refunds VALUES (:id, :text) RETURNING order_id::text"}}
"""
        server = start("pg", tool, f"database.write:{address}")
        assert json.loads(output(server, "pg")) == {"rows": [{"order_id": "7"}], "changes": 1}
        assert database.query("SELECT r.*, e.tool FROM refunds r, holdfast_effects e") == "7|Refunded <b>|use"
    finally:
        database.close()
