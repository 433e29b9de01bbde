"""Named secrets from outside: they go in, reach who may use them, and stand nowhere else: not in an answer, a
conversation, a log, a file of the server or a backup of it. What is missing says what to do."""

import json
import os
import stat
import subprocess

import pytest
from holdfast import Server, scripted_model
from test_grants import AGENT, SCRIPT, Receiver
from test_identity import bearer, code, make_key

VALUE = "tok-very-secret-4711"
AGAIN = "tok-other-secret-0815"


@pytest.fixture(scope="module")
def looking(binary, tmp_path_factory):
    with scripted_model(binary, tmp_path_factory.mktemp("looking"), SCRIPT) as url:
        yield url


@pytest.fixture
def receiver():
    one = Receiver()
    yield one
    one.server.shutdown()


class Place:
    """A data directory, its servers one after the other, and the command line beside them."""

    def __init__(self, binary, folder, model, receiver):
        self.binary, self.folder, self.data, self.model, self.receiver = binary, folder, folder / "data", model, receiver
        self.log, self.server = folder / "log", None

    def start(self, *options, secret="TOKEN"):
        if self.server:
            self.server.close()
        granted = ("--grant", "host:" + self.model.split("/")[2], "--grant", f"secret:{secret}@{self.receiver.place}")
        self.server = Server(self.binary, self.data, *granted, *options, log=self.log.open("ab")).start()
        return self.server

    def cli(self, *arguments, value=None):
        environment = {**os.environ, "HOLDFAST_API": self.server.ready["http"], "NO_COLOR": "1"}
        return subprocess.run([self.binary, "secret", *arguments], capture_output=True, input=value, env=environment, cwd=self.folder, timeout=40)

    def put_agent(self, name="teller", secret="TOKEN"):
        tool = f'url: "http://{self.receiver.place}/echo", headers: {{X: "Bearer ${{secret:{secret}}}"}}'
        text = AGENT.format(name=name, model=self.model, type="http", tool=tool, key="")
        return self.server.post("/api/v1/agents", text.encode(), {"Content-Type": "application/yaml"})

    def run(self, name="teller"):
        return self.server.wait(self.server.start_run(name, "go"))

    def sent(self):
        return [headers.get("X") for _, headers in self.receiver.seen]

    def everything(self) -> bytes:
        files = [path for path in self.data.rglob("*") if path.is_file()] + [self.log]
        return b"".join(path.read_bytes() for path in files)


@pytest.fixture
def place(binary, tmp_path, looking, receiver):
    one = Place(binary, tmp_path, looking, receiver)
    yield one
    if one.server:
        one.server.close()


def test_a_secret_reaches_its_tool_and_stands_nowhere_else(place):
    server = place.start()
    assert place.put_agent().status == 201
    assert "there is no secret TOKEN" in place.run()["output"]
    done = place.cli("set", "TOKEN", value=VALUE.encode() + b"\n")
    assert (done.returncode, done.stdout) == (0, b"set TOKEN, version 1\n"), done.stderr
    said = place.run()
    assert place.sent() == ["Bearer " + VALUE]
    # It came back in the tool's answer, and the model said it again.
    assert said["output"] == "you sent Bearer [secret TOKEN]", said
    for path in (f"/api/v1/runs/{said['id']}", f"/api/v1/conversations/{said['id']}", "/api/v1/secrets"):
        assert VALUE not in server.get(path).text
    file = place.folder / "value"
    file.write_bytes(AGAIN.encode())
    assert place.cli("set", "TOKEN", "--file", str(file)).stdout == b"set TOKEN, version 2\n"
    place.run()
    assert place.sent()[-1] == "Bearer " + AGAIN, "what is set counts at the next call"
    listed = json.loads(place.cli("list", "--json").stdout)["secrets"]
    assert [(one["name"], one["version"], one["readable"]) for one in listed] == [("TOKEN", 2, True)]
    assert listed[0]["set_by"] and listed[0]["set_at"] and listed[0]["used_at"]
    assert place.cli("delete", "TOKEN").returncode == 0
    assert place.cli("delete", "TOKEN").returncode == 3
    assert "there is no secret TOKEN" in place.run()["output"]
    server.stop()
    for value in (VALUE, AGAIN):
        assert value.encode() not in place.everything()


