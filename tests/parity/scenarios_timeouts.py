"""Which timeouts of activities are retried, and what the history says at the end: type, cause, last heartbeat, reason why
there is no other attempt. Each case is a run of its own; they wait together.
"""

import asyncio

from scenario import scenario
from side import Side, payloads
from temporalio.api.enums.v1 import EventType
from worker import activity, command, describe, execution, history, schedule, start, step, until_event

SECOND = {"seconds": 1}
LONG = {"seconds": 100}
FAST = {"initial_interval": {"seconds": 1}, "backoff_coefficient": 1}
FAILURE = {"message": "no", "application_failure_info": {"type": "Bad"}}


async def fail(s: Side, task) -> None:
    await s.call("RespondActivityTaskFailed", record=False, task_token=task.task_token, failure=FAILURE)


async def nothing(s: Side, take) -> None:
    """Nobody polls."""


async def one(s: Side, take) -> None:
    await take()


async def two(s: Side, take) -> None:
    await take()
    await take()


async def one_with_heartbeat(s: Side, take) -> None:
    task = await take()
    await s.call("RecordActivityTaskHeartbeat", record=False, task_token=task.task_token, details=payloads("half"))


async def failure_then_silence(s: Side, take) -> None:
    await fail(s, await take())
    await take()


async def failure(s: Side, take) -> None:
    await fail(s, await take())


# What the activity is given, and what its worker does.
CASES = {
    "start-to-close": ({"start_to_close_timeout": SECOND, "retry_policy": {**FAST, "maximum_attempts": 2}}, two),
    "start-to-close, once": ({"start_to_close_timeout": SECOND, "retry_policy": {"maximum_attempts": 1}}, one),
    "start-to-close, not to be retried": (
        {"start_to_close_timeout": SECOND, "retry_policy": {"non_retryable_error_types": ["TemporalTimeout:StartToClose"]}},
        one,
    ),
    "start-to-close, type without prefix": (
        {
            "start_to_close_timeout": SECOND,
            "retry_policy": {**FAST, "maximum_attempts": 2, "non_retryable_error_types": ["StartToClose"]},
        },
        two,
    ),
    "heartbeat": (
        {"start_to_close_timeout": LONG, "heartbeat_timeout": SECOND, "retry_policy": {**FAST, "maximum_attempts": 2}},
        two,
    ),
    "heartbeat, once": (
        {"start_to_close_timeout": LONG, "heartbeat_timeout": SECOND, "retry_policy": {"maximum_attempts": 1}},
        one_with_heartbeat,
    ),
    "heartbeat, not to be retried": (
        {
            "start_to_close_timeout": LONG,
            "heartbeat_timeout": SECOND,
            "retry_policy": {"non_retryable_error_types": ["TemporalTimeout:Heartbeat"]},
        },
        one,
    ),
    "schedule-to-start": ({"start_to_close_timeout": LONG, "schedule_to_start_timeout": SECOND}, nothing),
    "schedule-to-start of a second attempt": (
        {"start_to_close_timeout": LONG, "schedule_to_start_timeout": {"seconds": 2}, "retry_policy": FAST},
        failure,
    ),
    "schedule-to-close, not started": ({"schedule_to_close_timeout": SECOND}, nothing),
    "schedule-to-close, started": (
        {"schedule_to_close_timeout": {"seconds": 2}, "start_to_close_timeout": {"seconds": 2}},
        one,
    ),
    "schedule-to-close, with heartbeat": (
        {"schedule_to_close_timeout": {"seconds": 2}, "start_to_close_timeout": LONG, "heartbeat_timeout": LONG},
        one_with_heartbeat,
    ),
    "schedule-to-close after a failure": (
        {"schedule_to_close_timeout": {"seconds": 3}, "start_to_close_timeout": LONG, "retry_policy": FAST},
        failure_then_silence,
    ),
    "no time for another attempt": (
        {
            "schedule_to_close_timeout": {"seconds": 4},
            "start_to_close_timeout": SECOND,
            "retry_policy": {"initial_interval": {"seconds": 50}},
        },
        one,
    ),
    "start-to-close after a failure": (
        {"start_to_close_timeout": SECOND, "retry_policy": {**FAST, "maximum_attempts": 2}},
        failure_then_silence,
    ),
}


@scenario
async def activity_timeouts(s: Side):
    """The order of the calls differs by server; each case keeps its own."""

    async def case(number: int, label: str, fields: dict, act) -> None:
        suffix = f"-{number}"
        queue = {"name": f"{s.queue}{suffix}"}
        await start(s, suffix, task_queue=queue, label=f"{label}: start")

        async def take():
            return await activity(s, queue=queue["name"], record=False, timeout=20)

        task = await s.call("PollWorkflowTaskQueue", record=False, task_queue=queue)
        await s.call(
            "RespondWorkflowTaskCompleted", record=False, task_token=task.task_token,
            commands=[schedule("a", s, task_queue=queue, **fields)],
        )  # fmt: skip
        await act(s, take)
        await until_event(s, EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, suffix, timeout=20)
        await history(s, suffix, label=f"{label}: history")

    await asyncio.gather(*(case(n, label, *of) for n, (label, of) in enumerate(CASES.items())))


@scenario
async def no_time_after_failure(s: Side):
    """The failure stands where the retry would come after schedule-to-close."""
    await start(s)
    await step(
        s, schedule("a", s, schedule_to_close_timeout={"seconds": 4}, start_to_close_timeout=LONG, retry_policy={"initial_interval": {"seconds": 50}})
    )  # fmt: skip
    await fail(s, await activity(s))
    await history(s)


@scenario
async def timeout_after_cancellation(s: Side):
    """Who was asked to stop is not tried again."""
    await start(s)
    await step(s, schedule("a", s, start_to_close_timeout={"seconds": 2}))
    await activity(s)
    await s.call("SignalWorkflowExecution", workflow_execution=execution(s), signal_name="go")
    await step(s, command("REQUEST_CANCEL_ACTIVITY_TASK", scheduled_event_id=5), label="cancel")
    await describe(s)
    await until_event(s, EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
    await history(s)
