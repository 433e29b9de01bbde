"""Signing in at npm's oidc-provider, a real identity provider, in a plain client and in a browser: ./dev judge oidc, which
fetches it and says where in HOLDFAST_OIDC_PROVIDER."""

import html
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import urllib.parse

import pytest
from holdfast import Server
from test_console import chromium, click, page  # noqa: F401
from test_identity import bearer, code, local_key

PROVIDER = os.environ.get("HOLDFAST_OIDC_PROVIDER", "")
SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "oidc" / "provider.mjs"

pytestmark = pytest.mark.skipif(not PROVIDER, reason="./dev judge oidc fetches the provider")

FILE = """
apiVersion: holdfast.dev/v1
kind: IdentityProviders
providers:
  - {{name: corp, label: "Corp & Co", issuer: "{issuer}", client_id: basic, client_secret_env: "secret:OIDC", scopes: [profile, groups]}}
  - {{name: post, issuer: "{issuer}", client_id: post, client_secret_file: post.secret, client_auth: post, scopes: [profile, groups], session: 1h}}
  - {{name: public, issuer: "{issuer}", client_id: public, scopes: [profile, groups]}}
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Place:
    def __init__(self, binary, folder):
        self.folder, self.port = folder, free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.people = folder / "people.json"
        self.is_in(ada=["staff", "/finance"], eve=["nobody"])
        (folder / "oidc.yaml").write_text(FILE.format(issuer=self.issuer))
        (folder / "post.secret").write_text("secret of post: +/%\n")
        self.log = folder / "log"
        self.server = Server(binary, folder / "data", "--oidc", str(folder / "oidc.yaml"), log=self.log.open("wb")).start()
        self.admin = bearer(local_key(self.server))
        self.put("/api/v1/secrets/OIDC", {"value": "secret of basic: +/%"})
        self.provider = None

    def is_in(self, **people):
        self.people.write_text(json.dumps(people))

    def start_provider(self, **environment):
        # What it imports is found from where its script stands.
        script = self.folder / "provider.mjs"
        script.write_text(SCRIPT.read_text())
        if not (modules := self.folder / "node_modules").exists():
            modules.symlink_to(pathlib.Path(PROVIDER) / "node_modules")
        self.provider = subprocess.Popen(
            ["node", "--preserve-symlinks", "--preserve-symlinks-main", str(script), str(self.port), f"http://{self.server.http}/oidc/callback", str(self.people)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
        assert self.provider.stdout.readline().strip() == b"listening"

    def put(self, path, body):
        answer = self.server.request("PUT", path, body, self.admin)
        assert answer.status in (200, 201), answer.text
        return answer.json

    def means(self, group, provider="corp", **meaning):
        return self.put(f"/api/v1/groups/{provider}/{urllib.parse.quote(group, safe='')}", meaning)

    def close(self):
        if self.provider:
            self.provider.terminate()
            self.provider.wait(10)
        self.server.close()


@pytest.fixture
def place(binary, tmp_path):
    one = Place(binary, tmp_path)
    yield one
    one.close()


class Client:
    """What a browser does, without one: cookies by host, redirects, and the provider's forms."""

    def __init__(self, server):
        self.server, self.cookies, self.went = server, {}, []

    def request(self, method, url, body=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        jar = self.cookies.setdefault(parts.netloc, {})
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()), **(headers or {})}
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        text = response.read().decode()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";")[0].partition("=")
            jar[name] = value
            if not value or "Max-Age=0" in line:
                jar.pop(name, None)
        self.went.append((method, url, response.status))
        return response, text

    def begin(self, provider="corp", return_to="/runs?status=failed") -> str:
        response, text = self.request("POST", f"http://{self.server.http}/api/v1/session/providers/{provider}",
                                      json.dumps({"return_to": return_to}), {"Content-Type": "application/json"})
        assert response.status == 200, text
        cookie = response.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
        return json.loads(text)["url"]

    def until_callback(self, url, name):
        """Through the provider's pages, up to the address that it sends the browser back to."""
        method, body, headers = "GET", None, {}
        for _ in range(20):
            response, text = self.request(method, url, body, headers)
            method, body, headers = "GET", None, {}
            if location := response.headers["Location"]:
                url = urllib.parse.urljoin(url, location)
                if "/oidc/callback" in url:
                    return url
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', text)
            assert form, text
            fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', text))
            if 'name="login"' in text:
                fields.update(login=name, password="any")
            url, method, body = urllib.parse.urljoin(url, html.unescape(form[1])), "POST", urllib.parse.urlencode(fields)
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
        raise AssertionError(self.went)

    def sign_in(self, name, provider="corp", return_to="/runs?status=failed"):
        return self.request("GET", self.until_callback(self.begin(provider, return_to), name))

    def me(self) -> dict:
        response, text = self.request("GET", f"http://{self.server.http}/api/v1/session")
        return json.loads(text) if response.status == 200 else {"status": response.status}


