"""Who may use a server, from outside: what is open stays open on loopback, and what was set up is open to nobody.

Each test has a server of its own. Certificates are made by openssl; gRPC is spoken by the stock Temporal SDK.
"""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess

import pytest
from holdfast import Answer, Server
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, ListWorkflowExecutionsRequest, PollWorkflowTaskQueueRequest
from temporalio.client import Client, TLSConfig, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

PASSWORD = "correct horse battery"


@pytest.fixture
def guarded(binary, agent_text, tmp_path):
    """A server where everybody needs a credential, and nobody has one yet."""
    one = Server(binary, tmp_path / "data", "--auth", "required", *agent_text.grants, log=(tmp_path / "log").open("wb")).start()
    yield one
    one.close()


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def local_key(server):
    return (server.data / "local-key").read_text().strip()


def make_key(server, name, roles, **more) -> dict:
    answer = server.post("/api/v1/keys", {"principal": name, "roles": roles, **more}, bearer(local_key(server)))
    assert answer.status == 201, answer.text
    return answer.json


def sign_in(server, name, password=PASSWORD, **headers) -> tuple[Answer, str]:
    answer = server.post("/api/v1/session", {"name": name, "password": password}, headers)
    cookie = (answer.headers["Set-Cookie"] or "").split(";")[0]
    return answer, cookie


def add_user(server, name, roles):
    answer = server.post("/api/v1/users", {"name": name, "password": PASSWORD, "roles": roles}, bearer(local_key(server)))
    assert answer.status == 201, answer.text


def code(answer) -> tuple:
    return answer.status, answer.json.get("error", answer.json)["code"]


# ---- open and closed


def test_an_untouched_server_on_loopback_asks_for_nothing(own_server):
    assert own_server.get("/api/v1/runs").status == 200
    me = own_server.get("/api/v1/session").json
    assert (me["principal"], me["kind"], me["open"]) == ("local", "local", True)
    assert code(own_server.get("/api/v1/runs", **bearer("hfk_nonsense"))) == (401, "unauthenticated")
    # A key alone closes nothing; an admin does.
    assert own_server.post("/api/v1/keys", {"principal": "ci", "roles": {"default": ["reader"]}}).status == 201
    assert own_server.get("/api/v1/runs").status == 200
    assert own_server.post("/api/v1/users", {"name": "ada", "password": PASSWORD, "roles": {"*": ["admin"]}}).status == 201
    assert code(own_server.get("/api/v1/runs")) == (401, "unauthenticated")
    assert own_server.get("/healthz").status == 200
    assert own_server.get("/readyz").status == 200
    assert own_server.get("/").status == 200
    own_server.kill()
    own_server.start()
    assert own_server.get("/api/v1/runs").status == 401, "a restart forgets nothing"
    assert own_server.get("/api/v1/runs", **bearer(local_key(own_server))).status == 200


def test_every_route_is_closed_to_nobody(guarded):
    paths = guarded.get("/api/v1/openapi.json").json["paths"]
    asked = 0
    for path, operations in paths.items():
        for method in operations:
            name = f"{method.upper()} {path}"
            if method == "parameters" or name in ("GET /api/v1/openapi.json", "GET /healthz", "GET /readyz", "POST /api/v1/session", "POST /api/v1/setup",
                                                  "GET /api/v1/session/providers", "POST /api/v1/session/providers/{provider}", "GET /oidc/callback",
                                                  "POST /api/v1/completions/{token}", "POST /api/v1/slack/actions",
                                                  "GET /decide/{token}", "POST /decide/{token}"):  # the token is the credential
                continue
            for part in ("id", "name", "label", "version", "step", "sha256", "subject", "provider", "group"):
                path = path.replace("{" + part + "}", "x")
            answer = guarded.request(method.upper(), path, {} if method in ("post", "put", "patch") else None)
            assert code(answer) == (401, "unauthenticated"), name
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            asked += 1
    assert asked > 40


