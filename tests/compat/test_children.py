"""Goal: children, and messages between workflows. Method: parents that start, signal, cancel and leave their children."""

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ChildWorkflowError

from conftest import eventually, events
from workflows import Inbox, Meddler, Parent, ParentCancels, ParentLeaves, ParentTalks, Sleeper


async def status(client, workflow_id) -> str:
    return (await client.get_workflow_handle(workflow_id).describe()).status.name


async def test_child_result(client, worker, queue, new_id):
    handle = await client.start_workflow(Parent.run, args=["Greeting", "child"], id=new_id(), task_queue=queue)
    assert await handle.result() == "Hello, child!"
    types = await events(handle)
    expected = ["INITIATED", "STARTED", "COMPLETED"]
    found = [t.removeprefix("START_").removeprefix("CHILD_WORKFLOW_EXECUTION_") for t in types if "CHILD" in t]
    assert found == expected
    child = await client.get_workflow_handle(handle.id + "-child").describe()
    assert child.parent_id == handle.id and child.parent_run_id == handle.result_run_id


async def test_child_failure(client, worker, queue, new_id):
    with pytest.raises(WorkflowFailureError) as error:
        await client.execute_workflow(Parent.run, args=["Failing", None], id=new_id(), task_queue=queue)
    assert isinstance(error.value.cause, ChildWorkflowError)
    assert error.value.cause.cause.type == "Broken"


async def test_child_that_continues_as_new_reports_its_last_run(client, worker, queue, new_id):
    handle = await client.start_workflow(Parent.run, args=["CountDownAlone", 2], id=new_id(), task_queue=queue)
    assert await handle.result() == "done"
    assert (await events(handle)).count("CHILD_WORKFLOW_EXECUTION_STARTED") == 1


async def test_child_signalled_by_its_parent(client, worker, queue, new_id):
    assert await client.execute_workflow(ParentTalks.run, id=new_id(), task_queue=queue) == ["from parent"]


async def test_child_cancelled_by_its_parent(client, worker, queue, new_id):
    handle = await client.start_workflow(ParentCancels.run, id=new_id(), task_queue=queue)
    assert await handle.result() == "CancelledError"
    assert await status(client, handle.id + "-child") == "CANCELED"


@pytest.mark.parametrize(
    "policy, expected", [(1, "TERMINATED"), (2, "RUNNING"), (3, "CANCELED")], ids=["terminate", "abandon", "cancel"]
)
async def test_parent_close_policy(client, worker, queue, new_id, policy, expected):
    child = await client.execute_workflow(ParentLeaves.run, policy, id=new_id(), task_queue=queue)

    async def settled():
        return await status(client, child) == expected

    await eventually(settled)
    if expected == "RUNNING":
        await client.get_workflow_handle(child).signal(Inbox.finish)
        await client.get_workflow_handle(child).result()


async def test_terminated_parent_takes_its_child_along(client, worker, queue, new_id):
    handle = await client.start_workflow(Parent.run, args=["Sleeper", None], id=new_id(), task_queue=queue)

    async def child_runs():
        return "CHILD_WORKFLOW_EXECUTION_STARTED" in await events(handle)

    await eventually(child_runs)
    await handle.terminate("enough")

    async def child_terminated():
        return await status(client, handle.id + "-child") == "TERMINATED"

    await eventually(child_terminated)


async def test_child_with_an_id_in_use(client, worker, queue, new_id):
    workflow_id = new_id()
    other = await client.start_workflow(Sleeper.run, id=workflow_id + "-child", task_queue=queue)
    with pytest.raises(WorkflowFailureError) as error:
        await client.execute_workflow(Parent.run, args=["Greeting", "x"], id=workflow_id, task_queue=queue)
    assert "already started" in str(error.value.cause).lower() + str(error.value.cause.__cause__).lower()
    await other.terminate()


async def test_external_signal_and_cancel(client, worker, queue, new_id):
    other = await client.start_workflow(Inbox.run, id=new_id(), task_queue=queue)
    meddler = await client.start_workflow(Meddler.run, other.id, id=new_id(), task_queue=queue)
    with pytest.raises(WorkflowFailureError):
        await other.result()
    assert await status(client, other.id) == "CANCELED"
    assert "WORKFLOW_EXECUTION_SIGNALED" in await events(other)
    assert await meddler.result() == "ExternalWorkflowExecutionNotFound"
    types = await events(meddler)
    for expected in ("SIGNALED", "CANCEL_REQUESTED"):
        assert f"EXTERNAL_WORKFLOW_EXECUTION_{expected}" in types
    assert "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED" in types
