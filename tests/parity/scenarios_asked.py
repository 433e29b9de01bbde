"""What an execution is asked while it runs: queries and updates, alone, with a task, and with a start. The worker is the
scenarios' own, as in scenarios_life.py.
"""

import asyncio

from scenario import scenario
from side import Side, payload, payloads
from worker import FAILURE, command, complete, describe, execution, history, signal, start, step, task


@scenario
async def queries(s: Side):
    ask = {"execution": execution(s), "query": {"query_type": "state", "query_args": payloads("arg"), "header": {"fields": {"h": payload("x")}}}}  # fmt: skip
    await start(s)
    await s.call("QueryWorkflow", label="nobody answers", timeout=2, **ask)
    first = await task(s)
    await complete(s, first, command("START_TIMER", timer_id="t", start_to_fire_timeout={"seconds": 100}))

    async def answered(label: str, **fields) -> None:
        asked = asyncio.create_task(s.call("QueryWorkflow", label=label, **ask))
        got = await task(s, label=label + ": task")
        await s.call("RespondQueryTaskCompleted", label=label + ": responded", task_token=got.task_token, **fields)
        await asked

    await answered("answered", completed_type="QUERY_RESULT_TYPE_ANSWERED", query_result=payloads("out"))
    await answered("failed", completed_type="QUERY_RESULT_TYPE_FAILED", error_message="cannot", failure=FAILURE)
    await answered("failed without failure", completed_type="QUERY_RESULT_TYPE_FAILED", error_message="cannot")
    await s.call("QueryWorkflow", label="no type", execution=execution(s), query={"query_type": ""})
    await s.call("TerminateWorkflowExecution", workflow_execution=execution(s))
    await answered("answered, closed", completed_type="QUERY_RESULT_TYPE_ANSWERED", query_result=payloads("out"))
    for condition in ("NOT_OPEN", "NOT_COMPLETED_CLEANLY"):
        await s.call("QueryWorkflow", label=condition, query_reject_condition="QUERY_REJECT_CONDITION_" + condition, **ask)  # fmt: skip
    await start(s, "-new")
    await s.call("TerminateWorkflowExecution", label="terminated at once", workflow_execution=execution(s, "-new"))
    await s.call("QueryWorkflow", label="never ran", timeout=3, **{**ask, "execution": execution(s, "-new")})


@scenario
async def query_with_task(s: Side):
    """A query that travels with a workflow task."""
    await start(s)
    await step(s, command("START_TIMER", timer_id="t", start_to_fire_timeout={"seconds": 100}))
    await signal(s)
    asked = asyncio.create_task(s.call("QueryWorkflow", label="asked", execution=execution(s), query={"query_type": "state"}))  # fmt: skip
    await asyncio.sleep(0.3)
    got = await task(s)
    results = {
        key: {"result_type": "QUERY_RESULT_TYPE_ANSWERED", "answer": payloads("out")} for key in got.queries
    }
    await complete(s, got, query_results=results)
    if not results:
        direct = await task(s, label="the query's")
        await s.call("RespondQueryTaskCompleted", label="the query's answer", task_token=direct.task_token, completed_type="QUERY_RESULT_TYPE_ANSWERED", query_result=payloads("out"))  # fmt: skip
    await asked


def message(task, kind: str, update_id: str, number: int, body) -> dict:
    from google.protobuf.any_pb2 import Any

    packed = Any()
    packed.Pack(body)
    return {"id": f"{update_id}/{kind}", "protocol_instance_id": update_id, "body": packed}


