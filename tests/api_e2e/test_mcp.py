"""Tools of MCP servers, as real ones serve them, and OAuth tokens: from a definition that is put to the answer of a run."""

import http.server
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest
from holdfast import Server, scripted_model

HERE = pathlib.Path(__file__).parent
SERVER = HERE / "mcp_server.py"

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted, retry: {{initial: 50ms, attempts: 1}}}}
  prompt: You use your tools.
{rest}
"""

SCRIPT = """
models: [scripted]
replies:
  - {when: {last: "^add", turn: 0}, tool_calls: [{name: calc__add, arguments: {a: 1, b: 2}}]}
  - {when: {last: "^order", turn: 0}, tool_calls: [{name: calc__order, arguments: {number: 7}}]}
  - {when: {last: "^none", turn: 0}, tool_calls: [{name: calc__order, arguments: {number: -1}}]}
  - {when: {last: "^pay", turn: 0}, tool_calls: [{name: calc__pay, arguments: {amount: 5}}]}
  - {when: {last: "^env", turn: 0}, tool_calls: [{name: calc__environment, arguments: {}}]}
  - {when: {last: "^flood", turn: 0}, tool_calls: [{name: calc__flood, arguments: {}}]}
  - {when: {last: "^look", turn: 0}, tool_calls: [{name: look, arguments: {}}]}
  - text: "{{last}}"
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def command(*words: str) -> str:
    return json.dumps([sys.executable, *words], separators=(",", ":"))


STDIO = command(str(SERVER), "stdio")


@pytest.fixture(scope="module")
def scripted(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("model"), SCRIPT) as url:
        yield url


@pytest.fixture(scope="module")
def platform(binary, tmp_path_factory):
    one = Server(binary, tmp_path_factory.mktemp("data") / "data", "--grant", "host:127.0.0.1", "--grant", f"command:{STDIO}",
                 "--grant", f"command:{command(str(HERE / 'endless_mcp_server.py'))}",
                 "--grant", "env:PAID", "--grant", "env:GIVEN",
                 environment={"GIVEN": "a-given-value", "PAID": str(tmp_path_factory.mktemp("paid") / "paid")}).start()
    yield one
    one.close()


class HttpMcp:
    """mcp_server.py over HTTP, which can be replaced by another one at its address."""

    def __init__(self):
        self.port = free_port()
        self.process = None

    def start(self, **environment):
        self.stop()
        self.process = subprocess.Popen([sys.executable, str(SERVER), "http", str(self.port)], env=environment)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/mcp"


@pytest.fixture(scope="module")
def over_http():
    one = HttpMcp().start()
    yield one
    one.stop()


def definition(scripted, name, servers, more="") -> str:
    return AGENT.format(name=name, model=scripted, rest=f"  mcp_servers:\n    - {servers}\n{more}")


def stdio(scripted, name, tools="{}", more="") -> str:
    return definition(scripted, name, f'{{name: calc, command: {STDIO}, env: {{PAID: "${{PAID}}", GIVEN: "${{GIVEN}}"}}, tools: {tools}}}', more)


def put(platform, name, text, status=201):
    answer = platform.request("PUT", f"/api/v1/agents/{name}", text)
    assert answer.status == status, answer.text
    return answer.json


def output(platform, agent, text) -> str:
    state = platform.wait(platform.start_run(agent, text))
    assert state["status"] == "completed", json.dumps(state)
    return state["output"]


def test_tools_over_http_are_pinned_and_called(platform, scripted, over_http):
    put(platform, "http", definition(scripted, "http", f"{{name: calc, url: '{over_http.url}', tools: {{trust_annotations: true}}}}"))
    shown = platform.get("/api/v1/agents/http").json
    tools = {tool["name"]: tool for tool in shown["definition"]["spec"]["tools"]}
    assert set(tools) == {"calc__add", "calc__order", "calc__pay", "calc__environment"}
    assert tools["calc__add"]["effect"] == "pure" and tools["calc__pay"]["effect"] == "at_most_once"
    assert len(tools["calc__add"]["mcp"]["sha256"]) == 64
    assert "3" in output(platform, "http", "add them")
    assert '"item"' in output(platform, "http", "order")
    assert "there is no such order" in output(platform, "http", "none")


def test_a_program_gets_its_tools_called_and_no_environment_of_ours(platform, scripted):
    put(platform, "stdio", stdio(scripted, "stdio"))
    assert "3" in output(platform, "stdio", "add them")
    names = output(platform, "stdio", "env")
    assert "GIVEN" in names and "HOME" not in names and "PATH" not in names.replace("PYTHONPATH", "")


