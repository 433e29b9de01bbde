"""Goal: cancellation, termination and continue-as-new. Method: as a client asks for them, with the events they leave."""

import pytest
from temporalio.client import WorkflowContinuedAsNewError, WorkflowFailureError
from temporalio.exceptions import CancelledError, TerminatedError
from temporalio.service import RPCError, RPCStatusCode

from conftest import eventually, events, new_worker
from workflows import CountDown, Sleeper


async def running(client, queue, workflow_id):
    """A sleeper that sleeps."""
    handle = await client.start_workflow(Sleeper.run, id=workflow_id, task_queue=queue)

    async def asleep():
        return "TIMER_STARTED" in await events(handle)

    await eventually(asleep)
    return handle


async def test_cancelled_after_cleaning_up(client, worker, queue, new_id):
    handle = await running(client, queue, new_id())
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert isinstance(error.value.cause, CancelledError)
    types = await events(handle)
    assert types.index("WORKFLOW_EXECUTION_CANCEL_REQUESTED") < types.index("ACTIVITY_TASK_COMPLETED")
    assert types[-1] == "WORKFLOW_EXECUTION_CANCELED"


async def test_cancelled_before_a_worker_came(client, queue, new_id):
    handle = await client.start_workflow(Sleeper.run, id=new_id(), task_queue=queue)
    await handle.cancel()
    async with new_worker(client, queue):
        with pytest.raises(WorkflowFailureError) as error:
            await handle.result()
    assert isinstance(error.value.cause, CancelledError)


async def test_cancel_twice_is_one_request(client, worker, queue, new_id):
    handle = await running(client, queue, new_id())
    await handle.cancel()
    try:
        await handle.cancel()
    except RPCError as e:
        assert e.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert (await events(handle)).count("WORKFLOW_EXECUTION_CANCEL_REQUESTED") == 1


async def test_terminated(client, worker, queue, new_id):
    handle = await running(client, queue, new_id())
    await handle.terminate("some detail", reason="enough")
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    assert isinstance(error.value.cause, TerminatedError)
    assert error.value.cause.message == "enough"
    with pytest.raises(RPCError) as again:
        await handle.terminate()
    assert again.value.status == RPCStatusCode.NOT_FOUND


async def test_continue_as_new(client, worker, queue, new_id):
    handle = await client.start_workflow(CountDown.run, args=[3, []], id=new_id(), task_queue=queue)
    runs = await handle.result()
    assert len(runs) == len(set(runs)) == 4
    assert runs[0] == handle.first_execution_run_id
    last = (await client.get_workflow_handle(handle.id, run_id=runs[-1]).fetch_history()).events[0]
    started = last.workflow_execution_started_event_attributes
    assert started.continued_execution_run_id == runs[-2]
    assert started.first_execution_run_id == runs[0]


async def test_one_run_of_a_chain(client, worker, queue, new_id):
    handle = await client.start_workflow(CountDown.run, args=[1, []], id=new_id(), task_queue=queue)
    runs = await handle.result()
    first = client.get_workflow_handle(handle.id, run_id=runs[0])
    with pytest.raises(WorkflowContinuedAsNewError) as error:
        await first.result(follow_runs=False)
    assert error.value.new_execution_run_id == runs[1]
    assert (await first.describe()).status.name == "CONTINUED_AS_NEW"
