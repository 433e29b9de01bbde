"""Goal: an answer of ours has what Temporal's has. Method: each scenario runs on both servers, and every field that is
present in an answer of one and not of the other, or has another value, is either named in differences.py with a reason
or fails the test. Errors are answers too: code, words and details.
"""

import asyncio
import re
import uuid

import pytest
from temporalio.client import Client

import differences
import scenarios_asked  # noqa: F401
import scenarios_fields  # noqa: F401
import scenarios_life  # noqa: F401
import scenarios_system  # noqa: F401
import scenarios_timeouts  # noqa: F401
from scenario import SCENARIOS
from side import Side

# A part of every id, so that the tests may meet a server again.
SESSION = uuid.uuid4().hex[:8]
FOUND: set[int] = set()
RAN: set[str] = set()


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenario(name, ours, theirs):
    servers = {"holdfast": ours, "temporal": theirs}
    sides = [Side(who, await Client.connect(address), f"{name}-{SESSION}") for who, address in servers.items()]
    ends = await asyncio.gather(*(SCENARIOS[name](side) for side in sides), return_exceptions=True)
    unnamed = []
    for place, ours_has, theirs_has in unequal(*sides):
        number = differences.reason_of(f"{name}/{place}", ours_has, theirs_has)
        if number is None:
            unnamed.append(f"{place}\n      holdfast: {ours_has}\n      temporal: {theirs_has}")
        else:
            FOUND.add(number)
    for side, end in zip(sides, ends, strict=True):
        if end is not None:
            unnamed.append(f"{side.name} did not get to the end: {type(end).__name__}: {end}")
    RAN.add(name)
    if unnamed:
        pytest.fail(f"{len(unnamed)} differences without a name:\n  " + "\n  ".join(unnamed), pytrace=False)


def unequal(ours: Side, theirs: Side):
    """(place, what ours has, what theirs has); None: it is absent."""
    for label in dict.fromkeys([*theirs.records, *ours.records]):
        a, b = ours.records.get(label), theirs.records.get(label)
        if a is None or b is None or ("error" in a) != ("error" in b):
            yield f"{label}/outcome", outcome(a), outcome(b)
            continue
        missing: set[str] = set()
        for path in dict.fromkeys([*b, *a]):
            if same(path, a.get(path), b.get(path)):
                continue
            # One line for what is missing as a whole, not one for each of its parts.
            if any(path.startswith(whole + end) for whole in missing for end in (".", "[")):
                continue
            if path not in a or path not in b:
                missing.add(path)
            yield f"{label}/{path}", a.get(path), b.get(path)


# Temporal ends what it says with the names it is about: " ActivityId=a ActivityType=A".
REPEATED_NAMES = re.compile(r"\.?( \w+=[^ ]*)+$")


def same(path: str, ours, theirs) -> bool:
    """Whether the two mean the same; in words, ours may say more after Temporal's."""
    if ours == theirs:
        return True
    if not path.endswith(".message") or ours is None or theirs is None:
        return False
    return ours.startswith(REPEATED_NAMES.sub("", theirs).removesuffix("."))


def outcome(record: dict | None) -> str:
    if record is None:
        return "not called"
    return f"{record['error']}: {record['error.message']}" if "error" in record else "an answer"


def test_every_difference_is_still_there():
    """After the others: a reason for what is equal by now misleads."""
    if RAN != set(SCENARIOS):
        pytest.skip("needs all scenarios to have run")
    gone = [entry.pattern for number, entry in enumerate(differences.NAMED) if number not in FOUND]
    assert not gone
