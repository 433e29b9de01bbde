"""What is recorded of runs, from outside: metrics as Prometheus' own client reads them, traces over API and command line, and spans
as OpenTelemetry's own messages read them."""

import base64
import http.client
import http.server
import json
import os
import pathlib
import subprocess
import threading
import urllib.parse

import pytest
from google.protobuf import json_format
from holdfast import Server, scripted_model
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "guide"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def families(server, accept=OPENMETRICS):
    answer = server.get("/metrics", Accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith(accept.split(";")[0])
    read = read_openmetrics if accept == OPENMETRICS else read_text
    return {family.name: family for family in read(answer.text)}


def value(found, name, **labels):
    """The sum of the samples of that name that have these labels."""
    samples = [s for f in found.values() for s in f.samples if s.name == name and labels.items() <= s.labels.items()]
    return sum(s.value for s in samples)


@pytest.fixture
def cli(binary):
    def call(server, *arguments):
        environment = {**os.environ, "HOLDFAST_API": server.ready["http"], "NO_COLOR": "1"}
        return subprocess.run([binary, *arguments], capture_output=True, text=True, env=environment, timeout=40)

    return call


FLAKY = """
models: [scripted]
replies:
  - text: "Alpha beta gamma delta epsilon zeta eta theta."
    delay: 20ms
    faults: [{cut_after: 5, first: 1}]
"""


@pytest.fixture
def flaky(binary, own_server, tmp_path):
    """An agent whose model's first answer is cut off."""
    with scripted_model(binary, tmp_path, FLAKY) as model:
        text = "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: flaky}\nspec:\n  prompt: You speak.\n" \
               f"  model: {{provider: openai, base_url: '{model}', name: scripted, retry: {{initial: 50ms, attempts: 5}}}}\n"
        assert own_server.request("PUT", "/api/v1/agents/flaky", text).status == 201
        yield "flaky"


# ---- metrics


def test_metrics_count_what_was_done(own_server, flaky):
    own_server.wait(own_server.start_run("payer", "hello"))
    own_server.wait(own_server.start_run(flaky, "again"))
    own_server.wait(own_server.start_run("payer", "refuse"))
    paid = own_server.start_run("payer", "pay")
    approval = own_server.wait_for_approval(paid)
    found = families(own_server)
    assert value(found, "holdfast_approvals_pending") == 1
    assert own_server.post(f"/api/v1/approvals/{approval['id']}/decision",
                           {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]}).status == 200
    own_server.wait(paid)
    own_server.wait_until(lambda: value(families(own_server), "holdfast_runs_ended_total") == 4)  # the ends are written down
    for accept in (OPENMETRICS, "text/plain"):
        found = families(own_server, accept)
        assert value(found, "holdfast_runs_started_total", agent="payer") == 3
        assert value(found, "holdfast_runs_ended_total", agent="payer", status="completed", reason="completed") == 2
        assert value(found, "holdfast_runs_ended_total", agent="payer", status="failed", reason="invalid_prompt") == 1
        assert value(found, "holdfast_model_calls_total", provider="openai", model="scripted", outcome="ok") == 4
        assert value(found, "holdfast_model_calls_total", agent="flaky", outcome="stream_cut") == 1
        assert value(found, "holdfast_model_calls_total", outcome="invalid_prompt") == 1
        assert value(found, "holdfast_model_retries_total", model="scripted") == 1
        assert value(found, "holdfast_model_tokens_total", agent="payer", type="output") > 0
        assert value(found, "holdfast_model_call_duration_seconds_count", provider="openai") == 6
        assert value(found, "holdfast_model_time_to_first_token_seconds_count") >= 4
        assert value(found, "holdfast_tool_calls_total", agent="payer", tool="pay", type="sql", outcome="done") == 1
        assert value(found, "holdfast_tool_call_duration_seconds_count", tool="pay") == 1
        assert value(found, "holdfast_approvals_pending") == 0
        assert value(found, "holdfast_engine_commit_duration_seconds_count") > 0
        assert value(found, "holdfast_engine_calls_total") > 0
        assert value(found, "holdfast_task_queue_pollers", queue="holdfast-models", type="activity") == 1
        assert value(found, "holdfast_task_queue_backlog") == 0
        assert value(found, "holdfast_store_size_bytes", store="engine") > 0
        assert value(found, "holdfast_store_size_bytes", store="platform") > 0
        assert value(found, "holdfast_memory_limit_bytes", budget="HTTP") > value(found, "holdfast_memory_used_bytes", budget="HTTP")
        assert value(found, "holdfast_model_circuit_state", state="closed") == 2
        assert value(found, "process_resident_memory_bytes") > 1e6
    units = {family.name: family.unit for family in families(own_server).values()}
    assert (units["holdfast_model_call_duration_seconds"], units["holdfast_store_size_bytes"]) == ("seconds", "bytes")
    assert all(family.documentation for family in families(own_server).values())