@scenario
async def updates(s: Side):
    """Accepted, completed, rejected; asked for again, and asked for after the end."""
    from temporalio.api.update.v1 import Acceptance, Outcome, Rejection, Request, Response

    def ask(update_id: str, stage: str = "COMPLETED") -> dict:
        return {
            "workflow_execution": execution(s),
            "request": {"meta": {"update_id": update_id, "identity": "a client"}, "input": {"name": "set", "args": payloads("1"), "header": {"fields": {"h": payload("x")}}}},
            "wait_policy": {"lifecycle_stage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_" + stage},
        }  # fmt: skip

    async def poll(update_id: str, label: str, stage: str = "") -> None:
        fields: dict = {"update_ref": {"workflow_execution": execution(s), "update_id": update_id}}
        if stage:
            fields["wait_policy"] = {"lifecycle_stage": "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_" + stage}
        await s.call("PollWorkflowExecutionUpdate", label=label, timeout=3, **fields)

    await start(s)
    await step(s, command("START_TIMER", timer_id="t", start_to_fire_timeout={"seconds": 100}))
    await s.call("UpdateWorkflowExecution", label="admitted only", **ask("x", "ADMITTED"))
    await poll("unknown", "unknown update")

    asked = asyncio.create_task(s.call("UpdateWorkflowExecution", label="accepted", **ask("one", "ACCEPTED")))
    got = await task(s)
    [sent] = got.messages
    request = Request()
    sent.body.Unpack(request)
    accept = message(got, "accept", "one", 1, Acceptance(accepted_request_message_id=sent.id, accepted_request_sequencing_event_id=sent.event_id, accepted_request=request))  # fmt: skip
    await complete(s, got, command("PROTOCOL_MESSAGE", message_id="one/accept"), label="accept", messages=[accept])
    await asked
    await history(s, label="after acceptance")
    await poll("one", "poll: now")
    await poll("one", "poll: accepted", "ACCEPTED")
    await poll("one", "poll: not yet completed", "COMPLETED")
    await describe(s, label="an update is open")

    await signal(s)
    got = await task(s, label="task for the end")
    response = message(got, "end", "one", 1, Response(meta={"update_id": "one", "identity": "a client"}, outcome=Outcome(success=payloads("out"))))  # fmt: skip
    await complete(s, got, command("PROTOCOL_MESSAGE", message_id="one/end"), label="end", messages=[response])
    await poll("one", "poll: completed", "COMPLETED")
    await s.call("UpdateWorkflowExecution", label="asked again", **ask("one"))

    asked = asyncio.create_task(s.call("UpdateWorkflowExecution", label="rejected", **ask("two")))
    got = await task(s, label="task for the rejection")
    [sent] = got.messages
    reject = message(got, "reject", "two", 1, Rejection(rejected_request_message_id=sent.id, rejected_request_sequencing_event_id=sent.event_id, failure=FAILURE))  # fmt: skip
    await complete(s, got, label="reject", messages=[reject], capabilities={"discard_speculative_workflow_task_with_events": True})  # fmt: skip
    await asked
    await poll("two", "poll: rejected")

    # Accepted, and open when the run closes; asked for, and not even seen.
    asked = asyncio.create_task(s.call("UpdateWorkflowExecution", label="open at the end", **ask("three", "ACCEPTED")))
    got = await task(s, label="task for the third")
    [sent] = got.messages
    sent.body.Unpack(request)
    accept = message(got, "accept", "three", 1, Acceptance(accepted_request_message_id=sent.id, accepted_request_sequencing_event_id=sent.event_id, accepted_request=request))  # fmt: skip
    await complete(s, got, command("PROTOCOL_MESSAGE", message_id="three/accept"), label="accept three", messages=[accept])  # fmt: skip
    await asked
    asked = asyncio.create_task(s.call("UpdateWorkflowExecution", label="never seen", **ask("four")))
    await task(s, label="task for the fourth")
    await s.call("TerminateWorkflowExecution", workflow_execution=execution(s))
    await asked
    await history(s)
    await poll("one", "closed, poll: completed", "COMPLETED")
    await poll("three", "closed, poll: accepted", "COMPLETED")
    await poll("four", "closed, poll: never seen", "COMPLETED")
    await s.call("UpdateWorkflowExecution", label="closed", **ask("five"))
    await s.call("UpdateWorkflowExecution", label="closed, same", **ask("one"))
    await s.call("UpdateWorkflowExecution", label="no name", workflow_execution=execution(s), request={"meta": {"update_id": "u"}, "input": {}})  # fmt: skip


@scenario
async def update_waits(s: Side):
    """An update that nobody takes."""
    await start(s)
    await s.call(
        "UpdateWorkflowExecution", timeout=3, workflow_execution=execution(s),
        request={"meta": {"update_id": "u"}, "input": {"name": "set"}},
    )  # fmt: skip
    await s.call("PollWorkflowExecutionUpdate", timeout=3, update_ref={"workflow_execution": execution(s), "update_id": "u"})  # fmt: skip


@scenario
async def update_with_start(s: Side):
    def operations(start: dict, update: dict) -> list[dict]:
        return [
            {"start_workflow": {"namespace": "default", "workflow_id": s.id(), "workflow_type": {"name": "Flow"}, "task_queue": {"name": s.queue}, "request_id": "r1", **start}},
            {"update_workflow": {"namespace": "default", "workflow_execution": {"workflow_id": s.id()}, "request": {"meta": {"update_id": "u"}, "input": {"name": "set"}}, **update}},
        ]  # fmt: skip

    call = "ExecuteMultiOperation"
    await s.call(call, label="nothing", operations=[])
    await s.call(call, label="one", operations=operations({}, {})[:1])
    await s.call(call, label="wrong order", operations=list(reversed(operations({}, {}))))
    await s.call(call, label="other workflow", operations=operations({}, {"workflow_execution": {"workflow_id": "x"}}))
    await s.call(call, label="cron", operations=operations({"cron_schedule": "* * * * *"}, {}))
    await s.call(call, label="no type", operations=operations({"workflow_type": None}, {}))
    await s.call(call, label="no update name", operations=operations({}, {"request": {"meta": {"update_id": "u"}}}))
    await s.call(call, label="eager", operations=operations({"request_eager_execution": True}, {}))
    await s.call(call, label="first run", operations=operations({}, {"first_execution_run_id": "x"}))
    await s.call(call, label="with run", operations=operations({}, {"workflow_execution": {"workflow_id": s.id(), "run_id": "11111111-2222-3333-4444-555555555555"}}))  # fmt: skip
    await start(s, request_id="before")
    await s.call(call, label="taken", operations=operations({"workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_FAIL"}, {}))  # fmt: skip
    await s.call(call, label="waits", timeout=3, operations=operations({"workflow_id_conflict_policy": "WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING"}, {}))  # fmt: skip
