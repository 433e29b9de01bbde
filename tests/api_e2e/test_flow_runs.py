"""Flows that run: on the real server, with a real receiver of requests and a real database, kills included."""

import http.server
import json
import pathlib
import sqlite3
import threading

import pytest
from holdfast import Server
from postgres import Postgres

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Receiver:
    """Counts requests by path; a path in `held` gets no answer while it is held, one in `failing` gets 503s,
    and one in `refusing` a 422 for the request of that number."""

    def __init__(self):
        self.calls = []
        self.held = {}
        self.failing = {}
        self.refusing = {}
        self.inside = set()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                key = self.headers["Idempotency-Key"] or self.headers["webhook-id"]
                number = receiver.count(self.path)
                receiver.calls.append((self.path, key, json.loads(body or b"null")))
                event, first = receiver.held.get(self.path, (None, 0))
                if event and number >= first:
                    receiver.inside.add(self)
                    event.wait(60)
                    receiver.inside.discard(self)
                status = 422 if receiver.refusing.get(self.path) == number else 200
                if receiver.failing.get(self.path, 0) > 0:
                    receiver.failing[self.path] -= 1
                    status = 503
                answer = json.dumps({"path": self.path, "n": 9007199254740993}).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass  # whoever asked was killed

            do_GET = do_POST

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, path):
        return sum(1 for call in self.calls if call[0] == path)

    def keys(self, path):
        return {call[1] for call in self.calls if call[0] == path}

    def waiting(self):
        return len(self.inside)

    def hold(self, path, first=0):
        """From the request of that number on."""
        self.held[path] = (threading.Event(), first)

    def release(self, path):
        self.held.pop(path)[0].set()


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    for path in list(one.held):
        one.release(path)
    one.server.shutdown()


def serve(binary, tmp_path, *options, environment=None):
    return Server(binary, tmp_path / "data", "--grant", "host:127.0.0.1", "--grant", f"database.write:{tmp_path}/",
                  *options, environment=environment, log=open(tmp_path / "log", "a")).start()


@pytest.fixture
def server(binary, tmp_path):
    one = serve(binary, tmp_path)
    yield one
    one.close()


@pytest.fixture
def server_on_postgres(binary, tmp_path):
    postgres = Postgres()
    one = serve(binary, tmp_path, "--platform-store", postgres.address("flows"))
    yield one
    one.close()
    postgres.close()


def flow(name, blocks, more=""):
    indented = "\n".join("    " + line for line in blocks.strip("\n").splitlines())
    return f"apiVersion: holdfast.dev/v1\nkind: Flow\nmetadata: {{name: {name}}}\nspec:\n{more}  blocks:\n{indented}\n"


def apply(server, name, blocks, more="", status=201):
    answer = server.request("PUT", f"/api/v1/flows/{name}", flow(name, blocks, more))
    assert answer.status == status, answer.text
    return answer.json


def start(server, name, value=None, **more):
    answer = server.post(f"/api/v1/flows/{name}/runs", {"input": value, **more})
    assert answer.status == 202, answer.text
    return answer.json["id"]


def post(url, effect="idempotent", arguments="{}"):
    return f'{{http: {{method: POST, url: "{url}"}}, effect: {effect}, arguments: {arguments}}}'


def events(server, run):
    return [(e["type"], e["data"]) for e in server.get(f"/api/v1/runs/{run}/events?limit=1000").json["events"]]


def whole_log(server, run):
    """Of a run that has ended: its last event is written a moment later."""
    return server.wait_until(lambda: (log := events(server, run))[-1][0] == "run.closed" and log)


def statuses(run):
    return {step["name"]: step["status"] for step in run["steps"]}