def test_an_end_is_counted_by_the_process_that_saw_it(own_server):
    def ended():
        return value(families(own_server), "holdfast_runs_ended_total")

    own_server.wait(own_server.start_run("payer", "hello"))
    own_server.wait_until(lambda: ended() == 1)
    own_server.kill()
    own_server.start()
    run = own_server.start_run("payer", "hello")
    own_server.wait_until(lambda: ended() > 0)
    # Behind a restart the ends of earlier runs are looked at again, and found written down.
    own_server.wait_until(lambda: own_server.run(run)["bill"])
    assert ended() == 1


def test_slots_in_use_are_a_gauge(own_server, agent_text):
    run = own_server.start_run("payer", "at length")
    own_server.wait_until(lambda: value(families(own_server), "holdfast_model_slots_in_use") == 1)
    assert value(families(own_server), "holdfast_model_slots") == 50
    assert own_server.post(f"/api/v1/runs/{run}/terminate").status == 202
    own_server.wait_until(lambda: value(families(own_server), "holdfast_model_slots_in_use") == 0)


def test_metrics_are_guarded_like_all_else(server):
    assert server.get("/metrics", Host="evil.example").status == 421
    assert server.get("/metrics", Origin="http://evil.example").status == 403
    assert server.post("/metrics").status == 405
    assert server.get("/metrics?name=x").status == 400


def test_every_metric_is_in_the_guide(own_server):
    paid = own_server.start_run("payer", "pay")
    own_server.wait_for_approval(paid)
    guide = (GUIDE / "metrics.md").read_text()
    missing = [name for name in families(own_server) if f"`{name}`" not in guide]
    assert missing == []


# ---- traces


def trace_of(server, run):
    answer = server.get(f"/api/v1/runs/{urllib.parse.quote(run)}/trace")
    assert answer.status == 200, answer.text
    return answer.json


def test_a_trace_has_every_attempt(own_server, flaky, cli):
    run = own_server.start_run(flaky, "again")
    own_server.wait(run)
    trace = own_server.wait_until(lambda: (t := trace_of(own_server, run)) if trace_of(own_server, run)["now"] is None else None)
    root, first, second = trace["spans"]
    assert (root["kind"], root["name"], root["status"], root["parent_span_id"]) == ("run", "flaky", "ok", None)
    assert (first["kind"], first["attempt"], first["status"], first["error"]["type"]) == ("model", 1, "error", "StreamCutError")
    assert (second["attempt"], second["status"], second["provider"]) == (2, "ok", "openai")
    assert second["usage"]["output_tokens"] > 0
    assert first["parent_span_id"] == second["parent_span_id"] == root["span_id"]
    assert len({span["span_id"] for span in trace["spans"]}) == 3
    assert root["started_at"] <= first["started_at"] <= second["started_at"]
    assert root["version"] == own_server.run(run)["version"]
    assert (trace["totals"]["retries"], trace["failure"], trace["next_cursor"]) == (1, None, None)
    assert "Alpha beta" not in json.dumps(trace)
    shown = cli(own_server, "runs", "trace", run)
    assert shown.returncode == 0, shown.stderr
    assert "agent flaky" in shown.stdout and "(attempt 2)" in shown.stdout and "StreamCutError" in shown.stdout and "#" in shown.stdout
    assert json.loads(cli(own_server, "runs", "trace", run, "--json").stdout)["trace_id"] == trace["trace_id"]
    assert run in cli(own_server, "runs").stdout
    assert cli(own_server, "runs", "trace", "nobody").returncode == 3


