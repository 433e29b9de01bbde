"""The life of a definition: begun, checked, applied, compared, promoted, rolled back; what runs and sub-agents keep."""

import json
import subprocess

import pytest
from holdfast import Server

MODEL = """
models: [scripted]
replies:
  - when: {system: "You lead", turn: 0}
    tool_calls: [{name: ask_worker, arguments: {input: "do it"}}]
  - when: {system: "You lead"}
    text: "The worker says: {{last}}"
  - when: {system: "You work (.*)"}
    text: "done"
"""

WORKER = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: |
    You help.
    {prompt}
    Be brief.
"""

LEAD = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: lead}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You lead.
  tools:
    - {{name: ask_worker, type: agent, description: Works., agent: {agent}}}
"""


@pytest.fixture
def cli(binary, server):
    def run(*arguments, api=True, **more):
        where = ["--api", server.http] if api else []
        return subprocess.run([binary, *arguments, *where], capture_output=True, text=True, timeout=30, **more)

    return run


@pytest.fixture
def versions(server, model, request):
    """Two versions of an agent of this test's own, the second one current."""
    name = request.node.name.replace("_", "-")[-40:].strip("-").split("[")[0]
    hashes = []
    for prompt in ("Slowly.", "Quickly."):
        answer = server.request("PUT", f"/api/v1/agents/{name}", WORKER.format(name=name, model=model, prompt=prompt))
        assert answer.status == 201, answer.text
        hashes.append(answer.json["version"])
    return name, *hashes


def put_label(server, name, label, version, etag=None, **more):
    headers = {"If-Match": etag} if etag else {"If-None-Match": "*"}
    return server.request("PUT", f"/api/v1/agents/{name}/labels/{label}", {"version": version, **more}, headers)


def test_what_init_writes_is_valid_and_every_mistake_is_told_at_once(cli, tmp_path):
    file = tmp_path / "first.yaml"
    assert cli("agent", "init", str(file), "--name", "first", api=False).returncode == 0
    again = cli("agent", "init", str(file), api=False)
    assert again.returncode == 4 and "left alone" in again.stderr
    good = cli("agent", "validate", str(file), api=False)
    assert good.returncode == 0 and "ok  first  " in good.stdout

    broken = tmp_path / "broken.yaml"
    broken.write_text("apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: Bad Name}\nspec:\n  modle: {}\n"
                      "  prompt: x\n  tools:\n    - {name: a, type: htpp}\n")
    bad = cli("agent", "validate", str(file), str(broken), "--json", api=False)
    assert bad.returncode == 2
    report = json.loads(bad.stdout)["files"]
    assert [one["valid"] for one in report] == [True, False]
    problems = report[1]["problems"]
    assert len(problems) >= 4 and all(one["line"] > 0 and one["message"] for one in problems)
    assert json.loads(bad.stderr.splitlines()[-1])["code"] == "invalid_definition"
    plain = cli("agent", "validate", str(broken), api=False)
    assert plain.returncode == 2 and f"{broken}:8:" in plain.stderr and f"{broken}:3:" in plain.stderr
    assert cli("agent", "validate", str(tmp_path / "none.yaml"), api=False).returncode == 3
    assert cli("agent", "init", str(tmp_path / "x.yaml"), "--name", "Bad Name", api=False).returncode == 2
    assert not (tmp_path / "x.yaml").exists()
    assert json.loads(cli("agent", "schema", api=False).stdout)["title"]


def test_apply_is_idempotent_and_the_hash_is_that_of_validate(cli, server, model, tmp_path):
    file = tmp_path / "applied.yaml"
    file.write_text(WORKER.format(name="applied", model=model, prompt="One."))
    version = json.loads(cli("agent", "validate", str(file), "--json", api=False).stdout)["files"][0]["version"]
    first = cli("agent", "apply", str(file), "--label", "staging", "--by", "ann")
    assert first.returncode == 0 and "new version" in first.stdout and "applied@staging" in first.stdout, first
    second = cli("agent", "apply", str(file), "--label", "staging")
    assert "applied  " + version[:12] + "  unchanged" in second.stdout
    assert second.stdout.splitlines()[1].endswith("unchanged")
    label = server.get("/api/v1/agents/applied/labels/staging").json
    assert label["version"] == version and label["by"] == "ann" and len(label["moves"]) == 1

    file.write_text(WORKER.format(name="applied", model=model, prompt="Two."))
    changed = cli("agent", "diff", str(file))
    assert changed.returncode == 0, changed
    assert "~ spec.prompt:" in changed.stdout
    assert "    -One." in changed.stdout and "    +Two." in changed.stdout and "     You help." in changed.stdout
    cli("agent", "apply", str(file))
    shown = cli("agent", "versions", "applied").stdout.splitlines()
    assert len(shown) == 3 and "*" in shown[1] and "staging" in shown[2]
    file.write_text(WORKER.format(name="applied", model=model, prompt="One."))
    assert "known version, current again" in cli("agent", "apply", str(file)).stdout


