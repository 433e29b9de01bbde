"""The list of runs in the console: a time that is drawn, a view that is kept, one action on many runs."""

import datetime
import json

import pytest

import browser
from test_console import axe, chromium, click, enter, page, text_of, violations  # noqa: F401  (fixtures among them)

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

SHOWN = "document.querySelectorAll('.runs .run').length"


def reload(page):
    page.evaluate("window.before = true")
    page.reload()
    page.wait_for("!window.before")


def draw(page, first, last):
    """Over the histogram, from one part of its width to another."""
    box = json.loads(page.evaluate("JSON.stringify(document.querySelector('.histogram').getBoundingClientRect())"))
    y = box["y"] + box["height"] / 2
    for kind, part in (("mousePressed", first), ("mouseMoved", last), ("mouseReleased", last)):
        page.call("Input.dispatchMouseEvent", type=kind, x=box["x"] + box["width"] * part, y=y, button="left", buttons=1, clickCount=1)


def test_a_time_is_drawn_and_is_the_address(own_server, page):
    server = own_server
    ids = [server.start_run("payer", "hello 0")]
    server.wait(ids[0])
    began = server.run(ids[0])["created_at"]
    # Bins are whole seconds: some lie between the first run and the last.
    ids.append(server.start_run("payer", "refuse"))
    server.wait_until(lambda: datetime.datetime.now(datetime.timezone.utc).isoformat()[:19] > began[:19])
    ids.append(server.start_run("payer", "hello"))
    total = len(server.get("/api/v1/runs?limit=200").json["runs"])
    page.open(f"{server.ready['http']}/runs")
    page.wait_for(f"document.querySelector('.histogram-key')?.textContent.includes('{total} runs')")
    assert "1 failed" in page.evaluate("document.querySelector('.histogram').getAttribute('aria-label')")
    page.wait_for("document.querySelectorAll('.histogram g').length >= 2")
    bins = page.evaluate("document.querySelectorAll('.histogram g').length")
    draw(page, 0.5 / bins, 0.5 / bins)
    page.wait_for("location.search.includes('from=') && location.search.includes('to=')")
    page.wait_for(f"{SHOWN} > 0 && !!document.querySelector('.runs [data-run=\"{ids[0]}\"]')")
    # Of the time around it there is more to draw over; what was chosen stands out.
    page.wait_for("document.querySelectorAll('.histogram g').length - document.querySelectorAll('.histogram g.dim').length == 1")
    chosen = page.evaluate("new URLSearchParams(location.search).get('from') + ' ' + new URLSearchParams(location.search).get('to')").split()
    wanted = [run for run in server.get("/api/v1/runs?limit=200").json["runs"] if chosen[0] <= run["created_at"] < chosen[1]]
    assert 0 < len(wanted) < total
    page.wait_for(f"document.querySelectorAll('.runs li').length == {len(wanted)}")
    reload(page)
    page.wait_for(f"document.querySelectorAll('.runs li').length == {len(wanted)}")
    page.wait_for(f"document.querySelector('.histogram-key')?.textContent.startsWith('{len(wanted)} run')")
    # The fields say it, too, and so can the keyboard.
    assert page.evaluate("new Date(document.getElementById('filter-from').value).toISOString()") == chosen[0]
    click(page, ".times button", "Any time")
    page.wait_for(f"location.search == '' && document.querySelectorAll('.runs li').length == {total}")
    enter(page, "#filter-from", "2200-01-01T00:00:00")
    page.wait_for("document.querySelector('.empty')?.textContent.includes('No run fits')")


def test_a_time_further_back_is_found_without_scrolling(own_server, page):
    server = own_server
    first = server.start_run("payer", "hello 0")
    server.wait(first)
    began = server.run(first)["created_at"]
    for i in range(130):
        server.start_run("payer", f"hello {i}")
    page.open(f"{server.ready['http']}/runs")
    # The picture is of all runs, however many the list has.
    page.wait_for("document.querySelector('.histogram-key')?.textContent.includes('131 runs')")
    assert page.evaluate("performance.getEntriesByType('resource').filter(e => e.name.includes('/api/v1/runs?')).length") <= 3
    # More than a page of newer runs lies before it; the end is not part of the range.
    after = (datetime.datetime.fromisoformat(began.replace("Z", "+00:00")) + datetime.timedelta(milliseconds=1)).isoformat(timespec="milliseconds")
    page.open(f"{server.ready['http']}/runs?from={began}&to={after.replace('+00:00', 'Z')}")
    page.wait_for(f"document.querySelectorAll('.runs li').length == 1 && !!document.querySelector('[data-run=\"{first}\"]')")
    page.open(f"{server.ready['http']}/runs?to={began}")
    page.wait_for("document.querySelector('.empty')?.textContent.includes('No run fits')")


def test_who_waits_for_a_person_is_seen_when_it_does(own_server, page):
    server = own_server
    page.call("Page.addScriptToEvaluateOnNewDocument", source="window.setInterval = () => 0")  # by the feed alone
    page.open(f"{server.ready['http']}/runs")
    page.wait_for("document.querySelector('#link')?.dataset.state == 'live' && !!document.querySelector('.empty')")
    run = server.start_run("payer", "pay, please")
    page.wait_for(f"document.querySelector('[data-run=\"{run}\"] .chip')?.textContent.includes('waits for approval')")
    page.wait_for("document.querySelector('.histogram')?.getAttribute('aria-label').includes('1 waiting')")
    page.wait_for("document.querySelector('.bar .count')?.textContent.startsWith('1')")


