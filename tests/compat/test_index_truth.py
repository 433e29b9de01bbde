"""Goal: lists say what the executions say, whatever happened to the server and to its index.

Method: a property. Random starts, signals, upserts, ends, terminations and deletions, told by hand and without a worker,
which would outlive its server; SIGKILL in their midst;
the index as it is, lost, damaged, or an older copy of itself; then every run is asked for what it is, and every list, page
by page and by each filter, has to agree. The seed is printed; SEED=... repeats the choices, not their timing.
"""

import asyncio
import contextlib
import os
import pathlib
import random
import shutil
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import CommandType, IndexedValueType, WorkflowExecutionStatus
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeWorkflowExecutionRequest,
    ListWorkflowExecutionsRequest,
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
    SignalWorkflowExecutionRequest,
    TerminateWorkflowExecutionRequest,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from conftest import connect, eventually

ROUNDS = 5
OPERATIONS = 25
COLOUR = SearchAttributeKey.for_keyword("Colour")
COLOURS = ["red", "green", "blue"]


@dataclass(frozen=True)
class Run:
    """What a list says of a run, and what the run says of itself."""

    workflow_id: str
    run_id: str
    status: int
    start: int
    close: int
    history_length: int
    colour: str

    @staticmethod
    def of(info) -> "Run":
        return Run(
            info.execution.workflow_id,
            info.execution.run_id,
            info.status,
            info.start_time.ToNanoseconds(),
            info.close_time.ToNanoseconds(),
            # Of an open run the index has the length it had when it last changed in something that lists are filtered by.
            info.history_length if info.HasField("close_time") else 0,
            info.search_attributes.indexed_fields["Colour"].data.decode().strip('"'),
        )


class Load:
    """Operations at random, on workflows it knows; a call that the kill cuts off may have happened or not."""

    def __init__(self, chance: random.Random, queue: str):
        self.chance = chance
        self.queue = queue
        self.started = 0
        self.seen: set[tuple[str, str]] = set()  # runs that a list had once

    async def one(self, client) -> None:
        with contextlib.suppress(RPCError):
            kind = self.chance.choice(["start", "start", "signal", "signal", "task", "task", "terminate", "delete"])
            if kind == "start" or not self.started:
                await self.start(client)
            elif kind == "task":
                await self.task(client)
            else:
                await self.tell(client, kind, f"w{self.chance.randint(1, self.started)}")

    async def start(self, client) -> None:
        self.started += 1
        attributes = TypedSearchAttributes([SearchAttributePair(COLOUR, self.chance.choice(COLOURS))])
        await client.start_workflow(
            "Painted", id=f"w{self.started}", task_queue=self.queue, search_attributes=attributes
        )

    async def tell(self, client, kind: str, workflow_id: str) -> None:
        execution = WorkflowExecution(workflow_id=workflow_id)
        service = client.workflow_service
        if kind == "signal":
            await service.signal_workflow_execution(
                SignalWorkflowExecutionRequest(namespace="default", workflow_execution=execution, signal_name="go")
            )
        elif kind == "terminate":
            await service.terminate_workflow_execution(
                TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=execution)
            )
        else:
            await service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=execution)
            )

    async def task(self, client) -> None:
        """What some workflow does next: it takes on another colour, ends, or begins again."""
        task = await client.workflow_service.poll_workflow_task_queue(
            PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=self.queue)),
            timeout=timedelta(milliseconds=400),
        )
        if not task.task_token:
            return
        kind = self.chance.choice(["paint", "paint", "paint", "end", "again"])
        command = Command(command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION)
        command.complete_workflow_execution_command_attributes.SetInParent()
        if kind == "paint":
            command = Command(command_type=CommandType.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
            attributes = command.upsert_workflow_search_attributes_command_attributes.search_attributes
            colour = attributes.indexed_fields["Colour"]
            colour.metadata["encoding"] = b"json/plain"
            colour.data = f'"{self.chance.choice(COLOURS)}"'.encode()
        elif kind == "again":
            command = Command(command_type=CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
            command.continue_as_new_workflow_execution_command_attributes.SetInParent()
        await client.workflow_service.respond_workflow_task_completed(
            RespondWorkflowTaskCompletedRequest(namespace="default", task_token=task.task_token, commands=[command])
        )


async def listed(client, query: str = "", page_size: int = 7) -> list[Run]:
    runs, token = [], b""
    while True:
        page = await client.workflow_service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace="default", query=query, page_size=page_size, next_page_token=token)
        )
        runs += [Run.of(info) for info in page.executions]
        token = page.next_page_token
        if not token:
            return runs