def test_a_flow_runs_and_its_blocks_are_steps(server):
    version = apply(server, "sum", """
- {id: begin, type: start}
- {id: made, type: code, needs: [begin], with: {code: "return {n: input.n + 1n, big: input.n}"}}
- {id: text, type: transform, needs: [made], with: {value: {text: "got {{ blocks.made.n }}", big: "{{ blocks.made.big }}"}}}
- {id: reply, type: respond, needs: [text], with: {value: "{{ blocks.text }}"}}
""")["version"]
    run = start(server, "sum", {"n": 9007199254740993})
    ended = server.wait(run)
    assert ended["status"] == "completed", ended
    assert ended["output"] == {"text": "got 9007199254740994", "big": 9007199254740993}
    assert (ended["agent"], ended["version"]) == ("flow:sum", version)
    assert [step["name"] for step in ended["steps"]] == ["begin", "made", "text", "reply"]
    assert {step["kind"] for step in ended["steps"]} == {"start", "code", "transform", "respond"}
    told = [type for type, _ in whole_log(server, run)]
    assert told[0] == "run.started" and told[-2:] == ["run.completed", "run.closed"]
    assert told.count("step.completed") == told.count("step.started") == 4
    assert [row["id"] for row in server.get("/api/v1/runs?agent=flow:sum").json["runs"]] == [run]
    # Agents do not show it.
    assert server.get("/api/v1/agents").json["agents"] == []
    assert server.get("/api/v1/agents/flow:sum").status == 404
    assert [one["name"] for one in server.get("/api/v1/flows").json["flows"]] == ["sum"]


def test_what_a_file_and_an_input_say_comes_back_in_their_order(server):
    apply(server, "inner", """
- {id: begin, type: start}
- {id: reply, type: respond, needs: [begin], with: {value: {of: "{{ input }}", at: 1}}}
""")
    apply(server, "orders", """
- {id: begin, type: start}
- {id: made, type: transform, needs: [begin], with: {value: {zeta: 1, alpha: {b: [{y: 1, x: 2}], a: "{{ input }}"}}}}
- {id: each, type: map, needs: [made], with: {over: [{q: 1, p: 2}]}, blocks: [{id: item, type: transform, with: {value: "{{ item }}"}}]}
- {id: call, type: flow, needs: [each], with: {flow: inner, arguments: {m: "{{ blocks.made.alpha.b[0] }}", k: 2}}}
- {id: reply, type: respond, needs: [call], with: {value: {made: "{{ blocks.made }}", each: "{{ blocks.each }}", call: "{{ blocks.call }}"}}}
""")
    ended = server.wait(start(server, "orders", {"n": 1, "c": {"w": 1, "v": 2}}))
    expected = {"made": {"zeta": 1, "alpha": {"b": [{"y": 1, "x": 2}], "a": {"n": 1, "c": {"w": 1, "v": 2}}}}, "each": [{"q": 1, "p": 2}],
                "call": {"of": {"m": {"y": 1, "x": 2}, "k": 2}, "at": 1}}
    assert json.dumps(ended["output"]) == json.dumps(expected)


def kill_at_each_call(server, receiver):
    apply(server, "calls", f"""
- {{id: begin, type: start}}
- {{id: one, type: http, needs: [begin], with: {post(receiver.url + "/one", arguments='{n: "{{ input.n }}"}')}}}
- {{id: two, type: http, needs: [one], with: {post(receiver.url + "/two", arguments='{of: "{{ blocks.one.path }}", n: "{{ blocks.one.n }}"}')}}}
- {{id: three, type: http, needs: [two], with: {post(receiver.url + "/three")}}}
- {{id: reply, type: respond, needs: [three], with: {{value: "{{{{ blocks.three.path }}}}"}}}}
""")
    run = None
    for path in ("/one", "/two", "/three"):
        receiver.hold(path)
        run = run or start(server, "calls", {"n": 1})
        server.wait_until(lambda: receiver.count(path), seconds=40)
        server.kill()
        receiver.release(path)
        server.start()
    ended = server.wait(run, seconds=40)
    assert (ended["status"], ended["output"]) == ("completed", "/three")
    # Each was under way once when the server died, and is asked again under its key; what had ended is not.
    assert [call[0] for call in receiver.calls] == ["/one", "/one", "/two", "/two", "/three", "/three"]
    assert all(len(receiver.keys(path)) == 1 for path in ("/one", "/two", "/three"))
    assert receiver.calls[2][2] == {"n": 9007199254740993, "of": "/one"} == receiver.calls[3][2]
    assert dict(events(server, run))["run.started"]["activities"] == 2, "begin, and one for the three calls"


