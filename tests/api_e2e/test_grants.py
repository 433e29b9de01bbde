"""What comes over the API uses of the machine what the operator granted, and nothing else."""

import gzip
import http.server
import json
import shutil
import sqlite3
import ssl
import subprocess
import threading

import pytest
from holdfast import Server, scripted_model

AGENT = """
apiVersion: holdfast.dev/v1
kind: Agent
metadata: {{name: {name}}}
spec:
  model: {{provider: openai, base_url: "{model}", name: scripted, retry: {{initial: 50ms, attempts: 1}}{key}}}
  prompt: You use your tool.
  tools:
    - name: look
      type: {type}
      retry: {{attempts: 1}}
      {type}: {{{tool}}}
"""

SCRIPT = """
models: [scripted]
replies:
  - when: {turn: 0}
    text: "I look."
    tool_calls: [{name: look, arguments: {}}]
  - text: "{{last}}"
"""


class Receiver:
    """A server of somebody else's, which keeps what it is sent."""

    def __init__(self):
        self.seen = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                receiver.seen.append((self.path, dict(self.headers)))
                body = b"the answer"
                self.send_response(200)
                if self.path == "/echo":
                    body = f"you sent {self.headers['X']}".encode()
                if self.path == "/packed":
                    body = gzip.compress("Grüße, packed".encode("iso-8859-1"))
                    self.send_header("Content-Encoding", "gzip")
                    self.send_header("Content-Type", "text/plain; charset=ISO-8859-1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def secrets(self):
        return [value for _, headers in self.seen for value in headers.values() if "very-secret" in value]


@pytest.fixture(scope="module")
def looking(binary, tmp_path_factory):
    """A model that calls `look` and answers with what that said."""
    with scripted_model(binary, tmp_path_factory.mktemp("looking"), SCRIPT) as url:
        yield url


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.server.shutdown()


@pytest.fixture
def foreign(tmp_path):
    """Somebody's database."""
    path = tmp_path / "foreign.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE secrets(word)")
        db.execute("INSERT INTO secrets VALUES ('very-secret')")
    return path


class Granting:
    """Servers on one data directory, each started with other grants."""

    def __init__(self, binary, data, model):
        self.binary, self.data, self.model, self.server = binary, data, model, None
        self.environment = {}

    def start(self, *grants, options=()):
        if self.server:
            self.server.close()
        granted = [word for grant in grants for word in ("--grant", grant)]
        environment = {"HOOK_TOKEN": "hook-very-secret", "OPENAI_API_KEY": "sk-very-secret", **self.environment}
        self.server = Server(self.binary, self.data, *granted, *options, environment=environment).start()
        return self.server

    def model_grant(self):
        return "host:" + self.model.split("/")[2]

    def agent(self, name, kind, tool, key=""):
        return AGENT.format(name=name, model=self.model, type=kind, tool=tool, key=key)

    def put(self, text):
        return self.server.post("/api/v1/agents", text.encode(), {"Content-Type": "application/yaml"})

    def run(self, name):
        return self.server.wait(self.server.start_run(name, "go"))


@pytest.fixture
def granting(binary, looking, tmp_path):
    one = Granting(binary, tmp_path / "data", looking)
    yield one
    if one.server:
        one.server.close()


def tools(receiver, foreign):
    """Kind, section, the grants it needs beside that of the model, what comes out with them."""
    return [
        ("http", f'url: "http://{receiver.place}/x"', [f"host:{receiver.place}"], "the answer"),
        ("http", f'url: "http://{receiver.place}/x", headers: {{X: "${{HOOK_TOKEN}}"}}', [f"env:HOOK_TOKEN@{receiver.place}"], "the answer"),
        ("sql", f'database: "{foreign}", statement: "SELECT count(*) AS n FROM secrets"', [f"database:{foreign}"], '"n":1'),
        ("sql", f'database: "{foreign}", read_only: false, statement: "DELETE FROM secrets"', [f"database.write:{foreign}"], '"changes":1'),
    ]


def test_what_is_not_granted_is_refused_with_the_grant_that_lets_it_work(granting, receiver, foreign):
    for number, (kind, section, needed, expected) in enumerate(tools(receiver, foreign)):
        text = granting.agent(f"a{number}", kind, section)
        granting.start()
        refused = granting.put(text)
        assert (refused.status, refused.json["code"]) == (403, "not_granted"), refused.text
        assert refused.json["grants"] == [granting.model_grant(), *needed]
        assert f"tool `look`: " in refused.json["detail"] and "very-secret" not in refused.text
        assert granting.server.get(f"/api/v1/agents/a{number}").status == 404
        inline = granting.server.post("/api/v1/runs", {"agent": text, "input": "go"})
        assert (inline.status, inline.json["grants"]) == (403, refused.json["grants"])
        assert receiver.seen == []
        granting.start(*refused.json["grants"])
        assert granting.put(text).status == 201
        run = granting.run(f"a{number}")
        assert run["status"] == "completed" and expected in run["output"], run
        receiver.seen.clear()


