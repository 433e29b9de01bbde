"""Policies from outside: who decides, with roles that are proven, across a kill; and rules tried on past calls."""

import json

import pytest
from holdfast import scripted_model
from test_identity import add_user, bearer, code, guarded, local_key, make_key, sign_in  # noqa: F401

FOUR_EYES = """  approvals:
    language: cel
    rules:
      - {name: large, tool: pay, when: args.amount > 100.0, action: ask, who: [approver], quorum: 2, four_eyes: true, escalate: [{after: 1d, to: [admin]}]}
"""


def with_policy(text, approvals):
    return text[: text.index("  approvals:")] + approvals


def test_two_people_with_the_role_and_not_who_started_it(guarded, agent_text, payments):  # noqa: F811
    deploy = bearer(make_key(guarded, "dd", {"default": ["deployer"]})["key"])
    for name, roles in (("ann", ["operator", "approver"]), ("bob", ["approver"]), ("cleo", ["approver"]), ("zoe", ["admin"])):
        add_user(guarded, name, {"default": roles})
    pages = {name: {"Cookie": sign_in(guarded, name)[1], "Sec-Fetch-Site": "same-origin"} for name in ("ann", "bob", "cleo", "zoe")}
    assert guarded.request("PUT", "/api/v1/agents/payer", with_policy(agent_text(), FOUR_EYES), deploy).status == 201
    assert guarded.post("/api/v1/runs", {"agent": "payer", "input": "pay", "id": "eyes"}, pages["ann"]).status == 202
    waiting = lambda: guarded.get("/api/v1/approvals", **pages["bob"]).json["approvals"]  # noqa: E731
    approval = guarded.wait_until(waiting)[0]
    assert (approval["need"], approval["have"], approval["who"], approval["requester"], approval["rule"]) == (2, 0, ["approver"], "ann", "large")
    assert approval["escalated"] == 0 and approval["escalation"][0]["to"] == ["admin"]

    def decide(name, decision="approve", **more):
        body = {"decision": decision, "arguments_sha256": approval["arguments_sha256"], **more}
        return guarded.post(f"/api/v1/approvals/{approval['id']}/decision", body, pages[name])

    for name, why in (("ann", "ann has started this run"), ("zoe", "zoe may not decide this: it is for approver, admin")):
        refused = decide(name)
        assert code(refused) == (409, "decision_refused"), refused.text
        assert why.split(", admin")[0] in refused.json["detail"]
    first = decide("bob")
    assert first.status == 200, first.text
    assert (first.json["status"], first.json["have"], first.json["need"]) == ("pending", 1, 2)
    twice = decide("bob")
    assert code(twice) == (409, "decision_refused") and "bob has approved already" in twice.json["detail"]
    guarded.wait_until(lambda: [vote["by"] for vote in waiting()[0]["votes"]] == ["bob"])
    guarded.kill()
    guarded.start()
    assert waiting()[0]["have"] == 1
    assert payments() == []
    last = decide("cleo")
    assert (last.status, last.json["status"], last.json["have"]) == (200, "approved", 2), last.text
    guarded.wait_until(lambda: guarded.get("/api/v1/runs/eyes", **pages["bob"]).json["status"] == "completed")
    assert payments() == [250], guarded.get("/api/v1/runs/eyes", **pages["bob"]).text


