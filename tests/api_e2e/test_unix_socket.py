"""The API and gRPC over Unix sockets: the kernel says whose program calls, so nobody there shows a key, and nobody else gets in."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile

import grpc
import pytest
from holdfast import Server
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, ListNamespacesRequest
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
from test_identity import add_user, bearer, code, local_key, make_key

NOBODY, DAEMON = 65534, 1  # users of every Debian
# What another user's program gets to see: it asks who it is, perhaps with a key.
ASK = """
import http.client, json, socket, sys
path, key = sys.argv[1:3]
connection = http.client.HTTPConnection("localhost", timeout=20)
connection.sock = socket.socket(socket.AF_UNIX)
try:
    connection.sock.connect(path)
except OSError as error:
    print(json.dumps([0, type(error).__name__]))
    sys.exit()
connection.request("GET", sys.argv[3], headers={"Authorization": "Bearer " + key} if key else {})
answer = connection.getresponse()
print(json.dumps([answer.status, json.loads(answer.read())]))
"""


@pytest.fixture
def folder():
    """One that every user of the machine may enter: pytest's are the tests' own."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-socket-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def serve(binary, agent_text, folder):
    servers = []

    def start(*options):
        one = Server(binary, folder / "data", *agent_text.grants, "--http", f"unix:{folder}/api", "--auth", "required", *options,
                     log=(folder / "log").open("ab"))
        servers.append(one.start())
        return one

    yield start
    for one in servers:
        one.close()


