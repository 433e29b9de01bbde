"""Agents as the tools of an MCP server: what the protocol's own Python client gets, in both eras of the protocol, and what comes
over the wire when a client hangs up, comes back, says no or talks nonsense.
"""

import base64
import contextlib
import http.client
import json

import anyio
import httpx2
import pytest
from holdfast import Server
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import ElicitResult
from test_people import asking, care  # noqa: F401 (fixtures)

KEY = "dev.holdfast/idempotency-key"
STATELESS = "2026-07-28"
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


def url(server):
    return f"http://{server.http}/mcp"


def answers(decision, asked=None):
    async def elicited(context, params):
        if asked is not None:
            asked.append(params)
        return ElicitResult(action="accept", content={"decision": decision}) if decision else ElicitResult(action="decline")

    return elicited


def with_client(server, work, mode="auto", headers=None, **options):
    async def main():
        transport = streamable_http_client(url(server), http_client=httpx2.AsyncClient(headers=headers, timeout=30)) if headers else url(server)
        with anyio.fail_after(40):
            async with Client(transport, mode=mode, **options) as client:
                return await work(client)

    return anyio.run(main)


def call(server, tool, arguments, mode="auto", meta=None, headers=None, progress=None, **options):
    async def work(client):
        try:
            return await client.call_tool(tool, arguments, meta=meta, progress_callback=progress)
        except MCPError as error:  # the client's own task group would wrap it
            return error.error

    return with_client(server, work, mode, headers, **options)


def text(result):
    return "".join(part.text for part in result.content)


# ---- with the protocol's own client


@ERAS
def test_tools_are_agents(server, mode):
    async def work(client):
        return client.protocol_version, (await client.list_tools()).tools

    revision, tools = with_client(server, work, mode)
    assert revision == (STATELESS if mode == "auto" else "2025-11-25")
    by_name = {tool.name: tool for tool in tools}
    assert by_name["payer"].description == "Pays." and by_name["payer"].input_schema["required"] == ["input"]
    assert "holdfast_run" in by_name


@ERAS
def test_a_call_is_a_run(server, mode):
    told = []

    async def progress(value, total, message):
        told.append((value, message))

    result = call(server, "payer", {"input": "hello"}, mode, progress=progress)
    assert not result.is_error and text(result) == "Hello from the script."
    run = server.run(result.structured_content["run"])
    assert run["status"] == "completed" and run["agent"] == "payer" and run["input"] == "hello"
    assert "the model answers" in [message for _, message in told]
    values = [value for value, _ in told]
    assert values == sorted(set(values))


@ERAS
def test_a_person_decides_in_the_client(server, payments, mode):
    asked = []
    result = call(server, "payer", {"input": "pay, please"}, mode, elicitation_callback=answers("approve", asked))
    assert text(result) == "That is settled." and payments() == [250]
    assert len(asked) == 1 and '{"amount":250}' in asked[0].message and "Payments need a person." in asked[0].message
    assert server.run(result.structured_content["run"])["approvals"][0]["status"] == "approved"


@ERAS
def test_a_person_answers_a_question_in_the_client(care, mode):  # noqa: F811
    asked = []

    async def elicited(context, params):
        asked.append(params)
        return ElicitResult(action="accept", content={"refund": True, "why": "lost", "amount": 20})

    result = call(care, "care", {"input": "refund it"}, mode, elicitation_callback=elicited)
    assert not result.is_error and '"refund":true' in text(result).replace(" ", ""), text(result)
    assert len(asked) == 1 and asked[0].message == "The agent `care` asks: Refund order 7? <b>now</b>"
    assert list(asked[0].requested_schema["properties"]) == ["refund", "amount", "why", "note"]
    approval = care.run(result.structured_content["run"])["approvals"][0]
    assert approval["status"] == "answered"


@ERAS
def test_a_person_says_no_in_the_client(server, payments, mode):
    result = call(server, "payer", {"input": "pay, please"}, mode, elicitation_callback=answers("reject"))
    assert text(result) == "That is settled." and payments() == []
    assert server.run(result.structured_content["run"])["approvals"][0]["status"] == "rejected"


@ERAS
def test_a_client_without_forms_is_told_where_to_decide(server, payments, mode):
    result = call(server, "payer", {"input": "pay, please"}, mode)
    run = result.structured_content["run"]
    assert not result.is_error and result.structured_content["status"] == "input_required"
    assert f"/runs/{run}" in text(result) and "holdfast_run" in text(result)
    approval = server.wait_for_approval(run)
    server.post(f"/api/v1/approvals/{approval['id']}/decision", {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]})
    assert text(call(server, "holdfast_run", {"run": run}, mode)) == "That is settled."
    assert payments() == [250]


