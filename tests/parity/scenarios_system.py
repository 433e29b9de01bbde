"""What the servers say about themselves, about namespaces and about task queues; and what every call answers to
requests that are wrong.
"""

from scenario import scenario
from side import Side, payloads
from temporalio.api.workflowservice.v1 import request_response_pb2 as ws_pb2
from worker import COMPLETE, activity, complete, execution, schedule, start, step, task

DAY = {"seconds": 86400}
NO_RUN = "11111111-2222-3333-4444-555555555555"


@scenario
async def system(s: Side):
    await s.call("GetSystemInfo")
    await s.call("GetClusterInfo")


@scenario
async def namespaces(s: Side):
    await s.call("DescribeNamespace", label="default")
    await s.call("DescribeNamespace", label="nobody's", namespace="nobody")
    await s.call("DescribeNamespace", label="nobody's id", namespace="", id=NO_RUN)
    await s.call("DescribeNamespace", label="none", namespace="")
    await s.call("RegisterNamespace", label="empty", namespace="")
    await s.call("RegisterNamespace", label="no retention", namespace=s.scenario)
    await s.call(
        "RegisterNamespace", label="short retention", namespace=s.scenario,
        workflow_execution_retention_period={"seconds": 60},
    )  # fmt: skip
    await s.call(
        "RegisterNamespace", label="add", namespace=s.scenario, description="for the test", owner_email="o@x",
        workflow_execution_retention_period=DAY, data={"key": "value"},
    )  # fmt: skip
    await s.call("RegisterNamespace", label="again", namespace=s.scenario, workflow_execution_retention_period=DAY)
    await s.call("DescribeNamespace", label="added", namespace=s.scenario)
    await s.call(
        "UpdateNamespace", label="update", namespace=s.scenario, update_info={"description": "new"},
        config={"workflow_execution_retention_ttl": {"seconds": 2 * 86400}},
    )  # fmt: skip
    await s.call("UpdateNamespace", label="update nobody's", namespace="nobody", update_info={"description": "new"})
    listed = await s.call("ListNamespaces", record=False)
    names = [n.namespace_info.name for n in listed.namespaces]
    assert {"default", s.scenario} <= set(names), names
    # Which comes first is chance: Temporal lists them by their ids, which are random.
    paged, token = [], b""
    while token or not paged:
        page = await s.call("ListNamespaces", record=False, page_size=1, next_page_token=token)
        assert len(page.namespaces) <= 1
        paged += [n.namespace_info.name for n in page.namespaces]
        token = page.next_page_token
    assert sorted(paged) == sorted(names)


@scenario
async def wrong_namespace(s: Side):
    """Every call that names a namespace, with one that does not exist, and without any."""
    for method in NAMESPACED:
        for label, namespace in (("nobody's", "nobody"), ("none", "")):
            await s.call(method, label=f"{method}: {label}", timeout=5, **{**filled(method, s), "namespace": namespace})


@scenario
async def unknown_run(s: Side):
    """Every call about a run, for one that does not exist: by workflow id, by run id, and with ids that are none."""
    for method, field in OF_RUNS.items():
        for label, ids in (
            ("unknown workflow", {"workflow_id": "nobody"}),
            ("unknown run", {"workflow_id": "nobody", "run_id": NO_RUN}),
            ("broken run id", {"workflow_id": "nobody", "run_id": "run"}),
            ("no ids", {}),
        ):
            await s.call(method, label=f"{method}: {label}", timeout=5, **{**filled(method, s), **named(field, ids)})


@scenario
async def bare(s: Side):
    """Every call with nothing but a namespace."""
    for method in NAMESPACED:
        if method in ("ListWorkflowExecutions", "CountWorkflowExecutions", "ListNamespaces"):
            continue
        await s.call(method, timeout=5)


@scenario
async def broken_tokens(s: Side):
    for method in WITH_TOKEN:
        await s.call(method, label=f"{method}: none")
        await s.call(method, label=f"{method}: broken", task_token=b"\xff\xff not a token")
    await s.call(
        "GetWorkflowExecutionHistory", label="history page", execution={"workflow_id": "x"}, next_page_token=b"\xff no"
    )
    await s.call("ListWorkflowExecutions", label="list page", next_page_token=b"\xff no")


@scenario
async def too_long(s: Side):
    long = "x" * 1001
    await start(s, label="workflow id", workflow_id=long)
    await start(s, label="request id", request_id=long)
    await start(s, label="type", workflow_type={"name": long})
    await start(s, label="queue", task_queue={"name": long})
    await s.call("PollWorkflowTaskQueue", label="polled queue", task_queue={"name": long})
    await start(s)
    await s.call("SignalWorkflowExecution", label="signal", workflow_execution=execution(s), signal_name=long)


