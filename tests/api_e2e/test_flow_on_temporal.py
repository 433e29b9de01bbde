"""Flows outgrow one machine: executions on a real Temporal server, the platform store on PostgreSQL. A whole flow, from the
API and from the command line, and a server that is killed in it: nothing in the flow knows which engine is below."""

import json
import subprocess

import pytest
from holdfast import Server, scripted_model
from postgres import Postgres
from test_flow_people import AGENT, SCRIPT
from test_flow_runs import ROOT, apply, events, post, receiver, start, statuses  # noqa: F401 (receiver: a fixture)
from test_people import answer

TOOL = ROOT / "tools" / "temporal.sh"
# A worker that was killed is missed after its heartbeat, half a minute.
pytestmark = pytest.mark.timeout(240)

INNER = """
- {id: begin, type: start}
- {id: sum, type: code, needs: [begin], with: {code: "return input.prices.reduce((all, one) => all + one, 0)"}}
- {id: told, type: respond, needs: [sum], with: {value: "{{ blocks.sum }}"}}
"""

# Blocks that share an activity, a map, a person, a sub-flow, an agent, a call and a webhook.
WHOLE = """
- {{id: begin, type: start}}
- {{id: lines, type: transform, needs: [begin], with: {{value: "{{{{ input.lines }}}}"}}}}
- {{id: many, type: code, needs: [lines], with: {{code: "return blocks.lines.length"}}}}
- id: priced
  type: map
  needs: [many]
  with: {{over: "{{{{ blocks.lines }}}}", parallel: 4}}
  blocks:
    - {{id: price, type: transform, with: {{value: "{{{{ item.net * 2 }}}}"}}}}
- id: ask
  type: human
  needs: [begin]
  with:
    human: {{question: "Ship it?", form: {{properties: {{ship: {{type: boolean}}}}, required: [ship]}}}}
- {{id: total, type: flow, needs: [priced], with: {{flow: inner, arguments: {{prices: "{{{{ blocks.priced }}}}"}}}}}}
- {{id: words, type: agent, needs: [total], with: {{agent: helper, arguments: {{input: "total {{{{ blocks.total }}}}"}}}}}}
- {{id: pay, type: http, needs: [ask, words], with: {pay}}}
- id: tell
  type: publish
  needs: [pay]
  with: {{webhook: {{url: "{url}/hook", secret_env: HOOK, event: order.paid}}, arguments: {{total: "{{{{ blocks.total }}}}"}}}}
- id: reply
  type: respond
  needs: [tell]
  with: {{value: {{lines: "{{{{ blocks.many }}}}", total: "{{{{ blocks.total }}}}", said: "{{{{ blocks.words }}}}", by: "{{{{ blocks.ask.answered_by }}}}"}}}}
"""


@pytest.fixture(scope="module")
def temporal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("temporal")
    began = subprocess.run([TOOL, "start", "--dir", folder, "--tuned", "--", "--dynamic-config-value",
                            'system.namespaceCacheRefreshInterval="1h"'], capture_output=True, text=True)
    if began.returncode == 77:
        pytest.skip(began.stdout.strip())
    assert began.returncode == 0, began.stderr
    yield began.stdout.split()[-1]
    subprocess.run([TOOL, "stop", "--dir", folder], check=True)


@pytest.fixture(scope="module")
def store():
    one = Postgres()
    yield one
    one.close()


