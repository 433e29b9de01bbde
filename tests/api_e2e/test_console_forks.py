"""Forks in a browser against the real server: what one would do stands before it is started, a place that does not do is told with one
that does, and two runs are compared."""

import pytest

import browser
from test_console import axe, chromium, click, enter, open_run, page, press, text_of, violations  # noqa: F401 (fixtures)
from test_forks import finished, fork, fork_model, server, shop  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

PLAN = "document.querySelector('.fork-plan')"


def from_here(page, words):
    found = f"document.querySelector('.here[aria-label=\"Fork from here: {words}\"]')"
    page.wait_for(f"!!{found}")
    page.evaluate(f"{found}.click()")
    page.wait_for("!!document.querySelector('dialog.fork')")


def radio(page, words):
    page.evaluate(f"[...document.querySelectorAll('.fork-choices label')].find(one => one.textContent.trim() == {words!r}).querySelector('input').click()")


def planned(page, words):
    page.wait_for(f"{PLAN}?.getAttribute('aria-busy') == 'false' && {PLAN}.textContent.includes({words!r})")


def started(page, run) -> str:
    """The address of the fork, once it is shown."""
    click(page, "dialog button", "Start the fork")
    page.wait_for(f"/^.runs.[^/]+$/.test(location.pathname) && location.pathname != '/runs/{run}' && !document.querySelector('dialog')")
    return page.evaluate("location.pathname.split('/')[2]")


def test_a_run_is_forked_at_a_step_and_repeats_nothing(server, shop, page):
    run = finished(server)
    open_run(page, server, run)
    from_here(page, "step 2")  # a call of the first turn
    planned(page, "2 calls reused, not made again")
    assert "made" not in text_of(page, ".plan-group summary").replace("not made again", "")
    assert "It begins at message 4" in text_of(page, ".plan")
    enter(page, "dialog input[name=reason]", "to see")
    other = started(page, run)
    assert server.wait(other)["forked_from"]["at"]["message"] == 4 and shop.paid() == 1
    assert server.run(other)["forked_from"]["reason"] == "to see"
    page.wait_for("document.querySelector('.lineage')?.textContent.includes('forked from paid behind message 4')")
    open_run(page, server, run)
    page.wait_for(f"document.querySelector('.lineage')?.textContent.includes('{other}')")


def test_a_replay_says_what_it_would_do_again(server, shop, page):
    run = finished(server)
    version = server.request("PUT", "/api/v1/agents/payer", shop.agent(rules="{tool: pay, action: ask}, {tool: look, action: deny}")).json["version"]
    open_run(page, server, run)
    click(page, ".run-actions button", "Fork or replay")
    planned(page, "2 calls made")
    page.wait_for("[...document.querySelector('select[name=version]').options].some(one => one.value == 'current')")
    enter(page, "select[name=version]", "current")
    planned(page, "1 call asked of a person first")
    planned(page, "1 call denied")
    assert server.get(f"/api/v1/runs/{run}/forks").json["forks"] == [] and shop.paid() == 1, "a dry run starts nothing"
    other = started(page, run)
    assert server.wait_for_approval(other)["tool"] == "pay" and server.run(other)["version"] == version
    assert shop.paid() == 1
    page.wait_for("!!document.querySelector('.approval.pending')")
    server.post(f"/api/v1/runs/{other}/cancel")


def test_another_prompt_another_result_and_a_message(server, shop, page):
    run = finished(server)
    open_run(page, server, run)
    from_here(page, "the beginning")
    radio(page, "Another prompt")
    page.wait_for("document.querySelector('dialog textarea')?.value == 'pay ann'")
    enter(page, "dialog textarea", "")
    page.wait_for("document.querySelector('dialog button[type=submit]').disabled")
    enter(page, "dialog textarea", "say hello")
    planned(page, "It begins at message 0")
    other = started(page, run)
    assert server.wait(other)["input"] == "say hello" and shop.paid() == 1
    # The call is the one of the step.
    open_run(page, server, run)
    from_here(page, "step 3")
    radio(page, "Another result of a call")
    page.wait_for("document.querySelector('select[name=call]')?.value != ''")
    assert "look" in page.evaluate("document.querySelector('select[name=call]').selectedOptions[0].textContent")
    enter(page, "dialog textarea", "no such account")
    planned(page, "with the other result")
    other = started(page, run)
    assert server.wait(other)["output"] == "There is no such account." and shop.paid() == 1
    # Behind the last word something has to be said, and the dialog says so.
    open_run(page, server, run)
    from_here(page, "step 4")
    page.wait_for(f"{PLAN}.querySelector('[role=alert]')?.textContent.includes('give `edit`')")
    assert page.evaluate("document.querySelector('dialog button[type=submit]').disabled")
    click(page, ".fork-plan button", "Say something there")
    page.wait_for("!!document.querySelector('dialog textarea')")
    enter(page, "dialog textarea", "no such account?")
    planned(page, "It begins at message 5")
    other = started(page, run)
    assert server.wait(other)["output"] == "There is no such account."
    page.wait_for("document.querySelector('.say.user[aria-label=\"Said behind it\"]')?.textContent == 'no such account?'")


