"""Settings in the console: people, keys and sessions, by whom may change them and by whom may not; budgets, which are raised; and
that what somebody signed in does bears their name and no other."""

import json
import re

import pytest

from holdfast import Server
from test_console import axe, chromium, click, enter, page, pytestmark, text_of, violations  # noqa: F401
from test_console_sign_in import guarded, sign_in  # noqa: F401
from test_identity import PASSWORD, add_user, bearer, local_key, make_key

BUDGETED = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: frugal, description: Says little.}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: Be short.
  budgets: {{tokens: 10, calls: 50, on_budget: park}}
"""

PROVIDERS = """
apiVersion: holdfast.dev/v1
kind: IdentityProviders
providers: [{name: corp, label: Corp, issuer: "http://127.0.0.1:9", client_id: holdfast}]
"""


@pytest.fixture
def signed_in(guarded, page):
    """Opens an address as somebody with these roles."""

    def open_as(name, roles, path):
        add_user(guarded, name, roles)
        page.open(f"http://{guarded.http}{path}")
        sign_in(page, name, PASSWORD)
        page.wait_for("!!document.querySelector('.bar nav')")

    return open_as


def row(name):
    return f"document.querySelector('[data-principal={json.dumps(name)}]')"


def button_of(page, label):
    page.wait_for(f"!!document.querySelector('button[aria-label={json.dumps(label)}]:not([disabled])')")
    page.evaluate(f"document.querySelector('button[aria-label={json.dumps(label)}]').click()")


def user(server, name):
    every = server.get("/api/v1/users", **bearer(local_key(server))).json["users"]
    return next(one for one in every if one["name"] == name)


def test_an_admin_adds_changes_and_disables_people(guarded, page, signed_in):
    signed_in("ada", {"*": ["admin"]}, "/settings")
    page.wait_for(f"{row('ada')}?.textContent.includes('you')")
    click(page, ".settings button", "Add a person")
    enter(page, "dialog input[name=name]", "bob")
    enter(page, "dialog input[name=password]", "short")
    enter(page, "dialog input[name=password]", PASSWORD)
    click(page, "dialog button[type=submit]", "Add")
    page.wait_for(f"{row('bob')}?.textContent.includes('reader in default') && !document.querySelector('dialog')")
    button_of(page, "Change bob")
    page.wait_for("!!document.querySelector('dialog fieldset')")
    page.evaluate("[...document.querySelectorAll('dialog .role')].find(one => one.textContent.startsWith('approver')).querySelector('input').click()")
    click(page, "dialog button", "Save")
    page.wait_for(f"{row('bob')}?.textContent.includes('reader, approver in default')")
    assert user(guarded, "bob")["roles"] == {"default": ["reader", "approver"]}
    button_of(page, "Disable bob")
    click(page, "dialog button", "Disable")
    page.wait_for(f"{row('bob')}?.textContent.includes('disabled')")
    assert user(guarded, "bob")["disabled"] is True
    button_of(page, "Enable bob")
    page.wait_for(f"!{row('bob')}?.textContent.includes('disabled')")
    # A name that is there is told in the dialog.
    click(page, ".settings button", "Add a person")
    enter(page, "dialog input[name=name]", "bob")
    enter(page, "dialog input[name=password]", PASSWORD)
    click(page, "dialog button[type=submit]", "Add")
    page.wait_for("document.querySelector('dialog [role=alert]')?.textContent.includes('bob')")


def test_a_key_is_shown_once_and_rotated_and_revoked(guarded, page, signed_in):
    signed_in("ada", {"*": ["admin"]}, "/settings?part=keys")
    click(page, ".settings button", "Create a key")
    page.wait_for("!!document.querySelector('dialog input[name=principal]')")
    enter(page, "dialog input[name=principal]", "ci")
    page.wait_for("document.querySelector('dialog [role=status]')?.textContent.includes('new service')")
    enter(page, "dialog input[name=label]", "payments cluster")
    click(page, "dialog button", "Create")
    page.wait_for("!!document.querySelector('dialog .secret')")
    key = page.evaluate("document.querySelector('dialog .secret').value")
    assert re.fullmatch(r"hfk_\w+", key)
    assert guarded.get("/api/v1/session", **bearer(key)).json["principal"] == "ci"
    click(page, "dialog button", "It is kept")
    page.wait_for("document.querySelector('.identities')?.textContent.includes('payments cluster')")
    assert key not in page.evaluate("document.documentElement.outerHTML")
    button_of(page, "Rotate payments cluster")
    enter(page, "dialog select[name=grace]", "0")
    click(page, "dialog button", "Rotate")
    page.wait_for("!!document.querySelector('dialog .secret')")
    fresh = page.evaluate("document.querySelector('dialog .secret').value")
    assert fresh != key
    click(page, "dialog button", "It is kept")
    assert guarded.get("/api/v1/session", **bearer(key)).status == 401
    button_of(page, "Revoke payments cluster")
    click(page, "dialog button", "Revoke")
    page.wait_for("!document.querySelector('dialog') && !document.querySelector('.identities').textContent.includes('payments cluster')")
    assert guarded.get("/api/v1/session", **bearer(fresh)).status == 401
    page.evaluate("document.querySelector('.settings > section > .role input').click()")
    page.wait_for("document.querySelector('.identities').textContent.includes('revoked')")


def test_who_is_no_admin_has_keys_of_their_own(guarded, page, signed_in):
    make_key(guarded, "worker", {"default": ["deployer"]}, label="not bob's")
    signed_in("bob", {"default": ["reader"]}, "/settings")
    page.wait_for("document.querySelector('.parts [aria-current]')?.textContent == 'API keys'")
    click(page, ".settings button", "Create a key")
    page.wait_for("document.querySelector('dialog input[name=principal]')?.value == 'bob'")
    assert page.evaluate("document.querySelector('dialog input[name=principal]').readOnly")
    click(page, "dialog button", "Create")
    page.wait_for("!!document.querySelector('dialog .secret')")
    click(page, "dialog button", "It is kept")
    page.wait_for("document.querySelectorAll('[data-credential]').length == 1")
    assert "not bob" not in text_of(page, ".identities")
    click(page, ".parts a", "People")
    page.wait_for("document.querySelector('.empty')?.textContent.includes('admins')")


def test_a_session_is_ended(guarded, page, signed_in):
    signed_in("ada", {"*": ["admin"]}, "/settings?part=sessions")
    add_user(guarded, "bob", {"default": ["reader"]})
    assert guarded.post("/api/v1/session", {"name": "bob", "password": PASSWORD}).status == 201
    page.evaluate("document.querySelector('.parts a[aria-current]').click()")
    page.reload()
    page.wait_for("document.querySelectorAll('[data-credential]').length == 2")
    page.evaluate("document.querySelector('button[aria-label^=\"End the session of bob\"]').click()")
    page.wait_for("document.querySelectorAll('[data-credential]').length == 1")
    # One's own: what is asked next is refused.
    page.evaluate("document.querySelector('button[aria-label^=\"End the session of ada\"]').click()")
    page.wait_for("!!document.querySelector('.sign-in')")


def test_ones_own_password(guarded, page, signed_in):
    signed_in("bob", {"default": ["reader"]}, "/settings")
    click(page, ".yourself button", "Change the password")
    enter(page, "dialog input[name=old]", "not the password")
    enter(page, "dialog input[name=fresh]", "quite another one")
    click(page, "dialog button[type=submit]", "Change")
    page.wait_for("!!document.querySelector('dialog [role=alert]')")
    enter(page, "dialog input[name=old]", PASSWORD)
    click(page, "dialog button[type=submit]", "Change")
    page.wait_for("!document.querySelector('dialog')")
    assert guarded.post("/api/v1/session", {"name": "bob", "password": "quite another one"}).status == 201


def test_who_decides_is_who_has_signed_in(guarded, agent_text, page, signed_in, payments):
    key = bearer(local_key(guarded))
    assert guarded.request("PUT", "/api/v1/agents/payer", agent_text(), key).status == 201
    answer = guarded.post("/api/v1/runs", {"agent": "payer", "input": "pay, please"}, key)
    run = answer.json["id"]
    signed_in("ada", {"default": ["reader", "approver"]}, f"/runs/{run}")
    page.wait_for("!!document.querySelector('.approval.pending')")
    # What the page sends names nobody: the credential does.
    page.evaluate("window.sent = []; const ask = window.fetch; window.fetch = async (one, ...rest) => { if (one.method == 'POST') window.sent.push(await one.clone().text()); return ask(one, ...rest); }")
    click(page, ".approval button", "Approve")
    page.wait_for("document.querySelector('.approval.approved .note')?.textContent.includes('approved by ada')")
    assert "decided_by" not in page.evaluate("window.sent.join()")


def test_a_budget_is_raised(own_server, page, model):
    server = own_server
    assert server.request("PUT", "/api/v1/agents/frugal", BUDGETED.format(model=model)).status == 201
    run = server.start_run("frugal", "hello")
    server.wait(run, lambda r: r["waiting_on"] == "budget")
    page.open(f"{server.ready['http']}/budgets?waiting=true")
    page.wait_for(f"document.querySelector('[data-run=\"{run}\"]')?.textContent.includes('1 run waiting')")
    assert "0 of 10" in text_of(page, ".budget-part")
    button_of(page, f"Raise a budget of {run}")
    page.wait_for("document.getElementById('raise-which')?.value == 'tokens'")
    enter(page, "#raise-to", "many")
    page.wait_for("document.querySelector('dialog button[type=submit]').disabled")
    enter(page, "#raise-to", "50000")
    click(page, "dialog button", "Raise")
    assert server.wait(run)["status"] == "completed"
    page.wait_for("document.querySelector('.empty')?.textContent.includes('No run waits')")
    page.evaluate("document.getElementById('only-waiting').click()")
    page.wait_for(f"location.search == '' && document.querySelector('[data-run=\"{run}\"] .chip')?.textContent.includes('completed')")


def test_a_secret_is_set_rotated_and_deleted_and_never_shown(guarded, page, signed_in):
    signed_in("ada", {"*": ["admin"]}, "/settings?part=secrets")
    page.wait_for("document.querySelector('.settings .empty')?.textContent.includes('There is no secret')")
    click(page, ".settings button", "Set a secret")
    enter(page, "dialog input[name=name]", "SHOP_TOKEN")
    enter(page, "dialog input[name=value]", "tok-very-secret")
    click(page, "dialog button[type=submit]", "Set")
    secret = "document.querySelector('[data-secret=SHOP_TOKEN]')"
    page.wait_for(f"{secret}?.textContent.includes('version 1') && {secret}.textContent.includes('by ada') && !document.querySelector('dialog')")
    assert "tok-very-secret" not in page.evaluate("document.documentElement.outerHTML")
    button_of(page, "Rotate SHOP_TOKEN")
    enter(page, "dialog input[name=value]", "another")
    click(page, "dialog button[type=submit]", "Rotate")
    page.wait_for(f"{secret}?.textContent.includes('version 2')")
    # From a file, whose last line break is not meant.
    button_of(page, "Rotate SHOP_TOKEN")
    page.wait_for("!!document.querySelector('dialog form')")
    page.evaluate("document.querySelector('dialog .check input').click()")
    page.wait_for("!!document.querySelector('dialog input[name=file]')")
    page.evaluate("""(() => {
      const held = new DataTransfer();
      held.items.add(new File(['x'.repeat(65537)], 'key.pem'));
      document.querySelector('dialog input[name=file]').files = held.files;
    })()""")
    click(page, "dialog button[type=submit]", "Rotate")
    page.wait_for("document.querySelector('dialog [role=alert]')?.textContent.includes('at most 65,536 bytes')")
    page.evaluate("""(() => {
      const held = new DataTransfer();
      held.items.add(new File(['line one\\nline two\\n'], 'key.pem'));
      document.querySelector('dialog input[name=file]').files = held.files;
    })()""")
    click(page, "dialog button[type=submit]", "Rotate")
    page.wait_for(f"{secret}?.textContent.includes('version 3')")
    button_of(page, "Delete SHOP_TOKEN")
    click(page, "dialog button", "Delete")
    page.wait_for("!!document.querySelector('.settings .empty')")
    assert guarded.get("/api/v1/secrets", **bearer(local_key(guarded))).json["secrets"] == []


def test_who_may_not_set_a_secret_is_told_so(guarded, page, signed_in):
    signed_in("dan", {"default": ["deployer"]}, "/settings?part=secrets")
    page.wait_for("!!document.querySelector('.settings .empty')")
    assert "Set a secret" not in text_of(page, ".settings button")
    page.open(f"http://{guarded.http}/settings?part=groups")
    page.wait_for("!!document.querySelector('.settings section [role=alert], .settings section .empty')")


def test_groups_of_an_identity_provider_get_their_meaning(binary, tmp_path, page):
    (tmp_path / "oidc.yaml").write_text(PROVIDERS)
    server = Server(binary, tmp_path / "data", "--oidc", str(tmp_path / "oidc.yaml")).start()
    try:
        add_user(server, "ada", {"*": ["admin"]})
        page.open(f"http://{server.http}/settings?part=groups")
        page.wait_for("!!document.querySelector('.sign-in form')")
        sign_in(page, "ada", PASSWORD)
        page.wait_for("document.querySelector('.settings .empty')?.textContent.includes('No group means anything')")
        click(page, ".settings button", "Give a group a meaning")
        page.wait_for("document.querySelector('dialog select[name=provider]')?.value == 'corp'")
        enter(page, "dialog input[name=group]", "/finance/leads")
        enter(page, "dialog input[name=teams]", "payments, risk")
        click(page, "dialog button[type=submit]", "Save")
        page.wait_for("document.querySelector('[data-group=\"/finance/leads\"]')?.textContent.includes('reader in default; in teams payments, risk')")
        button_of(page, "Change /finance/leads")
        page.wait_for("!!document.querySelector('dialog fieldset')")
        page.evaluate("[...document.querySelectorAll('dialog .role')].find(one => one.textContent.startsWith('approver')).querySelector('input').click()")
        click(page, "dialog button[type=submit]", "Save")
        page.wait_for("document.querySelector('[data-group]')?.textContent.includes('reader, approver in default')")
        groups = server.get("/api/v1/groups", **bearer(local_key(server))).json["groups"]
        assert [(one["group"], one["roles"], one["teams"], one["set_by"]) for one in groups] == [("/finance/leads", {"default": ["reader", "approver"]}, ["payments", "risk"], "ada")]
        button_of(page, "Delete /finance/leads")
        click(page, "dialog button", "Delete")
        page.wait_for("!!document.querySelector('.settings .empty')")
    finally:
        server.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(guarded, page, axe, signed_in, scheme):
    make_key(guarded, "ci", {"default": ["operator"]}, label="a pipeline")
    assert guarded.request("PUT", "/api/v1/secrets/TOKEN", {"value": "x"}, bearer(local_key(guarded))).status == 201
    page.prefer(scheme)
    signed_in("ada", {"*": ["admin"]}, "/settings")
    for part, ready in (("people", row("ci")), ("keys", "document.querySelector('[data-credential]')"), ("sessions", "document.querySelector('[data-credential]')"),
                        ("secrets", "document.querySelector('[data-secret]')"), ("groups", "document.querySelector('.settings .empty')")):
        page.open(f"http://{guarded.http}/settings?part={part}")
        page.wait_for(f"!!{ready}")
        assert violations(page, axe) == [], part
    page.open(f"http://{guarded.http}/settings?part=people")
    button_of(page, "Change ci")
    page.wait_for("!!document.querySelector('dialog fieldset')")
    assert violations(page, axe) == []
    page.open(f"http://{guarded.http}/budgets")
    page.wait_for("!!document.querySelector('.empty')")
    assert violations(page, axe) == []


def test_a_phone_has_no_sideways_scroll(guarded, page, signed_in):
    make_key(guarded, "a-service-with-a-long-name-" + "x" * 40, {"default": ["operator", "approver"], "billing": ["reader"]}, label="y" * 120)
    assert guarded.request("PUT", "/api/v1/secrets/" + "N" * 64, {"value": "x"}, bearer(local_key(guarded))).status == 201
    page.resize(390, 844)
    signed_in("ada", {"*": ["admin"]}, "/settings")
    for path, ready in (("/settings?part=people", "[data-principal]"), ("/settings?part=keys", "[data-credential]"), ("/settings?part=sessions", "[data-credential]"),
                        ("/settings?part=secrets", "[data-secret]"), ("/budgets", ".empty")):
        page.open(f"http://{guarded.http}{path}")
        page.wait_for(f"!!document.querySelector({ready!r})")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.evaluate("(document.querySelector('.parts [aria-current]')?.getBoundingClientRect().right ?? 0) <= 390"), path
