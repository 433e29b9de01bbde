"""The command line: exit codes that scripts rely on, data on stdout, refusals that change nothing."""

import contextlib
import http.server
import json
import os
import pathlib
import pty
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest
from holdfast import Server


@pytest.fixture
def cli(binary, server, tmp_path):
    def call(*arguments, **options):
        environment = {**os.environ, "HOLDFAST_API": server.ready["http"], "NO_COLOR": "1"}
        return subprocess.run([binary, *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=40, **options)

    return call


def test_version_and_usage(cli):
    assert cli("version").stdout.startswith("holdfast ")
    assert json.loads(cli("version", "--json").stdout)["name"] == "holdfast"
    assert "spec" in json.loads(cli("schema").stdout)["properties"]
    assert cli("--help").returncode == 0
    assert cli().returncode == 2
    assert cli("nonsense").returncode == 2
    assert cli("run").returncode == 2
    assert cli("runs", "--limit", "many").returncode == 2


def test_memory_is_a_size(cli, tmp_path):
    for wrong in ["much", "-512MiB", "255MiB", "1.5GiB", ""]:
        refused = cli("server", "--data", str(tmp_path / "data"), "--memory", wrong)
        assert refused.returncode == 2
        assert "--memory" in refused.stderr
        assert not (tmp_path / "data").exists()


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers everything with the server's `body`."""

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_PUT = do_GET


@pytest.fixture
def liar():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


DEEP = "[" * 100_000 + "]" * 100_000
ANSWERS = {
    "deep list": '{"runs": %s}' % DEEP,
    "deep output": '{"status": "completed", "output": %s}' % DEEP,
    "other types": '{"runs": [{"id": 1, "status": {}, "agent": []}]}',
    "text for a list": '{"runs": "x"}',
    "no object": "[1]",
    "text for an error": '{"status": "failed", "error": "x"}',
    "numbers": '{"status": 5, "id": 7, "agents": [1], "approvals": [5]}',
    "nothing": "",
    "no JSON": "\x00",
    "a text": '"text"',
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_something_else_end_in_an_error(binary, liar, name):
    liar.body = ANSWERS[name].encode()
    for command in (["runs"], ["runs", "a"], ["approvals"], ["agents"], ["agents", "a"], ["cancel", "a"], ["approve", "a"], ["run", "a", "b", "-d"], ["run", "a", "b"]):
        done = subprocess.run([binary, *command, "--api", f"http://127.0.0.1:{liar.server_port}"], capture_output=True, timeout=40)
        assert 0 <= done.returncode <= 6, (command, done)
        assert b"terminate" not in done.stderr


@pytest.mark.parametrize("text", ['{"http": 5}', "[]", "{", '{"http": {"a": 1}}'])
def test_a_file_of_addresses_that_is_none(binary, tmp_path, text):
    (tmp_path / ".holdfast").mkdir()
    (tmp_path / ".holdfast" / "addresses.json").write_text(text)
    done = subprocess.run([binary, "runs", "--json"], capture_output=True, cwd=tmp_path, timeout=40)
    assert done.returncode in (0, 1), done


def test_run_follows_to_the_end(cli):
    done = cli("run", "payer", "hello")
    assert (done.returncode, done.stdout) == (0, "Hello from the script.\n")
    run = json.loads(cli("run", "payer", "hello", "--json").stdout)
    assert run["status"] == "completed"
    detached = cli("run", "payer", "hello", "--detach", "--id", "from-cli")
    assert detached.stdout == "from-cli\n"
    listed = json.loads(cli("runs", "--json").stdout)["runs"]
    assert "from-cli" in [one["id"] for one in listed]
    assert "from-cli" in cli("runs").stdout
    events = [json.loads(line) for line in cli("events", "from-cli", "--follow", "--json").stdout.splitlines()]
    assert events[-1]["type"] == "run.closed"
    assert "payer" in cli("runs", "from-cli").stdout


def test_exit_codes(cli, tmp_path):
    assert cli("runs", "nothing").returncode == 3
    assert cli("events", "nothing").returncode == 3
    assert cli("run", "nobody", "x").returncode == 3
    assert cli("run", "missing.yaml", "x").returncode == 3
    assert cli("approve", "nothing").returncode == 3
    assert cli("run", "payer", "hello", "--id", "cli-1").returncode == 0
    assert cli("run", "payer", "other", "--id", "cli-1").returncode == 4
    assert cli("cancel", "cli-1").returncode == 4
    assert cli("run", "payer", "refuse this").returncode == 5
    assert cli("run", "payer", "pay, please", "--timeout", "0.3").returncode == 6
    assert cli("runs", "--api", "http://127.0.0.1:1").returncode == 1
    (tmp_path / "broken.yaml").write_text("kind: Agent\nspec: [\n")
    broken = cli("run", "broken.yaml", "x")
    assert broken.returncode == 2 and "broken.yaml:" in broken.stderr and broken.stdout == ""


def test_a_directory_is_no_file(cli, binary, tmp_path):
    for arguments in (["run", "./", "x"], ["run", "payer", "--input-file", "."], ["agents", "--put", "."], ["scripted-model", "."]):
        done = cli(*arguments)
        assert done.returncode == 2 and "directory" in done.stderr, (arguments, done)
    ports = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", tmp_path / "data"]
    assert "directory" in refused(binary, *ports, "--agent", ".", code=2)
    assert "nofile.yaml" in refused(binary, *ports, "--agent", "nofile.yaml", code=3)


def test_an_agent_file_is_registered_and_run(cli, agent_text, tmp_path):
    (tmp_path / "mine.yaml").write_text(agent_text("mine"))
    assert cli("run", "mine.yaml", "hello").stdout == "Hello from the script.\n"
    assert "mine" in cli("agents").stdout
    assert json.loads(cli("agents", "mine", "--json").stdout)["name"] == "mine"


def test_a_file_has_one_version_however_it_is_registered(binary, agent_text, tmp_path):
    """`database: shop.db` lies beside the file for `server --agent`, `agents --put` and `run FILE`, whatever folder each runs in."""
    folder = tmp_path / "agents"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    (folder / "local.yaml").write_text(agent_text("local").replace(str(agent_text.database), "shop.db"))
    server = Server(binary, tmp_path / "data", "--agent", str(folder / "local.yaml")).start()
    try:
        before = server.get("/api/v1/agents/local").json
        assert before["definition"]["spec"]["tools"][0]["sql"]["database"] == str(folder / "shop.db")
        environment = {**os.environ, "HOLDFAST_API": server.ready["http"]}
        for place, file in ((folder, "local.yaml"), (tmp_path, "agents/local.yaml"), (tmp_path, "./agents/../link/local.yaml"), ("/", str(folder / "local.yaml"))):
            put = subprocess.run([binary, "agents", "--put", file], capture_output=True, text=True, cwd=place, env=environment)
            assert "unchanged" in put.stdout, put.stdout + put.stderr
        ran = subprocess.run([binary, "run", "./local.yaml", "hello"], capture_output=True, text=True, cwd=folder, env=environment)
        assert ran.stdout == "Hello from the script.\n", ran.stderr
        assert len(server.get("/api/v1/agents/local").json["versions"]) == 1

        text = (folder / "local.yaml").read_text()
        for path in ("/api/v1/agents/local", "/api/v1/agents/local?base=agents"):
            refused = server.request("PUT", path, text)
            assert refused.status == 400 and "base" in refused.json["hint" if "?" not in path else "detail"], refused.text
        assert "shop.db" in server.request("PUT", "/api/v1/agents/local", text).json["detail"]
        assert server.post("/api/v1/runs", {"agent": text, "input": "hello"}).status == 400
        assert server.request("PUT", f"/api/v1/agents/local?base={folder}", text).status == 200
    finally:
        server.close()


def test_a_model_cannot_command_the_terminal(cli, binary, server):
    seen = "Done.\u241b]0;faked title\u2407\u241b[1A\u241b[2K? pay nothing \ufffd2J\u2421 caf\u00e9\u240d\n"
    plain = cli("run", "payer", "escape \x1b[31m", "--id", "escape-1")
    assert plain.stdout == seen
    assert json.loads(cli("runs", "escape-1", "--json").stdout)["output"].startswith("Done.\x1b]0;")
    commands = (["runs"], ["runs", "escape-1"], ["events", "escape-1"], ["runs", "no\x1b[2Jthing"], ["agents", "no\x1b[2Jbody"])
    for shown in (plain, *(cli(*command) for command in commands)):
        text = shown.stdout + shown.stderr
        assert text and not set(text) & {"\x1b", "\x07", "\x7f", "\r", "\x9b"}, repr(text)

    assert "\nholdfast: approved" not in cli("runs", "x\nholdfast: approved").stderr

    # On a terminal the text comes token by token.
    terminal, theirs = pty.openpty()
    environment = {**os.environ, "HOLDFAST_API": server.ready["http"], "NO_COLOR": "1"}
    process = subprocess.Popen([binary, "run", "payer", "escape"], stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    live = b""
    try:
        while piece := os.read(terminal, 4096):
            live += piece
    except OSError:
        pass  # the other end is closed
    assert process.wait(20) == 0
    assert seen.strip() in live.decode() and b"\x1b" not in live and b"\x07" not in live
    os.close(terminal)


def test_with_json_an_error_is_json(cli, tmp_path):
    def error(*arguments, code):
        done = cli(*arguments, "--json")
        assert done.returncode == code, done
        return json.loads(done.stderr.splitlines()[-1])

    problem = error("runs", "nothing", code=3)
    assert (problem["code"], problem["status"]) == ("run_not_found", 404)
    assert error("events", "nothing", "--follow", code=3)["code"] == "run_not_found"
    unreachable = error("runs", "--api", "http://127.0.0.1:1", code=1)
    assert unreachable["code"] == "unreachable" and "holdfast dev" in unreachable["hint"]
    assert error("run", "missing.yaml", "x", code=3)["code"] == "not_found"
    assert error("run", "payer", "refuse this", code=5)["code"] == "run_failed"
    assert error("run", "payer", "pay, please", "--timeout", "0.3", code=6)["code"] == "timeout"
    assert error("runs", "--limit", "many", code=2)["code"] == "usage"
    assert error("server", "--data", str(tmp_path / "data"), "--http", "0.0.0.0:0", code=2)["code"]
    assert "no command 'bogus'" in error("bogus", code=2)["detail"]
    assert "no command 'bogus'" in cli("bogus").stderr


def test_output_that_cannot_be_written(binary, server):
    environment = {**os.environ, "HOLDFAST_API": server.ready["http"]}
    server.start_run("payer", "hello", id="to-full")
    server.wait("to-full")
    with open("/dev/full", "w") as full:
        for command in ("runs", "runs --json", "runs to-full", "version", "version --json", "--version", "--help", "run --help", "agents",
                        "events to-full --follow", "run payer hello", "doctor"):
            done = subprocess.run([binary, *command.split()], stdout=full, stderr=subprocess.PIPE, text=True, env=environment, timeout=20)
            assert done.returncode == 1 and "No space left" in done.stderr, (command, done)
        for command, code in (("nope", 2), ("runs nothing", 3), ("run payer hello", 0)):
            done = subprocess.run([binary, *command.split()], stdout=subprocess.DEVNULL, stderr=full, env=environment, timeout=20)
            assert done.returncode == code, (command, done)


def test_approve_by_run(cli, server, payments):
    run = server.start_run("payer", "pay, please")
    server.wait_for_approval(run)
    assert run in cli("approvals").stdout
    assert cli("approve", run, "--by", "mara").returncode == 0
    server.wait(run)
    approval = server.run(run)["approvals"][0]["id"]
    second = cli("approve", approval)
    assert second.returncode == 4 and "already approved by mara" in second.stderr
    assert payments() == [250]
    run = server.start_run("payer", "pay, please")
    server.wait_for_approval(run)
    assert cli("approve", run, "--arguments", '{"amount": 20}').stdout == 'edited: pay {"amount":20}\n'
    server.wait(run)


def test_following_survives_the_server(binary, own_server, tmp_path):
    process = subprocess.Popen([binary, "run", "payer", "slowly please", "--api", own_server.ready["http"]],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    while not own_server.get("/api/v1/runs").json["runs"]:
        time.sleep(0.02)
    own_server.wait(own_server.get("/api/v1/runs").json["runs"][0]["id"], lambda r: r["partial_output"])
    own_server.kill()
    own_server.start()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and out.endswith("twenty.\n")


# ---- starts that are refused


def refused(binary, *options, code=1, env=None):
    done = subprocess.run([binary, "server", *map(str, options)], capture_output=True, text=True, timeout=20, env=env)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    return done.stderr


def test_a_directory_in_use(binary, own_server):
    assert f"pid {own_server.process.pid}" in refused(binary, "--data", own_server.data, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
    assert own_server.get("/readyz").status == 200


def test_a_directory_from_a_newer_version_is_not_touched(binary, tmp_path):
    (tmp_path / "VERSION").write_text("holdfast data directory, format 999\n")
    assert "newer Holdfast" in refused(binary, "--data", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["VERSION"]


def test_a_directory_of_something_else(binary, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert "not a Holdfast data directory" in refused(binary, "--data", tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def mounted(binary, directory, *mounts):
    """The server's answer on a file system that only it sees; needs user namespaces."""
    directory.mkdir()
    script = " && ".join([*mounts, 'exec "$0" server --data "$1/data" --grpc 127.0.0.1:0 --http 127.0.0.1:0'])
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script, binary, str(directory)],
                          capture_output=True, text=True, timeout=20)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()}")
    assert done.returncode == 1 and done.stdout == ""
    return done.stderr


def test_a_full_disk(binary, tmp_path):
    message = mounted(binary, tmp_path / "full", 'mount -t tmpfs -o size=4m tmpfs "$1"', 'mkdir "$1/data"')
    assert "is full" in message and "Nothing was changed" in message


def test_a_read_only_directory(binary, tmp_path):
    message = mounted(binary, tmp_path / "ro", 'mount -t tmpfs -o size=64m tmpfs "$1"', 'mount -o remount,ro "$1"')
    assert "Read-only" in message and "writable" in message


def test_addresses(binary, own_server, tmp_path):
    taken = own_server.http
    assert "in use" in refused(binary, "--data", tmp_path / "a", "--grpc", "127.0.0.1:0", "--http", taken)
    assert "--tls-cert" in refused(binary, "--data", tmp_path / "b", "--http", "0.0.0.0:0", code=2)
    assert "--tls-cert" in refused(binary, "--data", tmp_path / "c", "--grpc", "0.0.0.0:0", "--http", "127.0.0.1:0", code=2)
    refused(binary, "--data", tmp_path / "d", "--http", "nowhere", code=2)
    (tmp_path / "broken.yaml").write_text("kind: [")
    refused(binary, "--data", tmp_path / "e", "--agent", tmp_path / "broken.yaml", code=2)
    assert not [name for name in "abcde" if (tmp_path / name).exists()]


def test_a_default_port_in_use_moves_on(binary, tmp_path):
    with socket.socket() as blocker:
        blocker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            blocker.bind(("127.0.0.1", 8233))
            blocker.listen()
        except OSError:
            pass  # something else has it: all the same to us
        process = subprocess.Popen([binary, "server", "--data", str(tmp_path / "data"), "--json", "--grpc", "127.0.0.1:0"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready = json.loads(process.stdout.readline())
        assert not ready["http"].endswith(":8233")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0 and "next free one" in errors


def test_a_broken_agent_file_names_line_and_column(binary, tmp_path):
    (tmp_path / "bad.yaml").write_text("apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: x}\nspec:\n  modle: {}\n")
    message = refused(binary, "--data", tmp_path / "data", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--agent", tmp_path / "bad.yaml", code=2)
    assert "bad.yaml:5:3" in message


def test_options_that_cannot_be_right(binary, cli, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert "--data" in refused(binary, "--data", "", code=2)
    assert "not a directory" in refused(binary, "--data", tmp_path / "file", code=2)
    assert "temporal://" in refused(binary, "--data", tmp_path / "data", "--engine", "foo", code=2)
    assert not (tmp_path / "data").exists()
    assert "answer" in cli("demo", "--help").stdout and " 70 " in cli("--help").stdout.replace("\n", " ")


def test_waiting_for_an_engine_can_be_interrupted(binary, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, never answers
        process = subprocess.Popen([binary, "server", "--data", str(tmp_path / "data"), "--engine", f"temporal://127.0.0.1:{silent.getsockname()[1]}"],
                                   stderr=subprocess.PIPE, text=True)
        silent.accept()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130 and "interrupted" in errors
        assert time.monotonic() - began < 4


def test_doctor(binary, tmp_path):
    done = subprocess.run([binary, "doctor", "--json", "--data", str(tmp_path / "data")], capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert {check["check"] for check in report["checks"]} >= {"gRPC port", "HTTP port", "clock", "disk sync", "data directory"}
    assert done.returncode == (0 if report["ok"] else 1)
    assert not (tmp_path / "data").exists()


def test_doctor_finds_an_index_that_lost_an_entry(binary, tmp_path):
    server = Server(binary, tmp_path / "data").start()
    server.close()

    def databases():
        done = subprocess.run([binary, "doctor", "--json", "--data", str(tmp_path / "data")], capture_output=True, text=True)
        return done.returncode, next(check for check in json.loads(done.stdout)["checks"] if check["check"] == "databases")

    code, check = databases()
    assert (code, check["verdict"]) == (0, "ok"), check
    assert set(check["found"]) >= {"platform.db", "streams.db", "visibility.db"}
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "platform" / "platform.db")) as db:
        db.execute("CREATE TABLE t(a)")
        db.execute("CREATE INDEX i ON t(a)")
        db.execute("INSERT INTO t VALUES (1), (2)")
        # As if the index had been written without the second row.
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t(a) WHERE a = 1' WHERE name = 'i'")
        db.commit()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "platform" / "platform.db")) as db:
        db.execute("DELETE FROM t WHERE a = 2")
        db.execute("INSERT INTO t VALUES (3)")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t(a)' WHERE name = 'i'")
        db.commit()
    code, check = databases()
    assert (code, check["verdict"]) == (1, "fail"), check
    assert "index i" in check["detail"] and "platform.db" in check["detail"]


def test_the_command_line_finds_the_server_of_its_directory(binary, tmp_path):
    server = Server(binary, tmp_path / ".holdfast").start()
    try:
        done = subprocess.run([binary, "runs", "--json"], capture_output=True, text=True, cwd=tmp_path)
        assert json.loads(done.stdout) == {"runs": []}
    finally:
        server.close()
    assert not (pathlib.Path(tmp_path) / ".holdfast" / "addresses.json").exists()


def test_a_server_that_is_just_starting_is_waited_for(binary, liar, tmp_path):
    """It says where it serves when it is ready: what is asked meanwhile is asked there, once."""
    folder = tmp_path / ".holdfast"
    folder.mkdir()
    asked = []

    class Starting(Liar):
        def do_GET(self):
            asked.append(self.path)
            (folder / "addresses.json").write_text(json.dumps({"http": f"http://127.0.0.1:{liar.server_port}"}))
            body = b'{"code": "not_ready", "status": 503}'
            self.send_response(503)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    liar.body = b'{"runs": []}'
    starting = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Starting)
    threading.Thread(target=starting.serve_forever, daemon=True).start()
    (folder / "addresses.json").write_text(json.dumps({"http": f"http://127.0.0.1:{starting.server_port}"}))
    try:
        done = subprocess.run([binary, "runs", "--json"], capture_output=True, text=True, cwd=tmp_path, timeout=40)
    finally:
        starting.shutdown()
        starting.server_close()
    assert (done.returncode, done.stdout) == (0, '{"runs":[]}\n'), done
    assert asked == ["/readyz"]