def test_values_of_variables_are_kept_nowhere(granting, receiver, foreign):
    """A server echoes the header that it is sent; the model says it again."""
    granting.start(granting.model_grant(), f"env:HOOK_TOKEN@{receiver.place}")
    text = granting.agent("echo", "http", f'url: "http://{receiver.place}/echo", headers: {{X: "${{HOOK_TOKEN}}"}}')
    assert granting.put(text).status == 201
    run = granting.run("echo")
    assert receiver.secrets() == ["hook-very-secret"]
    assert run["output"] == "you sent [secret HOOK_TOKEN]", run
    assert "hook-very-secret" not in json.dumps(run)
    assert "hook-very-secret" not in granting.server.get(f"/api/v1/runs/{run['id']}/events").text
    granting.server.close()
    for path in granting.data.rglob("*"):
        assert not path.is_file() or b"hook-very-secret" not in path.read_bytes(), path


def test_grants_of_the_environment(granting, receiver, foreign):
    granting.environment = {"HOLDFAST_GRANTS": f"{granting.model_grant()} host:{receiver.place}"}
    granting.start()
    assert granting.put(granting.agent("a", "http", f'url: "http://{receiver.place}/x"')).status == 201
    granting.environment = {"HOLDFAST_GRANTS": "banana"}
    with pytest.raises(Exception):
        granting.start()
    granting.server = None


def test_files_and_variables_of_the_machine_stay_there(granting, receiver, foreign):
    granting.start(granting.model_grant(), f"host:{receiver.place}", f"database:{foreign}")
    own = granting.data / "platform" / "platform.db"
    for section in (f'database: "{path}", statement: "SELECT 1"' for path in
                    ("/etc/passwd", f"{foreign.parent}/../../etc/passwd", f"file:{foreign}?mode=rwc", own, "/proc/self/environ")):
        assert granting.put(granting.agent("files", "sql", section)).status in (400, 403), section
    write = f'database: "{foreign}", read_only: false, statement: "DELETE FROM secrets"'
    assert granting.put(granting.agent("files", "sql", write)).json["grants"] == [f"database.write:{foreign}"]
    header = f'url: "http://{receiver.place}/x", headers: {{X: "${{HOOK_TOKEN}}"}}'
    assert granting.put(granting.agent("variables", "http", header)).json["grants"] == [f"env:HOOK_TOKEN@{receiver.place}"]
    key = granting.agent("keys", "http", f'url: "http://{receiver.place}/x"', ", api_key_env: OPENAI_API_KEY")
    assert granting.put(key).json["grants"] == [f"key:OPENAI_API_KEY@{granting.model.split('/')[2]}"]
    assert receiver.seen == []


def test_a_key_goes_to_no_other_host(granting, receiver):
    granting.start("key:OPENAI_API_KEY@api.openai.com", "host:*", f"host:{receiver.place}", granting.model_grant())
    text = granting.agent("thief", "http", f'url: "http://{receiver.place}/x"', ", api_key_env: OPENAI_API_KEY")
    text = text.replace(granting.model, f"http://{receiver.place}/v1")
    refused = granting.put(text)
    assert refused.json["grants"] == [f"key:OPENAI_API_KEY@{receiver.place}"]
    header = granting.agent("thief", "http", f'url: "http://{receiver.place}/x", headers: {{X: "${{OPENAI_API_KEY}}"}}')
    assert granting.put(header).json["grants"] == [f"env:OPENAI_API_KEY@{receiver.place}"]
    assert receiver.seen == []


def test_no_spelling_of_this_machine_is_public(granting):
    granting.start(granting.model_grant(), "host:*")
    own = granting.server.http
    port = own.rsplit(":", 1)[1]
    for host in ("127.0.0.1", "localhost", "LOCALHOST.", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::]",
                 "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "127。0。0。1", "１２７.0.0.1", "[fe80::1%25lo]",
                 "169.254.169.254", "[fd00:ec2::254]", "user@127.0.0.1", "127.0.0.1@127.0.0.1"):
        section = f'url: "http://{host}:{port}/api/v1/info"'
        assert granting.put(granting.agent("spelling", "http", section)).status in (400, 403), host
    # Nor are this server's own ports part of a grant for the host.
    granting.start(granting.model_grant(), "host:127.0.0.1")
    section = f'url: "http://{granting.server.http}/api/v1/info"'
    assert granting.put(granting.agent("own", "http", section)).json["grants"] == [f"host:{granting.server.http}"]


