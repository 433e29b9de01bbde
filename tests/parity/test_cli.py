"""Goal: Temporal's command line works on us wherever it rests on calls that we serve. Method: each command runs on both
servers, with a worker of the stock SDK beside it; exit code and what the output has to say must be the same.
"""

import asyncio
import json
import subprocess
import time
import uuid

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker


@activity.defn(name="greet")
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn(name="Talk")
class Talk:
    def __init__(self):
        self.names: list[str] = []
        self.over = False

    @workflow.run
    async def run(self, name: str) -> list[str]:
        workflow.set_current_details("waits for names")
        self.names.append(name)
        await workflow.wait_condition(lambda: self.over)
        return self.names

    @workflow.signal
    def add(self, name: str) -> None:
        self.names.append(name)

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.query
    def all(self) -> list[str]:
        return self.names

    @workflow.update
    async def rename(self, name: str) -> str:
        self.names[0] = name
        return name


class Cli:
    """The `temporal` program, talking to one server, where a worker runs."""

    def __init__(self, program, address: str, queue: str):
        self.program = program
        self.address = address
        self.queue = queue

    async def run(self, *arguments: str, code: int = 0, text: bool = False):
        command = [str(self.program), *arguments, "--address", self.address]
        if not text:
            command += ["--output", "json"]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
        said = f"{' '.join(arguments)} on {self.address}:\n{out.decode()}{err.decode()}"
        assert (process.returncode != 0) == (code != 0), said
        if code or text:
            return out.decode() + err.decode()
        return json.loads(out) if out.strip() else None

    async def start(self, workflow_id: str) -> dict:
        return await self.run(
            "workflow", "start", "--type", "Talk", "--task-queue", self.queue, "--workflow-id", workflow_id,
            "--input", '"Ada"',
        )  # fmt: skip


@pytest.fixture(params=["holdfast", "temporal"])
async def cli(request, ours, theirs, temporal_cli):
    address = ours if request.param == "holdfast" else theirs
    queue = f"cli-{uuid.uuid4()}"
    worker = Worker(
        await Client.connect(address), task_queue=queue, workflows=[Talk], activities=[greet],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )  # fmt: skip
    async with worker:
        yield Cli(temporal_cli, address, queue)


@pytest.fixture
def name() -> str:
    return f"talk-{uuid.uuid4()}"


async def until(check):
    """Temporal does it when it comes to it."""
    end = time.monotonic() + 90
    while not await check():
        if time.monotonic() > end:
            pytest.fail("not in time")
        await asyncio.sleep(0.1)