def test_promote_and_roll_back_are_kept_with_who_and_why(cli, server, versions):
    name, one, two = versions
    assert cli("agent", "promote", f"{name}@{one[:8]}", "--to", "staging", "--by", "ann").returncode == 0
    assert cli("agent", "promote", name, "--from", "staging", "--to", "production").returncode == 0
    assert cli("agent", "promote", f"{name}@{two}", "--to", "staging").returncode == 0
    done = cli("agent", "promote", name, "--from", "staging", "--to", "production", "--comment", "passed", "--json")
    assert json.loads(done.stdout)["version"] == two and json.loads(done.stdout)["previous"] == one
    again = cli("agent", "promote", name, "--from", "staging", "--to", "production")
    assert again.returncode == 0 and "unchanged" in again.stdout
    refused = cli("agent", "rollback", name, "--label", "production", "--expect", one[:8])
    assert refused.returncode == 4 and "names " + two[:12] in refused.stderr
    back = cli("agent", "rollback", name, "--label", "production", "--by", "bob", "--comment", "too quick")
    assert back.returncode == 0 and one[:12] in back.stdout
    nothing = cli("agent", "rollback", name, "--label", "production")
    assert nothing.returncode == 4 and "no version before" in nothing.stderr
    moves = server.get(f"/api/v1/agents/{name}/labels/production").json["moves"]
    assert [(m["how"], m["version"], m.get("from")) for m in moves] == [
        ("rolled_back", one, None), ("promoted", two, "staging"), ("promoted", one, "staging")]
    assert moves[0]["by"] == "bob" and moves[0]["comment"] == "too quick" and moves[1]["comment"] == "passed"
    listed = cli("agent", "labels", name, "production").stdout
    assert "promoted from staging" in listed and "bob" in listed
    both = cli("agent", "diff", f"{name}@production", f"{name}@staging", "--json")
    assert [c["path"] for c in json.loads(both.stdout)["changes"]] == ["spec.prompt"]
    assert cli("agent", "promote", name, "--to", "production").returncode == 2
    assert cli("agent", "promote", name, "--from", "canary", "--to", "production").returncode == 3
    assert cli("agent", "rollback", name, "--label", "canary").returncode == 3


def test_of_two_who_promote_at_once_one_wins_and_the_other_is_told(server, versions):
    name, one, two = versions
    created = put_label(server, name, "production", one, by="ann")
    assert created.status == 201 and created.headers["ETag"] == '"1"'
    seen = server.get(f"/api/v1/agents/{name}/labels/production").headers["ETag"]
    assert put_label(server, name, "production", two, seen, by="ann").status == 200
    loser = server.post(f"/api/v1/agents/{name}/labels/production/rollback", {"by": "bob"}, {"If-Match": seen})
    assert loser.status == 412 and loser.json["code"] == "label_moved" and "by ann" in loser.json["detail"]
    # Whose answer was lost asks again, and is not told off.
    same = put_label(server, name, "production", two, seen)
    assert same.status == 200 and same.json["moved"] is False
    assert put_label(server, name, "production", one).status == 412
    assert len(server.get(f"/api/v1/agents/{name}/labels/production").json["moves"]) == 2

    path = f"/api/v1/agents/{name}/labels/production"
    assert server.request("PUT", path, {"version": one}).status == 428
    assert server.request("PUT", path, {"version": one}, {"If-Match": "*"}).status == 400
    assert server.request("PUT", path, {}, {"If-Match": '"2"'}).json["code"] == "missing_field"
    assert put_label(server, name, "Prod", one).status == 400
    assert put_label(server, name, "abcdef", one).status == 400
    assert put_label(server, name, "canary", "000000").status == 404
    # From a label that was moved meanwhile nothing is taken.
    stale = server.request("PUT", f"/api/v1/agents/{name}/labels/canary", {"version": one, "from": "production"},
                           {"If-None-Match": "*"})
    assert stale.status == 412, stale.text
    # A label that is not there is told, also where there is nothing to do.
    misspelt = server.request("PUT", path, {"version": two, "from": "no-such-label"}, {"If-Match": '"2"'})
    assert misspelt.status == 404 and "no-such-label" in misspelt.json["detail"], misspelt.text


def test_versions_are_found_by_label_and_by_what_they_begin_with(server, versions):
    name, one, two = versions
    put_label(server, name, "production", one)
    at = f"/api/v1/agents/{name}/versions"
    assert server.get(f"{at}/production").json["version"] == one
    assert server.get(f"{at}/{two[:7]}").json["definition"]["spec"]["prompt"].startswith("You help.")
    assert server.get(f"{at}/{one}").json["labels"] == ["production"]
    missing = server.get(f"{at}/staging")
    assert missing.status == 404 and missing.json["code"] == "version_not_found"
    assert server.get("/api/v1/agents/nobody/versions/production").json["code"] == "agent_not_found"
    assert server.get("/api/v1/agents/nobody/labels").status == 404
    first = server.get(f"{at}?limit=1").json
    rest = server.get(f"{at}?limit=1&cursor={first['next_cursor']}").json
    assert [first["versions"][0]["version"], rest["versions"][0]["version"]] == [two, one]
    changes = server.get(f"/api/v1/agents/{name}/diff?from=production").json["changes"]
    assert [c["path"] for c in changes] == ["spec.prompt"] and "-Slowly." in changes[0]["lines"]
    assert server.get(f"/api/v1/agents/{name}/diff?from={one}&to=production").json["changes"] == []


