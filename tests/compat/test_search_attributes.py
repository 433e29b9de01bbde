"""Goal: search attributes have one type, and Temporal's own client and command line look after them.

Method: names registered through OperatorService, then values of right and wrong ones from every side of the SDK.
"""

import asyncio
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import IndexedValueType, WorkflowTaskFailedCause
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from conftest import connect, eventually, new_worker

Key = SearchAttributeKey


@workflow.defn
class Marks:
    """Gives an attribute that the test names another value."""

    @workflow.run
    async def run(self, name: str, number: int) -> None:
        workflow.upsert_search_attributes([Key.for_int(name).value_set(number)])
        await workflow.wait_condition(lambda: False)


def pairs(*given) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in given])


async def register(client: Client, **types: str) -> None:
    wanted = {name: IndexedValueType.Value("INDEXED_VALUE_TYPE_" + kind) for name, kind in types.items()}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace="default", search_attributes=wanted)
    )
    listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    for name, kind in wanted.items():
        assert listed.custom_attributes[name] == kind


@pytest.fixture
def name():
    """Of an attribute that no other test has."""
    return lambda: "A" + uuid.uuid4().hex[:12]


async def start(client, queue, attributes, workflow_id=None) -> str:
    workflow_id = workflow_id or f"wf-{uuid.uuid4()}"
    await client.start_workflow("Nobody", id=workflow_id, task_queue=queue, search_attributes=attributes)
    return workflow_id


async def refused(call) -> str:
    with pytest.raises(RPCError) as error:
        await call
    assert error.value.status == RPCStatusCode.INVALID_ARGUMENT
    return error.value.message


async def ids(client, query) -> list[str]:
    return sorted([w.id async for w in client.list_workflows(query)])


async def test_one_type_hides_no_others(client, queue, name):
    customer = name()
    await register(client, **{customer: "KEYWORD"})
    good = await start(client, queue, pairs((Key.for_keyword(customer), "acme")))
    said = await refused(start(client, queue, pairs((Key.for_int(customer), 5))))
    assert said == f"invalid value for search attribute {customer} of type Keyword: 5"

    async def only_the_good():
        return await ids(client, f"{customer} = 'acme'") == [good]

    await eventually(only_the_good)


async def test_unregistered_names(client, queue, name):
    unheard = name()
    said = await refused(start(client, queue, pairs((Key.for_keyword(unheard), "x"))))
    assert said == f"Namespace default has no mapping defined for search attribute {unheard}"
    said = await refused(ids(client, f"{unheard} = 'x'"))
    assert said == f"invalid query: invalid expression: column name '{unheard}' is not a valid search attribute"


async def test_every_type(client, queue, name):
    word, text, number, real, truth, time, words = (name() for _ in range(7))
    await register(client, **{word: "KEYWORD", words: "KEYWORD_LIST", truth: "BOOL", time: "DATETIME", real: "DOUBLE"})
    at = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    given = pairs(
        (Key.for_keyword(word), "acme"),
        (Key.for_keyword_list(words), ["red", "green"]),
        (Key.for_bool(truth), True),
        (Key.for_datetime(time), at),
        (Key.for_float(real), 1.5),
    )
    one = await start(client, queue, given)
    assert (await client.get_workflow_handle(one).describe()).typed_search_attributes == given
    for query in (f"{word} STARTS_WITH 'ac'", f"{words} = 'green'", f"{truth} = true", f"{real} > 1"):

        async def found(query=query):
            return await ids(client, query) == [one]

        await eventually(found)
    assert await ids(client, f"{real} > 2") == []
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=[word, words, truth, time, real])
    )


async def test_a_bad_upsert_fails_the_task(client, queue, name, new_id):
    mark = name()
    await register(client, **{mark: "KEYWORD"})
    async with new_worker(client, queue, workflows=[Marks]):
        handle = await client.start_workflow(Marks.run, args=[mark, 5], id=new_id(), task_queue=queue)

        async def failed():
            async for event in handle.fetch_history_events():
                if event.HasField("workflow_task_failed_event_attributes"):
                    return event.workflow_task_failed_event_attributes
            return None

        failure = await eventually(failed)
        assert failure.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES
        assert failure.failure.message == (
            f"BadSearchAttributes: invalid value for search attribute {mark} of type Keyword: 5"
        )
        await handle.terminate()


async def test_a_removed_name_is_free_again(client, queue, name):
    removed = name()
    await register(client, **{removed: "KEYWORD"})
    await start(client, queue, pairs((Key.for_keyword(removed), "x")))
    await client.operator_service.remove_search_attributes(
        RemoveSearchAttributesRequest(namespace="default", search_attributes=[removed])
    )

    async def gone():
        with pytest.raises(RPCError):
            await start(client, queue, pairs((Key.for_keyword(removed), "x")))
        return True

    await eventually(gone)
    await refused(ids(client, f"{removed} = 'x'"))


async def test_the_registry_survives_a_kill(doomed_server, queue):
    client = await connect(doomed_server.address)
    await register(client, Customer="KEYWORD")
    await start(client, queue, pairs((Key.for_keyword("Customer"), "acme")), "kept")
    doomed_server.kill()
    doomed_server.start()
    client = await connect(doomed_server.address)
    await refused(start(client, queue, pairs((Key.for_int("Customer"), 5))))
    assert await ids(client, "Customer = 'acme'") == ["kept"]
    await asyncio.wait_for(start(client, queue, pairs((Key.for_keyword("Customer"), "b"))), timedelta(seconds=20).seconds)