def test_a_trace_explains_a_failure_and_says_where_a_run_is(own_server, cli):
    run = own_server.start_run("payer", "refuse")
    own_server.wait(run)
    failure = own_server.wait_until(lambda: trace_of(own_server, run)["failure"])
    assert (failure["reason"], failure["step"], failure["name"]) == ("invalid_prompt", 1, "scripted")
    assert "step 1, the model call of scripted, failed" in failure["explanation"] and "not like that" in failure["explanation"]
    assert "failed  invalid_prompt" in cli(own_server, "runs", "trace", run).stdout
    waiting = own_server.start_run("payer", "pay")
    own_server.wait_for_approval(waiting)
    now = own_server.wait_until(lambda: trace_of(own_server, waiting)["now"])
    assert [(one["kind"], one["name"], one["state"]) for one in now] == [("approval", "pay", "waits for a person")]
    before = trace_of(own_server, waiting)["trace_id"]
    own_server.kill()
    own_server.start()
    assert trace_of(own_server, waiting)["trace_id"] == before
    assert trace_of(own_server, waiting)["now"] == now
    assert "approval pay, waits for a person" in cli(own_server, "runs", "trace", waiting).stdout


def test_bad_requests_for_a_trace(server):
    assert server.get("/api/v1/runs/nobody/trace").json["code"] == "run_not_found"
    run = server.start_run("payer", "hello")
    for query in ("cursor=x", "cursor=YWJj", "limit=1"):
        assert server.get(f"/api/v1/runs/{run}/trace?{query}").status == 400, query
    server.wait(run)


# ---- OpenTelemetry


class Collector:
    """Takes spans as a collector does; refuses with `status` while that is set."""

    def __init__(self):
        self.spans, self.resources, self.headers, self.refused = [], [], [], 0
        self.status = None
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = collector.status or 200
                if status == 200:
                    collector.take(self.path, dict(self.headers), body)
                else:
                    collector.refused += 1
                answer = b"{}"
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        assert path == "/v1/traces" and headers["content-type"] == "application/json"
        document = json.loads(body)
        # OTLP's JSON has ids in hexadecimal digits, protobuf's own has bytes in base64.
        for resource in document["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in span:
                            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
        request = json_format.ParseDict(document, ExportTraceServiceRequest())
        self.headers.append(headers)
        for resource in request.resource_spans:
            self.resources.append({a.key: a.value.string_value for a in resource.resource.attributes})
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def of(self, run):
        return [span for span in self.spans if attributes(span)["holdfast.run.id"] == run]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def attributes(span):
    def plain(v):
        kind = v.WhichOneof("value")
        return [plain(one) for one in v.array_value.values] if kind == "array_value" else getattr(v, kind)

    return {a.key: plain(a.value) for a in span.attributes}


@pytest.fixture
def collector():
    one = Collector()
    yield one
    one.close()


@pytest.fixture
def traced(binary, agent_text, collector, tmp_path):
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=s3cret%20key",
                   "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    one = Server(binary, tmp_path / "data", *agent_text.grants, environment=environment).start()
    assert one.request("PUT", "/api/v1/agents/payer", agent_text()).status == 201
    yield one
    one.close()


def test_spans_follow_the_conventions(traced, collector):
    run = traced.start_run("payer", "pay", conversation="talk")
    approval = traced.wait_for_approval(run)
    assert traced.post(f"/api/v1/approvals/{approval['id']}/decision",
                       {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]}).status == 200
    traced.wait(run)
    traced.wait_until(lambda: any(span.name == "invoke_agent payer" for span in collector.of(run)))
    spans = sorted(collector.of(run), key=lambda span: span.start_time_unix_nano)
    assert sorted(span.name for span in spans) == ["approval pay", "chat scripted", "chat scripted", "execute_tool pay", "invoke_agent payer"]
    by_name = {span.name: span for span in spans}
    agent, chat, tool = by_name["invoke_agent payer"], by_name["chat scripted"], by_name["execute_tool pay"]
    assert {span.trace_id for span in spans} == {bytes.fromhex(trace_of(traced, run)["trace_id"])}
    assert {span.span_id.hex() for span in spans} == {span["span_id"] for span in trace_of(traced, run)["spans"]}
    assert agent.parent_span_id == b"" and all(span.parent_span_id == agent.span_id for span in spans if span is not agent)
    assert (agent.kind, chat.kind, tool.kind) == (Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL)
    said = attributes(chat)
    assert (said["gen_ai.operation.name"], said["gen_ai.provider.name"], said["gen_ai.request.model"]) == ("chat", "openai", "scripted")
    assert said["gen_ai.usage.input_tokens"] > 0 and said["gen_ai.conversation.id"] == "talk"
    assert said["server.address"] == "127.0.0.1" and said["server.port"] > 0
    assert attributes(agent)["gen_ai.operation.name"] == "invoke_agent"
    assert attributes(agent)["gen_ai.agent.version"] == traced.run(run)["version"]
    assert (attributes(tool)["gen_ai.operation.name"], attributes(tool)["gen_ai.tool.name"]) == ("execute_tool", "pay")
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    # What was said is nobody's business unless it is asked for.
    everything = "".join(str(span) for span in collector.spans)
    assert "I pay." not in everything and "amount" not in everything and "You pay people" not in everything
    assert collector.headers[0]["api-key"] == "s3cret key"
    assert (collector.resources[0]["service.name"], collector.resources[0]["deployment.environment.name"]) == ("holdfast", "test")


