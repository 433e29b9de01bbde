"""What an attack is, and what it is played against."""

import collections
import dataclasses
import time
from collections.abc import Callable


@dataclasses.dataclass
class Target:
    """Addresses of the server, and what prepare() left for the others."""

    http: str  # HOST:PORT
    grpc: str
    model: str  # base URL of a model that answers with 30 MB
    state: dict


class Window:
    """How long one process attacks."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds

    def open(self) -> bool:
        return time.monotonic() < self.end

    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())


Counts = collections.Counter  # what an attacker did and what it was told, by name


@dataclasses.dataclass(frozen=True)
class Attack:
    name: str
    about: str
    play: Callable[[Target, Window, int], Counts]  # in a process of its own; the number tells them apart
    processes: int = 2
    prepare: Callable[[Target], dict] | None = None  # before the baseline: makes the state
    check: Callable[[Target, Counts], list[str]] | None = None  # afterwards: what is wrong now
