"""Whose inbox a list of approvals is: what somebody may decide, what agents of a team ask."""

from holdfast import Server
from test_channels import SIGNING, Slack, press
from test_identity import bearer, code, guarded, local_key, make_key  # noqa: F401

RULE = "  approvals: {rules: [{tool: pay, action: ask, who: [WHO], quorum: MANY, four_eyes: true, escalate: [{after: 1d, to: [admin]}]}]}\n"


def deploy(server, agent_text, name, who, many, team, key):
    text = agent_text(name).split("  approvals:")[0] + RULE.replace("WHO", who).replace("MANY", str(many))
    text = text.replace(f"{{name: {name}, ", f"{{name: {name}, team: {team}, ")
    assert server.request("PUT", f"/api/v1/agents/{name}", text, key).status == 201


def asked(server, key, query):
    """The agents that ask, whatever the pages."""
    out, cursor = [], ""
    while cursor is not None:
        page = server.get(f"/api/v1/approvals?status=pending&{query}" + (f"&cursor={cursor}" if cursor else ""), **key)
        assert page.status == 200, page.text
        out += [row["agent"] for row in page.json["approvals"]]
        cursor = page.json["next_cursor"]
    return sorted(out)


def test_mine_is_what_i_may_decide_and_have_not(guarded, agent_text, payments):  # noqa: F811
    server, local = guarded, bearer(local_key(guarded))
    keys = {name: bearer(make_key(server, name, {"default": roles})["key"]) for name, roles in
            {"ann": ["approver"], "bob": ["approver", "operator"], "root": ["admin"], "eve": ["reader"]}.items()}
    deploy(server, agent_text, "paying", "approver", 2, "payments", local)
    deploy(server, agent_text, "ruling", "admin", 2, "law", local)
    deploy(server, agent_text, "naming", "user:ann", 1, "law", local)
    for agent in ("paying", "ruling", "naming"):
        started = server.request("POST", "/api/v1/runs", {"agent": agent, "input": f"pay {agent}", "id": agent}, keys["bob"])
        assert started.status == 202, started.text
        server.wait_until(lambda a=agent: server.get(f"/api/v1/runs/{a}", **local).json["waiting_on"] == "approval")
    everything = ["naming", "paying", "ruling"]
    assert asked(server, keys["eve"], "") == asked(server, keys["ann"], "for=all") == everything
    assert asked(server, local, "for=me") == everything, "the machine's own operator"
    assert asked(server, keys["ann"], "for=me&limit=1") == ["naming", "paying"]
    assert asked(server, keys["bob"], "for=me") == [], "he has started them"
    assert asked(server, keys["root"], "for=me") == ["ruling"], "it has not been escalated yet"
    assert asked(server, keys["eve"], "for=me") == [], "she decides nothing"
    one = server.get("/api/v1/approvals?run=paying", **local).json["approvals"][0]
    voted = server.request("POST", f"/api/v1/approvals/{one['id']}/decision", {"decision": "approve", "arguments_sha256": one["arguments_sha256"]}, keys["ann"])
    assert voted.status == 200 and voted.json["have"] == 1, voted.text
    server.wait_until(lambda: asked(server, keys["ann"], "for=me") == ["naming"])
    assert asked(server, local, "team=law") == ["naming", "ruling"]
    assert asked(server, keys["ann"], "for=me&team=law") == ["naming"]
    assert asked(server, keys["ann"], "for=team") == [], "she is in no team"
    assert code(server.get("/api/v1/approvals?for=you", **local)) == (400, "invalid_parameter")
    assert code(server.get("/api/v1/approvals?for=team&team=law", **local)) == (400, "invalid_parameter")


def test_who_has_approved_by_a_link_has_nothing_left_to_do(binary, agent_text, tmp_path):
    slack = Slack()
    grants = [*agent_text.grants, "--grant", f"env:SLACK_TOKEN@{slack.place}"]
    server = Server(binary, tmp_path / "data", "--auth", "required", *grants, environment={"HOLDFAST_SLACK_SIGNING_SECRET": SIGNING, "SLACK_TOKEN": "xoxb-1"}).start()
    try:
        local, ann = bearer(local_key(server)), bearer(make_key(server, "ann", {"default": ["approver"]})["key"])
        notify = f"""  notify:
    - {{on: [approval], for: ann, type: slack, slack: {{token_env: SLACK_TOKEN, channel: C1, buttons: true, base_url: "http://{slack.place}"}}}}
"""
        text = agent_text().split("  approvals:")[0] + "  approvals: {rules: [{tool: pay, action: ask, quorum: 2}]}\n" + notify
        assert server.request("PUT", "/api/v1/agents/payer", text, local).status == 201
        assert server.request("POST", "/api/v1/runs", {"agent": "payer", "input": "pay", "id": "two"}, local).status == 202
        server.wait_until(lambda: len(slack.posted) == 1)
        assert asked(server, ann, "for=me") == ["payer"]
        approve = next(one for one in slack.posted[0]["blocks"][1]["elements"] if one["action_id"] == "holdfast_approve")
        assert press(server, "holdfast_approve", approve["value"])[0].status == 200
        server.wait_until(lambda: server.get("/api/v1/approvals?run=two", **local).json["approvals"][0]["have"] == 1)
        assert asked(server, ann, "for=me") == []
        assert asked(server, ann, "for=all") == ["payer"]
    finally:
        server.close()


def test_the_command_line_lists_whose_inbox_is_asked_for(own_server, cli, payments):
    run = own_server.start_run("payer", "pay ann")
    own_server.wait_for_approval(run)
    for flags, lists in (((), True), (("--mine",), True), (("--team", "law"), False), (("--my-teams",), False)):
        done = cli(own_server, "approvals", *flags)
        assert (done.returncode, run in done.stdout) == (0, lists), (flags, done.stdout, done.stderr)
    assert cli(own_server, "approvals", "--mine", "--my-teams").returncode == 2
