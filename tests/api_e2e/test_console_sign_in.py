"""The console of a server that wants to know who asks: nothing is shown before, and nothing after the session has ended."""

import pytest
from holdfast import Server
from test_console import axe, chromium, click, page, pytestmark  # noqa: F401
from test_identity import PASSWORD, add_user, bearer, local_key

FILL = """(() => { for (const [name, value] of Object.entries(%s)) {
  const input = document.querySelector(`.sign-in input[name=${name}]`);
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, value);
} document.querySelector('.sign-in form').requestSubmit(); })()"""


@pytest.fixture
def guarded(binary, agent_text, tmp_path):
    one = Server(binary, tmp_path / "data", "--auth", "required", *agent_text.grants).start()
    yield one
    one.close()


def sign_in(page, name, password):
    page.wait_for("!!document.querySelector('.sign-in input[name=password]')")
    page.evaluate(FILL % f"{{name: {name!r}, password: {password!r}}}")


def open_sessions(server):
    every = server.get("/api/v1/sessions", **bearer(local_key(server))).json["sessions"]
    return [one for one in every if not one["revoked_at"]]


def test_who_has_signed_in_sees_the_console_until_the_session_ends(guarded, page, axe):
    add_user(guarded, "ada", {"default": ["reader"]})
    page.open(f"http://{guarded.http}/runs")
    page.wait_for("!!document.querySelector('.sign-in')")
    assert not page.evaluate("!!document.querySelector('nav')")
    assert page.evaluate(f"{axe}; axe.run().then(r => r.violations.map(v => v.id))") == []
    sign_in(page, "ada", "not the password")
    page.wait_for("!!document.querySelector('.sign-in [role=alert]')")
    sign_in(page, "ada", PASSWORD)
    page.wait_for("!!document.querySelector('.bar nav')")
    page.wait_for("[...document.querySelectorAll('.bar button')].some(b => b.textContent.includes('Sign out ada'))")

    sessions = open_sessions(guarded)
    assert len(sessions) == 1
    revoked = guarded.request("DELETE", f"/api/v1/sessions/{sessions[0]['id']}", headers=bearer(local_key(guarded)))
    assert revoked.status == 200, revoked.text
    page.wait_for("!!document.querySelector('.sign-in')")


def test_who_signs_out_is_out(guarded, page):
    add_user(guarded, "bob", {"default": ["reader"]})
    page.open(f"http://{guarded.http}/runs")
    sign_in(page, "bob", PASSWORD)
    page.wait_for("!!document.querySelector('.bar nav')")
    click(page, ".bar button", "Sign out bob")
    page.wait_for("!!document.querySelector('.sign-in')")
    assert open_sessions(guarded) == []