def test_killed_in_a_shared_activity_it_repeats_no_call_that_has_ended(server, receiver):
    kill_at_each_call(server, receiver)


def test_killed_with_its_records_on_postgresql_it_repeats_none_either(server_on_postgres, receiver):
    kill_at_each_call(server_on_postgres, receiver)


def test_what_must_not_be_repeated_is_not_and_its_error_leads_on(server, receiver):
    apply(server, "once", f"""
- {{id: begin, type: start}}
- {{id: pay, type: http, needs: [begin], with: {post(receiver.url + "/pay", effect="at_most_once")}}}
- {{id: paid, type: respond, needs: [pay], with: {{value: paid}}}}
- {{id: unclear, type: respond, needs: [pay.error], with: {{value: "{{{{ blocks.pay.error.type }}}}"}}}}
""")
    receiver.hold("/pay")
    run = start(server, "once")
    server.wait_until(lambda: receiver.count("/pay"))
    server.kill()
    receiver.release("/pay")
    server.start()
    ended = server.wait(run, seconds=40)
    assert (ended["status"], ended["output"]) == ("completed", "EffectUnknown")
    assert receiver.count("/pay") == 1
    assert statuses(ended) == {"begin": "completed", "pay": "failed", "unclear": "completed"}
    assert dict(events(server, run))["run.completed"]["skipped"] == ["paid"]


def test_the_order_of_the_example_branches_and_waits_across_a_kill(server, cli):
    order = str(ROOT / "examples/flows/order.yaml")
    small = cli(server, "flow", "run", order, '{"id": 1, "items": [{"price": 9, "count": 2}]}')
    assert small.returncode == 0, small.stderr
    assert json.loads(small.stdout)["note"] == "order 1 of 18 was booked at once"
    run = cli(server, "flow", "run", "order", "--detach", "--input",
              '{"id": 7, "items": [{"price": 20, "count": 3}, {"price": 55, "count": 1}]}').stdout.strip()
    server.wait(run, lambda r: statuses(r).get("cool_off") == "running")
    server.kill()
    server.start()
    ended = server.wait(run)
    assert ended["output"] == {"order": 7, "total": 115, "note": "order 7 of 115 cooled off"}
    assert "booked" not in statuses(ended)
    refused = cli(server, "flow", "run", "order", '{"id": "seven"}')
    assert refused.returncode != 0 and "items" in refused.stderr, refused.stderr


def test_arguments_are_sent_in_the_order_of_the_file(server, receiver, tmp_path):
    sqlite3.connect(tmp_path / "kept.db").close()
    written = '{zeta: 1, alpha: "{{ ({why: 2, because: input.n}) }}", mid: [{d: 1, c: 2}]}'
    apply(server, "ordered", f"""
- {{id: begin, type: start}}
- {{id: post, type: http, needs: [begin], with: {post(receiver.url + "/body", arguments=written)}}}
- {{id: ask, type: http, needs: [post], with: {{http: {{url: "{receiver.url}/query"}}, arguments: {{z: 1, a: {{y: 1, b: 2}}}}}}}}
- id: keep
  type: sql
  needs: [ask]
  with: {{sql: {{database: {tmp_path}/kept.db, read_only: false, statement: "SELECT :doc AS doc"}}, arguments: {{doc: {{z: 1, a: {{y: 1, b: 2}}}}}}}}
- {{id: reply, type: respond, needs: [keep], with: {{value: "{{{{ blocks.keep.rows[0].doc }}}}"}}}}
""")
    ended = server.wait(start(server, "ordered", {"n": 3}))
    assert ended["status"] == "completed", ended
    assert json.dumps(receiver.calls[0][2]) == '{"zeta": 1, "alpha": {"why": 2, "because": 3}, "mid": [{"d": 1, "c": 2}]}'
    assert receiver.calls[1][0] == "/query?z=1&a=%7B%22y%22%3A1%2C%22b%22%3A2%7D"
    assert ended["output"] == '{"z":1,"a":{"y":1,"b":2}}'


