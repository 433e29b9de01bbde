"""Every folder of examples/ does what its page says: what comes out, what is left in its database, what its services were asked."""

import datetime
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from stage import EXAMPLES

PLAYS = {}


def example(name):
    def keep(play):
        PLAYS[name] = play
        return play

    return keep


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--example") or sorted(PLAYS)
        metafunc.parametrize("name", wanted)


def test_example(stage, name):
    PLAYS[name](stage(name))


def test_every_folder_is_played_and_has_a_page(pytestconfig):
    if pytestconfig.getoption("--example"):
        pytest.skip("some are played")
    folders = {folder.name for folder in EXAMPLES.iterdir() if (folder / "script.yaml").exists()}
    assert folders == set(PLAYS)
    page = (EXAMPLES / "README.md").read_text()
    for name in folders:
        text = (EXAMPLES / name / "README.md").read_text()
        assert f"./dev examples {name}\n" in text and f"{name}/README.md" in page


# ---- patterns


@example("llm-activity")
def llm_activity(s):
    s.up()
    run = s.run("classify", "My parcel never came")
    assert json.loads(run["output"]) == {"category": "delivery", "urgency": "high"}
    assert len(s.events(run["id"], "step.retrying")) == 2


@example("approval-gate")
def approval_gate(s):
    s.up()
    run = s.start("wire", "Pay what is open")
    approval = s.asked(run)
    assert approval["arguments"] == {"bill": 2, "amount": 4800}
    # What needs nobody is done meanwhile.
    s.server.wait(run, lambda _: s.rows("ledger.db", "SELECT bill FROM payments") == [(1,)])
    s.restart()
    s.decide(s.asked(run), "edit", "mara", arguments={"bill": 2, "amount": 4500})
    s.finished(run, "Two bills are paid")
    assert s.rows("ledger.db", "SELECT bill, amount FROM payments ORDER BY bill") == [(1, 80.0), (2, 4500.0)]


@example("code-loop")
def code_loop(s):
    s.up()
    run = s.start("late-orders", "Pay the late orders back")
    asked = s.asked(run)
    assert asked["arguments"] == {"order": 3, "amount": 270}
    assert s.rows("shop.db", "SELECT order_id, amount FROM paid_back") == [(1, 40.0)]
    s.restart()
    s.decide(s.asked(run), "reject", "mara", comment="the customer has agreed")
    s.server.wait(run, lambda r: any(one["arguments"]["order"] == 4 for one in r["approvals"]))
    s.restart()
    s.decide(s.asked(run), "approve", "mara")
    s.finished(run, "I paid 190 back")
    assert s.rows("shop.db", "SELECT order_id, amount FROM paid_back ORDER BY order_id") == [(1, 40.0), (4, 150.0)]


@example("prompt-versioning")
def prompt_versioning(s):
    s.up("--grant", "host:127.0.0.1", agents=False)
    question = "Where is my card?"
    s.cli("agent", "apply", "v1/agent.yaml", "--label", "production")
    s.cli("agent", "apply", "v2/agent.yaml", "--label", "staging")
    difference = s.cli("agent", "diff", "greeter@production", "greeter@staging")
    assert "-Be formal." in difference and "+Be warm" in difference and "spec.limits.max_iterations: 25 -> 5" in difference
    s.run("greeter@production", question, "Good afternoon")
    s.run("greeter@staging", question, "Hello Ada")
    s.cli("agent", "promote", "greeter", "--from", "staging", "--to", "production", "--comment", "sounds better")
    s.run("greeter@production", question, "Hello Ada")
    s.cli("agent", "rollback", "greeter", "--label", "production")
    s.restart()
    s.run("greeter@production", question, "Good afternoon")
    moves = s.cli("agent", "labels", "greeter", "production")
    assert "promoted from staging" in moves and "rolled_back" in moves and "sounds better" in moves and "ann" in moves


@example("parallel-dispatch")
def parallel_dispatch(s):
    s.up()
    run = s.run("trip", "A weekend in Lisbon?", "Go. It is clear")
    assert sorted(s.calls(run)) == ["rooms", "trains", "weather"]
    assert [s.services.count(f"GET /{name}") for name in ("weather", "trains", "rooms")] == [1, 1, 1]


@example("pruned-loop")
def pruned_loop(s):
    s.up()
    run = s.run("digest", "Read the log", "the disk of node 7 was full")
    assert s.calls(run) == ["read_page"] * 7
    assert s.run("stubborn", "Go on")["output"] == "max iterations reached"


