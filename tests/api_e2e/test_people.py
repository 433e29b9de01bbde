"""People in the loop: questions with forms, and links by which somebody decides once, without an account and without any script."""

import concurrent.futures
import html
import json
import os
import re
import subprocess
import urllib.parse

import browser
import pytest
from holdfast import Server, scripted_model
from test_console import chromium, page  # noqa: F401 (fixtures)
from test_identity import bearer, local_key, make_key

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^refund", turn: 0}
    text: "The parcel came <script>alert(1)</script> broken."
    tool_calls: [{name: ask, arguments: {question: "Refund order 7? <b>now</b>"}}]
  - when: {last: "^silence", turn: 0}
    tool_calls: [{name: hasty, arguments: {question: "Anybody?"}}]
  - when: {last: "^pay", turn: 0}
    text: "I pay."
    tool_calls: [{name: pay, arguments: {amount: 250}}]
  - when: {turn: 1}
    text: "Then: {{last}}"
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: care}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You care.
  tools:
    - name: ask
      type: human
      human:
        deadline: 3d
        people: {people}
        roles: {roles}
        form:
          properties:
            refund: {{type: boolean, title: "Give the money back?"}}
            amount: {{type: integer, minimum: 1, maximum: 500}}
            why: {{enum: [broken, lost, late]}}
            note: {{type: string, maxLength: 80, description: For the books}}
          required: [refund, why]
    - name: hasty
      type: human
      human: {{deadline: 300ms, default: {{answer: nobody}}}}
    - name: pay
      type: sql
      parameters: {{properties: {{amount: {{type: number}}}}, required: [amount]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO payments(amount) VALUES (:amount)"}}
  approvals:
    rules: [{{tool: pay, action: ask, reason: Payments need a person.}}]
"""


@pytest.fixture(scope="module")
def asking(binary, agent_text, tmp_path_factory):
    """What the agent's definition is made of; the model outlives the servers that tests kill."""
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield lambda people="[]", roles="[]": AGENT.format(model=url, database=agent_text.database, people=people, roles=roles)


@pytest.fixture(scope="module")
def care(binary, agent_text, asking, tmp_path_factory):
    folder = tmp_path_factory.mktemp("care")
    one = Server(binary, folder / "data", *agent_text.grants, log=(folder / "log").open("wb")).start()
    put = one.request("PUT", "/api/v1/agents/care", asking())
    assert put.status == 201, put.text
    one.log_file = folder / "log"
    yield one
    one.close()


def asked(server, text="refund it") -> tuple[str, dict]:
    run = server.start_run("care", text)
    return run, server.wait_for_approval(run)


def answer(server, question, said, headers=None, **more):
    body = {"decision": "answer", "answer": said, "arguments_sha256": question["arguments_sha256"], **more}
    return server.post(f"/api/v1/approvals/{question['id']}/decision", body, headers)


def link(server, approval, name="bob", headers=None, **more):
    made = server.post(f"/api/v1/approvals/{approval['id']}/links", {"for": name, **more}, headers)
    assert made.status == 201, made.text
    return made.json


def path_of(made) -> str:
    return urllib.parse.urlsplit(made["url"]).path


def token_of(shown) -> str:
    return re.search(r'name="token" value="([0-9a-f]{64})"', shown.text)[1]


def send(server, made, **fields):
    return server.request("POST", path_of(made), urllib.parse.urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"})


def look_and_send(server, made, **fields):
    shown = server.get(path_of(made))
    assert shown.status == 200, shown.text
    return send(server, made, token=token_of(shown), **fields)


def code(reply) -> tuple:
    return reply.status, reply.json["code"]


# ---- questions


def test_a_question_stands_in_the_inbox_with_its_form(care):
    run, question = asked(care)
    assert question["kind"] == "question" and question["question"]["text"] == "Refund order 7? <b>now</b>"
    assert question["question"]["form"]["required"] == ["refund", "why"]
    assert list(question["question"]["form"]["properties"]) == ["refund", "amount", "why", "note"]  # as it was written
    page = care.get(path_of(link(care, question))).text
    assert sorted(("refund", "amount", "why", "note"), key=lambda name: page.index(f'name="f.{name}"')) == ["refund", "amount", "why", "note"]
    listed = care.get("/api/v1/approvals?status=pending").json["approvals"]
    assert question["id"] in [one["id"] for one in listed]
    for said, why in (({"why": "lost"}, "`refund`"), ({"refund": 1, "why": "lost"}, "`refund`"), ({"refund": True, "why": "bored"}, "`why`"),
                      ({"refund": True, "why": "lost", "more": 1}, "`more`")):
        wrong = answer(care, question, said)
        assert code(wrong) == (422, "invalid_answer") and why in wrong.json["detail"], wrong.text
    assert code(answer(care, question, "yes")) == (400, "invalid_field")
    assert care.post(f"/api/v1/approvals/{question['id']}/decision", {"decision": "approve", "arguments_sha256": question["arguments_sha256"]}).status == 409
    body = {"decision": "answer", "answer": {"refund": True, "why": "lost"}, "decided_by": "ada", "comment": "sorry"}
    taken = care.post(f"/api/v1/approvals/{question['id']}/decision", body)  # what is seen is the question: no arguments_sha256
    assert taken.status == 200 and taken.json["status"] == "answered", taken.text
    assert taken.json["answer"] == {"refund": True, "why": "lost"} and taken.json["decided_by"] == "ada"
    assert json.loads(care.wait(run)["output"].removeprefix("Then: ")) == {"answer": {"refund": True, "why": "lost"}, "answered_by": "ada", "comment": "sorry"}
    second = answer(care, question, {"refund": False, "why": "late"}, decided_by="eve")
    assert code(second) == (409, "approval_already_decided") and "already answered by ada at" in second.json["detail"]


def test_of_ten_who_answer_one_wins(care):
    run, question = asked(care)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: answer(care, question, {"refund": i % 2 == 0, "why": "lost"}, decided_by=f"p{i}"), range(10)))
    assert sorted(one.status for one in answers) == [200] + [409] * 9
    winner = next(one for one in answers if one.status == 200).json
    assert winner["decided_by"] in care.wait(run)["output"]


def test_a_question_survives_a_kill(binary, agent_text, asking, tmp_path):
    server = Server(binary, tmp_path / "data", *agent_text.grants).start()
    try:
        assert server.request("PUT", "/api/v1/agents/care", asking()).status == 201
        run, question = asked(server)
        made = link(server, question)
        server.kill()
        server.start()
        assert code(answer(server, question, {"refund": 1, "why": "lost"})) == (422, "invalid_answer")
        assert look_and_send(server, made, decision="answer", **{"f.refund": "false", "f.why": "0"}).status == 200
        server.kill()
        server.start()
        assert '"answered_by":"link:bob"' in server.wait(run)["output"]
        assert server.get(path_of(made)).status == 410
    finally:
        server.close()


def test_nobody_answered_and_the_default_counts(care):
    run = care.start_run("care", "silence, please")
    said = json.loads(care.wait(run)["output"].removeprefix("Then: "))
    assert said["answer"] == {"answer": "nobody"} and said["default"] is True


def test_only_who_is_asked_answers(binary, agent_text, asking, tmp_path):
    server = Server(binary, tmp_path / "data", "--auth", "required", *agent_text.grants).start()
    try:
        admin = bearer(local_key(server))
        assert server.request("PUT", "/api/v1/agents/care", asking("[ann]", "[admin]"), admin).status == 201
        keys = {name: bearer(make_key(server, name, {"default": ["approver"]})["key"]) for name in ("ann", "eve")}
        run = server.post("/api/v1/runs", {"agent": "care", "input": "refund it"}, admin).json["id"]
        question = server.wait_until(lambda: server.get(f"/api/v1/approvals?status=pending&run={run}", **admin).json["approvals"])[0]
        mine = {name: [row["id"] for row in server.get("/api/v1/approvals?status=pending&for=me", **key).json["approvals"]] for name, key in keys.items()}
        assert mine == {"ann": [question["id"]], "eve": []}
        said = {"refund": True, "why": "lost"}
        assert code(answer(server, question, said, keys["eve"], decided_by="ann")) == (403, "not_asked")
        assert code(server.post(f"/api/v1/approvals/{question['id']}/links", {"for": "eve"}, keys["eve"])) == (403, "not_asked")
        assert code(answer(server, question, said)) == (401, "unauthenticated")
        made = link(server, question, "bob", keys["ann"])
        # Whoever has the link needs no key, and is its recipient.
        assert look_and_send(server, made, decision="answer", **{"f.refund": "true", "f.why": "1"}).status == 200
        row = server.get(f"/api/v1/approvals/{question['id']}", **admin).json
        assert (row["status"], row["decided_by"], row["answer"]) == ("answered", "link:bob", said)
    finally:
        server.close()


def test_the_command_line_answers_and_makes_links(care, binary):
    def cli(*arguments):
        return subprocess.run([binary, *arguments, "--api", care.ready["http"]], capture_output=True, text=True, timeout=40, env={**os.environ, "USER": "ada"})

    run, question = asked(care)
    assert "Refund order 7?" in cli("approvals").stdout
    assert f"Refund order 7? <b>now</b>: holdfast answer {question['id']} ANSWER" in cli("runs", run).stdout
    made = cli("approval", "link", question["id"], "--for", "bob", "--expires", "2h")
    assert made.returncode == 0 and made.stdout.startswith(care.ready["http"] + "/decide/"), made
    assert "bob" in cli("approval", "links", question["id"]).stdout
    id = json.loads(cli("approval", "links", question["id"], "--json").stdout)["links"][0]["id"]
    assert cli("approval", "revoke", question["id"], id).returncode == 0
    assert care.get(urllib.parse.urlsplit(made.stdout.strip()).path).status == 410
    assert cli("answer", run, "yes").returncode == 2
    assert "`why`" in cli("answer", run, '{"refund": true}').stderr
    done = cli("answer", run, '{"refund": true, "why": "late"}')
    assert done.returncode == 0 and done.stdout.startswith("answered: ask"), done
    assert '"answered_by":"ada"' in care.wait(run)["output"]
    run, question = asked(care)
    assert cli("answer", question["id"], "--decline", "ask the shop").returncode == 0
    assert '"reason":"ask the shop"' in care.wait(run)["output"]


def test_who_follows_a_run_reads_how_to_answer(care, binary):
    run, question = asked(care)
    assert answer(care, question, {"refund": True, "why": "late"}).status == 200
    followed = subprocess.run([binary, "run", "care", "refund it", "--id", run, "--api", care.ready["http"]], capture_output=True, text=True, timeout=40)
    assert followed.returncode == 0, followed
    assert "waits for an answer" in followed.stderr and f"holdfast answer {question['id']} ANSWER" in followed.stderr
    assert "holdfast approve" not in followed.stderr


# ---- links


def test_a_link_decides_once_and_looking_decides_nothing(care, payments):
    run, approval = asked(care, "pay it")
    made = link(care, approval)
    assert made["state"] == "open" and made["url"].startswith(care.ready["http"] + "/decide/")
    for method in ("GET", "HEAD", "GET"):
        assert care.request(method, path_of(made)).status == 200
    visit = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    shown = care.get(path_of(made), **visit)  # from a page of mail
    assert shown.status == 200 and "Allow pay?" in shown.text and "250" in shown.text and "Payments need a person." in shown.text
    assert care.get(f"/api/v1/approvals/{approval['id']}").json["status"] == "pending"
    # What did not come from the page decides nothing.
    for token in ("", "0" * 64, path_of(made)):
        assert send(care, made, token=token, decision="approve").status == 403
    assert care.request("POST", path_of(made), json.dumps({"decision": "approve"}), {"Content-Type": "application/json"}).status == 415
    assert care.request("POST", path_of(made), "", {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://evil.example"}).status == 403
    assert send(care, made, token=token_of(shown), decision="edit").status == 422
    assert payments() == []
    done = send(care, made, token=token_of(shown), decision="approve", comment="fine")
    assert done.status == 200 and "Approved" in done.text, done.text
    care.wait(run)
    assert payments() == [250]
    row = care.get(f"/api/v1/approvals/{approval['id']}").json
    assert (row["status"], row["decided_by"], row["comment"]) == ("approved", "link:bob", "fine")
    again = send(care, made, token=token_of(shown), decision="reject")
    assert again.status == 410 and "This link was used" in again.text and "approved by link:bob" in again.text
    assert care.get(path_of(made)).status == 410
    assert care.get(f"/api/v1/approvals/{approval['id']}/links").json["links"][0]["state"] == "used"


def test_ten_at_once_use_a_link_once(care, payments):
    run, approval = asked(care, "pay it")
    made = link(care, approval)
    token = token_of(care.get(path_of(made)))
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: send(care, made, token=token, decision="reject" if i % 2 else "approve"), range(10)))
    assert sorted(one.status for one in answers) == [200] + [410] * 9
    winner = next(one for one in answers if one.status == 200)
    care.wait(run)
    assert payments() == ([250] if "Approved" in winner.text else [])


def test_links_that_are_not_good_say_why(care, payments):
    run, approval = asked(care, "pay it")
    made = link(care, approval)
    path = path_of(made)
    forged = path[:-1] + ("A" if path[-1] != "A" else "B")
    other = link(care, approval, "eve")
    for wrong in (forged, path.split(".")[0], "/decide/x", "/decide/.", path.split(".")[0] + "." + path_of(other).split(".")[1], "/decide/" + "x" * 5000):
        for method in ("GET", "POST"):
            assert care.request(method, wrong, headers={"Content-Type": "application/x-www-form-urlencoded"}).status == 404, wrong
    assert "This link is not valid" in care.get(forged).text
    revoked = care.request("DELETE", f"/api/v1/approvals/{approval['id']}/links/{other['id']}")
    assert revoked.json["state"] == "revoked"
    assert "This link was revoked" in care.get(path_of(other)).text and care.get(path_of(other)).status == 410
    assert code(care.request("DELETE", f"/api/v1/approvals/{approval['id']}/links/nothing")) == (404, "link_not_found")
    short = link(care, approval, "late", expires_in="400ms")
    gone = care.wait_until(lambda: (got := care.get(path_of(short))).status == 410 and got)
    assert "This link has expired" in gone.text
    assert code(care.post(f"/api/v1/approvals/{approval['id']}/links", {"for": "x", "expires_in": "soon"})) == (400, "invalid_field")
    assert code(care.post(f"/api/v1/approvals/{approval['id']}/links", {})) == (400, "missing_field")
    assert code(care.post("/api/v1/approvals/nothing/links", {"for": "x"}))[0] == 404
    # Somebody else decides: the link that is left says who and when.
    body = {"decision": "reject", "arguments_sha256": approval["arguments_sha256"], "decided_by": "mara"}
    assert care.post(f"/api/v1/approvals/{approval['id']}/decision", body).status == 200
    late = care.get(path)
    assert late.status == 410 and "rejected by mara at" in late.text
    assert code(care.post(f"/api/v1/approvals/{approval['id']}/links", {"for": "x"}))[0] in (409, 412)
    care.wait(run)
    assert payments() == []


def test_the_page_is_text_and_nothing_of_it_is_kept_or_told(care):
    run, question = asked(care)
    made = link(care, question, '"><img src=x onerror=alert(1)>')
    shown = care.get(path_of(made))
    assert "<script" not in shown.text and "<img" not in shown.text and "<b>now" not in shown.text
    assert html.escape("The parcel came <script>alert(1)</script> broken.") in shown.text
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy and "form-action 'self'" in policy
    assert shown.headers["Cache-Control"] == "no-store" and shown.headers["Referrer-Policy"] == "same-origin"
    assert "Until 20" in shown.text
    wrong = send(care, made, token=token_of(shown), decision="answer", **{"f.refund": "true", "f.why": "0", "f.amount": "501", "f.note": '<i>"x'})
    assert wrong.status == 422 and "`amount`" in wrong.text and 'value="501"' in wrong.text and "<i>" not in wrong.text
    assert look_and_send(care, made, decision="reject", comment="not me").status == 200
    care.wait(run)
    rows = care.get(f"/api/v1/runs/{run}").text + care.get(f"/api/v1/approvals/{question['id']}/links").text + care.get(f"/api/v1/runs/{run}/events").text
    secret = path_of(made).split(".")[1]
    assert secret not in rows and secret not in care.log_file.read_text(errors="replace")
    assert not any(secret.encode() in file.read_bytes() for file in care.data.rglob("*") if file.is_file())


def test_links_lead_to_the_public_url(binary, agent_text, asking, tmp_path):
    server = Server(binary, tmp_path / "data", "--public-url", "https://ask.example/", *agent_text.grants).start()
    try:
        assert server.request("PUT", "/api/v1/agents/care", asking()).status == 201
        _, question = asked(server)
        made = link(server, question)
        assert made["url"].startswith("https://ask.example/decide/")
        assert server.get(path_of(made), Host="ask.example").status == 200
        assert server.get(path_of(made), Host="evil.example").status == 421
    finally:
        server.close()


@pytest.mark.skipif(not browser.available(), reason="chromium is not installed")
def test_a_phone_without_script_answers(care, page):
    run, question = asked(care)
    made = link(care, question)
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.resize(390, 844)
    page.open(made["url"])
    page.wait_for("document.querySelector('h1')?.textContent.includes('Refund order 7?')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = "[...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, .pick')].filter(e => e.closest('.pick') ? false : e.offsetHeight < 44)"
    assert page.evaluate(f"{small}.length") == 0
    assert page.evaluate("[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].every(e => e.labels.length == 1)")
    press_send = "document.querySelector('button[value=answer]').click()"
    page.evaluate(press_send)  # the browser itself holds back what is not filled in
    assert page.evaluate("document.querySelector('form :invalid') != null")
    page.evaluate("document.querySelector('input[value=true]').click()")
    page.evaluate("document.querySelector('select').selectedIndex = 2")
    page.evaluate("document.querySelector('input[type=number]').value = '120'")
    if shots := os.environ.get("HOLDFAST_SHOTS"):
        page.screenshot(f"{shots}/decide-390.png", whole=True)
        page.prefer("dark")
        page.screenshot(f"{shots}/decide-390-dark.png", whole=True)
    page.evaluate(press_send)
    page.wait_for("document.querySelector('h1')?.textContent == 'Answered'")
    assert json.loads(care.wait(run)["output"].removeprefix("Then: "))["answer"] == {"refund": True, "why": "lost", "amount": 120}
