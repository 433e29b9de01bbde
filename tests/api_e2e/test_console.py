"""The console in a real browser against the real server: live text, a decision by click, a server that is killed; what of it is
sent, and that somebody who does not see it can use it."""

import gzip
import json
import pathlib
import re
import subprocess

import pytest

import browser

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
SENTENCE = ("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen twenty.")
FIRST_SCREEN_KIB = 350


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    one = browser.Page(tmp_path_factory.mktemp("console") / "profile")
    yield one
    one.close()


@pytest.fixture
def page(chromium):
    one = chromium.new_tab()
    yield one
    one.close()
    assert one.problems == []


@pytest.fixture(scope="session")
def axe() -> str:
    """Deque's rules for WCAG, as a script."""
    subprocess.run([ROOT / "tools/console.sh", "install"], check=True)
    return (ROOT / "console/node_modules/axe-core/axe.min.js").read_text()


def text_of(page, selector):
    return page.evaluate(f"[...document.querySelectorAll({selector!r})].map(e => e.textContent).join('|')")


def click(page, selector, words):
    """The button of that selector with these words, once it can be pressed."""
    found = f"[...document.querySelectorAll({selector!r})].find(b => b.textContent.includes({words!r}) && !b.disabled)"
    page.wait_for(f"!!{found}")
    page.evaluate(f"{found}.click()")


def enter(page, selector, text):
    """Types into a field, as far as React can tell."""
    page.evaluate(f"""(() => {{
      const field = document.querySelector({selector!r});
      const kind = {{INPUT: HTMLInputElement, TEXTAREA: HTMLTextAreaElement, SELECT: HTMLSelectElement}}[field.tagName];
      Object.getOwnPropertyDescriptor(kind.prototype, 'value').set.call(field, {text!r});
      field.dispatchEvent(new Event(field.tagName == 'SELECT' ? 'change' : 'input', {{bubbles: true}}));
    }})()""")


def press(page, *keys):
    for key in keys:
        page.evaluate(f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: {key!r}, bubbles: true}}))")


def open_run(page, server, run, **search):
    page.open(f"{server.ready['http']}/runs/{run}" + (f"?{'&'.join(f'{k}={v}' for k, v in search.items())}" if search else ""))


# ---- one run


def test_a_run_that_needs_a_person(server, page, payments):
    run = server.start_run("payer", "pay, please")
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.approval.pending')")
    assert "Payments need a person." in text_of(page, ".approval .reason")
    assert "250" in text_of(page, ".approval .fields")
    page.wait_for("document.querySelector('.title .chip').textContent.includes('waits for approval')")
    click(page, ".approval button", "Approve")
    page.wait_for("!!document.querySelector('.end.completed .prose')")
    assert text_of(page, ".end .prose").strip() == "That is settled."
    page.wait_for("document.querySelector('.approval.approved .note')?.textContent.includes('approved by console')")
    assert payments() == [250]
    page.wait_for("document.querySelector('.title .chip').textContent.includes('completed')")
    page.evaluate("document.querySelector('.brand').click()")
    page.wait_for(f"document.querySelector('.runs [data-run=\"{run}\"] .chip')?.textContent.includes('completed')")


def test_arguments_are_edited_before_they_are_approved(server, page, payments):
    run = server.start_run("payer", "pay, please")
    open_run(page, server, run)
    click(page, ".approval button", "Edit")
    page.wait_for("!!document.querySelector('.approval textarea')")
    enter(page, ".approval textarea", '{"amount": ')
    page.wait_for("document.querySelector('.approval [role=alert]')?.textContent.length > 0")
    assert page.evaluate("[...document.querySelectorAll('.approval button')].find(b => b.textContent.includes('as edited')).disabled")
    enter(page, ".approval textarea", '{"amount": "much"}')
    click(page, ".approval button", "as edited")
    page.wait_for("document.querySelector('.approval [role=alert]')?.textContent.includes('amount')")
    enter(page, ".approval textarea", '{"amount": 20}')
    click(page, ".approval button", "as edited")
    page.wait_for("!!document.querySelector('.approval.edited') && !!document.querySelector('.end.completed')")
    assert payments() == [20]


def test_what_is_rejected_is_not_done(server, page, payments):
    run = server.start_run("payer", "pay, please")
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.approval.pending')")
    enter(page, ".approval input", "not this week")
    click(page, ".approval button", "Reject")
    page.wait_for("!!document.querySelector('.approval.rejected') && !!document.querySelector('.end.completed')")
    assert "not this week" in text_of(page, ".approval.rejected .note")
    assert payments() == []