@ERAS
def test_a_repeat_under_its_key_starts_nothing(server, payments, mode):
    meta = {KEY: f"order-{mode}"}
    first = call(server, "payer", {"input": "hello again"}, mode, meta)
    again = call(server, "payer", {"input": "hello again"}, mode, meta)
    assert first.structured_content["run"] == again.structured_content["run"]
    refused = call(server, "payer", {"input": "something else"}, mode, meta)
    assert refused.code == -32602 and refused.data["code"] == "run_exists"


@ERAS
def test_what_is_wrong_with_a_call_is_said(server, mode):
    unknown = call(server, "nobody", {"input": "x"}, mode)
    assert unknown.code == -32602 and "Unknown tool" in unknown.message
    for arguments, why in (({}, "`input` is missing"), ({"input": 7}, "must be a string"), ({"input": "x", "inputs": "y"}, "`inputs`")):
        result = call(server, "payer", arguments, mode)
        assert result.is_error and why in text(result)
    failed = call(server, "payer", {"input": "refuse"}, mode)
    assert failed.is_error and "not like that" in text(failed) and failed.structured_content["status"] == "failed"


# ---- over the wire


class Wire:
    """Messages of one client, with or without a session."""

    def __init__(self, server, revision=STATELESS, capabilities=None, headers=None):
        self.server, self.revision, self.capabilities, self.more = server, revision, capabilities or {}, headers or {}
        self.session = None
        if revision != STATELESS:
            hello = self.post({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": {
                "protocolVersion": revision, "capabilities": self.capabilities, "clientInfo": {"name": "test", "version": "1"}}})
            assert hello.status == 200, hello.text
            assert hello.json["result"]["protocolVersion"] == revision
            self.session = hello.headers["MCP-Session-Id"]

    def headers(self, message=None):
        out = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **self.more}
        if self.session:
            out.update({"MCP-Session-Id": self.session, "MCP-Protocol-Version": self.revision})
        elif self.revision == STATELESS and isinstance(message, dict):
            out.update({"MCP-Protocol-Version": STATELESS, "Mcp-Method": message.get("method", "")})
            if "name" in message.get("params", {}):
                out["Mcp-Name"] = message["params"]["name"]
        return out

    def message(self, method, params=None, id=1):
        params = dict(params or {})
        if self.revision == STATELESS:
            params["_meta"] = {"io.modelcontextprotocol/protocolVersion": STATELESS,
                               "io.modelcontextprotocol/clientCapabilities": self.capabilities, **params.get("_meta", {})}
        out = {"jsonrpc": "2.0", "method": method, "params": params}
        if id is not None:
            out["id"] = id
        return out

    def post(self, message, headers=None):
        return self.server.request("POST", "/mcp", json.dumps(message), headers or self.headers(message))

    def ask(self, method, params=None, id=1):
        return self.post(self.message(method, params, id))

    @contextlib.contextmanager
    def stream(self, message=None, last_event_id=None):
        """Events as (id, message) while the connection is open; its end is the client's hanging up."""
        host, port = self.server.http.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        if message is None:
            connection.request("GET", "/mcp", headers={**self.headers(), "Last-Event-ID": last_event_id})
        else:
            connection.request("POST", "/mcp", json.dumps(message), self.headers(message))
        response = connection.getresponse()
        try:
            assert response.status == 200, response.read()
            assert response.headers["Content-Type"] == "text/event-stream"
            yield self.events(response)
        finally:
            response.close()
            connection.close()

    @staticmethod
    def events(response):
        fields = {}
        try:
            while line := response.readline():
                line = line.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif "data" in fields:
                    yield fields.get("id"), json.loads(fields["data"]) if fields["data"] else None
                    fields = {}
        except (ConnectionError, http.client.HTTPException):
            return


def a_call(wire, text, id=7, **meta):
    return wire.message("tools/call", {"name": "payer", "arguments": {"input": text}, "_meta": {"progressToken": "p", **meta}}, id)


def newest_run(server, text):
    return server.wait_until(lambda: next((run["id"] for run in server.get("/api/v1/runs").json["runs"] if run["input"] == text), None))


def first_progress(events):
    return next((id, message) for id, message in events if message and message.get("method") == "notifications/progress")


def test_who_hangs_up_without_a_session_cancels(server):
    wire = Wire(server)
    with wire.stream(a_call(wire, "at length, and left")) as events:
        first_progress(events)
    run = newest_run(server, "at length, and left")
    assert server.wait(run)["status"] == "canceled"


def test_a_server_that_stops_cancels_nothing(own_server):
    wire = Wire(own_server)
    with wire.stream(a_call(wire, "at length, and stopped")) as events:
        first_progress(events)
        own_server.stop()
    own_server.start()
    (run,) = own_server.get("/api/v1/runs").json["runs"]
    assert run["status"] == "running"
    assert own_server.post(f"/api/v1/runs/{run['id']}/cancel").status == 202
    own_server.wait(run["id"])


