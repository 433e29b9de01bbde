"""Blocks of flows that people, agents, models and other flows answer: on the real server, kills included."""

import json
import sqlite3

import pytest
from holdfast import scripted_model
from test_flow_runs import (  # noqa: F401 (fixtures)
    ROOT, apply, events, flow, post, receiver, serve, server, start, statuses, whole_log)
from test_people import answer, link, look_and_send

SCRIPT = """
models: [scripted, spare]
replies:
  - when: {last: "^slowly"}
    text: "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty."
    delay: 40ms
  - when: {last: "^fail", model: scripted}
    faults: [{status: 500, message: "not today"}]
  - when: {last: "^refuse"}
    faults: [{status: 400, code: invalid_prompt, message: "not like that"}]
  - when: {last: "^as json"}
    text: '{"mood": "good", "score": 3}'
  - when: {last: "^twice"}
    text: '{"mood": "good", "mood": "bad"}'
  - when: {last: "^marked"}
    text: "\\uFEFF{\\"mood\\": \\"good\\"}"
  - when: {last: "^nonsense"}
    text: '{"mood": 7}'
  - when: {last: "^work out", turn: 0}
    tool_calls: [{name: order, arguments: {id: 7}}]
  - when: {last: "^wrong input", turn: 0}
    tool_calls: [{name: order, arguments: {}}]
  - when: {turn: 1}
    text: "It said: {{last}}"
  - text: "Heard: {{last}}"
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted, retry: {{initial: 50ms, attempts: 3}}}}
  prompt: You help.
{more}
"""


