"""The workflows and activities that the tests run. One idea each."""

import asyncio
import pathlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

SOON = timedelta(seconds=10)


# Activities


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def echo(value: str) -> str:
    return value


@activity.defn
async def fail_until(attempt: int) -> int:
    if activity.info().attempt < attempt:
        raise ApplicationError(f"attempt {activity.info().attempt}", "detail", type="NotYet")
    return activity.info().attempt


@activity.defn
async def fail_for_good() -> None:
    raise ApplicationError("no use", type="Final", non_retryable=True)


@activity.defn
async def fail_with_delay() -> str:
    info = activity.info()
    if info.attempt == 1:
        raise ApplicationError("later", next_retry_delay=timedelta(milliseconds=300))
    return f"{(info.current_attempt_scheduled_time - info.scheduled_time).total_seconds() >= 0.3}"


@activity.defn
async def hang() -> str:
    await asyncio.sleep(3600)
    return "never"


@activity.defn
async def hang_once() -> int:
    if activity.info().attempt == 1:
        await asyncio.sleep(3600)
    return activity.info().attempt


@activity.defn
async def count_by_heartbeat() -> list[int]:
    """Each attempt counts on from the last heartbeat and dies at 2 and 4."""
    done = list(activity.info().heartbeat_details)
    for n in range(done[0] if done else 0, 6):
        activity.heartbeat(n + 1)
        if n + 1 in (2, 4):
            raise ApplicationError("died")
    return [activity.info().attempt, 6]


@activity.defn
async def beat_until_cancelled(mark: str) -> str:
    """Touches the file `mark` when it runs, then beats until the server says that it is cancelled."""
    pathlib.Path(mark).touch()
    try:
        while True:
            activity.heartbeat("alive")
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        pathlib.Path(mark + ".cancelled").touch()
        raise


@activity.defn
async def complete_elsewhere(path: str) -> str:
    pathlib.Path(path + ".part").write_bytes(activity.info().task_token)
    pathlib.Path(path + ".part").rename(path)
    activity.raise_complete_async()


@activity.defn
async def mark_attempt(path: str) -> int:
    """Writes down its attempt; the first attempt then hangs."""
    attempt = activity.info().attempt
    pathlib.Path(f"{path}.{attempt}").touch()
    while attempt == 1:
        activity.heartbeat()
        await asyncio.sleep(0.05)
    return attempt


# Workflows


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(greet, name, start_to_close_timeout=SOON)


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("broken", {"order": 7}, type="Broken", non_retryable=True)


@workflow.defn
class FailsTwice:
    @workflow.run
    async def run(self) -> int:
        if workflow.info().attempt < 3:
            raise ApplicationError(f"attempt {workflow.info().attempt}")
        return workflow.info().attempt


@dataclass
class Call:
    """Which activity to run and how; everything but the name may stay away."""

    name: str
    args: list | None = None
    start_to_close: float | None = 10
    schedule_to_start: float | None = None
    schedule_to_close: float | None = None
    heartbeat: float | None = None
    attempts: int = 0
    queue: str | None = None
    activity_id: str | None = None


def seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def start_call(call: Call, **options):
    return workflow.start_activity(
        call.name,
        args=call.args or [],
        start_to_close_timeout=seconds(call.start_to_close),
        schedule_to_start_timeout=seconds(call.schedule_to_start),
        schedule_to_close_timeout=seconds(call.schedule_to_close),
        heartbeat_timeout=seconds(call.heartbeat),
        task_queue=call.queue,
        activity_id=call.activity_id,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(milliseconds=20), backoff_coefficient=1.0, maximum_attempts=call.attempts
        ),
        **options,
    )


@workflow.defn
class Calls:
    """Runs one activity as told and returns its result."""

    @workflow.run
    async def run(self, call: Call) -> Any:
        return await start_call(call)


@workflow.defn
class Parallel:
    @workflow.run
    async def run(self, count: int) -> list[str]:
        calls = [workflow.start_activity(echo, str(n), start_to_close_timeout=SOON) for n in range(count)]
        return await asyncio.gather(*calls)


@workflow.defn
class Sequence:
    @workflow.run
    async def run(self, count: int) -> int:
        for n in range(count):
            await workflow.execute_activity(echo, str(n), start_to_close_timeout=SOON)
        return count


@workflow.defn
class Local:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_local_activity(greet, name, start_to_close_timeout=SOON)


@workflow.defn
class CancelsActivity:
    """Cancels its activity when signalled; returns what came of it."""

    def __init__(self) -> None:
        self.go = False

    @workflow.signal
    def cancel_it(self) -> None:
        self.go = True

    @workflow.run
    async def run(self, mark: str, wait: bool) -> str:
        kind = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED if wait else ActivityCancellationType.TRY_CANCEL
        call = start_call(Call("beat_until_cancelled", [mark], heartbeat=2), cancellation_type=kind)
        await workflow.wait_condition(lambda: self.go)
        call.cancel()
        try:
            return await call
        except ActivityError as e:
            return type(e.cause).__name__


