"""Tool grants and the record in the console, in a browser against the real server: a grant is added, narrows an agent and is taken back after a
question; who did what is found by who, what and when, and taken away as a file."""

import json

import browser
import pytest
from test_console import axe, chromium, click, enter, page, text_of, violations  # noqa: F401  (fixtures among them)
from test_console_settings import button_of, signed_in  # noqa: F401
from test_console_sign_in import guarded  # noqa: F401
from test_identity import bearer, local_key

pytestmark = pytest.mark.skipif(not browser.available(), reason="chromium is not installed")

TOOL = "document.querySelector('.verdicts [data-tool=pay]')"


def grants_of(server):
    return server.get("/api/v1/grants").json["grants"]


def add(page, tools, mode="allow", **fields):
    click(page, ".settings button", "Add a tool grant")
    page.wait_for("!!document.querySelector('dialog input[name=tools]')")
    if mode == "deny":
        page.evaluate("document.querySelectorAll('dialog input[name=mode]')[1].click()")
    enter(page, "dialog input[name=tools]", tools)
    for name, value in fields.items():
        enter(page, f"dialog input[name={name}]", value)
    click(page, "dialog button[type=submit]", "Add")


def shown(of):
    return f"document.querySelector('[data-grant=\"{of}\"]')"


def test_a_tool_is_granted_denied_and_taken_back(own_server, page):
    server = own_server
    page.open(f"{server.ready['http']}/settings?part=grants")
    page.wait_for("document.querySelector('.settings .empty')?.textContent.includes('no tool grant')")
    page.wait_for("!!document.querySelector('.granted select')")
    enter(page, ".granted select[aria-label=Agent]", "payer")
    page.wait_for(f"{TOOL}?.textContent.includes('no grant limits it')")
    # A name that is none is told in the dialog.
    add(page, "not a tool!")
    page.wait_for("document.querySelector('dialog [role=alert]')?.textContent.includes('tool!')")
    click(page, "dialog button", "Close")
    add(page, "look_up, crm__*", agent="payer", reason="incident 12")
    page.wait_for(f"!document.querySelector('dialog') && {TOOL}?.textContent.includes('not allowed')")
    (only,) = grants_of(server)
    assert (only["agent"], only["team"], only["environment"], only["mode"], only["tools"], only["reason"]) == ("payer", "*", "*", "allow", ["crm__*", "look_up"], "incident 12")
    assert "payer" in page.evaluate(shown(only["id"]) + ".textContent") and "incident 12" in page.evaluate(shown(only["id"]) + ".textContent")
    # The last one that limits an agent opens all of its tools: that is asked for once more.
    button_of(page, f"Revoke {only['id']}")
    click(page, "dialog button", "Revoke")
    page.wait_for("document.querySelector('dialog [role=alert]')?.textContent.includes('last grant')")
    assert grants_of(server) == [only]
    click(page, "dialog button", "Revoke, and allow every tool")
    page.wait_for(f"!document.querySelector('dialog') && !{shown(only['id'])} && {TOOL}?.textContent.includes('no grant limits it')")
    assert grants_of(server) == []
    # Denied in an environment, and nowhere else.
    add(page, "pay", "deny", environment="production")
    page.wait_for("!document.querySelector('dialog') && [...document.querySelectorAll('.granted option')].some(o => o.value == 'production')")
    assert page.evaluate(f"{TOOL}.querySelector('.chip').textContent") == "allowed"
    enter(page, ".granted select[aria-label=Environment]", "production")
    page.wait_for(f"{TOOL}.querySelector('.chip').textContent == 'not allowed'")
    (denied,) = grants_of(server)
    button_of(page, f"Revoke {denied['id']}")
    click(page, "dialog button", "Revoke")
    page.wait_for("!document.querySelector('dialog') && !!document.querySelector('.settings .empty')")
    assert "host:127.0.0.1" in text_of(page, ".operator-grants")


def test_who_may_not_grant_sees_them_and_no_more(guarded, page, signed_in):
    row = guarded.post("/api/v1/grants", {"tools": ["pay"], "mode": "deny"}, bearer(local_key(guarded))).json
    signed_in("dan", {"default": ["deployer"]}, "/settings?part=grants")
    page.wait_for(f"!!{shown(row['id'])}")
    assert "Revoke" not in text_of(page, ".grants button") and "Add a tool grant" not in text_of(page, ".settings button")
    page.open(f"http://{guarded.http}/record")
    page.wait_for("!!document.querySelector('.record [role=alert]')")


