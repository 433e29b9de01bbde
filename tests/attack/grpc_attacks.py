"""Attacks over gRPC, by a stock client whose requests are too much."""

import os
import random
import struct
import time
import uuid

import grpc
from temporalio.api.enums.v1.command_type_pb2 import COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1.service_pb2_grpc import WorkflowServiceStub

import h2
from h2 import SERVICE
from plan import Attack, Counts, Target, Window

MIB = 1 << 20
MESSAGE_PREFIX = 5
CANCEL = struct.pack(">I", 8)


def channel(target: Target):
    return grpc.insecure_channel(target.grpc, options=[
        ("grpc.max_send_message_length", 64 * MIB), ("grpc.max_receive_message_length", 64 * MIB),
        ("grpc.use_local_subchannel_pool", 1)])


def stub(target: Target) -> WorkflowServiceStub:
    return WorkflowServiceStub(channel(target))


def outcome(future) -> str:
    if future.cancelled():
        return "CANCELLED"
    error = future.exception()
    return "OK" if error is None else error.code().name


def keep_open(window: Window, counts: Counts, at_once: int, start):
    """Calls start() again and again, `at_once` open at a time; what is open at the end is cancelled."""
    calls = []
    while window.open():
        counts.update(outcome(call) for call in calls if call.done())
        calls = [call for call in calls if not call.done()]
        if len(calls) >= at_once:
            time.sleep(0.02)
        for _ in range(min(at_once - len(calls), 50)):
            calls.append(start())
            counts["sent"] += 1
    counts["left open"] = sum(not call.done() for call in calls)
    for call in calls:
        call.cancel()


def try_all(window: Window, counts: Counts, call, requests):
    """Each request, one after the other, for as long as there is time."""
    for request in requests:
        if not window.open():
            return
        counts["sent"] += 1
        try:
            call(request, timeout=10)
            counts["OK"] += 1
        except grpc.RpcError as error:
            counts[error.code().name] += 1


def poll_request(queue: str, identity: str = "attacker"):
    request = messages.PollWorkflowTaskQueueRequest(namespace="default", identity=identity)
    request.task_queue.name = queue
    return request


def start_request(name: str, queue: str):
    request = messages.StartWorkflowExecutionRequest(namespace="default", workflow_id=name, request_id=name, identity="attacker")
    request.workflow_type.name = "attacked"
    request.task_queue.name = queue
    return request


# ---- memory