def test_a_run_keeps_the_version_that_its_label_named(server, versions):
    name, one, two = versions
    put_label(server, name, "production", one)
    run = server.start_run(f"{name}@production", "hello", id=f"{name}-1")
    assert put_label(server, name, "production", two, '"1"').status == 200
    assert server.run(run)["version"] == one and server.run(run)["agent"] == name
    again = server.post("/api/v1/runs", {"agent": f"{name}@production", "input": "hello", "id": run})
    assert again.status == 200 and again.json["version"] == one
    assert server.run(server.start_run(f"{name}@{one[:8]}", "x"))["version"] == one
    assert server.run(server.start_run(name, "x", version="production"))["version"] == two
    unknown = server.post("/api/v1/runs", {"agent": f"{name}@canary", "input": "x"})
    assert unknown.status == 404 and unknown.json["code"] == "version_not_found"
    assert server.post("/api/v1/runs", {"agent": f"{name}@Bad", "input": "x"}).status == 400
    twice = server.post("/api/v1/runs", {"agent": f"{name}@production", "version": one, "input": "x"})
    assert twice.status == 400


def test_a_sub_agent_is_the_version_that_its_label_names(binary, tmp_path):
    script = tmp_path / "script.yaml"
    script.write_text(MODEL)
    model = subprocess.Popen([binary, "scripted-model", str(script), "--json"], stdout=subprocess.PIPE)
    url = json.loads(model.stdout.readline())["base_url"]
    server = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    try:
        hashes = []
        for prompt in ("You work slowly.", "You work quickly."):
            text = WORKER.format(name="worker", model=url, prompt=prompt)
            hashes.append(server.request("PUT", "/api/v1/agents/worker", text).json["version"])
        put_label(server, "worker", "production", hashes[0])
        lead = server.request("PUT", "/api/v1/agents/lead", LEAD.format(model=url, agent="worker@production"))
        assert lead.status == 201, lead.text
        run = server.wait(server.start_run("lead", "go"))
        assert run["output"] == "The worker says: done", run
        events = server.get(f"/api/v1/runs/{run['id']}/events").json["events"]
        child = [e["data"] for e in events if e["type"] == "step.started" and e["data"]["kind"] == "agent"][0]
        assert child["version"] == hashes[0]
        started = server.get(f"/api/v1/runs/{child['run']}/events").json["events"][0]["data"]
        assert started["version"] == hashes[0] and started["asked_for"] == "worker@production"

        server.kill()
        server.start()
        assert server.get("/api/v1/agents/worker/labels").json["labels"][0]["version"] == hashes[0]
        bad = server.request("PUT", "/api/v1/agents/lead", LEAD.format(model=url, agent="worker@Bad"))
        assert bad.status == 400 and "behind the @" in bad.json["detail"]
    finally:
        server.close()
        model.terminate()
        model.wait(10)


def test_what_is_read_is_what_was_written(cli, server, model, tmp_path):
    """Encoders that keep to ASCII write a character beyond 16 bits as two escapes; a file in another encoding is refused."""
    definition = {"apiVersion": "holdfast.dev/v1", "kind": "Agent", "metadata": {"name": "smile"},
                  "spec": {"model": {"provider": "openai", "base_url": model, "name": "scripted"}, "prompt": "smile \U0001f600"}}
    answer = server.request("PUT", "/api/v1/agents/smile", json.dumps(definition))
    assert answer.status in (200, 201), answer.text
    assert server.get("/api/v1/agents/smile").json["definition"]["spec"]["prompt"] == "smile \U0001f600"
    flow = {"apiVersion": "holdfast.dev/v1", "kind": "Flow", "metadata": {"name": "smile"},
            "spec": {"blocks": [{"id": "begin", "type": "start"},
                                {"id": "r", "type": "respond", "needs": ["begin"], "with": {"value": "\U0001f600"}}]}}
    assert server.request("PUT", "/api/v1/flows/smile", json.dumps(flow)).status == 201
    assert server.wait(server.post("/api/v1/flows/smile/runs", {"input": 1}).json["id"])["output"] == "\U0001f600"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(WORKER.format(name="latin", model=model, prompt="Say h").encode().replace(b"Say h", b"Say h\xe9llo"))
    refused = cli("agent", "validate", str(latin), api=False)
    assert refused.returncode != 0 and "latin.yaml:9:10: " in refused.stderr and "0xe9 is not UTF-8" in refused.stderr, refused
