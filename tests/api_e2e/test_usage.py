"""What runs cost and may cost, from outside: prices of the operator, reports, bills, a budget that is raised behind a kill."""

import json
import os
import subprocess

import pytest
from holdfast import Server

PRICES = {
    "format": 1, "as_of": "2026-11-28", "currency": "USD", "per_tokens": 1000000,
    "providers": [{"name": "the script", "hosts": ["127.0.0.1"], "models": [{"match": ["scripted"], "input": "1.00", "output": "2.00"}]}],
}


@pytest.fixture
def priced(binary, agent_text, tmp_path):
    """A server that knows what the scripted model costs; to be killed."""
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(PRICES))
    one = Server(binary, tmp_path / "data", *agent_text.grants, "--prices", str(prices)).start()

    def agent(name, budgets=""):
        text = agent_text(name) + (f"  budgets: {budgets}\n" if budgets else "")
        assert one.request("PUT", f"/api/v1/agents/{name}", text).status == 201

    one.agent = agent
    yield one
    one.close()


@pytest.fixture
def cli(binary, priced):
    def call(*arguments):
        environment = {**os.environ, "HOLDFAST_API": priced.ready["http"], "NO_COLOR": "1"}
        return subprocess.run([binary, *arguments], capture_output=True, text=True, env=environment, timeout=40)

    return call


def billed(server, run):
    return server.wait(run, lambda r: r["bill"])["bill"]


def test_a_run_and_its_reports_say_what_it_cost(priced, cli):
    priced.agent("spender")
    run = priced.start_run("spender", "hello")
    shown = priced.wait(run)
    assert shown["usage"]["cost"]["price_as_of"] == "2026-11-28"
    assert float(shown["usage"]["cost"]["usd"]) > 0
    assert shown["spent"] == shown["usage"]
    bill = billed(priced, run)
    assert (bill["status"], bill["cost"], bill["model_calls"]) == ("completed", shown["usage"]["cost"], 1)
    listed = priced.get("/api/v1/runs").json["runs"][0]
    assert listed["spent"]["cost"] == shown["usage"]["cost"]
    for by in ("agent", "model", "version", "day"):
        report = priced.get(f"/api/v1/usage?by={by}").json
        assert report["total"]["cost"]["usd"] == shown["usage"]["cost"]["usd"]
        assert len(report["rows"]) == 1
    assert priced.get("/api/v1/usage?by=tool").json["rows"] == []
    table = cli("usage").stdout
    assert "spender" in table and shown["usage"]["cost"]["usd"] in table
    assert json.loads(cli("usage", "--by", "day", "--json").stdout)["rows"][0]["model_calls"] == 1
    assert "used" in cli("runs", run).stdout


def test_a_bill_is_written_whoever_ends_the_run_and_outlives_its_history(priced):
    priced.agent("spender")
    run = priced.start_run("spender", "slowly")
    priced.wait(run, lambda r: r["status"] == "running")
    assert priced.post(f"/api/v1/runs/{run}/terminate").status == 202
    bill = billed(priced, run)
    assert (bill["status"], bill["error_type"]) == ("terminated", "Terminated")
    assert priced.request("DELETE", f"/api/v1/runs/{run}").status == 202
    assert priced.wait(run, lambda r: r.get("history_deleted"))["bill"] == bill


def test_a_parked_run_goes_on_when_its_budget_is_raised(priced, cli):
    priced.agent("frugal", "{money: 0.0001 USD, on_budget: park}")
    run = priced.start_run("frugal", "hello")
    parked = priced.wait(run, lambda r: r["waiting_on"] == "budget")
    assert parked["budgets"]["money"]["limit"] == "0.0001 USD"
    priced.kill()
    priced.start()
    assert priced.run(run)["waiting_on"] == "budget"
    raised = cli("budget", run, "--money", "1")
    assert raised.returncode == 0, raised.stderr
    assert '"limit": "1.00 USD"' in raised.stdout
    assert priced.wait(run)["output"] == "Hello from the script."
    over = priced.post(f"/api/v1/runs/{run}/budget", {"money": "2 USD"})
    assert (over.status, over.json["code"]) == (409, "run_closed")


def test_a_budget_ends_a_run_and_is_named(priced):
    priced.agent("poor", "{money: 0.0001 USD}")
    run = priced.start_run("poor", "hello")
    failed = priced.wait(run)
    assert (failed["status"], failed["error"]["type"]) == ("failed", "BudgetExceeded")
    assert "`money`" in failed["error"]["message"]
    assert failed["usage"]["model_calls"] == 0


def test_bad_requests_say_what_is_wrong(priced):
    priced.agent("frugal", "{calls: 5}")
    run = priced.start_run("frugal", "pay")
    for body, code in [({}, "missing_field"), ({"money": "5"}, "invalid_field"), ({"calls": -1}, "invalid_field"), ({"mony": 1}, "unknown_field"),
                       ({"calls": 4}, "budget_not_raised"), ({"tokens": 4}, "budget_not_raised")]:
        answer = priced.post(f"/api/v1/runs/{run}/budget", body)
        assert (answer.status, answer.json["code"]) == (400, code), body
    assert priced.post("/api/v1/runs/nobody/budget", {"calls": 9}).status == 404
    assert priced.post(f"/api/v1/runs/{run}/budget", {"calls": 9}).json["budgets"]["calls"]["limit"] == 9
    for query in ("by=colour", "from=yesterday", "from=2026-02-30", "from=2026-11-02&to=2026-11-01", "day=1"):
        assert priced.get(f"/api/v1/usage?{query}").status == 400, query


def test_wrong_prices_refuse_the_start(binary, tmp_path):
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({**PRICES, "currency": "EUR"}))
    ended = subprocess.run([binary, "server", "--data", str(tmp_path / "data"), "--prices", str(prices)], capture_output=True, text=True, timeout=40)
    assert ended.returncode == 2
    assert "currency: must be" in ended.stderr
