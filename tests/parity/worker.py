"""A worker without an SDK: it takes tasks and answers them with the commands that a scenario names."""

import asyncio

from side import Answer, Side


async def start(s: Side, suffix: str = "", /, *, label: str = "start", **fields) -> Answer:
    fields.setdefault("workflow_id", s.id(suffix))
    fields.setdefault("workflow_type", {"name": "Flow"})
    fields.setdefault("task_queue", {"name": s.queue})
    fields.setdefault("request_id", f"request-of-{fields['workflow_id']}")
    fields.setdefault("identity", "a client")
    # Longer than the default, so that a busy machine does not end tasks of ours.
    fields.setdefault("workflow_task_timeout", {"seconds": 60})
    return await s.call("StartWorkflowExecution", label=label, **fields)


def execution(s: Side, suffix: str = "", run_id: str = "") -> dict:
    return {"workflow_id": s.id(suffix), "run_id": run_id}


async def task(s: Side, *, label: str = "task", queue: str = "", record: bool = True, timeout: float = 12) -> Answer:
    """The next workflow task, which there must be."""
    answer = await s.call(
        "PollWorkflowTaskQueue",
        label=label,
        record=record,
        timeout=timeout,
        task_queue={"name": queue or s.queue},
        identity="a worker",
    )
    assert answer.task_token, f"{s.name}: no workflow task came for {label}"
    return answer


async def activity(s: Side, *, label: str = "activity", queue: str = "", record: bool = True, timeout: float = 12) -> Answer:
    answer = await s.call(
        "PollActivityTaskQueue",
        label=label,
        record=record,
        timeout=timeout,
        task_queue={"name": queue or s.queue},
        identity="a worker",
    )
    assert answer.task_token, f"{s.name}: no activity came for {label}"
    return answer


async def complete(s: Side, task: Answer, *commands: dict, label: str = "completed", **fields) -> Answer:
    return await s.call(
        "RespondWorkflowTaskCompleted",
        label=label,
        task_token=task.task_token,
        commands=list(commands),
        identity="a worker",
        **fields,
    )


async def step(s: Side, *commands: dict, label: str = "step", **fields) -> Answer:
    """Takes the next workflow task and answers it."""
    return await complete(s, await task(s, label=label + ": task"), *commands, label=label + ": completed", **fields)


async def history(s: Side, suffix: str = "", run_id: str = "", *, label: str = "history", **fields) -> Answer:
    return await s.call(
        "GetWorkflowExecutionHistory", label=label, execution=execution(s, suffix, run_id), **fields
    )


async def describe(s: Side, suffix: str = "", run_id: str = "", *, label: str = "describe") -> Answer:
    answer = await s.call("DescribeWorkflowExecution", record=False, execution=execution(s, suffix, run_id))
    # Temporal lists what is pending in the order of a hash table, another one each time.
    if answer.message is not None:
        answer.message.pending_children.sort(key=lambda child: child.initiated_id)
        answer.message.pending_activities.sort(key=lambda activity: activity.activity_id)
    s.note(label, answer)
    return answer


async def until(s: Side, check, what: str, timeout: float = 15) -> None:
    """Waits, off the record, until `check` says true of the run's description."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while not await check():
        assert loop.time() < deadline, f"{s.name}: not in time: {what}"
        await asyncio.sleep(0.05)


async def signal(s: Side, suffix: str = "", /, *, label: str = "signal", **fields):
    fields.setdefault("signal_name", "go")
    return await s.call("SignalWorkflowExecution", label=label, workflow_execution=execution(s, suffix), identity="a client", **fields)  # fmt: skip


async def until_event(s: Side, event_type: int, suffix: str = "", run_id: str = "", timeout: float = 15) -> None:
    async def there() -> bool:
        answer = await s.call(
            "GetWorkflowExecutionHistory", record=False, execution=execution(s, suffix, run_id)
        )
        return any(event.event_type == event_type for event in answer.history.events)

    await until(s, there, f"event {event_type}", timeout)


def command(kind: str, **attributes) -> dict:
    """command("START_TIMER", timer_id="1", ...)"""
    field = kind.lower() + "_command_attributes"
    return {"command_type": "COMMAND_TYPE_" + kind, field: attributes}


def schedule(activity_id: str, s: Side, **fields) -> dict:
    fields.setdefault("activity_type", {"name": "Act"})
    fields.setdefault("task_queue", {"name": s.queue})
    if not any(name.endswith("_to_close_timeout") for name in fields):
        fields["start_to_close_timeout"] = {"seconds": 10}
    return command("SCHEDULE_ACTIVITY_TASK", activity_id=activity_id, **fields)


COMPLETE = command("COMPLETE_WORKFLOW_EXECUTION")
FAILURE = {"message": "no", "source": "test", "application_failure_info": {"type": "Bad"}}
