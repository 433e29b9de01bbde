"""Decisions from where people were asked: Slack's buttons, replies to mails; and the answer goes back there."""

import email.policy
import hashlib
import hmac
import http.server
import json
import re
import socket
import threading
import time
import urllib.parse

import pytest
from aiosmtpd.controller import Controller
from holdfast import Server, scripted_model
from test_identity import bearer, make_key
from test_people import SCRIPT, code

SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: care}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You care.
  tools:
    - {{name: ask, type: human}}
    - name: pay
      type: sql
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO payments(amount) VALUES (:amount)"}}
  approvals:
    rules: [{{tool: pay, action: ask, reason: Payments need a person.}}]
  notify:
    - on: [approval, decided]
      for: ann@example.com
{channel}
"""


class Slack:
    """chat.postMessage, which gives each message a time of its own."""

    def __init__(self):
        self.posted = []
        slack = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                assert self.path == "/api/chat.postMessage" and self.headers["Authorization"] == "Bearer xoxb-1"
                slack.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                body = json.dumps({"ok": True, "ts": f"1700000000.{len(slack.posted):06}"}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Mailbox:
    def __init__(self):
        self.mails = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"


@pytest.fixture(scope="module")
def caring(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture
def start(binary, agent_text, caring, tmp_path):
    servers = []

    def begin(channel, *grants, **environment):
        options = [word for grant in grants for word in ("--grant", grant)]
        one = Server(binary, tmp_path / "data", *agent_text.grants, *options, environment={"HOLDFAST_SLACK_SIGNING_SECRET": SIGNING, **environment}).start()
        servers.append(one)
        put = one.request("PUT", "/api/v1/agents/care", AGENT.format(model=caring, database=agent_text.database, channel=channel))
        assert put.status == 201, put.text
        return one

    yield begin
    for one in servers:
        one.close()


def press(server, action, value, at=None, secret=SIGNING, signature=None, user="U123"):
    payload = {"type": "block_actions", "user": {"id": user}, "actions": [{"action_id": action, "value": value}]}
    body = urllib.parse.urlencode({"payload": json.dumps(payload)})
    at = str(int(time.time()) if at is None else at)
    signature = signature or "v0=" + hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature}
    return server.request("POST", "/api/v1/slack/actions", body, headers), (body, headers)


def test_a_button_in_slack_decides_and_the_thread_is_told(start, payments):
    slack = Slack()
    server = start(f"""      type: slack
      slack: {{token_env: SLACK_TOKEN, channel: C1, buttons: true, base_url: "http://{slack.place}"}}""", f"env:SLACK_TOKEN@{slack.place}", SLACK_TOKEN="xoxb-1")
    run = server.start_run("care", "pay it")
    server.wait_until(lambda: len(slack.posted) == 1)
    asked = slack.posted[0]
    assert asked["channel"] == "C1" and "/decide/" in asked["text"] and "thread_ts" not in asked
    buttons = {one["action_id"]: one for one in asked["blocks"][1]["elements"]}
    token = buttons["holdfast_approve"]["value"]
    assert buttons["holdfast_reject"]["value"] == token and buttons["holdfast_open"]["url"].endswith(token)
    for wrong in ({"secret": "another"}, {"at": int(time.time()) - 301}, {"at": int(time.time()) + 400}, {"signature": "v0=" + "0" * 64}):
        assert code(press(server, "holdfast_approve", token, **wrong)[0]) == (401, "unauthenticated"), wrong
    assert payments() == []
    assert press(server, "holdfast_open", token)[0].json == {}
    assert "no link" in press(server, "holdfast_approve", token[:-1] + ("A" if token[-1] != "A" else "B"))[0].json["text"]
    done, sent = press(server, "holdfast_approve", token)
    assert done.status == 200 and "approved by link:ann@example.com/slack:U123" in done.json["text"], done.text
    server.wait(run)
    assert payments() == [250]
    again = server.request("POST", "/api/v1/slack/actions", *sent)
    assert again.status == 409, "the same request, played again"
    assert "it was approved by" in press(server, "holdfast_reject", token, user="U9")[0].json["text"]
    server.wait_until(lambda: len(slack.posted) == 2)
    assert slack.posted[1]["thread_ts"] == "1700000000.000001" and "approved by link:ann@example.com/slack:U123" in slack.posted[1]["text"]
    # Decided elsewhere: the thread is told all the same.
    run = server.start_run("care", "refund it")
    question = server.wait_for_approval(run)
    server.wait_until(lambda: len(slack.posted) == 3)
    assert [one["action_id"] for one in slack.posted[2]["blocks"][1]["elements"]] == ["holdfast_open"]
    body = {"decision": "answer", "answer": {"answer": "yes"}, "arguments_sha256": question["arguments_sha256"], "decided_by": "mara"}
    assert server.post(f"/api/v1/approvals/{question['id']}/decision", body).status == 200
    server.wait_until(lambda: len(slack.posted) == 4)
    assert slack.posted[3]["thread_ts"] == "1700000000.000003" and "answered by mara" in slack.posted[3]["text"]


def test_a_reply_to_a_mail_decides_and_is_answered(start, payments):
    mailbox = Mailbox()
    server = start(f"""      type: email
      email: {{server: "127.0.0.1:{mailbox.port}", tls: none, from: ops@example.com, to: [ann@example.com]}}""")
    run = server.start_run("care", "pay it")
    server.wait_until(lambda: len(mailbox.mails) == 1)
    asked = mailbox.mails[0]
    link = re.search(r"http://\S+/decide/\S+", asked.get_content())[0]
    quoted = "".join(f"> {line}\n" for line in asked.get_content().splitlines())

    def reply(text, sender="Ann <ann@example.com>", headers=None):
        return server.post("/api/v1/mail/replies", {"from": sender, "subject": "Re: " + asked["Subject"], "text": text}, headers)

    assert code(reply("approve\n\n" + quoted, "eve@example.com")) == (403, "not_asked")
    assert code(reply("perhaps\n\n" + quoted)) == (422, "invalid_decision")
    assert code(reply("approve")) == (404, "link_not_found")
    assert payments() == []
    raw = f"From: ann@example.com\r\nSubject: Re: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nApprove, fine.\r\n\r\n{quoted}"
    assert server.request("POST", "/api/v1/mail/replies", "Auto-Submitted: auto-replied\r\n" + raw, {"Content-Type": "message/rfc822"}).status == 422
    done = server.request("POST", "/api/v1/mail/replies", raw, {"Content-Type": "message/rfc822"})
    assert done.status == 200 and done.json["decided_by"] == "link:ann@example.com/mail" and done.json["comment"] == "fine.", done.text
    server.wait(run)
    assert payments() == [250]
    assert code(reply("reject\n\n" + quoted)) == (410, "approval_already_decided")
    assert server.get(urllib.parse.urlsplit(link).path).status == 410
    server.wait_until(lambda: len(mailbox.mails) == 2)
    told = mailbox.mails[1]
    assert told["In-Reply-To"] == asked["Message-ID"] and "approved by link:ann@example.com/mail" in told["Subject"]
    run = server.start_run("care", "refund it")
    server.wait_until(lambda: len(mailbox.mails) == 3)
    asked = mailbox.mails[2]
    quoted = "".join(f"> {line}\n" for line in asked.get_content().splitlines())
    done = reply("answer Give it back.\n" + quoted)
    assert done.status == 200 and done.json["answer"] == {"answer": "Give it back."}, done.text
    assert "Give it back." in server.wait(run)["output"]


def test_mail_comes_from_who_may_decide(binary, tmp_path):
    server = Server(binary, tmp_path / "data", "--auth", "required").start()
    try:
        assert code(server.post("/api/v1/mail/replies", {"from": "a@b", "text": "approve"})) == (401, "unauthenticated")
        reader = bearer(make_key(server, "reader", {"default": ["reader"]})["key"])
        assert server.post("/api/v1/mail/replies", {"from": "a@b", "text": "approve"}, reader).status == 403
        # No signing secret, no buttons.
        assert code(press(server, "holdfast_approve", "x")[0]) == (401, "unauthenticated")
    finally:
        server.close()
