"""A2A over the wire, 1.0 and 0.3: a task waits for its end, streams, is asked and answered, canceled; the cards; what is refused."""

import http.client
import json
import re
import uuid

import pytest
from holdfast import Server
from test_people import asking, care  # noqa: F401 (fixtures)

WORDED = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: worded}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted}}
  prompt: You care.
  tools: [{{name: ask, type: human, human: {{deadline: 1h}}}}]
"""
NEW = {"A2A-Version": "1.0"}
METHODS = {"SendMessage": "message/send", "SendStreamingMessage": "message/stream", "GetTask": "tasks/get", "CancelTask": "tasks/cancel", "ListTasks": "tasks/list",
           "SubscribeToTask": "tasks/resubscribe"}
VERSIONS = pytest.mark.parametrize("old", [False, True], ids=["1.0", "0.3"])


def message(old, text=None, data=None, **more):
    parts = ([{"kind": "text", "text": text}] if old else [{"text": text}]) if text is not None else []
    if data is not None:
        parts.append({**({"kind": "data"} if old else {}), "data": data})
    return {"messageId": uuid.uuid4().hex, "role": "user" if old else "ROLE_USER", "parts": parts, **more}


def ask(server, method, params, old=False, headers=None, agent="/payer"):
    body = {"jsonrpc": "2.0", "id": "q", "method": METHODS[method] if old else method, "params": params}
    answer = server.post(f"/a2a{agent}", body, {**({} if old else NEW), **(headers or {})})
    assert answer.status == 200 and answer.json["id"] == "q", answer.text
    return answer.json


def task_of(answer, old=False):
    return answer["result"] if old else answer["result"]["task"]


def stream(server, method, params, old=False):
    host, port = server.http.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    body = {"jsonrpc": "2.0", "id": 1, "method": METHODS[method] if old else method, "params": params}
    connection.request("POST", "/a2a/payer", json.dumps(body), {"Content-Type": "application/json", **({} if old else NEW)})
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "text/event-stream", response.read()
    lines = response.read().decode().split("\n")
    connection.close()
    return [json.loads(line.removeprefix("data: "))["result"] for line in lines if line.startswith("data: ")]


def states(events, old=False):
    if old:
        return [one["status"]["state"] for one in events if one["kind"] == "status-update"]
    return [one["statusUpdate"]["status"]["state"] for one in events if "statusUpdate" in one]


def answer_in(events, old=False):
    """The artifact as a client keeps it."""
    text = ""
    for one in events:
        update = (one if one["kind"] == "artifact-update" else None) if old else one.get("artifactUpdate")
        if update:
            piece = update["artifact"]["parts"][0]["text"]
            text = text + piece if update["append"] else piece
    return text


@VERSIONS
def test_a_message_is_a_run(server, old):
    said = message(old, "hello")
    task = task_of(ask(server, "SendMessage", {"message": said}, old), old)
    assert task["status"]["state"] == ("completed" if old else "TASK_STATE_COMPLETED")
    assert task["artifacts"][0]["parts"][0]["text"] == "Hello from the script."
    run = server.run(task["id"])
    assert run["input"] == "hello" and run["conversation"] == task["contextId"]
    assert task_of(ask(server, "SendMessage", {"message": said}, old), old)["id"] == task["id"]  # once
    got = ask(server, "GetTask", {"id": task["id"]}, old)["result"]
    assert got["status"]["timestamp"] == server.run(task["id"])["closed_at"], "when it ended, not when it was asked for"
    assert got["status"]["state"] == task["status"]["state"] and got["artifacts"] == task["artifacts"]
    more = task_of(ask(server, "SendMessage", {"message": message(old, "hello again", contextId=task["contextId"])}, old), old)
    assert more["id"] != task["id"] and more["contextId"] == task["contextId"]


@VERSIONS
def test_a_task_streams(server, old):
    events = stream(server, "SendStreamingMessage", {"message": message(old, "slowly")}, old)
    first = events[0] if old else events[0]["task"]
    assert states(events, old) == (["working", "completed"] if old else ["TASK_STATE_WORKING", "TASK_STATE_COMPLETED"])
    assert answer_in(events, old).endswith("nineteen twenty.") and answer_in(events, old).count("seven ") == 1
    over = ask(server, "SubscribeToTask", {"id": first["id"]}, old)
    assert over["error"]["code"] == -32004


@VERSIONS
def test_a_question_is_answered_by_the_next_message(server, payments, old):
    task = task_of(ask(server, "SendMessage", {"message": message(old, "pay, please")}, old), old)
    assert task["status"]["state"] == ("input-required" if old else "TASK_STATE_INPUT_REQUIRED")
    question = next(part["data"] for part in task["status"]["message"]["parts"] if "data" in part)
    assert question["tool"] == "pay" and question["arguments"] == {"amount": 250} and payments() == []
    unclear = ask(server, "SendMessage", {"message": message(old, "perhaps", taskId=task["id"])}, old)
    assert unclear["error"]["code"] == -32602 and payments() == []
    other = message(old, data={"approval": "ap-0", "decision": "approve"}, taskId=task["id"])
    assert ask(server, "SendMessage", {"message": other}, old)["error"]["code"] == -32602
    yes = message(old, data={"approval": question["approval"], "decision": "approve"}, taskId=task["id"])
    done = task_of(ask(server, "SendMessage", {"message": yes}, old), old)
    assert done["artifacts"][0]["parts"][0]["text"] == "That is settled." and payments() == [250]
    late = ask(server, "SendMessage", {"message": message(old, "approve", taskId=task["id"])}, old)
    assert late["error"]["code"] == -32004


def data_of(task):
    return next(part["data"] for part in task["status"]["message"]["parts"] if "data" in part)


@VERSIONS
def test_a_question_with_a_form_is_answered_by_its_form(care, old):  # noqa: F811
    def say(said, task=None):
        more = {"taskId": task["id"]} if task else {}
        said = message(old, **({"text": said} if isinstance(said, str) else {"data": said}), **more)
        return ask(care, "SendMessage", {"message": said}, old, agent="/care")

    task = task_of(say("refund it"), old)
    assert task["status"]["state"] == ("input-required" if old else "TASK_STATE_INPUT_REQUIRED")
    parts = task["status"]["message"]["parts"]
    question = data_of(task)
    assert parts[0]["text"] == question["question"] == "Refund order 7? <b>now</b>"
    assert question["tool"] == "ask" and "answers" not in question and "arguments" not in question
    assert list(question["schema"]["properties"]) == ["refund", "amount", "why", "note"] and question["schema"]["required"] == ["refund", "why"]
    asked = {"approval": question["approval"]}
    for wrong in ("approve", {**asked, "decision": "approve"}, {**asked, "answer": {"refund": True}}, {**asked, "answer": {"refund": True, "why": "lost", "amount": 501}}):
        assert say(wrong, task)["error"]["code"] == -32602, wrong
    assert care.run(task["id"])["waiting_on"] == "approval"
    done = task_of(say({**asked, "answer": {"refund": True, "why": "lost", "amount": 20}}, task), old)
    assert '"refund":true' in done["artifacts"][0]["parts"][0]["text"].replace(" ", ""), done
    assert care.run(task["id"])["approvals"][0]["status"] == "answered"


def test_a_question_for_a_text_is_answered_in_words(care, asking):  # noqa: F811
    model = re.search(r"base_url: (\S+),", asking())[1]
    assert care.request("PUT", "/api/v1/agents/worded", WORDED.format(model=model)).status == 201
    task = task_of(ask(care, "SendMessage", {"message": message(False, "refund it")}, agent="/worded"))
    answer = message(False, "Give it back.", taskId=task["id"])
    done = task_of(ask(care, "SendMessage", {"message": answer}, agent="/worded"))
    assert "Give it back." in done["artifacts"][0]["parts"][0]["text"]


def test_no_is_a_word_and_streams(server, payments):
    events = stream(server, "SendStreamingMessage", {"message": message(False, "pay, please")})
    assert states(events)[-1] == "TASK_STATE_INPUT_REQUIRED"
    rest = stream(server, "SendStreamingMessage", {"message": message(False, "Reject.", taskId=events[0]["task"]["id"])})
    assert states(rest)[-1] == "TASK_STATE_COMPLETED" and answer_in(rest) == "That is settled." and payments() == []


@VERSIONS
def test_a_task_is_canceled(server, old):
    configuration = {"blocking": False} if old else {"returnImmediately": True}
    task = task_of(ask(server, "SendMessage", {"message": message(old, "at length"), "configuration": configuration}, old), old)
    assert task["status"]["state"] in ("submitted", "working", "TASK_STATE_SUBMITTED", "TASK_STATE_WORKING")
    server.wait(task["id"], lambda run: run["status"] == "running")
    canceled = ask(server, "CancelTask", {"id": task["id"]}, old)["result"]
    assert canceled["status"]["state"] == ("canceled" if old else "TASK_STATE_CANCELED")
    assert ask(server, "CancelTask", {"id": task["id"]}, old)["error"]["code"] == -32002


def every_page(server, old=False, **params):
    out, token = [], ""
    while True:
        page = ask(server, "ListTasks", {**params, **({"pageToken": token} if token else {})}, old)["result"]
        assert len(page["tasks"]) <= page["pageSize"]
        out += page["tasks"]
        token = page["nextPageToken"]
        if not token:
            return out, page


@VERSIONS
def test_tasks_are_listed(own_server, agent_text, payments, old):
    server = own_server
    assert server.request("PUT", "/api/v1/agents/other", agent_text("other")).status == 201
    done = [task_of(ask(server, "SendMessage", {"message": message(old, f"hello {n}")}, old), old) for n in range(3)]
    more = task_of(ask(server, "SendMessage", {"message": message(old, "hello again", contextId=done[0]["contextId"])}, old), old)
    asked = task_of(ask(server, "SendMessage", {"message": message(old, "pay, please")}, old), old)
    failed = task_of(ask(server, "SendMessage", {"message": message(old, "refuse")}, old), old)
    foreign = task_of(ask(server, "SendMessage", {"message": message(old, "hello")}, old, agent="/other"), old)
    mine = [failed["id"], asked["id"], more["id"], *(task["id"] for task in reversed(done))]
    for size in (1, 4, 50):
        tasks, page = every_page(server, old, pageSize=size)
        assert [task["id"] for task in tasks] == mine, "newest first, whatever the pages"
        assert (page["pageSize"], page["totalSize"]) == (size, 6)
    assert "artifacts" not in tasks[-1] and tasks[-1]["contextId"] == done[0]["contextId"]
    assert tasks[1]["status"]["state"] == asked["status"]["state"]
    assert tasks[-1]["status"]["timestamp"] < asked["status"]["timestamp"], "of what is over, when it ended"
    whole, _ = every_page(server, old, includeArtifacts=True)
    assert whole[-1]["artifacts"] == done[0]["artifacts"] and whole[1]["status"]["message"] == asked["status"]["message"]
    for state, ids in ((asked["status"]["state"], [asked["id"]]), (failed["status"]["state"], [failed["id"]]), (more["status"]["state"], mine[2:]),
                       ("working" if old else "TASK_STATE_WORKING", []), ("rejected" if old else "TASK_STATE_REJECTED", [])):
        tasks, page = every_page(server, old, status=state, pageSize=2)
        assert [task["id"] for task in tasks] == ids, state
        # Counted as the store has it written down, which is a moment behind.
        server.wait_until(lambda s=state, n=len(ids): ask(server, "ListTasks", {"status": s}, old)["result"]["totalSize"] == n)
    for size in (1, 50):
        tasks, page = every_page(server, old, contextId=done[0]["contextId"], pageSize=size)
        assert [task["id"] for task in tasks] == [more["id"], done[0]["id"]] and page["totalSize"] == 2
    ended = server.run(done[2]["id"])["closed_at"]
    late, _ = every_page(server, old, statusTimestampAfter=ended)
    assert [task["id"] for task in late] == mine[:3]
    everybody = ask(server, "ListTasks", {}, old, agent="")["result"]
    assert [task["id"] for task in everybody["tasks"]] == [foreign["id"], *mine] and everybody["totalSize"] == 7


def test_a_failure_is_a_state(server):
    task = task_of(ask(server, "SendMessage", {"message": message(False, "refuse")}))
    assert task["status"]["state"] == "TASK_STATE_FAILED" and "not like that" in json.dumps(task["status"]["message"])


def test_a_wait_outlives_nothing_but_its_run_does(own_server):
    said = message(False, "slowly")
    task = task_of(ask(own_server, "SendMessage", {"message": said, "configuration": {"returnImmediately": True}}))
    own_server.kill()
    own_server.start()
    done = task_of(ask(own_server, "SendMessage", {"message": said}))
    assert done["id"] == task["id"] and done["artifacts"][0]["parts"][0]["text"].endswith("twenty.")


def test_cards(server):
    card = server.get("/a2a/payer/.well-known/agent-card.json").json
    assert card["name"] == "payer" and card["description"] == "Pays." and card["capabilities"]["streaming"]
    assert card["supportedInterfaces"][0] == {"url": f"http://{server.http}/a2a/payer", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    assert card["url"] == f"http://{server.http}/a2a/payer" and "securitySchemes" not in card
    all_of_them = server.get("/.well-known/agent-card.json").json
    assert "payer" in [skill["id"] for skill in all_of_them["skills"]]
    assert server.get("/a2a/nobody/.well-known/agent-card.json").status == 404
    task = task_of(ask(server, "SendMessage", {"message": message(False, "hello"), "tenant": "payer"}, agent=""))
    assert server.run(task["id"])["agent"] == "payer"


def test_what_is_refused(server):
    def code(method="SendMessage", agent="/payer", headers=None, **params):
        return ask(server, method, params, headers=headers, agent=agent)["error"]["code"]

    assert code(headers={"A2A-Version": "2.0"}) == -32009
    assert code("tasks/explode") == -32601
    assert code("ListTasks", pageSize=0) == code("ListTasks", pageSize=101) == code("ListTasks", pageSize="2") == -32602
    assert code("ListTasks", status="TASK_STATE_ELATED") == code("ListTasks", statusTimestampAfter="yesterday") == -32602
    assert code("ListTasks", pageToken="no such run") == -32602
    assert code("message/send", message=message(True, "hello")) == -32601  # of the other version
    assert code("CreateTaskPushNotificationConfig") == -32003 and code("GetExtendedAgentCard") == -32007
    assert code("GetTask", id="nobody") == -32001 and code("CancelTask", id="nobody") == -32001
    assert code(message={}) == -32602 and code(message=message(False)) == -32602
    assert code(message=message(False, "x", messageId="")) == -32602
    assert code(message={**message(False), "parts": [{"url": "https://example.com/x.png"}]}) == -32005
    text = {"text": "hello"}
    assert code(message={**message(False), "parts": [text, {"data": {"order": 7}}]}) == -32005  # would be passed over
    assert code(message={**message(False), "parts": [text, {"data": {}}, {"data": {}}], "taskId": "nobody"}) == -32005
    assert code(message=message(False, "hello"), configuration={"taskPushNotificationConfig": {"url": "http://x"}}) == -32003
    old = ask(server, "SendMessage", {"message": message(True, "hello"), "configuration": {"pushNotificationConfig": {"url": "http://x"}}}, True)
    assert old["error"]["code"] == -32003
    assert code(message=message(False, "hello"), agent="") == -32602
    assert code(message=message(False, "hello"), agent="/nobody") == -32602
    assert code(message=message(False, "x", contextId="a/b")) == -32602
    assert code(message=message(False, "x", taskId=server.start_run("payer", "hello"))) == -32004
    assert server.request("POST", "/a2a/payer", "{", {"Content-Type": "application/json"}).json["error"]["code"] == -32700
    assert server.request("POST", "/a2a/payer", "{}", {"Content-Type": "application/json"}).json["error"]["code"] == -32600


def test_a_closed_server(binary, agent_text, payments, tmp_path):
    server = Server(binary, tmp_path / "data", "--auth", "required", *agent_text.grants, log=(tmp_path / "log").open("wb")).start()
    try:
        local = {"Authorization": "Bearer " + (tmp_path / "data" / "local-key").read_text().strip()}
        assert server.request("PUT", "/api/v1/agents/payer", agent_text(), local).status == 201
        made = server.post("/api/v1/keys", {"principal": "partner", "roles": {"default": ["operator"]}}, local)
        partner = {"Authorization": "Bearer " + made.json["key"]}
        assert server.get("/.well-known/agent-card.json").status == 401
        card = server.get("/a2a/payer/.well-known/agent-card.json", **partner).json
        assert card["securitySchemes"]["bearer"]["httpAuthSecurityScheme"]["scheme"] == "Bearer"
        task = task_of(ask(server, "SendMessage", {"message": message(False, "pay, please")}, headers=partner))
        refused = ask(server, "SendMessage", {"message": message(False, "approve", taskId=task["id"])}, headers=partner)
        assert refused["error"]["data"][0]["reason"] == "PERMISSION_DENIED" and payments() == []
    finally:
        server.close()