def test_a_grant_that_is_taken_back_is_asked_for_at_use(granting, receiver, foreign):
    everything = [granting.model_grant(), f"host:{receiver.place}", f"database:{foreign}", f"env:HOOK_TOKEN@{receiver.place}"]
    granting.start(*everything)
    header = f'url: "http://{receiver.place}/x", headers: {{X: "${{HOOK_TOKEN}}"}}'
    assert granting.put(granting.agent("caller", "http", header)).status == 201
    assert granting.put(granting.agent("reader", "sql", f'database: "{foreign}", statement: "SELECT word FROM secrets"')).status == 201
    assert "the answer" in granting.run("caller")["output"]
    assert receiver.secrets() == ["hook-very-secret"]
    receiver.seen.clear()
    granting.start(granting.model_grant(), f"host:{receiver.place}")
    assert f"--grant env:HOOK_TOKEN@{receiver.place}" in granting.run("caller")["output"]
    assert f"--grant database:{foreign}" in granting.run("reader")["output"]
    granting.start(granting.model_grant(), f"host:127.0.0.1:{9}")
    assert "--grant env:HOOK_TOKEN@" in granting.run("caller")["output"]
    granting.start(f"host:{receiver.place}")
    run = granting.run("caller")
    assert run["status"] == "failed" and f"--grant {granting.model_grant()}" in run["error"]["message"], run
    assert receiver.seen == []
    granting.start(*everything)
    assert "the answer" in granting.run("caller")["output"]


def test_what_the_operator_passes_may_use_what_it_names_and_lends_it_to_nobody(granting, receiver, foreign, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text(granting.agent("mine", "sql", f'database: "{foreign.name}", statement: "SELECT count(*) AS n FROM secrets"'))
    granting.start(options=["--agent", str(mine)])
    assert '"n":1' in granting.run("mine")["output"]
    other = granting.agent("mine", "sql", f'database: "{foreign}", statement: "SELECT word FROM secrets"')
    refused = granting.put(other)
    assert refused.json["grants"] == [granting.model_grant(), f"database:{foreign}"]
    # The very same definition is no other one.
    same = granting.server.post(f"/api/v1/agents?base={tmp_path}", mine.read_text(), {"Content-Type": "application/yaml"})
    assert (same.status, same.json["created"]) == (200, False)


def test_a_file_of_grants(granting, receiver, tmp_path):
    grants = tmp_path / "grants.yaml"
    grants.write_text(f"apiVersion: holdfast.dev/v1\nkind: Grants\ngrants:\n  - {granting.model_grant()}\n  - host:{receiver.place}\n")
    granting.start(options=["--grants", str(grants)])
    assert granting.put(granting.agent("filed", "http", f'url: "http://{receiver.place}/x"')).status == 201
    assert granting.run("filed")["output"] == "the answer"


def test_packed_text_in_another_charset_is_read(granting, receiver):
    granting.start(granting.model_grant(), f"host:{receiver.place}")
    assert granting.put(granting.agent("packed", "http", f'url: "http://{receiver.place}/packed"')).status == 201
    assert granting.run("packed")["output"] == "Grüße, packed"


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl to make a certificate")
def test_a_server_that_cannot_prove_its_name_gets_nothing(granting, receiver, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "certificate"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    granting.start(granting.model_grant(), f"env:HOOK_TOKEN@{receiver.place}")
    assert granting.put(granting.agent("tls", "http", f'url: "https://{receiver.place}/x", headers: {{X: "${{HOOK_TOKEN}}"}}')).status == 201
    assert "certificate" in granting.run("tls")["output"]
    assert receiver.seen == []


def test_wrong_grants_keep_a_server_from_starting(binary, tmp_path):
    def refused(*options, code=2):
        done = subprocess.run([binary, "server", "--data", tmp_path / "none", *options], capture_output=True, text=True, timeout=20)
        assert done.returncode == code and not (tmp_path / "none").exists(), done
        return done.stderr

    assert "there is no kind `hots`" in refused("--grant", "hots:x")
    assert "together with the host" in refused("--grant", "key:OPENAI_API_KEY")
    assert "nofile.yaml" in refused("--grants", "nofile.yaml", code=3)
    (tmp_path / "g.yaml").write_text("apiVersion: holdfast.dev/v1\nkind: Grants\ngrants: [env:x-y]\n")
    assert "g.yaml:3:10" in refused("--grants", str(tmp_path / "g.yaml"))