def test_a_restart_doubles_no_span_and_keeps_the_trace(traced, collector):
    run = traced.start_run("payer", "pay")
    approval = traced.wait_for_approval(run)
    traced.wait_until(lambda: [span.name for span in collector.of(run)] == ["chat scripted"])
    traced.kill()
    traced.start()
    assert traced.post(f"/api/v1/approvals/{approval['id']}/decision",
                       {"decision": "approve", "arguments_sha256": approval["arguments_sha256"]}).status in (200, 202)
    traced.wait(run)
    traced.wait_until(lambda: any(span.name == "invoke_agent payer" for span in collector.of(run)))
    assert sorted(span.name for span in collector.of(run)) == ["approval pay", "chat scripted", "chat scripted", "execute_tool pay", "invoke_agent payer"]
    assert len({span.span_id for span in collector.of(run)}) == 5
    assert len({span.trace_id for span in collector.of(run)}) == 1
    traced.wait_until(lambda: value(families(traced), "holdfast_spans_exported_total") == 4)  # counted when the collector has answered


def test_a_collector_that_is_away_costs_no_span_and_no_run(traced, collector):
    collector.status = 503
    runs = [traced.start_run("payer", "hello") for _ in range(3)]
    for run in runs:
        assert traced.wait(run)["status"] == "completed"
    traced.wait_until(lambda: collector.refused > 0)
    found = families(traced)
    assert value(found, "holdfast_span_export_failures_total", status="503") > 0
    assert value(found, "holdfast_spans_runs_due") == 3
    collector.status = None
    traced.wait_until(lambda: value(families(traced), "holdfast_spans_runs_due") == 0)
    assert sorted(span.name for span in collector.spans) == ["chat scripted"] * 3 + ["invoke_agent payer"] * 3
    assert len({span.trace_id for span in collector.spans}) == 3
    collector.status = 400
    traced.wait(traced.start_run("payer", "hello"))
    traced.wait_until(lambda: value(families(traced), "holdfast_spans_dropped_total", reason="refused") == 2)


def test_a_failure_is_a_status_and_a_type(traced, collector):
    run = traced.start_run("payer", "refuse")
    traced.wait(run)
    traced.wait_until(lambda: len(collector.of(run)) == 2)
    for span in collector.of(run):
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert attributes(span)["error.type"] == "InvalidPromptError"
        assert "not like that" in span.status.message


