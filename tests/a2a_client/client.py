"""What A2A's own SDK makes of our agents: by their card, in 1.0 and in 0.3, streaming and not."""

import asyncio
import os
import uuid

import httpx
from google.protobuf import json_format, struct_pb2
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import CancelTaskRequest, GetTaskRequest, ListTasksRequest, Message, Part, Role, SendMessageRequest, TaskState

URL = os.environ["HOLDFAST_URL"] + "/a2a/"


def text_message(text, **more):
    return SendMessageRequest(message=Message(message_id=uuid.uuid4().hex, role=Role.ROLE_USER, parts=[Part(text=text)], **more))


def settle(task, event):
    """The task as its client keeps it."""
    kind = event.WhichOneof("payload")
    if kind == "task":
        return event.task
    if kind == "status_update":
        task.status.CopyFrom(event.status_update.status)
    elif kind == "artifact_update":
        update = event.artifact_update
        kept = next((one for one in task.artifacts if one.artifact_id == update.artifact.artifact_id), None)
        if kept is None:
            task.artifacts.append(update.artifact)
        elif update.append:
            kept.parts.extend(update.artifact.parts)
        else:
            kept.CopyFrom(update.artifact)
    return task


async def send(client, request):
    task = None
    async for event in client.send_message(request):
        task = settle(task, event)
    return task


def answer(task):
    return "".join(part.text for part in task.artifacts[0].parts)


async def play(client, name):
    task = await send(client, text_message("hello"))
    assert task.status.state == TaskState.TASK_STATE_COMPLETED and answer(task) == "Hello from the script.", task
    got = await client.get_task(GetTaskRequest(id=task.id))
    assert got.status.state == TaskState.TASK_STATE_COMPLETED and answer(got) == answer(task)
    asked = await send(client, text_message("pay, please"))
    assert asked.status.state == TaskState.TASK_STATE_INPUT_REQUIRED, asked
    assert '"amount":250' in asked.status.message.parts[0].text
    done = await send(client, text_message("approve", task_id=asked.id, context_id=asked.context_id))
    assert done.status.state == TaskState.TASK_STATE_COMPLETED and answer(done) == "That is settled.", done
    request = text_message("at length")
    request.configuration.return_immediately = True
    begun = None
    async for event in client.send_message(request):
        begun = settle(begun, event)
        if begun.status.state == TaskState.TASK_STATE_WORKING or event.WhichOneof("payload") == "artifact_update":
            break
    while (await client.get_task(GetTaskRequest(id=begun.id))).status.state == TaskState.TASK_STATE_SUBMITTED:
        await asyncio.sleep(0.02)
    canceled = await client.cancel_task(CancelTaskRequest(id=begun.id))
    assert canceled.status.state == TaskState.TASK_STATE_CANCELED, canceled
    if name.startswith("1.0"):  # 0.3 has no list over JSON-RPC
        page = await client.list_tasks(ListTasksRequest(page_size=2))
        assert [one.id for one in page.tasks] == [canceled.id, asked.id] and page.total_size >= 3 and page.next_page_token, page
        rest = await client.list_tasks(ListTasksRequest(page_token=page.next_page_token, include_artifacts=True))
        assert rest.tasks[0].id == task.id and answer(rest.tasks[0]) == answer(task), rest
    print(f"a2a {name}: a task, a question and its answer, a cancellation{', a list' if name.startswith('1.0') else ''}")


async def fill_in(client, name):
    asked = await send(client, text_message("refund it"))
    assert asked.status.state == TaskState.TASK_STATE_INPUT_REQUIRED, asked
    assert asked.status.message.parts[0].text == "Refund order 7?", asked
    question = json_format.MessageToDict(asked.status.message.parts[1].data)
    assert question["schema"]["required"] == ["refund", "why"], question
    said = json_format.ParseDict({"approval": question["approval"], "answer": {"refund": True, "why": "lost"}}, struct_pb2.Value())
    done = await send(client, SendMessageRequest(message=Message(
        message_id=uuid.uuid4().hex, role=Role.ROLE_USER, parts=[Part(data=said)], task_id=asked.id, context_id=asked.context_id)))
    assert done.status.state == TaskState.TASK_STATE_COMPLETED and '"refund":true' in answer(done).replace(" ", ""), done
    print(f"a2a {name}: a question with a form and its answer")


async def main():
    async with httpx.AsyncClient(timeout=30) as http:
        for agent, talk in (("payer", play), ("clerk", fill_in)):
            card = await A2ACardResolver(http, URL + agent).get_agent_card()
            for version in ("1.0", "0.3"):
                only = type(card)()
                only.CopyFrom(card)
                del only.supported_interfaces[:]
                only.supported_interfaces.extend(one for one in card.supported_interfaces if one.protocol_version == version)
                for streaming in (True, False):
                    client = ClientFactory(ClientConfig(httpx_client=http, streaming=streaming)).create(only)
                    await talk(client, f"{version}, {'streaming' if streaming else 'waiting'}")


asyncio.run(main())