def test_templates_and_what_takes_back_are_sent_in_the_order_of_the_file(server, receiver):
    apply(server, "templates", f"""
- {{id: begin, type: start}}
- id: pay
  type: http
  needs: [begin]
  with: {{http: {{method: POST, url: "{receiver.url}/pay", body: {{z: "{{n}}", a: {{y: 1, b: "{{n}}"}}}}}}, effect: idempotent, arguments: {{n: 3}}}}
  compensate: {{http: {{method: POST, url: "{receiver.url}/back"}}, effect: idempotent, arguments: {{of: {{to: "{{result.path}}", by: 1}}, list: [{{d: "{{arguments.n}}", c: 2}}], key: x}}}}
- {{id: bad, type: code, needs: [pay], with: {{code: "throw new Error('no')"}}}}
""")
    assert server.wait(start(server, "templates"))["status"] == "failed"
    assert [json.dumps(call[2]) for call in receiver.calls] == [
        '{"z": 3, "a": {"y": 1, "b": 3}}', '{"of": {"to": "/pay", "by": 1}, "list": [{"d": 3, "c": 2}], "key": "x"}']


def test_what_cannot_be_meant_is_a_usage_error(server, cli):
    apply(server, "asks", "\n- {id: begin, type: start}\n- {id: reply, type: respond, needs: [begin], with: {value: 1}}\n",
          "  input: {properties: {n: {type: number}}, required: [n]}\n")
    for arguments in (["5"], ["--input", '"x"'], ["[1]"], []):
        refused = cli(server, "flow", "run", "asks", *arguments)
        assert refused.returncode == 2 and "takes an object" in refused.stderr, refused
    assert cli(server, "flow", "run", "asks", '{"n": 5}').returncode == 0
    for seconds in ("nan", "-1", "1e400", "inf", "1e10", "soon"):
        for command in (["run", "nobody", "x"], ["flow", "run", "asks", '{"n": 5}']):
            refused = cli(server, *command, "--timeout", seconds)
            assert refused.returncode == 2 and "number of seconds" in refused.stderr, refused
    missing = cli(server, "flow", "run", "nosuch", '{"n": 5}')
    assert missing.returncode == 3 and "no flow 'nosuch'" in missing.stderr and "registered are: asks" in missing.stderr, missing
    apply(server, "any", "\n- {id: begin, type: start}\n")
    for large in ("9223372036854775808123", '{"n": 9223372036854775808123}'):
        refused = cli(server, "flow", "run", "any", "--input", large)
        assert refused.returncode == 2 and "has more than 64 bits" in refused.stderr, refused


def test_branches_go_on_side_by_side_and_sql_is_one_transaction(server, receiver, tmp_path):
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE refunds(order_id, amount)")
    apply(server, "refund", f"""
- {{id: begin, type: start}}
- id: write
  type: sql
  needs: [begin]
  with:
    sql: {{database: "{database}", read_only: false, statement: "INSERT INTO refunds VALUES (:order, :amount)"}}
    arguments: {{order: "{{{{ input.order }}}}", amount: "{{{{ input.amount }}}}"}}
- {{id: slow, type: http, needs: [begin], with: {post(receiver.url + "/slow")}}}
- id: read
  type: sql
  needs: [write]
  retry: {{attempts: 2}}
  with: {{sql: {{database: "{database}", statement: "SELECT * FROM refunds"}}}}
- {{id: both, type: join, needs: [read, slow]}}
- {{id: reply, type: respond, needs: [both], with: {{value: {{rows: "{{{{ blocks.read.rows }}}}", from: "{{{{ blocks.both.from }}}}"}}}}}}
""", "  planner: V3\n")
    receiver.hold("/slow")
    run = start(server, "refund", {"order": 7, "amount": 2.5})
    server.wait(run, lambda r: statuses(r).get("read") == "completed")
    receiver.release("/slow")
    ended = server.wait(run)
    assert ended["output"] == {"rows": [{"order_id": 7, "amount": 2.5}], "from": ["read", "slow"]}
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM refunds").fetchone() == (1,)


