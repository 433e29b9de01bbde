"""The page in a real browser against the real server: live text, a decision by click, a server that is killed."""

import pytest

import browser

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

SENTENCE = ("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen twenty.")


@pytest.fixture
def page(tmp_path):
    one = browser.Page(tmp_path / "profile")
    yield one
    one.close()
    assert one.problems == []


def text_of(page, selector):
    return page.evaluate(f"[...document.querySelectorAll({selector!r})].map(e => e.textContent).join('|')")


def test_a_run_that_needs_a_person(server, page, payments, tmp_path):
    run = server.start_run("payer", "pay, please")
    page.open(f"{server.ready['http']}/#/runs/{run}")
    page.wait_for("!!document.querySelector('.approval.pending')")
    assert "Payments need a person." in text_of(page, ".approval .reason")
    assert "250" in text_of(page, ".approval .fields")
    page.wait_for("document.querySelector('.runs [aria-current=page]').textContent.includes('waits for approval')")
    page.evaluate("[...document.querySelectorAll('.approval button')].find(b => b.textContent == 'Approve').click()")
    page.wait_for("!!document.querySelector('.end.completed')")
    assert text_of(page, ".end .prose") == "That is settled."
    assert "approved by page" in text_of(page, ".approval.approved .note")
    assert payments() == [250]
    page.wait_for("document.querySelector('.runs [aria-current=page]').textContent.includes('completed')")


def test_a_killed_server_costs_no_text(own_server, page):
    run = own_server.start_run("payer", "slowly please")
    page.open(f"{own_server.ready['http']}/#/runs/{run}")
    page.wait_for("document.querySelector('.say.model .prose')?.textContent.includes('five')")
    own_server.kill()
    page.wait_for("document.getElementById('link').dataset.state == 'down'")
    own_server.start()
    page.wait_for("document.getElementById('link').dataset.state == 'live'")
    page.wait_for("!!document.querySelector('.end.completed')")
    assert text_of(page, ".say.model .prose") == SENTENCE
    assert text_of(page, ".end .prose") == SENTENCE
    assert len(page.evaluate("[...document.querySelectorAll('.say.user')].length") * "x") == 1


def test_a_run_is_started_on_the_page_and_the_address_is_the_run(server, page):
    page.open(f"{server.ready['http']}/#/new")
    page.wait_for("document.querySelectorAll('#agent option').length > 0")
    page.evaluate("document.getElementById('agent').value = 'payer'; document.getElementById('input').value = 'hello'; 0")
    page.evaluate("document.querySelector('form').requestSubmit()")
    page.wait_for("location.hash.startsWith('#/runs/') && !!document.querySelector('.end.completed')")
    run = page.evaluate("location.hash").removeprefix("#/runs/")
    assert server.run(run)["output"] == "Hello from the script."


def test_skipping_to_the_run_stays_there(server, page):
    run = server.start_run("payer", "hello")
    page.open(f"{server.ready['http']}/#/runs/{run}")
    page.wait_for("!!document.querySelector('.end.completed')")
    page.evaluate("document.querySelector('.skip').click()")
    assert page.evaluate("document.activeElement.id") == "detail"
    assert page.evaluate("location.hash") == f"#/runs/{run}"
    assert page.evaluate("!!document.querySelector('.end.completed')")


def test_an_address_of_no_run_says_so(server, page):
    for address in ("100%", "nothing"):
        page.open(f"{server.ready['http']}/#/runs/{address}")
        page.wait_for(f"document.getElementById('detail')?.textContent.includes(\"there is no run '{address}'\")")
    page.evaluate("location.hash = '#/new'")
    page.wait_for("!!document.getElementById('agent')")


@pytest.mark.parametrize("stop, end", [("cancel", "canceled"), ("terminate", "terminated")])
def test_a_run_that_was_stopped_has_no_running_step(server, page, stop, end):
    run = server.start_run("payer", "at length, please")
    page.open(f"{server.ready['http']}/#/runs/{run}")
    page.wait_for("document.querySelector('.say.model .prose')?.textContent.includes('two')")
    assert server.post(f"/api/v1/runs/{run}/{stop}").status == 202
    page.wait_for(f"!!document.querySelector('.end.{end}')")
    for _ in range(2):
        page.wait_for("document.querySelector('.say.model .note')?.textContent == 'stopped'")
        assert page.evaluate("[...document.querySelectorAll('.timeline .span, .say')].filter(e => e.matches('.running')).length") == 0
        page.call("Page.reload")
    steps = server.wait(run, lambda r: r["closed_at"])["steps"]
    assert [step["status"] for step in steps] == ["stopped"]


def test_a_phone_has_one_column_and_no_sideways_scroll(server, page):
    run = server.start_run("payer", "pay, please")
    page.resize(390, 844)
    page.open(f"{server.ready['http']}/#/runs/{run}")
    page.wait_for("!!document.querySelector('.approval.pending')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("getComputedStyle(document.querySelector('.runs')).display") == "none"
    heights = page.evaluate("[...document.querySelectorAll('.approval button')].map(b => b.getBoundingClientRect().height)")
    assert min(heights) >= 44
    assert page.evaluate("[...document.querySelectorAll('button, a, input, select, textarea')]"
                         ".filter(e => e.offsetParent && !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length") == 0