def test_a_batch_is_of_the_time_that_is_shown(own_server, page):
    server = own_server
    runs = [server.start_run("payer", "at length, please") for _ in range(2)]
    for run in runs:
        server.wait(run, lambda r: r["status"] == "running")
    page.open(f"{server.ready['http']}/runs?status=running&from=2200-01-01T00:00:00.000Z")
    click(page, ".filter button", "Batch")
    click(page, "dialog button", "Dry run")
    page.wait_for("document.querySelector('dialog [role=status]')?.textContent.startsWith('0 runs')")
    page.open(f"{server.ready['http']}/runs?status=running&to=2200-01-01T00:00:00.000Z")
    click(page, ".filter button", "Batch")
    click(page, "dialog button", "Dry run")
    page.wait_for("document.querySelector('dialog [role=status]')?.textContent.startsWith('2 runs')")


def test_a_view_is_kept_under_a_name(server, page):
    server.wait(server.start_run("payer", "refuse"))
    page.open(f"{server.ready['http']}/runs?status=failed")
    click(page, ".views button", "Save view")
    page.wait_for("document.activeElement.id == 'view-name'")
    enter(page, "#view-name", "<b>bad</b>")
    click(page, ".view-form button", "Save")
    page.wait_for("document.querySelector('.view a[aria-current]')?.textContent == '<b>bad</b>'")
    page.open(f"{server.ready['http']}/runs")
    page.wait_for("location.search == '' && document.querySelectorAll('.view a').length == 1 && !document.querySelector('.view a[aria-current]')")
    click(page, ".view a", "bad")
    page.wait_for("location.search == '?status=failed' && document.getElementById('filter-status').value == 'failed'")
    reload(page)
    page.wait_for("!!document.querySelector('.view a[aria-current]')")
    click(page, ".view button", "\u2715")
    page.wait_for("!document.querySelector('.view')")
    page.evaluate("localStorage.setItem('holdfast.views.runs', '[1, {')")
    page.open(f"{server.ready['http']}/runs")
    page.wait_for("location.search == '' && !!document.querySelector('.runs .run') && !document.querySelector('.view')")


def test_many_runs_are_paused_resumed_cancelled_and_retried(own_server, page):
    server = own_server
    runs = [server.start_run("payer", "at length, please") for _ in range(3)]
    for run in runs:
        server.wait(run, lambda r: r["status"] == "running")
    page.open(f"{server.ready['http']}/runs?agent=payer&status=running")
    page.wait_for(f"document.querySelectorAll('.runs .run').length == 3")

    def act(status, action, words, done):
        enter(page, "#batch-status", status)
        page.wait_for(f"[...document.querySelectorAll('#batch-action option')].some(o => o.value == '{action}')")
        enter(page, "#batch-action", action)
        click(page, "dialog button", "Dry run")
        page.wait_for(f"document.querySelector('dialog [role=status]')?.textContent.startsWith('3 runs would be {done}')")
        assert page.evaluate("document.querySelectorAll('.batch-rows li').length") == 3
        before = sorted(server.run(run)["status"] for run in runs)
        click(page, "dialog button", f"{words} 3 runs")
        page.wait_for(f"document.querySelector('dialog [role=status]')?.textContent == '3 runs {done}.'")
        return before

    click(page, ".filter button", "Batch")
    page.wait_for("document.getElementById('batch-status')?.value == 'running'")
    assert act("running", "pause", "Pause", "paused") == ["running"] * 3  # the dry run did nothing
    for run in runs:
        assert server.run(run)["hold"]["state"] == "paused"
    act("paused", "resume", "Resume", "resumed")
    for run in runs:
        assert "hold" not in server.run(run) or not server.run(run)["hold"]
    act("running", "cancel", "Cancel", "cancelled")
    for run in runs:
        assert server.wait(run)["status"] == "canceled"
    act("canceled", "retry", "Retry", "retried")
    assert page.evaluate("document.querySelectorAll('.batch-rows li a').length") == 6
    assert {row["id"] for row in server.get("/api/v1/runs").json["runs"]} == {*runs, *(f"{run}.retry" for run in runs)}


def test_a_batch_that_fits_nothing_says_so(own_server, page):
    own_server.wait(own_server.start_run("payer", "hello"))
    page.open(f"{own_server.ready['http']}/runs?status=parked")
    click(page, ".filter button", "Batch")
    page.wait_for("document.getElementById('batch-action')?.value == 'resume'")
    click(page, "dialog button", "Dry run")
    page.wait_for("document.querySelector('dialog [role=status]')?.textContent.includes('0 runs')")
    assert "Resume 0" not in text_of(page, "dialog button")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server, page, axe, scheme):
    server.wait(server.start_run("payer", "refuse"))
    page.prefer(scheme)
    page.open(f"{server.ready['http']}/runs?status=failed")
    click(page, ".views button", "Save view")
    page.wait_for("!!document.querySelector('#view-name') && !!document.querySelector('.histogram rect')")
    assert violations(page, axe) == []
    click(page, ".filter button", "Batch")
    click(page, "dialog button", "Dry run")
    page.wait_for("!!document.querySelector('.batch-rows li')")
    assert violations(page, axe) == []


def test_a_phone_has_no_sideways_scroll(server, page):
    server.wait(server.start_run("payer", "refuse"))
    page.resize(390, 844)
    page.open(f"{server.ready['http']}/runs?status=failed")
    page.wait_for("!!document.querySelector('.runs .run') && !!document.querySelector('.histogram rect')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    click(page, ".filter button", "Batch")
    click(page, "dialog button", "Dry run")
    page.wait_for("!!document.querySelector('.batch-rows li')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
