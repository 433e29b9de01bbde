"""What executions go through: tasks, activities, timers, children, signals, and every way to end. The worker of these
scenarios is theirs (worker.py), so that both servers are told the same, and their histories can be compared event by
event.
"""

import asyncio

from scenario import scenario
from side import Side, payload, payloads
from temporalio.api.enums.v1 import EventType
from worker import (
    COMPLETE,
    FAILURE,
    activity,
    command,
    complete,
    describe,
    execution,
    history,
    schedule,
    signal,
    start,
    step,
    task,
    until,
    until_event,
)

FINAL = {"message": "no", "source": "test", "application_failure_info": {"type": "Bad", "non_retryable": True}}
FAIL = command("FAIL_WORKFLOW_EXECUTION", failure=FAILURE)


@scenario
async def plain(s: Side):
    """From start to end with nothing in between, and everything that can be read of it."""
    await start(s, workflow_task_timeout=None)
    await describe(s, label="scheduled")
    await history(s, label="history: scheduled")
    first = await task(s)
    await describe(s, label="started")
    await history(s, label="history: started")
    await complete(s, first, command("COMPLETE_WORKFLOW_EXECUTION", result=payloads("done")))
    await describe(s, label="closed")
    await history(s, label="history: closed")
    await history(s, label="history: page", maximum_page_size=2)
    await history(s, label="close event", history_event_filter_type="HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT")
    await history(
        s, label="close event, waiting", history_event_filter_type="HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT",
        wait_new_event=True,
    )  # fmt: skip
    await s.call("GetWorkflowExecutionHistoryReverse", execution=execution(s))
    await s.call("GetWorkflowExecutionHistoryReverse", label="reverse page", execution=execution(s), maximum_page_size=2)


@scenario
async def full_start(s: Side):
    """A start with everything in it."""
    await start(
        s,
        input=payloads("in"),
        workflow_execution_timeout={"seconds": 100},
        workflow_run_timeout={"seconds": 50},
        workflow_task_timeout={"seconds": 7},
        retry_policy={"initial_interval": {"seconds": 2}, "maximum_attempts": 3},
        memo={"fields": {"m": payload("memo")}},
        header={"fields": {"h": payload("header")}},
        user_metadata={"summary": payload("summary"), "details": payload("details")},
        priority={"priority_key": 2},
    )
    await describe(s)
    await task(s)
    await history(s)


@scenario
async def with_attributes(s: Side):
    text = {"metadata": {"encoding": b"json/plain", "type": b"Keyword"}, "data": b'"a"'}
    await s.call("AddSearchAttributes", record=False, search_attributes={"CustomKeywordField": "INDEXED_VALUE_TYPE_KEYWORD"})  # fmt: skip

    async def registered() -> bool:
        answer = await s.call("ListSearchAttributes", record=False)
        return answer.error is not None or "CustomKeywordField" in answer.custom_attributes

    await until(s, registered, "the attribute is there")
    await asyncio.sleep(0.5)
    await start(s, search_attributes={"indexed_fields": {"CustomKeywordField": text}})
    await step(
        s,
        command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES", search_attributes={"indexed_fields": {"CustomKeywordField": text}}),
        command("MODIFY_WORKFLOW_PROPERTIES", upserted_memo={"fields": {"m": payload("memo")}}),
        command("RECORD_MARKER", marker_name="mark", details={"d": payloads("x")}, header={"fields": {"h": payload("y")}}),
    )  # fmt: skip
    await describe(s)
    await history(s)


@scenario
async def lists(s: Side):
    await start(s, memo={"fields": {"m": payload("memo")}})
    await step(s, COMPLETE)
    await start(s, "-open")

    async def both() -> bool:
        found = await s.call("CountWorkflowExecutions", record=False, query=f"WorkflowId STARTS_WITH '{s.scenario}'")
        closed = await s.call("CountWorkflowExecutions", record=False, query=f"WorkflowId = '{s.id()}' AND CloseTime IS NOT NULL")  # fmt: skip
        return found.count == 2 and closed.count == 1

    await until(s, both, "both executions are listed")
    await s.call("ListWorkflowExecutions", label="closed", query=f"WorkflowId = '{s.id()}'")
    await s.call("ListWorkflowExecutions", label="open", query=f"WorkflowId = '{s.id('-open')}'")
    await s.call("ListWorkflowExecutions", label="none", query="WorkflowId = 'nobody'")
    await s.call("ListWorkflowExecutions", label="page", query=f"TaskQueue = '{s.queue}'", page_size=1)
    await s.call("CountWorkflowExecutions", label="count", query=f"TaskQueue = '{s.queue}'")
    await s.call("CountWorkflowExecutions", label="groups", query=f"TaskQueue = '{s.queue}' GROUP BY ExecutionStatus")
    await s.call("ListWorkflowExecutions", label="unknown attribute", query="Nonsense = 'x'")
    await s.call("ListWorkflowExecutions", label="no query at all", query="what is this")
    await s.call("CountWorkflowExecutions", label="unknown group", query="GROUP BY WorkflowType")