async def truth(client, workflow_id: str, run_id: str) -> Run:
    described = await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(
            namespace="default", execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        )
    )
    return Run.of(described.workflow_execution_info)


async def every_run(client, load: Load) -> set[Run]:
    """From the executions alone: the current run of each workflow id, those before it in its chain, and those that were
    there before and have not been deleted."""
    runs = set()
    for workflow_id, run_id in load.seen:
        with contextlib.suppress(RPCError):
            runs.add(await truth(client, workflow_id, run_id))
    for number in range(1, load.started + 1):
        workflow_id, run_id = f"w{number}", ""
        while True:
            try:
                run = await truth(client, workflow_id, run_id)
            except RPCError:
                break  # its start was cut off, or its chain ends here
            runs.add(run)
            try:
                first = await client.get_workflow_handle(workflow_id, run_id=run.run_id).fetch_history()
            except RPCError:
                break  # deleted just now
            run_id = first.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
            if not run_id:
                break
    return runs


async def agree(client, load: Load) -> bool:
    """Raises AssertionError when they do not; a deletion may be under way, so it is asked again."""
    everything = await listed(client)
    load.seen |= {(run.workflow_id, run.run_id) for run in everything}
    runs = await every_run(client, load)
    assert len(everything) == len(set(everything)), "a run is listed twice"
    assert set(everything) == runs
    for status in {run.status for run in runs}:
        name = WorkflowExecutionStatus.Name(status).removeprefix("WORKFLOW_EXECUTION_STATUS_")
        assert set(await listed(client, f"ExecutionStatus = '{name}'")) == {r for r in runs if r.status == status}
    for colour in COLOURS:
        assert set(await listed(client, f"Colour = '{colour}'", 3)) == {r for r in runs if r.colour == colour}
    counted = await client.count_workflows("CloseTime IS NULL")
    assert counted.count == sum(1 for r in runs if not r.close)
    return True


def spoil(chance: random.Random, data: pathlib.Path, copy: pathlib.Path) -> str:
    """What happens to the index while the server is dead."""
    index = sorted(data.glob("**/visibility.db*"))
    assert index
    kind = chance.choice(["none", "none", "lost", "damaged", "older"])
    if kind == "older" and not copy.exists():
        kind = "lost"
    if kind in ("lost", "older"):
        for file in index:
            file.unlink()
    if kind == "older":
        for file in copy.iterdir():
            shutil.copy(file, index[0].parent / file.name)
    if kind == "damaged":
        file = chance.choice(index)
        bytes_ = bytearray(file.read_bytes())
        for at in range(0, min(len(bytes_), 4096)):
            bytes_[at] = 0x5A
        file.write_bytes(bytes_)
    return kind


async def test_lists_say_what_executions_say(doomed_server, queue, tmp_path):
    seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    data, copy = tmp_path / "data", tmp_path / "copy"
    load = Load(chance, queue)
    client = await connect(doomed_server.address)
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace="default", search_attributes={"Colour": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
        )
    )
    for round_ in range(ROUNDS):
        for _ in range(OPERATIONS):
            await load.one(client)
        flight = [asyncio.create_task(load.one(client)) for _ in range(8)]
        await asyncio.sleep(chance.random() / 50)
        doomed_server.kill()
        for task in flight:
            task.cancel()
        await asyncio.gather(*flight, return_exceptions=True)
        done = spoil(chance, data, copy)
        if done == "none" and chance.random() < 0.5:
            shutil.rmtree(copy, ignore_errors=True)
            copy.mkdir()
            for file in data.glob("**/visibility.db*"):
                shutil.copy(file, copy / file.name)
        doomed_server.start()
        client = await connect(doomed_server.address)
        print(f"round {round_}: index {done}, {load.started} started")
        await eventually(lambda: agree(client, load))
