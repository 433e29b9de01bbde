"""What waits for people, in all runs, in a real browser: decided one by one, in parts, by somebody else, with keys, on a phone."""

import pytest

import browser
from test_console import axe, chromium, click, enter, page, press, text_of, violations  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")


def open_inbox(page, server, approval=None):
    page.open(f"{server.ready['http']}/inbox" + (f"?approval={approval}" if approval else ""))
    page.wait_for("location.pathname == '/inbox' && document.querySelector('.inbox-list ul')?.getAttribute('aria-busy') == 'false'")


def waiting(page, count):
    """The number in the navigation."""
    words = f"{count} waiting" if count else ""
    page.wait_for(f"(document.querySelector('nav .count')?.textContent ?? '') == {words!r}")


def test_all_that_waits_in_all_runs_is_decided_in_one_place(own_server, page, payments):
    server = own_server
    first = server.start_run("payer", "pay, please")
    server.wait_for_approval(first)
    open_inbox(page, server)
    page.wait_for(f"document.querySelector('.batch a').textContent == 'run {first}'")
    waiting(page, 1)
    assert "amount: 250" in text_of(page, ".asks-what")
    assert "250" in text_of(page, ".batch .fields") and "Payments need a person." in text_of(page, ".batch .reason")
    page.wait_for("document.querySelector('.evidence')?.textContent.includes('I pay.')")
    assert "pay, please" in text_of(page, ".evidence")
    assert "expires in 60 min" in text_of(page, ".batch .expiry")
    second = server.start_run("payer", "pay, too")  # it comes by itself
    page.wait_for(f"!!document.querySelector('.asks[data-run=\"{second}\"]')")
    waiting(page, 2)
    assert text_of(page, ".batch .title a") in (f"run {first}", f"run {second}")
    page.evaluate(f"document.querySelector('.asks[data-run=\"{first}\"]').click()")
    page.wait_for(f"document.querySelector('.batch a').textContent == 'run {first}' && location.search.startsWith('?approval=ap-')")
    click(page, ".approval button", "Approve")
    page.wait_for("document.querySelector('.batch .approval.approved .note')?.textContent.includes('approved by console')")
    waiting(page, 1)
    assert server.wait(first)["output"] == "That is settled." and payments() == [250]
    page.evaluate(f"document.querySelector('.asks[data-run=\"{second}\"]').click()")
    page.wait_for(f"document.querySelector('.batch a').textContent == 'run {second}'")
    enter(page, ".approval input[type=text]", "not twice")
    click(page, ".approval button", "Reject")
    page.wait_for("document.querySelector('.batch .approval.rejected')?.textContent.includes('not twice')")
    waiting(page, 0)
    assert server.get("/api/v1/approvals?status=rejected").json["approvals"][0]["comment"] == "not twice"


def test_parts_of_a_batch_are_decided_each_in_its_way(own_server, page, payments):
    server = own_server
    run = server.start_run("payer", "invoices, please")
    server.wait(run, lambda r: len(r["approvals"]) == 3)
    open_inbox(page, server)
    page.wait_for("document.querySelectorAll('.batch .approval.pending').length == 3")
    page.wait_for("document.querySelector('.evidence strong')?.textContent == 'duplicate'")
    click(page, ".several label", "All 3")
    page.wait_for("[...document.querySelectorAll('.several button')].some(b => b.textContent == 'Approve 3')")
    seven = "[...document.querySelectorAll('.batch .item')].find(i => i.querySelector('.fields')?.textContent.endsWith('7'))"
    page.evaluate(f"{seven}.querySelector('input[type=checkbox]').click()")
    click(page, ".several button", "Approve 2")
    page.wait_for("document.querySelectorAll('.batch .approval.approved').length == 2")
    waiting(page, 1)
    # The rest waits for a person; what was approved does not wait for it.
    server.wait_until(lambda: sorted(payments()) == [40, 250])
    assert server.run(run)["waiting_on"] == "approval"
    page.evaluate(f"{seven}.querySelector('[data-do=reject]').click()")
    page.wait_for("!!document.querySelector('.batch .approval.rejected')")
    server.wait(run)
    assert sorted(payments()) == [40, 250]


def test_an_edit_that_breaks_the_schema_is_told_and_what_it_changes_is_shown(own_server, page, payments):
    server = own_server
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)["id"]
    open_inbox(page, server, approval)
    click(page, ".approval button", "Edit")
    page.wait_for("!!document.querySelector('.approval textarea')")
    enter(page, ".approval textarea", '{"amount": "much"}')
    click(page, ".approval button", "as edited")
    page.wait_for("document.querySelector('.approval [role=alert]')?.textContent.includes('amount')")
    enter(page, ".approval textarea", '{"amount": 20}')
    page.wait_for("document.querySelector('.changes del')?.textContent == '250' && document.querySelector('.changes ins').textContent == '20'")
    click(page, ".approval button", "as edited")
    page.wait_for("!!document.querySelector('.batch .approval.edited')")
    server.wait(run)
    assert payments() == [20]


def test_who_comes_second_is_told_who_was_first(own_server, page, payments):
    server = own_server
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    open_inbox(page, server)
    page.wait_for("!!document.querySelector('.batch .approval.pending')")
    body = {"decision": "reject", "decided_by": "mara", "comment": "duplicate", "arguments_sha256": approval["arguments_sha256"]}
    assert server.post(f"/api/v1/approvals/{approval['id']}/decision", body).status == 200
    page.wait_for("document.querySelector('.batch .approval.rejected')?.textContent.includes('rejected by mara, ')")
    assert page.evaluate("Math.abs(Date.parse(document.querySelector('.batch .approval time').dateTime) - Date.now()) < 60000")
    waiting(page, 0)
    assert page.evaluate("document.getElementById('announce').textContent") == "pay: rejected by mara"
    assert payments() == []