def test_content_goes_along_when_it_is_asked_for(binary, agent_text, collector, tmp_path):
    server = Server(binary, tmp_path / "data", *agent_text.grants, "--otlp-endpoint", collector.address,
                    environment={"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/elsewhere", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true", "OTEL_BSP_SCHEDULE_DELAY": "50"}).start()
    try:
        assert server.request("PUT", "/api/v1/agents/payer", agent_text()).status == 201
        server.wait(server.start_run("payer", "hello"))
        server.wait_until(lambda: len(collector.spans) == 2)
        said = {span.name: attributes(span) for span in collector.spans}
        messages = json.loads(said["chat scripted"]["gen_ai.output.messages"])
        assert messages[0]["role"] == "assistant" and messages[0]["parts"][0]["content"] == "Hello from the script."
        assert json.loads(said["invoke_agent payer"]["gen_ai.input.messages"])[0]["parts"][0]["content"] == "hello"
    finally:
        server.close()


def test_wrong_settings_refuse_the_start(binary, tmp_path):
    for variable, text in (("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret")):
        ended = subprocess.run([binary, "server", "--data", str(tmp_path / "data")], capture_output=True, text=True, timeout=40,
                               env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", variable: text})
        assert ended.returncode == 2
        assert variable in ended.stderr and "s3cret" not in ended.stderr


# ---- a trace of somebody else's


class Passing:
    """Passes requests on to the scripted model, serves a tool, and keeps the headers."""

    def __init__(self, model):
        self.models, self.tools = [], []
        target = urllib.parse.urlsplit(model)
        passing = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/tool":
                    passing.tools.append(dict(self.headers))
                    return self.answer(200, "application/json", b'{"ok": true}')
                passing.models.append(dict(self.headers))
                connection = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
                connection.request("POST", self.path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                self.answer(response.status, response.headers["Content-Type"], response.read())

            def answer(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"http://127.0.0.1:{self.server.server_port}"
        self.model = self.place + target.path
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


PARENT = "4bf92f3577b34da6a3ce929d0e0e4736"

CALLER = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted}}
  prompt: You use your tools.
  tools:
    - {tool}
"""


SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^delegate", turn: 0}
    tool_calls: [{name: ask, arguments: {input: "pay"}}]
  - when: {last: "^pay", turn: 0}
    tool_calls: [{name: pay, arguments: {amount: 250}}]
  - text: "Done."
"""


@pytest.fixture
def passing(binary, tmp_path):
    with scripted_model(binary, tmp_path, SCRIPT) as model:
        one = Passing(model)
        yield one
        one.server.shutdown()
        one.server.server_close()


def test_a_trace_is_taken_up_and_passed_on(traced, collector, passing):
    tool = "{name: pay, type: http, effect: idempotent, parameters: {properties: {amount: {type: number}}}, http: {method: POST, url: '%s/tool'}}" % passing.place
    helper = CALLER.format(name="helper", model=passing.model, tool=tool)
    assert traced.request("PUT", "/api/v1/agents/helper", helper).status == 201
    boss = CALLER.format(name="boss", model=passing.model, tool="{name: ask, type: agent, description: Pays., agent: helper}")
    answer = traced.request("PUT", "/api/v1/agents/boss", boss)
    assert answer.status == 201, answer.text
    parent = f"00-{PARENT}-00f067aa0ba902b7-01"
    headers = {"traceparent": parent, "tracestate": "vendor=7"}
    started = traced.post("/api/v1/runs", {"agent": "helper", "input": "pay", "id": "h"}, headers)
    assert started.status == 202
    traced.wait("h")
    # The same request in another trace is the same request.
    again = traced.post("/api/v1/runs", {"agent": "helper", "input": "pay", "id": "h"}, {"traceparent": parent.replace("4bf9", "5bf9")})
    assert (again.status, again.json["created"]) == (200, False)
    trace = trace_of(traced, "h")
    assert (trace["trace_id"], trace["spans"][0]["parent_span_id"]) == (PARENT, "00f067aa0ba902b7")
    by_kind = {span["kind"]: span["span_id"] for span in trace["spans"]}
    assert passing.tools[0]["traceparent"] == f"00-{PARENT}-{by_kind['tool']}-01"
    assert passing.tools[0]["tracestate"] == "vendor=7"
    models = [span["span_id"] for span in trace["spans"] if span["kind"] == "model"]
    assert [seen["traceparent"] for seen in passing.models] == [f"00-{PARENT}-{span}-01" for span in models]
    traced.wait_until(lambda: len(collector.of("h")) == 4)
    assert {span.trace_id.hex() for span in collector.of("h")} == {PARENT}
    # A run in nobody's trace begins one; its sub-agent belongs to it.
    run = traced.start_run("boss", "delegate")
    traced.wait(run)
    trace = trace_of(traced, run)
    called = next(span for span in trace["spans"] if span["kind"] == "agent")
    child = trace_of(traced, called["run"])
    assert child["trace_id"] == trace["trace_id"] != PARENT
    assert child["spans"][0]["parent_span_id"] == called["span_id"]
    traced.wait_until(lambda: any(span.name == "invoke_agent boss" for span in collector.of(run)) and any(span.name == "invoke_agent helper" for span in collector.of(called["run"])))
    assert {span.trace_id.hex() for span in collector.of(called["run"])} == {trace["trace_id"]}
    # Who does not record does not want to be told.
    quiet = traced.post("/api/v1/runs", {"agent": "helper", "input": "pay", "id": "q"}, {"traceparent": parent[:-2] + "00"})
    assert quiet.status == 202
    traced.wait("q")
    last = traced.start_run("payer", "hello")
    traced.wait(last)
    traced.wait_until(lambda: len(collector.of(last)) == 2)
    assert collector.of("q") == []
    assert passing.tools[-1]["traceparent"].endswith("-00")
