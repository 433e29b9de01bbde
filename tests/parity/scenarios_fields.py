"""Fields of requests that are easily passed over: what comes of them, and how they are refused."""

from scenario import scenario
from side import Side
from worker import command, execution, history, signal, start, step

RUN = "11111111-2222-3333-4444-555555555555"


def link(workflow_id: str, **fields) -> list[dict]:
    to = {"namespace": "default", "workflow_id": workflow_id, "run_id": RUN, **fields}
    return [{"workflow_event": to}]


@scenario
async def links(s: Side):
    """They stand at the events of their requests."""
    await start(s, links=link("starter", event_ref={"event_id": 1, "event_type": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"}))
    await signal(s, links=link("signaler"))
    await s.call("RequestCancelWorkflowExecution", workflow_execution=execution(s), links=link("canceler"))
    await s.call("TerminateWorkflowExecution", workflow_execution=execution(s), links=link("ender"))
    await history(s)
    both = {
        "workflow_id": s.id("-both"), "workflow_type": {"name": "Flow"}, "task_queue": {"name": s.queue + "-both"},
        "signal_name": "go", "workflow_task_timeout": {"seconds": 60},
    }  # fmt: skip
    for label in ("started", "signaled"):
        await s.call("SignalWithStartWorkflowExecution", label=label, links=link(label), **both)
    await history(s, "-both", label="history: both")


@scenario
async def bad_links(s: Side):
    await start(s)
    calls = {
        "SignalWorkflowExecution": {"workflow_execution": execution(s), "signal_name": "go"},
        "RequestCancelWorkflowExecution": {"workflow_execution": execution(s)},
        "TerminateWorkflowExecution": {"workflow_execution": execution(s)},
    }
    for method, fields in calls.items():
        for label, bad in {
            "no workflow": link(""),
            "no run": link("w", run_id=""),
            "an event of no type": link("w", event_ref={"event_id": 3}),
            "nothing": [{}],
            "eleven": link("w") * 11,
            "no job": [{"batch_job": {}}],
        }.items():
            await s.call(method, label=f"{method}: {label}", links=bad, **fields)
    await start(s, "-other", label="start: no workflow", links=link(""))


@scenario
async def summaries(s: Side):
    """What is said of a command stands at its event, whatever the command is."""
    said = {"summary": {"metadata": {"encoding": b"json/plain"}, "data": b'"why"'}}
    await start(s)
    timer = command("START_TIMER", timer_id="t", start_to_fire_timeout={"seconds": 100})
    await step(s, {**timer, "user_metadata": said})
    await signal(s)
    ends = [
        command("CANCEL_TIMER", timer_id="t"),
        command("RECORD_MARKER", marker_name="m"),
        command("COMPLETE_WORKFLOW_EXECUTION"),
    ]
    await step(s, *({**end, "user_metadata": said} for end in ends), label="ends")
    await history(s)


@scenario
async def refused_fields(s: Side):
    callback = [{"nexus": {"url": "http://127.0.0.1:1/"}}]
    await start(s, label="a callback", completion_callbacks=callback)
    start_workflow = {"namespace": "default", "workflow_id": s.id(), "workflow_type": {"name": "Flow"}, "task_queue": {"name": s.queue}}  # fmt: skip
    update_workflow = {"namespace": "default", "workflow_execution": {"workflow_id": s.id()}, "request": {"meta": {"update_id": "u"}, "input": {"name": "set"}}}  # fmt: skip
    # Operations of another namespace are not compared: Temporal looks that one up first, and breaks the connection
    # where it is the update's.
    operations = [{"start_workflow": {**start_workflow, "completion_callbacks": callback}}, {"update_workflow": update_workflow}]
    await s.call("ExecuteMultiOperation", label="a start with a callback", operations=operations)
    add = {"namespace": s.id(), "workflow_execution_retention_period": {"seconds": 86400}}
    await s.call("RegisterNamespace", label="a global namespace", is_global_namespace=True, **add)
    await s.call("RegisterNamespace", label="another active cluster", active_cluster_name="elsewhere", **add)
    await s.call("RegisterNamespace", label="another cluster", clusters=[{"cluster_name": "elsewhere"}], **add)