def test_a_call_is_tried_again_and_an_error_that_leads_nowhere_ends_the_run(server, receiver):
    apply(server, "tries", f"""
- {{id: begin, type: start}}
- {{id: own, type: http, needs: [begin], retry: {{attempts: 4, initial: 50ms}}, with: {post(receiver.url + "/own")}}}
- {{id: shared, type: http, needs: [begin], with: {post(receiver.url + "/shared")}}}
- {{id: bad, type: code, needs: [own, shared], with: {{code: "return input.x.y"}}}}
- {{id: never, type: http, needs: [bad], with: {post(receiver.url + "/never")}}}
""")
    receiver.failing = {"/own": 3, "/shared": 1}
    run = start(server, "tries", {})
    ended = server.wait(run, seconds=40)
    assert ended["status"] == "failed", ended
    assert (receiver.count("/own"), receiver.count("/shared"), receiver.count("/never")) == (4, 2, 0)
    assert len(receiver.keys("/own")) == 1
    assert "block `bad`: line 1, column " in ended["error"]["message"] and ended["error"]["type"] == "exception"
    assert statuses(ended) == {"begin": "completed", "own": "completed", "shared": "completed", "bad": "failed"}


def test_a_large_result_is_kept_beside_the_run_and_read_whole(server):
    apply(server, "large", """
- {id: begin, type: start}
- {id: many, type: code, needs: [begin], with: {code: "return 'x'.repeat(500000)"}}
- {id: pause, type: wait, needs: [many], with: {duration: 10ms}}
- {id: size, type: transform, needs: [pause], with: {value: "{{ blocks.many.length }}"}}
""")
    run = start(server, "large")
    ended = server.wait(run)
    assert (ended["status"], ended["output"]) == ("completed", 500000)
    # Events tell its beginning, and where the whole is.
    (told,) = [data for type, data in events(server, run) if type == "step.completed" and data["name"] == "many"]
    assert len(told["result"]) < 100000 and told["output"]["bytes"] == 500002
    whole = server.get(f"/api/v1/runs/{run}/steps/2/output")
    assert whole.status == 200 and whole.body == b'"' + b"x" * 500000 + b'"'
    assert whole.headers["Content-Type"].startswith("application/json")


def test_a_run_is_cancelled_in_its_wait(server):
    apply(server, "long", """
- {id: begin, type: start}
- {id: pause, type: wait, needs: [begin], with: {duration: 30d}}
- {id: after, type: join, needs: [pause]}
""")
    run = start(server, "long")
    server.wait(run, lambda r: statuses(r).get("pause") == "running")
    assert server.post(f"/api/v1/runs/{run}/cancel", {"reason": "enough"}).status == 202
    ended = server.wait(run)
    assert ended["status"] == "canceled"
    assert [type for type, _ in whole_log(server, run)][-2:] == ["run.canceled", "run.closed"]
    assert statuses(server.run(run)) == {"begin": "completed", "pause": "stopped"}


def test_what_a_flow_has_none_of_is_said(server, cli):
    apply(server, "waits", "\n- {id: begin, type: start}\n- {id: rest, type: wait, needs: [begin], with: {duration: 1h}}\n")
    run = start(server, "waits")
    server.wait(run, lambda r: statuses(r).get("rest") == "running")
    for action, word, body in (("messages", "takes no messages", {"input": "hurry"}), ("pause", "cannot be paused", {}), ("resume", "nothing to resume", {}), ("fail", "never parked", {})):
        refused = server.post(f"/api/v1/runs/{run}/{action}", body)
        assert (refused.status, refused.json["code"]) == (409, "refused_by_run"), refused.text
        assert "is a flow's" in refused.json["detail"] and word in refused.json["detail"], refused.text
    assert server.get(f"/api/v1/audit?subject={run}&kind=run.message").json["rows"] == [], "a message that nobody reads is not kept"
    said = cli(server, "send", run, "hurry")
    assert said.returncode != 0 and "takes no messages" in said.stderr, said.stderr
    server.post(f"/api/v1/runs/{run}/cancel")
    assert server.wait(run)["status"] == "canceled"
    for answer in (server.post(f"/api/v1/runs/{run}/fork", {}), server.get(f"/api/v1/runs/{run}/diff/{run}")):
        assert (answer.status, answer.json["code"]) == (409, "no_conversation"), answer.text


