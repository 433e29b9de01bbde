"""Where our answers are not Temporal's, and why. Everything that is not here is equal."""

import re
from typing import NamedTuple


class Difference(NamedTuple):
    pattern: str  # of scenario/label/path
    why: str


NEWER = "a field of the API that this Temporal does not fill yet; newer ones do"
NOT_SERVED = "not served, and not promised by the capabilities"

NAMED: list[Difference] = [
    # Everywhere
    Difference(r".*history\.events\[[^]]*\]\.task_id", "an id of Temporal's transfer queue, which we do not have"),
    Difference(r".*/first_execution_run_id", NEWER),
    Difference(r".*/error\.details\[0\](\.statuses\[.\]\.of\[0\])?\.first_execution_run_id", NEWER),
    Difference(r".*workflow_execution_signaled_event_attributes\.request_id", NEWER),
    Difference(r".*/poller_scaling_decision", "advice to start more polls, which nobody has to give"),
    Difference(
        r".*auto_reset_points\.points", "where a reset by build could go back to; tasks are not told apart by build"
    ),
    Difference(
        r".*workflow_execution_started_event_attributes\.prev_auto_reset_points", "the same, of the run before"
    ),
    Difference(
        r".*search_attributes(\.indexed_fields.*)?", "BuildIds: [unversioned], which says that there is no build"
    ),
    # Temporal's own parts, other than ours
    Difference(r"system/Get(SystemInfo|ClusterInfo)/server_version", "another server"),
    Difference(r"system/GetSystemInfo/capabilities\.(supports_schedules|nexus)", NOT_SERVED),
    Difference(r"system/GetClusterInfo/(history_shard_count|persistence_store|visibility_store)", "another store"),
    Difference(r"system/GetClusterInfo/.*failover_version.*", "of replication between clusters, which we do not have"),
    Difference(r"namespaces/.*namespace_info\.supports_schedules", NOT_SERVED),
    Difference(r"namespaces/.*namespace_info\.limits", NEWER),
    Difference(r"namespaces/.*config\.custom_search_attribute_aliases", "columns of Temporal's SQL visibility"),
    Difference(r"namespaces/(default|page)/.*retention_ttl", "the default namespace of its development server keeps a day"),
    Difference(r"namespaces/.*replication_config.*", "of replication between clusters, which we do not have"),
    Difference(r"task-queues/.*effective_rate_limit", "a queue has none but the one that its workers set"),
    Difference(r"task-queues/.*tasks_(add|dispatch)_rate", "rates are not measured"),
    Difference(r"task-queues/enhanced, reachability/.*types_info.*", "shown when it is asked for"),
    Difference(r"task-queues/(GetWorker.*|reachability|ListTaskQueuePartitions|ListWorkerDeployments)/.*", NOT_SERVED),
    Difference(r"worker-heartbeats/.*/error\.message", "not served by either"),
    Difference(r"eager-activity/.*", "handed out with the answer when asked for; Temporal's development server does not"),
    # Numbers and ids that are made in other ways
    Difference(
        r".*workflow_execution_started_event_attributes\.first_workflow_task_backoff",
        "to the nanosecond; Temporal rounds a cron's up, and takes time itself",
    ),
    Difference(r".*/pending_activities\[0\]\.current_retry_interval", "what the policy says, not what was measured"),
    Difference(r".*/workflow_extended_info\.request_id_infos.*", "the id by which a parent starts a child"),
    Difference(r"eager/.*workflow_task_started_event_attributes\.history_size_bytes", "known, so it is told"),
    Difference(r"heartbeating-task/.*workflow_task_started_event_attributes\.request_id", "an id of its own"),
    Difference(r"lists/.*/executions\[0\]\.first_run_id", NEWER),
    Difference(
        r"lists/(open|page)/executions\[0\]\.(history_length|state_transition_count|history_size_bytes)",
        "known while it runs, so it is told",
    ),
    Difference(
        r"updates/history/.*workflow_task_started_event_attributes\.identity", "the worker that had it, not the server"
    ),
    # What is pending in a closed run
    Difference(
        r".*/pending_(workflow_task|activities)", "nothing is pending in a closed run, though Temporal shows what was"
    ),
    # Reading histories
    Difference(
        r".*(history|second attempt|still the same)/history\.events(\[. WORKFLOW_TASK_(SCHEDULED|STARTED)\])?",
        "a task that is tried again is shown at the end of a history, as newer Temporals do",
    ),
    Difference(r"plain/(history: page|reverse page)/history\.events.*", "pages count events; Temporal's, batches of them"),
    # Words and codes
    Difference(
        r"(queries/nobody answers|closed-run/QueryWorkflow)/(error|error\.message)|update.*/.*/outcome",
        "we answer a little before the caller gives up; Temporal lets him",
    ),
    Difference(r"unknown-run/.*broken run id/error\.message", "one text for one mistake; Temporal has two"),
    Difference(r"unknown-run/PollWorkflowExecutionUpdate: no ids/error\.message", "the same"),
    Difference(r"too-long/(polled )?queue/error\.message", "the name of the field, where Temporal has two spellings"),
    Difference(
        r"bad-(commands|order)/.*\.?message",
        "what Temporal says of its own inner state (`invalid history builder state`) says less",
    ),
    Difference(r"updates/closed, poll: never seen/error\.message", "what left no trace is not known once the run is closed"),
    Difference(r"bad-commands/(unknown namespace|bad retry): .*", "we fail the task, so that its history says why"),
    Difference(
        r"broken-tokens/list page/error(\.message)?", "Temporal calls it an unknown error of its own, which is retried"
    ),
    Difference(r"lists/.*/error\.message", "where in the query the mistake is"),
    Difference(r"wrong-namespace/Respond.*: none/error.*", "a token that is not ours is not looked into"),
    Difference(r"wrong-namespace/Record.*: none/error.*", "the same"),
]


def reason_of(place: str, ours, theirs) -> int | None:
    """The number of the entry that names this difference."""
    for number, entry in enumerate(NAMED):
        if re.fullmatch(entry.pattern, place):
            return number
    return None