def test_only_what_is_allowed_is_there(platform, scripted):
    put(platform, "allowed", stdio(scripted, "allowed", "{allow: [add], effects: {add: pure}}"))
    tools = platform.get("/api/v1/agents/allowed").json["definition"]["spec"]["tools"]
    assert [(tool["name"], tool["effect"]) for tool in tools] == [("calc__add", "pure")]
    problem = put(platform, "misspelt", stdio(scripted, "misspelt", "{allow: [ad]}"), 400)
    assert "it has no tool `ad`; did you mean `add`?" in problem["detail"]
    problem = put(platform, "ruled", stdio(scripted, "ruled", more="  approvals: {rules: [{tool: calc__ad, action: ask}]}\n"), 400)
    assert "there is no tool `calc__ad`; did you mean `calc__add`?" in problem["detail"]


def test_a_planner_gets_only_tools_that_change_nothing(platform, scripted):
    def planned(name, tools, status):
        more = f"  mode: plan\n  plan: {{planner: {{tools: [{tools}]}}}}\n"
        return put(platform, name, stdio(scripted, name, "{effects: {add: pure}}", more), status)

    planned("planned", "calc__add", 201)
    assert "`calc__pay` changes something" in planned("payer", "calc__pay", 400)["detail"]
    assert "there is no tool `calc__ad`" in planned("misnamed", "calc__ad", 400)["detail"]


def test_a_program_that_is_not_granted_is_not_started(platform, scripted, tmp_path):
    marker = tmp_path / "started"
    text = definition(scripted, "evil", f"{{name: calc, command: [/bin/sh, -c, 'touch {marker}']}}")
    problem = put(platform, "evil", text, 403)
    assert problem["grants"] == [f'command:["/bin/sh","-c","touch\\u0020{marker}"]']
    assert not marker.exists()


def test_rules_of_a_server_ask_a_person(platform, scripted):
    put(platform, "asks", stdio(scripted, "asks", "{effects: {'*': pure}}", "  approvals: {rules: [{tool: 'calc__*', action: ask}]}\n"))
    run = platform.start_run("asks", "add them")
    approval = platform.wait_for_approval(run)
    assert approval["tool"] == "calc__add"
    assert platform.post(f"/api/v1/approvals/{approval['id']}/decision", {
        "decision": "approve", "arguments_sha256": approval["arguments_sha256"], "decided_by": "Ada"}).status == 200
    assert "3" in platform.wait(run)["output"]


def test_a_server_that_dies_in_mid_call_asks_a_person_and_pays_once(platform, scripted):
    put(platform, "dies", stdio(scripted, "dies"))
    run = platform.start_run("dies", "pay")
    platform.wait_for_approval(run)
    assert pathlib.Path(platform.environment["PAID"]).read_text() == "5\n"
    platform.post(f"/api/v1/runs/{run}/cancel")


def test_a_tool_that_changed_is_refused_until_the_definition_is_applied_again(platform, scripted):
    mcp = HttpMcp().start()
    text = definition(scripted, "changes", f"{{name: calc, url: '{mcp.url}', tools: {{allow: [add], effects: {{add: pure}}}}}}")
    before = put(platform, "changes", text)
    assert "3" in output(platform, "changes", "add them")
    mcp.start(CHANGED="1")
    refused = output(platform, "changes", "add them")
    assert "ToolChangedError" in refused and "has changed the tool `add`" in refused
    after = put(platform, "changes", text)
    assert after["version"] != before["version"]
    assert "3" in output(platform, "changes", "add them")
    mcp.stop()
    assert platform.request("PUT", "/api/v1/agents/changes", text).status == 503


def test_a_gigabyte_is_not_read(platform, scripted):
    put(platform, "flood", definition(scripted, "flood", f"{{name: calc, command: {command(str(HERE / 'endless_mcp_server.py'))}}}"))
    assert "larger than 1048576 bytes" in output(platform, "flood", "flood")


