"""What waits for a person, in a browser against the real server: questions that are answered with their form, the terms of a rule, a call
that is allowed for the run, links for who has no account."""

import base64
import json
import urllib.parse

import pytest

import browser
import test_answer_files
from test_answer_files import PROGRAM, clerk, png  # noqa: F401 (fixture)
from test_console import axe, chromium, click, enter, open_run, page, text_of, violations  # noqa: F401 (fixtures)
from test_console_sign_in import guarded, sign_in  # noqa: F401
from test_identity import PASSWORD, add_user, bearer, make_key
from test_identity import sign_in as session_of
from test_inbox import open_inbox, waiting
from test_people import asked, asking, care  # noqa: F401 (fixtures)
from test_policy import FOUR_EYES, with_policy

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

FORM = "document.querySelector('.approval.pending form.answer')"


def choose(page, words):
    page.evaluate(f"[...{FORM}.querySelectorAll('.choices label')].find(one => one.textContent.trim() == {words!r}).querySelector('input').click()")


def test_a_question_is_answered_and_what_is_wrong_stands_at_its_field(care, page):
    run, question = asked(care)
    open_run(page, care, run)
    page.wait_for(f"!!{FORM}")
    assert text_of(page, ".question-text") == "Refund order 7? <b>now</b>"
    assert page.evaluate(f"[...{FORM}.querySelectorAll('[data-field]')].map(one => one.dataset.field).sort().join()") == "amount,note,refund,why"
    choose(page, "Yes")
    enter(page, "[data-field=amount] input", "501")
    click(page, ".answer button", "Answer")
    # One thing at a time, as the server tells it; the field has the focus, and nothing that was typed is gone.
    page.wait_for("document.querySelector('[data-field=why].wrong [role=alert]')?.textContent.includes('`why` is missing')")
    page.wait_for("document.activeElement.closest('[data-field]')?.dataset.field == 'why'")
    enter(page, "[data-field=why] select", "1")
    click(page, ".answer button", "Answer")
    page.wait_for("document.querySelector('[data-field=amount].wrong [role=alert]')?.textContent.includes('`amount`')")
    assert page.evaluate("document.querySelector('[data-field=amount] input').getAttribute('aria-invalid')") == "true"
    assert care.get(f"/api/v1/approvals/{question['id']}").json["status"] == "pending"
    enter(page, "[data-field=amount] input", "20")
    enter(page, ".answer [data-do=comment]", "sorry")
    click(page, ".answer button", "Answer")
    page.wait_for("!!document.querySelector('.approval.answered')")
    said = json.loads(care.wait(run)["output"].removeprefix("Then: "))
    assert said == {"answer": {"refund": True, "amount": 20, "why": "lost"}, "answered_by": "console", "comment": "sorry"}
    page.wait_for("document.querySelector('.approval.answered')?.textContent.includes('lost')")


def test_the_inbox_answers_and_declines(own_server, asking, page):
    server = own_server
    assert server.request("PUT", "/api/v1/agents/care", asking()).status == 201
    first, second = asked(server)[0], asked(server)[0]
    open_inbox(page, server)
    waiting(page, 2)
    page.evaluate(f"document.querySelector('.asks[data-run=\"{first}\"]').click()")
    page.wait_for(f"document.querySelector('.batch .title a').textContent == 'run {first}' && !!{FORM}")
    choose(page, "No")
    enter(page, "[data-field=why] select", "2")
    click(page, ".answer button", "Answer")
    page.wait_for("!!document.querySelector('.batch .approval.answered')")
    assert json.loads(server.wait(first)["output"].removeprefix("Then: "))["answer"] == {"refund": False, "why": "late"}
    page.evaluate(f"document.querySelector('.asks[data-run=\"{second}\"]').click()")
    page.wait_for(f"document.querySelector('.batch .title a').textContent == 'run {second}' && !!{FORM}")
    enter(page, ".answer [data-do=comment]", "ask the shop")
    click(page, ".answer button", "Decline")
    page.wait_for("!!document.querySelector('.batch .approval.rejected')")
    waiting(page, 0)
    assert '"reason":"ask the shop"' in server.wait(second)["output"]


def choose_file(page, body, name="receipt.png"):
    page.evaluate(f"""(() => {{
      const held = new DataTransfer();
      held.items.add(new File([Uint8Array.from(atob({base64.b64encode(body).decode()!r}), (c) => c.charCodeAt(0))], {name!r}));
      const field = document.querySelector('[data-field=receipt] input');
      field.files = held.files;
      field.dispatchEvent(new Event('change', {{bubbles: true}}));
    }})()""")