@example("plan-review")
def plan_review(s):
    s.up()
    run = s.start("plan-review", "The tariff old ends. Move everyone")
    # Killed between the two calls of one activity, or near it: neither is made again.
    s.server.wait(run, lambda _: s.rows("tariffs.db", "SELECT count(*) FROM customers WHERE tariff = 'old'") != [(2,)])
    s.restart()
    s.finished(run, "Ada is in flat now, Ben in basic")
    assert s.rows("tariffs.db", "SELECT name, tariff FROM customers ORDER BY name") == [("Ada", "flat"), ("Ben", "basic")]
    assert s.rows("tariffs.db", "SELECT name, count(*) FROM letters GROUP BY name") == [("Ada", 1), ("Ben", 1)]
    stages = [e["data"]["stage"] for e in s.events(run, "plan.stage")]
    assert stages == ["planner", "reviewer", "planner", "reviewer", "executor", "executor", "planner"]


@example("carrier-quotes")
def carrier_quotes(s):
    s.up()
    run = s.run("carrier-quotes", "Send 3 kg to Lisbon", "The carrier south picks it up")
    asked = [e["data"] for e in s.events(run["id"], "step.started") if e["data"]["kind"] == "agent"]
    assert len(asked) == 4
    ends = sorted(s.server.run(one["run"])["status"] for one in asked)
    assert ends == ["canceled", "completed", "completed", "completed"], ends


# ---- use cases


@example("dispute")
def dispute(s):
    s.up()
    s.run("dispute-manager", "Dispute 901", "is settled")
    s.run("dispute-manager", "Dispute 902", "is settled")
    run = s.start("dispute-manager", "Dispute 903")
    question = s.asked(run)
    # The model wanted to settle it; the policy did not let it.
    assert [e["data"]["rule"] for e in s.events(run, "policy.ruled")] == ["not-clear"]
    assert s.rows("disputes.db", "SELECT outcome FROM disputes WHERE number = 903") == [(None,)]
    s.restart()
    s.decide(question, "answer", "mara", answer={"outcome": "accept", "reason": "One night of four is fair."})
    s.finished(run, "is settled")
    assert s.rows("disputes.db", "SELECT number, outcome FROM disputes WHERE number > 900 ORDER BY number") == [
        (901, "accept"), (902, "reject"), (903, "accept")]
    assert s.rows("disputes.db", "SELECT number, amount FROM credits ORDER BY number") == [(901, 49.0), (903, 480.0)]
    assert s.services.count("POST /letters") == 3
    specialists = {e["data"]["name"] for e in s.events(run, "step.completed") if e["data"]["kind"] == "agent"}
    assert specialists == {"language", "history", "evidence", "risk", "reply"}


@example("regulatory-review")
def regulatory_review(s):
    s.up()
    run = s.start("regulatory-review", "Review F-12")
    first = s.asked(run)
    assert first["arguments"]["opinion"] == "object"
    s.restart()
    s.decide(first, "reject", "mara", comment="look at section 4 again")
    second = s.server.wait(run, lambda r: any(a["status"] == "pending" and a["id"] != first["id"] for a in r["approvals"]))
    pending = [a for a in second["approvals"] if a["status"] == "pending"][0]
    s.decide(pending, "approve", "mara")
    done = s.finished(run, "sections 2 and 4")
    assert s.rows("filings.db", "SELECT section FROM findings ORDER BY section") == [(2,), (4,)]
    assert len(s.rows("filings.db", "SELECT * FROM opinions")) == 1
    assert {(a["status"], a["decided_by"]) for a in done["approvals"]} == {("rejected", "mara"), ("approved", "mara")}


@example("fraud-detection")
def fraud_detection(s):
    s.up()
    killed = threading.Event()

    def kill():
        # The second question about a transaction: the first one was told to come back later.
        s.server.kill()
        killed.set()

    run = s.start("fraud-detection", "Look at what is open", id="fraud-1")
    s.server.wait(run, lambda _: len(s.services.asked) >= 3)
    s.services.once("POST /score", kill)
    assert killed.wait(20)
    s.server.start()
    s.finished(run, "Transaction 72 is held")
    assert s.services.count("POST /score") == 3, "each is scored once, whatever was repeated"
    assert s.rows("bank.db", "SELECT id, score FROM holds") == [(72, 0.97)]
    assert s.server.run(run)["usage"]["model_calls"] == 4


@example("customer-inquiry")
def customer_inquiry(s):
    s.up()
    s.run("customer-inquiry", "I am customer 17. Is a burst pipe covered?", "clause 4.2")
    s.run("claims-inquiry", "What about claim 901?", "1200 EUR")