def test_a_person_signs_in_with_what_the_groups_mean(place):
    place.start_provider()
    assert place.server.get("/api/v1/runs").status == 401, "with a provider everybody needs a credential"
    assert place.server.get("/api/v1/session/providers").json["providers"][0] == {"name": "corp", "label": "Corp & Co"}
    place.means("staff", roles={"default": ["operator"]}, teams=["payments"])
    place.means("/finance", roles={"default": ["approver"], "billing": ["reader"]}, teams=["finance"])
    ada = Client(place.server)
    response, _ = ada.sign_in("ada")
    assert (response.status, response.headers["Location"]) == (303, "/runs?status=failed")
    cookies = response.headers.get_all("Set-Cookie")
    assert any(line.startswith("holdfast_session=") and "SameSite=Strict" in line and "HttpOnly" in line for line in cookies)
    assert any(line.startswith("holdfast_oidc=;") for line in cookies)
    me = ada.me()
    assert (me["principal"], me["kind"], me["teams"]) == ("ada@corp", "session", ["finance", "payments"])
    assert {where: sorted(roles) for where, roles in me["roles"].items()} == {"default": ["approver", "operator"], "billing": ["reader"]}
    # Another of no such group, and the same one when the groups are others.
    eve = Client(place.server)
    response, text = eve.sign_in("eve")
    assert response.status == 403 and "None" not in text and "none of the groups" in text and "Corp &amp; Co" in text
    assert eve.me() == {"status": 401}
    place.is_in(ada=["staff"])
    assert ada.sign_in("ada")[0].status == 303
    assert ada.me()["roles"] == {"default": ["operator"]}
    place.is_in(ada=[])
    assert ada.sign_in("ada")[0].status == 403
    assert ada.me()["roles"] == {}
    place.is_in(ada=["staff"])
    assert ada.sign_in("ada")[0].status == 303
    # Out, by himself.
    response, _ = ada.request("DELETE", f"http://{place.server.http}/api/v1/session", headers={"Origin": f"http://{place.server.http}"})
    assert response.status == 200 and ada.me() == {"status": 401}
    people = {one["name"]: one for one in place.server.get("/api/v1/users", **place.admin).json["users"]}
    assert people["ada@corp"]["has_password"] is False and "eve@corp" not in people


def test_each_kind_of_client_and_each_kind_of_key(place):
    place.start_provider(CLAIMS_IN_TOKEN="1")
    for provider in ("corp", "post", "public"):
        place.means("staff", provider, roles={"default": ["reader"]})
        one = Client(place.server)
        assert one.sign_in("ada", provider)[0].status == 303, provider
        # Of one issuer: whoever signs in by another client of it is the same person.
        assert one.me()["principal"] == "ada@corp", provider
    assert "secret of" not in place.log.read_text()


def test_what_is_not_this_sign_in_is_refused(place):
    place.start_provider()
    place.means("staff", roles={"default": ["reader"]})
    ada, other = Client(place.server), Client(place.server)
    url = ada.until_callback(ada.begin(), "ada")
    # Somebody else's browser, one with a sign-in of its own, and a changed state.
    assert other.request("GET", url)[0].status == 401
    other.begin()
    assert other.request("GET", url)[0].status == 401
    assert ada.request("GET", url.replace("state=", "state=x"))[0].status == 401
    ada = Client(place.server)
    url = ada.until_callback(ada.begin(), "ada")
    assert ada.request("GET", url)[0].status == 303
    response, text = ada.request("GET", url)
    assert response.status == 401, "an answer is good for once"
    assert "<a href" in text
    for hostile in ("<script>alert(1)</script>", "access_denied"):
        browser = Client(place.server)
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.begin()).query)["state"][0]
        response, text = browser.request("GET", f"http://{place.server.http}/oidc/callback?" + urllib.parse.urlencode({"state": state, "error": hostile}))
        assert response.status == 401 and "<script" not in text and html.escape(hostile) in text
    assert code(place.server.post("/api/v1/session/providers/none")) == (404, "not_found")
    # A code of the provider's that it does not know.
    browser = Client(place.server)
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.begin()).query)["state"][0]
    response, text = browser.request("GET", f"http://{place.server.http}/oidc/callback?" + urllib.parse.urlencode({"state": state, "code": "guessed"}))
    assert response.status == 401 and "invalid_grant" in text


def test_a_provider_that_is_not_there_says_so(place):
    answer = place.server.post("/api/v1/session/providers/corp")
    assert answer.status == 503 and "cannot be reached" in answer.json["detail"]
    place.start_provider()
    assert Client(place.server).begin().startswith(place.issuer)


def test_a_browser_signs_in_from_the_sign_in_page(place, page):
    place.start_provider()
    place.means("staff", roles={"default": ["reader"]})
    page.open(f"http://{place.server.http}/runs")
    page.wait_for("!!document.querySelector('.sign-in')")
    page.wait_for("document.querySelectorAll('.providers button').length === 3")
    click(page, ".providers button", "Sign in with Corp & Co")
    page.wait_for("location.port === '%d' && !!document.querySelector('input[name=login]')" % place.port)
    page.evaluate("document.querySelector('input[name=login]').value = 'ada'; document.querySelector('input[name=password]').value = 'any'; document.forms[0].requestSubmit()")
    page.wait_for("location.port === '%d' && !!document.querySelector('input[name=prompt][value=consent]')" % place.port)
    page.evaluate("document.forms[0].requestSubmit()")
    page.wait_for("location.pathname === '/runs' && [...document.querySelectorAll('.bar button')].some(b => b.textContent.includes('Sign out ada@corp'))")
    click(page, ".bar button", "Sign out ada@corp")
    page.wait_for("!!document.querySelector('.sign-in')")
