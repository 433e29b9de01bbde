"""store: false at OpenAI's endpoints: the answer comes as always, and then nothing is left of what was said, a kill in between or not."""

import concurrent.futures
import sqlite3
import uuid

import openai
import pytest
from holdfast import scripted_model
from test_openai import ECHO, SENTENCE, approve, client, refused, run_of

MARK = "zebra"  # in what is said alone

SCRIPT = """
models: [echo]
replies:
  - when: {last: "^delegate", turn: 0}
    text: "I ask."
    tool_calls: [{name: helper, arguments: {input: "help a zebra"}}]
  - when: {turn: 0}
    text: "first: {{last}}"
  - when: {turn: 1}
    text: "second: {{last}}"
  - when: {turn: 2}
    text: "third: {{last}}"
"""
TOOLS = """
  tools: [{name: helper, type: agent, description: Helps., agent: echo}]
"""


@pytest.fixture
def echoes(binary, own_server, tmp_path):
    """A server whose agents repeat what they are told; `boss` asks `echo` first."""
    with scripted_model(binary, tmp_path, SCRIPT) as url:
        text = ECHO.format(model=url)
        assert own_server.request("PUT", "/api/v1/agents/echo", text).status == 201
        assert own_server.request("PUT", "/api/v1/agents/boss", text.replace("name: echo}", "name: boss}") + TOOLS).status == 201
        yield own_server


def left_of(server) -> str:
    """Every row of the platform store, as text."""
    out = []
    for name in ("platform.db", "streams.db"):
        with sqlite3.connect(f"file:{server.data / 'platform' / name}?mode=ro", uri=True) as db:
            for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                out += [f"{table}: {row}" for row in db.execute(f"SELECT * FROM {table}")]
    return "\n".join(out)


def wait_until_gone(server, run) -> dict:
    return server.wait(run, lambda state: state.get("history_deleted_at"))


def is_missing(ai, response):
    missing = (404, "response_not_found", None)
    assert refused(lambda: ai.responses.retrieve(response)) == missing
    assert refused(lambda: list(ai.responses.retrieve(response, stream=True))) == missing
    assert refused(lambda: ai.responses.input_items.list(response)) == missing
    assert refused(lambda: ai.responses.delete(response)) == missing
    assert refused(lambda: ai.responses.create(model="payer", input="x", previous_response_id=response)) == (
        404, "previous_response_not_found", "previous_response_id")


def test_an_answer_that_is_not_stored_is_given_once(echoes):
    ai = client(echoes)
    said = {"model": "echo", "input": f"a {MARK}", "instructions": f"be a {MARK}", "metadata": {"kind": MARK}, "store": False}
    whole = ai.responses.create(**said)
    assert (whole.status, whole.store, whole.conversation) == ("completed", False, None)
    assert whole.output_text.startswith("first: ") and whole.metadata == {"kind": MARK}
    is_missing(ai, whole.id)
    *_, last = ai.responses.create(**said, stream=True)
    assert last.type == "response.completed" and last.response.output_text == whole.output_text
    is_missing(ai, last.response.id)
    chat = ai.chat.completions.create(model="echo", messages=[{"role": "user", "content": MARK}], store=False)
    assert chat.choices[0].message.content == f"first: {MARK}"
    *_, piece = ai.chat.completions.create(model="echo", messages=[{"role": "user", "content": MARK}], store=False, stream=True)
    for run in map(run_of, (whole, last.response, chat, piece)):
        state = wait_until_gone(echoes, run)
        assert (state["status"], state["agent"], state["input"]) == ("completed", "echo", None)
        assert MARK not in echoes.get(f"/api/v1/runs/{run}").text
        assert echoes.get(f"/api/v1/conversations/{run}/messages").status == 404
        is_missing(ai, f"resp_{run}")
    left = left_of(echoes)
    assert MARK not in left
    assert run_of(whole) in left and "bills" in left and "run.started" in left


def test_what_it_had_others_do_goes_too(echoes):
    ai = client(echoes)
    for store in (False, True):
        response = ai.responses.create(model="boss", input=f"delegate a {MARK}", store=store)
        assert response.output_text.startswith("I ask.second: "), response
        if not store:
            wait_until_gone(echoes, run_of(response))
            echoes.wait_until(lambda: MARK not in left_of(echoes))
    assert MARK in left_of(echoes), "of one that is stored it is there"


def test_what_was_said_is_sent_again(echoes):
    """Clients that keep the conversation themselves, with what they or other models did in it."""
    ai = client(echoes)
    history = [
        {"role": "user", "content": "one"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbGVk"},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Bern"}'},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "It rains.", "annotations": []}]},
    ]
    first = ai.responses.create(model="echo", input=[*history, {"role": "user", "content": "two"}], store=False, include=["reasoning.encrypted_content"])
    assert first.output_text == "second: two"
    assert [item.type for item in first.output] == ["message"], "an agent gives out no reasoning, and so none that is encrypted"
    again = [*history, {"role": "user", "content": "two"}, *[item.model_dump(exclude_none=True) for item in first.output], {"role": "user", "content": "three"}]
    assert ai.responses.create(model="echo", input=again, store=False).output_text == "third: three"
    kept = ai.responses.create(model="echo", input=again)
    told = [part["text"] for message in echoes.get(f"/api/v1/conversations/{kept.conversation.id}/messages").json["messages"] for part in message["content"]]
    assert told[1] == '[called weather with {"city":"Bern"}]\n\n[weather gave: rain]' and told[2] == "It rains."
    lost = {"type": "function_call_output", "call_id": "call_9", "output": "sun"}
    assert refused(lambda: ai.responses.create(model="echo", input=[lost, {"role": "user", "content": "x"}])) == (400, "invalid_value", "input[0].call_id")


