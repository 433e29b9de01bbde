"""The record of who did what, exported: every row once, oldest first, and on from where an export ended."""

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
