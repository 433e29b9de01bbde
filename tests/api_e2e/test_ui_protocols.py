"""What pages get over the wire: AG-UI's events and the AI SDK's chunks, of a run, an approval, an attempt that breaks off, behind a
kill; and what is refused. Their own clients judge in ./dev judge ui.
"""

import contextlib
import http.client
import json
import uuid

import pytest
from conftest import SCRIPT
from holdfast import Server, scripted_model
from test_people import asking, care  # noqa: F401 (fixtures)


@pytest.fixture
def flaky(server, binary, agent_text, tmp_path):
    """An agent whose model breaks off once."""
    with scripted_model(binary, tmp_path, SCRIPT) as url:
        text = agent_text("flaky").replace(agent_text.model, url)
        assert server.request("PUT", "/api/v1/agents/flaky", text).status == 201
        yield "flaky"


@contextlib.contextmanager
def stream(server, method, path, body=None, last=None, status=200, more=None):
    """(id, message) of each event; the end is that of the connection."""
    host, port = server.http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    headers = {"Content-Type": "application/json", **({"Last-Event-ID": last} if last else {}), **(more or {})}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    response = connection.getresponse()
    try:
        assert response.status == status, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        yield response.headers, events(response)
    finally:
        response.close()
        connection.close()


def events(response):
    fields = {}
    try:
        while line := response.readline():
            line = line.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                yield fields.get("id"), fields["data"] if fields["data"] == "[DONE]" else json.loads(fields["data"])
                fields = {}
    except (ConnectionError, http.client.HTTPException):
        return


# ---- AG-UI


def ag_ui(text, run=None, thread=None, **more):
    return {"threadId": thread or f"t-{uuid.uuid4()}", "runId": run or str(uuid.uuid4()), "state": {}, "tools": [], "context": [],
            "forwardedProps": {}, "messages": [{"id": "m1", "role": "user", "content": text}], **more}


def ag_ui_run(server, body, last=None, agent="payer"):
    with stream(server, "POST", f"/ag-ui/{agent}", body, last) as (_, found):
        return list(found)


def types(found):
    return [message["type"] for _, message in found if message != "[DONE]"]


def ag_ui_text(found):
    """What a reader shows: the messages that were not dropped."""
    texts = {}
    for _, one in found:
        if one["type"] == "TEXT_MESSAGE_START":
            assert one["messageId"] not in texts
            texts[one["messageId"]] = ""
        elif one["type"] == "TEXT_MESSAGE_CONTENT":
            texts[one["messageId"]] += one["delta"]
        elif one["type"] == "CUSTOM" and one["name"] == "holdfast.message_dropped":
            del texts[one["value"]["messageId"]]
    return list(texts.values())


def test_ag_ui_a_run(server):
    body = ag_ui("hello", context=[{"description": "Page", "value": "orders"}])
    found = ag_ui_run(server, body)
    assert types(found)[:3] == ["RUN_STARTED", "STATE_SNAPSHOT", "TEXT_MESSAGE_START"]
    assert found[0][1]["runId"] == body["runId"] and found[0][1]["threadId"] == body["threadId"]
    assert ag_ui_text(found) == ["Hello from the script."]
    last = found[-1][1]
    assert last["type"] == "RUN_FINISHED" and last["outcome"] == {"type": "success"} and last["result"] == "Hello from the script."
    run = server.run(body["runId"])
    assert run["input"] == "hello\n\nPage: orders" and run["conversation"] == body["threadId"]
    assert ag_ui_run(server, body) == found  # the same input is the same run
    body = ag_ui([{"type": "text", "text": "hello"}, {"type": "text", "text": "and again"}])
    ag_ui_run(server, body)
    assert server.run(body["runId"])["input"] == "hello\n\nand again"  # what was said apart