def test_it_goes_on_behind_a_stored_one_and_leaves_no_trace_there(echoes):
    ai = client(echoes)
    first = ai.responses.create(model="echo", input="one")
    second = ai.responses.create(model="echo", input=f"a {MARK}", previous_response_id=first.id, store=False)
    assert (second.output_text, second.previous_response_id) == (f"second: a {MARK}", first.id)
    wait_until_gone(echoes, run_of(second))
    assert MARK not in left_of(echoes)
    other = ai.responses.create(model="echo", input="two", previous_response_id=first.id)
    assert other.output_text == "second: two", "what was not stored was not said there"
    assert refused(lambda: ai.responses.create(model="echo", input="x", previous_response_id=first.id, store=False))[1] == "previous_response_not_last"


def test_what_cannot_be_without_being_stored(server):
    ai = client(server)
    assert refused(lambda: ai.responses.create(model="payer", input="hi", store=False, background=True)) == (400, "invalid_value", "background")
    assert refused(lambda: ai.responses.create(model="payer", input="hi", store=False, conversation="mine")) == (400, "invalid_value", "conversation")
    assert refused(lambda: ai.responses.create(model="payer", input="hi", store="no")) == (400, "invalid_type", "store")
    assert refused(lambda: ai.responses.create(model="payer", input="hi", include=["message.output_text.logprobs"])) == (400, "unsupported_parameter", "include")
    assert refused(lambda: ai.responses.create(model="payer", input="hi", include=["my_thoughts"])) == (400, "invalid_value", "include")


def test_a_kill_does_not_keep_it(own_server):
    ai = client(own_server)
    stream = ai.responses.create(model="payer", input=f"slowly, {MARK}", store=False, stream=True)
    with pytest.raises(openai.APIError):
        for event in stream:
            if event.type == "response.created":
                response = event.response
                assert ai.responses.retrieve(response.id).status == "in_progress", "while it works it is there"
            if event.type == "response.output_text.delta" and "five" in event.delta:
                own_server.kill()
        raise AssertionError("the stream ended as if it were whole")
    assert MARK in left_of(own_server)
    own_server.start()
    state = wait_until_gone(own_server, run_of(response))
    assert state["status"] == "completed", "it was done to its end"
    is_missing(ai, response.id)
    assert MARK not in left_of(own_server)


def test_with_a_key_the_answer_waits_for_the_same_request(own_server):
    ai = client(own_server)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    said = {"model": "payer", "input": f"slowly, {MARK}", "store": False, "extra_headers": key}
    for event in (stream := ai.responses.create(**said, stream=True)):
        if event.type == "response.output_text.delta":
            break
    stream.close()
    run = own_server.get("/api/v1/runs").json["runs"][0]["id"]
    own_server.wait(run)
    is_missing(ai, f"resp_{run}")
    own_server.kill()
    own_server.start()
    again = ai.responses.create(**said)
    assert (again.output_text, run_of(again)) == (SENTENCE, run)
    wait_until_gone(own_server, run)
    assert refused(lambda: ai.responses.create(**said)) == (404, "response_not_found", None)
    assert refused(lambda: list(ai.responses.create(**said, stream=True))) == (404, "response_not_found", None)
    assert MARK not in left_of(own_server)


def test_a_stored_answer_that_was_deleted_is_not_waited_for(own_server):
    ai = client(own_server)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    response = ai.responses.create(model="payer", input="hello", extra_headers=key)
    ai.responses.with_raw_response.delete(response.id)
    assert refused(lambda: ai.responses.create(model="payer", input="hello", extra_headers=key)) == (404, "response_not_found", None)


def test_who_cannot_fetch_it_later_waits_for_the_person(own_server, payments):
    ai = client(own_server)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        asking = threads.submit(lambda: ai.responses.create(model="payer", input="pay", store=False))
        run = own_server.wait_until(lambda: own_server.get("/api/v1/runs").json["runs"])[0]["id"]
        approval = own_server.wait_for_approval(run)
        for path in (f"/api/v1/runs/{run}/retry", f"/api/v1/runs/{run}/fork"):
            assert own_server.post(path).status in (400, 409), path
        approve(own_server, run)
        response = asking.result(20)
    assert (response.status, payments()) == ("completed", [250])
    wait_until_gone(own_server, run)
    assert own_server.get(f"/api/v1/approvals/{approval['id']}").json["status"] == "approved", "who decided what stays in the record"
