"""What steps gave, whole and searched; what agents remember, shown and erased; skills from their folders."""

import json
import subprocess

import pytest

from holdfast import Server

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0, last: "^report"}
    tool_calls: [{name: report, arguments: {}}]
  - when: {turn: 1, last: "output ([0-9a-f]{16})"}
    text: "It is large."
  - when: {turn: 0, last: "^remember"}
    tool_calls: [{name: notes, arguments: {operation: store, name: tea, text: "Ada drinks green tea"}}]
  - when: {turn: 0, last: "^skill", tool: load_skill}
    tool_calls: [{name: load_skill, arguments: {name: refunds}}]
  - when: {turn: 1, last: "Ask for the number"}
    text: "I ask for the number."
  - when: {turn: 1}
    text: "Done."
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: clerk}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You report.
  limits: {{max_tool_output_bytes: 1000}}
  tools:
    - name: report
      type: sql
      sql:
        database: shop.db
        statement: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5000) SELECT 'row ' || i || CASE i WHEN 4711 THEN ' NEEDLE <script>' ELSE '' END AS line FROM n"
        max_rows: 10000
        max_bytes: 1048576
    - {{name: notes, type: memory, memory: {{subject: customer/7}}}}
  skills:
    - path: skills/refunds
"""


@pytest.fixture(scope="module")
def clerk(binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clerk")
    (folder / "script.yaml").write_text(SCRIPT)
    model = subprocess.Popen([binary, "scripted-model", str(folder / "script.yaml"), "--json"], stdout=subprocess.PIPE)
    address = json.loads(model.stdout.readline())["base_url"]
    (folder / "shop.db").touch()
    skill = folder / "skills" / "refunds"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\nname: refunds\ndescription: How refunds are made.\n---\nAsk for the number.\n")
    (folder / "agent.yaml").write_text(AGENT.format(model=address))
    one = Server(binary, folder / "data", "--agent", str(folder / "agent.yaml")).start()
    yield one
    one.close()
    model.terminate()
    model.wait(10)


def command(clerk, *arguments):
    return subprocess.run([clerk.binary, *arguments, "--api", clerk.http], capture_output=True, text=True, timeout=60)


def test_a_large_output_is_kept_and_sent_as_a_file(clerk):
    run = clerk.start_run("clerk", "report", id="large-1")
    done = clerk.wait(run)
    assert done["output"] == "It is large.", done
    step = next(step for step in done["steps"] if step["name"] == "report")
    sha256 = step["output"]["sha256"]
    answer = clerk.get(f"/api/v1/runs/large-1/blobs/{sha256}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(answer.text) == step["output"]["bytes"]
    assert len(answer.json["rows"]) == 5000
    assert clerk.get(f"/api/v1/runs/large-1/steps/{step['step']}/output").text == answer.text
    printed = command(clerk, "output", "large-1", str(step["step"]))
    assert (printed.returncode, printed.stdout) == (0, answer.text), printed.stderr


def test_steps_are_searched_in_all_that_they_gave(clerk):
    if clerk.get("/api/v1/runs/searched-1").status == 404:
        clerk.start_run("clerk", "report", id="searched-1")
    clerk.wait("searched-1")
    found = clerk.get("/api/v1/runs/searched-1/steps?search=needle%20%3Cscript").json["steps"]
    assert [step["name"] for step in found] == ["report"]
    assert clerk.get("/api/v1/runs/searched-1/steps?search=nowhere").json["steps"] == []
    assert len(clerk.get("/api/v1/runs/searched-1/steps").json["steps"]) == 3
    listed = command(clerk, "output", "searched-1", "--search", "NEEDLE")
    assert listed.returncode == 0 and "report" in listed.stdout


def test_what_is_not_there_is_said(clerk):
    clerk.wait(clerk.start_run("clerk", "remember", id="small-1"))
    for path in ("blobs/" + "a" * 64, "steps/99/output"):
        answer = clerk.get(f"/api/v1/runs/small-1/{path}")
        assert (answer.status, answer.json["code"]) == (404, "output_not_found"), answer.text
    assert clerk.get("/api/v1/runs/small-1/blobs/zz").status == 400
    assert clerk.get("/api/v1/runs/nobody/steps").status == 404
    assert command(clerk, "output", "small-1", "99").returncode == 3


def test_memory_is_shown_and_erased(clerk):
    clerk.wait(clerk.start_run("clerk", "remember", id="remember-1"))
    subjects = clerk.get("/api/v1/memory").json["subjects"]
    assert [row["subject"] for row in subjects] == ["customer/7"]
    entries = clerk.get("/api/v1/memory/customer%2F7?search=GREEN").json["entries"]
    assert [entry["text"] for entry in entries] == ["Ada drinks green tea"]
    assert len(clerk.get("/api/v1/memory/customer%2F7/tea").json["versions"]) == 1
    assert clerk.get("/api/v1/memory/customer%2F7/coffee").status == 404
    assert "green tea" in command(clerk, "memory", "show", "customer/7").stdout
    erased = command(clerk, "memory", "erase", "customer/7", "--reason", "asked for", "--json")
    assert json.loads(erased.stdout) == {"subject": "customer/7", "erased": 1}
    assert clerk.get("/api/v1/memory/customer%2F7").json["entries"] == []
    assert clerk.get("/api/v1/memory").json["subjects"] == []


def test_a_skill_of_a_folder_is_loaded_when_named(clerk):
    done = clerk.wait(clerk.start_run("clerk", "skill", id="skilled-1"))
    assert done["output"] == "I ask for the number."
    assert any("Ask for the number." in json.dumps(step) for step in done["steps"])


def test_over_the_api_a_skill_comes_with_its_texts(clerk):
    text = json.dumps({
        "apiVersion": "holdfast.dev/v1", "kind": "Agent", "metadata": {"name": "other"},
        "spec": {"model": {"provider": "openai", "name": "m"}, "prompt": "p", "skills": [{"path": "/etc"}]}})
    answer = clerk.request("PUT", "/api/v1/agents/other", text, {"Content-Type": "application/json"})
    assert answer.status == 400
    assert "give them as `files`" in answer.json["detail"]
