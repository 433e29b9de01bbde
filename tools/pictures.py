#!/usr/bin/env python3
"""Pictures of every screen of the console, at 390 and 1440 pixels, light and dark, of a real server with data, in Debian's chromium.

    ./dev pictures [DIR] [--only WORD]

DIR is build/pictures unless said otherwise; a picture is called SCREEN-WIDTH-SCHEME.png. It ends with how many there are, and with
exit code 1 when a screen did not come, scrolls sideways, or its page complained.
"""

import argparse
import contextlib
import http.server
import json
import pathlib
import sqlite3
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/api_e2e"))
import browser  # noqa: E402
from holdfast import Server, scripted_model  # noqa: E402

WIDTHS = {390: 844, 1440: 900}
SCHEMES = ("light", "dark")
TALLEST = 2600  # pixels of one picture

SCRIPT = """
models: [scripted]
replies:
  - when: {last: "^Order 1042", turn: 0}
    text: "The order is in the books, and its parcel came **broken**. I look it up before anything is paid back."
    tool_calls: [{name: lookup_order, arguments: {order: 1042}}]
  - when: {last: "^Ask", turn: 0}
    text: "I do not know how much."
    tool_calls: [{name: ask, arguments: {question: "Refund order 7, and how much of it?"}}]
  - when: {last: "^Fail"}
    faults: [{status: 400, code: invalid_prompt, message: "the prompt was refused"}]
  - when: {turn: 1}
    text: "It qualifies for a refund of 129.00."
    tool_calls: [{name: issue_refund, arguments: {order: 1042, amount: 129}}]
  - when: {turn: 2}
    text: "Done: 129.00 goes back to the customer."
  - text: "Good morning. I look after refunds:\\n\\n- orders that came broken\\n- orders that never came\\n\\nWhich order is it about?"
"""

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}, description: "{says}", team: payments}}
spec:
  model: {{provider: openai, base_url: {model}, name: scripted, retry: {{initial: 50ms, attempts: 1}}}}
  prompt: {prompt}
  tools:
    - name: lookup_order
      type: sql
      description: What is known of an order.
      parameters: {{properties: {{order: {{type: integer}}}}, required: [order]}}
      sql: {{database: "{database}", statement: "SELECT * FROM orders WHERE id = :order"}}
    - name: issue_refund
      type: sql
      description: Pays money back.
      parameters: {{properties: {{order: {{type: integer}}, amount: {{type: number}}}}, required: [order, amount]}}
      sql: {{database: "{database}", read_only: false, statement: "INSERT INTO refunds VALUES (:order, :amount)"}}
    - name: ask
      type: human
      human:
        deadline: 3d
        form:
          properties:
            refund: {{type: boolean, title: "Give the money back?"}}
            amount: {{type: integer, minimum: 1, maximum: 500}}
            why: {{enum: [broken, lost, late]}}
            note: {{type: string, maxLength: 80, description: For the books}}
          required: [refund, why]
  approvals:
    rules: [{{tool: issue_refund, action: ask, reason: Payments over 100 need a person.}}]
{more}
"""

FLOW = """
apiVersion: holdfast.dev/v1
kind: Flow
metadata: {{name: refund, description: A refund; large ones are looked at first.}}
spec:
  input:
    type: object
    required: [order, amount]
    properties:
      order: {{type: integer, title: The order}}
      amount: {{type: number, minimum: 1, title: The amount}}
      reason: {{enum: [broken, lost, late]}}
      note: {{type: string, maxLength: 80, description: For the books}}
  blocks:
    - {{id: begin, type: start}}
    - id: find
      type: sql
      name: The order, as it was placed
      needs: [begin]
      with:
        sql: {{database: "{database}", statement: "SELECT * FROM orders WHERE id = :id"}}
        arguments: {{id: "{{{{ input.order }}}}"}}
    - {{id: risk, type: code, needs: [begin], with: {{code: "return {{score: input.amount > 500 ? 0.9 : 0.1}}"}}}}
    - {{id: decide, type: branch, needs: [find, risk], with: {{rules: [{{name: large, when: "input.amount > 100"}}, {{name: odd, when: "blocks.risk.score > 0.5"}}]}}}}
    - {{id: cool_off, type: wait, needs: [decide.large], with: {{duration: {wait}}}}}
    - {{id: look, type: transform, needs: [decide.odd], with: {{value: "order {{{{ input.order }}}} was looked at"}}}}
    - id: pay
      type: http
      needs: [cool_off, look, decide.otherwise]
      join: any
      retry: {{attempts: 4, initial: 50ms}}
      with:
        http: {{method: POST, url: "{receiver}/refunds"}}
        effect: idempotent
        arguments: {{order: "{{{{ input.order }}}}", amount: "{{{{ input.amount }}}}"}}
    - {{id: tell_customer, type: transform, needs: [pay], with: {{value: "{{{{ input.amount }}}} go back to you"}}}}
    - {{id: tell_the_risk_team, type: transform, needs: [pay.error], with: {{value: "order {{{{ input.order }}}} could not be paid back"}}}}
    - {{id: reply, type: respond, needs: [tell_customer, tell_the_risk_team], join: any, with: {{value: {{receipt: "{{{{ blocks.pay.receipt ?? null }}}}", note: "{{{{ blocks.tell_customer }}}}"}}}}}}