def test_a_link_is_no_second_person_and_no_way_round_the_rule(guarded, agent_text, payments):  # noqa: F811
    deploy = bearer(make_key(guarded, "dd", {"default": ["deployer"]})["key"])
    for name, roles in (("ann", ["operator", "approver"]), ("bob", ["approver"]), ("zoe", ["approver"])):
        add_user(guarded, name, {"default": roles})
    pages = {name: {"Cookie": sign_in(guarded, name)[1], "Sec-Fetch-Site": "same-origin"} for name in ("ann", "bob", "zoe")}

    def asked(run, rule):
        text = with_policy(agent_text(), f"  approvals: {{rules: [{{tool: pay, action: ask, {rule}}}]}}\n")
        assert guarded.request("PUT", "/api/v1/agents/payer", text, deploy).status in (200, 201)
        assert guarded.post("/api/v1/runs", {"agent": "payer", "input": "pay", "id": run}, pages["ann"]).status == 202
        return guarded.wait_until(lambda: [one for one in guarded.get("/api/v1/approvals", **pages["bob"]).json["approvals"] if one["run"] == run])[0]

    def link(approval, maker, recipient):
        return guarded.post(f"/api/v1/approvals/{approval['id']}/links", {"for": recipient}, pages[maker])

    notify = [{"on": ["approval"], "for": "bob", "type": "slack", "slack": {"url_env": "NOWHERE"}}]
    own = with_policy(agent_text(), "")
    for body in ({"agent": "payer", "notify": notify}, {"agent": own}):
        alone = guarded.post("/api/v1/runs", {**body, "input": "pay"}, pages["ann"])
        assert alone.status == 403 and "deployer" in alone.json["detail"], alone.text
    eyes = asked("eyes", "four_eyes: true")
    for maker, recipient in (("ann", "somebody"), ("bob", "ann")):
        refused = link(eyes, maker, recipient)
        assert code(refused) == (409, "link_not_allowed") and "ann has started this run" in refused.json["detail"]
    assert link(eyes, "bob", "somebody").status == 201
    two = asked("two", "quorum: 2")
    assert code(link(two, "bob", "bob")) == (409, "link_not_allowed")
    body = {"decision": "approve", "arguments_sha256": two["arguments_sha256"]}
    local = [guarded.post(f"/api/v1/approvals/{two['id']}/decision", {**body, "decided_by": name}, bearer(local_key(guarded))) for name in ("bob", "zoe")]
    assert (local[0].status, local[0].json["have"]) == (200, 1), local[0].text
    assert code(local[1]) == (409, "decision_refused") and "local has approved already" in local[1].json["detail"]
    named = asked("named", "who: ['user:zoe']")
    assert code(link(named, "bob", "zoe")) == (409, "link_not_allowed")
    assert code(link(named, "zoe", "bob")) == (409, "link_cannot_decide")
    made = link(named, "zoe", "zoe")
    assert made.status == 201, made.text
    path = made.json["url"][made.json["url"].index("/decide/"):]
    token = guarded.get(path).text.split('name="token" value="')[1].split('"')[0]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = guarded.post(path, f"decision=approve&token={token}", form)
    assert answer.status == 200, answer.text
    guarded.wait_until(lambda: guarded.get("/api/v1/runs/named", **pages["bob"]).json["status"] == "completed")
    assert payments() == [250]


def rpc(method, params):
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


# Under which path each protocol starts a run, with what, and by which name it calls the agent.
WAYS_IN = {
    "runs": ("/api/v1/runs", lambda agent: {"agent": agent, "input": "pay"}, {}),
    "responses": ("/v1/responses", lambda agent: {"model": agent, "input": "pay", "background": True}, {}),
    "a2a": ("/a2a/payer", lambda _: rpc("SendMessage", {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "pay"}]}}), {"A2A-Version": "1.0"}),
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_whoever_started_a_run_by_any_protocol_is_known_where_four_eyes_look(guarded, agent_text, payments, way):  # noqa: F811
    deploy = bearer(make_key(guarded, "dd", {"default": ["deployer"]})["key"])
    keys = {name: bearer(make_key(guarded, name, {"default": ["operator", "approver"]})["key"]) for name in ("ann", "bob")}
    rule = "  approvals: {rules: [{tool: pay, action: ask, four_eyes: true}]}\n"
    assert guarded.request("PUT", "/api/v1/agents/payer", with_policy(agent_text(), rule), deploy).status == 201
    assert guarded.request("PUT", "/api/v1/agents/payer/labels/production", {"version": guarded.get("/api/v1/agents/payer", **deploy).json["version"]}, {**deploy, "If-None-Match": "*"}).status in (200, 201)
    path, body, more = WAYS_IN[way]
    started = guarded.post(path, body("payer@production"), {**keys["ann"], **more})
    assert started.status in (200, 202), started.text
    approval = guarded.wait_until(lambda: guarded.get("/api/v1/approvals", **keys["bob"]).json["approvals"])[0]
    assert (approval["requester"], approval["need"]) == ("ann", 1)
    seen = {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]}
    refused = guarded.post(f"/api/v1/approvals/{approval['id']}/decision", seen, keys["ann"])
    assert code(refused) == (409, "decision_refused"), refused.text
    assert guarded.post(f"/api/v1/approvals/{approval['id']}/decision", seen, keys["bob"]).status == 200
    guarded.wait_until(lambda: payments() == [250])


