"""Goal: one workflow id, one run at a time, and a start that is repeated starts nothing new. Method: every policy."""

import uuid

import pytest
from temporalio.api.common.v1 import WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from workflows import Failing, Greeting, Sleeper


async def start(client, queue, workflow_id, workflow=Sleeper.run, args=(), **options):
    return await client.start_workflow(workflow, args=list(args), id=workflow_id, task_queue=queue, **options)


async def test_running_id_is_refused(client, queue, new_id):
    workflow_id = new_id()
    first = await start(client, queue, workflow_id)
    with pytest.raises(WorkflowAlreadyStartedError) as error:
        await start(client, queue, workflow_id)
    assert error.value.run_id == first.result_run_id
    await first.terminate()


async def test_running_id_is_joined(client, queue, new_id):
    workflow_id = new_id()
    first = await start(client, queue, workflow_id)
    second = await start(client, queue, workflow_id, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)
    assert second.result_run_id == first.result_run_id
    await first.terminate()


async def test_running_id_is_replaced(client, queue, new_id):
    workflow_id = new_id()
    first = await start(client, queue, workflow_id)
    second = await start(client, queue, workflow_id, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING)
    assert second.result_run_id != first.result_run_id
    old = client.get_workflow_handle(workflow_id, run_id=first.result_run_id)
    assert (await old.describe()).status.name == "TERMINATED"
    await second.terminate()


async def test_closed_id_is_reused(client, worker, queue, new_id):
    workflow_id = new_id()
    first = await start(client, queue, workflow_id, Greeting.run, ["a"])
    assert await first.result() == "Hello, a!"
    second = await start(client, queue, workflow_id, Greeting.run, ["b"])
    assert await second.result() == "Hello, b!"
    assert second.result_run_id != first.result_run_id


async def test_closed_id_is_refused(client, worker, queue, new_id):
    workflow_id = new_id()
    await (await start(client, queue, workflow_id, Greeting.run, ["a"])).result()
    with pytest.raises(WorkflowAlreadyStartedError):
        policy = WorkflowIDReusePolicy.REJECT_DUPLICATE
        await start(client, queue, workflow_id, Greeting.run, ["b"], id_reuse_policy=policy)


async def test_only_a_failed_id_is_reused(client, worker, queue, new_id):
    workflow_id = new_id()
    policy = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    with pytest.raises(WorkflowFailureError):
        await (await start(client, queue, workflow_id, Failing.run)).result()
    await (await start(client, queue, workflow_id, Greeting.run, ["a"], id_reuse_policy=policy)).result()
    with pytest.raises(WorkflowAlreadyStartedError):
        await start(client, queue, workflow_id, Greeting.run, ["b"], id_reuse_policy=policy)


def raw_start(queue, workflow_id, request_id):
    return StartWorkflowExecutionRequest(
        namespace="default",
        workflow_id=workflow_id,
        workflow_type=WorkflowType(name="Greeting"),
        task_queue=TaskQueue(name=queue),
        request_id=request_id,
    )


async def test_start_repeated_with_its_request_id(client, queue, new_id):
    workflow_id, request_id = new_id(), str(uuid.uuid4())
    answers = [
        await client.workflow_service.start_workflow_execution(raw_start(queue, workflow_id, request_id))
        for _ in range(3)
    ]
    assert len({a.run_id for a in answers}) == 1
    handle = client.get_workflow_handle(workflow_id)
    await handle.terminate()
    again = await client.workflow_service.start_workflow_execution(raw_start(queue, workflow_id, request_id))
    assert again.run_id == answers[0].run_id, "also after the run has closed"


async def test_bad_starts_are_refused(client, queue, new_id):
    for request in (
        raw_start(queue, "", str(uuid.uuid4())),
        raw_start("", new_id(), str(uuid.uuid4())),
        raw_start(queue, "x" * 1001, str(uuid.uuid4())),
        StartWorkflowExecutionRequest(namespace="default", workflow_id=new_id(), task_queue=TaskQueue(name=queue)),
    ):
        with pytest.raises(RPCError) as error:
            await client.workflow_service.start_workflow_execution(request)
        assert error.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_unknown_namespace(client, queue, new_id):
    request = raw_start(queue, new_id(), str(uuid.uuid4()))
    request.namespace = f"absent-{uuid.uuid4()}"
    with pytest.raises(RPCError) as error:
        await client.workflow_service.start_workflow_execution(request)
    assert error.value.status == RPCStatusCode.NOT_FOUND
    assert error.value.grpc_status.details[0].type_url.endswith("NamespaceNotFoundFailure")
