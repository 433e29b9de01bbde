"""./dev coverage [ROW...]: runs what docs/coverage.md names for each row, or for the given ones. A command that several rows name runs
once. Ends with `N passed, N failed`.
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ROW = re.compile(r"^\| (?P<row>[A-Z]\d+) \| (?P<seen>.+) \| `(?P<command>[^`]+)` \|$")
SECONDS = 900
# Of GoogleTest and CTest, which call it a success.
NOTHING_RAN = re.compile(r"\b0 tests from 0 test suites ran\b|No tests were found")


def read_rows() -> list[tuple[str, str, str]]:
    rows = []
    for line in (ROOT / "docs" / "coverage.md").read_text().splitlines():
        if match := ROW.match(line):
            rows.append((match["row"], match["seen"], match["command"]))
        elif line.startswith("| ") and not line.startswith("| row |"):
            sys.exit(f"docs/coverage.md: cannot read {line!r}")
    # A row that asks for several things has a line for each; the same line twice is a mistake.
    if twice := {row for row, seen, command in rows if rows.count((row, seen, command)) > 1}:
        sys.exit(f"docs/coverage.md: a line twice, of {', '.join(sorted(twice))}")
    return rows


def whole(command: str, build: pathlib.Path) -> str:
    """The short names of the page, written out."""
    kind, _, rest = command.partition(" ")
    python = f"{build}/venv/bin/python -m pytest -q -p no:cacheprovider"
    if kind == "agent":
        return f"{build}/tests/agent_e2e/agent_e2e_test --gtest_filter={rest}"
    if kind in ("api", "compat"):
        folder = ROOT / "tests" / ("api_e2e" if kind == "api" else "compat")
        return f"{python} -c {folder}/pytest.ini --rootdir {folder} --binary {build}/holdfast {folder}/{rest}"
    if kind == "example":
        return f"{build}/venv/bin/python {ROOT}/tests/examples/run.py --binary {build}/holdfast {rest}"
    return command.replace("build/release", str(build))


def shows(command: str) -> str:
    """Nothing, or the end of what it printed."""
    try:
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, timeout=SECONDS, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return f"not through after {SECONDS} s"
    if done.returncode == 0 and not NOTHING_RAN.search(done.stdout):
        return ""
    return done.stdout[-2000:] or f"it ends with {done.returncode} and says nothing"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    arguments = parser.parse_args()
    rows = read_rows()
    if unknown := set(arguments.rows) - {row for row, _, _ in rows}:
        parser.error(f"docs/coverage.md has no row {', '.join(sorted(unknown))}")
    results: dict[str, str] = {}
    failed = 0
    chosen = [row for row in rows if not arguments.rows or row[0] in arguments.rows]
    for row, seen, command in chosen:
        if command not in results:
            results[command] = shows(whole(command, arguments.build.resolve()))
        wrong = results[command]
        print(f"{row:5} {'FAILED' if wrong else 'ok':7} {seen}", flush=True)
        if wrong:
            failed += 1
            print(wrong, flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
