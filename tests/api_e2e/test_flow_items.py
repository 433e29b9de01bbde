"""Maps and loops whose items are runs of their own, because an agent, a person, a flow or a wait is in their body: on the
real server, kills included."""

import json

import pytest
from holdfast import scripted_model
from test_flow_people import SCRIPT, put_agent, wait_for_text
from test_flow_runs import apply, events, flow, post, receiver, serve, server, server_on_postgres, start, statuses, whole_log  # noqa: F401
from test_people import answer

BEGIN = "- {id: begin, type: start}\n"
REPLY = '- {id: reply, type: respond, needs: [each], with: {value: "{{ blocks.each }}"}}\n'


@pytest.fixture(scope="module")
def scripted(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


def each(body, over="{{ input }}", parallel=2, errors="fail", needs="begin"):
    blocks = "".join(f"    - {line}\n" for line in body)
    return f'- id: each\n  type: map\n  needs: [{needs}]\n  with: {{over: "{over}", parallel: {parallel}, errors: {errors}}}\n  blocks:\n{blocks}'


def items_of(server, run) -> dict:
    """The run of each item that has begun, by its index."""
    return {data["part"] - 1: data["item_run"] for type, data in events(server, run) if type == "step.progress" and "item_run" in data}


def pending(server, count):
    def found():
        open_ones = server.get("/api/v1/approvals?status=pending").json["approvals"]
        return len(open_ones) == count and open_ones

    return server.wait_until(found, seconds=40)


def say(server, question, word):
    taken = answer(server, question, {"answer": word}, decided_by="ada")
    assert taken.status == 200, taken.text


ASK = '{id: ask, type: human, with: {human: {}, arguments: {question: "{{ item }}?"}}}'
HELP = '{id: help, type: agent, with: {agent: helper, arguments: {input: "{{ item }}"}}}'


def ask_across_a_kill(server, scripted):
    put_agent(server, scripted, "helper")
    apply(server, "tickets", BEGIN + each([HELP, '{id: both, type: transform, needs: [help], with: {value: ["{{ index }}", "{{ blocks.help }}"]}}']) + REPLY)
    run = start(server, "tickets", ["slowly", "hello", "as json"])
    first = server.wait_until(lambda: items_of(server, run).get(0))
    agent = server.wait_until(lambda: [data["run"] for type, data in events(server, first) if type == "step.started" and "run" in data])[0]
    wait_for_text(server, agent)
    server.wait_until(lambda: 2 in items_of(server, run))
    server.kill()
    server.start()
    ended = server.wait(run, seconds=40)
    assert ended["status"] == "completed", ended
    slow, quick, form = ended["output"]
    assert slow[0] == 0 and slow[1].endswith("twenty.")
    assert (quick, form) == ([1, "Heard: hello"], [2, {"mood": "good", "score": 3}])
    assert ended["spent"]["model_calls"] == 3, "none was asked again"
    assert statuses(ended) == {name: "completed" for name in ("begin", "each", "reply")}
    one = server.run(first)
    assert (one["status"], one["agent"]) == ("completed", "flow:tickets")
    assert statuses(one) == {"help": "completed", "both": "completed"}
    begun = dict(events(server, first))["run.started"]
    assert begun["parent"] == {"run": run, "step": 2} and begun["item"] == {"of": "each", "index": 0} and begun["input"] == '"slowly"'
    told = [data for type, data in whole_log(server, run) if type == "step.progress"]
    assert sum(data["items"] for data in told) == 3 and {data["item_run"] for data in told} == set(items_of(server, run).values())


def test_an_agent_is_asked_for_each_item_across_a_kill(server, scripted):
    ask_across_a_kill(server, scripted)


@pytest.mark.timeout(120)
def test_an_agent_is_asked_for_each_item_on_postgresql_across_a_kill(server_on_postgres, scripted):
    ask_across_a_kill(server_on_postgres, scripted)


def test_people_are_asked_side_by_side_and_answers_are_in_order(server):
    apply(server, "asks", BEGIN + each([ASK, '{id: said, type: transform, needs: [ask], with: {value: "{{ item + blocks.ask.answer.answer }}"}}',
                                        '{id: no, type: transform, needs: [ask.error], with: {value: "{{ blocks.ask.error.type }}"}}'], parallel=3) + REPLY)
    run = start(server, "asks", ["a", "b", "c", "d"])
    questions = {one["question"]["text"]: one for one in pending(server, 3)}
    assert sorted(questions) == ["a?", "b?", "c?"] and all(one["agent"] == "flow:asks" for one in questions.values())
    assert {one["run"] for one in questions.values()} == {items_of(server, run)[i] for i in range(3)}
    server.kill()
    server.start()
    say(server, questions["c?"], "3")
    fourth = [one for one in pending(server, 3) if one["question"]["text"] == "d?"][0]
    say(server, fourth, "4")
    body = {"decision": "reject", "comment": "no", "decided_by": "eve", "arguments_sha256": questions["a?"]["arguments_sha256"]}
    assert server.post(f"/api/v1/approvals/{questions['a?']['id']}/decision", body).status == 200
    say(server, questions["b?"], "2")
    ended = server.wait(run, seconds=40)
    assert ended["output"] == ["QuestionDeclined", "b2", "c3", "d4"], ended


def test_an_item_that_fails_ends_the_others_or_is_collected(server, scripted):
    put_agent(server, scripted, "helper")
    choose = '{id: kind, type: branch, with: {rules: [{name: person, when: "item == \'ask\'"}]}}'
    body = [choose, ASK.replace("type: human,", "type: human, needs: [kind.person],"), HELP.replace("type: agent,", "type: agent, needs: [kind.otherwise],")]
    apply(server, "strict", BEGIN + each(body) + REPLY)
    run = start(server, "strict", ["ask", "refuse", "hello"])
    failed = server.wait(run, seconds=40)
    assert failed["status"] == "failed" and "block `each`: item 1: block `help`" in failed["error"]["message"], failed["error"]
    assert server.get("/api/v1/approvals?status=pending").json["approvals"] == [], "who was asked is asked no more"
    assert server.run(items_of(server, run)[0])["status"] == "canceled" and 2 not in items_of(server, run)
    apply(server, "patient", BEGIN + each(body, errors="collect") + REPLY)
    ended = server.wait(start(server, "patient", ["refuse", "hello"]), seconds=40)
    assert ended["output"][1] == "Heard: hello" and "not like that" in ended["output"][0]["error"]["message"], ended
    told = next(data for type, data in events(server, ended["id"]) if type == "step.progress" and data["errors"])
    assert told["part"] == 1
    caught = '- {id: wrong, type: respond, needs: [each.error], with: {value: "{{ blocks.each.error.type }}"}}\n'
    apply(server, "caught", BEGIN + each([HELP]) + caught)
    assert server.wait(start(server, "caught", ["refuse"]), seconds=40)["output"] == "ToolError"


def test_what_is_cancelled_cancels_the_runs_of_its_items(server):
    apply(server, "stops", BEGIN + each([ASK]) + REPLY)
    run = start(server, "stops", ["a", "b", "c"])
    pending(server, 2)
    assert server.post(f"/api/v1/runs/{run}/cancel", {}).status == 202
    assert server.wait(run)["status"] == "canceled"
    assert server.get("/api/v1/approvals?status=pending").json["approvals"] == []
    assert {server.run(one)["status"] for one in items_of(server, run).values()} == {"canceled"} and len(items_of(server, run)) == 2


def test_a_body_sees_its_item_and_the_blocks_around_it(server, receiver):
    """Results of other maps, of blocks around it and the input; calls that are tried again; a wait; and a map of its own, in a flow."""
    apply(server, "inner", BEGIN + each(['{id: twice, type: transform, with: {value: "{{ item * 2 }}"}}'], over="{{ input.list }}") + REPLY)
    receiver.failing = {"/call": 2}
    apply(server, "outer", f"""
- {{id: begin, type: start}}
- {{id: rate, type: transform, needs: [begin], with: {{value: {{factor: 3}}}}}}
- {{id: before, type: map, needs: [rate], with: {{over: "{{{{ input.lists }}}}"}}, blocks: [{{id: kept, type: transform, with: {{value: "{{{{ item }}}}"}}}}]}}
- id: each
  type: map
  needs: [before]
  with: {{over: "{{{{ blocks.before }}}}", parallel: 4}}
  blocks:
    - {{id: call, type: http, retry: {{attempts: 3, initial: 20ms}}, with: {post(receiver.url + "/call", arguments='{n: "{{ index }}", of: "{{ blocks.rate.factor }}"}')}}}
    - {{id: pause, type: wait, needs: [call], with: {{duration: 10ms}}}}
    - {{id: nested, type: flow, needs: [pause], with: {{flow: inner, arguments: {{list: "{{{{ item }}}}"}}}}}}
    - {{id: all, type: code, needs: [nested], with: {{code: "return {{got: blocks.nested, path: blocks.call.path, by: input.by, large: input.large}}"}}}}
- {{id: reply, type: respond, needs: [each], with: {{value: "{{{{ blocks.each }}}}"}}}}
""")
    run = start(server, "outer", {"lists": [[1, 2], [], [3]], "by": "ada", "large": 9007199254740993})
    ended = server.wait(run, seconds=60)
    assert ended["status"] == "completed", ended
    assert ended["output"] == [{"got": got, "path": "/call", "by": "ada", "large": 9007199254740993} for got in ([2, 4], [], [6])]
    assert receiver.count("/call") == 5 and len(receiver.keys("/call")) == 3, "one key an item"
    assert {call[2]["of"] for call in receiver.calls} == {3}


def test_rounds_of_a_loop_are_runs_one_behind_the_other(server, scripted):
    apply(server, "talks", """
- {id: begin, type: start}
- id: talk
  type: loop
  needs: [begin]
  with: {times: 5, first: [], until: "last[size(last) - 1] == 'stop'"}
  blocks:
    - {id: ask, type: human, with: {human: {}, arguments: {question: "Round {{ index }}?"}}}
    - {id: more, type: transform, needs: [ask], with: {value: "{{ [...last, blocks.ask.answer.answer] }}"}}
- {id: reply, type: respond, needs: [talk], with: {value: "{{ blocks.talk }}"}}
""")
    run = start(server, "talks")
    for index, word in enumerate(["one", "two", "stop"]):
        (question,) = pending(server, 1)
        assert question["question"]["text"] == f"Round {index}?"
        if index == 1:
            server.kill()
            server.start()
        say(server, question, word)
    assert server.wait(run, seconds=40)["output"] == ["one", "two", "stop"]
    put_agent(server, scripted, "helper")
    limit = """
- {id: begin, type: start}
- {id: talk, type: loop, needs: [begin], with: {times: 2, first: hi, until: "last == 'never'"}, blocks: [{id: help, type: agent, with: {agent: helper, arguments: {input: "{{ last }}"}}}]}
"""
    apply(server, "limit", limit)
    failed = server.wait(start(server, "limit"), seconds=40)
    assert failed["error"]["type"] == "LoopLimit" and "round 2" in failed["error"]["message"], failed["error"]
    apply(server, "all", limit.replace(', until: "last == \'never\'"', ""))
    assert server.wait(start(server, "all"), seconds=40)["output"] == "Heard: Heard: hi"


def test_a_model_is_asked_for_each_item(server, scripted):
    model = '{id: said, type: model, with: {model: {provider: openai, base_url: "%s", name: scripted}, prompt: "{{ item }}"}}' % scripted
    apply(server, "moods", BEGIN + each([model]) + REPLY)
    ended = server.wait(start(server, "moods", ["hello", "as json"]), seconds=40)
    assert ended["output"] == ["Heard: hello", {"mood": "good", "score": 3}], ended
    far = server.request("PUT", "/api/v1/flows/far", flow("far", BEGIN + each([model.replace(scripted, "https://far.example/v1")])))
    assert far.status == 403 and "block `said`" in far.text


def test_items_are_completed_from_outside(server, receiver):
    call = '{id: call, type: http, async: {deadline: 1m}, with: {http: {method: POST, url: "%s/out", body: {token: "{completion_token}", n: "{n}"}}, effect: idempotent, arguments: {n: "{{ index }}"}}}'
    apply(server, "outside", BEGIN + each([call % receiver.url]) + REPLY)
    run = start(server, "outside", ["a", "b"])
    server.wait_until(lambda: receiver.count("/out") == 2)
    tokens = {call[2]["n"]: call[2]["token"] for call in receiver.calls}
    for n in (1, 0):
        assert server.post(f"/api/v1/completions/{tokens[n]}", {"result": {"done": n}}).status in (200, 202)
    assert server.wait(run, seconds=40)["output"] == [{"done": 0}, {"done": 1}]


def test_a_run_that_is_taken_up_repeats_neither_items_nor_blocks_that_ended(server, receiver, scripted):
    put_agent(server, scripted, "helper")
    apply(server, "taken", BEGIN + each([
        f'{{id: first, type: http, with: {post(receiver.url + "/first", arguments=chr(123) + "n: " + chr(34) + "{{ index }}" + chr(34) + chr(125))}}}',
        '{id: help, type: agent, needs: [first], with: {agent: helper, arguments: {input: "{{ item }}"}}}',
        f'{{id: last, type: http, needs: [help], with: {post(receiver.url + "/last", arguments=chr(123) + "n: " + chr(34) + "{{ index }}" + chr(34) + chr(125))}}}',
        '{id: said, type: transform, needs: [last], with: {value: "{{ blocks.help }}"}}',
    ], parallel=1) + REPLY)
    receiver.refusing = {"/last": 2}
    run = start(server, "taken", ["a", "b", "c", "d"])
    failed = server.wait(run, seconds=60)
    assert failed["status"] == "failed" and "item 2: block `last`" in failed["error"]["message"], failed["error"]
    receiver.refusing = {}
    again = server.post(f"/api/v1/runs/{run}/retry", {}).json["id"]
    ended = server.wait(again, seconds=60)
    assert (ended["status"], ended["output"]) == ("completed", ["Heard: a", "Heard: b", "Heard: c", "Heard: d"]), ended
    assert receiver.count("/first") == 4 and len(receiver.keys("/first")) == 4, "what the third had done is known"
    assert receiver.count("/last") == 5
    assert failed["spent"]["model_calls"] == 3 and ended["spent"]["model_calls"] == 1, "nor is an agent asked again"
    assert sorted(items_of(server, again)) == [2, 3]


def apply_pays(server, receiver):
    """A flow whose call can be taken back."""
    apply(server, "pays", f"""
- {{id: begin, type: start}}
- id: pay
  type: http
  needs: [begin]
  with: {post(receiver.url + "/pay", arguments='{n: "{{ input.n }}"}')}
  compensate: {post(receiver.url + "/back", arguments='{n: "{arguments.n}"}')}
""")


def test_what_items_did_is_taken_back_when_another_fails(server, receiver):
    apply_pays(server, receiver)
    apply(server, "paying", BEGIN + each([
        '{id: paid, type: flow, with: {flow: pays, arguments: {n: "{{ index }}"}}}',
        '{id: check, type: code, needs: [paid], with: {code: "if (item === 3) throw new Error(\'three\'); return item"}}'], parallel=1) + REPLY)
    run = start(server, "paying", [1, 2, 3, 4])
    failed = server.wait(run, seconds=60)
    assert failed["status"] == "failed" and "item 2: block `check`" in failed["error"]["message"], failed["error"]
    assert [call[2]["n"] for call in receiver.calls if call[0] == "/pay"] == [0, 1, 2]
    assert [call[2]["n"] for call in receiver.calls if call[0] == "/back"] == [2, 1, 0], "the item itself, then the run those before it"


def test_an_item_that_took_back_what_it_did_begins_anew_but_not_by_halves(server, receiver):
    apply_pays(server, receiver)
    apply(server, "paying", BEGIN + each([
        '{id: one, type: flow, with: {flow: pays, arguments: {n: 1}}}', '{id: two, type: flow, needs: [one], with: {flow: pays, arguments: {n: 2}}}',
        f'{{id: check, type: http, needs: [two], with: {post(receiver.url + "/check")}}}']) + REPLY)
    receiver.refusing = {"/check": 0}
    run = start(server, "paying", ["a"])
    assert server.wait(run, seconds=60)["status"] == "failed" and receiver.count("/back") == 2
    again = server.post(f"/api/v1/runs/{run}/retry", {}).json["id"]
    assert server.wait(again, seconds=60)["status"] == "completed" and receiver.count("/pay") == 4
    receiver.refusing = {"/check": receiver.count("/check"), "/back": receiver.count("/back")}
    half = start(server, "paying", ["a"])
    assert "not undone: pay" in server.wait(half, seconds=60)["error"]["message"]
    again = server.post(f"/api/v1/runs/{half}/retry", {}).json["id"]
    refused = server.wait(again, seconds=60)
    assert refused["error"]["type"] == "HalfUndone" and receiver.count("/pay") == 6, refused["error"]


@pytest.mark.timeout(300)
def test_seven_hundred_items_are_several_histories_across_a_kill(server, receiver):
    apply(server, "many", f"""
- {{id: begin, type: start}}
- id: each
  type: map
  needs: [begin]
  with: {{over: 700, parallel: 16}}
  blocks:
    - {{id: call, type: http, with: {post(receiver.url + "/call", arguments='{n: "{{ index }}"}')}}}
    - {{id: pause, type: wait, needs: [call], with: {{duration: 1ms}}}}
    - {{id: made, type: transform, needs: [pause], with: {{value: "{{{{ index }}}}"}}}}
- {{id: reply, type: respond, needs: [each], with: {{value: "{{{{ blocks.each }}}}"}}}}
""")
    run = start(server, "many")
    server.wait_until(lambda: receiver.count("/call") >= 400, seconds=200)
    server.kill()
    server.start()
    ended = server.wait(run, seconds=250)
    assert ended["status"] == "completed" and ended["output"] == list(range(700)), ended
    assert len(receiver.keys("/call")) == 700 and receiver.count("/call") <= 700 + 16


def test_too_many_items_are_refused_and_large_results_are_not_in_histories(server):
    apply(server, "wide", BEGIN + each(['{id: pause, type: wait, with: {duration: 1ms}}', '{id: made, type: code, needs: [pause], with: {code: "return String(index).repeat(300000)"}}'], parallel=4)
          + '- {id: sizes, type: map, needs: [each], with: {over: "{{ blocks.each }}"}, blocks: [{id: size, type: transform, with: {value: "{{ item.length }}"}}]}\n'
          + '- {id: reply, type: respond, needs: [sizes], with: {value: "{{ blocks.sizes }}"}}\n')
    refused = server.wait(start(server, "wide", 10001))
    assert refused["error"]["type"] == "TooManyItems" and "10001 items, at most 10000 are allowed where each is a run" in refused["error"]["message"]
    run = start(server, "wide", 12)
    ended = server.wait(run, seconds=60)
    assert ended["output"] == [300000] * 10 + [600000] * 2, ended
    one = server.run(items_of(server, run)[11])
    assert one["output"]["too_large"]["bytes"] == 600002 and len(json.dumps(one["output"])) < 5000
    wrong = server.request("PUT", "/api/v1/flows/long", flow("long", BEGIN + "- {id: again, type: loop, needs: [begin], with: {times: 10001}, blocks: [{id: pause, type: wait, with: {duration: 1s}}]}\n"))
    assert wrong.status == 422 or wrong.status == 400, wrong.text
    assert "10001 rounds, at most 10000" in wrong.text
