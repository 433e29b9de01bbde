"""House rules that a compiler does not know (STYLE.md): sizes, seams, unfinished work, dead links, pages of the guide that nobody finds.

Prints one line a finding, file:line: what, and exits with 1 when there is any.
"""

import functools
import pathlib
import re
import subprocess
import sys

import functions

FILE_LINES_MAX = 600
TEST_LINES_MAX = 1000
FUNCTION_LINES_MAX = 70

# Where the real clock, threads and entropy may be named (law 2). Tests, benchmarks and tools may.
SEAM_OWNERS = ("src/base/os/", "src/app/", "src/demo/", "tests/", "bench/", "tools/", "src/lab/")
# Load with random pauses, and bounded waits for another process, which has no condition to wait on.
POLLERS = ("src/base/os/", "src/platform/postgres/patience.h", "src/lab/fixture/postgres_server.cc", "bench/", "src/demo/", "src/app/api_session.cc", "tests/crash/", "tests/agent_e2e/harness.cc")
# Tests and tools write what they made; a payload that is no UTF-8 is the error of who encodes it.
DUMPERS = ("src/base/base/json.cc", "include/holdfast/agent.h", "src/sdk/runtime/payload.cc", "src/demo/", "src/lab/", "tests/", "bench/", "tools/", "examples/")
BANNED = [
    (re.compile(r"system_clock::now\(\)|steady_clock::now\(\)"), "take a Clock", SEAM_OWNERS),
    (re.compile(r"std::random_device|\brand\(\)"), "take a Random", SEAM_OWNERS),
    (re.compile(r"\bsleep_for\b|\busleep\("), "wait for a condition, not for time", POLLERS),
    (re.compile(r"(\.|->)dump\("), "bytes of others make it throw: dump_json (base/json.h)", DUMPERS),
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), "finish it or write down what is missing", ("tools/tidy.py",)),
]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
# A path of the tree that a text names. Decisions tell how it was, and CONTRIBUTING has a test of its own.
NAMED_PATH = re.compile(r"`((?:src|tests|include|docs|tools|cmake|proto|examples|bench)/[\w./-]+)`")
HISTORIC = ("docs/adr/", "CONTRIBUTING.md", "CHANGELOG.md")
HOSTS = re.compile(r"(index-url|GOPROXY=|\"resolved\": *\"http)")


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]


def check_code(path: str, lines: list[str]) -> list[str]:
    found = []
    limit = TEST_LINES_MAX if "_test." in path or path.startswith("tests/") else FILE_LINES_MAX
    if len(lines) > limit:
        found.append(f"{path}:1: {len(lines)} lines, {limit} at most: more than one idea in one file?")
    for function in functions.of_file(path, lines):
        if function.lines > FUNCTION_LINES_MAX:
            found.append(f"{path}:{function.line}: {function.name} has {function.lines} lines, {FUNCTION_LINES_MAX} at most")
    for number, line in enumerate(lines, 1):
        for pattern, advice, allowed in BANNED:
            if pattern.search(line) and not path.startswith(allowed) and "_test.cc" not in path:
                found.append(f"{path}:{number}: {line.strip()[:60]}: {advice}")
    return found


@functools.cache
def headings(page: pathlib.Path) -> set[str]:
    """What a link may name behind its #, as GitHub makes it of the headings."""
    blocks = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    words = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in re.findall(r"^#+ (.*)", blocks, re.M)]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in words}


def check_links(path: str, lines: list[str]) -> list[str]:
    found = []
    for number, line in enumerate(lines, 1):
        for target, heading in LINK.findall(line):
            if target.startswith(("http://", "https://", "mailto:")):
                continue
            page = pathlib.Path(path).parent / target if target else pathlib.Path(path)
            if not page.exists():
                found.append(f"{path}:{number}: dead link {target}")
            elif heading and page.suffix == ".md" and heading not in headings(page):
                found.append(f"{path}:{number}: {target or path} has no heading #{heading}")
        for target in NAMED_PATH.findall(line):
            if not path.startswith(HISTORIC) and "NAME" not in target and not pathlib.Path(target).exists():
                found.append(f"{path}:{number}: names {target}, which is not there")
    return found


def check_guide(readme: str, pages: list[str]) -> list[str]:
    """README.md is where the guide begins."""
    linked = {target for target, _ in LINK.findall(readme)}
    return [f"{page}:1: README.md does not lead to it" for page in pages if page not in linked]


def main() -> int:
    found = check_guide(pathlib.Path("README.md").read_text(), [path for path in tracked() if path.startswith("docs/guide/")])
    for path in tracked():
        file = pathlib.Path(path)
        if not file.is_file():
            continue
        if file.suffix in (".ts", ".tsx", ".css"):
            found += check_code(path, file.read_text().splitlines())
        if file.suffix in (".h", ".cc", ".py", ".sh") or path == "dev":
            found += check_code(path, file.read_text().splitlines())
        if file.suffix == ".md":
            found += check_links(path, file.read_text().splitlines())
        if file.suffix in (".json", ".txt", ".sh", ".toml", ".lock") and HOSTS.search(file.read_text(errors="replace")):
            found.append(f"{path}:1: names a package registry")
    print("\n".join(found) if found else "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