def test_a_question_takes_a_file_by_what_it_is(clerk, page):
    run, question = test_answer_files.asked(clerk)
    open_run(page, clerk, run)
    page.wait_for("!!document.querySelector('[data-field=receipt] input[type=file]')")
    assert page.evaluate("document.querySelector('[data-field=receipt] input').accept") == "image/png,application/pdf"
    choose_file(page, PROGRAM)
    page.wait_for("document.querySelector('[data-field=receipt] [role=alert]')?.textContent.includes('x-dosexec')")
    choose_file(page, png() + b"\0" * 20_000)
    page.wait_for("document.querySelector('[data-field=receipt] [role=alert]')?.textContent.includes('are allowed')")
    click(page, ".answer button", "Answer")
    page.wait_for("document.querySelector('[data-field=receipt].wrong')?.textContent.includes('`receipt` is missing')")
    choose_file(page, png())
    page.wait_for("document.querySelector('[data-field=receipt] [role=status]')?.textContent.includes('image/png')")
    click(page, ".answer button", "Answer")
    page.wait_for("!!document.querySelector('.approval.answered')")
    said = test_answer_files.answered(clerk, run)["receipt"]
    page.wait_for("!!document.querySelector('.approval.answered a[download]')")
    assert clerk.get(page.evaluate("document.querySelector('.approval.answered a[download]').getAttribute('href')")).body == png()
    assert (said["media_type"], said["bytes"], said["name"]) == ("image/png", len(png()), "receipt.png")
    assert clerk.get(f"/api/v1/approvals/{question['id']}").json["status"] == "answered"


def test_what_somebody_types_outlives_a_killed_server(own_server, asking, page):
    server = own_server
    assert server.request("PUT", "/api/v1/agents/care", asking()).status == 201
    run, _ = asked(server)
    open_run(page, server, run)
    page.wait_for(f"!!{FORM}")
    enter(page, "[data-field=note] input", "half a word")
    server.kill()
    page.wait_for("document.getElementById('link').dataset.state == 'down'")
    server.start()
    page.wait_for("document.getElementById('link').dataset.state == 'live'")
    assert page.evaluate("document.querySelector('[data-field=note] input').value") == "half a word"
    choose(page, "Yes")
    enter(page, "[data-field=why] select", "0")
    click(page, ".answer button", "Answer")
    page.wait_for("!!document.querySelector('.approval.answered')")
    assert json.loads(server.wait(run)["output"].removeprefix("Then: "))["answer"] == {"refund": True, "why": "broken", "note": "half a word"}


def test_several_have_to_approve_and_one_of_them_is_told_so(guarded, page, agent_text, payments):
    deploy = bearer(make_key(guarded, "dd", {"default": ["deployer"]})["key"])
    for name, roles in (("ann", ["operator"]), ("bob", ["approver"]), ("cleo", ["approver"])):
        add_user(guarded, name, {"default": roles})
    assert guarded.request("PUT", "/api/v1/agents/payer", with_policy(agent_text(), FOUR_EYES), deploy).status == 201
    headers = {name: {"Cookie": session_of(guarded, name)[1], "Sec-Fetch-Site": "same-origin"} for name in ("ann", "cleo")}
    assert guarded.post("/api/v1/runs", {"agent": "payer", "input": "pay", "id": "eyes-in-the-console"}, headers["ann"]).status == 202
    approval = guarded.wait_until(lambda: guarded.get("/api/v1/approvals", **headers["cleo"]).json["approvals"])[0]
    page.open(f"http://{guarded.http}/inbox")
    sign_in(page, "bob", PASSWORD)
    page.wait_for("document.querySelector('.terms')?.textContent.includes('transactional')")
    terms = text_of(page, ".terms")
    for words in ("large", "0 of 2", "whoever is approver", "not ann, who started the run", "whoever is admin as well"):
        assert words in terms, terms
    assert not page.evaluate("!!document.querySelector('.approval [data-do=edit]')"), "several approve the same arguments"
    click(page, ".approval button", "Approve")
    page.wait_for("document.querySelector('.approval.pending [role=status]')?.textContent.includes('1 of 2')")
    page.wait_for("document.querySelector('.terms').textContent.includes('1 of 2, by bob')")
    assert payments() == []
    body = {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]}
    assert guarded.post(f"/api/v1/approvals/{approval['id']}/decision", body, headers["cleo"]).status == 200
    page.wait_for("!!document.querySelector('.batch .approval.approved')")
    guarded.wait_until(lambda: payments() == [250])