@pytest.fixture(scope="module")
def scripted(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


def put_agent(server, model, name, more=""):
    put = server.request("PUT", f"/api/v1/agents/{name}", AGENT.format(name=name, model=model, more=more))
    assert put.status in (200, 201), put.text
    return put.json["version"]


def asked(server, run) -> dict:
    return server.wait_for_approval(run)


def child_of(server, run, name) -> str:
    """The run that answers a block."""
    def found():
        return [data["run"] for type, data in events(server, run) if type == "step.started" and data["name"] == name and "run" in data]

    return server.wait_until(found)[0]


def wait_for_text(server, run):
    """Until its model has begun to speak; whoever calls it has named it before it is there."""
    server.wait_until(lambda: server.get(f"/api/v1/runs/{run}").status == 200)
    for _, type, data in server.events(f"/api/v1/runs/{run}/events"):
        if type == "delta" and data["data"].get("text"):
            return


ASK = """
- {id: begin, type: start}
- id: ask
  type: human
  needs: [begin]
  with:
    human: {question: "How much for {what}?", form: {properties: {amount: {type: integer, maximum: 500}}, required: [amount]}%s}
    arguments: {what: "{{ input.what }}"}
- {id: paid, type: respond, needs: [ask], with: {value: {amount: "{{ blocks.ask.answer.amount }}", by: "{{ blocks.ask.answered_by ?? null }}"}}}
"""
ON_ERROR = """- {id: left, type: respond, needs: [ask.error], with: {value: "{{ blocks.ask.error }}"}}
"""


# ---- people


def test_a_branch_goes_on_while_a_person_is_asked(binary, tmp_path, receiver):
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE orders(id, what)")
        connection.execute("INSERT INTO orders VALUES (7, 'lamp')")
    one = serve(binary, tmp_path, "--grant", f"env:RISK_HOOK@{receiver.url.removeprefix('http://')}", environment={"RISK_HOOK": "whsec_" + "QUJD" * 8})
    try:
        text = (ROOT / "examples/flows/eight.yaml").read_text()
        for before, after in (("database: shop.db", f"database: {database}"), ("https://pay.example/refunds", f"{receiver.url}/pay"),
                              ("https://risk.example/hook", f"{receiver.url}/hook")):
            assert before in text
            text = text.replace(before, after)
        put = one.request("PUT", "/api/v1/flows/eight", text)
        assert put.status == 201, put.text
        run = start(one, "eight", {"order": 7, "amount": 250})
        question = asked(one, run)
        assert question["kind"] == "question" and question["question"]["text"] == "Refund 250 for order 7?"
        assert (question["agent"], question["tool"], question["run"]) == ("flow:eight", "approve", run)
        one.wait(run, lambda r: statuses(r).get("tell") == "completed")
        order = [(type, data.get("name") or data.get("tool")) for type, data in events(one, run)]
        assert ("step.completed", "tell") in order and ("approval.requested", "approve") in order
        assert statuses(one.run(run))["approve"] == "running" and receiver.count("/hook") == 1 and receiver.count("/pay") == 0
        one.kill()
        one.start()
        question = asked(one, run)
        taken = answer(one, question, {"amount": 200, "note": "half"}, decided_by="ada")
        assert taken.status == 200, taken.text
        ended = one.wait(run)
        assert ended["status"] == "completed", ended
        assert [call[2] for call in receiver.calls if call[0] == "/pay"] == [{"order": 7, "amount": 200}]
        assert receiver.count("/hook") == 1, "what had ended is not told again"
        decided = dict(events(one, run))["approval.decided"]
        assert (decided["outcome"], decided["decided_by"], decided["tool"]) == ("answered", "ada", "approve")
        assert one.get("/api/v1/approvals?status=pending").json["approvals"] == []
    finally:
        one.close()


def test_an_answer_is_of_the_form_and_counts_once(server):
    apply(server, "asks", ASK % "")
    run = start(server, "asks", {"what": "lamp"})
    question = asked(server, run)
    wrong = answer(server, question, {"amount": 501})
    assert (wrong.status, wrong.json["code"]) == (422, "invalid_answer")
    approve = {"decision": "approve", "arguments_sha256": question["arguments_sha256"]}
    assert server.post(f"/api/v1/approvals/{question['id']}/decision", approve).status == 409
    made = link(server, question)
    assert look_and_send(server, made, decision="answer", **{"f.amount": "40"}).status in (200, 303)
    ended = server.wait(run)
    assert ended["output"] == {"amount": 40, "by": "link:bob"}
    assert answer(server, question, {"amount": 1}).status in (409, 410)
    step = next(step for step in ended["steps"] if step["name"] == "ask")
    assert step["kind"] == "human" and step["status"] == "completed"


def test_declined_or_late_it_leads_on_by_error(server):
    apply(server, "declined", ASK % "" + ON_ERROR)
    run = start(server, "declined", {"what": "lamp"})
    question = asked(server, run)
    body = {"decision": "reject", "comment": "too much", "decided_by": "eve", "arguments_sha256": question["arguments_sha256"]}
    assert server.post(f"/api/v1/approvals/{question['id']}/decision", body).status == 200
    assert server.wait(run)["output"] == {"type": "QuestionDeclined", "message": "declined by eve: too much"}
    apply(server, "late", ASK % ", deadline: 200ms" + ON_ERROR)
    late = server.wait(start(server, "late", {"what": "lamp"}))
    assert late["output"]["type"] == "QuestionExpired"
    apply(server, "lost", ASK % ", deadline: 200ms")
    lost = server.wait(start(server, "lost", {"what": "lamp"}))
    assert lost["status"] == "failed" and lost["error"]["type"] == "QuestionExpired" and "block `ask`" in lost["error"]["message"]
    apply(server, "silent", ASK % ", deadline: 200ms, default: {amount: 3}")
    assert server.wait(start(server, "silent", {"what": "lamp"}))["output"]["amount"] == 3


def test_what_is_cancelled_asks_nobody_any_more(server, receiver):
    apply(server, "stops", ASK % "")
    run = start(server, "stops", {"what": "lamp"})
    asked(server, run)
    assert server.post(f"/api/v1/runs/{run}/cancel", {}).status in (200, 202)
    assert server.wait(run)["status"] == "canceled"
    assert server.get("/api/v1/approvals?status=pending").json["approvals"] == []
    # So does a failure on another branch.
    receiver.failing["/down"] = 100
    apply(server, "fails", ASK % "" + f'- {{id: down, type: http, needs: [begin], retry: {{attempts: 1}}, with: {post(receiver.url + "/down")}}}\n')
    failed = server.wait(start(server, "fails", {"what": "lamp"}))
    assert failed["status"] == "failed" and "block `down`" in failed["error"]["message"]
    assert server.get("/api/v1/approvals?status=pending").json["approvals"] == []


# ---- agents


def test_an_agent_is_a_child_that_outlives_a_kill(server, scripted):
    version = put_agent(server, scripted, "helper")
    apply(server, "helped", """
- {id: begin, type: start}
- {id: help, type: agent, needs: [begin], with: {agent: helper, arguments: {input: "{{ input.say }}"}}}
- {id: reply, type: respond, needs: [help], with: {value: "{{ blocks.help }}"}}
""")
    assert server.wait(start(server, "helped", {"say": "hello"}))["output"] == "Heard: hello"
    assert server.wait(start(server, "helped", {"say": "as json"}))["output"] == {"mood": "good", "score": 3}
    assert server.wait(start(server, "helped", {"say": "marked"}))["output"] == {"mood": "good"}, "a byte order mark"
    run = start(server, "helped", {"say": "slowly"})
    child = child_of(server, run, "help")
    wait_for_text(server, child)
    server.kill()
    server.start()
    ended = server.wait(run, seconds=40)
    assert ended["status"] == "completed" and ended["output"].endswith("twenty."), ended
    begun = dict(events(server, child))["run.started"]
    assert begun["parent"] == {"run": run, "step": 2} and begun["version"] == version
    assert [step["kind"] for step in ended["steps"]] == ["start", "agent", "respond"]
    assert ended["spent"]["model_calls"] == 1, "what the agent used is the flow's, too"


def test_an_agent_that_fails_or_is_not_there_is_an_error(server, scripted):
    put_agent(server, scripted, "helper")
    block = "- {id: help, type: agent, needs: [begin], timeout: 10s, with: {agent: %s, arguments: {input: '{{ input }}'}}}\n"
    end = "- {id: wrong, type: respond, needs: [help.error], with: {value: '{{ blocks.help.error.message }}'}}\n"
    begin = "- {id: begin, type: start}\n"
    apply(server, "refused", begin + block % "helper" + end)
    assert "not like that" in server.wait(start(server, "refused", "refuse this"))["output"]
    apply(server, "nobody", begin + block % "nobody" + end)
    assert "nobody" in server.wait(start(server, "nobody", "hello"))["output"]
    apply(server, "ends", begin + block % "nobody")
    ended = server.wait(start(server, "ends", "hello"))
    assert ended["status"] == "failed" and "block `help`" in ended["error"]["message"]


# ---- flows


def sums(server):
    apply(server, "sum", """
- {id: begin, type: start}
- {id: made, type: code, needs: [begin], with: {code: "return {id: input.id, twice: input.id * 2}"}}
""", "  input: {type: object, required: [id], properties: {id: {type: integer}}}\n")


def test_a_flow_is_a_block_of_another(server):
    sums(server)
    apply(server, "outer", """
- {id: begin, type: start}
- {id: inner, type: flow, needs: [begin], with: {flow: sum, arguments: {id: "{{ input.id }}"}}}
- {id: reply, type: respond, needs: [inner], with: {value: "{{ blocks.inner.twice }}"}}
- {id: wrong, type: respond, needs: [inner.error], with: {value: "{{ blocks.inner.error.message }}"}}
""")
    run = start(server, "outer", {"id": 21})
    assert server.wait(run)["output"] == 42
    begun = dict(events(server, child_of(server, run, "inner")))["run.started"]
    assert begun["agent"] == "flow:sum" and begun["parent"] == {"run": run, "step": 2}
    assert next(step["kind"] for step in server.run(run)["steps"] if step["name"] == "inner") == "flow"
    assert "`id`" in server.wait(start(server, "outer", {"id": "no"}))["output"]


def test_what_a_flow_says_to_another_keeps_its_kind(server):
    apply(server, "echo", "- {id: begin, type: start}\n- {id: said, type: respond, needs: [begin], with: {value: '{{ input.say }}'}}\n")
    apply(server, "asks", """
- {id: begin, type: start}
- {id: inner, type: flow, needs: [begin], with: {flow: echo, arguments: {say: "{{ input.say }}"}}}
- {id: reply, type: respond, needs: [inner], with: {value: "{{ blocks.inner }}"}}
""")
    for said in (642, "642", "hello", 12345678901234567890, True, None, ["a"], {"b": 1, "a": 2.5}, ""):
        assert server.wait(start(server, "asks", {"say": said}))["output"] == said


def test_a_number_beyond_64_bits_is_no_text_of_json(server):
    """`respond` refuses what no reader would get; a flow above is given the number that the last block came to."""
    apply(server, "powers", "- {id: begin, type: start}\n- {id: big, type: code, needs: [begin], with: {code: 'return {n: 2n ** 65n, s: 1}'}}\n")
    apply(server, "responds", "- {id: begin, type: start}\n- {id: big, type: respond, needs: [begin], with: {value: {n: '{{ 2n ** 65n }}', s: 1}}}\n")
    apply(server, "above", """
- {id: begin, type: start}
- {id: inner, type: flow, needs: [begin], with: {flow: powers, arguments: {}}}
- {id: reply, type: respond, needs: [inner], with: {value: {n: "{{ String(blocks.inner.n) }}", s: "{{ blocks.inner.s }}"}}}
""")
    assert server.wait(start(server, "above", {}))["output"] == {"n": "36893488147419103232", "s": 1}
    failed = server.wait(start(server, "responds", {}))
    assert failed["status"] == "failed" and "36893488147419103232 has more than 64 bits" in str(failed["error"]), failed


def test_a_circle_of_flows_ends(server):
    apply(server, "circle", """
- {id: begin, type: start}
- {id: again, type: flow, needs: [begin], with: {flow: circle, arguments: {}}}
""")
    ended = server.wait(start(server, "circle", {}), seconds=40)
    assert ended["status"] == "failed" and "deep" in ended["error"]["message"]


def test_a_person_is_asked_by_a_flow_that_an_agent_calls_across_a_kill(server, scripted):
    apply(server, "order", """
- {id: begin, type: start}
- {id: ask, type: human, needs: [begin], with: {human: {}, arguments: {question: "Ship {{ input.id }}?"}}}
- {id: reply, type: respond, needs: [ask], with: {value: {id: "{{ input.id }}", said: "{{ blocks.ask.answer.answer }}"}}}
""", "  input: {type: object, required: [id]}\n")
    put_agent(server, scripted, "clerk", """  tools:
    - {name: order, type: flow, description: Orders., flow: order, parameters: {properties: {id: {type: integer}}}}
""")
    run = server.start_run("clerk", "work out the order")
    question = server.wait_until(lambda: server.get("/api/v1/approvals?status=pending").json["approvals"])[0]
    assert question["agent"] == "flow:order" and question["question"]["text"] == "Ship 7?"
    server.kill()
    server.start()
    assert answer(server, question, {"answer": "yes"}, decided_by="ada").status == 200
    ended = server.wait(run, seconds=40)
    assert json.loads(ended["output"].removeprefix("It said: ")) == {"id": 7, "said": "yes"}
    assert [step["kind"] for step in ended["steps"] if step["name"] == "order"] == ["flow"]
    wrong = server.wait(server.start_run("clerk", "wrong input"))
    assert "`id`" in wrong["output"]


# ---- models

MODEL = """
- {id: begin, type: start}
- id: said
  type: model
  needs: [begin]
  with:
    model: {provider: openai, base_url: "%s", name: scripted, retry: {initial: 20ms, attempts: 2}%s}
    prompt: "{{ input.say }}"
%s
- {id: reply, type: respond, needs: [said], with: {value: "{{ blocks.said }}"}}
- {id: wrong, type: respond, needs: [said.error], with: {value: "{{ blocks.said.error.message }}"}}
"""


def test_a_model_call_is_streamed_counted_and_outlives_a_kill(server, scripted):
    apply(server, "says", MODEL % (scripted, "", ""))
    assert server.wait(start(server, "says", {"say": "hello"}))["output"] == "Heard: hello"
    run = start(server, "says", {"say": "slowly"})
    child = child_of(server, run, "said")
    wait_for_text(server, child)
    server.kill()
    server.start()
    ended = server.wait(run, seconds=40)
    assert ended["output"].endswith("twenty."), ended
    assert ended["spent"]["model_calls"] == 1, ended["spent"]
    assert [data["kind"] for type, data in events(server, child) if type == "step.completed"] == ["model"]


def test_a_model_answers_in_a_form_or_another_model_does(server, scripted):
    schema = "    output_schema: {type: object, required: [mood], properties: {mood: {type: string}, score: {type: integer}}}"
    apply(server, "forms", MODEL % (scripted, "", schema))
    assert server.wait(start(server, "forms", {"say": "as json"}))["output"] == {"mood": "good", "score": 3}
    for say in ("nonsense", "twice", "marked"):  # members of one name, a byte order mark: readers of JSON disagree
        assert "`output_schema`" in server.wait(start(server, "forms", {"say": say}))["output"], say
    assert "not like that" in server.wait(start(server, "forms", {"say": "refuse"}))["output"]
    spare = f', fallbacks: [{{provider: openai, base_url: "{scripted}", name: spare}}]'
    apply(server, "spared", MODEL % (scripted, spare, ""))
    assert server.wait(start(server, "spared", {"say": "fail"}))["output"] == "Heard: fail"
    apply(server, "poor", MODEL % (scripted, "", "    budgets: {tokens: 10}"))
    assert "BudgetExceeded" in server.wait(start(server, "poor", {"say": "hello"}))["output"]


def test_a_model_that_was_not_granted_is_refused(server):
    far = server.request("PUT", "/api/v1/flows/far", flow("far", MODEL % ("https://far.example/v1", "", "")))
    assert far.status == 403 and "block `said`" in far.text and "host:far.example" in far.text


# ---- tool grants


def test_what_was_taken_from_a_flow_is_not_called(server, scripted, receiver):
    put_agent(server, scripted, "helper")
    blocks = f"""
- {{id: begin, type: start}}
- {{id: pay, type: http, needs: [begin], with: {post(receiver.url + "/pay")}}}
- {{id: help, type: agent, needs: [pay.error], with: {{agent: helper, arguments: {{input: hello}}}}}}
- {{id: reply, type: respond, needs: [help.error], with: {{value: ["{{{{ blocks.pay.error.type }}}}", "{{{{ blocks.help.error.message }}}}"]}}}}
"""
    apply(server, "denied", blocks)
    made = server.post("/api/v1/grants", {"agent": "flow:denied", "tools": ["pay", "help"], "mode": "deny"})
    assert made.status in (200, 201), made.text
    run = start(server, "denied")
    ended = server.wait(run)
    assert ended["output"][0] == "ToolNotGranted" and "denied: " in ended["output"][1], ended
    assert receiver.calls == []
    assert [data["tool"] for type, data in events(server, run) if type == "policy.ruled"] == ["pay", "help"]


def test_a_question_of_a_flow_has_no_terms_of_a_rule(server):
    """Flows have no policy; what stands in the block is all, and what it does not know is refused."""
    body = '- {id: begin, type: start}\n- {id: ask, type: human, needs: [begin], with: {human: {%s}, arguments: {question: "How?"}}}\n'
    refused = server.request("PUT", "/api/v1/flows/counted", flow("counted", body % "quorum: 2"))
    assert refused.status == 400 and "quorum" in refused.text, refused.text
    apply(server, "plain", body % "roles: [admin]")
    run = start(server, "plain")
    asked = server.wait_until(lambda: server.get(f"/api/v1/approvals?run={run}").json["approvals"])[0]
    assert not {"need", "have", "votes", "who", "rule"} & set(asked) and asked["question"]["roles"] == ["admin"]
    assert server.post(f"/api/v1/runs/{run}/cancel", {}).status == 202