@scenario
async def start_checks(s: Side):
    """Starts that are wrong in themselves."""
    wrong = {
        "no type": {"workflow_type": None},
        "no queue": {"task_queue": None},
        "negative execution timeout": {"workflow_execution_timeout": {"seconds": -1}},
        "negative run timeout": {"workflow_run_timeout": {"seconds": -1}},
        "negative task timeout": {"workflow_task_timeout": {"seconds": -1}},
        "negative delay": {"workflow_start_delay": {"seconds": -1}},
        "delay and cron": {"workflow_start_delay": {"seconds": 1}, "cron_schedule": "* * * * *"},
        "cron": {"cron_schedule": "each day"},
        "retry: negative interval": {"retry_policy": {"initial_interval": {"seconds": -1}}},
        "retry: small coefficient": {"retry_policy": {"backoff_coefficient": 0.5}},
        "retry: negative attempts": {"retry_policy": {"maximum_attempts": -1}},
        "retry: small maximum": {
            "retry_policy": {"initial_interval": {"seconds": 9}, "maximum_interval": {"seconds": 1}}
        },
        "both policies": {
            "workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING",
            "workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_FAIL",
        },
        "reject and terminate": {
            "workflow_id_reuse_policy": "WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE",
            "workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
        },
        "retry: longest coefficient": {"retry_policy": {"non_retryable_error_types": ["TemporalTimeout:Unknown"]}},
    }
    for label, fields in wrong.items():
        await start(s, label=label, **fields)


@scenario
async def task_queues(s: Side):
    queue = {"name": s.queue}
    await s.call("DescribeTaskQueue", label="never used", task_queue=queue)
    await start(s)
    await task(s)
    await s.call("DescribeTaskQueue", label="polled", task_queue=queue, report_stats=True)
    await s.call(
        "DescribeTaskQueue", label="activities", task_queue=queue, task_queue_type="TASK_QUEUE_TYPE_ACTIVITY"
    )
    await s.call(
        "DescribeTaskQueue", label="enhanced", task_queue=queue, api_mode="DESCRIBE_TASK_QUEUE_MODE_ENHANCED",
        task_queue_types=["TASK_QUEUE_TYPE_WORKFLOW", "TASK_QUEUE_TYPE_ACTIVITY"], report_pollers=True,
        report_stats=True,
    )  # fmt: skip
    await s.call(
        "DescribeTaskQueue", label="enhanced, no types", task_queue=queue,
        api_mode="DESCRIBE_TASK_QUEUE_MODE_ENHANCED", report_pollers=True, report_stats=True,
    )  # fmt: skip
    await s.call(
        "DescribeTaskQueue", label="enhanced, reachability", task_queue=queue,
        api_mode="DESCRIBE_TASK_QUEUE_MODE_ENHANCED", report_task_reachability=True,
    )  # fmt: skip
    await s.call("DescribeTaskQueue", label="no queue")
    await s.call("ListTaskQueuePartitions", task_queue=queue)
    await s.call("GetWorkerBuildIdCompatibility", task_queue=s.queue)
    await s.call("GetWorkerTaskReachability", label="reachability", build_ids=["b"], task_queues=[s.queue])
    await s.call("GetWorkerVersioningRules", task_queue=s.queue)
    await s.call("ListWorkerDeployments")
    await s.call(
        "ShutdownWorker", sticky_task_queue="sticky", identity="a worker", reason="the end"
    )


@scenario
async def empty_polls(s: Side):
    for method in ("PollWorkflowTaskQueue", "PollActivityTaskQueue", "PollNexusTaskQueue"):
        await s.call(method, task_queue={"name": s.queue}, identity="a worker", timeout=4)


@scenario
async def worker_heartbeats(s: Side):
    await s.call("RecordWorkerHeartbeat", identity="a worker", worker_heartbeat=[{"worker_instance_key": "key"}])


@scenario
async def closed_run(s: Side):
    """Every call about a run that is closed."""
    await start(s)
    first = await task(s)
    await complete(s, first, schedule("a", s))
    held = await activity(s)
    await s.call("TerminateWorkflowExecution", label="terminate", workflow_execution=execution(s), reason="enough")
    for method, field in OF_RUNS.items():
        if method != "DeleteWorkflowExecution":
            await s.call(method, timeout=5, **{**filled(method, s), **named(field, {"workflow_id": s.id()})})
    for method in WITH_TOKEN:
        if "Query" not in method:
            token = first.task_token if "Workflow" in method else held.task_token
            await s.call(method, label=f"{method} by token", **{**filled(method, s), "task_token": token})
    await s.call("DeleteWorkflowExecution", workflow_execution=execution(s))


