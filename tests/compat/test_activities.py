"""Goal: retries, timeouts, heartbeats and asynchronous completion of activities. Method: activities that fail and hang
on purpose; results, failures and events as the client sees them."""

import pathlib

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType
from temporalio.service import RPCError, RPCStatusCode

from conftest import eventually, events
from workflows import Call, Calls, CancelsActivity


async def run(client, queue, workflow_id, call):
    return await client.execute_workflow(Calls.run, call, id=workflow_id, task_queue=queue)


async def failure(client, queue, workflow_id, call) -> ActivityError:
    with pytest.raises(WorkflowFailureError) as error:
        await run(client, queue, workflow_id, call)
    assert isinstance(error.value.cause, ActivityError)
    return error.value.cause


async def test_retried_until_it_succeeds(client, worker, queue, new_id):
    handle = await client.start_workflow(Calls.run, Call("fail_until", [4]), id=new_id(), task_queue=queue)
    assert await handle.result() == 4
    started = [
        e.activity_task_started_event_attributes
        for e in (await handle.fetch_history()).events
        if e.HasField("activity_task_started_event_attributes")
    ]
    # Retries leave no events; the one Started event carries the last attempt and why the one before failed.
    assert [s.attempt for s in started] == [4]
    assert started[0].last_failure.message == "attempt 3"


async def test_attempts_are_limited(client, worker, queue, new_id):
    error = await failure(client, queue, new_id(), Call("fail_until", [9], attempts=3))
    assert error.retry_state.name == "MAXIMUM_ATTEMPTS_REACHED"
    assert (error.cause.message, error.cause.type, error.cause.details) == ("attempt 3", "NotYet", ("detail",))


async def test_non_retryable(client, worker, queue, new_id):
    error = await failure(client, queue, new_id(), Call("fail_for_good"))
    assert error.retry_state.name == "NON_RETRYABLE_FAILURE"
    assert isinstance(error.cause, ApplicationError) and error.cause.type == "Final"


async def test_next_retry_delay(client, worker, queue, new_id):
    assert await run(client, queue, new_id(), Call("fail_with_delay")) == "True"


async def test_start_to_close_timeout(client, worker, queue, new_id):
    error = await failure(client, queue, new_id(), Call("hang", start_to_close=0.3, attempts=2))
    assert isinstance(error.cause, TimeoutError) and error.cause.type == TimeoutType.START_TO_CLOSE


async def test_start_to_close_timeout_is_retried(client, worker, queue, new_id):
    assert await run(client, queue, new_id(), Call("hang_once", start_to_close=0.3)) == 2


async def test_schedule_to_start_timeout(client, worker, queue, new_id):
    error = await failure(client, queue, new_id(), Call("greet", ["x"], schedule_to_start=0.3, queue=queue + "-nobody"))
    assert isinstance(error.cause, TimeoutError) and error.cause.type == TimeoutType.SCHEDULE_TO_START


async def test_schedule_to_close_timeout(client, worker, queue, new_id):
    error = await failure(client, queue, new_id(), Call("hang", start_to_close=None, schedule_to_close=0.4))
    assert isinstance(error.cause, TimeoutError) and error.cause.type == TimeoutType.SCHEDULE_TO_CLOSE


async def test_heartbeat_timeout(client, worker, queue, new_id):
    error = await failure(client, queue, new_id(), Call("hang", start_to_close=60, heartbeat=0.3, attempts=2))
    assert isinstance(error.cause, TimeoutError) and error.cause.type == TimeoutType.HEARTBEAT


async def test_heartbeat_details_reach_the_next_attempt(client, worker, queue, new_id):
    assert await run(client, queue, new_id(), Call("count_by_heartbeat", heartbeat=5)) == [3, 6]


async def test_heartbeat_tells_of_cancellation(client, worker, queue, new_id, tmp_path):
    mark = str(tmp_path / "mark")
    handle = await client.start_workflow(CancelsActivity.run, args=[mark, True], id=new_id(), task_queue=queue)
    await eventually(lambda: exists(mark))
    await handle.signal(CancelsActivity.cancel_it)
    assert await handle.result() == "CancelledError"
    types = await events(handle)
    assert types.index("ACTIVITY_TASK_CANCEL_REQUESTED") < types.index("ACTIVITY_TASK_CANCELED")


async def test_cancelled_without_waiting(client, worker, queue, new_id, tmp_path):
    mark = str(tmp_path / "mark")
    handle = await client.start_workflow(CancelsActivity.run, args=[mark, False], id=new_id(), task_queue=queue)
    await eventually(lambda: exists(mark))
    await handle.signal(CancelsActivity.cancel_it)
    assert await handle.result() == "CancelledError"
    # The workflow is gone; the activity hears it by its next heartbeat.
    await eventually(lambda: exists(mark + ".cancelled"))


async def exists(path) -> bool:
    return pathlib.Path(path).exists()


async def test_completed_by_token(client, worker, queue, new_id, tmp_path):
    path = tmp_path / "token"
    handle = await client.start_workflow(
        Calls.run, Call("complete_elsewhere", [str(path)], heartbeat=30), id=new_id(), task_queue=queue
    )
    await eventually(lambda: exists(path))
    activity = client.get_async_activity_handle(task_token=path.read_bytes())
    await activity.heartbeat("half")
    assert (await handle.describe()).raw_description.pending_activities[0].HasField("heartbeat_details")
    await activity.complete("from elsewhere")
    assert await handle.result() == "from elsewhere"


async def test_completed_by_id(client, worker, queue, new_id, tmp_path):
    path = tmp_path / "token"
    handle = await client.start_workflow(
        Calls.run, Call("complete_elsewhere", [str(path)], activity_id="one"), id=new_id(), task_queue=queue
    )
    await eventually(lambda: exists(path))
    activity = client.get_async_activity_handle(workflow_id=handle.id, run_id=None, activity_id="one")
    await activity.complete("by id")
    assert await handle.result() == "by id"


async def test_failed_by_token(client, worker, queue, new_id, tmp_path):
    path = tmp_path / "token"
    handle = await client.start_workflow(
        Calls.run, Call("complete_elsewhere", [str(path)], attempts=1), id=new_id(), task_queue=queue
    )
    await eventually(lambda: exists(path))
    await client.get_async_activity_handle(task_token=path.read_bytes()).fail(ApplicationError("external"))
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert error.value.cause.cause.message == "external"


async def test_a_token_works_once(client, worker, queue, new_id, tmp_path):
    path = tmp_path / "token"
    handle = await client.start_workflow(
        Calls.run, Call("complete_elsewhere", [str(path)]), id=new_id(), task_queue=queue
    )
    await eventually(lambda: exists(path))
    await client.get_async_activity_handle(task_token=path.read_bytes()).complete("first")
    with pytest.raises(RPCError) as error:
        await client.get_async_activity_handle(task_token=path.read_bytes()).complete("second")
    assert error.value.status == RPCStatusCode.NOT_FOUND
    assert await handle.result() == "first"


async def test_pending_activity_is_described(client, worker, queue, new_id):
    handle = await client.start_workflow(Calls.run, Call("fail_until", [1000]), id=new_id(), task_queue=queue)

    async def retried():
        pending = (await handle.describe()).raw_description.pending_activities
        return pending and pending[0].attempt > 1 and pending[0]

    pending = await eventually(retried)
    assert pending.activity_type.name == "fail_until"
    assert pending.last_failure.message.startswith("attempt ")
    await handle.terminate()