def test_who_has_a_key_may_hang_up(server):
    wire = Wire(server)
    with wire.stream(a_call(wire, "slowly, under a key", **{KEY: "kept"})) as events:
        first_progress(events)
    result = wire.post(a_call(wire, "slowly, under a key", 8, **{KEY: "kept"}))
    run = newest_run(server, "slowly, under a key")
    assert server.wait(run)["status"] == "completed"
    assert run in result.text and "twenty." in result.text


def test_a_stream_is_taken_up_behind_a_crash(own_server):
    wire = Wire(own_server, "2025-11-25")
    with wire.stream(a_call(wire, "slowly, and killed")) as events:
        first, primed = next(events)
        assert primed is None and first
        last, message = first_progress(events)
        seen = message["params"]["progress"]
        own_server.kill()
    own_server.start()
    for since in (last, first):
        with wire.stream(last_event_id=since) as events:
            rest = [message for _, message in events]
        assert rest[-1]["id"] == 7 and rest[-1]["result"]["content"][0]["text"].endswith("twenty.")
        told = [one["params"]["progress"] for one in rest[:-1]]
        assert told == sorted(set(told)) and (since == first or told[0] > seen)
    assert len([run for run in own_server.get("/api/v1/runs").json["runs"]]) == 1


def test_the_same_message_again_is_the_same_run(server):
    wire = Wire(server, "2025-06-18")
    for _ in range(2):
        wire.post(a_call(wire, "hello once", 3))
    assert len([run for run in server.get("/api/v1/runs").json["runs"] if run["input"] == "hello once"]) == 1


def test_a_cancellation_cancels_the_run(server):
    wire = Wire(server, "2025-11-25")
    with wire.stream(a_call(wire, "at length, and canceled")) as events:
        first_progress(events)
        other = Wire(server, "2025-11-25")
        assert other.ask("notifications/cancelled", {"requestId": 7}, None).status == 202  # not its call
        run = newest_run(server, "at length, and canceled")
        assert server.run(run)["status"] == "running"
        assert wire.ask("notifications/cancelled", {"requestId": 7, "reason": "enough"}, None).status == 202
        assert [message for _, message in events][-1]["result"]["isError"]
    assert server.wait(run)["status"] == "canceled"


def test_forged_state_leads_nowhere(server, payments):
    wire = Wire(server, capabilities={"elicitation": {"form": {}}})
    message = a_call(wire, "pay, please")
    with wire.stream(message) as events:
        asked = [one for _, one in events][-1]["result"]
    assert asked["resultType"] == "input_required"
    (approval,) = asked["inputRequests"]
    yes = {approval: {"action": "accept", "content": {"decision": "approve"}}}

    def again(state, responses, text="pay, please"):
        retry = a_call(wire, text, 9)
        retry["params"].update({"requestState": state, "inputResponses": responses})
        return wire.post(retry)

    state = json.loads(base64.urlsafe_b64decode(asked["requestState"] + "=="))
    other = server.start_run("payer", "hello")

    def forged(**change):
        return base64.urlsafe_b64encode(json.dumps({**state, **change}).encode()).decode().rstrip("=")

    assert again("not ours", yes).json["error"]["code"] == -32602
    assert again(forged(run="nobody"), yes).json["error"]["code"] == -32602
    assert again(forged(run=other), yes).json["error"]["code"] == -32602
    assert again(asked["requestState"], yes, "another input").json["error"]["code"] == -32602
    stale = forged(seen={approval: "0" * 64})
    with wire.stream({**a_call(wire, "pay, please", 10), "params": {**message["params"], "requestState": stale, "inputResponses": yes}}):
        assert server.run(state["run"])["waiting_on"] == "approval"
    assert payments() == []


