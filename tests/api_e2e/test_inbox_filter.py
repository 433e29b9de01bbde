"""The console's inbox is everybody's, mine or a team's, as the address says; with keys, on a phone, for whoever reads it aloud."""

import pytest

import browser
from test_console import axe, chromium, click, enter, page, press, text_of, violations  # noqa: F401 (fixtures)
from test_console_sign_in import guarded, sign_in  # noqa: F401
from test_identity import PASSWORD, add_user, bearer, local_key
from test_inbox import waiting
from test_whose_inbox import deploy

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")
ASKS = {"paying": ("approver", 2, "payments"), "ruling": ("admin", 1, "law"), "naming": ("user:ann", 1, "law")}


def shown(page, agents, search):
    listed = ",".join(sorted(agents))
    page.wait_for(f"[...document.querySelectorAll('.asks strong')].map(e => e.textContent).sort().join() == {listed!r} && location.search == {search!r}")
    count = f"{len(agents)} waiting" if agents else "nothing waits"
    page.wait_for(f"document.querySelector('.title .note').textContent == {count!r}")


def choose(page, whose):
    enter(page, "#filter-whose", whose)


@pytest.fixture
def asking(guarded, page, agent_text, payments):  # noqa: F811
    """Three agents ask; the page is ann's, who may decide two of them."""
    local = bearer(local_key(guarded))
    for name, (who, many, team) in ASKS.items():
        deploy(guarded, agent_text, name, who, many, team, local)
        started = guarded.request("POST", "/api/v1/runs", {"agent": name, "input": f"pay {name}", "id": name}, local)
        assert started.status == 202, started.text
        guarded.wait_until(lambda n=name: guarded.get(f"/api/v1/runs/{n}", **local).json["waiting_on"] == "approval")
    add_user(guarded, "ann", {"default": ["approver"]})
    page.open(f"http://{guarded.http}/inbox")
    sign_in(page, "ann", PASSWORD)
    shown(page, ASKS, "")
    return guarded


def test_the_inbox_is_whose_the_address_says(asking, page):
    choose(page, "me")
    shown(page, ["naming", "paying"], "?for=me")
    waiting(page, 3)  # the navigation counts everybody's
    enter(page, "#filter-team", "law")
    page.evaluate("document.querySelector('.whose').requestSubmit()")
    shown(page, ["naming"], "?for=me&team=law")
    page.reload()
    shown(page, ["naming"], "?for=me&team=law")
    choose(page, "")
    shown(page, ["naming", "ruling"], "?team=law")
    choose(page, "team")
    shown(page, [], "?for=team")
    assert not page.evaluate("!!document.querySelector('#filter-team')"), "her teams are teams already"
    assert "your identity provider" in text_of(page, ".inbox-list .empty")
    click(page, ".whose button", "Clear")
    shown(page, ASKS, "")
    page.evaluate("history.back()")
    shown(page, [], "?for=team")


def test_what_i_voted_on_is_not_mine_any_more_and_does_not_vanish_under_my_hands(asking, page, payments):
    choose(page, "me")
    shown(page, ["naming", "paying"], "?for=me")
    page.evaluate("document.querySelector('.asks[data-run=paying]').click()")
    page.wait_for("document.querySelector('.batch .title a').textContent == 'run paying' && location.search.includes('for=me')")
    click(page, ".batch .approval button", "Approve")
    page.wait_for("document.querySelector('.title .note').textContent == '1 waiting'")
    page.wait_for("document.querySelector('.batch .terms')?.textContent.includes('1 of 2')")
    waiting(page, 3)
    assert payments() == []
    page.open(f"http://{asking.http}/inbox?for=me")
    shown(page, ["naming"], "?for=me")


def test_keys_lead_to_the_filter(asking, page):
    press(page, "/")
    page.wait_for("document.activeElement.id == 'filter-whose'")
    choose(page, "me")
    shown(page, ["naming", "paying"], "?for=me")
    assert page.evaluate("document.activeElement.id") == "filter-whose", "the focus stays where it was"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_axe_finds_nothing(asking, page, axe, scheme):  # noqa: F811
    page.prefer(scheme)
    page.resize(390, 844)
    choose(page, "me")
    shown(page, ["naming", "paying"], "?for=me")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = page.evaluate("[...document.querySelectorAll('.whose > *')].map(one => one.getBoundingClientRect().height)")
    assert len(heights) == 3 and min(heights) >= 44, heights
    assert violations(page, axe) == []
    choose(page, "team")
    shown(page, [], "?for=team")
    assert violations(page, axe) == []
