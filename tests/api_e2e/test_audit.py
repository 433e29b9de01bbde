"""The record of who did what, exported: every row once, oldest first, and on from where an export ended."""

import hashlib
import json

from test_identity import PASSWORD, add_user, bearer, code, guarded, local_key, make_key, sign_in  # noqa: F401


def rows(server, who, **filters):
    out, cursor = [], None
    while True:
        query = "&".join(f"{name}={value}" for name, value in {**filters, **({"cursor": cursor} if cursor else {})}.items())
        page = server.get(f"/api/v1/audit?{query}", **who)
        assert page.status == 200, page.text
        out += page.json["rows"]
        cursor = page.json["next_cursor"]
        if page.json["end"]:
            return out, cursor


def test_who_did_what_is_exported_once_and_goes_on(guarded, cli):
    admin = bearer(local_key(guarded))
    add_user(guarded, "ada", {"*": ["admin"]})
    key = make_key(guarded, "ci", {"default": ["operator"]})
    assert sign_in(guarded, "ada")[0].status == 201
    assert sign_in(guarded, "ada", "not the password")[0].status == 401
    assert guarded.request("PUT", "/api/v1/secrets/TOKEN", {"value": "tok-very-secret"}, admin).status == 201
    all_of_it, cursor = rows(guarded, admin)
    kinds = [row["kind"] for row in all_of_it]
    for kind in ("identity.principal_added", "identity.key_created", "identity.signed_in", "identity.sign_in_refused", "secret.set"):
        assert kind in kinds, kinds
    assert [row["id"] for row in all_of_it] == sorted({row["id"] for row in all_of_it})
    assert "tok-very-secret" not in json.dumps(all_of_it) and key["key"] not in json.dumps(all_of_it)
    assert rows(guarded, admin, limit=1)[0] == all_of_it, "whatever the pages"
    assert {row["kind"] for row in rows(guarded, admin, kind="identity.")[0]} == {kind for kind in kinds if kind.startswith("identity.")}
    assert [row["subject"] for row in rows(guarded, admin, kind="secret.set")[0]] == ["TOKEN"]
    assert {row["principal"] for row in rows(guarded, admin, principal="ada")[0]} == {"ada"}
    assert rows(guarded, admin, until=all_of_it[0]["at"])[0] == []
    # What comes later is behind the cursor of now.
    assert rows(guarded, admin, cursor=cursor)[0] == []
    assert guarded.request("DELETE", "/api/v1/secrets/TOKEN", None, admin).status == 200
    assert [row["kind"] for row in rows(guarded, admin, cursor=cursor)[0]] == ["secret.deleted"]
    assert code(guarded.get("/api/v1/audit", **bearer(key["key"]))) == (403, "permission_denied")
    for wrong in ("from=yesterday", "limit=0", "cursor=x", "cursor=LTE", "kind=" + "x" * 1025):
        assert guarded.get(f"/api/v1/audit?{wrong}", **admin).status == 400, wrong


def test_the_command_line_prints_lines_and_where_to_go_on(own_server, cli):
    assert own_server.post("/api/v1/keys", {"principal": "ci", "roles": {"default": ["reader"]}}).status == 201
    done = cli(own_server, "audit", "export", "--kind", "identity.")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["identity.principal_added", "identity.key_created"]
    cursor = done.stderr.split("--cursor ")[1].split()[0]
    again = cli(own_server, "audit", "export", "--cursor", cursor)
    assert (again.returncode, again.stdout) == (0, "")


def of_run(server, run, who):
    return [row for row in rows(server, who, subject=run)[0] if row["kind"].startswith("run.")]