def big_identities(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    service = stub(target)
    identity = "A" * (15 * MIB)
    queues = iter(range(10**9))
    keep_open(window, counts, 80, lambda: service.PollWorkflowTaskQueue.future(
        poll_request(f"big-{number}-{next(queues)}", identity), timeout=60))
    return counts


def middling_identities(target: Target, window: Window, number: int) -> Counts:
    """Fields of a size that nobody refuses, in very many polls."""
    counts = Counts()
    service = stub(target)
    queues = iter(range(10**9))
    keep_open(window, counts, 4000, lambda: service.PollActivityTaskQueue.future(
        activity_poll(f"middling-{number}-{next(queues)}", "i" * 900), timeout=60))
    return counts


def activity_poll(queue: str, identity: str = "attacker"):
    request = messages.PollActivityTaskQueueRequest(namespace="default", identity=identity)
    request.task_queue.name = queue
    return request


def queue_names(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    service = stub(target)
    queues = iter(range(10**9))
    keep_open(window, counts, 200, lambda: service.PollActivityTaskQueue.future(
        activity_poll(f"{number}-{next(queues)}-" + "q" * 900, "i" * 900), timeout=0.05))
    return counts


def namespaces(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    service = stub(target)

    def requests():
        for i in range(10**6):
            for size in (15 * MIB, MIB, 64 * 1024, 4000):
                request = messages.RegisterNamespaceRequest(
                    namespace=f"attack-{number}-{uuid.uuid4()}", description="d" * size, owner_email="o" * min(size, MIB))
                request.data["team"] = "t" * min(size, MIB)
                request.workflow_execution_retention_period.seconds = 86400
                yield request

    try_all(window, counts, service.RegisterNamespace, requests())
    return counts


def namespaces_are_listed(target: Target, counts: Counts) -> list[str]:
    names, token, service = 0, b"", stub(target)
    try:
        while True:
            page = service.ListNamespaces(messages.ListNamespacesRequest(page_size=100, next_page_token=token), timeout=20)
            names += len(page.namespaces)
            token = page.next_page_token
            if not token:
                break
    except grpc.RpcError as error:
        return [f"ListNamespaces: {error.code().name} {error.details()[:80]}"]
    return [] if names > counts["OK"] else [f"{names} namespaces are listed, {counts['OK']} were made"]


def parked_workflow(target: Target) -> dict:
    """A workflow whose first task is done and whose worker has gone: queries wait for it."""
    service = stub(target)
    service.StartWorkflowExecution(start_request("queried", "queried"), timeout=10)
    task = service.PollWorkflowTaskQueue(poll_request("queried"), timeout=10)
    service.RespondWorkflowTaskCompleted(
        messages.RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token), timeout=10)
    return {}


def big_queries(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    service = stub(target)

    def start():
        request = messages.QueryWorkflowRequest(namespace="default")
        request.execution.workflow_id = "queried"
        request.query.query_type = "state"
        request.query.query_args.payloads.add().data = b"B" * random.choice((15 * MIB, 2 * MIB - 1000))
        return service.QueryWorkflow.future(request, timeout=30)

    keep_open(window, counts, 60, start)
    return counts


def big_inputs(target: Target, window: Window, number: int) -> Counts:
    """Starts and signals of the largest size that is allowed."""
    counts = Counts()
    service = stub(target)
    begun = []

    def start():
        data = os.urandom(2 * MIB - 1000)
        if begun and random.random() < 0.5:
            signal = messages.SignalWorkflowExecutionRequest(namespace="default", signal_name="s", request_id=str(uuid.uuid4()))
            signal.workflow_execution.workflow_id = random.choice(begun)
            signal.input.payloads.add().data = data
            return service.SignalWorkflowExecution.future(signal, timeout=20)
        request = start_request(f"input-{number}-{uuid.uuid4()}", "inputs")
        request.input.payloads.add().data = data
        begun.append(request.workflow_id)
        return service.StartWorkflowExecution.future(request, timeout=20)

    keep_open(window, counts, 12, start)
    return counts


def long_history(target: Target) -> dict:
    service = stub(target)
    request = start_request("read", "read")
    request.input.payloads.add().data = os.urandom(2 * MIB - 1000)
    service.StartWorkflowExecution(request, timeout=10)
    for _ in range(12):
        signal = messages.SignalWorkflowExecutionRequest(namespace="default", signal_name="s", request_id=str(uuid.uuid4()))
        signal.workflow_execution.workflow_id = "read"
        signal.input.payloads.add().data = os.urandom(2 * MIB - 1000)
        service.SignalWorkflowExecution(signal, timeout=10)
    return {}


def big_replies(target: Target, window: Window, number: int) -> Counts:
    """Histories of 26 MB, read by many at once."""
    counts = Counts()
    service = stub(target)
    request = messages.GetWorkflowExecutionHistoryRequest(namespace="default", maximum_page_size=1000)
    request.execution.workflow_id = "read"
    keep_open(window, counts, 40, lambda: service.GetWorkflowExecutionHistory.future(request, timeout=20))
    return counts


# ---- waiting


def client_waits(target: Target, window: Window, number: int) -> Counts:
    """Clients that wait for the end of a workflow, in thousands; the neighbour polls for tasks meanwhile."""
    counts = Counts()
    service = stub(target)
    request = messages.GetWorkflowExecutionHistoryRequest(namespace="default", wait_new_event=True, history_event_filter_type=2)
    request.execution.workflow_id = "queried"
    keep_open(window, counts, 5000, lambda: service.GetWorkflowExecutionHistory.future(request, timeout=60))
    return counts


def schedule(service, name: str, queue: str):
    """A workflow whose one activity waits on `queue`."""
    service.StartWorkflowExecution(start_request(name, f"{queue}-workflows"), timeout=10)
    task = service.PollWorkflowTaskQueue(poll_request(f"{queue}-workflows"), timeout=10)
    request = messages.RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token)
    command = request.commands.add(command_type=COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK)
    activity = command.schedule_activity_task_command_attributes
    activity.activity_id = "1"
    activity.activity_type.name = "attacked"
    activity.task_queue.name = queue
    activity.start_to_close_timeout.seconds = 600
    return service.RespondWorkflowTaskCompleted.future(request, timeout=10)


def vanishing_polls(target: Target, window: Window, number: int) -> Counts:
    """Polls whose client goes at the moment at which they get a task: frames by hand, since a client library may say that it
    was cancelled though it has read the answer."""
    counts = Counts()
    service = stub(target)
    connection = h2.Connection(target.grpc)
    queue = f"vanishing-{number}"
    dice = random.Random(number)
    while window.open():
        stream = connection.begin("PollActivityTaskQueue")
        connection.send(h2.frame(h2.DATA, h2.END_STREAM, stream, h2.message(activity_poll(queue).SerializeToString())))
        time.sleep(0.004)
        done = schedule(service, str(uuid.uuid4()), queue)
        counts["scheduled"] += 1
        time.sleep(dice.random() * 0.002)
        connection.read()
        if stream in connection.ended and connection.bytes_of.get(stream, 0) > MESSAGE_PREFIX:
            counts["taken"] += 1
        else:
            connection.send(h2.frame(h2.RST_STREAM, 0, stream, CANCEL))
            counts["vanished"] += 1
        done.result()
    connection.close()
    return counts


def nothing_vanished(target: Target, counts: Counts) -> list[str]:
    """Every task whose poll went is given to the next one, long before start-to-close."""
    service = stub(target)
    left = counts["scheduled"] - counts["taken"]
    got = 0
    end = time.monotonic() + 20
    while got < left and time.monotonic() < end:
        before = got
        for number in range(2):
            try:
                task = service.PollActivityTaskQueue(activity_poll(f"vanishing-{number}"), timeout=1)
                got += bool(task.task_token)
            except grpc.RpcError:
                pass
        if got == before and time.monotonic() > end - 10:
            break
    return [] if got >= left else [f"{left - got} of {left} tasks are lost until start-to-close"]


# ---- what is asked


def attributes(target: Target, window: Window, number: int) -> Counts:
    """Search attributes of every type under one name, and lists by them."""
    counts = Counts()
    service = stub(target)
    values = [b"1", b'"word"', b"true", b"1.5", b'["a","b"]', b'"2026-01-01T00:00:00Z"', b"null", b"{}", b"[[1]]", b"\xff", b'"' + b"x" * 3000 + b'"']
    names = ["CustomKeywordField", "CustomIntField", "CustomBoolField", "CustomDatetimeField", "Unheard", "", "a'b", "WorkflowId"]

    def requests():
        while True:
            for name in names:
                for value in values:
                    request = start_request(str(uuid.uuid4()), "attributes")
                    field = request.search_attributes.indexed_fields[name]
                    field.data = value
                    field.metadata["encoding"] = b"json/plain"
                    if random.random() < 0.3:
                        field.metadata["type"] = random.choice((b"Int", b"Keyword", b"Text", b"Nothing"))
                    yield request

    try_all(window, counts, service.StartWorkflowExecution, requests())
    return counts


def all_are_found(target: Target, counts: Counts) -> list[str]:
    service = stub(target)
    request = messages.CountWorkflowExecutionsRequest(namespace="default", query="TaskQueue = 'attributes'")
    try:
        found = service.CountWorkflowExecutions(request, timeout=20).count
    except grpc.RpcError as error:
        return [f"CountWorkflowExecutions: {error.code().name} {error.details()[:80]}"]
    return [] if found >= counts["OK"] else [f"{found} executions are found, {counts['OK']} were started"]


def filters(target: Target, window: Window, number: int) -> Counts:
    """List filters that are deep, long, wrong, or slow."""
    counts = Counts()
    service = stub(target)
    texts = ["(" * 5000, "NOT " * 5000 + "WorkflowId = 'a'", " OR ".join(f"WorkflowId = '{i}'" for i in range(3000)),
             "WorkflowId IN (" + ",".join(f"'{i}'" for i in range(3000)) + ")", "WorkflowId = '\0'", "WorkflowId STARTS_WITH '%'",
             "StartTime > '9999-99-99'", "ExecutionDuration > '99999999999h'", "WorkflowId = 'a' ORDER BY " + ",".join(["StartTime"] * 50),
             "CloseTime BETWEEN 1e400 AND -1e400", "WorkflowType != 'neighbour' AND WorkflowId != 'x'", "WorkflowId = 'a\\"]

    def requests():
        while True:
            for text in texts:
                for token in (b"", b"\xff" * 100, os.urandom(500)):
                    yield messages.ListWorkflowExecutionsRequest(namespace="default", query=text, page_size=1000, next_page_token=token)

    try_all(window, counts, service.ListWorkflowExecutions, requests())
    return counts


def garbage(target: Target, window: Window, number: int) -> Counts:
    """Bytes that are no message, deep messages, unknown fields, to every method."""
    counts = Counts()
    line = channel(target)
    nested = b""
    for _ in range(2000):
        nested = b"\x22" + varint(len(nested)) + nested
    bodies = [os.urandom(5000), b"\x0a\xff\xff\xff\xff\x07abc", b"\xfa\x3e" + varint(4 * MIB) + b"x" * (4 * MIB), b"\x12" + varint(len(nested)) + nested,
              b"\x0b" * 200_000, b"x" * (17 * MIB), b"\x0a\x02\xff\xfe", b""]
    methods = [name for name in vars(WorkflowServiceStub(line)) if name[0].isupper()]
    dice = random.Random(number)
    while window.open():
        call = line.unary_unary(SERVICE + dice.choice(methods))
        counts["sent"] += 1
        try:
            call(dice.choice(bodies), timeout=0.3)
            counts["OK"] += 1
        except grpc.RpcError as error:
            counts[error.code().name] += 1
    return counts


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def due_together(target: Target, window: Window, number: int) -> Counts:
    counts = Counts()
    service = stub(target)
    due = time.time() + max(1.0, window.left() - 2)

    def start():
        request = start_request(str(uuid.uuid4()), "due")
        request.workflow_start_delay.FromNanoseconds(int(max(0.2, due - time.time()) * 1e9))
        return service.StartWorkflowExecution.future(request, timeout=20)

    keep_open(window, counts, 300, start)
    return counts


def complete_all(target: Target, window: Window, number: int) -> Counts:
    """Commands that no worker would send, for tasks that are real."""
    counts = Counts()
    service = stub(target)
    queue = f"commands-{number}"
    while window.open():
        service.StartWorkflowExecution(start_request(str(uuid.uuid4()), queue), timeout=10)
        task = service.PollWorkflowTaskQueue(poll_request(queue), timeout=10)
        request = messages.RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token)
        for kind in range(0, 20):
            request.commands.add(command_type=kind)
        request.commands.add(command_type=COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION).complete_workflow_execution_command_attributes.SetInParent()
        counts["sent"] += 1
        try:
            service.RespondWorkflowTaskCompleted(request, timeout=10)
            counts["OK"] += 1
        except grpc.RpcError as error:
            counts[error.code().name] += 1
    return counts


ATTACKS = [
    Attack("big-identities", "polls whose identity has 15 MB, 160 at a time", big_identities),
    Attack("many-polls", "8,000 polls of 8,000 queues, each as large as is allowed", middling_identities),
    Attack("queue-names", "polls of ever new queues with long names", queue_names),
    Attack("namespaces", "namespaces with long descriptions", namespaces, check=namespaces_are_listed),
    Attack("big-queries", "queries of 2 and 15 MB to a worker that has gone", big_queries, prepare=parked_workflow),
    Attack("big-inputs", "starts and signals of 2 MB", big_inputs),
    Attack("big-replies", "histories of 26 MB, 80 readers", big_replies, prepare=long_history),
    Attack("client-waits", "10,000 clients that wait for a workflow's end", client_waits, prepare=parked_workflow),
    Attack("vanishing-polls", "polls whose client goes when the task comes", vanishing_polls, check=nothing_vanished),
    Attack("attributes", "search attributes of every type under one name", attributes, check=all_are_found),
    Attack("filters", "list filters that are deep, long or wrong", filters),
    Attack("garbage-messages", "bytes that are no message, to every method", garbage),
    Attack("due-together", "starts that fall due at one moment", due_together),
    Attack("odd-commands", "commands without their attributes", complete_all),
]