async def test_a_workflow_from_start_to_end(cli, name):
    started = await cli.start(name)
    assert started["workflowId"] == name and started["runId"]
    assert (await cli.run("workflow", "query", "--workflow-id", name, "--type", "all"))["queryResult"] == [["Ada"]]
    await cli.run("workflow", "signal", "--workflow-id", name, "--name", "add", "--input", '"Grace"')
    updated = await cli.run(
        "workflow", "update", "execute", "--workflow-id", name, "--name", "rename", "--input", '"Lovelace"'
    )
    assert updated["result"] == "Lovelace"
    described = await cli.run("workflow", "describe", "--workflow-id", name)
    assert described["workflowExecutionInfo"]["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING"
    shown = await cli.run("workflow", "show", "--workflow-id", name)
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED" in [e["eventType"] for e in shown["events"]]
    await cli.run("workflow", "signal", "--workflow-id", name, "--name", "end")
    result = await cli.run("workflow", "result", "--workflow-id", name)
    assert result["status"] == "COMPLETED" and result["result"] == ["Lovelace", "Grace"]
    described = await cli.run("workflow", "describe", "--workflow-id", name)
    assert described["result"] == ["Lovelace", "Grace"]


async def test_for_people(cli, name):
    """What the commands print when nobody asks for JSON; each reads the answers in its own way."""
    await cli.start(name)
    await cli.run("workflow", "query", "--workflow-id", name, "--type", "all")
    for command in (
        ["workflow", "describe", "--workflow-id", name],
        ["workflow", "describe", "--workflow-id", name, "--raw"],
        ["workflow", "show", "--workflow-id", name],
        ["workflow", "list", "--limit", "3"],
        ["task-queue", "describe", "--task-queue", cli.queue],
        ["task-queue", "describe", "--task-queue", cli.queue, "--legacy-mode"],
        ["operator", "namespace", "describe", "default"],
        ["operator", "namespace", "list"],
        ["operator", "cluster", "health"],
        ["operator", "cluster", "system"],
        ["operator", "cluster", "describe"],
    ):
        assert await cli.run(*command, text=True), command
    await cli.run("workflow", "terminate", "--workflow-id", name, text=True)
    assert "RunTime" in await cli.run("workflow", "describe", "--workflow-id", name, text=True)


async def test_what_it_is_doing(cli, name):
    """Stack and metadata are queries that the worker answers by itself."""
    await cli.start(name)
    assert "Stack for" in json.dumps(await cli.run("workflow", "stack", "--workflow-id", name))
    metadata = json.dumps(await cli.run("workflow", "metadata", "--workflow-id", name))
    assert "waits for names" in metadata and "rename" in metadata and "add" in metadata


async def test_updates_in_steps(cli, name):
    await cli.start(name)
    update_id = f"update-{uuid.uuid4()}"
    await cli.run(
        "workflow", "update", "start", "--workflow-id", name, "--name", "rename", "--input", '"B"', "--update-id",
        update_id, "--wait-for-stage", "accepted",
    )  # fmt: skip
    assert (await cli.run("workflow", "update", "result", "--workflow-id", name, "--update-id", update_id))["result"] == "B"
    assert await cli.run("workflow", "update", "describe", "--workflow-id", name, "--update-id", update_id)


async def test_the_other_ends(cli, name):
    await cli.start(name)
    await cli.run("workflow", "cancel", "--workflow-id", name)
    result = await cli.run("workflow", "result", "--workflow-id", name, code=1)
    assert "cancel" in result.lower()
    await cli.start(name + "-2")
    await cli.run("workflow", "terminate", "--workflow-id", name + "-2", "--reason", "enough")
    described = await cli.run("workflow", "describe", "--workflow-id", name + "-2")
    assert described["workflowExecutionInfo"]["status"] == "WORKFLOW_EXECUTION_STATUS_TERMINATED"


async def test_a_deletion(cli, name):
    await cli.start(name)
    await cli.run("workflow", "terminate", "--workflow-id", name)
    await cli.run("workflow", "delete", "--workflow-id", name, text=True)

    async def gone():
        listed = await cli.run("workflow", "list", "--query", f"WorkflowId = '{name}'")
        return not listed

    await until(gone)
    assert "not found" in await cli.run("workflow", "describe", "--workflow-id", name, code=1)
    assert "not found" in await cli.run("workflow", "delete", "--workflow-id", "nobody", code=1)


async def test_a_namespace(cli):
    namespace = f"space-{uuid.uuid4()}"
    named = ["--namespace", namespace]
    create = ["operator", "namespace", "create", *named, "--retention", "48h", "--description", "first"]
    await cli.run(*create, "--email", "who@example.com", "--data", "team=a", text=True)
    assert "already exists" in (await cli.run(*create, code=1)).lower()

    async def described():
        return await cli.run("operator", "namespace", "describe", *named)

    one = await described()
    assert one["namespaceInfo"]["description"] == "first" and one["namespaceInfo"]["ownerEmail"] == "who@example.com"
    assert one["namespaceInfo"]["data"] == {"team": "a"} and one["config"]["workflowExecutionRetentionTtl"] == "172800s"
    await cli.run("operator", "namespace", "update", *named, "--retention", "72h", text=True)
    await cli.run("operator", "namespace", "update", *named, "--description", "second", "--data", "floor=2", text=True)
    two = await described()
    assert two["config"]["workflowExecutionRetentionTtl"] == "259200s"
    assert two["namespaceInfo"]["description"] == "second" and two["namespaceInfo"]["ownerEmail"] == "who@example.com"
    assert two["namespaceInfo"]["data"] == {"team": "a", "floor": "2"}
    assert "not found" in await cli.run("operator", "namespace", "update", "--namespace", "nobody", "--retention", "72h", code=1)


async def test_signals_that_start(cli, name):
    """A signal, and one that starts what it signals."""
    await cli.start(name)
    await cli.run("workflow", "signal", "--workflow-id", name, "--name", "add", "--input", '"Grace"', text=True)
    started = await cli.run(
        "workflow", "signal-with-start", "--type", "Talk", "--task-queue", cli.queue, "--workflow-id", name + "-2",
        "--input", '"Ada"', "--signal-name", "end",
    )  # fmt: skip
    assert started["workflowId"] == name + "-2"
    assert (await cli.run("workflow", "result", "--workflow-id", name + "-2"))["result"] == ["Ada"]


async def test_trace(cli, name):
    await cli.start(name)
    await cli.run("workflow", "signal", "--workflow-id", name, "--name", "end")
    await cli.run("workflow", "result", "--workflow-id", name)
    assert "Talk" in await cli.run("workflow", "trace", "--workflow-id", name, text=True)


async def test_lists(cli, name):
    await cli.start(name)
    query = ["--query", f"WorkflowId = '{name}'"]

    async def there():
        return len(await cli.run("workflow", "list", *query)) == 1

    await until(there)
    [found] = await cli.run("workflow", "list", *query)
    assert found["execution"]["workflowId"] == name and found["type"]["name"] == "Talk"
    assert (await cli.run("workflow", "count", *query))["count"] in (1, "1")


async def test_a_task_queue(cli, name):
    await cli.start(name)
    await cli.run("workflow", "query", "--workflow-id", name, "--type", "all")
    described = await cli.run("task-queue", "describe", "--task-queue", cli.queue)
    assert len(described["pollers"]) >= 2, "one for workflows, one for activities"
    assert described["stats"]


async def test_unknown_things(cli):
    assert "not found" in await cli.run("workflow", "describe", "--workflow-id", "nobody", code=1)
    assert "not found" in await cli.run("workflow", "terminate", "--workflow-id", "nobody", code=1)
    assert "not found" in await cli.run("workflow", "list", "--namespace", "nobody", code=1)


async def test_what_we_do_not_serve_says_so(ours, temporal_cli, name):
    """A command that rests on something that we do not have ends at once, and names it."""
    cli = Cli(temporal_cli, ours, "none")
    batch = ["workflow", "terminate", "--query", "WorkflowType = 'None'", "--reason", "r", "--yes"]
    assert "StartBatchOperation is not supported" in await cli.run(*batch, code=1)
    assert "is not supported" in await cli.run("batch", "list", code=1)
    assert "is not supported" in await cli.run("schedule", "list", code=1)
    assert "is not supported" in await cli.run("worker", "deployment", "list", code=1)