def test_a_run_is_in_the_record_with_who_started_it_and_what_was_said(own_server, agent_text, cli, payments):
    server = own_server
    version = server.get("/api/v1/agents/payer").json["version"]
    run = server.start_run("payer", "pay ann")
    server.wait_for_approval(run)
    sent = server.post(f"/api/v1/runs/{run}/messages", {"input": "and be quick", "by": "mara"})
    assert sent.status in (200, 202), sent.text
    approval = server.wait_for_approval(run)
    assert server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]}).status == 200
    server.wait(run)
    server.wait_until(lambda: len(of_run(server, run, {})) == 3)
    started, spoken, ended = of_run(server, run, {})
    assert (started["kind"], started["principal"]) == ("run.started", "local")
    assert started["detail"] == {"agent": "payer", "version": version, "conversation": run, "input_sha256": hashlib.sha256(b'"pay ann"').hexdigest()}
    assert (spoken["kind"], spoken["principal"]) == ("run.message", "mara")
    assert (ended["kind"], ended["principal"], ended["detail"]["status"]) == ("run.ended", "agent:payer", "completed")
    page = server.get(f"/api/v1/conversations/{run}/messages").json
    assert (ended["detail"]["first"], ended["detail"]["last"], ended["detail"]["branch"]) == (1, page["head"], 0)
    assert ended["detail"]["sha256"] == page["messages"][-1]["sha256"]

    printed = cli(server, "audit", "export", "--messages", "--subject", run)
    assert printed.returncode == 0, printed.stderr
    lines = [json.loads(line) for line in printed.stdout.splitlines()]
    behind = lines[[line["kind"] for line in lines].index("run.ended") + 1 :]
    assert [line["detail"]["sequence"] for line in behind] == list(range(1, page["head"] + 1))
    assert behind[-1]["detail"]["sha256"] == ended["detail"]["sha256"]
    said = [(line["kind"], line["principal"], line["detail"]["text"]) for line in behind]
    assert said[0] == ("message.user", "local", "pay ann")
    assert said[1] == ("message.assistant", "agent:payer", "I pay.")
    assert said[2][:2] == ("message.tool", "tool:pay")
    assert ("message.user", "mara", "and be quick") in said
    assert cli(server, "audit", "export", "--subject", run).stdout.count("message.user") == 0
    # Page by page the same.
    cursor, paged = "", []
    while cursor is not None:
        answer = server.get(f"/api/v1/audit/messages?run={run}&limit=1" + (f"&cursor={cursor}" if cursor else "")).json
        paged += answer["rows"]
        cursor = answer["next_cursor"]
    assert paged == behind
    assert server.get("/api/v1/audit/messages").status == 400
    assert server.get("/api/v1/audit/messages?run=nobody").json == {"rows": [], "next_cursor": None}


def test_a_killed_server_writes_the_end_of_a_run_once(own_server):
    server = own_server
    run = server.start_run("payer", "at length")
    server.wait(run, lambda r: r["status"] == "running")
    server.kill()
    server.start()
    assert server.post(f"/api/v1/runs/{run}/terminate", {}).status in (200, 202)
    server.wait_until(lambda: len(of_run(server, run, {})) == 3)
    server.kill()
    server.start()
    started, asked, ended = of_run(server, run, {})
    assert (started["kind"], ended["kind"], ended["detail"]["status"]) == ("run.started", "run.ended", "terminated")
    assert (asked["kind"], asked["principal"], asked["detail"]) == ("run.terminate_requested", "local", {})
    assert ended["detail"]["error_type"] == "Terminated"


def test_who_steers_a_run_is_in_the_record(own_server):
    server = own_server
    key = bearer(make_key(server, "ci", {"default": ["operator"]})["key"])
    run = server.start_run("payer", "pay ann")
    server.wait_for_approval(run)
    for verb, body in (("pause", {"reason": "lunch"}), ("resume", {}), ("cancel", {"reason": "enough"})):
        assert server.request("POST", f"/api/v1/runs/{run}/{verb}", body, key).status in (200, 202), verb
    server.wait(run)
    assert server.request("POST", f"/api/v1/runs/{run}/cancel", {}, key).status == 409, "it is over: nothing is asked"
    said = [(row["kind"], row["principal"], row["detail"]) for row in of_run(server, run, {}) if row["kind"].endswith("_requested")]
    assert said == [
        ("run.pause_requested", "ci", {"reason": "lunch"}),
        ("run.resume_requested", "ci", {}),
        ("run.cancel_requested", "ci", {"reason": "enough"}),
    ]


def test_other_grants_of_the_operator_are_in_the_record_when_a_server_starts(own_server):
    server = own_server
    changes = lambda: rows(server, {}, kind="grant.operator_changed")[0]  # noqa: E731
    assert len(changes()) == 1 and "host:127.0.0.1" in changes()[0]["detail"]["added"]
    server.stop()
    server.start()
    assert len(changes()) == 1
    server.stop()
    server.options += ["--grant", "host:example.com"]
    server.start()
    assert len(changes()) == 2
    last = changes()[-1]
    assert (last["principal"], last["detail"]["added"], last["detail"]["removed"]) == ("operator", ["host:example.com"], [])


def test_only_admins_read_what_was_said(guarded):  # noqa: F811
    reader = bearer(make_key(guarded, "rr", {"default": ["reader"]})["key"])
    assert code(guarded.get("/api/v1/audit/messages?run=x", **reader)) == (403, "permission_denied")
    assert guarded.get("/api/v1/audit/messages?run=x", **bearer(local_key(guarded))).status == 200
