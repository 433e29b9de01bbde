import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from stage import ROOT, Stage  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--binary", default=str(ROOT / "build" / "release" / "holdfast"), help="path of the holdfast program")
    parser.addoption("--example", action="append", default=[], help="only this one (may be repeated)")


@pytest.fixture
def stage(pytestconfig, tmp_path):
    """A Stage by the name of its example; whatever it started ends with the test."""
    made = []

    def make(name):
        made.append(Stage(pytestconfig.getoption("binary"), name, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.down()
