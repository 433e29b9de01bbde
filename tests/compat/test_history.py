"""Goal: histories are complete, readable while they grow, and replay. Method: raw reads beside the SDK's replayer."""

import asyncio

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, HistoryEventFilterType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from conftest import new_worker
from workflows import WORKFLOWS, Greeting, Inbox, Sequence


def request(handle, **options):
    execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.result_run_id or "")
    return GetWorkflowExecutionHistoryRequest(namespace="default", execution=execution, **options)


async def test_pages(client, worker, queue, new_id):
    handle = await client.start_workflow(Sequence.run, 4, id=new_id(), task_queue=queue)
    await handle.result()
    whole = (await handle.fetch_history()).events
    read, token, pages = [], b"", 0
    while True:
        page = await client.workflow_service.get_workflow_execution_history(
            request(handle, maximum_page_size=5, next_page_token=token)
        )
        read += page.history.events
        token = page.next_page_token
        pages += 1
        if not token:
            break
    assert pages > 2
    assert [e.event_id for e in read] == list(range(1, len(whole) + 1))
    assert read == list(whole)


async def test_close_event_only(client, worker, queue, new_id):
    handle = await client.start_workflow(Greeting.run, "x", id=new_id(), task_queue=queue)
    answer = await client.workflow_service.get_workflow_execution_history(
        request(
            handle,
            wait_new_event=True,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
    )
    [event] = answer.history.events
    assert event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED


async def test_waiting_for_new_events(client, worker, queue, new_id):
    handle = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
    assert await handle.query(Inbox.count) == 0
    seen, token = [], b""
    while len(seen) < 4:
        page = await client.workflow_service.get_workflow_execution_history(
            request(handle, wait_new_event=True, next_page_token=token)
        )
        seen += page.history.events
        token = page.next_page_token
    assert token, "an open run has more to come"
    waiting = asyncio.create_task(
        client.workflow_service.get_workflow_execution_history(
            request(handle, wait_new_event=True, next_page_token=token)
        )
    )
    await handle.signal(Inbox.put, "x")
    fresh = (await waiting).history.events
    assert fresh[0].event_id == len(seen) + 1
    assert fresh[0].event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    await handle.terminate()


async def test_history_of_nobody(client, new_id):
    with pytest.raises(RPCError) as error:
        await client.get_workflow_handle(new_id()).fetch_history()
    assert error.value.status == RPCStatusCode.NOT_FOUND


async def test_replays(client, worker, queue, new_id):
    inbox = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
    await inbox.execute_update(Inbox.add_with_activity, "one")
    await inbox.signal(Inbox.put, "two")
    await inbox.signal(Inbox.finish)
    await inbox.result()
    sequence = await client.start_workflow(Sequence.run, 5, id=new_id(), task_queue=queue)
    await sequence.result()
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner())
    for handle in (inbox, sequence):
        history = await handle.fetch_history()
        await replayer.replay_workflow(WorkflowHistory.from_json(handle.id, history.to_json()))


@workflow.defn(name="Greeting")
class OtherGreeting:
    """What a careless deployment makes of Greeting."""

    @workflow.run
    async def run(self, name: str) -> str:
        await asyncio.sleep(1)
        return name


async def test_changed_code_does_not_replay(client, worker, queue, new_id):
    handle = await client.start_workflow(Greeting.run, "x", id=new_id(), task_queue=queue)
    await handle.result()
    replayer = Replayer(workflows=[OtherGreeting], workflow_runner=UnsandboxedWorkflowRunner())
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(await handle.fetch_history())


async def test_events_name_the_build(client, queue, new_id):
    async with new_worker(client, queue, build_id="build-7"):
        handle = await client.start_workflow(Greeting.run, "x", id=new_id(), task_queue=queue)
        await handle.result()
    completed = [
        event.workflow_task_completed_event_attributes
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    assert {attributes.worker_version.build_id for attributes in completed} == {"build-7"}