def test_somebody_else_decided_first(server, page, payments):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.approval.pending')")
    # What the page sends comes second, as when two click at once.
    answer = server.post(f"/api/v1/approvals/{approval['id']}/decision",
                         {"decision": "reject", "decided_by": "mara", "arguments_sha256": approval["arguments_sha256"]})
    assert answer.status == 200
    page.wait_for("document.querySelector('.approval.rejected .note')?.textContent.includes('rejected by mara')")
    assert payments() == []


def test_a_killed_server_costs_no_text(own_server, page):
    run = own_server.start_run("payer", "slowly please")
    open_run(page, own_server, run)
    page.wait_for("document.querySelector('.say.model .prose')?.textContent.includes('five')")
    own_server.kill()
    page.wait_for("document.getElementById('link').dataset.state == 'down'")
    own_server.start()
    page.wait_for("document.getElementById('link').dataset.state == 'live'")
    page.wait_for("!!document.querySelector('.end.completed .prose')")
    page.wait_for("!document.querySelector('.say.model[aria-busy=true]')")
    assert text_of(page, ".say.model .prose").strip() == SENTENCE
    assert text_of(page, ".end .prose").strip() == SENTENCE
    assert page.evaluate("document.querySelectorAll('.say.user').length") == 1


def test_who_leaves_a_run_and_comes_back_sees_it_whole(server, page):
    run = server.start_run("payer", "slowly please")
    open_run(page, server, run)
    page.wait_for("document.querySelector('.say.model .prose')?.textContent.includes('three')")
    page.evaluate("document.querySelector('.brand').click()")
    page.wait_for(f"!!document.querySelector('.runs [data-run=\"{run}\"]')")
    page.evaluate("history.back()")
    page.wait_for("document.querySelector('.say.model .prose')?.textContent.includes('three')")
    page.reload()
    page.wait_for("!!document.querySelector('.end.completed .prose')")
    page.wait_for("!document.querySelector('.say.model[aria-busy=true]')")
    assert text_of(page, ".say.model .prose").strip() == SENTENCE


def test_a_run_is_paused_written_to_and_resumed(server, page):
    run = server.start_run("payer", "slowly please")
    open_run(page, server, run)
    page.wait_for("document.querySelector('.say.model .prose')?.textContent.includes('two')")
    click(page, ".run-actions button", "Pause")
    page.wait_for("document.querySelector('.title .chip').textContent.includes('paused')")
    enter(page, "#message", "and hello")
    click(page, ".composer button", "Send")
    page.wait_for("document.getElementById('message').value == ''")
    click(page, ".run-actions button", "Resume")
    page.wait_for("!!document.querySelector('.end.completed')")
    page.wait_for("document.querySelector('.say.message .prose')?.textContent == 'and hello'")
    assert "goes on" in text_of(page, ".note.line")
    assert server.run(run)["output"] == "That is settled."  # the script's second turn


@pytest.mark.parametrize("stop, end", [("cancel", "canceled"), ("terminate", "terminated")])
def test_a_run_that_was_stopped_has_no_running_step(server, page, stop, end):
    run = server.start_run("payer", "at length, please")
    open_run(page, server, run)
    page.wait_for("document.querySelector('.say.model .prose')?.textContent.includes('two')")
    if stop == "cancel":
        click(page, ".run-actions button", "Cancel run")
        enter(page, "dialog[open] input[name=reason]", "a double order")
        assert server.run(run)["status"] == "running"  # it is asked for once more
        click(page, "dialog[open] button[type=submit]", "Cancel run")
    else:
        assert server.post(f"/api/v1/runs/{run}/{stop}").status == 202
    page.wait_for(f"!!document.querySelector('.end.{end}')")
    for _ in range(2):
        page.wait_for("document.querySelector('.say.model .note')?.textContent == 'stopped'")
        assert page.evaluate("document.querySelectorAll('.timeline .span.running, .say.running').length") == 0
        page.reload()
    steps = server.wait(run, lambda r: r["closed_at"])["steps"]
    assert [step["status"] for step in steps] == ["stopped"]