def test_the_first_admin_is_made_with_the_token_of_the_start(guarded):
    token = guarded.ready["set_up_token"]
    assert token not in (guarded.data / "addresses.json").read_text()
    body = {"token": token, "name": "ada", "password": PASSWORD}
    assert code(guarded.post("/api/v1/setup", {**body, "token": token[:-1] + ("0" if token[-1] != "0" else "1")})) == (401, "unauthenticated")
    answer = guarded.post("/api/v1/setup", body)
    assert answer.status == 201, answer.text
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
    me = guarded.get("/api/v1/session", Cookie=cookie.split(";")[0]).json
    assert (me["principal"], me["kind"], me["roles"]) == ("ada", "session", {"*": ["admin"]})
    assert guarded.post("/api/v1/setup", body).status == 401, "once"
    guarded.kill()
    guarded.start()
    assert "set_up_token" not in guarded.ready


def test_roles_are_held_to_their_namespace_and_their_right(guarded, agent_text):
    reader, operator, approver, deployer, elsewhere = (
        bearer(make_key(guarded, name, {where: [role]})["key"])
        for name, where, role in (("r", "default", "reader"), ("o", "default", "operator"), ("a", "default", "approver"), ("d", "default", "deployer"), ("e", "other", "admin")))
    definition = agent_text()
    assert code(guarded.request("PUT", "/api/v1/agents/payer", definition, operator)) == (403, "permission_denied")
    assert guarded.request("PUT", "/api/v1/agents/payer", definition, deployer).status == 201
    start = {"agent": "payer", "input": "pay", "id": "run-1"}
    for who in (reader, approver, deployer):
        assert code(guarded.post("/api/v1/runs", start, who)) == (403, "permission_denied")
        assert guarded.get("/api/v1/runs", **who).status == 200
    assert code(guarded.get("/api/v1/runs", **elsewhere)) == (403, "permission_denied"), "a token of another namespace"
    assert guarded.post("/api/v1/runs", start, operator).status == 202
    assert code(guarded.request("DELETE", "/api/v1/runs/run-1", headers=operator)) == (403, "permission_denied")
    assert code(guarded.get("/api/v1/users", **operator)) == (403, "permission_denied")
    assert code(guarded.post("/api/v1/keys", {"principal": "o", "roles": {"*": ["admin"]}}, operator)) == (403, "permission_denied")
    assert code(guarded.post("/api/v1/keys", {"principal": "d"}, operator)) == (403, "permission_denied"), "another's"
    assert guarded.post("/api/v1/keys", {"principal": "o"}, operator).status == 201, "one's own"


# ---- who decided


def test_who_decided_is_the_credentials_word(guarded, agent_text):
    deploy, run = bearer(make_key(guarded, "dd", {"default": ["deployer"]})["key"]), bearer(make_key(guarded, "oo", {"default": ["operator"]})["key"])
    add_user(guarded, "ada", {"default": ["approver"]})
    assert guarded.request("PUT", "/api/v1/agents/payer", agent_text(), deploy).status == 201
    assert guarded.post("/api/v1/runs", {"agent": "payer", "input": "pay", "id": "signed"}, run).status == 202
    waiting = lambda: guarded.get("/api/v1/approvals", **run).json["approvals"]  # noqa: E731
    approval = guarded.wait_until(waiting)[0]
    body = {"decision": "approve", "arguments_sha256": approval["arguments_sha256"], "decided_by": "the boss"}
    path = f"/api/v1/approvals/{approval['id']}/decision"
    assert code(guarded.post(path, body, run)) == (403, "permission_denied")

    # Another client of the engine, which may send updates, cannot decide.
    async def forge():
        client = await Client.connect(guarded.ready["grpc"], api_key=make_key(guarded, "oo2", {"default": ["operator"]})["key"], tls=False)
        handle = client.get_workflow_handle("signed")
        for more in ({}, {"signature": "A" * 86, "expires_at_ms": 1 << 52}):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await handle.execute_update("decide", {"approval": approval["id"], "decision": "approve", "arguments_sha256": approval["arguments_sha256"], "decided_by": "ada", **more})
            assert refused.value.cause.type == "DecisionNotSigned"
    asyncio.run(forge())
    assert waiting()[0]["status"] == "pending"

    _, cookie = sign_in(guarded, "ada")
    page = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    decided = guarded.post(path, body, page)
    assert decided.status == 200, decided.text
    assert decided.json["decided_by"] == "ada"
    guarded.wait_until(lambda: guarded.get("/api/v1/runs/signed", **run).json["status"] == "completed")