@workflow.defn
class Timers:
    @workflow.run
    async def run(self) -> list[str]:
        order: list[str] = []

        async def sleep(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        begun = workflow.now()
        await asyncio.gather(sleep("c", 0.6), sleep("a", 0.1), sleep("b", 0.3))
        assert workflow.now() - begun >= timedelta(milliseconds=600)
        return order


@workflow.defn
class TimerCancelled:
    @workflow.run
    async def run(self) -> str:
        long = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0.05)
        long.cancel()
        try:
            await long
        except asyncio.CancelledError:
            return "cancelled"
        return "slept"


@workflow.defn
class Inbox:
    """Collects signals and updates until told to finish; shows them to queries."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.finished = False
        self.released = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.finished)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.items

    @workflow.signal
    def put(self, item: str) -> None:
        self.items.append(item)

    @workflow.signal
    def finish(self) -> None:
        self.finished = True

    @workflow.signal
    def release(self) -> None:
        self.released = True

    @workflow.query
    def count(self) -> int:
        return len(self.items)

    @workflow.query
    def broken(self) -> int:
        raise ApplicationError("query went wrong")

    @workflow.update
    async def add(self, item: str) -> int:
        self.items.append(item)
        return len(self.items)

    @add.validator
    def check_add(self, item: str) -> None:
        if not item:
            raise ApplicationError("an item needs a name", type="Empty")

    @workflow.update
    async def add_with_activity(self, item: str) -> str:
        answer = await workflow.execute_activity(echo, item, start_to_close_timeout=SOON)
        self.items.append(answer)
        return answer

    @workflow.update
    async def add_when_released(self, item: str) -> str:
        await workflow.wait_condition(lambda: self.released)
        self.items.append(item)
        return item

    @workflow.update
    async def add_broken(self) -> None:
        raise ApplicationError("update went wrong", type="Broken")


@workflow.defn
class Sleeper:
    """Waits for cancellation; cleans up with an activity."""

    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            shielded = workflow.execute_activity(echo, "cleaned", start_to_close_timeout=SOON)
            await asyncio.shield(shielded)
            raise
        return "slept"


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, child: str, arg: Any) -> Any:
        args = [] if arg is None else [arg]
        return await workflow.execute_child_workflow(child, args=args, id=f"{workflow.info().workflow_id}-child")


@workflow.defn
class ParentLeaves:
    """Starts a child and ends at once: the child's fate is the policy's."""

    @workflow.run
    async def run(self, policy: int) -> str:
        child = await workflow.start_child_workflow(
            "Inbox", id=f"{workflow.info().workflow_id}-child", parent_close_policy=ParentClosePolicy(policy)
        )
        return child.id


@workflow.defn
class ParentTalks:
    """Signals its child, then takes its result."""

    @workflow.run
    async def run(self) -> list[str]:
        child = await workflow.start_child_workflow(Inbox.run, id=f"{workflow.info().workflow_id}-child")
        await child.signal(Inbox.put, "from parent")
        await child.signal(Inbox.finish)
        return await child


@workflow.defn
class ParentCancels:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(Sleeper.run, id=f"{workflow.info().workflow_id}-child")
        child.cancel()
        try:
            return await child
        except Exception as e:
            return type(e.__cause__ or e).__name__


@workflow.defn
class Meddler:
    """Signals, then cancels another workflow."""

    @workflow.run
    async def run(self, other: str) -> str:
        handle = workflow.get_external_workflow_handle(other)
        await handle.signal("put", "from outside")
        await handle.cancel()
        try:
            await workflow.get_external_workflow_handle(other + "-absent").signal("put", "x")
        except ApplicationError as e:
            return e.type or "untyped"
        return "no error"


@workflow.defn
class CountDown:
    @workflow.run
    async def run(self, left: int, runs: list[str]) -> list[str]:
        runs.append(workflow.info().run_id)
        if left:
            workflow.continue_as_new(args=[left - 1, runs])
        return runs


@workflow.defn
class CountDownAlone:
    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return "done"


@workflow.defn
class Patched:
    @workflow.run
    async def run(self) -> str:
        return "new" if workflow.patched("better") else "old"


ACTIVITIES = [
    greet,
    echo,
    fail_until,
    fail_for_good,
    fail_with_delay,
    hang,
    hang_once,
    count_by_heartbeat,
    beat_until_cancelled,
    complete_elsewhere,
    mark_attempt,
]
WORKFLOWS = [
    Greeting,
    Failing,
    FailsTwice,
    Calls,
    Parallel,
    Sequence,
    Local,
    CancelsActivity,
    Timers,
    TimerCancelled,
    Inbox,
    Sleeper,
    Parent,
    ParentLeaves,
    ParentTalks,
    ParentCancels,
    Meddler,
    CountDown,
    CountDownAlone,
    Patched,
]