def test_every_byte_string_may_be_one_up_to_its_bound(place):
    server = place.start()
    for value in (bytes(range(256)), b"\0", b"\n", b"z" * 65536):
        done = place.cli("set", "ANY", "--exact", value=value)
        assert done.returncode == 0, done.stderr
    assert place.cli("set", "ANY", "--exact", value=b"z" * 65537).returncode == 2
    assert place.cli("set", "ANY", value=b"\n").returncode == 2
    assert place.cli("set", "a b", value=b"v").returncode == 2
    for body in ({}, {"value": ""}, {"value": "x", "value_base64": "eA"}, {"value_base64": "*"}, {"value": 1}, {"value": "x", "other": VALUE}):
        refused = server.request("PUT", "/api/v1/secrets/ANY", body)
        assert refused.status == 400 and VALUE not in refused.text, refused.text
    assert server.request("PUT", "/api/v1/secrets/ANY", {"value": "x"}).json["version"] == 5
    assert server.request("PUT", "/api/v1/secrets/NEW", {"value_base64": "eHl6/+8="}).status == 201


def test_a_definition_uses_a_secret_that_is_granted_and_no_other(place):
    place.start(secret="OTHER")
    refused = place.put_agent()
    assert code(refused) == (403, "not_granted")
    assert refused.json["grants"] == [f"secret:TOKEN@{place.receiver.place}"]
    place.start()
    assert place.put_agent().status == 201


def test_who_may_list_and_who_may_set(place):
    server = place.start("--auth", "required")
    deployer, operator, elsewhere, admin = (
        bearer(make_key(server, name, {where: [role]})["key"])
        for name, where, role in (("d", "default", "deployer"), ("o", "default", "operator"), ("e", "other", "admin"), ("a", "default", "admin")))
    for who in (deployer, operator, elsewhere):
        assert code(server.request("PUT", "/api/v1/secrets/TOKEN", {"value": VALUE}, who)) == (403, "permission_denied")
        assert code(server.request("DELETE", "/api/v1/secrets/TOKEN", None, who)) == (403, "permission_denied")
    assert server.request("PUT", "/api/v1/secrets/TOKEN", {"value": VALUE}, admin).status == 201
    assert server.get("/api/v1/secrets", **deployer).json["secrets"][0]["set_by"] == "a"
    assert code(server.get("/api/v1/secrets", **operator)) == (403, "permission_denied")


def test_the_key_is_made_once_and_is_its_users_alone(place):
    server = place.start()
    key = place.data / "secrets.key"
    assert not key.exists()
    assert place.cli("set", "TOKEN", value=VALUE.encode()).returncode == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    backup = subprocess.run([place.binary, "backup", str(place.folder / "backup"), "--data", str(place.data)], capture_output=True, timeout=60)
    assert backup.returncode == 0, backup.stderr
    kept = [path for path in (place.folder / "backup").rglob("*") if path.is_file()]
    assert kept and not any(path.name == "secrets.key" or VALUE.encode() in path.read_bytes() for path in kept)
    server.stop()
    elsewhere = place.folder / "its.key"
    key.rename(elsewhere)
    elsewhere.chmod(0o640)
    refused = subprocess.run([place.binary, "server", "--data", str(place.data), "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--secrets-key", str(elsewhere)],
                             capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2 and "chmod 600" in refused.stderr
    elsewhere.chmod(0o600)
    place.start("--secrets-key", str(elsewhere))
    assert place.put_agent().status == 201
    place.run()
    assert place.sent() == ["Bearer " + VALUE]


def test_a_key_that_is_not_here_says_what_to_do(place):
    place.start()
    assert place.put_agent().status == 201
    assert place.cli("set", "TOKEN", value=VALUE.encode()).returncode == 0
    key = place.data / "secrets.key"
    place.server.stop()
    away = place.folder / "away.key"
    key.rename(away)
    place.start()
    assert "--secrets-key" in place.log.read_text()
    assert json.loads(place.cli("list", "--json").stdout)["secrets"][0]["readable"] is False
    said = place.run()["output"]
    assert "is sealed with the key" in said and "--secrets-key" in said
    refused = place.cli("set", "OTHER", value=b"value")
    assert refused.returncode != 0 and b"put it back" in refused.stderr
    assert not key.exists(), "no key is made beside secrets of another"
    # Another key is no way to read them, and one to set them again.
    assert place.cli("new-key", str(key)).returncode == 0
    assert place.cli("new-key", str(key)).returncode != 0, "nothing is written over"
    place.start()
    assert json.loads(place.cli("list", "--json").stdout)["secrets"][0]["readable"] is False
    place.start("--older-secrets-key", str(away))
    assert json.loads(place.cli("list", "--json").stdout)["secrets"][0]["readable"] is True
    away.unlink()
    place.start()
    place.run()
    assert place.sent()[-1] == "Bearer " + VALUE, "sealed again with the new key, the old one is not needed"
