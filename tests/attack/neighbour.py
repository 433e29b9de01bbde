"""A well-behaved client beside an attack: starts workflows and works them off over gRPC, reads over HTTP, a call every few
milliseconds, and notes how long each took. A program of its own: a line "SECONDS" on standard input is answered by a line of
JSON, {"seconds": [...], "errors": [...]}; it ends with its input.
"""

import http.client
import json
import sys
import threading
import time
import uuid

import grpc
from temporalio.api.enums.v1.command_type_pb2 import COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

PAUSE = 0.004
PATIENCE = 10
RECONNECT_EVERY = 20


class Notes:
    def __init__(self):
        self.lock = threading.Lock()
        self.seconds = []
        self.errors = []

    def call(self, what: str, action):
        begin = time.monotonic()
        try:
            return action()
        except grpc.RpcError as error:
            self.note_error(f"{what}: {error.code().name} {(error.details() or '')[:100]}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.note_error(f"{what}: {error!r:.120}")
        finally:
            with self.lock:
                self.seconds.append(time.monotonic() - begin)
            time.sleep(PAUSE)
        return None

    def note_error(self, text: str):
        with self.lock:
            self.errors.append(text)


def work(address: str, notes: Notes, end: float):
    """Starts a workflow on a queue of its own, takes its task, completes it, looks at it."""
    stub = WorkflowServiceStub(CHANNEL)
    queue = f"neighbour-{uuid.uuid4()}"
    while time.monotonic() < end:
        name = str(uuid.uuid4())
        start = messages.StartWorkflowExecutionRequest(namespace="default", workflow_id=name, request_id=name, identity="neighbour")
        start.workflow_type.name = "neighbour"
        start.task_queue.name = queue
        notes.call("start", lambda: stub.StartWorkflowExecution(start, timeout=PATIENCE))
        poll = messages.PollWorkflowTaskQueueRequest(namespace="default", identity="neighbour")
        poll.task_queue.name = queue
        task = notes.call("poll", lambda: stub.PollWorkflowTaskQueue(poll, timeout=PATIENCE))
        if task is None:
            continue
        if task.workflow_execution.workflow_id != name:
            notes.note_error(f"poll: the task of '{task.workflow_execution.workflow_id}' instead of '{name}'")
            continue
        done = messages.RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token, identity="neighbour")
        done.commands.add(command_type=COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION).complete_workflow_execution_command_attributes.SetInParent()
        notes.call("complete", lambda: stub.RespondWorkflowTaskCompleted(done, timeout=PATIENCE))
        look = messages.DescribeWorkflowExecutionRequest(namespace="default")
        look.execution.workflow_id = name
        notes.call("describe", lambda: stub.DescribeWorkflowExecution(look, timeout=PATIENCE))


def read(address: str, notes: Notes, end: float):
    """Pages of the HTTP API; a new connection now and then."""
    calls = 0
    connection = None
    while time.monotonic() < end:
        for path in ("/healthz", "/api/v1/runs?limit=5", "/api/v1/agents"):
            if connection is None or calls % RECONNECT_EVERY == 0:
                if connection:
                    connection.close()
                connection = http.client.HTTPConnection(address, timeout=PATIENCE)
            calls += 1

            def get(connection=connection, path=path):
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
                if response.status != 200:
                    raise ValueError(f"{response.status} {body[:80]!r}")
                return body

            if notes.call(f"GET {path}", get) is None:
                connection.close()
                connection = None


def measure(addresses, seconds: float) -> dict:
    notes = Notes()
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=work, args=(addresses["grpc"], notes, end)),
               threading.Thread(target=read, args=(addresses["http"], notes, end))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": notes.seconds, "errors": notes.errors}


if __name__ == "__main__":
    ADDRESSES = json.loads(sys.argv[1])
    CHANNEL = grpc.insecure_channel(ADDRESSES["grpc"])
    for line in sys.stdin:
        print(json.dumps(measure(ADDRESSES, float(line))), flush=True)
