"""Rows that change behind the server's back: told, used for nothing, and everything beside them goes on."""

import contextlib
import sqlite3


def change(server, statement):
    """Between two starts, as a disk would do it."""
    assert server.stop() == 0
    with contextlib.closing(sqlite3.connect(server.data / "platform" / "platform.db")) as db:
        assert db.execute(statement).rowcount > 0
        db.commit()
    server.start()


def decide(server, approval):
    return server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]})


def test_a_changed_approval_is_not_decided(own_server, payments):
    for run in ("one", "other"):
        own_server.start_run("payer", "pay, please", id=run)
    damaged, sound = (own_server.wait_for_approval(run) for run in ("one", "other"))
    change(own_server, f"UPDATE approvals SET arguments = '{{\"amount\":9}}' WHERE id = '{damaged['id']}'")
    answer = decide(own_server, damaged)
    assert (answer.status, answer.json["code"]) == (500, "data_loss"), answer.text
    assert damaged["id"] in answer.json["detail"]
    listed = own_server.get("/api/v1/approvals?status=pending").json["approvals"]
    assert [one["id"] for one in listed] == [sound["id"]]
    assert decide(own_server, sound).status == 200
    assert own_server.wait("other")["output"] == "That is settled."
    assert payments() == [250]
    assert own_server.process.poll() is None


def test_a_changed_definition_is_not_run(own_server, agent_text, payments):
    assert own_server.request("PUT", "/api/v1/agents/cautious", agent_text("cautious")).status == 201
    change(own_server, "UPDATE definitions SET text = replace(text, '\"ask\"', '\"allow\"') WHERE name = 'cautious'")
    answer = own_server.get("/api/v1/agents/cautious")
    assert (answer.status, answer.json["code"]) == (500, "data_loss"), answer.text
    answer = own_server.post("/api/v1/runs", {"agent": "cautious", "input": "pay, please"})
    assert (answer.status, answer.json["code"]) == (500, "data_loss"), answer.text
    assert [one["name"] for one in own_server.get("/api/v1/agents").json["agents"]] == ["payer"]
    assert own_server.wait(own_server.start_run("payer", "hello"))["status"] == "completed"
    assert payments() == []
