"""Goal: what a stock SDK asks of a task queue has its effect, or is refused in words that name it. Method: a rate, a priority,
a worker with versioning, an override of a version.
"""

import asyncio

import pytest
from temporalio.api.deployment.v1 import WorkerDeploymentOptions
from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, PollActivityTaskQueueRequest, PollWorkflowTaskQueueRequest
from temporalio.common import AutoUpgradeVersioningOverride, Priority, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from conftest import new_worker
from workflows import Greeting, Parallel, Sleeper


async def test_rate_of_a_queue(client, queue, new_id):
    """Each activity is run, and who asks is told how many may go in a second."""
    async with new_worker(client, queue, max_task_queue_activities_per_second=20, disable_eager_activity_execution=True):
        result = await client.execute_workflow(Parallel.run, 30, id=new_id(), task_queue=queue)
        assert result == [str(n) for n in range(30)]
        request = DescribeTaskQueueRequest(
            namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        )
        shown = await client.workflow_service.describe_task_queue(request)
        assert {poller.rate_per_second for poller in shown.pollers} == {20}


async def test_priority(server, client, queue, new_id):
    """The tasks of three workflows wait; the worker that comes has one after the other, the most urgent first."""
    if not server.own:
        pytest.skip("Temporal's order depends on its configuration")
    ids = [new_id() for _ in range(3)]
    for workflow_id, key in zip(ids, (5, None, 1), strict=True):
        await client.start_workflow(
            Greeting.run, "a", id=workflow_id, task_queue=queue, priority=Priority(priority_key=key)
        )
    async with new_worker(client, queue, max_concurrent_workflow_tasks=1, max_cached_workflows=0):
        runs = [client.get_workflow_handle(workflow_id) for workflow_id in ids]
        await asyncio.gather(*(run.result() for run in runs))
    begun = []
    for run in runs:
        [first, *_] = [e for e in (await run.fetch_history()).events if e.HasField("workflow_task_started_event_attributes")]
        begun.append(first.event_time.ToNanoseconds())
    assert begun[2] < begun[1] < begun[0]


async def test_versions_are_refused(server, client, queue, new_id):
    if not server.own:
        pytest.skip("Temporal routes tasks by version")
    # Polls of a worker with versioning; a worker of the SDK says the same, but need not end.
    versioned = {
        "namespace": client.namespace,
        "task_queue": TaskQueue(name=queue),
        "deployment_options": WorkerDeploymentOptions(
            deployment_name="deployment", build_id="build", worker_versioning_mode=WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
        ),
    }
    service = client.workflow_service
    for poll in (
        service.poll_workflow_task_queue(PollWorkflowTaskQueueRequest(**versioned)),
        service.poll_activity_task_queue(PollActivityTaskQueueRequest(**versioned)),
    ):
        with pytest.raises(RPCError, match="Worker versioning is not supported") as refused:
            await poll
        assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(RPCError, match="VersioningOverride is not supported") as refused:
        await client.start_workflow(
            Sleeper.run, id=new_id(), task_queue=queue, versioning_override=AutoUpgradeVersioningOverride()
        )
    assert refused.value.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_worker_may_name_its_version(client, queue, new_id):
    config = WorkerDeploymentConfig(version=WorkerDeploymentVersion("deployment", "build"), use_worker_versioning=False)
    async with new_worker(client, queue, deployment_config=config):
        assert await client.execute_workflow(Greeting.run, "a", id=new_id(), task_queue=queue) == "Hello, a!"