# ---- sessions


def test_a_session_changes_nothing_from_elsewhere(guarded):
    add_user(guarded, "ada", {"default": ["operator"]})
    answer, cookie = sign_in(guarded, "ada")
    assert answer.status == 201 and PASSWORD not in answer.text and cookie.split("=")[1] not in answer.text
    assert guarded.get("/api/v1/runs", Cookie=cookie).status == 200
    start = {"agent": "nobody", "input": "x"}
    ours = {"Cookie": cookie, "Origin": f"http://{guarded.http}"}
    assert guarded.post("/api/v1/runs", start, ours).status == 404, "the agent is what is missing"
    for more in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert code(guarded.post("/api/v1/runs", start, {"Cookie": cookie, **more})) == (403, "foreign_origin"), more
    # Signing out ends it for whoever stole it, too.
    assert guarded.request("DELETE", "/api/v1/session", headers=ours).status == 200
    assert guarded.get("/api/v1/runs", Cookie=cookie).status == 401


def test_a_session_is_listed_and_revoked_and_a_role_is_gone_at_once(guarded):
    admin = bearer(local_key(guarded))
    add_user(guarded, "ada", {"default": ["operator"]})
    _, cookie = sign_in(guarded, "ada", **{"User-Agent": "Lynx"})
    start = {"agent": "nobody", "input": "x"}
    ours = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert guarded.post("/api/v1/runs", start, ours).status == 404
    assert guarded.request("PATCH", "/api/v1/users/ada", {"roles": {"default": ["reader"]}}, admin).status == 200
    assert code(guarded.post("/api/v1/runs", start, ours)) == (403, "permission_denied")
    listed = guarded.get("/api/v1/sessions", **admin).json["sessions"]
    assert [(s["principal"], s["label"]) for s in listed] == [("ada", "Lynx")]
    assert guarded.request("DELETE", f"/api/v1/sessions/{listed[0]['id']}", headers=admin).status == 200
    assert guarded.get("/api/v1/runs", Cookie=cookie).status == 401


def test_a_stream_ends_with_what_opened_it(guarded):
    made = make_key(guarded, "watcher", {"default": ["reader"]})
    connection = http.client.HTTPConnection(guarded.http, timeout=30)
    connection.request("GET", "/api/v1/events", headers={"Accept": "text/event-stream", **bearer(made["key"])})
    response = connection.getresponse()
    assert response.status == 200
    admin = bearer(local_key(guarded))
    assert guarded.request("DELETE", f"/api/v1/keys/{made['id']}", headers=admin).status == 200
    assert guarded.post("/api/v1/runs", {"agent": "nobody", "input": "x"}, admin).status == 404
    deploy = guarded.request("PUT", "/api/v1/agents/hello", AGENT, admin)
    assert deploy.status == 201, deploy.text
    assert guarded.post("/api/v1/runs", {"agent": "hello", "input": "x", "id": "secret-run"}, admin).status == 202
    rest = response.read()  # to its end
    assert b"secret-run" not in rest
    connection.close()


AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {name: hello}
spec:
  model: {provider: openai, base_url: "http://127.0.0.1:9/v1", name: x, retry: {attempts: 1}}
  prompt: Hello.