def test_a_call_is_allowed_for_the_run(own_server, page, agent_text, payments):
    server = own_server
    text = with_policy(agent_text("free"), "  approvals: {language: cel, rules: [{name: all, tool: pay, action: ask}]}\n")
    assert server.request("PUT", "/api/v1/agents/free", text).status == 201
    run = server.start_run("free", "pay, please")
    server.wait_for_approval(run)
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.for-run input')")
    page.evaluate("document.querySelector('.for-run input').click()")
    click(page, ".approval button", "Approve for this run")
    page.wait_for("!!document.querySelector('.approval.approved')")
    server.wait(run)
    assert payments() == [250]
    decided = [e["data"] for e in server.get(f"/api/v1/runs/{run}/events?limit=500").json["events"] if e["type"] == "approval.decided"]
    assert decided[0]["scope"] == "run"


def test_a_link_is_made_shown_once_and_revoked(own_server, page, payments):
    server = own_server
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)["id"]
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.links-fold summary')")
    page.evaluate("document.querySelector('.links-fold summary').click()")
    page.wait_for("!!document.querySelector('.link-form input')")
    enter(page, ".link-form input", "bob")
    click(page, ".link-form button", "Make a link")
    page.wait_for("!!document.querySelector('.link-made .secret')")
    url = page.evaluate("document.querySelector('.link-made .secret').value")
    path = urllib.parse.urlsplit(url).path
    assert path.startswith("/decide/")
    assert server.get(path).status == 200
    page.wait_for("document.querySelector('.links li')?.textContent.includes('bob')")
    page.evaluate("window.before = true")
    page.reload()
    page.wait_for("!window.before && !!document.querySelector('.links-fold summary')")
    page.evaluate("document.querySelector('.links-fold summary').click()")
    page.wait_for("document.querySelector('.links li')?.textContent.includes('open')")
    assert path not in page.evaluate("document.documentElement.outerHTML")
    click(page, ".links button", "Revoke")
    page.wait_for("document.querySelector('.links li')?.textContent.includes('revoked')")
    assert server.get(path).status == 410
    assert server.get(f"/api/v1/approvals/{approval}/links").json["links"][0]["state"] == "revoked"
    assert payments() == []


def test_a_screen_without_an_answer_says_so_and_asks_again(own_server, page):
    server = own_server
    page.open(f"{server.ready['http']}/settings?part=secrets")
    page.wait_for("document.querySelector('.settings .empty')?.textContent.includes('There is no secret')")
    server.kill()
    page.wait_for("document.getElementById('link').dataset.state == 'down'")
    to = "[...document.querySelectorAll('.parts a')].find(one => one.textContent == {!r}).click()"
    page.evaluate(to.format("API keys"))
    page.wait_for("document.querySelector('.settings [role=status]')?.textContent.includes('it is asked again')")
    page.wait_for("document.querySelector('.settings [role=alert] button')?.textContent == 'Ask again'")
    server.start()
    page.wait_for("document.getElementById('link').dataset.state == 'live'")
    click(page, ".settings [role=alert] button", "Ask again")
    page.wait_for("document.querySelector('.settings .empty')?.textContent.includes('No key opens') || !!document.querySelector('[data-credential]')")
    assert not page.evaluate("!!document.querySelector('.settings [role=alert]')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(care, page, axe, scheme):
    run, _ = asked(care)
    page.prefer(scheme)
    open_run(page, care, run)
    page.wait_for(f"!!{FORM}")
    click(page, ".answer button", "Answer")
    page.wait_for("!!document.querySelector('.form-field.wrong [role=alert]')")
    page.evaluate("document.querySelector('.links-fold summary').click()")
    page.wait_for("!!document.querySelector('.link-form input')")
    assert violations(page, axe) == []


def test_a_phone_has_no_sideways_scroll(care, page):
    page.resize(390, 844)
    run, _ = asked(care)
    open_run(page, care, run)
    page.wait_for(f"!!{FORM}")
    page.evaluate("document.querySelector('.links-fold summary').click()")
    page.wait_for("!!document.querySelector('.link-form input')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(f"[...{FORM}.querySelectorAll('button, select, .choices label')].filter(one => one.getBoundingClientRect().height < 40).map(one => one.outerHTML.slice(0, 80))")
    assert small == []