"""

PRICES = {"format": 1, "as_of": "2026-11-28", "currency": "USD", "per_tokens": 1000000,
          "providers": [{"name": "the script", "hosts": ["127.0.0.1"], "models": [{"match": ["scripted"], "input": "3.00", "output": "15.00"}]}]}


class Receiver(http.server.BaseHTTPRequestHandler):
    """Whom a flow pays by: it refuses the first call, and order 13 for good."""

    protocol_version = "HTTP/1.1"
    calls = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        Receiver.calls += 1
        status = 503 if Receiver.calls == 1 else 422 if body.get("order") == 13 else 200
        answer = json.dumps({"receipt": f"R-{body.get('order')}", "amount": body.get("amount")}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


def put(server, method, path, body, headers=None):
    answer = server.request(method, path, body, headers)
    assert answer.status in (200, 201, 202), (path, answer.text)
    return answer.json


def approve(server, run):
    asked = server.wait_for_approval(run)
    put(server, "POST", f"/api/v1/approvals/{asked['id']}/decision", {"decision": "approve", "arguments_sha256": asked["arguments_sha256"], "comment": "seen the pictures"})


def fill(server, model, receiver, database) -> dict:
    """What the screens show; ids by name."""
    def agent(name, says, prompt, more=""):
        return put(server, "PUT", f"/api/v1/agents/{name}", AGENT.format(name=name, says=says, prompt=prompt, model=model, database=database, more=more))["version"]

    def flow(wait):
        return put(server, "PUT", "/api/v1/flows/refund", FLOW.format(database=database, receiver=receiver, wait=wait))["version"]

    def run_flow(order, amount, **more):
        return put(server, "POST", "/api/v1/flows/refund/runs", {"input": {"order": order, "amount": amount, "reason": "broken"}, **more})["id"]

    first = agent("refunds", "Looks after refunds.", "You look after refunds. Be brief.")
    agent("refunds", "Looks after refunds, and asks before it pays.", "You look after refunds. Ask before you pay.")
    agent("frugal", "Says little.", "Be short.", "  budgets: {tokens: 10, calls: 50, on_budget: park}")
    put(server, "PUT", "/api/v1/agents/refunds/labels/production", {"version": first, "by": "ada", "comment": "as it was tested"}, {"If-None-Match": "*"})

    flow("500ms")
    ids = {"flow": run_flow(1042, 250, id="refund-1042")}
    assert server.wait(ids["flow"], seconds=30)["status"] == "completed"
    ids["flow_error"] = run_flow(13, 20, id="refund-13")
    server.wait(ids["flow_error"], seconds=30)
    ids["flow_version"] = flow("30d")
    ids["flow_open"] = run_flow(77, 320, id="refund-77")
    server.wait(ids["flow_open"], lambda r: any(step["name"] == "cool_off" for step in r["steps"]))

    ids["done"] = server.start_run("refunds", "Order 1042 arrived broken. What can you do?", id="order-1042")
    approve(server, ids["done"])
    server.wait(ids["done"])
    ids["waits"] = server.start_run("refunds", "Order 1042 arrived broken, and I want my money back.", id="order-1042-again")
    server.wait_for_approval(ids["waits"])
    ids["question"] = server.start_run("refunds", "Ask somebody about order 7.", id="order-7")
    server.wait_for_approval(ids["question"])
    ids["failed"] = server.start_run("refunds", "Fail, please.", id="order-0")
    server.wait(ids["failed"])
    server.wait(server.start_run("frugal", "Good morning"), lambda r: r["waiting_on"] == "budget")
    ids["talk"] = server.run(server.start_run("refunds", "Good morning", conversation="good-morning"))["conversation"]
    ids["fork"] = put(server, "POST", f"/api/v1/runs/{ids['done']}/fork", {"at": "start"})["id"]

    put(server, "PUT", "/api/v1/secrets/PAYMENT_KEY", {"value": "not a real one"})
    put(server, "POST", "/api/v1/keys", {"principal": "ci", "roles": {"default": ["operator", "deployer"]}, "label": "the pipeline"})
    for grant in ({"tools": ["lookup_order", "ask"], "agent": "refunds", "environment": "staging", "reason": "staging pays nobody"},
                  {"tools": ["issue_refund"], "mode": "deny", "environment": "production", "reason": "incident 12"},
                  {"tools": ["*"], "team": "payments"}):
        put(server, "POST", "/api/v1/grants", grant)
    return ids


@contextlib.contextmanager
def filled_server(binary, folder):
    database = folder / "shop.db"
    with sqlite3.connect(database) as db:
        db.executescript("CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, total REAL, state TEXT); CREATE TABLE refunds(order_id, amount);"
                         "INSERT INTO orders VALUES (1042, 'Ada Lovelace', 129.0, 'delivered, broken'), (77, 'Grace Hopper', 320.0, 'lost'), (13, 'Alan Turing', 20.0, 'late')")
    (folder / "prices.json").write_text(json.dumps(PRICES))
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.daemon_threads = True
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    try:
        with scripted_model(binary, folder, SCRIPT) as model:
            server = Server(binary, folder / "data", "--grant", "host:127.0.0.1", "--grant", f"database.write:{folder}/", "--prices", str(folder / "prices.json")).start()
            try:
                yield server, fill(server, model, f"http://127.0.0.1:{receiver.server_address[1]}", database)
            finally:
                server.close()
    finally:
        receiver.shutdown()


def screens(ids) -> list[tuple[str, str, str, str]]:
    """Name, address, what it shows when it is there, and what is done on it before."""
    button = "[...document.querySelectorAll('main button')].find(b => b.textContent.trim() == {!r}).click()"
    return [
        ("runs", "/runs", ".runs .run", ""),
        ("run", f"/runs/{ids['done']}", ".end.completed .prose && .say.model strong", ""),
        ("run-waits", f"/runs/{ids['waits']}", ".approval.pending && .say.model strong", ""),
        ("run-question", f"/runs/{ids['question']}", ".approval form.answer", ""),
        ("run-failed", f"/runs/{ids['failed']}", ".end.failed", ""),
        ("run-diff", f"/runs/{ids['done']}/diff/{ids['fork']}", "main h1", ""),
        ("fork", f"/runs/{ids['done']}", "dialog[open] .plan && .say.model strong", button.format("Fork or replay")),
        ("flow-run", f"/runs/{ids['flow']}", ".end.completed", ""),
        ("flow-run-block", f"/runs/{ids['flow']}?step=7", ".block-panel", ""),
        ("flow-run-error", f"/runs/{ids['flow_error']}?step=7", ".block-panel .problem", ""),
        ("flow-run-open", f"/runs/{ids['flow_open']}", ".flow-block.running", ""),
        ("flow-run-transcript", f"/runs/{ids['flow']}?view=transcript", ".end.completed", ""),
        ("inbox", "/inbox", ".asks", ""),
        ("chat", f"/chat/{ids['talk']}", ".turn .say.model li", ""),
        ("new-chat", "/chat", ".talk-actions option", ""),
        ("new-run", "/new", "#agent option", ""),
        ("agents", "/agents", ".agent", ""),
        ("agent", "/agents/refunds", ".lines code", ""),
        ("agent-changes", "/agents/refunds?view=changes", ".change", ""),
        ("agent-start", "/agents/refunds?view=start", "#start-input", ""),
        ("flows", "/flows", ".agent", ""),
        ("flow", "/flows/refund", ".flow-block", ""),
        ("flow-block", "/flows/refund?block=pay", ".block-panel", ""),
        ("flow-definition", "/flows/refund?view=definition", ".lines code", ""),
        ("flow-changes", "/flows/refund?view=changes", ".change", ""),
        ("flow-start", "/flows/refund?view=start", ".form-field", ""),
        ("usage", "/usage", ".usage-chart canvas", ""),
        ("budgets", "/budgets", ".budgets li", ""),
        ("people", "/settings?part=people", ".settings section", ""),
        ("groups", "/settings?part=groups", ".settings .empty", ""),
        ("keys", "/settings?part=keys", "[data-credential]", ""),
        ("sessions", "/settings?part=sessions", ".settings section", ""),
        ("secrets", "/settings?part=secrets", "[data-secret]", ""),
        ("grants", "/settings?part=grants", "[data-grant]", ""),
        ("grant-new", "/settings?part=grants", "dialog[open]", button.format("Add a tool grant")),
        ("record", "/record", ".record-rows li", ""),
        ("palette", "/runs", "dialog[open] [cmdk-item]", "document.querySelector('.runs .run').id; dispatchEvent(new KeyboardEvent('keydown', {key: 'k', ctrlKey: true}))"),
        ("nothing", "/runs/nothing", "#main [role=alert]", ""),
    ]


class Camera:
    def __init__(self, chromium, server, folder):
        self.tab = chromium.new_tab()
        self.server = server
        self.folder = folder
        self.taken = 0
        self.wrong = []

    def take(self, screen, width, scheme):
        name, path, ready, before = screen
        called = f"{name}-{width}-{scheme}"
        try:
            self.tab.prefer(scheme)
            self.tab.resize(width, WIDTHS[width])
            self.tab.open("about:blank")
            self.tab.open(self.server.ready["http"] + path)
            if before:
                self.tab.wait_for(f"(() => {{ try {{ {before}; return true }} catch {{ return false }} }})()")
            seen = " && ".join(f"!!document.querySelector({one!r})" for one in ready.split(" && "))
            self.tab.wait_for(f"{seen} && !document.querySelector('.loading')")
            self.tab.evaluate("document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))")
            wide, high = self.tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
            if wide > width:
                self.wrong.append(f"{called}: scrolls sideways, {wide} pixels")
            # All of it: a taller window has its bars where they are, a picture beyond the window has not.
            self.tab.resize(width, min(max(high, WIDTHS[width]), TALLEST))
            self.tab.evaluate("scrollTo(0, 0), new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            self.tab.screenshot(self.folder / f"{called}.png")
            self.taken += 1
        except AssertionError as problem:
            self.wrong.append(f"{called}: {str(problem)[:400]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "build/pictures")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default="", help="screens whose name holds this")
    given = parser.parse_args()
    if not browser.available():
        sys.exit("chromium is not installed: apt-get install chromium")
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, filled_server(given.binary, pathlib.Path(temporary)) as (server, ids):
        chromium = browser.Page(pathlib.Path(temporary) / "profile")
        try:
            camera = Camera(chromium, server, given.folder)
            for screen in screens(ids):
                for width in WIDTHS if given.only in screen[0] else ():
                    for scheme in SCHEMES:
                        camera.take(screen, width, scheme)
            wrong = camera.wrong + [f"the page complained: {problem[:300]}" for problem in camera.tab.problems]
        finally:
            chromium.close()
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{camera.taken} pictures in {given.folder}, {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
