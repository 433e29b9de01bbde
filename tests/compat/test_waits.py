"""Goal: what is said to a run before its first workflow task: what ends the wait, and what waits with it.
Method: runs that would wait an hour; a cancel, update or signal-with-start brings their end at once."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import HistoryEventFilterType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import WithStartWorkflowOperation, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import CancelledError

from conftest import events
from workflows import Inbox, Sleeper

HOUR = timedelta(hours=1)


@pytest.mark.parametrize("wait", [{"start_delay": HOUR}, {"cron_schedule": "0 0 1 1 *"}])
async def test_cancel_ends_the_wait(client, worker, queue, new_id, wait):
    handle = await client.start_workflow(Sleeper.run, id=new_id(), task_queue=queue, **wait)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as error:
        await asyncio.wait_for(handle.result(), 20)
    assert isinstance(error.value.cause, CancelledError)


async def test_signal_with_start_ends_the_wait(client, worker, queue, new_id):
    handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue, start_delay=HOUR)
    await handle.signal(Inbox.put, "waits with the run")
    assert "WORKFLOW_TASK_SCHEDULED" not in await events(handle)
    await client.start_workflow(Inbox.run, id=handle.id, task_queue=queue, start_signal="finish")
    assert await asyncio.wait_for(handle.result(), 20) == ["waits with the run"]


async def test_update_ends_the_wait(client, worker, queue, new_id):
    handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue, start_delay=HOUR)
    assert await asyncio.wait_for(handle.execute_update(Inbox.add, "a"), 20) == 1


async def test_update_with_start_ends_the_wait(client, worker, queue, new_id):
    handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue, start_delay=HOUR)
    start = WithStartWorkflowOperation(
        Inbox.run, id=handle.id, task_queue=queue, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    update = client.execute_update_with_start_workflow(Inbox.add, "a", start_workflow_operation=start)
    assert await asyncio.wait_for(update, 20) == 1


async def test_a_run_that_goes_on_has_no_closing_event(client, worker, queue, new_id):
    handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
    request = GetWorkflowExecutionHistoryRequest(
        namespace=client.namespace,
        history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
    )
    request.execution.workflow_id = handle.id
    answer = await client.workflow_service.get_workflow_execution_history(request)
    assert not answer.history.events
