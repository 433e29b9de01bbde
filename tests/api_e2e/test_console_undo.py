"""Taking back in a browser: what would be taken back is shown before anything is done, what stands is tried again, and
what code called stands below it."""

import pytest

import browser
from test_console import axe, chromium, click, enter, open_run, page, text_of, violations  # noqa: F401 (fixtures)
from test_code import AGENT as CODE_AGENT
from test_code import approve
from test_steering import bank  # noqa: F401 (a fixture)
from test_undo import model, paid, server, unpaid  # noqa: F401 (fixtures)

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

PLAN = "document.querySelector('dialog.undo .fork-plan')"


def planned(page, words):
    page.wait_for(f"{PLAN}?.getAttribute('aria-busy') == 'false' && {PLAN}.textContent.includes({words!r})")


def test_a_run_is_undone_once_its_dry_run_was_seen(server, bank, page, axe):  # noqa: F811
    run = paid(server)
    bank.refused.add("p-ann")
    open_run(page, server, run)
    click(page, ".run-actions button", "Undo")
    planned(page, "2 calls taken back, in this order")
    steps = page.evaluate("[...document.querySelectorAll('dialog.undo ol li')].map(one => one.textContent).join('|')")
    assert steps.count("pay step") == 2 and int(steps.split("step ")[1][0]) > int(steps.split("step ")[2][0]), steps
    assert bank.count("/unpay") == {} and server.get(f"/api/v1/runs/{run}.undo").status == 404
    assert violations(page, axe) == []
    enter(page, "dialog.undo input[name=reason]", "wrong customer")
    click(page, "dialog.undo button", "Undo 2 calls")
    page.wait_for(f"location.pathname == '/runs/{run}.undo' && !document.querySelector('dialog')")
    assert server.wait(f"{run}.undo")["reason"] == "not_undone" and unpaid(bank) == ["p-bob", "p-ann"]
    [asked] = server.get(f"/api/v1/audit?subject={run}&kind=run.undo_requested").json["rows"]
    assert asked["detail"]["reason"] == "wrong customer"
    # What stands is there, and is tried again.
    bank.refused.clear()
    open_run(page, server, run)
    page.wait_for("document.querySelector('.lineage')?.textContent.includes('took back what it did')")
    click(page, ".run-actions button", "Undo")
    planned(page, "1 call taken back, in this order")
    planned(page, "taking it back has failed, and is tried again")
    planned(page, "1 call taken back already")
    click(page, "dialog.undo button", "Undo 1 call")
    page.wait_for(f"location.pathname == '/runs/{run}.undo.2'")
    assert server.wait(f"{run}.undo.2")["status"] == "completed"
    open_run(page, server, run)
    click(page, ".run-actions button", "Undo")
    planned(page, "2 calls taken back already")
    assert "Undo 1" not in text_of(page, "dialog.undo button") and "Undo 2" not in text_of(page, "dialog.undo button")


def test_a_run_that_took_nothing_back_says_so(server, page):
    run = paid(server, text="nothing")
    open_run(page, server, run)
    click(page, ".run-actions button", "Undo")
    planned(page, "It has no effect that a tool takes back.")


def test_what_code_called_stands_below_it(server, bank, model, page):  # noqa: F811
    put = server.request("PUT", "/api/v1/agents/coder", CODE_AGENT.replace("name: payer", "name: coder").format(model=model, remote=bank.url))
    assert put.status == 201, put.text
    run = server.start_run("coder", "code")
    approve(server, run)
    server.wait(run)
    open_run(page, server, run)
    page.wait_for("document.querySelectorAll('.transcript .item.inner').length == 4")
    inner = page.evaluate("[...document.querySelectorAll('.transcript .item.inner article')].map(one => one.getAttribute('aria-label')).join('|')")
    assert inner.count("called by step 2") == 3, inner
    page.wait_for("document.querySelectorAll('.timeline li.inner').length == 4")
    assert "called by step 2" in text_of(page, ".timeline li.inner")
    assert page.evaluate("document.querySelectorAll('.timeline li.inner ~ li:not(.inner)').length") == 1, "the model's last word stands behind all of them"