def rows(page):
    return page.evaluate("[...document.querySelectorAll('.record-rows li')].map(row => row.dataset.kind)")


def test_the_record_is_found_by_who_what_and_when(own_server, page):
    server = own_server
    run = server.start_run("payer", "hello")
    server.wait(run, lambda r: r["bill"])
    assert server.post("/api/v1/grants", {"tools": ["pay"], "mode": "deny", "reason": "<b>now</b>"}).status == 201
    page.open(f"{server.ready['http']}/settings?part=grants")
    click(page, ".parts a", "The record")
    page.wait_for("location.pathname == '/record' && document.querySelectorAll('.record-rows li').length >= 3")
    found = rows(page)
    assert found[0] == "grant.added" and found.index("run.ended") < found.index("run.started"), "the newest first"
    page.evaluate("document.querySelector('.record-rows summary').click()")
    assert "<b>now</b>" in text_of(page, ".record-rows details[open]")
    page.wait_for("!!document.querySelector('.record-filter input[name=kind]')")
    enter(page, ".record-filter input[name=kind]", "run.")
    click(page, ".record-filter button", "Show")
    page.wait_for("location.search == '?kind=run.' && document.querySelectorAll('.record-rows li').length == 2")
    enter(page, ".record-filter input[name=subject]", "nothing")
    click(page, ".record-filter button", "Show")
    page.wait_for("document.querySelector('.record .empty')?.textContent.includes('Nothing')")
    page.open(f"{server.ready['http']}/record?until=2020-01-01T00:00:00.000Z&from=1970-01-01T00:00:00.000Z")
    page.wait_for("!!document.querySelector('.record .empty')")
    click(page, ".record-filter button", "Clear")
    page.wait_for("location.search == '' && document.querySelectorAll('.record-rows li').length >= 3")
    page.evaluate(f"[...document.querySelectorAll('.record-rows a')].find(a => a.textContent == '{run}').click()")
    page.wait_for(f"location.pathname == '/runs/{run}'")


def test_the_record_is_exported_as_the_command_line_does(own_server, page, cli):
    server = own_server
    server.wait(server.start_run("payer", "hello"), lambda r: r["bill"])
    page.open(f"{server.ready['http']}/record?from=1970-01-01T00:00:00.000Z")
    page.wait_for("document.querySelectorAll('.record-rows li').length >= 2")
    page.evaluate("window.kept = null; URL.createObjectURL = (blob) => { window.kept = blob; return '#'; }; URL.revokeObjectURL = () => {}; HTMLAnchorElement.prototype.click = () => {}")
    click(page, ".record .title button", "Export")
    page.wait_for("!!window.kept")
    exported = [json.loads(line) for line in page.evaluate("window.kept.text()").splitlines()]
    by_command = [json.loads(line) for line in cli(server, "audit", "export").stdout.splitlines()]
    assert exported == by_command


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(own_server, page, axe, scheme):
    assert own_server.post("/api/v1/grants", {"tools": ["pay"], "mode": "deny", "reason": "incident"}).status == 201
    assert own_server.post("/api/v1/grants", {"tools": ["*"], "agent": "payer", "team": "t", "environment": "production"}).status == 201
    page.prefer(scheme)
    page.open(f"{own_server.ready['http']}/settings?part=grants")
    page.wait_for("document.querySelectorAll('[data-grant]').length == 2 && !!document.querySelector('.granted select')")
    enter(page, ".granted select[aria-label=Agent]", "payer")
    page.wait_for(f"!!{TOOL}")
    assert violations(page, axe) == []
    click(page, ".settings button", "Add a tool grant")
    page.wait_for("!!document.querySelector('dialog input[name=tools]')")
    assert violations(page, axe) == []
    page.open(f"{own_server.ready['http']}/record")
    page.wait_for("!!document.querySelector('.record-rows li')")
    page.evaluate("document.querySelector('.record-rows summary').click()")
    assert violations(page, axe) == []


def test_a_phone_has_no_sideways_scroll(own_server, page):
    tools = [f"a_tool_with_a_long_name_{i:02}_" + "x" * 30 for i in range(64)]
    assert own_server.post("/api/v1/grants", {"tools": tools, "agent": "a" * 63, "team": "t" * 63, "environment": "x" * 63, "reason": "r" * 300}).status == 201
    page.resize(390, 844)
    for path, ready in (("/settings?part=grants", "[data-grant]"), ("/record", ".record-rows li")):
        page.open(own_server.ready["http"] + path)
        page.wait_for(f"!!document.querySelector({ready!r})")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