@pytest.fixture(scope="module")
def scripted(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture
def server(binary, tmp_path, temporal, store, scripted, receiver, request):  # noqa: F811
    schema = "".join(c if c.isalnum() else "_" for c in request.node.name.lower())
    one = Server(binary, tmp_path / "data", "--engine", f"temporal://{temporal}", "--platform-store", store.address(schema[:40]),
                 "--grant", "host:127.0.0.1", "--grant", f"env:HOOK@{receiver.url.removeprefix('http://')}",
                 environment={"HOOK": "whsec_" + "QUJD" * 8}, log=open(tmp_path / "log", "a")).start()
    assert one.request("PUT", "/api/v1/agents/helper", AGENT.format(name="helper", model=scripted, more="")).status == 201
    apply(one, "inner", INNER, "  input: {type: object, required: [prices]}\n")
    apply(one, "whole", WHOLE.format(url=receiver.url, pay=post(f"{receiver.url}/pay")))
    yield one
    one.close()


LINES = {"lines": [{"net": 20}, {"net": 1}, {"net": 300}]}
SAID = {"lines": 3, "total": 642, "said": "Heard: total 642", "by": "ada"}


def test_a_whole_flow_runs_there_and_outlives_a_kill(server, receiver):  # noqa: F811
    run = start(server, "whole", LINES)
    question = server.wait_for_approval(run)
    server.wait(run, lambda r: statuses(r).get("words") == "completed", seconds=60)
    server.kill()
    server.start()
    # 202: it is stored and sent; Temporal gives the killed worker's task to another one when its time is over.
    assert answer(server, question, {"ship": True}, decided_by="ada").status in (200, 202)
    ended = server.wait(run, seconds=120)
    assert ended["status"] == "completed" and ended["output"] == SAID, ended
    assert (receiver.count("/pay"), receiver.count("/hook")) == (1, 1)
    begun = dict(events(server, run))["run.started"]
    assert begun["activities"] < begun["blocks"], "blocks share activities"


def test_a_call_that_a_kill_cuts_there_is_made_again_under_its_key(server, receiver):  # noqa: F811
    receiver.hold("/pay")
    run = start(server, "whole", LINES)
    assert answer(server, server.wait_for_approval(run), {"ship": True}, decided_by="ada").status in (200, 202)
    server.wait_until(lambda: receiver.count("/pay") == 1, seconds=60)
    server.kill()
    receiver.release("/pay")
    server.start()
    ended = server.wait(run, seconds=120)
    assert ended["output"] == SAID, ended
    assert receiver.count("/pay") == 2 and len(receiver.keys("/pay")) == 1 and receiver.count("/hook") == 1


ITEMS = """
- {id: begin, type: start}
- id: each
  type: map
  needs: [begin]
  with: {over: "{{ input }}", parallel: 2}
  blocks:
    - {id: words, type: agent, with: {agent: helper, arguments: {input: "{{ item }}"}}}
    - {id: ask, type: human, needs: [words], with: {human: {question: "Ship {what}?"}, arguments: {what: "{{ item }}"}}}
    - {id: said, type: transform, needs: [ask], with: {value: "{{ blocks.words + blocks.ask.answer.answer }}"}}
- {id: reply, type: respond, needs: [each], with: {value: "{{ blocks.each }}"}}
"""


def test_items_are_runs_there_and_outlive_a_kill(server):
    def asked(*items):
        def found():
            open_ones = {one["question"]["text"]: one for one in server.get("/api/v1/approvals?status=pending").json["approvals"]}
            return set(open_ones) == {f"Ship {item}?" for item in items} and open_ones

        return server.wait_until(found, seconds=90)

    apply(server, "items", ITEMS)
    run = start(server, "items", ["a", "b", "c"])
    questions = asked("a", "b")
    server.kill()
    server.start()
    assert answer(server, questions["Ship b?"], {"answer": "2"}, decided_by="ada").status in (200, 202)
    questions = asked("a", "c")
    for what in ("c", "a"):
        assert answer(server, questions[f"Ship {what}?"], {"answer": what}, decided_by="ada").status in (200, 202)
    ended = server.wait(run, seconds=120)
    assert ended["output"] == ["Heard: aa", "Heard: b2", "Heard: cc"], ended
    stopped = start(server, "items", ["d", "e"])
    asked("d", "e")
    assert server.post(f"/api/v1/runs/{stopped}/cancel", {}).status == 202
    assert server.wait(stopped, seconds=90)["status"] == "canceled"
    assert server.get("/api/v1/approvals?status=pending").json["approvals"] == []


def test_flows_run_there_from_the_command_line(server, cli):
    lines = {"lines": [{"goods": "book", "net": 20}, {"goods": "film", "net": 100}]}
    done = cli(server, "flow", "run", str(ROOT / "examples" / "flows" / "prices.yaml"), json.dumps(lines), "--id", "prices-1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert server.run("prices-1")["output"]["instalments"]["parts"] == [100]
    failed = cli(server, "flow", "run", "whole", '{"lines": 7}', "--id", "whole-1")
    assert failed.returncode != 0 and server.run("whole-1")["status"] == "failed", failed.stdout + failed.stderr
    assert "block `priced`: item 0: block `price`" in server.run("whole-1")["error"]["message"]