@scenario
async def activities(s: Side):
    """Through a failure, a backoff and a heartbeat to the result."""
    await start(s)
    await step(
        s,
        schedule(
            "a", s, input=payloads("in"), header={"fields": {"h": payload("header")}}, heartbeat_timeout={"seconds": 9},
            schedule_to_close_timeout={"seconds": 60}, start_to_close_timeout={"seconds": 10},
            retry_policy={"initial_interval": {"seconds": 1}, "maximum_attempts": 5},
        ),
    )  # fmt: skip
    await describe(s, label="scheduled")
    first = await activity(s, label="first")
    await describe(s, label="started")
    await s.call("RecordActivityTaskHeartbeat", label="heartbeat", task_token=first.task_token, details=payloads("half"), identity="a worker")  # fmt: skip
    await s.call("RecordActivityTaskHeartbeatById", label="heartbeat by id", workflow_id=s.id(), activity_id="a", details=payloads("half"), identity="a worker")  # fmt: skip
    await describe(s, label="heartbeat recorded")
    await s.call("RespondActivityTaskFailed", label="failed", task_token=first.task_token, failure=FAILURE, identity="a worker")  # fmt: skip
    await describe(s, label="backing off")
    again = await activity(s, label="second attempt")
    await describe(s, label="second attempt started")
    await s.call("RespondActivityTaskCompleted", label="result", task_token=again.task_token, result=payloads("out"), identity="a worker")  # fmt: skip
    await step(s, schedule("b", s, schedule_to_close_timeout={"seconds": 60}), label="another")
    second = await activity(s, label="another activity")
    await s.call("RespondActivityTaskFailed", label="final", task_token=second.task_token, failure=FINAL, identity="a worker")  # fmt: skip
    await step(s, COMPLETE, label="end")
    await history(s)


@scenario
async def activity_cancelled(s: Side):
    await start(s)
    await step(s, schedule("held", s), schedule("waiting", s, task_queue={"name": s.queue + "-nobody"}))
    held = await activity(s)
    scheduled = [e.event_id for e in (await history(s)).history.events if e.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]  # fmt: skip
    await signal(s)
    await step(s, *[command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=n) for n in scheduled], label="cancel")
    await describe(s, label="cancel requested")
    await s.call("RecordActivityTaskHeartbeat", label="heartbeat", task_token=held.task_token)
    await s.call("RespondActivityTaskCanceled", label="canceled", task_token=held.task_token, details=payloads("gone"), identity="a worker")  # fmt: skip
    await step(s, COMPLETE, label="end")
    await history(s, label="all")


@scenario
async def activity_by_id(s: Side):
    await start(s)
    retry = {"maximum_attempts": 1}
    await step(s, *[schedule(name, s, retry_policy=retry) for name in ("done", "failed", "canceled")])
    for _ in range(3):
        await activity(s, record=False)
    ids = {"workflow_id": s.id(), "identity": "a client"}
    await s.call("RespondActivityTaskCompletedById", activity_id="done", result=payloads("out"), **ids)
    await s.call("RespondActivityTaskFailedById", activity_id="failed", failure=FAILURE, **ids)
    await s.call("RespondActivityTaskCanceledById", activity_id="canceled", **ids)
    await history(s)


@scenario
async def timers(s: Side):
    await start(s)
    await step(
        s,
        command("START_TIMER", timer_id="short", start_to_fire_timeout={"seconds": 1}),
        command("START_TIMER", timer_id="long", start_to_fire_timeout={"seconds": 1000}),
    )
    await step(s, command("CANCEL_TIMER", timer_id="long"), label="fired")
    await history(s)


CHILD_FIELDS = {"workflow_type": {"name": "Child"}}


