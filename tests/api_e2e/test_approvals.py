"""Approvals: one decision wins, also against the clock, a second person and a kill."""

import concurrent.futures


def decide(server, approval, decision="approve", headers=None, **more):
    body = {"decision": decision, "arguments_sha256": approval["arguments_sha256"], **more}
    return server.post(f"/api/v1/approvals/{approval['id']}/decision", body, headers)


def test_who_approves_says_what_he_saw(server, payments):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    for decision in ({"decision": "approve"}, {"decision": "edit", "arguments": {"amount": 1}}):
        answer = server.post(f"/api/v1/approvals/{approval['id']}/decision", decision)
        assert answer.status == 400 and answer.json["code"] == "missing_field", answer.text
    rejected = server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "reject"})
    assert rejected.status == 200, rejected.text


def test_approve_once(server, payments):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    assert approval["tool"] == "pay" and approval["arguments"] == {"amount": 250}
    assert approval["reason"] == "Payments need a person."
    listed = server.get("/api/v1/approvals?status=pending").json["approvals"]
    assert approval["id"] in [one["id"] for one in listed]
    assert payments() == []
    answer = decide(server, approval, decided_by="mara", comment="fine", arguments_sha256=approval["arguments_sha256"])
    assert answer.status == 200, answer.text
    assert answer.json["status"] == "approved" and answer.json["decided_by"] == "mara"
    assert server.wait(run)["output"] == "That is settled."
    assert payments() == [250]
    second = decide(server, approval, "reject", decided_by="paul")
    assert (second.status, second.json["code"]) == (409, "approval_already_decided")
    assert "already approved by mara at" in second.json["detail"]
    assert payments() == [250]


def test_reject(server, payments):
    run = server.start_run("payer", "pay, please")
    assert decide(server, server.wait_for_approval(run), "reject", comment="too much").json["status"] == "rejected"
    assert server.wait(run)["status"] == "completed"
    assert payments() == []


def test_edit(server, payments):
    run = server.start_run("payer", "pay, please")
    answer = decide(server, server.wait_for_approval(run), "edit", arguments={"amount": 100})
    assert answer.json["status"] == "edited", answer.text
    server.wait(run)
    assert payments() == [100]


def test_an_edit_that_breaks_the_schema_is_refused_to_its_maker(server, payments):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    for arguments, why in (({"amount": "much"}, "`amount` must be a number"), ({}, "`amount` is missing"), ({"amount": 1, "to": "me"}, "`to`")):
        answer = decide(server, approval, "edit", arguments=arguments)
        assert (answer.status, answer.json["code"]) == (422, "invalid_edit"), answer.text
        assert why in answer.json["detail"]
    assert decide(server, approval, "edit", arguments={"amount": 100}).json["status"] == "edited"
    server.wait(run)
    assert payments() == [100]


def test_ten_people_one_winner(server, payments):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: decide(server, approval, "approve" if i % 2 else "reject", decided_by=f"p{i}"), range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9
    winner = next(answer for answer in answers if answer.status == 200).json
    assert server.wait(run)["approvals"][0]["decided_by"] == winner["decided_by"]
    assert payments() == ([250] if winner["status"] == "approved" else [])


def test_a_repeat_under_the_same_key_gets_the_same_answer(server, payments):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    first = decide(server, approval, headers={"Idempotency-Key": "d1"}, decided_by="mara")
    again = decide(server, approval, headers={"Idempotency-Key": "d1"}, decided_by="mara")
    assert (first.status, again.status) == (200, 200)
    other = decide(server, approval, "reject", headers={"Idempotency-Key": "d1"}, decided_by="mara")
    assert (other.status, other.json["code"]) == (409, "idempotency_key_used"), other.text
    assert "another decision of this approval" in other.json["detail"] and "update" not in other.text
    server.wait(run)
    assert payments() == [250]


def test_after_expiry_it_is_too_late(server, agent_text, payments):
    assert server.request("PUT", "/api/v1/agents/hasty", agent_text("hasty", "300ms")).status == 201
    run = server.start_run("hasty", "pay, please")
    server.wait(run)
    approval = server.run(run)["approvals"][0]
    assert approval["status"] == "expired"
    late = decide(server, approval)
    assert (late.status, late.json["code"]) == (410, "approval_expired")
    assert payments() == []


def test_bad_decisions_change_nothing(server):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    assert decide(server, approval, "perhaps").status == 400
    assert decide(server, approval, "edit").status == 400
    assert decide(server, approval, "edit", arguments=[1]).status == 400
    assert decide(server, approval, "approve", arguments={"amount": 1}).status == 400
    assert decide(server, {"id": "nothing", "arguments_sha256": "0" * 64}).json["code"] == "approval_not_found"
    stale = decide(server, approval, arguments_sha256="0" * 64)
    assert (stale.status, stale.json["code"]) == (409, "decision_refused")
    assert server.run(run)["waiting_on"] == "approval"


def test_a_decision_survives_a_kill(own_server, payments):
    run = own_server.start_run("payer", "pay, please")
    approval = own_server.wait_for_approval(run)
    own_server.kill()
    own_server.start()
    assert own_server.run(run)["waiting_on"] == "approval"
    assert decide(own_server, approval, decided_by="mara").status == 200
    own_server.kill()
    own_server.start()
    assert own_server.wait(run)["status"] == "completed"
    assert payments() == [250]