def test_allowed_for_the_run(server, agent_text, payments, cli):
    text = with_policy(agent_text("free"), "  approvals: {language: cel, rules: [{name: all, tool: pay, action: ask}]}\n")
    assert server.request("PUT", "/api/v1/agents/free", text).status in (200, 201)
    run = server.start_run("free", "invoices, please")
    listed = lambda: server.get(f"/api/v1/approvals?status=pending&run={run}").json["approvals"]  # noqa: E731
    server.wait_until(lambda: len(listed()) == 3)
    said = cli(server, "approve", listed()[0]["id"], "--for-run", "--by", "mara")
    assert said.returncode == 0, said.stderr
    assert "scope" in server.post(f"/api/v1/approvals/{listed()[0]['id']}/decision", {"decision": "reject", "scope": "run"}).json["detail"]
    for one in listed():
        assert cli(server, "approve", one["id"]).returncode == 0
    server.wait(run)
    assert sorted(payments()) == [7, 40, 250]


def test_a_policy_is_tried_on_calls(server, agent_text, payments, cli, tmp_path):
    run = server.start_run("payer", "pay, please")
    approval = server.wait_for_approval(run)
    server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]})
    server.wait(run)
    same, other = tmp_path / "same.yaml", tmp_path / "other.yaml"
    same.write_text(agent_text())
    other.write_text(
        with_policy(
            agent_text(),
            """  approvals:
    language: cel
    rules:
      - {name: twice, tool: pay, when: 'calls("pay").exists(c, c.ok)', action: deny}
      - {name: strict, tool: pay, when: args.amount > 200.0, action: deny, mode: shadow}
""",
        )
    )
    kept = cli(server, "policy", "test", str(same), "--run", run)
    assert kept.returncode == 0, kept.stderr
    assert "1 calls: 0 would be ruled on otherwise, 0 by rules in shadow" in kept.stdout
    changed = cli(server, "policy", "test", str(other), "--run", run)
    assert changed.returncode == 1, changed.stdout + changed.stderr
    assert "1 calls: 1 would be ruled on otherwise, 1 by rules in shadow" in changed.stdout

    calls = tmp_path / "calls.jsonl"
    rows = [{"run": "a", "tool": "pay", "args": {"amount": amount}, "at": f"2026-05-17T10:0{i}:00Z", "ruling": "allow"} for i, amount in enumerate((5, 6))]
    calls.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tried = cli(server, "policy", "test", str(other), "--calls", str(calls), "--json")
    assert tried.returncode == 1, tried.stderr
    report = json.loads(tried.stdout)
    assert [(row["was"], row["is"], row["rule"]) for row in report["rulings"]] == [("allow", "allow", ""), ("allow", "deny", "twice")]
    calls.write_text("nonsense\n")
    wrong = cli(server, "policy", "test", str(other), "--calls", str(calls))
    assert wrong.returncode == 2 and "line 1" in wrong.stderr


