"""Goal: a user's first workflow works. Method: the SDK's usual set-up, its default sandbox included."""

import uuid
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from conftest import eventually, events, new_worker
from workflows import Failing, FailsTwice, Greeting, Local, Parallel, Patched, Sequence


async def test_hello(client, queue, new_id):
    async with new_worker(client, queue, workflow_runner=SandboxedWorkflowRunner()):
        handle = await client.start_workflow(Greeting.run, "World", id=new_id(), task_queue=queue)
        assert await handle.result() == "Hello, World!"
    assert await events(handle) == [
        "WORKFLOW_EXECUTION_STARTED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        "ACTIVITY_TASK_SCHEDULED",
        "ACTIVITY_TASK_STARTED",
        "ACTIVITY_TASK_COMPLETED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        "WORKFLOW_EXECUTION_COMPLETED",
    ]


async def test_started_before_its_worker(client, queue, new_id):
    handle = await client.start_workflow(Greeting.run, "later", id=new_id(), task_queue=queue)
    async with new_worker(client, queue):
        assert await handle.result() == "Hello, later!"


async def test_large_payload(client, worker, queue, new_id):
    name = "x" * 1_000_000
    result = await client.execute_workflow(Greeting.run, name, id=new_id(), task_queue=queue)
    assert result == f"Hello, {name}!"


async def test_many_activities_at_once(client, worker, queue, new_id):
    result = await client.execute_workflow(Parallel.run, 60, id=new_id(), task_queue=queue)
    assert result == [str(n) for n in range(60)]


async def test_ten_steps(client, worker, queue, new_id):
    handle = await client.start_workflow(Sequence.run, 10, id=new_id(), task_queue=queue)
    assert await handle.result() == 10
    assert len(await events(handle)) == 65


async def test_local_activity(client, worker, queue, new_id):
    handle = await client.start_workflow(Local.run, "here", id=new_id(), task_queue=queue)
    assert await handle.result() == "Hello, here!"
    types = await events(handle)
    assert "MARKER_RECORDED" in types and "ACTIVITY_TASK_SCHEDULED" not in types


async def test_patched(client, worker, queue, new_id):
    handle = await client.start_workflow(Patched.run, id=new_id(), task_queue=queue)
    assert await handle.result() == "new"
    assert "MARKER_RECORDED" in await events(handle)


async def test_history_tells_the_build_that_ran_it(client, worker, queue, new_id):
    handle = await client.start_workflow(Greeting.run, "World", id=new_id(), task_queue=queue)
    await handle.result()
    completed = [
        event.workflow_task_completed_event_attributes
        for event in (await handle.fetch_history()).events
        if event.HasField("workflow_task_completed_event_attributes")
    ]
    assert completed and all(one.binary_checksum or one.worker_version.build_id for one in completed)


async def test_failure_reaches_the_client(client, worker, queue, new_id):
    handle = await client.start_workflow(Failing.run, id=new_id(), task_queue=queue)
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    cause = error.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.details, cause.non_retryable) == ("broken", "Broken", ({"order": 7},), True)


async def test_workflow_retry_policy(client, worker, queue, new_id):
    policy = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=5)
    handle = await client.start_workflow(FailsTwice.run, id=new_id(), task_queue=queue, retry_policy=policy)
    assert await handle.result() == 3
    description = await handle.describe()
    assert description.run_id != handle.first_execution_run_id
    assert uuid.UUID(description.run_id).version == 7


async def test_unknown_workflow_type_waits_for_a_fix(client, worker, queue, new_id):
    handle = await client.start_workflow("Nonexistent", id=new_id(), task_queue=queue)

    async def failed():
        return "WORKFLOW_TASK_FAILED" in await events(handle)

    await eventually(failed)
    assert (await handle.describe()).status.name == "RUNNING"
    await handle.terminate()
