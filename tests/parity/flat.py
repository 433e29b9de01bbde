"""What an answer says, as path -> value: the form in which the answers of two servers are compared.

Present is what the wire would carry: a message field that is set (even to an empty message), a scalar that is not
its default. Values that no two servers share are replaced by what they are: moments, tokens, uuids. The rest is
compared as it stands.
"""

import re

from google.protobuf import descriptor, message

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Opaque to whoever gets them.
OPAQUE = {"task_token", "next_page_token"}
# What they count or measure is the server's own affair, not that they are there.
UNEQUAL = {
    "task_id", "history_length_bytes", "history_size_bytes", "state_transition_count", "approximate_backlog_age",
    "tasks_add_rate", "tasks_dispatch_rate", "execution_duration",
}  # fmt: skip


class Names:
    """Ids that differ by server and mean the same, such as the first run that a scenario starts."""

    def __init__(self):
        self.known: dict[str, str] = {}

    def learn(self, value: str, kind: str) -> None:
        if value and value not in self.known:
            same = sum(1 for name in self.known.values() if name.rpartition(" ")[0] == "<" + kind)
            self.known[value] = f"<{kind} {same + 1}>"

    def text(self, text: str) -> str:
        for value, name in self.known.items():
            text = text.replace(value, name)
        return UUID.sub("<uuid>", text)


def flat(msg: message.Message, names: Names) -> dict[str, object]:
    """Every field that is present in `msg`, by its path."""
    out: dict[str, object] = {}
    add_message(msg, "", names, out)
    return out


def add_message(msg: message.Message, path: str, names: Names, out: dict[str, object]) -> None:
    kind = msg.DESCRIPTOR.full_name
    if kind == "google.protobuf.Timestamp":
        out[path] = "a moment" if msg.seconds > 0 else "the epoch"
        return
    if kind == "google.protobuf.Duration":
        name = path.rsplit(".", 1)[-1]
        out[path] = "a duration" if name in UNEQUAL else f"{msg.seconds}.{msg.nanos:09d} s"
        return
    if path:
        out[path] = "present"
    for field, value in msg.ListFields():
        inner = f"{path}.{field.name}" if path else field.name
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            out[inner] = f"{len(value)} of them"
            for key in value:
                # Queries are named by an id of the server's.
                shown = names.text(str(key))
                add_value(field.message_type.fields_by_name["value"], value[key], f"{inner}[{shown}]", names, out)
        elif field.is_repeated:
            out[inner] = f"{len(value)} of them"
            for index, item in enumerate(value):
                add_value(field, item, f"{inner}[{label(item, index)}]", names, out)
        else:
            add_value(field, value, inner, names, out)


def label(item, index: int) -> str:
    """Events and activities are told apart by what they are; the place is a part of it."""
    if isinstance(item, message.Message) and item.DESCRIPTOR.name == "HistoryEvent":
        number = item.DESCRIPTOR.fields_by_name["event_type"].enum_type.values_by_number[item.event_type].name
        return f"{index} {number.removeprefix('EVENT_TYPE_')}"
    return str(index)


def add_value(field, value, path: str, names: Names, out: dict[str, object]) -> None:
    if isinstance(value, message.Message):
        add_message(value, path, names, out)
    elif field.name in OPAQUE:
        out[path] = "opaque"
    elif field.name in UNEQUAL:
        out[path] = "a number"
    elif field.type == descriptor.FieldDescriptor.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        out[path] = known.name if known else value
    elif isinstance(value, bytes):
        out[path] = names.text(value.decode("latin-1"))
    elif isinstance(value, str):
        out[path] = names.text(value)
    else:
        out[path] = value