def test_a_failure_and_a_cancellation_end_a_call_that_is_under_way(server, receiver):
    apply(server, "stuck", f"""
- {{id: begin, type: start}}
- {{id: slow, type: http, needs: [begin], timeout: 1m, with: {post(receiver.url + "/slow")}}}
- {{id: pause, type: wait, needs: [begin], with: {{duration: "1s"}}}}
- {{id: bad, type: branch, needs: [pause], with: {{rules: [{{name: yes, when: "input.fails"}}]}}}}
- {{id: end, type: join, needs: [bad.otherwise, slow]}}
""", "  planner: V3\n")
    receiver.hold("/slow")
    failed = server.wait(start(server, "stuck", {"fails": 1}), seconds=30)
    assert failed["status"] == "failed" and failed["error"]["type"] == "RuleError", failed["error"]
    assert "rule `yes`: it is no bool, but int" in failed["error"]["message"]
    run = start(server, "stuck", {"fails": False})
    server.wait(run, lambda r: statuses(r).get("bad") == "completed")
    assert server.post(f"/api/v1/runs/{run}/cancel", {}).status == 202
    ended = server.wait(run, seconds=30)
    assert ended["status"] == "canceled"
    whole_log(server, run)
    assert statuses(server.run(run))["slow"] == "stopped" and receiver.count("/slow") == 2


def test_results_put_together_are_published_once_across_a_kill(binary, tmp_path, receiver):
    server = serve(binary, tmp_path, "--grant", f"env:HOOK@{receiver.url.removeprefix('http://')}",
                   environment={"HOOK": "whsec_" + "QUJD" * 8})
    try:
        apply(server, "tell", f"""
- {{id: begin, type: start}}
- {{id: each, type: map, needs: [begin], with: {{over: "{{{{ input }}}}"}}, blocks: [{{id: row, type: transform, with: {{value: {{of: "{{{{ item }}}}", twice: "{{{{ item * 2 }}}}"}}}}}}]}}
- {{id: total, type: code, needs: [each], with: {{code: "return {{count: blocks.each.length, sum: blocks.each.reduce((sum, row) => sum + row.twice, 0)}}"}}}}
- id: tell
  type: publish
  needs: [total]
  with: {{webhook: {{url: "{receiver.url}/hook", secret_env: HOOK, event: order.paid}}, arguments: {{report: "{{{{ blocks.total }}}}", rows: "{{{{ blocks.each }}}}"}}}}
- {{id: reply, type: respond, needs: [tell], with: {{value: "{{{{ blocks.tell.delivered }}}}"}}}}
""")
        receiver.hold("/hook")
        run = start(server, "tell", [7, 8])
        server.wait_until(lambda: receiver.count("/hook"))
        server.kill()
        receiver.release("/hook")
        server.start()
        assert server.wait(run, seconds=40)["output"] == "order.paid"
        assert receiver.count("/hook") == 2 and len(receiver.keys("/hook")) == 1, "one event to the receiver, by its id"
        expected = {"report": {"count": 2, "sum": 30}, "rows": [{"of": 7, "twice": 14}, {"of": 8, "twice": 16}]}
        assert [call[2]["data"] for call in receiver.calls] == [expected] * 2
    finally:
        server.close()


def test_a_schedule_starts_flows(server):
    apply(server, "nightly", "- {id: begin, type: start}")
    made = server.post("/api/v1/schedules", {"name": "n", "agent": "flow:nightly", "input": 7, "cron": "0 0 1 1 *", "time_zone": "UTC"})
    assert made.status == 201, made.text
    assert server.post("/api/v1/schedules/n/trigger", {}).status == 202
    run = server.wait_until(lambda: server.get("/api/v1/runs?agent=flow:nightly").json["runs"])[0]["id"]
    assert server.wait(run)["output"] == 7


