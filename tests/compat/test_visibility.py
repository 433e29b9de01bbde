"""Goal: users find their runs, and find at once what they just started. Method: list, count and describe."""

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from conftest import eventually
from workflows import Failing, Greeting, Sleeper


async def ids(client, query, **options) -> list[str]:
    return [w.id async for w in client.list_workflows(query, **options)]


async def found(client, query, expected):
    async def check():
        assert sorted(await ids(client, query)) == sorted(expected)
        return True

    await eventually(check)


async def test_list_by_status_type_and_id(client, worker, queue, new_id):
    done, failed, open_ = new_id(), new_id(), new_id()
    await client.execute_workflow(Greeting.run, "x", id=done, task_queue=queue)
    with pytest.raises(Exception):
        await client.execute_workflow(Failing.run, id=failed, task_queue=queue)
    await client.start_workflow(Sleeper.run, id=open_, task_queue=queue)
    here = f"TaskQueue = '{queue}'"
    await found(client, here, [done, failed, open_])
    await found(client, f"{here} AND ExecutionStatus = 'Running'", [open_])
    await found(client, f"{here} AND ExecutionStatus = 'Completed'", [done])
    await found(client, f"{here} AND ExecutionStatus != 'Running'", [done, failed])
    await found(client, f"{here} AND WorkflowType = 'Failing'", [failed])
    await found(client, f"WorkflowId = '{done}'", [done])
    await found(client, f"WorkflowId IN ('{done}', '{open_}')", [done, open_])
    await found(client, f"{here} AND (WorkflowType = 'Greeting' OR WorkflowType = 'Sleeper')", [done, open_])
    await client.get_workflow_handle(open_).terminate()
    await found(client, f"{here} AND ExecutionStatus = 'Terminated'", [open_])


async def test_paging(client, queue, new_id):
    expected = [new_id() for _ in range(7)]
    for workflow_id in expected:
        await client.start_workflow(Sleeper.run, id=workflow_id, task_queue=queue)
    query = f"TaskQueue = '{queue}'"
    await found(client, query, expected)
    assert sorted(await ids(client, query, page_size=2)) == sorted(expected)
    assert len(await ids(client, query, limit=3)) == 3
    assert await ids(client, query, page_size=3) == expected[::-1], "latest first"
    for workflow_id in expected:
        await client.get_workflow_handle(workflow_id).terminate()


async def test_count(client, queue, new_id):
    for _ in range(3):
        await client.start_workflow(Sleeper.run, id=new_id(), task_queue=queue)

    async def three():
        return (await client.count_workflows(f"TaskQueue = '{queue}'")).count == 3

    await eventually(three)


async def test_bad_query(client):
    with pytest.raises(RPCError) as error:
        await ids(client, "WorkflowType ==== 'x'")
    assert error.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_describe(client, worker, queue, new_id):
    handle = await client.start_workflow(
        Greeting.run, "x", id=new_id(), task_queue=queue, memo={"note": "kept"}, static_summary="greets"
    )
    await handle.result()
    description = await handle.describe()
    assert description.status == WorkflowExecutionStatus.COMPLETED
    assert description.workflow_type == "Greeting" and description.task_queue == queue
    assert description.history_length == 11
    assert description.start_time <= description.execution_time <= description.close_time
    assert await description.memo() == {"note": "kept"}
    assert await description.static_summary() == "greets"


async def test_describe_nobody(client, new_id):
    with pytest.raises(RPCError) as error:
        await client.get_workflow_handle(new_id()).describe()
    assert error.value.status == RPCStatusCode.NOT_FOUND


async def test_namespace_and_system_are_described(client):
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest

    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    assert info.server_version and info.capabilities.sdk_metadata
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert described.namespace_info.name == "default" and described.namespace_info.id
    with pytest.raises(RPCError) as error:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="no-such-namespace"))
    assert error.value.status == RPCStatusCode.NOT_FOUND
