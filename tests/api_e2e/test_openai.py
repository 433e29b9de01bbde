"""OpenAI's own client against agents: what it reads without complaint is the protocol, and a response is a run that a kill does not end."""

import concurrent.futures
import json
import uuid

import openai
import pytest
from holdfast import Server, scripted_model
from test_identity import bearer, guarded, local_key, make_key  # noqa: F401 (fixture)

SENTENCE = ("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen twenty.")

# Says what it was told last, and how much it was told before.
ECHO_SCRIPT = """
models: [echo]
replies:
  - when: {turn: 0}
    text: "first: {{last}}"
  - when: {turn: 1}
    text: "second: {{last}}"
  - when: {turn: 2}
    text: "third: {{last}}"
"""
ECHO = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: echo}}
spec:
  model: {{provider: openai, base_url: {model}, name: echo, timeout: 30s}}
  prompt: You repeat.
"""


@pytest.fixture(scope="module")
def echo(binary, server, tmp_path_factory):
    """An agent that tells turns apart, on the shared server."""
    with scripted_model(binary, tmp_path_factory.mktemp("echo"), ECHO_SCRIPT) as url:
        assert server.request("PUT", "/api/v1/agents/echo", ECHO.format(model=url)).status == 201
        yield "echo"


def client(server, key="no-key", **more) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.ready["http"] + "/v1", api_key=key, max_retries=0, timeout=30, **more)


def ask(text):
    return {"model": "payer", "messages": [{"role": "user", "content": text}]}


def run_of(response) -> str:
    return response.id.removeprefix("resp_").removeprefix("chatcmpl-")


def approve(server, run):
    approval = server.wait_for_approval(run)
    answer = server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]})
    assert answer.status == 200, answer.text


# ---- models


def test_agents_and_their_labels_are_models(server, echo):
    ai = client(server)
    version = server.get("/api/v1/agents/echo").json["version"]
    assert server.request("PUT", "/api/v1/agents/echo/labels/live", {"version": version, "by": "mara"}, {"If-None-Match": "*"}).status == 201
    assert {"payer", "echo", "echo@live"} <= {model.id for model in ai.models.list()}
    for name in ("echo", "echo@live", f"echo@{version[:8]}"):
        model = ai.models.retrieve(name)
        assert (model.id, model.object, model.owned_by) == (name, "model", "holdfast")
    assert ai.chat.completions.create(model="echo@live", messages=[{"role": "user", "content": "hi"}]).choices[0].message.content == "first: hi"
    with pytest.raises(openai.NotFoundError) as missing:
        ai.models.retrieve("nobody")
    assert (missing.value.code, missing.value.type, missing.value.param) == ("model_not_found", "invalid_request_error", "model")


# ---- chat completions


def test_a_chat_is_answered_whole_and_in_pieces(server):
    ai = client(server)
    whole = ai.chat.completions.create(**ask("hello"), temperature=0.2, max_tokens=100)
    assert (whole.object, whole.model, whole.choices[0].finish_reason) == ("chat.completion", "payer", "stop")
    assert whole.choices[0].message.content == "Hello from the script."
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0
    assert server.wait(run_of(whole))["output"] == "Hello from the script."
    pieces = list(ai.chat.completions.create(**ask("slowly"), stream=True, stream_options={"include_usage": True}))
    texts = [piece.choices[0].delta.content for piece in pieces if piece.choices and piece.choices[0].delta.content]
    assert "".join(texts) == SENTENCE
    assert len(texts) > 3, "as it is said, and not at the end"
    assert [piece.choices[0].finish_reason for piece in pieces if piece.choices][-1] == "stop"
    assert pieces[-1].usage.total_tokens > 0 and not pieces[-1].choices
    assert len({piece.id for piece in pieces}) == 1
    assert all(piece.usage is None for piece in ai.chat.completions.create(**ask("hello"), stream=True))


def test_what_was_said_before_is_the_agents_conversation(server, echo):
    ai = client(server)
    messages = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "one"}]
    first = ai.chat.completions.create(model=echo, messages=messages)
    assert first.choices[0].message.content.startswith("first: ")
    messages += [first.choices[0].message.model_dump(exclude_none=True, include={"role", "content"}), {"role": "user", "content": "two"}]
    second = ai.chat.completions.create(model=echo, messages=messages)
    assert second.choices[0].message.content == "second: two"
    about = server.run(run_of(second))
    said = server.get(f"/api/v1/conversations/{about['conversation']}/messages").json["messages"]
    texts = [part["text"] for message in said for part in message["content"]]
    assert texts == ["Instructions of the client:\nbe kind", "one", first.choices[0].message.content, "two", "second: two"]


def test_a_model_that_is_asked_again_says_nothing_twice(server, model, agent_text, tmp_path):
    ai = client(server)
    pieces = ai.chat.completions.create(**ask("again"), stream=True)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == "Alpha beta gamma delta epsilon zeta eta theta."


def test_a_run_that_fails_is_an_error(server):
    ai = client(server)
    with pytest.raises(openai.APIStatusError) as failed:
        ai.chat.completions.create(**ask("refuse"))
    assert failed.value.status_code == 500 and failed.value.response.headers["x-should-retry"] == "false"
    assert "not like that" in failed.value.message
    with pytest.raises(openai.APIError, match="not like that"):
        list(ai.chat.completions.create(**ask("refuse"), stream=True))
    response = ai.responses.create(model="payer", input="refuse")
    assert response.status == "failed" and "not like that" in response.error.message


def test_a_chat_goes_on_when_a_person_has_decided(own_server, payments):
    stream = client(own_server).chat.completions.create(**ask("pay"), stream=True)
    text, asked = "", ""
    for piece in stream:
        delta = piece.choices[0].delta
        text += delta.content or ""
        note = getattr(delta, "reasoning_content", None)
        if note and not asked:
            asked = note
            approve(own_server, run_of(piece))
    assert text == "I pay.\n\nThat is settled."
    assert "approve pay" in asked and "/runs/" in asked
    assert payments() == [250]


# ---- responses


def test_a_response_is_a_run(server):
    ai = client(server)
    response = ai.responses.create(model="payer", input="hello", metadata={"order": "1042"}, instructions="be brief")
    assert (response.status, response.output_text) == ("completed", "Hello from the script.")
    assert response.metadata == {"order": "1042"} and response.instructions == "be brief"
    assert response.usage.total_tokens > 0 and response.holdfast["run"] == run_of(response)
    assert ai.responses.retrieve(response.id) == response
    assert server.wait(run_of(response))["status"] == "completed"
    items = list(ai.responses.input_items.list(response.id))
    assert [part.text for part in items[0].content] == ["Instructions of the client:\nbe brief", "hello"]
    assert list(ai.responses.input_items.list(response.id, limit=1, order="asc", after=items[0].id)) == []
    for wrong in ({"limit": 0}, {"limit": 101}, {"order": "up"}, {"after": "msg_nobody"}):
        assert refused(lambda wrong=wrong: ai.responses.input_items.list(response.id, **wrong)) == (400, "invalid_value", *wrong)
    # Any run is a response, however it was started.
    run = server.start_run("payer", "hello")
    server.wait(run)
    assert ai.responses.retrieve(f"resp_{run}").output_text == "Hello from the script."


def test_the_whole_sequence_of_events_and_the_rest_of_it(server):
    ai = client(server)
    with ai.responses.stream(model="payer", input="slowly") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == SENTENCE
    events = list(ai.responses.create(model="payer", input="slowly", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:4] == ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"]
    assert kinds[-4:] == ["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"]
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == SENTENCE
    response = events[-1].response
    for after in (0, len(events) // 2, len(events) - 2):
        rest = list(ai.responses.retrieve(response.id, stream=True, starting_after=after))
        assert rest == events[after + 1:]


def test_a_background_response_survives_a_kill(own_server):
    ai = client(own_server)
    response = ai.responses.create(model="payer", input="slowly", background=True)
    assert response.status in ("queued", "in_progress") and response.background
    stream = ai.responses.retrieve(response.id, stream=True)
    seen = []
    with pytest.raises(openai.APIError):  # it breaks off: this is not the end
        for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta" and "five" in event.delta:
                own_server.kill()
        raise AssertionError("the stream ended as if it were whole")
    own_server.start()
    rest = list(ai.responses.retrieve(response.id, stream=True, starting_after=seen[-1].sequence_number))
    assert [event.sequence_number for event in rest][0] == seen[-1].sequence_number + 1
    assert rest[-1].type == "response.completed" and rest[-1].response.output_text == SENTENCE
    done = own_server.wait_until(lambda: (now := ai.responses.retrieve(response.id)).status == "completed" and now)
    assert done.output_text == SENTENCE


def test_a_request_that_a_kill_broke_off_is_the_same_run_when_it_is_made_again(own_server):
    ai = client(own_server)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"model": "payer", "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes?"},
                                           {"role": "user", "content": "slowly"}]}
    for piece in (stream := ai.chat.completions.create(**body, stream=True, extra_headers=key)):
        if piece.choices[0].delta.content:
            break
    stream.close()
    own_server.kill()
    own_server.start()
    again = ai.chat.completions.create(**body, extra_headers=key)
    assert again.choices[0].message.content == SENTENCE and again.id == piece.id
    assert len(own_server.get("/api/v1/runs").json["runs"]) == 1
    with pytest.raises(openai.ConflictError) as other:
        ai.chat.completions.create(**ask("hello"), extra_headers=key)
    assert other.value.code == "idempotency_key_used"


def test_who_waits_while_the_server_stops_is_told_where_to_go_on(own_server):
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        asking = threads.submit(lambda: own_server.post("/v1/chat/completions", ask("pay")))
        run = own_server.wait_until(lambda: own_server.get("/api/v1/runs").json["runs"])[0]["id"]
        own_server.wait_for_approval(run)
        assert not asking.done()
        assert own_server.stop() == 0
        answer = asking.result(20)
    assert (answer.status, answer.json["error"]["code"], answer.headers["X-Request-Id"]) == (503, "not_ready", run)
    assert answer.headers["X-Should-Retry"] == "false" and f"resp_{run}" in answer.json["error"]["message"]
    own_server.start()
    assert client(own_server).responses.retrieve(f"resp_{run}").holdfast["waiting_on"] == "approval"


def test_the_next_turn_stands_behind_the_last(server, echo):
    ai = client(server)
    first = ai.responses.create(model=echo, input="one")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    second = ai.responses.create(model=echo, input="two", previous_response_id=first.id, extra_headers=key)
    assert (second.output_text, second.previous_response_id) == ("second: two", first.id)
    assert second.conversation.id == first.conversation.id
    assert ai.responses.create(model=echo, input="two", previous_response_id=first.id, extra_headers=key) == second
    assert ai.responses.create(model=echo, input="three", previous_response_id=second.id).output_text == "third: three"
    with pytest.raises(openai.ConflictError) as late:
        ai.responses.create(model=echo, input="other", previous_response_id=first.id)
    assert late.value.code == "previous_response_not_last" and late.value.param == "previous_response_id"
    with pytest.raises(openai.NotFoundError) as missing:
        ai.responses.create(model=echo, input="x", previous_response_id="resp_nobody")
    assert missing.value.code == "previous_response_not_found"
    name = "customer-7"
    ai.responses.create(model=echo, input="one", conversation=name)
    assert ai.responses.create(model=echo, input="two", conversation=name).output_text == "second: two"


def test_all_that_a_response_was_asked_is_listed(server, echo):
    ai = client(server)
    asked = [("user", "one"), ("assistant", "yes?"), ("user", "two"), ("assistant", "well"), ("user", "three")]
    response = ai.responses.create(model=echo, input=[{"role": role, "content": text} for role, text in asked])
    inputs = ai.responses.input_items

    def said(items):
        return [(item.role, item.content[0].text) for item in items]

    whole = inputs.list(response.id, order="asc")
    assert said(whole.data) == asked and not whole.has_more
    assert said(inputs.list(response.id).data) == asked[::-1]
    assert said(inputs.list(response.id, order="asc", limit=2)) == asked  # page after page
    first = inputs.list(response.id, limit=2)
    assert said(first.data) == asked[:2:-1] and first.has_more and first.last_id == first.data[-1].id
    again = [{"type": "item_reference", "id": item.id} for item in whole.data]
    assert said(inputs.list(ai.responses.create(model=echo, input=again).id, order="asc").data) == asked
    # What comes behind it was asked for itself.
    behind = ai.responses.create(model=echo, input="four", previous_response_id=response.id)
    assert said(inputs.list(behind.id).data) == [("user", "four")]


def test_items_of_ours_are_sent_back_by_their_ids(server, echo):
    """As the AI SDK sends a history: its own words again, ours by their ids."""
    ai = client(server)
    first = ai.responses.create(model=echo, input="one")
    history = [{"role": "user", "content": [{"type": "input_text", "text": "one"}]},
               {"type": "item_reference", "id": first.output[-1].id},
               {"role": "user", "content": [{"type": "input_text", "text": "two"}]}]
    second = ai.responses.create(model=echo, input=history)
    assert second.output_text == "second: two"
    messages = server.get(f"/api/v1/conversations/{second.conversation.id}/messages").text
    assert "first: one" in messages
    asked = {"type": "item_reference", "id": next(iter(ai.responses.input_items.list(first.id))).id}
    assert ai.responses.create(model=echo, input=[asked]).output_text == "first: one"
    for unknown in ("msg_68ab", f"msg_{run_of(first)}_99", f"mcp_{run_of(first)}_0", "msg_nobody_0", "mcpr_nobody", "rs_1"):
        history[1]["id"] = unknown
        assert refused(lambda: ai.responses.create(model=echo, input=history)) == (404, "item_not_found", "input[1].id")


def test_who_waits_for_a_person_is_told_so(own_server, payments):
    ai = client(own_server)
    response = ai.responses.create(model="payer", input="pay")
    assert (response.status, response.holdfast["waiting_on"]) == ("in_progress", "approval")
    question = response.output[-1]
    assert (question.type, question.name, json.loads(question.arguments)) == ("mcp_approval_request", "pay", {"amount": 250})
    assert question.id.removeprefix("mcpr_") == own_server.wait_for_approval(run_of(response))["id"]
    approve(own_server, run_of(response))
    *_, last = ai.responses.retrieve(response.id, stream=True)
    done = last.response
    assert done.status == "completed" and payments() == [250]
    assert [item.type for item in done.output] == ["message", "mcp_approval_request", "mcp_call", "message"]
    assert (done.output[2].name, done.output[2].status) == ("pay", "completed")


def test_a_response_is_cancelled_and_deleted(own_server):
    ai = client(own_server)
    response = ai.responses.create(model="payer", input="at length", background=True)
    own_server.wait_until(lambda: ai.responses.retrieve(response.id).status == "in_progress")
    stopped = ai.responses.cancel(response.id)
    assert stopped.status == "cancelled" and own_server.wait(run_of(response))["status"] == "canceled"
    assert ai.responses.cancel(response.id).status == "cancelled"
    ended = ai.responses.create(model="payer", input="hello")
    at_work = ai.responses.create(model="payer", input="at length", background=True)
    for one in (response, ended, at_work):
        assert ai.responses.with_raw_response.delete(one.id).http_response.json() == {"id": one.id, "object": "response", "deleted": True}
        assert refused(lambda one=one: ai.responses.retrieve(one.id))[:2] == (404, "response_not_found")
        assert refused(lambda one=one: ai.responses.delete(one.id))[0] == 404


# ---- what is refused


def refused(call) -> tuple:
    with pytest.raises(openai.APIStatusError) as error:
        call()
    return error.value.status_code, error.value.code, error.value.param


def test_errors_have_openais_shape(server):
    ai = client(server)
    hello = ask("hello")
    assert refused(lambda: ai.chat.completions.create(**{**hello, "model": "nobody"})) == (404, "model_not_found", "model")
    assert refused(lambda: ai.chat.completions.create(**{**hello, "model": "payer@no/label"})) == (404, "model_not_found", "model")
    assert refused(lambda: ai.chat.completions.create(**hello, n=2)) == (400, "unsupported_parameter", "n")
    assert refused(lambda: ai.chat.completions.create(**hello, extra_body={"warmth": 1})) == (400, "unknown_parameter", "warmth")
    assert refused(lambda: ai.responses.create(model="payer", input=[])) == (400, "invalid_value", "input")
    assert refused(lambda: ai.responses.retrieve("resp_nobody")) == (404, "response_not_found", None)
    assert refused(lambda: ai.responses.retrieve("nonsense")) == (404, "response_not_found", None)
    assert refused(lambda: ai.get("/nothing", cast_to=object)) == (404, "not_found", None)
    assert refused(lambda: ai.get("/models?most=1", cast_to=object)) == (400, "unknown_parameter", None)
    for body, code in ((b"{", "invalid_json"), (b"[]", "invalid_json"), (b"[" * 100_000, "invalid_json"), (b'{"model": 1e999}', "invalid_json"),
                       (b'{"model": "payer", "messages": ' + b'[{"a":' * 200 + b"1" + b"}]" * 200 + b"}", "invalid_json")):
        answer = server.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
        assert answer.status == 400 and answer.json["error"]["code"] == code, answer.text
        assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert server.request("POST", "/v1/responses", "{}").status == 415
    assert server.request("GET", "/v1/responses/resp_x?stream=maybe").json["error"]["param"] == "stream"


def test_keys_and_roles_count_here_too(guarded, agent_text):  # noqa: F811
    reader, operator, deployer = (make_key(guarded, name, {"default": [role]})["key"] for name, role in (("r", "reader"), ("o", "operator"), ("d", "deployer")))
    assert guarded.request("PUT", "/api/v1/agents/payer", agent_text(), bearer(deployer)).status == 201
    with pytest.raises(openai.AuthenticationError) as nobody:
        client(guarded).models.list()
    assert (nobody.value.code, nobody.value.type) == ("unauthenticated", "authentication_error")
    assert [model.id for model in client(guarded, reader).models.list()] == ["payer"]
    with pytest.raises(openai.PermissionDeniedError) as forbidden:
        client(guarded, reader).chat.completions.create(**ask("hello"))
    assert forbidden.value.code == "permission_denied"
    response = client(guarded, operator).responses.create(model="payer", input="hello")
    assert client(guarded, reader).responses.retrieve(response.id).output_text == "Hello from the script."
    assert refused(lambda: client(guarded, operator).responses.delete(response.id))[0] == 403
    client(guarded, local_key(guarded)).responses.delete(response.id)


# ---- holdfast dev


class Dev(Server):
    command = "dev"


def test_dev_has_something_to_talk_to_and_leaves_what_others_changed(binary, tmp_path):
    one = Dev(binary, tmp_path / "data", "--grant", "host:127.0.0.1").start()
    try:
        ai = client(one)
        assert {"hello", "refund"} <= {model.id for model in ai.models.list()}
        answer = ai.chat.completions.create(model="hello", messages=[{"role": "user", "content": "good morning"}])
        assert "You said: good morning" in answer.choices[0].message.content
        versions = {name: one.get(f"/api/v1/agents/{name}").json for name in ("hello", "refund")}
        one.kill()
        one.start()
        for name, before in versions.items():
            after = one.get(f"/api/v1/agents/{name}").json
            assert (after["version"], after["updated_at"]) == (before["version"], before["updated_at"]), "applied once"
        mine = one.request("PUT", "/api/v1/agents/hello", ECHO.replace("name: echo}", "name: hello}").format(model="http://127.0.0.1:1/v1"))
        assert mine.status == 201, mine.text
        one.kill()
        one.start()
        assert one.get("/api/v1/agents/hello").json["version"] == mine.json["version"], "it is whoever changed it last's"
    finally:
        one.close()
