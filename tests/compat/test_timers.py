"""Goal: durable timers fire in order and not early; timeouts of runs. Method: short timers, order and times checked."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import TimeoutError

from conftest import events
from workflows import Sleeper, Timers, TimerCancelled


async def test_timers_fire_in_order(client, worker, queue, new_id):
    handle = await client.start_workflow(Timers.run, id=new_id(), task_queue=queue)
    assert await handle.result() == ["a", "b", "c"]
    history = (await handle.fetch_history()).events
    started = {}
    for event in history:
        if event.HasField("timer_started_event_attributes"):
            timer = event.timer_started_event_attributes
            started[timer.timer_id] = event.event_time.ToNanoseconds() + timer.start_to_fire_timeout.ToNanoseconds()
        if event.HasField("timer_fired_event_attributes"):
            due = started.pop(event.timer_fired_event_attributes.timer_id)
            assert event.event_time.ToNanoseconds() >= due - 1_000_000
    assert not started


async def test_timer_cancelled(client, worker, queue, new_id):
    handle = await client.start_workflow(TimerCancelled.run, id=new_id(), task_queue=queue)
    assert await handle.result() == "cancelled"
    assert "TIMER_CANCELED" in await events(handle)


@pytest.mark.parametrize("option", ["execution_timeout", "run_timeout"])
async def test_run_times_out(client, worker, queue, new_id, option):
    options = {option: timedelta(seconds=1)}
    handle = await client.start_workflow(Sleeper.run, id=new_id(), task_queue=queue, **options)
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert isinstance(error.value.cause, TimeoutError)
    assert (await events(handle))[-1] == "WORKFLOW_EXECUTION_TIMED_OUT"


async def test_start_delay(client, worker, queue, new_id):
    handle = await client.start_workflow(
        Timers.run, id=new_id(), task_queue=queue, start_delay=timedelta(milliseconds=500)
    )
    await handle.result()
    first, second = (await handle.fetch_history()).events[:2]
    assert second.event_time.ToMilliseconds() - first.event_time.ToMilliseconds() >= 490