@example("finops")
def finops(s):
    s.up()
    run = s.run("finops", "How is November?")
    assert json.loads(run["output"]) == {"spent": 8000, "budget": 10000, "forecast": 12000, "over": True}
    children = [e["data"] for e in s.events(run["id"], "step.started") if e["data"]["kind"] == "agent"]
    assert sorted(child["name"] for child in children) == ["budget", "costs", "forecast"]
    assert len({child["run"] for child in children}) == 3


@example("loan-applications")
def loan_applications(s):
    s.up()
    run = s.start("loan-applications", "Application 501")
    approval = s.asked(run)
    assert s.rows("loans.db", "SELECT * FROM loans") == []
    until, since = (datetime.datetime.fromisoformat(approval[at]) for at in ("expires_at", "requested_at"))
    assert abs(until - since - datetime.timedelta(hours=48)) < datetime.timedelta(minutes=1)
    granted = {"number": 501, "amount": 10000, "recommendation": "Granted in part."}
    s.decide(approval, "edit", "officer", arguments=granted)
    s.finished(run, "Application 501 is granted")
    other = s.start("loan-applications", "Application 502")
    s.decide(s.asked(other), "reject", "officer", comment="too many missed payments")
    s.finished(other, "declined application 502")
    assert s.rows("loans.db", "SELECT number, amount FROM loans") == [(501, 10000.0)]


@example("governance-audit")
def governance_audit(s):
    s.up()
    run = s.start("claims-triage", "Claim 31")
    s.decide(s.asked(run), "approve", "mara", comment="seen")
    done = s.finished(run, "high priority")
    assert s.rows("claims.db", "SELECT priority FROM claims WHERE number = 31") == [("high",)]
    told = subprocess.run([sys.executable, str(s.folder / "audit.py"), run, "--api", f"http://{s.server.http}"],
                          capture_output=True, text=True, timeout=30)
    assert told.returncode == 0, told.stderr
    for part in (done["version"], "kept for the auditors", "Claim 31", "set_priority", "The roof came down", '"claims":2',
                 "approved by mara", "seen", '"input_tokens": 1100', '"output_tokens": 53', "high priority because"):
        assert part in told.stdout, f"{part} is not in\n{told.stdout}"


@example("customer-support")
def customer_support(s):
    s.up()
    run = s.start("customer-support", "I am customer 17, my card does not work")
    approval = s.asked(run)
    # Raised while the human thinks, once although the desk failed at first.
    s.server.wait(run, lambda _: s.services.count("POST /tickets") == 1)
    answered = {**approval["arguments"], "answer": "No, I call her today."}
    s.decide(approval, "edit", "otto", arguments=answered)
    s.finished(run, "ticket T-1 is with a colleague")
    assert s.services.bodies("POST /handovers") == [answered]
    assert s.services.count("POST /tickets") == 1


@example("financial-advice")
def financial_advice(s):
    s.up()
    run = s.start("financial-advice", "Advise client 4")
    first = s.asked(run)
    s.decide(first, "reject", "adviser", comment="in steps, please")
    state = s.server.wait(run, lambda r: any(a["status"] == "pending" for a in r["approvals"]))
    second = [a for a in state["approvals"] if a["status"] == "pending"][0]
    assert s.services.count("POST /advice") == 0
    advice = {**second["arguments"], "advice": second["arguments"]["advice"].replace("half", "a third")}
    s.decide(second, "edit", "adviser", arguments=advice)
    s.finished(run, "the advice that the adviser approved")
    assert s.services.bodies("POST /advice") == [advice]


@example("credit-outlook")
def credit_outlook(s):
    s.up()
    killed = threading.Event()
    s.services.once("POST /infer/outlook", lambda: (s.server.kill(), killed.set()))
    run = s.start("credit-outlook", "What about client 8?")
    assert killed.wait(20)
    s.server.start()
    s.finished(run, "0.87")
    assert [s.services.asked.count(f"POST /infer/{which}") for which in ("income", "rates", "outlook")] == [1, 1, 2]
    assert s.services.count("POST /infer/outlook") == 1
    assert s.rows("credits.db", "SELECT client, outlook FROM outlooks") == [(8, 0.87)]


@example("market-engagement")
def market_engagement(s):
    s.up()
    run = s.run("market-engagement", "How does the kettle stand?")
    assert json.loads(run["output"])["signal"] == "raise"
    assert s.services.bodies("POST /signals") == [{"product": "kettle", "signal": "raise"}]