def test_a_step_is_an_address(server, page):
    run = server.start_run("payer", "hello")
    open_run(page, server, run, step=1)
    page.wait_for("!!document.querySelector('.item.chosen .say.model')")
    assert page.evaluate("document.querySelector('.timeline [aria-current=step] .step-name').textContent").startswith("1.")


def test_what_models_and_people_write_is_text(server, page):
    """Markup, scripts, pictures of elsewhere: shown, never done. The fixture fails when the page's policy had to stop anything."""
    hostile = "<img src=x onerror=document.title='bad'> <script>document.title='bad'</script> ![p](http://203.0.113.1/p.png) [l](javascript:alert(1))"
    run = server.start_run("payer", "hello " + hostile)
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.end.completed')")
    assert hostile in text_of(page, ".say.user .prose")
    page.evaluate("document.querySelector('.brand').click()")
    page.wait_for(f"document.querySelector('.runs [data-run=\"{run}\"]')?.textContent.includes('onerror')")
    assert page.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert page.evaluate("document.title") == "Runs \u00b7 Holdfast"


def test_text_is_there_when_its_form_cannot_be_loaded(server, page):
    """As when the server dies between the page and the part of it that reads Markdown."""
    page.call("Network.enable")
    page.call("Network.setBlockedURLs", urls=["*/assets/markdown-*"])
    run = server.start_run("payer", "hello")
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.end.completed')")
    page.wait_for("document.querySelector('.end .prose')?.textContent.trim() == 'Hello from the script.'")
    assert text_of(page, "[role=alert]") == ""


# ---- the rest


def test_a_run_is_started_on_the_page_and_the_address_is_the_run(server, page):
    page.open(f"{server.ready['http']}/new")
    page.wait_for("document.querySelectorAll('#agent option').length > 0")
    enter(page, "#agent", "payer")
    enter(page, "#input", "hello")
    click(page, "form button", "Start run")
    page.wait_for("location.pathname.startsWith('/runs/') && !!document.querySelector('.end.completed')")
    run = page.evaluate("location.pathname").removeprefix("/runs/")
    assert server.run(run)["output"] == "Hello from the script."


def test_runs_come_as_they_are_scrolled_to_and_as_they_happen(own_server, page):
    server = own_server
    first = server.start_run("payer", "hello 0")
    for i in range(1, 130):
        last = server.start_run("payer", f"hello {i}")
    server.wait(last)
    page.open(f"{server.ready['http']}/runs")
    page.wait_for(f"!!document.querySelector('.runs [data-run=\"{last}\"]')")
    assert page.evaluate("document.querySelectorAll('.runs .run').length") < 60
    assert page.evaluate(f"!document.querySelector('.runs [data-run=\"{first}\"]')")
    page.wait_for(f"(scrollTo(0, document.scrollingElement.scrollHeight), !!document.querySelector('.runs [data-run=\"{first}\"]'))")
    page.evaluate("scrollTo(0, 0)")
    news = server.start_run("payer", "pay, please")
    page.wait_for(f"document.querySelector('.runs li[aria-posinset=\"1\"] [data-run=\"{news}\"]')?.textContent.includes('waits for approval')")
    enter(page, "#filter-status", "running")
    page.wait_for(f"document.querySelectorAll('.runs .run').length == 1 && !!document.querySelector('[data-run=\"{news}\"]')")
    assert page.evaluate("location.search") == "?status=running"
    page.reload()
    page.wait_for("document.querySelectorAll('.runs .run').length == 1")


def test_a_page_that_was_left_holds_no_connection(server, page):
    """A browser has six for a server, and keeps pages that were left for the way back."""
    run = server.start_run("payer", "hello")
    for _ in range(8):
        for path in ("/runs", f"/runs/{run}"):
            page.open(server.ready["http"] + path)
            page.wait_for(f"location.pathname == '{path}' && document.getElementById('link')?.dataset.state == 'live'")


