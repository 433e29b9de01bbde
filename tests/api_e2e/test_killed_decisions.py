"""The decision holds and its effect happens once, whenever the server is killed between the two: a few of the kills that
`./dev judge decisions` makes a hundred of."""

import pathlib

import pytest
from killed_decisions import Loop

SEED = 84


@pytest.fixture
def loop(binary, tmp_path):
    one = Loop(binary, pathlib.Path(binary).parent / "tests" / "crash" / "kill_at_sync.so", tmp_path, SEED)
    yield one
    one.close()


def test_a_decision_holds_and_its_effect_happens_once(loop):
    loop.rehearse()
    points = loop.points()
    for n, point in enumerate([*points[:4], *points[4:10], "at a random moment", "at a random moment"]):
        loop.round(n, point)
    assert (loop.passed, loop.failed) == (12, 0)
    assert loop.kills["receiver asked"] == loop.kills["receiver answered"] == loop.kills["before sync 1"] == 1, loop.kills
