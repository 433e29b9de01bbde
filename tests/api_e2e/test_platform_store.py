"""The platform store on PostgreSQL, as an operator has it: runs go on over its restarts and the server's, a store of files
moves there unchanged, and no command says a password."""

import json
import subprocess
import time

import pytest

from holdfast import Server
from postgres import Postgres

SECRET = "s3cret-of-nobody"


@pytest.fixture(scope="module")
def postgres():
    one = Postgres()
    yield one
    one.close()


def command(binary, *arguments, **more):
    return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=120, **more)


def serve(binary, data, agent_text, *options) -> Server:
    one = Server(binary, data, *agent_text.grants, *options).start()
    assert one.request("PUT", "/api/v1/agents/payer", agent_text()).status in (200, 201)
    return one


def await_status(server, run, status):
    """Status is what the events of the run lead to: asked until it is there, whatever answers in between."""
    while True:
        answer = server.get(f"/api/v1/runs/{run}")
        if answer.status == 200 and answer.json["status"] == status:
            return answer.json
        time.sleep(0.02)


def await_approval(server, run) -> dict:
    while True:
        answer = server.get(f"/api/v1/approvals?status=pending&run={run}")
        if answer.status == 200 and answer.json["approvals"]:
            return answer.json["approvals"][0]
        time.sleep(0.02)


def approve(server, approval):
    body = {"decision": "approve", "decided_by": "ann", "arguments_sha256": approval["arguments_sha256"]}
    answer = None
    while answer is None or answer.status == 503:
        answer = server.post(f"/api/v1/approvals/{approval['id']}/decision", body, {"Idempotency-Key": approval["id"]})
    assert answer.status == 200, answer.text


def test_a_run_goes_on_when_postgresql_and_the_server_are_killed(binary, agent_text, payments, postgres, tmp_path):
    store = postgres.address("killed")
    server = serve(binary, tmp_path / "data", agent_text, "--platform-store", store)
    try:
        assert server.ready["platform_store"].endswith("(schema killed)")
        run = server.start_run("payer", "pay")
        approval = await_approval(server, run)
        postgres.crash()
        assert server.get("/api/v1/info").status == 200
        postgres.start()
        approve(server, approval)
        await_status(server, run, "completed")
        assert payments() == [250]

        waiting = server.start_run("payer", "pay")
        approval = await_approval(server, waiting)
        server.kill()
        server.start()
        approve(server, approval)
        await_status(server, waiting, "completed")
        assert payments() == [250, 250]
        assert postgres.query("SELECT count(*) FROM killed.runs") == "2"
    finally:
        server.close()


def test_a_directory_belongs_to_its_store(binary, agent_text, postgres, tmp_path):
    server = serve(binary, tmp_path / "data", agent_text, "--platform-store", postgres.address("mine"))
    server.start_run("payer", "hello")
    second = command(binary, "server", "--data", tmp_path / "other", "--platform-store", postgres.address("mine"), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0")
    assert second.returncode == 1 and "in use" in second.stderr
    server.stop()
    start = ["server", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--data", tmp_path / "data"]
    without = command(binary, *start)
    assert without.returncode == 1 and "--platform-store" in without.stderr
    other = command(binary, *start, "--platform-store", postgres.address("another"))
    assert other.returncode == 1 and "another platform store" in other.stderr
    stranger = command(binary, *start[:-1], tmp_path / "stranger", "--platform-store", postgres.address("mine"))
    assert stranger.returncode == 1 and "runs of another server" in stranger.stderr


def test_a_store_of_files_moves_there_as_it_is(binary, agent_text, payments, postgres, tmp_path):
    data, store = tmp_path / "data", postgres.address("moved")
    server = serve(binary, data, agent_text)
    done = server.start_run("payer", "hello")
    await_status(server, done, "completed")
    waiting = server.start_run("payer", "pay")
    approval = await_approval(server, waiting)
    events = server.get(f"/api/v1/runs/{done}/events", Accept="application/json").text
    shown = command(binary, "migrate", "--platform-store", store, "--json")
    assert shown.returncode == 0 and json.loads(shown.stdout)["version"] == 0
    refused = command(binary, "migrate", "--platform-store", store, "--from", data, "--apply")
    assert refused.returncode == 1 and "in use" in refused.stderr
    server.stop()

    beside = command(binary, "server", "--data", data, "--platform-store", store)
    assert beside.returncode == 1 and "holdfast migrate --from" in beside.stderr
    moved = command(binary, "migrate", "--platform-store", store, "--from", data, "--apply", "--json")
    assert moved.returncode == 0, moved.stderr
    tables = {row["table"]: row["rows"] for row in json.loads(moved.stdout)["tables"]}
    assert tables["runs"] == 2 and tables["approvals"] == 1 and tables["events"] > 5 and tables["messages"] >= 3

    server.options += ["--platform-store", store]
    server.start()
    try:
        assert server.get(f"/api/v1/runs/{done}/events", Accept="application/json").text == events
        approve(server, approval)
        await_status(server, waiting, "completed")
        assert payments() == [250]
    finally:
        server.close()


def test_a_backup_holds_the_executions_and_says_so(binary, agent_text, postgres, tmp_path):
    store = postgres.address("kept")
    server = serve(binary, tmp_path / "data", agent_text, "--platform-store", store)
    run = server.start_run("payer", "hello")
    await_status(server, run, "completed")
    taken = command(binary, "backup", tmp_path / "backup", "--data", tmp_path / "data")
    assert taken.returncode == 0 and "must be a later one" in taken.stdout
    server.stop()
    stopped = command(binary, "backup", tmp_path / "again", "--data", tmp_path / "data", "--json")
    assert json.loads(stopped.stdout)["platform"] is False
    restored = command(binary, "restore", tmp_path / "backup", "--data", tmp_path / "copy")
    assert restored.returncode == 0, restored.stderr
    copy = Server(binary, tmp_path / "copy", *agent_text.grants, "--platform-store", store).start()
    try:
        assert copy.get(f"/api/v1/runs/{run}").json["status"] == "completed"
    finally:
        copy.close()


def test_the_doctor_looks_at_it(binary, postgres, tmp_path):
    report = command(binary, "doctor", "--data", tmp_path, "--platform-store", postgres.address("looked_at"), "--json")
    row = next(row for row in json.loads(report.stdout)["checks"] if row["check"] == "platform store")
    assert row["verdict"] == "ok" and row["schema_version"] == 0 and row["data_checksums"] is True


@pytest.mark.parametrize("arguments", [["server", "--data", "{data}"], ["migrate"], ["doctor", "--data", "{data}"]])
@pytest.mark.parametrize("address", [f"postgres://ann:{SECRET}@127.0.0.1:1/d", f"postgres://127.0.0.1:1/d?password={SECRET}"])
def test_a_password_in_the_address_is_refused_and_not_repeated(binary, tmp_path, arguments, address):
    done = command(binary, *[word.format(data=tmp_path / "data") for word in arguments], "--platform-store", address)
    assert done.returncode in (1, 2)
    assert SECRET not in done.stdout + done.stderr and "PGPASSWORD" in done.stdout + done.stderr
    # From where it belongs it is not told either, when the server is not there.
    done = command(binary, "migrate", "--platform-store", "postgres://ann@127.0.0.1:1/d", env={"PGPASSWORD": SECRET})
    assert done.returncode == 1 and SECRET not in done.stdout + done.stderr