def test_ag_ui_a_question_and_its_answer(server, payments):
    body = ag_ui("pay, please")
    found = ag_ui_run(server, body)
    assert types(found)[-6:] == ["TEXT_MESSAGE_END", "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "STATE_SNAPSHOT", "RUN_FINISHED"]
    (question,) = found[-1][1]["outcome"]["interrupts"]
    call = found[-4][1]["toolCallId"]
    assert question["reason"] == "tool_call" and question["toolCallId"] == call and payments() == []
    answer = [{"interruptId": question["id"], "status": "resolved", "payload": {"approved": True}}]
    more = ag_ui("pay, please", thread=body["threadId"], resume=answer)
    rest = ag_ui_run(server, more)
    assert rest[0][1]["runId"] == more["runId"] and "TOOL_CALL_START" not in types(rest)
    result = next(one for _, one in rest if one["type"] == "TOOL_CALL_RESULT")
    assert result["toolCallId"] == call and ag_ui_text(rest) == ["That is settled."]
    assert rest[-1][1]["outcome"] == {"type": "success"} and payments() == [250]
    assert types(ag_ui_run(server, more)) == types(rest) and payments() == [250]  # and its repeat decides nothing


def test_ag_ui_a_question_with_a_form(care):  # noqa: F811
    body = ag_ui("refund it")
    (question,) = ag_ui_run(care, body, agent="care")[-1][1]["outcome"]["interrupts"]
    assert (question["reason"], question["message"]) == ("input_required", "Refund order 7? <b>now</b>")
    assert list(question["responseSchema"]["properties"]) == ["refund", "amount", "why", "note"] and "toolCallId" not in question

    def resume(payload):
        return ag_ui("refund it", thread=body["threadId"], resume=[{"interruptId": question["id"], "status": "resolved", "payload": payload}])

    for wrong in ({"approved": True}, {"refund": "yes", "why": "lost"}, "yes", None):
        refused = care.post("/ag-ui/care", resume(wrong))
        assert (refused.status, refused.json["code"]) == (400, "invalid_field"), wrong
    rest = ag_ui_run(care, resume({"refund": True, "why": "late"}), agent="care")
    assert '"refund":true' in ag_ui_text(rest)[-1].replace(" ", "") and rest[-1][1]["outcome"] == {"type": "success"}
    assert care.run(body["runId"])["approvals"][0]["status"] == "answered"


def test_ag_ui_an_answer_that_breaks_off(server, flaky):
    found = ag_ui_run(server, ag_ui("again"), agent=flaky)
    assert "CUSTOM" in types(found)
    assert ag_ui_text(found) == ["Alpha beta gamma delta epsilon zeta eta theta."]


def test_ag_ui_goes_on_behind_a_kill(own_server):
    body = ag_ui("slowly")
    seen = []
    with stream(own_server, "POST", "/ag-ui/payer", body) as (_, found):
        for event in found:
            seen.append(event)
            if ag_ui_text(seen) and "three" in ag_ui_text(seen)[-1]:
                break
        own_server.kill()
    own_server.start()
    last = next(id for id, _ in reversed(seen) if id)
    seen += ag_ui_run(own_server, body, last)
    assert types(seen).count("RUN_STARTED") == 1 and seen[-1][1]["outcome"] == {"type": "success"}
    assert ag_ui_text(seen)[-1].endswith("nineteen twenty.") and ag_ui_text(seen)[-1].count("seven ") == 1


def test_ag_ui_a_failure(server):
    found = ag_ui_run(server, ag_ui("refuse"))
    assert found[-1][1]["type"] == "RUN_ERROR" and "not like that" in found[-1][1]["message"]


def test_ag_ui_a_cancellation(server):
    body = ag_ui("at length", protocolVersion="1.0")
    with stream(server, "POST", "/ag-ui/payer", body) as (_, found):
        for _, event in found:
            if event["type"] == "TEXT_MESSAGE_CONTENT":
                break
        assert server.post(f"/api/v1/runs/{body['runId']}/cancel").status == 202
        last = list(found)[-1][1]
    assert last["type"] == "RUN_FINISHED" and last["outcome"] == {"type": "cancelled"}


def test_ag_ui_refuses_what_it_does_not_do(server):
    def code(**change):
        return server.post("/ag-ui/payer", {**ag_ui("hello"), **change})

    assert code(tools=[{"name": "x"}]).json["code"] == "unsupported_tools"
    assert code(runId="../x").json["code"] == "invalid_field" and code(threadId="").json["code"] == "invalid_field"
    assert code(messages=[]).json["code"] == "invalid_field"
    assert code(messages=[{"role": "user", "content": [{"type": "image"}]}]).json["code"] == "invalid_field"
    assert code(forwardedProps={"model": "x"}).json["code"] == "invalid_field"
    assert code(protocolVersion="2.0").json["code"] == "unsupported_version"
    assert code(unknown=1).json["code"] == "unknown_field"
    assert code(resume=[{"interruptId": "x", "status": "resolved", "payload": {"approved": True}}]).status == 400
    assert code(resume=[{"interruptId": "ap-0:x", "status": "resolved", "payload": {"approved": True}}]).status == 404
    assert server.post("/ag-ui/nobody", ag_ui("hello")).json["code"] == "agent_not_found"
    body = ag_ui("hello")
    ag_ui_run(server, body)
    assert server.post("/ag-ui/payer", {**body, "messages": [{"role": "user", "content": "other"}]}).json["code"] == "run_exists"


# ---- the AI SDK


def user(text, id="u1"):
    return {"id": id, "role": "user", "parts": [{"type": "text", "text": text}]}


def chat(text, chat=None, id="u1"):
    return {"id": chat or uuid.uuid4().hex, "messages": [user(text, id)], "trigger": "submit-message"}


def ui_run(server, body, last=None, agent="payer"):
    with stream(server, "POST", f"/ai-sdk/{agent}", body, last) as (headers, found):
        assert headers["x-vercel-ai-ui-message-stream"] == "v1"
        return list(found)


def ui_text(found):
    """The text of the steps that count."""
    done, step = "", ""
    for _, chunk in found:
        if chunk == "[DONE]":
            continue
        if chunk["type"] in ("start-step", "finish-step"):
            done, step = done + step, ""
        elif chunk["type"] == "reset-step":
            step = ""
        elif chunk["type"] == "text-delta":
            step += chunk["delta"]
    return done + step


def test_ai_sdk_a_run(server):
    body = chat("hello")
    found = ui_run(server, body)
    assert types(found) == ["start", "start-step", "text-start", "text-delta", "text-end", "finish-step", "finish"]
    assert found[-1][1] == "[DONE]" and found[-2][1]["finishReason"] == "stop" and ui_text(found) == "Hello from the script."
    run = server.run(found[0][1]["messageMetadata"]["run"])
    assert run["conversation"] == body["id"] and run["input"] == "hello"
    assert ui_run(server, body) == found
    assert server.get(f"/ai-sdk/payer/{body['id']}/stream").status == 204


def test_ai_sdk_a_question_and_its_answer(server, payments):
    body = chat("pay, please")
    found = ui_run(server, body)
    asked = next(chunk for _, chunk in found if chunk["type"] == "tool-approval-request")
    call = next(chunk for _, chunk in found if chunk["type"] == "tool-input-available")
    assert call["toolCallId"] == asked["toolCallId"] and call["input"] == {"amount": 250} and asked["reason"] == "Payments need a person."
    assert payments() == []
    part = {"type": "dynamic-tool", "toolName": "pay", "toolCallId": call["toolCallId"], "state": "approval-responded", "input": call["input"],
            "approval": {"id": asked["approvalId"], "approved": False, "reason": "too much"}}
    message = {"id": found[0][1]["messageId"], "role": "assistant", "parts": [{"type": "step-start"}, part]}
    rest = ui_run(server, {**body, "messages": [user("pay, please"), message]})
    assert rest[0][1]["messageId"] == message["id"]
    refused = next(chunk for _, chunk in rest if chunk["type"] == "tool-output-error")
    assert refused["toolCallId"] == call["toolCallId"] and "too much" in refused["errorText"]
    assert ui_text(rest) == "That is settled." and payments() == []


def test_ai_sdk_an_answer_that_breaks_off(server, flaky):
    found = ui_run(server, chat("again"), agent=flaky)
    assert "reset-step" in types(found) and ui_text(found) == "Alpha beta gamma delta epsilon zeta eta theta."


def test_ai_sdk_a_reader_comes_back_behind_a_kill(own_server):
    body = chat("slowly")
    seen = []
    with stream(own_server, "POST", "/ai-sdk/payer", body) as (_, found):
        for event in found:
            seen.append(event)
            if "three" in ui_text(seen):
                break
        own_server.kill()
    own_server.start()
    path = f"/ai-sdk/payer/{body['id']}/stream"
    with stream(own_server, "GET", path) as (_, found):  # a replay, as the SDK takes it
        replayed = list(found)
    last = next(id for id, _ in reversed(seen) if id)
    seen += ui_run(own_server, body, last)
    for one in (seen, replayed):
        assert types(one).count("start") == 1 and one[-1][1] == "[DONE]"
        assert ui_text(one).startswith("One two") and ui_text(one).endswith("nineteen twenty.") and ui_text(one).count("seven ") == 1


def test_ai_sdk_a_failure(server):
    found = ui_run(server, chat("refuse"))
    assert found[-2][1]["type"] == "error" and "not like that" in found[-2][1]["errorText"]


def test_ai_sdk_refuses_what_it_does_not_do(server):
    def code(**change):
        return server.post("/ai-sdk/payer", {**chat("hello"), **change}).json["code"]

    assert code(trigger="regenerate-message") == "unsupported_trigger"
    assert code(id="a/b") == "invalid_field" and code(messages=[]) == "invalid_field"
    assert code(messages=[{"role": "system", "parts": []}]) == "invalid_field"
    assert code(messages=[{"id": "a", "role": "assistant", "parts": []}]) == "invalid_field"
    assert code(messages=[{"id": "a", "role": "user", "parts": [{"type": "file", "url": "x"}]}]) == "invalid_field"
    assert code(context=1) == "invalid_field" and code(model="x") == "unknown_field"


def test_questions_are_answered_by_approvers(binary, agent_text, payments, tmp_path):
    server = Server(binary, tmp_path / "data", "--auth", "required", *agent_text.grants, log=(tmp_path / "log").open("wb")).start()
    try:
        local = {"Authorization": "Bearer " + (tmp_path / "data" / "local-key").read_text().strip()}
        assert server.request("PUT", "/api/v1/agents/payer", agent_text(), local).status == 201
        made = server.post("/api/v1/keys", {"principal": "page", "roles": {"default": ["operator"]}}, local)
        page = {"Authorization": "Bearer " + made.json["key"]}
        assert server.post("/ag-ui/payer", ag_ui("pay, please")).status == 401
        body = ag_ui("pay, please")
        with stream(server, "POST", "/ag-ui/payer", body, more=page) as (_, found):
            (question,) = list(found)[-1][1]["outcome"]["interrupts"]
        answer = [{"interruptId": question["id"], "status": "resolved", "payload": {"approved": True}}]
        refused = server.post("/ag-ui/payer", ag_ui("pay, please", thread=body["threadId"], resume=answer), page)
        assert (refused.status, refused.json["code"]) == (403, "permission_denied") and payments() == []
    finally:
        server.close()