def test_a_schedule_is_refused_that_no_run_can_begin_with(server):
    apply(server, "least", "- {id: begin, type: start}", "  input: {type: object, required: [n], properties: {n: {type: integer, minimum: 1}}}\n")
    body = {"name": "least", "agent": "flow:least", "input": {"n": 0}, "cron": "0 0 1 1 *"}
    refused = server.post("/api/v1/schedules", body)
    assert refused.status == 400 and "the input" in refused.text, refused.text
    talks = server.post("/api/v1/schedules", body | {"input": {"n": 1}, "conversation": "c"})
    assert talks.status == 400 and talks.json["code"] == "invalid_conversation", talks.text
    assert server.get("/api/v1/schedules/least").status == 404
    assert server.post("/api/v1/schedules", body | {"input": {"n": 1}}).status == 201


def test_a_changed_flow_disturbs_no_run_of_the_old_version(server):
    def applied(word, status=201):
        return apply(server, "kept", f"""
- {{id: begin, type: start}}
- {{id: pause, type: wait, needs: [begin], with: {{duration: 1s}}}}
- {{id: reply, type: respond, needs: [pause], with: {{value: {word}}}}}
""", status=status)
    first = applied("old")
    run = start(server, "kept")
    second = applied("new")
    assert first["version"] != second["version"] and second["new"]
    assert applied("new", 200)["created"] is False
    assert server.wait(run)["output"] == "old"
    pinned = start(server, "kept", version=first["version"])
    assert server.wait(pinned)["output"] == "old"
    assert server.wait(start(server, "kept"))["output"] == "new"
    versions = server.get("/api/v1/flows/kept").json["versions"]
    assert [one["version"] for one in versions] == [second["version"], first["version"]]
    # Its versions are read and compared as an agent's.
    of_agent = "/api/v1/agents/flow%3Akept"
    assert [one["version"] for one in server.get(f"{of_agent}/versions").json["versions"]] == [second["version"], first["version"]]
    assert server.get(f"{of_agent}/versions/{first['version'][:12]}").json["definition"]["spec"]["blocks"][2]["with"] == {"value": "old"}
    changes = server.get(f"{of_agent}/diff?from={first['version']}&to={second['version']}").json["changes"]
    assert [(one["before"], one["after"]) for one in changes] == [("old", "new")]


def test_what_cannot_be_run_or_was_not_granted_is_refused(server):
    outside = server.request("PUT", "/api/v1/flows/ask?source=ask.yaml", flow("ask", """
- {id: begin, type: start}
- {id: ask, type: http, needs: [begin], async: true, with: {http: {url: "http://127.0.0.1:1/x"}}}
"""))
    assert outside.status == 400 and outside.json["code"] == "invalid_flow"
    assert "ask.yaml:7:" in outside.json["detail"] and "is not completed from outside" in outside.json["detail"]
    far = server.request("PUT", "/api/v1/flows/far", flow("far", """
- {id: begin, type: start}
- {id: get, type: http, needs: [begin], with: {http: {url: "https://far.example/x"}}}
"""))
    assert far.status == 403 and "block `get`" in far.text and "host:far.example" in far.text
    assert server.request("PUT", "/api/v1/flows/other", flow("far", "- {id: begin, type: start}")).status == 409
    assert server.post("/api/v1/flows/none/runs", {}).status == 404
    assert server.post("/api/v1/flows/none/runs", {"conversation": "x"}).status == 404
    apply(server, "plain", "- {id: begin, type: start}")
    assert server.post("/api/v1/flows/plain/runs", {"conversation": "x"}).status == 400
    for more in ({"context": {"a": 1}}, {"conversation": "x"}):
        assert server.post("/api/v1/runs", {"agent": "flow:plain", "input": 1, **more}).status == 400
    assert server.request("PUT", "/api/v1/agents/flow:plain", "kind: Flow").status == 400