def test_keys(server, page):
    server.wait(server.start_run("payer", "hello"))
    page.open(f"{server.ready['http']}/")
    page.wait_for("location.pathname == '/runs' && !!document.querySelector('.runs .run')")
    press(page, "j")
    page.wait_for("document.activeElement.matches('.runs [aria-posinset=\"1\"] .run')")
    page.evaluate("document.activeElement.click()")
    page.wait_for("location.pathname.startsWith('/runs/') && !!document.querySelector('.end') && document.activeElement.id == 'main'")
    press(page, "g", "n")
    page.wait_for("location.pathname == '/new' && document.activeElement.id == 'input'")
    page.evaluate("document.activeElement.blur()")
    press(page, "?")
    page.wait_for("document.querySelector('dialog[open]')?.textContent.includes('Go to anything')")
    click(page, "dialog button", "Close")
    page.wait_for("!document.querySelector('dialog')")
    page.evaluate("dispatchEvent(new KeyboardEvent('keydown', {key: 'k', ctrlKey: true}))")
    page.wait_for("!!document.querySelector('dialog[open] [cmdk-item]')")
    enter(page, "dialog[open] input", "payer")
    page.wait_for("!!document.querySelector('dialog[open] [cmdk-item][data-value=\"agent payer\"]')")
    page.evaluate("document.querySelector('[cmdk-item][data-value=\"agent payer\"]').click()")
    page.wait_for("location.pathname == '/agents/payer' && !document.querySelector('dialog')")


def test_a_dialog_is_closed_by_a_click_beside_it_alone(server, page):
    page.open(f"{server.ready['http']}/settings?part=keys")
    click(page, ".title button", "Create a key")
    page.wait_for("!!document.querySelector('dialog[open] input[name=label]')")
    left, top = page.evaluate("(box => [box.left, box.top])(document.querySelector('dialog').getBoundingClientRect())")
    page.press_at(left + 5, top + 5)  # its margin
    page.press_at(*page.middle_of("dialog input[name=label]"), until=(left - 20, top + 200))  # text that is marked, beyond its end
    page.press_at(left - 20, top + 200, until=page.middle_of("dialog input[name=label]"))
    assert page.evaluate("!!document.querySelector('dialog[open]')")
    page.press_at(left - 20, top + 200)
    page.wait_for("!document.querySelector('dialog')")


def test_skipping_to_the_content_stays_there(server, page):
    run = server.start_run("payer", "hello")
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.end.completed')")
    page.evaluate("document.querySelector('.skip').click()")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.evaluate("location.pathname + location.hash") == f"/runs/{run}"
    assert page.evaluate("!!document.querySelector('.end.completed')")


def test_a_tab_is_called_what_it_shows(server, page, payments):
    run = server.start_run("payer", "pay, please")
    open_run(page, server, run)
    page.wait_for(f"document.title == '? payer \u00b7 {run} \u00b7 Holdfast'")
    click(page, "#main .approval button", "Approve")
    page.wait_for(f"document.title == '\u2713 payer \u00b7 {run} \u00b7 Holdfast'")
    for path, title in (("/runs", "Runs"), ("/agents", "Agents"), ("/agents/payer", "payer \u00b7 Agents"), ("/settings", "Settings")):
        page.open(server.ready["http"] + path)
        page.wait_for(f"document.title == '{title} \u00b7 Holdfast'")


def test_an_address_of_no_run_says_so(server, page):
    for address, name in (("100%25", "100%"), ("nothing", "nothing")):
        page.open(f"{server.ready['http']}/runs/{address}")
        page.wait_for(f"document.getElementById('main')?.textContent.includes(\"there is no run '{name}'\")")
    page.evaluate("[...document.querySelectorAll('nav a')].find(a => a.textContent == 'New run').click()")
    page.wait_for("!!document.getElementById('agent')")


def test_an_address_of_the_page_before_leads_to_the_run(server, page):
    run = server.start_run("payer", "hello")
    page.open(f"{server.ready['http']}/#/runs/{run}")
    page.wait_for(f"location.pathname == '/runs/{run}' && !!document.querySelector('.end.completed')")