def test_errors_are_typed(server):
    wire = Wire(server)
    assert wire.ask("nonsense").status == 404 and wire.ask("nonsense").json["error"]["code"] == -32601
    assert wire.ask("initialize").json["error"]["code"] == -32601
    for cursor in ("!", "zzz", "cGF5ZXI", 5, None):
        assert wire.ask("tools/list", {"cursor": cursor}).json["error"]["code"] == -32602, cursor
    for key in (5, "", None, ["k"]):
        assert wire.post(a_call(wire, "hello", **{KEY: key})).json["error"]["code"] == -32602, key
    headers = wire.headers(wire.message("tools/list"))
    assert wire.post(wire.message("tools/list"), {**headers, "Mcp-Method": "ping"}).json["error"]["code"] == -32020
    assert wire.post(wire.message("tools/list"), {**headers, "MCP-Protocol-Version": "1999-01-01"}).json["error"]["code"] == -32020
    assert wire.post([], headers).status == 400
    assert server.request("POST", "/mcp", "{", headers).json["error"]["code"] == -32700
    assert server.request("POST", "/mcp", "[" * 100_000, headers).status == 400
    assert server.request("POST", "/mcp", "{}", {**headers, "Content-Type": "text/plain"}).status == 415
    assert server.request("POST", "/mcp", "{}", {**headers, "Content-Type": "application/json; charset=utf-16"}).status == 415
    assert server.request("POST", "/mcp", "{}", {**headers, "Accept": "application/json"}).status == 406
    assert server.request("GET", "/mcp").status == 405 and server.request("DELETE", "/mcp").status == 405
    old = Wire(server, "2025-06-18")
    assert old.ask("nonsense").status == 200 and old.ask("nonsense").json["error"]["code"] == -32601
    assert old.ask("ping").json["result"] == {}
    old.session = "2025-06-18..1.00000000-0000-4000-8000-000000000000"
    assert old.ask("ping").status == 404
    old.session = None
    assert old.ask("ping").status == 400
    assert server.request("POST", "/mcp", "{}", {**headers, "Origin": "https://evil.example"}).status == 403
    assert server.request("POST", "/mcp", "{}", {**headers, "Host": "evil.example"}).status == 421


def test_batches_belong_to_their_revision(server):
    old = Wire(server, "2025-03-26")
    batch = [old.message("ping", id=1), old.message("notifications/initialized", id=None), old.message("nonsense", id=2), a_call(old, "x", 3)]
    answers = old.post(batch).json
    assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert answers[1]["error"]["code"] == -32601 and answers[2]["error"]["code"] == -32600
    assert old.post([old.message("notifications/initialized", id=None)]).status == 202
    assert old.post([old.message("ping", id=n) for n in range(101)]).status == 400
    assert Wire(server, "2025-06-18").post([old.message("ping")]).status == 400


def test_tools_come_in_pages(own_server, agent_text):
    names = [f"agent-{n:02}" for n in range(60)]
    for name in names:
        assert own_server.request("PUT", f"/api/v1/agents/{name}", agent_text(name)).status == 201
    wire = Wire(own_server)
    first = wire.ask("tools/list").json["result"]
    second = wire.ask("tools/list", {"cursor": first["nextCursor"]}).json["result"]
    listed = [tool["name"] for tool in first["tools"] + second["tools"]]
    assert listed == ["holdfast_run", *names, "payer"] and "nextCursor" not in second
    assert first["ttlMs"] >= 0 and first["cacheScope"] == "private"


def test_whoever_may_not_decide_is_asked_nothing(binary, agent_text, payments, tmp_path):
    server = Server(binary, tmp_path / "data", "--auth", "required", *agent_text.grants, log=open(tmp_path / "log", "w")).start()
    try:
        local = {"Authorization": "Bearer " + (tmp_path / "data" / "local-key").read_text().strip()}
        assert server.request("PUT", "/api/v1/agents/payer", agent_text(), local).status == 201
        keys = {}
        for name, roles in (("looks", ["reader"]), ("runs", ["operator"]), ("decides", ["operator", "approver"])):
            made = server.post("/api/v1/keys", {"principal": name, "roles": {"default": roles}}, local)
            assert made.status == 201, made.text
            keys[name] = {"Authorization": "Bearer " + made.json["key"]}
        assert server.request("POST", "/mcp", "{}", {"Content-Type": "application/json"}).status == 401
        assert server.request("POST", "/mcp", "{}", {"Content-Type": "application/json", **keys["looks"]}).status == 403
        asked = []

        async def led_elsewhere(context, params):
            asked.append(params.mode)
            run = params.url.rsplit("/", 1)[1]
            approval = server.get(f"/api/v1/runs/{run}", **keys["looks"]).json["approvals"][0]
            decision = {"decision": "reject", "arguments_sha256": approval["arguments_sha256"]}
            decided = server.post(f"/api/v1/approvals/{approval['id']}/decision", decision, keys["decides"])
            assert decided.status == 200, decided.text
            return ElicitResult(action="accept")

        result = call(server, "payer", {"input": "pay, please"}, headers=keys["runs"], elicitation_callback=led_elsewhere)
        assert text(result) == "That is settled." and asked == ["url"] and payments() == []
        result = call(server, "payer", {"input": "pay, please"}, headers=keys["decides"], elicitation_callback=answers("approve"))
        assert text(result) == "That is settled." and payments() == [250]
        decided = server.get(f"/api/v1/runs/{result.structured_content['run']}", **keys["looks"]).json["approvals"][0]
        assert decided["decided_by"] == "decides"
    finally:
        server.close()
