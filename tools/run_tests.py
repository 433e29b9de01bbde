"""Runs every test through CTest and closes with one line: N passed, N failed[, N skipped].

GoogleTest and pytest write JUnit reports, so that the line counts cases and not programs; a CTest entry that wrote no
report (a script, or a program that crashed before its end) counts as one.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def count(report: pathlib.Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) of one JUnit file."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.get("status") == "notrun":
            continue  # GoogleTest's DISABLED_ cases: programs that another test starts, not tests
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("ctest", nargs="*")
    args = parser.parse_args()

    reports = (args.build / "reports").resolve()
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    overview = reports / "ctest.xml"
    done = subprocess.run(
        ["ctest", "--test-dir", str(args.build), "--output-on-failure", "--no-tests=error",
         "--output-junit", str(overview), *args.ctest], check=False)

    if not overview.exists():
        print("0 passed, 1 failed")
        return 1
    passed = failed = skipped = 0
    for case in ElementTree.parse(overview).iter("testcase"):
        name = case.get("name", "")
        report = reports / (name.replace("/", "_") + ".xml")
        crashed = case.get("status") == "fail"
        try:
            cases = count(report)
        except (OSError, ElementTree.ParseError):
            cases = (int(case.get("status") == "run"), int(crashed), int(case.get("status") not in ("run", "fail")))
        if crashed and cases[1] == 0:
            cases = (cases[0], 1, cases[2])
        passed, failed, skipped = passed + cases[0], failed + cases[1], skipped + cases[2]
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