ASKING = """
    - name: ask
      type: human
      human: {deadline: 1h}
"""


def test_a_question_shows_the_terms_that_its_answers_are_held_to(guarded, agent_text, payments, tmp_path_factory, binary):  # noqa: F811
    deploy = bearer(make_key(guarded, "dd", {"default": ["deployer"]})["key"])
    keys = {name: bearer(make_key(guarded, name, {"default": roles})["key"]) for name, roles in (("ann", ["operator", "admin"]), ("bob", ["admin"]), ("cleo", ["approver"]))}
    script = 'models: [scripted]\nreplies:\n  - when: {turn: 0}\n    tool_calls: [{name: ask, arguments: {question: "How?"}}]\n  - when: {turn: 1}\n    text: "Then: {{last}}"\n'
    with scripted_model(binary, tmp_path_factory.mktemp("asks"), script) as model:
        agent = f"""
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: asks}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You ask.
  tools:{ASKING}  approvals: {{rules: [{{tool: TOOL, action: ask, who: [admin], quorum: 2, four_eyes: true, on_expiry: fail}}]}}
"""
        refused = guarded.request("PUT", "/api/v1/agents/asks", agent.replace("TOOL", "ask"), deploy)
        assert code(refused) == (400, "invalid_definition"), refused.text
        assert "spec.approvals.rules[0].quorum: `ask` is of `type: human`" in refused.json["detail"] and "Remove `quorum`" in refused.json["detail"]
        assert guarded.request("PUT", "/api/v1/agents/asks", agent.replace("TOOL", "'*'"), deploy).status == 201
        assert guarded.post("/api/v1/runs", {"agent": "asks", "input": "go", "id": "asks"}, keys["ann"]).status == 202
        waiting = lambda kind: guarded.wait_until(lambda: [one for one in guarded.get("/api/v1/approvals?status=pending", **keys["bob"]).json["approvals"] if one["kind"] == kind])[0]  # noqa: E731
        mine = lambda name: [one["kind"] for one in guarded.get("/api/v1/approvals?status=pending&for=me", **keys[name]).json["approvals"]]  # noqa: E731

        def decide(one, name, **body):
            return guarded.post(f"/api/v1/approvals/{one['id']}/decision", {"arguments_sha256": one["arguments_sha256"], **body}, keys[name])

        may = waiting("approval")
        assert (may["need"], may["who"], may["four_eyes"]) == (2, ["admin"], True)
        local = bearer(local_key(guarded))
        assert decide(may, "bob", decision="approve").status == 200
        assert guarded.post(f"/api/v1/approvals/{may['id']}/decision", {"decision": "approve", "arguments_sha256": may["arguments_sha256"]}, local).status == 200
        asked = waiting("question")
        assert not {"need", "have", "votes"} & set(asked), asked
        assert (asked["rule"], asked["who"], asked["four_eyes"], asked["requester"], asked["escalation"]) == ("rules[0]", ["admin"], True, "ann", [])
        assert (mine("ann"), mine("bob"), mine("cleo")) == ([], ["question"], [])
        for name, why in (("cleo", "cleo may not decide this: it is for admin"), ("ann", "ann has started this run, and somebody else has to answer its questions")):
            no = decide(asked, name, decision="answer", answer={"answer": "so"})
            assert code(no) == (409, "decision_refused") and why in no.json["detail"], no.text
        link = guarded.post(f"/api/v1/approvals/{asked['id']}/links", {"for": "eve"}, keys["bob"])
        assert code(link) == (409, "link_cannot_decide"), link.text
        taken = decide(asked, "bob", decision="answer", answer={"answer": "so"})
        assert (taken.status, taken.json["status"]) == (200, "answered") and "need" not in taken.json, taken.text
        guarded.wait_until(lambda: guarded.get("/api/v1/runs/asks", **keys["bob"]).json["status"] == "completed")