@scenario
async def tokens_of_others(s: Side):
    """Tokens of tasks that are over, and of other things than the call is about."""
    await start(s)
    first = await task(s)
    await complete(s, first, schedule("a", s), schedule("b", s, task_queue={"name": s.queue + "-b"}))
    held = await activity(s, label="first activity")
    await s.call("RespondActivityTaskCompleted", label="done", task_token=held.task_token)
    for method in WITH_TOKEN:
        if "Query" in method:
            continue
        own, other = (first, held) if "Workflow" in method else (held, first)
        await s.call(method, label=f"{method}: over", **{**filled(method, s), "task_token": own.task_token})
        if "Workflow" not in method:
            continue
        await s.call(method, label=f"{method}: an activity's", **{**filled(method, s), "task_token": other.task_token})
    other = await activity(s, label="second activity", queue=s.queue + "-b")
    await s.call("RespondActivityTaskCanceled", label="nobody cancelled", task_token=other.task_token)
    await s.call("RespondActivityTaskCompletedById", label="unknown id", **{**filled("RespondActivityTaskCompletedById", s), "workflow_id": s.id(), "activity_id": "zzz"})  # fmt: skip
    await step(s, COMPLETE, label="end")


WITH_TOKEN = [
    "RespondWorkflowTaskCompleted", "RespondWorkflowTaskFailed", "RespondQueryTaskCompleted",
    "RecordActivityTaskHeartbeat", "RespondActivityTaskCompleted", "RespondActivityTaskFailed",
    "RespondActivityTaskCanceled",
]  # fmt: skip

# Where in the request a call names its run.
OF_RUNS = {
    "SignalWorkflowExecution": "workflow_execution",
    "RequestCancelWorkflowExecution": "workflow_execution",
    "TerminateWorkflowExecution": "workflow_execution",
    "QueryWorkflow": "execution",
    "UpdateWorkflowExecution": "workflow_execution",
    "PollWorkflowExecutionUpdate": "update_ref",
    "GetWorkflowExecutionHistory": "execution",
    "GetWorkflowExecutionHistoryReverse": "execution",
    "DescribeWorkflowExecution": "execution",
    "ResetStickyTaskQueue": "execution",
    "DeleteWorkflowExecution": "workflow_execution",
    "RecordActivityTaskHeartbeatById": "",
    "RespondActivityTaskCompletedById": "",
    "RespondActivityTaskFailedById": "",
    "RespondActivityTaskCanceledById": "",
}

NAMESPACED = [
    *OF_RUNS, *WITH_TOKEN, "StartWorkflowExecution", "ExecuteMultiOperation", "SignalWithStartWorkflowExecution",
    "ListWorkflowExecutions", "CountWorkflowExecutions", "PollWorkflowTaskQueue", "PollActivityTaskQueue",
    "PollNexusTaskQueue", "ShutdownWorker", "DescribeTaskQueue",
]  # fmt: skip


def named(field: str, ids: dict) -> dict:
    if field == "":
        return {"workflow_id": "", "run_id": "", **ids}
    if field == "update_ref":
        return {"update_ref": {"workflow_execution": ids, "update_id": "u"}}
    return {field: ids}


def filled(method: str, s: Side) -> dict:
    """What makes a request of this method right but for what the scenario is about."""
    fields = getattr(ws_pb2, method + "Request").DESCRIPTOR.fields_by_name
    out: dict = {}
    if "identity" in fields:
        out["identity"] = "a client"
    if "task_queue" in fields:
        out["task_queue"] = {"name": s.queue} if fields["task_queue"].message_type else s.queue
    if "workflow_type" in fields:
        out["workflow_type"] = {"name": "Flow"}
    if "workflow_id" in fields:
        out["workflow_id"] = s.id("-filled")
    if "signal_name" in fields:
        out["signal_name"] = "go"
    if "activity_id" in fields:
        out["activity_id"] = "a"
    if "failure" in fields:
        out["failure"] = {"message": "no", "application_failure_info": {"type": "T"}}
    if "task_token" in fields:
        out["task_token"] = b"\x0a\x02xx"
    match method:
        case "QueryWorkflow":
            out["query"] = {"query_type": "state"}
        case "UpdateWorkflowExecution":
            out["request"] = {"meta": {"update_id": "u"}, "input": {"name": "set", "args": payloads("1")}}
        case "RespondQueryTaskCompleted":
            out["completed_type"] = "QUERY_RESULT_TYPE_ANSWERED"
        case "RespondWorkflowTaskFailed":
            out["cause"] = "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE"
    return out