@example("sales-transcript")
def sales_transcript(s):
    s.up("--grant", "host:127.0.0.1", agents=False)
    s.cli("flow", "apply", "flow.yaml")

    def started(transcript):
        given = {**json.loads((s.folder / "transcript.json").read_text()), **transcript}
        answer = s.server.post("/api/v1/flows/sales-transcript/runs", {"input": given})
        assert answer.status == 202, answer.text
        return answer.json["id"]

    def ended(run):
        state = s.finished(run)
        return state["output"], state["spent"]["model_calls"]

    # What the rules settle costs no model call but those that the mail is made of.
    told, calls = ended(started({}))
    assert told == {"mailed": "otto@example.com", "objections": ["Too expensive beside what they have", "Data must stay in the EU"],
                    "actions": ["Send a quote for 40 seats", "Send the list of data centres"]}
    [(recipients, mail)] = s.mailbox.mails
    assert recipients == ["otto@example.com"] and mail["Subject"] == "Your call" and calls == 3
    assert mail.get_content().splitlines()[:3] == ["Ada wants 40 seats from January if the data stays in the EU.", "", "Objections"]
    assert ended(started({"transcript": "Rep: Please call me back."})) == ({"mailed": None}, 0)

    # The model picks the path where no rule holds.
    assert ended(started({"transcript": "Customer: Where is my invoice?"})) == ({"mailed": None}, 1)
    told, calls = ended(started({"transcript": "Customer: We would renew, with more seats."}))
    assert told["mailed"] == "otto@example.com" and calls == 4 and len(s.mailbox.mails) == 2

    # And a person where the model does not know, across a kill.
    run = started({"transcript": "Customer: Shall we meet on Monday?"})
    question = s.asked(run)
    assert question["question"]["text"] == "Was this a sales call? They only make an appointment."
    s.restart()
    s.decide(s.asked(run), "answer", "mara", answer={"call": "sales"})
    told, calls = ended(run)
    assert told["mailed"] == "otto@example.com" and calls == 4 and len(s.mailbox.mails) == 3


# ---- beside


@example("chat-to-runs")
def chat_to_runs(s):
    s.up()

    def started(name, *arguments):
        return subprocess.Popen([sys.executable, str(s.folder / name), *arguments], stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "MODEL_URL": f"http://{s.model_address}/v1", "HOLDFAST_URL": f"http://{s.server.http}",
                                     "SERVICES_URL": f"http://127.0.0.1:{s.services.port}"})

    question, later = "Can order 1042 come back?", "How long do I have?"
    first = started("before.py", question)
    s.services.once("POST /returns", lambda: (first.send_signal(signal.SIGKILL), first.wait()))
    first.wait(30)
    assert started("before.py", question).communicate(timeout=30)[0] == "The lamp can come back; the return is R-7.\n"
    assert s.services.count("POST /returns") == 2

    s.services.counted.clear()
    killed = threading.Event()
    s.services.once("POST /returns", lambda: (s.server.kill(), killed.set()))
    asking = started("after.py", "ticket-1", question, later)
    assert killed.wait(30)
    s.server.start()
    said = asking.communicate(timeout=60)[0].splitlines()
    assert [line.split(" ", 1)[1] for line in said] == ["completed: The lamp can come back; the return is R-7.",
                                                        "completed: Fourteen days, with the number R-7."]
    assert started("after.py", "ticket-1", question).communicate(timeout=30)[0].splitlines() == said[:1], "the same key is the same run"
    assert s.services.count("POST /returns") == 1
    table = (s.folder / "README.md").read_text()
    assert "before.py, killed once               2" in table and "after.py, server killed              1" in table


@example("while-loop")
def while_loop(s):
    s.up()
    paths = ("/charges", "/cards", "/letters")

    def loop():
        return subprocess.Popen([sys.executable, str(s.folder / "loop.py"), "Onboard customer 23"], stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "MODEL_URL": f"http://{s.model_address}/v1",
                                     "SERVICES_URL": f"http://127.0.0.1:{s.services.port}"})

    first = loop()
    s.services.once("POST /letters", lambda: (first.send_signal(signal.SIGKILL), first.wait()))
    first.wait(20)
    assert first.stdout.read() == ""
    again = loop()
    assert again.communicate(timeout=20)[0] == "Customer 23 is onboarded.\n"
    assert [s.services.count(f"POST {path}") for path in paths] == [2, 2, 2]

    s.services.counted.clear()
    killed = threading.Event()
    s.services.once("POST /letters", lambda: (s.server.kill(), killed.set()))
    run = s.start("onboarding", "Onboard customer 23")
    assert killed.wait(20)
    s.server.start()
    s.finished(run, "Customer 23 is onboarded")
    assert [s.services.count(f"POST {path}") for path in paths] == [1, 1, 1]
    table = (s.folder / "README.md").read_text()
    assert "loop.py, killed once         2      2        2" in table and "agent.yaml, killed once      1      1        1" in table
