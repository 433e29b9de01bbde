"""Goal: signals, queries and updates keep their promises. Method: one workflow that collects what it is sent."""

import asyncio
import uuid

import pytest
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.common import QueryRejectCondition, WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from conftest import events, new_worker
from workflows import Inbox


@pytest.fixture
async def inbox(client, worker, queue, new_id):
    return await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)


# Signals


async def test_signals_arrive_in_order(inbox):
    items = [str(n) for n in range(25)]
    for item in items:
        await inbox.signal(Inbox.put, item)
    await inbox.signal(Inbox.finish)
    assert await inbox.result() == items


async def test_signals_wait_for_a_worker(client, queue, new_id):
    handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
    await handle.signal(Inbox.put, "early")
    await handle.signal(Inbox.finish)
    async with new_worker(client, queue):
        assert await handle.result() == ["early"]


async def test_signal_repeated_with_its_request_id_counts_once(client, inbox):
    [payload] = await client.data_converter.encode(["once"])
    request = SignalWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=inbox.id),
        signal_name="put",
        input=Payloads(payloads=[payload]),
        request_id=str(uuid.uuid4()),
    )
    for _ in range(3):
        await client.workflow_service.signal_workflow_execution(request)
    await inbox.signal(Inbox.finish)
    assert await inbox.result() == ["once"]


async def test_signal_to_nobody(client, new_id):
    with pytest.raises(RPCError) as error:
        await client.get_workflow_handle(new_id()).signal("put", "x")
    assert error.value.status == RPCStatusCode.NOT_FOUND


async def test_signal_to_a_closed_run(inbox):
    await inbox.signal(Inbox.finish)
    await inbox.result()
    with pytest.raises(RPCError) as error:
        await inbox.signal(Inbox.put, "late")
    assert error.value.status == RPCStatusCode.NOT_FOUND


async def test_signal_with_start(client, worker, queue, new_id):
    workflow_id = new_id()
    handles = []
    for item in ("first", "second"):
        handles.append(
            await client.start_workflow(
                Inbox.run, id=workflow_id, task_queue=queue, start_signal="put", start_signal_args=[item]
            )
        )
    assert handles[0].result_run_id == handles[1].result_run_id
    await handles[1].signal(Inbox.finish)
    assert await handles[0].result() == ["first", "second"]


# Queries


async def test_query(inbox):
    assert await inbox.query(Inbox.count) == 0
    await inbox.signal(Inbox.put, "one")
    assert await inbox.query(Inbox.count) == 1
    before = len(await events(inbox))
    assert await inbox.query(Inbox.count) == 1
    assert len(await events(inbox)) == before, "queries leave no trace"


async def test_query_a_closed_run(inbox):
    await inbox.signal(Inbox.put, "one")
    await inbox.signal(Inbox.finish)
    await inbox.result()
    assert await inbox.query(Inbox.count) == 1


async def test_query_rejected_for_a_closed_run(inbox):
    await inbox.signal(Inbox.finish)
    await inbox.result()
    with pytest.raises(WorkflowQueryRejectedError):
        await inbox.query(Inbox.count, reject_condition=QueryRejectCondition.NOT_OPEN)


@pytest.mark.parametrize("name", ["broken", "unheard_of"])
async def test_query_that_fails(inbox, name):
    with pytest.raises(WorkflowQueryFailedError):
        await inbox.query(name)
    assert await inbox.query(Inbox.count) == 0


async def test_query_without_sticky_cache(client, queue, new_id):
    async with new_worker(client, queue, max_cached_workflows=0):
        handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
        await handle.signal(Inbox.put, "one")
        assert await handle.query(Inbox.count) == 1


# Updates


async def test_update(inbox):
    assert await inbox.execute_update(Inbox.add, "one") == 1
    assert await inbox.execute_update(Inbox.add, "two") == 2
    await inbox.signal(Inbox.finish)
    assert await inbox.result() == ["one", "two"]


async def test_update_with_activity(inbox):
    assert await inbox.execute_update(Inbox.add_with_activity, "one") == "one"
    types = await events(inbox)
    accepted = types.index("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")
    assert accepted < types.index("ACTIVITY_TASK_SCHEDULED") < types.index("WORKFLOW_EXECUTION_UPDATE_COMPLETED")


async def test_update_rejected_by_its_validator(inbox):
    assert await inbox.query(Inbox.count) == 0
    before = await events(inbox)
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await inbox.execute_update(Inbox.add, "")
    assert isinstance(error.value.cause, ApplicationError) and error.value.cause.type == "Empty"
    assert await events(inbox) == before, "a rejected update leaves no trace"
    assert await inbox.execute_update(Inbox.add, "one") == 1


async def test_update_that_fails(inbox):
    with pytest.raises(WorkflowUpdateFailedError) as error:
        await inbox.execute_update(Inbox.add_broken)
    assert error.value.cause.type == "Broken"


async def test_update_with_unknown_name(inbox):
    with pytest.raises(WorkflowUpdateFailedError):
        await inbox.execute_update("unheard_of")


async def test_update_accepted_now_completed_later(inbox):
    update = await inbox.start_update(Inbox.add_when_released, "one", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    types = await events(inbox)
    assert "WORKFLOW_EXECUTION_UPDATE_ACCEPTED" in types and "WORKFLOW_EXECUTION_UPDATE_COMPLETED" not in types
    await inbox.signal(Inbox.release)
    assert await update.result() == "one"


async def test_update_id_counts_once(inbox):
    ids = [await inbox.execute_update(Inbox.add, "one", id="same") for _ in range(3)]
    assert ids == [1, 1, 1]
    assert await inbox.query(Inbox.count) == 1


async def test_update_result_after_close(inbox):
    assert await inbox.execute_update(Inbox.add, "one", id="kept") == 1
    await inbox.signal(Inbox.finish)
    await inbox.result()
    assert await inbox.get_update_handle("kept").result() == 1


async def test_update_of_a_closed_run(inbox):
    await inbox.signal(Inbox.finish)
    await inbox.result()
    with pytest.raises(RPCError) as error:
        await inbox.execute_update(Inbox.add, "late")
    assert error.value.status == RPCStatusCode.NOT_FOUND


async def test_update_waits_for_a_worker(client, queue, new_id):
    handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
    update = asyncio.create_task(handle.execute_update(Inbox.add, "early"))
    async with new_worker(client, queue):
        assert await update == 1


async def test_updates_at_once(inbox):
    counts = await asyncio.gather(*[inbox.execute_update(Inbox.add, str(n)) for n in range(8)])
    assert sorted(counts) == list(range(1, 9))


async def test_update_with_start(client, worker, queue, new_id):
    workflow_id = new_id()
    for expected in (1, 2):
        start = WithStartWorkflowOperation(
            Inbox.run, id=workflow_id, task_queue=queue, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )
        assert await client.execute_update_with_start_workflow(Inbox.add, "x", start_workflow_operation=start) == expected


async def test_update_with_start_does_not_join_what_a_closed_workflow_left_open(client, worker, queue, new_id):
    workflow_id = new_id()

    def start():
        return WithStartWorkflowOperation(
            Inbox.run, id=workflow_id, task_queue=queue, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )

    first = start()
    await client.start_update_with_start_workflow(
        Inbox.add_when_released, "x", id="one", start_workflow_operation=first, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    await (await first.workflow_handle()).terminate()
    second = start()
    result = await client.execute_update_with_start_workflow(Inbox.add, "y", id="one", start_workflow_operation=second)
    assert result == 1
    assert (await first.workflow_handle()).first_execution_run_id != (await second.workflow_handle()).first_execution_run_id