def test_one_that_expires_while_it_is_looked_at(own_server, page, agent_text, payments):
    server = own_server
    assert server.request("PUT", "/api/v1/agents/hasty", agent_text("hasty", expires="3s")).status == 201
    server.wait_for_approval(server.start_run("hasty", "pay, please"))
    open_inbox(page, server)
    page.wait_for("!!document.querySelector('.batch .expiry.soon')")
    page.wait_for("!!document.querySelector('.batch .approval.expired')")
    waiting(page, 0)
    assert payments() == []


def test_keys_bring_to_what_decides_and_decide_nothing(own_server, page, payments):
    server = own_server
    runs = [server.start_run("payer", f"pay {i}") for i in range(2)]
    for run in runs:
        server.wait_for_approval(run)
    open_inbox(page, server)
    page.wait_for("!!document.querySelector('.approval.pending')")
    press(page, "j")
    page.wait_for("document.activeElement.matches('[data-approval].chosen')")
    first = page.evaluate("document.activeElement.dataset.approval")
    press(page, "j")
    page.wait_for(f"document.activeElement.matches('[data-approval].chosen') && document.activeElement.dataset.approval != '{first}'")
    press(page, "k")
    page.wait_for(f"document.activeElement.dataset.approval == '{first}'")
    press(page, "a")
    page.wait_for("document.activeElement.textContent == 'Approve'")
    press(page, "r")
    page.wait_for("document.activeElement.matches('.chosen input[type=text]')")
    press(page, "a")  # now it is a letter of the reason
    assert page.evaluate("document.activeElement.matches('.chosen input[type=text]')")
    page.evaluate("document.activeElement.blur()")
    page.wait_for("!document.querySelector('.chosen [data-do=edit]').disabled")
    press(page, "e")
    page.wait_for("document.activeElement.matches('.chosen textarea')")
    page.evaluate("document.activeElement.blur()")
    press(page, "?")
    page.wait_for("document.querySelector('dialog[open]')?.textContent.includes('Edit its arguments')")
    assert [a["status"] for a in server.get("/api/v1/approvals").json["approvals"]] == ["pending", "pending"]


def test_more_than_a_page_waits(own_server, page):
    server = own_server
    runs = [server.start_run("payer", f"pay {i}") for i in range(102)]
    server.wait_until(lambda: len(server.get("/api/v1/approvals?status=pending&limit=200").json["approvals"]) == len(runs), 40)
    open_inbox(page, server)
    page.wait_for("document.querySelectorAll('.asks').length == 100 && document.querySelector('nav .count').textContent == '100+ waiting'")
    click(page, ".inbox-list button", "Older ones")
    page.wait_for("document.querySelectorAll('.asks').length == 102")
    waiting(page, 102)
    assert page.evaluate("![...document.querySelectorAll('.inbox-list button')].some(b => b.textContent == 'Older ones')")


def test_an_approval_is_an_address_and_one_that_is_not_there_is_told(own_server, page, payments):
    server = own_server
    approval = server.wait_for_approval(server.start_run("payer", "pay, please"))
    open_inbox(page, server, approval["id"])
    page.wait_for("!!document.querySelector('.batch .chosen .approval.pending')")
    assert server.post(f"/api/v1/approvals/{approval['id']}/decision",
                       {"decision": "approve", "decided_by": "mara", "arguments_sha256": approval["arguments_sha256"]}).status == 200
    page.wait_for("!!document.querySelector('.batch .approval.approved')")
    page.reload()  # decided long ago, it is what the address says all the same
    page.wait_for("document.querySelector('.batch .chosen .approval.approved')?.textContent.includes('approved by mara')")
    open_inbox(page, server, "ap-nothing")
    page.wait_for("document.querySelector('.inbox-detail [role=alert]')?.textContent.includes('ap-nothing')")


def test_a_phone_decides(own_server, page, payments):
    server = own_server
    run = server.start_run("payer", "invoices, please")
    server.wait(run, lambda r: len(r["approvals"]) == 3)
    page.resize(390, 844)
    open_inbox(page, server)
    page.wait_for("!!document.querySelector('.asks')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not page.evaluate("document.querySelector('.batch')?.checkVisibility()")
    page.evaluate("document.querySelector('.asks').click()")
    page.wait_for("document.querySelectorAll('.batch .approval.pending').length == 3 && !!document.querySelector('.evidence')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = page.evaluate("[...document.querySelectorAll('.inbox-detail button, .several label, .asked-when label')].map(b => b.getBoundingClientRect().height)")
    assert min(heights) >= 44, heights
    click(page, ".approval button", "Approve")
    page.wait_for("!!document.querySelector('.batch .approval.approved')")
    page.evaluate("history.back()")
    page.wait_for("document.querySelector('.asks').checkVisibility() && !document.querySelector('.batch')?.checkVisibility()")
    server.wait_until(lambda: len(payments()) == 1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_inbox(own_server, page, axe, scheme):  # noqa: F811
    server = own_server
    page.prefer(scheme)
    open_inbox(page, server)
    assert violations(page, axe) == []
    run = server.start_run("payer", "invoices, please")
    page.wait_for("document.querySelectorAll('.batch .approval.pending').length == 3 && !!document.querySelector('.evidence .prose strong')")
    assert violations(page, axe) == []
    click(page, ".approval button", "Edit")
    page.wait_for("!!document.querySelector('.approval textarea')")
    enter(page, ".approval textarea", '{"amount": 1}')
    page.wait_for("!!document.querySelector('.changes del')")
    assert violations(page, axe) == [], run
