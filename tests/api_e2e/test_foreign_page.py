"""Pages of other sites reach nothing, whatever they try: in a real browser, from another port, another name, a page without an
origin, and a name that is rebound to this machine while its page is open. What the server was asked stands in the door."""

import json

import pytest

import browser
from foreign_page import Door

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

FOREIGN = "elsewhere.example"


@pytest.fixture
def door(server):
    one = Door(server.http)
    yield one
    one.close()


@pytest.fixture
def elsewhere():
    """The web server of the page, where that is another one."""
    one = Door()
    yield one
    one.close()


@pytest.fixture
def page(tmp_path):
    one = browser.Page(tmp_path / "profile", flags=[f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1"])
    yield one
    one.close()


def outcome_of(page, url):
    page.open(url)
    return json.loads(page.wait_for("window.outcome"))


def state_of(server):
    return server.get("/api/v1/runs?limit=200").json, server.get("/api/v1/agents").json


def nothing_was_reached(seen, door, server, before):
    shown = {name: what for name, what in seen.items() if not what.startswith(("error: ", "opaque 0 ", "sent", "loaded"))}
    assert shown == {}
    assert {status for _, _, _, status in door.seen} <= {403, 421}, [(asked[:2], asked[3]) for asked in door.seen]
    assert len(door.seen) >= 12, "the browser kept requests back, so that they prove nothing"
    assert state_of(server) == before


@pytest.mark.parametrize("origin", ["127.0.0.1", "localhost", FOREIGN])
def test_a_page_of_another_origin(server, door, elsewhere, page, origin):
    before = state_of(server)
    elsewhere.attack(f"http://127.0.0.1:{door.port}")
    seen = outcome_of(page, f"http://{origin}:{elsewhere.port}/attack.html")
    nothing_was_reached(seen, door, server, before)


def test_a_page_without_an_origin(server, door, elsewhere, page):
    before = state_of(server)
    elsewhere.attack(f"http://127.0.0.1:{door.port}", sandboxed=True)
    seen = outcome_of(page, f"http://{FOREIGN}:{elsewhere.port}/attack.html")
    nothing_was_reached(seen, door, server, before)
    assert any(headers.get("Origin") == "null" for _, _, headers, _ in door.seen)


def test_a_name_that_is_rebound_while_its_page_is_open(server, door, page):
    """To the browser page and API are one origin: it sends no header that says otherwise, and hides no answer."""
    before = state_of(server)
    door.attack(f"http://{FOREIGN}:{door.port}")
    seen = outcome_of(page, f"http://{FOREIGN}:{door.port}/attack.html")
    assert "foreign_host" in seen["fetch"]
    assert {status for _, _, _, status in door.seen} == {421}
    assert all("Sec-Fetch-Site" not in headers for _, _, headers, _ in door.seen)
    assert len(door.seen) >= 12
    assert state_of(server) == before


@pytest.mark.parametrize("path", ["/", "/runs?status=failed", "/runs/some-run"])
def test_a_link_leads_to_the_page_and_a_frame_does_not(server, door, elsewhere, page, path):
    """What a person may do on purpose, another site may offer: a link. The page it leads to is ours alone."""
    elsewhere.page = f"<!doctype html><a href='http://127.0.0.1:{door.port}{path}'>there</a>"
    page.open(f"http://{FOREIGN}:{elsewhere.port}/attack.html")
    page.wait_for("!!document.querySelector('a')")
    page.evaluate("document.querySelector('a').click()")
    page.wait_for(f"location.href.startsWith('http://127.0.0.1:{door.port}/') && !!document.querySelector('main .screen')")
    assert door.seen[0][1:2] + door.seen[0][3:] == (path, 200)
    assert door.seen[0][2]["Sec-Fetch-Site"] == "cross-site"
