"""./dev examples [NAME...]: plays every example, or those that are named, on the real program. Ends with `N passed, N failed`."""

import argparse
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"


class Count:
    """And what went wrong, where it went wrong."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("[")[-1].rstrip("]")
        if report.when == "call" and report.passed:
            self.passed += 1
            print(f"  ok      {name}  ({report.duration:.1f} s)", flush=True)
        elif report.failed:
            self.failed += 1
            print(f"  FAILED  {name}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    known = sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / "script.yaml").exists())
    if unknown := set(arguments.names) - set(known):
        parser.error(f"there is no example {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    count = Count()
    options = ["-c", str(HERE / "pytest.ini"), "--rootdir", str(HERE), str(HERE), "--binary", arguments.binary, "--tb=short"]
    code = pytest.main(options + [f"--example={name}" for name in arguments.names], plugins=[count])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        count.failed += 1
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
