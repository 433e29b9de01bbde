"""One of the two servers, as a scenario sees it: raw calls, each recorded under a label.

Nothing of an SDK stands in between but its transport, so what is compared is what came over the wire. `call` never
raises for an answer that is an error: an error is an answer like any other.
"""

import datetime
import re

from google.protobuf import any_pb2
from temporalio.api.common.v1 import GrpcStatus, Payload, Payloads
from temporalio.api.errordetails.v1 import message_pb2 as details_pb2  # noqa: F401 - registers the types of details
from temporalio.api.failure.v1 import message_pb2 as failure_pb2  # noqa: F401
from temporalio.api.operatorservice.v1 import request_response_pb2 as os_pb2
from temporalio.api.workflowservice.v1 import request_response_pb2 as ws_pb2
from temporalio.client import Client
from temporalio.service import RPCError

from flat import Names, flat


class Answer:
    """An answer or an error; attributes are those of the message."""

    def __init__(self, message, error: RPCError | None):
        self.message = message
        self.error = error

    def __getattr__(self, name):
        assert self.error is None, f"{self.error.status.name}: {self.error.message}"
        return getattr(self.message, name)


class Side:
    def __init__(self, name: str, client: Client, scenario: str):
        self.name = name
        self.client = client
        self.scenario = scenario
        self.namespace = "default"
        self.names = Names()
        self.records: dict[str, dict[str, object]] = {}

    def id(self, suffix: str = "") -> str:
        return f"{self.scenario}-wf{suffix}"

    @property
    def queue(self) -> str:
        return f"{self.scenario}-queue"

    async def call(self, method: str, /, *, label: str = "", timeout: float = 12, record: bool = True, **fields) -> Answer:
        """Calls `method` with a request of these fields; the namespace is ours unless they say otherwise."""
        operator = hasattr(os_pb2, method + "Request")
        request_type = getattr(os_pb2 if operator else ws_pb2, method + "Request")
        if "namespace" in request_type.DESCRIPTOR.fields_by_name:
            fields.setdefault("namespace", self.namespace)
        service = self.client.operator_service if operator else self.client.workflow_service
        rpc = getattr(service, re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower())
        try:
            answer = Answer(
                await rpc(request_type(**fields), retry=False, timeout=datetime.timedelta(seconds=timeout)), None
            )
            for name in ("run_id", "first_execution_run_id"):
                if name in answer.message.DESCRIPTOR.fields_by_name:
                    self.names.learn(getattr(answer.message, name), f"run of {fields.get('workflow_id', '?')}")
        except RPCError as error:
            answer = Answer(None, error)
        if record:
            self.note(label or method, answer)
        return answer

    def note(self, label: str, answer: Answer) -> None:
        number = 2
        unique = label
        while unique in self.records:
            unique = f"{label} #{number}"
            number += 1
        self.records[unique] = self.error(answer.error) if answer.error else flat(answer.message, self.names)

    def error(self, error: RPCError) -> dict[str, object]:
        out: dict[str, object] = {"error": error.status.name, "error.message": self.names.text(error.message)}
        status = error.grpc_status
        out.update(self.details(status.details, "error.details"))
        return out

    def details(self, details, path: str) -> dict[str, object]:
        out: dict[str, object] = {}
        for index, packed in enumerate(details):
            out[f"{path}[{index}]"] = packed.TypeName()
            message = unpacked(packed)
            if message is None:
                continue
            for name, value in flat(message, self.names).items():
                out[f"{path}[{index}].{name}"] = value
            if message.DESCRIPTOR.name == "MultiOperationExecutionFailure":
                for part, status in enumerate(message.statuses):
                    out.update(self.details(status.details, f"{path}[{index}].statuses[{part}].of"))
                    out = {key: value for key, value in out.items() if not key.endswith((".value", ".type_url"))}
        return out


def unpacked(packed: any_pb2.Any):
    name = packed.TypeName().rsplit(".", 1)[-1]
    for module in (details_pb2, failure_pb2):
        if hasattr(module, name):
            message = getattr(module, name)()
            if packed.Unpack(message):
                return message
    return None


__all__ = ["Answer", "GrpcStatus", "Side", "payload", "payloads"]


def payload(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=f'"{text}"'.encode())


def payloads(text: str) -> Payloads:
    return Payloads(payloads=[payload(text)])