def over(path, method, target, body=None):
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request(method, target, body=None if body is None else json.dumps(body), headers={"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def asks(user, path, key="", target="/api/v1/session"):
    done = subprocess.run([sys.executable, "-c", ASK, str(path), key, target], user=user, group=user, extra_groups=[], cwd="/",
                          capture_output=True, text=True, timeout=40, check=True)
    return tuple(json.loads(done.stdout))


def test_the_servers_own_user_needs_no_key(serve, folder):
    server = serve()
    assert server.ready["http_socket"] == f"unix:{folder}/api"
    assert stat.S_IMODE((folder / "api").stat().st_mode) == 0o600
    assert code(server.get("/api/v1/runs")) == (401, "unauthenticated"), "over TCP it is as it was"
    status, me = over(folder / "api", "GET", "/api/v1/session")
    assert (status, me["principal"], me["kind"], me["open"]) == (200, "local", "local", False)
    status, user = over(folder / "api", "POST", "/api/v1/users", {"name": "ada", "password": "correct horse battery", "roles": {"*": ["admin"]}})
    assert status == 201, user
    assert over(folder / "api", "GET", "/api/v1/keys")[0] == 200, "an admin closes nothing here"


def test_the_command_line_works_over_it(serve, folder, cli, agent_text, tmp_path):
    server = serve()
    server.ready = {**server.ready, "http": f"unix:{folder}/api"}
    (tmp_path / "payer.yaml").write_text(agent_text())
    assert cli(server, "agent", "apply", "payer.yaml").returncode == 0
    done = cli(server, "run", "payer", "hello")
    assert done.returncode == 0 and "Hello from the script." in done.stdout, (done.stdout, done.stderr)
    assert cli(server, "key", "create", "ci", "--role", "reader").returncode == 0
    server.stop()
    assert not (folder / "api").exists()
    done = cli(server, "runs")
    assert done.returncode == 1 and f"unix:{folder}/api" in done.stderr, done.stderr


def test_what_a_killed_server_left_is_replaced_and_a_running_one_is_not(serve, folder, binary):
    server = serve()
    server.kill()
    assert (folder / "api").exists()
    server.start()
    assert over(folder / "api", "GET", "/api/v1/session")[0] == 200
    second = subprocess.run([binary, "server", "--data", str(folder / "other"), "--grpc", "127.0.0.1:0", "--http", f"unix:{folder}/api"],
                            capture_output=True, text=True, timeout=40)
    assert second.returncode != 0 and "another program does" in second.stderr, second.stderr
    assert over(folder / "api", "GET", "/api/v1/session")[0] == 200


def test_a_server_may_have_nothing_but_its_socket(binary, folder):
    process = subprocess.Popen([binary, "server", "--data", str(folder / "data"), "--json", "--grpc", "127.0.0.1:0", "--http", f"unix:{folder}/api"],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(process.stdout.readline())["http"] == f"unix:{folder}/api"
        assert over(folder / "api", "GET", "/readyz")[0] == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize("wrong, says", [
    (["--socket-user", "daemon=ann"], "--http unix:PATH"),
    (["--grpc", "unix:"], "a socket's path has"),
    (["--grpc", "127.0.0.1:0"], "at most"),
    (["--http", "unix:"], "a socket's path has"),
    (["--http", "unix:/no/such/folder/api"], "No such file"),
    (["--http", "unix:/tmp/a", "--http", "unix:/tmp/b"], "at most"),
    (["--http", "unix:/tmp/a", "--socket-user", "no-such-user=ann"], "no user 'no-such-user'"),
    (["--http", "unix:/tmp/a", "--socket-user", "daemon"], "USER=PRINCIPAL"),
    (["--http", "unix:/tmp/a", "--socket-user", "root=ann"], "admin already"),
])
def test_what_makes_no_sense_is_refused(binary, folder, wrong, says):
    done = subprocess.run([binary, "server", "--data", str(folder / "data"), "--grpc", "127.0.0.1:0", *wrong], capture_output=True, text=True, timeout=40)
    assert done.returncode != 0 and says in done.stderr, done.stderr


def service(address, *metadata):
    channel = grpc.insecure_channel(address)
    stub = WorkflowServiceStub(channel)
    return lambda method, request: getattr(stub, method)(request, timeout=10, metadata=metadata)


def failure(call, *args):
    with pytest.raises(grpc.RpcError) as failed:
        call(*args)
    return failed.value.code()


def test_grpc_over_it_needs_no_key_either(serve, folder):
    server = serve("--grpc", f"unix:{folder}/engine")
    assert server.ready["grpc_socket"] == f"unix:{folder}/engine" and server.ready["grpc"].startswith("127.0.0.1:")
    assert stat.S_IMODE((folder / "engine").stat().st_mode) == 0o600
    named = DescribeNamespaceRequest(namespace="default")
    assert failure(service(server.ready["grpc"]), "DescribeNamespace", named) == grpc.StatusCode.UNAUTHENTICATED, "over TCP it is as it was"
    local = service(f"unix:{folder}/engine")
    assert local("DescribeNamespace", named).namespace_info.name == "default"
    assert local("ListNamespaces", ListNamespacesRequest()).namespaces
    wrong = service(f"unix:{folder}/engine", ("authorization", "Bearer hfk_wrong"))
    assert failure(wrong, "DescribeNamespace", named) == grpc.StatusCode.UNAUTHENTICATED, "what is shown goes first"
    server.stop()
    assert not (folder / "engine").exists()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@needs_root
def test_another_user_cannot_even_connect(serve, folder):
    serve()
    assert asks(NOBODY, folder / "api") == (0, "PermissionError")


@needs_root
def test_users_who_are_named_are_who_they_are_and_nobody_else_is_anybody(serve, folder):
    server = serve("--socket-user", f"{NOBODY}=ann")
    assert stat.S_IMODE((folder / "api").stat().st_mode) == 0o666
    assert asks(NOBODY, folder / "api", target="/api/v1/runs")[0] == 401, "there is no ann yet"
    add_user(server, "ann", {"default": ["reader"]})
    status, me = asks(NOBODY, folder / "api")
    assert (status, me["principal"], me["kind"], me["roles"]) == (200, "ann", "user", {"default": ["reader"]})
    assert asks(NOBODY, folder / "api", target="/api/v1/runs")[0] == 200
    assert asks(NOBODY, folder / "api", target="/api/v1/users")[0] == 403
    status, refused = asks(DAEMON, folder / "api", target="/api/v1/runs")
    assert status == 401 and f"user {DAEMON} of this machine is nobody here" in json.dumps(refused)
    key = make_key(server, "ci", {"default": ["reader"]})["key"]
    assert asks(DAEMON, folder / "api", key)[1]["principal"] == "ci", "a key is a key"
    off = server.request("PATCH", "/api/v1/users/ann", {"disabled": True}, bearer(local_key(server)))
    assert off.status == 200, off.text
    assert asks(NOBODY, folder / "api", target="/api/v1/runs")[0] == 401


# The same over gRPC: what it may, and what it is refused.
CALL = """
import json, sys, grpc
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, StartWorkflowExecutionRequest
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub
stub = WorkflowServiceStub(grpc.insecure_channel(sys.argv[1]))
out = []
for call, request in ((stub.DescribeNamespace, DescribeNamespaceRequest(namespace="default")), (stub.StartWorkflowExecution, StartWorkflowExecutionRequest(namespace="default"))):
    try:
        call(request, timeout=10)
        out.append("OK")
    except grpc.RpcError as error:
        out.append(error.code().name)
print(json.dumps(out))
"""


@needs_root
def test_over_grpc_users_are_who_they_are_too(serve, folder):
    server = serve("--grpc", f"unix:{folder}/engine", "--socket-user", f"{NOBODY}=ann")
    add_user(server, "ann", {"default": ["reader"]})

    def calls(user):
        done = subprocess.run([sys.executable, "-c", CALL, f"unix:{folder}/engine"], user=user, group=user, extra_groups=[], cwd="/",
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    assert calls(NOBODY) == ["OK", "PERMISSION_DENIED"]
    assert calls(DAEMON) == ["UNAUTHENTICATED", "UNAUTHENTICATED"]