def child(s: Side, suffix: str, **fields) -> dict:
    return command("START_CHILD_WORKFLOW_EXECUTION", namespace="default", workflow_id=s.id(suffix), workflow_type={"name": "Child"}, task_queue={"name": s.queue + "-child"}, **fields)  # fmt: skip


@scenario
async def children(s: Side):
    await start(s)
    await step(
        s,
        child(s, "-c1", input=payloads("in"), header={"fields": {"h": payload("header")}}, memo={"fields": {"m": payload("m")}}, workflow_run_timeout={"seconds": 60}),
        child(s, "-c2", parent_close_policy="PARENT_CLOSE_POLICY_ABANDON"),
    )  # fmt: skip

    async def both() -> bool:
        answer = await s.call("GetWorkflowExecutionHistory", record=False, execution=execution(s))
        started = [e for e in answer.history.events if e.HasField("child_workflow_execution_started_event_attributes")]
        for event in started:
            child = event.child_workflow_execution_started_event_attributes.workflow_execution
            s.names.learn(child.run_id, "run of " + child.workflow_id)
        return len(started) == 2

    await until(s, both, "both children started")
    await describe(s, label="parent")
    await describe(s, "-c1", label="child")
    for _ in range(2):
        one = await task(s, queue=s.queue + "-child", record=False)
        end = COMPLETE if one.workflow_execution.workflow_id.endswith("c1") else FAIL
        await complete(s, one, end, label="child ends")
    await until_event(s, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
    await until_event(s, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
    await history(s, "-c1", label="child's history")
    answer = await s.call("GetWorkflowExecutionHistory", record=False, execution=execution(s))
    # When the two tell of themselves is no promise: by kind, not by place.
    for event in answer.history.events:
        for kind in ("initiated", "started", "completed", "failed"):
            field = f"child_workflow_execution_{kind}_event_attributes".replace(
                "child_workflow_execution_initiated", "start_child_workflow_execution_initiated"
            )
            if event.HasField(field):
                attributes = getattr(event, field)
                for name in ("started_event_id", "initiated_event_id"):
                    if name in attributes.DESCRIPTOR.fields_by_name:
                        setattr(attributes, name, 0)
                who = attributes.workflow_id if kind == "initiated" else attributes.workflow_execution.workflow_id
                from side import Answer

                s.note(f"{kind} {who}", Answer(attributes, None))


@scenario
async def child_ends(s: Side):
    """A child that is terminated, one that is cancelled, one that may not start, one whose namespace is unknown."""
    await start(s, "-taken", task_queue={"name": s.queue + "-other"})
    await start(s)
    await step(s, child(s, "-gone"), label="first")
    await step_when(s, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, child(s, "-taken"), label="taken")
    await until_event(s, EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
    await s.call("TerminateWorkflowExecution", workflow_execution=execution(s, "-gone"), reason="enough")
    await until_event(s, EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED)
    await history(s)
    await step(s, COMPLETE, label="end")


async def step_when(s: Side, event_type: int, *commands, label: str):
    await until_event(s, event_type)
    await step(s, *commands, label=label)


@scenario
async def external(s: Side):
    """Signals and cancellations for others: there, and not there."""
    await start(s, "-target", task_queue={"name": s.queue + "-target"})
    await start(s)
    signal_other = {"namespace": "default", "signal_name": "go", "input": payloads("in"), "header": {"fields": {"h": payload("x")}}, "control": "c"}  # fmt: skip
    await step(
        s, command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", execution={"workflow_id": s.id("-target")}, **signal_other)
    )
    await until_event(s, EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
    await step(s, command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", execution={"workflow_id": "nobody"}, **signal_other), label="nobody")  # fmt: skip
    await until_event(s, EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
    await step(s, command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", namespace="default", workflow_id=s.id("-target"), reason="why"), label="cancel")  # fmt: skip
    await until_event(s, EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    await step(s, command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", namespace="default", workflow_id="nobody"), label="cancel nobody")  # fmt: skip
    await until_event(s, EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
    await history(s)
    await history(s, "-target", label="the target's")


@scenario
async def signals(s: Side):
    await start(s)
    first = await task(s)
    await signal(s, input=payloads("in"), header={"fields": {"h": payload("x")}}, request_id="r")
    await signal(s, label="the same again", request_id="r")
    await history(s, label="buffered")
    await complete(s, first)
    await step(s, COMPLETE, label="end")
    await history(s)
    await signal(s, label="closed")
    await signal(s, label="no name", signal_name="")


@scenario
async def signal_with_start(s: Side):
    fields = {
        "workflow_id": s.id(), "workflow_type": {"name": "Flow"}, "task_queue": {"name": s.queue}, "signal_name": "go",
        "signal_input": payloads("in"), "identity": "a client", "input": payloads("first"),
    }  # fmt: skip
    await s.call("SignalWithStartWorkflowExecution", label="starts", request_id="r1", **fields)
    await s.call("SignalWithStartWorkflowExecution", label="again", request_id="r1", **fields)
    await s.call("SignalWithStartWorkflowExecution", label="signals", request_id="r2", **fields)
    await s.call("SignalWithStartWorkflowExecution", label="fail", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_FAIL", **fields)  # fmt: skip
    await s.call("SignalWithStartWorkflowExecution", label="no signal", **{**fields, "signal_name": ""})
    await history(s)
    await step(s, COMPLETE)
    await s.call("SignalWithStartWorkflowExecution", label="reject", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE", request_id="r3", **fields)  # fmt: skip


@scenario
async def start_policies(s: Side):
    """What a start means for a workflow id that is taken, or was."""
    await start(s)
    await start(s, label="same request")
    await start(s, label="fail", request_id="r2", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_FAIL")
    await start(s, label="default", request_id="r3")
    await start(s, label="use existing", request_id="r4", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING")  # fmt: skip
    await start(s, label="terminate", request_id="r5", workflow_id_conflict_policy="WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING")  # fmt: skip
    await history(s, label="of the new run")
    await step(s, COMPLETE, label="end")
    await start(s, label="same request, closed", request_id="r5")
    await start(s, label="reject", request_id="r6", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE")  # fmt: skip
    await start(s, label="failed only", request_id="r7", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY")  # fmt: skip
    await start(s, label="allow", request_id="r8", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE")
    await s.call("TerminateWorkflowExecution", workflow_execution=execution(s), reason="enough", details=payloads("d"), identity="a client")  # fmt: skip
    await start(s, label="failed only, failed", request_id="r9", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY")  # fmt: skip
    await start(s, label="terminate if running", request_id="r10", workflow_id_reuse_policy="WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING")  # fmt: skip


@scenario
async def eager(s: Side):
    await start(s, request_eager_execution=True)
    await history(s)


@scenario
async def delayed(s: Side):
    await start(s, workflow_start_delay={"seconds": 100})
    await describe(s)
    await history(s)
    await s.call("QueryWorkflow", label="query", execution=execution(s), query={"query_type": "state"}, timeout=3)


@scenario
async def cron(s: Side):
    await start(s, cron_schedule="@every 2s")
    await describe(s)
    first = await task(s)
    await complete(s, first, command("COMPLETE_WORKFLOW_EXECUTION", result=payloads("first")))
    await history(s, run_id=first.workflow_execution.run_id, label="first")
    second = await task(s, label="second task")
    await history(s, label="second")
    await complete(s, second, FAIL, label="second fails")
    await history(s, label="third")
    await s.call("TerminateWorkflowExecution", workflow_execution=execution(s))


@scenario
async def retried(s: Side):
    await start(s, retry_policy={"initial_interval": {"seconds": 1}, "maximum_attempts": 2})
    first = await task(s)
    await complete(s, first, FAIL)
    await history(s, run_id=first.workflow_execution.run_id, label="first")
    await describe(s, label="second, waiting")
    second = await task(s, label="second task")
    await complete(s, second, FAIL, label="second fails")
    await history(s, label="second")
    await describe(s, label="failed")


@scenario
async def continued(s: Side):
    await start(s, memo={"fields": {"m": payload("memo")}}, workflow_run_timeout={"seconds": 50})
    first = await task(s)
    await complete(
        s, first,
        command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", workflow_type={"name": "Flow"}, task_queue={"name": s.queue}, input=payloads("next"), workflow_run_timeout={"seconds": 40}),
    )  # fmt: skip
    s.names.learn((await s.call("DescribeWorkflowExecution", record=False, execution=execution(s))).workflow_execution_info.execution.run_id, "next run")  # fmt: skip
    await history(s, run_id=first.workflow_execution.run_id, label="first")
    await describe(s, run_id=first.workflow_execution.run_id, label="first, described")
    await task(s, label="second task")
    await history(s, label="second")
    await describe(s, label="second, described")


@scenario
async def cancelled(s: Side):
    await start(s)
    cancel = {"workflow_execution": execution(s), "identity": "a client", "reason": "why"}
    await s.call("RequestCancelWorkflowExecution", label="cancel", request_id="r1", **cancel)
    await s.call("RequestCancelWorkflowExecution", label="same", request_id="r1", **cancel)
    await s.call("RequestCancelWorkflowExecution", label="other", request_id="r2", **cancel)
    await describe(s, label="requested")
    await step(s, command("CANCEL_WORKFLOW_EXECUTION", details=payloads("gone")))
    await history(s)
    await describe(s, label="closed")
    await s.call("RequestCancelWorkflowExecution", label="closed", request_id="r3", **cancel)
    await s.call("TerminateWorkflowExecution", label="terminate", workflow_execution=execution(s))


@scenario
async def terminated(s: Side):
    await start(s)
    await s.call("TerminateWorkflowExecution", label="other chain", workflow_execution=execution(s), first_execution_run_id="11111111-2222-3333-4444-555555555555")  # fmt: skip
    await s.call("TerminateWorkflowExecution", workflow_execution=execution(s), reason="enough", details=payloads("d"), identity="a client")  # fmt: skip
    await history(s)
    await describe(s)
    await start(s, "-bare")
    await task(s)
    await s.call("TerminateWorkflowExecution", label="bare", workflow_execution=execution(s, "-bare"))
    await history(s, "-bare", label="bare history")


@scenario
async def timed_out(s: Side):
    await start(s, workflow_run_timeout={"seconds": 1})
    await until_event(s, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT)
    await history(s)
    await describe(s)


@scenario
async def task_times_out(s: Side):
    await start(s, workflow_task_timeout={"seconds": 1})
    await task(s)
    await until_event(s, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT)
    await history(s)
    await describe(s)
    await task(s, label="second attempt")
    await history(s, label="second attempt's history")
    await describe(s, label="second attempt described")


@scenario
async def task_fails(s: Side):
    await start(s)
    first = await task(s)
    fail = {"cause": "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE", "failure": FAILURE, "identity": "a worker"}  # fmt: skip
    await s.call("RespondWorkflowTaskFailed", label="fail", task_token=first.task_token, **fail)
    await s.call("RespondWorkflowTaskFailed", label="fail again", task_token=first.task_token, **fail)
    await history(s)
    second = await task(s, label="second attempt")
    await describe(s, label="second attempt described")
    await s.call("RespondWorkflowTaskFailed", label="second fails", task_token=second.task_token, **fail)
    await history(s, label="still the same")
    third = await task(s, label="third attempt")
    await s.call("QueryWorkflow", label="query", execution=execution(s), query={"query_type": "state"}, timeout=3)
    await complete(s, third, COMPLETE)
    await history(s, label="all")


BAD_COMMANDS = {
    "no activity id": command("SCHEDULE_ACTIVITY_TASK", task_queue={"name": "q"}, activity_type={"name": "A"}, start_to_close_timeout={"seconds": 1}),
    "no activity type": command("SCHEDULE_ACTIVITY_TASK", task_queue={"name": "q"}, activity_id="a", start_to_close_timeout={"seconds": 1}),
    "no timeout": command("SCHEDULE_ACTIVITY_TASK", task_queue={"name": "q"}, activity_id="a", activity_type={"name": "A"}),
    "negative timeout": command("SCHEDULE_ACTIVITY_TASK", task_queue={"name": "q"}, activity_id="a", activity_type={"name": "A"}, start_to_close_timeout={"seconds": -1}),
    "bad retry": command("SCHEDULE_ACTIVITY_TASK", task_queue={"name": "q"}, activity_id="a", activity_type={"name": "A"}, start_to_close_timeout={"seconds": 1}, retry_policy={"backoff_coefficient": 0.5}),
    "no timer id": command("START_TIMER", start_to_fire_timeout={"seconds": 1}),
    "negative timer": command("START_TIMER", timer_id="t", start_to_fire_timeout={"seconds": -1}),
    "cancel unknown timer": command("CANCEL_TIMER", timer_id="t"),
    "cancel no timer": command("CANCEL_TIMER"),
    "cancel unknown activity": command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=777),
    "fail without failure": command("FAIL_WORKFLOW_EXECUTION"),
    "no marker name": command("RECORD_MARKER"),
    "no search attributes": command("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES"),
    "no memo": command("MODIFY_WORKFLOW_PROPERTIES"),
    "no child id": command("START_CHILD_WORKFLOW_EXECUTION", workflow_type={"name": "C"}),
    "no child type": command("START_CHILD_WORKFLOW_EXECUTION", workflow_id="parity-child"),
    "no signalled": command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", signal_name="go"),
    "no signal name": command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", execution={"workflow_id": "nobody"}),
    "no cancelled": command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"),
    "continued badly": command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", workflow_run_timeout={"seconds": -1}),
    "no attributes": {"command_type": "COMMAND_TYPE_START_TIMER"},
    "unknown namespace": command("START_CHILD_WORKFLOW_EXECUTION", namespace="nobody", workflow_id="parity-child", workflow_type={"name": "C"}),
}  # fmt: skip


@scenario
async def bad_commands(s: Side):
    """What a command lacks is said to the worker, and written into the history for people."""

    async def one(number: int, label: str, bad: dict) -> None:
        queue = f"{s.queue}-{number}"
        await start(s, f"-{number}", label=f"{label}: start", task_queue={"name": queue})
        first = await task(s, queue=queue, record=False)
        await complete(s, first, bad, label=f"{label}: completed")
        await history(s, f"-{number}", label=f"{label}: history")

    for number, (label, bad) in enumerate(BAD_COMMANDS.items()):
        await one(number, label, bad)


@scenario
async def bad_order(s: Side):
    await start(s)
    first = await task(s)
    await complete(s, first, COMPLETE, command("START_TIMER", timer_id="t", start_to_fire_timeout={"seconds": 1}))
    await history(s)
    await start(s, "-2", task_queue={"name": s.queue + "-2"})
    second = await task(s, label="of the second", queue=s.queue + "-2")
    timer = command("START_TIMER", timer_id="t", start_to_fire_timeout={"seconds": 1})
    await complete(s, second, timer, timer, label="two timers")
    await history(s, "-2", label="two timers: history")
    await start(s, "-3", task_queue={"name": s.queue + "-3"})
    third = await task(s, label="of the third", queue=s.queue + "-3")
    await complete(s, third, schedule("a", s), schedule("a", s), label="two activities")
    await history(s, "-3", label="two activities: history")


@scenario
async def unhandled(s: Side):
    """The workflow wants to end, and there is news that it has not seen."""
    await start(s)
    first = await task(s)
    await signal(s)
    await complete(s, first, COMPLETE)
    await history(s)
    await step(s, COMPLETE, label="again")
    await history(s, label="all")


@scenario
async def sticky(s: Side):
    """A worker that keeps its runs."""
    await start(s)
    first = await task(s)
    keep = {"worker_task_queue": {"name": s.queue + "-sticky", "kind": "TASK_QUEUE_KIND_STICKY", "normal_name": s.queue}, "schedule_to_start_timeout": {"seconds": 5}}  # fmt: skip
    await complete(s, first, sticky_attributes=keep)

    async def polled():
        return await s.call("PollWorkflowTaskQueue", label="sticky task", task_queue={"name": s.queue + "-sticky", "kind": "TASK_QUEUE_KIND_STICKY", "normal_name": s.queue}, identity="a worker")  # fmt: skip

    waiting = asyncio.create_task(polled())
    await asyncio.sleep(0.3)
    await signal(s)
    got = await waiting
    await complete(s, got, label="sticky completed", sticky_attributes=keep)
    await s.call("ResetStickyTaskQueue", label="reset", execution=execution(s))
    await signal(s)
    await step(s, COMPLETE, label="end")
    await s.call("ResetStickyTaskQueue", label="closed", execution=execution(s))
    await history(s)


@scenario
async def heartbeating_task(s: Side):
    await start(s)
    first = await task(s)
    again = await complete(s, first, label="heartbeat", force_create_new_workflow_task=True, return_new_workflow_task=True)  # fmt: skip
    await complete(s, Wrapped(again.workflow_task), COMPLETE)
    await history(s)


class Wrapped:
    def __init__(self, message):
        self.task_token = message.task_token


@scenario
async def eager_activity(s: Side):
    await start(s)
    first = await task(s)
    await complete(s, first, schedule("a", s, request_eager_execution=True))
    await history(s)