def test_a_phone_has_one_column_and_no_sideways_scroll(server, page, payments):
    run = server.start_run("payer", "pay, please")
    page.resize(390, 844)
    open_run(page, server, run)
    page.wait_for("!!document.querySelector('.approval.pending')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = page.evaluate("[...document.querySelectorAll('.approval button, .run-actions button')].map(b => b.getBoundingClientRect().height)")
    assert min(heights) >= 44
    click(page, ".approval button", "Approve")
    page.wait_for("!!document.querySelector('.end.completed')")
    assert payments() == [250]
    page.evaluate("document.querySelector('.brand').click()")
    page.wait_for("!!document.querySelector('.runs .run')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_all_screens_are_at_hand_in_any_window(server, page):
    """The bar neither hides a screen nor makes the page scroll sideways; on a phone it is where the thumb is."""
    page.open(f"{server.ready['http']}/settings")
    page.wait_for("!!document.querySelector('.parts')")
    for width in (320, 390, 740, 800, 1000, 1160, 1440):
        page.resize(width, 800)
        page.wait_for(f"innerWidth == {width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        boxes = page.evaluate("[...document.querySelectorAll('.bar nav a')].map(a => a.getBoundingClientRect()).filter(box => box.width).map(box => [box.left, box.right, box.top])")
        assert len(boxes) >= 7 and all(left >= 0 and right <= width for left, right, _ in boxes), (width, boxes)
        assert all((top > 600) == (width < 600) for _, _, top in boxes), width


def violations(page, axe) -> list:
    page.evaluate(axe + ";0")
    return json.loads(page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        ".then(r => JSON.stringify(r.violations.map(v => [v.id, v.help, v.nodes.map(n => n.html.slice(0, 200) + ' ' + n.failureSummary)])))"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server, page, axe, scheme):
    waits = server.start_run("payer", "pay, please")
    failed = server.start_run("payer", "refuse")
    page.prefer(scheme)
    for path, ready in (("/runs", ".runs .run"), (f"/runs/{waits}", ".approval.pending button"), (f"/runs/{failed}", ".end.failed"), ("/new", "#agent option")):
        page.open(server.ready["http"] + path)
        page.wait_for(f"location.pathname == '{path}' && !!document.querySelector('{ready}')")
        assert violations(page, axe) == [], path
    page.evaluate("dispatchEvent(new KeyboardEvent('keydown', {key: 'k', ctrlKey: true}))")
    page.wait_for("!!document.querySelector('dialog [cmdk-item]')")
    assert violations(page, axe) == []


@pytest.mark.parametrize("path, ready", [("/runs", "document.querySelector('.filter')"), ("/agents/payer", "document.querySelector('.lines code')"), ("/usage", "document.querySelector('.usage-chart canvas')"), ("/runs/budget", "document.querySelector('.end .prose strong, .end .prose p')")])
def test_the_first_screen_is_small(server, page, path, ready):
    """All that is loaded until a screen can be used, as it comes over the wire."""
    server.post("/api/v1/runs", {"agent": "payer", "input": "hello", "id": "budget"})
    page.open(server.ready["http"] + path)
    page.wait_for(f"!!{ready}")
    loaded = page.evaluate("JSON.stringify(performance.getEntriesByType('resource').filter(e => e.name.includes('/assets/')).map(e => [e.name, e.encodedBodySize]))")
    sizes = dict(json.loads(loaded))
    assert len(sizes) > 3 and min(sizes.values()) > 0
    assert sum(sizes.values()) <= FIRST_SCREEN_KIB * 1024, sizes


# ---- files


def test_files_are_kept_by_their_names_and_pages_are_asked_for_again(server):
    index = server.get("/")
    assert index.status == 200 and index.headers["Content-Type"] == "text/html; charset=utf-8"
    assert index.headers["Cache-Control"] == "no-cache"
    assert "unsafe-inline" not in index.headers["Content-Security-Policy"] and "<script>" not in index.text
    assert "style=" not in index.text and "<style" not in index.text
    for path in ("/runs", "/new", "/runs/some-run"):
        assert server.get(path).text == index.text
    assert server.get("/", **{"If-None-Match": index.headers["ETag"]}).status == 304
    for name in re.findall(r'(?:src|href)="([^"]+)"', index.text):
        assert re.fullmatch(r"/assets/[\w.-]+-[\w-]{8}\.\w+", name), name
        assert server.get(name).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert server.get("/runs/a/b").status == 404
    assert server.get("/assets/nothing.js").headers["Content-Type"] == "application/problem+json"


def test_files_come_packed_to_those_who_unpack(server):
    plain = server.get("/")
    for accepted, packed in (("gzip, deflate, br", True), ("br;q=1.0, gzip;q=0.8", True), ("gzip;q=0", False), ("identity", False), ("xgzip", False)):
        answer = server.get("/", **{"Accept-Encoding": accepted})
        assert (answer.headers.get("Content-Encoding") == "gzip") == packed, accepted
        assert (gzip.decompress(answer.body) if packed else answer.body) == plain.text.encode()
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert (answer.headers["ETag"] == plain.headers["ETag"]) != packed
        assert server.get("/", **{"Accept-Encoding": accepted, "If-None-Match": answer.headers["ETag"]}).status == 304