"""


def test_whoever_guesses_is_made_to_wait(guarded):
    add_user(guarded, "ada", {"default": ["reader"]})
    answer = guess(guarded, "ada")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "failed" in answer.json["detail"]
    refused = [sign_in(guarded, name, "a wrong password")[0] for name in ("ada2", "", "a" * 100)]
    assert {(r.status, r.json["detail"]) for r in refused} == {(401, "name or password is wrong")}


def test_a_password_is_changed_by_its_owner(guarded):
    add_user(guarded, "ada", {"default": ["reader"]})
    _, cookie = sign_in(guarded, "ada")
    ours = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert guarded.post("/api/v1/session/password", {"password": "not that one", "new_password": "another long one"}, ours).status == 401
    assert guarded.post("/api/v1/session/password", {"password": PASSWORD, "new_password": "short"}, ours).status == 400
    changed = guarded.post("/api/v1/session/password", {"password": PASSWORD, "new_password": "another long one"}, ours)
    assert changed.status == 201, changed.text
    assert guarded.get("/api/v1/session", Cookie=cookie).status == 401, "sessions of before are over"
    assert sign_in(guarded, "ada")[0].status == 401
    assert sign_in(guarded, "ada", "another long one")[0].status == 201


def guess(server, name, **headers) -> Answer:
    """Wrong passwords until one is not even looked at; each that is makes the next pause twice as long."""
    for _ in range(60):
        answer = sign_in(server, name, "a wrong password", **headers)[0]
        if answer.status == 429:
            return answer
        assert code(answer) == (401, "unauthenticated")
    raise AssertionError("nobody was made to wait")


# ---- keys


def test_a_key_is_shown_once_rotated_and_revoked(guarded, tmp_path):
    admin = bearer(local_key(guarded))
    made = make_key(guarded, "ci", {"default": ["reader"]}, label="build server", expires_in=3600)
    assert guarded.get("/api/v1/runs", **bearer(made["key"])).status == 200
    listed = guarded.get("/api/v1/keys", **admin)
    assert listed.json["keys"][0]["label"] == "build server" and listed.json["keys"][0]["expires_at"]
    fresh = guarded.post(f"/api/v1/keys/{made['id']}/rotate", {}, admin).json
    assert code(guarded.get("/api/v1/runs", **bearer(made["key"]))) == (401, "unauthenticated")
    assert guarded.get("/api/v1/runs", **bearer(fresh["key"])).status == 200
    assert guarded.request("DELETE", f"/api/v1/keys/{fresh['id']}", headers=admin).status == 200
    revoked = guarded.get("/api/v1/runs", **bearer(fresh["key"]))
    assert "revoked" in revoked.json["detail"]
    guarded.stop()
    secrets = [key["key"].rsplit("_", 1)[1] for key in (made, fresh)]
    seen = listed.text + revoked.text + (tmp_path / "log").read_text()
    kept = b"".join(file.read_bytes() for file in guarded.data.rglob("*") if file.is_file())
    assert made["id"].encode() in kept
    for secret in secrets:
        assert secret not in seen and secret.encode() not in kept


def test_the_command_line_knows_its_own_server(binary, guarded, tmp_path):
    def holdfast(*arguments, code=0, text=None, **variables):
        done = subprocess.run([binary, *arguments], cwd=tmp_path, input=text, capture_output=True, text=True,
                              env={**os.environ, **variables}, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout

    (tmp_path / ".holdfast").symlink_to(guarded.data)  # where a server of this folder would have its data
    assert holdfast("session", "whoami").startswith("local (local)")
    holdfast("user", "add", "ada", "--role", "approver", "--role", "reader@other", text=PASSWORD + "\n")
    roles = {u["name"]: u["roles"] for u in json.loads(holdfast("user", "list", "--json"))["users"]}
    assert roles["ada"] == {"default": ["approver"], "other": ["reader"]}
    assert sign_in(guarded, "ada")[0].status == 201
    key = holdfast("key", "create", "ci", "--role", "reader", "--expires", "30d").strip()
    assert holdfast("session", "whoami", "--api", guarded.http, HOLDFAST_API_KEY=key).startswith("ci (key)")
    assert "needs a credential" in subprocess.run([binary, "runs", "--api", guarded.http], capture_output=True, text=True, check=False).stderr
    identity = json.loads(holdfast("key", "list", "--json"))["keys"][0]["id"]
    assert key.rsplit("_", 1)[1] not in holdfast("key", "list")
    holdfast("key", "revoke", identity)
    holdfast("session", "whoami", "--api", guarded.http, HOLDFAST_API_KEY=key, code=1)
    holdfast("user", "disable", "ada")
    assert sign_in(guarded, "ada")[0].status == 401
    holdfast("user", "add", "weak", code=2, text="short\n")


# ---- gRPC


def test_grpc_takes_keys_as_temporals_clients_send_them(guarded):
    key = make_key(guarded, "sdk", {"default": ["operator"]})["key"]

    async def count(**options):
        client = await Client.connect(guarded.ready["grpc"], tls=False, **options)
        return client, [w async for w in client.list_workflows("")]

    async def play():
        _, runs = await count(api_key=key)
        assert runs == []
        for options in ({}, {"api_key": "hfk_wrong"}, {"rpc_metadata": {"authorization": "Basic eDp5"}}):
            with pytest.raises((RPCError, RuntimeError)) as refused:
                await count(**options)
            assert "credential" in str(refused.value), options
        client, _ = await count(api_key=key)
        with pytest.raises(RPCError) as refused:
            await client.workflow_service.list_workflow_executions(ListWorkflowExecutionsRequest(namespace="other"))
        assert refused.value.status == RPCStatusCode.PERMISSION_DENIED
        with pytest.raises(RPCError) as refused:
            await client.workflow_service.poll_workflow_task_queue(worker_poll())
        assert refused.value.status == RPCStatusCode.PERMISSION_DENIED, "an operator is no worker"
        await client.start_workflow("Anything", id="w", task_queue="q")
        client, _ = await count(api_key=make_key(guarded, "reader", {"default": ["reader"]})["key"])
        with pytest.raises(RPCError) as refused:
            await client.start_workflow("Anything", id="w2", task_queue="q")
        assert refused.value.status == RPCStatusCode.PERMISSION_DENIED
        assert "may not run" in str(refused.value)

    asyncio.run(play())


def worker_poll():
    return PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name="q"))


def test_a_task_is_not_handed_to_a_revoked_key(guarded):
    made = make_key(guarded, "worker", {"default": ["deployer"]})
    operator = make_key(guarded, "starter", {"default": ["operator"]})["key"]

    async def play():
        worker = await Client.connect(guarded.ready["grpc"], tls=False, api_key=made["key"])
        poll = asyncio.ensure_future(worker.workflow_service.poll_workflow_task_queue(worker_poll()))
        starter = await Client.connect(guarded.ready["grpc"], tls=False, api_key=operator)
        queue = DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name="q"), task_queue_type=1)
        while not (await starter.workflow_service.describe_task_queue(queue)).pollers:
            await asyncio.sleep(0.01)
        assert guarded.request("DELETE", f"/api/v1/keys/{made['id']}", headers=bearer(local_key(guarded))).status == 200
        await starter.start_workflow("Anything", id="w", task_queue="q")
        with pytest.raises(RPCError) as refused:
            await poll
        assert refused.value.status == RPCStatusCode.UNAUTHENTICATED

    asyncio.run(play())


# ---- TLS


def openssl(*arguments, **options):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options)


def certificate(folder, name, ca=None):
    """name.pem and name.key, signed by itself or by `ca`."""
    key, pem, request = folder / f"{name}.key", folder / f"{name}.pem", folder / f"{name}.csr"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", f"/CN={name}",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", *(["-out", request] if ca else ["-x509", "-days", "2", "-out", pem]))
    if ca:
        openssl("x509", "-req", "-in", request, "-CA", folder / f"{ca}.pem", "-CAkey", folder / f"{ca}.key", "-days", "2", "-copy_extensions", "copy", "-out", pem)
    return pem, key


class TlsServer(Server):
    """The same over TLS, with a certificate that is trusted here alone."""

    trusted = None

    def request(self, method, path, body=None, headers=None) -> Answer:
        context = ssl.create_default_context(cafile=str(self.trusted))
        connection = http.client.HTTPSConnection(self.http.removeprefix("https://"), timeout=30, context=context)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())


@pytest.fixture
def secured(binary, tmp_path):
    certificate(tmp_path, "ca")
    pem, key = certificate(tmp_path, "localhost", "ca")
    certificate(tmp_path, "clients")
    one = TlsServer(binary, tmp_path / "data", "--tls-cert", str(pem), "--tls-key", str(key), "--grpc-client-ca", str(tmp_path / "clients.pem"),
                    "--auth", "required", "--public-url", "https://holdfast.example")
    one.trusted = tmp_path / "ca.pem"
    yield one.start()
    one.close()


def test_https_binds_the_session_to_the_host(secured):
    assert secured.ready["http"].startswith("https://127.0.0.1:")
    add_user(secured, "ada", {"default": ["reader"]})
    answer, cookie = sign_in(secured, "ada")
    assert "; Secure" in answer.headers["Set-Cookie"] and cookie.startswith("__Host-")
    assert secured.get("/api/v1/runs", Cookie=cookie).status == 200
    assert secured.get("/api/v1/runs", Cookie=cookie.removeprefix("__Host-")).status == 401
    assert secured.get("/healthz", Host="holdfast.example").status == 200
    assert secured.get("/healthz", Host="evil.example").status == 421
    with socket.create_connection(secured.http.removeprefix("https://").split(":"), timeout=10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.settimeout(10)
        said = b""
        with contextlib.suppress(ConnectionError):
            while piece := plain.recv(4096):
                said += piece
        assert b"HTTP/1.1 200" not in said, "nothing is served in the clear"


def test_a_renewed_certificate_is_served_without_a_restart(secured, tmp_path):
    def serial():
        host, port = secured.http.removeprefix("https://").split(":")
        context = ssl.create_default_context(cafile=str(secured.trusted))
        with socket.create_connection((host, int(port)), timeout=10) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
            return tls.getpeercert()["serialNumber"]

    before = serial()
    certificate(tmp_path, "localhost", "ca")
    secured.process.send_signal(signal.SIGHUP)
    secured.wait_until(lambda: serial() != before)
    assert secured.get("/healthz").status == 200


def test_grpc_over_tls_takes_keys_and_certificates(secured, tmp_path):
    key = make_key(secured, "worker-7", {"default": ["reader"]})["key"]
    client_pem, client_key = certificate(tmp_path, "worker-7", "clients")
    certificate(tmp_path, "strangers")
    forged_pem, forged_key = certificate(tmp_path, "worker-8", "strangers")
    ca = secured.trusted.read_bytes()

    def tls(pem=None, key=None):
        return TLSConfig(server_root_ca_cert=ca, domain="localhost", client_cert=pem and pem.read_bytes(), client_private_key=key and key.read_bytes())

    async def runs(**options):
        client = await Client.connect(secured.ready["grpc"], **options)
        return [w async for w in client.list_workflows("")]

    async def play():
        assert await runs(tls=tls(), api_key=key) == []
        assert await runs(tls=tls(client_pem, client_key)) == []
        for options in ({"tls": tls()}, {"tls": tls(forged_pem, forged_key)}, {"tls": False, "api_key": key}):
            with pytest.raises((RPCError, RuntimeError)):
                await asyncio.wait_for(runs(**options), 20)

    asyncio.run(play())


def test_no_other_address_without_tls_or_a_proxy(binary, tmp_path):
    def refused(*options):
        done = subprocess.run([binary, "server", "--data", str(tmp_path / "d"), *options], capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 2, done.stderr
        assert not (tmp_path / "d").exists(), "it touched nothing"
        return done.stderr

    assert "--tls-cert" in refused("--http", "0.0.0.0:0", "--grpc", "127.0.0.1:0")
    assert "--trusted-proxy" in refused("--http", "0.0.0.0:0", "--grpc", "127.0.0.1:0")
    assert "--tls-cert" in refused("--grpc", "0.0.0.0:0", "--http", "127.0.0.1:0")
    assert "--auth off" in refused("--http", "0.0.0.0:0", "--trusted-proxy", "127.0.0.1", "--auth", "off")
    assert "go together" in refused("--tls-cert", "x.pem")
    assert "nowhere.pem" in refused("--tls-cert", str(tmp_path / "nowhere.pem"), "--tls-key", str(tmp_path / "nowhere.key"))
    assert "--public-url" in refused("--public-url", "holdfast.example")


def test_behind_a_proxy_everybody_needs_a_credential(binary, tmp_path):
    one = Server(binary, tmp_path / "data", "--trusted-proxy", "127.0.0.1", "--public-url", "https://holdfast.example").start()
    with contextlib.closing(one):
        assert one.get("/api/v1/runs", Host="holdfast.example").status == 401
        assert one.ready["set_up_token"]
        add_user(one, "ada", {"default": ["reader"]})
        answer, _ = sign_in(one, "ada")
        assert "; Secure" in answer.headers["Set-Cookie"], "the proxy has taken TLS off"
        # Each client of the proxy is throttled for itself.
        guess(one, "nobody", **{"X-Forwarded-For": "198.51.100.7"})
        assert sign_in(one, "ada", **{"X-Forwarded-For": "198.51.100.8"})[0].status == 201