def test_a_restart_needs_no_mcp_server_and_accepts_nothing_new(binary, scripted, tmp_path):
    mcp = HttpMcp().start()
    file = tmp_path / "agent.yaml"
    file.write_text(definition(scripted, "kept", f"{{name: calc, url: '{mcp.url}', tools: {{effects: {{add: pure}}}}}}"))
    one = Server(binary, tmp_path / "data", "--agent", str(file)).start()
    try:
        assert "3" in output(one, "kept", "add them")
        version = one.get("/api/v1/agents/kept").json["version"]
        one.stop()
        mcp.stop()
        one.start()
        assert one.get("/api/v1/agents/kept").json["version"] == version
        one.stop()
        mcp.start(CHANGED="1")
        one.start()
        assert "ToolChangedError" in output(one, "kept", "add them")
        one.stop()
        one.options.append("--renew-tools")
        one.start()
        assert one.get("/api/v1/agents/kept").json["version"] != version
        assert "3" in output(one, "kept", "add them")
    finally:
        one.close()
        mcp.stop()


def test_the_command_line_lists_and_calls(binary, over_http):
    listed = subprocess.run([binary, "mcp", over_http.url], capture_output=True, text=True, check=True).stdout
    assert "add" in listed and "Adds two numbers." in listed
    called = subprocess.run([binary, "mcp", "--call", "add", "--arguments", '{"a": 20, "b": 3}', "--", sys.executable, str(SERVER), "stdio"],
                            capture_output=True, text=True, check=True).stdout
    assert "23" in called


class Shop(http.server.ThreadingHTTPServer):
    """A token's server and what the token is for; a token can be taken back."""

    def __init__(self):
        self.tokens, self.taken_back, self.seen = 0, set(), []
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                shop.tokens += 1
                assert form["grant_type"] == ["client_credentials"]
                self.answer(200, {"access_token": f"access-token-{shop.tokens}", "token_type": "Bearer", "expires_in": 3600})

            def do_GET(self):
                sent = self.headers["Authorization"]
                shop.seen.append(sent)
                if sent in shop.taken_back:
                    return self.answer(401, {"error": "expired"})
                self.answer(200, {"you_sent": sent})

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def place(self):
        return f"127.0.0.1:{self.server_address[1]}"


def test_a_tool_gets_a_token_that_nobody_sees(binary, scripted, tmp_path):
    shop = Shop()
    one = Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1", "--grant", f"env:SHOP_ID@{shop.place}", "--grant",
                 f"env:SHOP_SECRET@{shop.place}", environment={"SHOP_ID": "the-client", "SHOP_SECRET": "the-secret"}).start()
    try:
        put(one, "shop", AGENT.format(name="shop", model=scripted, rest=f"""  tools:
    - name: look
      type: http
      http:
        url: http://{shop.place}/orders
        auth: {{type: oauth2_client_credentials, token_url: "http://{shop.place}/token", client_id_env: SHOP_ID, client_secret_env: SHOP_SECRET}}
"""))
        assert "Bearer [secret OAuth token]" in output(one, "shop", "look")
        assert "Bearer [secret OAuth token]" in output(one, "shop", "look again")
        assert shop.seen == ["Bearer access-token-1"] * 2 and shop.tokens == 1
        shop.taken_back.add("Bearer access-token-1")
        assert "Bearer [secret OAuth token]" in output(one, "shop", "look")
        assert shop.tokens == 2 and shop.seen[-1] == "Bearer access-token-2"
    finally:
        one.close()
        shop.shutdown()


def test_openapi_becomes_an_agent_that_can_be_put(binary, platform, tmp_path):
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps({
        "openapi": "3.1.0", "info": {"title": "Orders"}, "servers": [{"url": "http://127.0.0.1:1"}],
        "paths": {"/orders/{id}": {"get": {"operationId": "getOrder", "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}]}}}}))
    made = subprocess.run([binary, "agent", "import", "openapi", str(document)], capture_output=True, text=True, check=True).stdout
    # Without its key, which is not granted here.
    made = made.replace("api_key_env: OPENAI_API_KEY", "base_url: http://127.0.0.1:1")
    put(platform, "orders", made)
    hostile = tmp_path / "hostile.json"
    hostile.write_text('{"openapi": "3.0.0", "servers": [{"url": "http://a.example"}], "paths": {"/a": {"post": {"operationId": "a", "requestBody":'
                       '{"required": true, "content": {"application/json": {"schema": {"$ref": "#/x"}}}}}}}, "x": {"$ref": "#/x"}}')
    refused = subprocess.run([binary, "agent", "import", "openapi", str(hostile), "--select", "a"], capture_output=True, text=True)
    assert refused.returncode == 2 and "leads round in a circle" in refused.stderr