def test_a_place_that_does_not_do_names_one_that_does(server, shop, page):
    server.request("PUT", "/api/v1/agents/payer", shop.agent(rules="{tool: pay, action: ask}"))
    run = server.start_run("payer", "pay ann", id="open")
    server.wait_for_approval(run)
    open_run(page, server, run)
    from_here(page, "step 1")  # its calls have no answer yet
    click(page, ".fork-plan button", "Fork behind message 1 instead")
    planned(page, "It begins at message 1")
    other = started(page, run)
    assert server.wait_for_approval(other)["tool"] == "pay"
    for one in (run, other):
        server.post(f"/api/v1/runs/{one}/cancel")


def test_a_run_that_failed_is_taken_up(server, page):
    run = server.start_run("payer", "refuse", id="failed")
    assert server.wait(run)["status"] == "failed"
    open_run(page, server, run)
    click(page, ".run-actions button", "Fork or replay")
    page.wait_for("document.querySelector('.fork-choices input:checked')?.parentElement.textContent.trim() == 'where it failed'")
    click(page, "dialog button", "Close")
    click(page, ".run-actions button", "Retry")
    page.wait_for("!!document.querySelector('dialog select[name=version]')")
    click(page, "dialog button", "Retry")
    page.wait_for("location.pathname != '/runs/failed' && !document.querySelector('dialog')")
    other = page.evaluate("location.pathname.split('/')[2]")
    assert server.run(other)["origin"] == run


def test_two_runs_are_compared(server, page):
    run = finished(server)
    other = fork(server, run, at={"message": 4}, edit={"message": "no such account?"}, id="other")["id"]
    server.wait(other)
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.lineage a[aria-label=\"Compare paid with other\"]')")
    page.evaluate("document.querySelector('.lineage a[aria-label=\"Compare paid with other\"]').click()")
    page.wait_for("location.pathname == '/runs/paid/diff/other' && document.querySelector('.diff-common')?.textContent.includes('first 4 messages')")
    assert page.evaluate("[...document.querySelectorAll('.diff-row')].length") == 2
    assert "no such account?" in text_of(page, ".diff-row") and "That is settled." in text_of(page, ".diff-row")
    assert page.evaluate("document.querySelector('.diff-facts .differs th')?.textContent").startswith("model calls")
    # The address itself is one of the server's.
    page.open(f"{server.ready['http']}/runs/paid/diff/nobody")
    page.wait_for("document.querySelector('.run-diff [role=alert]')?.textContent.includes('nobody')")
    page.open(f"{server.ready['http']}/runs/paid/diff/paid")
    page.wait_for("document.querySelector('.run-diff .empty')?.textContent.includes('neither has said anything')")


def test_a_fork_is_reached_by_keys(server, page):
    run = finished(server)
    open_run(page, server, run, step=2)
    page.wait_for("!!document.querySelector('.item.chosen')")
    press(page, "b")
    page.wait_for("!!document.querySelector('dialog.fork')")
    planned(page, "2 calls reused")
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.evaluate("document.querySelector('dialog').dispatchEvent(new Event('cancel', {cancelable: true}))")
    page.wait_for("!document.querySelector('dialog')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server, page, axe, scheme):
    run = finished(server)
    server.wait(fork(server, run, at={"message": 4}, edit={"message": "no such account?"}, id="other")["id"])
    page.prefer(scheme)
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.lineage') && !!document.querySelector('.here')")
    assert violations(page, axe) == []
    from_here(page, "step 2")
    planned(page, "2 calls reused")
    assert violations(page, axe) == []
    page.open(f"{server.ready['http']}/runs/paid/diff/other")
    page.wait_for("!!document.querySelector('.diff-row')")
    assert violations(page, axe) == []


def test_a_phone_has_no_sideways_scroll(server, page):
    run = finished(server)
    server.wait(fork(server, run, at={"message": 4}, edit={"message": "x" * 300}, id="other")["id"])
    page.resize(390, 844)
    open_run(page, server, run)
    from_here(page, "step 2")
    planned(page, "2 calls reused")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth")
    page.open(f"{server.ready['http']}/runs/paid/diff/other")
    page.wait_for("!!document.querySelector('.diff-row')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
